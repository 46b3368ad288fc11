"""Every number a choice of route assumes, by name, with where it comes from; a person may set any of them otherwise.  假设"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from duecourse.cover.said import Said
from duecourse.errors import RuleInvalidError

if TYPE_CHECKING:
    from collections.abc import Mapping

Unit = Literal["share", "days", "money"]
HIGHEST: Final[Mapping[Unit, float]] = {"share": 1.0, "days": 20_000.0, "money": 1e18}


@dataclass(frozen=True, slots=True)
class Assumption:
    """One number: its name (`p.suit`), value, unit (share 0 to 1, days, money in minor units), source, confidence H, M or L, and whether it was set by hand."""

    name: str
    value: float
    unit: Unit
    source: Said
    confidence: str
    own: bool = False


@dataclass
class Assumptions:
    """What has been assumed so far. `overrides` count before the defaults."""

    overrides: Mapping[str, float] = field(default_factory=dict)
    used: dict[str, Assumption] = field(default_factory=dict)

    def __call__(self, name: str, default: float, unit: Unit, source: str, confidence: str = "L", **args: Any) -> float:
        """The value of an assumption, noted as used. Raises RuleInvalidError for an override that cannot be."""
        own = name in self.overrides
        value = float(self.overrides[name]) if own else default
        if not 0.0 <= value <= HIGHEST[unit]:
            raise RuleInvalidError(rule=name, value=str(value))
        said = Said("route.source_own") if own else Said(f"route.source_{source}", args)
        self.used[name] = Assumption(name, value, unit, said, "" if own else confidence, own)
        return value

    def check(self) -> None:
        """Every override was the name of something. Raises RuleInvalidError."""
        for name, value in self.overrides.items():
            if name not in self.used:
                raise RuleInvalidError(rule=name, value=str(value))
