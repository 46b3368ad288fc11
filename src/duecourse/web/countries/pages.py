"""The list of countries, and one country's page.  国别信息"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from django.http import Http404
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from duecourse.desk.clocks import own_country
from duecourse.desk.country_page import country_page, days_worked, demand_group, listed, tongues
from duecourse.errors import CountryUnknownError
from duecourse.messages import say
from duecourse.reference.countries import COUNTRIES, Membership
from duecourse.reference.countries import country as country_of
from duecourse.web.accounts.access import gate
from duecourse.web.agencies.models import Agency
from duecourse.web.books import book_of

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from duecourse.ledger.book import Book
    from duecourse.reference.countries import Country

DEMANDS: Final = ("yes", "limited", "nothing", "unknown")
LOOKS: Final = {"yes": "good", "limited": "warn", "nothing": "bad", "unknown": ""}


@require_safe
@gate("read")
def countries(request: HttpRequest) -> HttpResponse:
    """Every country that agrees with what was looked for; a code leads straight to its page."""
    words = request.GET.get("q", "").strip()
    chosen = {name: request.GET.get(name, "") for name in ("region", "demand", "eu")}
    found = listed(words, **chosen)
    ours = _buyers_in(book_of(request))
    rows = [_row(land, ours) for land in found]
    if request.GET.get("ours"):
        rows = [row for row in rows if row["buyers"]]
    context = {
        "rows": rows, "words": words, "chosen": chosen, "ours": bool(request.GET.get("ours")), "total": len(COUNTRIES), "as_of": COUNTRIES.as_of,
        "regions": sorted(((one, _region(one)) for one in {land.region for land in COUNTRIES.values()}), key=lambda pair: pair[1]),
        "demands": [(one, say(f"countries.group_{one}")) for one in DEMANDS],
    }  # fmt: skip
    return render(request, "countries/countries.html", context)


def _buyers_in(book: Book) -> Counter[str]:
    """How many buyers that may be seen are in each country."""
    table = book.buyer.filter(book.buyer.country.notnull())
    rows = book.run(table.group_by("country").agg(buyers=table.count())).to_pylist()
    return Counter({row["country"]: row["buyers"] for row in rows})


def _region(name: str) -> str:
    return say(f"countries.region_{name.lower().replace(' ', '_')}")


def _bound(value: Membership | None) -> str:
    if value is None:
        return ""
    return say("web.countries_yes" if value in (Membership.PARTY, Membership.EXTENDED) else "web.countries_no")


def _row(land: Country, ours: Counter[str]) -> dict[str, Any]:
    group = demand_group(land)
    return {
        "code": land.alpha2, "name": land.name(), "region": _region(land.region), "languages": tongues(land), "years": land.limitation_years,
        "demand": say(f"countries.group_{group}"), "look": LOOKS[group], "new_york": _bound(land.new_york_convention),
        "complexity": land.collection_complexity, "oecd": land.oecd_risk, "buyers": ours.get(land.alpha2, 0),
    }  # fmt: skip


@require_safe
@gate("read")
def country(request: HttpRequest, code: str) -> HttpResponse:
    """All that is known of one country, seen from ours or from another that was asked for."""
    book = book_of(request)
    try:
        land = country_of(code)
        own = country_of(request.GET.get("own") or own_country(book.settings))
    except CountryUnknownError:
        raise Http404 from None
    if code != land.alpha2:
        return redirect("country", land.alpha2)
    page = country_page(land.alpha2, book.on, own=own.alpha2)
    sections = [{"name": name, "title": say(f"countries.section_{name}"), "facts": facts} for name, facts in page.sections.items()]
    context = {
        "book": book, "page": page, "sections": sections, "agencies": [one for one in Agency.objects.filter(active=True) if land.alpha2 in one.countries], "land": land, "own": own, "buyers": _buyers_in(book).get(land.alpha2, 0),
        "years": [{"year": year, "days": days, "worked": days_worked(page, year), "provisional": any(one.certainty == "provisional" for one in days)} for year, days in page.days.items()],
        "choices": sorted(((one.alpha2, one.name()) for one in COUNTRIES.values()), key=lambda pair: pair[1].casefold()),
    }  # fmt: skip
    return render(request, "countries/country.html", context)
