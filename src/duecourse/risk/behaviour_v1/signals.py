"""Signals as figures (信号): what is said of a buyer, weighed by its kind and severity, fading with its age.

A family's figure is Σ weight · severity · e^(-age / τ) over its signals that still hold. Ten news items cannot outweigh how a buyer pays: a
family counts up to a stated top. Some kinds are more than evidence: they override the grade.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    Column = npt.NDArray[np.float64]

FAMILIES: Final = ("signals_legal", "signals_conduct", "signals_ratings", "signals_operations")
DAYS_PER_MONTH: Final = 30.4375
FADED: Final = 0.02
"""What is left of a signal below this share counts no more."""


@dataclass(frozen=True)
class Weighed:
    """Signals as figures.

    values     {family: a figure for each buyer, NaN where no signal of the family holds}
    weights    what each signal counts for today; 0 where it has faded or says nothing bad
    overrides  {kind: which signals override the grade}
    """

    values: Mapping[str, Column]
    weights: Column
    overrides: Mapping[str, npt.NDArray[np.bool_]]


@cache
def rules() -> dict[str, Any]:
    """The shipped weights."""
    found: dict[str, Any] = json.loads(resources.files(__package__).joinpath("signals.json").read_text(encoding="utf-8"))
    return found


def weigh(buyers: int, place: npt.NDArray[np.int64], kinds: Sequence[str], severities: Sequence[str | None], ages_days: Column) -> Weighed:
    """Weigh signals that hold: whose they are (a position below `buyers`), their kind, severity (None = as the kind has it), days since known."""
    said = rules()
    ages = np.maximum(np.asarray(ages_days, np.float64), 0.0)
    weights = np.zeros(len(kinds))
    severe = np.array(
        [severity or said["kinds"].get(kind, {}).get("severity", "info") for kind, severity in zip(kinds, severities, strict=True)], object
    )
    named = np.array(list(kinds), object)
    values = {}
    overrides = {}
    family_of = np.array([said["kinds"].get(kind, {}).get("family", "") for kind in kinds], object)
    for kind, rule in said["kinds"].items():
        mine = named == kind
        if not mine.any():
            continue
        strength = np.array([said["severities"].get(one, 0.0) for one in severe[mine]])
        left = np.exp(-ages[mine] / (rule["months"] * DAYS_PER_MONTH))
        weights[mine] = rule["weight"] * strength * np.where(left < FADED, 0.0, left)
    for family in FAMILIES:
        mine = (family_of == family) & (weights > 0)
        total = np.bincount(place[mine], weights[mine], buyers)
        values[family] = np.where(np.bincount(place[mine], minlength=buyers) > 0, total, np.nan)
    for kind, rule in said["overrides"].items():
        overrides[kind] = (named == kind) & np.isin(severe.astype(str), rule["severities"]) & (ages <= rule["months"] * DAYS_PER_MONTH)
    return Weighed(values, weights, overrides)
