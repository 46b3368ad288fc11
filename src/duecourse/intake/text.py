"""Text files as UTF-8 bytes, whatever they are stored as: compression and encoding are taken off while reading, nothing is held in memory."""

from __future__ import annotations

import codecs
import contextlib
import gzip
import hashlib
import io
import mmap
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import IO, TYPE_CHECKING, Any, Final, Self, cast

import numpy as np

from duecourse.errors import FileCutOffError, FileUnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

BLOCK_BYTES: Final = 4 << 20
SAMPLE_BYTES: Final = 1 << 20
HASHED_BYTES: Final = 64 << 20
FEW_QUOTES: Final = 1000
_LINE_FEED, _CARRIAGE_RETURN, _QUOTE, _NUL = 10, 13, 34, 0


@dataclass(frozen=True)
class TextSource:
    """A text file and what must be taken off to get at its characters.

    compression  "", "gz" or "zip"
    member       the one file inside a zip
    encoding     a Python codec name; "utf-8" needs no conversion
    bom_bytes    length of the byte order mark
    surveyed     what a pass over the whole text told, if there was one already
    """

    path: Path
    compression: str = ""
    member: str = ""
    encoding: str = "utf-8"
    bom_bytes: int = 0
    surveyed: Survey | None = None

    @property
    def in_place(self) -> bool:
        """The bytes of the file are already the characters: it can be read where it lies."""
        return not self.compression and self.encoding == "utf-8"

    def raw(self) -> IO[bytes]:
        """The stored bytes after decompression."""
        if self.compression == "gz":
            return cast("IO[bytes]", gzip.open(self.path, "rb"))
        if self.compression == "zip":
            return zipfile.ZipFile(self.path).open(self.member)
        return self.path.open("rb")

    def utf8(self) -> Iterator[bytes]:
        """The whole text in blocks of UTF-8, byte order mark removed.

        Raises FileCutOffError when the compressed data or the last character ends in the middle.
        """
        decoder = codecs.getincrementaldecoder(self.encoding)() if self.encoding != "utf-8" else None
        try:
            with self.raw() as stream:
                stream.read(self.bom_bytes)
                while block := stream.read(BLOCK_BYTES):
                    yield block if decoder is None else decoder.decode(block).encode("utf-8", "replace")
            if decoder is not None:
                yield decoder.decode(b"", final=True).encode("utf-8", "replace")
        except (EOFError, zlib.error, zipfile.BadZipFile, gzip.BadGzipFile) as error:
            raise FileCutOffError(path=str(self.path), detail=str(error)) from error
        except UnicodeDecodeError as error:
            if error.reason in {"truncated data", "incomplete multibyte sequence", "unexpected end of data"}:
                raise FileCutOffError(path=str(self.path), detail=error.reason) from error
            raise FileUnreadableError(path=str(self.path), detail=str(error)) from error

    def stream(self) -> io.BufferedReader:
        """The whole text as one readable UTF-8 stream."""
        if self.in_place:
            handle = self.path.open("rb")
            handle.seek(self.bom_bytes)
            return handle
        return io.BufferedReader(_Blocks(self.utf8()), buffer_size=BLOCK_BYTES)

    def head(self, size: int = SAMPLE_BYTES) -> tuple[str, bool]:
        """The first characters, and whether they are the whole file."""
        taken = bytearray()
        blocks = self.utf8()
        for block in blocks:
            taken += block
            if len(taken) > size:
                break
        with contextlib.suppress(AttributeError):
            blocks.close()  # type: ignore[attr-defined]
        return bytes(taken[:size]).decode("utf-8", "replace"), len(taken) <= size


