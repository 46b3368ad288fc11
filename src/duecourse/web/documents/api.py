"""/api/v1: documents of a buyer — filed, listed, fetched — and how complete the evidence is."""

# ruff: noqa: TC002, TC003 — the annotations are read when the program runs

from __future__ import annotations

import hashlib
import os
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal

from django.http import HttpRequest, HttpResponse
from ninja import File, Form, Query, Schema
from ninja.files import UploadedFile
from pydantic import ConfigDict, Field

from duecourse.desk.evidence_file import completeness_of, of_case
from duecourse.errors import DuecourseError
from duecourse.web import environment as env
from duecourse.web.accounts.audit import record
from duecourse.web.api import shapes
from duecourse.web.api.application import api
from duecourse.web.api.auth import needs
from duecourse.web.api.idempotency import key_of
from duecourse.web.api.problems import Problem
from duecourse.web.api.reading import At, Paged, book_for, page_of, reply, sent, with_next
from duecourse.web.cases.models import Case
from duecourse.web.documents import custody, keeping
from duecourse.web.documents.forms import invoices_of, words_of
from duecourse.web.documents.keeping import NotKeptError, Said
from duecourse.web.documents.models import Stamped
from duecourse.web.documents.pages import as_file, today_of
from duecourse.web.documents.reading import Seen, documents_now
from duecourse.web.imports.receiving import clean_name
from duecourse.web.limits.pages import _names as names_of

TAGS: Final = ["Documents"]
READ: Final = needs("read")
Kind = Literal[
    "contract", "terms", "order", "order_acceptance", "delivery_note", "bill_of_lading", "proof_of_delivery", "customs_declaration", "invoice", "statement_of_account",
    "payment_record", "correspondence", "notice", "proof_of_service", "authority", "guarantee", "resolution", "insurance_decision", "photo", "other",
]  # fmt: skip
Route = Literal["negotiate", "payment_order", "suit", "arbitration", "insolvency_claim", "insurance_claim"]
Target = Literal["invoice", "case", "case_event", "notice", "contract", "security", "buyer"]


class Proves(Schema):
    """What a document is to prove of one fact."""

    target: Target
    target_id: str
    purpose: str


class DocumentTold(Schema):
    """A document in a buyer's file."""

    document_id: Annotated[str, Field(description="SHA-256 of its bytes, hexadecimal")]
    buyer_id: str
    case_id: Annotated[str, Field(description="The case it was filed for; empty: all of the buyer's")]
    kind: Kind
    file_name: str
    media_type: Annotated[str, Field(description="As its bytes say")]
    size_bytes: int
    dated: date | None
    received_on: date | None
    language: str
    original: bool | None
    holder: str
    text: str
    proves: list[Proves]
    timestamped_at: Annotated[datetime | None, Field(description="The moment a time-stamp authority vouches for (RFC 3161)")]


class DocumentList(shapes.Page):
    """A page of documents, in the order of the index of evidence."""

    rows: list[DocumentTold]


class DocumentSaid(Schema):
    """What is said of a file as it is filed."""

    model_config = ConfigDict(extra="forbid")

    kind: Annotated[Kind | None, Field(description="Left out: as name and content suggest")] = None
    case_id: Annotated[str, Field(max_length=20, description="The case it is filed for, e.g. C000012")] = ""
    dated: date | None = None
    received_on: date | None = None
    language: Annotated[str, Field(max_length=10, description="ISO 639-1")] = ""
    original: bool | None = None
    holder: Annotated[str, Field(max_length=200)] = ""
    text: Annotated[str, Field(max_length=1000)] = ""
    purpose: Annotated[str, Field(max_length=500, description="What it is to prove")] = ""
    invoice_id: Annotated[str, Field(max_length=255, description="The invoice it concerns")] = ""


class Missing(Schema):
    """Something a route needs that is not there, or not for all invoices."""

    need: str
    gravity: Annotated[str, Field(description="high, medium or low")]
    share: Annotated[float, Field(description="How much of it is there, 0 to below 1")]
    invoices: Annotated[list[str], Field(description="Those it is missing for")]


class RouteTold(Schema):
    """How complete the evidence is for a route."""

    route: Route
    applies: Annotated[bool, Field(description="False: by what is known this route is not open")]
    score: Annotated[float, Field(description="0 to 1, weighed by how grave it is to lack something")]
    missing: list[Missing]


class CompletenessAnswer(shapes.Answer):
    """How complete the evidence is, by route."""

    buyer_id: str
    case_id: str
    documents: int
    routes: list[RouteTold]


class CaseWords(At):
    """Whose evidence."""

    case_id: str = Field("", max_length=20, description="Only what belongs to this case, e.g. C000012")


def _seen(book: Any, buyer_id: str) -> Seen:
    names = names_of(book, [buyer_id])
    if buyer_id not in names:
        raise Problem(404, "fact_unknown", kind="buyers", key=buyer_id)
    return Seen(buyer_id, names[buyer_id])


def _told(rows: list[Any], buyer_id: str) -> list[dict[str, Any]]:
    stamps = dict(Stamped.objects.filter(document_id__in=[one.document_id for one in rows]).values_list("document_id", "stamped_at"))
    return [
        {
            **{name: getattr(one, name) for name in DocumentTold.model_fields if hasattr(one, name)}, "buyer_id": buyer_id, "timestamped_at": stamps.get(one.document_id),
            "proves": [vars(link) for link in one.links],
        }
        for one in rows
    ]  # fmt: skip


