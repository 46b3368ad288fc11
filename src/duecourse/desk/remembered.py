"""Answers that cannot change: a version of the ledger, as of a day, as known at a moment, has one position for ever.

They are kept beside the ledger so that the same question is answered at once the next time. Deleting the folder costs nothing but time.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from duecourse import __version__
from duecourse.ledger.store import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable

    from duecourse.ledger.book import Book

FOLDER: Final = ".answers"


def remembered(book: Book, question: str, answer: Callable[[], Any]) -> Any:
    """The answer to a question about a book, worked out once. The answer is plain data, as JSON keeps it.

    Only for a whole ledger on this machine; elsewhere, or where nothing can be written, it is worked out each time.
    """
    ledger = book.ledger
    if not isinstance(ledger, Ledger) or not ledger.storage.local:
        return answer()
    place = ledger.storage.folder / FOLDER / str(book.version)
    told = [__version__, _code(), question, str(book.on), str(book.known_at), *([str(book.scope)] if book.scope.restricts else [])]
    key = hashlib.sha256(json.dumps(told).encode()).hexdigest()[:24]
    path = place / f"{key}.json"
    with contextlib.suppress(OSError, ValueError):
        return json.loads(path.read_text(encoding="utf-8"))
    found = answer()
    with contextlib.suppress(OSError):
        _forget_older(place)
        place.mkdir(parents=True, exist_ok=True)
        half = path.with_suffix(f".{os.getpid()}")
        half.write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
        half.replace(path)
    return found


def _code() -> str:
    """Changes when the measures do, so that a developer never sees yesterday's definition."""
    from duecourse import desk, ledger, measures  # noqa: PLC0415 — only their places

    newest = 0.0
    for package in (measures, ledger, desk):
        newest = max(newest, *(source.stat().st_mtime for source in Path(next(iter(package.__path__))).glob("*.py")))
    return str(newest)


def _forget_older(place: Path) -> None:
    if place.parent.is_dir() and not place.is_dir():
        for old in place.parent.iterdir():
            shutil.rmtree(old, ignore_errors=True)
