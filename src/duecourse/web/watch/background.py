"""Alerts are drawn up: of everybody once a day, of whom news comes about within the minute."""

from __future__ import annotations

import logging
import time as clock
from datetime import time
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from duecourse.errors import DuecourseError
from duecourse.web.jobs.queue import enqueue
from duecourse.web.jobs.registry import job, scheduled
from duecourse.web.jobs.rules import Daily

if TYPE_CHECKING:
    from datetime import date

    from duecourse.web.jobs.running import Job

log = logging.getLogger("duecourse.watch")
LOOK: Final = "watch.look"
DAY: Final = "watch.day"
READY_SECONDS: Final = 30.0
"""So long after the start, and so often after that, a worker asks itself whether it is ready to look: what starts with it comes first."""


def ask() -> None:
    """Ask for a look at what has come in since the last one, and for the first day's run once there is something to watch. A worker's keeper looks every few seconds."""
    from duecourse.desk.answers import facts_version  # noqa: PLC0415 — heavy: only in a worker
    from duecourse.web import books  # noqa: PLC0415
    from duecourse.web.watch.running import head  # noqa: PLC0415 — models need the apps loaded

    ledger, row = books.ledger(), head()
    if ledger.version != row.looked_version:
        enqueue(LOOK, key=f"version {ledger.version}", version=ledger.version)
    if row.last_day is None and facts_version(ledger) > 0:
        enqueue(DAY, key="first")


class Readiness:
    """Has this process asked, for the ledger and day it would be asked about, what a look asks? One of its idle threads does, once for each."""

    def __init__(self) -> None:
        self._turn, self._ready, self._asked_at = Lock(), ("", ""), clock.monotonic()

    def see_to(self, *, every: float = READY_SECONDS) -> bool:
        """Get ready if it is time to and there is need; was anything done? Nothing before the first day's run, which a new ledger waits for."""
        if clock.monotonic() - self._asked_at < every or not self._turn.acquire(blocking=False):
            return False
        try:
            self._asked_at = clock.monotonic()
            return self._see_to()
        except (DuecourseError, OSError):
            log.warning("the ledger could not be looked at")
            return False
        finally:
            self._turn.release()

    def _see_to(self) -> bool:
        from duecourse.desk.answers import identity  # noqa: PLC0415 — heavy: only in a worker
        from duecourse.desk.dates import default_day  # noqa: PLC0415
        from duecourse.web import books  # noqa: PLC0415
        from duecourse.web.jobs.background import own_ledger  # noqa: PLC0415
        from duecourse.web.watch.arriving import rehearse  # noqa: PLC0415
        from duecourse.web.watch.running import head  # noqa: PLC0415 — models need the apps loaded

        ledger = books.ledger()
        name = (str(identity(ledger)), default_day(ledger).isoformat())
        if name == self._ready or head().last_day is None:
            return False
        self._ready = name
        return bool(rehearse(own_ledger()))


readiness: Final = Readiness()


@job(LOOK, title="web.watch_job_look", retries=20, lease_seconds=120, backoff_seconds=5.0)
def look(job: Job, *, version: int) -> dict[str, Any]:  # noqa: ARG001 — a run of its own for each version
    """Look at those of whom something has just come in."""
    from duecourse.web.jobs.background import own_ledger  # noqa: PLC0415 — heavy: only in a worker
    from duecourse.web.watch.arriving import look_at_news  # noqa: PLC0415

    return look_at_news(own_ledger())


@scheduled(Daily(time(1, 0)))
@job(DAY, title="web.watch_job_day", retries=8, lease_seconds=300, backoff_seconds=30.0, long=True)
def day(job: Job, *, due_at: str = "", by: str = "") -> dict[str, Any]:  # noqa: ARG001 — every scheduled job is told when it was due
    """Run every day that is over and has not been run."""
    from duecourse.web.jobs.background import own_ledger  # noqa: PLC0415 — heavy: only in a worker
    from duecourse.web.watch.running import DayRunElsewhereError, run_days  # noqa: PLC0415

    def progress(share: float, on: date, step: str) -> None:
        job.progress(share, f"web.watch_step_{step}", day=on.isoformat())

    try:
        done = run_days(own_ledger(), by=by, progress=progress)
    except DayRunElsewhereError:
        return {"elsewhere": True}  # whoever runs them runs all there are
    return {"days": [one.on.isoformat() for one in done]}
