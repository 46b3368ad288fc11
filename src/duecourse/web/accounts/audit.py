"""The trail of who did and saw what: rows that are only ever added, each holding the hash of the one before.  操作记录

`record` writes at once, in the transaction of the caller: what was done and that it was done are kept together or not at all.
`verify` reads the whole trail and names the first row that is not as it was written.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from django.db import transaction
from django.db.models import Max
from django.http import HttpRequest

from duecourse.chain import Verdict, linked, verified
from duecourse.web.accounts import client
from duecourse.web.accounts.models import AuditEvent, AuditHead, Person

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CONTENT: Final = ("person_id", "person_name", "act", "kind", "key", "detail", "address")
"""What a row says besides when, in the order in which it is hashed."""

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
    return linked(previous, number, row.at, *(getattr(row, name) for name in CONTENT))


def verify() -> Verdict:
    """Is the trail as it was written? Looks at the rows there are as it begins; what is added meanwhile is for the next time."""
    newest = AuditEvent.objects.aggregate(newest=Max("number"))["newest"] or 0
    head = AuditHead.objects.filter(pk=1).first() or AuditHead()  # read second: it is never behind the rows
    rows = AuditEvent.objects.order_by("number").filter(number__lte=head.number)
    return verified(
        rows.values_list("number", "previous", "hash", "at", *CONTENT).iterator(chunk_size=5000), (head.number, head.hash), newest
    )


def _who(who: HttpRequest | Person | None) -> tuple[Person | None, str]:
    if isinstance(who, HttpRequest):
        person = getattr(who, "user", None)
        return (person if isinstance(person, Person) else None), client.address(who)
    return who, ""
