"""How well do probabilities tell those who fail from the others, and are they right on the whole?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    Column = npt.NDArray[np.float64]

DRAWS: Final = 400
TINY: Final = 1e-12


@dataclass(frozen=True)
class Judgement:
    """auc, ks, brier, log_loss, each (value, low, high) of a 95 % interval by drawing groups; expected ÷ observed."""

    auc: tuple[float, float, float]
    ks: tuple[float, float, float]
    brier: tuple[float, float, float]
    log_loss: tuple[float, float, float]
    expected_to_observed: float
    rows: int
    failures: int


def auc(fails: Column, risk: Column) -> float:
    """The chance that one who fails was riskier than one who did not; ties count half."""
    _values, place, counts = np.unique(risk, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - (counts - 1) / 2.0
    bad = fails.sum()
    good = len(fails) - bad
    return float((middle[place][fails == 1].sum() - bad * (bad + 1) / 2.0) / (bad * good)) if bad and good else float("nan")


def ks(fails: Column, risk: Column) -> float:
    """The largest distance between the shares of both found so far, riskiest first."""
    order = np.argsort(-risk, kind="stable")
    ends = np.append(np.diff(risk[order]) != 0, [True])
    bad, good = np.cumsum(fails[order])[ends] / max(fails.sum(), 1), np.cumsum(1 - fails[order])[ends] / max((1 - fails).sum(), 1)
    return float(np.abs(bad - good).max())


def brier(fails: Column, probability: Column) -> float:
    """Mean squared distance."""
    return float(np.mean((probability - fails) ** 2))


def log_loss(fails: Column, probability: Column) -> float:
    """Mean surprise."""
    p = np.clip(probability, TINY, 1 - TINY)
    return float(-np.mean(fails * np.log(p) + (1 - fails) * np.log(1 - p)))


def judgement(fails: Column, probability: Column, groups: npt.NDArray[Any]) -> Judgement:
    """All of it. groups: rows of one firm are drawn together."""
    draw = np.random.default_rng(0)
    _names, place = np.unique(groups, return_inverse=True)
    rows_of = np.split(np.argsort(place, kind="stable"), np.cumsum(np.bincount(place))[:-1])
    samples = [np.concatenate([rows_of[one] for one in draw.integers(0, len(rows_of), len(rows_of))]) for _ in range(DRAWS)]
    samples = [rows for rows in samples if 0 < fails[rows].sum() < len(rows)]

    def told(measure: Callable[[Column, Column], float]) -> tuple[float, float, float]:
        found = [measure(fails[rows], probability[rows]) for rows in samples] or [float("nan")]
        return measure(fails, probability), float(np.quantile(found, 0.025)), float(np.quantile(found, 0.975))

    return Judgement(
        told(auc), told(ks), told(brier), told(log_loss), float(probability.mean() / max(fails.mean(), TINY)), len(fails), int(fails.sum())
    )
