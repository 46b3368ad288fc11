"""/api/v1: what a buyer owes for being late, late interest on any sum, and the routes to its money."""

# ruff: noqa: TC002, TC003 — the annotations are read when the program runs

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Schema
from pydantic import Field

from duecourse.cover.late_interest.agreed import read_rate
from duecourse.cover.late_interest.applicable import Party
from duecourse.cover.late_interest.rates import Happened
from duecourse.desk.interest_calculator import Ask, plain_answer, segment_rows, work_out
from duecourse.desk.late_interest import OwedInvoice, owed
from duecourse.desk.reference_rates import rates_of
from duecourse.desk.route import routes_for
from duecourse.errors import BuyerUnknownError, FactUnknownError, RuleInvalidError
from duecourse.messages import say
from duecourse.money import decimal_string, to_minor
from duecourse.tables import plain as as_json
from duecourse.web.api.application import api
from duecourse.web.api.auth import needs
from duecourse.web.api.problems import Problem
from duecourse.web.api.reading import At, book_for, reply
from duecourse.web.api.shapes import Answer

TAGS: Final = ["Recovery"]
READ: Final = needs("read")
MOST_INVOICES: Final = 500
Size = Literal["", "micro", "small", "medium", "large", "public"]
Country = Annotated[str, Field(pattern=r"^([A-Z]{2})?$", examples=["CN"])]
Amount = Annotated[str, Field(description="Decimal string, in `currency`", examples=["1159.32"])]


class SegmentShape(Schema):
    """A stretch of days in which neither the debt nor the rate changes."""

    rule: str
    start: date
    end: Annotated[date, Field(description="Included")]
    days: int
    base: Amount
    rate: Annotated[str, Field(description="A year, or with /d a day", examples=["4.65%", "0.05%/d"])]
    reference: Annotated[str, Field(description="Reference rate, its value and day; * entered by the firm")]
    interest: Annotated[str, Field(description="With four decimals more than the currency; rounded in the sum only")]
    capped: bool


class OwedShape(Schema):
    """One instalment of one invoice."""

    invoice_id: str
    instalment: int
    due_date: date
    days_late: int
    currency: str
    amount: Amount
    settled: Amount
    principal: Annotated[str, Field(description="Still open; what was written off in the books is still owed")]
    interest: Annotated[str | None, Field(description="Null where it could not be worked out: see `refused`")]
    compensation: str | None
    compensation_currency: str | None
    daily: Annotated[str, Field(description="What each further day adds")]
    rule: str
    reasons: list[str]
    refused: str | None
    segments: list[SegmentShape]


class OwedAnswer(Answer):
    """What a buyer owes for being late."""

    buyer_id: str
    until: date
    law: str
    why_law: str
    notes: list[str]
    not_legal_advice: str
    invoices: list[OwedShape]


class OwedWords(At):
    """Which invoices, until when."""

    invoice: list[str] = Field([], max_length=MOST_INVOICES, description="`NUMBER` or `NUMBER/INSTALMENT`; without: all that are late")
    until: date | None = Field(None, description="Without: the day of the book")
    debtor_size: Size = Field("", description="Where the buyer's profile does not say")


def _items(texts: list[str]) -> list[tuple[str, int]] | None:
    found = []
    for text in texts:
        number, slash, instalment = text.rpartition("/")
        found.append((number, int(instalment)) if slash and instalment.isdecimal() and len(instalment) < 4 else (text, 1))
    return found or None


def _segments(pairs: Any, currency: str) -> list[dict[str, Any]]:
    return [
        {
            **{name: row[name] for name in ("rule", "start", "end", "days", "rate", "reference", "capped")},
            "base": decimal_string(row["base_minor"], currency),
            "interest": row["interest"].replace(",", ""),
        }
        for row in segment_rows(pairs, currency)
    ]


def _owed(one: OwedInvoice) -> dict[str, Any]:
    def money(minor: int) -> str:
        return decimal_string(minor, one.currency)

    return {
        "invoice_id": one.invoice_id, "instalment": one.instalment, "due_date": one.due_date, "days_late": one.days_late, "currency": one.currency,
        "amount": money(one.amount_minor), "settled": money(one.settled_minor), "principal": money(one.principal_minor),
        "interest": None if one.interest_minor is None else money(one.interest_minor),
        "compensation": decimal_string(one.compensation_minor, one.compensation_currency or one.currency) if one.compensation_minor else None,
        "compensation_currency": one.compensation_currency, "daily": money(one.daily_minor), "rule": one.regime, "reasons": [said.words() for said in one.basis],
        "refused": one.refused.words() if one.refused else None, "segments": _segments(one.segments, one.currency),
    }  # fmt: skip


