"""/api/v1/alerts: who needs to be looked at and why; and what people do with an alert."""

# ruff: noqa: TC001, TC002, TC003 — the annotations are read when the program runs

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Schema
from pydantic import ConfigDict, Field

from duecourse.desk.alerting import policy
from duecourse.ledger.book import Book
from duecourse.messages import say
from duecourse.money import decimal_string
from duecourse.web import books
from duecourse.web.accounts.models import Person
from duecourse.web.api.application import api
from duecourse.web.api.auth import needs
from duecourse.web.api.idempotency import key_of, once
from duecourse.web.api.problems import Problem
from duecourse.web.api.reading import sent
from duecourse.web.notices.telling import seen_by
from duecourse.web.refusals import NotNowError
from duecourse.web.watch import acting
from duecourse.web.watch.models import SEVERITIES, STATES, VERDICTS, Alert
from duecourse.web.watch.wording import reason_sentence

TAGS: Final = ["Alerts"]
READ: Final = needs("read")
ACT: Final = needs("note")
LOOKED_THROUGH: Final = 5_000
"""Of somebody who sees a part of the book so many alerts are looked through for a page."""
Money = Annotated[str, Field(description="Decimal string, in `currency`", examples=["250000.00"])]


class AlertReason(Schema):
    """Why, as it was when the reason came."""

    code: Annotated[str, Field(description="An indicator, a kind of signal, or grade_fall", examples=["PAY01", "insolvency"])]
    family: str
    on: date
    text: str


class AlertAnswer(Schema):
    """One alert."""

    alert_id: int
    buyer_id: str
    state: Annotated[str, Field(description="open, closed (by a person, with a verdict) or cleared (by itself)")]
    severity: Annotated[str, Field(description="red or amber: the highest it has been")]
    opened_on: date
    raised_on: Annotated[date, Field(description="The last day on which it grew worse or got a new reason")]
    probability_6m: Annotated[float | None, Field(description="Of default within six months, a fraction: the highest it has been")]
    rule_score: Annotated[float | None, Field(description="0 to 100: the highest it has been")]
    in_default_since: Annotated[
        date | None, Field(description="Since when the buyer is in default by your definition: then no default is to come any more")
    ]
    exposure: Money
    covered: Annotated[Money, Field(description="Of the exposure what an insurer bears")]
    currency: str
    days_past_due: int
    reasons: list[AlertReason]
    suggested: Annotated[list[str], Field(description="What the policy suggests, most called for first", examples=[["call", "cut_limit"]])]
    assignee: Annotated[str | None, Field(description="User name of who has it")]
    acknowledged_at: datetime | None
    snoozed_until: date | None
    closed_on: date | None
    verdict: Annotated[str | None, Field(description="true, false or known")]
    decision_id: str | None
    policy: str


class AlertList(Schema):
    """A page of alerts, newest first."""

    rows: list[AlertAnswer]
    next: str | None


class AlertWords(Schema):
    """Which alerts."""

    state: Annotated[Literal[STATES] | None, Field(description="Only those that stand so")] = None  # type: ignore[valid-type]
    severity: Literal[SEVERITIES] | None = None  # type: ignore[valid-type]
    buyer_id: Annotated[str | None, Field(max_length=255)] = None
    assignee: Annotated[str | None, Field(max_length=150, description="A user name")] = None
    limit: int = Field(50, ge=1, le=500, description="Rows of a page")
    cursor: str | None = Field(None, max_length=60, description="`next` of the page before")


def _book(request: HttpRequest) -> Book:
    """The book of the day the app shows, limited to what the caller may see. Alerts are as they are now, whatever the day."""
    ledger = books.ledger()
    return ledger.as_of(books.day_of(ledger)).limited(request.user.scope)  # type: ignore[union-attr]


def _told(book: Book, one: Alert) -> dict[str, Any]:
    rules = policy(book)
    return {
        "alert_id": one.pk, "buyer_id": one.buyer_id, "state": one.state, "severity": one.severity, "opened_on": one.opened_on,
        "raised_on": one.raised_on, "probability_6m": one.probability, "rule_score": one.rule_score, "in_default_since": one.in_default_since,
        "exposure": decimal_string(one.exposure_minor, one.currency), "covered": decimal_string(one.covered_minor, one.currency),
        "currency": one.currency, "days_past_due": one.days_past_due,
        "reasons": [{"code": each["code"], "family": each["family"], "on": each["on"], "text": reason_sentence(each, one.currency)} for each in one.reasons],
        "suggested": rules.acts({each["code"]: each["family"] for each in one.reasons}), "assignee": one.assignee.username if one.assignee else None,
        "acknowledged_at": one.acknowledged_at, "snoozed_until": one.snoozed_until, "closed_on": one.closed_on, "verdict": one.verdict or None,
        "decision_id": one.decision_id or None, "policy": one.policy,
    }  # fmt: skip


@api.get("/alerts", auth=READ, response=AlertList, operation_id="listAlerts", tags=TAGS, summary="Alerts, newest first")
def list_alerts(request: HttpRequest, words: Query[AlertWords]) -> HttpResponse:
    """Alerts of buyers the caller may see, as they are now."""
    rows = Alert.objects.select_related("assignee").order_by("-id")
    rows = rows.filter(**{name: value for name in ("state", "severity", "buyer_id") if (value := getattr(words, name))})
    if words.assignee:
        rows = rows.filter(assignee__username=words.assignee)
    if words.cursor:
        rows = rows.filter(pk__lt=_before(words.cursor))
    book = _book(request)
    found: list[Alert] = list(rows[: LOOKED_THROUGH if book.scope.restricts else words.limit + 1])
    if book.scope.restricts and found:
        seen = seen_by(book, book.scope, sorted({one.buyer_id for one in found}))
        found = [one for one in found if one.buyer_id in seen]
    more = len(found) > words.limit
    found = found[: words.limit]
    following = base64.urlsafe_b64encode(f"before {found[-1].pk}".encode()).decode().rstrip("=") if more else None
    return sent(request, {"rows": [_told(book, one) for one in found], "next": following})


