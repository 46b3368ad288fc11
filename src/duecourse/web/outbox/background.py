"""What was put out is appended to the ledger."""

from __future__ import annotations

from datetime import time, timedelta
from typing import TYPE_CHECKING, Final

from django.utils import timezone

from duecourse.web.jobs.registry import job, scheduled
from duecourse.web.jobs.rules import Daily

if TYPE_CHECKING:
    from duecourse.web.jobs.running import Job

KEPT_DAYS: Final = 30


@job("outbox.append", title="web.outbox_job_append", retries=1000, lease_seconds=60)
def append(job: Job, *, first: int = 0) -> dict[str, int]:  # noqa: ARG001 — a run of its own for each row that waits longest
    """Append the decisions that wait to the ledger."""
    from duecourse.web.jobs.background import own_ledger  # noqa: PLC0415 — heavy: only in a worker
    from duecourse.web.outbox.sending import append_waiting  # noqa: PLC0415 — models need the apps loaded

    return {"rows": append_waiting(own_ledger())}


@scheduled(Daily(time(3, 50)))
@job("outbox.clean", title="web.outbox_job_clean", retries=3)
def clean(job: Job, *, due_at: str = "") -> dict[str, int]:  # noqa: ARG001 — every scheduled job is told when it was due
    """Clear away rows that the ledger has long had."""
    from duecourse.web.outbox.models import Outgoing  # noqa: PLC0415 — models need the apps loaded

    cleared, _ = Outgoing.objects.filter(written_at__lt=timezone.now() - timedelta(days=KEPT_DAYS)).delete()
    return {"rows": cleared}