@api.get(
    "/buyers/{key:buyer_id}/late-interest", auth=READ, response=OwedAnswer, operation_id="getLateInterest", tags=TAGS,
    summary="What a buyer owes for being late",
)  # fmt: skip
def late_interest(request: HttpRequest, buyer_id: str, words: Query[OwedWords]) -> HttpResponse:
    """Invoice by invoice, with the rule, why it applies and every segment."""
    book = book_for(request, words)
    try:
        found = owed(book, buyer_id, _items(words.invoice), until=words.until, debtor_size=words.debtor_size)
    except BuyerUnknownError:
        raise Problem(404, "fact_unknown", kind="buyers", key=buyer_id) from None
    except FactUnknownError as error:
        raise Problem(404, "fact_unknown", kind="invoices", key=str(error.args_["key"])) from None
    return reply(
        request, book, buyer_id=buyer_id, until=found.until, law=found.law, why_law=found.why_law.words(), notes=[one.words() for one in found.notes],
        not_legal_advice=say("legal.not_advice"), invoices=[_owed(one) for one in found.invoices],
    )  # fmt: skip


class SumWords(At):
    """A sum that was paid late, and who the parties are."""

    amount: str = Field(..., max_length=30, pattern=r"^\d{1,15}(\.\d{1,4})?$", examples=["100000.00"])
    currency: str = Field(..., pattern=r"^[A-Z]{3}$", examples=["CNY"])
    due: date = Field(..., examples=["2025-03-31"])
    until: date = Field(..., description="Paid on, or until when", examples=["2025-06-30"])
    rule: str = Field(
        "",
        max_length=60,
        description="A rule, with a variant if one is meant; without: every rule that could apply",
        examples=["CN_SALES_LPR"],
    )
    creditor: Country = ""
    creditor_size: Size = ""
    debtor: Country = ""
    debtor_size: Size = ""
    law: Country = Field("", description="The law the contract names")
    agreed: str = Field("", max_length=200, description="The agreed rate, in words or short", examples=["0.05%/d", "日万分之五"])
    signed_on: date | None = None
    demand: date | None = None
    suit: date | None = None
    served: date | None = None
    judgment: date | None = Field(None, description="The last day a judgment gave to pay")


class RuleShape(Schema):
    """One rule that was looked at."""

    rule: str
    standing: Literal["applies", "additional", "supports", "alternative", "doubtful", "no"]
    confidence: str
    interest: str | None
    reasons: list[str]


class SumAnswer(Answer):
    """Late interest on a sum."""

    currency: str
    rule: str | None
    interest: Annotated[str | None, Field(description="Null where nothing can be claimed or worked out")]
    compensation: str | None
    compensation_currency: str | None
    daily: str | None
    refused: str | None
    not_legal_advice: str
    segments: list[SegmentShape]
    rules: list[RuleShape]


@api.get(
    "/late-interest", auth=READ, response=SumAnswer, operation_id="calculateLateInterest", tags=TAGS, summary="Late interest on any sum"
)
def calculate(request: HttpRequest, words: Query[SumWords]) -> HttpResponse:
    """The calculator: nothing is kept. The firm's own reference rates count."""
    book = book_for(request, words)
    ask = Ask(
        to_minor(Decimal(words.amount), words.currency), words.currency, words.due, words.until, (), words.rule, Party(words.creditor, words.creditor_size),
        Party(words.debtor, words.debtor_size), words.law, read_rate(words.agreed) if words.agreed else None, words.signed_on,
        happened=Happened(words.demand, words.suit, words.served, words.judgment, words.signed_on),
    )  # fmt: skip
    found = work_out(ask, rates_of(book))
    told = plain_answer(found)
    chosen = [one for one in (found.claim.chosen, *found.claim.additional) if one is not None and one.accrual is not None]
    pairs = [(one.candidate.code, part) for one in chosen for part in (one.accrual.segments if one.accrual else ())]
    rules = [
        {
            "rule": one.candidate.code, "standing": one.candidate.standing, "confidence": one.candidate.confidence,
            "interest": decimal_string(one.interest_minor, words.currency) if one.accrual else None,
            "reasons": [one.refused.words()] if one.refused else [said.words() for said in (*one.candidate.reasons, *one.candidate.cautions)],
        }
        for one in found.claim.reckoned
    ]  # fmt: skip
    names = ("currency", "rule", "interest", "compensation", "compensation_currency", "daily")
    return reply(
        request, book, **{name: told[name] for name in names}, refused=found.claim.refused.words() if found.claim.refused else None,
        not_legal_advice=say("legal.not_advice"), segments=_segments(pairs, words.currency), rules=rules,
    )  # fmt: skip


