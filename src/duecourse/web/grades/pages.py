"""A buyer's grade and why; and the acts of those who move it.  评级页"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from duecourse.desk.evidence import kind_word
from duecourse.desk.facts import known_buyer
from duecourse.desk.grading import grade
from duecourse.errors import BuyerUnknownError
from duecourse.glossary import label, term
from duecourse.messages import say
from duecourse.money import format_money
from duecourse.tables import Column, Section, named, shown
from duecourse.web.accounts.access import gate, may
from duecourse.web.books import book_of
from duecourse.web.grades.charts import history_chart, points_chart
from duecourse.web.grades.deciding import LONGEST_DAYS, decide, end, most_notches, propose
from duecourse.web.grades.models import APPROVED, OPEN, GradeAdjustment
from duecourse.web.pages.columns import capital
from duecourse.web.refusals import NotNowError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.http import HttpRequest, HttpResponse

    from duecourse.desk.grading import Grade
    from duecourse.ledger.book import Book

MONTHS: Final = 12
FACTORS: Final = 14
SHOWN: Final = 20
LEAST_POINTS: Final = 0.05


@require_safe
@gate("read")
def buyer_grade(request: HttpRequest, buyer_id: str) -> HttpResponse:
    """The grade with everything that makes it."""
    return _page(request, buyer_id)


def _page(request: HttpRequest, buyer_id: str, typed: Mapping[str, str] | None = None, fault: str = "") -> HttpResponse:
    book = book_of(request)
    try:
        one = grade(book, buyer_id, months=MONTHS)
    except BuyerUnknownError:
        raise Http404 from None
    profile = named((book.about(buyer_id)["buyer"].to_pylist() or [{}])[0])
    words = {
        "book": book, "buyer_id": buyer_id, "name": profile.get("name") or one.name or buyer_id, **grade_words(one),
        **_adjusting(request, book, buyer_id), "typed": typed or {}, "fault": fault,
    }  # fmt: skip
    return render(request, "grades/buyer_grade.html", words, status=422 if fault else 200)


def grade_words(one: Grade) -> dict[str, Any]:
    """What the parts of the page show; also for other pages."""
    felt = [reason for reason in one.reasons if reason.value is not None]
    base = say("grading.of_named", name=one.base_rate_of) if one.base_rate_of else say("grading.of_everywhere")
    return {
        "one": one,
        "probability": f"{one.probability_of_default_12m:.2%}",
        "between": f"{one.low:.2%} – {one.high:.2%}",
        "confidence": say(f"grading.confidence_{one.confidence}"),
        "basis": say(f"grading.basis_{one.basis}"),
        "base_rate": f"{one.base_rate:.2%}",
        "base_of": base,
        "score": f"{one.score:,.0f}",
        "overrides": [_override(override) for override in one.overrides],
        "doubts": [say(f"grading.doubt_{code}") for code in one.doubts],
        "points": points_chart([reason for reason in felt if abs(reason.points) >= LEAST_POINTS], FACTORS),
        "history": history_chart(one.history) if one.history else None,
        "blocks": [_block(one, name, felt) for name in ("accounts", "conduct", "signals")],
        "sum": _sum(one),
        "scores": _scores(one),
        "signals": [
            {
                "day": told.published_on, "kind": kind_word(told.kind), "text": told.text or told.reference or "",
                "provider": told.provider or "", "weight": f"{told.weight:.2f}",
            }
            for told in sorted(one.signals, key=lambda told: told.published_on, reverse=True)
        ],
    }  # fmt: skip


def _override(one: Any) -> dict[str, Any]:
    since = say("grading.since", day=one.since) if one.since else ""
    amount = format_money(one.amount_minor, one.currency) if one.amount_minor and one.currency else ""
    words = say("grading.override_line", what=say(f"grading.override_{one.code}"), since=since, grade=one.grade)
    return {"words": words, "text": " · ".join(filter(None, (amount, one.text or "")))}


def _kind(factor: str) -> Any:
    unit = term(factor).unit
    return unit if unit in ("fraction", "days", "ratio") else "ratio"


def _block(one: Grade, name: str, felt: Sequence[Any]) -> dict[str, Any]:
    rows = [
        {"factor": capital(label(reason.factor)), "value": shown(reason.value, _kind(reason.factor)), "points": f"{reason.points:+.1f}".replace("-", "−")}
        for reason in felt if reason.block == name
    ]  # fmt: skip
    total = sum(reason.points for reason in felt if reason.block == name)
    missing = [capital(label(reason.factor)) for reason in one.reasons if reason.block == name and reason.value is None]
    return {
        "name": capital(say(f"grading.block_{name}")), "rows": rows, "total": f"{total:+.1f}".replace("-", "−"),
        "weight": f"{one.weights[name]:.0%}", "missing": missing if name != "signals" else [],
    }  # fmt: skip


def _sum(one: Grade) -> list[tuple[str, str]]:
    """The way from the base rate to the score, line by line."""
    blocks = {name: sum(reason.points for reason in one.reasons if reason.block == name) for name in ("accounts", "conduct", "signals")}
    found = [(say("web.grades_base_points", rate=f"{one.base_rate:.2%}"), f"{one.base_points:,.1f}")]
    found += [(capital(say(f"grading.block_{name}")), f"{points:+.1f}".replace("-", "−")) for name, points in blocks.items()]
    if one.calibration_points:
        found.append((say("web.grades_calibration"), f"{one.calibration_points:+.1f}".replace("-", "−")))
    return [*found, (capital(label("score")), f"{one.score:,.1f}")]


def _scores(one: Grade) -> Section | None:
    rows = [{"figure": capital(label(name)), "value": value} for name, value in one.scores.items() if value is not None]
    columns = [Column("figure", heading=say("cli.col_figure")), Column("value", "ratio", heading=say("cli.col_value"))]
    return Section("scores", say("web.grades_scores"), columns, rows) if rows else None


# Moving it


def _adjusting(request: HttpRequest, book: Book, buyer_id: str) -> dict[str, Any]:
    person: Any = request.user
    here = not request.viewpoint.query  # type: ignore[attr-defined]
    found: Any = (
        GradeAdjustment.objects.filter(buyer_id=buyer_id).select_related("proposed_by", "decided_by", "ended_by").order_by("-proposed_at")
    )
    rows: list[dict[str, Any]] = [
        {
            "row": row, "moves": f"{row.notches:+d}".replace("-", "−"), "state": say(f"web.grades_state_{_state(row, book)}"),
            "may_decide": here and row.state == OPEN and row.proposed_by_id != person.pk and may(person, "decide"),
            "may_end": here and ((row.state == OPEN and row.proposed_by_id == person.pk) or (_state(row, book) == APPROVED and may(person, "decide"))),
        }
        for row in found[:SHOWN]
    ]  # fmt: skip
    most = most_notches(book)
    return {
        "adjustments": rows,
        "may_propose": here and may(person, "propose") and not any(one["row"].state == OPEN for one in rows),
        "choices": [number for number in range(-most, most + 1) if number],
        "latest": date.fromordinal(book.on.toordinal() + LONGEST_DAYS),
        "suggested": date.fromordinal(book.on.toordinal() + 180),
    }


def _state(row: Any, book: Book) -> str:
    if row.state == APPROVED and row.ended_on:
        return "ended"
    return "expired" if row.state == APPROVED and row.until < book.on else str(row.state)


def _back(buyer_id: str) -> HttpResponse:
    return HttpResponseRedirect(f"{reverse('buyer_grade', args=[buyer_id])}#adjustments")


@require_POST
@gate("propose")
def propose_adjustment(request: HttpRequest, buyer_id: str) -> HttpResponse:
    """Ask for a move of the grade."""
    book = book_of(request)
    if not known_buyer(book, buyer_id):
        raise Http404
    typed = {name: request.POST.get(name, "").strip()[:2000] for name in ("notches", "reason", "until")}
    try:
        notches = int(typed["notches"])
    except ValueError:
        notches = 0
    try:
        until = date.fromisoformat(typed["until"])
    except ValueError:
        until = date.min
    try:
        propose(request, book, grade(book, buyer_id), notches=notches, reason=typed["reason"], until=until)
    except NotNowError as refused:
        return _page(request, buyer_id, typed, say(f"web.grades_not_{refused.code}", None, **refused.args_))
    messages.success(request, say("web.grades_proposed"))
    return _back(buyer_id)


def _act(request: HttpRequest, buyer_id: str, pk: int, name: str) -> HttpResponse:
    book = book_of(request)
    if not known_buyer(book, buyer_id) or not GradeAdjustment.objects.filter(pk=pk, buyer_id=buyer_id).exists():
        raise Http404
    try:
        if name == "end":
            end(request, book, pk)
        else:
            decide(request, book, pk, approve=name == "approve")
    except NotNowError as refused:
        messages.error(request, say(f"web.grades_not_{refused.code}", None, **refused.args_))
    else:
        messages.success(request, say(f"web.grades_done_{name}"))
    return _back(buyer_id)


@require_POST
@gate("decide")
def approve_adjustment(request: HttpRequest, buyer_id: str, pk: int) -> HttpResponse:
    """The second person's yes."""
    return _act(request, buyer_id, pk, "approve")


@require_POST
@gate("decide")
def refuse_adjustment(request: HttpRequest, buyer_id: str, pk: int) -> HttpResponse:
    """The second person's no."""
    return _act(request, buyer_id, pk, "refuse")


@require_POST
@gate("propose")
def end_adjustment(request: HttpRequest, buyer_id: str, pk: int) -> HttpResponse:
    """Take a proposal back, or end what holds."""
    return _act(request, buyer_id, pk, "end")
