"""The inbox of alerts, and one alert with what speaks for it, what changed, and what can be done.  预警"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import F
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from duecourse.desk.buyer_page import buyer_page
from duecourse.desk.evidence import kind_word
from duecourse.desk.indicator_view import indicators_of
from duecourse.desk.warning import warning
from duecourse.desk.warning_learnt import told
from duecourse.errors import BuyerUnknownError
from duecourse.messages import catalogue, say
from duecourse.web.accounts.access import gate, may
from duecourse.web.books import book_of
from duecourse.web.evidence.statements import opinion_words
from duecourse.web.limits.pages import _names as names_of
from duecourse.web.pages import charts
from duecourse.web.pages.pager import Pager
from duecourse.web.refusals import NotNowError
from duecourse.web.watch import acting
from duecourse.web.watch.acting import LONGEST_SNOOZE
from duecourse.web.watch.models import CLEARED, CLOSED, OPEN, SEVERITIES, VERDICTS, Alert
from duecourse.web.watch.wording import (
    LOOKS,
    acts,
    money,
    probability,
    reason_name,
    reason_sentence,
    reasons_short,
    severity_word,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

    from duecourse.ledger.book import Book
    from duecourse.web.pages.charts import Chart

TABS: Final = ("open", "mine", "free", "resting", "ended")
FAMILIES: Final = ("payment", "limit", "contact", "news", "legal", "financial", "country", "sector", "operations")
SORTS: Final[Mapping[str, tuple[Any, ...]]] = {
    "rank": ("-rank", "pk"), "newest": ("-opened_on", "-pk"), "exposure": ("-exposure_minor", "pk"),
    "probability": (F("probability").desc(nulls_last=True), "-rule_score", "pk"),
}  # fmt: skip
PAGE: Final = 50
MOST: Final = 5_000
ENDED_DAYS: Final = 180
EVIDENCE: Final = 3
THEMES: Final = 4


def of_tab(tab: str, person: Any, on: date) -> QuerySet[Alert]:
    """The alerts a tab shows."""
    open_ = Alert.objects.filter(state=OPEN)
    if tab == "ended":
        return Alert.objects.filter(state__in=(CLOSED, CLEARED), closed_on__gt=on - timedelta(days=ENDED_DAYS))
    if tab == "mine":
        return open_.filter(assignee=person)
    if tab == "free":
        return open_.filter(assignee=None, snoozed_until=None)
    return open_.filter(snoozed_until__isnull=tab != "resting")


@require_safe
@gate("read")
def alerts(request: HttpRequest) -> HttpResponse:
    """Who needs to be looked at, first those of whom most can be saved."""
    book = book_of(request)
    words = {name: request.GET.get(name, "") for name in ("tab", "severity", "family", "sort", "q")}
    tab = words["tab"] if words["tab"] in TABS else "open"
    sort = words["sort"] if words["sort"] in SORTS else "newest" if tab == "ended" else "rank"
    seen = names_of(book, Alert.objects.filter(state=OPEN).values_list("buyer_id", flat=True))
    found = list(of_tab(tab, request.user, book.on).select_related("assignee").order_by(*SORTS[sort])[:MOST])
    names = seen if tab != "ended" else names_of(book, (one.buyer_id for one in found))
    shown = [one for one in found if one.buyer_id in names and _fits(one, names[one.buyer_id], words)]
    number = request.GET.get("page", "")
    page = int(number) if number.isdecimal() and 0 < int(number) < 10**6 else 1

    def url_of(**changed: str) -> str:
        query = {**words, "tab": tab, **changed, **request.viewpoint.query}  # type: ignore[attr-defined]
        return f"{reverse('alerts')}?{urlencode({name: value for name, value in query.items() if value})}"

    tabs = [
        {"label": say(f"web.watch_tab_{name}"), "url": url_of(tab=name, page=""), "current": name == tab, "count": _count(name, request, book, seen)}
        for name in TABS
    ]  # fmt: skip
    return render(
        request,
        "watch/alerts.html",
        {
            "book": book, "tabs": tabs, "tab": tab, "rows": [alert_line(one, names) for one in shown[(page - 1) * PAGE : page * PAGE]], "words": words,
            "pager": Pager(page, PAGE, len(shown), lambda number: url_of(page=str(number) if number > 1 else "")), "count": len(shown), "sort": sort,
            "severities": [(name, severity_word(name)) for name in SEVERITIES], "may_set": may(request.user, "settings"),
            "families": [(name, say(f"warning.family_{name}")) for name in FAMILIES], "sorts": [(name, say(f"web.watch_sort_{name}")) for name in SORTS],
            "filtered": bool(words["severity"] or words["family"] or words["q"]), "may_runs": may(request.user, "jobs"),
        },
    )  # fmt: skip


def _fits(alert: Alert, name: str, words: Mapping[str, str]) -> bool:
    if words["severity"] in SEVERITIES and alert.severity != words["severity"]:
        return False
    if words["family"] in FAMILIES and not any(one["family"] == words["family"] for one in alert.reasons):
        return False
    text = words["q"].strip().casefold()
    return not text or text in name.casefold() or text in alert.buyer_id.casefold()


def _count(tab: str, request: HttpRequest, book: Book, seen: Mapping[str, str]) -> int | None:
    if tab == "ended":
        return None
    return sum(buyer in seen for buyer in of_tab(tab, request.user, book.on).values_list("buyer_id", flat=True))


def alert_line(alert: Alert, names: Mapping[str, str]) -> dict[str, Any]:
    """One alert as a list shows it."""
    short, more = reasons_short(alert.reasons)
    return {
        "alert": alert, "name": names.get(alert.buyer_id, alert.buyer_id), "look": LOOKS[alert.severity], "severity": severity_word(alert.severity),
        "reasons": short, "more": more, "exposure": money(alert.exposure_minor, alert.currency), "probability": probability(alert),
        "score": "–" if alert.rule_score is None else f"{alert.rule_score:.0f}", "assignee": alert.assignee.name if alert.assignee else "",
        "ended": _ended(alert),
    }  # fmt: skip


def _ended(alert: Alert) -> str:
    if alert.state == OPEN:
        return ""
    return say(f"web.watch_verdict_{alert.verdict}") if alert.verdict else say("web.watch_state_cleared")


# --- one alert ------------------------------------------------------------------------------------------------------------------------------


def seen_alert(book: Book, pk: int) -> tuple[Alert, str]:
    """An alert of a buyer that may be seen, and what the buyer is called; else there is none."""
    found = get_object_or_404(Alert.objects.select_related("assignee"), pk=pk)
    names = names_of(book, [found.buyer_id])
    if found.buyer_id not in names:
        raise Http404
    return found, names[found.buyer_id]


@require_safe
@gate("read")
def alert(request: HttpRequest, pk: int) -> HttpResponse:
    """One alert."""
    book = book_of(request)
    return render(request, "watch/alert.html", _words(request, book, pk))


def _words(request: HttpRequest, book: Book, pk: int, fault: str = "", typed: Mapping[str, str] | None = None) -> dict[str, Any]:
    one, name = seen_alert(book, pk)
    here = not request.viewpoint.query  # type: ignore[attr-defined]
    able = here and one.state == OPEN and may(request.user, "note")
    return {
        "book": book, **alert_line(one, {one.buyer_id: name}), "reasons": _reasons(book, one), "model": _model(book, one), "changed": _changed(book, one.buyer_id), "fault": fault,
        "typed": typed or {}, "acts": _acts(request, book, one), "events": [_event(each) for each in one.events.select_related("person")],
        "may_act": able, "candidates": acting.candidates(book, one) if able else [], "covered": money(one.covered_minor, one.currency),
        "earlier": [alert_line(each, {}) for each in Alert.objects.filter(buyer_id=one.buyer_id).exclude(pk=one.pk).select_related("assignee")[:10]],
        "first": book.on + timedelta(days=1), "suggested": book.on + timedelta(days=14), "last": book.on + LONGEST_SNOOZE,
        "verdicts": [(each, say(f"web.watch_verdict_{each}"), say(f"web.watch_verdict_{each}_hint")) for each in VERDICTS],
    }  # fmt: skip


def _reasons(book: Book, one: Alert) -> list[dict[str, Any]]:
    """Every reason as it was when it came, and as it is today with the facts behind it."""
    try:
        today = {each.identifier: each for each in indicators_of(book, one.buyer_id).indicators}
    except BuyerUnknownError:
        today = {}
    told = []
    for each in one.reasons:
        now = today.get(each["code"])
        level = each.get("level") or "red"
        told.append(
            {
                "name": reason_name(each["code"]), "then": reason_sentence(each, one.currency), "on": date.fromisoformat(each["on"]),
                "look": LOOKS.get(level, "bad"), "level": say(f"warning.level_{level}"), "now": now.sentence() if now and now.reason else "",
                "gone": now is not None and not now.reason, "evidence": [_evidence(fact) for fact in (now.evidence[:EVIDENCE] if now else ())],
            }
        )  # fmt: skip
    return told


def _model(book: Book, one: Alert) -> dict[str, Any] | None:
    """What the model says today, and what speaks for it."""
    try:
        found = warning(book, one.buyer_id)
    except BuyerUnknownError:
        return None
    if found.in_default_since is not None:
        return {"said": say("web.watch_model_in_default", since=found.in_default_since.isoformat()), "themes": [], "learnt": ""}
    if found.probability_6m is None or found.low is None or found.high is None:
        return {"said": say("web.watch_model_short"), "themes": [], "learnt": ""}
    said = say(
        "web.watch_model_says",
        now=f"{found.probability_6m:.1%}",
        low=f"{found.low:.1%}",
        high=f"{found.high:.1%}",
        base=f"{found.base_rate_6m:.1%}",
    )
    return {"said": said, "themes": [one.sentence() for one in found.themes if one.points < 0][:THEMES], "learnt": told(found.learnt)}


def _evidence(fact: Any) -> str:
    what = f"warning.ev_{fact.what}"
    name = kind_word(fact.name) if fact.what == "signal" else fact.name
    if fact.what == "limit" and f"web.limits_kind_{name}" in catalogue():
        name = say(f"web.limits_kind_{name}")
    text = opinion_words(fact.text or "") if fact.what == "statement" else fact.text
    parts = [say(what) if what in catalogue() else fact.what, name, f"{fact.on}" if fact.on else ""]
    if fact.days is not None:
        parts.append(say("web.buyer_days", count=fact.days))
    if fact.amount_minor is not None and fact.currency:
        parts.append(money(fact.amount_minor, fact.currency))
    return " · ".join(part for part in [*parts, text or ""] if part)


def _changed(book: Book, buyer_id: str) -> Chart | None:
    """How it paid month by month: where a change of habit is seen."""
    try:
        one = buyer_page(book, buyer_id, limit=1)
    except BuyerUnknownError:
        return None
    weight: dict[str, int] = {}
    for row in one.months:
        weight[row["currency"]] = weight.get(row["currency"], 0) + (row["paid"] or 0)
    if not weight:
        return None
    currency = max(weight, key=lambda name: weight[name])
    months = [
        {"month_end": row["month_end"], "days_beyond_terms": row["days_late"], "cash_received": row["paid"]}
        for row in sorted((row for row in one.months if row["currency"] == currency), key=lambda row: -row["months_back"])
    ]  # fmt: skip
    drawn = charts.payment_behaviour(months, currency)
    return None if drawn.is_empty else drawn


def _acts(request: HttpRequest, book: Book, one: Alert) -> list[dict[str, str]]:
    query = urlencode(request.viewpoint.query)  # type: ignore[attr-defined]
    return [
        {"words": words, "url": reverse(name, args=[one.buyer_id]) + (f"?{query}" if query else "") + part}
        for words, name, part in acts(book, one)
    ]


def _event(each: Any) -> dict[str, Any]:
    detail, who = each.detail, each.person.name if each.person else say("web.jobs_by_app")
    args = {
        "who": who, "to": detail.get("name") or say("web.watch_nobody"), "until": detail.get("until", ""), "days": detail.get("days", 0),
        "severity": severity_word(detail["severity"]) if detail.get("severity") else "", "verdict": say(f"web.watch_verdict_{detail['verdict']}") if detail.get("verdict") else "",
        "reasons": say("web.notices_and").join(reason_name(code) for code in detail.get("reasons", ())),
    }  # fmt: skip
    code = f"web.watch_event_{each.kind}"
    if each.kind == "raised" and not detail.get("graver"):
        code = "web.watch_event_added"
    if each.kind == "woken" and detail.get("graver"):
        code = "web.watch_event_woken_graver"
    kind = {"opened": "bad", "raised": "bad", "escalated": "bad", "closed": "good", "cleared": "good"}.get(each.kind, "")
    return {"day": each.on, "words": say(code, **args), "note": detail.get("note", ""), "kind": kind, "url": ""}


# --- acts -----------------------------------------------------------------------------------------------------------------------------------


def _tried(request: HttpRequest, pk: int, work: Callable[[Book], Any], said: str) -> HttpResponse:
    book = book_of(request)
    seen_alert(book, pk)
    try:
        work(book)
    except NotNowError as error:
        args: dict[str, Any] = {name: f"{value}" for name, value in error.args_.items()}
        return render(request, "watch/alert.html", _words(request, book, pk, say(error.code, **args), request.POST), status=409)
    if said:
        messages.success(request, say(said))
    return HttpResponseRedirect(reverse("alert", args=[pk]))


@require_POST
@gate("note")
def alert_acknowledge(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that one looks at it."""
    return _tried(request, pk, lambda book: acting.acknowledge(request, book, pk), "web.watch_done_acknowledge")


