"""The API's work in the background: webhooks are sent, what nobody told is told, old keys and logs are cleared away."""

from __future__ import annotations

from datetime import time, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone

from duecourse.web.jobs.registry import job, scheduled
from duecourse.web.jobs.rules import Daily, Every

if TYPE_CHECKING:
    from duecourse.web.jobs.running import Job

LOG_KEPT_DAYS: Final = 90


@job("api.deliver", title="web.api_job_deliver", retries=8)
def deliver(job: Job, *, delivery_id: int) -> dict[str, Any]:  # noqa: ARG001
    """Send one webhook."""
    from duecourse.web.api.webhooks.delivering import deliver as send  # noqa: PLC0415 — models need the apps loaded

    return {"status": send(delivery_id)}


@scheduled(Every(5))
@job("api.tell", title="web.api_job_tell", retries=3)
def tell(job: Job, *, due_at: str = "") -> dict[str, Any]:  # noqa: ARG001 — every scheduled job is told when it was due
    """Tell webhooks what happened and nobody told: changes of the ledger, imports that failed, new findings."""
    from duecourse.web import books  # noqa: PLC0415
    from duecourse.web.api.models import WebhookEndpoint  # noqa: PLC0415
    from duecourse.web.api.webhooks import events, watching  # noqa: PLC0415

    ledger = books.ledger()
    looked = events.catch_up(ledger.journal())
    if not WebhookEndpoint.objects.filter(active=True).exists():
        return {"changes": looked}
    return {"changes": looked, "failed": watching.tell_failed_imports(), "findings": watching.tell_new_findings(ledger)}


@scheduled(Daily(time(3, 40)))
@job("api.clean", title="web.api_job_clean", retries=3)
def clean(job: Job, *, due_at: str = "") -> dict[str, int]:  # noqa: ARG001 — every scheduled job is told when it was due
    """Clear away idempotency keys, delivered messages and rate buckets nobody uses."""
    from duecourse.web.api import idempotency  # noqa: PLC0415
    from duecourse.web.api.models import RateBucket, WebhookEvent  # noqa: PLC0415

    old = timezone.now() - timedelta(days=LOG_KEPT_DAYS)
    events, _ = WebhookEvent.objects.filter(created_at__lt=old).delete()
    buckets, _ = RateBucket.objects.filter(counted_at__lt=timezone.now().timestamp() - 86_400).delete()
    return {"keys": idempotency.clean(), "messages": events, "buckets": buckets}
