"""The trail proves itself once a week, whether somebody asks or not."""

from __future__ import annotations

import logging
from datetime import time
from typing import TYPE_CHECKING

from duecourse.errors import AuditTrailAlteredError
from duecourse.web.accounts import audit
from duecourse.web.jobs.registry import job, scheduled
from duecourse.web.jobs.rules import Weekly

if TYPE_CHECKING:
    from duecourse.web.jobs.running import Job

log = logging.getLogger("duecourse.audit")


@scheduled(Weekly(6, time(4, 0)))
@job("accounts.verify_trail", title="web.audit_job_verify", retries=2, lease_seconds=300, long=True)
def verify_trail(job: Job, *, due_at: str = "") -> dict[str, object]:  # noqa: ARG001 — every scheduled job is told when it was due
    """Read the whole trail; what was found goes into it. A trail that was altered is a failed job that says from which row on."""
    verdict = audit.verify()
    audit.record(None, "verified", "audit", "", whole=verdict.whole, rows=verdict.rows, first_bad=verdict.first_bad)
    if not verdict.whole:
        log.error("the audit trail is not as it was written", extra={"row": verdict.first_bad, "why": verdict.why})
        raise AuditTrailAlteredError(number=verdict.first_bad, why=verdict.why)
    return {"rows": verdict.rows, "hash": verdict.hash}
