"""Which rate counts on which day: a rule of law or an agreed rate as pieces of time, each at one rate, with where it comes from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING, Final, Literal

from duecourse.calendar import ONE_DAY, add_months, month_end
from duecourse.errors import AgreedRateMissingError, InterestStartMissingError, ReferenceRateOldError
from duecourse.reference.reference_rates import half_year_start

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from duecourse.cover.late_interest.agreed import AgreedRate
    from duecourse.reference.interest_regimes import Fixing, Regime
    from duecourse.reference.reference_rates import RatePoint, ReferenceRates

AgreedFixing = Literal["default", "contract", "floating"]

DAYS_A_YEAR: Final = 365


@dataclass(frozen=True, slots=True)
class Quote:
    """One rate from `start` to `end`, both included.

    rate       a fraction per `per`
    series, reference, reference_date   the reference rate it comes from and of which day; empty where it follows none
    confidence the reference's: H, M or L; empty where it follows none
    own        the reference was entered by the firm
    """

    start: date
    end: date
    rate: Fraction
    per: Literal["year", "day"] = "year"
    series: str = ""
    reference: Fraction | None = None
    reference_date: date | None = None
    confidence: str = ""
    own: bool = False

    @property
    def yearly(self) -> Fraction:
        """The rate a year: a daily one times 365."""
        return self.rate * DAYS_A_YEAR if self.per == "day" else self.rate


@dataclass(frozen=True, slots=True)
class Happened:
    """Days on which something happened that a rule's interest depends on; None: it did not, or nobody knows."""

    demand: date | None = None
    suit: date | None = None
    served: date | None = None
    judgment: date | None = None  # the last day the judgment gave to pay
    contract: date | None = None

    def first_day(self, rule: Regime, due: date) -> date:
        """The first day of interest under a rule. Raises InterestStartMissingError where it needs a day nobody knows."""
        if rule.starts == "due":
            return due + ONE_DAY
        since: date | None = getattr(self, rule.starts)
        if since is None:
            raise InterestStartMissingError(regime=rule.code, event=rule.starts)
        return max(since, due) + ONE_DAY


def quotes_of_law(
    rule: Regime, first: date, last: date, *, rates: ReferenceRates, currency: str, default: date, happened: Happened
) -> list[Quote]:
    """The rates of a rule from `first` to `last`.

    default   the first day of delay, on which some rules fix their rate
    Raises ReferenceRateMissingError, ReferenceRateOldError, AgreedRateMissingError.
    """
    if rule.kind == "none" or first > last:
        return []
    if rule.kind == "agreed":
        raise AgreedRateMissingError(regime=rule.code)
    if rule.rate is not None and not rule.series:
        found = _fixed(rule, first, last, default)
    else:
        found = []
        series = rule.series_for(currency)
        if rule.before and first <= rule.before[0]:
            until, old = rule.before
            found += _following(rule, old, first, min(last, until), rates, min(default, until))
            first = until + ONE_DAY
        if first <= last:
            found += _following(rule, series, first, last, rates, max(default, rule.before[0] + ONE_DAY) if rule.before else default)
    if rule.after_service is not None and happened.served is not None:
        found = _from_day(found, happened.served + ONE_DAY, Fraction(rule.after_service))
    return found


def _fixed(rule: Regime, first: date, last: date, default: date) -> list[Quote]:
    if rule.known_until and (last if rule.steps_float else default) > rule.known_until:
        raise ReferenceRateOldError(series=rule.id, on=default, last=rule.steps[-1][0], until=rule.known_until)
    rate = Fraction(rule.rate or 0)
    if rule.kind == "daily":
        return [Quote(first, last, rate, "day")]
    if not rule.steps:
        return [Quote(first, last, rate)]

    def on(day: date) -> Fraction:
        return Fraction(next((step for since, step in reversed(rule.steps) if since <= day), rule.steps[0][1]))

    if not rule.steps_float:
        return [Quote(first, last, on(default))]
    return _pieces(first, last, [since for since, _ in rule.steps], lambda day: Quote(day, day, on(day)))


