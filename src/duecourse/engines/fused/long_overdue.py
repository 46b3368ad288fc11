"""What each buyer can have owed us for so long at the most, and in all at the least, in one pass over the columns of the refresh.

`duecourse.measures.long_overdue` says both exactly, day by day; these bounds say whose past need not be gone through for that. Disputes are left aside.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from duecourse.compiled import compiled
from duecourse.engines.fused import EPOCH, SHARES_PER_THREAD, _shares
from duecourse.engines.fused.kernel import NO_DAY, _first_after, _longest
from duecourse.measures.positions import ITEM

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    import numpy.typing as npt

    from duecourse.engines.fused.projection import Projection

    Days = npt.NDArray[np.int32]
    Minor = npt.NDArray[np.int64]

compute: Any = pc
ANYTHING: Final = 2**62
"""A payment of an old item was taken back: no bound is known."""


@compiled
def _walk(  # noqa: C901, PLR0912 — one walk
    first: int, last: int, invoice_start: Minor, issue_day: Days, due_day: Days, invoice_amount: Minor, settlement_start: Minor, settle_day: Days,
    settle_amount: Minor, position: Days, on: int, days_past_due: int, since: int, most: Minor, least: Minor,
) -> None:  # fmt: skip
    open_minor = np.empty(_longest(first, last, invoice_start), np.int64)
    for run in range(first, last):
        base = invoice_start[run]
        issued = _first_after(issue_day, base, invoice_start[run + 1], on) - base
        begun = _first_after(issue_day, base, invoice_start[run + 1], since) - base
        balance = 0
        for i in range(issued):
            open_minor[i] = invoice_amount[base + i]
            if i < begun:
                balance += open_minor[i]
        back, later = False, False
        for j in range(settlement_start[run], settlement_start[run + 1]):
            place = position[j]
            if settle_day[j] > on:
                break
            if settle_day[j] > since and not later:
                later, least[run] = True, balance
            if place < 0 or place >= issued:
                continue
            while later and begun < issued and issue_day[base + begun] <= settle_day[j]:
                balance += invoice_amount[base + begun]
                begun += 1
            if settle_amount[j] > 0 or settle_day[j] >= issue_day[base + place]:  # what is taken back counts from the invoice on
                balance -= settle_amount[j]
            if later:
                least[run] = min(least[run], balance)
            due = due_day[base + place]
            if due == NO_DAY:
                continue
            if settle_day[j] < max(due + days_past_due, since):
                open_minor[place] -= settle_amount[j]
            elif settle_amount[j] < 0:
                back = True
        if not later:
            least[run] = balance
        for i in range(issued):
            due = due_day[base + i]
            if due != NO_DAY and due + days_past_due <= on and open_minor[i] > 0:
                most[run] += open_minor[i]
        if back:
            most[run] = ANYTHING


def bounds(projection: Projection, on: date, *, days_past_due: int, within_days: int) -> pa.Table:
    """How much can each buyer have owed beyond this age at the most, and in all at the least, at the close of any of these last days?  欠款上下限

    One row per buyer and currency: buyer_id, currency; in minor units, int64:
        most_long_overdue   ANYTHING = no bound is known
        least_outstanding   may be below zero

    days_past_due  the age; within_days: of the days from so many before `on` to `on`
    """
    columns, named = projection.columns, projection.named_runs
    most, least = np.zeros(named, np.int64), np.zeros(named, np.int64)
    threads = len(os.sched_getaffinity(0))

    def work(share: range) -> None:
        _walked(share, columns, on, days_past_due, within_days, most, least)

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, _shares(columns["invoice_start"], columns["settlement_start"], range(named), threads * SHARES_PER_THREAD)))
    return _told(projection.runs.slice(0, named), most, least)


def bounds_of_rows(invoice: pa.Table, settlement: pa.Table, on: date, *, days_past_due: int, within_days: int) -> pa.Table:
    """The same of a few buyers, from their facts as a book has them: invoices with a buyer, and settlements, columns of ITEM and those below.

    invoice     buyer_id, issue_date, due_date, amount_minor
    settlement  settle_date, amount_minor; one that names another invoice is left aside
    """
    runs = invoice.group_by(["buyer_id", "currency"]).aggregate([]).sort_by([("buyer_id", "ascending"), ("currency", "ascending")])
    run = _place(invoice, runs, ("buyer_id", "currency"))
    issue = _numbers(invoice["issue_date"], NO_DAY)
    order = np.lexsort((issue, run))
    invoice, run, issue = invoice.take(order), run[order], issue[order]
    item = _place(settlement, invoice, ITEM)
    applied = np.flatnonzero(item >= 0)
    settle = _numbers(settlement["settle_date"], NO_DAY)[applied]
    later = np.lexsort((settle, run[item[applied]]))
    applied, settle = applied[later], settle[later]
    of = item[applied]
    starts = np.searchsorted(run, np.arange(len(runs) + 1)), np.searchsorted(run[of], np.arange(len(runs) + 1))
    most, least = np.zeros(len(runs), np.int64), np.zeros(len(runs), np.int64)
    columns = {
        "invoice_start": starts[0], "issue_day": issue, "due_day": _numbers(invoice["due_date"], NO_DAY),
        "invoice_amount": _minor(invoice["amount_minor"]), "settlement_start": starts[1], "settle_day": settle,
        "settle_amount": _minor(settlement["amount_minor"])[applied], "position": (of - starts[0][run[of]]).astype(np.int32),
    }  # fmt: skip
    _walked(range(len(runs)), columns, on, days_past_due, within_days, most, least)
    return _told(runs, most, least)


def _walked(runs: range, columns: Mapping[str, Any], on: date, days_past_due: int, within_days: int, most: Minor, least: Minor) -> None:
    today = on.toordinal() - EPOCH
    _walk(
        runs.start, runs.stop, columns["invoice_start"], columns["issue_day"], columns["due_day"], columns["invoice_amount"], columns["settlement_start"],
        columns["settle_day"], columns["settle_amount"], columns["position"], today, days_past_due, today - within_days, most, least,
    )  # fmt: skip


def _told(runs: pa.Table, most: Minor, least: Minor) -> pa.Table:
    return runs.append_column("most_long_overdue", pa.array(most)).append_column("least_outstanding", pa.array(least))


def _numbers(day: Any, missing: int) -> Days:
    found: Days = compute.fill_null(day.cast(pa.int32()), missing).to_numpy()
    return found


def _minor(amount: Any) -> Minor:
    found: Minor = compute.fill_null(amount, 0).to_numpy().astype(np.int64)
    return found


def _place(rows: pa.Table, among: pa.Table, names: Sequence[str]) -> Minor:
    """Which row of `among` has the same values in these columns; -1 = none."""
    one, other = (
        compute.binary_join_element_wise(*(compute.fill_null(each[name].cast(pa.string()), "") for name in names), "\x1f").combine_chunks()
        for each in (rows, among)
    )
    found: Minor = compute.fill_null(compute.index_in(one, other), -1).to_numpy(zero_copy_only=False).astype(np.int64)
    return found
