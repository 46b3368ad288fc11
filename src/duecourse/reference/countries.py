"""Countries and territories, 国家和地区: codes, names, currency, treaties that decide where a judgment or an award can be enforced, limitation, risk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from duecourse.errors import CountryUnknownError
from duecourse.messages import Language, language
from duecourse.reference.tables import Table, load

if TYPE_CHECKING:
    from collections.abc import Mapping


class Membership(StrEnum):
    """Is a country bound by a convention? None in a row means that nobody looked it up, which is not `NO`."""

    PARTY = "y"
    EXTENDED = "ext"  # a territory to which its state has extended the convention
    SIGNED = "signed"  # signed, not yet bound
    NO = "n"


@dataclass(frozen=True, slots=True)
class Country:
    """One country or territory. None is unknown, never "no".

    alpha2, alpha3              ISO 3166-1 codes (XK and XKX are user-assigned)
    currency                    ISO 4217 code of its legal tender
    letter_languages            languages for letters, the preferred one first (BCP 47)
    legal_family                civil, common, mixed-civil, mixed-common, civil (OHADA) or islamic: a coarse guide
    new_york_convention         recognition of arbitral awards, 1958; with the year of ratification or accession
    apostille                   Hague Apostille Convention; `apostille_from` may lie in the future: not yet in force then.
                                apostille_objection: at least one state objected, so that the pair has to be checked
    service_convention          Hague Service Convention, 1965
    cisg                        UN sales convention; cisg_reservations such as art95
    judgments_convention        Hague Judgments Convention, 2019; `judgments_convention_from` its entry into force
    limitation_years            general limitation of an ordinary claim for money under a contract, years; exceptions in the note
    demand_interrupts           does a creditor's letter restart limitation: y, y_once, 6m (only if suit follows in six months) ..., n, other;
                                treat None as n
    late_interest_regime        identifier of the statutory late-interest regime
    collection_complexity       Allianz Trade Collection Complexity Score 0 to 100, with its level, edition and the score before
    oecd_risk                   OECD country risk "0" to "7"; HI high income, not classified; NR not reviewed
    confidence...               H verified, M one secondary source, L verify before use; per group of columns and overall
    """

    alpha2: str
    alpha3: str
    name_en: str
    name_zh: str
    currency: str
    region: str
    letter_languages: tuple[str, ...]
    legal_family: str | None
    new_york_convention: Membership | None
    new_york_convention_year: int | None
    apostille: Membership | None
    apostille_from: date | None
    apostille_objection: bool | None
    service_convention: Membership | None
    cisg: Membership | None
    cisg_reservations: tuple[str, ...] | None
    judgments_convention: Membership | None
    judgments_convention_from: date | None
    eu_member: bool | None
    limitation_years: int | None
    limitation_note: str | None
    demand_interrupts: str | None
    late_interest_regime: str | None
    collection_complexity: int | None
    collection_complexity_level: str | None
    collection_complexity_edition: int | None
    collection_complexity_previous: int | None
    oecd_risk: str | None
    notes: str | None
    confidence_conventions: str | None
    confidence_limitation: str | None
    confidence_demand: str | None
    confidence_complexity: str | None
    confidence: str | None

    def name(self, lang: Language | None = None) -> str:
        """Its name in the language spoken."""
        return self.name_zh if (lang or language()) == "zh" else self.name_en


def _whole(text: str) -> int | None:
    return int(text) if text else None


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def _flag(text: str) -> bool | None:
    return {"y": True, "n": False, "": None}[text]


def _membership(text: str) -> Membership | None:
    return Membership(text) if text else None


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split(";") if part)


def _country(record: Mapping[str, str]) -> Country:
    judgments = record["hague_judgments_2019"]
    in_force = judgments[:1].isdigit()
    return Country(
        alpha2=record["iso2"],
        alpha3=record["iso3"],
        name_en=record["name_en"],
        name_zh=record["name_zh"],
        currency=record["currency"],
        region=record["region"],
        letter_languages=_parts(record["letter_languages"]),
        legal_family=record["legal_family"] or None,
        new_york_convention=_membership(record["nyc_party"]),
        new_york_convention_year=_whole(record["nyc_year"]),
        apostille=_membership(record["apostille_party"]),
        apostille_from=_day(record["apostille_in_force_from"]),
        apostille_objection=_flag(record["apostille_objection"]),
        service_convention=_membership(record["hague_service_party"]),
        cisg=_membership(record["cisg_party"]),
        cisg_reservations=_parts(record["cisg_reservation"]) or None,
        judgments_convention=Membership.PARTY if in_force else _membership(judgments),
        judgments_convention_from=_day(judgments) if in_force else None,
        eu_member=_flag(record["eu_member"]),
        limitation_years=_whole(record["limitation_years"]),
        limitation_note=record["limitation_note"] or None,
        demand_interrupts=record["demand_interrupts"] or None,
        late_interest_regime=record["late_interest_regime"] or None,
        collection_complexity=_whole(record["cc_score"]),
        collection_complexity_level=record["cc_level"] or None,
        collection_complexity_edition=_whole(record["cc_edition"]),
        collection_complexity_previous=_whole(record["cc_score_prev"]),
        oecd_risk=record["oecd_crc_2026"] or None,
        notes=record["notes"] or None,
        confidence_conventions=record["conf_conventions"] or None,
        confidence_limitation=record["conf_limitation"] or None,
        confidence_demand=record["conf_demand"] or None,
        confidence_complexity=record["conf_cc"] or None,
        confidence=record["confidence"] or None,
    )


COUNTRIES: Final[Table[Country]] = load("countries", "iso2", _country)
"""Every country by its alpha-2 code."""

_BY_ALPHA3: Final = {country.alpha3: country for country in COUNTRIES.values()}


def country(code: str) -> Country:
    """Which country has this ISO 3166 code, of two letters or three? Small letters are understood.

    Raises CountryUnknownError.

    >>> country("CHN").alpha2
    'CN'
    """
    wanted = code.strip().upper()
    found = COUNTRIES.get(wanted) or _BY_ALPHA3.get(wanted)
    if found is None:
        raise CountryUnknownError(code=code)
    return found
