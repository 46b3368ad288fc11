"""A buyer's accounts side by side, with ratios, scores, what they were before, and how others of its kind stand.  财务报表页"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from django.http import Http404
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from duecourse.desk.statements import FEWEST_PEERS, peers_of, statements_of
from duecourse.errors import BuyerUnknownError
from duecourse.ledger.entries import STATEMENT_ITEMS
from duecourse.measures.statement_guards import HIGHER_IS_BETTER, LOWER_IS_BETTER, ZONES
from duecourse.messages import language, say
from duecourse.money import exponent
from duecourse.tables import named, shown
from duecourse.web.accounts.access import gate, may
from duecourse.web.books import book_of
from duecourse.web.evidence import wording
from duecourse.web.pages.amounts import currency_word

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.http import HttpRequest, HttpResponse

    from duecourse.desk.statements import Figure, Peers, Period, Statements
    from duecourse.ledger.book import Book

SHOWN: Final = 8
"""So many periods stand side by side; more are behind a link."""

OLD_DAYS: Final = 548
TEN_THOUSAND: Final = 10_000
SMALL: Final = 1_000
"""From so many large units on a table is written in them."""


@require_safe
@gate("read")
def statements(request: HttpRequest, buyer_id: str) -> HttpResponse:
    """The page of a buyer's accounts."""
    book = book_of(request)
    found = seen_statements(book, buyer_id)
    every = request.GET.get("periods") == "all"
    shown_ = len(found.periods) if every else min(SHOWN, len(found.periods))
    peers = peers_of(book, found) if found.periods else None
    profile = named(found.profile)
    words = {
        "book": book,
        "buyer_id": buyer_id,
        "name": profile.get("name") or buyer_id,
        "one": found,
        "may_enter": may_enter(request),
        "more": len(found.periods) - shown_,
        **statement_words(request, found, peers, shown_),
    }
    return render(request, "evidence/statements.html", words)


def seen_statements(book: Book, buyer_id: str) -> Statements:
    """The buyer's accounts, or 404 where the buyer may not be seen."""
    try:
        return statements_of(book, buyer_id)
    except BuyerUnknownError:
        raise Http404 from None


def may_enter(request: HttpRequest) -> bool:
    """May this person enter accounts here and now? Not into the past."""
    return may(request.user, "propose") and not request.viewpoint.query  # type: ignore[attr-defined]


def statement_words(request: HttpRequest, found: Statements, peers: Peers | None, count: int) -> dict[str, Any]:
    """What the parts of the page show: periods, sheets of lines, ratios, scores, restatements; also for the credit file."""
    periods = found.periods[:count]
    if not periods:
        return {"periods": []}
    size, unit = unit_of([period.lines for period in periods], periods[0].about["currency"])
    return {
        "periods": [_head(request, found, period) for period in periods],
        "unit": unit,
        "sheets": _sheets(periods, size),
        "ratios": [_ratio_rows(family, figures, periods, peers) for family, figures in found.ratios.items()],
        "years": [period.about["period_end"] for period in periods if period.counts],
        "scores": [] if found.is_financial else [_score_row(figure, periods) for figure in found.scores],
        "missing": _missing(found, periods),
        "peers": peers,
        "fewest": FEWEST_PEERS,
        "restated": [_restated(period) for period in periods if period.before],
        "old": found.age_days is not None and found.age_days > OLD_DAYS,
        "negative_equity": next(((period.lines["total_equity"] or 0) < 0 for period in periods if period.counts), False),
    }


STEPS: Final = {"en": (1_000, 1_000_000), "zh": (10_000, 10_000)}
"""In which units each language writes accounts: those of small firms and of large."""

UNIT_WORDS: Final = {1: "one", 1_000: "thousand", 10_000: "wan", 1_000_000: "million"}


def unit_of(rows: Sequence[Mapping[str, Any]], currency: str) -> tuple[int, str]:
    """One unit for a whole table, chosen by its largest figure, and its name with the currency."""
    amounts = [abs(value) for row in rows for name, value in row.items() if name in STATEMENT_ITEMS and value is not None]
    largest = max(amounts, default=0) / 10 ** exponent(currency)
    small, large = STEPS[language()]
    size = large if largest >= SMALL * large else small if largest >= 10 * small else 1
    return size, say(f"web.frame_unit_{UNIT_WORDS[size]}", currency=currency_word(currency)).strip()


