"""One file that holds everything: written whole or not at all, and believed only when every byte is as it was.  备份与恢复"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, Any, Final

from duecourse.errors import BackupUnreadableError, RestoreRefusedError
from duecourse.ledger.snapshot import snapshot
from duecourse.ledger.storage import faults_named
from duecourse.messages import say

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MANIFEST", "read_backup", "snapshot", "write_backup"]

MANIFEST: Final = "manifest.json"
FORMAT: Final = 1
BLOCK: Final = 1 << 20


def write_backup(file: Path, parts: Mapping[str, Path], facts: Mapping[str, Any], *, replace: bool = False) -> int:
    """Write folders as parts of one tar file; returns its bytes. Readable by its owner alone, for it holds the app's secrets.

    Raises RestoreRefusedError when the file is there and not to be replaced, DiskFullError.
    """
    if file.exists() and not replace:
        raise RestoreRefusedError(place=file)
    half = file.with_name(f".{file.name}.{os.getpid()}")
    told: dict[str, Any] = {}
    try:
        with faults_named(str(file.parent)):
            with os.fdopen(os.open(half, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as raw:
                with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as tar:
                    for part, folder in parts.items():
                        for path in sorted(one for one in folder.rglob("*") if one.is_file()):
                            name = f"{part}/{path.relative_to(folder).as_posix()}"
                            told[name] = _add(tar, path, name)
                    manifest = json.dumps({"format": FORMAT, **facts, "files": told}, ensure_ascii=False, indent=1).encode()
                    last = tarfile.TarInfo(MANIFEST)
                    last.size = len(manifest)
                    tar.addfile(last, io.BytesIO(manifest))
                raw.flush()
                os.fsync(raw.fileno())
            half.replace(file)
            return file.stat().st_size
    finally:
        half.unlink(missing_ok=True)


def read_backup(file: Path, into: Path) -> dict[str, Any]:
    """Unpack a backup into an empty folder and hold every file to its checksum; returns the manifest. Raises BackupUnreadableError."""
    try:
        with tarfile.open(file, mode="r:") as tar:
            seen, manifest = _unpacked(tar, file, into)
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise BackupUnreadableError(file=file, reason=say("cli.backup_not_tar")) from error
    except OSError as error:
        raise BackupUnreadableError(file=file, reason=error.strerror or str(error)) from error
    if manifest is None:
        raise BackupUnreadableError(file=file, reason=say("cli.backup_cut"))
    if manifest.get("format") != FORMAT:
        raise BackupUnreadableError(file=file, reason=say("cli.backup_format", format=manifest.get("format")))
    wrong = sorted(name for name in manifest["files"].keys() | seen.keys() if manifest["files"].get(name) != seen.get(name))
    if wrong:
        raise BackupUnreadableError(file=file, reason=say("cli.backup_differs", name=wrong[0], count=len(wrong)))
    return manifest


def _unpacked(tar: tarfile.TarFile, file: Path, into: Path) -> tuple[dict[str, list[Any]], dict[str, Any] | None]:
    """The files with their sizes and checksums, and the manifest if it was there."""
    seen: dict[str, list[Any]] = {}
    manifest: dict[str, Any] | None = None
    for member in tar:
        name = PurePosixPath(member.name)
        stream = tar.extractfile(member) if member.isfile() else None
        if stream is None or name.is_absolute() or ".." in name.parts:
            raise BackupUnreadableError(file=file, reason=say("cli.backup_strange", name=member.name))
        if member.name == MANIFEST:
            manifest = json.loads(stream.read())
            continue
        place = into / name
        place.parent.mkdir(parents=True, exist_ok=True)
        with faults_named(str(into)), place.open("xb") as copy:
            seen[member.name] = _through(stream, copy)
        if name.parts[0] != "ledger":
            place.chmod(0o600)  # it may hold secrets
    return seen, manifest


class _Hashed:
    """A file that is hashed while it is read."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.digest = hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        block = self._stream.read(size)
        self.digest.update(block)
        return block


def _add(tar: tarfile.TarFile, path: Path, name: str) -> list[Any]:
    with path.open("rb") as stream:
        member = tarfile.TarInfo(name)
        known = os.fstat(stream.fileno())
        member.size, member.mtime = known.st_size, int(known.st_mtime)
        hashed = _Hashed(stream)
        tar.addfile(member, hashed)
        return [member.size, hashed.digest.hexdigest()]


def _through(stream: IO[bytes], copy: IO[bytes]) -> list[Any]:
    digest, size = hashlib.sha256(), 0
    while block := stream.read(BLOCK):
        digest.update(block)
        size += len(block)
        copy.write(block)
    copy.flush()
    os.fsync(copy.fileno())
    return [size, digest.hexdigest()]
