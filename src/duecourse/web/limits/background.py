"""Rules are played on the last year in the background."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from duecourse.web.jobs.registry import job

if TYPE_CHECKING:
    from duecourse.web.jobs.running import Job


@job("limits.try", title="web.limits_job_try", retries=2, lease_seconds=600, long=True)
def play(job: Job, *, rules: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG001 — one piece: there is nothing to tell on the way
    """What would these rules have stopped in the last year?"""
    from duecourse.decisions.limit_rules import checked  # noqa: PLC0415 — heavy: only in a worker
    from duecourse.desk.dates import default_day  # noqa: PLC0415
    from duecourse.desk.limit_trial import try_rules  # noqa: PLC0415
    from duecourse.web.jobs.background import own_ledger  # noqa: PLC0415

    ledger = own_ledger()
    found = try_rules(ledger.as_of(default_day(ledger)), checked(rules))
    return {"currency": found.currency, "basis": found.basis, "now": dict(found.now), "new": dict(found.new)}
