"""The routes of one buyer: ranked, with what stands against each; assumptions to set otherwise, assets to enter, a decision to keep.  追收路径页"""

from __future__ import annotations

import secrets
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from duecourse.desk.assets import add, asset_row, assets_of, gone
from duecourse.desk.buyer_page import Facts
from duecourse.desk.route import assumption_name, decision, routes_for, shown_name
from duecourse.errors import BuyerUnknownError, DuecourseError, FactUnknownError
from duecourse.messages import say
from duecourse.money import NO_CURRENCY, format_money, to_minor
from duecourse.reference.countries import COUNTRIES
from duecourse.reference.currencies import CURRENCIES
from duecourse.risk.severity.assets import LOOK_UPS, REALISED, Asset
from duecourse.tables import named
from duecourse.web import books
from duecourse.web.accounts.access import gate, may
from duecourse.web.accounts.audit import record
from duecourse.web.books import book_of
from duecourse.web.imports.wording import typed_amount
from duecourse.web.outbox.sending import put_out

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest, HttpResponse, QueryDict

    from duecourse.decisions.route import Assumption, Route
    from duecourse.desk.route import RouteChoice
    from duecourse.ledger.book import Book

LOOKS: Final = {"open": "good", "doubtful": "warn", "closed": "off"}
LONGEST: Final = 300
MOST_INVOICES: Final = 200
ASSUMED: Final = "a-"


@require_safe
@gate("read")
def buyer_route(request: HttpRequest, buyer_id: str) -> HttpResponse:
    """Every route with what it is worth. The address names the invoices (`invoice=F-1/1`) and what was assumed otherwise (`a-p.suit=80`)."""
    return _page(request, buyer_id, request.GET)


def _items(said: QueryDict) -> list[tuple[str, int]] | None:
    found = []
    for text in said.getlist("invoice")[:MOST_INVOICES]:
        number, slash, instalment = text.rpartition("/")
        found.append((number, int(instalment)) if slash and instalment.isdecimal() and len(instalment) < 4 else (text, 1))
    return found or None


def _overrides(said: Mapping[str, str]) -> dict[str, float]:
    """What was typed into the fields of assumptions: shares as per cent, days as days. Raises ValueError."""
    found = {}
    for field, text in said.items():
        if field.startswith(ASSUMED) and text.strip():
            name = field.removeprefix(ASSUMED)
            value = typed_amount(text.replace("%", ""))
            if value is None:
                raise ValueError(f"{name}={text}")
            days = name.partition(".")[0] in ("days", "lost_days")
            found[name] = float(value) if days else float(value) / 100
    return found


def _choice(book: Book, buyer_id: str, said: QueryDict) -> RouteChoice:
    """The routes as the form asks for them. Raises Http404, DuecourseError, ValueError."""
    try:
        return routes_for(book, buyer_id, _items(said), overrides=_overrides({name: str(value) for name, value in said.items()}))
    except (BuyerUnknownError, FactUnknownError):
        raise Http404 from None


def _page(request: HttpRequest, buyer_id: str, said: QueryDict, fault: str = "") -> HttpResponse:
    book = book_of(request)
    choice: RouteChoice | None = None
    try:
        choice = _choice(book, buyer_id, said)
    except ValueError as error:
        fault = fault or say("web.routes_assumption_wrong", text=str(error)[:60])
    except DuecourseError as error:
        fault = fault or error.message()
    profile = named((book.about(buyer_id)["buyer"].to_pylist() or [{}])[0])
    words: dict[str, Any] = {
        "book": book, "buyer_id": buyer_id, "name": profile.get("name") or buyer_id, "fault": fault, "said": said.dict(), "invoices": said.getlist("invoice")[:MOST_INVOICES],
        "case": said.get("case", "")[:80], "may_enter": may(request.user, "propose") and not request.viewpoint.query,  # type: ignore[attr-defined]
        "kinds": [(kind, say(f"route.asset_{kind}"), f"{share:.0%}") for kind, share in REALISED.items()],
        "looks": [(name, say(f"route.look_{name}")) for name in LOOK_UPS], "countries": sorted(((code, one.name()) for code, one in COUNTRIES.items()), key=lambda one: one[1]),
        "currencies": [code for code, one in sorted(CURRENCIES.items()) if not one.withdrawn], "today": book.on,
        "base": "" if book.base_currency == NO_CURRENCY else book.base_currency,
    }  # fmt: skip
    if choice is not None:
        words |= _choice_words(book, choice)
        words["base"] = words["base"] or ("" if choice.facts.currency == NO_CURRENCY else choice.facts.currency)
    return render(request, "routes/buyer_route.html", words, status=422 if fault else 200)


