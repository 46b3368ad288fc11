"""/api/v1/backtests and /api/v1/reviews: what the past said of the warnings, as the pages tell it."""

# ruff: noqa: TC002, TC003 — the annotations are read when the program runs

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Final

from django.http import HttpRequest, HttpResponse
from ninja import Query, Schema
from pydantic import Field

from duecourse.web.api.application import api
from duecourse.web.api.auth import needs
from duecourse.web.api.problems import Problem
from duecourse.web.api.reading import sent
from duecourse.web.review.backtests import state_of
from duecourse.web.review.models import Backtest, MonthlyReview
from duecourse.web.review.months import newest

TAGS: Final = ["Review"]
READ: Final = needs("read")


class BacktestLine(Schema):
    """One backtest without its report."""

    backtest_id: int
    state: Annotated[str, Field(description="waiting, running, done, failed, cancelled, or gone: ended without a report")]
    asked_by: Annotated[str, Field(description="User name")]
    asked_at: datetime
    options: Annotated[
        dict[str, Any],
        Field(description="since, until, share, name, analysts, segment, recorded, sets: as `duecourse backtest` takes them"),
    ]
    finished_at: datetime | None
    seconds: float | None
    book_on: Annotated[date | None, Field(description="As of which day the ledger was read")]
    ledger_version: int | None


class BacktestAnswer(BacktestLine):
    """One backtest whole."""

    report: Annotated[dict[str, Any] | None, Field(description="As `duecourse backtest --format json` gives it; null until it is there")]


class BacktestList(Schema):
    """Backtests, newest first."""

    rows: list[BacktestLine]


class ReviewLine(Schema):
    """One monthly review without its report."""

    month_end: date
    ledger_version: int
    known_at: datetime
    made_at: datetime
    made_by: Annotated[str | None, Field(description="User name; null where it was drawn up by itself")]


class ReviewAnswer(ReviewLine):
    """One monthly review whole."""

    report: Annotated[
        dict[str, Any],
        Field(
            description="inputs, migration, verdicts as `duecourse drift --format json` gives them; calibration by month end asked; verdicts by_month"
        ),
    ]


class ReviewList(Schema):
    """The newest review of each month end, latest month first."""

    rows: list[ReviewLine]


class Listed(Schema):
    """How many."""

    limit: int = Field(50, ge=1, le=500, description="Rows of the answer")


def _whole(request: HttpRequest) -> bool:
    """Does the caller see the whole book? What counts every buyer is not there for others."""
    return not request.user.scope.restricts  # type: ignore[union-attr]


def _line(one: Backtest) -> dict[str, Any]:
    return {
        "backtest_id": one.pk, "state": state_of(one), "asked_by": one.asked_by.username, "asked_at": one.asked_at, "options": one.options, "finished_at": one.finished_at,
        "seconds": one.seconds, "book_on": one.book_on, "ledger_version": one.ledger_version,
    }  # fmt: skip


@api.get("/backtests", auth=READ, response=BacktestList, operation_id="listBacktests", tags=TAGS, summary="Backtests, newest first")
def list_backtests(request: HttpRequest, words: Query[Listed]) -> HttpResponse:
    """Without their reports. Empty for a caller whose view is limited: a backtest counts every buyer."""
    rows = Backtest.objects.select_related("asked_by").defer("report")[: words.limit] if _whole(request) else []
    return sent(request, {"rows": [_line(one) for one in rows]})


@api.get("/backtests/{int:number}", auth=READ, response=BacktestAnswer, operation_id="getBacktest", tags=TAGS, summary="One backtest")
def get_backtest(request: HttpRequest, number: int) -> HttpResponse:
    """With its report, once it is there."""
    one = Backtest.objects.select_related("asked_by").filter(pk=number).first() if _whole(request) else None
    if one is None:
        raise Problem(404, "fact_unknown", kind="backtests", key=str(number))
    return sent(request, {**_line(one), "report": one.report})


def _told(one: MonthlyReview) -> dict[str, Any]:
    return {
        "month_end": one.month_end, "ledger_version": one.ledger_version, "known_at": one.book_known_at, "made_at": one.made_at,
        "made_by": one.made_by.username if one.made_by else None,
    }  # fmt: skip


@api.get("/reviews", auth=READ, response=ReviewList, operation_id="listReviews", tags=TAGS, summary="Monthly reviews, latest month first")
def list_reviews(request: HttpRequest, words: Query[Listed]) -> HttpResponse:
    """The newest of each month end, without their reports. Empty for a caller whose view is limited."""
    rows = newest()[: words.limit] if _whole(request) else []
    return sent(request, {"rows": [_told(one) for one in rows]})


@api.get("/reviews/{month_end}", auth=READ, response=ReviewAnswer, operation_id="getReview", tags=TAGS, summary="One monthly review")
def get_review(request: HttpRequest, month_end: date) -> HttpResponse:
    """The newest of that month end, with its report."""
    one = next((each for each in newest() if each.month_end == month_end), None) if _whole(request) else None
    if one is None:
        raise Problem(404, "fact_unknown", kind="reviews", key=month_end.isoformat())
    return sent(request, {**_told(one), "report": one.report})
