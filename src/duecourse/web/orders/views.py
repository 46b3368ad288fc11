"""Held orders, and one order with all that was held against it.  冻结订单"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from duecourse.decisions.authority import outranks
from duecourse.desk.check_order import cure, outcome_words, room_of, who, worded
from duecourse.errors import AmountInexactError
from duecourse.messages import say
from duecourse.money import to_decimal, to_minor
from duecourse.web.accounts.access import gate, may
from duecourse.web.books import book_of
from duecourse.web.imports.wording import typed_amount
from duecourse.web.orders import acts, answers, picture, releasing, seeing
from duecourse.web.orders.models import ABSORBED, CANCELLED, CONFIRMED, EXPIRED, HELD, REFUSED, RESERVED, SIMULATED, SUPERSEDED, OrderCheck

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from duecourse.web.orders.answers import Answered

SHOWN: Final = 100
TABS: Final = {
    "held": (HELD,),
    "reserved": (RESERVED, CONFIRMED),
    "ended": (ABSORBED, CANCELLED, EXPIRED, REFUSED, SUPERSEDED),
    "simulated": (SIMULATED,),
}
LOOKS: Final = {HELD: "bad", RESERVED: "good", CONFIRMED: "good", ABSORBED: "", SIMULATED: "warn", REFUSED: "bad"}


@require_safe
@gate("read")
def orders(request: HttpRequest) -> HttpResponse:
    """The queue: what is held and why; what has headroom; what has ended."""
    at = request.GET.get("at", "held")
    at = at if at in TABS else "held"
    rows = OrderCheck.objects.filter(state__in=TABS[at]).select_related("rules").order_by("-id")
    found, more = seeing.page(request.user, rows, SHOWN)
    restricted = request.user.scope.restricts  # type: ignore[union-attr]
    tabs = [
        {
            "url": f"{reverse('orders')}?at={name}", "label": say(f"web.orders_tab_{name}"), "current": name == at,
            "count": None if restricted else OrderCheck.objects.filter(state__in=states).count(),
        }
        for name, states in TABS.items() if name != "simulated" or at == name or OrderCheck.objects.filter(state=SIMULATED).exists()
    ]  # fmt: skip
    return render(
        request, "orders/orders.html", {"rows": [line(row) for row in found], "tabs": tabs, "at": at, "more": more, **_freshness()}
    )


def line(row: OrderCheck) -> dict[str, Any]:
    """One check as a row of a list."""
    one = answers.kept(row)
    names = [
        name for take, name in zip(one.takes, one.names, strict=True) if take.account.kind == "buyer" and take.account.key == row.buyer_id
    ]
    reasons = [worded(reason) for reason in one.verdict.reasons]
    return {
        "check": row, "name": next(filter(None, names), "") or row.buyer_id, "outcome": one.outcome, "reasons": reasons[:3], "further": len(reasons[3:]),
        "state_words": say(f"web.orders_state_{row.state}"), "look": LOOKS.get(row.state, ""),
    }  # fmt: skip


def _freshness() -> dict[str, Any]:
    try:
        now = picture.drawn()
    except picture.AccountsNotReadyError:
        return {"drawn": None, "simulation": False}
    return {"drawn": now, "simulation": now.rules.simulation}


def _check(request: HttpRequest, check_id: str) -> OrderCheck:
    try:
        row = acts.check_of(check_id)
    except acts.CheckUnknownError as error:
        raise Http404 from error
    if not seeing.sees(request.user, row.buyer_id):
        raise Http404
    return row


@require_safe
@gate("read")
def order_check(request: HttpRequest, check_id: str) -> HttpResponse:
    """One order: the answer, every account it was held against, what was done with it, and what may be done."""
    return render(request, "orders/order.html", _words(request, _check(request, check_id)))


def _words(request: HttpRequest, row: OrderCheck, typed: dict[str, str] | None = None, fault: str = "") -> dict[str, Any]:
    one = answers.kept(row)
    words: dict[str, Any] = {
        **line(row), "answer": one, "outcome_words": outcome_words(one.outcome), "accounts": [_account(one, place) for place in range(len(one.takes))],
        "why": [{"text": worded(reason), "cure": cure(reason) if reason.cure != "none" else "", "holds": reason.weight == "hold"} for reason in one.verdict.reasons],
        "acts": [{"act": done, "words": say(f"web.orders_act_{done.act}")} for done in row.acts.select_related("person")],
        "typed": typed or {"amount": f"{to_decimal(row.amount, row.currency):f}"}, "fault": fault, "hours": one.age_seconds // 3600, **_freshness(),
    }  # fmt: skip
    if row.state == HELD and may(request.user, "decide"):
        needed = releasing.needed_for(book_of(request), row, row.amount)
        words["needed"] = needed
        words["needed_role"] = say(f"web.people_role_{needed.role}")
        words["may_decide"] = outranks(request.user.role, needed.role)  # type: ignore[union-attr]
    return words


def _account(one: Answered, place: int) -> dict[str, Any]:
    take = one.takes[place]
    account = take.account
    limit = account.limit_minor
    whole = max(limit or 0, take.used_minor, 1)
    starts, bars, at = {}, [], 0
    for name, part in (
        ("owed", account.receivables_minor),
        ("released", account.released_minor),
        ("reserved", take.reserved_minor),
        ("order", take.amount_minor or 0),
    ):
        bars.append({"name": name, "x": at * 1000 // whole, "width": max(2, part * 1000 // whole) if part else 0})
        at += part
        starts[name] = part
    return {
        "who": who(f"{account.kind}:{account.key}" + (f"@{account.entity}" if account.entity else "")), "name": one.names[place],
        "currency": account.currency, "limit": limit, "valid_to": account.valid_to, **starts, "used": take.used_minor, "room": room_of(take, one.rules),
        "bars": bars, "mark": None if limit is None else min(998, limit * 1000 // whole), "over": limit is not None and take.used_minor > limit,
    }  # fmt: skip


@require_POST
@gate("decide")
def orders_release(request: HttpRequest, check_id: str) -> HttpResponse:
    """Let a held order go, whole or in part."""
    row, reason = _check(request, check_id), request.POST.get("reason", "").strip()[:1000]
    typed = {"amount": request.POST.get("amount", ""), "reason": reason}
    try:
        found = typed_amount(typed["amount"])
        amount = 0 if found is None else to_minor(found, row.currency)
    except (ValueError, ArithmeticError, AmountInexactError):
        amount = 0
    if not 0 < amount <= row.amount or not reason:
        fault = say(
            "web.orders_reason_missing" if not reason else "web.orders_amount_wrong",
            most=f"{to_decimal(row.amount, row.currency):,f} {row.currency}",
        )
        return render(request, "orders/order.html", _words(request, row, typed, fault), status=422)
    try:
        done = releasing.release(request, book_of(request), row, amount, reason)
    except releasing.NotAllowedError as error:
        raise PermissionDenied from error
    except (acts.NotPossibleError, acts.KeyReusedError):
        messages.warning(request, say("web.orders_no_longer_held"))
    else:
        said = say("web.orders_released") if done.what == "released" else say("web.orders_waiting", count=done.others)
        messages.success(request, said)
    return HttpResponseRedirect(reverse("order_check", args=[row.public_id]))


@require_POST
@gate("decide")
def orders_refuse(request: HttpRequest, check_id: str) -> HttpResponse:
    """Say no to a held order."""
    row, reason = _check(request, check_id), request.POST.get("reason", "").strip()[:1000]
    if not reason:
        return render(request, "orders/order.html", _words(request, row, None, say("web.orders_reason_missing")), status=422)
    try:
        releasing.refuse(request, row, reason)
        messages.success(request, say("web.orders_refused"))
    except (acts.NotPossibleError, acts.KeyReusedError):
        messages.warning(request, say("web.orders_no_longer_held"))
    return HttpResponseRedirect(reverse("order_check", args=[row.public_id]))
