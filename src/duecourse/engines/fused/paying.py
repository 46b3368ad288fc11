"""How every buyer's paying changes, in one pass over the columns of the refresh: the figures of PAY01, PAY03 and PAY05.

`duecourse.measures.indicators.payment` defines them (`payment_cycle`, `oldest_unpaid`, `part_payments`); tests hold the two equal.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from duecourse.compiled import compiled
from duecourse.engines.fused import EPOCH, SHARES_PER_THREAD, _shares
from duecourse.engines.fused.kernel import CASH, NO_DAY, PAYMENT, _first_after, _hidden, _longest
from duecourse.measures.indicators.payment import (
    CLOSED,
    LEAST_MONTHS,
    LEAST_SPREAD_DAYS,
    MONTHS,
    NEARLY_ZERO,
    PARTS_DAYS,
    RECENT_MONTHS,
    RESIDUE,
    ROUND_SUM,
    SEASON_WEIGHT,
    SLACK,
)  # fmt: skip
from duecourse.money import exponent
from duecourse.reference.currencies import CURRENCIES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    import numpy.typing as npt

    from duecourse.engines.fused.projection import Projection

    Days = npt.NDArray[np.int32]
    Minor = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]

compute: Any = pc
PAID, LATE, CYCLE = 0, 1, 2


@compiled
def _walk(  # noqa: C901, PLR0912 — one walk; splitting it would pass thirty values about
    first: int,
    last: int,
    origin: int,
    invoice_start: Minor,
    issue_day: Days,
    due_day: Days,
    invoice_amount: Minor,
    settlement_start: Minor,
    settle_day: Days,
    settle_amount: Minor,
    position: Days,
    flags: npt.NDArray[np.int8],
    counts_until: Days,
    on: int,
    months: int,
    parts_days: int,
    closed: float,
    residue: float,
    thousands: Minor,
    sums: Floats,
    payments: Minor,
    parts: Minor,
    oldest: Minor,
    unpaid: Minor,
) -> None:
    """Add the runs first..last-1, a place a run; place 0 is run `origin`.

    sums      [run, PAID | LATE | CYCLE, month back]; payments  how many there were in those months
    parts     payments of PAY05, −1 = no money lately; oldest, unpaid  days and amount of PAY03, 0 = nothing overdue
    """
    longest = _longest(first, last, invoice_start)
    open_minor = np.empty(longest, np.int64)
    lately = np.zeros(longest, np.int64)

    for run in range(first, last):
        to = run - origin
        base = invoice_start[run]
        issued = _first_after(issue_day, base, invoice_start[run + 1], on) - base
        begin = settlement_start[run]
        end = _first_after(settle_day, begin, settlement_start[run + 1], on)
        received = False
        for j in range(end - 1, begin - 1, -1):
            back = on - settle_day[j]
            if back >= parts_days and back * 12 >= months * 365:
                break
            place = position[j]
            amount = settle_amount[j]
            applied = 0 <= place < issued
            if applied and flags[j] & PAYMENT and due_day[base + place] != NO_DAY and back * 12 < months * 365:
                month = back * 12 // 365
                sums[to, 0, month] += amount
                sums[to, 1, month] += float(amount) * (settle_day[j] - due_day[base + place])
                sums[to, 2, month] += float(amount) * (settle_day[j] - issue_day[base + place])
                payments[to] += 1
            if back < parts_days and flags[j] & CASH and amount > 0:
                if applied:
                    received = True
                    lately[place] += 1
                elif not _hidden(place, flags[j], issued, counts_until, on):
                    received = True
                    if amount % thousands[to] == 0:
                        parts[to] += 1
        for i in range(issued):
            open_minor[i] = invoice_amount[base + i]
        for j in range(begin, end):
            if 0 <= position[j] < issued:
                open_minor[position[j]] -= settle_amount[j]
        for i in range(issued):
            billed = float(invoice_amount[base + i])
            if lately[i]:
                parts[to] += lately[i] if float(open_minor[i]) > billed * closed else lately[i] - 1
                lately[i] = 0
            due = due_day[base + i]
            if due != NO_DAY and due < on and float(open_minor[i]) > billed * residue:
                oldest[to] = max(oldest[to], on - due)
                unpaid[to] += open_minor[i]
        if not received:
            parts[to] = -1


def paying(
    projection: Projection, on: date, factors: Mapping[str, float], *, buyer_id: str | None = None, threads: int | None = None
) -> pa.Table:
    """How does every buyer's paying change, and how long has the oldest item been waiting?  付款周期延长、最长逾期与部分付款

    One row per buyer with payments on invoices in the last 36 months, money received in the last 60 days or an overdue item: buyer_id and the columns
    of `payment_cycle`, `oldest_unpaid` and `part_payments`, null where those have no row.

    factors   minor units of the base currency for one of each currency that has a rate
    buyer_id  of this buyer alone
    """
    asked = range(projection.named_runs) if buyer_id is None else projection.runs_of(buyer_id)
    threads = 1 if buyer_id is not None else threads or len(os.sched_getaffinity(0))
    columns, runs, named = projection.columns, projection.runs.slice(asked.start, len(asked)), len(asked)
    coded = runs["currency"].combine_chunks().dictionary_encode()
    words: list[str] = [str(word) for word in coded.dictionary.to_pylist()] + [""]
    code = compute.fill_null(coded.indices, len(words) - 1).to_numpy(zero_copy_only=False)
    thousand = [ROUND_SUM * 10 ** (exponent(word) if word in CURRENCIES else 2) for word in words]
    thousands = np.array(thousand, np.int64)[code]
    sums, payments, parts = np.zeros((named, 3, MONTHS)), np.zeros(named, np.int64), np.zeros(named, np.int64)
    oldest, unpaid = np.zeros(named, np.int64), np.zeros(named, np.int64)

    def work(share: range) -> None:
        _walk(
            share.start, share.stop, asked.start, columns["invoice_start"], columns["issue_day"], columns["due_day"], columns["invoice_amount"],
            columns["settlement_start"], columns["settle_day"], columns["settle_amount"], columns["position"], columns["flags"],
            columns["counts_until"], on.toordinal() - EPOCH, MONTHS, PARTS_DAYS, CLOSED, RESIDUE, thousands, sums, payments, parts,
            oldest, unpaid,
        )  # fmt: skip

    dealt = _shares(columns["invoice_start"], columns["settlement_start"], asked, threads * SHARES_PER_THREAD if threads > 1 else 1)
    if threads == 1:
        for share in dealt:
            work(share)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, dealt))

    # Runs lie in the order of their buyers, so that a buyer's are neighbours.
    buyers = runs["buyer_id"].combine_chunks()
    buyer = compute.rank(buyers, tiebreaker="dense").to_numpy(zero_copy_only=False).astype(np.int64) - 1 if named else np.zeros(0, np.int64)
    begins = np.flatnonzero(np.diff(buyer, prepend=-1))
    factor: Floats = np.asarray([factors.get(word, np.nan) for word in words], np.float64)[code]

    def one_currency(there: npt.NDArray[np.bool_]) -> Floats:
        """For one minor unit of each run so many of its buyer's: by the rates of those that are there, or of its own where none has one."""
        if not named:
            return factor
        rated = np.maximum.reduceat((there & ~np.isnan(factor)).astype(np.int8), begins)[buyer] > 0
        return np.asarray(np.where(np.isnan(factor), np.where(rated, 0.0, 1.0), factor) * there, np.float64)

    def added(values: npt.NDArray[Any]) -> Any:
        return np.add.reduceat(values, begins, axis=0) if named else values[:0]

    def greatest(values: npt.NDArray[Any]) -> Any:
        return np.maximum.reduceat(values, begins) if named else values[:0]

    paid, waits = payments > 0, oldest > 0
    pays, late, gets = greatest(paid.astype(np.int8)) > 0, greatest(waits.astype(np.int8)) > 0, greatest((parts >= 0).astype(np.int8)) > 0
    months = added(sums * one_currency(paid)[:, None, None])
    there = pays | gets | late
    found = {name: np.where(pays, column, np.nan)[there] for name, column in payment_cycles(months).items()}
    found["PAY03"] = np.where(late, greatest(oldest), np.nan)[there]
    found["PAY03_owed"] = np.where(late, added(unpaid * one_currency(waits)), np.nan)[there]
    found["PAY05"] = np.where(gets, added(np.maximum(parts, 0)), np.nan)[there]
    kept: Any = compute.take(buyers, pa.array(begins[there]))
    return pa.table([kept, *(pa.array(column, from_pandas=True) for column in found.values())], names=["buyer_id", *found])


