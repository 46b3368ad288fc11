"""What is missing for which route, how badly, and what a file or e-mail says of itself."""

from __future__ import annotations

import datetime as dt
import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duecourse.actions.evidence_file import reading
from duecourse.actions.evidence_file.completeness import KINDS, NEEDS, ROUTES, Situation, all_routes, completeness
from duecourse.actions.evidence_file.facts import Document, Link
from duecourse.ledger.entries import DOCUMENT_KINDS
from duecourse.messages import catalogue
from support.documents import MAIL
from support.examples import examples

HERE = Situation(("A", "B"))
FULL = Situation(("A", "B"), cross_border=True, guaranteed=True, insured=True, arbitration=True, country="CN")


def held(kind: str, *invoices: str, original: bool | None = None, language: str = "") -> Document:
    return Document(
        f"{kind}{invoices}"[:64],
        kind,
        kind,
        "application/pdf",
        1,
        original=original,
        language=language,
        links=tuple(Link("invoice", one) for one in invoices),
    )


def test_without_anything_delivery_and_authority_are_grave_gaps_of_a_suit():
    found = completeness("suit", [], HERE)
    assert found.score == 0
    assert {gap.need for gap in found.gaps if gap.gravity == "high"} == {"contract", "delivery", "invoice", "authority"}
    assert found.risk == "high"


def test_with_everything_nothing_is_missing():
    everything = [held(kind, original=True) for kind in DOCUMENT_KINDS]
    for found in all_routes(everything, FULL):
        assert (found.score, found.gaps, found.applies, found.risk) == (1.0, (), True, None)


def test_what_is_needed_for_each_invoice_is_counted_by_invoice():
    found = completeness("suit", [held("delivery_note", "A")], HERE)
    (gap,) = [gap for gap in found.gaps if gap.need == "delivery"]
    assert (gap.share, gap.invoices) == (0.5, ("B",))
    whole = completeness("suit", [held("delivery_note", "A"), held("bill_of_lading", "B")], HERE)
    assert "delivery" in whole.present
    assert "delivery" in completeness("suit", [held("delivery_note")], HERE).present, "one that names no invoice stands for all"


def test_what_the_case_does_not_have_is_not_asked_for():
    needs = {gap.need for gap in completeness("suit", [], HERE).gaps}
    assert not needs & {"guarantee", "resolution", "customs", "insurance"}
    more = {gap.need for gap in completeness("insurance_claim", [], FULL).gaps}
    assert {"guarantee", "resolution", "customs", "insurance"} <= more
    assert not completeness("arbitration", [], HERE).applies
    assert not completeness("insurance_claim", [], HERE).applies


def test_copies_of_what_a_court_wants_in_original_are_a_gap():
    found = completeness("suit", [held("contract", original=True), held("statement_of_account", original=False)], HERE)
    (gap,) = [gap for gap in found.gaps if gap.need == "originals"]
    assert (gap.gravity, gap.share) == ("high", 0.5)


def test_foreign_documents_before_a_chinese_court_are_spoken_of():
    assert completeness("suit", [held("contract", language="de"), held("authority")], FULL).notes == (
        "foreign_language",
        "foreign_official",
    )
    assert completeness("arbitration", [held("contract", language="de")], FULL).notes == ()


@examples(60, 1000)
@given(kinds=st.lists(st.sampled_from(DOCUMENT_KINDS)), more=st.sampled_from(DOCUMENT_KINDS), route=st.sampled_from(ROUTES))
def test_more_evidence_never_makes_it_less_complete(kinds, more, route):
    before = completeness(route, [held(kind, original=True) for kind in kinds], FULL)
    after = completeness(route, [held(kind, original=True) for kind in [*kinds, more]], FULL)
    assert 0 <= before.score <= after.score + 1e-9 <= 1 + 1e-9
    assert {*after.present} >= {*before.present}
    assert (after.score > 1 - 1e-9) == (not after.gaps)


