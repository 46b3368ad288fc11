"""What counts as a default (违约定义): written down as data, a version each, changed by the firm, never by the code."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from duecourse.errors import RuleInvalidError
from duecourse.ledger.entries import SIGNAL_KINDS, SIGNAL_SEVERITIES
from duecourse.risk.rule_sets import is_number, laid_over

if TYPE_CHECKING:
    from collections.abc import Mapping

SETTING: Final = "default_definitions"
"""The ledger setting that holds the firm's own; where there is none, the shipped ones hold."""

KINDS: Final = ("past_due", "write_off", "insolvency", "enforcement")
"""What makes a default. A claim an insurer paid joins them when the ledger has a table that says so."""

OF_SIGNALS: Final = ("insolvency", "enforcement")
DEFAULT: Final = "default"
LIMITS: Final = {"horizon_days": (30, 730), "days_past_due": (1, 720), "share": (0.0, 1.0), "cure_days": (0, 3660), "lasts_days": (1, 3660)}


@dataclass(frozen=True)
class Definition:
    """One definition, whole.

    name, version  `default`, `severe_delinquency` or the firm's own name for it; the version of the set it stands in
    values         its parts as the JSON has them: `horizon_days`, within which a warning should be followed by it, and one part a kind of
                   KINDS: `used`; `cure_days`, after so many days without it the buyer is no longer in default; for amounts `share` of what the
                   buyer owes that is material, `above_least_amount` whether it must also reach that, and `days_past_due` from which on; for
                   signals `kinds` and `severities` that count, and `lasts_days` after its publication from which on it counts as ended: what was lifted
                   long ago is seldom said to be, and whoever is in default for ever is never warned of
    least_amounts  minor units a currency below which nothing is material; of a currency not named only the share counts
    """

    name: str
    version: str
    values: Mapping[str, Any]
    least_amounts: Mapping[str, int]

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    @property
    def horizon_days(self) -> int:
        """A warning is right when the event follows within so many days."""
        return int(self.values["horizon_days"])

    @property
    def told_after_days(self) -> int:
        """An amount is known to be in default so many days after it fell due; 0 where none makes a default by its age."""
        rule = self.values["past_due"]
        return int(rule["days_past_due"]) if rule["used"] else 0

    def told(self) -> dict[str, Any]:
        """The definition as plain data: what an answer is kept with."""
        return {"name": self.name, "version": self.version, **self.values, "least_amounts": dict(self.least_amounts)}


@cache
def shipped() -> dict[str, Any]:
    """The set that comes with the product."""
    found: dict[str, Any] = json.loads(resources.files(__package__).joinpath("definitions_v2.json").read_text(encoding="utf-8"))
    return found


def definition(name: str = DEFAULT, settings: Mapping[str, Any] | None = None) -> Definition:
    """A definition in force by these settings of a book.

    Raises RuleInvalidError for a name there is none of, or for a part that cannot be.
    """
    own: Mapping[str, Any] = (settings or {}).get(SETTING) or {}
    whole = checked(own)
    if name not in whole["definitions"]:
        raise RuleInvalidError(rule="definitions", value=name)
    return Definition(name, str(whole["version"]), whole["definitions"][name], whole["least_amounts"])


def checked(own: Mapping[str, Any]) -> dict[str, Any]:
    """The whole set with the firm's parts in it; what it leaves out is as shipped, and a definition of its own name as `default`.

    Raises RuleInvalidError naming the first part that is unknown or cannot be.
    """
    base = shipped()
    for name in own:
        if name not in base:
            raise RuleInvalidError(rule=name, value=json.dumps(own[name], ensure_ascii=False))
    amounts = {**base["least_amounts"], **own.get("least_amounts", {})}
    for code, amount in amounts.items():
        if isinstance(amount, bool) or not isinstance(amount, int) or amount < 0:
            raise RuleInvalidError(rule=f"least_amounts.{code}", value=amount)
    found = dict(base["definitions"])
    for name, values in own.get("definitions", {}).items():
        found[name] = laid_over(found[name if name in found else DEFAULT], values, _possible, f"definitions.{name}.")
    return {"version": str(own.get("version", base["version"])), "definitions": found, "least_amounts": amounts}


def _possible(path: str, value: Any) -> bool:
    name = path.rpartition(".")[2]
    if name in ("used", "leave_out_disputed", "above_least_amount"):
        return isinstance(value, bool)
    if name in ("kinds", "severities"):
        known = SIGNAL_KINDS if name == "kinds" else SIGNAL_SEVERITIES
        return isinstance(value, list) and bool(value) and all(one in known for one in value)
    low, high = LIMITS[name]
    return is_number(value, low, high, whole=name != "share")
