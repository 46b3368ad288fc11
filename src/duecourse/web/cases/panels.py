"""What other rooms know of a case: which letters went, what is owed, which clocks run, what proves it. A panel each, in the order in which the page shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from duecourse.desk.clocks import clocks_of
from duecourse.desk.evidence_file import completeness_of, of_case
from duecourse.desk.late_interest import owed
from duecourse.desk.route import routes_for, shown_name
from duecourse.errors import BuyerUnknownError, DuecourseError, FactUnknownError
from duecourse.messages import catalogue, say
from duecourse.web.agencies.panel import placements_panel
from duecourse.web.cases.wording import money
from duecourse.web.documents.reading import Seen, documents_now
from duecourse.web.documents.wording import route_line
from duecourse.web.letters.pages import of_case as letters_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duecourse.cover.deadlines.clock import Clock
    from duecourse.desk.late_interest import Owed
    from duecourse.ledger.book import Book
    from duecourse.web.cases.models import Case

LINES: Final = 12
CLOCKS: Final = 12
BEST: Final = 3
ROUTED: Final = 100
LETTERS: Final = {"sent": "good", "uncertain": "bad", "failed": "bad", "cancelled": "off", "draft": "off"}
STATES: Final = {"running": "busy", "stopped": "off", "met": "good", "ended": "bad", "unknown": "warn"}


def panels(book: Book, case: Case) -> list[dict[str, Any]]:
    """Title, template and what it needs."""
    items = [(row.invoice_id, row.instalment) for row in case.invoices.all()]
    found = [
        _letters(book, case),
        _owed(book, case, items),
        _clocks(book, case, items),
        _routes(book, case, items),
        _evidence(book, case),
        placements_panel(case),
    ]
    return [one for one in found if one]


def _letters(book: Book, case: Case) -> dict[str, Any]:
    """The letters of the case, newest first."""
    rows = [
        {"letter": one, "kind": say(f"letters.kind_{one.kind}"), "state": say(f"web.letters_state_{one.state}"), "look": LETTERS.get(one.state, "busy"), "on": one.sent_on or one.book_on}
        for one in (row["letter"] for row in letters_of(book, case.case_id)[:LINES])
    ]  # fmt: skip
    return {"template": "cases/_letters.html", "letters": rows, "query": urlencode({"case": case.case_id})}


def _routes(book: Book, case: Case, items: Sequence[tuple[str, int]]) -> dict[str, Any] | None:
    """The best ways to the money, and the page where one is taken."""
    query = urlencode([("case", case.case_id), *(("invoice", f"{number}/{instalment}") for number, instalment in items[:ROUTED])])
    try:
        choice = routes_for(book, case.buyer_id, items)
    except DuecourseError as error:
        return {"template": "cases/_routes.html", "fault": error.message(), "query": query}
    if not choice.facts.claim_minor:
        return None
    ranked = [choice.chosen, *(one for one in choice.routes if one.rank is not None and one is not choice.chosen)]
    rows = [
        {
            "name": shown_name(one.code), "worth": money(one.worth.expected_minor, choice.facts.currency), "days": round(one.worth.days), "doubtful": one.standing != "open",
            "chosen": one is choice.chosen,
        }
        for one in ranked[:BEST]
    ]  # fmt: skip
    return {"template": "cases/_routes.html", "routes": rows, "why": choice.found.why.words(), "query": query}


def _evidence(book: Book, case: Case) -> dict[str, Any]:
    """How complete the evidence is for each route that is open."""
    wanted = Seen(case.buyer_id, "", case).wanted
    held = of_case(documents_now(book, case.buyer_id), case.case_id)
    routes = [route_line(one) for one in completeness_of(book, wanted, held) if one.applies]
    return {"template": "cases/_evidence.html", "routes": routes, "count": len(held)}


def _owed(book: Book, case: Case, items: Sequence[tuple[str, int]]) -> dict[str, Any] | None:
    """Principal, interest and fixed compensation to the day, by the law that holds."""
    try:
        found: Owed = owed(book, case.buyer_id, items)
    except (BuyerUnknownError, FactUnknownError):
        return None
    if not found.invoices:
        return None
    totals = [
        {
            "currency": currency, "principal": money(one["principal"], currency), "interest": money(one["interest"], currency) if any(each.interest_minor is not None for each in found.invoices if each.currency == currency) else "–",
            "compensation": money(one["compensation"], currency) if one["compensation"] else "", "total": money(sum(one.values()), currency),
            "daily": money(sum(each.daily_minor for each in found.invoices if each.currency == currency), currency),
        }
        for currency, one in sorted(found.totals().items())
    ]  # fmt: skip
    reasons = dict.fromkeys(said.words() for each in found.invoices for said in each.basis)
    reasons.pop(found.why_law.words(), None)
    refused = [each.refused.words() for each in found.invoices if each.refused is not None]
    return {
        "template": "cases/_owed.html", "totals": totals, "why_law": found.why_law.words(), "until": found.until, "reasons": [*list(reasons)[:6], *refused[:1]],
        "notes": [one.words() for one in found.notes], "count": len(found.invoices), "refused": bool(refused),
        "lines": [
            {
                "number": each.invoice_id, "principal": money(each.principal_minor, each.currency), "days": each.days_late,
                "interest": "–" if each.interest_minor is None else money(each.interest_minor, each.currency), "regime": each.regime,
            }
            for each in found.invoices[:LINES]
        ],
    }  # fmt: skip


def _clocks(book: Book, case: Case, items: Sequence[tuple[str, int]]) -> dict[str, Any] | None:
    """The periods that run, the most pressing first; of many alike only the first to end."""
    try:
        found = clocks_of(book, case.buyer_id, items)
    except (BuyerUnknownError, FactUnknownError):
        return None
    shown: dict[tuple[str, str, str], tuple[Clock, int]] = {}
    for clock in found:
        key = (clock.code, clock.state, clock.country)
        first, count = shown.get(key, (clock, 0))
        shown[key] = (first, count + 1)
    lines = [_clock(book, clock, count) for clock, count in list(shown.values())[:CLOCKS]]
    return {"template": "cases/_clocks.html", "clocks": lines} if lines else None


def _clock(book: Book, clock: Clock, count: int) -> dict[str, Any]:
    alarm, left = clock.alarm(book.on), clock.days_left(book.on)
    pressing = clock.state == "running" and alarm is not None
    look = (
        "bad"
        if pressing and ((alarm is not None and alarm < 0) or (left is not None and left <= 30))
        else "warn"
        if pressing
        else STATES[clock.state]
    )
    state = say(f"clocks.state_{clock.state}")
    return {
        "name": say(f"clocks.clock_{clock.code}"), "look": look, "state": state if left is None else say("web.cases_in_days", count=left) if left >= 0 else say("web.cases_late_by", count=-left),
        "ends": clock.ends_on, "act_by": clock.act_by, "law": clock.law.words(), "about": clock.about.get("invoice_id", ""), "count": count,
        "confidence": say(f"clocks.confidence_{clock.confidence}") if f"clocks.confidence_{clock.confidence}" in catalogue() else clock.confidence,
        "warnings": [one.words() for one in clock.warnings], "stops": [say(f"clocks.event_{kind}") for kind in clock.stops][:6], "running": clock.state == "running",
        "events": [{"words": one.why.words(), "on": one.event.on, "counts": one.counts} for one in clock.events][-5:],
    }  # fmt: skip
