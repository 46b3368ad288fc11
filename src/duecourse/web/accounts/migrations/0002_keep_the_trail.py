"""The database itself refuses to change or remove a row of the audit trail, whoever asks."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from django.db import migrations

MAKE: Final[dict[str, list[str]]] = {
    "sqlite": [
        f"""CREATE TRIGGER audit_keeps_{act.lower()} BEFORE {act} ON accounts_auditevent
        BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END"""
        for act in ("UPDATE", "DELETE")
    ],
    "postgresql": [
        """CREATE FUNCTION audit_keeps() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END $$""",
        """CREATE TRIGGER audit_keeps_rows BEFORE UPDATE OR DELETE ON accounts_auditevent
        FOR EACH ROW EXECUTE FUNCTION audit_keeps()""",
        """CREATE TRIGGER audit_keeps_all BEFORE TRUNCATE ON accounts_auditevent
        FOR EACH STATEMENT EXECUTE FUNCTION audit_keeps()""",
    ],
}
DROP: Final[dict[str, list[str]]] = {
    "sqlite": ["DROP TRIGGER audit_keeps_update", "DROP TRIGGER audit_keeps_delete"],
    "postgresql": [
        "DROP TRIGGER audit_keeps_rows ON accounts_auditevent",
        "DROP TRIGGER audit_keeps_all ON accounts_auditevent",
        "DROP FUNCTION audit_keeps()",
    ],
}


def guard(_apps: Any, schema_editor: Any) -> None:
    """Put the guards up."""
    for statement in MAKE[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


def release(_apps: Any, schema_editor: Any) -> None:
    """Take them down."""
    for statement in DROP[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    """After the tables."""

    dependencies: ClassVar = [("accounts", "0001_initial")]
    operations: ClassVar = [migrations.RunPython(guard, release)]
