"""Bring the app's database to the tables this release needs, one process at a time."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from filelock import FileLock

from duecourse.errors import DatabaseNewerError, DatabaseUnreachableError
from duecourse.web import environment as env

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCK: Final = 0x64756563
"""Number of PostgreSQL's advisory lock: several machines may start at once."""


def where() -> str:
    """The database, without its password."""
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        return str(settings["NAME"])
    return f"{settings['USER']}@{settings['HOST'] or 'localhost'}:{settings['PORT'] or 5432}/{settings['NAME']}"


def migrate() -> bool:
    """Make or bring up the tables; says whether anything was to do. Raises DatabaseUnreachableError, DatabaseNewerError."""
    try:
        if not _plan():
            return False
        with _alone():
            call_command("migrate", interactive=False, verbosity=0)
    except DatabaseError as error:
        raise DatabaseUnreachableError(place=where(), reason=str(error).strip().splitlines()[0] if str(error).strip() else "?") from error
    return True


def _plan() -> list[object]:
    executor = MigrationExecutor(connection)
    unknown = sorted(set(executor.loader.applied_migrations) - set(executor.loader.disk_migrations))
    ours = [f"{app}.{name}" for app, name in unknown if app in executor.loader.migrated_apps]
    if ours:
        raise DatabaseNewerError(place=where(), steps=", ".join(ours))
    return list(executor.migration_plan(executor.loader.graph.leaf_nodes()))


@contextmanager
def _alone() -> Iterator[None]:
    if connection.vendor == "sqlite":
        env.HOME.mkdir(parents=True, exist_ok=True)
        with FileLock(env.HOME / ".migrate.lock"):
            yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        try:
            yield
        finally:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
