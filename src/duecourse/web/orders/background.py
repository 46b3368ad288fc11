"""The accounts follow the ledger, answers go into it, and headroom nobody confirmed comes back."""

from __future__ import annotations

import hashlib
import json
from datetime import time, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.utils import timezone

from duecourse.web.jobs.queue import enqueue
from duecourse.web.jobs.registry import job, scheduled
from duecourse.web.jobs.rules import Daily, Every

if TYPE_CHECKING:
    from duecourse.ledger.store import Ledger
    from duecourse.web.jobs.running import Job

NOT_LOOKED_AT: Final = frozenset({"decision", "quarantine", "statement", "open_item", "snapshot"})
"""Tables no order is held against: the decisions about orders themselves are among them."""

PARTS_KEPT_DAYS: Final = 40
DEMO_ORDERS: Final = 60


@job("orders.draw", title="web.orders_job_draw", retries=20, lease_seconds=300, long=True)
def draw(job: Job, *, facts: str = "") -> dict[str, Any]:  # noqa: ARG001 — a run of its own for each state of the facts
    """Draw the credit accounts anew from the ledger."""
    from duecourse.web.jobs.background import own_ledger  # noqa: PLC0415 — heavy: only in a worker
    from duecourse.web.orders.drawing import draw as drawn  # noqa: PLC0415

    ledger = own_ledger()
    done = drawn(ledger, progress=lambda share: job.progress(share, "web.orders_phase_draw"))
    return {**done, "asked": ask_for_the_demo(ledger)}


def ask_for_the_demo(ledger: Ledger) -> int:
    """Of the demo economy nobody's ERP asks: check its open orders once, so that there is something to decide. Returns how many."""
    from duecourse.desk.demo_orders import NOTE  # noqa: PLC0415 — heavy: only in a worker
    from duecourse.ledger.entries import ORDER  # noqa: PLC0415
    from duecourse.web.orders import picture  # noqa: PLC0415 — models need the apps loaded
    from duecourse.web.orders.models import OrderCheck  # noqa: PLC0415
    from duecourse.web.orders.taking import Asked, take  # noqa: PLC0415

    if not any(row.note == NOTE for row in ledger.journal()) or OrderCheck.objects.exists():
        return 0
    drawn = picture.drawn()
    book = ledger.as_of(drawn.book_on)
    rows = book.run(book.table(ORDER).filter(book.order.status == "open").order_by("order_id").limit(DEMO_ORDERS)).to_pylist()
    for row in rows:
        asked = Asked(
            row["order_id"], row["buyer_id"], row["currency"], row["amount_minor"], "", row["legal_entity"] or "", row["payment_terms_days"]
        )
        take("reserve", asked, drawn, key=f"demo {row['order_id']}")
    return len(rows)


@job("orders.record", title="web.orders_job_record", retries=1000)
def record(job: Job, *, first: int = 0) -> dict[str, int]:  # noqa: ARG001 — a run of its own for each answer that waits longest
    """Put out the answers about orders that the ledger has not got."""
    from duecourse.web.orders.recording import record_waiting  # noqa: PLC0415 — models need the apps loaded

    return {"rows": record_waiting()}


@scheduled(Every(1))
@job("orders.expire", title="web.orders_job_expire", retries=5)
def expire(job: Job, *, due_at: str = "") -> dict[str, int]:  # noqa: ARG001 — every scheduled job is told when it was due
    """Give back the headroom of reservations nobody confirmed in time."""
    from duecourse.web.orders.acts import expire_due  # noqa: PLC0415 — models need the apps loaded

    return {"expired": expire_due()}


@scheduled(Daily(time(3, 55)))
@job("orders.clean", title="web.orders_job_clean", retries=3)
def clean(job: Job, *, due_at: str = "") -> dict[str, int]:  # noqa: ARG001 — every scheduled job is told when it was due
    """Clear away the parts of orders that hold nothing any more and came into the ledger long ago."""
    from duecourse.web.orders.models import CONFIRMED, RESERVED, Part  # noqa: PLC0415 — models need the apps loaded

    old = timezone.now() - timedelta(days=PARTS_KEPT_DAYS)
    ended = Part.objects.filter(remaining=0, check_made__changed_at__lt=old).exclude(check_made__state__in=(RESERVED, CONFIRMED))
    cleared, _ = ended.delete()
    return {"rows": cleared}


def facts_key(ledger: Ledger) -> str:
    """Another one whenever the accounts could be: the tables they are drawn from, and the day."""
    from duecourse.desk.dates import default_day  # noqa: PLC0415 — heavy: only in a worker

    tables = {name: version for name, version in ledger.state.last.tables.items() if name not in NOT_LOOKED_AT}
    told = json.dumps([tables, sorted(ledger.state.withdrawn), default_day(ledger).isoformat()])
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def ask() -> None:
    """Ask for what is due: a worker's keeper looks every few seconds."""
    from duecourse.web import books  # noqa: PLC0415 — heavy: only in a worker
    from duecourse.web.orders.models import OrderCheck  # noqa: PLC0415

    first = OrderCheck.objects.filter(recorded=False).order_by("id").values_list("id", flat=True).first()
    if first is not None:
        enqueue("orders.record", key=f"from {first}", first=first)
    ledger = books.ledger()
    if ledger.version > 0:
        facts = facts_key(ledger)
        enqueue("orders.draw", key=f"facts {facts}", facts=facts)
