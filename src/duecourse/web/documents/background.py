"""What this room does in the background: ask for time-stamps, draw up packages, clear away, verify everything."""

from __future__ import annotations

import json
import time
from datetime import time as clock
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone

from duecourse.web.jobs.registry import job, scheduled
from duecourse.web.jobs.rules import Daily, Every, Weekly

if TYPE_CHECKING:
    from pathlib import Path

    from duecourse.web.jobs.running import Job

KEPT_DAYS: Final = 30
DAY: Final = 24 * 3600.0


@job("documents.stamp", title="web.documents_job_stamp", retries=8, lease_seconds=120, backoff_seconds=20)
def stamp(job: Job, *, document_id: str) -> dict[str, int]:
    """Have one document stamped. An authority that is down is asked again, later and later; the nightly round asks for what is still missing."""
    from duecourse.web.documents.stamping import stamp_document  # noqa: PLC0415 — models need the apps loaded

    job.check()
    return {"stamped": int(stamp_document(document_id))}


@scheduled(Every(6 * 60))
@job("documents.stamps", title="web.documents_job_stamps", retries=3)
def ask_again(job: Job, *, due_at: str = "") -> dict[str, int]:
    """Have every document stamped that is not yet."""
    from duecourse.web import environment as env  # noqa: PLC0415 — read when it runs
    from duecourse.web.documents.models import Held, Stamped  # noqa: PLC0415 — models need the apps loaded
    from duecourse.web.jobs.queue import enqueue  # noqa: PLC0415

    if not env.TSA_URL:
        return {"documents": 0}
    without = Held.objects.exclude(document_id__in=Stamped.objects.values("document_id")).values_list("document_id", flat=True)[:5000]
    for document_id in without:
        enqueue("documents.stamp", key=f"{document_id} {due_at or job.id}", document_id=document_id)
    return {"documents": len(without)}


@scheduled(Every(10))
@job("documents.letters", title="web.documents_job_letters", retries=3)
def letters(job: Job, *, due_at: str = "") -> dict[str, int]:  # noqa: ARG001 — every scheduled job is told when it was due
    """File the letters that went, and the proofs of their service."""
    from duecourse.web.documents.letters import file_letters  # noqa: PLC0415 — models need the apps loaded

    return {"documents": file_letters()}


@job("documents.package", title="web.documents_job_package", retries=2, lease_seconds=180, long=True)
def draw_up(job: Job, *, package: int) -> dict[str, Any]:
    """Write the package somebody asked for."""
    from duecourse.web.documents.packing import draw_up as write  # noqa: PLC0415 — models need the apps loaded

    return write(package, lambda share: job.progress(share, "web.documents_phase_package"))


@scheduled(Daily(clock(3, 20)))
@job("documents.clean", title="web.documents_job_clean", retries=3)
def clean(job: Job, *, due_at: str = "") -> dict[str, int]:  # noqa: ARG001 — every scheduled job is told when it was due
    """Clear away what interrupted uploads left, and packages of a month ago."""
    from duecourse.web.documents import custody  # noqa: PLC0415 — models need the apps loaded
    from duecourse.web.documents.models import Held, Package  # noqa: PLC0415
    from duecourse.web.documents.packing import place_of  # noqa: PLC0415
    from duecourse.web.jobs.background import own_ledger  # noqa: PLC0415

    now, store = time.time(), custody.files()
    halves = store.drop_halves(DAY, now)
    known = {*Held.objects.values_list("document_id", flat=True), *_in_ledger(own_ledger())}
    unknown = store.drop_unknown(known, DAY, now)
    old = Package.objects.filter(at__lt=timezone.now() - timedelta(days=KEPT_DAYS))
    for one in old:
        _remove(place_of(one))
    cleared, _ = old.delete()
    return {"halves": halves, "files": unknown, "packages": cleared}


def _in_ledger(ledger: Any) -> set[str]:
    """The documents the ledger knows: of an app database brought back from an older backup they are still wanted."""
    from duecourse.desk.dates import FAR  # noqa: PLC0415 — heavy: only in a worker

    book = ledger.as_of(FAR)
    return {str(one) for one in book.run(book.document.select("document_id").distinct())["document_id"].to_pylist()}


def _remove(place: Path) -> None:
    place.unlink(missing_ok=True)
    place.with_suffix(".pdf").unlink(missing_ok=True)


@scheduled(Weekly(6, clock(2, 30)))
@job("documents.verify", title="web.documents_job_verify", retries=2, lease_seconds=300, long=True)
def verify(job: Job, *, due_at: str = "") -> dict[str, Any]:  # noqa: ARG001 — every scheduled job is told when it was due
    """Read every file and the whole custody log."""
    from duecourse.web.documents import custody  # noqa: PLC0415 — models need the apps loaded

    found = custody.look(lambda share: job.progress(share, "web.documents_phase_verify"))
    custody.note_verified(None, found)
    return {
        "files": found.files,
        "rows": found.log.rows,
        "bad": json.loads(json.dumps([one.file_name for one in found.bad[:20]])),
        "first_bad": found.log.first_bad,
    }
