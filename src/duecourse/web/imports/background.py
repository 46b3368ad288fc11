"""What this room does in the background: take files in, take imports back, check a large ledger, clear abandoned uploads away."""

from __future__ import annotations

import time as clock
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone

from duecourse.web import environment as env
from duecourse.web.accounts.access import may
from duecourse.web.jobs.registry import job, scheduled
from duecourse.web.jobs.rules import Daily

if TYPE_CHECKING:
    from duecourse.ledger.store import Ledger
    from duecourse.web.jobs.running import Job

KEPT_DAYS: Final = 7
"""How long a file waits to be confirmed."""


def own_ledger() -> Ledger:
    """A ledger object of the job's own: the one of the process is moved on by its other threads."""
    from duecourse.desk.opening import open_ledger  # noqa: PLC0415 — heavy: only where the work is done

    return open_ledger(env.LEDGER, memory_limit=env.MEMORY_LIMIT or None)


@job("imports.take_in", title="web.imports_job_take_in", retries=3, lease_seconds=60, long=True)
def take_in(job: Job, *, upload: int, turn: int) -> dict[str, Any]:
    """Take a confirmed file into the ledger. Known by its mark in the ledger's journal, so that however often it runs it counts once."""
    from duecourse.desk.importing import options_from, plain_result  # noqa: PLC0415 — heavy: only where the work is done
    from duecourse.desk.importing import take_in as take  # noqa: PLC0415
    from duecourse.web.imports.models import Upload  # noqa: PLC0415 — models need the apps loaded
    from duecourse.web.imports.receiving import place_of  # noqa: PLC0415

    row = Upload.objects.select_related("by").get(pk=upload)
    person = job.person or row.by
    grants = may(person, "settings")
    options = options_from(row.options, by=person.username, mark=f"{row.token}-{turn}", grants=grants)
    results = take(own_ledger(), place_of(row.sha256), row.name, options, lambda share, phase: job.progress(share, f"progress.{phase}"))
    plain = [plain_result(one) for one in results]
    row.note_results(turn, plain)
    return {"batches": [one.batch_id or one.known_as for one in results], "quarantined": sum(one.quarantined for one in results)}


@job("imports.withdraw", title="web.imports_job_withdraw", retries=5, lease_seconds=60, long=True)
def withdraw(job: Job, *, batch: str, reason: str, by: str) -> dict[str, Any]:
    """Take an import back, and work out anew what depends on it."""
    from duecourse.desk.imported import withdraw as take_back  # noqa: PLC0415 — heavy: only where the work is done

    gone = take_back(own_ledger(), batch, reason, by=by, progress=lambda share, phase: job.progress(share, f"progress.{phase}"))
    return {"withdrawn": gone}


@job("imports.check", title="web.findings_job", retries=2, lease_seconds=120, long=True)
def check(job: Job, *, on: str, known_at: str = "", scope: dict[str, list[str]] | None = None) -> dict[str, Any]:
    """Put the ledger's checks to a book; the answer is remembered beside the ledger, where the page finds it."""
    from duecourse.desk.findings import findings  # noqa: PLC0415 — heavy: only where the work is done
    from duecourse.ledger.scope import Scope  # noqa: PLC0415

    job.progress(0.1, "progress.checking")
    seen = Scope(**{name: frozenset(values) for name, values in (scope or {}).items()})
    book = own_ledger().as_of(date.fromisoformat(on), datetime.fromisoformat(known_at) if known_at else None).limited(seen)
    return {"findings": sum(one.count for one in findings(book))}


@scheduled(Daily(time(3, 40)))
@job("imports.clear", title="web.imports_job_clear", retries=3)
def clear(job: Job, *, due_at: str = "") -> dict[str, int]:  # noqa: ARG001 — every scheduled job is told when it was due
    """Clear away files nobody confirmed within a week, and what interrupted uploads and imports left."""
    from duecourse.desk.importing import drop_leftovers  # noqa: PLC0415 — heavy: only where the work is done
    from duecourse.web.imports.models import Upload  # noqa: PLC0415 — models need the apps loaded
    from duecourse.web.imports.receiving import drop_halves  # noqa: PLC0415
    from duecourse.web.imports.uploads import discard  # noqa: PLC0415

    old = Upload.objects.select_related("run").filter(results__isnull=True, at__lt=timezone.now() - timedelta(days=KEPT_DAYS))
    abandoned = [row for row in old if row.state != "under_way"]
    for row in abandoned:
        discard(row)
    return {"uploads": len(abandoned), "halves": drop_halves(86_400, clock.time()), "left_over": drop_leftovers(2 * 86_400)}
