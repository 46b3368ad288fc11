"""Check an order and take its headroom, once, in one short transaction.  占用额度

On PostgreSQL the function `orders_take` does it in one trip; on SQLite the same happens step by step, one writer at a time. Two orders never
take the same headroom: whoever takes holds the lock of every account the order adds to, always taken in the same order.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal
from weakref import WeakSet

from django.db import IntegrityError, connection, transaction
from django.db.models import F

from duecourse.decisions.hold import Account, Rules, Take, Verdict, converted, judge
from duecourse.web.orders.models import (
    HELD,
    LIVING,
    RESERVED,
    SIMULATED,
    SUPERSEDED,
    Act,
    CoveredOrder,
    CreditAccount,
    OrderCheck,
    Part,
    Rate,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from duecourse.web.orders.picture import Drawn

Mode = Literal["reserve", "simulate", "ask"]
Status = Literal["answered", "replayed", "reused", "acted", "living"]
"""answered: a new answer; replayed: the same was asked under this key before; reused: the key was used for something else; acted: the key
was used for an act; living: the order has its headroom already."""

BUSY_MILLISECONDS: Final = 2000
"""So long a check waits for SQLite's one writer before it is refused: a caller is better told to come again than kept."""

NAMES: Final = (
    "p_mode", "p_person", "p_key", "p_digest", "p_nonce", "p_order", "p_buyer", "p_payer", "p_entity", "p_currency", "p_amount", "p_terms", "p_now",
    "p_today", "p_lease", "p_rules", "p_no_limit", "p_terms_weight", "p_version", "p_data_as_of", "p_book_on",
)  # fmt: skip
TYPES: Final = (
    "text", "bigint", "text", "text", "text", "text", "text", "text", "text", "text", "bigint", "int", "timestamptz", "date", "timestamptz", "bigint",
    "text", "text", "bigint", "timestamptz", "date",
)  # fmt: skip
CALL: Final = (
    "SELECT o_status, o_id, o_outcome, o_seen::text FROM orders_take("
    + ", ".join(f"{name} => %s::{kind}" for name, kind in zip(NAMES, TYPES, strict=True))
    + ")"
)
PREPARED: Final = (
    "SELECT o_status, o_id, o_outcome, o_seen::text FROM orders_take("
    + ", ".join(f"{name} => ${place}::{kind}" for place, (name, kind) in enumerate(zip(NAMES, TYPES, strict=True), start=1))
    + ")"
).encode()


@dataclass(frozen=True)
class Asked:
    """An order as it is asked about. Money in minor units of `currency`; `payer_id` empty = the buyer itself; `legal_entity` empty = not said."""

    order_id: str
    buyer_id: str
    currency: str
    amount_minor: int
    payer_id: str = ""
    legal_entity: str = ""
    terms_days: int | None = None


@dataclass(frozen=True)
class Taken:
    """What came of it. `check_id` is the row of the answer (of the earlier one where it is replayed or living); None where nothing is kept."""

    status: Status
    check_id: int | None
    nonce: str
    outcome: str
    seen: Sequence[Mapping[str, Any]]
    made_at: datetime
    lease_until: datetime | None


def take(mode: Mode, asked: Asked, drawn: Drawn, *, person_id: int | None = None, key: str = "", digest: str = "") -> Taken:
    """Check an order; with `reserve` take its headroom if it may ship, with `simulate` keep the answer only, with `ask` keep nothing.

    A crash leaves all of it or nothing. Raises django.db.OperationalError where the database is too busy: nothing was done.
    """
    for attempt in (1, 2, 3):
        try:
            if connection.vendor == "postgresql":
                return _by_function(mode, asked, drawn, person_id, key, digest)
            return _by_steps(mode, asked, drawn, person_id, key, digest)
        except IntegrityError:  # the same key or order at the same moment: the other one is there now
            if attempt == 3:
                raise
    raise AssertionError


def takes_of(seen: Sequence[Mapping[str, Any]]) -> list[Take]:
    """The accounts as they were seen."""
    return [Take(Account.from_facts(one["facts"]), one["amount"], one["reserved"], one["side"]) for one in seen]


def verdict_of(row: OrderCheck) -> Verdict:
    """The whole answer of a check that was kept, worked out again from what was seen."""
    return judge(takes_of(row.seen), Rules.of(row.rules.body), row.today, row.terms, payer=row.payer_id not in ("", row.buyer_id))