def _following(rule: Regime, series: str, first: date, last: date, rates: ReferenceRates, default: date) -> list[Quote]:
    known = rates[series]

    def quote(day: date) -> Quote:
        on = looked_at(rule.fixing, day, default=default, last=last)
        return _quote(rule, series, on, known.at(on), day)

    return _pieces(first, last, _breaks(rule.fixing, first, last, known.changes(first, last)), quote)


def looked_at(fixing: Fixing, day: date, *, default: date, last: date) -> date:
    """Of which day is the reference rate that counts on `day`?"""
    if fixing == "half_year":
        return half_year_start(day)
    if fixing == "half_year_before":
        return half_year_start(day) - ONE_DAY
    if fixing == "default":
        return default
    if fixing == "default_half_year":
        return half_year_start(default)
    if fixing == "second_month":
        return month_end(add_months(day.replace(day=1), -2))
    return last if fixing == "end" else day


def _breaks(fixing: Fixing, first: date, last: date, changes: Sequence[date]) -> list[date]:
    """The days on which the rate may change."""
    if fixing == "floating":
        return list(changes)
    step = {"half_year": 6, "half_year_before": 6, "second_month": 1}.get(fixing)
    if step is None:
        return []
    day, found = (half_year_start(first) if step == 6 else first.replace(day=1)), []
    while (day := add_months(day, step)) <= last:
        found.append(day)
    return found


def _quote(rule: Regime, series: str, on: date, point: RatePoint, day: date) -> Quote:
    reference = Fraction(point.rate)
    rate = reference * Fraction(rule.multiplier) + Fraction(rule.margin)
    if rule.round_up_to is not None:
        step = Fraction(rule.round_up_to)
        rate = ceil(rate / step) * step
    return Quote(day, day, max(rate, Fraction(0)), "year", series, reference, on, point.confidence, point.own)


def _pieces(first: date, last: date, breaks: Sequence[date], quote: Callable[[date], Quote]) -> list[Quote]:
    """From `first` to `last`, cut at the breaks, neighbours of the same rate and reference put together."""
    starts = [first, *sorted({day for day in breaks if first < day <= last})]
    found: list[Quote] = []
    for number, start in enumerate(starts):
        end = starts[number + 1] - ONE_DAY if number + 1 < len(starts) else last
        made = quote(start)
        if found and (found[-1].rate, found[-1].per, found[-1].reference) == (made.rate, made.per, made.reference):
            found[-1] = replace(found[-1], end=end)
        else:
            found.append(replace(made, start=start, end=end))
    return found


def _from_day(quotes: Sequence[Quote], since: date, rate: Fraction) -> list[Quote]:
    """The quotes with another rate from a day on."""
    found: list[Quote] = []
    for one in quotes:
        if one.end < since:
            found.append(one)
        elif one.start >= since:
            found.append(Quote(one.start, one.end, rate))
        else:
            found += [replace(one, end=since - ONE_DAY), Quote(since, one.end, rate)]
    return found


def quotes_of_contract(
    agreed: AgreedRate, first: date, last: date, *, rates: ReferenceRates, default: date, contract: date | None = None, fixing: AgreedFixing = "default"
) -> list[Quote]:  # fmt: skip
    """The rates of an agreed rate from `first` to `last`.

    fixing  of which day a reference counts: default (the first day of delay), contract (the day it was signed, else the default) or floating
    Raises ReferenceRateMissingError, ReferenceRateOldError.
    """
    if first > last:
        return []
    names = agreed.references
    fixed_on = (contract if fixing == "contract" else None) or default
    breaks = sorted({day for name in names for day in rates[name].changes(first, last)}) if fixing == "floating" else []

    def quote(day: date) -> Quote:
        on = day if fixing == "floating" else fixed_on
        points = {name: rates[name].at(on) for name in names}
        yearly = agreed.yearly({name: Fraction(point.rate) for name, point in points.items()})
        plain = agreed.value is not None and agreed.per == "d" and yearly == agreed.value * DAYS_A_YEAR
        named = agreed.series or next(iter(sorted(names)), "")
        point = points.get(named)
        return Quote(
            day, day, yearly / DAYS_A_YEAR if plain else yearly, "day" if plain else "year", named, Fraction(point.rate) if point else None,
            on if point else None, point.confidence if point else "", bool(point and point.own),
        )  # fmt: skip

    return _pieces(first, last, breaks, quote)
