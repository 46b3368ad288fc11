"""The trail of who did and saw what: rows that are only ever added, each holding the hash of the one before.  操作记录

`record` writes at once, in the transaction of the caller: what was done and that it was done are kept together or not at all.
`verify` reads the whole trail and names the first row that is not as it was written.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.http import HttpRequest

from duecourse.web.accounts import client
from duecourse.web.accounts.models import AuditEvent, AuditHead, Person

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

START: Final = "0" * 64
"""What stands before the first row."""

TEXTS: Final = {"person_name": 150, "act": 40, "kind": 40, "key": 255, "address": 45}
"""The room of each column."""


@dataclass(frozen=True)
class Entry:
    """One row before it has its place in the chain."""

    at: datetime
    person_id: int | None
    person_name: str
    act: str
    kind: str
    key: str
    detail: str
    address: str


@dataclass(frozen=True)
class Verdict:
    """Whether the trail is as it was written.

    rows       how many rows were read
    hash       of the last one: written down elsewhere, it proves later that nothing before it changed
    first_bad  number of the first row that is not as it was written
    why        changed (its content), missing (a row before it), cut (the end is gone)
    """

    rows: int
    hash: str
    first_bad: int | None = None
    why: str = ""

    @property
    def whole(self) -> bool:
        """Is every row there, unchanged?"""
        return self.first_bad is None


def record(who: HttpRequest | Person | None, act: str, kind: str = "", key: object = "", **detail: object) -> None:
    """Add one row: who (a request, a person, None for the system itself) did what to which object. Never pass a secret."""
    append([entry(who, act, kind, key, detail)])


def record_as(request: HttpRequest, person: Person, act: str, kind: str, key: object, **detail: object) -> None:
    """The same, of somebody the request is not signed in as: not yet, or no longer."""
    append([replace(entry(person, act, kind, key, detail), address=client.address(request))])


def entry(who: HttpRequest | Person | None, act: str, kind: str, key: object, detail: dict[str, object]) -> Entry:
    """What `record` would add, now."""
    person, address = _who(who)
    if isinstance(who, HttpRequest):
        who.in_trail = True  # type: ignore[attr-defined]
    if (held := getattr(who, "api_key", None)) is not None:
        detail = {**detail, "api_key": held.prefix}
    words = {"person_name": person.name if person else "", "act": act, "kind": kind, "key": str(key), "address": address}
    fitted = {name: words[name].replace("\x00", "")[:room] for name, room in TEXTS.items()}
    told = json.dumps(detail, ensure_ascii=False, sort_keys=True, default=str).replace("\\u0000", "")
    return Entry(at=datetime.now(UTC), person_id=person.pk if person else None, detail=told, **fitted)


def append(entries: Sequence[Entry]) -> None:
    """Add rows to the end of the chain, one writer at a time, all or none."""
    if not entries:
        return
    with alone() as head:
        rows = []
        for one in entries:
            number, previous = head.number + 1, head.hash
            head.number, head.hash = number, hash_of(previous, number, one)
            rows.append(AuditEvent(number=number, previous=previous, hash=head.hash, **vars(one)))
        AuditEvent.objects.bulk_create(rows)
        head.save(update_fields=["number", "hash"])


@contextmanager
def alone() -> Iterator[AuditHead]:
    """A transaction that no other process can be in at the same time. SQLite locks the whole database as it begins, PostgreSQL the row."""
    with transaction.atomic():
        head, _ = AuditHead.objects.select_for_update().get_or_create(pk=1)
        yield head


def hash_of(previous: str, number: int, row: Entry | AuditEvent) -> str:
    """SHA-256 over the hash before and the row's own content, as JSON in UTF-8: anybody can work it out from the exported file."""
    at = row.at.astimezone(UTC).isoformat(timespec="microseconds")
    content = [previous, number, at, row.person_id, row.person_name, row.act, row.kind, row.key, row.detail, row.address]
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def verify() -> Verdict:
    """Is the trail as it was written?"""
    number, previous = 0, START
    for row in AuditEvent.objects.order_by("number").iterator(chunk_size=5000):
        if row.number != number + 1:
            return Verdict(number, previous, number + 1, "missing")
        if row.previous != previous or row.hash != hash_of(previous, row.number, row):
            return Verdict(number, previous, row.number, "changed")
        number, previous = row.number, row.hash
    head = AuditHead.objects.filter(pk=1).first()
    if head is not None and head.number > number:
        # Rows may have been added since the last one was read.
        if AuditEvent.objects.filter(number=number + 1).exists():
            return verify()
        return Verdict(number, previous, number + 1, "cut")
    if head is None or head.number < number or head.hash != previous:
        return Verdict(number, previous, number or 1, "changed") if number else Verdict(0, START)
    return Verdict(number, previous)


def _who(who: HttpRequest | Person | None) -> tuple[Person | None, str]:
    if isinstance(who, HttpRequest):
        person = getattr(who, "user", None)
        return (person if isinstance(person, Person) else None), client.address(who)
    return who, ""
