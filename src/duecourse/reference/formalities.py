"""Between two countries, 两国之间: whether a document needs an apostille or legalisation, how papers are served, which awards and judgments are enforced."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from duecourse.reference.countries import Membership, country

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
    """

    topic: str
    answer: str | None
    args: Mapping[str, Any]
    confidence: str


def formalities(own: str, other: str, on: date) -> tuple[Formality, ...]:
    """What a creditor of one country has to observe in another, on a day.  涉外手续

    Read from the conventions' status tables in `countries.csv`; bilateral treaties are not in it, so that what the conventions leave open is
    not known. Raises CountryUnknownError.

    >>> from datetime import date
    >>> [(one.topic, one.answer) for one in formalities("CN", "DE", date(2026, 1, 1))][0]
    ('documents', 'apostille_check')
    """
    ours, theirs = country(own), country(other)
    if ours.alpha2 == theirs.alpha2:
        return ()
    sure = theirs.confidence_conventions or "M"
    pair = (ours, theirs, on)
    china = {ours.alpha2, theirs.alpha2} <= CHINA
    found = [
        Formality("documents", *(("arrangement", {}) if china else _documents(*pair)), sure),
        Formality("translation", *_translation(ours, theirs), "M"),
        Formality("service", *(("arrangement", {}) if china else _both(ours, theirs, "service_convention", "service")), sure),
        Formality("awards", *(("arrangement", {}) if china else _both(ours, theirs, "new_york_convention", "award")), sure),
        Formality("judgments", *(("arrangement", {}) if china else _judgments(*pair)), sure),
        Formality("sale", *(("arrangement", {}) if china and "HK" not in (ours.alpha2, theirs.alpha2) else _sale(ours, theirs)), sure),
    ]
    return tuple(found)


Answer = tuple[str | None, dict[str, Any]]


def _documents(ours: Country, theirs: Country, on: date) -> Answer:
    if ours.apostille is None or theirs.apostille is None:
        return None, {}
    if ours.apostille not in BOUND or theirs.apostille not in BOUND:
        return "legalisation", {}
    later = [one.apostille_from for one in (ours, theirs) if one.apostille_from and one.apostille_from > on]
    if later:
        return "apostille_later", {"day": max(later).isoformat()}
    if ours.apostille_objection or theirs.apostille_objection:
        return "apostille_check", {}
    return "apostille", {}


def _translation(ours: Country, theirs: Country) -> Answer:
    if not theirs.letter_languages or not ours.letter_languages:
        return None, {}
    shared = next((one for one in theirs.letter_languages if one in ours.letter_languages), None)
    return ("not_needed", {"language": shared}) if shared else ("needed", {"language": theirs.letter_languages[0]})


def _both(ours: Country, theirs: Country, convention: str, code: str) -> Answer:
    if code == "service" and ours.eu_member and theirs.eu_member:
        return "service_eu", {}
    pair = (getattr(ours, convention), getattr(theirs, convention))
    if None in pair:
        return None, {}
    return (f"{code}_convention" if all(one in BOUND for one in pair) else f"{code}_none"), {}


def _judgments(ours: Country, theirs: Country, on: date) -> Answer:
    if ours.eu_member and theirs.eu_member:
        return "judgment_eu", {}
    days = [one.judgments_convention_from for one in (ours, theirs)]
    if all(days):
        start = max(day for day in days if day)
        return ("judgment_hague" if start <= on else "judgment_later"), {"day": start.isoformat()}
    return None, {}


def _sale(ours: Country, theirs: Country) -> Answer:
    if ours.cisg is None or theirs.cisg is None:
        return None, {}
    both = ours.cisg in BOUND and theirs.cisg in BOUND
    if both:
        return ("cisg_reserved" if ours.cisg_reservations or theirs.cisg_reservations else "cisg"), {}
    return ("cisg_one" if ours.cisg in BOUND or theirs.cisg in BOUND else "cisg_none"), {}
