"""Messages are sent, one job a turn; what was told long ago is cleared away."""

from __future__ import annotations

from datetime import time, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone

from duecourse.web.jobs.registry import job, scheduled
from duecourse.web.jobs.rules import Daily

if TYPE_CHECKING:
    from duecourse.web.jobs.running import Job

KEPT_DAYS: Final = 180
"""The same as that of failed jobs: a digest of last quarter can still be looked up."""


@job("notices.send", title="web.notices_job_send", retries=1000, lease_seconds=180, backoff_seconds=5.0)
def send(job: Job, *, number: int) -> dict[str, Any]:  # noqa: ARG001 — one message: there is nothing to tell on the way
    """Send one message."""
    from duecourse.web.notices.sending import send as send_one  # noqa: PLC0415 — models need the apps loaded

    return {"state": send_one(number)}


@scheduled(Daily(time(4, 0)))
@job("notices.clean", title="web.notices_job_clean", retries=3)
def clean(job: Job, *, due_at: str = "") -> dict[str, int]:  # noqa: ARG001 — every scheduled job is told when it was due
    """Clear away messages that ended long ago, and their notices."""
    from duecourse.web.notices.models import DROPPED, FOR_A_PERSON, KEPT, SENT, Notice, Sending  # noqa: PLC0415

    old = timezone.now() - timedelta(days=KEPT_DAYS)
    ended = Sending.objects.filter(state__in=(SENT, DROPPED, *FOR_A_PERSON), made_at__lt=old)
    notices, _ = Notice.objects.filter(made_at__lt=old, sending__in=ended).delete()
    kept, _ = Notice.objects.filter(made_at__lt=old, state=KEPT).delete()
    sendings, _ = ended.delete()
    return {"notices": notices + kept, "messages": sendings}
