"""/api/v1/order-checks: may this order ship, and keep its headroom until it does."""

# ruff: noqa: TC002, TC003 — the annotations are read when the program runs

from __future__ import annotations

import base64
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Schema
from pydantic import ConfigDict, Field

from duecourse.money import decimal_string, to_minor
from duecourse.web.api.application import api
from duecourse.web.api.auth import needs
from duecourse.web.api.idempotency import digest_of, key_of
from duecourse.web.api.problems import Problem
from duecourse.web.api.reading import sent
from duecourse.web.orders import acts, answers, picture, seeing, taking
from duecourse.web.orders.models import STATES, OrderCheck

if TYPE_CHECKING:
    from collections.abc import Mapping

TAGS: Final = ["Order checks"]
CHECK: Final = needs("check")
READ: Final = needs("read")
MOST_MINOR: Final = 10**17

Text = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]+$")]
Amount = Annotated[str, Field(description="Decimal string, in `currency`", pattern=r"^[0-9]{1,18}(\.[0-9]{1,6})?$", examples=["12500.00"])]
Money = Annotated[str | None, Field(description="Decimal string, in the account's `currency`", examples=["12500.00"])]


class OrderAsked(Schema):
    """An order that wants to ship on credit."""

    model_config = ConfigDict(extra="forbid")

    order_id: Annotated[
        Text, Field(description="The number under which the order, or its invoice's `order_number`, comes into the ledger later")
    ]
    buyer_id: Text
    amount: Annotated[Amount, Field(description="What will be billed, tax included")]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$", examples=["CNY"])]
    payer_id: Annotated[Text | None, Field(description="Who will owe it, where that is another account")] = None
    legal_entity: Annotated[Text | None, Field(description="Which of our companies sells")] = None
    payment_terms_days: Annotated[int | None, Field(ge=0, le=3650)] = None
    reserve: Annotated[bool, Field(description="Keep the headroom if the order may ship; false = only ask, nothing is kept")] = True


class CheckReason(Schema):
    """Why, and what would release it."""

    code: Annotated[str, Field(examples=["over_limit"])]
    holds: Annotated[bool, Field(description="It holds the order; else it is a note")]
    account: Annotated[str, Field(description="Whose limit, block or debt it is", examples=["buyer:10001", "group:G7", "guarantor:10002"])]
    text: str
    cure: Annotated[str, Field(examples=["pay_or_raise"])]
    cure_text: str
    args: dict[str, Any]


class CheckAccount(Schema):
    """One account the order was held against, as it stood before the order."""

    account: str
    kind: Literal["buyer", "group", "guarantor"]
    name: str | None
    currency: str
    limit: Money
    valid_to: date | None
    receivables: Money
    released_not_invoiced: Money
    reserved: Annotated[Money, Field(description="Held for orders the ledger does not have yet")]
    this_order: Money
    used: Annotated[Money, Field(description="receivables + released_not_invoiced + reserved + this_order")]
    available_before: Money
    used_base: Annotated[str | None, Field(description="`used` in the base currency; null without a rate")]


class CheckData(Schema):
    """How fresh the facts were."""

    ledger_version: int
    as_of: date
    known_at: Annotated[datetime, Field(description="When the ledger last learnt anything, at that version")]
    age_seconds: int


class OrderAnswer(Schema):
    """The answer. The same request under the same key gives it again."""

    check_id: Annotated[str | None, Field(description="null where nothing was kept")]
    order_id: str
    buyer_id: str
    payer_id: str | None
    legal_entity: str | None
    amount: str
    currency: str
    payment_terms_days: int | None
    outcome: Literal["release", "release_with_note", "hold"]
    state: Annotated[str | None, Field(description="reserved, held or simulated; null where nothing was kept")]
    simulation: Annotated[bool, Field(description="Simulation mode: answered and recorded, no headroom kept")]
    reserved_until: Annotated[datetime | None, Field(description="Confirm by then, or the headroom comes back")]
    reasons: list[CheckReason]
    accounts: list[CheckAccount]
    base_currency: str
    rules: Annotated[str, Field(description="Version of the rules")]
    decided_at: datetime
    data: CheckData


