"""What this room does in the background: screen everybody."""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING

from duecourse.web.jobs.registry import job, scheduled
from duecourse.web.jobs.rules import Daily

if TYPE_CHECKING:
    from duecourse.web.jobs.running import Job


@scheduled(Daily(time(4, 20)))
@job("evidence.screen", title="web.screening_job", retries=3, lease_seconds=120, long=True)
def screen(job: Job, *, due_at: str = "") -> dict[str, int]:  # noqa: ARG001 — every scheduled job is told when it was due
    """Compare every buyer with every list. Every night, and when somebody asks."""
    from duecourse.desk.dates import FAR  # noqa: PLC0415 — heavy: only in a worker
    from duecourse.web.evidence.verdicts import screen_everybody  # noqa: PLC0415 — models need the apps loaded
    from duecourse.web.jobs.background import own_ledger  # noqa: PLC0415

    return screen_everybody(own_ledger().as_of(FAR), lambda share: job.progress(share, "web.screening_phase"))
