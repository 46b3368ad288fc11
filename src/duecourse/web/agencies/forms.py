"""The forms of this room: keep an agency, hand a debt over, take a report down, end a placement."""

from __future__ import annotations

import re
import secrets
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from duecourse.desk.agencies import placeable
from duecourse.errors import CurrencyUnknownError
from duecourse.messages import say
from duecourse.money import exponent, format_money
from duecourse.reference.countries import COUNTRIES
from duecourse.web.accounts.access import gate
from duecourse.web.agencies import acting
from duecourse.web.agencies.models import KINDS, Agency, Placement
from duecourse.web.agencies.pages import agency_of, agency_page, fee_words, placement_of, placement_page
from duecourse.web.agencies.reading import UnreadableError, minor_of, take_file
from duecourse.web.books import book_of
from duecourse.web.cases.models import live_case_of
from duecourse.web.limits.pages import _names as names_of
from duecourse.web.refusals import NotNowError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest, HttpResponse

    from duecourse.ledger.book import Book

TEXTS: Final = ("name", "languages", "contact", "email", "phone", "address", "website", "note")
LONGEST: Final = {"name": 120, "languages": 200, "contact": 120, "email": 254, "phone": 60, "address": 300, "website": 200, "note": 2000}
BAND: Final = re.compile(r"^\s*(\d{1,4})\s*(?:\+|天|days?)?\s*[:：=]\s*(\d{1,3}(?:\.\d+)?)\s*%?\s*$")


def words_of(error: NotNowError) -> str:
    """Why something cannot be done, in the language spoken."""
    args: dict[str, Any] = {name: f"{value}" for name, value in error.args_.items()}
    return say(error.code, **args)


@require_http_methods(["GET", "HEAD", "POST"])
@gate("settings")
def agency_edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """A new agency, or what has changed about one."""
    held = agency_of(pk) if pk is not None else None
    typed: dict[str, Any] = (
        dict(_held(held))
        if request.method != "POST"
        else {name: request.POST.get(name, "") for name in (*TEXTS, "kind", "bands", "fixed", "fixed_currency", "active")}
    )
    typed["countries"] = request.POST.getlist("countries") if request.method == "POST" else (held.countries if held else [])
    faults: dict[str, str] = {}
    if request.method == "POST":
        said = _said(typed, faults)
        if not faults:
            try:
                kept = acting.keep(request, held, said)
            except NotNowError as error:
                faults["name"] = words_of(error)
            else:
                messages.success(request, say("web.agencies_kept", name=kept.name))
                return redirect("agency", kept.pk)
    context = {
        "held": held, "typed": typed, "faults": faults, "kinds": [(kind, say(f"agencies.kind_{kind}")) for kind in KINDS],
        "countries": sorted(((one.alpha2, one.name()) for one in COUNTRIES.values()), key=lambda pair: pair[1].casefold()),
    }  # fmt: skip
    return render(request, "agencies/edit.html", context, status=422 if faults else 200)


def _held(one: Agency | None) -> dict[str, Any]:
    if one is None:
        return {"kind": KINDS[0], "active": "1"}
    bands = "\n".join(f"{start}: {float(share) * 100:g}%" for start, share in sorted(one.fee_bands))
    fixed = "" if one.fixed_minor is None else f"{one.fixed_minor / 10 ** exponent(one.fixed_currency):g}"
    return {
        **{name: getattr(one, name) for name in TEXTS}, "kind": one.kind, "bands": bands, "fixed": fixed, "fixed_currency": one.fixed_currency,
        "active": "1" if one.active else "",
    }  # fmt: skip


def _said(typed: Mapping[str, Any], faults: dict[str, str]) -> dict[str, Any]:
    """What was typed, as the table keeps it; what is wrong goes into `faults`."""
    said: dict[str, Any] = {name: str(typed[name]).strip()[: LONGEST[name]] for name in TEXTS}
    if not said["name"]:
        faults["name"] = say("web.agencies_name_missing")
    for name, check in (("email", validate_email), ("website", URLValidator(["http", "https"]))):
        try:
            if said[name]:
                check(said[name])
        except ValidationError:
            faults[name] = say(f"web.agencies_{name}_wrong")
    said["kind"] = typed["kind"] if typed["kind"] in KINDS else KINDS[0]
    said["countries"] = sorted({code for code in typed["countries"] if code in COUNTRIES})
    said["active"] = bool(typed["active"])
    said["fee_bands"] = _bands(str(typed["bands"]), faults)
    said["fixed_minor"], said["fixed_currency"] = _fixed(str(typed["fixed"]), str(typed["fixed_currency"]).strip().upper(), faults)
    return said


def _bands(text: str, faults: dict[str, str]) -> list[list[float]]:
    """`0: 15%`, a line a band."""
    found: dict[int, float] = {}
    for line in filter(None, (one.strip() for one in text.replace(";", "\n").replace("；", "\n").splitlines())):
        match = BAND.match(line)
        share = float(match.group(2)) / 100 if match else 2.0
        if match is None or share > 1 or int(match.group(1)) in found:
            faults["bands"] = say("web.agencies_bands_wrong", line=line)
            return []
        found[int(match.group(1))] = round(share, 6)
    return [[start, share] for start, share in sorted(found.items())]


