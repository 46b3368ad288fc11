"""The past of the whole portfolio, month end by month end, in one pass over the columns of the refresh.

The sums behind `duecourse.measures.history` and `duecourse.measures.portfolio`, per currency, over any choice of buyers; tests hold the
figures made from them equal to the expressions.
"""

from __future__ import annotations

import itertools
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow.compute as pc

from duecourse.calendar import months_back
from duecourse.compiled import compiled
from duecourse.engines.fused.kernel import CASH, DILUTION, NO_DAY, PAYMENT, _first_after, _hidden, _longest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import numpy.typing as npt

    from duecourse.engines.fused.projection import Projection

    Days = npt.NDArray[np.int32]
    Minor = npt.NDArray[np.int64]

EPOCH: Final = 719_163
"""1970-01-01 as Python counts days."""
COUNTBACK_MONTHS: Final = 24
FLOWS: Final = ("credit_sales", "cash_received", "credits", "sales_90d", "paid", "late_high", "late_low", "floored_high", "floored_low")
SHARES_PER_THREAD: Final = 8


@dataclass(frozen=True)
class Months:
    """Sums per currency and month end, the latest first; one month more than asked for, with which the oldest begins.

    currencies   codes in order
    month_start, month_end, days   of each month; the latest ends on the day itself
    balances     int64 [currency, month, bucket]: outstanding by days past due (or since issue)
    flows        {name of FLOWS: int64 [currency, month]}; paid, late_…: payments of known due date, and amount × days late, whose
                 high part counts 2²⁴
    sales        int64 [currency, month]: credit sales, for COUNTBACK_MONTHS months more
    sales_days   length of those months
    year         int64 [currency, 5]: paid, late_high … of the last 365 days
    """

    currencies: Sequence[str]
    month_start: Sequence[date]
    month_end: Sequence[date]
    balances: npt.NDArray[np.int64]
    flows: dict[str, npt.NDArray[np.int64]]
    sales: npt.NDArray[np.int64]
    sales_days: Sequence[int]
    year: npt.NDArray[np.int64]

    def countback(self, outstanding: int, sales: Sequence[int], month: int) -> tuple[float | None, bool | None]:
        """Days of sales that a balance at the end of a month stands for, and whether it is older than COUNTBACK_MONTHS months of them."""
        if outstanding <= 0:
            return None, None
        rest, counted = outstanding, 0.0
        for back in range(month, month + COUNTBACK_MONTHS):
            sold = int(sales[back])
            counted += self.sales_days[back] if rest >= sold else self.sales_days[back] * rest / sold
            rest -= sold
            if rest <= 0:
                break
        return counted, rest > 0


@compiled
def _walk(  # noqa: C901, PLR0912, PLR0915 — one walk; splitting it would pass thirty values about
    first: int,
    last: int,
    seen: npt.NDArray[np.bool_],
    code: Days,
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
    month_start: Days,
    month_end: Days,
    months: int,
    limits: Days,
    by_issue: bool,
    balances: Minor,
    flows: Minor,
    sales: Minor,
    year: Minor,
) -> None:
    """Add the runs first..last-1 to the sums. `months`: how many of month_start and month_end get balances and flows."""
    open_minor = np.empty(_longest(first, last, invoice_start), np.int64)

    for run in range(first, last):
        if not seen[run]:
            continue
        currency = code[run]
        base = invoice_start[run]
        issued = _first_after(issue_day, base, invoice_start[run + 1], on) - base
        begin = settlement_start[run]
        end = _first_after(settle_day, begin, settlement_start[run + 1], on)
        for i in range(issued):
            open_minor[i] = 0

        i = issued - 1
        for month in range(month_start.size):
            while i >= 0 and issue_day[base + i] >= month_start[month]:
                sales[currency, month] += invoice_amount[base + i]
                i -= 1

        upto = 0  # invoices issued by the month end
        within = 0  # the first of them less than 90 days old
        sold = np.int64(0)
        j = begin
        for month in range(months - 1, -1, -1):
            close = month_end[month]
            while upto < issued and issue_day[base + upto] <= close:
                amount = invoice_amount[base + upto]
                open_minor[upto] += amount
                sold += amount
                if issue_day[base + upto] >= month_start[month]:
                    flows[currency, month, 0] += amount
                upto += 1
            while within < upto and issue_day[base + within] <= close - 90:
                sold -= invoice_amount[base + within]
                within += 1
            flows[currency, month, 3] += sold

            while j < end and settle_day[j] <= close:
                day = settle_day[j]
                place = position[j]
                flag = flags[j]
                amount = settle_amount[j]
                j += 1
                if 0 <= place < issued:
                    open_minor[place] -= amount  # before the invoice is issued too: it takes effect with it
                if _hidden(place, flag, issued, counts_until, on):
                    continue
                lately = day > on - 365
                if day < month_start[month] and not lately:
                    continue
                inside = day >= month_start[month]
                if inside and flag & CASH:
                    flows[currency, month, 1] += amount
                if inside and flag & DILUTION:
                    flows[currency, month, 2] += amount
                if not (flag & PAYMENT and 0 <= place < issued) or due_day[base + place] == NO_DAY:
                    continue
                late = np.int64(day - due_day[base + place])
                high, low = (amount >> 24) * late, (amount & 0xFFFFFF) * late
                if inside:
                    flows[currency, month, 4] += amount
                    flows[currency, month, 5] += high
                    flows[currency, month, 6] += low
                    if late > 0:
                        flows[currency, month, 7] += high
                        flows[currency, month, 8] += low
                if lately:
                    year[currency, 0] += amount
                    year[currency, 1] += high
                    year[currency, 2] += low
                    if late > 0:
                        year[currency, 3] += high
                        year[currency, 4] += low

            for k in range(upto):
                amount = open_minor[k]
                if amount <= 0:
                    continue
                since = issue_day[base + k] if by_issue else due_day[base + k]
                age = close - since if since != NO_DAY else 0
                bucket = 0
                if age > 0:
                    bucket = 1
                    while bucket <= limits.size and age > limits[bucket - 1]:
                        bucket += 1
                balances[currency, month, bucket] += amount