def _head(request: HttpRequest, found: Statements, period: Period) -> dict[str, Any]:
    about = period.about
    length = say("web.statements_year") if period.is_year else say("web.statements_months", count=about["period_months"])
    kinds = [say("web.statements_consolidated" if about["consolidated"] else "web.statements_alone")]
    kinds.append(
        say({True: "web.statements_audited", False: "web.statements_unaudited", None: "web.statements_audit_unsaid"}[about["audited"]])
    )
    if about["opinion"] and about["opinion"] != "unqualified":
        kinds.append(opinion_words(about["opinion"]))
    query = urlencode(
        {"period": about["period_end"].isoformat(), "months": about["period_months"], "consolidated": int(bool(about["consolidated"]))}
    )
    return {
        "end": about["period_end"],
        "length": length,
        "kinds": kinds,
        "standard": (about["standard"] or "").replace("_", " "),
        "currency": about["currency"],
        "published": about["published_on"],
        "estimated": about["published_on_estimated"],
        "file": period.file_name or say("web.statements_by_form"),
        "row": period.source_row,
        "batch_url": _batch_url(request, period.batch),
        "recorded": period.recorded_at,
        "restated": len(period.before),
        "correct_url": f"{reverse('buyer_statements_new', args=[found.buyer_id])}?{query}",
    }  # fmt: skip


def opinion_words(opinion: str) -> str:
    """An auditor's opinion as people say it; one we have no word for as it was written."""
    known = ("unqualified", "qualified", "adverse", "disclaimer", "going_concern")
    return say(f"web.statements_opinion_{opinion}") if opinion in known else opinion


def _batch_url(request: HttpRequest, batch: str) -> str:
    if not may(request.user, "import") or request.user.scope.restricts:  # type: ignore[union-attr]
        return ""
    day = urlencode(request.viewpoint.query)  # type: ignore[attr-defined]
    return reverse("import_", args=[batch]) + (f"?{day}" if day else "")


def amount(minor: int | None, currency: str, size: int) -> str:
    """An amount in units of `size` major ones: whole ones, or with the decimals of the currency where the unit is one."""
    if minor is None:
        return "–"
    digits = exponent(currency) if size == 1 else 2 if size == TEN_THOUSAND else 0
    return f"{minor / 10 ** exponent(currency) / size:z,.{digits}f}"


def exact(minor: int | None, currency: str) -> str:
    """The amount in full, for the pointer."""
    return "" if minor is None else f"{minor / 10 ** exponent(currency):,.{exponent(currency)}f} {currency}"


def _sheets(periods: Sequence[Period], size: int) -> list[dict[str, Any]]:
    made = []
    for sheet, items in wording.SHEETS.items():
        rows = [
            {
                "title": wording.line(item),
                "is_total": item in wording.TOTALS,
                "cells": [
                    (amount(period.lines[item], period.about["currency"], size), exact(period.lines[item], period.about["currency"]))
                    for period in periods
                ],
            }
            for item in items
            if any(period.lines[item] is not None for period in periods)
        ]
        if rows:
            made.append({"title": say(f"web.statements_sheet_{sheet}"), "rows": rows})
    return made


def _ratio_rows(family: str, figures: Sequence[Figure], periods: Sequence[Period], peers: Peers | None) -> dict[str, Any]:
    years = [place for place, period in enumerate(periods) if period.counts]
    rows = []
    for figure in figures:
        values = [figure.values[place] for place in years]
        quartiles = peers.quartiles.get(figure.name) if peers else None
        newest = values[0] if values else None
        rows.append(
            {
                "title": wording.figure_title(figure.name),
                "hint": _hint(figure.name),
                "cells": [
                    (
                        wording.value(figure.name, figure.values[place]),
                        wording.reason_words(reason) if (reason := figure.reasons[place]) else "",
                    )
                    for place in years
                ],
                "trend": list(reversed(values)),
                "peers": [wording.value(figure.name, one) for one in quartiles[:3]] if quartiles else None,
                "peers_n": quartiles[3] if quartiles else 0,
                "stands": _stands(figure.name, newest, quartiles),
            }
        )
    return {"title": say(f"web.statements_family_{family}"), "rows": rows}