def _before(cursor: str) -> int:
    try:
        text = base64.urlsafe_b64decode(cursor.encode("ascii") + b"==").decode()
        word, _space, number = text.partition(" ")
        if word != "before" or not number.isascii() or not number.isdecimal() or len(number) > 18:
            raise Problem(422, "cursor_unreadable")
        return int(number)
    except (ValueError, UnicodeError):
        raise Problem(422, "cursor_unreadable") from None


def _found(request: HttpRequest, number: int) -> tuple[Book, Alert]:
    book = _book(request)
    one = Alert.objects.select_related("assignee").filter(pk=number).first()
    if one is None or (book.scope.restricts and one.buyer_id not in seen_by(book, book.scope, [one.buyer_id])):
        raise Problem(404, "fact_unknown", kind="alerts", key=str(number))
    return book, one


@api.get("/alerts/{int:number}", auth=READ, response=AlertAnswer, operation_id="getAlert", tags=TAGS, summary="One alert")
def get_alert(request: HttpRequest, number: int) -> HttpResponse:
    """As it is now."""
    return sent(request, _told(*_found(request, number)))


class Assigned(Schema):
    """To whom."""

    model_config = ConfigDict(extra="forbid")

    assignee: Annotated[
        str | None, Field(max_length=150, description="User name of somebody who works alerts and sees the buyer; null = nobody")
    ]


class Snoozed(Schema):
    """Until when."""

    model_config = ConfigDict(extra="forbid")

    until: Annotated[date, Field(description="At most 90 days ahead; growing worse ends it before")]
    note: Annotated[str, Field(max_length=1000)] = ""


class Noted(Schema):
    """What was found out."""

    model_config = ConfigDict(extra="forbid")

    note: Annotated[str, Field(min_length=1, max_length=1000)]


class Closed(Schema):
    """What came of it."""

    model_config = ConfigDict(extra="forbid")

    verdict: Annotated[
        Literal[VERDICTS],  # type: ignore[valid-type]
        Field(description="true: right and new to us; false: wrong, wants a note; known: right, and known before"),
    ]
    note: Annotated[str, Field(max_length=1000)] = ""


def _acted(request: HttpRequest, number: int, work: Callable[[Book, str], Alert]) -> HttpResponse:
    """Do something to an alert under the request's Idempotency-Key: what names the deed comes from it, so that it is done once."""
    book, _one = _found(request, number)
    mark = hashlib.sha256(f"{request.user.pk} {key_of(request)}".encode()).hexdigest()[:24]

    def act(_batch: str) -> HttpResponse:
        try:
            work(book, mark)
        except NotNowError as error:
            args: dict[str, Any] = {name: f"{value}" for name, value in error.args_.items()}
            raise Problem(409, "conflict", detail=say(error.code, **args)) from None
        return sent(request, _told(*_found(request, number)))

    return once(request, act)


@api.post(
    "/alerts/{int:number}/acknowledge",
    auth=ACT,
    response=AlertAnswer,
    operation_id="acknowledgeAlert",
    tags=TAGS,
    summary="Somebody looks at it",
)
def acknowledge(request: HttpRequest, number: int) -> HttpResponse:
    """It is not escalated any more."""
    return _acted(request, number, lambda book, _mark: acting.acknowledge(request, book, number))


@api.post(
    "/alerts/{int:number}/assign", auth=ACT, response=AlertAnswer, operation_id="assignAlert", tags=TAGS, summary="Give it to somebody"
)
def assign(request: HttpRequest, number: int, body: Assigned) -> HttpResponse:
    """Whoever gets it is told, by the way they chose."""
    person = Person.objects.filter(username=body.assignee).first() if body.assignee else None
    if body.assignee and person is None:
        raise Problem(409, "conflict", detail=say("web.watch_cannot_have"))
    return _acted(request, number, lambda book, mark: acting.assign(request, book, number, person.pk if person else None, mark))


@api.post(
    "/alerts/{int:number}/snooze", auth=ACT, response=AlertAnswer, operation_id="snoozeAlert", tags=TAGS, summary="Let it rest until a day"
)
def snooze(request: HttpRequest, number: int, body: Snoozed) -> HttpResponse:
    """It comes back by itself on that day, or before when it grows worse."""
    return _acted(request, number, lambda book, mark: acting.snooze(request, book, number, body.until, body.note, mark))


@api.post(
    "/alerts/{int:number}/notes",
    auth=ACT,
    response=AlertAnswer,
    operation_id="noteAlert",
    tags=TAGS,
    summary="Write down what was found out",
)
def note(request: HttpRequest, number: int, body: Noted) -> HttpResponse:
    """Stands in the alert's history."""
    return _acted(request, number, lambda book, mark: acting.note(request, book, number, body.note, mark))


@api.post(
    "/alerts/{int:number}/close", auth=ACT, response=AlertAnswer, operation_id="closeAlert", tags=TAGS, summary="Close it with a verdict"
)
def close(request: HttpRequest, number: int, body: Closed) -> HttpResponse:
    """The verdict goes into the ledger as a decision."""
    return _acted(request, number, lambda book, mark: acting.close(request, book, number, body.verdict, body.note, mark))
