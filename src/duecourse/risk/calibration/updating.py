"""The shipped model moved by the firm's own defaults: tempered maximum a posteriori.

Each family of factors has a slope, one in the shipped model, and all share an intercept, zero there. A slope turns about its family's mean, so
that the average buyer is moved by the intercept alone. The firm's outcomes pull on both, the
prior holds them: strongly the slopes, weakly the intercept. Overlapping years count one failure several times, so the likelihood is divided by
how many overlap. With few defaults little moves besides the level; above some eighty a model of the firm's own may compete. How strongly the slopes
are held is chosen by the evidence, so that learning them does not lose to moving the level alone where they are right as they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from duecourse.risk.points import probability_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    Column = npt.NDArray[np.float64]

SLOPE_PRECISIONS: Final = (100.0, 300.0, 1_000.0, 10_000.0)
"""From the loosest that a handful of defaults can bear to one under which only the level moves."""

INTERCEPT_PRECISION: Final = 0.5
LEAST_DEVIATION: Final = 0.2
"""A family that says little of these buyers (in log-odds) is not to say thirty times as much of the next one."""

STEPS: Final = 50
LONGEST_STEP: Final = 2.0
"""A longer one may overshoot for good where few defaults stand against many rows."""


@dataclass(frozen=True)
class Updated:
    """Added to every buyer's log-odds, and by what each family's log-odds are multiplied."""

    intercept: float
    slopes: Mapping[str, float]

    def log_odds(self, offset: Column, families: Mapping[str, Column]) -> Column:
        """offset: what no slope touches (the base rate); families: log-odds of the shipped model."""
        return (
            offset + self.intercept + sum((self.slopes.get(name, 1.0) * values for name, values in families.items()), np.zeros(len(offset)))
        )


@dataclass(frozen=True)
class _Mode:
    """A posterior mode, and the log of its evidence by Laplace's approximation, up to what all have in common."""

    beta: Column
    evidence: float


def updated(
    offset: Column, families: Mapping[str, Column], fails: Column, *, overlap: float, slope_precision: float | None = None
) -> Updated:  # fmt: skip
    """The posterior mode.

    offset    log-odds that stay as they are (the base rate)
    families  {family: log-odds of the shipped model}
    fails     1 where the buyer failed within the horizon
    overlap   how many rows count one failure: horizon ÷ distance of the days
    slope_precision  how strongly the prior holds the slopes of families of standard deviation one; None = the one of SLOPE_PRECISIONS under which
                     what happened was likeliest: where the shipped slopes are right they are hardly touched

    Source: Platt-style scaling with a Gaussian prior; tempering of the likelihood as in power posteriors; MacKay 1992 for the choice by evidence.
    """
    names = [name for name, values in families.items() if values.std() > 0]
    middle, sd = np.array([families[name].mean() for name in names]), np.array([families[name].std() for name in names])
    unit = np.maximum(sd, LEAST_DEVIATION)
    design = np.column_stack(
        [np.ones(len(fails)), *((families[name] - at) / one for name, at, one in zip(names, middle, unit, strict=True))]
    )
    rest = offset + sum((values for name, values in families.items() if name not in names), np.zeros(len(fails))) + middle.sum()
    tried = SLOPE_PRECISIONS if slope_precision is None else (slope_precision,)
    modes = [_mode(rest, design, fails, np.array([0.0, *unit]), overlap=overlap, slope_precision=one) for one in tried]
    beta = max(modes, key=lambda mode: mode.evidence).beta
    slopes = np.maximum(beta[1:] / unit, 0.0)
    return Updated(float(beta[0] - (slopes - 1.0) @ middle), dict(zip(names, slopes.tolist(), strict=True)))


def _mode(rest: Column, design: Column, fails: Column, prior: Column, *, overlap: float, slope_precision: float) -> _Mode:
    precision = np.diag([INTERCEPT_PRECISION, *np.full(len(prior) - 1, slope_precision)])
    beta = prior.copy()
    curvature = precision
    for _ in range(STEPS):
        p = probability_of(rest + design @ beta)
        gradient = design.T @ (p - fails) / overlap + precision @ (beta - prior)
        curvature = (design * (p * (1 - p))[:, None]).T @ design / overlap + precision
        step = np.linalg.solve(curvature, gradient)
        beta = beta - step * min(1.0, LONGEST_STEP / max(float(np.abs(step).max()), LONGEST_STEP))
        if np.abs(step).max() < 1e-9:
            break
    log_odds, away = rest + design @ beta, beta - prior
    surprise = float((np.logaddexp(0.0, log_odds) - fails * log_odds).sum()) / overlap
    room = float(np.linalg.slogdet(precision)[1] - np.linalg.slogdet(curvature)[1]) / 2
    return _Mode(beta, room - surprise - float(away @ precision @ away) / 2)