class CheckState(Schema):
    """How a check stands now."""

    check_id: str
    order_id: str
    state: Annotated[str, Field(description=", ".join(STATES))]
    held_amount: Annotated[str, Field(description="Part of the order its headroom is kept for", examples=["12500.00"])]
    currency: str
    expires_at: datetime | None
    changed_at: datetime


class CheckNow(Schema):
    """A check: how it stands, and what was answered."""

    now: CheckState
    answer: OrderAnswer


class CheckList(Schema):
    """A page of checks, newest first."""

    rows: list[CheckNow]
    next: str | None


class CheckWords(Schema):
    """Which checks."""

    state: Annotated[Literal[STATES] | None, Field(description="Only those that stand so")] = None  # type: ignore[valid-type]
    buyer_id: Annotated[str | None, Field(max_length=200)] = None
    order_id: Annotated[str | None, Field(max_length=200)] = None
    limit: int = Field(50, ge=1, le=500, description="Rows of a page")
    cursor: str | None = Field(None, max_length=60, description="`next` of the page before")

    BEFORE: ClassVar[bytes] = b"before "


def _drawn() -> picture.Drawn:
    try:
        return picture.drawn()
    except picture.AccountsNotReadyError:
        raise Problem(503, "accounts_not_drawn") from None


@api.post(
    "/order-checks", auth=CHECK, response={200: OrderAnswer, 201: OrderAnswer}, operation_id="checkOrder", tags=TAGS,
    summary="May this order ship? Keep its headroom",
    description="With `reserve` it needs an Idempotency-Key and answers 201; a held order is an answer, not an error. Confirm when the order goes out, cancel when it does not.",
)  # fmt: skip
def check_order(request: HttpRequest, order: OrderAsked) -> HttpResponse:
    """Exposure, reservations and this order against every limit that counts: the buyer's, the payer's, the group's, a guarantor's."""
    amount = to_minor(Decimal(order.amount), order.currency)
    if not 0 < amount < MOST_MINOR:
        raise Problem(422, "parameters_invalid", errors=[{"parameter": "amount", "detail": order.amount}])
    asked = taking.Asked(
        order.order_id, order.buyer_id, order.currency, amount, order.payer_id or "", order.legal_entity or "", order.payment_terms_days
    )
    if not seeing.sees(request.user, asked.buyer_id):
        raise Problem(404)
    # The answer is kept here and goes into the ledger as a decision: one more row in the trail, all in one chain, would queue every order up.
    request.in_trail = True  # type: ignore[attr-defined]
    drawn = _drawn()
    if not order.reserve:
        taken = taking.take("ask", asked, drawn)
        return _sent(request, answers.answered(taken, asked, drawn), drawn, 200)
    key, digest = key_of(request), digest_of(request)
    simulated = drawn.rules.simulation
    taken = taking.take("simulate" if simulated else "reserve", asked, drawn, person_id=request.user.pk, key=key, digest=digest)
    if taken.status == "answered":
        return _sent(request, answers.answered(taken, asked, drawn, simulated=simulated), drawn, 201)
    if taken.status in ("reused", "acted"):
        raise Problem(422, "idempotency_key_reused")
    row = OrderCheck.objects.select_related("rules").get(pk=taken.check_id)
    if taken.status == "replayed":
        response = _sent(request, answers.kept(row), drawn, 201)
        response["Idempotency-Replayed"] = "true"
        return response
    if answers.asked_of(row) != asked:  # it has its headroom, but for another amount or buyer
        raise Problem(409, "order_reserved", check=row.public_id, more={"check_id": row.public_id})
    return _sent(request, answers.kept(row), drawn, 200)


def _sent(request: HttpRequest, one: answers.Answered, drawn: picture.Drawn, status: int) -> HttpResponse:
    return sent(request, answers.plain_answer(one, drawn.base_currency), status)


