"""The app's own upkeep: what the pages ask for worked out beforehand, the ledger in order, old rows cleared away."""

from __future__ import annotations

from datetime import time, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone

from duecourse.web.jobs.models import CANCELLED, DONE, FAILED, JobRun
from duecourse.web.jobs.queue import enqueue
from duecourse.web.jobs.registry import job, scheduled
from duecourse.web.jobs.rules import Daily

if TYPE_CHECKING:
    from duecourse.ledger.store import Ledger
    from duecourse.web.jobs.running import Job

KEPT_DAYS: Final = 30
FAILED_KEPT_DAYS: Final = 180
"""How long ended runs, and with them their keys, are kept."""


def own_ledger() -> Ledger:
    """A ledger object of the job's own, which stays at its version: that of the process is moved on by its other threads."""
    from duecourse.desk.opening import open_ledger  # noqa: PLC0415 — heavy: only where the work is done
    from duecourse.web import environment as env  # noqa: PLC0415

    return open_ledger(env.LEDGER, memory_limit=env.MEMORY_LIMIT or None)


@scheduled(Daily(time(0, 5)))
@job("jobs.warm", title="web.jobs_warm", retries=2, lease_seconds=300, long=True)
def warm(job: Job, *, due_at: str = "", version: int = 0) -> dict[str, int]:  # noqa: ARG001 — a run of its own for each version and day
    """Work out what the dashboard and the list of buyers ask for: after the facts changed, and when a new day begins."""
    from duecourse.desk.dashboard import warm as work_out  # noqa: PLC0415 — heavy: only where the work is done
    from duecourse.web.accounts.models import Person  # noqa: PLC0415 — models need the apps loaded

    ledger = own_ledger()
    scopes = {person.scope for person in Person.objects.filter(is_active=True)}
    work_out(ledger, scopes=scopes, progress=lambda share: job.progress(share, "web.jobs_phase_warm"))
    return {"version": ledger.version}


@scheduled(Daily(time(2, 30)))
@job("jobs.tidy", title="web.jobs_tidy", retries=3, lease_seconds=120, long=True)
def tidy(job: Job, *, due_at: str = "") -> dict[str, Any]:  # noqa: ARG001 — every scheduled job is told when it was due
    """Sort the ledger's files by buyer, where enough of them have gathered. Readers go on with the files they have."""
    from duecourse.desk.upkeep import put_in_order, worth_it  # noqa: PLC0415 — heavy: only where the work is done

    ledger = own_ledger()
    if not worth_it(ledger):
        return {"done": False, "version": ledger.version}
    job.progress(0.05, "web.jobs_phase_compact")
    put_in_order(ledger)
    return {"done": True, "version": ledger.version}


@scheduled(Daily(time(3, 15)))
@job("jobs.clean", title="web.jobs_clean", retries=3)
def clean(job: Job, *, due_at: str = "") -> dict[str, int]:  # noqa: ARG001 — every scheduled job is told when it was due
    """Clear away sessions that ran out and runs that ended long ago."""
    from django.contrib.sessions.models import Session  # noqa: PLC0415 — models need the apps loaded

    now = timezone.now()
    sessions, _ = Session.objects.filter(expire_date__lt=now).delete()
    ended, _ = JobRun.objects.filter(status__in=(DONE, CANCELLED), finished_at__lt=now - timedelta(days=KEPT_DAYS)).delete()
    failed, _ = JobRun.objects.filter(status=FAILED, finished_at__lt=now - timedelta(days=FAILED_KEPT_DAYS)).delete()
    return {"sessions": sessions, "runs": ended + failed}


def after_change() -> None:
    """Ask for the answers of the facts the ledger holds now, once for each change, and for order where many files have gathered.

    A worker's keeper looks every few seconds.
    """
    from duecourse.desk.answers import facts_version  # noqa: PLC0415 — heavy: only in a worker
    from duecourse.desk.upkeep import is_overdue  # noqa: PLC0415
    from duecourse.web import books  # noqa: PLC0415

    ledger = books.ledger()
    version = facts_version(ledger)
    if version > 0:
        enqueue("jobs.warm", key=f"facts {version}", version=version)
    if is_overdue(ledger):
        in_order = max((row.version for row in ledger.journal() if row.kind == "compact"), default=0)
        enqueue("jobs.tidy", key=f"since {in_order}")
