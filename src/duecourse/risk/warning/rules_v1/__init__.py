"""The plain rule score (规则预警分): forty indicators against their thresholds, green, amber or red, and one number of them all.

An indicator is amber (0.5) or red (1) when one of its stated conditions holds; without the figures for any of them it is missing and counts neither
way. The composite is 100 · Σ weight · level ÷ Σ weight of the indicators that are known. One red indicator of the highest weight puts a buyer into the
red whatever else is known of it. Thresholds and weights are data (`indicators.json`); a firm may state others, and the version then says so.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import pyarrow as pa

from duecourse.errors import DuecourseError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    Column = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]

Level = Literal["green", "amber", "red"]
LEVELS: Final[tuple[Level, ...]] = ("green", "amber", "red")
_HOLDS: Final[Mapping[str, Callable[[Column, float], Flags]]] = {">=": np.greater_equal, ">": np.greater, "<=": np.less_equal, "<": np.less}


class WarningRulesInvalidError(DuecourseError):
    """What a firm states of the warning's thresholds cannot be read."""

    code = "warning_rules_invalid"


@dataclass(frozen=True)
class Condition:
    """A column of the indicators' table, how it is compared, and with what."""

    column: str
    sign: str
    threshold: float


@dataclass(frozen=True)
class Indicator:
    """One indicator and what is amber and red of it.

    amber, red  alternatives, each a list of conditions: the first must hold, the others must not be known to fail
    """

    identifier: str
    family: str
    weight: float
    unit: str
    direction: str
    source: str
    amber: Sequence[Sequence[Condition]]
    red: Sequence[Sequence[Condition]]

    @property
    def columns(self) -> list[str]:
        """What it is known by: the columns its alternatives begin with."""
        return list(dict.fromkeys(one[0].column for one in (*self.amber, *self.red)))


@dataclass(frozen=True, eq=False)
class Rules:
    """Indicators in their order; the composite from which a buyer is amber and red; the weight from which one red indicator is enough."""

    version: str
    amber_from: float
    red_from: float
    floor_weight: float
    indicators: Mapping[str, Indicator]
    units: Mapping[str, str]

    def unit_of(self, column: str) -> str:
        """days, fraction, ratio or count."""
        own = self.indicators.get(column)
        return own.unit if own else self.units.get(column, "count")

    def changed(self, stated: Mapping[str, Any] | None) -> Rules:
        """The same rules with what a firm states instead: {"amber_from": 20, "indicators": {"LIM01": {"weight": 5, "amber": [[["LIM01", ">", 0.9]]]}}}.

        Raises WarningRulesInvalidError.
        """
        if not stated:
            return self
        return _changed(self, json.dumps(stated, sort_keys=True))


@dataclass(frozen=True)
class Reason:
    """Why an indicator is amber or red: the first condition of the alternative that holds, its value and threshold in `unit`."""

    indicator: str
    level: Level
    column: str
    value: float
    threshold: float
    unit: str
    weight: float

    @property
    def code(self) -> str:
        """The sentence that says it."""
        return f"warning.why_{self.column}"

    @property
    def args(self) -> dict[str, float]:
        """The sentence's arguments, named so that they are worded by their unit: value and threshold, or value_share and threshold_share."""
        end = "_share" if self.unit == "fraction" else ""
        places = {"fraction": 4, "days": 1}.get(self.unit, 2)
        return {f"{name}{end}": _short(round(value, places)) for name, value in (("value", self.value), ("threshold", self.threshold))}

    def plain(self) -> dict[str, Any]:
        """The reason as data, to be stored and worded later."""
        return {"code": self.code, "args": self.args, "indicator": self.indicator, "level": self.level, "weight": self.weight}


def _short(value: float) -> float:
    return int(value) if value == int(value) else value


@dataclass(frozen=True)
class Judged:
    """Columns by position, a buyer each.

    levels      one row a buyer, one column an indicator: 0, 0.5 or 1; NaN = missing
    composite   0 to 100; NaN where no indicator is known
    score       the composite, lifted into the red where a red of the highest weight stands: `red_from` and above, in the composite's order
    level       0 green, 1 amber, 2 red: a position in LEVELS
    floored     one red of the highest weight stands
    known       share of all weight that is known
    """

    rules: Rules
    values: Mapping[str, Column]
    levels: npt.NDArray[np.float64]
    composite: Column
    score: Column
    level: npt.NDArray[np.int8]
    floored: Flags
    known: Column

    def reasons(self, place: int) -> list[Reason]:
        """What speaks against one buyer, heaviest first."""
        found = []
        for number, one in enumerate(self.rules.indicators.values()):
            level = self.levels[place, number]
            if not level > 0:
                continue
            for alternative in one.red if level == 1 else one.amber:
                if _alternative(alternative, {name: column[place : place + 1] for name, column in self.values.items()})[0]:
                    first = alternative[0]
                    value = float(self.values[first.column][place])
                    unit = self.rules.unit_of(first.column)
                    found.append(Reason(one.identifier, LEVELS[int(2 * level)], first.column, value, first.threshold, unit, one.weight))
                    break
        return sorted(found, key=lambda one: (-one.weight * (2 if one.level == "red" else 1), one.indicator))

    def missing(self, place: int) -> list[str]:
        """The indicators that nothing is known of."""
        return [name for number, name in enumerate(self.rules.indicators) if np.isnan(self.levels[place, number])]


