"""/api/v1/cases and /tasks: debts that were not paid, what is to be done, and what people write down."""

# ruff: noqa: TC001, TC002, TC003 — the annotations are read when the program runs

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Final, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Schema
from pydantic import ConfigDict, Field

from duecourse.errors import AmountInexactError, CurrencyUnknownError
from duecourse.ledger.book import Book
from duecourse.messages import say
from duecourse.money import NO_CURRENCY, decimal_string, to_minor
from duecourse.web import books
from duecourse.web.api.application import api
from duecourse.web.api.auth import needs
from duecourse.web.api.idempotency import key_of, once
from duecourse.web.api.problems import Problem
from duecourse.web.api.reading import sent
from duecourse.web.cases import acting
from duecourse.web.cases.acting import BY_HAND
from duecourse.web.cases.models import RESULTS, STATES, Case, Task
from duecourse.web.cases.wording import task_words
from duecourse.web.notices.telling import seen_by
from duecourse.web.refusals import NotNowError

TAGS: Final = ["Cases"]
READ: Final = needs("read")
ACT: Final = needs("note")
LOOKED_THROUGH: Final = 5_000
Money = Annotated[str, Field(description="Decimal string, in `currency`", examples=["250000.00"])]


class TaskAnswer(Schema):
    """One thing to be done."""

    task_id: int
    case_id: str
    buyer_id: str
    code: Annotated[str, Field(description="Step of the playbook", examples=["P02"])]
    text: str
    due_on: date
    state: Annotated[str, Field(description="open, done, skipped, dropped (not called for any more)")]
    done_on: date | None
    waiting_cost: Annotated[
        Money | None, Field(description="What one more day of waiting costs in this case; null while the firm has no base currency")
    ]
    currency: Annotated[str, Field(description="Base currency; XXX while none is set")]


class CaseInvoiceAnswer(Schema):
    """One invoice of a case."""

    invoice_id: str
    instalment: int
    due_date: date
    currency: str
    open: Money
    left_on: date | None


class CaseAnswer(Schema):
    """One case."""

    case_number: int
    case_id: str
    buyer_id: str
    state: str
    phase: str
    opened_on: date
    overdue: Annotated[Money | None, Field(description="Null while the firm has no base currency: add up `invoices`, currency by currency")]
    waiting_cost: Money | None
    currency: Annotated[str, Field(description="Base currency; XXX while none is set")]
    oldest_due_date: date
    next_on: date | None
    owner: str | None
    paused_until: date | None
    closed_on: date | None
    result: str | None
    recovered: Money | None
    invoices: list[CaseInvoiceAnswer]


class CaseList(Schema):
    """A page of cases, newest first."""

    rows: list[CaseAnswer]
    next: str | None


class TaskList(Schema):
    """What is to be done, first where a day of waiting costs most."""

    rows: list[TaskAnswer]


class CaseWords(Schema):
    """Which cases."""

    state: Annotated[Literal[STATES] | None, Field(description="Only those that stand so")] = None  # type: ignore[valid-type]
    buyer_id: Annotated[str | None, Field(max_length=255)] = None
    owner: Annotated[str | None, Field(max_length=150, description="A user name")] = None
    limit: int = Field(50, ge=1, le=500, description="Rows of a page")
    cursor: str | None = Field(None, max_length=60, description="`next` of the page before")


class TaskWords(Schema):
    """Which tasks."""

    due_by: Annotated[date | None, Field(description="Due on this day or before; by default the day the app shows")] = None
    limit: int = Field(100, ge=1, le=1000)


def _book(request: HttpRequest) -> Book:
    ledger = books.ledger()
    return ledger.as_of(books.day_of(ledger)).limited(request.user.scope)  # type: ignore[union-attr]


def _in_base(minor: int, case: Case) -> str | None:
    return None if case.currency == NO_CURRENCY else decimal_string(minor, case.currency)


def _told(one: Case) -> dict[str, Any]:
    return {
        "case_number": one.pk, "case_id": one.case_id, "buyer_id": one.buyer_id, "state": one.state, "phase": one.phase, "opened_on": one.opened_on,
        "overdue": _in_base(one.overdue_minor, one), "waiting_cost": _in_base(one.waiting_minor, one), "currency": one.currency,
        "oldest_due_date": one.oldest_due_on, "next_on": one.next_on, "owner": one.owner.username if one.owner else None, "paused_until": one.paused_until,
        "closed_on": one.closed_on, "result": one.result or None,
        "recovered": None if one.recovered_minor is None else _in_base(one.recovered_minor, one),
        "invoices": [
            {
                "invoice_id": row.invoice_id, "instalment": row.instalment, "due_date": row.due_on, "currency": row.currency,
                "open": decimal_string(row.open_minor, row.currency), "left_on": row.left_on,
            }
            for row in one.invoices.all()
        ],
    }  # fmt: skip


