"""Reference rates that laws and contracts point to, 基准利率: LPR, ECB, base rates; as published, with the firm's own entries over them.

A rate stands from its day until the next row of its series. What is newer than the last row is not guessed: past the day until which that row
is good (`Series.good_until`), and before the first one, asking raises.
"""

from __future__ import annotations

import csv
from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from importlib import resources
from typing import TYPE_CHECKING, Final

from duecourse.calendar import ONE_DAY, add_months
from duecourse.errors import ReferenceRateMissingError, ReferenceRateOldError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

KINDS: Final = ("effective", "effective_minbid", "publication", "half_year_reference", "year")
"""How long a row may be trusted: `publication` monthly, on the 20th or the working day after; `half_year_reference` and `year` for their period;
`effective` until it changes, which somebody has to have looked up."""

PUBLISHED_ON: Final = 20
CONFIRMED_DAYS: Final = 183
"""A rate that holds until it changes, entered by the firm, is trusted for half a year: then somebody has to enter it again, changed or not."""


@dataclass(frozen=True, slots=True)
class RatePoint:
    """A rate from a day on: a fraction a year (0.0310), never a percentage. `own`: entered by the firm."""

    valid_from: date
    rate: Decimal
    kind: str
    source: str
    confidence: str
    own: bool = False


@dataclass(frozen=True)
class Series:
    """One reference rate through time, oldest first. `looked_up` is the day on which nothing newer was known."""

    name: str
    points: tuple[RatePoint, ...]
    looked_up: date

    @cached_property
    def _days(self) -> list[date]:
        return [point.valid_from for point in self.points]

    @cached_property
    def good_until(self) -> date:
        """The last day for which the newest rate is known to hold."""
        last = self.points[-1]
        day = last.valid_from
        if last.kind == "publication":
            return add_months(day.replace(day=PUBLISHED_ON), 1) - ONE_DAY
        end = period_end(last)
        if end is not None:
            return end
        return day + timedelta(days=CONFIRMED_DAYS) if last.own else max(self.looked_up, day)

    def at(self, on: date) -> RatePoint:
        """The rate in force on a day. Raises ReferenceRateMissingError before the first row, ReferenceRateOldError after the last good day."""
        place = bisect_right(self._days, on)
        if not place:
            raise ReferenceRateMissingError(series=self.name, on=on, first=self.points[0].valid_from if self.points else "–")
        point = self.points[place - 1]
        newest = place == len(self.points)
        # A row of a period holds for that period, also where the next one that is known comes later than it should.
        until = self.good_until if newest else period_end(point) or on
        if on > until:
            raise ReferenceRateOldError(series=self.name, on=on, last=point.valid_from, until=until)
        return point

    def changes(self, first: date, last: date) -> list[date]:
        """The days after `first` and up to `last` on which a new row begins."""
        return self._days[bisect_right(self._days, first) : bisect_right(self._days, last)]


def period_end(point: RatePoint) -> date | None:
    """The last day of the half-year or year a row stands for; None for one that holds until the next."""
    if point.kind == "half_year_reference":
        return half_year_end(point.valid_from)
    return date(point.valid_from.year, 12, 31) if point.kind == "year" else None


def half_year_start(day: date) -> date:
    """1 January or 1 July."""
    return date(day.year, 1 if day.month < 7 else 7, 1)


def half_year_end(day: date) -> date:
    """30 June or 31 December."""
    return date(day.year, 6, 30) if day.month < 7 else date(day.year, 12, 31)


@dataclass(frozen=True)
class ReferenceRates:
    """All series that are known, by name."""

    series: Mapping[str, Series]
    source: str
    as_of: date

    def __getitem__(self, name: str) -> Series:
        """A series; one without rows where none is known, which raises when it is asked for a day."""
        return self.series.get(name) or Series(name, (), self.as_of)

    def with_own(self, points: Iterable[tuple[str, RatePoint]]) -> ReferenceRates:
        """These rates with the firm's own over them: of two for one day the firm's counts."""
        added: dict[str, dict[date, RatePoint]] = {}
        for name, point in points:
            added.setdefault(name, {})[point.valid_from] = point
        if not added:
            return self
        merged = dict(self.series)
        for name, own in added.items():
            known = merged.get(name)
            rows = {**({point.valid_from: point for point in known.points} if known else {}), **own}
            merged[name] = Series(name, tuple(rows[day] for day in sorted(rows)), self.as_of)
        return ReferenceRates(merged, self.source, self.as_of)


def _load() -> ReferenceRates:
    lines = resources.files(__package__).joinpath("data", "reference_rates.csv").read_text(encoding="utf-8").splitlines()
    head = dict(line.removeprefix("# ").split(": ", 1) for line in lines if line.startswith("# "))
    as_of = date.fromisoformat(head["as_of"])
    rows: dict[str, list[RatePoint]] = {}
    for record in csv.DictReader(line for line in lines if not line.startswith("# ")):
        rate = Decimal(record["value_pct"]).scaleb(-2)
        day = date.fromisoformat(record["date"])
        rows.setdefault(record["series"], []).append(RatePoint(day, rate, record["kind"], record["source"], record["confidence"]))
    series = {name: Series(name, tuple(sorted(points, key=lambda one: one.valid_from)), as_of) for name, points in rows.items()}
    return ReferenceRates(series, head["source"], as_of)


SHIPPED: Final = _load()
"""What comes with the product."""
