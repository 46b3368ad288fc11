"""The SQL of each shape of question, kept in memory and in the user's cache folder: a new process writes out only what none wrote before."""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import shutil
import time
from collections import OrderedDict
from functools import cached_property
from importlib.metadata import version
from threading import Lock
from typing import TYPE_CHECKING, Final

from duecourse.caches import cache_folder

if TYPE_CHECKING:
    from pathlib import Path

IN_MEMORY: Final = 1_024
ON_DISK: Final = 4_096
"""Texts of one kind that the folder holds before the older half of them goes: several times what a ledger is ever asked."""

UNUSED_DAYS: Final = 30
"""After so long without a new text, those of another release are thrown away."""

WRITERS: Final = ("ibis-framework", "sqlglot")
"""The libraries whose releases decide how a question is written."""

FORMAT: Final = 1


class Texts:
    """Texts by the shape they are written for. A text that was damaged on disk, or a folder that cannot be used, costs time alone."""

    def __init__(self) -> None:
        self._guard = Lock()
        self._known: OrderedDict[str, str] = OrderedDict()
        self._roomy = False

    def get(self, shape: str) -> str | None:
        """The text written for this shape."""
        with self._guard:
            found = self._known.get(shape)
            if found is not None:
                self._known.move_to_end(shape)
                return found
        found = self._read(shape)
        if found is not None:
            self._remember(shape, found)
        return found

    def put(self, shape: str, text: str) -> None:
        """Keep a text."""
        self._remember(shape, text)
        folder = self._folder
        if folder is None:
            return
        with contextlib.suppress(OSError):
            if not self._roomy:
                self._make_room(folder)
            half = folder / f".{secrets.token_hex(8)}"
            half.write_bytes(_sealed(text))
            half.replace(folder / _name(shape))

    def _remember(self, shape: str, text: str) -> None:
        with self._guard:
            self._known[shape] = text
            while len(self._known) > IN_MEMORY:
                self._known.popitem(last=False)

    def _read(self, shape: str) -> str | None:
        if self._folder is None:
            return None
        try:
            return _opened((self._folder / _name(shape)).read_bytes())
        except OSError:
            return None

    @cached_property
    def _folder(self) -> Path | None:
        """A folder for what these releases of the libraries write; None where the user has none."""
        cache = cache_folder()
        if cache is None:
            return None
        releases = " ".join([str(FORMAT), *(f"{name} {version(name)}" for name in WRITERS)])
        return cache / f"sql-{hashlib.sha256(releases.encode()).hexdigest()[:16]}"

    def _make_room(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for other in folder.parent.glob("sql-*"):
            if other != folder and time.time() - other.stat().st_mtime > UNUSED_DAYS * 86_400:
                shutil.rmtree(other, ignore_errors=True)
        texts = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime)
        for old in texts[: len(texts) // 2] if len(texts) > ON_DISK else []:
            old.unlink(missing_ok=True)
        self._roomy = True


def _name(shape: str) -> str:
    return hashlib.sha256(shape.encode()).hexdigest()


def _sealed(text: str) -> bytes:
    content = text.encode()
    return hashlib.sha256(content).hexdigest().encode() + b"\n" + content


def _opened(sealed: bytes) -> str | None:
    seal, _line, content = sealed.partition(b"\n")
    return content.decode() if hashlib.sha256(content).hexdigest().encode() == seal else None
