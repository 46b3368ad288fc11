"""The credit file: one page and one PDF that say the same, in both languages, of the book one looks at and nothing else."""

from __future__ import annotations

import html
import io
import re
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse
from pypdf import PdfReader

from duecourse.desk.credit_file import credit_file
from duecourse.messages import use_language
from duecourse.web import books
from duecourse.web.credit_file.pieces import pieces
from duecourse.web.outbox import sending

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from duecourse.ledger.store import Ledger

HEADINGS = {
    "en": ("Limit and terms", "Grade", "What it owes and how it pays", "Accounts", "Evidence from outside", "Who the buyer is"),
    "zh": ("额度与账期", "信用等级", "往来与付款", "财务报表", "外部证据与担保", "客户概况"),
}


def some_buyer(ledger: Ledger) -> str:
    book = ledger.as_of(books.day_of(ledger))
    rows = book.run(book.invoice.group_by("buyer_id").aggregate(n=book.invoice.count()).order_by("n")).to_pylist()
    return str(rows[-1]["buyer_id"])


def bare(text: str) -> str:
    """Letters and figures alone: how a PDF breaks its lines says nothing."""
    return re.sub(r"[\s\u00ad\u200b-]+", "", text)


def text_of(document: bytes) -> str:
    return bare("".join(page.extract_text() for page in PdfReader(io.BytesIO(document)).pages))


def said(found: list[dict[str, Any]]) -> list[str]:
    """Every text of the pieces."""
    texts: list[str] = []
    for piece in found:
        texts += [piece[name] for name in ("text", "note") if piece.get(name)]
        texts += piece.get("head", ())
        for row in piece.get("rows", piece.get("tiles", ())):
            texts += [str(row[name]) for name in ("label", "value", "under") if row.get(name)] if isinstance(row, dict) else row
    return texts


@pytest.mark.parametrize("language", ["en", "zh"])
def test_page_and_pdf_say_everything_the_file_holds(own_ledger: Ledger, signed_in: Callable[..., Client], language: str) -> None:
    buyer = some_buyer(own_ledger)
    browser = signed_in("credit_manager", language={"en": "en", "zh": "zh-hans"}[language])
    page = browser.get(reverse("buyer_file", args=[buyer]))
    document = browser.get(reverse("buyer_file_pdf", args=[buyer]))
    assert (page.status_code, document.status_code, document["Content-Type"]) == (200, 200, "application/pdf")
    use_language(language)
    told = said(pieces(credit_file(own_ledger.as_of(books.day_of(own_ledger)), buyer)))
    shown = bare(html.unescape(re.sub(r"<[^>]+>", " ", page.content.decode())))
    printed = text_of(document.content)
    for text in told:
        for paragraph in text.split("\n\n"):
            assert bare(paragraph) in shown, paragraph
            headed = bare(
                paragraph[:1].upper() + paragraph[1:]
            )  # on paper a heading begins with a capital; on the page the style sheet sees to it
            assert bare(paragraph) in printed or headed in printed, paragraph
    assert all(any(heading in text for text in told) for heading in HEADINGS[language])


def test_the_same_book_gives_the_same_file(own_ledger: Ledger, signed_in: Callable[..., Client]) -> None:
    buyer, browser = some_buyer(own_ledger), signed_in("credit_manager")
    one, two = (browser.get(reverse("buyer_file_pdf", args=[buyer])).content for _ in range(2))
    assert one == two
    before = browser.get(reverse("buyer_file_pdf", args=[buyer]), {"as_of": "2020-01-01"})
    assert before.status_code == 404 or before.content != one


def test_what_is_decided_and_secured_stands_in_it(own_ledger: Ledger, signed_in: Callable[..., Client]) -> None:
    buyer, browser = some_buyer(own_ledger), signed_in("credit_manager")
    day = books.day_of(own_ledger)
    sending.put_out_many([
        ("decision", {"decision_id": "D-77", "kind": "order", "buyer_id": buyer, "decided_on": day, "outcome": "hold", "made_by": "anna"}),
        ("security", {"security_id": "S-1", "buyer_id": buyer, "kind": "guarantee", "guarantor_id": "Mother Ltd", "amount_minor": 500_00, "currency": "CNY", "valid_from": day}),
        ("security", {"security_id": "S-2", "buyer_id": buyer, "kind": "pledge", "guarantor_id": "Gone Ltd", "valid_from": date(2020, 1, 1), "valid_to": date(2020, 6, 1)}),
    ])  # fmt: skip
    sending.append_waiting(own_ledger)
    text = browser.get(reverse("buyer_file", args=[buyer])).content.decode()
    assert "D-77" in text
    assert "Mother Ltd" in text
    assert "Gone Ltd" not in text


def test_a_buyer_one_may_not_see_has_no_file(own_ledger: Ledger, signed_in: Callable[..., Client]) -> None:
    buyer, browser = some_buyer(own_ledger), signed_in("sales", sales_owners=["nobody at all"])
    assert browser.get(reverse("buyer_file", args=[buyer])).status_code == 404
    assert browser.get(reverse("buyer_file_pdf", args=[buyer])).status_code == 404


def test_who_may_only_look_takes_no_pdf_away(own_ledger: Ledger, signed_in: Callable[..., Client]) -> None:
    buyer, browser = some_buyer(own_ledger), signed_in("viewer")
    page = browser.get(reverse("buyer_file", args=[buyer]))
    assert page.status_code == 200
    assert reverse("buyer_file_pdf", args=[buyer]) not in page.content.decode()
    assert browser.get(reverse("buyer_file_pdf", args=[buyer])).status_code == 403
