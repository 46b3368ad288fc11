"""The calendar of the economy as tables over every day: working days, months, lunar new year, pay-runs, days on which invoices go out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from duecourse.samples.columns import Codes, Days, Flags, Floats
    from duecourse.samples.parameters import Economy

LUNAR_NEW_YEARS: Final = tuple(
    date.fromisoformat(day)
    for day in (
        "2000-02-05", "2001-01-24", "2002-02-12", "2003-02-01", "2004-01-22", "2005-02-09", "2006-01-29", "2007-02-18",
        "2008-02-07", "2009-01-26", "2010-02-14", "2011-02-03", "2012-01-23", "2013-02-10", "2014-01-31", "2015-02-19",
        "2016-02-08", "2017-01-28", "2018-02-16", "2019-02-05", "2020-01-25", "2021-02-12", "2022-02-01", "2023-01-22",
        "2024-02-10", "2025-01-29", "2026-02-17", "2027-02-06", "2028-01-26", "2029-02-13", "2030-02-03", "2031-01-23",
        "2032-02-11", "2033-01-31", "2034-02-19", "2035-02-08", "2036-01-28", "2037-02-15", "2038-02-04", "2039-01-24",
        "2040-02-12", "2041-02-01", "2042-01-22", "2043-02-10", "2044-01-30",
    )
)  # fmt: skip
"""First day of the lunar year in China, 2000-2044."""

EPOCH: Final = date(1970, 1, 1)
SLOTS: Final = 2048
"""A month's days are drawn from this many equal slots."""

PAY_RUNS: Final = 14
"""Pay-run calendars: 0 daily, 1-5 weekly on that weekday, 6-7 twice a month, 8-13 monthly."""
_MONTHLY_ON: Final = (5, 10, 15, 20, 25, 28)


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH).days


@dataclass(frozen=True)
class Calendar:
    """Tables over the days `first` to `first + len`, and over the months from `first` on.

    month_of         month of a day, counted from the first month of the simulation
    month_end        last day of a day's month
    working          the day itself, or the next working day
    working_before   the day itself, or the working day before
    pay_run          pay_run[calendar, day]: the day itself, or the next day on which such a buyer pays
    new_year         1 for days whose payments fall into the lunar new year's standstill
    issue_slot       issue_slot[month, slot]: the day an invoice goes out
    issue_weight     how many invoices a month sees, relative to an ordinary month
    issue_until      issue_until[month, day of month]: share of a month's slots up to the close of that day
    """

    first: int
    month_first: Days
    month_of: Codes
    month_end: Days
    working: Days
    working_before: Days
    pay_run: Days
    new_year: Codes
    issue_slot: Days
    issue_weight: Floats
    issue_until: Floats


def calendar(economy: Economy, months_before: int, months_after: int) -> Calendar:
    """The tables from `months_before` the economy's first month to `months_after` its last."""
    start = economy.since.year * 12 + economy.since.month - 1 - months_before
    count = economy.years * 12 + months_before + months_after
    # Payments run on for years after the last month; there the months are counted on.
    firsts = [date((start + month) // 12, (start + month) % 12 + 1, 1) for month in range(count + 61)]
    month_first = np.array([day_number(day) for day in firsts], dtype=np.int32)
    first, end = int(month_first[0]), int(month_first[-1])
    days = np.arange(first, end, dtype=np.int32)
    month_of = (np.searchsorted(month_first, days, side="right") - 1).astype(np.int32)
    month_end = (month_first[month_of + 1] - 1).astype(np.int32)
    day_of_month = days - month_first[month_of] + 1
    weekday = (days + 3) % 7  # 0 = Monday
    holiday = np.zeros(len(days), dtype=bool)
    new_year = np.zeros(len(days), dtype=np.int32)
    for day in LUNAR_NEW_YEARS:
        offset = day_number(day) - first
        holiday[max(offset - 1, 0) : max(offset + 6, 0)] = True
        new_year[max(offset - 4, 0) : max(offset + 12, 0)] = 1
    open_day = (weekday < 5) & ~holiday
    pay_run = np.empty((PAY_RUNS, len(days)), dtype=np.int32)
    pay_run[0] = _next(days, open_day)
    for on in range(5):
        pay_run[1 + on] = _next(days, open_day & (weekday == on))
    for which, (early, late) in enumerate(((10, 25), (15, 30))):
        pay_run[6 + which] = pay_run[0][
            _next(days, (day_of_month == early) | (day_of_month == np.minimum(late, month_end - month_first[month_of] + 1))) - first
        ]
    for which, on in enumerate(_MONTHLY_ON):
        pay_run[8 + which] = pay_run[0][_next(days, day_of_month == on) - first]
    last_days = month_end - days < 3
    weight = (
        np.where(open_day, 1.0, np.where(weekday == 5, 0.12, 0.01))
        * np.where(holiday, 0.05, 1.0)
        * np.where(last_days & open_day, 1.9, 1.0)
    )
    slots, weights, until = _issue_days(month_first[: count + 1], first, weight)
    return Calendar(first, month_first, month_of, month_end, pay_run[0], _before(days, open_day), pay_run, new_year, slots, weights, until)


def _next(days: Days, wanted: Flags) -> Days:
    """For every day the next one that is wanted, itself included; the last day of all where there is none."""
    marked = np.where(wanted, days, days[-1]).astype(np.int32)
    return np.asarray(np.minimum.accumulate(marked[::-1])[::-1])


def _before(days: Days, wanted: Flags) -> Days:
    marked = np.where(wanted, days, days[0]).astype(np.int32)
    return np.asarray(np.maximum.accumulate(marked))


def _issue_days(month_first: Days, first: int, weight: Floats) -> tuple[Days, Floats, Floats]:
    months = len(month_first) - 1
    slots = np.empty((months, SLOTS), dtype=np.int32)
    weights = np.empty(months)
    until = np.ones((months, 32))
    middles = (np.arange(SLOTS) + 0.5) / SLOTS
    for month in range(months):
        start, end = int(month_first[month]), int(month_first[month + 1])
        share = np.cumsum(weight[start - first : end - first])
        weights[month] = share[-1] / 22.0
        share /= share[-1]
        slots[month] = start + np.searchsorted(share, middles)
        until[month, 0] = 0.0
        until[month, 1 : end - start + 1] = share
    return slots, weights, until


def month_ends(economy: Economy) -> list[date]:
    """The last days of the months from the one before the economy begins to its end, none after its last day."""
    ends = []
    day = economy.since
    while day - timedelta(days=1) <= economy.until:
        ends.append(day - timedelta(days=1))
        day = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    return ends
