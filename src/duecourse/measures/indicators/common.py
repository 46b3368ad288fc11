"""What the indicators share: months counted back from the book's day, and amounts of a buyer in one currency."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import ibis

from duecourse.measures.base import minor_rates
from duecourse.measures.expressions import day, days_between
from duecourse.measures.windows import days_before

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import ibis.expr.types as ir

    from duecourse.ledger.book import Book

YEAR: Final = 365
QUARTER: Final = 90
HALF_YEAR: Final = 182
MONTH: Final = 30


def month_back(when: ir.DateValue, on: date) -> ir.IntegerValue:
    """In which month before the book's day a day lies: 0 the newest (the last 30 or 31 days), 11 the last of a year of 365 days."""
    return (days_between(day(on), when).cast("float64") * 12.0 / 365.0).floor().cast("int64")


def month_begins(on: date, back: int) -> date:
    """The first day of the month `back` before the book's day, as `month_back` counts.

    >>> from datetime import date
    >>> month_begins(date(2026, 10, 31), 0), month_begins(date(2026, 10, 31), 11)
    (datetime.date(2026, 10, 1), datetime.date(2025, 11, 1))
    """
    return on - timedelta(days=-(-(back + 1) * 365 // 12) - 1)


def within(when: ir.DateValue, book: Book, days: int, before: int = 0) -> ir.BooleanValue:
    """Does a day lie in the `days` days that end `before` days before the book's day?"""
    inside = when > day(days_before(book.on, days + before))
    return inside & (when <= day(days_before(book.on, before))) if before else inside


def in_one_currency(book: Book, rows: ir.Table, amounts: Sequence[str], *, by: Sequence[str] = ("buyer_id",)) -> ir.Table:
    """Sums per buyer and currency brought to one figure a buyer: float64, minor units of the base currency, not rounded.

    One row per `by`. Amounts in a currency without a rate are left out; a buyer none of whose currencies has one keeps its own currency.
    Further columns of whole numbers are added up as they are.
    """
    rates = minor_rates(book)
    joined = rows.left_join(rates, "currency").select(*(rows[name] for name in rows.columns), rates.factor)
    whole = ibis.window(group_by="buyer_id", preceding=None, following=None)
    joined = joined.mutate(rated=joined.factor.max().over(whole))
    factor = ibis.coalesce(joined.factor, joined.rated.notnull().ifelse(0.0, 1.0))
    others = [name for name in rows.columns if name not in {*by, *amounts, "currency"}]
    one = joined.select(*by, *others, **{name: joined[name].cast("float64") * factor for name in amounts})
    return one.group_by(list(by)).aggregate(**{name: one[name].sum() for name in (*others, *amounts)})


def least_known(one: ir.FloatingValue, other: ir.FloatingValue) -> ir.FloatingValue:
    """The lower of two figures; the known one where the other is missing."""
    return ibis.cases((one.isnull(), other), (other.isnull(), one), (one <= other, one), else_=other)