def _seen(book: Book, buyers: set[str]) -> frozenset[str] | set[str]:
    return seen_by(book, book.scope, sorted(buyers)) if book.scope.restricts and buyers else buyers


@api.get("/cases", auth=READ, response=CaseList, operation_id="listCases", tags=TAGS, summary="Cases, newest first")
def list_cases(request: HttpRequest, words: Query[CaseWords]) -> HttpResponse:
    """Cases of buyers the caller may see, as they are now."""
    rows = Case.objects.select_related("owner").prefetch_related("invoices").order_by("-id")
    rows = rows.filter(**{name: value for name in ("state", "buyer_id") if (value := getattr(words, name))})
    if words.owner:
        rows = rows.filter(owner__username=words.owner)
    if words.cursor:
        rows = rows.filter(pk__lt=_before(words.cursor))
    book = _book(request)
    found = list(rows[: LOOKED_THROUGH if book.scope.restricts else words.limit + 1])
    seen = _seen(book, {one.buyer_id for one in found})
    found = [one for one in found if one.buyer_id in seen]
    more = len(found) > words.limit
    found = found[: words.limit]
    following = base64.urlsafe_b64encode(f"before {found[-1].pk}".encode()).decode().rstrip("=") if more else None
    return sent(request, {"rows": [_told(one) for one in found], "next": following})


def _before(cursor: str) -> int:
    try:
        word, _space, number = base64.urlsafe_b64decode(cursor.encode("ascii") + b"==").decode().partition(" ")
    except (ValueError, UnicodeError):
        raise Problem(422, "cursor_unreadable") from None
    if word != "before" or not number.isascii() or not number.isdecimal() or len(number) > 18:
        raise Problem(422, "cursor_unreadable")
    return int(number)


@api.get("/tasks", auth=READ, response=TaskList, operation_id="listTasks", tags=TAGS, summary="What is to be done")
def list_tasks(request: HttpRequest, words: Query[TaskWords]) -> HttpResponse:
    """Open tasks of cases that do not rest, first where a day of waiting costs most."""
    book = _book(request)
    due = Task.objects.filter(state="open", case__state="open", due_on__lte=words.due_by or book.on).select_related("case")
    rows = list(due.order_by("-case__waiting_minor", "due_on", "pk")[: LOOKED_THROUGH if book.scope.restricts else words.limit])
    seen = _seen(book, {one.case.buyer_id for one in rows})
    told = [
        {
            "task_id": one.pk, "case_id": one.case.case_id, "buyer_id": one.case.buyer_id, "code": one.code, "text": task_words(book, one, one.case.country),
            "due_on": one.due_on, "state": one.state, "done_on": one.done_on, "waiting_cost": _in_base(one.case.waiting_minor, one.case),
            "currency": one.case.currency,
        }
        for one in rows
        if one.case.buyer_id in seen
    ]  # fmt: skip
    return sent(request, {"rows": told[: words.limit]})


def _found(request: HttpRequest, number: int) -> tuple[Book, Case]:
    book = _book(request)
    one = Case.objects.select_related("owner").filter(pk=number).first()
    if one is None or one.buyer_id not in _seen(book, {one.buyer_id}):
        raise Problem(404, "fact_unknown", kind="cases", key=str(number))
    return book, one


@api.get("/cases/{int:number}", auth=READ, response=CaseAnswer, operation_id="getCase", tags=TAGS, summary="One case")
def get_case(request: HttpRequest, number: int) -> HttpResponse:
    """As it is now."""
    return sent(request, _told(_found(request, number)[1]))


class Opened(Schema):
    """Of whom."""

    model_config = ConfigDict(extra="forbid")

    buyer_id: Annotated[str, Field(max_length=255)]
    note: Annotated[str, Field(max_length=1000)] = ""


