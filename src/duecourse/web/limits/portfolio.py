"""How the book is spread: concentrations against their caps, limits nearly used and what to do, grades against a year ago.  风险分布"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from duecourse.desk.portfolio import DIMENSIONS, GRADES, STATES, spread
from duecourse.messages import language, say
from duecourse.web.accounts.access import gate
from duecourse.web.books import book_of
from duecourse.web.limits.telling import USE_KINDS
from duecourse.web.pages.amounts import short

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.http import HttpRequest, HttpResponse

    from duecourse.ledger.book import Book

LISTED: Final = 25
"""So many buyers at most are named with what to do about them."""
ENOUGH_LATE: Final = 0.5
"""Where so much of what is owed is late, collecting comes before asking for more."""


@require_safe
@gate("read")
def portfolio(request: HttpRequest) -> HttpResponse:
    """The page."""
    book = book_of(request)
    found = spread(book)
    if not found["currency"]:
        return render(request, "limits/portfolio.html", {"book": book, "currency": ""})
    currency, totals = found["currency"], found["totals"]
    states = totals["states"]
    wanted = request.GET.get("state", "")
    words = {
        "book": book, "currency": currency, "totals": totals,
        "used": totals["exposure"] / totals["limit_minor"] if totals["limit_minor"] else None,
        "lede": say(
            "web.portfolio_lede", exposure=_few(totals["exposure"], currency), limits=_few(totals["limit_minor"], currency),
            over=f"{states.get('over', [0])[0]:,}", near=f"{states.get('near', [0])[0]:,}",
        ),
        "parts": [_part(request, book, name, found["parts"][name]) for name in DIMENSIONS],
        "above": [{**row, "dimension": say(f"web.portfolio_by_{name}"), "title": _name(book, name, row)}
                  for name in DIMENSIONS for row in found["parts"][name]["rows"] if row["above"]],
        "weak": found["weak"] if found["weak"]["cap"] is not None and found["weak"]["share"] > found["weak"]["cap"] else None,
        "tabs": _tabs(request, found["todo"]["counts"], wanted), **_todo(found["todo"], wanted), "warning": found["warning"],
        "migration": _migration(found["migration"]),
    }  # fmt: skip
    return render(request, "limits/portfolio.html", words)


def _few(minor: int, currency: str) -> str:
    return " ".join(short(minor, currency))


def _name(book: Book, dimension: str, row: Mapping[str, Any]) -> str:
    if row["key"] is None:
        return say("web.portfolio_none")
    if dimension == "legal_entity":
        named = book.settings.get("legal_entity_names", {}).get(row["key"])
        return f"{row['key']} {named}" if named else str(row["key"])
    return str(row["name"] or row["key"])


def _part(request: HttpRequest, book: Book, name: str, part: Mapping[str, Any]) -> dict[str, Any]:
    day = request.viewpoint.query  # type: ignore[attr-defined]

    def url(row: Mapping[str, Any]) -> str:
        if row["key"] is None:
            return ""
        if name == "group":
            return reverse("group", args=[row["key"]]) + (f"?{urlencode(day)}" if day else "")
        return ""

    highest = max((row["exposure"] for row in part["rows"]), default=0) or 1
    rows = [
        {
            **row, "title": _name(book, name, row), "url": url(row), "bar": round(100 * row["exposure"] / highest),
            "used": row["exposure"] / row["limit_minor"] if row["limit_minor"] else None,
        }
        for row in part["rows"]
    ]  # fmt: skip
    return {"name": name, "title": say(f"web.portfolio_by_{name}"), "rows": rows, "cap": part["cap"], "more": part["more"]}


def _tabs(request: HttpRequest, counts: Mapping[str, int], wanted: str) -> list[dict[str, Any]]:
    day = request.viewpoint.query  # type: ignore[attr-defined]
    chosen = ("", *(state for state in STATES if counts.get(state)))
    return [
        {
            "label": say(f"decisions.use_{state}") if state else say("web.limits_tab_open"), "current": state == wanted,
            "url": f"{reverse('portfolio')}?{urlencode({**({'state': state} if state else {}), **day})}#todo",
            "count": counts[state] if state else sum(counts.values()),
        }
        for state in chosen
    ]  # fmt: skip


def _todo(todo: Mapping[str, Any], wanted: str) -> dict[str, Any]:
    rows: Sequence[dict[str, Any]] = [row for row in todo["rows"] if not wanted or row["state"] == wanted]
    whole = todo["counts"].get(wanted, 0) if wanted else sum(todo["counts"].values())
    if not wanted:
        rows = sorted(rows, key=lambda row: (STATES.index(row["state"]), -row["exposure"]))
    shown = [
        {
            **row, "title": (row["name_local"] or row["name"] if language() == "zh" else row["name"] or row["name_local"]) or row["buyer_id"],
            "words": say(f"decisions.use_{row['state']}"), "look": USE_KINDS[row["state"]],
            "do": say("web.portfolio_do_overdue") if row["state"] == "near" and row["overdue"] > ENOUGH_LATE * row["exposure"] else say(f"web.portfolio_do_{row['state']}"),
        }
        for row in rows[:LISTED]
    ]  # fmt: skip
    return {"todo": shown, "todo_more": max(0, whole - len(shown))}


def _migration(found: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if found is None or not any(map(sum, found["matrix"])):
        return None
    highest = max(max(row) for row in found["matrix"])
    lines = [
        {
            "grade": number + 1, "total": sum(row),
            "cells": [{"count": count, "heat": 0 if not count else 1 + min(3, int(4 * (count / highest) ** 0.5)), "same": place == number} for place, count in enumerate(row)],
        }
        for number, row in enumerate(found["matrix"])
    ]  # fmt: skip
    return {"lines": lines, "grades": range(1, GRADES + 1), **{name: found[name] for name in ("better", "same", "worse", "on")}}
