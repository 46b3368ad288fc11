"""Is a file that somebody handed in fit to be opened? Looks at the content alone, before anything reads it."""

from __future__ import annotations

import bz2
import os
import zipfile
import zlib
from typing import IO, TYPE_CHECKING, Any, Final

from duecourse.errors import FileCutOffError, FileSwellsError, FileUnreadableError

if TYPE_CHECKING:
    from pathlib import Path

UNPACKED_FREE: Final = 200 << 20
"""So much a packed file may always hold."""
UNPACKED_TIMES: Final = 250
"""Beyond that, at most so many times its own size: spreadsheets and exports pack 5 to 60 times, a bomb a thousand times."""
UNPACKED_MOST: Final = 16 << 30
_BLOCK: Final = 1 << 20


def examine(place: Path, name: str) -> None:
    """Is this file fit to be opened at all? Looks at the content, never at the name.

    Raises FileUnreadableError for an empty file, FileSwellsError for one that unpacks to something absurd, FileCutOffError for a broken
    archive.
    """
    size = place.stat().st_size
    if not size:
        raise FileUnreadableError(path=name, detail="empty")
    allowed = min(UNPACKED_MOST, max(UNPACKED_FREE, size * UNPACKED_TIMES))
    with place.open("rb") as file:
        magic = file.read(4)
        if magic == b"PK\x03\x04":
            _examine_zip(place, name, allowed)
        elif magic[:2] == b"\x1f\x8b":
            file.seek(0)
            while file.tell() < size:  # several members may stand one after another
                unpacker = zlib.decompressobj(wbits=31)
                allowed = _measure(file, unpacker, name, allowed)
                if not unpacker.eof or not unpacker.unused_data:
                    break
                file.seek(-len(unpacker.unused_data), os.SEEK_CUR)


def _examine_zip(place: Path, name: str, allowed: int) -> None:
    """Unpacks to nowhere, by the bytes that really come out: what an archive says of itself may be a lie."""
    try:
        with zipfile.ZipFile(place) as archive:
            entries = archive.infolist()
            if len(entries) > 20_000 or sum(entry.file_size for entry in entries) > allowed:
                raise FileSwellsError(path=name, megabytes=allowed >> 20)
            left = allowed
            for entry in entries:
                if entry.flag_bits & 1:
                    raise FileUnreadableError(path=name, detail="zip: password")
                if entry.compress_type == zipfile.ZIP_DEFLATED:
                    left = _measure(_at(archive, entry), zlib.decompressobj(wbits=-15), name, left)
                elif entry.compress_type == zipfile.ZIP_BZIP2:
                    left = _measure(_at(archive, entry), bz2.BZ2Decompressor(), name, left)
                elif entry.compress_type != zipfile.ZIP_STORED:
                    raise FileUnreadableError(path=name, detail=f"zip: {entry.compress_type}")
    except zipfile.BadZipFile as error:
        raise FileCutOffError(path=name, detail=str(error)) from error


def _at(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> IO[bytes]:
    """The packed bytes of an entry."""
    file = archive.fp
    assert file is not None
    file.seek(entry.header_offset + 26)
    lengths = file.read(4)
    file.seek(entry.header_offset + 30 + int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little"))
    return file


def _measure(file: IO[bytes], unpacker: Any, name: str, left: int) -> int:
    """Unpack to nowhere until the end; how much may still come. Raises FileSwellsError."""
    pending = b""
    while not unpacker.eof:
        hungry = getattr(unpacker, "needs_input", True)
        block = pending or (file.read(_BLOCK) if hungry else b"")
        if not block and hungry:
            break  # ends in the middle: whoever reads it will say so
        try:
            left -= len(unpacker.decompress(block, _BLOCK))
        except (zlib.error, OSError, EOFError) as error:
            raise FileCutOffError(path=name, detail=str(error)) from error
        if left < 0:
            raise FileSwellsError(path=name, megabytes=UNPACKED_FREE >> 20)
        pending = getattr(unpacker, "unconsumed_tail", b"")
    return left
