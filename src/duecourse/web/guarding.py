"""Triggers with which the database itself refuses to change or remove rows: for tables that are only ever added to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Step = Callable[[Any, Any], None]


def guards(table: str, name: str, says: str) -> tuple[Step, Step]:
    """For a migration: what puts the guards of a table up, and what takes them down. `says` is the database's refusal."""
    put = {
        "sqlite": [
            f"CREATE TRIGGER {name}_{act.lower()} BEFORE {act} ON {table} BEGIN SELECT RAISE(ABORT, '{says}'); END" for act in ("UPDATE", "DELETE")
        ],
        "postgresql": [
            f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '{says}'; END $$",
            f"CREATE TRIGGER {name}_rows BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()",
            f"CREATE TRIGGER {name}_all BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {name}()",
        ],
    }  # fmt: skip
    take = {
        "sqlite": [f"DROP TRIGGER {name}_update", f"DROP TRIGGER {name}_delete"],
        "postgresql": [f"DROP TRIGGER {name}_rows ON {table}", f"DROP TRIGGER {name}_all ON {table}", f"DROP FUNCTION {name}()"],
    }

    def guard(_apps: Any, schema_editor: Any) -> None:
        for statement in put[schema_editor.connection.vendor]:
            schema_editor.execute(statement)

    def release(_apps: Any, schema_editor: Any) -> None:
        for statement in take[schema_editor.connection.vendor]:
            schema_editor.execute(statement)

    return guard, release
