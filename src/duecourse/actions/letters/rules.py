"""What the law of a country asks of a letter.  各国对催款函的要求

Read from the table of countries and the practice directions named below; where nothing is known, nothing is said in the letter and the reader of the
queue is told. Never legal advice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from duecourse.errors import CountryUnknownError
from duecourse.reference.countries import country

if TYPE_CHECKING:
    from duecourse.actions.letters.facts import Contract

DAYS: Final = {
    "reminder": 7,
    "demand_letter": 10,
    "letter_before_action": 14,
    "acknowledgement_of_debt": 10,
    "guarantor_demand": 10,
    "payment_plan": 10,
}
"""Days to pay or answer, by kind."""
COUNTRY_DAYS: Final = {
    # Practice Direction Pre-Action Conduct, paragraph 6(b): 14 days in a straightforward case
    ("GB", "demand_letter"): 14, ("GB", "letter_before_action"): 14, ("IE", "letter_before_action"): 14,
    # 民法典 leaves it at a reasonable period; the practice of the courts is seven to ten days
    ("CN", "letter_before_action"): 10,
}  # fmt: skip
INTERRUPTING: Final = {"y": "restarts", "y_once": "restarts", "6m": "postpones", "6m_once": "postpones", "suspends_6m_once": "postpones"}
INSTALMENT_LAW: Final = "CN"
"""民法典第634条: at a fifth of the price due and unpaid, after a demand and a reasonable period."""
NAMES: Final = {"zh": "zh", "zh-Hans": "zh", "zh-Hant": "zh", "en": "en", "de": "de", "fr": "fr", "es": "es", "it": "it", "ja": "ja"}
SETTLED_BY_LAW: Final = frozenset(("CN", "DE", "AT", "FR", "ES", "IT", "JP", "BE", "NL", "PL", "PT"))
"""Countries whose code says in which order a payment settles costs, interest and principal. 民法典561, BGB 367, C. civ. 1343-1, CC 1173, c.c. 1194, 民法489."""


def deadline_days(kind: str, code: str, contract: Contract | None = None) -> int:
    """How many days does the debtor get?  付款期限

    14 in England and Wales before action, 10 in China, a period of the contract where that is longer. `code` is the debtor's country.
    """
    days = COUNTRY_DAYS.get((code, kind), DAYS[kind])
    return max(days, contract.cure_days) if contract is not None and kind != "reminder" else days


def interrupting(law: str) -> str:
    """What a demand does to limitation by this law: restarts, postpones (for six months, where suit follows), "" = nothing, or nobody knows.

    law: alpha-2 of the law the claim is under; "" = not known. Source: countries.csv, demand_interrupts.
    """
    try:
        return INTERRUPTING.get(country(law).demand_interrupts or "", "") if law else ""
    except CountryUnknownError:
        return ""


def languages_for(code: str) -> tuple[str, ...]:
    """The languages a debtor of this country is written to in, the best first; English where its own is none of ours.

    >>> languages_for("DE"), languages_for("HK")
    (('de', 'en'), ('zh', 'en'))
    """
    try:
        wanted = country(code).letter_languages if code else ()
    except CountryUnknownError:
        wanted = ()
    found = list(dict.fromkeys(NAMES[one] for one in wanted if one in NAMES))
    return tuple(found if "en" in found else [*found, "en"])


def language_for(kind: str, code: str, offered: tuple[str, ...]) -> str:  # noqa: ARG001 — by kind through what is offered
    """The language a letter of a kind is written in when nobody chose one; in China both, where the seller is abroad is for the caller to say."""
    return next((one for one in languages_for(code) if one in offered), "en")
