"""The rules by which limits are recommended, tried before they are switched on; and who may grant how much.  额度规则与授权"""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from duecourse.decisions import authority, limit_rules
from duecourse.desk.limit_trial import FIGURES
from duecourse.desk.limits import hash_of
from duecourse.desk.limits import limit_rules as rules_in_force
from duecourse.desk.settings import keep
from duecourse.errors import RuleInvalidError
from duecourse.messages import say
from duecourse.money import format_money
from duecourse.web import books
from duecourse.web.accounts.access import gate, may
from duecourse.web.accounts.audit import record
from duecourse.web.books import book_of
from duecourse.web.jobs.models import DONE, JobRun
from duecourse.web.jobs.queue import enqueue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest, HttpResponse

TRY: Final = "limits.try"
GROUPS: Final = ("need", "portfolio")


def _fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """The rule set as fields of a form: [(path, name, value)] by group; grades as a table."""
    simple = [
        (name, value) for name, value in values.items() if not isinstance(value, dict) and name not in ("version", "insurer_mandatory")
    ]
    columns = list(values["ungraded"])
    return {
        **{group: [(f"{group}.{name}", _words(name), _text(value)) for name, value in values[group].items()] for group in GROUPS},
        "other": [(name, _words(name), _text(value)) for name, value in simple],
        "caps": [(f"caps.{name}", say(f"decisions.cap_{name}"), on) for name, on in values["caps"].items()],
        "mandatory": values["insurer_mandatory"],
        "columns": [_words(name) for name in columns],
        "grades": [
            (
                grade or say("web.limits_rules_ungraded"),
                [(f"grades.{grade}.{name}" if grade else f"ungraded.{name}", _text(row[name])) for name in columns],
            )
            for grade, row in [*values["grades"].items(), ("", values["ungraded"])]
        ],
        "sources": [(say(f"decisions.cap_{name}"), say(f"decisions.source_{name}")) for name in values["sources"]],
    }


def _words(name: str) -> str:
    return say(f"decisions.rule_{name}")


