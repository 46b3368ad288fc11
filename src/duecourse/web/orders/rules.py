"""The rules orders are judged by: seen by everybody, changed by who may change settings; a change is a new version.  放行规则"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from duecourse.decisions.hold import RANGES, WEIGHED, WEIGHTS, Rules
from duecourse.desk.credit_accounts import change_rules, rules_of
from duecourse.errors import RuleInvalidError
from duecourse.messages import say
from duecourse.money import to_decimal, to_minor
from duecourse.web import books
from duecourse.web.accounts.access import gate, may
from duecourse.web.accounts.audit import record
from duecourse.web.books import book_of
from duecourse.web.imports.wording import typed_amount

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest, HttpResponse

    from duecourse.ledger.book import Book

LONGEST_VERSION: Final = 60


@require_safe
@gate("read")
def orders_rules(request: HttpRequest) -> HttpResponse:
    """How strict we are."""
    return render(request, "orders/rules.html", _words(request, book_of(request)))


def _words(request: HttpRequest, book: Book, typed: Mapping[str, str] | None = None, fault: str = "") -> dict[str, Any]:
    try:
        rules = rules_of(book)
    except RuleInvalidError as error:
        rules, fault = Rules(), fault or error.message()
    held = _texts(rules, book.base_currency)
    numbers = [
        {"name": name, "label": say(f"web.orders_rule_{name}"), "value": (typed or held).get(name, held[name])}
        for name in ("note_at_percent", "overdue_days", "overdue_minor", "lease_hours")
    ]
    weights = [
        {
            "name": name, "label": say(f"web.orders_rule_{name}"),
            "options": [{"value": one, "label": say(f"web.orders_weight_{one}"), "chosen": (typed or held).get(name, held[name]) == one} for one in WEIGHTS],
        }
        for name in WEIGHED
    ]  # fmt: skip
    return {
        "numbers": numbers, "weights": weights, "version": (typed or held).get("version", held["version"]), "currency": book.base_currency,
        "simulation": typed.get("simulation") == "on" if typed else rules.simulation, "fault": fault,
        "may_change": may(request.user, "settings") and not request.viewpoint.query,  # type: ignore[attr-defined]
    }  # fmt: skip


def _texts(rules: Rules, base: str) -> dict[str, str]:
    told = {name: str(value) for name, value in rules.told().items()}
    return {**told, "overdue_minor": f"{to_decimal(rules.overdue_minor, base):f}"}


@require_POST
@gate("settings")
def orders_rules_keep(request: HttpRequest) -> HttpResponse:
    """Judge by these from now on."""
    form, book = request.POST, book_of(request)
    values: dict[str, Any] = {name: form.get(name, "") for name in WEIGHED}
    name = "version"
    try:
        values["version"] = form.get("version", "").strip()[:LONGEST_VERSION]
        if not values["version"]:
            raise ValueError(name)  # noqa: TRY301 — one way out for every field
        for field in fields(Rules):
            name = field.name
            if name == "overdue_minor":
                typed = typed_amount(form.get(name, ""))
                values[name] = -1 if typed is None else to_minor(typed, book.base_currency)
            elif name in RANGES:
                values[name] = int(form.get(name, ""))
        values["simulation"] = form.get("simulation") == "on"
        rules = Rules.of(values)
    except (ValueError, ArithmeticError) as error:
        named = str(error) if str(error) in values else name
        fault = say("web.orders_rule_wrong", rule=say(f"web.orders_rule_{named}"))
        return render(request, "orders/rules.html", _words(request, book, form, fault), status=422)
    change_rules(books.ledger(), rules, by=str(request.user.get_username()))
    record(request, "settings", "order_rules", rules.version, **rules.told())
    messages.success(request, say("web.orders_rules_kept"))
    return HttpResponseRedirect(reverse("orders_rules"))
