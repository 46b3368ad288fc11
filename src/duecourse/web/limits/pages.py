"""The buyer's limit, the queue, and one request.  额度"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from duecourse.desk.limits import Ask, decisions_of, limits_of, recommend
from duecourse.errors import AmountInexactError, BuyerUnknownError, CurrencyUnknownError
from duecourse.messages import catalogue, say
from duecourse.money import to_decimal, to_minor
from duecourse.tables import named
from duecourse.web.accounts.access import gate, may
from duecourse.web.accounts.models import Person
from duecourse.web.books import book_of
from duecourse.web.imports.wording import typed_amount
from duecourse.web.limits import deciding
from duecourse.web.limits.deciding import Wanted
from duecourse.web.limits.models import KINDS, LimitRequest
from duecourse.web.limits.telling import limit_lines, request_line, standing_of, told, told_of
from duecourse.web.refusals import NotNowError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from django.http import HttpRequest, HttpResponse

    from duecourse.ledger.book import Book

QUEUE: Final = 200
TABS: Final = ("mine", "open", "decided")


def _names(book: Book, buyer_ids: Iterable[str]) -> dict[str, str]:
    """The buyers among these that may be seen, and what each is called."""
    wanted = sorted(set(buyer_ids))
    if not wanted:
        return {}
    rows = book.run(book.buyer.filter(book.buyer.buyer_id.isin(wanted)).select("buyer_id", "name", "name_local")).to_pylist()
    return {row["buyer_id"]: named(row).get("name") or row["buyer_id"] for row in rows}


def _told_why(error: NotNowError) -> str:
    args: dict[str, Any] = {name: say(f"web.people_role_{value}") if name == "role" else value for name, value in error.args_.items()}
    return say(error.code, **args)


# --- a buyer's limit -----------------------------------------------------------------------------------------------------------------------


@require_safe
@gate("read")
def buyer_limit(request: HttpRequest, buyer_id: str) -> HttpResponse:
    """How much this buyer may owe, why, what holds today and what held before; with a form to ask for more or less."""
    book = book_of(request)
    return render(request, "limits/buyer_limit.html", _buyer_words(request, book, buyer_id))


def _buyer_words(
    request: HttpRequest, book: Book, buyer_id: str, typed: Mapping[str, str] | None = None, fault: str = ""
) -> dict[str, Any]:
    try:
        advice = recommend(book, buyer_id)
    except BuyerUnknownError as error:
        raise Http404 from error
    rows = limits_of(book, buyer_id)
    profile = named({"name": None, "name_local": None, **advice.profile})
    open_ = LimitRequest.objects.filter(buyer_id=buyer_id, status="open")
    today = not request.viewpoint.query  # type: ignore[attr-defined]
    held = [row for row in limit_lines(rows) if row["state"] == "in_force"]
    return {
        "book": book, "buyer_id": buyer_id, "name": profile.get("name") or buyer_id, "told": told(advice.answer), "held": held,
        "past": [row for row in limit_lines(rows) if row["state"] != "in_force"], "decisions": [{**row, "outcome_words": outcome_words(row["outcome"])} for row in decisions_of(book, buyer_id)],
        "requests": [request_line(one, {}) for one in LimitRequest.objects.filter(buyer_id=buyer_id).select_related("requested_by")[:50]],
        "open": open_.first(), "mark": deciding.new_mark(), "may_ask": may(request.user, "propose") and today,
        "blocked": next((row for row in held if row["kind"] == "block"), None), "typed": typed or {}, "fault": fault, "kinds": KINDS[:3],
        "terms": (typed or {}).get("terms") or advice.recommended.payment_terms_days,
        "suggested": "" if advice.recommended.amount_minor is None else f"{to_decimal(advice.recommended.amount_minor, advice.known.currency):f}",
    }  # fmt: skip


@require_POST
@gate("propose")
def limit_request(request: HttpRequest, buyer_id: str) -> HttpResponse:
    """Put a request down."""
    book = book_of(request)
    form = request.POST
    try:
        advice = recommend(book, buyer_id)
    except BuyerUnknownError as error:
        raise Http404 from error
    currency = advice.known.currency
    try:
        wanted = _wanted(form, currency)
        made = deciding.ask(request, book, buyer_id, wanted, (form.get("mark") or deciding.new_mark())[:40])
    except (ValueError, AmountInexactError, CurrencyUnknownError) as error:
        fault = say("web.limits_form_wrong") if isinstance(error, ValueError) else error.message()
        return render(request, "limits/buyer_limit.html", _buyer_words(request, book, buyer_id, form, fault), status=422)
    except NotNowError as error:
        return render(request, "limits/buyer_limit.html", _buyer_words(request, book, buyer_id, form, _told_why(error)), status=422)
    messages.success(request, say("web.limits_done" if made.status == "granted" else "web.limits_asked"))
    return HttpResponseRedirect(reverse("limit", args=[made.pk]))


def _wanted(form: Mapping[str, str], currency: str) -> Wanted:
    """What the form asks for. Raises ValueError, AmountInexactError."""
    kind = form.get("kind", "standing")
    if kind not in KINDS or not form.get("reason", "").strip():
        raise ValueError(kind)
    terms = form.get("terms", "").strip()
    if terms and (not terms.isdecimal() or int(terms) > 365):
        raise ValueError(terms)
    end = form.get("valid_to", "").strip()
    return Wanted(
        kind, minor_of(form.get("amount", ""), currency) if kind in ("standing", "temporary") else None, currency, int(terms) if terms else None,
        minor_of(form.get("expected_sales", ""), currency), date.fromisoformat(end) if end else None, form.get("legal_entity", "").strip()[:100],
        form.get("target", "").strip()[:100], form.get("reason", "").strip()[:1000],
    )  # fmt: skip


def minor_of(text: str, currency: str) -> int | None:
    """Raises ValueError for what is no amount, or one below zero."""
    if not text.strip():
        return None
    amount = typed_amount(text)
    if amount is None or not amount.is_finite() or amount < 0 or amount >= 10**13:
        raise ValueError(text)
    return to_minor(amount, currency)


# --- the queue, and one request --------------------------------------------------------------------------------------------------------------


@require_safe
@gate("read")
def queue(request: HttpRequest) -> HttpResponse:
    """What waits for a decision, first what waits for me."""
    book = book_of(request)
    tab = request.GET.get("tab", "")
    open_ = list(LimitRequest.objects.filter(status="open").select_related("requested_by").prefetch_related("consents")[:QUEUE])
    names = _names(book, (one.buyer_id for one in open_))
    seen = [one for one in open_ if one.buyer_id in names]
    mine = [one for one in seen if may(request.user, "decide") and not standing_of(request, book, one).why_not]
    tab = tab if tab in TABS else "mine" if mine else "open"
    if tab == "decided":
        shown = list(LimitRequest.objects.exclude(status="open").select_related("requested_by")[:QUEUE])
        names = _names(book, (one.buyer_id for one in shown))
        shown = [one for one in shown if one.buyer_id in names]
    else:
        shown = mine if tab == "mine" else seen
    counts = {"mine": len(mine), "open": len(seen), "decided": None}
    tabs = [
        {"label": say(f"web.limits_tab_{name}"), "url": f"{reverse('limits')}?tab={name}", "current": name == tab, "count": counts[name]}
        for name in TABS
    ]
    words = {
        "book": book,
        "tabs": tabs,
        "tab": tab,
        "rows": [request_line(one, names) for one in shown],
        "may_set": may(request.user, "settings"),
    }
    return render(request, "limits/limits.html", words)


def request_of(book: Book, pk: int) -> tuple[LimitRequest, str]:
    """A request about a buyer who may be seen, and the buyer's name."""
    asked = get_object_or_404(LimitRequest.objects.select_related("requested_by"), pk=pk)
    names = _names(book, [asked.buyer_id])
    if asked.buyer_id not in names:
        raise Http404
    return asked, names[asked.buyer_id]


