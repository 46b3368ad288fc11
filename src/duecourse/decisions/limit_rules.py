"""The rules by which limits are recommended: shipped as data with their sources, changed by the firm, a version each.  额度规则"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from duecourse.errors import RuleInvalidError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SETTING: Final = "limit_rules"
"""The ledger setting that holds the firm's own rule set; where there is none, the shipped one holds."""

CAPS: Final = (
    "net_worth", "working_capital", "supplier_share", "experience", "grade", "insurer", "group", "single_name", "profit", "block",
)  # fmt: skip
GRADES: Final = tuple(str(number) for number in range(1, 11))
SHARES: Final = ("need_share", "net_worth_share")
ZERO_TO: Final = {
    "billing_lag_days": 90, "delay_max_days": 365, "history_min_days": 365, "terms_default_days": 365, "peak_default": 5, "peak_min": 5,
    "peak_max": 5, "need_share": 1, "net_worth_share": 1, "terms_max_days": 365, "review_months": 24, "statement_max_age_days": 3660,
    "working_capital_share": 1, "wallet_share": 1, "experience_factor": 5, "experience_tolerance_days": 90, "insurer_factor": 5,
    "single_name_share": 1, "margin": 1, "loss_given_default": 1, "funding_rate": 1, "overdue_block_days": 365, "overdue_block_share": 1,
    "rounding_digits": 6, "grace_days": 366, "utilisation_warning": 1, "group_share": 1, "country_share": 1, "sector_share": 1,
    "sales_owner_share": 1, "legal_entity_share": 1, "weak_grades_share": 1,
}  # fmt: skip
"""Between zero and this: outside, it is a slip of the pen."""
MAY_BE_NONE: Final = (
    "margin",
    "group_share",
    "country_share",
    "sector_share",
    "sales_owner_share",
    "legal_entity_share",
    "weak_grades_share",
)


@dataclass(frozen=True)
class LimitRules:
    """A rule set, whole: `values` as its JSON has it. What a decision was made by is kept with it, so it never depends on this release."""

    values: Mapping[str, Any]

    @property
    def version(self) -> str:
        """Its version: a name."""
        return str(self.values["version"])

    def of_grade(self, grade: int | None) -> Mapping[str, Any]:
        """What holds for a grade; None = no grade."""
        found: Mapping[str, Any] = self.values["ungraded"] if grade is None else self.values["grades"][str(grade)]
        return found

    def __getitem__(self, name: str) -> Any:
        return self.values[name]


@cache
def shipped() -> LimitRules:
    """The rule set that comes with the product."""
    text = resources.files(__package__).joinpath("data", "limit_rules_v1.json").read_text(encoding="utf-8")
    return LimitRules(json.loads(text))


def rules_of(settings: Mapping[str, Any]) -> LimitRules:
    """The rule set in force by these settings of a book."""
    own = settings.get(SETTING)
    return shipped() if not own else checked(own)


def checked(values: Mapping[str, Any]) -> LimitRules:
    """A rule set with every part of it. Parts left out are as shipped.

    Raises RuleInvalidError naming the first part that is unknown or cannot be.
    """
    whole = _merged(shipped().values, values, "")
    for path, value in _leaves(whole, ""):
        if not _possible(path, value):
            raise RuleInvalidError(rule=path, value="" if value is None else value)
    for name in SHARES:
        shares = [whole["grades"][grade][name] for grade in GRADES]
        if shares != sorted(shares, reverse=True):
            raise RuleInvalidError(rule=f"grades.*.{name}", value=", ".join(map(str, shares)))
    if whole["need"]["peak_min"] > whole["need"]["peak_max"]:
        raise RuleInvalidError(rule="need.peak_min", value=whole["need"]["peak_min"])
    return LimitRules(whole)


def _possible(path: str, value: Any) -> bool:
    name = path.rpartition(".")[2]
    if path.startswith("sources.") or path == "version":
        return isinstance(value, str)
    if path.startswith("caps.") or name == "insurer_mandatory":
        return isinstance(value, bool)
    if value is None:
        return name in MAY_BE_NONE
    return not isinstance(value, bool) and isinstance(value, int | float) and 0 <= value <= ZERO_TO[name]


def _merged(base: Mapping[str, Any], own: Mapping[str, Any], path: str) -> dict[str, Any]:
    for name in own:
        if name not in base:
            raise RuleInvalidError(rule=f"{path}{name}", value=own[name])
    merged = {}
    for name, value in base.items():
        mine = own.get(name, value)
        if isinstance(value, dict):
            if not isinstance(mine, dict):
                raise RuleInvalidError(rule=f"{path}{name}", value=mine)
            mine = _merged(value, mine, f"{path}{name}.")
        merged[name] = mine
    return merged


def _leaves(values: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{path}{name}.")
        else:
            yield f"{path}{name}", value
