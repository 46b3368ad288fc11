"""Ask for work, take it up, give it back. Every step is one guarded UPDATE, alike on SQLite and PostgreSQL."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from duecourse.web.jobs import owner
from duecourse.web.jobs.models import CANCELLED, FAILED, RUNNING, UNFINISHED, WAITING, JobRun
from duecourse.web.jobs.registry import kind_of, kinds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from duecourse.web.accounts.models import Person

LOSSES_ALLOWED: Final = 10
"""A job whose worker died under it so often is probably what kills it."""

LONGEST_WAIT: Final = 900.0
"""Seconds between two attempts at most."""


def enqueue(name: str, /, *, key: str = "", person: Person | None = None, run_after: datetime | None = None, **args: Any) -> JobRun:
    """Ask for a job, within the transaction one is in: if that is rolled back, nothing was asked.

    With a `key`, the same work is asked for once however often this is called: the run there is already is returned, whatever became of it.
    """
    kind = kind_of(name)
    assert kind is not None
    values = {"args": args, "person": person, "run_after": run_after or timezone.now()}
    if not key:
        return JobRun.objects.create(name=kind.name, **values)
    run, _made = JobRun.objects.get_or_create(name=kind.name, key=key, defaults=values)
    return run


def claim(*, long: bool = True, seconds: int | None = None) -> JobRun | None:
    """Take up the run that has waited longest, or None. Of one schedule only the earliest unfinished run can be taken up.

    long     whether long jobs may be taken
    seconds  the lease; None = what the job's kind says
    """
    known = [kind.name for kind in kinds().values() if long or not kind.long]
    earlier = JobRun.objects.filter(schedule=OuterRef("schedule"), due_at__lt=OuterRef("due_at"), status__in=UNFINISHED)
    ready = JobRun.objects.filter(status=WAITING, run_after__lte=timezone.now(), name__in=known)
    ready = ready.filter(Q(due_at__isnull=True) | ~Exists(earlier)).order_by("run_after", "id")
    for run in ready[:8]:
        now = timezone.now()
        kind = kind_of(run.name)
        assert kind is not None
        taken = JobRun.objects.filter(pk=run.pk, status=WAITING, attempts=run.attempts).update(
            status=RUNNING,
            attempts=F("attempts") + 1,
            lease_owner=owner.this_process(),
            lease_until=now + timedelta(seconds=seconds or kind.lease_seconds),
            started_at=now,
            finished_at=None,
            progress=0.0,
            phase="",
            phase_args={},
        )
        if taken:
            run.refresh_from_db()
            return run
    return None


def held(run: JobRun) -> Any:
    """The row of a run, only as long as this very attempt holds it: the fence in front of every write."""
    return JobRun.objects.filter(pk=run.pk, status=RUNNING, attempts=run.attempts)


def cancel(run: JobRun) -> bool:
    """Call a run off: at once while it waits; a running one stops at its next word of progress. Says whether there was anything to stop."""
    now = timezone.now()
    if JobRun.objects.filter(pk=run.pk, status=WAITING).update(status=CANCELLED, finished_at=now, cancel_asked=True):
        return True
    return bool(JobRun.objects.filter(pk=run.pk, status=RUNNING).update(cancel_asked=True))


def try_again(run: JobRun) -> bool:
    """Have a failed or cancelled run done after all, with its retries anew. Says whether it was one."""
    return bool(
        JobRun.objects.filter(pk=run.pk, status__in=(FAILED, CANCELLED)).update(
            status=WAITING, failures=0, losses=0, cancel_asked=False, run_after=timezone.now(), finished_at=None, error_code="",
            error_args={}, error_detail="",
        )
    )  # fmt: skip


def give_back(run: JobRun) -> bool:
    """Let another worker take up a run of this process, which is about to end. Says whether it was still ours."""
    return bool(held(run).update(status=WAITING, run_after=timezone.now(), lease_owner="", lease_until=None))


def wait_before(failures: int, first: float) -> float:
    """Seconds until the next attempt: doubling, at most LONGEST_WAIT, and spread so that many do not return at one moment."""
    return float(min(LONGEST_WAIT, first * 2 ** min(failures - 1, 30)) * random.uniform(0.5, 1.0))  # noqa: S311 — not a secret


def reap() -> int:
    """Take back runs whose worker is gone: its lease ran out, or its process is dead. Returns how many."""
    now = timezone.now()
    runs = list(JobRun.objects.filter(status=RUNNING))
    return sum(_taken_back(run) for run in _lost(runs, now))


def _lost(runs: Iterable[JobRun], now: datetime) -> list[JobRun]:
    return [run for run in runs if run.lease_until is None or run.lease_until < now or owner.is_dead(run.lease_owner)]


def _taken_back(run: JobRun) -> int:
    # The lease is in the guard too: a heartbeat that came between keeps the run with its worker.
    guard = held(run).filter(lease_until=run.lease_until)
    now = timezone.now()
    if run.cancel_asked:
        return int(guard.update(status=CANCELLED, finished_at=now, lease_owner="", lease_until=None))
    if run.losses + 1 > LOSSES_ALLOWED:
        return int(
            guard.update(
                status=FAILED, finished_at=now, lease_owner="", lease_until=None, error_code="job_worker_lost",
                error_args={"times": run.losses + 1}, losses=F("losses") + 1,
            )
        )  # fmt: skip
    return int(guard.update(status=WAITING, run_after=now, lease_owner="", lease_until=None, losses=F("losses") + 1))
