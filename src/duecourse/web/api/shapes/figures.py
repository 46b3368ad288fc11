"""Figures: key figures, ageing, history, what a buyer owes and how it pays."""

# ruff: noqa: TC001, TC003 — the annotations are read when the program runs

from __future__ import annotations

from datetime import date
from typing import Annotated

from ninja import Schema
from pydantic import Field

from duecourse.web.api.amounts import Money
from duecourse.web.api.shapes.base import Answer, Code, DaysFigure, Fraction


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
