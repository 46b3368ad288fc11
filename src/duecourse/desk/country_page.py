"""All that is known of collecting a debt in one country, each with its source, its day and how sure it is; what nobody looked up is blank.  国别信息"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from duecourse.cover.deadlines.clock import act
from duecourse.desk.calendars import special_days, working_days_in
from duecourse.errors import CountryUnknownError
from duecourse.messages import language, say
from duecourse.reference import interest_regimes
from duecourse.reference.countries import COUNTRIES, Membership, country
from duecourse.reference.enforcement import DOING_BUSINESS, NAMED
from duecourse.reference.formalities import formalities
from duecourse.reference.interest_regimes import REGIMES, REGIMES_OF, Regime, worded
from duecourse.reference.languages import TONGUES
from duecourse.reference.limitation import ACTS, limitation_law, source_of_limitation
from duecourse.reference.notes import spoken
from duecourse.reference.procedures import enforcement_period, insolvency_window, procedures_of, source_of_procedures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duecourse.desk.calendars import SpecialDays
    from duecourse.reference.countries import Country

COMPLEXITY_SOURCE: Final = "Allianz Trade, Collection Complexity Score"
OECD_SOURCE: Final = "OECD, Country Risk Classification"
OECD_AS_OF: Final = date(2026, 1, 30)
SOURCE_DAYS: Final = {
    "new_york": date(2023, 1, 31), "apostille": date(2026, 6, 30), "service": date(2024, 12, 31), "judgments_2019": date(2025, 12, 31),
}  # fmt: skip
"""Until when the status tables were read, where that is not the day of the whole table."""


@dataclass(frozen=True)
class Fact:
    """One line of the page.

    code        what is asked; its name stands in the catalogue as `countries.fact_CODE`
    value       the answer in plain values for a machine; None: not known, never "no"
    text        the answer in words, in the language spoken; empty where it is not known
    note        what to watch about it
    source, as_of, confidence   who says so, of which day, H, M or L; empty where nobody looked it up
    """

    code: str
    value: Any
    text: str = ""
    note: str = ""
    source: str = ""
    as_of: date | None = None
    confidence: str | None = None
    title: str = ""

    @property
    def name(self) -> str:
        """What is asked, in the language spoken."""
        return self.title or say(f"countries.fact_{self.code}")


@dataclass(frozen=True)
class CountryPage:
    """One country's page: sections of facts in order, and the days of two years that break the week."""

    country: Country
    own: Country
    on: date
    sections: dict[str, Sequence[Fact]]
    days: dict[int, Sequence[SpecialDays]] = field(default_factory=dict)

    @property
    def known(self) -> int:
        """How many of the facts are known."""
        return sum(fact.value is not None for facts in self.sections.values() for fact in facts)

    @property
    def asked(self) -> int:
        """How many there could be."""
        return sum(len(facts) for facts in self.sections.values())


def country_page(code: str, on: date, *, own: str = "CN") -> CountryPage:
    """What is to be known of a country, as of a day, for a creditor of `own`.  国别信息

    Raises CountryUnknownError.
    """
    land, home = country(code), country(own)
    sections: dict[str, Sequence[Fact]] = {
        "letters": _letters(land),
        "limitation": _limitation(land),
        "interest": _interest(land),
        "treaties": _treaties(land, on),
        "formalities": _between(home, land, on),
        "procedures": _procedures(land),
        "risk": _risk(land),
        "courts": _courts(land),
    }
    days: dict[int, Sequence[SpecialDays]] = {}
    for year in (on.year, on.year + 1):
        try:
            days[year] = _special(land.alpha2, year, language())
        except CountryUnknownError:
            break
    return CountryPage(land, home, on, {name: facts for name, facts in sections.items() if facts}, days)


@lru_cache(64)
def _special(code: str, year: int, _spoken: str) -> Sequence[SpecialDays]:
    return special_days(code, year)


