"""Where documents lie: each file once, under the SHA-256 of its bytes, written whole or not at all, and held to it when it is read.  材料存放

    FOLDER/ab/ab12…    a file             FOLDER/.arriving/…   one on its way

A file is flushed to the disk before it gets its name, and its folder after; then whoever knows it may write that down.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from duecourse.errors import DiskFullError, DocumentAlteredError, DocumentGoneError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from duecourse.actions.evidence_file.facts import Document

BLOCK: Final = 1 << 20
ARRIVING: Final = ".arriving"
DIGEST: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class DocumentFiles:
    """The files of all documents, in one folder."""

    folder: Path

    def place(self, document_id: str) -> Path:
        """Where a file lies, whether it is there or not."""
        if not DIGEST.fullmatch(document_id):
            raise ValueError(document_id)
        return self.folder / document_id[:2] / document_id

    def arriving(self) -> Path:
        """A fresh name for a file on its way."""
        there = self.folder / ARRIVING
        there.mkdir(parents=True, exist_ok=True)
        return there / secrets.token_hex(12)

    def keep(self, half: Path, document_id: str) -> bool:
        """Give a file that has arrived whole, and is on the disk, its place; was it not there yet? Raises DiskFullError.

        Bytes that are there already stay, unless they are no longer what they were: then these mend them.
        """
        place = self.place(document_id)
        if place.exists() and self.digest(document_id) == document_id:
            half.unlink(missing_ok=True)
            os.utime(place)  # it is wanted again: nobody clears it away before that is written down
            return False
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            half.replace(place)
            place.chmod(0o440)
            for folder in (place.parent, self.folder):
                _flush(folder)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            raise DiskFullError(path=str(self.folder)) from error
        return True

    def keep_bytes(self, content: bytes) -> tuple[str, bool]:
        """The same for bytes at hand: their SHA-256, and whether they are new."""
        half = self.arriving()
        with half.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        document_id = hashlib.sha256(content).hexdigest()
        return document_id, self.keep(half, document_id)

    def digest(self, document_id: str) -> str:
        """The SHA-256 of the bytes that lie under this name; "" where none do."""
        digest = hashlib.sha256()
        try:
            with self.place(document_id).open("rb") as file:
                while block := file.read(BLOCK):
                    digest.update(block)
        except FileNotFoundError:
            return ""
        return digest.hexdigest()

    def verified(self, document_id: str, file_name: str = "") -> Path:
        """Where a file lies that is what it was. Raises DocumentGoneError, DocumentAlteredError."""
        found = self.digest(document_id)
        if not found:
            raise DocumentGoneError(file=file_name or document_id, document=document_id, place=self.folder)
        if found != document_id:
            raise DocumentAlteredError(file=file_name or document_id, document=document_id)
        return self.place(document_id)

    def of(self, document: Document) -> Path:
        """The same for a document."""
        return self.verified(document.document_id, document.file_name)

    def all(self) -> Iterator[str]:
        """Every file there is, by its name."""
        if self.folder.is_dir():
            for place in sorted(self.folder.glob("[0-9a-f][0-9a-f]/*")):
                if DIGEST.fullmatch(place.name):
                    yield place.name

    def drop_halves(self, older_than_seconds: float, now: float) -> int:
        """Clear away what interrupted uploads left; how many."""
        dropped = 0
        for half in (self.folder / ARRIVING).glob("*"):
            with contextlib.suppress(FileNotFoundError):
                if now - half.stat().st_mtime > older_than_seconds:
                    half.unlink()
                    dropped += 1
        return dropped

    def drop_unknown(self, known: Iterable[str], older_than_seconds: float, now: float) -> int:
        """Clear away whole files that came but that nobody wrote down, for whoever took them up died before; how many."""
        kept, dropped = set(known), 0
        for name in self.all():
            if name in kept:
                continue
            with contextlib.suppress(FileNotFoundError):
                if now - self.place(name).stat().st_mtime > older_than_seconds:
                    self.place(name).unlink()
                    dropped += 1
        return dropped


def _flush(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
