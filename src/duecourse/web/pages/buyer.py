"""One buyer: who it is, what it owes and how it pays, every invoice with its settlements, what people noted, and where each fact comes from.  买方档案"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from django.http import Http404, HttpResponseRedirect
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.html import format_html
from django.views.decorators.http import require_safe

from duecourse.desk.buyer_page import buyer_page, events
from duecourse.desk.listing import BuyersQuery, list_buyers, numbered_like
from duecourse.errors import BuyerUnknownError
from duecourse.glossary import label
from duecourse.ledger.entries import SETTLEMENT_KINDS
from duecourse.measures.buckets import Buckets
from duecourse.messages import language, say, wording
from duecourse.tables import named, shown
from duecourse.web.accounts.access import gate, may
from duecourse.web.addresses import path_of
from duecourse.web.books import book_of
from duecourse.web.pages import charts
from duecourse.web.pages.columns import amount, capital, heading, in_few_digits
from duecourse.web.pages.notes import notes_of
from duecourse.web.pages.pager import Pager
from duecourse.web.pages.templatetags.lists import settlement_kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.http import HttpRequest, HttpResponse

    from duecourse.desk.buyer_page import BuyerPage
    from duecourse.ledger.book import Book
    from duecourse.web.pages.charts import Chart

INVOICES: Final = 25
UNAPPLIED: Final = 20
DISPUTES: Final = 20
MEMBERS: Final = 10
EVENTS: Final = 50
CANDIDATES: Final = 10
LOOKED_AT: Final = 50
STATES: Final = ("", "open", "overdue")
FACTS: Final = (
    "registration_number", "vat_number", "lei", "legal_form", "founded_on", "registered_capital_minor", "registry_status", "legal_representative",
    "owner_name", "enterprise_size", "country", "city", "sector", "legal_entity", "sales_owner", "payment_terms_days", "customer_since", "first_issue_date",
    "last_payment_date",
)  # fmt: skip


SELDOM: Final = frozenset(
    {"vat_number", "lei", "legal_form", "founded_on", "registered_capital_minor", "registry_status", "legal_representative", "owner_name", "enterprise_size"}
)  # fmt: skip
"""What many ledgers never know of a buyer: shown where it is known."""


@dataclass(frozen=True)
class Tile:
    """One figure of the buyer, and a line beneath it."""

    name: str
    value: str
    unit: str = ""
    exact: str = ""
    under: str = ""


@dataclass(frozen=True)
class Bucket:
    """One line of the ageing."""

    name: str
    label: str
    amount: int
    share: float | None


@dataclass(frozen=True)
class View:
    """What the page shows of one currency."""

    currency: str
    lede: str
    first: Sequence[Tile]
    second: Sequence[Tile]
    ages: Mapping[str, int]
    buckets: Sequence[Bucket]
    chart: Chart
    dilution: Sequence[tuple[str, int, float | None]]


@require_safe
@gate("read")
def buyer(request: HttpRequest, buyer_id: str) -> HttpResponse:
    """The buyer's page; asked for by its list of invoices, that list alone."""
    book = book_of(request)
    state = request.GET.get("state", "")
    state = state if state in STATES else ""
    number = request.GET.get("page", "")
    page = int(number) if number.isdecimal() and 0 < int(number) < 10**6 else 1
    try:
        one = buyer_page(book, buyer_id, offset=(page - 1) * INVOICES, limit=INVOICES, state=state)
    except BuyerUnknownError:
        return _unknown(request, book, buyer_id)
    profile = named(one.profile)
    name = profile.get("name") or buyer_id
    words: dict[str, Any] = {
        "book": book,
        "buyer_id": buyer_id,
        "name": name,
        "one": one,
        "state": state,
        **_invoices(request, one, state, page),
    }
    if request.htmx.target == "invoices":  # type: ignore[attr-defined]
        answer = render(request, "pages/_buyer_invoices.html", words)
    else:
        words |= _words(request, book, one, profile)
        answer = render(request, "pages/buyer.html", words)
    patch_vary_headers(answer, ["HX-Request", "HX-Target"])
    return answer


def _url(request: HttpRequest, buyer_id: str, **words: str) -> str:
    query = urlencode({**{name: value for name, value in words.items() if value}, **request.viewpoint.query})  # type: ignore[attr-defined]
    return path_of("buyer", buyer_id) + (f"?{query}" if query else "")


def _invoices(request: HttpRequest, one: BuyerPage, state: str, page: int) -> dict[str, Any]:
    currency = request.GET.get("currency", "")

    def url_of(number: int) -> str:
        return _url(request, one.buyer_id, state=state, currency=currency, page=str(number) if number > 1 else "")

    tabs = [
        {"label": say(f"web.buyer_invoices_{name or 'all'}"), "url": _url(request, one.buyer_id, state=name, currency=currency), "current": name == state, "count": None}
        for name in STATES
    ]  # fmt: skip
    return {"invoices": one.invoices, "pager": Pager(page, INVOICES, one.total, url_of), "tabs": tabs}


