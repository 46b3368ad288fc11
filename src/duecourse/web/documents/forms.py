"""What people do with documents: hand in, describe, connect, take out, ask for a package, have everything verified."""

from __future__ import annotations

import secrets
from datetime import date
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import RequestDataTooBig, TooManyFilesSent
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from duecourse.actions.evidence_file import reading
from duecourse.desk.evidence_file import LANGUAGES, of_case
from duecourse.errors import DiskFullError, DuecourseError, FileTooLargeError
from duecourse.ledger.entries import INVOICE
from duecourse.messages import say
from duecourse.web import environment as env
from duecourse.web.accounts.access import gate
from duecourse.web.accounts.audit import record
from duecourse.web.books import book_of
from duecourse.web.documents import custody, keeping
from duecourse.web.documents.keeping import IntoDocuments, NotKeptError, Said
from duecourse.web.documents.models import Package
from duecourse.web.documents.pages import address, case_pk, document_of, document_words, today_of
from duecourse.web.documents.reading import documents_now, events_of, seen
from duecourse.web.imports.receiving import FILES_AT_ONCE, handed_in
from duecourse.web.jobs.queue import enqueue

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django.http import HttpRequest

    from duecourse.ledger.book import Book
    from duecourse.web.documents.reading import Seen
    from duecourse.web.imports.receiving import Received


def _after(request: HttpRequest, where: str) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": where})
    return HttpResponseRedirect(where)


def words_of(error: NotKeptError) -> str:
    """Why something was not done, as a sentence."""
    told: dict[str, Any] = {name: str(value) for name, value in error.args_.items()}
    return say(error.code, **told)


def _day(form: Mapping[str, str], name: str) -> date | None:
    text = form.get(name, "").strip()
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise NotKeptError("web.documents_day_unreadable", value=text[:20]) from None


def said_of(form: Mapping[str, str], invoices: tuple[str, ...], case_id: str) -> Said:
    """What a form says of a document. Raises NotKeptError."""
    return Said(
        form.get("kind", ""), _day(form, "dated"), _day(form, "received_on"), form.get("language", ""), {"yes": True, "no": False}.get(form.get("original", "")),
        form.get("holder", ""), case_id, form.get("text", ""), form.get("purpose", ""), invoices,
    )  # fmt: skip


def invoices_of(book: Book, found: Seen, named: list[str]) -> tuple[str, ...]:
    """Those of the named invoices that are the buyer's and may be seen. Raises NotKeptError for one that is not."""
    wanted = tuple(dict.fromkeys(one.strip() for one in named if one.strip()))
    if wanted:
        known = set(book.about(found.buyer_id)[INVOICE.name]["invoice_id"].to_pylist())
        if unknown := [one for one in wanted if one not in known]:
            raise NotKeptError("web.documents_invoice_unknown", invoice=unknown[0])
    return wanted


@csrf_exempt  # looked for by `handed_in`, once the files have a place to go
@require_POST
@gate("note")
def documents_upload(request: HttpRequest, buyer_id: str) -> HttpResponse:
    """Take up files, a block at a time, straight to where documents lie."""
    seen(book_of(request), buyer_id)  # before the first byte is read
    return _taking(request, buyer_id)


def _take(request: HttpRequest, handler: IntoDocuments, buyer_id: str) -> HttpResponse:
    try:
        handed = request.FILES.getlist("files")
    except (TooManyFilesSent, RequestDataTooBig):
        messages.error(request, say("web.imports_too_many", count=FILES_AT_ONCE))
        return _after(request, reverse("buyer_documents", args=[buyer_id]))
    book = book_of(request)
    received = [one.received for one in handed if hasattr(one, "received")]
    faults = [FileTooLargeError(path=name, megabytes=env.DOCUMENT_LIMIT >> 20).message() for name in handler.too_large]
    if handler.full:
        faults.append(DiskFullError(path=str(custody.files().folder)).message())
    if len(received) > FILES_AT_ONCE:
        faults.append(say("web.imports_too_many", count=FILES_AT_ONCE))
    try:
        found = seen(book, buyer_id, case_pk(request.POST))
        fresh, again = _file_all(request, book, found, received[:FILES_AT_ONCE], faults)
    finally:
        for one in received:
            one.half.unlink(missing_ok=True)
    for fault in dict.fromkeys(faults):
        messages.error(request, fault)
    if fresh:
        messages.success(request, say("web.documents_filed", count=fresh))
    if again:
        messages.info(request, say("web.documents_filed_before", count=again))
    if not (received or faults):
        messages.error(request, say("web.imports_no_file"))
    return _after(request, address(found))


def _file_all(request: HttpRequest, book: Book, found: Seen, received: list[Received], faults: list[str]) -> tuple[int, int]:
    """File each; how many were new, and how many were there before. What is not kept adds its sentence to the faults."""
    fresh = again = 0
    for one in received:
        try:
            said = said_of(request.POST, invoices_of(book, found, request.POST.getlist("invoices")), found.wanted.case_id)
            row, new = keeping.take_up(
                request, found.buyer_id, one.half, one.sha256, one.name, one.size_bytes, said, book.on, today_of(book)
            )
            fresh, again = fresh + new, again + (not new)
            if reading.damaged(custody.files().place(one.sha256), row.media_type):
                faults.append(say("web.documents_damaged", file=one.name))
        except NotKeptError as error:
            faults.append(words_of(error))
        except DuecourseError as error:
            faults.append(error.message())
    return fresh, again


