"""The law of limitation of each country, 诉讼时效: how long, from when, and what makes the period begin anew or stops it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal

from duecourse.reference.countries import country

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

Effect = Literal["restart", "proven", "stop", "pause", "no"]

ACTS: Final = (
    "acknowledgement", "promise", "part_payment", "suit", "arbitration", "payment_order", "bankruptcy_claim", "enforcement", "preservation",
    "mediation_request", "assignment_notice",
)  # fmt: skip
"""What may bear on a period beside a demand."""

SURE: Final = ("L", "M", "H")
"""How sure a statement is, least first."""


@dataclass(frozen=True, slots=True)
class LimitationLaw:
    """One country's law. None is unknown, never "none".

    years                       of an ordinary claim for money under a contract
    subject_years               where a sale of goods, a service or works has a shorter period of its own
    shortest_years              where two periods are possible and nothing tells which: the shorter
    unwritten_years             of a contract that is not in writing, where that is shorter
    international_goods_years   of an international sale of goods, where the law has a longer one
    long_stop_years             the period ends so many years after the debt fell due whatever happened
    year_end                    "start": it begins with the end of the year; "end": it ends with the end of a year; None: neither
    demand                      what a creditor's letter does: y, y_once, 6m, 6m_once, suspends_6m_once, lawyer_letter_1y, n, other; None: not known
    effects                     what each of ACTS does
    joint_debtors               what interrupts against one joint debtor acts on all
    once                        only the first interruption counts
    revived_by                  what revives the claim after the end
    last_instalment             a debt payable by instalments runs from the last of them
    last_day_moves              an end on a holiday moves to the next working day
    own                         was the country looked up, or is it judged by the general rule?
    """

    country: str
    years: int | None
    subject_years: Mapping[str, int]
    shortest_years: int | None
    unwritten_years: int | None
    international_goods_years: int | None
    long_stop_years: int | None
    year_end: str | None
    demand: str | None
    effects: Mapping[str, Effect]
    joint_debtors: bool
    once: bool
    revived_by: frozenset[str]
    last_instalment: bool
    last_day_moves: bool
    own: bool
    source: str
    note: str | None
    confidence: str

    def period(self, subject: str | None = None, *, international: bool = False, written: bool = False) -> int | None:
        """How many years has a creditor for this kind of contract? None: not known. Where the kind is not known, the shortest of what it may be.

        written: is a written contract recorded?
        """
        if self.years is None:
            return None
        if international and subject == "goods" and self.international_goods_years:
            return self.international_goods_years
        own = self.subject_years.get(subject, self.years) if subject else min([self.years, *self.subject_years.values()])
        return min(own, self.shortest_years or own, own if written else self.unwritten_years or own)


@cache
def _read() -> dict[str, Any]:
    text = resources.files(__package__).joinpath("data", "limitation.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def source_of_limitation() -> tuple[str, date]:
    """Who says so, and as of which day."""
    found = _read()
    return str(found["source"]), found["as_of"]


def least_sure(*levels: str | None) -> str:
    """The lowest of some levels of confidence (H, M, L); what was not rated counts as M.

    >>> least_sure("H", None, "H")
    'M'
    """
    return min((level or "M" for level in levels), key=SURE.index, default="M")


@cache
def limitation_law(code: str) -> LimitationLaw:
    """The law of limitation of a country.  诉讼时效规则

    Raises CountryUnknownError.

    >>> limitation_law("GB").effects["acknowledgement"], limitation_law("CN").demand
    ('restart', 'y')
    """
    land = country(code)
    read = _read()
    rules = [rule for rule in read["rule"] if land.alpha2 in rule["countries"]]
    merged: dict[str, Any] = dict(read["default"])
    for rule in rules:
        merged.update({name: value for name, value in rule.items() if name != "countries"})
    return LimitationLaw(
        country=land.alpha2,
        years=land.limitation_years,
        subject_years=MappingProxyType(dict(merged.get("subject_years", {}))),
        shortest_years=merged.get("shortest_years"),
        unwritten_years=merged.get("unwritten_years"),
        international_goods_years=merged.get("international_goods_years"),
        long_stop_years=merged.get("long_stop_years"),
        year_end=merged.get("year_end"),
        demand=land.demand_interrupts,
        effects=MappingProxyType({act: merged[act] for act in ACTS}),
        joint_debtors=merged["joint_debtors"],
        once=merged["once"],
        revived_by=frozenset(merged["revived_by"]),
        last_instalment=merged.get("last_instalment", False),
        last_day_moves=merged["last_day_moves"],
        own=bool(rules),
        source=merged["source"],
        note=land.limitation_note,
        confidence=least_sure(land.confidence_limitation, land.confidence_demand, merged["confidence"]),
    )
