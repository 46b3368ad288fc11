"""A day drawn up from beginning to end (每日运行): refresh, indicators, grades, warnings, alerts, clocks, digests; each step once.

    for day in days_to_run(last_done, wanted):
        run_day(ledger, day, kept, alerts)

Every step reads the ledger as of the close of the day. What a step found is kept by whoever asks, so that a run that was killed goes on where it was;
what it worked out lies beside the ledger and is found again.
"""

from __future__ import annotations

import time
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from duecourse.desk.alerting import falls, looked_at_all
from duecourse.desk.grading import graded
from duecourse.desk.position import position
from duecourse.desk.standing import standing
from duecourse.errors import DuecourseError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date, datetime

    from duecourse.desk.alerting import Fallen, Looked
    from duecourse.ledger.book import Book
    from duecourse.ledger.store import Ledger

compute: Any = pc

STEPS: Final = ("refresh", "grades", "warnings", "alerts", "clocks", "digests")
FALLEN_NAMED: Final = 100


class DayPastError(DuecourseError):
    """A day before one that was run already cannot be run any more: alerts are as later days have left them."""

    code = "day_past"


class DayToComeError(DuecourseError):
    """A day that is not over, or of which the ledger says nothing."""

    code = "day_to_come"


class Kept(Protocol):
    """What the caller keeps of a day."""

    def found(self, step: str) -> Mapping[str, Any] | None:
        """What a step found, where it is done."""

    def keep(self, step: str, seconds: float, work: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
        """Do a step's last part and keep what it found, both or neither; `seconds` is what its first part took."""

    def tell(self, share: float, step: str) -> None:
        """Say how far the run is. Raises what stops it."""


class Alerts(Protocol):
    """The app's alerts, of which the spine knows nothing."""

    def live(self) -> set[str]:
        """Buyers with an open alert."""

    def draw_up(self, book: Book, looked: Looked, fallen: Sequence[Fallen]) -> Mapping[str, Any]:
        """Open, raise and clear."""

    def clocks(self, book: Book) -> Mapping[str, Any]:
        """What became due by this day."""

    def digests(self) -> Mapping[str, Any]:
        """What is to be told at the next digest."""


def days_to_run(last: date | None, wanted: date) -> list[date]:
    """The days that have not been run, in order: all since the last one, or the wanted one alone where none has been."""
    if last is None:
        return [wanted]
    return [last + timedelta(days=number) for number in range(1, (wanted - last).days + 1)]


def run_day(ledger: Ledger, on: date, kept: Kept, alerts: Alerts, *, before: tuple[date, datetime | None] | None = None) -> None:
    """Run a day, or what is left of it.  每日运行

    before  the day run before, and what was known then: grades are compared with it
    """
    day = _Day(ledger, on, alerts, before)
    for number, step in enumerate(STEPS):
        kept.tell(number / len(STEPS), step)
        if kept.found(step) is None:
            began = time.perf_counter()
            work: Callable[[], Mapping[str, Any]] = getattr(day, f"{step}_")()
            kept.keep(step, time.perf_counter() - began, work)


class _Day:
    """One day's steps. Each does what may take long at once, and gives back what is left to do in the moment in which it is kept."""

    def __init__(self, ledger: Ledger, on: date, alerts: Alerts, before: tuple[date, datetime | None] | None) -> None:
        ledger.refresh()
        self.book = ledger.as_of(on)
        self.alerts = alerts
        self.before = ledger.as_of(*before) if before is not None else None

    def refresh_(self) -> Callable[[], Mapping[str, Any]]:
        """The figures every page and every later step begins with."""
        columns, where = standing(self.book), position(self.book, figures="balance")
        first = where.base or (where.currencies[0] if where.currencies else None)
        found = {
            "version": self.book.version, "buyers": columns.count, "currency": first.currency if first else "",
            "outstanding": first.figures["outstanding"] if first else 0, "overdue": first.figures["overdue"] if first else 0,
        }  # fmt: skip
        return lambda: found

    @cached_property
    def _grades(self) -> tuple[dict[str, int], dict[str, int]]:
        """Of the day before and of this one."""
        now = _by_buyer(graded(self.book))
        return (_by_buyer(graded(self.before)) if self.before is not None else {}), now

    @cached_property
    def _fallen(self) -> list[Fallen]:
        return falls(*self._grades)

    def grades_(self) -> Callable[[], Mapping[str, Any]]:
        """Grades and how they moved."""
        before, now = self._grades
        counted = np.bincount(np.fromiter(now.values(), np.int64, len(now)), minlength=11) if now else np.zeros(11, np.int64)
        moved = [now[buyer] - grade for buyer, grade in before.items() if buyer in now]
        found = {
            "buyers": len(now), "by_grade": {str(grade): int(counted[grade]) for grade in range(1, 11)}, "worse": sum(one > 0 for one in moved),
            "better": sum(one < 0 for one in moved), "fallen": [one.buyer_id for one in self._fallen[:FALLEN_NAMED]], "fallen_count": len(self._fallen),
        }  # fmt: skip
        return lambda: found

    @cached_property
    def _looked(self) -> Looked:
        return looked_at_all(self.book, self.alerts.live(), self._fallen)

    def warnings_(self) -> Callable[[], Mapping[str, Any]]:
        """Indicators, rule score and probability of every active buyer."""
        found = {"watched": self._looked.watched, "levels": dict(self._looked.levels), "above": len(self._looked.warned)}
        return lambda: found

    def alerts_(self) -> Callable[[], Mapping[str, Any]]:
        """What the policy makes of it."""
        looked, fallen = self._looked, self._fallen
        return lambda: self.alerts.draw_up(self.book, looked, fallen)

    def clocks_(self) -> Callable[[], Mapping[str, Any]]:
        """Snoozes that end, alerts nobody looked at."""
        return lambda: self.alerts.clocks(self.book)

    def digests_(self) -> Callable[[], Mapping[str, Any]]:
        """What is to be told."""
        return self.alerts.digests


def _by_buyer(rows: pa.Table) -> dict[str, int]:
    buyers: list[Any] = rows["buyer_id"].to_pylist()
    grades: list[Any] = rows["grade"].to_pylist()
    return dict(zip(buyers, grades, strict=True))