_taking = handed_in(_take, into=IntoDocuments)


def _tried(request: HttpRequest, buyer_id: str, document_id: str, work: Callable[[Book, Seen], Any], done: str) -> HttpResponse:
    book = book_of(request)
    found = seen(book, buyer_id)
    document_of(book, found, document_id)
    try:
        work(book, found)
    except NotKeptError as error:
        return render(request, "documents/document.html", document_words(request, book, found, document_id, words_of(error)), status=409)
    messages.success(request, say(done))
    return HttpResponseRedirect(reverse("document", args=[buyer_id, document_id]))


@require_POST
@gate("note")
def document_describe(request: HttpRequest, buyer_id: str, document_id: str) -> HttpResponse:
    """Say anew what a document is."""
    return _tried(
        request, buyer_id, document_id,
        lambda book, _found: keeping.describe(request, buyer_id, document_id, said_of(request.POST, (), request.POST.get("case_id", "")), book.on, today_of(book)),
        "web.documents_described",
    )  # fmt: skip


@require_POST
@gate("note")
def document_link(request: HttpRequest, buyer_id: str, document_id: str) -> HttpResponse:
    """Say what it proves of which invoices and events; of the whole debt where none is named."""

    def work(book: Book, found: Seen) -> None:
        named = invoices_of(book, found, request.POST.getlist("invoices"))
        events = list(dict.fromkeys(request.POST.getlist("events")))
        if events and set(events) - {row["event_id"] for row in events_of(book, buyer_id)}:
            raise NotKeptError("web.documents_target_missing")
        links = [*(("invoice", one) for one in named), *(("case_event", one) for one in events)] or [("buyer", buyer_id)]
        if not (named or events) and not request.POST.get("purpose", "").strip():
            raise NotKeptError("web.documents_target_missing")
        keeping.link(request, buyer_id, document_id, links, request.POST.get("purpose", ""), book.on)

    return _tried(request, buyer_id, document_id, work, "web.documents_linked")


@require_POST
@gate("note")
def document_unlink(request: HttpRequest, buyer_id: str, document_id: str) -> HttpResponse:
    """It proves nothing of this fact after all."""
    target, target_id = request.POST.get("target", ""), request.POST.get("target_id", "")
    return _tried(
        request, buyer_id, document_id, lambda book, _found: keeping.unlink(request, buyer_id, document_id, target, target_id, book.on), "web.documents_unlinked"
    )  # fmt: skip


@require_POST
@gate("note")
def document_withdraw(request: HttpRequest, buyer_id: str, document_id: str) -> HttpResponse:
    """Take it out of the buyer's file."""
    book = book_of(request)
    found = seen(book, buyer_id)
    document_of(book, found, document_id)
    try:
        keeping.withdraw(request, buyer_id, document_id, request.POST.get("reason", ""))
    except NotKeptError as error:
        return render(request, "documents/document.html", document_words(request, book, found, document_id, words_of(error)), status=409)
    messages.success(request, say("web.documents_withdrawn"))
    return HttpResponseRedirect(address(found))


@require_POST
@gate("export")
def documents_pack(request: HttpRequest, buyer_id: str) -> HttpResponse:
    """Ask for a package."""
    book = book_of(request)
    found = seen(book, buyer_id, case_pk(request.POST))
    languages = request.POST.get("languages", "zh")
    wanted = found.wanted
    if not of_case(documents_now(book, buyer_id), wanted.case_id):
        messages.error(request, say("web.documents_none_to_pack"))
        return HttpResponseRedirect(address(found))
    ask_for_package(request, wanted.buyer_id, wanted.case_id, wanted.invoices, languages if languages in LANGUAGES else "zh")
    return HttpResponseRedirect(f"{address(found)}#packages")


def ask_for_package(request: HttpRequest, buyer_id: str, case_id: str, invoices: tuple[str, ...], languages: str) -> Package:
    """Have a package drawn up in the background."""
    person: Any = request.user
    with transaction.atomic():
        asked: Package = Package.objects.create(
            token=secrets.token_hex(16), buyer_id=buyer_id, case_id=case_id, invoices=list(invoices), languages=languages, by=person
        )
        asked.run = enqueue("documents.package", key=asked.token, person=person, package=asked.pk)
        asked.save(update_fields=["run"])
        record(request, "document.pack", "buyer", buyer_id, case=case_id)
    return asked


@require_POST
@gate("audit")
def custody_verify(request: HttpRequest) -> HttpResponse:
    """Have every file and the whole log read."""
    person: Any = request.user
    enqueue("documents.verify", person=person)
    record(request, "document.verify", "audit", "")
    return HttpResponseRedirect(reverse("custody"))
