"""What the ledger itself says of each buyer's conduct, one number a buyer: what the behavioural block of a grade reads.  付款行为特征

Two refreshes (on the book's day and half a year before) and four small sums over the whole book; one buyer alone is read from its own facts
by the same arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from duecourse.desk.alone import answered, holds
from duecourse.engines.fused import measure_buyer, refresh
from duecourse.engines.fused.projection import current
from duecourse.ledger.entries import DISPUTE, LIMIT
from duecourse.ledger.memory import MemoryLedger
from duecourse.ledger.store import Ledger
from duecourse.measures.base import minor_rates
from duecourse.measures.buyer import buyer_measures
from duecourse.measures.expressions import count, day, total
from duecourse.measures.limits import limits_in_force
from duecourse.measures.windows import days_before
from duecourse.money import NO_CURRENCY

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    import ibis.expr.types as ir
    import numpy.typing as npt

    from duecourse.engines.fused import Projection
    from duecourse.ledger.book import Book

    Column = npt.NDArray[np.float64]

compute: Any = pc
YEAR: Final = 365
HALF_A_YEAR: Final = 182
QUARTER: Final = 90
OVER_60: Final = ("days_61_90", "days_91_180", "days_181_365", "days_over_365")
OVER_90: Final = OVER_60[1:]
EPOCH_ORDINAL: Final = 719163
"""1970-01-01 as Python counts days."""

FACTORS: Final = (
    "delay_with_open", "delay_with_open_change", "overdue_share", "share_over_60_days", "oldest_days_overdue", "days_without_payment",
    "days_beyond_terms_trend", "purchases_change", "dilution_rate", "dispute_rate", "limit_utilisation", "tenure_years",
)  # fmt: skip


@dataclass(frozen=True)
class Conduct:
    """Columns by position, a buyer each.

    values       {factor of FACTORS: figures, NaN where not known}
    has_trade    anything was sold, paid or owed within the last year
    invoices     of the last 365 days
    outstanding, over_90   minor units of the base currency (of the buyer's own where there is no base currency), over_90 without what is
                 disputed; written_off: of the last 365 days
    oldest       days past due of the oldest open item; 0 = nothing overdue
    amounts_comparable   false where no base currency is set: then amounts are of the buyer's own currency
    """

    values: Mapping[str, Column]
    has_trade: npt.NDArray[np.bool_]
    invoices: Column
    outstanding: Column
    over_90: Column
    written_off: Column
    oldest: Column
    amounts_comparable: bool


def conduct(book: Book, buyers: pa.Array[Any], *, limits: bool = True) -> Conduct:
    """The conduct of these buyers as of the book, in their order. `limits`: also how far limits are used."""
    now, then = (_rows(replace(book, on=on)) for on in (book.on, _half_a_year_before(book.on)))
    return _conduct(book, buyers, now, then, limits=limits)


def _rows(book: Book) -> pa.Table:
    return answered(book, "measures", buyer_measures) if isinstance(book.ledger, MemoryLedger) else refresh(book)


def conduct_of_one(book: Book, own: Book, buyer_id: str) -> Conduct:
    """The same of one buyer, from the columns of a large ledger where they lie ready, else from its own facts.

    own  a book of the buyer's facts alone, as of the same day
    """
    now, then = (measures_of_one(book, own, buyer_id, on) for on in (own.on, _half_a_year_before(own.on)))
    return _conduct(own, pa.array([buyer_id], pa.string()), now, then, limits=True)


def measures_of_one(book: Book, own: Book, buyer_id: str, on: date) -> pa.Table:
    """`buyer_measures` of one buyer on a day, from the columns of a ledger where they lie ready, else from its own facts."""
    columns = columns_ready(book)
    if columns is not None:
        return measure_buyer(columns, buyer_id, on)
    return _rows(replace(own, on=on))


def columns_ready(book: Book) -> Projection | None:
    """The columns of a large ledger, where they lie ready for all this book holds."""
    ledger = book.ledger
    newest = book.known_at is None or book.known_at >= ledger.state.last.recorded_at
    if isinstance(ledger, Ledger) and ledger.storage.local and newest and not book.scope.legal_entities:
        return current(ledger)
    return None


def _half_a_year_before(on: date) -> date:
    return on - timedelta(days=HALF_A_YEAR)


def _conduct(book: Book, buyers: pa.Array[Any], now: pa.Table, then: pa.Table, *, limits: bool) -> Conduct:
    rates = _rates(book)
    today = _Sums(now, buyers, rates)
    before = _Sums(then, buyers, rates)
    on = book.on.toordinal() - EPOCH_ORDINAL
    owed, overdue, paid = today.total("outstanding"), today.total("overdue"), today.total("paid_365d")
    sales, invoices = today.total("credit_sales_365d"), today.count("invoices_365d")
    first, last_paid = today.least("first_issue_date"), today.most("last_payment_date")
    oldest = np.nan_to_num(today.most("oldest_days_past_due"))
    has_trade = (invoices > 0) | (owed > 0) | (paid > 0)
    quiet = has_trade & (owed <= 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        delay = _delay(today)
        values = {
            "delay_with_open": delay,
            "delay_with_open_change": delay - _delay(before),
            "overdue_share": np.where(owed > 0, overdue / owed, np.where(quiet, 0.0, np.nan)),
            "share_over_60_days": np.where(owed > 0, sum(today.total(name) for name in OVER_60) / owed, np.where(quiet, 0.0, np.nan)),
            "oldest_days_overdue": np.where(has_trade, oldest, np.nan),
            "days_without_payment": np.where(
                overdue > 0, on - np.where(np.isnan(last_paid), first, last_paid), np.where(has_trade, 0.0, np.nan)
            ),
            "days_beyond_terms_trend": today.mean("days_beyond_terms_trend", by="paid_365d"),
            "purchases_change": np.where(
                (sales > 0) & (on - first > YEAR), today.total("credit_sales_90d") * (YEAR / QUARTER) / sales - 1.0, np.nan
            ),
            "dilution_rate": np.where(sales > 0, np.maximum(today.total("credits_365d"), 0.0) / sales, np.nan),
            "dispute_rate": np.where(invoices > 0, _dispute_counts(book, buyers) / invoices, np.nan),
            "limit_utilisation": _utilisation(book, buyers, owed, rates) if limits else np.full(len(buyers), np.nan),
            "tenure_years": _tenure(book, buyers, first, on),
        }
    values["tenure_years"][~has_trade] = np.nan
    disputed = _money(answered(book, "disputed", _disputed), buyers, "disputed", rates) if holds(book, DISPUTE) else np.zeros(len(buyers))
    return Conduct(
        values, has_trade, invoices, owed, np.maximum(sum((today.total(name) for name in OVER_90), np.zeros(len(buyers))) - disputed, 0.0),
        _money(answered(book, "written off", _written_off), buyers, "written_off", rates), oldest, bool(rates),
    )  # fmt: skip


def _delay(sums: _Sums) -> Column:
    """Days late of the money of a year: what was paid as late as it was paid, what is overdue at its age of today."""
    paid, overdue = sums.total("paid_365d"), sums.total("overdue")
    late = sums.weighted("days_beyond_terms_365d", by="paid_365d") + sums.weighted("weighted_days_late_open", by="outstanding")
    whole = paid + overdue
    return np.where(whole > 0, late / whole, np.nan)


def _added(place: npt.NDArray[np.int64], values: Column, size: int) -> Column:
    return np.asarray(np.bincount(place, values, size), np.float64)


class _Sums:
    """A refresh brought to one row a buyer: amounts in base currency, ratios weighted by them."""

    def __init__(self, rows: pa.Table, buyers: pa.Array[Any], rates: Mapping[str, float]) -> None:
        self.rows, self.size = rows, len(buyers)
        at = compute.index_in(rows["buyer_id"].combine_chunks(), buyers)
        there = compute.is_valid(at).to_numpy(zero_copy_only=False)
        if not there.all():
            self.rows = rows.filter(pa.array(there))
            at = at.filter(pa.array(there))
        self.place = at.to_numpy(zero_copy_only=False).astype(np.int64)
        self.factor = _factor(self.rows["currency"], rates, self.place, self.size)

    def _values(self, name: str) -> Column:
        column = self.rows[name]
        if pa.types.is_date(column.type):
            column = column.cast(pa.int32())
        return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)

    def total(self, name: str) -> Column:
        return _added(self.place, self._values(name) * self.factor, self.size)

    def count(self, name: str) -> Column:
        return _added(self.place, self._values(name), self.size)

    def weighted(self, name: str, *, by: str) -> Column:
        return _added(self.place, np.nan_to_num(self._values(name)) * self._values(by) * self.factor, self.size)

    def mean(self, name: str, *, by: str) -> Column:
        values, weight = self._values(name), self._values(by) * self.factor
        known = ~np.isnan(values) & (weight > 0)
        whole = np.bincount(self.place, np.where(known, weight, 0.0), self.size)
        return np.where(whole > 0, np.bincount(self.place, np.where(known, np.nan_to_num(values) * weight, 0.0), self.size) / whole, np.nan)

    def least(self, name: str) -> Column:
        found = np.full(self.size, np.inf)
        np.fmin.at(found, self.place, self._values(name))
        return np.where(np.isinf(found), np.nan, found)

    def most(self, name: str) -> Column:
        found = np.full(self.size, -np.inf)
        np.fmax.at(found, self.place, self._values(name))
        return np.where(np.isinf(found), np.nan, found)


def _rates(book: Book) -> dict[str, float]:
    return (
        {}
        if book.base_currency == NO_CURRENCY
        else {row["currency"]: row["factor"] for row in answered(book, "rates", minor_rates).to_pylist()}
    )


def _factor(currencies: Any, rates: Mapping[str, float], place: npt.NDArray[np.int64], size: int) -> Column:
    """For one minor unit of each row so many of the base currency. A buyer none of whose currencies has a rate keeps its own."""
    coded = currencies.combine_chunks().dictionary_encode()
    known = np.array([rates.get(word, np.nan) for word in coded.dictionary.to_pylist()] or [np.nan])
    codes = np.asarray(compute.fill_null(coded.indices, 0).to_numpy(zero_copy_only=False))
    found = known[codes] if len(codes) else np.zeros(0)
    rated = np.bincount(place, ~np.isnan(found), size)[place] > 0 if len(codes) else np.zeros(0, np.bool_)
    return np.where(np.isnan(found), np.where(rated, 0.0, 1.0), found)


def _aligned(rows: pa.Table, buyers: pa.Array[Any], name: str) -> Column:
    """A figure of each buyer, 0 where there is none."""
    at = compute.index_in(rows["buyer_id"].combine_chunks(), buyers)
    there = compute.is_valid(at).to_numpy(zero_copy_only=False)
    place = compute.fill_null(at, 0).to_numpy(zero_copy_only=False).astype(np.int64)
    values = np.asarray(rows[name].cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)
    return _added(place[there], np.nan_to_num(values[there]), len(buyers))


def _money(rows: pa.Table, buyers: pa.Array[Any], name: str, rates: Mapping[str, float]) -> Column:
    """Amounts per buyer and currency, brought to one figure a buyer."""
    if not rows.num_rows:
        return np.zeros(len(buyers))
    return _Sums(rows, buyers, rates).total(name)


def _dispute_counts(book: Book, buyers: pa.Array[Any]) -> Column:
    return _aligned(answered(book, "disputes", _disputes), buyers, "disputes") if holds(book, DISPUTE) else np.zeros(len(buyers))


def _disputes(book: Book) -> ir.Table:
    rows = book.dispute
    rows = rows.filter(rows.raised_on > day(days_before(book.on, YEAR)))
    return rows.group_by("buyer_id").aggregate(disputes=count(rows.dispute_id.notnull()))


def _disputed(book: Book) -> ir.Table:
    """What is disputed and unresolved, where the dispute says how much: it is no sign of not being able to pay."""
    rows = book.dispute
    rows = rows.filter(rows.resolved_on.isnull() & rows.amount_minor.notnull())
    return rows.group_by(["buyer_id", "currency"]).aggregate(disputed=total(rows.amount_minor))


def _written_off(book: Book) -> ir.Table:
    rows = book.settlement
    rows = rows.filter((rows.kind == "write_off") & (rows.settle_date > day(days_before(book.on, YEAR))))
    return rows.group_by(["buyer_id", "currency"]).aggregate(written_off=total(rows.amount_minor))


def _utilisation(book: Book, buyers: pa.Array[Any], owed: Column, rates: Mapping[str, float]) -> Column:
    """What is owed ÷ what may be owed: the standing limit and temporary ones, else the insurer's. NaN without a limit above zero."""
    if not holds(book, LIMIT):
        return np.full(len(buyers), np.nan)
    found = answered(book, "granted", _granted)
    if not found.num_rows:
        return np.full(len(buyers), np.nan)
    sums = _Sums(found, buyers, rates)
    granted, insured = sums.total("granted"), sums.total("insured")
    limit = np.where(granted > 0, granted, insured)
    return np.where(limit > 0, np.maximum(owed, 0.0) / np.where(limit > 0, limit, 1.0), np.nan)


def _granted(book: Book) -> ir.Table:
    rows = limits_in_force(book)
    rows = rows.filter(rows.buyer_id.notnull() & rows.amount_minor.notnull())
    own = rows.kind.isin(["standing", "temporary"])
    zero = ibis.literal(0, type="int64")
    rows = rows.mutate(granted=own.ifelse(rows.amount_minor, zero), insured=(rows.kind == "insurer").ifelse(rows.amount_minor, zero))
    return rows.group_by(["buyer_id", "currency"]).aggregate(granted=total(rows.granted), insured=total(rows.insured))


def _tenure(book: Book, buyers: pa.Array[Any], first: Column, on: int) -> Column:
    """Years since the first invoice or, where that is earlier, since the day the profile names."""
    rows = answered(book, "customers since", _since)
    since = np.full(len(buyers), np.nan)
    at = compute.index_in(rows["buyer_id"].combine_chunks(), buyers)
    there = compute.is_valid(at).to_numpy(zero_copy_only=False)
    place = compute.fill_null(at, 0).to_numpy(zero_copy_only=False).astype(np.int64)[there]
    since[place] = rows["customer_since"].cast(pa.int32()).to_numpy(zero_copy_only=False)[there]
    return np.asarray(np.maximum(on - np.fmin(since, first), 0.0) / 365.25, np.float64)


def _since(book: Book) -> ir.Table:
    rows = book.buyer
    return rows.filter(rows.customer_since.notnull()).select("buyer_id", "customer_since")
