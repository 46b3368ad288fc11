"""Where answers are kept: beside the ledger, a folder for each state of its facts, each derived and free to be deleted."""

from __future__ import annotations

import contextlib
import hashlib
import json
import secrets
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from duecourse import __version__
from duecourse.caches import cache_folder
from duecourse.ledger.store import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable

    from duecourse.ledger.book import Book, Keeper
    from duecourse.ledger.journal import JournalRow

FOLDER: Final = ".answers"
READY: Final = "ready-"
"""How the file begins that is written into a version's folder when what the pages ask for has been worked out."""

TABLES_KEPT: Final = 12
"""Kept tables of one version; those not used for longest give way to new ones (a table of a million buyers takes half a gigabyte)."""


BESIDE: Final = frozenset({"decision", "limit", "security", "statement", "signal", "mention", "list_entry"})
"""Tables that say what was decided, and what accounts and others say, not what was sold and paid: no answer about receivables changes with them."""


def facts_version(ledger: Keeper) -> int:
    """The version at which the ledger got the facts about receivables it holds.

    Putting its files in order changes none of them, and neither does a decision or a signal; an answer that reads the tables of BESIDE has to
    name their versions in its question (`beside_version`).
    """
    rows = ledger.state.rows
    place = len(rows) - 1
    while place > 0 and _changes_nothing(rows[place]):
        place -= 1
    return rows[place].version


def beside_version(ledger: Keeper) -> str:
    """Changes whenever one of the tables of BESIDE does."""
    tables = ledger.state.last.tables
    return ",".join(str(tables.get(name, "")) for name in sorted(BESIDE))


def identity(ledger: Keeper) -> tuple[Path, Any] | None:
    """Names a ledger within this process, another one than that which stood in its folder before; None for one in memory."""
    place = home(ledger)
    return None if place is None else (place, ledger.state.rows[0].recorded_at)


def added_since(ledger: Keeper, version: int, *names: str) -> dict[str, list[str]] | None:
    """The batches by which these tables grew after a version: {table: batches}. None where rows of them were corrected or withdrawn since.

    What was known of the whole, and what is added can only add to, needs no look at the whole again.
    """
    found: dict[str, list[str]] = {}
    if not 0 <= version <= ledger.version:
        return None
    for row in reversed(ledger.state.rows):
        if row.version <= version:
            break
        if row.kind != "compact" and (
            row.kind not in ("import", "post") or any(row.counts.get(name, {}).get("corrected") for name in names)
        ):
            return None
        for name in names:
            if row.counts.get(name, {}).get("added"):
                found.setdefault(name, []).append(row.batch_id)
    return found


def _changes_nothing(row: JournalRow) -> bool:
    return row.kind == "compact" or (row.kind in ("post", "import") and bool(row.counts) and row.counts.keys() <= BESIDE)


def home(ledger: Keeper) -> Path | None:
    """The folder for a ledger's answers: inside a local ledger's folder, in this user's cache for a remote one; None for one in memory."""
    if not isinstance(ledger, Ledger):
        return None
    if ledger.storage.local:
        return ledger.storage.folder / FOLDER
    name = hashlib.sha256(ledger.storage.url.encode()).hexdigest()[:24]
    return (cache_folder() or Path(tempfile.gettempdir()) / "duecourse") / name


def place(book: Book) -> Path | None:
    """The folder for answers about this state of the ledger."""
    at = home(book.ledger)
    return None if at is None else at / str(facts_version(book.ledger))


def key(book: Book, question: str) -> str:
    """A name for a question about this book: another one when day, knowledge, scope or the product's own arithmetic differ."""
    scope = [str(book.scope)] if book.scope.restricts else []
    all_known = book.known_at is None or book.known_at >= book.ledger.state.last.recorded_at
    known_at = "None" if all_known else str(book.known_at)
    told = [__version__, _code(), question, str(book.on), known_at, *scope]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:24]


def ready(folder: Path) -> Path:
    """The file that says that a version's answers are there, as this release of the product gives them."""
    return folder / f"{READY}{hashlib.sha256(f'{__version__} {_code()}'.encode()).hexdigest()[:24]}.json"


@cache
def _code() -> str:
    """Changes when the measures do, so that a developer never sees yesterday's definition."""
    from duecourse import decisions, desk, engines, ledger, measures, review, risk  # noqa: PLC0415 — only their places

    newest = 0.0
    for package in (measures, risk, decisions, review, ledger, desk, engines):
        newest = max(newest, *(source.stat().st_mtime for source in Path(next(iter(package.__path__))).rglob("*.py")))
    return str(newest)


def write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Write a file aside and put it in place when it is whole. Raises OSError."""
    half = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        write(half)
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)


def make_room(folder: Path) -> None:
    """Make a version's folder, and let go of the answers about older facts: all but the newest that are ready to be served."""
    if folder.is_dir():
        return
    folder.mkdir(parents=True, exist_ok=True)
    older = sorted((int(one.name) for one in folder.parent.iterdir() if one.name.isdecimal() and one != folder), reverse=True)
    served = next((number for number in older if any((folder.parent / str(number)).glob(f"{READY}*"))), None)
    for number in older:
        if number != served and number < int(folder.name):
            shutil.rmtree(folder.parent / str(number), ignore_errors=True)


def keep_folder(target: Path, fill: Callable[[Path], None]) -> None:
    """Fill a folder aside and put it in place when it is whole; where another process was first, its folder stays. Raises OSError."""
    make_room(target.parent)
    work = target.parent / f".{target.name}.{secrets.token_hex(4)}"
    work.mkdir()
    try:
        fill(work)
        with contextlib.suppress(OSError):
            work.rename(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    tables = sorted((one for one in target.parent.iterdir() if one.is_dir() and not one.name.startswith(".")), key=_used)
    for old in tables[:-TABLES_KEPT]:
        if old != target:
            shutil.rmtree(old, ignore_errors=True)  # processes that have it mapped keep it until they let go


def _used(folder: Path) -> float:
    with contextlib.suppress(OSError):
        return (folder / "meta.json").stat().st_mtime
    return 0.0


def plain(value: Any) -> Any:
    """A value as JSON keeps it."""
    return value.isoformat() if hasattr(value, "isoformat") else value
