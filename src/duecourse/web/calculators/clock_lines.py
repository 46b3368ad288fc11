"""A clock as a page shows it: in words, and as a line from its first day to its last with what happened on it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from duecourse.desk.clock_trial import worded

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from duecourse.cover.deadlines.clock import Clock

WIDTH: Final = 1000
EDGE: Final = 12


def clock_words(clocks: Iterable[Clock], on: date) -> list[dict[str, Any]]:
    """What `calculators/_clocks.html` shows of some clocks, for any page."""
    return [{**worded(one, on), "line": _line(one, on)} for one in clocks]


def _line(clock: Clock, on: date) -> dict[str, Any] | None:
    """Where on the line each day lies: 0 to WIDTH. None: no end is known, there is nothing to draw."""
    if clock.starts_on is None or clock.ends_on is None:
        return None
    days = [clock.starts_on, clock.ends_on, *(one.event.on for one in clock.events)]
    first, last = min(days), max(days)
    if first <= on <= last + (last - first) / 4:  # today, where it does not push everything aside
        last = max(last, on)
    span = max((last - first).days, 1)

    def place(day: date) -> int:
        return EDGE + round((min(max(day, first), last) - first).days * (WIDTH - 2 * EDGE) / span)

    return {
        "start": place(clock.starts_on), "end": place(clock.ends_on), "width": place(clock.ends_on) - place(clock.starts_on),
        "today": place(on) if first <= on <= last else None, "act_by": place(clock.act_by) if clock.act_by else None,
        "alarm": place(max(first, clock.act_by - timedelta(days=clock.alarms[0]))) if clock.act_by else None,
        "events": [{"at": place(one.event.on), "counts": one.counts} for one in clock.events],
    }  # fmt: skip