class RouteShape(Schema):
    """One way, or a sequence joined by +."""

    route: Annotated[str, Field(examples=["payment_order+preservation_suit"])]
    rank: int | None
    standing: Literal["open", "doubtful", "closed"]
    expected: Amount
    low: Annotated[str, Field(description="The lowest with every probability a fifth lower and higher")]
    high: str
    break_even: str | None
    probability: float
    days: float
    costs: str
    reasons: list[str]


class AssumptionShape(Schema):
    """One number that was assumed."""

    value: float
    unit: Literal["share", "days", "money"]
    source: str
    confidence: str
    own: bool


class RoutesAnswer(Answer):
    """The routes to a buyer's money."""

    buyer_id: str
    currency: str
    claim: Amount
    advised: str
    why: str
    robust: Annotated[bool, Field(description="Still the best with its own odds a fifth lower")]
    loss_given_default: float
    net_assets: Annotated[dict[str, str], Field(description="Net realisable, by currency")]
    not_looked_up: list[str]
    notes: list[str]
    not_legal_advice: str
    routes: list[RouteShape]
    assumptions: dict[str, AssumptionShape]


class RouteWords(At):
    """Which invoices, and what is assumed otherwise."""

    invoice: list[str] = Field([], max_length=MOST_INVOICES, description="`NUMBER` or `NUMBER/INSTALMENT`; without: all that are late")
    assume: list[str] = Field(
        [], max_length=60, description="`NAME=VALUE`, shares as fractions", examples=[["p.suit=0.8", "days.suit=300"]]
    )


@api.get(
    "/buyers/{key:buyer_id}/routes",
    auth=READ,
    response=RoutesAnswer,
    operation_id="getRoutes",
    tags=TAGS,
    summary="The routes to a buyer's money",
)
def buyer_routes(request: HttpRequest, buyer_id: str, words: Query[RouteWords]) -> HttpResponse:
    """Every way with feasibility, costs and expected value, and every assumption."""
    book = book_for(request, words)
    try:
        overrides = {name.strip(): float(value) for name, _equals, value in (text.partition("=") for text in words.assume)}
    except ValueError:
        raise RuleInvalidError(rule="assume", value=", ".join(words.assume)[:100]) from None
    try:
        choice = routes_for(book, buyer_id, _items(words.invoice), overrides=overrides)
    except BuyerUnknownError:
        raise Problem(404, "fact_unknown", kind="buyers", key=buyer_id) from None
    except FactUnknownError as error:
        raise Problem(404, "fact_unknown", kind="invoices", key=str(error.args_["key"])) from None
    currency = choice.facts.currency

    def money(minor: int | None) -> str | None:
        return None if minor is None else decimal_string(minor, currency)

    rows = [
        {
            "route": one.code, "rank": one.rank, "standing": one.standing, "expected": money(one.worth.expected_minor), "low": money(one.worth.low_minor),
            "high": money(one.worth.high_minor), "break_even": money(one.worth.break_even_minor), "probability": one.worth.probability, "days": one.worth.days,
            "costs": money(one.worth.costs_minor), "reasons": [said.words() for said in one.reasons],
        }
        for one in choice.routes
    ]  # fmt: skip
    assumed = {
        one.name: {"value": one.value, "unit": one.unit, "source": one.source.words(), "confidence": one.confidence, "own": one.own}
        for one in choice.assumptions
    }
    return reply(
        request, book, buyer_id=buyer_id, currency=currency, claim=money(choice.facts.claim_minor), advised=choice.chosen.code, why=choice.found.why.words(),
        robust=choice.found.robust, loss_given_default=choice.loss.share,
        net_assets={code: decimal_string(minor, code) for code, minor in choice.assessment.net.items()}, not_looked_up=list(choice.assessment.missing),
        notes=[one.words() for one in choice.notes], not_legal_advice=say("legal.not_advice"), routes=as_json(rows), assumptions=assumed,
    )  # fmt: skip
