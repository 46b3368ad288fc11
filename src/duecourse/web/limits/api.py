"""/api/v1: limits, what is recommended and why, requests, and decisions made again."""

# ruff: noqa: TC001, TC002, TC003 — the annotations are read when the program runs

from __future__ import annotations

import hashlib
from datetime import date
from typing import Annotated, Any, Final

from django.http import HttpRequest, HttpResponse
from ninja import Query, Schema
from pydantic import ConfigDict, Field

from duecourse.decisions.wording import sentence
from duecourse.desk.limits import Ask, recommend, utilisation
from duecourse.desk.replay import replay
from duecourse.errors import AmountInexactError, BuyerUnknownError, DecisionUnknownError
from duecourse.money import decimal_string
from duecourse.web import books
from duecourse.web.api import shapes
from duecourse.web.api.amounts import Money
from duecourse.web.api.application import api
from duecourse.web.api.auth import needs
from duecourse.web.api.idempotency import key_of
from duecourse.web.api.problems import Problem
from duecourse.web.api.reading import At, Paged, book_for, page_of, reply, sent, whole_book, with_next
from duecourse.web.api.reads import BuyersFactsWords, list_facts
from duecourse.web.limits import deciding
from duecourse.web.limits.deciding import Wanted
from duecourse.web.limits.models import LimitRequest
from duecourse.web.limits.pages import minor_of
from duecourse.web.refusals import NotNowError

TAGS: Final = ["Limits"]
READ: Final = needs("read")
Decimal = Annotated[str | None, Field(description="Decimal string in units of the currency", examples=["250000.00"])]


class Limit(shapes.Source):
    """A limit as it was granted."""

    limit_id: str
    kind: str | None
    buyer_id: str | None
    group_id: str | None
    legal_entity: str | None
    amount: Money
    currency: str | None
    payment_terms_days: int | None
    valid_from: date | None
    valid_to: date | None
    review_on: date | None
    ended_on: date | None
    decision_id: str | None
    text: str | None


class LimitsAnswer(shapes.Page):
    """A page of limits."""

    rows: list[Limit]


@api.get("/limits", auth=READ, response=LimitsAnswer, operation_id="listLimits", tags=TAGS, summary="Limits ever granted")
def limits(request: HttpRequest, words: Query[BuyersFactsWords]) -> HttpResponse:
    """Newest first; one that ended after the day of the book has not ended."""
    return list_facts(request, words, "limits", Limit)


class Use(Schema):
    """How a buyer stands to its limit, in base currency."""

    buyer_id: str
    state: Annotated[str, Field(description="blocked, over, near, lapsed, unlimited or within")]
    limit: Decimal
    insurer_limit: Decimal
    exposure: str
    overdue: str
    headroom: Decimal
    utilisation: float | None


class UseAnswer(shapes.Page):
    """A page of buyers and their limits."""

    rows: list[Use]


@api.get("/limit-use", auth=READ, response=UseAnswer, operation_id="listLimitUse", tags=TAGS, summary="How limits are used")
def use(request: HttpRequest, words: Query[Paged]) -> HttpResponse:
    """Every buyer with a limit or anything at stake, most at stake first."""
    book, offset = page_of(request, words)
    table = utilisation(book).sort_by([("exposure", "descending"), ("buyer_id", "ascending")])
    base = book.base_currency

    def amount(minor: int | None) -> str | None:
        return None if minor is None else decimal_string(minor, base)

    found = [
        {
            "buyer_id": row["buyer_id"], "state": row["state"], "limit": amount(row["limit_minor"]), "insurer_limit": amount(row["insurer_minor"]),
            "exposure": amount(row["exposure"]), "overdue": amount(row["overdue"]), "headroom": amount(row["headroom_minor"]),
            "utilisation": row["utilisation"],
        }
        for row in table.slice(offset, words.limit + 1).to_pylist()
    ]  # fmt: skip
    rows, following = with_next(book, offset, words.limit, found)
    return reply(request, book, total=table.num_rows, next=following, rows=rows)


class Bound(Schema):
    """One bound of a limit."""

    name: str
    amount: Decimal
    active: bool
    missing: list[str]


class RecommendationAnswer(shapes.Answer):
    """What is recommended, every bound of it, and the reasons as sentences."""

    buyer_id: str
    currency: str
    amount: Decimal
    binding: str
    need: Decimal
    caps: list[Bound]
    payment_terms_days: int
    review_months: int
    missing: list[str]
    reasons: list[str]
    rules: Annotated[str, Field(description="Name of the rule set")]


class AskWords(At):
    """What to reckon with."""

    amount: str = Field("", max_length=20, description="Asked for, in the currency of the limit")
    expected_sales: str = Field("", max_length=20, description="Of a year, tax included; where there is no history")
    payment_terms_days: int | None = Field(None, ge=0, le=365)


@api.get(
    "/buyers/{key:buyer_id}/limit",
    auth=READ,
    response=RecommendationAnswer,
    operation_id="getRecommendedLimit",
    tags=TAGS,
    summary="How much a buyer may owe",
)
def recommended(request: HttpRequest, buyer_id: str, words: Query[AskWords]) -> HttpResponse:
    """Need, caps and the smallest of them."""
    book = book_for(request, words)
    try:
        advice = recommend(book, buyer_id)
        currency = advice.known.currency
        ask = Ask(
            currency,
            _minor(words.amount, currency, "amount"),
            words.payment_terms_days,
            _minor(words.expected_sales, currency, "expected_sales"),
        )
        advice = recommend(book, buyer_id, ask)
    except BuyerUnknownError:
        raise Problem(404, "fact_unknown", kind="buyers", key=buyer_id) from None
    found = advice.recommended

    def amount(minor: int | None) -> str | None:
        return None if minor is None else decimal_string(minor, currency)

    return reply(
        request, book, buyer_id=buyer_id, currency=currency, amount=amount(found.amount_minor), binding=found.binding, need=amount(found.need.amount_minor),
        caps=[{"name": cap.name, "amount": amount(cap.amount_minor), "active": cap.active, "missing": list(cap.missing)} for cap in found.caps],
        payment_terms_days=found.payment_terms_days, review_months=found.review_months, missing=list(found.missing),
        reasons=[sentence(one, currency) for one in found.reasons], rules=found.rules_version,
    )  # fmt: skip


