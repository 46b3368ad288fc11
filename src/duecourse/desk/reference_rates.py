"""Reference rates as the firm knows them: those that come with the product, and its own entries over them, kept in the ledger.  基准利率"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from duecourse.desk.settings import keep
from duecourse.errors import OptionMisusedError, ReferenceSeriesUnknownError
from duecourse.messages import say
from duecourse.reference.interest_regimes import REGIMES
from duecourse.reference.reference_rates import SHIPPED, RatePoint, ReferenceRates

if TYPE_CHECKING:
    from collections.abc import Mapping

    from duecourse.ledger.book import Book
    from duecourse.ledger.store import Ledger

SETTING: Final = "reference_rate:"
HIGHEST: Final = Decimal(5)
ENTERED_KINDS: Final = ("effective", "publication", "half_year_reference", "year")


def _series() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {name: [] for name in SHIPPED.series}
    for rule in REGIMES.values():
        for name in (rule.series, *(named for _currency, named in rule.series_of), *([rule.before[1]] if rule.before else [])):
            if name:
                found.setdefault(name, []).append(rule.id)
    return {name: tuple(rules) for name, rules in sorted(found.items())}


SERIES: Final[Mapping[str, tuple[str, ...]]] = _series()
"""Every series there is a use for, and the rules that follow it."""


ENDED: Final = frozenset(rule.before[1] for rule in REGIMES.values() if rule.before)
"""Series that another has taken the place of: nobody waits for a newer value."""


@dataclass(frozen=True, slots=True)
class Known:
    """The newest value of a series as of a book; rate None: nobody has entered one."""

    series: str
    rules: tuple[str, ...]
    rate: Decimal | None
    valid_from: date | None
    good_until: date | None
    source: str
    confidence: str
    own: bool
    too_old: bool


def rates_of(book: Book) -> ReferenceRates:
    """The reference rates as of a book: what the firm had entered by then counts before what came with the product."""
    return SHIPPED.with_own(own_rates(book.settings))


def own_rates(settings: Mapping[str, Any]) -> list[tuple[str, RatePoint]]:
    """The firm's own entries."""
    found = []
    for name, value in sorted(settings.items()):
        if not name.startswith(SETTING) or not value:
            continue
        series, day = name.removeprefix(SETTING).split(":")
        point = RatePoint(
            date.fromisoformat(day), Decimal(value["rate"]), value["kind"], value["source"], "H" if value["source"] else "M", own=True
        )
        found.append((series, point))
    return found


def newest(book: Book) -> list[Known]:
    """The newest value of every series, those without one first named.  基准利率一览"""
    rates = rates_of(book)
    found = []
    for name, rules in SERIES.items():
        series = rates.series.get(name)
        if series is None:
            found.append(Known(name, rules, None, None, None, "", "", own=False, too_old=False))
            continue
        point = series.points[-1]
        found.append(
            Known(
                name,
                rules,
                point.rate,
                point.valid_from,
                series.good_until,
                point.source,
                point.confidence,
                point.own,
                book.on > series.good_until and name not in ENDED,
            )
        )
    return found


def set_rate(ledger: Ledger, series: str, on: date, rate: Decimal, *, kind: str = "", source: str = "", by: str = "") -> RatePoint:
    """Keep a reference rate: from that day on, a fraction a year (0.0575).

    kind  how long it is good for: effective (until it changes; half a year from its date), publication (monthly), half_year_reference, year;
          empty = as the series' other rows, else effective
    Raises ReferenceSeriesUnknownError, OptionMisusedError.
    """
    name = series.strip().upper()
    if name not in SERIES:
        raise ReferenceSeriesUnknownError(series=series, known=", ".join(SERIES))
    if not rate.is_finite() or not -1 < rate < HIGHEST:
        raise OptionMisusedError(option="--rate", value=f"{rate * 100:f}%", hint=say("interest.hint_rate"))
    known = SHIPPED.series.get(name)
    kind = kind or (known.points[-1].kind if known else "effective")
    if kind not in ENTERED_KINDS:
        raise OptionMisusedError(option="--kind", value=kind, hint=", ".join(ENTERED_KINDS))
    value = {"rate": f"{rate:f}", "kind": kind, "source": source.strip()[:200]}
    keep(ledger, f"{SETTING}{name}:{on.isoformat()}", value, by=by)
    return RatePoint(on, rate, kind, value["source"], "H" if value["source"] else "M", own=True)


def withdraw_rate(ledger: Ledger, series: str, on: date, *, by: str = "") -> None:
    """Take back a rate that was entered wrongly: the product's own counts again, if it has one."""
    keep(ledger, f"{SETTING}{series.strip().upper()}:{on.isoformat()}", None, by=by)