def _fixed(text: str, currency: str, faults: dict[str, str]) -> tuple[int | None, str]:
    if not text.strip():
        return None, ""
    try:
        exponent(currency)
        minor = minor_of(text, currency)
    except (CurrencyUnknownError, NotNowError):
        minor = -1
    if minor is None or minor < 0:
        faults["fixed"] = say("web.agencies_fixed_wrong")
        return None, ""
    return minor, currency


@require_http_methods(["GET", "HEAD", "POST"])
@gate("note")
def placement_new(request: HttpRequest) -> HttpResponse:
    """Choose whom to hand a buyer's debts to, and which of them."""
    book = book_of(request)
    buyer_id = request.GET.get("buyer", "") or request.POST.get("buyer", "")
    names = names_of(book, [buyer_id]) if buyer_id else {}
    if buyer_id not in names:
        raise Http404
    fault = ""
    if request.method == "POST":
        try:
            made = _place(request, book, buyer_id)
        except NotNowError as error:
            fault = words_of(error)
        else:
            messages.success(request, say("web.agencies_placed", name=made.agency.name, number=made.number))
            return redirect("placement", made.pk)
    return render(request, "agencies/place.html", _choices(request, book, buyer_id, names[buyer_id], fault), status=409 if fault else 200)


def _choices(request: HttpRequest, book: Book, buyer_id: str, name: str, fault: str) -> dict[str, Any]:
    rows = placeable(book, buyer_id)
    out = {item: one for one in Placement.objects.filter(buyer_id=buyer_id, closed_on=None).select_related("agency") for item in one.items}
    profile = book.about(buyer_id)["buyer"].to_pylist()
    land = (profile[0]["country"] or "") if profile else ""
    latest = max((row["days_late"] for row in rows), default=0)
    agencies = sorted(Agency.objects.filter(active=True), key=lambda one: (land not in one.countries, one.name.casefold()))
    chosen = set(request.POST.getlist("item"))
    case = live_case_of(buyer_id)
    return {
        "book": book, "buyer_id": buyer_id, "name": name, "land": COUNTRIES[land].name() if land in COUNTRIES else "", "fault": fault, "mark": secrets.token_hex(8), "case": case,
        "typed": request.POST,
        "agencies": [
            {"one": one, "covers": land in one.countries, "share": one.share_at(latest), "fees": fee_words(one), "chosen": str(one.pk) == request.POST.get("agency", "")}
            for one in agencies
        ],
        "rows": [
            {
                "row": row, "key": f"{row['instalment']} {row['invoice_id']}", "open": format_money(row["open_minor"], row["currency"]),
                "out": out.get((row["invoice_id"], row["instalment"])),
                "checked": not fault or f"{row['instalment']} {row['invoice_id']}" in chosen,
            }
            for row in rows
        ],
    }  # fmt: skip


def _place(request: HttpRequest, book: Book, buyer_id: str) -> Placement:
    chosen = request.POST.get("agency", "")
    agency = Agency.objects.filter(pk=int(chosen)).first() if chosen.isdigit() else None
    if agency is None:
        raise NotNowError("web.agencies_choose_agency")
    items = set()
    for key in request.POST.getlist("item"):
        instalment, _, invoice_id = key.partition(" ")
        if instalment.isdigit():
            items.add((invoice_id, int(instalment)))
    fee = request.POST.get("fee", "").strip() or "; ".join(fee_words(agency))
    return acting.place(
        request, book, agency, buyer_id, items, fee, request.POST.get("authority", ""), request.POST.get("mark", "") or secrets.token_hex(8)
    )


@require_POST
@gate("note")
def placement_report(request: HttpRequest, pk: int) -> HttpResponse:
    """What the agency says, typed in."""
    book = book_of(request)
    held, _name = placement_of(book, pk)
    asked = request.POST
    try:
        on = date.fromisoformat(asked.get("on", "").strip())
    except ValueError:
        return placement_page(request, pk, fault=say("web.agencies_day_unreadable", text=asked.get("on", "") or "–"))
    try:
        amount, fee = (minor_of(asked.get(name, ""), held.currency) for name in ("amount", "fee"))
        acting.take_down(
            request, book, held, asked.get("kind", ""), on, f"form {asked.get('mark', '')}", amount_minor=amount, fee_minor=fee,
            reference=asked.get("reference", ""), text=asked.get("text", ""),
        )  # fmt: skip
    except NotNowError as error:
        return placement_page(request, pk, fault=words_of(error))
    messages.success(request, say("web.agencies_taken"))
    return HttpResponseRedirect(reverse("placement", args=[pk]))


@require_POST
@gate("note")
def placement_end(request: HttpRequest, pk: int) -> HttpResponse:
    """Take it back."""
    book = book_of(request)
    held, _name = placement_of(book, pk)
    try:
        acting.end(request, book, held, request.POST.get("reason", ""))
    except NotNowError as error:
        return placement_page(request, pk, fault=words_of(error))
    messages.success(request, say("web.agencies_ended", number=held.number))
    return HttpResponseRedirect(reverse("placement", args=[pk]))


@require_POST
@gate("note")
def agency_upload(request: HttpRequest, pk: int) -> HttpResponse:
    """What the agency says, as a file."""
    book, one = book_of(request), agency_of(pk)
    sent = request.FILES.get("file")
    if sent is None:
        return agency_page(request, one, fault=say("web.agencies_file_missing"))
    held = list(one.placements.values_list("buyer_id", flat=True))
    try:
        read = take_file(request, book, one, sent.read(), set(names_of(book, held)))
    except UnreadableError as error:
        return agency_page(request, one, fault=str(error))
    return agency_page(request, one, read=read)
