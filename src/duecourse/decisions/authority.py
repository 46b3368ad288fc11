"""Who may grant how much: amount in base currency × grade → role and number of approvers.  授权矩阵"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from duecourse.errors import RuleInvalidError

if TYPE_CHECKING:
    from collections.abc import Mapping

SETTING: Final = "limit_authority"
ROLES: Final = ("credit_analyst", "credit_manager", "admin")
"""Who may decide, from least to most authority."""
MOST_APPROVERS: Final = 5
WORST: Final = 10


@dataclass(frozen=True)
class Needed:
    """What a decision needs: so many different people of this role or a higher one, none of them who asked."""

    role: str
    approvers: int


@dataclass(frozen=True)
class Authority:
    """The matrix: `values` as its JSON has it. Amounts are whole units of base currency."""

    values: Mapping[str, Any]

    @property
    def bands(self) -> list[Mapping[str, Any]]:
        """Bands of grades, best first."""
        return list(self.values["bands"])

    def needed(self, amount: float | None, grade: int | None) -> Needed:
        """For so many whole units of base currency and this grade. None = not known: the most that the matrix asks of anybody."""
        band = self._band(grade)
        steps = band["steps"]
        step = steps[-1] if amount is None else next(one for one in steps if one["up_to"] is None or amount <= one["up_to"])
        return Needed(str(step["role"]), int(step["approvers"]))

    def _band(self, grade: int | None) -> Mapping[str, Any]:
        bands = self.bands
        return bands[-1] if grade is None else next(one for one in bands if grade <= one["to_grade"])


def outranks(role: str, needed: str) -> bool:
    """Has somebody of this role the authority of that one?"""
    return role in ROLES and ROLES.index(role) >= ROLES.index(needed)


@cache
def shipped() -> Authority:
    """The matrix that comes with the product."""
    text = resources.files(__package__).joinpath("data", "authority_v1.json").read_text(encoding="utf-8")
    return checked(json.loads(text))


def authority_of(settings: Mapping[str, Any]) -> Authority:
    """The matrix in force by these settings of a book."""
    own = settings.get(SETTING)
    return shipped() if not own else checked(own)


def checked(values: Mapping[str, Any]) -> Authority:
    """A matrix that leaves no amount and no grade out, and asks no less of a larger amount or of a worse grade.

    Raises RuleInvalidError naming what is wrong.
    """
    try:
        bands = values["bands"]
        ends = [band["to_grade"] for band in bands]
        if ends != sorted(set(ends)) or not ends or ends[-1] != WORST or not all(isinstance(end, int) and end >= 1 for end in ends):
            raise RuleInvalidError(rule="bands", value=", ".join(map(str, ends)))
        for band in bands:
            _check_band(band)
    except (KeyError, TypeError) as error:
        raise RuleInvalidError(rule="bands", value=str(error)) from None
    found = Authority(values)
    for better, worse in pairwise(bands):
        for amount in {step["up_to"] for band in (better, worse) for step in band["steps"]}:
            first, second = (found.needed(amount, band["to_grade"]) for band in (better, worse))
            if _weight(second) < _weight(first):
                raise RuleInvalidError(rule=f"bands.{worse['to_grade']}", value=amount if amount is not None else "∞")
    return found


def _weight(needed: Needed) -> tuple[int, int]:
    return ROLES.index(needed.role), needed.approvers


def _check_band(band: Mapping[str, Any]) -> None:
    steps = band["steps"]
    name = f"bands.{band['to_grade']}"
    bounds = [step["up_to"] for step in steps]
    if not bounds or bounds[-1] is not None or any(not isinstance(one, int | float) or one < 0 for one in bounds[:-1]):
        raise RuleInvalidError(rule=name, value=", ".join(map(str, bounds)))
    if bounds[:-1] != sorted(set(bounds[:-1])):
        raise RuleInvalidError(rule=name, value=", ".join(map(str, bounds)))
    weights = []
    for step in steps:
        if step["role"] not in ROLES or not 1 <= step["approvers"] <= MOST_APPROVERS:
            raise RuleInvalidError(rule=name, value=f"{step['role']} × {step['approvers']}")
        weights.append(_weight(Needed(step["role"], step["approvers"])))
    if weights != sorted(weights):
        raise RuleInvalidError(rule=name, value=", ".join(f"{step['role']} × {step['approvers']}" for step in steps))
