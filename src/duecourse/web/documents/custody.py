"""The custody log: who did what to which document, when. Only ever added to, chained by hash.  保管记录

`add` writes in the transaction of the caller: what was done and that it was done are kept together or not at all. `verify` reads the whole
log and names the first row that is not as it was written; `verify_files` reads every file and names those that are not what they were.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.db.models import Max

from duecourse.actions.evidence_file.facts import CUSTODY_CONTENT, Custody
from duecourse.chain import START, Verdict, linked, verified
from duecourse.web import environment as env
from duecourse.web.documents.models import CustodyHead, CustodyRow, Filed, Held

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from duecourse.desk.document_files import DocumentFiles

ACTS: Final = ("received", "described", "linked", "unlinked", "withdrawn", "downloaded", "stamped", "packed", "verified")


def files() -> DocumentFiles:
    """Where the app's documents lie."""
    from duecourse.desk.document_files import DocumentFiles  # noqa: PLC0415 — the desk is heavy

    return DocumentFiles(env.HOME / "documents")


@contextmanager
def alone() -> Iterator[CustodyHead]:
    """A transaction that no other process can be in at the same time. SQLite locks the whole database as it begins, PostgreSQL the row."""
    with transaction.atomic():
        head, _ = CustodyHead.objects.select_for_update().get_or_create(pk=1)
        yield head


def add(person: Any, act: str, documents: Iterable[tuple[str, str]], **detail: object) -> None:
    """Add a row for each (document, buyer). `person` None: the app itself."""
    assert act in ACTS
    told = json.dumps(
        {name: value for name, value in detail.items() if value not in ("", None)}, ensure_ascii=False, sort_keys=True, default=str
    )
    wanted = list(documents)
    with alone() as head:
        newest = (
            CustodyRow.objects.filter(document_id__in={one for one, _buyer in wanted}).values("document_id").annotate(newest=Max("number"))
        )
        ends: dict[str, str] = dict(
            CustodyRow.objects.filter(number__in=[one["newest"] for one in newest]).values_list("document_id", "hash")
        )
        rows = []
        for document_id, buyer_id in wanted:
            number, at = head.number + 1, datetime.now(UTC)
            said = {
                "person_id": person.pk if person else None, "person_name": person.name[:150] if person else "", "act": act, "document_id": document_id,
                "buyer_id": buyer_id, "detail": told.replace("\\u0000", ""), "before": ends.get(document_id, START),
            }  # fmt: skip
            row = CustodyRow(number=number, at=at, previous=head.hash, hash=linked(head.hash, number, at, *said.values()), **said)
            head.number, head.hash, ends[document_id] = number, row.hash, row.hash
            rows.append(row)
        CustodyRow.objects.bulk_create(rows)
        head.save(update_fields=["number", "hash"])


def rows_about(documents: Iterable[str]) -> tuple[Custody, ...]:
    """The rows about these documents, by number."""
    names = ("number", "at", *CUSTODY_CONTENT, "previous", "hash")
    wanted, found = sorted(set(documents)), []
    for start in range(0, len(wanted), 500):
        rows = CustodyRow.objects.filter(document_id__in=wanted[start : start + 500]).order_by("number")
        found += [Custody(**dict(zip(names, values, strict=True))) for values in rows.values_list(*names)]
    return tuple(sorted(found, key=lambda row: row.number))


def end() -> tuple[int, str] | None:
    """Number and hash of the last row."""
    head = CustodyHead.objects.filter(pk=1).first()
    return (head.number, head.hash) if head and head.number else None


def verify() -> Verdict:
    """Is the log as it was written? Looks at the rows there are as it begins."""
    newest = CustodyRow.objects.aggregate(newest=Max("number"))["newest"] or 0
    head = CustodyHead.objects.filter(pk=1).first() or CustodyHead()  # read second: it is never behind the rows
    rows = CustodyRow.objects.order_by("number").filter(number__lte=head.number)
    return verified(
        rows.values_list("number", "previous", "hash", "at", *CUSTODY_CONTENT).iterator(chunk_size=5000), (head.number, head.hash), newest
    )


@dataclass(frozen=True)
class BadFile:
    """A file that is not what it was: `why` is changed or missing."""

    document_id: str
    file_name: str
    why: str


@dataclass(frozen=True)
class Looked:
    """What came of a look at everything: the log, and every file."""

    log: Verdict
    files: int
    bad: tuple[BadFile, ...]

    @property
    def whole(self) -> bool:
        """Is everything as it was?"""
        return self.log.whole and not self.bad


def verify_files(step: Callable[[float], None] | None = None) -> tuple[int, tuple[BadFile, ...]]:
    """Read every file there should be; how many, and those that are not what they were."""
    kept, bad, store = list(Held.objects.order_by("document_id").values_list("document_id", flat=True)), [], files()
    for number, document_id in enumerate(kept, 1):
        found = store.digest(document_id)
        if found != document_id:
            name = Filed.objects.filter(document_id=document_id).order_by("id").values_list("file_name", flat=True).first()
            bad.append(BadFile(document_id, name or document_id, "changed" if found else "missing"))
        if step is not None and number % 20 == 0:
            step(number / len(kept))
    return len(kept), tuple(bad)


def look(step: Callable[[float], None] | None = None) -> Looked:
    """Verify everything."""
    log = verify()
    count, bad = verify_files(step)
    return Looked(log, count, bad)


def note_verified(person: Any, found: Looked) -> None:
    """Write down that everything was looked at, and what came of it."""
    add(
        person, "verified", [("", "")], files=found.files, rows=found.log.rows, first_bad=found.log.first_bad, why=found.log.why,
        bad=[f"{one.file_name} ({one.document_id[:12]}): {one.why}" for one in found.bad[:20]] or None,
    )  # fmt: skip


def last_verified() -> CustodyRow | None:
    """When everything was looked at last, and what came of it."""
    found: CustodyRow | None = CustodyRow.objects.filter(act="verified", document_id="").order_by("-number").first()
    return found
