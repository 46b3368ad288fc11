"""Answers that cannot change: a version of the ledger, as of a day, as known at a moment, has one position for ever.

They are kept beside the ledger so that the same question is answered at once the next time. Deleting the folder costs nothing but time.
"""

from __future__ import annotations

import contextlib
import json
from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from duecourse.desk import answers

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from duecourse.ledger.book import Book

KEPT_IN_MEMORY: Final = 64
_guard = Lock()
_read: OrderedDict[tuple[Path, int, int], str] = OrderedDict()


def remembered(book: Book, question: str, answer: Callable[[], Any]) -> Any:
    """The answer to a question about a book, worked out once. The answer is plain data, as JSON keeps it (a day as its text).

    Only for a whole ledger; for one in memory, or where nothing can be written, it is worked out each time.
    """
    path = _path(book, question)
    if path is None:
        return json.loads(_told(answer()))
    text = _kept(path)
    if text is None:
        text = _told(answer())
        with contextlib.suppress(OSError):
            answers.make_room(path.parent)
            answers.write_whole(path, lambda half: _write(half, text))
    return json.loads(text)


def recalled(book: Book, question: str) -> Any:
    """The answer if it has been worked out already; None otherwise."""
    path = _path(book, question)
    text = None if path is None else _kept(path)
    return None if text is None else json.loads(text)


def _told(answer: Any) -> str:
    return json.dumps(answer, ensure_ascii=False, default=answers.plain)


def _path(book: Book, question: str) -> Path | None:
    folder = answers.place(book)
    return None if folder is None else folder / f"{answers.key(book, question)}.json"


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _kept(path: Path) -> str | None:
    try:
        status = path.stat()
        mark = (path, status.st_ino, status.st_mtime_ns)
        with _guard:
            if mark in _read:
                _read.move_to_end(mark)
                return _read[mark]
        text = path.read_text(encoding="utf-8")
        json.loads(text)
    except (OSError, ValueError):
        return None
    with _guard:
        _read[mark] = text
        while len(_read) > KEPT_IN_MEMORY:
            _read.popitem(last=False)
    return text
