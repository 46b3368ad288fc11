"""One decision as the ledger keeps it, made again.  决定与重放"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import Http404
from django.shortcuts import render
from django.views.decorators.http import require_safe

from duecourse.decisions.wording import sentence
from duecourse.desk.replay import decision_of, replay
from duecourse.errors import DecisionUnknownError, DuecourseError
from duecourse.web import books
from duecourse.web.accounts.access import gate
from duecourse.web.books import book_of
from duecourse.web.limits.pages import outcome_words, people_of
from duecourse.web.limits.telling import told

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

DIFFERENCES = 200


@require_safe
@gate("read")
def decision(request: HttpRequest, decision_id: str) -> HttpResponse:
    """What was decided, on what, and whether the same comes out today."""
    book = book_of(request)
    try:
        row = decision_of(book, decision_id)
    except DecisionUnknownError as error:
        raise Http404 from error
    found: Any = None
    why = ""
    try:
        found = replay(books.ledger(), decision_id, book=book)
    except DuecourseError as error:
        why = error.message()
    currency = row["currency"] or book.base_currency
    people = people_of([row["made_by"] or "", *(row["approved_by"] or "").split(", ")])
    words = {
        "book": book, "row": row, "replay": found, "why": why, "outcome": outcome_words(row["outcome"]),
        "reasons": [sentence(one, currency) for one in row["reasons"] or []], "made_by": people.get(row["made_by"], row["made_by"]),
        "approved_by": [people.get(name, name) for name in (row["approved_by"] or "").split(", ") if name],
        "differences": found.differences[:DIFFERENCES] if found else [], "count": len(found.differences) if found else 0,
        "told": told(row["answer"]) if row["kind"] == "limit" and row["answer"] else None,
    }  # fmt: skip
    return render(request, "limits/decision.html", words)
