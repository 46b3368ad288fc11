"""What becomes of a check: confirmed, cancelled, run out, released or refused by somebody. Each is done once, whatever is sent twice.

Locks are taken in one order everywhere: the accounts by number, then the check.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from duecourse.decisions.hold import converted
from duecourse.web.orders.models import (
    ABSORBED,
    CANCELLED,
    CONFIRMED,
    EXPIRED,
    HELD,
    LIVING,
    REFUSED,
    RESERVED,
    Act,
    CreditAccount,
    OrderCheck,
    Part,
    Rate,
)
from duecourse.web.orders.taking import quickly, touched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from duecourse.web.accounts.models import Person

ActName = Literal["confirm", "cancel", "expire", "release", "refuse"]
RELEASED_HOURS: Final = 24 * 14
"""An order released by hand keeps its headroom so long without being confirmed."""


class CheckUnknownError(Exception):
    """There is no such check, or it is another's to see."""


class NotPossibleError(Exception):
    """The check is in a state from which this cannot be done. `state` says which."""

    def __init__(self, state: str) -> None:
        super().__init__(state)
        self.state = state


class KeyReusedError(Exception):
    """The key was used for something else."""


@dataclass(frozen=True)
class Acted:
    """What was answered; `replayed`: it had been done before."""

    answer: dict[str, Any]
    replayed: bool


def check_of(public_id: str) -> OrderCheck:
    """The check others name so. Raises CheckUnknownError."""
    number, _, nonce = public_id.partition("-")
    row = OrderCheck.objects.select_related("rules").filter(pk=int(number)).first() if number.isdecimal() and len(number) < 19 else None
    if row is None or row.nonce != nonce:
        raise CheckUnknownError(public_id)
    return row


def act(
    name: ActName, check: OrderCheck, *, person: Person | None, key: str, digest: str, reason: str = "", amount: int | None = None,
    also: Callable[[OrderCheck], None] | None = None,
) -> Acted:  # fmt: skip
    """Do one thing with a check, once under its key.

    amount  of the order, for a release of a part; None = all of it
    also    done in the same transaction: what is put out for the ledger, the trail
    Raises NotPossibleError, KeyReusedError.
    """
    for attempt in (1, 2, 3):
        try:
            with quickly(), transaction.atomic():
                before = Act.objects.filter(person=person, key=key).first()
                if before is not None:
                    if before.digest != digest:
                        raise KeyReusedError
                    return Acted(before.answer, replayed=True)
                if OrderCheck.objects.filter(person=person, key=key).exists():
                    raise KeyReusedError
                row = _done(name, check, amount)
                answer = state_of(row)
                Act.objects.create(
                    person=person, key=key, digest=digest, check_made=row, act=name, reason=reason, amount=amount, answer=answer
                )
                if also is not None:
                    also(row)
                return Acted(answer, replayed=False)
        except (IntegrityError, NotPossibleError):  # perhaps the same key at the same moment: then it is done now
            if attempt == 3 or not Act.objects.filter(person=person, key=key).exists():
                raise
    raise AssertionError


def state_of(row: OrderCheck) -> dict[str, Any]:
    """How a check stands, as plain values."""
    return {
        "check_id": row.public_id,
        "order_id": row.order_id,
        "state": row.state,
        "held_amount": row.held_amount,
        "currency": row.currency,
        "expires_at": row.expires_at.isoformat() if row.expires_at else None,
        "changed_at": row.changed_at.isoformat(),
    }


def _done(name: ActName, check: OrderCheck, amount: int | None) -> OrderCheck:
    accounts = _release_accounts(check) if name == "release" else list(check.parts.values_list("account_id", flat=True))
    list(CreditAccount.objects.select_for_update(no_key=True).filter(pk__in=accounts).order_by("pk").values_list("pk"))
    row = OrderCheck.objects.select_for_update().get(pk=check.pk)
    row.changed_at = timezone.now()
    if name == "confirm":
        _only(row, RESERVED, CONFIRMED, ABSORBED)
        if row.state == RESERVED:
            row.state, row.expires_at = CONFIRMED, None
    elif name in ("cancel", "expire"):
        _only(row, *((HELD, RESERVED, CONFIRMED, CANCELLED, EXPIRED) if name == "cancel" else (RESERVED,)))
        if row.state in LIVING:
            _let_go(row)
            row.state, row.expires_at, row.held_amount = CANCELLED if name == "cancel" else EXPIRED, None, 0
    elif name == "refuse":
        _only(row, HELD)
        row.state = REFUSED
    else:
        _only(row, HELD)
        _take_by_hand(row, amount or row.amount)
    row.save(update_fields=["state", "expires_at", "held_amount", "changed_at"])
    return row


def _only(row: OrderCheck, *states: str) -> None:
    if row.state not in states:
        raise NotPossibleError(row.state)


def _let_go(row: OrderCheck) -> None:
    for part in row.parts.filter(remaining__gt=0):
        CreditAccount.objects.filter(pk=part.account_id).update(reserved=F("reserved") - part.remaining)
    row.parts.update(remaining=0)


def _release_accounts(check: OrderCheck) -> Iterable[int]:
    return [account.pk for account, _side, _room in touched(check.buyer_id, check.payer_id, check.legal_entity)]


def _take_by_hand(row: OrderCheck, amount: int) -> None:
    """Somebody with the authority lets it go: its headroom is taken even where there is none."""
    scaled = int(Rate.objects.filter(currency=row.currency).values_list("scaled", flat=True).first() or 0)
    parts = []
    for account, _side, room in touched(row.buyer_id, row.payer_id, row.legal_entity):
        taken = amount if account.currency == row.currency else converted(amount, scaled, int(account.scaled))
        if taken is None:
            continue
        remaining = taken if room is None else min(taken, room)
        CreditAccount.objects.filter(pk=account.pk).update(reserved=F("reserved") + remaining)
        parts.append(Part(check_made=row, account=account, amount=taken, room=room, remaining=remaining))
    Part.objects.bulk_create(parts)
    row.state, row.held_amount = RESERVED, amount
    row.expires_at = row.changed_at + timedelta(hours=RELEASED_HOURS)


def expire_due(*, at_most: int = 1000) -> int:
    """Give back the headroom of reservations nobody confirmed in time. Returns how many."""
    due = OrderCheck.objects.filter(state=RESERVED, expires_at__lt=timezone.now()).order_by("expires_at")[:at_most]
    done = 0
    for check in list(due):
        try:
            act("expire", check, person=None, key=f"expire {check.public_id} {check.expires_at}", digest="")
        except NotPossibleError:
            continue  # confirmed or cancelled at the last moment
        done += 1
    return done
