"""When a warning becomes an alert (预警规则): thresholds, budget, ranking and suggested acts, as data with their sources, a version each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from duecourse.errors import RuleInvalidError
from duecourse.risk.rule_sets import is_number, laid_over

if TYPE_CHECKING:
    from collections.abc import Mapping

SETTING: Final = "alert_policy"
"""The ledger setting that holds the firm's own; where there is none, the shipped one holds."""

SEVERITIES: Final = ("amber", "red")
ACTS: Final = ("review_grade", "cut_limit", "prepay", "call", "secure", "notify_insurer")
RANKINGS: Final = ("expected_saving", "probability")
MAY_BE_NONE: Final = ("alerts_per_analyst_day", "share_of_watched_a_month")
LIMITS: Final = {
    "probability_6m": (0.0, 1.0), "rule_score": (0.0, 100.0), "days": (0, 365), "hold_days": (0, 3660), "in_default_days": (0, 3660), "analysts": (0.0, 10_000.0),
    "alerts_per_analyst_day": (0.0, 1_000.0), "share_of_watched_a_month": (0.0, 1.0), "most_acts": (1, len(ACTS)),
}  # fmt: skip
WHOLE: Final = ("days", "hold_days", "in_default_days", "most_acts")


@dataclass(frozen=True)
class AlertPolicy:
    """A policy, whole: `values` as its JSON has it, so that an alert opened by it never depends on this release."""

    values: Mapping[str, Any]

    @property
    def version(self) -> str:
        """Its version: a name."""
        return str(self.values["version"])

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def saveable(self, days_past_due: float) -> float:
        """What can still be saved of an exposure whose oldest part is so many days late, a fraction.  可挽回比例"""
        return _between(self.values["saveable"], days_past_due)

    def probability_of(self, rule_score: float) -> float:
        """The probability taken where only the plain rules speak."""
        return _between(self.values["probability_of_rule_score"], rule_score)

    def acts(self, reasons: Mapping[str, str]) -> list[str]:
        """What to do, most often called for first, at most `most_acts`. reasons: {code: family}, the gravest first.

        An act of a reason's own counts before those of its family; `*` is for reasons nothing is said of.
        """
        said: Mapping[str, list[str]] = self.values["acts"]
        wanted: dict[str, float] = {}
        for place, (code, family) in enumerate(reasons.items()):
            own = said.get(code) or said.get(family) or said["*"]
            for rank, act in enumerate(own):
                wanted[act] = wanted.get(act, 0.0) + 1.0 / ((1 + place) * (1 + rank))
        named = wanted or dict.fromkeys(said["*"], 1.0)
        return sorted(named, key=lambda act: (-named[act], ACTS.index(act)))[: self.values["most_acts"]]


def _between(points: list[list[float]], at: float) -> float:
    return float(np.interp(at, [point[0] for point in points], [point[1] for point in points]))


@cache
def shipped() -> AlertPolicy:
    """The policy that comes with the product."""
    text = resources.files(__package__).joinpath("data", "alert_policy_v1.json").read_text(encoding="utf-8")
    return AlertPolicy(json.loads(text))


def policy_of(settings: Mapping[str, Any]) -> AlertPolicy:
    """The policy in force by these settings of a book. Raises RuleInvalidError."""
    own = settings.get(SETTING)
    return checked(own) if own else shipped()


def checked(values: Mapping[str, Any]) -> AlertPolicy:
    """A policy with every part of it. Parts left out are as shipped; acts may be named for further reasons.

    Raises RuleInvalidError naming the first part that is unknown or cannot be: acts that are none, a curve that does not rise in its first
    column, amber above red, or an alert that would close where it opens.
    """
    base = shipped().values
    mine = values.get("acts") if isinstance(values, dict) else None
    acts = {**base["acts"], **{key: [] for key in (mine if isinstance(mine, dict) else {})}}
    whole = laid_over({**base, "acts": acts}, values, _possible)
    for name in ("probability_6m", "rule_score"):
        closes, amber, red = whole["closing"][name], *(whole["severity"][level][name] for level in SEVERITIES)
        if not closes <= amber <= red:
            raise RuleInvalidError(rule=f"severity.*.{name}", value=f"{closes}, {amber}, {red}")
    return AlertPolicy(whole)


def _possible(path: str, value: Any) -> bool:
    name = path.rpartition(".")[2]
    if path == "version" or path.startswith("sources."):
        return isinstance(value, str)
    if path == "ranking":
        return value in RANKINGS
    if path.startswith("acts."):
        return isinstance(value, list) and bool(value) and all(one in ACTS for one in value)
    if path == "at_once":
        return isinstance(value, list) and all(isinstance(one, str) for one in value)
    if path in ("saveable", "probability_of_rule_score"):
        return _is_curve(value)
    if value is None:
        return name in MAY_BE_NONE
    low, high = LIMITS[name]
    return is_number(value, low, high, whole=name in WHOLE)


def _is_curve(value: Any) -> bool:
    if not isinstance(value, list) or not value or not all(isinstance(point, list) and len(point) == 2 for point in value):
        return False
    good = all(is_number(point[0], 0, 1e6) and is_number(point[1], 0, 1) for point in value)
    return good and all(one[0] < other[0] for one, other in pairwise(value))
