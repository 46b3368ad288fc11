"""Grades: of everybody, a page at a time, and of one buyer with every reason."""

# ruff: noqa: TC002, TC003 — the annotations are read when the program runs

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Final, Literal

import pyarrow as pa
import pyarrow.compute as pc
from django.http import HttpRequest, HttpResponse
from ninja import Query, Schema
from pydantic import Field

from duecourse.desk import grading
from duecourse.errors import BuyerUnknownError
from duecourse.money import decimal_string
from duecourse.web.api.application import api
from duecourse.web.api.auth import needs
from duecourse.web.api.problems import Problem
from duecourse.web.api.reading import At, Paged, book_for, page_of, reply, with_next
from duecourse.web.api.shapes import Answer, Page

GRADES: Final = ["Grades"]
READ: Final = needs("read")
MOST_MONTHS: Final = 36
compute: Any = pc

GradeNumber = Annotated[int, Field(ge=1, le=10, description="1 (best) to 10")]
Probability = Annotated[float, Field(ge=0, le=1, description="A fraction: 0.023 is 2.3 %")]
Confidence = Literal["high", "medium", "low"]
Basis = Annotated[
    Literal["both", "financial", "behaviour", "none"], Field(description="What it rests on; none: the stated base rate alone")
]


class GradeRow(Schema):
    """One buyer's grade."""

    buyer_id: str
    grade: GradeNumber
    probability_of_default_12m: Probability
    low: Probability
    high: Probability
    confidence: Confidence
    basis: Basis
    overrides: Annotated[list[str], Field(description="Hard facts that hold the grade down")]
    doubts: Annotated[list[str], Field(description="What is missing or doubtful")]
    score: float
    model_grade: GradeNumber
    grade_without_overrides: GradeNumber
    notches: Annotated[int, Field(description="By how much people moved it; positive: worse")]
    base_rate: Probability
    period_end: Annotated[date | None, Field(description="Of the newest accounts")]


class GradesAnswer(Page):
    """A page of the grades."""

    rows: list[GradeRow]


class GradesWords(Paged):
    """Which grades, in which order."""

    grade: list[GradeNumber] = Field([], description="Only these grades")
    overridden_only: bool = Field(default=False, description="Only buyers a hard fact holds down")
    sort: Literal["risk", "buyer_id"] = Field("risk", description="Riskiest first, or by number")


class ReasonShape(Schema):
    """What one factor adds."""

    factor: str
    family: str
    block: Literal["accounts", "conduct", "signals"]
    value: Annotated[float | None, Field(description="Null where it is not known; then it adds nothing")]
    points: Annotated[
        float, Field(description="With `base_points` and `calibration_points` they add up to `score`; 20 more halve the odds")
    ]


class OverrideShape(Schema):
    """A hard fact."""

    code: str
    grade: Annotated[int, Field(description="No better than this")]
    since: date | None
    amount: Annotated[str | None, Field(description="A decimal string, in `currency`")]
    currency: str | None
    text: str | None


class AdjustmentShape(Schema):
    """A person's move, confirmed by a second one."""

    decision_id: str
    notches: int
    decided_on: date
    until: date
    reason: str
    made_by: str
    approved_by: str


class PointShape(Schema):
    """The grade as of an earlier day."""

    on: date
    grade: GradeNumber
    grade_without_overrides: GradeNumber
    probability_of_default_12m: Probability
    basis: Basis


class GradeAnswer(Answer):
    """One buyer's grade with everything that makes it."""

    buyer_id: str
    name: str | None
    grade: GradeNumber
    probability_of_default_12m: Probability
    low: Probability
    high: Probability
    confidence: Confidence
    basis: Basis
    score: float
    base_points: float
    calibration_points: float
    base_rate: Probability
    base_rate_of: Annotated[str, Field(description="The statement it is from: country, sector or both; empty: for all")]
    model_grade: GradeNumber
    capped: bool
    grade_without_adjustment: GradeNumber
    grade_without_overrides: GradeNumber
    adjustment: AdjustmentShape | None
    overrides: list[OverrideShape]
    reasons: list[ReasonShape]
    weights: Annotated[dict[str, float], Field(description="By how much each block counts")]
    doubts: list[str]
    period_end: date | None
    scores: Annotated[dict[str, float | None], Field(description="Altman, Zmijewski, Piotroski of the newest accounts")]
    models: Annotated[dict[str, str], Field(description="Versions of the models")]
    history: list[PointShape]


@api.get("/grades", auth=READ, response=GradesAnswer, operation_id="listGrades", tags=GRADES, summary="The grades of all buyers")
def grades(request: HttpRequest, words: Query[GradesWords]) -> HttpResponse:
    """One row per buyer of whom the ledger holds anything."""
    book, offset = page_of(request, words)
    rows = grading.graded(book)
    if words.grade:
        rows = rows.filter(compute.is_in(rows["grade"], pa.array(words.grade, pa.int8())))
    if words.overridden_only:
        rows = rows.filter(compute.greater(compute.list_value_length(rows["overrides"]), 0))
    if words.sort == "risk":
        keys: Any = [("probability_of_default_12m", "descending"), ("buyer_id", "ascending")]
        rows = rows.take(compute.sort_indices(rows, keys))
    page, following = with_next(book, offset, words.limit, rows.slice(offset, words.limit + 1).to_pylist())
    return reply(request, book, total=rows.num_rows, next=following, rows=page)


class GradeWords(At):
    """From where, and how far back."""

    months: int = Field(0, ge=0, le=MOST_MONTHS, description="So many month-ends of history")


@api.get(
    "/buyers/{key:buyer_id}/grade",
    auth=READ,
    response=GradeAnswer,
    operation_id="getGrade",
    tags=GRADES,
    summary="One buyer's grade, explained",
)
def grade(request: HttpRequest, buyer_id: str, words: Query[GradeWords]) -> HttpResponse:
    """With every factor's points, hard overrides, adjustments and what is missing."""
    book = book_for(request, words)
    try:
        one = grading.grade(book, buyer_id, months=words.months)
    except BuyerUnknownError:
        raise Problem(404, "fact_unknown", kind="buyers", key=buyer_id) from None
    told = {name: value for name, value in one.data().items() if name in GradeAnswer.model_fields}
    told["overrides"] = [
        {
            **{name: getattr(override, name) for name in ("code", "grade", "since", "currency", "text")},
            "amount": decimal_string(override.amount_minor, override.currency) if override.currency and override.amount_minor is not None else None,
        }
        for override in one.overrides
    ]  # fmt: skip
    return reply(request, book, **told)
