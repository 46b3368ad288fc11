"""Reads of what is known of buyers from outside: signals and accounts."""

# ruff: noqa: TC002, TC003 — the annotations are read when the program runs

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Query
from pydantic import create_model

from duecourse.ledger.entries import STATEMENT_ITEMS
from duecourse.web.api import shapes
from duecourse.web.api.amounts import Money
from duecourse.web.api.application import api
from duecourse.web.api.reads import LISTS, READ, BuyersFactsWords, OpenWords, list_facts


class Signal(shapes.Source):
    """A dated piece of news about a buyer."""

    signal_id: str
    buyer_id: str | None
    kind: str | None
    severity: str | None
    published_on: date | None
    occurred_on: date | None
    ended_on: date | None
    value: str | None
    previous_value: str | None
    amount: Money
    currency: str | None
    provider: str | None
    reference: str | None
    text: str | None
    confidence: float | None


class StatementHead(shapes.Source):
    """Which accounts these are."""

    buyer_id: str
    period_end: date
    period_months: int | None
    consolidated: bool | None
    published_on: date | None
    published_on_estimated: bool | None
    audited: bool | None
    opinion: str | None
    standard: str | None
    currency: str | None


_LINES: dict[str, Any] = dict.fromkeys(STATEMENT_ITEMS, (Money, ...))
Statement: Any = create_model(
    "Statement", __base__=StatementHead, __doc__="A buyer's accounts of one period; a line they do not give is null.", **_LINES
)


class SignalsAnswer(shapes.Page):
    """A page of signals."""

    rows: list[Signal]


class StatementsAnswer(shapes.Page):
    """A page of accounts."""

    rows: list[Statement]


@api.get("/signals", auth=READ, response=SignalsAnswer, operation_id="listSignals", tags=LISTS, summary="Signals about buyers")
def signals(request: HttpRequest, words: Query[OpenWords]) -> HttpResponse:
    """Newest first; one that ended after the day of the book is open."""
    return list_facts(request, words, "signals", Signal, open_only=words.open_only)


@api.get("/statements", auth=READ, response=StatementsAnswer, operation_id="listStatements", tags=LISTS, summary="Buyers' accounts")
def statements(request: HttpRequest, words: Query[BuyersFactsWords]) -> HttpResponse:
    """Newest published first, in the wording known to the book."""
    return list_facts(request, words, "statements", Statement)
