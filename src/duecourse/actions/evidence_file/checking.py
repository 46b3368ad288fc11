"""Is an evidence package as it was written? Needs nothing but the package.  校验证据包

Every file is held to the manifest, every document to the number it was filed under, every row of the custody log to its hash and to the row
before it about the same document, every time-stamp to its document. What is wrong is named.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import lzma
import tempfile
import zipfile
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from duecourse.actions.evidence_file import stamps
from duecourse.actions.evidence_file.facts import Custody
from duecourse.actions.evidence_file.package import BLOCK, MANIFEST, SUMS, SUMS_STAMP, copied
from duecourse.chain import START
from duecourse.errors import EvidenceUnreadableError, StampInvalidError
from duecourse.messages import say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cryptography.x509 import Certificate

MANIFEST_BYTES: Final = 256 << 20
ALTERED: Final = (zipfile.BadZipFile, EOFError, zlib.error, lzma.LZMAError)
"""What reading a member of a ZIP raises whose bytes are not those its own checksum was made of."""
UNREADABLE: Final = (OSError, KeyError, ValueError, NotImplementedError, RuntimeError)
"""What it raises where the bytes cannot be got at: an unknown compression, a password, a place that cannot be."""


@dataclass(frozen=True)
class Fault:
    """What is not as it was written: `code` names the sentence, `name` the file or row."""

    code: str
    name: str
    args: dict[str, Any] = field(default_factory=dict)

    def words(self) -> str:
        """The sentence."""
        return say(f"documents.fault_{self.code}", name=self.name, **self.args)


@dataclass(frozen=True)
class Checked:
    """What came of a look at a package.

    files, documents, rows, stamped  how many were held to what they should be · trusted  stamps that lead to a given root
    seal     SHA-256 of manifest.sha256: noted down elsewhere, it proves later that it is this package
    """

    faults: tuple[Fault, ...]
    files: int
    documents: int
    rows: int
    stamped: int
    trusted: int
    seal: str

    @property
    def whole(self) -> bool:
        """Is everything as it was written?"""
        return not self.faults


class _Folder:
    def __init__(self, place: Path) -> None:
        self.place = place
        self.names = sorted(str(one.relative_to(place).as_posix()) for one in place.rglob("*") if one.is_file())

    def open(self, name: str) -> IO[bytes]:
        return (self.place / name).open("rb")


class _Zip:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        self.names = [one.filename for one in archive.infolist() if not one.is_dir()]

    def open(self, name: str) -> IO[bytes]:
        return self.archive.open(name)


def check(path: Path, *, roots: Sequence[Certificate] = ()) -> Checked:
    """Look at a package: the ZIP, or the folder it was unpacked to. Raises EvidenceUnreadableError for what is none."""
    with _opened(path) as (source, packed):
        if SUMS not in source.names and MANIFEST not in source.names:
            raise EvidenceUnreadableError(path=path, detail=SUMS)
        faults: list[Fault] = []
        actual: dict[str, str] = {}
        for name in source.names:
            try:
                actual[name] = _digest(source.open(name))
            except ALTERED:
                faults.append(Fault("changed", name))
                actual[name] = ""
            except UNREADABLE as error:
                faults.append(Fault("unreadable", name, {"detail": str(error)[:120] or type(error).__name__}))
                actual[name] = ""
        listed = _listed(source, actual)
        manifest, why = _read_manifest(source, actual)
        if why:
            faults.append(Fault("manifest", MANIFEST, {"detail": why}))
        recorded = {str(name): str(digest) for name, digest in _mapping(manifest.get("files")).items()}
        faults += _files(actual, listed, recorded, {one.name for one in faults})
        documents = [one for one in manifest.get("documents") or () if isinstance(one, dict)]
        named = {one.name for one in faults}
        faults += [
            Fault("document", str(one.get("path")), {"document": str(one.get("sha256"))[:12]})
            for one in documents
            if actual.get(str(one.get("path"))) not in ("", None, one.get("sha256")) and str(one.get("path")) not in named
        ]
        rows, bad_rows = _custody(_mapping(manifest.get("custody")).get("rows") or ())
        stamped, trusted, bad_stamps = _stamps(source, documents, actual, roots)
        faults += bad_rows + bad_stamps
        if packed and not faults and not _canonical(path, source):
            faults.append(Fault("container", path.name))
    once = {(one.code, one.name): one for one in faults}
    return Checked(tuple(once.values()), len(actual), len(documents), rows, stamped, trusted, actual.get(SUMS, ""))


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[tuple[_Folder | _Zip, bool]]:
    if path.is_dir():
        yield _Folder(path), False
        return
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError) as error:  # ValueError: a name in no encoding
        raise EvidenceUnreadableError(path=path, detail=str(error)) from error
    with archive:
        yield _Zip(archive), True


def _digest(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    with file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _content(source: _Folder | _Zip, name: str) -> bytes:
    """The bytes of a file that `check` could read a moment ago."""
    with source.open(name) as file:
        return file.read(MANIFEST_BYTES)


def _listed(source: _Folder | _Zip, actual: dict[str, str]) -> dict[str, str]:
    if not actual.get(SUMS):
        return {}
    lines = (line.partition("  ") for line in _content(source, SUMS).decode("utf-8", "replace").splitlines())
    return {name: digest for digest, _gap, name in lines}


def _read_manifest(source: _Folder | _Zip, actual: dict[str, str]) -> tuple[dict[str, Any], str]:
    if not actual.get(MANIFEST):
        return {}, ""
    try:
        found = json.loads(_content(source, MANIFEST))
    except ValueError as error:
        return {}, str(error)[:120]
    return (found, "") if isinstance(found, dict) else ({}, type(found).__name__)


def _mapping(found: Any) -> dict[str, Any]:
    return found if isinstance(found, dict) else {}


def _files(actual: dict[str, str], listed: dict[str, str], recorded: dict[str, str], known: set[str]) -> list[Fault]:
    """Hold each file to both lists: where they differ, the file itself says which of the two was changed."""
    faults = []
    for name in dict.fromkeys((*listed, *recorded, *actual)):
        held = actual.get(name)
        if name in known or name in (SUMS, SUMS_STAMP):
            continue
        if held is None:
            faults.append(Fault("missing", name) if name in recorded or not _looks_like(name, recorded, listed) else Fault("line", name))
        elif name in listed and listed[name] == held:
            continue
        elif recorded.get(name) == held:
            faults.append(Fault("line", name))
        else:
            faults.append(Fault("changed" if name in listed or name in recorded else "unlisted", name))
    return faults


def _looks_like(name: str, recorded: dict[str, str], listed: dict[str, str]) -> bool:
    """Is this a line of the list whose name alone was changed? Its hash is that of a file both lists should have."""
    return bool(recorded) and listed.get(name) in recorded.values()


def _custody(rows: Any) -> tuple[int, list[Fault]]:
    faults: list[Fault] = []
    ends: dict[str, str] = {}
    last = 0
    for place, told in enumerate(rows, 1):
        try:
            row = Custody(**{**told, "at": datetime.fromisoformat(told["at"]).astimezone(UTC)})
            good, number = row.worked_out == row.hash, row.number
        except (TypeError, ValueError, KeyError):
            faults.append(Fault("row", MANIFEST, {"number": place}))
            continue
        if not good or number <= last:
            faults.append(Fault("row", f"{MANIFEST} #{number}", {"number": number}))
        elif row.before != ends.get(row.document_id, START):
            faults.append(Fault("chain", f"{MANIFEST} #{number}", {"number": number}))
        ends[row.document_id], last = row.hash, max(last, number)
    return len(rows) if isinstance(rows, list) else 0, faults


def _stamps(
    source: _Folder | _Zip, documents: list[dict[str, Any]], actual: dict[str, str], roots: Sequence[Certificate]
) -> tuple[int, int, list[Fault]]:
    wanted = {
        f"timestamps/{str(one.get('path')).removeprefix('files/')}.tsr": str(one.get("sha256"))
        for one in documents
        if one.get("timestamped")
    }
    if SUMS_STAMP in actual:
        wanted[SUMS_STAMP] = actual.get(SUMS, "")
    held, trusted = 0, 0
    faults: list[Fault] = []
    for name, document_id in wanted.items():
        if not actual.get(name):
            faults += [] if name in actual else [Fault("missing", name)]  # one that cannot be read is named already
            continue
        try:
            trusted += stamps.read(_content(source, name), document_id, roots=roots).trusted
            held += 1
        except StampInvalidError:
            faults.append(Fault("stamp", name))
    return held, trusted, faults


def _canonical(path: Path, source: _Folder | _Zip) -> bool:
    """Is the ZIP what `package` would write of these files? Between the files of a ZIP there is room for what no list knows."""
    assert isinstance(source, _Zip)
    with tempfile.TemporaryDirectory(prefix="duecourse-check-") as work:
        again = Path(work) / "again.zip"
        with zipfile.ZipFile(again, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
            for name in source.names:
                with source.open(name) as file:
                    copied(archive, name, file, source.archive.getinfo(name).file_size)
        with again.open("rb") as ours, path.open("rb") as theirs:
            while True:
                one, other = ours.read(BLOCK), theirs.read(BLOCK)
                if one != other:
                    return False
                if not one:
                    return True
