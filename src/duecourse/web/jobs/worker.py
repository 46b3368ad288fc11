"""The worker process: threads that do runs, a heartbeat that keeps their leases, a keeper that looks after schedules and lost runs."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Final

from django.db import DatabaseError, InterfaceError, close_old_connections, connection
from django.utils import timezone

from duecourse.errors import DuecourseError
from duecourse.web.jobs import owner
from duecourse.web.jobs.background import after_change
from duecourse.web.jobs.models import Worker
from duecourse.web.jobs.queue import claim, give_back, reap
from duecourse.web.jobs.registry import kind_of, kinds
from duecourse.web.jobs.running import Heartbeat, Interrupted, Job, carry_out
from duecourse.web.jobs.schedule import tick
from duecourse.web.letters import sending as letters
from duecourse.web.notices import sending as notices
from duecourse.web.orders import background as orders
from duecourse.web.outbox import sending
from duecourse.web.watch import background as watch

if TYPE_CHECKING:
    from types import FrameType

log = logging.getLogger("duecourse.jobs")

SEEN_SECONDS: Final = 10.0
"""How often a worker says that it is alive."""

GRACE_SECONDS: Final = 20.0
"""How long running jobs may take to come to a stop before the process ends under them."""

HASTE_SECONDS: Final = 0.6
"""The same when somebody at the keyboard waits (Ctrl-C)."""


class WorkerProcess:
    """Does jobs until it is told to stop."""

    def __init__(self, *, threads: int = 2, poll_seconds: float = 0.5, keep_seconds: float = 2.0) -> None:
        self.threads = max(1, threads)
        self.poll_seconds = poll_seconds
        self.keep_seconds = keep_seconds
        self.ending = threading.Event()
        self.grace_seconds = GRACE_SECONDS
        self.heartbeat = Heartbeat()
        self.told_to_stop = False
        self._slots = threading.Lock()
        self._long = 0

    def stop(self, number: int = 0, _frame: FrameType | None = None) -> None:
        """Take up nothing more, and ask what runs to stop.

        Also called by signals, which come at any moment, twice in a row and while the lock inside an Event is held: so it only leaves word, and `run`
        passes it on.
        """
        if number == signal.SIGINT:
            self.grace_seconds = HASTE_SECONDS
        self.told_to_stop = True

    def run(self) -> None:
        """Work until `stop`. Threads that do not come to an end in time die with the process; their runs are given back for others."""
        kinds()
        self._say_alive()
        self.heartbeat.start()
        hands = [threading.Thread(target=self._hand, name=f"job-{number}", daemon=True) for number in range(self.threads)]
        for hand in hands:
            hand.start()
        parent = os.getppid()
        keeper = threading.Thread(target=self._keep, name="keeper", daemon=True)
        keeper.start()
        while not self.told_to_stop:
            time.sleep(0.2)
            if os.getppid() != parent:  # whoever watches over us is gone
                self.stop()
        self.ending.set()
        for job in self.heartbeat.jobs():
            job.stop(Interrupted)
        give_up = time.monotonic() + self.grace_seconds
        for hand in hands:
            hand.join(max(0.0, give_up - time.monotonic()))
        keeper.join(min(2.0, self.grace_seconds / 2))
        self.heartbeat.end()
        try:
            for job in self.heartbeat.jobs():
                give_back(job.run)
            Worker.objects.filter(owner=owner.this_process()).delete()
        except (DatabaseError, InterfaceError):
            log.warning("the worker could not sign off: the database does not answer")
        connection.close()

    def _hand(self) -> None:
        while not self.ending.is_set():
            try:
                worked = self._take_one()
                if not worked:
                    watch.readiness.see_to()
            except (DatabaseError, InterfaceError):
                log.warning("the database does not answer")
                worked = False
                self.ending.wait(2.0)
            except Exception:
                log.exception("a worker's thread goes on after an error of its own")
                worked = False
                self.ending.wait(2.0)
            close_old_connections()
            if not worked:
                self.ending.wait(self.poll_seconds)
        connection.close()

    def _take_one(self) -> bool:
        with self._slots:
            run = claim(long=self._long < max(1, self.threads - 1))
            if run is None:
                return False
            kind = kind_of(run.name)
            long = kind is not None and kind.long
            self._long += long
        job = Job(run)
        self.heartbeat.add(job)
        try:
            carry_out(job)
        finally:
            self.heartbeat.remove(job)
            with self._slots:
                self._long -= long
        return True

    def _keep(self) -> None:
        seen = 0.0
        while not self.ending.is_set():
            try:
                if time.monotonic() - seen > SEEN_SECONDS:
                    self._say_alive()
                    seen = time.monotonic()
                reap()
                tick()
                sending.ask()
                notices.ask()
                letters.ask()
                self._look_at_ledger()
            except (DatabaseError, InterfaceError):
                log.warning("the database does not answer")
                close_old_connections()
            except Exception:
                log.exception("the keeper goes on after an error of its own")
            self.ending.wait(self.keep_seconds)
        connection.close()

    def _look_at_ledger(self) -> None:
        """A ledger that cannot be read is readiness's to tell; the keeper goes on with the rest."""
        try:
            after_change()
            orders.ask()
            watch.ask()
        except (DuecourseError, OSError):
            log.warning("the ledger could not be looked at")

    def _say_alive(self) -> None:
        now = timezone.now()
        Worker.objects.update_or_create(
            owner=owner.this_process(), defaults={"seen_at": now}, create_defaults={"seen_at": now, "started_at": now}
        )
        gone = [row.pk for row in Worker.objects.all() if owner.is_dead(row.owner)]
        if gone:
            Worker.objects.filter(pk__in=gone).delete()


def work(*, threads: int = 2) -> None:
    """Be a worker until SIGTERM or SIGINT."""
    worker = WorkerProcess(threads=threads)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, worker.stop)
    worker.run()


def drain(limit: int = 1000) -> int:
    """Do what waits, in this thread, until nothing is ready: for tests and `duecourse worker --once`. Returns how many runs were done."""
    done = 0
    while done < limit and (run := claim()) is not None:
        carry_out(Job(run))
        done += 1
    return done
