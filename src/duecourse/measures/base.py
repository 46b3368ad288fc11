"""Amounts in one currency: the firm's base currency (记账本位币), at the latest rates known as of the book."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import ibis

from duecourse.measures.expressions import total
from duecourse.money import exponent
from duecourse.reference.currencies import CURRENCIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    import ibis.expr.types as ir

    from duecourse.ledger.book import Book


def minor_rates(book: Book) -> ir.Table:
    """How many minor units of the base currency is one minor unit of each currency?

    One row per currency with a rate: currency, factor (float64), rate_date. A yen has no hundredths and a Kuwaiti dinar has
    thousandths, so the factor is the rate times a power of ten.
    """
    rates = book.rates()
    own = exponent(book.base_currency)
    codes: dict[int, list[str]] = defaultdict(list)
    for code, currency in CURRENCIES.items():
        codes[currency.exponent].append(code)
    cases = [(rates.currency.isin(sorted(listed)), 10.0 ** (own - places)) for places, listed in codes.items() if places != 2]
    scale = ibis.cases(*cases, else_=10.0 ** (own - 2))
    return rates.select("currency", factor=rates.rate_to_base * scale, rate_date=rates.rate_date)


def converted(amount: ir.IntegerValue, factor: ir.FloatingValue) -> ir.IntegerValue:
    """An amount in minor units of the base currency, rounded half up."""
    return (amount.cast("float64") * factor + 0.5).floor().cast("int64")


def to_base(book: Book, rows: ir.Table, amounts: Sequence[str], *, weighted: Sequence[str] = ()) -> ir.Table:
    """The rows with `amounts` converted and `currency` the base currency; rows in a currency without a rate are left out.

    weighted: float columns of amount × days, converted without rounding.
    """
    rates = minor_rates(book)
    joined = rows.inner_join(rates, "currency")
    changed = {name: converted(rows[name], rates.factor) for name in amounts}
    changed |= {name: rows[name] * rates.factor for name in weighted}
    base = ibis.literal(book.base_currency)
    return joined.select(*(rows[name] for name in rows.columns if name not in changed and name != "currency"), currency=base, **changed)


def in_base(book: Book, rows: ir.Table, amounts: Sequence[str], *, by: Sequence[str] = ()) -> ir.Table:
    """`amounts` of all currencies converted and added up: one row per `by`, with `currency` the base currency.

    Each currency's sum is converted and rounded once, then added, so that parts converted the same way add up to their whole.
    """
    one = to_base(book, rows, amounts)
    keys = [*by, "currency"]
    return one.group_by(keys).aggregate(**{name: total(one[name]) for name in amounts})


def unrated(book: Book, rows: ir.Table) -> ir.Table:
    """The rows whose currency has no rate to the base currency as of the book, and which therefore no base amount contains."""
    return rows.anti_join(book.rates(), "currency")