def _of(code: str, value: Any, text: str = "", *, confidence: str | None, note: str = "", source: str = "") -> Fact:
    """A fact of countries.csv, with the source of its column and the day of that."""
    if value in (None, (), [], ""):
        return Fact(code, None, note=note)
    said = source or say(f"countries.source_{code}")
    return Fact(code, value, text or str(value), note, said, SOURCE_DAYS.get(code, COUNTRIES.as_of), confidence or "M")


def tongues(land: Country) -> str:
    """The languages of its letters, in the language spoken."""
    between = "、" if language() == "zh" else ", "
    return between.join(TONGUES[one].name() if one in TONGUES else one for one in land.letter_languages)


def _letters(land: Country) -> list[Fact]:
    return [
        _of("letter_languages", list(land.letter_languages), tongues(land), confidence=land.confidence),
        _of("currency", land.currency, confidence="H"),
        _of(
            "legal_family",
            land.legal_family,
            say(f"countries.family_{_key(land.legal_family)}") if land.legal_family else "",
            confidence="M",
        ),
        *([_of("notes", land.notes, spoken(land.notes), confidence=land.confidence)] if land.notes else []),
    ]


def _key(text: str | None) -> str:
    return "".join(one if one.isalpha() else "_" for one in text or "").strip("_").lower()


def _limitation(land: Country) -> list[Fact]:
    law = limitation_law(land.alpha2)
    as_of = source_of_limitation()[1]
    sure = land.confidence_limitation
    years = say("countries.years", years=law.years) if law.years else ""
    demand = law.demand or None
    found = [
        _of("limitation_years", law.years, years, confidence=sure, note=spoken(law.note), source=law.source if law.own else ""),
        _of(
            "demand_interrupts", demand, say(f"countries.demand_{demand}") if demand else "", confidence=land.confidence_demand,
            note="" if demand else say("clocks.warn_demand_unknown", country=land.name()),
        ),
    ]  # fmt: skip
    for subject, count in law.subject_years.items():
        text = say("countries.years", years=count)
        found.append(Fact(f"limitation_{subject}", count, text, "", law.source, as_of, law.confidence))
    if law.international_goods_years:
        text = say("countries.years", years=law.international_goods_years)
        found.append(Fact("limitation_international_goods", law.international_goods_years, text, "", law.source, as_of, law.confidence))
    for code, shorter in (("limitation_shortest", law.shortest_years), ("limitation_unwritten", law.unwritten_years)):
        if shorter:
            found.append(Fact(code, shorter, say("countries.years", years=shorter), "", law.source, as_of, law.confidence))
    if law.long_stop_years:
        text = say("countries.years", years=law.long_stop_years)
        found.append(Fact("limitation_long_stop", law.long_stop_years, text, "", law.source, as_of, law.confidence))
    if law.year_end:
        found.append(
            Fact("limitation_year_end", law.year_end, say(f"countries.year_end_{law.year_end}"), "", law.source, as_of, law.confidence)
        )
    if not law.own:
        return [*found, Fact("acts", None)]
    between = "、" if language() == "zh" else ", "
    for effect in ("restart", "proven", "stop", "pause", "no"):
        kinds = [kind for kind in ACTS if law.effects[kind] == effect]
        if kinds:
            title, text = say(f"countries.effect_{effect}"), between.join(act(kind).words() for kind in kinds)
            found.append(Fact(f"acts_{effect}", kinds, text, "", law.source, as_of, law.confidence, title))
    return found


def rate_words(regime: Regime) -> str:
    """What a regime gives, in a few words."""

    def share(value: Any) -> str:
        return f"{value * 100:f}".rstrip("0").rstrip(".") if value is not None else ""

    words: dict[str, Any] = {
        "series": regime.series, "margin": share(regime.margin), "multiplier": f"{regime.multiplier:f}".rstrip("0").rstrip("."),
        "rate": share(regime.rate if regime.rate is not None else regime.steps[-1][1] if regime.steps else None),
    }  # fmt: skip
    return say(f"countries.rate_{regime.kind}", **words)


