"""One run of days at a time over all machines: a row taken by compare-and-set, kept by a heartbeat, free at once when its holder is seen to be dead."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import DatabaseError, InterfaceError, connection
from django.db.models import Q
from django.utils import timezone

from duecourse.web.jobs import owner
from duecourse.web.watch.models import RunLease

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

log = logging.getLogger("duecourse.watch")

LEASE: Final = timedelta(seconds=60)
BEAT_SECONDS: Final = 10.0


class HeldElsewhere(Exception):  # noqa: N818 — not an error: another run is under way
    """Another run holds the lease; `owner` names it."""

    def __init__(self, holder: str) -> None:
        self.owner = holder
        super().__init__(holder)


class LeaseLost(Exception):  # noqa: N818 — not an error of ours: we were silent for too long
    """The lease was taken by another run."""


class Lease:
    """`with Lease() as lease:` holds it; `lease.check()` raises LeaseLost where it was taken from us. Raises HeldElsewhere."""

    def __init__(self) -> None:
        self.fence = 0
        self._ended = threading.Event()
        self._lost = threading.Event()
        self._beat: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Take it."""
        row, _ = RunLease.objects.get_or_create(pk=1)
        now = timezone.now()
        if row.owner and row.until is not None and row.until > now and not owner.is_dead(row.owner):
            raise HeldElsewhere(row.owner)
        taken = RunLease.objects.filter(Q(pk=1, fence=row.fence), Q(until=row.until) if row.until else Q(until__isnull=True)).update(
            owner=owner.this_process(), until=now + LEASE, fence=row.fence + 1
        )
        if not taken:
            raise HeldElsewhere("")
        self.fence = row.fence + 1
        self._beat = threading.Thread(target=self._keep, name="day-lease", daemon=True)
        self._beat.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Give it back."""
        self._ended.set()
        if self._beat is not None:
            self._beat.join(2.0)
        RunLease.objects.filter(pk=1, fence=self.fence).update(owner="", until=None)

    def check(self) -> None:
        """Is it still ours? Asked before anything is written: whoever holds it says so with the fence. Raises LeaseLost."""
        if self._lost.is_set() or not RunLease.objects.select_for_update().filter(pk=1, fence=self.fence).exists():
            raise LeaseLost

    def _keep(self) -> None:
        try:
            while not self._ended.wait(BEAT_SECONDS):
                try:
                    if not RunLease.objects.filter(pk=1, fence=self.fence).update(until=timezone.now() + LEASE):
                        self._lost.set()
                        return
                except (DatabaseError, InterfaceError):
                    log.warning("the lease of the day's run could not be kept: the database does not answer")
                    connection.close()
        finally:
            connection.close()
