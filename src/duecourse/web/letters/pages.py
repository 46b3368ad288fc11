"""The queue of letters, one letter with its pages as pictures, and its files.  函件"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from duecourse.actions.letters import KINDS, LANGUAGES_OF, LetterFacts, compose
from duecourse.actions.letters.editing import docx
from duecourse.actions.letters.setting import pictures
from duecourse.messages import say
from duecourse.web import environment as env
from duecourse.web.accounts.access import gate, may
from duecourse.web.accounts.audit import record
from duecourse.web.books import book_of
from duecourse.web.letters import making
from duecourse.web.letters.attachments import UnfitError
from duecourse.web.letters.models import APPROVED, CANCELLED, EMAIL, OPEN, POST, QUEUED, SENT, WAITING, Letter
from duecourse.web.letters.telling import HEAVY, acts, amounts, letter_of, line, said, seen

if TYPE_CHECKING:
    from django.http import HttpRequest

    from duecourse.ledger.book import Book

SHOWN: Final = 200
TABS: Final = ("mine", "open", "sent", "all")
DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@require_safe
@gate("read")
def letters(request: HttpRequest) -> HttpResponse:
    """What is to be done with letters, and what went."""
    book, words = book_of(request), request.GET
    every = Letter.objects.select_related("made_by").defer(*HEAVY)
    found = {"open": every.filter(state__in=OPEN), "sent": every.filter(state=SENT), "all": every}
    waiting = [one for one in seen(book, every.filter(state=WAITING)[:SHOWN]) if not making.why_not(request.user, one[0])]
    tab = words.get("tab", "")
    tab = tab if tab in TABS else "mine" if waiting and not words.get("case") else "all" if words.get("case") else "open"
    rows = waiting if tab == "mine" else seen(book, _filtered(found[tab], words)[:SHOWN])
    q = words.get("q", "").strip().casefold()
    if q:
        rows = [one for one in rows if q in f"{one[1]} {one[0].number} {one[0].recipient} {one[0].buyer_id}".casefold()]
    counts = {"mine": len(waiting), "open": None, "sent": None, "all": None}
    lines = [line(*one) for one in rows]
    shown = {
        "book": book, "rows": lines, "tab": tab, "words": words, "kinds": [(one, say(f"letters.kind_{one}")) for one in KINDS], "mail": bool(env.EMAIL_URL),
        "tabs": [
            {"label": say(f"web.letters_tab_{name}"), "url": f"{reverse('letters')}?tab={name}", "current": name == tab, "count": counts[name]} for name in TABS
        ],
        "warned": sum(bool(one["warning"]) for one in lines), "printable": [one for one in lines if one["letter"].state == APPROVED and one["letter"].channel == POST],
        "may_send": may(request.user, "letters"), "may_draft": may(request.user, "propose"), "may_set": may(request.user, "settings"),
        "filtered": any(words.get(name) for name in ("kind", "channel", "q", "case", "buyer")), "channels": [(one, say(f"letters.channel_{one}")) for one in ("email", "post", "handed_over")],
    }  # fmt: skip
    return render(request, "letters/letters.html", shown)


def _filtered(rows: Any, words: Any) -> Any:
    for name, column in (("kind", "kind"), ("channel", "channel"), ("case", "case_id"), ("buyer", "buyer_id")):
        if words.get(name):
            rows = rows.filter(**{column: words[name]})
    return rows


@require_safe
@gate("read")
def letter(request: HttpRequest, pk: int) -> HttpResponse:
    """One letter: as it looks, what it lacks, who approved it, what one may do."""
    book = book_of(request)
    return render(request, "letters/letter.html", letter_words(request, book, pk))


def letter_words(request: HttpRequest, book: Book, pk: int, fault: str = "") -> dict[str, Any]:
    """What the page of one letter shows."""
    row, name = letter_of(book, pk)
    facts = row.told
    may_do = acts(request, book, row)
    moved = say(wrong) if row.state in ("draft", "waiting", "approved", "failed") and (wrong := making.standing(book, row)) else ""
    return {
        "book": book, **line(row, name), "facts": facts, "fault_now": fault, "acts": may_do, "moved": moved, "blocking": [said(one) for one in row.blocking], "advice": [said(one) for one in row.advice] if row.state in ("draft", "waiting", "approved") else [], "amounts": amounts(row),
        "pages": [] if row.edited else range(1, len(_pictures(row)) + 1), "approvals": row.approvals.select_related("person"), "files": row.files.defer("data"),
        "invoices": [{"id": one.invoice_id, "instalment": one.instalment} for one in facts.invoices], "previous": facts.previous, "enclosed": ", ".join(one.text for one in facts.documents if one.document_id), "may_export": may(request.user, "export"),
    }  # fmt: skip


def _pictures(row: Letter) -> tuple[bytes, ...]:
    return _drawn(row.facts)


@lru_cache(maxsize=8)
def _drawn(told: str) -> tuple[bytes, ...]:
    """The pages of one letter are asked for one by one, within a moment."""
    facts = LetterFacts.from_json(told)
    return tuple(pictures(compose(facts), facts.dated))


@require_safe
@gate("read")
def letter_picture(request: HttpRequest, pk: int, page: int) -> HttpResponse:
    """A page of the letter as it is drawn up, as a picture."""
    row, _name = letter_of(book_of(request), pk)
    found = _pictures(row)
    if row.edited or not 1 <= page <= len(found):
        raise Http404
    return HttpResponse(found[page - 1], content_type="image/png", headers={"Cache-Control": "private, no-store"})


@require_safe
@gate("read")
def letter_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    """The PDF as it goes, or would go now."""
    book = book_of(request)
    row, _name = letter_of(book, pk)
    try:
        made = making.set_pdf(row)
    except UnfitError as error:
        return render(request, "letters/letter.html", letter_words(request, book, pk, say(error.code, None, **error.args_)), status=409)
    record(request, "exported", "letter", row.number, sha256=row.pdf_sha256)
    return _file(made, f"{row.number}.pdf", "application/pdf")


@require_safe
@gate("export")
def letter_docx(request: HttpRequest, pk: int) -> HttpResponse:
    """The letter to edit."""
    row, _name = letter_of(book_of(request), pk)
    facts = row.told
    record(request, "exported", "letter.docx", row.number)
    return _file(docx(compose(facts), facts.dated), f"{row.number}.docx", DOCX)


@require_safe
@gate("read")
def letter_proof(request: HttpRequest, pk: int, file: int) -> HttpResponse:
    """What proves that it was received."""
    row, _name = letter_of(book_of(request), pk)
    found = get_object_or_404(row.files, pk=file)
    record(request, "exported", "letter.proof", row.number, sha256=found.sha256)
    return _file(bytes(found.data), found.name, found.media_type)


def _file(data: bytes, name: str, kind: str) -> HttpResponse:
    response = HttpResponse(data, content_type=kind)
    response["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=name) or ""
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_safe
@gate("read")
def letters_dry(request: HttpRequest) -> HttpResponse:
    """What would go, how, to whom; and what would not, and why. Nothing is sent."""
    book = book_of(request)
    rows = [{**line(one, name), "hinder": say(wrong) if (wrong := would_not(book, one)) else ""} for one, name in seen(book, would_go())]
    return render(
        request,
        "letters/dry.html",
        {"book": book, "rows": rows, "going": sum(not one["hinder"] for one in rows), "mail": bool(env.EMAIL_URL)},
    )


def would_go() -> Any:
    """Letters that are approved, or in the queue already."""
    return Letter.objects.filter(state__in=(APPROVED, QUEUED)).select_related("made_by").order_by("id")[:SHOWN]


def would_not(book: Book, row: Letter) -> str:
    """Why a letter would not go now, as the name of a sentence; "" where it would."""
    from duecourse.web.letters.attachments import unfit  # noqa: PLC0415 — beside its only use

    if row.channel == EMAIL and not env.EMAIL_URL:
        return "web.letters_fault_no_mail"
    wrong = unfit(row)
    return f"web.letters_fault_{wrong}" if wrong else making.hindrance(book, row)


def of_case(book: Book, case_id: str) -> list[dict[str, Any]]:
    """The letters of a case, for its page."""
    rows = Letter.objects.filter(case_id=case_id).exclude(state=CANCELLED).select_related("made_by").defer(*HEAVY)[:SHOWN]
    return [line(*one) for one in seen(book, rows)]


def languages() -> list[dict[str, Any]]:
    """Every kind with its languages, for the form."""
    return [
        {"kind": kind, "said": say(f"letters.kind_{kind}"), "languages": [(one, say(f"letters.language_{one}")) for one in found]} for kind, found in LANGUAGES_OF.items()
    ]  # fmt: skip