def _by_function(mode: Mode, asked: Asked, drawn: Drawn, person_id: int | None, key: str, digest: str) -> Taken:
    now = datetime.now(UTC)
    lease = now + timedelta(hours=drawn.rules.lease_hours)
    nonce = secrets.token_hex(4)
    connection.ensure_connection()
    values = (
        mode, person_id, key, digest, nonce, asked.order_id, asked.buyer_id, asked.payer_id, asked.legal_entity, asked.currency, asked.amount_minor,
        asked.terms_days, now, drawn.today, lease, drawn.rules_id, drawn.rules.no_limit, drawn.rules.terms, drawn.ledger_version,
        drawn.data_as_of, drawn.book_on,
    )  # fmt: skip
    with connection.wrap_database_errors:
        status, check_id, outcome, seen = _sent(connection.connection, values)
    reserved = mode == "reserve" and outcome != "hold"
    return Taken(status, check_id, nonce, outcome or "", json.loads(seen or "[]"), now, lease if reserved else None)


_prepared: WeakSet[Any] = WeakSet()
NAME: Final = b"orders_take"
NO_SUCH_STATEMENT: Final = b"26000"


def _sent(link: Any, values: Sequence[Any]) -> tuple[Status, int | None, str | None, str | None]:
    """Call the function over a connection of psycopg: by its bare libpq where nothing else is under way, at a third of a cursor's work."""
    from psycopg import Cursor, errors, pq  # noqa: PLC0415 — only where PostgreSQL is used

    texts = [None if one is None else str(one) for one in values]
    if not link.autocommit or any("\0" in text for text in texts if text):  # a transaction to be begun first; a sign libpq ends a text at
        with Cursor(link) as cursor:
            cursor.execute(CALL, values, prepare=True)
            row: Any = cursor.fetchone()
            return row  # type: ignore[no-any-return]
    sent = [None if text is None else text.encode() for text in texts]
    for attempt in (1, 2):
        if link not in _prepared or attempt == 2:
            found = link.pgconn.prepare(NAME, PREPARED)
            if found.status != pq.ExecStatus.COMMAND_OK:
                break
            _prepared.add(link)
        found = link.pgconn.exec_prepared(NAME, sent)
        if found.error_field(pq.DiagnosticField.SQLSTATE) != NO_SUCH_STATEMENT:
            break
    if found.status != pq.ExecStatus.TUPLES_OK:
        if found.error_field(pq.DiagnosticField.SQLSTATE) is None:  # the server is gone
            raise errors.OperationalError(found.get_error_message())
        raise errors.error_from_result(found)
    status, check_id, outcome, seen = (found.get_value(0, column) for column in range(4))
    told: Status = status.decode()
    return told, int(check_id) if check_id else None, outcome.decode() if outcome else None, seen.decode() if seen else None


# --- the same, step by step, for SQLite --------------------------------------------------------------------------------------------------


def _by_steps(mode: Mode, asked: Asked, drawn: Drawn, person_id: int | None, key: str, digest: str) -> Taken:
    now = datetime.now(UTC)
    nonce = secrets.token_hex(4)
    if mode == "ask":
        return _answered(mode, asked, drawn, now, nonce)[0]
    with quickly(), transaction.atomic():  # IMMEDIATE: the one writer from here on
        before = OrderCheck.objects.filter(person_id=person_id, key=key).values_list("id", "digest").first()
        if before is not None:
            return Taken("replayed" if before[1] == digest else "reused", before[0], "", "", (), now, None)
        if Act.objects.filter(person_id=person_id, key=key).exists():
            return Taken("acted", None, "", "", (), now, None)
        if mode == "reserve":
            living = OrderCheck.objects.filter(order_id=asked.order_id, state__in=LIVING).values_list("id", "state").first()
            if living is not None and living[1] != HELD:
                return Taken("living", living[0], "", "", (), now, None)
            if living is not None:
                OrderCheck.objects.filter(pk=living[0]).update(state=SUPERSEDED, changed_at=now)
        answered, parts = _answered(mode, asked, drawn, now, nonce)
        row = OrderCheck.objects.create(
            nonce=nonce, person_id=person_id, key=key, digest=digest, order_id=asked.order_id, buyer_id=asked.buyer_id, payer_id=asked.payer_id,
            legal_entity=asked.legal_entity, currency=asked.currency, amount=asked.amount_minor, terms=asked.terms_days,
            outcome=answered.outcome, seen=list(answered.seen), rules_id=drawn.rules_id, today=drawn.today,
            ledger_version=drawn.ledger_version, data_as_of=drawn.data_as_of, book_on=drawn.book_on, made_at=now,
            lease_until=answered.lease_until, expires_at=answered.lease_until, changed_at=now,
            state=SIMULATED if mode == "simulate" else RESERVED if answered.lease_until else HELD,
            held_amount=asked.amount_minor if answered.lease_until else 0,
        )  # fmt: skip
        if answered.lease_until:
            for part in parts:
                CreditAccount.objects.filter(pk=part.account_id).update(reserved=F("reserved") + part.remaining)
                part.check_made = row
            Part.objects.bulk_create(parts)
        return Taken("answered", row.pk, nonce, answered.outcome, answered.seen, now, answered.lease_until)


