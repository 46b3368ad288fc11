"""Is the world still the one the scores were made for (漂移监测)? Inputs, grades, probabilities and verdicts, then against now; all on plain arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    Column = npt.NDArray[np.float64]
    Numbers = npt.NDArray[np.int64]

BINS: Final = 10
LEAST: Final = 1e-4
"""A bin nobody falls into counts as so much, so that one buyer in a new place is no infinite shift."""

SOME: Final = 0.1
MUCH: Final = 0.25
"""Lewis (1994), credit scoring: below .1 no shift worth a look, from .25 on the population is another one."""

PRIOR: Final = 0.5
"""Jeffreys: half a default and half a survivor before anything was counted."""

DRAWS: Final = 20_000
VERDICTS: Final = ("true", "false", "known")


@dataclass(frozen=True)
class Shift:
    """How far one input has moved.

    index            population stability index, missing values as a bin of their own; NaN where either side has nobody
    missing_then, missing_now   shares that are not known
    median_then, median_now     of what is known
    """

    index: float
    missing_then: float
    missing_now: float
    median_then: float
    median_now: float

    @property
    def level(self) -> str:
        """Its grade: none | some | much | unknown."""
        if np.isnan(self.index):
            return "unknown"
        return "none" if self.index < SOME else "some" if self.index < MUCH else "much"


def shift(then: Column, now: Column, *, bins: int = BINS) -> Shift:
    """How far has one figure moved from then to now?  群体稳定性指数 (PSI)

    Bins are the quantiles of then; equal ones fall together, so that a figure of few values has few bins. NaN = not known.
    Σ (share now − share then) · ln(share now ÷ share then). Source: Lewis (1994); Siddiqi, Credit Risk Scorecards, chapter 10.
    """
    known_then, known_now = then[~np.isnan(then)], now[~np.isnan(now)]
    nothing = float("nan")
    if not len(then) or not len(now):
        index = nothing
    else:
        edges = np.unique(np.quantile(known_then, np.linspace(0, 1, bins + 1)[1:-1])) if len(known_then) else np.zeros(0)
        counts = [
            np.append(np.bincount(np.searchsorted(edges, known, "left"), minlength=len(edges) + 1), len(whole) - len(known)) / len(whole)
            for known, whole in ((known_then, then), (known_now, now))
        ]
        expected, actual = (np.maximum(one, LEAST) for one in counts)
        index = float(np.sum((actual - expected) * np.log(actual / expected)))
    return Shift(
        index, float(np.isnan(then).mean()) if len(then) else nothing, float(np.isnan(now).mean()) if len(now) else nothing,
        float(np.median(known_then)) if len(known_then) else nothing, float(np.median(known_now)) if len(known_now) else nothing,
    )  # fmt: skip


@dataclass(frozen=True)
class Calibrated:
    """Were the probabilities of one stretch of time right?

    rows, expected, observed   buyers asked, the sum of their probabilities, and how many were in default within the horizon
    low, high   95 % of the rate of default that such a count speaks for (Jeffreys), times rows: what `expected` should lie between
    """

    rows: int
    expected: float
    observed: int
    low: float
    high: float

    @property
    def is_right(self) -> bool:
        """Does what was expected lie within what the count speaks for?"""
        return self.low <= self.expected <= self.high


def calibration(period: Sequence[str], probability: Column, fails: npt.NDArray[np.bool_]) -> dict[str, Calibrated]:
    """Were the probabilities right, period by period?  各期校准

    period  of each row, such as `2025-Q3`. Rows whose probability is NaN are left out. Each buyer should stand in a period once: overlapping rows
    of one buyer are one default counted several times, and make the interval too narrow.
    """
    names = np.array(period, object)
    draw = np.random.default_rng(0)
    found = {}
    for name in sorted(set(period)):
        mine = (names == name) & ~np.isnan(probability)
        rows, bad = int(mine.sum()), int(fails[mine].sum())
        rates = draw.beta(bad + PRIOR, rows - bad + PRIOR, DRAWS)
        low, high = np.quantile(rates, (0.025, 0.975)) * rows
        # With none or all in default the rate of the count itself belongs to the interval.
        found[name] = Calibrated(
            rows, float(probability[mine].sum()), bad, 0.0 if bad == 0 else float(low), float(rows) if bad == rows else float(high)
        )
    return found


@dataclass(frozen=True)
class Migration:
    """Where the buyers of each grade are now.

    counts   [grade then, grade now], and behind the last grade those in default and those that are gone
    better, worse, same   of those graded on both days, shares
    """

    counts: npt.NDArray[np.int64]
    better: float
    worse: float
    same: float


def migration(then: Numbers, now: Numbers, *, failed: npt.NDArray[np.bool_], grades: int = 10) -> Migration:
    """How did grades move?  等级迁徙矩阵

    then, now  of the same buyers, 1 (best) to `grades`; 0 = not graded that day. failed: in default since. Buyers not graded then are left out.
    """
    target = np.where(failed, grades, np.where(now == 0, grades + 1, now - 1))
    there = then > 0
    counts = np.zeros((grades, grades + 2), np.int64)
    np.add.at(counts, (then[there] - 1, target[there]), 1)
    both = there & (now > 0) & ~failed
    whole = int(both.sum())
    share = [float((moved & both).sum() / whole) if whole else float("nan") for moved in (now < then, now > then, now == then)]
    return Migration(counts, *share)


@dataclass(frozen=True)
class Judged:
    """What people said of alerts: how many, by verdict, the share right among those that were new to them, and days until one was closed."""

    counts: Mapping[str, int]
    right_share: float
    days_median: float


def verdicts(said: Sequence[str], days: Column) -> Judged:
    """Were alerts worth looking at, by those who looked?  核实结果

    said  of each closed alert: true, false, or known (true, but known before). days: from opening to closing
    """
    counts = {name: sum(one == name for one in said) for name in VERDICTS}
    new = counts["true"] + counts["false"]
    return Judged(counts, counts["true"] / new if new else float("nan"), float(np.median(days)) if len(days) else float("nan"))
