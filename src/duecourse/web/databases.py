"""The app's database as files and back, by each backend's own consistent means."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

from duecourse.errors import BackupUnreadableError
from duecourse.messages import say
from duecourse.web import environment as env

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TABLES: Final = "tables.json"
SQLITE: Final = "desk.sqlite3"
STEPS: Final = "django_migrations"


def dump(folder: Path) -> dict[str, Any]:
    """Write the database as it is at one moment; what the manifest says about it. People go on working meanwhile."""
    folder.mkdir(parents=True)
    if connection.vendor == "sqlite":
        _dump_sqlite(folder / SQLITE)
    else:
        _dump_postgres(folder)
    return {"engine": connection.vendor}


def _dump_sqlite(copy: Path) -> None:
    with (
        closing(sqlite3.connect(f"file:{connection.settings_dict['NAME']}?mode=ro", uri=True, timeout=60)) as source,
        closing(sqlite3.connect(copy)) as target,
    ):
        source.backup(target)
        target.execute("PRAGMA journal_mode=DELETE")


def _dump_postgres(folder: Path) -> None:
    told = {}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        for table in sorted({*connection.introspection.django_table_names(only_existing=True), STEPS}):
            columns = [column.name for column in connection.introspection.get_table_description(cursor, table)]
            told[table] = columns
            with (folder / f"{table}.copy").open("wb") as file, cursor.copy(f"COPY {_list(table, columns)} TO STDOUT") as copy:
                for block in copy:
                    file.write(block)
    (folder / TABLES).write_text(json.dumps(told, indent=1), encoding="utf-8")


def _list(table: str, columns: list[str]) -> str:
    quote = connection.ops.quote_name
    return f"{quote(table)} ({', '.join(map(quote, columns))})"


def holds_people() -> bool:
    """Has somebody worked with the database that is there?"""
    if connection.vendor == "sqlite":
        return (env.HOME / SQLITE).exists()
    return STEPS in connection.introspection.table_names()


def check(folder: Path, facts: dict[str, Any], file: Path) -> None:
    """Is this a dump this database can take? Raises BackupUnreadableError."""
    if facts.get("engine") != connection.vendor:
        raise BackupUnreadableError(file=file, reason=say("cli.backup_engine", theirs=facts.get("engine"), ours=connection.vendor))
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(folder / SQLITE)) as database:
            if database.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                raise BackupUnreadableError(file=file, reason=say("cli.backup_database"))


def load(folder: Path, home: Path, swap: Callable[[], None]) -> None:
    """Make the database what the dump says, together with `swap`: both or neither.

    SQLite: the file goes into the new home, which `swap` puts in place. PostgreSQL: one transaction moves the schema that is there aside,
    builds the tables as they were when the dump was taken and fills them; it is committed after `swap`.
    """
    if connection.vendor == "sqlite":
        shutil.move(folder / SQLITE, home / SQLITE)
        swap()
        return
    told: dict[str, list[str]] = json.loads((folder / TABLES).read_text(encoding="utf-8"))
    with transaction.atomic():
        with connection.cursor() as cursor:
            if holds_people():
                aside = f"before_restore_{datetime.now(UTC):%Y%m%d_%H%M%S}"
                cursor.execute(f"ALTER SCHEMA public RENAME TO {connection.ops.quote_name(aside)}")
                cursor.execute("CREATE SCHEMA public")
        _tables_as_of(folder / f"{STEPS}.copy", told[STEPS])
        with connection.cursor() as cursor:
            for table, columns in told.items():
                if table == STEPS:
                    continue
                cursor.execute(f"DELETE FROM {connection.ops.quote_name(table)}")
                with (folder / f"{table}.copy").open("rb") as file, cursor.copy(f"COPY {_list(table, columns)} FROM STDIN") as copy:
                    while block := file.read(1 << 16):
                        copy.write(block)
            for statement in connection.ops.sequence_reset_sql(no_style(), apps.get_models(include_auto_created=True)):
                cursor.execute(statement)
        swap()


def _tables_as_of(steps: Path, columns: list[str]) -> None:
    """Build the tables by the migrations that had been applied then, so that a backup of an earlier release fits; the rest follows later."""
    rows = [line.split("\t") for line in steps.read_text(encoding="utf-8").splitlines()]
    then = {(row[columns.index("app")], row[columns.index("name")]) for row in rows}
    executor = MigrationExecutor(connection)
    graph = executor.loader.graph
    newest = [
        key
        for key in then
        if key in graph.nodes and not any(child.key in then for child in graph.node_map[key].children if child.key[0] == key[0])
    ]
    executor.migrate(sorted(newest))