def _interest(land: Country) -> list[Fact]:
    regimes = list(REGIMES_OF.get(land.alpha2, ()))
    named = REGIMES.get(land.late_interest_regime or "")
    if named is not None and named not in regimes:
        regimes.insert(0, named)
    if not regimes:
        return [Fact("interest", None)]
    return [
        Fact(
            f"interest_{one.id}", one.id, rate_words(one), " ".join(filter(None, (worded(one.applies_to), worded(one.max_payment_term)))),
            "; ".join(one.sources), interest_regimes.AS_OF, one.confidence, one.name(),
        )
        for one in sorted(regimes, key=lambda one: one.id != land.late_interest_regime)
    ]  # fmt: skip


def _member(value: Membership | None) -> str:
    return "" if value is None else say(f"countries.member_{value.value}")


def _treaties(land: Country, on: date) -> list[Fact]:
    sure = land.confidence_conventions
    year = land.new_york_convention_year
    day = land.apostille_from
    apostille = _member(land.apostille)
    if land.apostille is not None and day is not None:
        apostille += say("countries.from_later" if day > on else "countries.from_day", day=day)
    judged = land.judgments_convention_from
    hague = _member(land.judgments_convention)
    if judged is not None:
        hague += say("countries.from_later" if judged > on else "countries.from_day", day=judged)
    reserved = say("countries.reserved", which=", ".join(land.cisg_reservations)) if land.cisg_reservations else ""
    member = None if land.eu_member is None else say("countries.eu_y" if land.eu_member else "countries.eu_n")
    return [
        _of("new_york", land.new_york_convention, _member(land.new_york_convention) + (say("countries.since", since=year) if year else ""), confidence=sure),
        _of(
            "apostille", land.apostille, apostille, confidence=sure,
            note=say("countries.objection") if land.apostille_objection else "",
        ),
        _of("service", land.service_convention, _member(land.service_convention), confidence=sure),
        _of("judgments_2019", land.judgments_convention, hague, confidence=sure),
        _of("cisg", land.cisg, _member(land.cisg), confidence=sure, note=reserved),
        _of("eu", land.eu_member, member or "", confidence="H"),
    ]  # fmt: skip


def _between(home: Country, land: Country, on: date) -> list[Fact]:
    found = []
    for one in formalities(home.alpha2, land.alpha2, on):
        args = dict(one.args)
        if "language" in args:
            args["language"] = TONGUES[args["language"]].name() if args["language"] in TONGUES else args["language"]
        text = say(f"countries.{one.topic}_{one.answer}", own=home.name(), other=land.name(), **args) if one.answer else ""
        law = say(f"countries.law_{NAMED[one.source]}") if one.source in NAMED else one.source
        source = (law or say("countries.source_between"), COUNTRIES.as_of, one.confidence) if one.answer else ("", None, None)
        found.append(Fact(f"between_{one.topic}", one.answer, text, "", *source))
    return found


def _procedures(land: Country) -> list[Fact]:
    as_of = source_of_procedures()[1]
    found = [
        Fact(f"procedure_{one.code}", one.code, one.text(), "", one.source, as_of, one.confidence, one.name())
        for one in procedures_of(land.alpha2)
    ]
    window, period = insolvency_window(land.alpha2), enforcement_period(land.alpha2)
    found.append(
        Fact("insolvency_window", window.text("en"), window.text(), "", window.source, as_of, window.confidence)
        if window
        else Fact("insolvency_window", None)
    )
    text = say("countries.years", years=period.years) if period else ""
    found.append(
        Fact("enforcement_period", period.years, text, "", period.source, as_of, period.confidence)
        if period
        else Fact("enforcement_period", None)
    )
    return found if len(found) > 2 else [Fact("procedures", None), *found]


def _risk(land: Country) -> list[Fact]:
    score, edition = land.collection_complexity, land.collection_complexity_edition
    text = ""
    level = land.collection_complexity_level
    if score is not None or level is not None:
        named = say(f"countries.level_{_key(level)}") if level else ""
        text = f"{score} / 100 · {named}" if score is not None else named
    before = land.collection_complexity_previous
    note = say("countries.complexity_before", score=before) if before is not None else ""
    complexity = Fact(
        "complexity", score if score is not None else level, text, note, COMPLEXITY_SOURCE if text else "", date(edition, 1, 1) if text and edition else None,
        (land.confidence_complexity or "M") if text else None,
    )  # fmt: skip
    risk = land.oecd_risk
    words = say(f"countries.oecd_{risk}") if risk in ("HI", "NR") else say("countries.oecd_class", risk=risk) if risk else ""
    oecd = Fact("oecd_risk", risk, words, "", OECD_SOURCE if risk else "", OECD_AS_OF if risk else None, "M" if risk else None)
    return [complexity, oecd]


