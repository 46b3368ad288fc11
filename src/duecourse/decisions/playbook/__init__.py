"""What is to be done about a debt that was not paid, and by when (催收剧本): steps as data, a version each, and the tasks they make of a case."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from duecourse.errors import RuleInvalidError
from duecourse.messages import Language, catalogue, language, say
from duecourse.risk.rule_sets import is_number, laid_over

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from duecourse.calendar import WorkingDays

SETTING: Final = "playbook"
"""The ledger setting that holds the firm's own; where there is none, the shipped one holds."""

PHASES: Final = ("early", "demand", "decide", "insurer", "legal")
ANCHORS: Final = (
    "due_date", "policy.overdue_notice", "policy.mep_end", "policy.waiting_end", "preservation", "claim_approved", "insolvency", "limitation_end", "limitation_over",
    "judgment",
)  # fmt: skip
CONDITIONS: Final = ("", "guarantee", "insured", "undisputed", "preservation", "insolvency", "judgment")
UNITS: Final = ("calendar", "working")
ROLLS: Final = ("earlier", "later")
LETTERS: Final = ("", "reminder", "demand_letter", "letter_before_action", "acknowledgement_of_debt", "guarantor_demand", "payment_plan")
MOST_DAYS: Final = 3660


@dataclass(frozen=True, slots=True)
class Step:
    """One step.

    does      what is to be done: its sentence is `playbook.does_<does>`, or `said` of a step the firm added
    anchor … roll, renewed   see playbook_v1.toml
    """

    code: str
    does: str
    phase: str
    anchor: str
    days: int
    unit: str
    when: str
    renewed: bool
    roll: str
    again: tuple[int, ...]
    letter: str
    done_by: tuple[str, ...]
    proof: bool
    source: str
    said: tuple[str, str] = ("", "")

    def sentence(self, lang: Language | None = None) -> str:
        """What is to be done, in words."""
        own = self.said[(lang or language()) == "zh"]
        return own or say(f"playbook.does_{self.does}", lang)

    def rests_on(self, lang: Language | None = None) -> str:
        """What its days rest on, in words; "" of a step the firm added."""
        return source_words(self.code, self.source, lang)


def source_words(code: str, source: str, lang: Language | None = None) -> str:
    """What the days of a shipped step rest on, in words."""
    known = catalogue()
    name = next((one for one in (f"playbook.source_{code}", f"playbook.source_{source}") if one in known), "")
    return say(name, lang) if name else source


@dataclass(frozen=True, slots=True)
class Opening:
    """When a case is opened by itself, and how long a task may be late before somebody above is told."""

    days_late: int
    least_amount: Decimal
    escalate_after_days: int


@dataclass(frozen=True, slots=True)
class Playbook:
    """A playbook, whole."""

    version: str
    opening: Opening
    steps: tuple[Step, ...]
    values: Mapping[str, Any]

    def step(self, code: str) -> Step | None:
        """The step of this code."""
        return next((one for one in self.steps if one.code == code), None)


@cache
def shipped_values() -> Mapping[str, Any]:
    """What comes with the product, as its file has it."""
    return tomllib.loads(resources.files(__package__).joinpath("playbook_v1.toml").read_text(encoding="utf-8"))


def playbook_of(settings: Mapping[str, Any], country: str = "") -> Playbook:
    """The playbook in force by these settings of a book, for debtors of a country. Raises RuleInvalidError."""
    own = settings.get(SETTING) or {}
    return checked(own, country)


def checked(own: Mapping[str, Any], country: str = "") -> Playbook:
    """The playbook these values make, laid over the shipped one.

    own  {version, opening: {…}, steps: {P02: {days: 2}, P04: {off: true}}, added: {X01: {en, zh, …}}, countries: {GB: {steps, added}}}
    Raises RuleInvalidError naming the first part that is unknown or cannot be.
    """
    base = shipped_values()
    if not isinstance(own, dict):
        raise RuleInvalidError(rule=SETTING, value=str(own))
    unknown = own.keys() - {"version", "opening", "steps", "added", "countries"}
    if unknown:
        raise RuleInvalidError(rule=min(unknown), value=str(own[min(unknown)]))
    whole = laid_over(
        {"version": base["version"], "opening": base["opening"]}, {key: own[key] for key in ("version", "opening") if key in own}, _possible
    )
    local = (own.get("countries") or {}).get(country.upper(), {}) if country else {}
    steps = [_step(code, values, _merged(code, own, local), "steps") for code, values in base["steps"].items()]
    for added in (own.get("added") or {}, local.get("added") or {}):
        steps += [_added(code, values) for code, values in added.items()]
    for code in {**(own.get("steps") or {}), **(local.get("steps") or {})}:
        if code not in base["steps"]:
            raise RuleInvalidError(rule=f"steps.{code}", value=code)
    opening = whole["opening"]
    return Playbook(
        str(whole["version"]), Opening(opening["days_late"], Decimal(opening["least_amount"]), opening["escalate_after_days"]),
        tuple(one for one in steps if one is not None), {**whole, **{key: own[key] for key in ("steps", "added", "countries") if key in own}},
    )  # fmt: skip