@require_safe
@gate("read")
def limit(request: HttpRequest, pk: int) -> HttpResponse:
    """One request: what is asked, what is recommended and why, who consented, and what one may do."""
    book = book_of(request)
    return render(request, "limits/request.html", _request_words(request, book, pk))


def _request_words(request: HttpRequest, book: Book, pk: int, fault: str = "") -> dict[str, Any]:
    asked, name = request_of(book, pk)
    stands = standing_of(request, book, asked)
    amount = asked.granted_minor if not stands.first else asked.amount_minor
    moved = False
    if asked.status == "open":
        now = recommend(book, asked.buyer_id, Ask(**asked.ask)).recommended.amount_minor
        moved = now != asked.recommended_minor
    return {
        "book": book, **request_line(asked, {asked.buyer_id: name}), "buyer_id": asked.buyer_id, "told": told_of(asked), "stands": stands, "fault": fault,
        "consents": asked.consents.select_related("person"), "amount": "" if amount is None else f"{to_decimal(amount, asked.currency):f}",
        "moved": moved, "is_own": asked.requested_by_id == request.user.pk, "has_amount": asked.kind in ("standing", "temporary"),
    }  # fmt: skip


@require_POST
@gate("decide")
def consent(request: HttpRequest, pk: int) -> HttpResponse:
    """Say yes."""
    book = book_of(request)
    asked, _name = request_of(book, pk)
    form = request.POST
    terms, end = form.get("terms", "").strip(), form.get("valid_to", "").strip()
    try:
        seen = form.get("seen", "")
        done = deciding.consent(
            request, book, pk, amount_minor=minor_of(form.get("amount", ""), asked.currency), terms_days=int(terms) if terms.isdecimal() else None,
            valid_to=date.fromisoformat(end) if end else None, note=form.get("note", "").strip()[:1000], seen_minor=int(seen) if seen.isdecimal() else None,
        )  # fmt: skip
    except (ValueError, AmountInexactError):
        return render(request, "limits/request.html", _request_words(request, book, pk, say("web.limits_form_wrong")), status=422)
    except NotNowError as error:
        return render(request, "limits/request.html", _request_words(request, book, pk, _told_why(error)), status=409)
    messages.success(request, say("web.limits_done" if done.status == "granted" else "web.limits_one_more"))
    return HttpResponseRedirect(reverse("limit", args=[pk]))