def _courts(land: Country) -> list[Fact]:
    prior = DOING_BUSINESS.get(land.alpha2)
    if prior is None:
        return [Fact("courts", None)]
    rows = (
        ("court_days", prior.contract_days, say("countries.days", days=prior.contract_days)),
        ("court_cost", prior.contract_cost, _percent(prior.contract_cost)),
        ("insolvency_years", prior.insolvency_years, say("countries.years", years=prior.insolvency_years)),
        ("insolvency_cost", prior.insolvency_cost, _percent(prior.insolvency_cost)),
        ("recovery_secured", prior.secured_recovery, _percent(prior.secured_recovery)),
    )
    return [
        Fact(code, value, text, "", "World Bank, Doing Business 2020", DOING_BUSINESS.as_of, prior.confidence)
        if value is not None
        else Fact(code, None)
        for code, value, text in rows
    ]


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share * 100:.1f}%".replace(".0%", "%")


def days_worked(page: CountryPage, year: int) -> int:
    """How many days of a year are worked there."""
    return working_days_in(page.country.alpha2, year)


# --- the list -----------------------------------------------------------------------------------------------------------------------------

FILTERS: Final = ("region", "legal_family", "demand", "new_york", "eu")


def listed(words: str = "", **chosen: str) -> list[Country]:
    """The countries whose name (in either language) or code holds the words and that agree with the filters, by name in the language spoken.

    region, legal_family as countries.csv writes them; demand: yes, limited, nothing, unknown; new_york, eu: y, n or unknown
    """
    wanted = words.strip().casefold()
    found = [
        land
        for land in COUNTRIES.values()
        if (not wanted or any(wanted in text.casefold() for text in (land.name_en, land.name_zh, land.alpha2, land.alpha3)))
        and all(not value or _has(land, name, value) for name, value in chosen.items())
    ]
    return sorted(found, key=lambda land: land.name().casefold())


def demand_group(land: Country) -> str:
    """What a demand does there, in four groups: yes, limited, nothing, unknown."""
    rule = land.demand_interrupts
    return "unknown" if rule in (None, "other") else "yes" if rule == "y" else "nothing" if rule == "n" else "limited"


def _has(land: Country, name: str, value: str) -> bool:
    if name == "demand":
        return demand_group(land) == value
    if name == "new_york":
        held = land.new_york_convention
        return value == ("unknown" if held is None else "y" if held in (Membership.PARTY, Membership.EXTENDED) else "n")
    if name == "eu":
        return value == ("unknown" if land.eu_member is None else "y" if land.eu_member else "n")
    return str(getattr(land, name)) == value


def plain(page: CountryPage) -> dict[str, Any]:
    """A page in plain values, for JSON. None is not known, never "no"."""
    return {
        "country": page.country.alpha2, "alpha3": page.country.alpha3, "name": page.country.name(), "own_country": page.own.alpha2,
        "as_of": page.on.isoformat(), "known": page.known, "asked": page.asked,
        "sections": {
            name: [
                {
                    "code": one.code, "name": one.name, "value": one.value, "text": one.text or None, "note": one.note or None,
                    "source": one.source or None, "as_of": one.as_of.isoformat() if one.as_of else None, "confidence": one.confidence,
                }
                for one in facts
            ]
            for name, facts in page.sections.items()
        },
        "holidays": [
            {"first": one.first.isoformat(), "last": one.last.isoformat(), "worked": one.worked, "name": one.name, "certainty": one.certainty}
            for days in page.days.values()
            for one in days
        ],
    }  # fmt: skip


__all__ = ["CountryPage", "Fact", "country_page", "demand_group", "listed", "plain", "rate_words"]
