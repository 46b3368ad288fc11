"""What the API answers: typed, with money as decimal strings; the schema is drawn up from these, and rows are turned into them."""

# ruff: noqa: TC003 — the annotations are read when the program runs

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

from ninja import Schema
from pydantic import Field

from duecourse.money import NO_CURRENCY, decimal_string
from duecourse.web.api.amounts import BASE, OWN, Base, Money

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


Fraction = Annotated[float | None, Field(description="A fraction: 0.123 is 12.3 %; null where it cannot be said")]
DaysFigure = Annotated[float | None, Field(description="Days; null where it cannot be said")]
Code = Annotated[str, Field(description="ISO 4217", examples=["CNY"])]


class Answer(Schema):
    """What every read says of itself."""

    as_of: Annotated[date, Field(description="The book is drawn up as of the close of this day", examples=["2026-03-31"])]
    known_at: Annotated[datetime, Field(description="It holds what was learnt by this moment")]
    ledger_version: Annotated[int, Field(description="Version of the ledger it was drawn from; rises with every change")]


class Page(Answer):
    """A page of a list."""

    total: Annotated[int | None, Field(description="Rows of the whole list; null where they are not counted")]
    next: Annotated[str | None, Field(description="Ask for the next page with `cursor` set to this; null on the last page")]


class Kpi(Schema):
    """The figures of a portfolio in one currency."""

    currency: Code
    outstanding: Money
    overdue: Money
    not_due: Money
    unapplied_credits: Money
    net: Money
    disputed: Money
    open_invoices: int | None
    overdue_invoices: int | None
    open_disputes: int | None
    buyers_with_balance: int | None
    overdue_share: Fraction
    credit_sales_90d: Money
    dso_simple: DaysFigure
    best_possible_dso: DaysFigure
    average_days_delinquent: DaysFigure
    dso_countback: DaysFigure
    dso_censored: Annotated[bool | None, Field(description="The balance is older than the months counted back")]
    cei: Fraction
    days_beyond_terms: DaysFigure
    days_beyond_terms_floored: DaysFigure
    dilution_rate: Fraction


class Bucket(Schema):
    """What is outstanding in one ageing bucket."""

    bucket: Annotated[str, Field(examples=["days_31_60"])]
    amount: Annotated[str, Field(description="Decimal string", examples=["12500.00"])]


class CurrencyPosition(Schema):
    """One currency: its figures and its ageing."""

    currency: Code
    figures: Kpi
    buckets: list[Bucket]


class PositionAnswer(Answer):
    """Where we stand."""

    base_currency: Annotated[str, Field(description="The currency the firm adds up in; XXX while it is not set")]
    currencies: list[CurrencyPosition]
    base: Annotated[CurrencyPosition | None, Field(description="All currencies at the latest rates; null without a base currency")]
    not_converted: Annotated[list[str], Field(description="Currencies without a rate, which `base` leaves out")]


class AgeingRow(Schema):
    """One bucket of one grain."""

    grain: Annotated[dict[str, str | None], Field(description="The values of the grain, by its name", examples=[{"country": "DE"}])]
    currency: Code
    bucket: str
    amount: Money
    items: int
    share: Fraction


class AgeingAnswer(Answer):
    """How old is what is owed."""

    rows: list[AgeingRow]


class Month(Schema):
    """One month of one currency."""

    month_end: date
    currency: Code
    outstanding: Money
    overdue: Money
    buckets: list[Bucket]
    credit_sales: Money
    cash_received: Money
    credits: Money
    dso_simple: DaysFigure
    dso_countback: DaysFigure
    dso_censored: bool | None
    cei: Fraction
    dilution_rate: Fraction


class HistoryAnswer(Answer):
    """How it developed, month by month; the latest month ends on the day of the book."""

    base_currency: str
    months: list[Month]
    base: Annotated[list[Month], Field(description="All currencies at the rates of the book's day; empty without a base currency")]


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


class BuyerFigures(Schema):
    """The figures of one buyer in one currency."""

    currency: Code
    outstanding: Money
    overdue: Money
    overdue_share: Fraction
    not_due: Money
    days_1_30: Money
    days_31_60: Money
    days_61_90: Money
    days_91_180: Money
    days_181_365: Money
    days_over_365: Money
    unapplied_credits: Money
    open_invoices: int | None
    overdue_invoices: int | None
    oldest_days_past_due: int | None
    weighted_days_late_open: DaysFigure
    credit_sales_90d: Money
    credit_sales_365d: Money
    invoices_365d: int | None
    paid_365d: Money
    days_beyond_terms_365d: DaysFigure
    days_beyond_terms_floored_365d: DaysFigure
    days_beyond_terms_90d: DaysFigure
    days_beyond_terms_trend: DaysFigure
    dso_countback: DaysFigure
    dso_censored: bool | None
    dso_simple_90d: DaysFigure
    best_possible_dso: DaysFigure
    average_days_delinquent: DaysFigure
    peak_balance_365d: Money
    credits_365d: Money
    first_issue_date: date | None
    last_payment_date: date | None


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


