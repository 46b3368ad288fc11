"""What this room does in the background: screen everybody, ask the outside feeds."""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING

from duecourse.web.jobs.registry import job, scheduled
from duecourse.web.jobs.rules import Daily, Every

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


@scheduled(Every(30))
@job("evidence.feeds", title="web.feeds_job_all", retries=3)
def ask_feeds(job: Job, *, due_at: str = "") -> dict[str, int]:
    """Have each outside feed asked, by a run of its own: one that is down keeps none of the others waiting."""
    from duecourse.desk.feeds import feeds  # noqa: PLC0415 — heavy: only in a worker
    from duecourse.web.jobs.background import own_ledger  # noqa: PLC0415
    from duecourse.web.jobs.queue import enqueue  # noqa: PLC0415

    names = [one.name for one in feeds(own_ledger()).values() if one.address and not one.paused]
    for name in names:
        enqueue("evidence.feed", key=f"{name} {due_at or job.id}", name=name)
    return {"feeds": len(names)}


@job("evidence.feed", title="web.feeds_job", retries=6, lease_seconds=180, backoff_seconds=15)
def ask_feed(job: Job, *, name: str) -> dict[str, int]:
    """Ask one outside feed and enter what is new. One that is down is tried again, later and later; the next half hour asks it anyway."""
    from duecourse.desk import feeds as desk  # noqa: PLC0415 — heavy: only in a worker
    from duecourse.web import environment as env  # noqa: PLC0415
    from duecourse.web.jobs.background import own_ledger  # noqa: PLC0415
    from duecourse.web.jobs.queue import enqueue  # noqa: PLC0415

    job.check()
    ledger = own_ledger()
    if name not in desk.feeds(ledger):
        return {}  # removed since it was asked for
    done = desk.poll(ledger, name, networks=env.WEBHOOK_NETWORKS)
    if done.added.get("list_entry"):
        enqueue("evidence.screen", key=f"feed {name} {ledger.version}")
    return {**done.counts, **done.added}
