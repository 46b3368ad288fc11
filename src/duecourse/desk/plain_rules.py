"""The rules of thumb every warning has to beat (经验规则): what is overdue today, how far the limit is used, how late at worst so far.

Each is a score for every buyer at once, higher = riskier, NaN where the rule says nothing: so rules, models and lots are compared alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from duecourse.desk.alone import holds
from duecourse.engines.fused import refresh
from duecourse.ledger.entries import LIMIT
from duecourse.measures.base import minor_rates
from duecourse.measures.expressions import total
from duecourse.measures.limits import limits_in_force
from duecourse.measures.long_overdue import worst_delays
from duecourse.money import NO_CURRENCY

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import ibis.expr.types as ir
    import numpy.typing as npt

    from duecourse.ledger.book import Book

    Column = npt.NDArray[np.float64]

compute: Any = pc
OVER_60: Final = ("days_61_90", "days_91_180", "days_181_365", "days_over_365")
UTILISATION: Final = 0.8
OVERDUE_OR_USED_DAYS: Final = 30


@dataclass(frozen=True)
class Standing:
    """How every buyer stands, columns by position.

    exposure     outstanding in minor units of the base currency; of the buyer's own where nothing can be converted
    oldest       days past due of the oldest open item, 0 = none
    days_late    days past due of all that is owed, weighted by amount, what is not due counting 0
    share_60     of what is owed, more than 60 days past due
    utilisation  outstanding ÷ limit in force, else ÷ the highest balance of the last year; NaN without either
    worst        the longest delay so far, 0 = never late
    active       something is owed, or was invoiced within a year
    has_limits   is utilisation that of limits?
    """

    exposure: Column
    oldest: Column
    days_late: Column
    share_60: Column
    utilisation: Column
    worst: Column
    active: npt.NDArray[np.bool_]
    has_limits: bool


def standing(book: Book, buyers: pa.Array[Any]) -> Standing:
    """How these buyers stand as of the book, in their order: one refresh and one pass over the invoices for all of them."""
    size = len(buyers)
    rates: Mapping[str, float] = (
        {} if book.base_currency == NO_CURRENCY else {row["currency"]: row["factor"] for row in book.run(minor_rates(book)).to_pylist()}
    )
    rows = refresh(book)
    place, rows = _placed(rows, buyers)
    factor = _factors(rows, rates, place, size)
    exposure, peak = (_sum(place, rows, name, size, factor) for name in ("outstanding", "peak_balance_365d"))
    invoices = _sum(place, rows, "invoices_365d", size)
    oldest = _most(place, rows, "oldest_days_past_due", size)
    late = book.run(worst_delays(book))
    at, late = _placed(late, buyers)
    limit = np.zeros(size)
    if holds(book, LIMIT):
        granted = book.run(_granted(book))
        where, granted = _placed(granted, buyers)
        limit = _sum(where, granted, "granted", size, _factors(granted, rates, where, size))
    whole = np.where(limit > 0, limit, peak)
    owes = np.where(exposure > 0, exposure, 1.0)
    days_late = np.bincount(place, _numbers(rows, "weighted_days_late_open") * _numbers(rows, "outstanding") * factor, size) / owes
    share_60 = sum((_sum(place, rows, name, size, factor) for name in OVER_60), np.zeros(size)) / owes
    return Standing(
        exposure, oldest, days_late, share_60, np.where(whole > 0, exposure / np.where(whole > 0, whole, 1.0), np.nan),
        _most(at, late, "worst_days_late", size), (invoices > 0) | (exposure > 0), bool((limit > 0).any()),
    )  # fmt: skip


def _granted(book: Book) -> ir.Table:
    rows = limits_in_force(book)
    rows = rows.filter(rows.buyer_id.notnull() & rows.amount_minor.notnull() & rows.kind.isin(["standing", "temporary"]))
    return rows.group_by(["buyer_id", "currency"]).aggregate(granted=total(rows.amount_minor))


def _placed(rows: pa.Table, buyers: pa.Array[Any]) -> tuple[npt.NDArray[np.int64], pa.Table]:
    at = compute.index_in(rows["buyer_id"].combine_chunks(), buyers)
    there = compute.is_valid(at)
    return compute.drop_null(at).to_numpy(zero_copy_only=False).astype(np.int64), rows.filter(there)


def _numbers(rows: pa.Table, name: str) -> Column:
    return np.nan_to_num(np.asarray(rows[name].cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64))


def _factors(rows: pa.Table, rates: Mapping[str, float], place: npt.NDArray[np.int64], size: int) -> Column:
    """For one minor unit of each row so many of the base currency. A buyer none of whose currencies has a rate keeps its own."""
    currencies: list[Any] = rows["currency"].to_pylist()
    known = np.array([rates.get(code, np.nan) for code in currencies], np.float64)
    rated = np.bincount(place, ~np.isnan(known), size)[place] > 0
    return np.where(np.isnan(known), np.where(rated, 0.0, 1.0), known)


def _sum(place: npt.NDArray[np.int64], rows: pa.Table, name: str, size: int, factor: Column | float = 1.0) -> Column:
    return np.asarray(np.bincount(place, _numbers(rows, name) * factor, size), np.float64)


def _most(place: npt.NDArray[np.int64], rows: pa.Table, name: str, size: int) -> Column:
    found = np.zeros(size)
    np.maximum.at(found, place, _numbers(rows, name))
    return found


def _where(fires: npt.NDArray[np.bool_], score: Column) -> Column:
    return np.where(fires, score, np.nan)


def overdue_60(of: Standing) -> Column:
    """Anything open more than 60 days late, the largest share of what is owed first.  60天以上逾期"""
    return _where(of.share_60 > 0, of.share_60)


def ageing(of: Standing) -> Column:
    """How old what is owed today is: days past due weighted by amount, the oldest first.  当前账龄"""
    return _where(of.days_late > 0, of.days_late)


def utilisation_80(of: Standing) -> Column:
    """The limit is used by 80 % and more, the fullest first.  额度使用率80%"""
    return _where(np.nan_to_num(of.utilisation) >= UTILISATION, of.utilisation)


def utilisation_80_or_overdue_30(of: Standing) -> Column:
    """The limit is used by 80 %, or something is more than 30 days late: whichever is further over its bound first."""
    used = np.nan_to_num(of.utilisation) / UTILISATION
    late = of.days_late / OVERDUE_OR_USED_DAYS
    return _where((used >= 1.0) | (of.oldest > OVERDUE_OR_USED_DAYS), np.maximum(used, late))


def worst_so_far(of: Standing) -> Column:
    """The longest delay there ever was, longest first.  历史最长逾期"""
    return _where(of.worst > 0, of.worst)


RULES: Final[Mapping[str, Callable[[Standing], Column]]] = {
    "overdue_60": overdue_60,
    "ageing": ageing,
    "utilisation_80": utilisation_80,
    "utilisation_80_or_overdue_30": utilisation_80_or_overdue_30,
    "worst_so_far": worst_so_far,
}
"""The rivals that need nothing but the ledger."""