@require_POST
@gate("decide")
def refuse(request: HttpRequest, pk: int) -> HttpResponse:
    """Say no, with the reason."""
    book = book_of(request)
    request_of(book, pk)
    note = request.POST.get("note", "").strip()[:1000]
    if not note:
        return render(request, "limits/request.html", _request_words(request, book, pk, say("web.limits_note_missing")), status=422)
    return _tried(request, book, pk, lambda: deciding.refuse(request, book, pk, note), "web.limits_refused_done")


@require_POST
@gate("propose")
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Take one's own request back."""
    book = book_of(request)
    request_of(book, pk)
    return _tried(request, book, pk, lambda: deciding.withdraw(request, pk), "web.limits_withdrawn_done")


@require_POST
@gate("decide")
def measure(request: HttpRequest, pk: int) -> HttpResponse:
    """Take today's recommendation in the place of the old one."""
    book = book_of(request)
    request_of(book, pk)
    return _tried(request, book, pk, lambda: deciding.measure_anew(request, book, pk), "web.limits_measured")


def _tried(request: HttpRequest, book: Book, pk: int, work: Any, said: str) -> HttpResponse:
    try:
        work()
    except NotNowError as error:
        return render(request, "limits/request.html", _request_words(request, book, pk, _told_why(error)), status=409)
    messages.success(request, say(said))
    return HttpResponseRedirect(reverse("limit", args=[pk]))


def people_of(usernames: Iterable[str]) -> dict[str, str]:
    """What people are called, by their user names."""
    return {one.username: one.name for one in Person.objects.filter(username__in=set(usernames))}


def outcome_words(outcome: str) -> str:
    """What was decided: `standing.granted` as words; one of another kind as it is."""
    kind, _dot, end = (outcome or "").partition(".")
    if f"web.limits_kind_{kind}" not in catalogue():
        return outcome
    return f"{say(f'web.limits_kind_{kind}')}: {say(f'web.limits_status_{end}')}"
