"""Backtests and monthly reviews are worked out in the background: past months take seconds each, and nobody waits on a page for them."""

from __future__ import annotations

import os
import time as clock
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any, Final

from duecourse.web.jobs.registry import job, scheduled
from duecourse.web.jobs.rules import Monthly

if TYPE_CHECKING:
    from duecourse.ledger.book import Book
    from duecourse.web.jobs.running import Job

BACKTEST: Final = "review.backtest"
MONTH: Final = "review.month"


def _known(book: Book) -> datetime:
    moment: datetime = book.known_at or book.ledger.state.last.recorded_at
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@job(BACKTEST, title="web.review_job_backtest", retries=3, lease_seconds=600, backoff_seconds=20.0, long=True)
def play(job: Job, *, number: int) -> dict[str, Any]:
    """Replay the past as one backtest asks, and keep its report. One that has its report is left as it is."""
    from django.utils import timezone  # noqa: PLC0415 — models need the apps loaded

    from duecourse.desk.backtest import backtest  # noqa: PLC0415 — heavy: only in a worker
    from duecourse.desk.dates import default_day  # noqa: PLC0415
    from duecourse.web.jobs.background import own_ledger  # noqa: PLC0415
    from duecourse.web.review.models import Backtest  # noqa: PLC0415

    row = Backtest.objects.filter(pk=number, finished_at=None).first()
    if row is None:
        return {}
    asked = row.options
    since, until = (date.fromisoformat(asked[name]) if asked.get(name) else None for name in ("since", "until"))
    ledger = own_ledger()
    book = ledger.as_of(default_day(ledger))
    began = clock.monotonic()
    job.progress(0.0, "web.review_phase_replay")
    found = backtest(
        book, since=since, until=until, share=asked["share"], name=asked["name"], analysts=asked["analysts"], segment=asked["segment"],
        sets=asked.get("sets") or None, recorded=asked["recorded"], processes=max(1, len(os.sched_getaffinity(0)) - 1),
        progress=lambda share: job.progress(share, "web.review_phase_replay"),
    )  # fmt: skip
    Backtest.objects.filter(pk=number, finished_at=None).update(
        report=found, summary=Backtest.summed_up(found), seconds=clock.monotonic() - began, finished_at=timezone.now(), book_on=book.on, book_known_at=_known(book), ledger_version=ledger.version,
    )  # fmt: skip
    return {"months": found["months"], "buyers": found["buyers"], "defaults": found["defaults"]}


@scheduled(Monthly(3, time(5, 0)))
@job(MONTH, title="web.review_job_month", retries=3, lease_seconds=600, backoff_seconds=20.0, long=True)
def month(job: Job, *, due_at: str = "", day: str = "") -> dict[str, Any]:
    """Draw up the review of a month end: of `day`, else of the last month that is over. One drawn from this state of the ledger stays as it is."""
    from duecourse.desk.dates import default_day  # noqa: PLC0415 — heavy: only in a worker
    from duecourse.desk.monthly_review import last_month_end, monthly_review  # noqa: PLC0415
    from duecourse.errors import ReviewTooEarlyError  # noqa: PLC0415
    from duecourse.web.jobs.background import own_ledger  # noqa: PLC0415
    from duecourse.web.review.models import MonthlyReview  # noqa: PLC0415 — models need the apps loaded

    ledger = own_ledger()
    end = date.fromisoformat(day) if day else last_month_end(default_day(ledger))
    if MonthlyReview.objects.filter(month_end=end, ledger_version=ledger.version).exists():
        return {"month_end": end.isoformat()}
    book = ledger.as_of(end)
    began = clock.monotonic()
    try:
        found = monthly_review(book, progress=lambda share: job.progress(share, "web.review_phase_month", day=end.isoformat()))
    except ReviewTooEarlyError:
        if due_at:
            return {}  # nothing to look back on yet: no fault of anybody's
        raise
    MonthlyReview.objects.get_or_create(
        month_end=end, ledger_version=ledger.version,
        defaults={"book_known_at": _known(book), "made_by": job.person, "seconds": clock.monotonic() - began, "report": found},
    )  # fmt: skip
    return {"month_end": end.isoformat()}
