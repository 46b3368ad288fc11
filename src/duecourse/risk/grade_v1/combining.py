"""From two blocks of evidence to one grade.

Log-odds of failing within a year = those of the stated base rate + the accounts' evidence + the conduct's evidence + the signals'. Each block
says by how much a buyer is riskier or safer than the base rate; what is not known adds nothing. The accounts' weight falls with their age; where
both blocks speak, each counts a little less, as they tell in part the same story. Weights depend on the age of the accounts and on whether
there is any trade, never on a factor's value: so points stay exact.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np

from duecourse.risk.master_scale import BOUNDS, MIDPOINTS, WORST, grade_of
from duecourse.risk.points import EVEN_ODDS_POINTS, INTERVAL_SIGMAS, POINTS_PER_LOG_ODDS, logit, probability_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from duecourse.risk.points import Evidence

    Column = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]
    Grades = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Parameters:
    """The rules of the combination; all of them can be set by the firm (setting `grade_rules`).

    base_rate            share of firms that fail within a year, where no other is stated for a country or sector
    overlap              by how much each block counts less where both speak, 0 to 0.5
    fresh_days           accounts up to this age count in full; after that their weight halves every half_life_days
    old_days, dead_days  older accounts cap the grade; older still, they are as good as none
    least_factors        accounts that give fewer factors are not used
    few_factors, few_invoices   share of factors, invoices a year, below which confidence is lower
    best_without_accounts       no better grade without accounts, or with old ones
    best_of_nothing             no better grade where neither accounts nor trade are known
    unknown_accounts_sd, unknown_conduct_sd, conduct_half_known   how wide the interval is for what is not known
    overdue_override_grade   no better than this with a material amount more than 90 days overdue
    written_off_grade    no better grade within a year of a material write-off
    bad_opinion_grade    no better where the auditor doubts: adverse opinion, disclaimer, going concern
    material_share, material_eur_minor   material: at least this share of what is owed, and at least this many euro cents
    most_notches         how far a person may move a grade
    """

    version: str
    base_rate: float
    overlap: float
    fresh_days: int
    half_life_days: int
    old_days: int
    dead_days: int
    least_factors: int
    few_factors: float
    few_invoices: int
    best_without_accounts: int
    best_of_nothing: int
    unknown_accounts_sd: float
    unknown_conduct_sd: float
    conduct_half_known: float
    overdue_override_grade: int
    written_off_grade: int
    bad_opinion_grade: int
    material_share: float
    material_eur_minor: int
    most_notches: int

    def changed(self, said: Mapping[str, Any]) -> Parameters:
        """These with some set otherwise; names that are not known are left out."""
        known = {one.name for one in fields(self)} - {"version"}
        return replace(self, **{name: value for name, value in said.items() if name in known})


@cache
def parameters() -> Parameters:
    """The shipped ones."""
    return Parameters(**json.loads(resources.files(__package__).joinpath("parameters.json").read_text(encoding="utf-8")))


@dataclass(frozen=True)
class Weights:
    """By how much each block's log-odds count; signals always count in full."""

    accounts: Column
    conduct: Column


def weights_of(rules: Parameters, age_days: Column, has_trade: Flags) -> Weights:
    """The blocks' weights. age_days: of the accounts, NaN without usable ones."""
    fresh = np.where(np.isnan(age_days), 0.0, 0.5 ** (np.maximum(np.nan_to_num(age_days) - rules.fresh_days, 0.0) / rules.half_life_days))
    return Weights(fresh * (1.0 - rules.overlap * has_trade), 1.0 - rules.overlap * fresh)


@dataclass(frozen=True)
class Combined:
    """Each buyer's result before anybody overrides it, columns by position.

    log_odds    of the model, before caps; score = 500 - 28.85 · log_odds
    probability_of_default_12m, low, high, grade   after caps
    model_grade   before caps
    capped        the grade would be better, were there fresh accounts
    """

    log_odds: Column
    score: Column
    base_points: Column
    probability_of_default_12m: Column
    low: Column
    high: Column
    grade: Grades
    model_grade: Grades
    capped: Flags


def combine(
    rules: Parameters, *, base_rate: Column, accounts: Evidence, conduct: Evidence, signals: Evidence, age_days: Column, has_trade: Flags,
    invoices: Column, intercept: float = 0.0,
) -> Combined:  # fmt: skip
    """Bring the blocks together.

    base_rate  share of firms like this one that fail within a year
    age_days   of the accounts, NaN without usable ones
    invoices   of the last 365 days: how much the conduct rests on
    intercept  log-odds that the firm's own history adds to every buyer
    """
    weights = weights_of(rules, age_days, has_trade)
    has_accounts = ~np.isnan(age_days)
    base = logit(base_rate)
    log_odds = base + intercept + weights.accounts * accounts.log_odds + weights.conduct * conduct.log_odds + signals.log_odds
    fresh = weights.accounts / (1.0 - rules.overlap * has_trade)
    unknown_accounts = (1.0 - fresh * accounts.known / max(accounts.of, 1)) * rules.unknown_accounts_sd
    unknown_conduct = rules.conduct_half_known / (rules.conduct_half_known + invoices) * rules.unknown_conduct_sd
    spread = np.sqrt(
        (weights.accounts * accounts.spread) ** 2 + (weights.conduct * conduct.spread) ** 2 + unknown_accounts**2 + unknown_conduct**2
    )
    probability = probability_of(log_odds)
    model_grade = grade_of(probability)
    nothing = ~has_accounts & ~has_trade & (signals.known == 0)
    old = ~has_accounts | (np.nan_to_num(age_days) > rules.old_days)
    best = np.where(nothing, rules.best_of_nothing, np.where(old, rules.best_without_accounts, 1))
    capped = model_grade < best
    least = np.array([0.0, *BOUNDS])[best - 1]
    at = np.where(capped, np.maximum(probability, least), probability)
    low = probability_of(log_odds - INTERVAL_SIGMAS * spread)
    high = probability_of(log_odds + INTERVAL_SIGMAS * spread)
    return Combined(
        log_odds=log_odds, score=EVEN_ODDS_POINTS - POINTS_PER_LOG_ODDS * log_odds, base_points=EVEN_ODDS_POINTS - POINTS_PER_LOG_ODDS * base,
        probability_of_default_12m=at, low=np.minimum(low, at), high=np.maximum(high, at),
        grade=np.maximum(model_grade, best).astype(np.int8), model_grade=model_grade, capped=capped,
    )  # fmt: skip


def moved(probability: Column, grade: Grades, notches: npt.NDArray[np.int64]) -> tuple[Column, Grades]:
    """The grade moved by notches (positive: worse), and a probability that belongs to it."""
    target = np.clip(grade.astype(np.int64) + notches, 1, WORST)
    step = target - grade
    shifted = probability * 2.2 ** step.astype(np.float64)
    floor, top = np.array([0.0, *BOUNDS])[target - 1], np.array([*BOUNDS, 1.0])[target - 1]
    inside = (shifted >= floor) & (shifted < top)
    found = np.where(step == 0, probability, np.where(inside, shifted, np.array(MIDPOINTS)[target - 1]))
    return found, target.astype(np.int8)


def at_least(probability: Column, grade: Grades, worst: npt.NDArray[np.int64]) -> tuple[Column, Grades]:
    """No better than a grade (0 = no such limit), and a probability that belongs to it."""
    hit = worst > grade
    raised = np.maximum(probability, np.array([0.0, *MIDPOINTS])[worst])
    return np.where(hit, raised, probability), np.maximum(grade, worst).astype(np.int8)