def _hint(name: str) -> str:
    from duecourse.glossary import TERMS  # noqa: PLC0415

    return TERMS[name].definition() if name in TERMS else ""


def _stands(name: str, value: float | None, quartiles: tuple[float, float, float, int] | None) -> tuple[str, str]:
    """Where the newest value stands among the others: a state and a word; empty where nobody can say."""
    if value is None or quartiles is None:
        return "", ""
    place = "below" if value < quartiles[0] else "above" if value > quartiles[2] else "middle"
    kind = ""
    if place != "middle":
        higher = name in HIGHER_IS_BETTER
        if higher or name in LOWER_IS_BETTER:
            kind = "good" if (place == "above") == higher else "bad"
    return kind, say(f"web.statements_stands_{place}")


def _score_row(figure: Figure, periods: Sequence[Period]) -> dict[str, Any]:
    years = [place for place, period in enumerate(periods) if period.counts]
    low, high = ZONES.get(figure.name, (0.0, 0.0))
    kinds = {"safe": "good", "grey": "warn", "distress": "bad"}
    return {
        "title": wording.figure_title(figure.name),
        "hint": _hint(figure.name),
        "bounds": say("web.statements_bounds_x") if figure.name == "zmijewski_x" else say("web.statements_bounds_f")
        if figure.name == "piotroski_f" else say("web.statements_bounds", low=f"{low:.2f}", high=f"{high:.2f}"),
        "cells": [
            {
                "value": wording.value(figure.name, figure.values[place]),
                "kind": kinds.get(figure.zones[place], ""),
                "word": say(f"web.statements_zone_{figure.zones[place]}") if figure.zones[place] else "",
                "why": wording.reason_words(reason) if (reason := figure.reasons[place]) else "",
            }
            for place in years
        ],
        "trend": [figure.values[place] for place in reversed(years)],
    }  # fmt: skip


def _missing(found: Statements, periods: Sequence[Period]) -> list[dict[str, Any]]:
    """Each reason once: the year, why, and which figures it keeps from being worked out."""
    reasons: dict[tuple[Any, str], list[str]] = {}
    figures = [figure for family in found.ratios.values() for figure in family]
    for figure in (*figures, *([] if found.is_financial else found.scores)):
        for place, period in enumerate(periods):
            reason = figure.reasons[place]
            if reason is not None:
                key = period.about["period_end"], wording.reason_words(reason)
                reasons.setdefault(key, []).append(wording.figure_title(figure.name))
    return [{"end": end, "why": why, "figures": say("web.statements_and").join(names)} for (end, why), names in reasons.items()]


def _restated(period: Period) -> dict[str, Any]:
    currency = period.about["currency"]

    def told(name: str, value: Any) -> str:
        if value is None:
            return "–"
        if name in period.lines:
            return exact(value, currency)
        return shown(value, "state" if isinstance(value, bool) else "date" if hasattr(value, "year") else "text")

    return {
        "end": period.about["period_end"],
        "versions": [
            {
                "recorded": one.recorded_at,
                "published": one.published_on,
                "file": one.file_name or say("web.statements_by_form"),
                "changes": [
                    (wording.line(name) if name in period.lines else wording.figure_title(name), told(name, then), told(name, now))
                    for name, (then, now) in one.changed.items()
                ],
            }
            for one in period.before
        ],
    }


def lines_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The lines of accounts that are not yet entered, as the page shows entered ones: `periods`, `sheets`, `unit`."""
    if not rows:
        return {"preview": []}
    currency = rows[0]["currency"]
    size, unit = unit_of(rows, currency)
    sheets = [
        {
            "title": say(f"web.statements_sheet_{sheet}"),
            "rows": [
                {
                    "title": wording.line(item),
                    "is_total": item in wording.TOTALS,
                    "cells": [(amount(row[item], row["currency"], size), exact(row[item], row["currency"])) for row in rows],
                }
                for item in items
                if any(row[item] is not None for row in rows)
            ],
        }
        for sheet, items in wording.SHEETS.items()
    ]
    return {"preview": rows, "sheets": [sheet for sheet in sheets if sheet["rows"]], "unit": unit}
