"""Exchange rates as the firm keeps them: the newest of each pair, how old it is, which one counts, and rates typed in by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import ibis
import pyarrow as pa

from duecourse.errors import OptionMisusedError
from duecourse.ledger.rates import rates_to_base
from duecourse.messages import say
from duecourse.money import exponent
from duecourse.reference.exchange_rates import DAILY_MAX_AGE_DAYS, MONTHLY_MAX_AGE_DAYS

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal

    from duecourse.ledger.book import Book
    from duecourse.ledger.store import Ledger

OWN: Final = "own"
"""Whose rates typed in by hand are; they come before the European Central Bank's."""


@dataclass(frozen=True)
class Pair:
    """One provider's rates of a pair: the newest, how many there are, and whether it is too old to be used on the book's day."""

    provider: str
    base: str
    quote: str
    rate: float
    rate_date: date
    first: date
    count: int
    age_days: int
    too_old: bool


@dataclass(frozen=True)
class Conversion:
    """What one unit of a currency with receivables is worth in base currency on the book's day; None: no rate is young enough."""

    currency: str
    rate: float | None
    rate_date: date | None


def pairs(book: Book) -> list[Pair]:
    """The newest rate of each pair and provider.  汇率一览"""
    table = book.exchange_rate
    keys = ["provider", "base_currency", "quote_currency"]
    grouped = table.group_by(keys).aggregate(
        rate=table.rate.argmax(table.rate_date), newest=table.rate_date.max(), oldest=table.rate_date.min(), n=table.count(),
        days=table.rate_date.nunique(),
    )  # fmt: skip
    found = []
    for row in book.run(grouped.order_by(keys)).to_pylist():
        apart = (row["newest"] - row["oldest"]).days / max(row["days"] - 1, 1)
        limit = DAILY_MAX_AGE_DAYS if row["days"] > 1 and apart <= 2 else MONTHLY_MAX_AGE_DAYS
        age = (book.on - row["newest"]).days
        found.append(
            Pair(
                row["provider"], row["base_currency"], row["quote_currency"], row["rate"], row["newest"], row["oldest"], row["n"], age, age > limit,
            )
        )  # fmt: skip
    return found


def conversions(book: Book) -> list[Conversion]:
    """Every currency the book has receivables in, and the rate its figures are converted with.  折算汇率"""
    invoice, settlement = book.invoice, book.settlement
    used = ibis.union(invoice.select("currency"), settlement.select("currency"), distinct=True)
    codes = sorted(str(code) for code in book.run(used).column("currency").to_pylist() if code)
    known = {row["currency"]: row for row in rates_to_base(book).to_pylist()}
    return [
        Conversion(code, known[code]["rate_to_base"], known[code]["rate_date"]) if code in known else Conversion(code, None, None)
        for code in codes
    ]


def rate_history(book: Book, provider: str, base: str, quote: str, *, offset: int = 0, limit: int = 60) -> list[dict[str, Any]]:
    """The rates of one pair, newest first: rate_date, rate, source, recorded_at."""
    table = book.exchange_rate
    rows = table.filter((table.provider == provider) & (table.base_currency == base) & (table.quote_currency == quote))
    rows = rows.order_by(rows.rate_date.desc()).limit(limit, offset=offset)
    return list(book.run(rows.select("rate_date", "rate", "source", "recorded_at")).to_pylist())


def add_rate(ledger: Ledger, *, base: str, quote: str, on: date, rate: Decimal, by: str = "") -> None:
    """Keep a rate typed in by hand: on that day one unit of `base` cost `rate` units of `quote`.

    Raises CurrencyUnknownError, OptionMisusedError.
    """
    base, quote = base.strip().upper(), quote.strip().upper()
    exponent(base)
    exponent(quote)
    if base == quote or not rate.is_finite() or rate <= 0:
        raise OptionMisusedError(option=f"{base}/{quote}", value=str(rate), hint=say("desk.hint_rate"))
    row = {"provider": OWN, "base_currency": base, "quote_currency": quote, "rate_date": on, "rate": float(rate)}
    with ledger.draft("post", note="rate") as draft:
        draft.put("exchange_rate", pa.Table.from_pylist([row]))
        draft.facts = {"by": by} if by else {}
        draft.commit()
