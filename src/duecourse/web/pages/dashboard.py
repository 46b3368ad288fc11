"""Where do we stand, how did it come to be, and what needs attention?  总览"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from django.shortcuts import render
from django.utils.html import format_html

from duecourse.glossary import TERMS, label
from duecourse.measures.buckets import Buckets
from duecourse.messages import catalogue, language, say
from duecourse.tables import Money, shown
from duecourse.web.accounts.access import gate
from duecourse.web.books import book_of
from duecourse.web.pages import charts
from duecourse.web.pages.amounts import short
from duecourse.web.pages.reading import Reading, read

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.http import HttpRequest, HttpResponse
    from django.utils.safestring import SafeString

    from duecourse.desk.position import CurrencyPosition
    from duecourse.ledger.book import Book

    Row = Mapping[str, Any]

YEAR: Final = 12
LEAST_POINTS: Final = 0.05
CURRENCIES: Final = 4


@dataclass(frozen=True)
class Tile:
    """One figure: its value now, a month and a year before, its line over the months, and which way is better.

    moves  how a change is told: share (of the earlier value), days or points
    """

    key: str
    name: str
    value: str
    unit: str
    exact: str
    now: float | None
    month: float | None = None
    year: float | None = None
    trend: Sequence[float | None] = ()
    better: str = ""
    moves: str = "share"
    has_past: bool = True


@dataclass(frozen=True)
class Bucket:
    """One line of the ageing of today."""

    name: str
    label: str
    amount: int
    share: float
    before: int | None


@dataclass(frozen=True)
class View:
    """Everything the page shows of one currency, or of all in base currency."""

    currency: str
    lede: SafeString
    first: Sequence[Tile]
    second: Sequence[Tile]
    buckets: Sequence[Bucket]
    amounts: Mapping[str, int]
    charts: Mapping[str, charts.Chart] = field(default_factory=dict)


@gate("read")
def dashboard(request: HttpRequest) -> HttpResponse:
    """The page a CFO opens first."""
    book = book_of(request)
    reading = read(book, request.GET.get("currency", ""))
    chosen = reading.chosen
    words = {"book": book, "reading": reading, "view": _view(book, reading, chosen) if chosen else None}
    return render(request, "pages/dashboard.html", words)


def _view(book: Book, reading: Reading, chosen: CurrencyPosition) -> View:
    currency, figures, months = chosen.currency, chosen.figures, reading.months
    before = months[-2] if len(months) > 1 else None
    buckets = Buckets.of(book)
    return View(
        currency,
        _lede(figures, before, currency),
        [
            _money("outstanding", figures, months, currency),
            _money("overdue", figures, months, currency, better="down"),
            _days("dso_countback", figures, months),
            _share("cei", figures, months),
        ],
        [
            _days("average_days_delinquent", figures, months),
            _days("days_beyond_terms", figures, months),
            _money("disputed", figures, months, currency, better="down"),
            _money("unapplied_credits", figures, months, currency),
        ],
        _buckets(chosen.buckets, before, buckets),
        chosen.buckets,
        {
            "ageing": charts.ageing_over_time(months, buckets, currency),
            "dso": _dso(reading, months),
            "cei": charts.cei_trend(months),
            "concentration": charts.concentration_bars(reading.largest, currency),
        },
    )


def _dso(reading: Reading, months: Sequence[Row]) -> charts.Chart:
    """The DSO of what is chosen; where it is not worked out over all currencies, that of the largest ones."""
    drawn = charts.dso_trend(months)
    if not drawn.is_empty:
        return drawn
    return charts.dso_by_currency(reading.every_month, [one.currency for one in reading.position.currencies[:CURRENCIES]])


def _lede(figures: Row, before: Row | None, currency: str) -> SafeString:
    """The position in one sentence."""
    share, then = figures["overdue_share"], None
    if before and before["outstanding"]:
        then = before["overdue"] / before["outstanding"]
    points = 100 * (share - then) if share is not None and then is not None else None
    kind = "first" if points is None else "same" if abs(points) < LEAST_POINTS else "up" if points > 0 else "down"
    words = {
        "outstanding": format_html("<b>{} {}</b>", *short(figures["outstanding"], currency)),
        "overdue": format_html("<b>{} {}</b>", *short(figures["overdue"], currency)),
        "share": format_html("<b>{}</b>", shown(share, "fraction")),
        "points": f"{abs(points or 0):.1f}",
    }
    return format_html(catalogue()[f"web.dashboard_lede_{kind}"][language()], **words)


def _earlier(name: str, months: Sequence[Row], scale: float = 1) -> dict[str, Any]:
    values = [row.get(name) for row in months]
    known = [None if value is None else value * scale for value in values]
    return {
        "month": known[-2] if len(known) > 1 else None,
        "year": known[-1 - YEAR] if len(known) > YEAR else None,
        "trend": known,
        "has_past": any(value is not None for value in known),
    }


def _money(name: str, figures: Row, months: Sequence[Row], currency: str, *, better: str = "") -> Tile:
    minor = figures.get(name)
    value, unit = short(minor, currency)
    exact = f"{shown(None if minor is None else Money(minor, currency), 'money')} {currency}"
    return Tile(name, label(name), value, unit, exact, minor, better=better, **_earlier(name, months))


def _days(name: str, figures: Row, months: Sequence[Row]) -> Tile:
    found = figures.get(name)
    unit = say("web.dashboard_days") if found is not None else ""
    return Tile(name, _known_as(name), shown(found, "days"), unit, "", found, better="down", moves="days", **_earlier(name, months))


def _share(name: str, figures: Row, months: Sequence[Row]) -> Tile:
    found = figures.get(name)
    return Tile(name, _known_as(name), shown(found, "fraction"), "", "", found, better="up", moves="points", **_earlier(name, months))


def _known_as(name: str) -> str:
    """The abbreviation people say, and the term."""
    term = TERMS[name]
    if not term.abbreviation or term.label().startswith(term.abbreviation):
        return term.label()
    return f"{term.abbreviation} · {term.label()}"


def _buckets(amounts: Mapping[str, int], before: Row | None, buckets: Buckets) -> list[Bucket]:
    whole = sum(amounts.values()) or 1
    return [Bucket(name, buckets.label(name), amount, amount / whole, before[name] if before else None) for name, amount in amounts.items()]