def _words(request: HttpRequest, book: Book, one: BuyerPage, profile: Mapping[str, Any]) -> dict[str, Any]:
    figures = sorted(one.figures, key=lambda row: -(row["outstanding_base"] if row["outstanding_base"] is not None else row["outstanding"]))
    wanted = request.GET.get("currency", "")
    chosen = next((row for row in figures if row["currency"] == wanted), figures[0] if figures else None)
    known = chosen or {}
    facts = [
        (name, heading(name), _fact(name, profile.get(name, known.get(name)))) for name in FACTS if name not in SELDOM or profile.get(name)
    ]
    if profile.get("registered_capital_minor") is not None:
        # Without a currency it is a bare number: to take it for yuan would be a guess about money.
        currency = profile.get("registered_capital_currency")
        told = f"{amount(profile['registered_capital_minor'], currency)} {currency or ''}".strip()
        facts = [
            (name, heading("registered_capital"), told) if name == "registered_capital_minor" else (name, title, text)
            for name, title, text in facts
        ]
    return {
        "profile": profile,
        "other": one.profile.get("name") if one.profile.get("name") != profile.get("name") else one.profile.get("name_local"),
        "facts": [(title, told) for _name, title, told in facts],
        "figures": figures,
        "currencies": [(row["currency"], _url(request, one.buyer_id, currency=row["currency"]), row is chosen) for row in figures],
        "view": _view(book, one, chosen) if chosen else None,
        "unapplied": one.unapplied[:UNAPPLIED],
        "unapplied_more": max(0, len(one.unapplied) - UNAPPLIED),
        "unapplied_left": [(row["currency"], row["unapplied_credits"]) for row in figures if row["unapplied_credits"]],
        "group": [named(row) for row in one.group[:MEMBERS]],
        "disputes": one.disputes[:DISPUTES],
        "disputes_more": max(0, len(one.disputes) - DISPUTES),
        "notes": notes_of(request, one.buyer_id),
        "may_note": may(request.user, "note") and not request.viewpoint.query,  # type: ignore[attr-defined]
    }


def _fact(name: str, value: Any) -> str:
    if value is None or value == "":
        return "–"
    if name == "payment_terms_days":
        return say("web.buyer_days", count=value)
    return shown(value, "date" if hasattr(value, "year") else "text")


def _view(book: Book, one: BuyerPage, row: Mapping[str, Any]) -> View:
    currency = row["currency"]
    ages = dict(one.ages.get(currency, {}))
    buckets, whole = Buckets.of(book), sum(ages.values())
    months = [
        {"month_end": month["month_end"], "days_beyond_terms": month["days_late"], "cash_received": month["paid"]}
        for month in sorted((month for month in one.months if month["currency"] == currency), key=lambda month: -month["months_back"])
    ]
    taken = one.dilution.get(currency, {})
    sales = row["credit_sales_365d"]
    return View(
        currency,
        _lede(row, currency),
        [
            _money("outstanding", row),
            _money("overdue", row, say("web.buyer_of_outstanding", share=shown(row["overdue_share"], "fraction")) if row["overdue_share"] is not None else ""),
            _money("unapplied_credits", row),
            _money("credit_sales_365d", row, say("web.buyer_invoices_issued", count=f"{row['invoices_365d']:,}")),
        ],
        [
            _days("days_beyond_terms_365d", row, _trend(row)),
            _days("dso_countback", row, say("web.buyer_dso_beyond") if row["dso_censored"] else ""),
            Tile(heading("dilution_rate"), shown(row["credits_365d"] / sales if sales else None, "fraction"), under=say("web.buyer_of_sales")),
            _money("peak_balance_365d", row),
        ],
        ages,
        [Bucket(name, buckets.label(name), minor, minor / whole if whole else None) for name, minor in ages.items()],
        charts.payment_behaviour(months, currency),
        [(settlement_kind(kind), minor, minor / sales if sales else None) for kind, minor in sorted(taken.items(), key=lambda one: -one[1])],
    )  # fmt: skip


def _lede(row: Mapping[str, Any], currency: str) -> str:
    """Where the buyer stands, in one sentence."""
    kind = "nothing" if row["outstanding"] <= 0 else "current" if row["overdue"] <= 0 else "late"
    owed, late = (in_few_digits(row[name], currency) for name in ("outstanding", "overdue"))
    words = {
        "outstanding": format_html("<b>{} {}</b>", owed["value"], owed["unit"]),
        "overdue": format_html("<b>{} {}</b>", late["value"], late["unit"]),
        "days": format_html("<b>{}</b>", shown(row["oldest_days_past_due"], "count")),
    }
    return format_html(wording(f"web.buyer_lede_{kind}", language(), words), **words)