def _found(request: HttpRequest, check_id: str) -> OrderCheck:
    try:
        row = acts.check_of(check_id)
    except acts.CheckUnknownError:
        raise Problem(404) from None
    if not seeing.sees(request.user, row.buyer_id):
        raise Problem(404)
    return row


def _told(state: Mapping[str, Any]) -> dict[str, Any]:
    return {**state, "held_amount": decimal_string(state["held_amount"], state["currency"])}


def _now(row: OrderCheck, base_currency: str) -> dict[str, Any]:
    return {"now": _told(acts.state_of(row)), "answer": answers.plain_answer(answers.kept(row), base_currency)}


@api.get("/order-checks", auth=READ, response=CheckList, operation_id="listOrderChecks", tags=TAGS, summary="Checks, newest first")
def list_checks(request: HttpRequest, words: Query[CheckWords]) -> HttpResponse:
    """Checks of buyers the caller may see."""
    rows = OrderCheck.objects.select_related("rules").order_by("-id")
    named = {name: value for name in ("state", "buyer_id", "order_id") if (value := getattr(words, name))}
    rows = rows.filter(**named)
    if words.cursor:
        rows = rows.filter(pk__lt=_before(words.cursor))
    found, more = seeing.page(request.user, rows, words.limit)
    base = _drawn().base_currency
    following = base64.urlsafe_b64encode(CheckWords.BEFORE + str(found[-1].pk).encode()).decode().rstrip("=") if more and found else None
    return sent(request, {"rows": [_now(row, base) for row in found], "next": following})


def _before(cursor: str) -> int:
    try:
        told = base64.urlsafe_b64decode(cursor.encode("ascii") + b"==")
        number = int(told.removeprefix(CheckWords.BEFORE))
        sane = told.startswith(CheckWords.BEFORE) and 0 < number < 2**62
    except (ValueError, UnicodeEncodeError):
        sane = False
    if not sane:
        raise Problem(422, "cursor_unreadable")
    return number


@api.get("/order-checks/{check_id}", auth=READ, response=CheckNow, operation_id="getOrderCheck", tags=TAGS, summary="One check")
def get_check(request: HttpRequest, check_id: str) -> HttpResponse:
    """How it stands now, and what was answered."""
    return sent(request, _now(_found(request, check_id), _drawn().base_currency))


@api.post(
    "/order-checks/{check_id}/confirm", auth=CHECK, response=CheckState, operation_id="confirmOrderCheck", tags=TAGS,
    summary="The order goes out: keep its headroom until the ledger has it",
)  # fmt: skip
def confirm(request: HttpRequest, check_id: str) -> HttpResponse:
    """A confirmed reservation does not run out. It ends when the order or its invoice is in the ledger, or by being cancelled."""
    return _acted(request, "confirm", check_id)


@api.post(
    "/order-checks/{check_id}/cancel", auth=CHECK, response=CheckState, operation_id="cancelOrderCheck", tags=TAGS,
    summary="The order does not go out: give its headroom back",
)  # fmt: skip
def cancel(request: HttpRequest, check_id: str) -> HttpResponse:
    """Of an order that is in the ledger nothing can be given back here: cancel it there."""
    return _acted(request, "cancel", check_id)


def _acted(request: HttpRequest, name: Literal["confirm", "cancel"], check_id: str) -> HttpResponse:
    row = _found(request, check_id)
    try:
        done = acts.act(name, row, person=request.user, key=key_of(request), digest=digest_of(request))  # type: ignore[arg-type]
    except acts.KeyReusedError:
        raise Problem(422, "idempotency_key_reused") from None
    except acts.NotPossibleError as error:
        raise Problem(409, "order_check_state", state=error.state, more={"state": error.state}) from None
    response = sent(request, _told(done.answer))
    if done.replayed:
        response["Idempotency-Replayed"] = "true"
    return response
