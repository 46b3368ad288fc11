"""Days, months and working days, 日历: month arithmetic, day counts for interest, and the working days of each country with 调休 in China."""

from __future__ import annotations

from calendar import isleap, monthrange
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Final, Literal, Protocol

from duecourse.errors import CountryUnknownError

if TYPE_CHECKING:
    from collections.abc import Mapping

ONE_DAY: Final = timedelta(days=1)
MONTHS_A_YEAR: Final = 12


# --- months ---------------------------------------------------------------------------------------------------------------------------


def months_back(on: date, count: int) -> list[tuple[date, date]]:
    """The last `count` calendar months as (first day, last day), latest first; the latest ends on `on`."""
    months = []
    end = on
    for _ in range(count):
        start = end.replace(day=1)
        months.append((start, end))
        if start == date.min:
            break
        end = start - timedelta(days=1)
    return months


def month_end(day: date) -> date:
    """The last day of the month of `day`.  月末

    >>> month_end(date(2024, 2, 10))
    datetime.date(2024, 2, 29)
    """
    return day.replace(day=monthrange(day.year, day.month)[1])


def add_months(day: date, count: int) -> date:
    """The same day `count` months later (earlier when negative), or the last of that month where it has no such day.

    >>> add_months(date(2025, 1, 31), 1)
    datetime.date(2025, 2, 28)
    """
    year, month = divmod(day.year * MONTHS_A_YEAR + day.month - 1 + count, MONTHS_A_YEAR)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


# --- day counts -----------------------------------------------------------------------------------------------------------------------


class DayCount(StrEnum):
    """How the days of an interest period make a fraction of a year.  计息天数惯例

    Source: 2006 ISDA Definitions, section 4.16, the paragraph beside each.
    """

    ACTUAL_365 = "actual/365"  # (d) Actual/365 (Fixed)
    ACTUAL_360 = "actual/360"  # (e)
    THIRTY_E_360 = "30E/360"  # (g) Eurobond basis: a 31st counts as the 30th
    ACTUAL_ACTUAL_ISDA = "actual/actual ISDA"  # (b): days in leap years over 366, the others over 365


def days_between(start: date, end: date, convention: DayCount = DayCount.ACTUAL_365) -> int:
    """How many days of interest run from `start` (included) to `end` (not included)?  计息天数

    The days of the calendar, except by 30E/360, where every month has thirty. Negative when `end` is before `start`.
    """
    if convention is DayCount.THIRTY_E_360:
        months = (end.year - start.year) * MONTHS_A_YEAR + end.month - start.month
        return months * 30 + min(end.day, 30) - min(start.day, 30)
    return (end - start).days


def year_fraction(start: date, end: date, convention: DayCount) -> Fraction:
    """Which part of a year runs from `start` (included) to `end` (not included)?  年化系数

    Exact, so that interest = principal × yearly rate × fraction is rounded once, at its end. Negative when `end` is before `start`.
    Source: see DayCount.

    >>> year_fraction(date(2003, 11, 1), date(2004, 5, 1), DayCount.ACTUAL_ACTUAL_ISDA)
    Fraction(66491, 133590)
    """
    days = days_between(start, end, convention)
    if convention is DayCount.ACTUAL_365:
        return Fraction(days, 365)
    if convention is not DayCount.ACTUAL_ACTUAL_ISDA:
        return Fraction(days, 360)
    if end < start:
        return -year_fraction(end, start, convention)
    leap = sum(
        (min(end, date(year, 12, 31) + ONE_DAY) - max(start, date(year, 1, 1))).days
        for year in range(start.year, end.year + 1)
        if isleap(year)
    )
    return Fraction(leap, 366) + Fraction(days - leap, 365)


# --- working days ---------------------------------------------------------------------------------------------------------------------

Certainty = Literal["official", "provisional"]

ANNOUNCED_UNTIL_YEAR: Final = 2026
"""The last year whose public holidays were announced when the calendars we ship were made."""

MOON_SIGHTING_DAYS: Final = 2
"""A holiday that waits for the moon to be sighted may fall so many days earlier or later than estimated."""


class _Holidays(Protocol):
    """What we use of a calendar of the `holidays` library."""

    start_year: int
    end_year: int

    def __contains__(self, day: object) -> bool: ...
    def get(self, key: date, default: str = "") -> str | None: ...
    def is_working_day(self, key: date) -> bool: ...