def payment_cycles(months: Floats) -> dict[str, Floats]:
    """The columns of `payment_cycle` from each buyer's months: [buyer, PAID | LATE | CYCLE, month back], in one currency."""

    def ratio(one: Floats, other: Floats) -> Floats:
        return np.asarray(one / np.where(other == 0, np.nan, other), np.float64)

    lately, year, before, year_ago = (
        months[:, :, a:b].sum(axis=2) for a, b in ((0, 3), (0, RECENT_MONTHS), (3, RECENT_MONTHS), (RECENT_MONTHS, RECENT_MONTHS + 3))
    )
    known = (lately[:, PAID] > 0) & (before[:, PAID] > 0)
    late, cycle, usual = (
        ratio(lately[:, LATE], lately[:, PAID]),
        ratio(lately[:, CYCLE], lately[:, PAID]),
        ratio(year[:, CYCLE], year[:, PAID]),
    )
    rise = np.where(known, late - ratio(year[:, LATE], year[:, PAID]), np.nan)
    season = np.where(known & (year_ago[:, PAID] > 0), late - ratio(year_ago[:, LATE], year_ago[:, PAID]), np.nan)
    shift, since = _shift(months)
    return {
        "PAY01": rise, "PAY01_season": season, "PAY01_relative": np.where(known & (usual > 0), ratio(cycle - usual, usual), np.nan),
        "PAY01_rise": np.fmin(rise, season), "PAY01_shift": shift, "PAY01_since": since,
    }  # fmt: skip


