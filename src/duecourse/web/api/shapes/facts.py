"""Buyers, groups, invoices, settlements, disputes, orders, exchange rates: the facts and the lists of them."""

# ruff: noqa: TC001, TC003 — the annotations are read when the program runs

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any

from ninja import Schema
from pydantic import Field

from duecourse.money import decimal_string
from duecourse.web.api.amounts import Base, Money
from duecourse.web.api.shapes.base import Answer, Code, Page, shaped
from duecourse.web.api.shapes.figures import AgeingRow, BuyerFigures


class Profile(Schema):
    """Who a buyer is."""

    buyer_id: str
    name: str | None
    name_local: str | None
    registration_number: str | None
    country: str | None
    city: str | None
    sector: str | None
    group_id: str | None
    group_name: str | None
    sales_owner: str | None
    legal_entity: str | None
    payment_terms_days: int | None
    customer_since: date | None


class RegisteredProfile(Profile):
    """Who a buyer is, with what its register says."""

    vat_number: str | None
    lei: str | None
    legal_form: str | None
    founded_on: date | None
    registered_capital: Annotated[
        str | None, Field(description="Decimal string, in `registered_capital_currency`", examples=["5000000.00"])
    ]
    registered_capital_currency: str | None
    registry_status: str | None
    legal_representative: str | None
    owner_name: str | None


class BuyerRow(Profile, BuyerFigures):
    """A row of the list of buyers: a buyer in a currency."""

    outstanding_change_30d: Money
    overdue_change_30d: Money
    outstanding_base: Base
    overdue_base: Base


class BuyersAnswer(Page):
    """A page of the buyers."""

    buyers: Annotated[int, Field(description="Buyers in the list; one with two currencies has two rows")]
    base_currency: str
    rows: list[BuyerRow]


class Source(Schema):
    """Where a fact comes from."""

    recorded_at: Annotated[datetime, Field(description="When the ledger learnt it")]
    source: Annotated[str, Field(description="The import or post that brought it, see /changes")]
    source_row: Annotated[int | None, Field(description="Its line in the file, or row in the post")]


class Invoice(Source):
    """An invoice, or one instalment of it, with what is open."""

    invoice_id: str
    instalment: int
    kind: str | None
    buyer_id: str | None
    orderer_id: str | None
    legal_entity: str | None
    issue_date: date | None
    issue_date_estimated: bool | None
    due_date: date | None
    amount: Money
    open: Money
    days_past_due: int | None
    bucket: str | None
    currency: Code
    payment_terms_days: int | None
    order_number: str | None
    sales_owner: str | None
    document_type: str | None
    text: str | None


class Settlement(Source):
    """A payment, credit or other reduction."""

    settlement_id: str
    kind: str | None
    buyer_id: str | None
    payer_id: str | None
    invoice_id: str | None
    instalment: int | None
    legal_entity: str | None
    settle_date: date | None
    settle_date_from: date | None
    inferred: bool | None
    amount: Money
    currency: Code
    document_type: str | None
    reference: str | None
    text: str | None


class Dispute(Source):
    """A dispute; without `resolved_on` it is open."""

    dispute_id: str
    buyer_id: str | None
    invoice_id: str | None
    instalment: int | None
    raised_on: date | None
    resolved_on: date | None
    amount: Money
    currency: str | None
    reason: str | None
    outcome: str | None


class Order(Source):
    """A sales order."""

    order_id: str
    buyer_id: str | None
    legal_entity: str | None
    order_date: date | None
    requested_ship_date: date | None
    amount: Money
    currency: Code
    status: Annotated[str, Field(description="open, released, invoiced or cancelled, as of the day of the book")]
    status_date: date | None
    payment_terms_days: int | None
    sales_owner: str | None
    text: str | None


class ExchangeRate(Source):
    """What one unit of the base currency cost in the quote currency on a day."""

    provider: str
    base_currency: str
    quote_currency: str
    rate_date: date
    rate: Annotated[str, Field(description="Decimal string", examples=["7.1234"])]


class InvoiceRow(Schema):
    """A row of the list of invoices."""

    invoice_id: str
    instalment: int
    buyer_id: str | None
    name: str | None
    name_local: str | None
    legal_entity: str | None
    issue_date: date | None
    due_date: date | None
    days_past_due: Annotated[int | None, Field(description="Below zero before it is due; null with nothing open")]
    currency: str | None
    amount: Money
    open: Money
    open_base: Base
    state: Annotated[str, Field(description="open, overdue or paid")]
    disputed: bool
    last_settled: date | None


class InvoicesAnswer(Page):
    """A page of invoices. `total` is null where there are more than are counted."""

    base_currency: str
    rows: list[InvoiceRow]


class BuyersInvoicesAnswer(Page):
    """A page of one buyer's invoices."""

    rows: list[Invoice]


class InvoiceAnswer(Answer):
    """One invoice with what was set against it."""

    invoice: Invoice
    settlements: list[Settlement]
    disputes: list[Dispute]


class SettlementsAnswer(Page):
    """A page of settlements."""

    rows: list[Settlement]


class DisputesAnswer(Page):
    """A page of disputes."""

    rows: list[Dispute]


class OrdersAnswer(Page):
    """A page of sales orders."""

    rows: list[Order]


class RatesAnswer(Page):
    """A page of exchange rates."""

    rows: list[ExchangeRate]


class BuyerAnswer(Answer):
    """One buyer: who it is and how it stands."""

    profile: RegisteredProfile
    figures: list[BuyerFigures]
    ageing: list[AgeingRow]


class Event(Schema):
    """Something that happened between us and a buyer."""

    on: date
    what: Annotated[str, Field(description="invoice, settlement, dispute_raised, dispute_resolved, order", examples=["settlement"])]
    kind: str | None
    key: Annotated[str, Field(description="Number of the document")]
    invoice_id: str | None
    amount: Money
    currency: str | None


class TimelineAnswer(Page):
    """What happened with a buyer, newest first."""

    rows: list[Event]


class Group(Schema):
    """A group of buyers, looked through to its members."""

    group_id: str
    name: str | None
    currency: Code
    buyers: int
    outstanding: Money
    overdue: Money
    unapplied_credits: Money
    share: Annotated[float | None, Field(description="Of what all groups owe")]


class GroupsAnswer(Page):
    """A page of groups, most outstanding first, in base currency; without one in the currency most is owed in."""

    rows: list[Group]


def profile(row: Mapping[str, Any]) -> dict[str, Any]:
    """A buyer's profile with what its register says."""
    capital, currency = row.get("registered_capital_minor"), row.get("registered_capital_currency")
    told = decimal_string(capital, currency) if capital is not None and currency else None
    return {**shaped(RegisteredProfile, row), "registered_capital": told}
