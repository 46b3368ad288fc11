"""The evidence file as one ZIP: the files as they came, the bundle, the time-stamps, and a manifest that `sha256sum -c` verifies alone.  证据包

    README.txt  bundle.pdf  files/001-contract-….pdf …  timestamps/001-….tsr …  manifest.json  manifest.sha256

The same file gives the same bytes: nothing in the ZIP is compressed or told the time. Files are copied a block at a time.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import zipfile
from datetime import UTC
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from duecourse.actions.evidence_file.bundle import bundle
from duecourse.errors import DocumentAlteredError
from duecourse.messages import say

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from duecourse.actions.evidence_file.bundle import Entry, Place
    from duecourse.actions.evidence_file.facts import Custody, Document, EvidenceFile
    from duecourse.messages import Language

FORMAT: Final = 1
BLOCK: Final = 1 << 20
MANIFEST: Final = "manifest.json"
SUMS: Final = "manifest.sha256"
SUMS_STAMP: Final = "manifest.sha256.tsr"
EPOCH: Final = (1980, 1, 1, 0, 0, 0)
SIGNS: Final = frozenset("-_.()（）【】[]+ ")


def package(
    file: EvidenceFile,
    place: Place,
    into: IO[bytes],
    *,
    languages: Sequence[Language],
    stamp: Callable[[str], bytes] | None = None,
    step: Callable[[float], None] | None = None,
) -> str:
    """Write the package; the SHA-256 of its `manifest.sha256`, which stands for all of it.

    place  where a document's bytes lie, verified · stamp  asks for a time-stamp of that SHA-256; what it raises is not caught
    step   told how far it is, 0 to 1
    Raises EvidenceEmptyError, DocumentAlteredError, DocumentGoneError.
    """
    sums: dict[str, str] = {}
    with (
        tempfile.TemporaryDirectory(prefix="duecourse-package-") as work,
        zipfile.ZipFile(into, "w", zipfile.ZIP_STORED, allowZip64=True) as archive,
    ):
        entries, volumes = bundle(file, place, Path(work), languages=languages)
        _put(archive, "README.txt", _readme(file, languages).encode(), sums)
        for volume in volumes:
            _copy(archive, volume.name, volume, sums)
        names = {entry.document.document_id: f"{entry.number:03d}-{entry.document.kind}-{safe_name(entry.document)}" for entry in entries}
        total, done = sum(one.size_bytes for one in file.documents) or 1, 0
        for entry in entries:
            one = entry.document
            _copy(archive, f"files/{names[one.document_id]}", place(one), sums)
            if sums[f"files/{names[one.document_id]}"] != one.document_id:
                raise DocumentAlteredError(file=one.file_name, document=one.document_id)
            if (held := file.stamps.get(one.document_id)) is not None:
                _put(archive, f"timestamps/{names[one.document_id]}.tsr", held, sums)
            done += one.size_bytes
            if step is not None:
                step(done / total)
        _put(archive, MANIFEST, _manifest(file, entries, names, dict(sums)), sums)
        listed = "".join(f"{digest}  {name}\n" for name, digest in sums.items()).encode()
        _put(archive, SUMS, listed, sums)
        if stamp is not None:
            _put(archive, SUMS_STAMP, stamp(sums[SUMS]), sums)
    return sums[SUMS]


def safe_name(document: Document) -> str:
    """Its name as a file name on any system: nothing that a shell, a path or `sha256sum` would read otherwise."""
    kept = "".join(sign if sign.isalnum() or sign in SIGNS else "_" for sign in document.file_name).strip(" .")
    stem, dot, ending = kept.rpartition(".")
    return (f"{stem[:60]}.{ending[:10]}" if dot and stem else kept[:70]) or document.document_id[:12]


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, EPOCH)
    info.create_system, info.external_attr, info.compress_type = 3, 0o644 << 16, zipfile.ZIP_STORED
    return info


def _put(archive: zipfile.ZipFile, name: str, content: bytes, sums: dict[str, str]) -> None:
    archive.writestr(_info(name), content)
    sums[name] = hashlib.sha256(content).hexdigest()


def copied(archive: zipfile.ZipFile, name: str, file: IO[bytes], size: int) -> str:
    """Write a file into the archive a block at a time; its SHA-256."""
    info, digest = _info(name), hashlib.sha256()
    info.file_size = size
    with archive.open(info, "w") as target:
        while block := file.read(BLOCK):
            digest.update(block)
            target.write(block)
    return digest.hexdigest()


def _copy(archive: zipfile.ZipFile, name: str, source: Path, sums: dict[str, str]) -> None:
    with source.open("rb") as file:
        sums[name] = copied(archive, name, file, source.stat().st_size)


def _manifest(file: EvidenceFile, entries: Sequence[Entry], names: dict[str, str], sums: dict[str, str]) -> bytes:
    told: dict[str, Any] = {
        "format": FORMAT, "case_id": file.case_id, "buyer_id": file.buyer_id, "buyer_name": file.buyer_name, "firm": file.firm, "made_on": file.made_on.isoformat(),
        "invoices": list(file.invoices), "files": sums,
        "documents": [_document(entry, f"files/{names[entry.document.document_id]}", entry.document.document_id in file.stamps) for entry in entries],
        "custody": {
            "hashed": "SHA-256 of the JSON [previous, number, at, person_id, person_name, act, document_id, buyer_id, detail, before], UTF-8, no spaces; at: UTC, ISO 8601 with microseconds",
            "end": None if file.head is None else {"number": file.head[0], "hash": file.head[1]}, "rows": [custody_row(row) for row in file.custody],
        },
    }  # fmt: skip
    return (json.dumps(told, ensure_ascii=False, indent=1) + "\n").encode()


def _document(entry: Entry, path: str, stamped: bool) -> dict[str, Any]:
    one = entry.document
    return {
        "number": entry.number, "path": path, "sha256": one.document_id, "kind": one.kind, "file_name": one.file_name, "media_type": one.media_type,
        "size_bytes": one.size_bytes, "dated": one.dated.isoformat() if one.dated else None, "received_on": one.received_on.isoformat() if one.received_on else None,
        "language": one.language or None, "original": one.original, "holder": one.holder or None, "case_id": one.case_id or None, "text": one.text or None,
        "volume": entry.volume, "pages": [entry.first, entry.last], "timestamped": stamped,
        "proves": [{"of": link.target, "id": link.target_id, "purpose": link.purpose} for link in one.links],
    }  # fmt: skip


def custody_row(row: Custody) -> dict[str, Any]:
    """A row of the custody log as JSON."""
    return {**vars(row), "at": row.at.astimezone(UTC).isoformat(timespec="microseconds")}


def _readme(file: EvidenceFile, languages: Sequence[Language]) -> str:
    return "\n\n".join(say("documents.readme", language, name=file.name) for language in languages) + "\n"