def test_every_need_kind_and_route_is_worded():
    for need in NEEDS:
        assert f"documents.need_{need}" in catalogue()
        assert f"documents.hint_{need}" in catalogue()
    assert {kind for kinds in KINDS.values() for kind in kinds} | {"photo", "other"} == set(DOCUMENT_KINDS)
    for kind in DOCUMENT_KINDS:
        assert f"documents.kind_{kind}" in catalogue()
        assert f"documents.purpose_{kind}" in catalogue()
    for route in ROUTES:
        assert f"documents.route_{route}" in catalogue()


def _zip(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.bin", b"%PDF-1.7\n", "application/pdf"),
        ("a.pdf", b"\x89PNG\r\n\x1a\n", "image/png"),
        ("a", b"\xff\xd8\xff\xe0", "image/jpeg"),
        (
            "a.docx",
            _zip("[Content_Types].xml", "word/document.xml"),
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        ("a.zip", _zip("a.txt"), "application/zip"),
        ("a.jar", _zip("a.txt"), None),
        ("a.zip", _zip("META-INF/MANIFEST.MF"), None),
        ("mail.eml", MAIL, "message/rfc822"),
        ("mail", MAIL, "message/rfc822"),
        ("a.txt", "合同".encode("gb18030"), "text/plain"),
        ("a.txt", "合同".encode("utf-16"), "text/plain"),
        ("a.csv", b"a,b\n1,2\n", "text/csv"),
        ("a.html", b"<!DOCTYPE html><p>", "text/html"),
        ("MZ.txt", b"MZN 1,000 paid", "text/plain"),
        ("a.pdf", b"MZ\x90\x00", None),
        ("a", b"#!/bin/sh\nrm", None),
        ("a.PS1", b"x", None),
        ("a.amr", b"#!AMR\n", "audio/amr"),
        ("a.heic", b"\x00\x00\x00\x18ftypheic", "image/heic"),
        ("a.dat", bytes(range(256)), "application/octet-stream"),
    ],
)
def test_a_file_is_what_its_bytes_say(tmp_path, name, content, kind):
    (tmp_path / "f").write_bytes(content)
    assert reading.media_type(tmp_path / "f", name) == kind


@examples(80, 2000)
@given(content=st.binary(max_size=600))
def test_any_bytes_are_something_and_any_mail_is_read(tmp_path_factory, content):
    place = tmp_path_factory.getbasetemp() / "any"
    place.write_bytes(content)
    reading.media_type(place, "x.pdf")
    reading.mail(MAIL[:200] + content)
    reading.mail(content)


def test_a_mail_says_who_when_which_way_and_what_came_with_it():
    found = reading.mail(MAIL)
    assert (found.message_id, found.sender, found.subject) == ("<17@buyer.example>", "张三 <zhang@buyer.example>", "付款计划 payment")
    assert found.sent_at == dt.datetime(2025, 3, 3, 10, tzinfo=dt.timezone(dt.timedelta(hours=8)))
    assert [one.split(";")[0] for one in found.received] == [
        "from mx.buyer.example by mail.seller.example",
        "from desk by mx.buyer.example",
    ]
    assert "我们下周付款" in found.body
    (attached,) = found.attachments
    assert (attached.name, attached.size_bytes) == ("plan.txt", 12)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("购销合同2025.pdf", "contract"), ("Invoice 17.pdf", "invoice"), ("送货单.jpg", "delivery_note"), ("对账单 6月.xlsx", "statement_of_account"),
        ("IMG_0012.jpg", "photo"), ("scan.pdf", "other"), ("Purchase_Order-9.pdf", "order"), ("tripod.pdf", "other"),
    ],
)  # fmt: skip
def test_a_name_suggests_what_a_document_is(name, kind):
    assert reading.guess(name, "image/jpeg" if name.endswith("jpg") else "application/pdf") == kind
