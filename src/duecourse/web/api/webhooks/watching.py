"""What is worth telling and stands in no journal: imports that failed, and findings that were not there before."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.utils import timezone

from duecourse.desk.dates import default_day
from duecourse.desk.findings import findings
from duecourse.web.api.models import LedgerMark, WebhookEndpoint
from duecourse.web.api.webhooks.events import FOUND, IMPORT_FAILED, tell
from duecourse.web.jobs.models import FAILED, JobRun

if TYPE_CHECKING:
    from duecourse.ledger.store import Ledger

LOOKED_BACK: Final = timedelta(days=1)


def _wanted(name: str) -> bool:
    return any(name in one.events for one in WebhookEndpoint.objects.filter(active=True))


def tell_failed_imports() -> int:
    """Imports that ended in an error since yesterday; how many were new."""
    if not _wanted(IMPORT_FAILED):
        return 0
    runs = JobRun.objects.filter(name__startswith="imports.", status=FAILED, finished_at__gte=timezone.now() - LOOKED_BACK)
    told = 0
    for run in runs:
        data = {
            "job": run.pk,
            "error": run.error_code or "unexpected",
            "message": run.error,
            "at": (run.finished_at or timezone.now()).isoformat(),
        }
        told += tell(IMPORT_FAILED, f"{run.pk}-{run.attempts}", data) is not None
    return told


def tell_new_findings(ledger: Ledger) -> int:
    """Checks that find more than at the version looked at last; how many."""
    if not _wanted(FOUND):
        return 0
    mark, made = LedgerMark.objects.get_or_create(name="findings")
    if mark.version == ledger.version:
        return 0
    counts = {one.code: one.count for one in findings(ledger.as_of(default_day(ledger)))}
    told = 0
    if not made:
        for code, count in counts.items():
            before = int(mark.findings.get(code, 0))
            if count > before:
                told += (
                    tell(
                        FOUND,
                        f"{code} {ledger.version}",
                        {"code": code, "count": count, "before": before, "ledger_version": ledger.version},
                    )
                    is not None
                )
    LedgerMark.objects.filter(pk=mark.pk).update(version=ledger.version, findings=counts)
    return told
