"""The pack of a placement, drawn up when it is asked for: of its buyer's facts and documents, and of nobody else's.  委托材料包"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.http import Http404, HttpResponse
from django.views.decorators.http import require_safe

from duecourse.actions.agency_placement import Paper, claims_csv, pack, summary_pdf
from duecourse.desk.agencies import Agreed, placing
from duecourse.errors import FactUnknownError
from duecourse.messages import LANGUAGES, Language, language
from duecourse.web.accounts.access import gate
from duecourse.web.accounts.audit import record
from duecourse.web.agencies.pages import placement_of
from duecourse.web.books import book_of
from duecourse.web.documents import custody
from duecourse.web.documents.reading import documents_now

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest

    from duecourse.actions.agency_placement import Placing
    from duecourse.actions.evidence_file.facts import Document
    from duecourse.ledger.book import Book
    from duecourse.web.agencies.models import Placement

PARTS: Final = {"zip": "application/zip", "pdf": "application/pdf", "csv": "text/csv; charset=utf-8"}
MOST_BYTES: Final = 200_000_000
"""A pack holds no more of documents than this; what does not fit is named on the page."""


def spoken(asked: str) -> Language:
    """The language of a pack: as asked, else the reader's."""
    return next((one for one in LANGUAGES if one == asked), language())


def facts_of(book: Book, placement: Placement, contact: str, lang: Language) -> Placing:
    """What the pack tells: the debt as of the day it was handed over. Raises FactUnknownError where the ledger no longer holds it."""
    agreed = Agreed(placement.number, placement.case_id, placement.agency.name, placement.fee, placement.authority, contact)
    then = book.ledger.as_of(placement.placed_on, book.known_at).limited(book.scope)  # type: ignore[attr-defined]
    return placing(then, placement.buyer_id, placement.items, agreed, lang)


def documents_of(book: Book, placement: Placement) -> tuple[Sequence[Document], Sequence[Document]]:
    """The buyer's documents that go along, and those left out: too large together, or no longer there.

    A document goes along that is linked to one of the invoices, or to none but to the contract or to nothing: one of other invoices stays.
    """
    numbers = {one["invoice_id"] for one in placement.claims}
    files = custody.files()
    taken, left, size = [], [], 0
    for one in documents_now(book, placement.buyer_id):
        about = set(one.about("invoice"))
        if about and not about & numbers:
            continue
        if size + one.size_bytes > MOST_BYTES or not files.place(one.document_id).exists():
            left.append(one)
            continue
        size += one.size_bytes
        taken.append(one)
    return taken, left


@require_safe
@gate("export")
def placement_pack(request: HttpRequest, pk: int, part: str) -> HttpResponse:
    """The whole pack as ZIP, its summary as PDF, or its claims as CSV."""
    if part not in PARTS:
        raise Http404
    book = book_of(request)
    placement, _name = placement_of(book, pk)
    lang = spoken(request.GET.get("lang", ""))
    person: Any = request.user
    try:
        facts = facts_of(book, placement, " · ".join(filter(None, (person.name, person.email))), lang)
    except FactUnknownError:
        raise Http404 from None
    if part == "csv":
        content = claims_csv(facts)
    elif part == "pdf":
        content = summary_pdf(facts, lang)
    else:
        documents, _left = documents_of(book, placement)
        content = pack(facts, [_paper(one) for one in documents], lang)
        if documents:
            custody.add(person, "packed", [(one.document_id, placement.buyer_id) for one in documents], placement=placement.number)
    record(request, "exported", "agency.pack", placement.number, buyer=placement.buyer_id, part=part)
    response = HttpResponse(content, content_type=PARTS[part])
    response["Content-Disposition"] = f'attachment; filename="{placement.number}.{part}"'
    return response


def _paper(one: Document) -> Paper:
    return Paper(one.file_name, one.kind, one.dated, custody.files().place(one.document_id).read_bytes())
