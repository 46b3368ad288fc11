"""Letters go by mail, one job a turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from duecourse.web.jobs.registry import job

if TYPE_CHECKING:
    from duecourse.web.jobs.running import Job


@job("letters.send", title="web.letters_job_send", retries=1000, lease_seconds=240, backoff_seconds=5.0)
def send(job: Job, *, number: int) -> dict[str, Any]:  # noqa: ARG001 — one letter: there is nothing to tell on the way
    """Send one letter."""
    from duecourse.web.letters.sending import send as send_one  # noqa: PLC0415 — models need the apps loaded

    return {"state": send_one(number)}
