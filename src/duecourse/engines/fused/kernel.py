"""The arithmetic of the refresh: one walk over each buyer's invoices and settlements, compiled to machine code.

A run is one buyer in one currency: its invoices sorted by issue date, its settlements by settlement date, each settlement holding the
position of its invoice inside the run. So nothing is looked up, sorted or joined here, and what a run needs lies in the cache.

Money and counts are exact int64. Sums of amount × days can exceed int64 (minor units of a large rupiah ledger times ten years), so
they are kept as two integers: amount = high × 2²⁴ + low, each part times the days added apart and the low part's carry moved up at
every step. Both parts stay far inside int64 as long as the amounts themselves add up in it, which the projection checks when it is
built. Only the final division is in floating point.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from duecourse.compiled import compiled

if TYPE_CHECKING:
    import numpy.typing as npt

    Days = npt.NDArray[np.int32]
    Minor = npt.NDArray[np.int64]

NOTHING: Final = np.iinfo(np.int64).min
"""Stands for null in a whole-number result."""
NO_DAY: Final = int(np.iinfo(np.int32).min)
"""Stands for a missing due date in the columns."""

PAYMENT: Final = 1
DILUTION: Final = 2
FOREIGN: Final = 4
CASH: Final = 8
"""Flags of a settlement: a kind that pays, a kind that dilutes, it stands on another buyer's account until its invoice is issued, and: it
is money received."""

WHOLE: Final = (
    "outstanding", "overdue", "not_due", "days_1_30", "days_31_60", "days_61_90", "days_91_180", "days_181_365", "days_over_365",
    "unapplied_credits", "open_invoices", "overdue_invoices", "oldest_days_past_due", "credit_sales_90d", "credit_sales_365d",
    "invoices_365d", "paid_365d", "peak_balance_365d", "credits_365d", "first_issue_date", "last_payment_date", "dso_censored", "rows",
)  # fmt: skip
"""Rows of the whole-number result. Dates are days since 1970-01-01; `rows` counts invoices and settlements, 0 = the run is not there yet."""
RATIOS: Final = (
    "weighted_days_late_open", "days_beyond_terms_365d", "days_beyond_terms_floored_365d", "days_beyond_terms_90d", "dso_countback",
)  # fmt: skip
"""Rows of the floating-point result; NaN stands for null."""


@compiled
def _first_after(days: Days, low: int, high: int, day: int) -> int:
    """The first index in [low, high) whose day is later than `day`; the days are sorted."""
    while low < high:
        middle = (low + high) >> 1
        if days[middle] <= day:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def _longest(first: int, last: int, start: Minor) -> int:
    """How many rows the longest of the runs first..last-1 has."""
    longest = 0
    for run in range(first, last):
        longest = max(longest, int(start[run + 1] - start[run]))
    return longest


@compiled
def _hidden(place: int, flag: int, issued: int, counts_until: Days, on: int) -> bool:
    """Does a settlement not count in this run as of `on`?

    One applied to another buyer's invoice counts there from the invoice's issue (place >= 0, FOREIGN) and on its own account before
    (place <= -2: `counts_until[-2 - place]` is the day of issue).
    """
    if place >= 0:
        return place >= issued and (flag & FOREIGN) != 0
    if place == -1:
        return False
    return bool(on >= counts_until[-2 - place])


@compiled
def measure_runs(  # noqa: C901, PLR0912, PLR0915 — one walk; splitting it would pass thirty values about
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
    month_start: Days,
    month_days: Minor,
    whole: Minor,
    ratios: npt.NDArray[np.float64],
) -> None:
    """Measure the runs first..last-1 as of the close of day `on`, into `whole` and `ratios`, whose column 0 is run `origin`.

    month_start, month_days: first day and length of the calendar months counted back over, latest first.
    """
    open_minor = np.empty(_longest(first, last, invoice_start), np.int64)

    for run in range(first, last):
        base = invoice_start[run]
        issued = _first_after(issue_day, base, invoice_start[run + 1], on) - base
        begin = settlement_start[run]
        end = _first_after(settle_day, begin, settlement_start[run + 1], on)

        balance = np.int64(0)
        for i in range(issued):
            amount = invoice_amount[base + i]
            open_minor[i] = amount
            balance += amount

        # Every settlement so far: what it takes off its invoice, or off nothing.
        unapplied = np.int64(0)
        rows = issued
        for j in range(begin, end):
            place = position[j]
            amount = settle_amount[j]
            if 0 <= place < issued:
                open_minor[place] -= amount
            elif _hidden(place, flags[j], issued, counts_until, on):
                continue
            else:
                unapplied += amount
            balance -= amount
            rows += 1

        # What is open, by lateness.
        outstanding = overdue = not_due = np.int64(0)
        late_30 = late_60 = late_90 = late_180 = late_365 = late_more = np.int64(0)
        open_count = overdue_count = np.int64(0)
        oldest = 0
        high = low = np.int64(0)
        for i in range(issued):
            amount = open_minor[i]
            if amount == 0:
                continue
            if amount < 0:
                unapplied -= amount
                continue
            outstanding += amount
            open_count += 1
            due = due_day[base + i]
            late = on - due if due != NO_DAY else 0
            if late <= 0:
                not_due += amount
                continue
            overdue += amount
            overdue_count += 1
            oldest = max(oldest, late)
            high += (amount >> 24) * late
            low += (amount & 0xFFFFFF) * late
            high += low >> 24
            low &= 0xFFFFFF
            if late <= 30:
                late_30 += amount
            elif late <= 60:
                late_60 += amount
            elif late <= 90:
                late_90 += amount
            elif late <= 180:
                late_180 += amount
            elif late <= 365:
                late_365 += amount
            else:
                late_more += amount

        # Sales of the last year, latest first.
        sales_90 = sales_365 = np.int64(0)
        i = issued - 1
        while i >= 0 and issue_day[base + i] > on - 90:
            sales_90 += invoice_amount[base + i]
            i -= 1
        sales_365 = sales_90
        while i >= 0 and issue_day[base + i] > on - 365:
            sales_365 += invoice_amount[base + i]
            i -= 1
        invoices_365 = issued - 1 - i

        # Payments and credits of the last year, latest first.
        paid_365 = credits_365 = weight_365 = weight_90 = np.int64(0)
        high_90 = low_90 = high_365 = low_365 = high_floored = low_floored = np.int64(0)
        last_payment = np.int64(NOTHING)
        j = end - 1
        while j >= begin and (settle_day[j] > on - 365 or last_payment == NOTHING):
            day = settle_day[j]
            place = position[j]
            flag = flags[j]
            amount = settle_amount[j]
            j -= 1
            if _hidden(place, flag, issued, counts_until, on):
                continue
            if flag & PAYMENT and last_payment == NOTHING:
                last_payment = np.int64(day)
            if day <= on - 365:
                continue
            if flag & DILUTION:
                credits_365 += amount
            if flag & PAYMENT and 0 <= place < issued:
                paid_365 += amount
                due = due_day[base + place]
                if due == NO_DAY:
                    continue
                weight_365 += amount
                late = np.int64(day - due)
                upper = (amount >> 24) * late
                lower = (amount & 0xFFFFFF) * late
                high_365 += upper
                low_365 += lower
                high_365 += low_365 >> 24
                low_365 &= 0xFFFFFF
                if late > 0:
                    high_floored += upper
                    low_floored += lower
                    high_floored += low_floored >> 24
                    low_floored &= 0xFFFFFF
                if day > on - 90:
                    weight_90 += amount
                    high_90 += upper
                    low_90 += lower
                    high_90 += low_90 >> 24
                    low_90 &= 0xFFFFFF

        # Days of sales that the balance stands for, month by month back.
        countback = np.nan
        censored = np.int64(NOTHING)
        if outstanding > 0:
            countback = 0.0
            rest = outstanding
            i = issued - 1
            month = 0
            while rest > 0 and month < month_start.size:
                sales = np.int64(0)
                while i >= 0 and issue_day[base + i] >= month_start[month]:
                    sales += invoice_amount[base + i]
                    i -= 1
                if rest >= sales:
                    countback += month_days[month]
                else:
                    countback += month_days[month] * rest / sales
                rest -= sales
                month += 1
            censored = np.int64(rest > 0)

        # Undo a day at a time from the balance at the close of `on`: its highest close in a year.
        peak = balance
        i = issued - 1
        j = end - 1
        while True:
            day = on - 364
            if i >= 0 and issue_day[base + i] > day:
                day = issue_day[base + i]
            if j >= begin and settle_day[j] > day:
                day = settle_day[j]
            if day == on - 364:
                break
            while i >= 0 and issue_day[base + i] == day:
                balance -= invoice_amount[base + i]
                i -= 1
            while j >= begin and settle_day[j] == day:
                if not _hidden(position[j], flags[j], issued, counts_until, on):
                    balance += settle_amount[j]
                j -= 1
            peak = max(peak, balance)

        to = run - origin
        whole[0, to] = outstanding
        whole[1, to] = overdue
        whole[2, to] = not_due
        whole[3, to] = late_30
        whole[4, to] = late_60
        whole[5, to] = late_90
        whole[6, to] = late_180
        whole[7, to] = late_365
        whole[8, to] = late_more
        whole[9, to] = unapplied
        whole[10, to] = open_count
        whole[11, to] = overdue_count
        whole[12, to] = oldest if overdue_count else NOTHING
        whole[13, to] = sales_90
        whole[14, to] = sales_365
        whole[15, to] = invoices_365
        whole[16, to] = paid_365
        whole[17, to] = peak
        whole[18, to] = credits_365
        whole[19, to] = issue_day[base] if issued else NOTHING
        whole[20, to] = last_payment
        whole[21, to] = censored
        whole[22, to] = rows
        ratios[0, to] = (high * 16777216.0 + low) / outstanding if outstanding else np.nan
        ratios[1, to] = (high_365 * 16777216.0 + low_365) / weight_365 if weight_365 else np.nan
        ratios[2, to] = (high_floored * 16777216.0 + low_floored) / weight_365 if weight_365 else np.nan
        ratios[3, to] = (high_90 * 16777216.0 + low_90) / weight_90 if weight_90 else np.nan
        ratios[4, to] = countback
