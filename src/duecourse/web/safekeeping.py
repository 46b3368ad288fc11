"""Back up and restore: the app's database, the ledger, uploads and the app's own secrets, as they belong together.

The database is copied first, the ledger after it: so all the database says was done is in the ledger, and what the ledger has beyond that
is known to it by its mark or key when the work that the copied database still holds as waiting is done again.
"""

from __future__ import annotations

import fcntl
import secrets
import shutil
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from duecourse import __version__
from duecourse.desk.backup import read_backup, snapshot, write_backup
from duecourse.desk.opening import open_ledger
from duecourse.errors import LedgerBusyError, RestoreRefusedError
from duecourse.web import databases
from duecourse.web import environment as env
from duecourse.web.migrating import migrate

if TYPE_CHECKING:
    from collections.abc import Iterator

NOT_KEPT: Final = frozenset({"static", "made", databases.SQLITE, f"{databases.SQLITE}-wal", f"{databases.SQLITE}-shm", "test.sqlite3"})
"""Of the app's home: what is made anew, and what is copied by other means."""

SERVING: Final = ".serving"


def in_use() -> IO[bytes]:
    """Mark the app's home as served, for as long as any process that inherits this file lives."""
    env.HOME.mkdir(parents=True, exist_ok=True)
    file = (env.HOME / SERVING).open("wb")
    fcntl.flock(file, fcntl.LOCK_SH)
    return file


def backup(file: Path, *, replace: bool = False) -> dict[str, Any]:
    """Write everything into one file while people go on working; what it holds. Raises RestoreRefusedError, DiskFullError."""
    if file.exists() and not replace:
        raise RestoreRefusedError(place=file)
    with _beside(_local_ledger() or env.HOME) as work:
        facts: dict[str, Any] = {"version": __version__, "made_at": datetime.now(UTC).isoformat(timespec="seconds")}
        facts["database"] = databases.dump(work / "database")
        (work / "home").mkdir()
        for path in sorted(one for one in env.HOME.rglob("*") if one.is_file()):
            inside = path.relative_to(env.HOME)
            if inside.parts[0] in NOT_KEPT or inside.suffix == ".lock" or any(part.startswith(".") for part in inside.parts):
                continue
            with suppress(FileNotFoundError):  # an upload that was discarded meanwhile
                (work / "home" / inside).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, work / "home" / inside)
        ledger = open_ledger(env.LEDGER)
        (work / "ledger").mkdir()
        if ledger.storage.local:
            facts["ledger"] = {"version": snapshot(ledger, work / "ledger")}
        else:  # an object store keeps its versions itself
            facts["ledger"] = {"version": ledger.version, "url": ledger.storage.url}
        parts = {name: work / name for name in ("database", "home", "ledger")}
        facts["bytes"] = write_backup(file, parts, facts, replace=replace)
        return facts


def restore(file: Path, *, force: bool = False) -> dict[str, Any]:
    """Make everything as the backup says; what it holds. What was there is moved aside.

    Unpacked and checked beside its place first, and put there by renaming: until then nothing is touched. Raises BackupUnreadableError,
    RestoreRefusedError, LedgerBusyError while the app is being served.
    """
    ledger = _local_ledger()
    _refuse_if_served()
    there = [str(place) for place in (ledger, env.HOME) if place is not None and _holds_something(place)]
    if databases.holds_people():
        there.append("database")
    if there and not force:
        raise RestoreRefusedError(place=", ".join(there))
    with _beside(ledger or env.HOME) as work:
        manifest = read_backup(file, work)
        for name in ("database", "home", "ledger"):
            (work / name).mkdir(exist_ok=True)
        databases.check(work / "database", manifest["database"], file)
        if ledger is not None and "url" not in manifest["ledger"]:
            assert open_ledger(work / "ledger").version == manifest["ledger"]["version"]
        nested = ledger is not None and env.HOME.is_relative_to(ledger)
        if nested and ledger is not None:
            (work / "home").rename(work / "ledger" / env.HOME.relative_to(ledger))
            home = work / "ledger" / env.HOME.relative_to(ledger)
            moves = [(work / "ledger", ledger)]
        else:
            home = work / "home"
            moves = [(home, env.HOME), *([] if ledger is None or "url" in manifest["ledger"] else [(work / "ledger", ledger)])]
        databases.load(work / "database", home, lambda: _swap(moves))
    migrate()
    return manifest


def _swap(moves: list[tuple[Path, Path]]) -> None:
    """Put each folder in its place, what is there aside; if one cannot be, all go back."""
    stamp = f"{datetime.now(UTC):%Y%m%d-%H%M%S}"
    undo: list[tuple[Path, Path]] = []
    try:
        for fresh, place in moves:
            if place.exists():
                aside = place.with_name(f"{place.name}.before-{stamp}")
                place.rename(aside)
                undo.append((aside, place))
            place.parent.mkdir(parents=True, exist_ok=True)
            fresh.rename(place)
            undo.append((place, fresh))
    except OSError:
        for now, before in reversed(undo):
            now.rename(before)
        raise


def _local_ledger() -> Path | None:
    return None if "://" in env.LEDGER else Path(env.LEDGER)


def _holds_something(place: Path) -> bool:
    """Is there anything but what the app makes by being started?"""
    if not place.is_dir():
        return False
    own = {SERVING, "secret-key", ".migrate.lock", "static", "static.lock", "made"}
    return any(one.name not in own and not (one == env.HOME and not _holds_something(one)) for one in place.iterdir())


def _refuse_if_served() -> None:
    mark = env.HOME / SERVING
    if not mark.exists():
        return
    with mark.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LedgerBusyError(path=env.HOME, seconds=0) from None


@contextmanager
def _beside(place: Path) -> Iterator[Path]:
    """A working folder on the same disk, gone afterwards."""
    place.parent.mkdir(parents=True, exist_ok=True)
    work = place.parent / f".duecourse-{secrets.token_hex(6)}"
    work.mkdir(mode=0o700)
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)