def _money(name: str, row: Mapping[str, Any], under: str = "") -> Tile:
    told = in_few_digits(row[name], row["currency"])
    return Tile(heading(name), told["value"], told["unit"], told["exact"], under)


def _days(name: str, row: Mapping[str, Any], under: str = "") -> Tile:
    value = row[name]
    return Tile(heading(name), shown(value, "days"), say("web.buyers_days") if value is not None else "", "", under)


def _trend(row: Mapping[str, Any]) -> str:
    """Whether the last quarter was later than the year."""
    if row["days_beyond_terms_90d"] is None:
        return ""
    return say("web.buyer_last_quarter", days=shown(float(row["days_beyond_terms_90d"]), "days"))


# Nobody, or more than one


def _unknown(request: HttpRequest, book: Book, wanted: str) -> HttpResponse:
    """Nobody has this number: go to whom it can only mean, else offer who it may be.

    A name is looked for in all texts; a number among the numbers alone, so that people who may not see a buyer do not each cost a walk over all names.
    """
    text = (wanted.strip().lstrip("0") or wanted.strip())[:200]
    numbered = any(sign.isdigit() for sign in text)
    if numbered:
        found, total = numbered_like(book, wanted.strip()[:200], LOOKED_AT)
    else:
        page = list_buyers(book, BuyersQuery(text=text, limit=LOOKED_AT))
        found, total = page.rows, page.total
    rows = [{**named(row), "owed": amount(row["overdue"], row["currency"])} for row in found]
    meant = {row["buyer_id"] for row in rows if row["buyer_id"].lstrip("0") == text} if text.isdigit() else set()
    if len(meant) == 1:  # written without its leading zeros
        return HttpResponseRedirect(_url(request, meant.pop()))
    words = {"book": book, "wanted": wanted, "rows": rows[:CANDIDATES], "more": total - CANDIDATES, "text": text, "numbered": numbered}
    return render(request, "pages/buyer_unknown.html", words, status=404)


# What happened


@require_safe
@gate("read")
def timeline(request: HttpRequest, buyer_id: str) -> HttpResponse:
    """All that happened with a buyer, the latest first, a piece at a time."""
    book = book_of(request)
    start = request.GET.get("from", "")
    offset = int(start) if start.isdecimal() and int(start) < 10**7 else 0
    found = events(book, buyer_id, offset=offset, limit=EVENTS + 1)
    if not found and not offset:
        raise Http404
    shown_ = [_event(request, buyer_id, row) for row in found[:EVENTS]]
    words = {"events": shown_, "buyer_id": buyer_id, "following": offset + EVENTS if len(found) > EVENTS else None}
    words["more_url"] = f"{path_of('buyer_timeline', buyer_id)}?{urlencode({'from': offset + EVENTS, **request.viewpoint.query})}"  # type: ignore[attr-defined]
    return render(request, "pages/_timeline.html", words)


def _event(request: HttpRequest, buyer_id: str, row: Mapping[str, Any]) -> dict[str, Any]:
    day = urlencode(request.viewpoint.query)  # type: ignore[attr-defined]
    event, tail = row["event"], f"?{day}" if day else ""
    told: dict[str, Any] = {
        "key": row["key"] or "",
        "invoice": row["invoice_id"] or "",
        "amount": f"{amount(row['amount_minor'], row['currency'])} {row['currency'] or ''}".strip(),
        "kind": settlement_kind(event) if event in SETTLEMENT_KINDS else "",
    }
    url = path_of("invoice", row["invoice_id"]) + tail if row["invoice_id"] else ""
    if event == "profile":
        words = say("web.buyer_event_profile" if row["changed"] else "web.buyer_event_profile_new")
        changes = [f"{capital(label(name))}: {_said(before)} → {_said(after)}" for name, (before, after) in row["changed"].items()]
        url, note = path_of("fact", buyer_id, "buyer", buyer_id) + tail, " · ".join(changes)
    elif event in ("invoice", "dispute_raised", "dispute_resolved"):
        words, note = say(f"web.buyer_event_{event}", **told), ""
    else:
        words, note = say("web.buyer_event_settled" if row["invoice_id"] else "web.buyer_event_unapplied", **told), ""
    kind = {"cash": "good", "dispute_raised": "bad", "write_off": "bad"}.get(event, "")
    return {"day": row["day"], "words": words, "url": url, "note": note, "kind": kind}


def _said(value: Any) -> str:
    return "–" if value is None or value == "" else str(value)
