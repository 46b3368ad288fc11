"""The days of a year that are not worked as their weekday would be: holidays with their weekends, and weekend days worked in exchange."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from duecourse.calendar import Certainty, WorkingDays
from duecourse.messages import Language, language
from duecourse.reference.countries import COUNTRIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class SpecialDays:
    """Free days that follow one another, a holiday among them; or one day worked although its weekday is free (调休)."""

    first: date
    last: date
    worked: bool
    name: str
    certainty: Certainty

    @property
    def days(self) -> int:
        """How many days."""
        return (self.last - self.first).days + 1


def special_days(country: str, year: int, overrides: Mapping[date, bool] | None = None) -> list[SpecialDays]:
    """Which days of the year break the week?  节假日与调休

    overrides: days the firm knows better: is each worked?
    Raises CountryUnknownError.
    """
    calendar = WorkingDays(country, overrides=overrides)
    days = [date(year, 1, 1) + timedelta(days=number) for number in range((date(year + 1, 1, 1) - date(year, 1, 1)).days)]
    worked = {day: calendar.is_working_day(day) for day in days}
    usual = {weekday: Counter(worked[day] for day in days if day.weekday() == weekday).most_common(1)[0][0] for weekday in range(7)}
    names = _names(calendar.country, year, language())
    runs: list[list[date]] = []
    for day in days:
        if runs and not worked[day] and not worked[runs[-1][-1]] and day - runs[-1][-1] == timedelta(days=1):
            runs[-1].append(day)
        else:
            runs.append([day])
    found = []
    for run in runs:
        special = [day for day in run if worked[day] != usual[day.weekday()]]
        if special:
            # The holiday itself, not a day off that was moved there.
            own = Counter(names[day] for day in run if day in names and not {"(", "（"} & set(names[day]))
            called = own.most_common(1)[0][0] if own else next((names[day] for day in run if day in names), "")
            found.append(SpecialDays(run[0], run[-1], worked[run[0]], called, calendar.certainty(special[0])))
    return found


def own_days(settings: Mapping[str, Any], country: str) -> dict[date, bool]:
    """The days of a country that the firm knows better, by its setting `working_days`: is each worked?"""
    return {date.fromisoformat(day): bool(worked) for day, worked in (settings.get("working_days") or {}).get(country, {}).items()}


@cache
def _names(country: str, year: int, lang: Language) -> Mapping[date, str]:
    import holidays  # noqa: PLC0415 — takes half a second

    spoken = "zh_CN" if lang == "zh" else "en_US"
    known = holidays.list_localized_countries().get(country, [])
    calendar = holidays.country_holidays(country, years=year, language=spoken if spoken in known else None)
    return {day: calendar[day] for day in calendar}


def working_days_in(country: str, year: int, overrides: Mapping[date, bool] | None = None) -> int:
    """How many days of the year are worked?"""
    return WorkingDays(country, overrides=overrides).working_days_between(date(year - 1, 12, 31), date(year, 12, 31))


def calendar_countries() -> Sequence[tuple[str, str]]:
    """Countries whose working days are known: code and name, in the language spoken."""
    import holidays  # noqa: PLC0415 — takes half a second

    known = holidays.list_supported_countries()
    return sorted(((code, COUNTRIES[code].name()) for code in known if code in COUNTRIES), key=lambda pair: pair[1])