@require_POST
@gate("note")
def alert_assign(request: HttpRequest, pk: int) -> HttpResponse:
    """Give it to somebody."""
    wanted = request.POST.get("to", "")
    return _tried(
        request, pk, lambda book: acting.assign(request, book, pk, int(wanted) if wanted.isdecimal() else None), "web.watch_done_assign"
    )


@require_POST
@gate("note")
def alert_snooze(request: HttpRequest, pk: int) -> HttpResponse:
    """Let it rest until a day."""
    try:
        until = date.fromisoformat(request.POST.get("until", ""))
    except ValueError:
        until = date.min
    return _tried(request, pk, lambda book: acting.snooze(request, book, pk, until, request.POST.get("note", "")), "web.watch_done_snooze")


@require_POST
@gate("note")
def alert_wake(request: HttpRequest, pk: int) -> HttpResponse:
    """End its rest."""
    return _tried(request, pk, lambda book: acting.wake_up(request, book, pk), "web.watch_done_wake")


@require_POST
@gate("note")
def alert_note(request: HttpRequest, pk: int) -> HttpResponse:
    """Write something down."""
    return _tried(request, pk, lambda book: acting.note(request, book, pk, request.POST.get("note", "")), "")


@require_POST
@gate("note")
def alert_close(request: HttpRequest, pk: int) -> HttpResponse:
    """Close it with a verdict."""
    form = request.POST
    return _tried(
        request, pk, lambda book: acting.close(request, book, pk, form.get("verdict", ""), form.get("note", "")), "web.watch_done_close"
    )
