"""Draw the credit accounts anew from the ledger, and let go of reservations the ledger has taken in.  额度账户刷新

An account's exposure and what is still reserved on it change in one transaction under its lock, so an order is counted at every moment once:
as a reservation, or in the exposure. Orders are checked meanwhile. A run that died is done again: nothing in it counts twice.
"""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeVar

from django.db import transaction
from django.db.models import Exists, OuterRef, Sum
from django.utils import timezone

from duecourse.decisions.hold import Account, standing_of
from duecourse.desk.credit_accounts import Known, accounts, covered, rates_of, rules_of
from duecourse.desk.dates import default_day
from duecourse.money import NO_CURRENCY
from duecourse.web.orders import picture
from duecourse.web.orders.models import (
    ABSORBED,
    CONFIRMED,
    HOLDING,
    LIVING,
    RESERVED,
    CoveredOrder,
    CreditAccount,
    OrderCheck,
    Part,
    Picture,
    Rate,
    RuleSet,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from duecourse.decisions.hold import Rules
    from duecourse.desk.credit_accounts import Covered, Place
    from duecourse.ledger.book import Book
    from duecourse.ledger.store import Ledger

T = TypeVar("T")
CHUNK: Final = 200
WATCHED_DAYS: Final = 35
"""So long after its invoice arrived a reservation is looked after: an import that is withdrawn gives it its headroom back."""

DRAWN: Final = (
    "name",
    "currency",
    "scaled",
    "granted",
    "clear",
    "ceiling",
    "note_above",
    "terms_days",
    "valid_to",
    "exposure",
    "links",
    "facts",
)


def draw(ledger: Ledger, *, progress: Callable[[float], None] = lambda _share: None) -> dict[str, int]:
    """Make the accounts a picture of this version of the ledger. Returns how many there are, and how many changed."""
    book = ledger.as_of(default_day(ledger))
    rules, rates = rules_of(book), rates_of(book)
    told = _Told(book)
    told.learn(OrderCheck.objects.filter(state__in=HOLDING, changed_at__gte=_since()).values_list("order_id", flat=True))
    told.learn(OrderCheck.objects.filter(state__in=LIVING).values_list("order_id", flat=True))
    contained = {one.order_id: one for one in covered(book)}
    _uncover(contained)
    ids = {(kind, key, entity): number for number, kind, key, entity in CreditAccount.objects.values_list("id", "kind", "key", "entity")}
    changed = count = 0
    gone = set(ids)
    progress(0.3)
    for chunk in _chunks(accounts(book, rules), CHUNK):
        count += len(chunk)
        gone -= {known.place for known in chunk}
        changed += _chunk(chunk, rules, ids, told, ledger.version)
        progress(min(0.9, 0.3 + count / (len(ids) + count + 1)))
    for places in _chunks(sorted(gone), CHUNK):
        changed += _chunk([_empty(place, book.base_currency, rates) for place in places], rules, ids, told, ledger.version)
    _finish(ledger, book, rules, rates, contained)
    _settle()
    return {"accounts": count, "changed": changed, "version": ledger.version}


def _chunks(items: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    rest = iter(items)
    while chunk := tuple(islice(rest, size)):
        yield chunk


class _Told:
    """How much of each order the ledger has, looked up once."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.known: set[str] = set()
        self.of: dict[tuple[str, str, str], Covered] = {}

    def learn(self, orders: Iterable[str]) -> None:
        for chunk in _chunks(sorted(set(orders) - self.known), 5_000):
            self.known.update(chunk)
            for one in covered(self.book, orders=chunk):
                self.of[one.order_id, one.buyer_id, one.currency] = one

    def rest(self, check: OrderCheck) -> int:
        """How much of what is held for an order the exposure does not contain yet."""
        found = self.of.get((check.order_id, check.buyer_id, check.currency))
        if found is None:
            return int(check.held_amount)
        return 0 if found.closed else max(0, check.held_amount - found.covered_minor)


def _since() -> Any:
    return timezone.now() - timedelta(days=WATCHED_DAYS)


def _uncover(contained: Mapping[str, Covered]) -> None:
    """Forget first what no longer is contained, or less of it: at worst an order counts twice for a moment, never not at all."""
    stale = []
    for row in CoveredOrder.objects.all().iterator(chunk_size=5_000):
        now = contained.get(row.order_id)
        if (
            now is None
            or (now.buyer_id, now.currency) != (row.buyer_id, row.currency)
            or now.covered_minor < row.covered
            or row.closed != now.closed
        ):
            stale.append(row.pk)
    for chunk in _chunks(stale, 500):
        CoveredOrder.objects.filter(pk__in=chunk).delete()


def _empty(place: Place, base: str, rates: Mapping[str, int]) -> Known:
    kind, key, entity = place
    return Known(Account(kind=kind, key=key, entity=entity, currency=base, scaled=rates.get(base, 0)))


def _values(known: Known, rules: Rules, ids: Mapping[Place, int]) -> dict[str, Any]:
    account, standing = known.account, standing_of(known.account, rules)
    return {
        "name": known.name[:300], "currency": account.currency, "scaled": account.scaled, "granted": account.limit_minor is not None,
        "clear": standing.clear, "ceiling": standing.ceiling, "note_above": standing.note_above, "terms_days": standing.terms_days,
        "valid_to": account.valid_to, "exposure": account.exposure_minor, "facts": account.facts(),
        "links": [
            {"id": ids[link.place], "entity": link.place[2], **({"room": link.room_minor} if link.room_minor is not None else {})}
            for link in known.links if link.place in ids
        ],
    }  # fmt: skip


def _chunk(chunk: Sequence[Known], rules: Rules, ids: dict[Place, int], told: _Told, version: int) -> int:
    """Bring some accounts up to date. Only those that change, or hold reservations, are locked."""
    fresh = [known.place for known in chunk if known.place not in ids]
    if fresh:  # blank at first, so that they stop everything: what they link to may be among them
        made = CreditAccount.objects.bulk_create(
            [CreditAccount(kind=kind, key=key, entity=entity, currency=NO_CURRENCY, clear=False) for kind, key, entity in fresh]
        )
        ids.update({(row.kind, row.key, row.entity): row.pk for row in made})
    values = {known.place: _values(known, rules, ids) for known in chunk}
    places = {ids[place]: place for place in values}
    busy = set(
        Part.objects.filter(account_id__in=places, check_made__state__in=HOLDING, check_made__changed_at__gte=_since()).values_list(
            "account_id", flat=True
        )
    )
    busy |= set(CreditAccount.objects.filter(pk__in=places, reserved__gt=0).values_list("pk", flat=True))
    wanted = [
        row.pk for row in CreditAccount.objects.filter(pk__in=places)
        if row.pk in busy or any(getattr(row, name) != values[places[row.pk]][name] for name in DRAWN)
    ]  # fmt: skip
    if wanted:
        _bring(wanted, {number: values[places[number]] for number in wanted}, told, version)
    return len(wanted)


def _bring(wanted: Sequence[int], values: Mapping[int, Mapping[str, Any]], told: _Told, version: int) -> None:
    parts = Part.objects.filter(account_id__in=wanted, check_made__state__in=HOLDING).select_related("check_made")
    told.learn(parts.values_list("check_made__order_id", flat=True))  # before the locks: it reads the ledger
    while not _under_lock(wanted, values, told, version):
        told.learn(parts.values_list("check_made__order_id", flat=True))


def _under_lock(wanted: Sequence[int], values: Mapping[int, Mapping[str, Any]], told: _Told, version: int) -> bool:
    """False where a reservation came meanwhile whose order has not been looked up in the ledger."""
    with transaction.atomic():
        rows = list(CreditAccount.objects.select_for_update().filter(pk__in=wanted).order_by("pk"))
        parts = list(Part.objects.filter(account_id__in=wanted, check_made__state__in=HOLDING).select_related("check_made"))
        if any(part.check_made.order_id not in told.known for part in parts):
            return False
        moved = []
        for part in parts:
            check = part.check_made
            rest = told.rest(check)
            remaining = -(-part.amount * rest // check.held_amount) if check.held_amount else 0
            remaining = remaining if part.room is None else min(remaining, part.room)
            if remaining != part.remaining:
                part.remaining = remaining
                moved.append(part)
        Part.objects.bulk_update(moved, ["remaining"], batch_size=200)
        sums = dict(Part.objects.filter(account_id__in=wanted).values_list("account_id").annotate(total=Sum("remaining")))
        for row in rows:
            for name, value in values[row.pk].items():
                setattr(row, name, value)
            row.reserved = sums.get(row.pk, 0)
            row.ledger_version = version
        CreditAccount.objects.bulk_update(rows, [*DRAWN, "reserved", "ledger_version"], batch_size=100)
        return True


def _finish(ledger: Ledger, book: Book, rules: Rules, rates: Mapping[str, int], contained: Mapping[str, Covered]) -> None:
    """Rates, rules, what is contained and the picture itself, together."""
    body = rules.told()
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    ruled, _ = RuleSet.objects.get_or_create(digest=digest, defaults={"body": body})
    there = {row.order_id: row for row in CoveredOrder.objects.all()}
    fresh = [
        CoveredOrder(order_id=one.order_id, buyer_id=one.buyer_id, currency=one.currency, covered=one.covered_minor, closed=one.closed)
        for one in contained.values() if one.order_id not in there
    ]  # fmt: skip
    grown = []
    for one in contained.values():
        row = there.get(one.order_id)
        if row is not None and row.covered != one.covered_minor:
            row.covered = one.covered_minor
            grown.append(row)
    today = timezone.localdate()
    with transaction.atomic():
        CoveredOrder.objects.bulk_create(fresh, batch_size=500)
        CoveredOrder.objects.bulk_update(grown, ["covered"], batch_size=200)
        for currency, scaled in rates.items():
            Rate.objects.update_or_create(currency=currency, defaults={"scaled": scaled})
        Rate.objects.exclude(currency__in=list(rates)).delete()
        Picture.objects.update_or_create(
            pk=1,
            defaults={
                "rules": ruled, "ledger_version": ledger.version, "data_as_of": ledger.state.last.recorded_at, "book_on": book.on,
                "live": abs((book.on - today).days) <= 1, "base_currency": book.base_currency, "drawn_at": timezone.now(),
            },
        )  # fmt: skip
    picture.forget()


def _settle() -> None:
    """Say of reservations whether the ledger has them."""
    holding = Part.objects.filter(check_made=OuterRef("pk"), remaining__gt=0)
    now = timezone.now()
    done = OrderCheck.objects.filter(~Exists(holding), state__in=(RESERVED, CONFIRMED), held_amount__gt=0, parts__isnull=False)
    OrderCheck.objects.filter(pk__in=list(done.values_list("pk", flat=True).distinct()), state__in=(RESERVED, CONFIRMED)).update(
        state=ABSORBED, expires_at=None, changed_at=now
    )
    other = OrderCheck.objects.filter(order_id=OuterRef("order_id"), state__in=LIVING)
    back = OrderCheck.objects.filter(Exists(holding), ~Exists(other), state=ABSORBED)
    for number in list(back.values_list("pk", flat=True)):
        OrderCheck.objects.filter(pk=number, state=ABSORBED).update(state=CONFIRMED, changed_at=now)
