"""Procedures to collect a debt by country, 追收程序: orders for payment, preservation, insolvency windows, time to enforce."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from duecourse.calendar import add_months
from duecourse.messages import Language, language
from duecourse.reference.countries import country

if TYPE_CHECKING:
    from datetime import date

UNION = "EU"
"""Procedures of the European Union, which stand beside each member's own."""


@dataclass(frozen=True, slots=True)
class Procedure:
    """One way to have a debt paid or kept safe in a country; `country` is EU for those of the Union."""

    country: str
    code: str
    names: dict[str, str]
    texts: dict[str, str]
    source: str
    confidence: str

    def name(self, lang: Language | None = None) -> str:
        """What it is called, in the language spoken."""
        return self.names[lang or language()]

    def text(self, lang: Language | None = None) -> str:
        """How it goes, in the language spoken."""
        return self.texts[lang or language()]


@dataclass(frozen=True, slots=True)
class InsolvencyWindow:
    """How long creditors have to lodge their claims. Neither days nor months: the court or the notice sets the day."""

    country: str
    days: int | None
    months: int | None
    abroad_months: int
    texts: dict[str, str]
    source: str
    confidence: str

    def text(self, lang: Language | None = None) -> str:
        """The window in words."""
        return self.texts[lang or language()]

    def ends(self, notice: date, *, abroad: bool = False) -> date | None:
        """The last day of the shortest window after a notice; None where the day is set by the court.

        abroad: the creditor is of another country, where that gives longer
        """
        if self.months is not None:
            return add_months(notice, self.months + (self.abroad_months if abroad else 0))
        return None if self.days is None else notice + timedelta(days=self.days)


@dataclass(frozen=True, slots=True)
class EnforcementPeriod:
    """How many years a judgment can be enforced."""

    years: int
    source: str
    confidence: str


@cache
def _read() -> dict[str, Any]:
    return tomllib.loads(resources.files(__package__).joinpath("data", "procedures.toml").read_text(encoding="utf-8"))


def source_of_procedures() -> tuple[str, date]:
    """Who says so, and as of which day."""
    found = _read()
    return str(found["source"]), found["as_of"]


@cache
def procedures_of(code: str) -> tuple[Procedure, ...]:
    """The procedures known of a country, the Union's after its own; empty where nobody looked them up. Raises CountryUnknownError."""
    land = country(code)
    wanted = [land.alpha2, *([UNION] if land.eu_member else [])]
    found = [
        Procedure(one["country"], one["code"], one["name"], {"en": one["en"], "zh": one["zh"]}, one["source"], one["confidence"])
        for one in _read()["procedure"]
        if one["country"] in wanted
    ]
    return tuple(sorted(found, key=lambda one: wanted.index(one.country)))


@cache
def insolvency_window(code: str) -> InsolvencyWindow | None:
    """The window for claims in an insolvency; None where nobody looked it up. Raises CountryUnknownError."""
    land = country(code).alpha2
    one = _read()["insolvency"].get(land)
    if one is None:
        return None
    texts = {"en": one["en"], "zh": one["zh"]}
    return InsolvencyWindow(land, one.get("days"), one.get("months"), one.get("abroad_months", 0), texts, one["source"], one["confidence"])


def enforcement_period(code: str) -> EnforcementPeriod | None:
    """How long a judgment can be enforced in a country; None where nobody looked it up. Raises CountryUnknownError."""
    one = _read()["enforcement"].get(country(code).alpha2)
    return None if one is None else EnforcementPeriod(one["years"], one["source"], one["confidence"])
