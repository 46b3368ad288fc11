"""The signs the hazard model reads, of every buyer as of a book: from three passes over the invoices, one over the signals, and the indicators (模型特征)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from duecourse.desk.accounts import accounts
from duecourse.desk.alone import answered, holds
from duecourse.ledger.entries import LIMIT, SIGNAL, STATEMENT
from duecourse.measures.indicators.told import rated
from duecourse.measures.indicators.trade import insurer_cover, utilisation
from duecourse.measures.paying import BLOCKS, due_blocks, due_items, trade_blocks
from duecourse.measures.told_lately import TOPICS, told_lately
from duecourse.risk import grade_v1, scorecard_v1
from duecourse.risk.warning.hazard_v1 import of_items, of_payments
from duecourse.risk.warning.hazard_v1.distress import OPEN

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from duecourse.ledger.book import Book

    Column = npt.NDArray[np.float64]

compute: Any = pc


def signs(book: Book, buyers: pa.Array[Any], indicators: pa.Table) -> dict[str, Column]:
    """Every sign of these buyers in their order, NaN where not known.

    indicators  of `desk.indicators.indicators` for the same buyers
    """
    found = of_payments(
        _blocks(answered(book, "due blocks", due_blocks), buyers), _blocks(answered(book, "trade blocks", trade_blocks), buyers)
    )
    found |= _distress(answered(book, "due items", due_items), buyers)
    nothing = np.zeros(len(buyers))
    for topic in TOPICS:
        found |= {f"{topic}_lately": nothing, f"{topic}_before": nothing}
    if holds(book, SIGNAL):
        found |= _told(answered(book, "told lately", told_lately), buyers)
        found["rating_level"] = _of_buyers(answered(book, "rated", rated), "rating_level", buyers)
    unknown = np.full(len(buyers), np.nan)
    found.setdefault("rating_level", unknown)
    found["accounts_log_odds"] = unknown
    if holds(book, STATEMENT):
        card = scorecard_v1.load()
        read = accounts(book, buyers, card, grade_v1.parameters())
        found["accounts_log_odds"] = np.where(np.isnan(read.age_days), np.nan, card.evidence(read.values).log_odds)
    for name, of in (("limit_utilisation", "LIM01"), ("insurer_lost", "LIM02_lost")):
        found[name] = _column(indicators, of) if of in indicators.column_names else unknown
    return found


def _column(table: pa.Table, name: str) -> Column:
    return np.asarray(table[name].cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)


def _place(rows: pa.Table, buyers: pa.Array[Any]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    at = compute.index_in(rows["buyer_id"].combine_chunks(), buyers)
    there = compute.is_valid(at).to_numpy(zero_copy_only=False)
    return compute.fill_null(at, 0).to_numpy(zero_copy_only=False).astype(np.int64)[there], there


def _of_buyers(rows: pa.Table, name: str, buyers: pa.Array[Any]) -> Column:
    place, there = _place(rows, buyers)
    column = np.full(len(buyers), np.nan)
    column[place] = rows[name].to_numpy(zero_copy_only=False)[there]
    return column


def _blocks(rows: pa.Table, buyers: pa.Array[Any]) -> Mapping[str, npt.NDArray[np.float32]]:
    """A table of one row a buyer and block as arrays [buyer, block]."""
    place, there = _place(rows, buyers)
    cell = place * BLOCKS + rows["block"].to_numpy(zero_copy_only=False)[there]
    found = {}
    for name in rows.column_names[2:]:
        array = np.zeros(len(buyers) * BLOCKS, np.float32)
        array[cell] = rows[name].to_numpy(zero_copy_only=False)[there]
        found[name] = array.reshape(len(buyers), BLOCKS)
    return found


def _distress(rows: pa.Table, buyers: pa.Array[Any]) -> dict[str, Column]:
    place, there = _place(rows, buyers)
    ago, delay = (compute.fill_null(rows[name], OPEN).to_numpy().astype(np.int64)[there] for name in ("due_ago", "delay"))
    return of_items(place, ago, delay, len(buyers))


def _told(rows: pa.Table, buyers: pa.Array[Any]) -> dict[str, Column]:
    place, there = _place(rows, buyers)
    found = {}
    for name in rows.column_names[1:]:
        column = np.zeros(len(buyers))
        column[place] = rows[name].to_numpy(zero_copy_only=False)[there]
        found[name] = column
    return found


def taken(book: Book, buyers: pa.Array[Any]) -> pa.Table:
    """The two indicators that `signs` reads, by themselves: how far limits are used, what of the insurer's cover is gone."""
    columns: dict[str, Any] = {"buyer_id": buyers}
    if holds(book, LIMIT):
        for name, column, make in (("utilisation", "LIM01", utilisation), ("insurer cover", "LIM02_lost", insurer_cover)):
            rows = answered(book, name, make)
            columns[column] = (
                rows[column].combine_chunks().cast(pa.float64()).take(compute.index_in(buyers, rows["buyer_id"].combine_chunks()))
            )
    return pa.table(columns)