def _shift(months: Floats) -> tuple[Floats, Floats]:
    """The CUSUM of each buyer and the month its last climb began; NaN where there is none."""
    paid = months[:, PAID]
    delay = np.divide(months[:, LATE], paid, out=np.full(paid.shape, np.nan), where=paid > 0)
    past = delay[:, RECENT_MONTHS:]
    there = ~np.isnan(past)
    count = there.sum(axis=1)
    enough = count >= LEAST_MONTHS
    usual = _mean(past, there, axis=1)
    off = np.where(there, past - usual[:, None], 0.0)
    spread = np.sqrt((off * off).sum(axis=1) / np.maximum(count - 1, 1))
    by_season = past.reshape(len(past), past.shape[1] // RECENT_MONTHS, RECENT_MONTHS)
    seasonal = _mean(by_season, ~np.isnan(by_season), axis=1)
    expected = usual[:, None] + np.nan_to_num(seasonal - usual[:, None]) * SEASON_WEIGHT
    step = (delay[:, :RECENT_MONTHS] - expected) / np.maximum(spread, LEAST_SPREAD_DAYS)[:, None] - SLACK
    height, began, any_month = np.zeros(len(past)), np.full(len(past), np.nan), np.zeros(len(past), np.bool_)
    for month in range(RECENT_MONTHS - 1, -1, -1):
        own = enough & ~np.isnan(step[:, month])
        climbed = np.where(own, height + step[:, month], height)
        height = np.where(climbed > NEARLY_ZERO, climbed, 0.0)
        began = np.where(height > 0, np.where(own & np.isnan(began), month, began), np.nan)
        any_month |= own
    return np.where(any_month, height, np.nan), np.where(any_month, began, np.nan)


def _mean(values: Floats, there: npt.NDArray[np.bool_], *, axis: int) -> Floats:
    count = there.sum(axis=axis)
    total = np.where(there, values, 0.0).sum(axis=axis)
    return np.asarray(np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0), np.float64)
