"""Files on their way in: written straight to the home folder while they arrive, under the SHA-256 of their bytes, within limits."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import unicodedata
from dataclasses import dataclass
from functools import wraps
from typing import IO, TYPE_CHECKING, Any, Final

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from duecourse.web import environment as env

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from django.http import HttpRequest, HttpResponse

FILES_AT_ONCE: Final = 20
NAME_LENGTH: Final = 120
HALF: Final = ".part-"


def folder() -> Path:
    """Where the bytes of uploads lie."""
    place = env.HOME / "uploads"
    place.mkdir(parents=True, exist_ok=True)
    return place


def place_of(sha256: str) -> Path:
    """The file with these bytes."""
    return folder() / sha256


@dataclass(frozen=True)
class Received:
    """A file that has arrived whole, still under a name of its own: `keep` gives it its place."""

    name: str
    sha256: str
    size_bytes: int
    half: Path

    def keep(self) -> Path:
        """Put it where uploads lie. Bytes that are there already are the same bytes."""
        place = place_of(self.sha256)
        self.half.replace(place)
        return place


def handed_in(view: Callable[..., HttpResponse], *, into: type[IntoHome] | None = None) -> Callable[..., HttpResponse]:
    """In front of a view that takes files: `view(request, handler, …)` is called with the handler that has written them to the home folder.

    into  the handler of a room that keeps files of its own

    Stands below the gate, which has to be passed before the first byte is read; the token against forgery is looked for once the handler
    is in its place, for to read it is to read the form.
    """
    checked = csrf_protect(view)

    @csrf_exempt
    @wraps(view)
    def taking(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        handler = (into or IntoHome)(request)
        request.upload_handlers = [handler]
        return checked(request, handler, *args, **kwargs)

    return taking


class IntoHome(FileUploadHandler):
    """Writes what arrives to the home folder, a block at a time, and stops keeping a file that grows too large.

    too_large  names of files that were; nothing of them is kept
    full       the disk had no room for one
    """

    chunk_size = 1 << 18

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self.too_large: list[str] = []
        self.full = False
        self._file: IO[bytes] | None = None
        self._half: Path | None = None

    @property
    def limit(self) -> int:
        """The most bytes a file may have."""
        return env.UPLOAD_LIMIT

    def fresh(self) -> Path:
        """Where a file is written while it arrives."""
        return folder() / f"{HALF}{secrets.token_hex(8)}"

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """A file begins."""
        super().new_file(*args, **kwargs)
        self._half = self.fresh()
        self._file = self._half.open("wb")
        self._hash = hashlib.sha256()
        self._size = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:  # noqa: ARG002 — the library's signature
        """A block of it."""
        self._size += len(raw_data)
        if self._size > self.limit:
            self.too_large.append(clean_name(self.file_name or ""))
            self._drop()
            raise SkipFile
        assert self._file is not None
        try:
            self._file.write(raw_data)
        except OSError as error:
            self._drop()
            if error.errno != errno.ENOSPC:
                raise
            self.full = True
            raise SkipFile from error
        self._hash.update(raw_data)

    def file_complete(self, file_size: int) -> UploadedFile[Any] | None:  # noqa: ARG002 — the library's signature
        """The file is there: on the disk, not only on its way to it."""
        if self._file is None or self._half is None:
            return None
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._file = None
        found: UploadedFile[Any] = UploadedFile(None, clean_name(self.file_name or ""), self.content_type, self._size)
        found.received = Received(clean_name(self.file_name or ""), self._hash.hexdigest(), self._size, self._half)  # type: ignore[attr-defined]
        return found

    def upload_interrupted(self) -> None:
        """The browser went away in the middle."""
        self._drop()

    def _drop(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._half is not None:
            self._half.unlink(missing_ok=True)


def clean_name(name: str) -> str:
    """A file's own name: no folder, nothing that cannot be seen, not endless; its ending stays."""
    bare = name.replace("\\", "/").rsplit("/", 1)[-1]
    seen = "".join(sign for sign in bare if not unicodedata.category(sign).startswith("C")).strip().lstrip(".")
    stem, dot, ending = seen.rpartition(".")
    if dot and len(ending) <= 12:
        seen = f"{stem[: NAME_LENGTH - len(ending) - 1]}.{ending}"
    return seen[:NAME_LENGTH] or "file"


def drop_halves(older_than_seconds: float, now: float) -> int:
    """Clear away what interrupted uploads left; how many."""
    dropped = 0
    for half in folder().glob(f"{HALF}*"):
        with contextlib.suppress(FileNotFoundError):
            if now - half.stat().st_mtime > older_than_seconds:
                half.unlink()
                dropped += 1
    return dropped
