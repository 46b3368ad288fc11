"""Bundles and packages: index and pages agree, words can be taken out, the same is the same, and one altered byte is named."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import hashlib
import json
import re
import shutil
import subprocess
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader, PdfWriter

from duecourse.actions.evidence_file import bundle as binding
from duecourse.actions.evidence_file import reading, stamps
from duecourse.actions.evidence_file.bundle import bundle
from duecourse.actions.evidence_file.checking import check
from duecourse.actions.evidence_file.package import package
from duecourse.errors import DocumentAlteredError, EvidenceEmptyError, EvidenceUnreadableError
from support.authority import Authority
from support.documents import MAIL, evidence, pdf, png
from support.examples import examples


def turned() -> bytes:
    import io

    writer, out = PdfWriter(), io.BytesIO()
    for degrees in (0, 90, 180, 270):
        writer.add_page(PdfReader(io.BytesIO(pdf("签收单 delivered"))).pages[0]).rotate(degrees)
    writer.write(out)
    return out.getvalue()


FILES = {
    "合同 contract.pdf": ("contract", "application/pdf", pdf("购销合同 甲方如期机械", "第二页 page two")),
    "delivery note.pdf": ("delivery_note", "application/pdf", turned()),
    "invoice.pdf": ("invoice", "application/pdf", b"%PDF-1.4 this is not one"),
    "Re payment.eml": ("correspondence", "message/rfc822", MAIL),
    "chat.txt": ("correspondence", "text/plain", "张三: 货收到了\n".encode("gb18030") * 100),
    "dock.png": ("photo", "image/png", png(40, 30)),
    "chat.png": ("photo", "image/png", png(20, 200)),
    "call.amr": ("other", "audio/amr", b"#!AMR\n" + bytes(200)),
}  # fmt: skip
FILE, CONTENTS = evidence(FILES)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kept")
    for digest, content in CONTENTS.items():
        (folder / digest).write_bytes(content)
    return lambda document: folder / document.document_id


@pytest.fixture(scope="module")
def made(place, tmp_path_factory):
    into = tmp_path_factory.mktemp("made") / "evidence.zip"
    with into.open("wb") as out:
        seal = package(FILE, place, out, languages=("zh", "en"))
    return into, seal


@pytest.fixture(scope="module")
def unpacked(made, tmp_path_factory):
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(made[0]) as archive:
        archive.extractall(folder)
    return folder


@pytest.mark.parametrize("languages", [("zh",), ("en",), ("zh", "en")])
def test_the_index_says_the_pages_on_which_the_documents_are(place, tmp_path, languages):
    entries, (volume,) = bundle(FILE, place, tmp_path, languages=languages)
    reader = PdfReader(volume)
    front = len(reader.pages) - entries[-1].last
    assert [(entry.first, entry.last) for entry in entries[:2]] == [(1, 2), (3, 6)]
    words = {"zh": "证据 {} · 第 {} 页", "en": "Exhibit {} · page {}"}
    for entry in entries:
        for page in range(entry.first, entry.last + 1):
            text = reader.pages[front + page - 1].extract_text()
            assert all(words[one].format(entry.number, page) in text for one in languages), (entry, page)
    assert reader.page_labels == ["i", "ii", *(str(page) for page in range(1, entries[-1].last + 1))]
    index = "".join(page.extract_text() for page in reader.pages[1:front])
    for entry in entries:
        assert entry.pages in index
    assert "证明货物已交付" in index.replace("\n", ""), "the purpose of proof as it was said"
    assert [one.title.split(" ")[0] for one in reader.outline] == [str(entry.number) for entry in entries]


def test_every_word_can_be_taken_out_and_the_fonts_are_in_it(place, tmp_path):
    _entries, (volume,) = bundle(FILE, place, tmp_path, languages=("zh", "en"))
    reader = PdfReader(volume)
    text = "".join(page.extract_text() for page in reader.pages)
    for words in (
        "证据目录",
        "Index of evidence",
        "购销合同",
        "张三: 货收到了",
        "我们下周付款。We pay next week.",
        "<17@buyer.example>",
        "mx.buyer.example",
        "plan.txt",
    ):
        assert words in text, words
    missing = next(one for one in FILE.documents if one.file_name == "call.amr").document_id
    assert missing in text.replace("\n", ""), "what cannot be shown is named with its hash"
    assert "非法律意见" not in text
    assert "not legal advice" not in text, "on what goes to a court that has no place"
    fonts = [font.get_object() for page in reader.pages for font in _fonts(page["/Resources"].get_object())]
    assert fonts
    for font in fonts:
        inner = font["/DescendantFonts"][0].get_object() if "/DescendantFonts" in font else font
        assert any(name in inner["/FontDescriptor"].get_object() for name in ("/FontFile", "/FontFile2", "/FontFile3"))


def _fonts(resources):
    found = list(resources.get("/Font", {}).values())
    for form in resources.get("/XObject", {}).values():
        inner = form.get_object().get("/Resources")
        found += _fonts(inner.get_object()) if inner is not None else []
    return found


def test_a_long_picture_is_cut_into_pages_and_a_large_one_is_not_decoded(place, tmp_path):
    entries, made = bundle(FILE, place, tmp_path, languages=("en",))
    pages = {entry.document.file_name: entry.last - entry.first + 1 for entry in entries}
    assert (pages["chat.png"], pages["dock.png"]) == (7, 1)
    chat = next(entry for entry in entries if entry.document.file_name == "chat.png")
    reader = PdfReader(made[0])
    for turn in range(7):
        drawn = reader.pages[len(reader.pages) - entries[-1].last + chat.first - 1 + turn].get_contents().get_data()
        (across, up, above) = map(float, re.search(rb"([\d.]+) 0 0 ([\d.]+) [\d.-]+ ([\d.-]+) cm\s*/x0 Do", drawn).groups())
        assert up / across == pytest.approx(10, rel=1e-3), "as tall to its width as it is"
        assert above + up == pytest.approx(790.87 + turn * 250 * 72 / 25.4, abs=0.1), "each page goes on where the one before ended"
    header = png(1, 1)
    bomb = header[:16] + (60_000).to_bytes(4, "big") * 2 + header[24:]
    file, contents = evidence({"bomb.png": ("photo", "image/png", bomb)})
    (tmp_path / "bomb").write_bytes(next(iter(contents.values())))
    (entry,), (volume,) = bundle(file, lambda _one: tmp_path / "bomb", tmp_path, languages=("en",))
    assert entry.pages == "1"
    assert "too large" in PdfReader(volume).pages[-1].extract_text()


def test_a_large_file_is_bound_in_volumes_numbered_through(place, tmp_path, monkeypatch):
    monkeypatch.setattr(binding, "VOLUME_PAGES", 6)
    entries, volumes = bundle(FILE, place, tmp_path, languages=("en",))
    assert len(volumes) == entries[-1].volume > 1
    for number, volume in enumerate(volumes, 1):
        mine = [entry for entry in entries if entry.volume == number]
        reader = PdfReader(volume)
        assert reader.page_labels[-1] == str(mine[-1].last)
        assert (
            f"Exhibit {mine[0].number} · page {mine[0].first}"
            in reader.pages[len(reader.pages) - (mine[-1].last - mine[0].first + 1)].extract_text()
        )


def test_the_same_file_is_the_same_bytes(place, tmp_path, made):
    again = tmp_path / "again.zip"
    with again.open("wb") as out:
        assert package(FILE, place, out, languages=("zh", "en")) == made[1]
    assert again.read_bytes() == made[0].read_bytes()


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="NOT TESTED with sha256sum: it is not installed")
def test_sha256sum_alone_verifies_it(unpacked):
    told = subprocess.run(["sha256sum", "-c", "--strict", "manifest.sha256"], cwd=unpacked, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    assert told.stdout.count(": OK") == len(FILES) + 3
    listed = {line.partition("  ")[2] for line in (unpacked / "manifest.sha256").read_text().splitlines()}
    assert listed | {"manifest.sha256"} == {str(one.relative_to(unpacked)) for one in unpacked.rglob("*") if one.is_file()}


def test_the_manifest_holds_every_fact_and_the_log(unpacked):
    told = json.loads((unpacked / "manifest.json").read_text(encoding="utf-8"))
    assert (told["case_id"], told["buyer_id"], told["made_on"], told["invoices"]) == ("C000001", "B1", "2025-06-01", ["INV-1", "INV-2"])
    for one in told["documents"]:
        assert hashlib.sha256((unpacked / one["path"]).read_bytes()).hexdigest() == one["sha256"]
    assert len(told["custody"]["rows"]) == 2 * len(FILES)
    assert told["custody"]["end"]["hash"] == told["custody"]["rows"][-1]["hash"]


def test_a_whole_package_is_whole_packed_and_unpacked(made, unpacked):
    for path in (made[0], unpacked):
        found = check(path)
        assert (found.faults, found.documents, found.rows, found.seal) == ((), len(FILES), 2 * len(FILES), made[1])


NAMES = ["README.txt", "bundle.pdf", "manifest.json", "manifest.sha256", *(f"files/{number:03d}" for number in range(1, len(FILES) + 1))]


@examples(40, 600)
@given(name=st.sampled_from(NAMES), where=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_one_altered_byte_anywhere_is_found_and_named(unpacked, name, where, flip):
    file = next(one for one in unpacked.rglob("*") if str(one.relative_to(unpacked)).startswith(name))
    content = file.read_bytes()
    at = int(where * len(content))
    try:
        file.write_bytes(content[:at] + bytes([content[at] ^ flip]) + content[at + 1 :])
        found = check(unpacked)
        assert not found.whole
        inside = str(file.relative_to(unpacked))
        if name == "manifest.sha256":  # its line, or the file it now names wrongly or with another hash
            assert {one.code for one in found.faults} <= {"line", "missing", "unlisted", "changed"}
        elif name == "manifest.json":
            assert any(one.name.startswith("manifest.json") for one in found.faults)
        else:
            assert [(one.code, one.name) for one in found.faults] == [("changed", inside)]
    finally:
        file.write_bytes(content)


@examples(30, 400)
@given(where=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255), late=st.booleans())
def test_one_altered_byte_of_the_zip_is_found(made, tmp_path_factory, where, flip, late):
    content = made[0].read_bytes()
    at = len(content) - 1 - int(where * 4000) if late else int(where * len(content))
    changed = tmp_path_factory.getbasetemp() / "changed.zip"
    changed.write_bytes(content[:at] + bytes([content[at] ^ flip]) + content[at + 1 :])
    with contextlib.suppress(EvidenceUnreadableError):
        assert not check(changed).whole


@pytest.mark.parametrize("column", ["at", "person_name", "act", "document_id", "detail", "before", "previous", "hash"])
def test_a_row_of_the_log_that_was_altered_with_all_the_lists_is_still_named(unpacked, tmp_path, column):
    copy = tmp_path / "copy"
    shutil.copytree(unpacked, copy)
    told = json.loads((copy / "manifest.json").read_text(encoding="utf-8"))
    row = told["custody"]["rows"][3]
    text = row[column] or "x"
    row[column] = "2025-03-02T08:00:00.000001+00:00" if column == "at" else text[:-1] + ("0" if text[-1] != "0" else "1")
    content = (json.dumps(told, ensure_ascii=False, indent=1) + "\n").encode()
    (copy / "manifest.json").write_bytes(content)
    lines = (copy / "manifest.sha256").read_text().splitlines()
    lines = [f"{hashlib.sha256(content).hexdigest()}  manifest.json" if line.endswith("  manifest.json") else line for line in lines]
    (copy / "manifest.sha256").write_text("\n".join(lines) + "\n")
    found = check(copy)
    assert ("row", row["number"]) in [(one.code, one.args.get("number")) for one in found.faults]


def test_a_file_taken_out_or_put_in_is_named(unpacked, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(unpacked, copy)
    gone = next(copy.glob("files/001*"))
    gone.unlink()
    (copy / "files" / "999-extra.pdf").write_bytes(b"%PDF")
    assert {(one.code, one.name) for one in check(copy).faults} == {("missing", f"files/{gone.name}"), ("unlisted", "files/999-extra.pdf")}
    with pytest.raises(EvidenceUnreadableError):
        check(tmp_path)


@pytest.mark.parametrize(("offset", "value", "code"), [(10, 99, "unreadable"), (8, 1, "unreadable"), (16, 0, "changed")])
def test_a_file_that_cannot_be_taken_out_of_the_zip_is_named_with_what_is_wrong(made, tmp_path, offset, value, code):
    """Its entry says: a compression nobody knows, a password, a checksum its bytes do not have."""
    content = bytearray(made[0].read_bytes())
    with zipfile.ZipFile(made[0]) as archive:
        name = next(one for one in archive.namelist() if one.startswith("files/002"))
    at = content.rindex(name.encode()) - 46  # its line in the ZIP's table of contents
    content[at + offset : at + offset + 2] = value.to_bytes(2, "little")
    broken = tmp_path / "broken.zip"
    broken.write_bytes(content)
    faults = [one for one in check(broken).faults if one.name == name]
    assert [one.code for one in faults] == [code]
    assert name in faults[0].words()


def test_a_zip_that_was_cut_off_is_said_to_be_damaged_and_a_whole_one_is_not(tmp_path):
    whole = tmp_path / "whole.zip"
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("a.txt", "a" * 1000)
    cut = tmp_path / "cut.zip"
    cut.write_bytes(whole.read_bytes()[:600])
    assert (reading.media_type(cut, "cut.zip"), reading.damaged(cut, "application/zip")) == ("application/zip", True)
    assert not reading.damaged(whole, "application/zip") and not reading.damaged(cut, "application/pdf")


def test_time_stamps_go_with_it_and_are_held_to_their_documents(place, tmp_path):
    authority = Authority()
    first, second = FILE.documents[:2]
    good = {one.document_id: authority.answer(stamps.request_of(one.document_id, 1)) for one in (first, second)}
    file = dataclasses.replace(FILE, stamps=good)
    with (tmp_path / "a.zip").open("wb") as out:
        package(file, place, out, languages=("en",), stamp=lambda seal: authority.answer(stamps.request_of(seal, 2)))
    found = check(tmp_path / "a.zip", roots=(authority.root,))
    assert (found.faults, found.stamped, found.trusted) == ((), 3, 3)
    assert check(tmp_path / "a.zip").trusted == 0
    swapped = dataclasses.replace(FILE, stamps={first.document_id: good[second.document_id]})
    with (tmp_path / "b.zip").open("wb") as out:
        package(swapped, place, out, languages=("en",))
    assert [one.code for one in check(tmp_path / "b.zip").faults] == ["stamp"]


def test_nothing_is_drawn_up_from_a_file_that_changed_or_from_none(place, tmp_path):
    def other(document):
        kept = place(document)
        if document.file_name != "chat.txt":
            return kept
        (tmp_path / "chat").write_text("张三: 货没收到\n" * 100)
        return tmp_path / "chat"

    with (tmp_path / "a.zip").open("wb") as out, pytest.raises(DocumentAlteredError):
        package(FILE, other, out, languages=("en",))
    with pytest.raises(EvidenceEmptyError):
        bundle(dataclasses.replace(FILE, documents=(), made_on=dt.date(2025, 1, 1)), place, tmp_path, languages=("en",))