def judge(table: pa.Table, rules: Rules | None = None) -> Judged:
    """Levels, composite and reasons of each buyer of `desk.indicators.indicators`."""
    rules = rules or shipped()
    wanted = dict.fromkeys(
        condition.column
        for one in rules.indicators.values()
        for part in (one.amber, one.red)
        for alternative in part
        for condition in alternative
    )
    rows = table.num_rows
    values = {name: _column(table, name) if name in table.column_names else np.full(rows, np.nan) for name in wanted}
    levels = np.full((rows, len(rules.indicators)), np.nan)
    for number, one in enumerate(rules.indicators.values()):
        known = np.zeros(rows, np.bool_)
        for column in one.columns:
            known |= ~np.isnan(values[column])
        amber, red = (_any(part, values, rows) for part in (one.amber, one.red))
        levels[known, number] = np.where(red, 1.0, np.where(amber, 0.5, 0.0))[known]
    weights = np.array([one.weight for one in rules.indicators.values()])
    there = ~np.isnan(levels)
    known_weight = there @ weights
    with np.errstate(divide="ignore", invalid="ignore"):
        composite = np.where(known_weight > 0, 100.0 * (np.nan_to_num(levels) @ weights) / known_weight, np.nan)
    floored = ((levels == 1) & (weights >= rules.floor_weight)).any(axis=1)
    score = np.where(floored, rules.red_from + composite * (100.0 - rules.red_from) / 100.0, composite)
    level = np.where(score >= rules.red_from, 2, np.where(score >= rules.amber_from, 1, 0)).astype(np.int8)
    return Judged(rules, values, levels, composite, score, level, floored, known_weight / weights.sum())


def _column(table: pa.Table, name: str) -> Column:
    return np.asarray(table[name].cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)


def _alternative(conditions: Sequence[Condition], values: Mapping[str, Column]) -> Flags:
    first, *rest = conditions
    holds = _HOLDS[first.sign](values[first.column], first.threshold)
    for one in rest:
        value = values[one.column]
        holds = holds & (np.isnan(value) | _HOLDS[one.sign](value, one.threshold))
    return holds


def _any(alternatives: Sequence[Sequence[Condition]], values: Mapping[str, Column], rows: int) -> Flags:
    holds = np.zeros(rows, np.bool_)
    for one in alternatives:
        holds |= _alternative(one, values)
    return holds


@cache
def shipped() -> Rules:
    """The shipped thresholds."""
    said = json.loads(resources.files(__package__).joinpath("indicators.json").read_text(encoding="utf-8"))
    indicators = {name: _indicator(name, about) for name, about in said["indicators"].items()}
    return Rules(said["version"], said["amber_from"], said["red_from"], said["floor_weight"], indicators, said["units"])


def _indicator(name: str, about: Mapping[str, Any]) -> Indicator:
    return Indicator(
        name, about["family"], float(about["weight"]), about["unit"], about["direction"], about["source"],
        *([[Condition(*condition) for condition in one] for one in about[level]] for level in ("amber", "red")),
    )  # fmt: skip


@cache
def _changed(rules: Rules, text: str) -> Rules:
    stated = _mapping("warning_rules", json.loads(text))
    indicators = dict(rules.indicators)
    columns = {condition.column for one in indicators.values() for part in (one.amber, one.red) for every in part for condition in every}
    limits: dict[str, Any] = {
        name: _number(name, stated[name], 0, 100) for name in ("amber_from", "red_from", "floor_weight") if name in stated
    }
    for name, about in _mapping("indicators", stated.get("indicators", {})).items():
        if name not in indicators:
            raise WarningRulesInvalidError(name=name, value=name)
        own = _mapping(name, about)
        changes: dict[str, Any] = {"weight": _number(f"{name}.weight", own["weight"], 0, 100)} if "weight" in own else {}
        changes |= {level: _alternatives(f"{name}.{level}", own[level], columns) for level in ("amber", "red") if level in own}
        indicators[name] = replace(indicators[name], **changes)
    for name in stated:
        if name not in {"amber_from", "red_from", "floor_weight", "indicators"}:
            raise WarningRulesInvalidError(name=name, value=stated[name])
    changed = replace(rules, **limits, indicators=indicators)
    if changed.amber_from > changed.red_from:
        raise WarningRulesInvalidError(name="amber_from", value=changed.amber_from)
    if not sum(one.weight for one in indicators.values()):
        raise WarningRulesInvalidError(name="weight", value=0)
    return replace(changed, version=f"{rules.version}+{hashlib.sha256(text.encode()).hexdigest()[:8]}")


def _mapping(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise WarningRulesInvalidError(name=name, value=value)
    return value


def _number(name: str, value: Any, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise WarningRulesInvalidError(name=name, value=value)
    return float(value)


def _alternatives(name: str, stated: Any, columns: set[str]) -> list[list[Condition]]:
    try:
        found = [
            [Condition(str(column), str(sign), _number(name, threshold, -1e9, 1e9)) for column, sign, threshold in one] for one in stated
        ]
    except (TypeError, ValueError):
        raise WarningRulesInvalidError(name=name, value=stated) from None
    if any(not one or any(each.column not in columns or each.sign not in _HOLDS for each in one) for one in found):
        raise WarningRulesInvalidError(name=name, value=stated)
    return found
