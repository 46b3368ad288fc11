"""A held order is let go, whole or in part, or refused: by somebody with the authority, with a reason, and by two people where it takes two."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from django.db import transaction

from duecourse.decisions.authority import Needed, authority_of, outranks
from duecourse.decisions.hold import SCALE
from duecourse.desk.credit_accounts import rates_of
from duecourse.desk.grading import grade
from duecourse.errors import BuyerUngradedError, BuyerUnknownError
from duecourse.money import to_decimal
from duecourse.web.accounts.audit import record
from duecourse.web.orders.acts import act
from duecourse.web.orders.models import HELD, Act, OrderCheck
from duecourse.web.orders.recording import put_out_by_hand

if TYPE_CHECKING:
    from duecourse.ledger.book import Book

CONSENT = "consent"


class NotAllowedError(Exception):
    """Not within the authority of this person; `role` may."""

    def __init__(self, role: str) -> None:
        super().__init__(role)
        self.role = role


@dataclass(frozen=True)
class Done:
    """What came of it: `released`, or `waiting` for so many others to agree."""

    what: Literal["released", "waiting"]
    others: int = 0


def needed_for(book: Book, check: OrderCheck, amount: int) -> Needed:
    """Who may release so much of this order: by what its buyer would owe us then, in base currency, and its grade.  放行权限"""
    scaled = rates_of(book).get(check.currency)
    owed = None if scaled is None else amount * scaled // SCALE
    for one in check.seen:
        facts = one["facts"]
        if facts.get("kind") == "buyer" and facts.get("key") == check.buyer_id and not facts.get("entity") and owed is not None:
            owed += (facts.get("exposure_minor", 0) + one["reserved"]) * int(facts.get("scaled", 0)) // SCALE
    try:
        given: int | None = grade(book, check.buyer_id).grade
    except (BuyerUngradedError, BuyerUnknownError):
        given = None
    return authority_of(book.settings).needed(None if owed is None else float(to_decimal(owed, book.base_currency)), given)


def release(request: Any, book: Book, check: OrderCheck, amount: int, reason: str) -> Done:
    """Let so much of a held order go. Raises NotAllowedError, NotPossibleError."""
    needed = needed_for(book, check, amount)
    person = request.user
    if not outranks(person.role, needed.role):
        raise NotAllowedError(needed.role)
    agreed = Act.objects.filter(check_made=check, act=CONSENT, amount__gte=amount).exclude(person=person).select_related("person")
    names = sorted({one.person.username: None for one in agreed if one.person and outranks(one.person.role, needed.role)})
    missing = needed.approvers - 1 - len(names)
    if missing > 0 and check.state == HELD:
        with transaction.atomic():
            Act.objects.update_or_create(
                person=person, key=f"{CONSENT} {check.public_id}",
                defaults={"digest": "", "check_made": check, "act": CONSENT, "reason": reason, "amount": amount},
            )  # fmt: skip
            record(request, "order.consent", "order", check.order_id, check=check.public_id, amount_minor=amount, reason=reason)
        return Done("waiting", missing)

    def also(row: OrderCheck) -> None:
        outcome = "released" if amount == row.amount else "released_in_part"
        put_out_by_hand(row, outcome, amount, reason, person, ", ".join(names))
        record(
            request, "order.release", "order", row.order_id, check=row.public_id, amount_minor=amount, currency=row.currency, reason=reason
        )

    act(
        "release",
        check,
        person=person,
        key=f"release {check.public_id}",
        digest=_digest(amount, reason),
        reason=reason,
        amount=amount,
        also=also,
    )
    return Done("released")


def refuse(request: Any, check: OrderCheck, reason: str) -> None:
    """Say no to a held order. Raises NotPossibleError."""
    person = request.user

    def also(row: OrderCheck) -> None:
        put_out_by_hand(row, "refused", row.amount, reason, person)
        record(request, "order.refuse", "order", row.order_id, check=row.public_id, reason=reason)

    act("refuse", check, person=person, key=f"refuse {check.public_id}", digest=_digest(0, reason), reason=reason, also=also)


def _digest(amount: int, reason: str) -> str:
    return hashlib.sha256(f"{amount} {reason}".encode()).hexdigest()
