"""One message on its way: tried, tried again with longer and longer waits, given up in the end; and an endpoint that only fails is switched off."""

from __future__ import annotations

import random
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.utils import timezone
from pydantic_core import to_json

from duecourse.web.accounts import audit
from duecourse.web.api.models import DELIVERED, GIVEN_UP, WAITING, WebhookAttempt, WebhookDelivery, WebhookEndpoint
from duecourse.web.api.webhooks import guard
from duecourse.web.api.webhooks.signing import SealBrokenError, signatures
from duecourse.web.jobs.queue import enqueue

if TYPE_CHECKING:
    from duecourse.web.api.webhooks.guard import Outcome

WAITS: Final = (5, 60, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds before each further try: the last is three days after the first."""

DISABLE_AFTER: Final = timedelta(days=5)
"""An endpoint to which nothing has come through for so long is switched off."""


def body_of(delivery: WebhookDelivery) -> bytes:
    """What is sent: the same bytes at every try."""
    event = delivery.event
    return to_json({"type": event.name, "timestamp": event.created_at.isoformat(), "data": event.data})


def deliver(delivery_id: int) -> str:
    """Try a delivery that waits; the status it has now.

    A worker that dies between the sending and the writing down sends it again: the receiver knows it by `webhook-id`.
    """
    delivery = WebhookDelivery.objects.select_related("event", "endpoint").filter(pk=delivery_id, status=WAITING).first()
    if delivery is None:
        return ""
    if not delivery.endpoint.active:
        WebhookDelivery.objects.filter(pk=delivery_id, status=WAITING).update(status=GIVEN_UP, next_at=None)
        return GIVEN_UP
    outcome = _sent(delivery)
    with transaction.atomic():
        return _written(delivery, outcome)


def _sent(delivery: WebhookDelivery) -> Outcome:
    body, at = body_of(delivery), int(time.time())
    try:
        target = guard.target_of(delivery.endpoint.url)
        signature = signatures(delivery.endpoint, delivery.event.message_id, at, body)
    except guard.RefusedError as error:
        return guard.Outcome(None, 0, fault=error.code)
    except SealBrokenError:
        return guard.Outcome(None, 0, fault="seal_broken")
    return guard.post(
        target, body, {"webhook-id": delivery.event.message_id, "webhook-timestamp": str(at), "webhook-signature": signature}
    )  # fmt: skip


def _written(delivery: WebhookDelivery, outcome: Outcome) -> str:
    good = outcome.status is not None and 200 <= outcome.status < 300
    tries = delivery.attempts + 1
    status = DELIVERED if good else GIVEN_UP if tries > len(WAITS) or outcome.status == 410 else WAITING
    next_at = None
    if status == WAITING:
        wait = WAITS[tries - 1]
        next_at = timezone.now() + timedelta(seconds=wait * random.uniform(0.9, 1.1))  # noqa: S311 — spread, not a secret
    moved = WebhookDelivery.objects.filter(pk=delivery.pk, status=WAITING, attempts=delivery.attempts).update(
        status=status, attempts=tries, next_at=next_at
    )
    if not moved:  # another worker has written this try down
        return ""
    WebhookAttempt.objects.create(
        delivery=delivery, status=outcome.status, milliseconds=outcome.milliseconds, fault=outcome.fault, answer=outcome.answer
    )
    if next_at is not None:
        enqueue("api.deliver", key=f"delivery-{delivery.pk}-{tries}", run_after=next_at, delivery_id=delivery.pk)
    _note_health(delivery.endpoint, good=good)
    return status


def _note_health(endpoint: WebhookEndpoint, *, good: bool) -> None:
    own = WebhookEndpoint.objects.filter(pk=endpoint.pk)
    now = timezone.now()
    if good:
        own.filter(failing_since__isnull=False).update(failing_since=None)
        return
    own.filter(failing_since__isnull=True).update(failing_since=now)
    if own.filter(active=True, failing_since__lt=now - DISABLE_AFTER).update(active=False, disabled_at=now):
        audit.record(None, "webhook_disabled", "webhook", endpoint.pk, url=endpoint.url)


def again(delivery: WebhookDelivery) -> WebhookDelivery:
    """Send the same message once more, by hand: a delivery of its own, with tries anew."""
    with transaction.atomic():
        fresh = WebhookDelivery.objects.create(event=delivery.event, endpoint=delivery.endpoint)
        enqueue("api.deliver", key=f"delivery-{fresh.pk}-0", delivery_id=fresh.pk)
        return fresh
