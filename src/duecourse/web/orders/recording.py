"""Answers about orders go into the ledger as decisions, in bulk and once: the check itself stays a short step.  放行决定入账"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.db import transaction

from duecourse.decisions.record import Basis, decision_row
from duecourse.desk.check_order import MESSAGES, answer_of
from duecourse.web.orders.answers import kept
from duecourse.web.orders.models import SIMULATED, OrderCheck
from duecourse.web.outbox.sending import put_out, put_out_many

if TYPE_CHECKING:
    from duecourse.web.accounts.models import Person

AT_ONCE: Final = 1000


def record_waiting() -> int:
    """Put out the answers the ledger has not got. Returns how many."""
    done = 0
    while True:
        with transaction.atomic():
            waiting = OrderCheck.objects.filter(recorded=False).select_related("rules", "person").order_by("id")
            rows = list(waiting.select_for_update(of=("self",), skip_locked=True)[:AT_ONCE])
            put_out_many([("decision", decision_of(row)) for row in rows])
            OrderCheck.objects.filter(pk__in=[row.pk for row in rows]).update(recorded=True)
        done += len(rows)
        if len(rows) < AT_ONCE:
            return done


def decision_of(row: OrderCheck) -> dict[str, Any]:
    """The answer as a decision of the ledger."""
    answer = answer_of(kept(row).verdict)
    return decision_row(
        decision_id=f"order-{row.public_id}", made_by=row.person.username if row.person else "", decided_at=row.made_at,
        outcome=row.outcome, reasons=[{"code": one["code"], "args": {**one["args"], "account": one["account"]}} for one in answer["reasons"]],
        **_common(row, answer),
    )  # fmt: skip


def put_out_by_hand(row: OrderCheck, outcome: str, amount: int, reason: str, person: Person, approved_by: str = "") -> None:
    """Put out what somebody decided about a held order: beside the answer, their word and reason. Belongs in the transaction of the act."""
    answer = answer_of(kept(row).verdict)
    common = _common(row, answer)
    put_out(
        "decision",
        decision_row(
            decision_id=f"order-{row.public_id}-{outcome}", made_by=person.username, approved_by=[approved_by] if approved_by else [],
            decided_at=row.changed_at, outcome=outcome, reasons=[{"code": f"{MESSAGES}by_hand", "args": {"reason": reason}}],
            **{**common, "amount_minor": amount},
        ),
    )  # fmt: skip


def _common(row: OrderCheck, answer: dict[str, Any]) -> dict[str, Any]:
    order = {
        "order_id": row.order_id, "buyer_id": row.buyer_id, "payer_id": row.payer_id, "legal_entity": row.legal_entity, "currency": row.currency,
        "amount_minor": row.amount, "terms_days": row.terms,
    }  # fmt: skip
    seen = [{name: one[name] for name in ("side", "amount", "reserved", "facts")} for one in row.seen]
    return {
        "kind": "order", "basis": Basis(row.book_on, row.data_as_of, row.ledger_version), "rules": {"order": row.rules.body},
        "inputs": {"order": order, "accounts": seen, "today": row.today.isoformat(), "simulation": row.state == SIMULATED},
        "answer": answer, "decided_on": row.today, "buyer_id": row.buyer_id, "order_id": row.order_id, "amount_minor": row.amount,
        "currency": row.currency,
    }  # fmt: skip