class FindingCount(Schema):
    """What one check found."""

    code: Annotated[str, Field(examples=["invoice_overpaid"])]
    severity: Annotated[str, Field(description="error, warning or note")]
    count: int
    examples: list[str]


class FindingsAnswer(Answer):
    """What the checks found."""

    findings: list[FindingCount]


class Fault(Schema):
    """One row a check found."""

    code: str
    severity: str
    message: str
    subject: str
    buyer_id: str | None
    invoice_id: str | None
    source: str | None
    source_row: int | None


class FaultsAnswer(Page):
    """A page of the rows one check found."""

    rows: list[Fault]


class Refused(Schema):
    """A line of an imported file that could not be used."""

    file_name: str
    file_sha256: str
    file_row: int
    code: str
    message: str
    column: str
    value: str
    cells: Annotated[dict[str, str], Field(description="The line as it was written")]
    fixed_by: str | None


class QuarantineAnswer(Page):
    """A page of refused lines."""

    rows: list[Refused]


class Change(Schema):
    """One change of the ledger."""

    version: int
    batch_id: str
    kind: Annotated[str, Field(description="create, import, post, void, compact or restore")]
    recorded_at: datetime
    file_name: str | None
    note: str | None
    by: str | None
    added: int
    corrected: int
    unchanged: int
    quarantined: int
    withdrawn_at: datetime | None


class ChangesAnswer(Page):
    """A page of the ledger's changes, newest first."""

    rows: list[Change]


class ChangeAnswer(Answer):
    """One change."""

    change: Change


class SettingsAnswer(Answer):
    """The firm's settings."""

    company: str
    base_currency: str
    ageing_buckets: Annotated[list[int], Field(description="Upper limits of the ageing buckets, days past due")]


class LedgerAnswer(Schema):
    """The ledger itself: is it there, at which version, since when."""

    status: Annotated[str, Field(examples=["ok"])]
    ledger_version: int
    recorded_at: Annotated[datetime, Field(description="When it changed last")]
    default_as_of: Annotated[date, Field(description="The day meant where `as_of` is not given")]
    api_version: str
    product_version: str


class RowFault(Schema):
    """Why a row was refused."""

    pointer: Annotated[str, Field(description="JSON pointer into what was sent", examples=["#/3/amount"])]
    row: Annotated[int, Field(description="Counts from 0")]
    field: str
    code: Annotated[str, Field(examples=["amount_inexact"])]
    detail: str


class Written(Schema):
    """What a write did. It is in the ledger when this is answered."""

    batch_id: Annotated[str, Field(description="The post in the ledger: `source` of its facts, and what /changes calls it")]
    ledger_version: int
    received: int
    added: Annotated[int, Field(description="Facts the ledger did not have")]
    corrected: Annotated[int, Field(description="Facts that said otherwise before")]
    unchanged: Annotated[int, Field(description="Facts it had just so")]
    withdrawn: int
    refused: int
    refused_rows: Annotated[list[int], Field(description="Places of all refused rows, from 0")]
    errors: Annotated[list[RowFault], Field(description="Why, for the first thousand")]


class ProblemAnswer(Schema):
    """RFC 9457."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    errors: list[RowFault | ParameterFault] | None = None


class ParameterFault(Schema):
    """What is wrong with a parameter."""

    parameter: str
    detail: str


ProblemAnswer.model_rebuild()


@cache
def _plan(model: type[Schema]) -> tuple[tuple[str, str], ...]:
    plan = []
    for name, field in model.model_fields.items():
        marks = [mark for mark in field.metadata if mark in (OWN, BASE)]
        plan.append((name, marks[0] if marks else ""))
    return tuple(plan)


def shaped(model: type[Schema], row: Mapping[str, Any], *, base: str = NO_CURRENCY) -> dict[str, Any]:
    """The fields of a model out of a row, minor units as decimal strings of the row's currency, or of the base currency."""
    currency = row.get("currency") or NO_CURRENCY
    out: dict[str, Any] = {}
    for name, money in _plan(model):
        value = row.get(name)
        if money and value is not None:
            value = decimal_string(value, currency if money == OWN else base)
        out[name] = value
    return out


def profile(row: Mapping[str, Any]) -> dict[str, Any]:
    """A buyer's profile with what its register says."""
    capital, currency = row.get("registered_capital_minor"), row.get("registered_capital_currency")
    told = decimal_string(capital, currency) if capital is not None and currency else None
    return {**shaped(RegisteredProfile, row), "registered_capital": told}


def all_shaped(model: type[Schema], rows: Sequence[Mapping[str, Any]], *, base: str = NO_CURRENCY) -> list[dict[str, Any]]:
    """The same for many rows."""
    return [shaped(model, row, base=base) for row in rows]