def _choice_words(book: Book, choice: RouteChoice) -> dict[str, Any]:
    facts, currency = choice.facts, choice.facts.currency
    own = {one.name for one in choice.assumptions if one.own}
    kept = assets_of(book, choice.buyer_id)
    return {
        "choice": choice, "claim": format_money(facts.claim_minor, currency), "principal": format_money(facts.principal_minor, currency),
        "interest": format_money(facts.interest_minor + facts.compensation_minor, currency), "advice": shown_name(choice.chosen.code), "why": choice.found.why.words(),
        "rows": [_route_words(one, currency, chosen=one.code == choice.chosen.code) for one in choice.routes],
        "single": [_way_words(one) for one in choice.routes if len(one.steps) == 1], "assumptions": [_assumption_words(one) for one in choice.assumptions], "own": len(own),
        "assets": [
            {
                "id": one.asset_id, "kind": say(f"route.asset_{one.asset.kind}"), "value": format_money(one.asset.value_minor, one.asset.currency),
                "share": f"{one.asset.share:.0%}", "prior": format_money(one.asset.prior_minor, one.asset.currency) if one.asset.prior_minor else "",
                "net": format_money(one.asset.net_minor, one.asset.currency), "seen": one.seen_on, "source": one.source, "text": one.text,
                "country": COUNTRIES[one.asset.country].name() if one.asset.country in COUNTRIES else "",
            }
            for one in kept if one.asset is not None
        ],
        "net": [format_money(minor, code) for code, minor in choice.assessment.net.items()],
        "checklist": [
            {
                "name": say(f"route.look_{line.name}"), "on": line.looked_on, "source": line.source, "stale": line.stale,
                "look": "warn" if line.stale else "good" if line.looked_on else "off",
            }
            for line in choice.assessment.lines
        ],
        "missing": len(choice.assessment.missing), "loss": f"{choice.loss.share:.1%}", "loss_minor": format_money(choice.loss.minor, currency),
        "recovery": f"{choice.loss.recovery:.1%}", "notes": [one.words() for one in choice.notes], "count": len(choice.invoices), **_counts(book, choice),
    }  # fmt: skip


def _counts(book: Book, choice: RouteChoice) -> dict[str, int]:
    """On how many invoices the principal is open, and of how many more, paid late, only interest is claimed."""
    facts, items = Facts(book, choice.buyer_id), set(choice.invoices)
    unpaid = sum(
        left > 0 and (row["invoice_id"], row["instalment"]) in items
        for row, left in zip(facts.invoice.to_pylist(), facts.open, strict=True)
    )
    return {"unpaid": int(unpaid), "paid_late": len(items) - int(unpaid)}


def _route_words(one: Route, currency: str, *, chosen: bool) -> dict[str, Any]:
    worth = one.worth
    return {
        "code": one.code, "name": shown_name(one.code), "rank": one.rank or "–", "standing": say(f"route.standing_{one.standing}"), "look": LOOKS[one.standing],
        "expected": format_money(worth.expected_minor, currency), "low": format_money(worth.low_minor, currency), "high": format_money(worth.high_minor, currency),
        "even": "–" if worth.break_even_minor is None else format_money(worth.break_even_minor, currency), "probability": f"{worth.probability:.0%}",
        "days": f"{worth.days:,.0f}", "costs": format_money(worth.costs_minor, currency), "chosen": chosen, "closed": one.standing == "closed",
    }  # fmt: skip


def _way_words(one: Route) -> dict[str, Any]:
    return {
        "name": shown_name(one.code), "standing": say(f"route.standing_{one.standing}"), "look": LOOKS[one.standing], "reasons": [said.words() for said in one.reasons],
    }  # fmt: skip


def _assumption_words(one: Assumption) -> dict[str, Any]:
    days = one.unit == "days"
    return {
        "name": one.name, "meaning": assumption_name(one.name), "value": f"{one.value:g}" if days else f"{one.value * 100:g}", "unit": say("web.routes_days") if days else "%",
        "source": one.source.words(), "confidence": one.confidence or "–", "own": one.own,
    }  # fmt: skip


def _back(buyer_id: str, said: QueryDict) -> HttpResponseRedirect:
    """To the page with the same invoices and assumptions."""
    kept = [
        (name, value)
        for name, values in said.lists()
        for value in values
        if (name in ("invoice", "case") or name.startswith(ASSUMED)) and value
    ]
    words = f"?{urlencode(kept)}" if kept else ""
    return HttpResponseRedirect(reverse("buyer_route", args=[buyer_id]) + words)