def _answered(mode: Mode, asked: Asked, drawn: Drawn, now: datetime, nonce: str) -> tuple[Taken, list[Part]]:
    covered = CoveredOrder.objects.filter(order_id=asked.order_id, buyer_id=asked.buyer_id, currency=asked.currency).first()
    counted = 0 if covered is None else asked.amount_minor if covered.closed else min(asked.amount_minor, covered.covered)
    scaled = int(Rate.objects.filter(currency=asked.currency).values_list("scaled", flat=True).first() or 0)
    seen, parts = [], []
    for account, side, room in touched(asked.buyer_id, asked.payer_id, asked.legal_entity):
        if account.currency == asked.currency:
            amount: int | None = asked.amount_minor
            rest: int | None = asked.amount_minor - counted
        else:
            amount = converted(asked.amount_minor, scaled, int(account.scaled))
            rest = converted(asked.amount_minor - counted, scaled, int(account.scaled))
        if rest is not None and room is not None:
            rest = min(rest, room)
        told = {"id": account.pk, "side": side, "amount": rest, "reserved": account.reserved, "name": account.name, "facts": account.facts}
        seen.append(told)
        if rest is not None:
            parts.append(Part(account=account, amount=amount, room=room, remaining=rest))
    outcome = judge(takes_of(seen), drawn.rules, drawn.today, asked.terms_days, payer=asked.payer_id not in ("", asked.buyer_id)).outcome
    lease = now + timedelta(hours=drawn.rules.lease_hours) if mode == "reserve" and outcome != "hold" else None
    return Taken("answered", None, nonce, outcome, seen, now, lease), parts


def touched(buyer_id: str, payer_id: str, entity: str) -> list[tuple[CreditAccount, str, int | None]]:
    """The accounts an order adds to, in the order of their locks: (account, side, room)."""
    found: dict[int, tuple[str, int | None]] = {}
    for side, who in (("buyer", buyer_id), ("payer", "" if payer_id == buyer_id else payer_id)):
        own = CreditAccount.objects.filter(key=who, kind="buyer", entity="").values_list("id", "links").first() if who else None
        if own is None:
            continue
        links = [(one["id"], one.get("room")) for one in own[1] if one["entity"] in ("", entity)]
        for number, room in [(own[0], None), *links]:
            found[number] = (side, room) if number not in found else ("both", None)
    rows = CreditAccount.objects.filter(pk__in=found).order_by("pk")
    return [(row, *found[row.pk]) for row in rows]


class quickly:  # noqa: N801 — reads as a word: with quickly(), atomic()
    """On SQLite, wait for the one writer no longer than BUSY_MILLISECONDS, and as long as ever afterwards."""

    def __enter__(self) -> None:
        self._set(BUSY_MILLISECONDS)

    def __exit__(self, *_what: object) -> None:
        timeout: Any = connection.settings_dict["OPTIONS"].get("timeout", 5)
        self._set(int(timeout * 1000))

    @staticmethod
    def _set(milliseconds: int) -> None:
        if connection.vendor == "sqlite" and not connection.in_atomic_block:
            with connection.cursor() as cursor:
                cursor.execute(f"PRAGMA busy_timeout = {milliseconds}")
