"""Working days as clocks need them: for every country, also where no calendar of holidays is known."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from duecourse.calendar import ONE_DAY, WorkingDays, add_months
from duecourse.errors import CountryUnknownError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from duecourse.calendar import Certainty

SATURDAY: Final = 5
LAST_YEAR: Final = 9990


class Weekends:
    """Monday to Friday: all that is known of a country without a calendar; never certain."""

    def is_working_day(self, day: date) -> bool:
        """Is this day worked, as far as the week says?"""
        return day.weekday() < SATURDAY

    def certainty(self, day: date) -> Certainty:  # noqa: ARG002 — the same for every day
        """Nobody looked up its holidays."""
        return "provisional"


Overrides = tuple[tuple[str, "date", bool], ...]
"""Days the firm knows better: country, day, is it worked?"""


def overrides_of(setting: Mapping[str, Mapping[str, bool]] | None) -> Overrides:
    """The firm's own days from its setting `working_days`: {country: {day: is it worked?}}."""
    from datetime import date  # noqa: PLC0415

    return tuple(
        (country, date.fromisoformat(day), bool(worked))
        for country, days in sorted((setting or {}).items())
        for day, worked in sorted(days.items())
    )


@lru_cache(512)
def _calendar(country: str, overrides: Overrides) -> WorkingDays | Weekends:
    try:
        return WorkingDays(country, overrides={day: worked for land, day, worked in overrides if land == country})
    except CountryUnknownError:
        return Weekends()


@lru_cache(200_000)
def _moved(country: str, day: date, step: int, overrides: Overrides) -> tuple[date, bool]:
    calendar = _calendar(country, overrides)
    provisional = calendar.certainty(day) == "provisional"
    while not calendar.is_working_day(day):
        day += ONE_DAY * step
    return day, provisional or calendar.certainty(day) == "provisional"


def preceding(country: str, day: date, overrides: Overrides = ()) -> tuple[date, bool]:
    """The day itself if it is worked, else the last working day before: for what we must have done. And: is that only provisional?"""
    return _moved(country, day, -1, overrides)


def following(country: str, day: date, overrides: Overrides = ()) -> tuple[date, bool]:
    """The day itself if it is worked, else the next working day: for periods of the law that end on a holiday. And: only provisional?"""
    return _moved(country, day, 1, overrides)


@lru_cache(50_000)
def working_days_after(country: str, day: date, count: int, overrides: Overrides = ()) -> tuple[date, bool]:
    """The `count`-th working day after a day. And: only provisional?"""
    calendar = _calendar(country, overrides)
    provisional = False
    while count:
        day += ONE_DAY
        count -= calendar.is_working_day(day)
        provisional = provisional or calendar.certainty(day) == "provisional"
    return day, provisional


def years_after(day: date, years: int) -> date:
    """The same day so many years later; the last of February where there is no 29th.

    >>> from datetime import date
    >>> years_after(date(2024, 2, 29), 3)
    datetime.date(2027, 2, 28)
    """
    return add_months(day, 12 * years) if day.year + years < LAST_YEAR else day.replace(year=LAST_YEAR, month=12, day=31)
