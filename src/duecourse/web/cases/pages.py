"""The worklist of today, the board, the list of cases, and one case with everything about it.  案件"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from duecourse.decisions.playbook import PHASES
from duecourse.messages import say
from duecourse.money import NO_CURRENCY
from duecourse.web.accounts.access import gate, may
from duecourse.web.books import book_of
from duecourse.web.cases.acting import BY_HAND, LONGEST_PAUSE, LONGEST_PROMISE, candidates, recovered
from duecourse.web.cases.models import CLOSED, LIVE, OPEN, PAUSED, RESULTS, Case, Task
from duecourse.web.cases.panels import panels
from duecourse.web.cases.tables import cases_table, tasks_table
from duecourse.web.cases.wording import Amounts, case_line, event_line, kind_word, money, plan_line, promise_line, task_line
from duecourse.web.documents.reading import documents_now
from duecourse.web.limits.pages import _names as names_of
from duecourse.web.pages.exports import FORMS, checked_form, file_of
from duecourse.web.pages.pager import Pager

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

    from duecourse.ledger.book import Book

TABS: Final = ("open", "mine", "free", "late", "resting", "closed")
PAGE: Final = 50
CARDS: Final = 12
"""So many cards of a column of the board; the rest is in its list."""
MOST: Final = 20_000
CLOSED_DAYS: Final = 365
NAMED: Final = 4
"""So many tasks of one case are named in the worklist."""
SOON: Final = 30
"""Tasks of a case that are due later stand folded."""
AHEAD: Final = 2
"""The worklist shows what is due by the day after tomorrow."""


def _visible(book: Book, buyers: set[str]) -> dict[str, str]:
    return names_of(book, buyers)


def _page(request: HttpRequest) -> int:
    number = request.GET.get("page", "")
    return int(number) if number.isdecimal() and 0 < int(number) < 10**6 else 1


def _address(request: HttpRequest, name: str, *, form: str = "", **words: str) -> str:
    address = reverse(name, args=[form] if form else None)
    query = {name_: value for name_, value in {**words, **request.viewpoint.query}.items() if value}  # type: ignore[attr-defined]
    return f"{address}?{urlencode(query)}" if query else address


def _due(request: HttpRequest, book: Book, *, mine: bool) -> tuple[list[list[Task]], dict[str, str]]:
    """The tasks of each case that are due, and what the buyers are called; first where a day of waiting costs most."""
    due = Task.objects.filter(state="open", due_on__lte=book.on + timedelta(days=AHEAD), case__state=OPEN).select_related(
        "case", "case__owner"
    )
    if mine:
        due = due.filter(case__owner=request.user)
    rows = list(due.order_by("-case__waiting_minor", "due_on", "pk")[:MOST])
    names = _visible(book, {row.case.buyer_id for row in rows})
    groups: dict[int, list[Task]] = {}
    for row in rows:
        if row.case.buyer_id in names:
            groups.setdefault(row.case_id, []).append(row)
    return [once_each(tasks, book.on) for tasks in groups.values()], names


def _currency_missing(request: HttpRequest, book: Book) -> dict[str, bool]:
    """Whether the firm has yet to say in which currency its figures are added up, and whether this person can say it."""
    return {"no_base": book.base_currency == NO_CURRENCY, "may_set": may(request.user, "settings")}


@require_safe
@gate("export")
def today_export(request: HttpRequest, form: str) -> Any:
    """What is to be done, as a file."""
    book = book_of(request)
    shown, names = _due(request, book, mine=request.GET.get("who") == "mine")
    columns, rows = tasks_table(book, (one for tasks in shown for one in tasks), names)
    return file_of(request, book, checked_form(form, len(rows)), "today", say("web.cases_today_title"), columns, iter(rows), len(rows))


@require_safe
@gate("read")
def today(request: HttpRequest) -> HttpResponse:
    """What is to be done today, first where a day of waiting costs most."""
    book = book_of(request)
    mine = request.GET.get("who") == "mine"
    shown, names = _due(request, book, mine=mine)
    page = _page(request)
    on_page = shown[(page - 1) * PAGE : page * PAGE]
    amounts = Amounts([tasks[0].case for tasks in shown], book.on)
    words = {
        "book": book, "count": sum(map(len, shown)), "mine": mine, "late": sum(one.due_on < book.on for tasks in shown for one in tasks),
        "lost": amounts.waiting(*(tasks[0].case for tasks in shown if tasks[0].due_on <= book.on)), **_currency_missing(request, book),
        "rows": [
            {**case_line(tasks[0].case, names, book.on, amounts), "tasks": [task_line(book, one, one.case.country, book.on) for one in tasks[:NAMED]], "more": max(0, len(tasks) - NAMED)}
            for tasks in on_page
        ],
        "tabs": [
            {"label": say(f"web.cases_who_{name}"), "url": _address(request, "today", who="" if name == "all" else name), "current": (name == "mine") == mine, "count": None}
            for name in ("all", "mine")
        ],
        "exports": [(form, _address(request, "today_export", form=form, who="mine" if mine else "")) for form in FORMS] if may(request.user, "export") else [],
        "pager": Pager(page, PAGE, len(shown), lambda number: _address(request, "today", who="mine" if mine else "", page=str(number) if number > 1 else "")),
    }  # fmt: skip
    return render(request, "cases/today.html", words)


def once_each(tasks: Sequence[Task], on: date) -> list[Task]:
    """Of a step that is called for again only the last call that has come, else the first to come. By day."""
    kept: dict[str, Task] = {}
    for one in sorted(tasks, key=lambda task: task.number):
        if one.code not in kept or one.due_on <= on:
            kept[one.code] = one
    return sorted(kept.values(), key=lambda task: (task.due_on, task.pk))


def _may_act(request: HttpRequest) -> bool:
    return may(request.user, "note") and not request.viewpoint.query  # type: ignore[attr-defined]


def of_tab(tab: str, person: Any, on: date) -> QuerySet[Case]:
    """The cases a tab shows."""
    if tab == "closed":
        return Case.objects.filter(state=CLOSED, closed_on__gt=on - timedelta(days=CLOSED_DAYS))
    live = Case.objects.filter(state__in=LIVE)
    if tab == "mine":
        return live.filter(owner=person)
    if tab == "resting":
        return live.filter(state=PAUSED)
    if tab == "free":
        return live.filter(owner=None)
    return live.filter(next_on__lt=on, state=OPEN) if tab == "late" else live


def _asked(request: HttpRequest, book: Book) -> tuple[dict[str, str], list[Case], dict[str, str]]:
    """What is asked for, the cases that fit and may be seen, and what their buyers are called."""
    words = {name: request.GET.get(name, "") for name in ("tab", "phase", "q", "view")}
    tab = words["tab"] = words["tab"] if words["tab"] in TABS else "open"
    phase = words["phase"] = words["phase"] if words["phase"] in PHASES else ""
    found = (
        of_tab(tab, request.user, book.on)
        .select_related("owner")
        .order_by("-closed_on" if tab == "closed" else "-waiting_minor", "oldest_due_on", "pk")
    )
    rows = list((found.filter(phase=phase) if phase else found)[:MOST])
    names = _visible(book, {one.buyer_id for one in rows})
    text = words["q"].strip().casefold()
    rows = [
        one
        for one in rows
        if one.buyer_id in names
        and (not text or text in names[one.buyer_id].casefold() or text in one.buyer_id.casefold() or text == one.case_id.casefold())
    ]
    return words, rows, names


@require_safe
@gate("export")
def cases_export(request: HttpRequest, form: str) -> Any:
    """The cases of the list, as a file."""
    book = book_of(request)
    _words, found, names = _asked(request, book)
    columns, rows = cases_table(book, found, names)
    return file_of(request, book, checked_form(form, len(rows)), "cases", say("web.cases_title"), columns, iter(rows), len(rows))


@require_safe
@gate("read")
def cases(request: HttpRequest) -> HttpResponse:
    """The list of cases, or the board of those that are open, by phase."""
    book = book_of(request)
    words, rows, names = _asked(request, book)
    tab, phase, text = words["tab"], words["phase"], words["q"].strip()
    board = words["view"] != "list" and tab == "open" and not phase and not text
    page = _page(request)

    def url_of(**changed: str) -> str:
        return _address(request, "cases", **{**words, "tab": tab, **changed})

    amounts = Amounts(rows, book.on)
    lines = [case_line(one, names, book.on, amounts) for one in (rows if board else rows[(page - 1) * PAGE : page * PAGE])]
    return render(
        request,
        "cases/cases.html",
        {
            "book": book, "tab": tab, "words": words, "count": len(rows), "board": _board(lines, url_of, amounts) if board else None, "rows": lines,
            "tabs": [{"label": say(f"web.cases_tab_{name}"), "url": url_of(tab=name, page="", phase="", view=""), "current": name == tab, "count": None} for name in TABS],
            "pager": Pager(page, PAGE, len(rows), lambda number: url_of(page=str(number) if number > 1 else "", view="list")),
            "phases": [(name, say(f"playbook.phase_{name}")) for name in PHASES], "list_url": url_of(view="list"), "board_url": url_of(view="", phase="", q=""),
            "figures": _figures(book, rows, amounts), **_currency_missing(request, book), "exports": [(form, _address(request, "cases_export", form=form, **{name: value for name, value in words.items() if name != "view"})) for form in FORMS] if may(request.user, "export") else [], "filtered": bool(text or phase), "may_act": _may_act(request),
        },
    )  # fmt: skip


def _board(lines: list[dict[str, Any]], url_of: Any, amounts: Amounts) -> list[dict[str, Any]]:
    columns = []
    for phase in PHASES:
        mine = [one for one in lines if one["case"].phase == phase]
        columns.append(
            {
                "name": say(f"playbook.phase_{phase}"), "cards": mine[:CARDS], "count": len(mine), "total": amounts.overdue(*(one["case"] for one in mine)),
                "more": max(0, len(mine) - CARDS), "url": url_of(phase=phase, view="list"),
            }
        )  # fmt: skip
    return columns


def _figures(book: Book, rows: list[Case], amounts: Amounts) -> list[dict[str, str]]:
    if not rows:
        return []
    return [
        {"name": say("web.cases_figure_cases"), "value": f"{len(rows):,}"},
        {"name": say("web.cases_figure_overdue"), **Amounts.figure(amounts.overdue(*rows))},
        {"name": say("web.cases_figure_waiting"), **Amounts.figure(amounts.waiting(*rows))},
        {"name": say("web.cases_figure_late"), "value": f"{sum(one.next_on is not None and one.next_on < book.on for one in rows):,}"},
    ]


# --- one case -------------------------------------------------------------------------------------------------------------------------------


def seen_case(book: Book, pk: int) -> tuple[Case, str]:
    """A case of a buyer that may be seen, and what the buyer is called; else there is none."""
    found = get_object_or_404(Case.objects.select_related("owner"), pk=pk)
    names = names_of(book, [found.buyer_id])
    if found.buyer_id not in names:
        raise Http404
    return found, names[found.buyer_id]


@require_safe
@gate("read")
def case(request: HttpRequest, pk: int) -> HttpResponse:
    """One case."""
    return render(request, "cases/case.html", case_words(request, book_of(request), pk))


def case_words(request: HttpRequest, book: Book, pk: int, fault: str = "", typed: Mapping[str, str] | None = None) -> dict[str, Any]:
    """All that the page of a case shows."""
    one, name = seen_case(book, pk)
    able = _may_act(request) and one.state != CLOSED
    tasks = list(one.tasks.select_related("done_by"))
    todo = [task_line(book, task, one.country, book.on) for task in once_each([task for task in tasks if task.state == "open"], book.on)]
    soon = book.on + timedelta(days=SOON)
    invoices = list(one.invoices.all())
    currencies = sorted({row.currency for row in invoices}) or [one.currency]
    return {
        "book": book, **case_line(one, {one.buyer_id: name}, book.on), "fault": fault, "typed": typed or {}, "mark": secrets.token_hex(8), "may_act": able,
        "may_note": _may_act(request), "todo": [row for row in todo if row["task"].due_on <= soon], "later": [row for row in todo if row["task"].due_on > soon],
        "finished": [task_line(book, task, one.country, book.on) for task in tasks if task.state in ("done", "skipped")],
        "invoices": [{"row": row, "open": money(row.open_minor, row.currency), "joined": money(row.joined_minor, row.currency), "days": max(0, (book.on - row.due_on).days)} for row in invoices],
        "promises": [promise_line(row) for row in one.promises.all()], "plans": [plan_line(row) for row in one.plans.all()],
        "events": [event_line(row) for row in reversed(one.events.select_related("person", "case"))], "people": candidates(book, one) if able else [],
        "currencies": currencies, "open_invoices": [row for row in invoices if row.left_on is None],
        "kinds": [(kind, kind_word(kind)) for kind in BY_HAND], "results": [(result, say(f"web.cases_result_{result}")) for result in RESULTS],
        "first": book.on + timedelta(days=1), "last_pause": book.on + LONGEST_PAUSE, "last_promise": book.on + LONGEST_PROMISE, "suggested": book.on + timedelta(days=7),
        "documents": [(row.document_id, row.file_name) for row in documents_now(book, one.buyer_id)] if able else [], "so_far": money(recovered(one), one.currency), "earlier": [case_line(row, {}, book.on) for row in Case.objects.filter(buyer_id=one.buyer_id).exclude(pk=one.pk).select_related("owner")[:10]],
        "panels": panels(book, one),
    }  # fmt: skip
