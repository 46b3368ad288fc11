"""/api/v1: the clocks of a buyer's unpaid debts, and of any debt one describes."""

# ruff: noqa: TC002, TC003 — the annotations are read when the program runs

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Schema
from pydantic import Field

from duecourse.desk.clock_trial import Trial, event_of, tried
from duecourse.desk.clocks import clocks_of, own_country, plain
from duecourse.errors import DuecourseError
from duecourse.messages import say
from duecourse.web.api.application import api
from duecourse.web.api.auth import needs
from duecourse.web.api.problems import Problem
from duecourse.web.api.reading import At, book_for, reply
from duecourse.web.api.shapes import Answer

if TYPE_CHECKING:
    from duecourse.cover.deadlines.clock import Clock

TAGS: Final = ["Recovery"]
READ: Final = needs("read")
Code = Annotated[str, Field(pattern=r"^([A-Za-z]{2,3})?$", examples=["CN"])]


class ClockEvent(Schema):
    """Something that happened, and what it does to the clock."""

    kind: Annotated[str, Field(examples=["demand"])]
    on: date
    received_on: date | None
    proof: Annotated[str | None, Field(description="SHA-256 of the document, or the ledger's own record; null = nothing proves it")]
    party: str | None
    effect: Literal["restarts", "extends", "conditional", "stops", "meets", "revives", "none"]
    why: str
    end: Annotated[date | None, Field(description="The period's last day after it")]


class ClockAlarm(Schema):
    """A day on which it is to be brought up."""

    days: int
    on: date


class ClockShape(Schema):
    """One period that runs, ran out or was kept."""

    code: Annotated[str, Field(examples=["limitation", "guarantee_period", "insurer_notice"])]
    state: Literal["running", "stopped", "met", "ended", "unknown"]
    starts_on: date | None
    ends_on: Annotated[date | None, Field(description="Last day; null = not known")]
    ends_on_proven: Annotated[date | None, Field(description="Last day by what is proven alone, where that is earlier")]
    act_by: Annotated[date | None, Field(description="The last working day on which to act in time")]
    days_left: int | None
    alarm: Annotated[int | None, Field(description="The tightest alarm that was reached, -1 once act_by passed")]
    alarms: list[ClockAlarm]
    country: str
    law: str
    stops: Annotated[list[str], Field(description="Kinds of events that would stop it, keep it or begin it anew")]
    confidence: Literal["H", "M", "L"]
    provisional: Annotated[bool, Field(description="It rests on holidays that are not announced yet")]
    warnings: list[str]
    about: Annotated[dict[str, Any], Field(description="Invoice, security, party")]
    events: list[ClockEvent]


class ClocksAnswer(Answer):
    """The clocks of a buyer, the most pressing first. Not legal advice."""

    buyer_id: str
    not_legal_advice: str
    clocks: list[ClockShape]


class TriedAnswer(Answer):
    """The clocks of a debt one described. Not legal advice; nothing was kept."""

    not_legal_advice: str
    clocks: list[ClockShape]


class ClockWords(At):
    """Which invoices."""

    invoice: list[str] = Field([], max_length=500, description="Invoice numbers; without any, all that are due and not paid")


class TriedWords(At):
    """A debt as one describes it."""

    country: Annotated[Code, Field(description="Of the law the debt is under")]
    due_date: Annotated[list[date], Field(min_length=1, max_length=60, description="Due date; of a debt by instalments every one")]
    event: list[str] = Field(
        [], max_length=100, description="KIND:DAY or KIND:SENT:RECEIVED; a received day of ? is not known", examples=[["demand:2021-05-01"]]
    )
    subject: Literal["goods", "services", "works"] | None = None
    own_country: Annotated[Code, Field(description="The creditor's; without it the firm's")] = ""
    debtor_country: Code = ""
    guarantee: Literal["joint", "general"] | None = None
    guarantee_until: date | None = None


def _told(clock: Clock, on: date) -> dict[str, Any]:
    """A clock with its sentences in the language of the answer."""
    told = plain(clock, on)
    told["law"], told["warnings"] = clock.law.words(), [one.words() for one in clock.warnings]
    for row, one in zip(told["events"], clock.events, strict=True):
        row["why"] = one.why.words()
    return told


@api.get(
    "/buyers/{key:buyer_id}/clocks",
    auth=READ,
    response=ClocksAnswer,
    operation_id="getClocks",
    tags=TAGS,
    summary="The clocks of a buyer's unpaid debts",
)
def buyer_clocks(request: HttpRequest, buyer_id: str, words: Query[ClockWords]) -> HttpResponse:
    """Limitation, guarantees, proceedings, our own duties: each with law, events, end and the day to act."""
    book = book_for(request, words)
    if not book.about(buyer_id)["buyer"].num_rows:
        raise Problem(404, "fact_unknown", kind="buyers", key=buyer_id)
    found = clocks_of(book, buyer_id, words.invoice or None)
    return reply(request, book, buyer_id=buyer_id, not_legal_advice=say("legal.not_advice"), clocks=[_told(one, book.on) for one in found])


@api.get("/clocks", auth=READ, response=TriedAnswer, operation_id="calculateClocks", tags=TAGS, summary="The clocks of any debt")
def any_clocks(request: HttpRequest, words: Query[TriedWords]) -> HttpResponse:
    """The calculator: nothing is kept."""
    book = book_for(request, words)
    own = words.own_country or own_country(book.settings)
    try:
        trial = Trial(
            words.country, tuple(words.due_date), tuple(event_of(one) for one in words.event), words.subject, own, words.debtor_country, words.guarantee,
            words.guarantee_until,
        )  # fmt: skip
        found = tried(trial, book.on)
    except DuecourseError as error:
        raise Problem(422, "invalid", detail=error.message(), more={"reason": error.code}) from None
    return reply(request, book, not_legal_advice=say("legal.not_advice"), clocks=[_told(one, book.on) for one in found])
