"""The playbook in force: read by everybody, changed by who sets the firm's rules.  催收剧本"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from duecourse.decisions.playbook import LETTERS, PHASES, SETTING, UNITS, checked, shipped_values, source_words
from duecourse.desk.settings import keep
from duecourse.errors import RuleInvalidError
from duecourse.messages import language, say
from duecourse.reference.countries import COUNTRIES
from duecourse.web import books
from duecourse.web.accounts.access import gate, may
from duecourse.web.accounts.audit import record
from duecourse.web.books import book_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest, HttpResponse

OPENING: Final = ("days_late", "least_amount", "escalate_after_days")
ADDED: Final = "X"
"""Steps of the firm's own are numbered from here."""


def _words(request: HttpRequest, country: str, typed: Mapping[str, str] | None = None, fault: str = "") -> dict[str, Any]:
    book = book_of(request)
    own = book.settings.get(SETTING) or {}
    found = checked(own, country)
    base = shipped_values()
    in_force = {one.code: one for one in found.steps}
    form = typed or {}
    steps = []
    for code, values in base["steps"].items():
        step = in_force.get(code)
        steps.append(
            {
                "code": code, "words": step.sentence() if step else say(f"playbook.does_{values['does']}"), "on": (f"{code}.on" in form) if typed else step is not None,
                "days": form.get(f"{code}.days", step.days if step else values["days"]), "unit": form.get(f"{code}.unit", step.unit if step else values["unit"]),
                "anchor": say(f"web.cases_anchor_{values['anchor'].replace('.', '_')}"), "when": say(f"web.cases_when_{values['when']}") if values["when"] else "",
                "source": source_words(code, values["source"]), "phase": say(f"playbook.phase_{values['phase']}"),
            }
        )  # fmt: skip
    added = [one for one in found.steps if one.does == "own"]
    return {
        "book": book, "fault": fault, "version": form.get("version", found.version), "steps": steps, "added": added, "country": country,
        "opening": [(name, say(f"web.cases_rule_{name}"), form.get(name, str(getattr(found.opening, name)))) for name in OPENING],
        "units": [(unit, say(f"web.cases_unit_{unit}")) for unit in UNITS], "phases": [(one, say(f"playbook.phase_{one}")) for one in PHASES],
        "letters": [(one, say(f"web.cases_letter_{one or 'none'}")) for one in LETTERS], "typed": form,
        "countries": sorted((code, one.name_zh if language() == "zh" else one.name_en) for code, one in COUNTRIES.items()),
        "own_countries": sorted(own.get("countries") or {}), "may_change": may(request.user, "settings") and not request.viewpoint.query,  # type: ignore[attr-defined]
    }  # fmt: skip


@require_safe
@gate("read")
def cases_rules(request: HttpRequest) -> HttpResponse:
    """The playbook, of everywhere or of one country."""
    country = request.GET.get("country", "").upper()
    return render(request, "cases/rules.html", _words(request, country if country in COUNTRIES else ""))


@require_POST
@gate("settings")
def cases_rules_keep(request: HttpRequest) -> HttpResponse:
    """Change it: open cases follow from the next day's run."""
    book, form = book_of(request), request.POST
    country = form.get("country", "").upper()
    own: dict[str, Any] = copy.deepcopy(dict(book.settings.get(SETTING) or {}))
    part = own.setdefault("countries", {}).setdefault(country, {}) if country in COUNTRIES else own
    try:
        part["steps"] = _steps(form, checked(own).steps if country else ())
        if form.get("new_en", "").strip() or form.get("new_zh", "").strip():
            part.setdefault("added", {})[_fresh(own)] = _new(form)
        for code in [name.removeprefix("drop.") for name in form if name.startswith("drop.")]:
            part.get("added", {}).pop(code, None)
        if not country:
            own["opening"] = {
                "days_late": _whole("days_late", form), "least_amount": form.get("least_amount", "").strip(), "escalate_after_days": _whole("escalate_after_days", form)
            }  # fmt: skip
            own["version"] = form.get("version", "").strip()[:40] or own.get("version", shipped_values()["version"])
        own = {name: value for name, value in own.items() if value}
        found = checked(own, country)
    except RuleInvalidError as error:
        return render(
            request, "cases/rules.html", _words(request, country if country in COUNTRIES else "", form, error.message()), status=422
        )
    person: Any = request.user
    record(request, "settings.change", "setting", SETTING, version=found.version, country=country)
    keep(books.ledger(), SETTING, own, by=person.username)
    messages.success(request, say("web.cases_rules_kept"))
    return HttpResponseRedirect(reverse("cases_rules") + (f"?country={country}" if country else ""))


def _steps(form: Mapping[str, str], general: Any) -> dict[str, Any]:
    """What differs from the shipped steps; for a country, from the firm's own."""
    before: dict[str, Any] = {code: dict(values) for code, values in shipped_values()["steps"].items()}
    for one in general:
        if one.code in before:
            before[one.code] |= {"days": one.days, "unit": one.unit}
    changed: dict[str, Any] = {}
    for code, values in before.items():
        if f"{code}.on" not in form:
            changed[code] = {"off": True}
            continue
        mine = {"days": _whole(f"{code}.days", form), "unit": form.get(f"{code}.unit", "")}
        differs = {name: value for name, value in mine.items() if value != values[name]}
        if differs:
            changed[code] = differs
    return changed


def _new(form: Mapping[str, str]) -> dict[str, Any]:
    return {
        "en": form.get("new_en", "").strip()[:200], "zh": form.get("new_zh", "").strip()[:200], "days": _whole("new_days", form), "unit": form.get("new_unit", ""),
        "phase": form.get("new_phase", ""), "letter": form.get("new_letter", ""),
    }  # fmt: skip


def _fresh(own: Mapping[str, Any]) -> str:
    taken = {code for layer in (own, *(own.get("countries") or {}).values()) for code in layer.get("added", {})}
    return next(f"{ADDED}{number:02d}" for number in range(1, 1000) if f"{ADDED}{number:02d}" not in taken)


def _whole(name: str, form: Mapping[str, str]) -> int:
    text = form.get(name, "").strip()
    if not text.lstrip("-").isdecimal():
        raise RuleInvalidError(rule=name, value=text[:40])
    return int(text)
