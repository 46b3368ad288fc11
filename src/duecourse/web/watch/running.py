"""Days are run: one at a time over all machines, in order, each step once, taken up where they were left.  每日运行"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from duecourse.desk.alerting import handling
from duecourse.desk.daily_run import DayPastError, DayToComeError, days_to_run, run_day
from duecourse.desk.dates import default_day
from duecourse.errors import DuecourseError
from duecourse.web import environment as env
from duecourse.web.cases import keeping as cases
from duecourse.web.watch import digests, keeping
from duecourse.web.watch.lease import HeldElsewhere, Lease
from duecourse.web.watch.models import DayRun, DayStep, WatchHead

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from duecourse.desk.alerting import Fallen, Looked
    from duecourse.ledger.book import Book
    from duecourse.ledger.store import Ledger

DONE: Final = "done"


class DayRunElsewhereError(DuecourseError):
    """Days are being run by another process."""

    code = "day_run_elsewhere"


def newest_day(ledger: Ledger, now: datetime | None = None) -> date:
    """The last day that can be run: yesterday by the firm's clock, or the last day of a ledger whose facts ended before."""
    local = (now or datetime.now(UTC)).astimezone(ZoneInfo(env.TIME_ZONE)).date()
    return min(default_day(ledger), local - timedelta(days=1))


def head() -> WatchHead:
    """How far the days and the changes of the ledger have been looked at."""
    row, _ = WatchHead.objects.get_or_create(pk=1)
    return row


def run_days(
    ledger: Ledger, *, on: date | None = None, by: str = "", progress: Callable[[float, date, str], None] = lambda *_: None
) -> list[DayRun]:
    """Run every day up to the newest, or up to `on`, that has not been run; the runs that were done by this.

    A day that was run already is not run again. Raises DayPastError, DayToComeError, DayRunElsewhereError; what a step raises is kept with its run.
    """
    newest = newest_day(ledger)
    wanted = on or newest
    last = head().last_day
    if last is not None and wanted <= last:
        if on is None or DayRun.objects.filter(on=wanted, state=DONE).exists():
            return []
        raise DayPastError(day=wanted, last=last)
    if wanted > newest:
        raise DayToComeError(day=wanted, last=newest)
    try:
        with Lease() as lease:
            days = days_to_run(_last(), wanted)
            return [_run(ledger, day, lease, by, _share(progress, day, number, len(days))) for number, day in enumerate(days)]
    except HeldElsewhere as other:
        raise DayRunElsewhereError(owner=other.owner.rpartition("/")[0].rpartition("/")[2] or "?") from None


def _last() -> date | None:
    """The last day that was run whole; the first day of all counts from the moment it was begun."""
    last: date | None = head().last_day
    begun: DayRun | None = DayRun.objects.order_by("on").first() if last is None else None
    return begun.on - timedelta(days=1) if begun is not None else last


def _share(progress: Callable[[float, date, str], None], day: date, number: int, count: int) -> Callable[[float, str], None]:
    return lambda share, step: progress((number + share) / count, day, step)


def _run(ledger: Ledger, day: date, lease: Lease, by: str, progress: Callable[[float, str], None]) -> DayRun:
    run, _ = DayRun.objects.get_or_create(on=day, defaults={"asked_by": by})
    if run.state == DONE:
        return run
    DayRun.objects.filter(pk=run.pk).update(state="running", started_at=run.started_at or timezone.now(), fault="")
    before = DayRun.objects.filter(on__lt=day, state=DONE).order_by("-on").first()
    then = (before.on, before.ended_at) if before is not None else None
    try:
        run_day(ledger, day, _Kept(run, lease, progress), _Alerts(day), before=then)
    except Exception as error:
        DayRun.objects.filter(pk=run.pk, state="running").update(state="stopped", fault=_fault(error))
        raise
    with transaction.atomic():
        lease.check()
        keeping.locked_head()
        DayRun.objects.filter(pk=run.pk).update(state=DONE, ended_at=timezone.now())
        WatchHead.objects.filter(pk=1).update(last_day=day)
    run.refresh_from_db()
    return run


def _fault(error: Exception) -> str:
    return (error.message() if isinstance(error, DuecourseError) else type(error).__name__)[:300]


class _Kept:
    """What is kept of one run, behind the lease."""

    def __init__(self, run: DayRun, lease: Lease, progress: Callable[[float, str], None]) -> None:
        self.run, self.lease, self.progress = run, lease, progress

    def found(self, step: str) -> Mapping[str, Any] | None:
        row = DayStep.objects.filter(run=self.run, name=step).first()
        return None if row is None else row.found

    def keep(self, step: str, seconds: float, work: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
        began = datetime.now(UTC)
        found = work()  # alerts and notices know by themselves what they have done; see `keeping`
        spent = seconds + (datetime.now(UTC) - began).total_seconds()
        with transaction.atomic():
            self.lease.check()
            DayStep.objects.get_or_create(run=self.run, name=step, defaults={"seconds": spent, "found": dict(found)})
        return found

    def tell(self, share: float, step: str) -> None:
        with transaction.atomic():
            self.lease.check()
        self.progress(share, step)


class _Alerts:
    """The alerts of one day."""

    def __init__(self, day: date) -> None:
        self.cause = f"day {day}"

    def live(self) -> set[str]:
        return keeping.live_buyers()

    def draw_up(self, book: Book, looked: Looked, fallen: Sequence[Fallen]) -> Mapping[str, Any]:
        return keeping.draw_up(book, looked, self.cause, whole=True, fallen=fallen).plain

    def clocks(self, book: Book) -> Mapping[str, Any]:
        woken, escalated = keeping.wake(book), keeping.escalate(book, handling(book)["escalate_after_days"])
        return {"woken": woken, "escalated": escalated, "cases": cases.run(book)}

    def digests(self) -> Mapping[str, Any]:
        return {"recipients": digests.plan()}
