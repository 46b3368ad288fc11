"""One run, from take-up to its end: the job's own view of it, and what becomes of every way it can end."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import DatabaseError, InterfaceError, close_old_connections, connection
from django.db.models import F
from django.utils import timezone

from duecourse.errors import DiskFullError, DuecourseError, FeedDownError, LedgerBusyError, LedgerReadOnlyError
from duecourse.messages import use_language
from duecourse.web import environment as env
from duecourse.web.jobs.models import CANCELLED, DONE, FAILED, WAITING, JobRun
from duecourse.web.jobs.queue import held, wait_before
from duecourse.web.jobs.registry import Kind, kind_of
from duecourse.web.metrics import count_job

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from duecourse.web.accounts.models import Person

log = logging.getLogger("duecourse.jobs")

MAY_PASS: Final = (LedgerBusyError, DiskFullError, LedgerReadOnlyError, FeedDownError)
"""Errors of our own that are tried again: this machine or another cannot now, and may soon."""

PROGRESS_SECONDS: Final = 0.5
"""Between two writes of progress at least."""


class Stopped(Exception):  # noqa: N818 — not an error: the job is asked to come to an end
    """Raised by `job.progress` when the run is to stop. Let it pass; leave nothing half done that cannot be done again."""


class Cancelled(Stopped):
    """A person called the run off."""


class Interrupted(Stopped):
    """The worker is being stopped; the run goes on in another."""


class LeaseLost(Stopped):
    """The run was taken from this worker, which was silent for too long."""


class Job:
    """What a job sees of its run."""

    def __init__(self, run: JobRun) -> None:
        self.run = run
        self._stop: type[Stopped] | None = None
        self._told = 0.0
        self._phase = ""

    @property
    def id(self) -> int:
        """The run's number: part of a good idempotency key of what the job does."""
        return int(self.run.pk)

    @property
    def attempt(self) -> int:
        """1 the first time."""
        return int(self.run.attempts)

    @property
    def person(self) -> Person | None:
        """Who asked for it."""
        return self.run.person  # type: ignore[no-any-return]

    @property
    def cancelled(self) -> bool:
        """Should it stop?"""
        return self._stop is not None

    def stop(self, why: type[Stopped]) -> None:
        """Ask the job to stop; the first reason counts."""
        self._stop = self._stop or why

    def check(self) -> None:
        """Raise if the run is to stop."""
        if self._stop is not None:
            raise self._stop

    def progress(self, share: float, phase: str = "", **phase_args: Any) -> None:
        """Say how far it is (0 to 1) and what it does (a message identifier and its arguments). Cheap to call often.

        Raises Cancelled, Interrupted or LeaseLost when the run is to stop. Inside a transaction nothing is written, for nobody would see it.
        """
        self.check()
        now = time.monotonic()
        pause = PROGRESS_SECONDS if phase == self._phase else PROGRESS_SECONDS / 5
        if now - self._told < pause or connection.in_atomic_block:
            return
        self._told, self._phase = now, phase
        with contextlib.suppress(DatabaseError):  # progress can wait; the work goes on
            held(self.run).update(progress=share, phase=phase, phase_args=phase_args)


def carry_out(job: Job) -> str:
    """Do a run that was claimed, and write down how it ended. Returns its status now, or "" when it was no longer ours to end."""
    run = job.run
    kind = kind_of(run.name)
    assert kind is not None
    from duecourse.ledger.storage import faults_named  # noqa: PLC0415 — heavy: only in a worker

    use_language("en")
    args = {**run.args, "due_at": run.due_at.isoformat()} if run.due_at else run.args
    began = time.perf_counter()
    try:
        with faults_named(env.LEDGER):  # whichever library met the full disk, it is one
            outcome = _done(kind.work(job, **args))
    except Cancelled:
        outcome = {"status": CANCELLED, "finished_at": timezone.now()}
    except Interrupted:
        outcome = {"status": WAITING, "run_after": timezone.now()}
    except LeaseLost:
        outcome = {}
    except Exception as error:  # noqa: BLE001 — whatever a job raises ends in its row
        outcome = _failed(run, kind, error)
    written = _write(run, outcome) if outcome else False
    status = str(outcome.get("status", "")) if written else ""
    seconds = time.perf_counter() - began
    count_job(run.name, status or "lost", seconds)
    log.info(
        "job", extra={"job": run.name, "run": run.pk, "attempt": run.attempts, "status": status or "lost", "seconds": round(seconds, 3)}
    )
    return status


