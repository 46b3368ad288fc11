"""The limitation calculator: a country, a due date and what happened; every clock with its law and its end.  时效计算器"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from django.shortcuts import render
from django.views.decorators.http import require_safe

from duecourse.cover.deadlines.clock import NEEDS_RECEIPT
from duecourse.desk.clock_trial import KINDS, SUBJECTS, Trial, event_of, pressing, tried
from duecourse.desk.clocks import own_country
from duecourse.errors import DuecourseError
from duecourse.messages import say
from duecourse.reference.countries import COUNTRIES
from duecourse.web.accounts.access import gate
from duecourse.web.books import book_of
from duecourse.web.calculators.beside import tabs
from duecourse.web.calculators.clock_lines import clock_words

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse, QueryDict

    from duecourse.cover.deadlines.clock import Clock, Event

ROWS: Final = 4
MOST_ROWS: Final = 30
GUARANTEES: Final = ("joint", "general")


@dataclass
class Typed:
    """What stands in the form, with what is wrong about it."""

    country: str
    due: str = ""
    subject: str = ""
    own: str = ""
    debtor: str = ""
    guarantee: str = ""
    until: str = ""
    rows: list[dict[str, Any]] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)


@require_safe
@gate("read")
def calculator_limitation(request: HttpRequest) -> HttpResponse:
    """The form, and under it the clocks of what was typed in. Nothing is kept."""
    book = book_of(request)
    own = own_country(book.settings)
    typed, trial = _typed(request.GET, own)
    clocks: tuple[Clock, ...] = ()
    if trial is not None:
        try:
            clocks = tried(trial, book.on)
        except DuecourseError as error:
            typed.faults["country"] = str(error)
    words = {
        "book": book, "typed": typed, "tabs": tabs(request), "clocks": clock_words(clocks, book.on), "pressing": pressing(clocks, book.on),
        "countries": sorted(((one.alpha2, one.name()) for one in COUNTRIES.values()), key=lambda pair: pair[1].casefold()),
        "subjects": [(one, say(f"web.clocks_subject_{one}")) for one in SUBJECTS],
        "guarantees": [(one, say(f"clocks.way_{one}")) for one in GUARANTEES],
        "kinds": [(one, say(f"clocks.event_{one}")) for one in KINDS], "arrives": NEEDS_RECEIPT,
    }  # fmt: skip
    return render(request, "calculators/limitation.html", words, status=422 if typed.faults else 200)


def _typed(asked: QueryDict, own: str) -> tuple[Typed, Trial | None]:
    """The form as it was sent; the trial it makes, None where nothing was asked or something is wrong."""

    def code(name: str, default: str = "") -> str:
        given = asked.get(name, "").strip().upper()
        return given if given in COUNTRIES else default

    typed = Typed(
        code("country", own), asked.get("due", "").strip(), asked.get("subject", ""), code("own", own), code("debtor"),
        asked.get("guarantee", ""), asked.get("until", "").strip(),
    )  # fmt: skip
    events = _events(asked, typed)
    due = [one for text in typed.due.replace("，", ",").replace(" ", ",").split(",") if text and (one := _day(text, "due", typed))]
    until = _day(typed.until, "until", typed) if typed.until else None
    typed.rows += [{"number": len(typed.rows) + more} for more in range(1, max(2, ROWS - len(typed.rows)) + 1)]
    if not due or typed.faults:
        return typed, None
    guarantee = typed.guarantee if typed.guarantee in GUARANTEES else None
    subject = typed.subject if typed.subject in SUBJECTS else None
    trial = Trial(typed.country, tuple(due), tuple(events), subject, typed.own, typed.debtor or typed.country, guarantee, until)
    return typed, trial


def _events(asked: QueryDict, typed: Typed) -> list[Event]:
    found = []
    kinds, days, arrivals = asked.getlist("kind"), asked.getlist("on"), asked.getlist("received")
    for number, (kind, on, received) in enumerate(zip(kinds[:MOST_ROWS], days, arrivals, strict=False), start=1):
        if not kind and not on:
            continue
        row: dict[str, Any] = {"number": len(typed.rows) + 1, "kind": kind, "on": on, "received": received, "fault": ""}
        try:
            # Of what has to arrive, an empty second day says that nobody knows whether it did.
            found.append(event_of(f"{kind}:{on}:{received or '?'}" if kind in NEEDS_RECEIPT else f"{kind}:{on}"))
        except DuecourseError:
            row["fault"] = typed.faults[f"event{number}"] = say("web.clocks_row_wrong")
        typed.rows.append(row)
    return found


def _day(text: str, name: str, typed: Typed) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        typed.faults[name] = say("web.clocks_day_wrong", text=text)
        return None