def months_of(
    projection: Projection,
    on: date,
    *,
    months: int,
    limits_days: Sequence[int],
    by_issue: bool = False,
    seen: npt.NDArray[np.bool_] | None = None,
    threads: int | None = None,
) -> Months:
    """The sums of `months` month ends, the latest `on` itself.

    limits_days  upper limits of the ageing buckets
    by_issue     age since the issue date instead of since the due date
    seen         a flag for each run of the projection; None = all
    """
    columns = projection.columns
    runs = projection.runs
    coded: Any = pc.call_function("dictionary_encode", [runs["currency"].combine_chunks()]) if len(runs) else None
    names: list[str | None] = coded.dictionary.to_pylist() if coded is not None else []
    code = coded.indices.to_numpy(zero_copy_only=False).astype(np.int32) if coded is not None else np.zeros(0, np.int32)
    flags = np.ones(len(runs), np.bool_) if seen is None else seen
    calendar = months_back(on, months + 1 + COUNTBACK_MONTHS)
    starts, ends = (np.array([day.toordinal() - EPOCH for day in days], np.int32) for days in zip(*calendar, strict=True))
    limits = np.array(limits_days, np.int32)
    threads = threads or len(os.sched_getaffinity(0))
    size = len(names)
    rows = columns["invoice_start"] + columns["settlement_start"]
    cuts = np.searchsorted(rows, np.linspace(rows[0], rows[-1], threads * SHARES_PER_THREAD + 1)[1:-1])
    edges = sorted({0, len(runs), *(int(cut) for cut in cuts)})

    def work(low: int, high: int) -> tuple[npt.NDArray[np.int64], ...]:
        sums = (
            np.zeros((size, months + 1, len(limits) + 2), np.int64), np.zeros((size, months + 1, len(FLOWS)), np.int64),
            np.zeros((size, len(starts)), np.int64), np.zeros((size, 5), np.int64),
        )  # fmt: skip
        _walk(
            low, high, flags, code,
            columns["invoice_start"], columns["issue_day"], columns["due_day"], columns["invoice_amount"],
            columns["settlement_start"], columns["settle_day"], columns["settle_amount"], columns["position"], columns["flags"],
            columns["counts_until"], on.toordinal() - EPOCH, starts, ends, months + 1, limits, by_issue, *sums,
        )  # fmt: skip
        return sums

    shares = [(low, high) for low, high in itertools.pairwise(edges) if low < high]
    with ThreadPoolExecutor(threads) as pool:
        parts = list(pool.map(lambda share: work(*share), shares)) or [work(0, 0)]
    balances, flows, sales, year = (sum(part[place] for part in parts) for place in range(4))
    order = sorted((name, place) for place, name in enumerate(names) if name is not None)
    own = [place for _name, place in order]
    assert not isinstance(flows, int)
    return Months(
        [name for name, _place in order],
        [start for start, _end in calendar],
        [end for _start, end in calendar],
        balances[own],  # type: ignore[index]
        {name: flows[own][:, :, place] for place, name in enumerate(FLOWS)},
        sales[own],  # type: ignore[index]
        [(end - start).days + 1 for start, end in calendar],
        year[own],  # type: ignore[index]
    )