def _done(result: Any) -> dict[str, Any]:
    return {
        "status": DONE,
        "finished_at": timezone.now(),
        "result": result,
        "progress": 1.0,
        "error_code": "",
        "error_args": {},
        "error_detail": "",
    }


def _failed(run: JobRun, kind: Kind, error: Exception) -> dict[str, Any]:
    if isinstance(error, DuecourseError):
        said: Mapping[str, Any] = {"error_code": error.code, "error_args": _plain(error.args_), "error_detail": ""}
    else:
        # The text of an unforeseen error can hold anything: it goes to those who may see jobs, never into the log line.
        said = {"error_code": "job_unforeseen", "error_args": {"kind": type(error).__name__}, "error_detail": str(error)[:1000]}
    final = isinstance(error, DuecourseError) and not isinstance(error, MAY_PASS)
    log.warning(
        "job failed", extra={"job": run.name, "run": run.pk, "attempt": run.attempts}, exc_info=not isinstance(error, DuecourseError)
    )
    if final or run.failures >= kind.retries:
        return {"status": FAILED, "finished_at": timezone.now(), "failures": F("failures") + 1, **said}
    wait = wait_before(run.failures + 1, kind.backoff_seconds)
    return {"status": WAITING, "run_after": timezone.now() + timedelta(seconds=wait), "failures": F("failures") + 1, **said}


def _plain(args: Mapping[str, object]) -> dict[str, Any]:
    return {name: value if isinstance(value, str | int | float | bool | None) else str(value) for name, value in args.items()}


def _write(run: JobRun, outcome: Mapping[str, Any]) -> bool:
    """Write the end of a run, through a database that may be away for a while. A cancel that came too late does not undo what was done."""
    pause = 0.2
    while True:
        try:
            return bool(held(run).update(lease_owner="", lease_until=None, **outcome))
        except (DatabaseError, InterfaceError):
            log.warning("the end of a run could not be written yet", extra={"job": run.name, "run": run.pk})
            close_old_connections()
            time.sleep(pause)
            pause = min(pause * 2, 5.0)


class Heartbeat(threading.Thread):
    """Keeps the leases of what runs in this process, and carries a person's wish to cancel to the job."""

    def __init__(self, every_seconds: float = 1.0) -> None:
        super().__init__(name="heartbeat", daemon=True)
        self.every_seconds = every_seconds
        self._jobs: dict[int, Job] = {}
        self._guard = threading.Lock()
        self._ended = threading.Event()

    def add(self, job: Job) -> None:
        """Watch over a job."""
        with self._guard:
            self._jobs[job.id] = job

    def remove(self, job: Job) -> None:
        """It came to its end."""
        with self._guard:
            self._jobs.pop(job.id, None)

    def jobs(self) -> list[Job]:
        """What runs now."""
        with self._guard:
            return list(self._jobs.values())

    def end(self) -> None:
        """Stop beating."""
        self._ended.set()

    def run(self) -> None:
        """Beat until the end, whatever the database does meanwhile."""
        while not self._ended.wait(self.every_seconds):
            try:
                beat(self.jobs())
            except (DatabaseError, InterfaceError):
                log.warning("no heartbeat: the database does not answer")
                close_old_connections()
        connection.close()


def beat(jobs: Iterable[Job], now: datetime | None = None) -> None:
    """Look at the rows of these jobs once: extend leases a third of which is gone, pass on cancellations, notice what was lost."""
    now = now or timezone.now()
    jobs = list(jobs)
    rows = {row.pk: row for row in JobRun.objects.filter(pk__in=[job.id for job in jobs])} if jobs else {}
    for job in jobs:
        row = rows.get(job.id)
        if row is None or row.status != "running" or row.attempts != job.run.attempts:
            job.stop(LeaseLost)
            continue
        if row.cancel_asked:
            job.stop(Cancelled)
        kind = kind_of(row.name)
        assert kind is not None
        lease = timedelta(seconds=kind.lease_seconds)
        if (row.lease_until is None or row.lease_until - now < lease * 2 / 3) and not held(job.run).update(lease_until=now + lease):
            job.stop(LeaseLost)