@require_POST
@gate("propose")
def buyer_route_take(request: HttpRequest, buyer_id: str) -> HttpResponse:
    """Keep which route is taken, and why, with every assumption: once in the app's database, from where it goes into the ledger."""
    book = book_of(request)
    person: Any = request.user
    said = request.POST
    reason = " ".join(said.get("reason", "").split())[:LONGEST]
    try:
        choice = _choice(book, buyer_id, said)
    except (ValueError, DuecourseError):
        return _page(request, buyer_id, said)
    taken = said.get("route", "")
    if taken not in {one.code for one in choice.routes}:
        raise Http404
    if not reason:
        return _page(request, buyer_id, said, say("web.routes_reason_missing"))
    number = f"route-{secrets.token_hex(8)}"
    row = decision(
        book, choice, taken, decision_id=number, made_by=person.username, decided_at=datetime.now(UTC), case_id=said.get("case", "")[:80] or None,
        reasons=[{"code": "route.reason_given", "args": {"text": reason}}],
    )  # fmt: skip
    with transaction.atomic():
        record(request, "route.take", "buyer", buyer_id, decision=number, route=taken, reason=reason)
        put_out("decision", row)
    messages.success(request, say("web.routes_taken", route=shown_name(taken), decision=number))
    return _back(buyer_id, said)


@require_POST
@gate("propose")
def buyer_route_asset(request: HttpRequest, buyer_id: str) -> HttpResponse:
    """Enter an asset that was found, or a look-up that found none."""
    book = book_of(request)
    if not book.about(buyer_id)["buyer"].num_rows and not book.about(buyer_id)["invoice"].num_rows:
        raise Http404
    person: Any = request.user
    said = request.POST
    try:
        row = _typed_asset(buyer_id, said, person.username)
        add(books.ledger(), row, by=person.username)
    except ValueError:
        return _page(request, buyer_id, said, say("web.routes_asset_wrong"))
    except DuecourseError as error:
        return _page(request, buyer_id, said, error.message())
    record(request, "asset.enter", "buyer", buyer_id, asset=row["asset_id"], asset_kind=row.get("kind") or "", look_up=row["look_up"] or "")
    messages.success(request, say("web.routes_asset_kept"))
    return _back(buyer_id, said)


def _typed_asset(buyer_id: str, said: Mapping[str, str], by: str) -> dict[str, Any]:
    """The row that a form names. Raises ValueError, DuecourseError."""
    seen = date.fromisoformat(said.get("seen_on", ""))
    if seen > datetime.now(UTC).date():
        raise ValueError(seen)
    source, text, look_up = said.get("source", "").strip(), said.get("text", "").strip(), said.get("look_up", "")
    kind: Any = said.get("kind", "")
    if not kind:
        return asset_row(buyer_id, None, seen_on=seen, look_up=look_up, source=source, text=text, by=by)
    amount = typed_amount(said.get("amount", ""))
    prior = typed_amount(said.get("prior", "")) if said.get("prior", "").strip() else Decimal(0)
    share = typed_amount(said.get("share", "").replace("%", "")) if said.get("share", "").strip() else None
    if amount is None or prior is None or (said.get("share", "").strip() and share is None):
        raise ValueError(kind)
    currency = said.get("currency", "").strip().upper()
    asset = Asset(
        kind, to_minor(amount, currency), currency, source, seen, None if share is None else float(share) / 100, to_minor(prior, currency),
        said.get("country", "").strip().upper(), text,
    )  # fmt: skip
    return asset_row(buyer_id, asset, seen_on=seen, look_up=look_up, source=source, text=text, by=by)


@require_POST
@gate("propose")
def buyer_route_asset_gone(request: HttpRequest, buyer_id: str, asset_id: str) -> HttpResponse:
    """An asset that is no longer there, or was entered wrongly, counts no more from today on."""
    person: Any = request.user
    try:
        gone(books.ledger(), book_of(request), buyer_id, asset_id, book_of(request).on, by=person.username)
    except (FactUnknownError, BuyerUnknownError):
        raise Http404 from None
    except DuecourseError as error:
        messages.error(request, error.message())
        return _back(buyer_id, request.POST)
    record(request, "asset.gone", "buyer", buyer_id, asset=asset_id)
    messages.success(request, say("web.routes_asset_gone"))
    return _back(buyer_id, request.POST)