class _Blocks(io.RawIOBase):
    """An iterator of byte blocks as a raw stream."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, target: bytearray | memoryview) -> int:  # type: ignore[override]
        while not len(self._rest):
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._rest = memoryview(block)
        size = min(len(target), len(self._rest))
        target[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


@dataclass(frozen=True)
class Survey:
    """What one pass over the characters tells.

    lines           line feeds
    quotes          quotation marks
    nuls            NUL characters
    plain           each record is one line: no line break inside quotation marks, no stray line ends, no NUL
    ends_with_line  the last character is a line end
    """

    lines: int
    quotes: int
    nuls: int
    plain: bool
    ends_with_line: bool
    size_bytes: int


class _Surveyor:
    """Counts what a `Survey` tells, block after block."""

    def __init__(self) -> None:
        self._lines = self._quotes = self._nuls = self._returns = self._size = 0
        self._even_on_every_line = True
        self._open_quotes = 0  # quotation marks so far, or since some line feed before which they were even
        self._last = b""
        self._equal = np.empty(0, dtype=np.bool_)

    def see(self, block: bytes) -> None:
        """Look at the next block. Most have neither quotation marks nor carriage returns, which one quick search each shows."""
        if not block:
            return
        self._size += len(block)
        self._last = block[-1:]
        values = np.frombuffer(block, dtype=np.uint8)
        self._lines += self._count(values, _LINE_FEED)
        if b"\r" in block:
            self._returns += self._count(values, _CARRIAGE_RETURN)
        if b"\0" in block:
            self._nuls += self._count(values, _NUL)
        here = self._count(values, _QUOTE) if b'"' in block else 0
        self._quotes += here
        if not self._even_on_every_line or not (here or self._open_quotes):
            return
        if here > FEW_QUOTES:
            so_far = np.searchsorted(np.flatnonzero(values == _QUOTE), np.flatnonzero(values == _LINE_FEED)) + self._open_quotes
            self._even_on_every_line = not bool(np.any(so_far % 2))
            self._open_quotes = here + self._open_quotes - (int(so_far[-1]) if len(so_far) else 0)
        else:
            self._pair_quotes(block)

    def _count(self, values: Any, sign: int) -> int:
        """How often a byte stands in a block. The room for comparing is kept: to get new memory from the system costs more than to compare."""
        if len(self._equal) < len(values):
            self._equal = np.empty(len(values), dtype=np.bool_)
        return int(np.count_nonzero(np.equal(values, sign, out=self._equal[: len(values)])))

    def _pair_quotes(self, block: bytes) -> None:
        """Follow the few quotation marks of a block: after an odd one must come another before the line ends."""
        place = 0
        while True:
            if self._open_quotes % 2:
                feed = block.find(b"\n", place)
                mark = block.find(b'"', place, feed if feed >= 0 else len(block))
                if mark < 0 <= feed:
                    self._even_on_every_line = False
                    return
            else:
                mark = block.find(b'"', place)
            if mark < 0:
                return
            self._open_quotes += 1
            place = mark + 1

    def told(self) -> Survey:
        """All blocks have been seen."""
        even = self._even_on_every_line and self._open_quotes % 2 == 0
        plain = even and self._nuls == 0 and self._returns in {0, self._lines}
        return Survey(self._lines, self._quotes, self._nuls, plain, self._last in {b"\n", b"\r"}, self._size)


def survey(source: TextSource) -> Survey:
    """Pass over the whole text once, unless that was done already, and say how it can be read."""
    if source.surveyed is not None:
        return source.surveyed
    surveyor = _Surveyor()
    for block in source.utf8():
        surveyor.see(block)
    return surveyor.told()


def _survey_if_utf8(source: TextSource) -> Survey | None:
    """The survey of a text in which every byte is part of a UTF-8 character, else None.

    A last character cut in two counts as valid: the file is UTF-8, and cut off.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    surveyor = _Surveyor()
    try:
        for block in source.utf8():
            if not block.isascii() or decoder.getstate()[0]:
                decoder.decode(block)
            surveyor.see(block)
    except UnicodeDecodeError:
        return None
    return surveyor.told()


def ends_inside_character(source: TextSource) -> bool:
    """Does the UTF-8 text stop in the middle of a character?"""
    tail = b""
    for block in source.utf8():
        tail = (tail + block)[-4:]
    try:
        tail.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"
    return False


def detect_encoding(path: Path, compression: str, member: str) -> TextSource:
    """In which encoding is this text written?

    A byte order mark decides; then NULs at every second byte (UTF-16); then UTF-8 if the whole file is valid; then GB18030 if the high bytes
    come in pairs as Chinese characters do; else Windows-1252.
    """
    probe = TextSource(path, compression, member)
    try:
        with probe.raw() as stream:
            head = stream.read(SAMPLE_BYTES)
    except (EOFError, zlib.error, zipfile.BadZipFile, gzip.BadGzipFile) as error:
        raise FileCutOffError(path=str(path), detail=str(error)) from error
    for mark, encoding in ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if head.startswith(mark):
            return TextSource(path, compression, member, encoding, len(mark))
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if len(head) >= 4 and max(even, odd) > len(head) // 5 and min(even, odd) * 4 < max(even, odd):
        return TextSource(path, compression, member, "utf-16-be" if even > odd else "utf-16-le")
    if (surveyed := _survey_if_utf8(probe)) is not None:
        return replace(probe, surveyed=surveyed)
    return TextSource(path, compression, member, "gb18030" if _like_chinese(head) else "cp1252")


def _like_chinese(head: bytes) -> bool:
    """Are the bytes above 127 Chinese characters in common use, rather than single accented letters?"""
    try:
        text = codecs.getincrementaldecoder("gb18030")().decode(head)
    except UnicodeDecodeError:
        return False
    high = [sign for sign in text if ord(sign) > 127]
    common = sum(1 for sign in high if _in_gb2312(sign))
    return common > 4 * (len(high) - common) or not _decodes(head, "cp1252")


def _in_gb2312(sign: str) -> bool:
    try:
        sign.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def _decodes(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


class Hashing:
    """A file's fingerprint (SHA-256), worked out in a thread of its own while the file is looked at; a context manager that leaves none behind."""

    def __init__(self, path: Path) -> None:
        self._stop = False
        self._pool = ThreadPoolExecutor(1)
        self._answer = self._pool.submit(self._work, path)

    def _work(self, path: Path) -> str:
        fingerprint = hashlib.sha256()
        with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as whole, memoryview(whole) as view:
            # Few and large pieces: between two of them the thread may have to wait for the interpreter.
            for begin in range(0, len(view), HASHED_BYTES):
                if self._stop:
                    break
                with view[begin : begin + HASHED_BYTES] as piece:
                    fingerprint.update(piece)
        return fingerprint.hexdigest()

    def result(self) -> str:
        """The fingerprint, when it is there."""
        return self._answer.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stop = True
        self._pool.shutdown()
