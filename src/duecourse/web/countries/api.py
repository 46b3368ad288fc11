"""/api/v1/countries: what is known of collecting a debt in each country; what nobody looked up is null, never "no"."""

# ruff: noqa: TC002, TC003 — the annotations are read when the program runs

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Final, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Schema
from pydantic import Field

from duecourse.desk.clocks import own_country
from duecourse.desk.country_page import country_page, demand_group, listed, plain
from duecourse.errors import CountryUnknownError
from duecourse.messages import say
from duecourse.reference.countries import COUNTRIES, country
from duecourse.web.api.application import api
from duecourse.web.api.auth import needs
from duecourse.web.api.problems import Problem
from duecourse.web.api.reading import At, book_for, sent

TAGS: Final = ["Countries"]
READ: Final = needs("read")


class CountryLine(Schema):
    """One country of the list. null is not known, never "no"."""

    country: Annotated[str, Field(description="ISO 3166-1 alpha-2; XK for Kosovo", examples=["DE"])]
    alpha3: str
    name: str
    region: str
    letter_languages: Annotated[list[str], Field(description="BCP 47, the preferred one first")]
    limitation_years: int | None
    demand: Annotated[Literal["yes", "limited", "nothing", "unknown"], Field(description="What a creditor's demand does to limitation")]
    collection_complexity: int | None
    oecd_risk: str | None


class CountryList(Schema):
    """Every country that agrees with what was asked."""

    as_of: Annotated[date, Field(description="Of which day the table speaks")]
    source: str
    countries: list[CountryLine]


class CountryFact(Schema):
    """One thing that is known of a country, or not."""

    code: Annotated[str, Field(examples=["limitation_years"])]
    name: str
    value: Annotated[Any, Field(description="null is not known, never “no”")]
    text: str | None
    note: str | None
    source: str | None
    as_of: date | None
    confidence: Annotated[
        Literal["H", "M", "L"] | None, Field(description="H read in the law or an official table, M secondary source, L verify before use")
    ]


class Holiday(Schema):
    """Days that break the week."""

    first: date
    last: date
    worked: Annotated[bool, Field(description="A weekend day worked in exchange (调休)")]
    name: str
    certainty: Literal["official", "provisional"]


class CountryAnswer(Schema):
    """All that is known of one country, for a creditor of `own_country`. Not legal advice."""

    country: str
    alpha3: str
    name: str
    own_country: str
    as_of: date
    known: Annotated[int, Field(description="So many of `asked` facts are known")]
    asked: int
    sections: dict[str, list[CountryFact]]
    holidays: Annotated[list[Holiday], Field(description="Of this year and the next; empty where no calendar is known")]
    note: str


class CountriesAsked(Schema):
    """What to look for."""

    q: Annotated[str, Field(max_length=100, description="A part of the name in either language, or a code")] = ""
    region: Annotated[str, Field(max_length=50)] = ""
    demand: Literal["", "yes", "limited", "nothing", "unknown"] = ""
    eu: Literal["", "y", "n", "unknown"] = ""


class CountrySeen(At):
    """From where."""

    own: Annotated[str | None, Field(pattern=r"^[A-Za-z]{2,3}$", description="The creditor's country; without it the firm's")] = None


@api.get("/countries", auth=READ, response=CountryList, operation_id="listCountries", tags=TAGS, summary="Countries and territories")
def countries(request: HttpRequest, asked: Query[CountriesAsked]) -> HttpResponse:
    """All 219, or those that agree with what was asked, by name."""
    rows = [
        {
            "country": one.alpha2, "alpha3": one.alpha3, "name": one.name(), "region": one.region, "letter_languages": list(one.letter_languages),
            "limitation_years": one.limitation_years, "demand": demand_group(one), "collection_complexity": one.collection_complexity,
            "oecd_risk": one.oecd_risk,
        }
        for one in listed(asked.q, region=asked.region, demand=asked.demand, eu=asked.eu)
    ]  # fmt: skip
    return sent(request, {"as_of": COUNTRIES.as_of, "source": COUNTRIES.source, "countries": rows})


@api.get("/countries/{code}", auth=READ, response=CountryAnswer, operation_id="getCountry", tags=TAGS, summary="One country")
def one_country(request: HttpRequest, code: str, asked: Query[CountrySeen]) -> HttpResponse:
    """Limitation, interest, conventions, formalities between the two, procedures, risk, holidays: each with source, day and confidence."""
    book = book_for(request, asked)
    try:
        land, own = country(code), country(asked.own or own_country(book.settings))
    except CountryUnknownError as error:
        raise Problem(404, detail=error.message()) from None
    return sent(request, {**plain(country_page(land.alpha2, book.on, own=own.alpha2)), "note": say("legal.not_advice")})
