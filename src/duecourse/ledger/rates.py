"""The exchange rates of a book: what one unit of each currency is worth in the firm's base currency as of its day."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from duecourse.errors import RateMissingError
from duecourse.ledger.book import RATES_SCHEMA
from duecourse.reference.exchange_rates import DAILY_MAX_AGE_DAYS, ECB, MONTHLY_MAX_AGE_DAYS, ExchangeRate, RateTable, rate

if TYPE_CHECKING:
    from duecourse.ledger.book import Book

DAILY: Final = 2.0
"""A provider with rates at most so many days apart on average publishes daily, and its rates grow old sooner."""


def rates_to_base(book: Book) -> pa.Table:
    """What is one unit of each currency worth in the base currency as of the book?  折算汇率

    One row per currency that has a rate (columns of `RATES_SCHEMA`), the base currency itself at 1. The firm's own rates come before
    the European Central Bank's. A rate older than 14 days (35 for a month-end table) is no rate: the currency is then left out, never
    guessed.
    """
    table = book.exchange_rate
    rows = book.run(table.select("provider", "base_currency", "quote_currency", "rate_date", "rate")).to_pylist()
    by_provider: dict[str, list[ExchangeRate]] = {}
    for row in rows:
        found = ExchangeRate(row["provider"], row["base_currency"], row["quote_currency"], row["rate_date"], Decimal(repr(row["rate"])))
        by_provider.setdefault(found.provider, []).append(found)
    tables = [
        (RateTable(by_provider[name]), _max_age_days(by_provider[name]))
        for name in sorted(by_provider, key=lambda name: (name == ECB, name))
    ]
    currencies = {code for row in rows for code in (row["base_currency"], row["quote_currency"])}
    found_rates = {book.base_currency: (1.0, book.on)}
    for currency in sorted(currencies - {book.base_currency}):
        for rate_table, age in tables:
            try:
                value, day = rate(currency, book.base_currency, book.on, rate_table, max_age_days=age)
            except RateMissingError:
                continue
            found_rates[currency] = (float(value), day)
            break
    result = [{"currency": currency, "rate_to_base": value, "rate_date": day} for currency, (value, day) in found_rates.items()]
    return pa.Table.from_pylist(result, schema=RATES_SCHEMA)


def _max_age_days(rates: list[ExchangeRate]) -> int:
    days = sorted({rate.rate_date for rate in rates})
    if len(days) < 2:
        return MONTHLY_MAX_AGE_DAYS
    apart = (days[-1] - days[0]).days / (len(days) - 1)
    return DAILY_MAX_AGE_DAYS if apart <= DAILY else MONTHLY_MAX_AGE_DAYS
