"""The directory of agencies, one agency with its results, one placement with what was reported.  追账机构与律所"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final

from django.http import Http404
from django.shortcuts import render
from django.views.decorators.http import require_safe

from duecourse.desk.agencies import key_of, results
from duecourse.messages import language, say
from duecourse.money import format_money
from duecourse.reference.countries import COUNTRIES
from duecourse.web.accounts.access import gate, may
from duecourse.web.agencies.models import KINDS, Agency, Placement
from duecourse.web.books import book_of
from duecourse.web.limits.pages import _names as names_of

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from duecourse.desk.agencies import Results
    from duecourse.ledger.book import Book

SHOWN: Final = 100
FEW: Final = 6


def agency_of(pk: int) -> Agency:
    """The agency; 404 where there is none."""
    found = Agency.objects.filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def placement_of(book: Book, pk: int) -> tuple[Placement, str]:
    """A placement and what its buyer is called; 404 where the buyer may not be seen."""
    found = Placement.objects.select_related("agency").filter(pk=pk).first()
    names = names_of(book, [found.buyer_id]) if found is not None else {}
    if found is None or found.buyer_id not in names:
        raise Http404
    return found, names[found.buyer_id]


def results_of(book: Book) -> dict[int, Results]:
    """The results of every agency, by its number."""
    agencies = list(Agency.objects.all())
    same = {key_of(name): key_of(one.name) for one in agencies for name in one.former}
    found = results(book, same)
    return {one.pk: found[key_of(one.name)] for one in agencies if key_of(one.name) in found}


def country_names(codes: list[str]) -> list[str]:
    """The names of countries, in the language spoken."""
    return sorted((COUNTRIES[code].name() for code in codes if code in COUNTRIES), key=str.casefold)


def percent(share: float | None) -> str:
    """A share as people read it."""
    return "–" if share is None else f"{share * 100:.1f}%".replace(".0%", "%")


def fee_words(agency: Agency) -> list[str]:
    """The fees, a sentence each."""
    bands = sorted((int(start), float(share)) for start, share in agency.fee_bands)
    said = [
        say("agencies.fee_band", share=percent(share), days=start) if start else say("agencies.fee_any", share=percent(share))
        for start, share in bands
    ]
    if agency.fixed_minor is not None:
        said.append(say("agencies.fee_fixed", amount=format_money(agency.fixed_minor, agency.fixed_currency)))
    return said


def result_words(one: Results | None, currency: str) -> dict[str, Any]:
    """Results as a page shows them."""
    if one is None:
        return {"cases": 0, "heard": None}

    def money(minor: int | None) -> str:
        return "–" if minor is None else format_money(minor, currency)

    return {
        "cases": one.cases, "placed": money(one.placed), "recovered": money(one.recovered), "share": percent(one.share),
        "days": "–" if one.days is None else f"{one.days:,.0f}", "heard": one.last_heard, "missing": ", ".join(one.unconverted),
    }  # fmt: skip


@require_safe
@gate("read")
def agencies(request: HttpRequest) -> HttpResponse:
    """The directory: who works where, at what price, with which results."""
    book = book_of(request)
    words, land, kind = (request.GET.get(name, "").strip() for name in ("q", "country", "kind"))
    found = results_of(book)
    between = "、" if language() == "zh" else ", "
    rows = []
    for one in Agency.objects.all():
        if words.casefold() not in " ".join((one.name, one.contact, one.note, *one.former)).casefold() or (
            land and land not in one.countries
        ):
            continue
        if kind and one.kind != kind:
            continue
        names = country_names(one.countries)
        rows.append(
            {
                "agency": one, "kind": say(f"agencies.kind_{one.kind}"), "countries": between.join(names[:FEW]), "more": max(len(names) - FEW, 0),
                "fees": fee_words(one), **result_words(found.get(one.pk), book.base_currency),
            }
        )  # fmt: skip
    covered = sorted({code for one in Agency.objects.all() for code in one.countries})
    context = {
        "book": book, "rows": rows, "words": words, "land": land, "kind": kind, "may_keep": may(request.user, "settings"),
        "kinds": [(one, say(f"agencies.kind_{one}")) for one in KINDS], "total": Agency.objects.count(),
        "countries": sorted(((code, COUNTRIES[code].name()) for code in covered if code in COUNTRIES), key=lambda pair: pair[1].casefold()),
    }  # fmt: skip
    return render(request, "agencies/agencies.html", context)


@require_safe
@gate("read")
def agency(request: HttpRequest, pk: int) -> HttpResponse:
    """One agency."""
    return agency_page(request, agency_of(pk))


def agency_page(request: HttpRequest, one: Agency, *, fault: str = "", read: Any = None) -> HttpResponse:
    """The page of an agency; with what came of a file that was just read."""
    book = book_of(request)
    held = list(one.placements.all()[:SHOWN])
    names = names_of(book, (each.buyer_id for each in held))
    context = {
        "book": book, "one": one, "kind": say(f"agencies.kind_{one.kind}"), "countries": country_names(one.countries), "fees": fee_words(one),
        "results": result_words(results_of(book).get(one.pk), book.base_currency), "placements": [placement_line(each, names) for each in held if each.buyer_id in names],
        "may_keep": may(request.user, "settings"), "may_report": may(request.user, "note"), "fault": fault, "read": read,
    }  # fmt: skip
    return render(request, "agencies/agency.html", context, status=422 if fault else 200)


def placement_line(one: Placement, names: dict[str, str]) -> dict[str, Any]:
    """A placement as a row."""
    money = [row for row in one.reports.all() if row.kind == "recovery"]
    got = sum(row.amount_minor or 0 for row in money)
    fees = [row.fee_minor for row in money if row.fee_minor is not None]
    return {
        "placement": one, "name": names[one.buyer_id], "principal": format_money(one.principal_minor, one.currency), "recovered": format_money(got, one.currency),
        "share": percent(got / one.principal_minor if one.principal_minor else None), "fees": format_money(sum(fees), one.currency) if fees else "–",
        "state": say("agencies.state_closed" if one.closed_on else "agencies.state_open"), "look": "off" if one.closed_on else "busy",
    }  # fmt: skip


@require_safe
@gate("read")
def placement(request: HttpRequest, pk: int) -> HttpResponse:
    """One placement."""
    return placement_page(request, pk)


def placement_page(request: HttpRequest, pk: int, *, fault: str = "") -> HttpResponse:
    """The page of a placement."""
    from duecourse.web.agencies.packing import documents_of  # noqa: PLC0415 — it reads pages of this module

    book = book_of(request)
    one, name = placement_of(book, pk)
    documents, left = documents_of(book, one)
    claims = [{**row, "open": format_money(row["open_minor"], one.currency)} for row in one.claims]
    reports = [
        {
            "row": row, "kind": say(f"agencies.report_{row.kind}"), "amount": format_money(row.amount_minor, one.currency) if row.amount_minor is not None else "–",
            "fee": format_money(row.fee_minor, one.currency) if row.fee_minor is not None else "–",
        }
        for row in one.reports.select_related("made_by").order_by("-on", "-id")[:SHOWN]
    ]  # fmt: skip
    context = {
        "book": book, "one": one, "name": name, "line": placement_line(one, {one.buyer_id: name}), "claims": claims, "reports": reports, "documents": documents,
        "left": left, "may_report": may(request.user, "note"), "may_export": may(request.user, "export"), "mark": secrets.token_hex(8), "fault": fault,
        "typed": request.POST if fault else {}, "kinds": [(kind, say(f"agencies.report_{kind}")) for kind in ("recovery", "report")],
    }  # fmt: skip
    return render(request, "agencies/placement.html", context, status=409 if fault else 200)