def _merged(code: str, *layers: Mapping[str, Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for layer in layers:
        part = (layer.get("steps") or {}).get(code, {})
        if not isinstance(part, dict):
            raise RuleInvalidError(rule=f"steps.{code}", value=str(part))
        merged |= part
    return merged


def _step(code: str, base: Mapping[str, Any], own: Mapping[str, Any], path: str) -> Step | None:
    mine = dict(own)
    if mine.pop("off", False) is True:
        return None
    values = laid_over(base, mine, _possible, f"{path}.{code}.")
    return Step(code, **{**values, "again": tuple(values["again"]), "done_by": tuple(values["done_by"])})


def _added(code: str, own: Mapping[str, Any]) -> Step:
    """A step of the firm's own: `en` and `zh` say what is to be done, the rest as a calendar task from the due date unless it is said."""
    plain: dict[str, Any] = {
        "does": "own", "phase": "demand", "anchor": "due_date", "days": 0, "unit": "calendar", "when": "", "renewed": True, "roll": "earlier", "again": [], "letter": "",
        "done_by": [], "proof": False, "source": "",
    }  # fmt: skip
    if not isinstance(own, dict):
        raise RuleInvalidError(rule=f"added.{code}", value=str(own))
    said = (str(own.get("en", "")).strip(), str(own.get("zh", "")).strip())
    if not all(said) or not code.isidentifier() or code in shipped_values()["steps"]:
        raise RuleInvalidError(rule=f"added.{code}", value=str(own))
    step = _step(code, plain, {key: value for key, value in own.items() if key not in ("en", "zh", "off")}, "added")
    assert step is not None  # `off` was taken out above
    return Step(**{**{each.name: getattr(step, each.name) for each in fields(step)}, "said": said})


def _possible(path: str, value: Any) -> bool:
    name = path.rpartition(".")[2]
    if name in ("version", "source"):
        return isinstance(value, str)
    if name == "does":
        return value == "own" or f"playbook.does_{value}" in catalogue()
    if name in CHOICES:
        return value in CHOICES[name]
    if name in ("renewed", "proof"):
        return isinstance(value, bool)
    if name == "days":
        return is_number(value, -MOST_DAYS, MOST_DAYS, whole=True)
    if name in ("days_late", "escalate_after_days"):
        return is_number(value, 0, MOST_DAYS, whole=True)
    if name == "least_amount":
        return _is_amount(value)
    if name == "again":
        return isinstance(value, list) and all(is_number(one, -MOST_DAYS, MOST_DAYS, whole=True) for one in value)
    return name == "done_by" and isinstance(value, list) and all(isinstance(one, str) for one in value)


CHOICES: Final[Mapping[str, Sequence[str]]] = {
    "phase": PHASES, "anchor": ANCHORS, "unit": UNITS, "when": CONDITIONS, "roll": ROLLS, "letter": LETTERS,
}  # fmt: skip


def _is_amount(value: Any) -> bool:
    try:
        return isinstance(value, str) and Decimal(value) >= 0
    except InvalidOperation:
        return False


# --- from a playbook and a case to tasks ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Planned:
    """One thing to be done.

    number      1, and more for a step that is called for again
    due_on      the last day on which it is in time; a day nobody works is never one
    counted_on  the day by the playbook before that was looked after, counted from the anchor itself
    """

    step: Step
    number: int
    due_on: date
    counted_on: date


@dataclass(frozen=True, slots=True)
class Situation:
    """What a playbook needs to know of a case.

    opened_on  when the case was opened
    anchors    {anchor: day}; steps of an anchor that has none are not called for yet
    holds      which conditions hold
    """

    opened_on: date
    anchors: Mapping[str, date]
    holds: frozenset[str]


def plan(playbook: Playbook, case: Situation, days: WorkingDays) -> list[Planned]:
    """What is to be done in a case, and by when?  任务清单

    A pure function of what is known: it gives the same on whichever day it is asked, so that a day on which nothing ran leaves nothing out.
    What was to come before the debt fell due, or before a period ended, is left out where that had passed when the case was opened. In order
    of their days.
    """
    tasks: list[Planned] = []
    for step in playbook.steps:
        anchor = case.anchors.get(step.anchor)
        if anchor is None or (step.when and step.when not in case.holds):
            continue
        for number, offset in enumerate((step.days, *step.again), start=1):
            counted = due = _counted(step, anchor, offset, days)
            if offset < 0 and (counted if step.anchor == "due_date" else anchor) < case.opened_on:
                continue
            first = anchor + timedelta(days=1) if offset > 0 else None
            if step.renewed and case.opened_on > anchor:
                due = max(counted, _counted(step, case.opened_on - timedelta(days=1), offset, days))
                first = case.opened_on
            tasks.append(Planned(step, number, _rolled(step, due, days, first), counted))
    return sorted(tasks, key=lambda one: (one.due_on, one.step.code, one.number))


def _counted(step: Step, anchor: date, offset: int, days: WorkingDays) -> date:
    return days.add_working_days(anchor, offset) if step.unit == "working" else anchor + timedelta(days=offset)


def _rolled(step: Step, day: date, days: WorkingDays, first: date | None) -> date:
    """A worked day: a duty moves to an earlier one, but to none before `first`, when there was nothing to do yet."""
    earlier = days.preceding(day)
    return days.following(day) if step.roll == "later" or (first is not None and earlier < first) else earlier