def _text(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _typed(form: Mapping[str, str], values: Mapping[str, Any]) -> dict[str, Any]:
    """The rule set a form names. Raises RuleInvalidError."""
    made: dict[str, Any] = copy.deepcopy(dict(values))
    made["version"] = form.get("version", "").strip()[:40] or made["version"]

    def walk(part: dict[str, Any], path: str) -> None:
        for name, value in part.items():
            where = f"{path}{name}"
            if isinstance(value, dict):
                if name != "sources":
                    walk(value, f"{where}.")
            elif isinstance(value, bool):
                part[name] = form.get(where) == "on"
            elif where in form and name != "version":
                part[name] = _number(form[where], where)

    walk(made, "")
    return made


def _number(text: str, where: str) -> float | int | None:
    bare = text.strip().replace(",", ".")
    if not bare:
        return None
    try:
        number = Decimal(bare)
        return int(number) if number == number.to_integral_value() else float(number)
    except (ArithmeticError, ValueError):
        raise RuleInvalidError(rule=where, value=text[:40]) from None


@require_safe
@gate("read")
def limits_rules(request: HttpRequest) -> HttpResponse:
    """The rules in force; or those that are being tried, with what they would have done."""
    book = book_of(request)
    number = request.GET.get("run", "")
    run = JobRun.objects.filter(pk=int(number), name=TRY).first() if number.isdecimal() and len(number) < 15 else None
    values = run.args["rules"] if run else rules_in_force(book).values
    return render(request, "limits/rules.html", _rules_words(request, values, run))


def _rules_words(request: HttpRequest, values: Mapping[str, Any], run: JobRun | None = None, fault: str = "") -> dict[str, Any]:
    book = book_of(request)
    return {
        "book": book, "values": values, "fields": _fields(values), "run": run, "fault": fault, "in_force": rules_in_force(book).version,
        "may_change": may(request.user, "settings") and not request.viewpoint.query, "trial": _trial(run),  # type: ignore[attr-defined]
    }  # fmt: skip


def _trial(run: JobRun | None) -> dict[str, Any] | None:
    if run is None or run.status != DONE or not run.result:
        return None
    found = run.result
    currency = found["currency"]

    def shown(value: Any) -> str:
        return format_money(value[0], currency) if isinstance(value, list) else f"{value:,}"

    now, new = found["now"], found["new"]
    net = say(
        "web.limits_trial_net", stopped=f"{new['stopped'] - now['stopped']:+,}", sales=format_money(new["stopped_amount"][0] - now["stopped_amount"][0], currency),
        loss=format_money(new["loss_avoided"][0] - now["loss_avoided"][0], currency),
    )  # fmt: skip
    return {
        "rows": [(say(f"decisions.trial_{name}"), shown(now[name]), shown(new[name])) for name in FIGURES], "net": net,
        "basis": say(f"decisions.trial_basis_{found['basis']}"),
    }  # fmt: skip


@require_safe
@gate("settings")
def limits_trial(request: HttpRequest, pk: int) -> HttpResponse:
    """How far the trial is; its result when it is there."""
    run = JobRun.objects.filter(pk=pk, name=TRY).first()
    return render(request, "limits/_trial.html", {"run": run, "trial": _trial(run), "may_change": True})


@require_POST
@gate("settings")
def limits_rules_try(request: HttpRequest) -> HttpResponse:
    """Have the rules of the form played on the last year, in the background."""
    book = book_of(request)
    try:
        rules = limit_rules.checked(_typed(request.POST, rules_in_force(book).values))
    except RuleInvalidError as error:
        return render(request, "limits/rules.html", _rules_words(request, rules_in_force(book).values, None, error.message()), status=422)
    person: Any = request.user
    run = enqueue(TRY, key=f"{hash_of(rules)} {book.version} {rules.version}"[:200], person=person, rules=dict(rules.values))
    return HttpResponseRedirect(f"{reverse('limits_rules')}?run={run.pk}")


@require_POST
@gate("settings")
def limits_rules_keep(request: HttpRequest, pk: int) -> HttpResponse:
    """Switch on a rule set that has been tried."""
    run = JobRun.objects.filter(pk=pk, name=TRY).first()
    if run is None or run.status != DONE:
        messages.warning(request, say("web.limits_rules_untried"))
        return HttpResponseRedirect(reverse("limits_rules"))
    rules = limit_rules.checked(run.args["rules"])
    person: Any = request.user
    record(request, "settings.change", "setting", limit_rules.SETTING, version=rules.version, digest=hash_of(rules), trial=pk)
    keep(books.ledger(), limit_rules.SETTING, dict(rules.values), by=person.username)
    messages.success(request, say("web.limits_rules_kept"))
    return HttpResponseRedirect(reverse("limits_rules"))


# --- authority ----------------------------------------------------------------------------------------------------------------------------


@require_safe
@gate("read")
def limits_authority(request: HttpRequest) -> HttpResponse:
    """Who may grant how much."""
    return render(request, "limits/authority.html", _authority_words(request))


def _authority_words(request: HttpRequest, values: Mapping[str, Any] | None = None, fault: str = "") -> dict[str, Any]:
    book = book_of(request)
    matrix = values or authority.authority_of(book.settings).values
    bands, first = [], 1
    for number, band in enumerate(matrix["bands"]):
        words = "web.limits_authority_ungraded" if number == len(matrix["bands"]) - 1 else "web.limits_authority_grades"
        bands.append({"number": number, "title": say(words, first=first, last=band["to_grade"]), "steps": list(enumerate(band["steps"]))})
        first = band["to_grade"] + 1
    return {
        "book": book, "bands": bands, "fault": fault, "roles": [(role, say(f"web.people_role_{role}")) for role in authority.ROLES],
        "may_change": may(request.user, "settings") and not request.viewpoint.query,  # type: ignore[attr-defined]
    }  # fmt: skip


@require_POST
@gate("settings")
def limits_authority_keep(request: HttpRequest) -> HttpResponse:
    """Keep the matrix."""
    book = book_of(request)
    values: dict[str, Any] = copy.deepcopy(dict(authority.authority_of(book.settings).values))
    try:
        for number, band in enumerate(values["bands"]):
            for place, step in enumerate(band["steps"]):
                at = f"{number}-{place}"
                step["role"] = request.POST.get(f"role-{at}", step["role"])
                step["approvers"] = int(_number(request.POST.get(f"people-{at}", ""), f"people-{at}") or 0)
                if step["up_to"] is not None:
                    step["up_to"] = _number(request.POST.get(f"upto-{at}", "").replace(",", ""), f"upto-{at}")
        found = authority.checked(values)
    except RuleInvalidError as error:
        return render(request, "limits/authority.html", _authority_words(request, values, error.message()), status=422)
    person: Any = request.user
    record(request, "settings.change", "setting", authority.SETTING, after=found.values)
    keep(books.ledger(), authority.SETTING, dict(found.values), by=person.username)
    messages.success(request, say("web.limits_authority_kept"))
    return HttpResponseRedirect(reverse("limits_authority"))