@api.get(
    "/buyers/{key:buyer_id}/documents",
    auth=READ,
    response=DocumentList,
    operation_id="listDocuments",
    tags=TAGS,
    summary="Documents of a buyer",
)
def documents(request: HttpRequest, buyer_id: str, words: Query[Paged]) -> HttpResponse:
    """In the order of the index of evidence."""
    now = words.as_of is None and words.known_at is None
    book, offset = page_of(request, words)
    _seen(book, buyer_id)
    held = list(documents_now(book, buyer_id, filed_since=now))
    rows, following = with_next(book, offset, words.limit, _told(held[offset : offset + words.limit + 1], buyer_id))
    return reply(request, book, total=len(held), next=following, rows=rows)


@api.post(
    "/buyers/{key:buyer_id}/documents", auth=needs("note"), response={201: DocumentTold, 200: DocumentTold}, operation_id="fileDocument", tags=TAGS, summary="File a document"
)  # fmt: skip
def file_document(
    request: HttpRequest, buyer_id: str, words: Query[At], file: File[UploadedFile], said: Form[DocumentSaid]
) -> HttpResponse:
    """As multipart form. Bytes that are in the buyer's file already are not kept twice: 200 and how they stand, 201 for a new document."""
    key_of(request)
    book = book_for(request, words)
    found = _seen(book, buyer_id)
    if said.case_id and not Case.objects.filter(pk=_number(said.case_id), buyer_id=buyer_id).exists():
        raise Problem(404, "fact_unknown", kind="cases", key=said.case_id)
    name = clean_name(file.name or "")
    if (file.size or 0) > env.DOCUMENT_LIMIT:
        raise _refused("file", "web.documents_large", limit=f"{env.DOCUMENT_LIMIT >> 20:,}")
    store, digest, size = custody.files(), hashlib.sha256(), 0
    half = store.arriving()
    try:
        with half.open("wb") as out:
            for block in file.chunks():
                digest.update(block)
                size += len(block)
                out.write(block)
            out.flush()
            os.fsync(out.fileno())
        told = Said(
            said.kind or "", said.dated, said.received_on, said.language, said.original, said.holder, said.case_id, said.text, said.purpose,
            invoices_of(book, found, [said.invoice_id]),
        )  # fmt: skip
        _row, fresh = keeping.take_up(request, buyer_id, half, digest.hexdigest(), name, size, told, book.on, today_of(book))
    except NotKeptError as error:
        raise Problem(
            422,
            "rows_invalid",
            errors=[{"pointer": "", "row": 0, "field": "file", "code": error.code.removeprefix("web."), "message": words_of(error)}],
        ) from None
    finally:
        half.unlink(missing_ok=True)
    one = next(one for one in documents_now(book, buyer_id) if one.document_id == digest.hexdigest())
    return sent(request, _told([one], buyer_id)[0], 201 if fresh else 200)


def _refused(field: str, code: str, **args: object) -> Problem:
    error = NotKeptError(code, **args)
    return Problem(
        422,
        "rows_invalid",
        errors=[{"pointer": f"/{field}", "row": 0, "field": field, "code": code.removeprefix("web."), "message": words_of(error)}],
    )


def _number(case_id: str) -> int:
    text = case_id.removeprefix("C")
    return int(text) if text.isdecimal() and len(text) < 12 else 0


@api.get(
    "/buyers/{key:buyer_id}/documents/{document_id}/file", auth=needs("export"), operation_id="fetchDocument", tags=TAGS, summary="The bytes of a document",
    openapi_extra={"responses": {200: {"description": "The very bytes that were filed", "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}}},
)  # fmt: skip
def fetch_document(request: HttpRequest, buyer_id: str, document_id: str, words: Query[At]) -> HttpResponse:
    """Held to their hash before they are handed out; noted in the custody log."""
    book = book_for(request, words)
    _seen(book, buyer_id)
    one = next((one for one in documents_now(book, buyer_id) if one.document_id == document_id), None)
    if one is None:
        raise Problem(404, "fact_unknown", kind="documents", key=document_id)
    try:
        place = custody.files().of(one)
    except DuecourseError:
        raise Problem(409, "document_altered", file=one.file_name, document=document_id) from None
    custody.add(request.user, "downloaded", [(document_id, buyer_id)])
    record(request, "document.downloaded", "buyer", buyer_id, file=one.file_name, sha256=document_id)
    return as_file(place.open("rb"), one.file_name)


@api.get(
    "/buyers/{key:buyer_id}/evidence-completeness", auth=READ, response=CompletenessAnswer, operation_id="getEvidenceCompleteness", tags=TAGS,
    summary="How complete the evidence is",
)  # fmt: skip
def evidence_completeness(request: HttpRequest, buyer_id: str, words: Query[CaseWords]) -> HttpResponse:
    """By route: a score, and what is missing how badly. Not legal advice."""
    book = book_for(request, words)
    found = _seen(book, buyer_id)
    if words.case_id:
        case = Case.objects.filter(pk=_number(words.case_id), buyer_id=buyer_id).first()
        if case is None:
            raise Problem(404, "fact_unknown", kind="cases", key=words.case_id)
        found = Seen(buyer_id, found.name, case)
    wanted = found.wanted
    held = of_case(documents_now(book, buyer_id, filed_since=words.as_of is None and words.known_at is None), wanted.case_id)
    routes = [
        {
            "route": one.route, "applies": one.applies, "score": round(one.score, 4),
            "missing": [{"need": gap.need, "gravity": gap.gravity, "share": round(gap.share, 4), "invoices": list(gap.invoices)} for gap in one.gaps],
        }
        for one in completeness_of(book, wanted, held)
    ]  # fmt: skip
    return reply(request, book, buyer_id=buyer_id, case_id=wanted.case_id, documents=len(held), routes=routes)
