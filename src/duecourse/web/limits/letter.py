"""The letter to sales about a decision: a page, and the same as PDF.  通知函"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from duecourse.actions.paper import pdf
from duecourse.messages import language, say
from duecourse.money import format_money
from duecourse.web.accounts.access import gate
from duecourse.web.accounts.audit import record
from duecourse.web.books import book_of
from duecourse.web.limits.pages import request_of
from duecourse.web.limits.telling import told_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.http import HttpRequest

    from duecourse.ledger.book import Book
    from duecourse.web.limits.models import LimitRequest


def letter_of(book: Book, asked: LimitRequest, name: str) -> dict[str, Any]:
    """What the letter says, in the language spoken: title, paragraphs, pairs of figures, reasons, who signed."""
    told = told_of(asked)
    amount = "" if asked.granted_minor is None else format_money(asked.granted_minor, asked.currency)
    args: dict[str, Any] = {
        "buyer": name, "number": asked.buyer_id, "amount": amount, "days": asked.granted_terms_days if asked.granted_terms_days is not None else told.terms_days,
        "day": asked.decided_on, "end": asked.granted_valid_to or "–",
    }  # fmt: skip
    kind = "refused" if asked.status == "refused" else "granted" if asked.kind == "standing" else asked.kind
    said = say(f"web.limits_letter_{kind}", **args)
    paragraphs = [said]
    if kind == "granted":
        paragraphs += [say("web.limits_letter_valid", end=asked.granted_valid_to, review=asked.review_on), say("web.limits_letter_rule")]
    pairs = [(say("web.limits_asked_amount"), format_money(asked.amount_minor, asked.currency))] if asked.amount_minor is not None else []
    pairs += [
        (say("web.limits_recommended"), told.amount), (say("web.portfolio_exposure"), format_money(told.exposure_minor, told.currency)),
        (say("web.limits_now"), "–" if told.current_minor is None else format_money(told.current_minor, told.currency)),
    ]  # fmt: skip
    consents = list(asked.consents.select_related("person"))
    reasons = [
        *(told.reasons if asked.kind in ("standing", "temporary") else ()),
        say(f"web.limits_reason_{asked.kind}", reason=asked.reason),
    ]
    reasons += [f"{one.person.name}: {one.note}" for one in consents if one.note]
    return {
        "title": say("web.limits_letter_title"), "to": say("web.limits_letter_to", name=asked.requested_by.name), "paragraphs": paragraphs, "pairs": pairs,
        "reasons": reasons, "signed": [f"{one.person.name}, {timezone.localtime(one.at):%Y-%m-%d}" for one in consents], "number": asked.decision_id,
        "firm": str(book.settings.get("company") or ""), "day": f"{asked.decided_on:%Y-%m-%d}",
    }  # fmt: skip


def pieces_of(letter: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The letter as pieces of a document."""
    return [
        {"kind": "text", "text": "\n\n".join([letter["to"], *letter["paragraphs"]])},
        {"kind": "heading", "text": say("web.limits_letter_numbers")},
        {"kind": "pairs", "rows": [list(pair) for pair in letter["pairs"]]},
        {"kind": "heading", "text": say("web.limits_letter_why")},
        {"kind": "text", "text": "\n\n".join(letter["reasons"])},
        {"kind": "signatures", "lines": letter["signed"]},
    ]


def _letter(request: HttpRequest, pk: int) -> tuple[LimitRequest, dict[str, Any], str]:
    book = book_of(request)
    asked, name = request_of(book, pk)
    if not asked.decision_id:
        raise Http404
    return asked, letter_of(book, asked, name), name


@require_safe
@gate("read")
def letter(request: HttpRequest, pk: int) -> HttpResponse:
    """The letter, to read and print."""
    asked, found, name = _letter(request, pk)
    return render(request, "limits/letter.html", {"asked": asked, "letter": found, "name": name})


@require_safe
@gate("export")
def letter_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """The letter as PDF."""
    asked, found, _name = _letter(request, pk)
    made = pdf(
        pieces_of(found), title=found["title"], language=language(), made_at=asked.decided_at or timezone.now(), firm=found["firm"],
        head=f"{found['day']} · {found['number']}", foot=found["number"],
    )  # fmt: skip
    record(request, "exported", "limit.letter", asked.pk)
    response = HttpResponse(made, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{found["number"]}.pdf"'
    return response
