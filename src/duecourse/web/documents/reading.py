"""Which documents a buyer or a case has: what the ledger holds, and what was filed since and is on its way into it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.http import Http404

from duecourse.desk.evidence_file import Wanted, documents_from, evidence_file, with_records
from duecourse.ledger.entries import CASE_EVENT, DOCUMENT, DOCUMENT_LINK
from duecourse.web.cases.models import Case
from duecourse.web.documents import custody
from duecourse.web.documents.models import Filed, Linked, Stamped
from duecourse.web.limits.pages import _names as names_of

if TYPE_CHECKING:
    from duecourse.actions.evidence_file.facts import Document, EvidenceFile
    from duecourse.ledger.book import Book


@dataclass(frozen=True)
class Seen:
    """A buyer that may be seen, what it is called, and the case one came from."""

    buyer_id: str
    name: str
    case: Case | None = None

    @property
    def wanted(self) -> Wanted:
        """Whose evidence."""
        if self.case is None:
            return Wanted(self.buyer_id)
        invoices = self.case.invoices.filter(left_on=None).values_list("invoice_id", flat=True)
        return Wanted(self.buyer_id, self.case.case_id, tuple(dict.fromkeys(invoices)))


def seen(book: Book, buyer_id: str, case_pk: int | None = None) -> Seen:
    """The buyer, and the case, if they may be seen; else there is none."""
    case = Case.objects.filter(pk=case_pk).first() if case_pk is not None else None
    if case_pk is not None and case is None:
        raise Http404
    wanted = case.buyer_id if case is not None else buyer_id
    names = names_of(book, [wanted])
    if wanted not in names or (buyer_id and buyer_id != wanted):
        raise Http404
    return Seen(wanted, names[wanted], case)


def documents_now(book: Book, buyer_id: str, *, filed_since: bool = True) -> tuple[Document, ...]:
    """A buyer's documents. For a buyer that may be seen.

    filed_since  also what is not in the ledger yet; False for a look at an earlier day
    """
    rows = book.also_about(buyer_id, DOCUMENT, DOCUMENT_LINK)
    held: dict[Any, dict[str, Any]] = {row["document_id"]: row for row in rows[DOCUMENT.name].to_pylist()}
    links: dict[Any, dict[str, Any]] = {
        (row["document_id"], row["target"], row["target_id"]): row for row in rows[DOCUMENT_LINK.name].to_pylist()
    }
    if filed_since:
        for one in Filed.objects.filter(buyer_id=buyer_id).order_by("id"):
            held[one.document_id] = {"document_id": one.document_id, "withdrawn": one.withdrawn, **one.facts}
        for each in Linked.objects.filter(buyer_id=buyer_id).order_by("id"):
            links[each.document_id, each.target, each.target_id] = {
                "document_id": each.document_id, "target": each.target, "target_id": each.target_id, "purpose": each.purpose, "withdrawn": each.withdrawn,
            }  # fmt: skip
    return documents_from(
        (row for row in held.values() if not row.get("withdrawn")), (row for row in links.values() if not row.get("withdrawn"))
    )


def events_of(book: Book, buyer_id: str) -> list[dict[str, Any]]:
    """What happened in the cases of a buyer, the newest first: what a document may prove."""
    rows = book.also_about(buyer_id, CASE_EVENT)[CASE_EVENT.name].to_pylist()
    return sorted(rows, key=lambda row: (str(row["happened_on"]), row["event_id"]), reverse=True)


def file_of(book: Book, wanted: Wanted, *, filed_since: bool = True) -> EvidenceFile:
    """The facts of an evidence file, with custody log and time-stamps. Raises EvidenceEmptyError."""
    found = evidence_file(book, wanted, documents_now(book, wanted.buyer_id, filed_since=filed_since))
    mine = [one.document_id for one in found.documents]
    stamps = {row.document_id: bytes(row.answer) for row in Stamped.objects.filter(document_id__in=mine)}
    return with_records(found, custody.rows_about(mine), custody.end(), stamps)
