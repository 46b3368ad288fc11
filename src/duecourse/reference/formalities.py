"""Between two countries, 两国之间: whether a document needs an apostille or legalisation, how papers are served, which awards and judgments are enforced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from duecourse.reference.countries import Membership, country
from duecourse.reference.enforcement import HAGUE, award_in, judgment_in, legalisation

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from duecourse.reference.countries import Country

CHINA: Final = frozenset({"CN", "HK", "MO", "TW"})
"""Between these, separate arrangements hold instead of the conventions."""

BOUND: Final = (Membership.PARTY, Membership.EXTENDED)


@dataclass(frozen=True, slots=True)
class Formality:
    """One question about a pair of countries.

    topic       documents, translation, service, awards, judgments, sale
    answer      what holds, as the end of a sentence's code; None: not known, which is not "no"
    args        what the sentence names
    confidence  H, M or L
    source      the law or treaty, where it is one; empty: the status tables of `countries.csv`
    """

    topic: str
    answer: str | None
    args: Mapping[str, Any]
    confidence: str
    source: str = ""


def formalities(own: str, other: str, on: date) -> tuple[Formality, ...]:
    """What a creditor of one country has to observe in another, on a day.  涉外手续

    Read from the conventions' status tables in `countries.csv` and the treaties on judgments of `enforcement`; a pair that is in neither is
    not known. Raises CountryUnknownError.

    >>> from datetime import date
    >>> [(one.topic, one.answer) for one in formalities("CN", "DE", date(2026, 1, 1))][0]
    ('documents', 'apostille_check')
    """
    ours, theirs = country(own), country(other)
    if ours.alpha2 == theirs.alpha2:
        return ()
    sure = theirs.confidence_conventions or "M"
    china = {ours.alpha2, theirs.alpha2} <= CHINA
    documents = ("arrangement", {}) if china else _documents(ours, theirs, on)
    service = ("arrangement", {}) if china else _service(ours, theirs)
    sale = ("arrangement", {}) if china and "HK" not in (ours.alpha2, theirs.alpha2) else _sale(ours, theirs)
    return (
        Formality("documents", *documents, sure),
        Formality("translation", *_translation(ours, theirs), "M"),
        Formality("service", *service, sure),
        _awards(ours, theirs),
        _judgments(ours, theirs, on),
        Formality("sale", *sale, sure),
    )


Answer = tuple[str | None, dict[str, Any]]

LEGALISED: Final = {"apostille": "apostille", "check_objection": "apostille_check", "consular": "legalisation"}


def _documents(ours: Country, theirs: Country, on: date) -> Answer:
    answer = LEGALISED.get(legalisation(ours.alpha2, theirs.alpha2, on))
    later = [one.apostille_from for one in (ours, theirs) if one.apostille_from and one.apostille_from > on]
    if answer == "legalisation" and later and all(one.apostille in BOUND for one in (ours, theirs)):
        return "apostille_later", {"day": max(later).isoformat()}
    return answer, {}


def _awards(ours: Country, theirs: Country) -> Formality:
    found = award_in(ours.alpha2, theirs.alpha2)
    answer = {"arrangement": "arrangement", "treaty": "award_convention", "none": "award_none"}.get(found.way)
    return Formality("awards", answer, {}, found.confidence, found.law)


def _judgments(ours: Country, theirs: Country, on: date) -> Formality:
    found = judgment_in(ours.alpha2, theirs.alpha2, on)
    days = [one.judgments_convention_from for one in (ours, theirs)]
    args = {"day": max(day for day in days if day).isoformat()} if all(days) else {}
    if found.way == "unknown" and args:
        return Formality("judgments", "judgment_later", args, "M", HAGUE)
    answer = None if found.way == "unknown" else {"eu": "judgment_eu", "hague_2019": "judgment_hague"}.get(found.way, found.way)
    return Formality("judgments", answer, args, found.confidence, found.law)


def _translation(ours: Country, theirs: Country) -> Answer:
    if not theirs.letter_languages or not ours.letter_languages:
        return None, {}
    shared = next((one for one in theirs.letter_languages if one in ours.letter_languages), None)
    return ("not_needed", {"language": shared}) if shared else ("needed", {"language": theirs.letter_languages[0]})


def _service(ours: Country, theirs: Country) -> Answer:
    if ours.eu_member and theirs.eu_member:
        return "service_eu", {}
    pair = (ours.service_convention, theirs.service_convention)
    if None in pair:
        return None, {}
    return "service_convention" if all(one in BOUND for one in pair) else "service_none", {}


def _sale(ours: Country, theirs: Country) -> Answer:
    if ours.cisg is None or theirs.cisg is None:
        return None, {}
    both = ours.cisg in BOUND and theirs.cisg in BOUND
    if both:
        return ("cisg_reserved" if ours.cisg_reservations or theirs.cisg_reservations else "cisg"), {}
    return ("cisg_one" if ours.cisg in BOUND or theirs.cisg in BOUND else "cisg_none"), {}
