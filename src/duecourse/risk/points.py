"""Scorecards of points (评分卡): points for each factor, their sum, and the probability they stand for.

The score is additive: log-odds of failure = intercept + a term per factor, a step function of the factor's value with a value of its
own for "not known". So the reasons are exact: take a factor's value away and the score moves by its points, no more and no less.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from duecourse.risk.master_scale import grade_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import numpy.typing as npt

    Column = npt.NDArray[np.float64]

POINTS_TO_DOUBLE: Final = 20.0
"""So many points more halve the odds of failure."""

POINTS_PER_LOG_ODDS: Final = POINTS_TO_DOUBLE / np.log(2.0)

EVEN_ODDS_POINTS: Final = 500.0
"""The score at which failing and surviving are equally likely in the training book."""

INTERVAL_SIGMAS: Final = 1.645
"""A 90 % interval."""


@dataclass(frozen=True)
class Factor:
    """One factor: value below edges[0] takes step 0, from edges[i-1] up to edges[i] step i; `missing` where the value is not known.

    steps, missing  log-odds of each of the refits, shape (refits, edges + 1) and (refits,)
    """

    name: str
    family: str
    edges: Column
    steps: Column
    missing: Column

    def log_odds(self, values: Column) -> Column:
        """What each value adds, per refit: shape (refits, values)."""
        known = ~np.isnan(values)
        place = np.searchsorted(self.edges, np.where(known, values, 0.0), side="right")
        return np.where(known, self.steps[:, place], self.missing[:, None])


@dataclass(frozen=True)
class Scored:
    """Each buyer's result, columns by position.

    score                       points; 20 more halve the odds
    points                      {factor: points}; with `base_points` they add up to `score`
    probability_of_default_12m  fraction; `low` and `high` bound it with 90 % confidence in the fit
    grade                       1 (best) to 10; 0 where no factor is known
    known                       how many factors had a value
    """

    score: Column
    points: Mapping[str, Column]
    base_points: float
    probability_of_default_12m: Column
    low: Column
    high: Column
    grade: npt.NDArray[np.int8]
    known: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Evidence:
    """What a scorecard's factors say against the base rate, columns by position: zero where nothing is known.

    log_odds  added to those of the base rate; spread: standard deviation of the refits
    known     how many factors had a value, of how many
    added     {factor: log-odds}, they add up to log_odds; empty unless asked for
    """

    log_odds: Column
    spread: Column
    known: npt.NDArray[np.int64]
    of: int
    added: Mapping[str, Column]


BLOCK: Final = 1 << 16
"""Buyers worked on at once: the refits of all of them would take too much memory."""


@dataclass(frozen=True)
class Scorecard:
    """A fitted scorecard: its factors, and the book it was fitted on."""

    version: str
    factors: Sequence[Factor]
    intercepts: Column
    training_rate: float
    base_rate: float

    def score(self, values: Mapping[str, Column], *, base_rate: float | Column | None = None) -> Scored:
        """Score buyers by their factors' values, NaN where not known.

        base_rate  share of firms like these that fail within a year, 0 to 1 (default: the shipped one). The training book fails far
                   more often than a real one; its odds are shifted to this rate and never shown as they are.
        Raises KeyError for a factor without a column.
        """
        size = len(next(iter(values.values())))
        total = np.repeat(self.intercepts[:, None], size, axis=1)
        points: dict[str, Column] = {}
        known = np.zeros(size, np.int64)
        for factor in self.factors:
            column = np.asarray(values[factor.name], np.float64)
            known += ~np.isnan(column)
            added = factor.log_odds(column)
            total += added
            points[factor.name] = -POINTS_PER_LOG_ODDS * added.mean(axis=0)
        log_odds = total.mean(axis=0)
        shift = logit(np.asarray(self.base_rate if base_rate is None else base_rate)) - logit(np.asarray(self.training_rate))
        spread = INTERVAL_SIGMAS * total.std(axis=0, ddof=1)
        nothing = known == 0
        probability, low, high = (np.where(nothing, np.nan, probability_of(log_odds + shift + away)) for away in (0.0, -spread, spread))
        return Scored(
            score=EVEN_ODDS_POINTS - POINTS_PER_LOG_ODDS * log_odds,
            points=points,
            base_points=EVEN_ODDS_POINTS - POINTS_PER_LOG_ODDS * float(self.intercepts.mean()),
            probability_of_default_12m=probability, low=low, high=high, grade=grade_of(probability), known=known,
        )  # fmt: skip

    def evidence(self, values: Mapping[str, Column], *, explained: bool = False) -> Evidence:
        """By how much are these buyers riskier than the base rate? Log-odds; `explained`: also of each factor.

        Raises KeyError for a factor without a column.
        """
        size = len(next(iter(values.values())))
        start = float(logit(np.asarray(self.training_rate)))
        log_odds, spread, known = np.zeros(size), np.zeros(size), np.zeros(size, np.int64)
        added = {factor.name: np.zeros(size) for factor in self.factors} if explained else {}
        for low in range(0, size, BLOCK):
            here = slice(low, min(low + BLOCK, size))
            total = np.repeat((self.intercepts - start)[:, None], here.stop - here.start, axis=1)
            for factor in self.factors:
                column = np.asarray(values[factor.name][here], np.float64)
                known[here] += ~np.isnan(column)
                steps = factor.log_odds(column)
                total += steps
                if explained:
                    added[factor.name][here] = steps.mean(axis=0)
            log_odds[here], spread[here] = total.mean(axis=0), total.std(axis=0, ddof=1)
        return Evidence(log_odds, spread, known, len(self.factors), added)

    def part(
        self, *, families: Collection[str] | None = None, without: Collection[str] = (), slopes: Mapping[str, float] | None = None
    ) -> Scorecard:
        """The factors of some families (None = all but `without`), each family's log-odds times its slope."""
        slopes = slopes or {}
        kept = [one for one in self.factors if (families is None or one.family in families) and one.family not in without]
        scaled = [
            replace(one, steps=one.steps * slopes.get(one.family, 1.0), missing=one.missing * slopes.get(one.family, 1.0)) for one in kept
        ]
        return replace(self, factors=scaled)


def from_json(text: str) -> Scorecard:
    """A scorecard as its parameter file says."""
    said: dict[str, Any] = json.loads(text)
    factors = [
        Factor(one["name"], one["family"], np.array(one["edges"]), np.array(one["steps"]), np.array(one["missing"]))
        for one in said["factors"]
    ]
    return Scorecard(said["version"], factors, np.array(said["intercepts"]), said["training_rate"], said["base_rate"])


def logit(rate: Column) -> Column:
    """Log-odds of a probability."""
    return np.log(rate / (1.0 - rate))


def probability_of(log_odds: Column) -> Column:
    """The probability these log-odds stand for."""
    return 1.0 / (1.0 + np.exp(-log_odds))
