"""What can be told, and how it comes to be told once.

A change of the ledger stands in its journal, which is the one record that cannot be lost: whoever makes a change may tell it at once,
and a job goes through the journal behind them and tells what nobody told. The name of an event keeps it from being told twice.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, Final

from django.db import IntegrityError, transaction

from duecourse.web.api.models import LedgerMark, WebhookDelivery, WebhookEndpoint, WebhookEvent
from duecourse.web.jobs.queue import enqueue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from duecourse.ledger.journal import JournalRow

FACTS: Final = "facts.committed"
WITHDRAWN: Final = "facts.withdrawn"
IMPORTED: Final = "import.finished"
IMPORT_FAILED: Final = "import.failed"
REFUSED: Final = "quarantine.added"
FOUND: Final = "finding.new"
PING: Final = "ping"
EVENTS: Final = (FACTS, WITHDRAWN, IMPORTED, IMPORT_FAILED, REFUSED, FOUND)
"""What an endpoint can ask for; a ping is sent by hand."""

KEPT_ASIDE: Final = ("setting", "quarantine")


def happened(row: JournalRow) -> None:
    """Tell a change of the ledger, in the transaction one is in; what was told already is not told again."""
    if row.kind not in ("import", "post", "void"):
        return
    counts = {name: dict(numbers) for name, numbers in row.counts.items() if name not in KEPT_ASIDE and any(numbers.values())}
    data: dict[str, Any] = {
        "batch_id": row.batch_id, "ledger_version": row.version, "recorded_at": row.recorded_at.isoformat(), "counts": counts,
        "by": row.facts.get("by") or None,
    }  # fmt: skip
    if row.kind == "void":
        tell(WITHDRAWN, row.batch_id, {**data, "withdraws": row.withdraws, "reason": row.note})
        return
    if counts:
        tell(FACTS, row.batch_id, data)
    if row.kind == "import":
        refused = int(row.facts.get("quarantined") or 0)
        told = {**data, "file_name": row.file_name, "read": int(row.facts.get("read") or 0), "quarantined": refused}
        tell(IMPORTED, row.batch_id, told)
        if refused:
            tell(REFUSED, row.batch_id, {name: told[name] for name in ("batch_id", "ledger_version", "file_name", "quarantined")})


def tell(name: str, about: str, data: Mapping[str, Any]) -> WebhookEvent | None:
    """Put an event on its way to every endpoint that asks for it; None where none does, or it was told before."""
    endpoints = [one for one in WebhookEndpoint.objects.filter(active=True) if name in one.events]
    once = f"{name} {about}"
    if not endpoints or WebhookEvent.objects.filter(once=once).exists():
        return None
    try:
        with transaction.atomic():
            event = WebhookEvent.objects.create(name=name, message_id=new_message_id(), once=once, data=dict(data))
            for endpoint in endpoints:
                send(event, endpoint)
    except IntegrityError:  # another process told it at this moment
        return None
    return event


def ping(endpoint: WebhookEndpoint) -> WebhookDelivery:
    """An event that says nothing, to try an endpoint."""
    with transaction.atomic():
        name = new_message_id()
        event = WebhookEvent.objects.create(name=PING, message_id=name, once=f"{PING} {name}", data={"endpoint": endpoint.pk})
        return send(event, endpoint)


def send(event: WebhookEvent, endpoint: WebhookEndpoint) -> WebhookDelivery:
    """Put an event on its way to one endpoint, in the transaction one is in."""
    delivery = WebhookDelivery.objects.create(event=event, endpoint=endpoint)
    enqueue("api.deliver", key=f"delivery-{delivery.pk}-0", delivery_id=delivery.pk)
    return delivery


def new_message_id() -> str:
    """The name of a message, by which a receiver knows it again."""
    return f"msg_{secrets.token_hex(12)}"


def catch_up(rows: list[JournalRow]) -> int:
    """Tell every change of the ledger that is newer than the last one looked at; how many were looked at."""
    mark, made = LedgerMark.objects.get_or_create(name="journal", defaults={"version": rows[-1].version if rows else -1})
    if made:  # what happened before anybody listened is not told
        return 0
    fresh = [row for row in rows if row.version > mark.version]
    for row in fresh:
        with transaction.atomic():
            happened(row)
            LedgerMark.objects.filter(pk=mark.pk, version__lt=row.version).update(version=row.version)
    if rows and rows[-1].version < mark.version:  # an older ledger was put in its place
        LedgerMark.objects.filter(pk=mark.pk).update(version=rows[-1].version)
    return len(fresh)
