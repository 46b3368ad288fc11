"""The days of a year that are not worked as their weekday would be: public holidays, and weekend days worked in exchange."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from duecourse.calendar import Certainty, WorkingDays
from duecourse.reference.countries import COUNTRIES

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class SpecialDays:
    """Days that follow one another and are alike: free although usually worked, or worked although usually free."""

    first: date
    last: date
    days: int
    worked: bool
    name: str
    certainty: Certainty


def special_days(country: str, year: int) -> list[SpecialDays]:
    """Which days of the year break the week?  节假日与调休

    Raises CountryUnknownError.
    """
    calendar = WorkingDays(country)
    days = [date(year, 1, 1) + timedelta(days=number) for number in range((date(year + 1, 1, 1) - date(year, 1, 1)).days)]
    worked = {day: calendar.is_working_day(day) for day in days}
    usual = {weekday: Counter(worked[day] for day in days if day.weekday() == weekday).most_common(1)[0][0] for weekday in range(7)}
    found: list[SpecialDays] = []
    for day in days:
        name = calendar.name_of(day)
        if worked[day] == usual[day.weekday()]:
            continue
        before = found[-1] if found else None
        if before and (day - before.last).days == 1 and before.worked == worked[day] and (name == before.name or not name):
            found[-1] = SpecialDays(before.first, day, before.days + 1, before.worked, before.name or name, before.certainty)
        else:
            found.append(SpecialDays(day, day, 1, worked[day], name, calendar.certainty(day)))
    return found


def working_days_in(country: str, year: int) -> int:
    """How many days of the year are worked?"""
    return WorkingDays(country).working_days_between(date(year - 1, 12, 31), date(year, 12, 31))


def calendar_countries() -> Sequence[tuple[str, str]]:
    """Countries whose working days are known: code and name, in the language spoken."""
    import holidays  # noqa: PLC0415 — takes half a second

    known = holidays.list_supported_countries()
    return sorted(((code, COUNTRIES[code].name()) for code in known if code in COUNTRIES), key=lambda pair: pair[1])
