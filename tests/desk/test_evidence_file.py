"""Files kept by content, and the evidence of a case out of the ledger with its report for internal use."""

from __future__ import annotations

import dataclasses
import datetime as dt
import errno
import hashlib
import io
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from duecourse.actions.evidence_file.completeness import Situation, all_routes
from duecourse.actions.evidence_file.facts import Document, Link
from duecourse.desk.document_files import DocumentFiles
from duecourse.desk.evidence_file import documents_from, of_case, report, write_package
from duecourse.errors import DiskFullError, DocumentAlteredError, DocumentGoneError
from support.documents import evidence, pdf
from support.examples import examples

AT = dt.datetime(2025, 6, 1, tzinfo=dt.UTC)


@examples(30, 300)
@given(contents=st.lists(st.binary(max_size=300), max_size=6))
def test_each_content_is_kept_once_and_read_as_it_came(tmp_path_factory, contents):
    files = DocumentFiles(tmp_path_factory.mktemp("kept"))
    seen: set[bytes] = set()
    for content in contents:
        digest, fresh = files.keep_bytes(content)
        assert (digest, fresh) == (hashlib.sha256(content).hexdigest(), content not in seen)
        seen.add(content)
    assert sorted(files.all()) == sorted(hashlib.sha256(one).hexdigest() for one in seen)
    for one in seen:
        assert files.verified(hashlib.sha256(one).hexdigest()).read_bytes() == one
    assert files.drop_halves(0, time.time() + 1) == 0, "nothing half is left"


def test_a_file_that_changed_or_is_gone_is_not_read(tmp_path):
    files = DocumentFiles(tmp_path)
    digest, _fresh = files.keep_bytes(b"the contract")
    place = files.place(digest)
    place.chmod(0o600)
    place.write_bytes(b"the c0ntract")
    with pytest.raises(DocumentAlteredError):
        files.verified(digest, "contract.pdf")
    assert files.keep_bytes(b"the contract") == (digest, True), "the same bytes once more mend it"
    assert files.verified(digest).read_bytes() == b"the contract"
    place.unlink()
    with pytest.raises(DocumentGoneError):
        files.verified(digest)
    for name in ("../../etc/passwd", "", "A" * 64, digest + "0"):
        with pytest.raises(ValueError, match="^" + name[:3].replace(".", "[.]")):
            files.place(name)


def test_only_what_nobody_knows_and_is_old_is_cleared_away(tmp_path):
    files = DocumentFiles(tmp_path)
    known, _ = files.keep_bytes(b"known")
    stray, _ = files.keep_bytes(b"stray")
    young, _ = files.keep_bytes(b"young")
    for one in (known, stray):
        os.utime(files.place(one), (1, 1))
    files.arriving().write_bytes(b"half")
    assert files.drop_unknown([known], 3600, time.time()) == 1
    assert sorted(files.all()) == sorted([known, young])
    assert files.drop_halves(3600, time.time()) == 0
    assert files.drop_halves(-1, time.time()) == 1
    os.utime(files.place(young), (1, 1))
    files.keep_bytes(b"young")
    assert files.drop_unknown([known], 3600, time.time()) == 0, "wanted again, it is young again"


def test_a_full_disk_is_said_and_leaves_nothing_half(tmp_path, monkeypatch):
    files = DocumentFiles(tmp_path)

    def full(*_args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(DiskFullError):
        files.keep_bytes(b"too much")
    assert list(files.all()) == []


def test_a_case_has_what_was_filed_for_it_connected_to_it_or_is_the_buyers():
    def row(number: int, case: str = "") -> dict[str, object]:
        return {"document_id": f"{number:064d}", "kind": "contract", "file_name": f"{number}", "case_id": case or None}

    links = [{"document_id": f"{3:064d}", "target": "case", "target_id": "C000001", "purpose": None}]
    documents = documents_from([row(1), row(2, "C000001"), row(3, "C000002"), row(4, "C000002")], links)
    assert [one.file_name for one in of_case(documents, "C000001")] == ["1", "2", "3"]
    assert len(of_case(documents, "")) == 4


@pytest.mark.parametrize(
    ("language", "words"), [("en", ("not legal advice", "Proof of delivery", "grave")), ("zh", ("不构成法律意见", "交付证明", "严重"))]
)
def test_the_report_says_what_is_missing_and_that_it_is_no_advice(language, words):
    file, _contents = evidence({"contract.pdf": ("contract", "application/pdf", b"x")})
    found = all_routes(file.documents, Situation(("INV-1",)))
    made = report(file, found, language=language, made_at=AT, seal="ab" * 32)
    assert made == report(file, found, language=language, made_at=AT, seal="ab" * 32)
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(made)).pages).replace("\n", "")
    for one in (*words, "ab" * 32, file.documents[0].document_id[:16]):
        assert one in text, one


def test_a_package_is_written_whole_or_not_at_all(tmp_path):
    files = DocumentFiles(tmp_path / "kept")
    content = pdf("the contract")
    digest, _fresh = files.keep_bytes(content)
    file, _contents = evidence({"contract.pdf": ("contract", "application/pdf", content)})
    into = tmp_path / "out.zip"
    write_package(file, files.of, into, languages=("en",))
    before = into.read_bytes()
    more = dataclasses.replace(
        file, documents=(*file.documents, Document("0" * 64, "other", "gone", "text/plain", 1, links=(Link("invoice", "A"),)))
    )
    with pytest.raises(DocumentGoneError):
        write_package(more, files.of, into, languages=("en",))
    assert into.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []
    assert digest == file.documents[0].document_id
