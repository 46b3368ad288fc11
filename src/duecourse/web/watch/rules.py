"""The policy by which a warning becomes an alert: looked at by everybody, changed by who sets the firm's rules.  预警规则"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from duecourse.decisions.alert_policy import RANKINGS, SETTING, checked, policy_of
from duecourse.desk.alerting import HANDLING_SETTING, handling
from duecourse.desk.settings import keep
from duecourse.errors import RuleInvalidError
from duecourse.glossary import TERMS
from duecourse.ledger.entries import SIGNAL_KINDS
from duecourse.messages import catalogue, say
from duecourse.web import books
from duecourse.web.accounts.access import gate, may
from duecourse.web.accounts.audit import record
from duecourse.web.books import book_of
from duecourse.web.watch.wording import reason_name

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from django.http import HttpRequest, HttpResponse

SHARES: Final = ("probability_6m", "share_of_watched_a_month")
"""Fractions, typed as percentages."""
FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "opens": ("severity.red.probability_6m", "severity.red.rule_score", "severity.amber.probability_6m", "severity.amber.rule_score"),
    "closes": ("closing.probability_6m", "closing.rule_score", "closing.days", "hold_days", "in_default_days"),
    "budget": ("budget.analysts", "budget.alerts_per_analyst_day", "budget.share_of_watched_a_month"),
}  # fmt: skip
ESCALATE: Final = "escalate_after_days"
ESCALATE_MOST: Final = 90


def _at(values: Mapping[str, Any], path: str) -> Any:
    found: Any = values
    for part in path.split("."):
        found = found[part]
    return found


def _shown(path: str, value: float | None) -> str:
    if value is None:
        return ""
    return f"{value * 100:g}" if path.rpartition(".")[2] in SHARES else f"{value:g}"


def _words(request: HttpRequest, typed: Mapping[str, str] | None = None, fault: str = "") -> dict[str, Any]:
    book = book_of(request)
    values = policy_of(book.settings).values
    groups = [
        (
            say(f"web.watch_rules_{name}"), say(f"web.watch_rules_{name}_hint"),
            [(path, say(f"web.watch_rule_{path.replace('.', '_')}"), (typed or {}).get(path, _shown(path, _at(values, path)))) for path in paths],
        )
        for name, paths in FIELDS.items()
    ]  # fmt: skip
    return {
        "book": book, "groups": groups, "fault": fault, "version": values["version"], "ranking": (typed or {}).get("ranking", values["ranking"]),
        "rankings": [(name, say(f"web.watch_ranking_{name}")) for name in RANKINGS], "escalate": (typed or {}).get(ESCALATE, handling(book)[ESCALATE]),
        "at_once": _at_once(values["at_once"]), "sources": list(values["sources"].values()),
        "may_change": may(request.user, "settings") and not request.viewpoint.query,  # type: ignore[attr-defined]
    }  # fmt: skip


def _at_once(codes: Collection[str]) -> list[tuple[str, list[str]]]:
    """What opens an alert at once, by name: signals as they come, and indicators; many an indicator is of the same matter as a signal."""
    indicators = {code for code in codes if code not in SIGNAL_KINDS and code.lower() in TERMS}
    groups = {"signals": set(codes) - indicators, "indicators": indicators}
    return [(say(f"web.watch_rules_{name}"), sorted(reason_name(code) for code in group)) for name, group in groups.items() if group]


@require_safe
@gate("read")
def alerts_rules(request: HttpRequest) -> HttpResponse:
    """The policy in force."""
    return render(request, "watch/rules.html", _words(request))


@require_POST
@gate("settings")
def alerts_rules_keep(request: HttpRequest) -> HttpResponse:
    """Change it: alerts that are open stay as they are, and the next look goes by the new one."""
    book = book_of(request)
    form = request.POST
    values: dict[str, Any] = copy.deepcopy(dict(policy_of(book.settings).values))
    try:
        for path in (path for paths in FIELDS.values() for path in paths):
            parent, _dot, name = path.rpartition(".")
            (_at(values, parent) if parent else values)[name] = _number(path, form.get(path, ""))
        values["ranking"] = form.get("ranking", "")
        values["version"] = form.get("version", "").strip()[:40] or values["version"]
        found = checked(values)
        days = _days(form.get(ESCALATE, ""))
    except RuleInvalidError as error:
        return render(request, "watch/rules.html", _words(request, form, _fault(error, form)), status=422)
    person: Any = request.user
    record(request, "settings.change", "setting", SETTING, version=found.version, after=found.values["budget"], escalate=days)
    ledger = books.ledger()
    keep(ledger, SETTING, dict(found.values), by=person.username)
    keep(ledger, HANDLING_SETTING, {ESCALATE: days}, by=person.username)
    messages.success(request, say("web.watch_rules_kept"))
    return HttpResponseRedirect(reverse("alerts_rules"))


def _fault(error: RuleInvalidError, typed: Mapping[str, str]) -> str:
    """What cannot be as it was typed, by the name its field has on the page."""
    path = str(error.args_["rule"])
    name = f"web.watch_rule_{path.replace('.', '_')}"
    return say("web.watch_rules_fault", name=say(name), value=typed.get(path, "")) if name in catalogue() else error.message()


def _days(text: str) -> int:
    days = _number(ESCALATE, text)
    if not isinstance(days, int) or not 1 <= days <= ESCALATE_MOST:
        raise RuleInvalidError(rule=ESCALATE, value=text[:40])
    return days


def _number(path: str, text: str) -> float | int | None:
    bare = text.strip().replace(",", ".")
    if not bare:
        return None
    try:
        number = float(bare)
    except ValueError:
        raise RuleInvalidError(rule=path, value=text[:40]) from None
    if path.rpartition(".")[2] in SHARES:
        return round(number / 100, 6)
    return int(number) if number == int(number) else number
