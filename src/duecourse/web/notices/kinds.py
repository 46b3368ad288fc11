"""What people can be told, how often they want to hear of it, and what somebody hears who has chosen nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from duecourse.web.accounts.access import MAY

if TYPE_CHECKING:
    from collections.abc import Mapping

Rhythm = Literal["at_once", "daily", "weekly", "never"]
RHYTHMS: Final[tuple[Rhythm, ...]] = ("at_once", "daily", "weekly", "never")
DIGESTS: Final[tuple[Rhythm, ...]] = ("daily", "weekly")

KINDS: Final = (
    "alert_opened",
    "alert_changed",
    "alert_assigned",
    "alert_escalated",
    "alert_woken",
    "summary",
    "case_assigned",
    "case_escalated",
)
"""A new alert · reasons were added to one, or it grew worse · one was given to me · one was not looked at in time · its snooze ended ·
how many are open, of what weight and who has them, drawn up for a digest · a case of an unpaid debt was
given to me · its work is late."""

OF_ONE: Final = frozenset({"alert_assigned", "case_assigned"})
"""Told to one person alone, never to a group."""

OFFERED: Final[Mapping[str, tuple[Rhythm, ...]]] = {kind: ("daily", "weekly", "never") if kind == "summary" else RHYTHMS for kind in KINDS}
"""A summary of the day at once would be nothing else."""

WORKS_ALERTS: Final[Mapping[str, Rhythm]] = {
    "alert_opened": "daily", "alert_changed": "daily", "alert_assigned": "at_once", "alert_escalated": "at_once", "alert_woken": "at_once",
    "summary": "weekly", "case_assigned": "at_once", "case_escalated": "daily",
}  # fmt: skip
"""Of somebody who decides on limits, and so works the alerts."""

IS_ASKED: Final[Mapping[str, Rhythm]] = {**dict.fromkeys(KINDS, "never"), **dict.fromkeys(OF_ONE, "at_once")}
"""Of everybody else: only what is given to them."""


def usual(role: str) -> Mapping[str, Rhythm]:
    """What somebody of this role hears who has chosen nothing."""
    return WORKS_ALERTS if "decide" in MAY.get(role, ()) else IS_ASKED
