"""A database that has been through all its migrations, once for the whole run: seven seconds' work, of which every test takes a copy."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from support.serving import surroundings
from support.shared import once

MIGRATE = """
import django
django.setup()
from django.core.management import call_command
from duecourse.web.migrating import migrate
assert migrate()
call_command("createcachetable")
"""


def migrate_empty(database: str = "", home: Path | None = None) -> None:
    """Migrate an empty database as a new installation does: PostgreSQL's by its address, or SQLite's file in a home."""
    with tempfile.TemporaryDirectory() as place:
        environment = surroundings(home or Path(place) / "home", Path(place) / "ledger", database)
        done = subprocess.run([sys.executable, "-c", MIGRATE], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _make(place: Path) -> None:
    home = place.with_name("migrating")
    migrate_empty(home=home)
    shutil.copy(home / "desk.sqlite3", place)  # the last connection that closed took the log's pages into the file
    assert not (home / "desk.sqlite3-wal").exists()
    shutil.rmtree(home)


def migrated_sqlite(place: Path) -> None:
    """Put a migrated database at this path."""
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(once("migrated.sqlite3", _make), place)
