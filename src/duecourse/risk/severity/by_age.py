"""How much of an unpaid debt still comes in, by its age, and what a day of waiting costs (账龄与回收率)."""

from __future__ import annotations

from typing import Final

import numpy as np

from duecourse.errors import CountryUnknownError
from duecourse.reference import countries

CURVE: Final[tuple[tuple[float, float], ...]] = ((0, 0.94), (30, 0.94), (90, 0.71), (180, 0.51), (365, 0.24), (730, 0.10))
"""Days past due, share still collected. Source: surveys of commercial collection agencies in the United States (Commercial Collection Agencies of
America and its predecessors), several years: 69–74 % after three months, 50–52 % after six, 21–29 % after twelve, 9–11 % after twenty-four.
A prior of ours between those points; a firm's own recoveries say more."""

EASIEST, HARDEST = 1.1, 0.6
"""The factor of a country is kept between these."""

YEAR_DAYS: Final = 365


def country_factor(country: str) -> float:
    """How much easier or harder is collection in this country than in the surveys?  国家因子

    1.25 less a 160th of the Allianz Trade Collection Complexity Score, between 0.6 and 1.1; 1 where the country has no score. An assumption of ours.
    """
    try:
        score = countries.country(country).collection_complexity if country else None
    except CountryUnknownError:
        score = None
    return 1.0 if score is None else float(np.clip(1.25 - score / 160, HARDEST, EASIEST))


def recovery(days_past_due: float, country: str = "") -> float:
    """Which share of a debt so many days late is still collected?  预期回收率

    >>> round(recovery(135), 3)
    0.61
    """
    ages, shares = zip(*CURVE, strict=True)
    return min(1.0, float(np.interp(days_past_due, ages, shares)) * country_factor(country))


def waiting_cost(amount_minor: float, days_past_due: float, country: str = "", *, cost_of_capital: float = 0.06) -> float:
    """What does one more day of waiting cost, in minor units?  每等待一日的损失

    The fall of the recovery curve at this age plus a day's cost of capital on what is still expected.
    cost_of_capital  a year, a fraction
    """
    before, after = recovery(days_past_due, country), recovery(days_past_due + 1, country)
    return amount_minor * (before - after + before * cost_of_capital / YEAR_DAYS)