class Wrote(Schema):
    """What happened."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal[BY_HAND]  # type: ignore[valid-type]
    on: date
    received_on: Annotated[date | None, Field(description="When it reached the other side, where that is proven")] = None
    due_on: Annotated[
        date | None,
        Field(description="The day it names: a bill's maturity, the last day for claims, until when a judgment is to be obeyed"),
    ] = None
    party: Annotated[str, Field(max_length=200)] = ""
    reference: Annotated[str, Field(max_length=200, description="Case number, tracking number, number of the bill")] = ""
    amount: Annotated[str | None, Field(description="Decimal string", max_length=40)] = None
    currency: Annotated[str, Field(max_length=3)] = ""
    proof: Annotated[str, Field(max_length=64, description="SHA-256 of the document that proves it")] = ""
    note: Annotated[str, Field(max_length=1000)] = ""


class Promised(Schema):
    """How much, by when, by whom."""

    model_config = ConfigDict(extra="forbid")

    amount: Annotated[str, Field(description="Decimal string", max_length=40)]
    currency: Annotated[str, Field(max_length=3)]
    promised_on: date
    by: Annotated[str, Field(max_length=200)] = ""


class Ended(Schema):
    """With which result."""

    model_config = ConfigDict(extra="forbid")

    result: Literal[RESULTS]  # type: ignore[valid-type]
    recovered: Annotated[str | None, Field(description="Decimal string in the case's currency; null = worked out", max_length=40)] = None
    note: Annotated[str, Field(max_length=1000)] = ""


def _minor(text: str, currency: str) -> int:
    try:
        return to_minor(Decimal(text), currency)
    except (AmountInexactError, CurrencyUnknownError, InvalidOperation):
        raise Problem(409, "conflict", detail=say("web.cases_amount_unreadable", value=text)) from None


def _mark(request: HttpRequest) -> str:
    return hashlib.sha256(f"{request.user.pk} {key_of(request)}".encode()).hexdigest()[:24]


def _acted(request: HttpRequest, number: int, work: Callable[[Book, str], Case]) -> HttpResponse:
    """Do something to a case under the request's Idempotency-Key, once."""
    book, _one = _found(request, number)
    mark = _mark(request)
    return once(request, lambda _batch: _done(request, lambda: work(book, mark)))


def _done(request: HttpRequest, work: Callable[[], Case]) -> HttpResponse:
    try:
        case = work()
    except NotNowError as error:
        args: dict[str, Any] = {name: f"{value}" for name, value in error.args_.items()}
        raise Problem(409, "conflict", detail=say(error.code, **args)) from None
    return sent(request, _told(Case.objects.select_related("owner").get(pk=case.pk)))


@api.post("/cases", auth=ACT, response=CaseAnswer, operation_id="openCase", tags=TAGS, summary="Open a case by hand")
def open_case(request: HttpRequest, body: Opened) -> HttpResponse:
    """Of a buyer who has something overdue; the open case where there is one."""
    book, mark = _book(request), _mark(request)
    if body.buyer_id not in _seen(book, {body.buyer_id}):
        raise Problem(404, "fact_unknown", kind="buyers", key=body.buyer_id)
    return once(request, lambda _batch: _done(request, lambda: acting.open_by_hand(request, book, body.buyer_id, body.note, mark)))


@api.post(
    "/cases/{int:number}/events", auth=ACT, response=CaseAnswer, operation_id="addCaseEvent", tags=TAGS, summary="Write down an event"
)
def add_event(request: HttpRequest, number: int, body: Wrote) -> HttpResponse:
    """A suit, an acknowledgement, a filing, a recovery; it goes into the ledger, and clocks rest on it."""
    amount = _minor(body.amount, body.currency) if body.amount else None
    return _acted(
        request, number,
        lambda book, mark: acting.happened(
            request, book, number, body.kind, body.on, mark, received_on=body.received_on, due_on=body.due_on, party=body.party, reference=body.reference,
            amount_minor=amount, currency=body.currency, proof=body.proof, text=body.note,
        ),
    )  # fmt: skip


@api.post(
    "/cases/{int:number}/promises",
    auth=ACT,
    response=CaseAnswer,
    operation_id="addPromise",
    tags=TAGS,
    summary="Write down a promise to pay",
)
def add_promise(request: HttpRequest, number: int, body: Promised) -> HttpResponse:
    """Judged by the money that comes in."""
    amount = _minor(body.amount, body.currency)
    return _acted(
        request, number, lambda book, mark: acting.promise(request, book, number, amount, body.currency, body.promised_on, body.by, mark)
    )


@api.post(
    "/cases/{int:number}/close", auth=ACT, response=CaseAnswer, operation_id="closeCase", tags=TAGS, summary="Close it with its result"
)
def close_case(request: HttpRequest, number: int, body: Ended) -> HttpResponse:
    """Writing off wants the right to decide."""
    recovered = None
    if body.recovered:
        recovered = _minor(body.recovered, _found(request, number)[1].currency)
    return _acted(request, number, lambda book, mark: acting.close(request, book, number, body.result, recovered, body.note, mark))