@cache
def _holidays(country: str) -> tuple[_Holidays, str]:
    """The calendar of a country, and the mark its names bear when a date is only estimated."""
    import holidays  # noqa: PLC0415 — takes half a second

    try:
        calendar = holidays.country_holidays(country)
    except NotImplementedError:
        raise CountryUnknownError(code=country) from None
    mark = calendar.tr(getattr(calendar, "estimated_label", "") or "").replace("%s", "").strip(" ()（）")
    return calendar, mark


class WorkingDays:
    """Which days are worked in a country?  工作日

    China follows the State Council's yearly notices, with the weekend days worked in exchange for a holiday (调休); other countries
    their public holidays and their own weekend. The notice for a year comes out in the November before: until then its days are
    told from the statutory holidays and the weekends, and `certainty` calls them provisional.

    country    ISO 3166-1 alpha-2 code
    overrides  day -> is it worked? What the operator knows better; certain
    Raises CountryUnknownError.
    Source: the libraries `chinesecalendar` (State Council notices, 2004 to 2026) and `holidays` (national law).

    >>> WorkingDays("CN").is_working_day(date(2026, 2, 14))  # a Saturday worked for the Spring Festival
    True
    """

    def __init__(self, country: str, *, overrides: Mapping[date, bool] | None = None) -> None:
        self.country = country.strip().upper()
        self.overrides = dict(overrides or {})
        self._calendar, self._estimated = _holidays(self.country)
        self._asked: dict[date, bool] = dict(self.overrides)

    def is_working_day(self, day: date) -> bool:
        """Is this day worked?"""
        worked = self._asked.get(day)
        if worked is None:
            notice = self._by_notice(day)
            worked = self._asked[day] = self._by_law(day) if notice is None else notice
        return worked

    def certainty(self, day: date) -> Certainty:
        """Is the answer for this day certain?

        `official` when the operator said it, a State Council notice (China) or the law and the year's announcements say so;
        `provisional` for years not yet announced or before the calendar begins, and near a holiday that waits for the moon.
        """
        if day in self.overrides or self._by_notice(day) is not None:
            return "official"
        if self.country == "CN" or not self._calendar.start_year <= day.year <= ANNOUNCED_UNTIL_YEAR:
            return "provisional"
        if self._estimated and any(
            self._estimated in (self._calendar.get(day + timedelta(days=shift)) or "")
            for shift in range(-MOON_SIGHTING_DAYS, MOON_SIGHTING_DAYS + 1)
        ):
            return "provisional"
        return "official"

    def preceding(self, day: date) -> date:
        """The day itself if it is worked, else the last working day before it: for what we must have done by then."""
        while not self.is_working_day(day):
            day -= ONE_DAY
        return day

    def following(self, day: date) -> date:
        """The day itself if it is worked, else the next working day: for statutory periods that end on a holiday (民事诉讼法 第八十五条)."""
        while not self.is_working_day(day):
            day += ONE_DAY
        return day

    def add_working_days(self, day: date, count: int) -> date:
        """The `count`-th working day after `day`, or before it when negative; the day itself does not count.

        >>> WorkingDays("DE").add_working_days(date(2025, 4, 17), 1)  # Good Friday to Easter Monday are not worked
        datetime.date(2025, 4, 22)
        """
        step = ONE_DAY if count > 0 else -ONE_DAY
        left = abs(count)
        while left:
            day += step
            left -= self.is_working_day(day)
        return day

    def working_days_between(self, start: date, end: date) -> int:
        """How many working days lie after `start`, up to and including `end`? `end` is not before `start`."""
        return sum(self.is_working_day(start + timedelta(days=ahead)) for ahead in range(1, (end - start).days + 1))

    def _by_notice(self, day: date) -> bool | None:
        if self.country != "CN":
            return None
        import chinese_calendar  # noqa: PLC0415 — only where China is meant

        try:
            return bool(chinese_calendar.is_workday(day))
        except NotImplementedError:
            return None

    def _by_law(self, day: date) -> bool:
        # Asking for the day first makes the library work out its year, which the weekend days worked belong to.
        _ = day in self._calendar
        return self._calendar.is_working_day(day)