def _minor(text: str, currency: str, field: str) -> int | None:
    try:
        return minor_of(text, currency)
    except (ValueError, AmountInexactError):
        raise Problem(
            422, "rows_invalid", errors=[{"pointer": f"/{field}", "row": 0, "field": field, "code": "wrong_form", "message": text}]
        ) from None


class LimitAsked(Schema):
    """A limit somebody asks for. A stop and its end are asked for on the page."""

    model_config = ConfigDict(extra="forbid")

    amount: Annotated[str, Field(pattern=r"^[0-9]{1,13}(\.[0-9]{1,4})?$", examples=["250000.00"])]
    reason: Annotated[str, Field(min_length=1, max_length=1000)]
    payment_terms_days: Annotated[int | None, Field(ge=0, le=365)] = None
    valid_to: Annotated[date | None, Field(description="Given: a temporary limit on top of the standing one, until this day")] = None


class RequestAnswer(Schema):
    """A request and what became of it."""

    request_id: int
    buyer_id: str
    kind: str
    status: Annotated[str, Field(description="open, granted, refused or withdrawn")]
    currency: str
    asked: Decimal
    recommended: Decimal
    granted: Decimal
    decision_id: str


def _told(asked: LimitRequest) -> dict[str, Any]:
    def amount(minor: int | None) -> str | None:
        return None if minor is None else decimal_string(minor, asked.currency)

    return {
        "request_id": asked.pk, "buyer_id": asked.buyer_id, "kind": asked.kind, "status": asked.status, "currency": asked.currency,
        "asked": amount(asked.amount_minor), "recommended": amount(asked.recommended_minor),
        "granted": amount(asked.granted_minor) if asked.status == "granted" else None, "decision_id": asked.decision_id,
    }  # fmt: skip


@api.post(
    "/buyers/{key:buyer_id}/limit-requests",
    auth=needs("propose"),
    response={201: RequestAnswer},
    operation_id="askForLimit",
    tags=TAGS,
    summary="Ask for a limit",
)
def ask_for(request: HttpRequest, buyer_id: str, body: LimitAsked) -> HttpResponse:
    """Put a request down; people decide on it in the app. The same `Idempotency-Key` gives the request there is."""
    mark = f"a{_short(f'{request.user.pk} {key_of(request)}')}"
    whole = whole_book(request)
    book = whole.ledger.as_of(books.day_of(books.ledger())).limited(whole.scope)  # type: ignore[attr-defined]
    try:
        currency = recommend(book, buyer_id).known.currency
        wanted = Wanted(
            "temporary" if body.valid_to else "standing", _minor(body.amount, currency, "amount"), currency, body.payment_terms_days, None, body.valid_to,
            reason=body.reason,
        )  # fmt: skip
        asked = deciding.ask(request, book, buyer_id, wanted, mark)
    except BuyerUnknownError:
        raise Problem(404, "fact_unknown", kind="buyers", key=buyer_id) from None
    except NotNowError as error:
        raise Problem(
            422, "rows_invalid", errors=[{"pointer": "", "row": 0, "field": "valid_to", "code": "out_of_range", "message": error.code}]
        ) from None
    if (asked.buyer_id, asked.amount_minor, asked.reason, asked.valid_to) != (buyer_id, wanted.amount_minor, body.reason, body.valid_to):
        raise Problem(422, "idempotency_key_reused")
    return sent(request, _told(asked), 201)


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]


@api.get(
    "/limit-requests/{int:number}", auth=READ, response=RequestAnswer, operation_id="getLimitRequest", tags=TAGS, summary="One request"
)
def one_request(request: HttpRequest, number: int, words: Query[At]) -> HttpResponse:
    """What became of a request."""
    book = book_for(request, words)
    asked = LimitRequest.objects.filter(pk=number).first()
    seen = asked is not None and book.run(book.buyer.filter(book.buyer.buyer_id == asked.buyer_id).select("buyer_id")).num_rows
    if asked is None or not seen:
        raise Problem(404, "fact_unknown", kind="limit-requests", key=str(number))
    return sent(request, _told(asked))


class ReplayAnswer(Schema):
    """A decision made again."""

    decision_id: str
    equal: bool
    digest: str
    digest_now: str
    differences: list[dict[str, str]]


@api.get(
    "/decisions/{key:decision_id}/replay",
    auth=READ,
    response=ReplayAnswer,
    operation_id="replayDecision",
    tags=TAGS,
    summary="Make a decision again",
)
def made_again(request: HttpRequest, decision_id: str, words: Query[At]) -> HttpResponse:
    """On the book it was made on: equal to the byte, or what differs."""
    book = book_for(request, words)
    try:
        found = replay(books.ledger(), decision_id, book=book)
    except DecisionUnknownError:
        raise Problem(404, "fact_unknown", kind="decisions", key=decision_id) from None
    return sent(
        request,
        {
            "decision_id": decision_id, "equal": found.equal, "digest": found.decision["digest"], "digest_now": found.digest,
            "differences": [vars(one) for one in found.differences],
        },
    )  # fmt: skip
