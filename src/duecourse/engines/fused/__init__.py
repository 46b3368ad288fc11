"""The refresh in one fused pass: every buyer's measures as of a day, from columns that lie in the order they are needed.

`refresh` gives exactly what the expressions of `duecourse.measures.buyer` define; tests hold the two equal. The expressions stay the
definition and answer wherever the pass cannot: for a book as it was known in the past, and for a ledger without a current projection.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from duecourse.calendar import months_back
from duecourse.engines.fused import projection as projections
from duecourse.engines.fused.projection import Projection, ensure
from duecourse.errors import DuecourseError
from duecourse.ledger.store import Ledger

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from duecourse.ledger.book import Book

__all__ = ["MEASURES", "FusedPassError", "Projection", "ensure", "measure", "measure_buyer", "refresh"]

EPOCH: Final = date(1970, 1, 1).toordinal()
COUNTBACK_MONTHS: Final = 24

SHARES_PER_THREAD: Final = 8
"""Runs are dealt out in more shares than threads, so that a thread with slow ones does not keep the others waiting."""

_TYPES: Final[Mapping[str, pa.DataType]] = {
    "buyer_id": pa.string(),
    "currency": pa.string(),
    "outstanding": pa.int64(),
    "overdue": pa.int64(),
    "not_due": pa.int64(),
    "days_1_30": pa.int64(),
    "days_31_60": pa.int64(),
    "days_61_90": pa.int64(),
    "days_91_180": pa.int64(),
    "days_181_365": pa.int64(),
    "days_over_365": pa.int64(),
    "unapplied_credits": pa.int64(),
    "open_invoices": pa.int64(),
    "overdue_invoices": pa.int64(),
    "oldest_days_past_due": pa.int64(),
    "weighted_days_late_open": pa.float64(),
    "credit_sales_90d": pa.int64(),
    "credit_sales_365d": pa.int64(),
    "invoices_365d": pa.int64(),
    "paid_365d": pa.int64(),
    "days_beyond_terms_365d": pa.float64(),
    "days_beyond_terms_floored_365d": pa.float64(),
    "days_beyond_terms_90d": pa.float64(),
    "days_beyond_terms_trend": pa.float64(),
    "dso_countback": pa.float64(),
    "dso_censored": pa.bool_(),
    "dso_simple_90d": pa.float64(),
    "best_possible_dso": pa.float64(),
    "average_days_delinquent": pa.float64(),
    "peak_balance_365d": pa.int64(),
    "credits_365d": pa.int64(),
    "first_issue_date": pa.date32(),
    "last_payment_date": pa.date32(),
}
MEASURES: Final = pa.schema([pa.field(name, kind) for name, kind in _TYPES.items()])
"""Columns of a refresh, those of `duecourse.measures.buyer.buyer_measures`."""


class FusedPassError(DuecourseError):
    """The fused pass was asked for on a book it cannot answer for."""

    code = "fused_pass"


def refresh(book: Book, *, engine: Literal["auto", "fused", "expressions"] = "auto") -> pa.Table:
    """What does every buyer owe, how late, and how does it pay?  客户指标刷新

    One row per buyer and currency having any invoice or settlement by `book.on`; columns `MEASURES`, in no particular order of rows.

    engine  auto: the fused pass if the ledger has a current projection and the book holds all that is known, else the expressions;
            fused: the fused pass, building the projection if there is none; expressions: always the expressions
    A book limited to some of our companies is left to the expressions: the pass knows buyers, not companies.
    Raises FusedPassError for engine="fused" on a book as known in the past, on one limited to some of our companies, or on a ledger that
    has no folder of its own.
    """
    if engine != "expressions":
        ledger = book.ledger
        newest = book.known_at is None or book.known_at >= ledger.state.last.recorded_at
        if isinstance(ledger, Ledger) and ledger.storage.local and newest and not book.scope.legal_entities:
            columns = ensure(ledger) if engine == "fused" else projections.current(ledger)
            if columns is not None:
                return _seen(book, measure(columns, book.on))
        elif engine == "fused":
            raise FusedPassError(on=book.on)
    from duecourse.measures.buyer import buyer_measures  # noqa: PLC0415 — the pass does without Ibis

    return book.run(buyer_measures(book))


def _seen(book: Book, rows: pa.Table) -> pa.Table:
    if not book.scope.restricts:
        return rows
    buyer = book.whole.buyer
    seen = book.scope.buyers_among(book.run(buyer.select("buyer_id", "group_id", "sales_owner")))
    return rows.filter(pc.is_in(rows["buyer_id"], seen))


def measure(projection: Projection, on: date, *, threads: int | None = None) -> pa.Table:
    """All runs of a projection as of the close of `on`, in the order of buyer_id and currency; columns `MEASURES`."""
    threads = threads or len(os.sched_getaffinity(0))
    return _table(projection, range(len(projection.runs)), on, threads)


def measure_buyer(projection: Projection, buyer_id: str, on: date) -> pa.Table:
    """One buyer's rows, one per currency, none for a buyer without invoices and settlements by `on`; columns `MEASURES`.

    In well under a millisecond: for a buyer's page, or after an event of that buyer.
    """
    return _table(projection, projection.runs_of(buyer_id), on, 1)


def _table(projection: Projection, runs: range, on: date, threads: int) -> pa.Table:
    from duecourse.engines.fused.kernel import NOTHING, RATIOS, WHOLE, measure_runs  # noqa: PLC0415 — loads the compiler

    columns = projection.columns
    whole = np.empty((len(WHOLE), len(runs)), np.int64)
    ratios = np.empty((len(RATIOS), len(runs)), np.float64)
    months = months_back(on, COUNTBACK_MONTHS)
    month_start = np.array([start.toordinal() - EPOCH for start, _end in months], np.int32)
    month_days = np.array([(end - start).days + 1 for start, end in months], np.int64)

    def work(share: range) -> None:
        measure_runs(
            share.start, share.stop, runs.start,
            columns["invoice_start"], columns["issue_day"], columns["due_day"], columns["invoice_amount"],
            columns["settlement_start"], columns["settle_day"], columns["settle_amount"], columns["position"], columns["flags"],
            columns["counts_until"], on.toordinal() - EPOCH, month_start, month_days, whole, ratios,
        )  # fmt: skip

    shares = _shares(columns["invoice_start"], columns["settlement_start"], runs, threads * SHARES_PER_THREAD if threads > 1 else 1)
    if threads == 1:
        for share in shares:
            work(share)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, shares))

    value: dict[str, npt.NDArray[Any]] = {**dict(zip(WHOLE, whole, strict=True)), **dict(zip(RATIOS, ratios, strict=True))}
    there = value["rows"] > 0
    names = projection.runs.slice(runs.start, len(runs))
    if not there.all():
        value = {name: column[there] for name, column in value.items()}
        names = names.filter(pa.array(there))
    sales = np.where(value["credit_sales_90d"] != 0, value["credit_sales_90d"], np.nan)
    value["dso_simple_90d"] = value["outstanding"] / sales * 90
    value["best_possible_dso"] = value["not_due"] / sales * 90
    value["average_days_delinquent"] = value["dso_simple_90d"] - value["best_possible_dso"]
    value["days_beyond_terms_trend"] = value["days_beyond_terms_90d"] - value["days_beyond_terms_365d"]

    nullable = {"oldest_days_past_due", "first_issue_date", "last_payment_date"}
    arrays: list[Any] = [names["buyer_id"], names["currency"]]
    for field in list(MEASURES)[2:]:
        column = value[field.name]
        if pa.types.is_floating(field.type):
            arrays.append(pa.array(column, from_pandas=True))
        elif pa.types.is_boolean(field.type):
            arrays.append(pa.array(column == 1, mask=column == NOTHING))
        elif field.name in nullable:
            kind = np.int32 if pa.types.is_date(field.type) else np.int64
            arrays.append(pa.array(column.astype(kind), mask=column == NOTHING).cast(field.type))
        else:
            arrays.append(pa.array(column))
    return pa.table(arrays, schema=MEASURES)


def _shares(invoice_start: npt.NDArray[Any], settlement_start: npt.NDArray[Any], runs: range, count: int) -> list[range]:
    """The runs cut into ranges of about equally many rows; a run itself is never cut."""
    if not runs:
        return []
    rows = invoice_start[runs.start : runs.stop + 1] + settlement_start[runs.start : runs.stop + 1]
    cuts = np.searchsorted(rows, np.linspace(rows[0], rows[-1], count + 1)[1:-1])
    edges = sorted({0, len(runs), *map(int, cuts)})
    return [range(runs.start + low, runs.start + high) for low, high in pairwise(edges)]
