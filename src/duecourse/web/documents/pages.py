"""The documents of a case or buyer: what is there, what is missing, the package; one document; the custody log.  证据材料"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, cast

from django.db.models import Q
from django.http import FileResponse, Http404
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from duecourse.actions.evidence_file import reading as files
from duecourse.actions.evidence_file.completeness import all_routes
from duecourse.desk.evidence_file import LANGUAGES, of_case, original_words, situation_of
from duecourse.errors import DuecourseError
from duecourse.ledger.entries import DOCUMENT_KINDS, INVOICE
from duecourse.messages import catalogue, say
from duecourse.web import environment as env
from duecourse.web.accounts.access import gate, may
from duecourse.web.accounts.audit import record
from duecourse.web.books import book_of
from duecourse.web.cases.models import Case
from duecourse.web.cases.wording import kind_word
from duecourse.web.documents import custody, keeping
from duecourse.web.documents.models import CustodyRow, Filed, Package, Stamped
from duecourse.web.documents.packing import place_of
from duecourse.web.documents.reading import Seen, documents_now, events_of, seen
from duecourse.web.documents.wording import route_line
from duecourse.web.imports.receiving import FILES_AT_ONCE
from duecourse.web.imports.wording import size_words
from duecourse.web.jobs.models import UNFINISHED, JobRun
from duecourse.web.pages.pager import Pager

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from django.http import HttpRequest, HttpResponse

    from duecourse.actions.evidence_file.facts import Custody, Document
    from duecourse.ledger.book import Book

ROWS: Final = 100
PACKAGES: Final = 5
EVENTS: Final = 50
CHECKED_BYTES: Final = 64 << 20


def today_of(book: Book) -> date:
    """The last day a document may bear or have come on: the book's, or by the clock, whichever is later."""
    return max(book.on, timezone.localdate())


def is_now(request: HttpRequest) -> bool:
    """Is the page not a look at an earlier day?"""
    return not request.viewpoint.query  # type: ignore[attr-defined]


def may_file(request: HttpRequest) -> bool:
    """May this person file documents here?"""
    return may(request.user, "note") and is_now(request)


def address(found: Seen) -> str:
    """The page of these documents."""
    return reverse("case_documents", args=[found.case.pk]) if found.case is not None else reverse("buyer_documents", args=[found.buyer_id])


@require_safe
@gate("read")
def case_documents(request: HttpRequest, pk: int) -> HttpResponse:
    """The documents of a case."""
    book = book_of(request)
    return render(request, "documents/documents.html", _words(request, book, seen(book, "", pk)))


@require_safe
@gate("read")
def buyer_documents(request: HttpRequest, buyer_id: str) -> HttpResponse:
    """All documents of a buyer."""
    book = book_of(request)
    return render(request, "documents/documents.html", _words(request, book, seen(book, buyer_id)))


def _words(request: HttpRequest, book: Book, found: Seen) -> dict[str, Any]:
    wanted = found.wanted
    held = of_case(documents_now(book, found.buyer_id, filed_since=is_now(request)), wanted.case_id)
    stamped = set(Stamped.objects.filter(document_id__in=[one.document_id for one in held]).values_list("document_id", flat=True))
    return {
        "book": book, "buyer_id": found.buyer_id, "name": found.name, "case": found.case, "may_file": may_file(request), "may_export": may(request.user, "export"),
        "routes": [route_line(one) for one in all_routes(held, situation_of(book, wanted))], "rows": [_line(one, number, stamped) for number, one in enumerate(held, 1)],
        "kinds": kinds(), "languages": language_choices(), "invoices": _invoices(book, found), "limit": f"{env.DOCUMENT_LIMIT >> 20:,}", "at_once": FILES_AT_ONCE,
        "today": today_of(book), "stamping": bool(env.TSA_URL), "here": address(found), **package_words(found),
    }  # fmt: skip


def kinds() -> list[tuple[str, str]]:
    """The kinds of documents, worded."""
    return [(kind, say(f"documents.kind_{kind}")) for kind in DOCUMENT_KINDS]


def language_choices() -> list[tuple[str, str]]:
    """The languages a document may be in, worded."""
    return [(code, say(f"web.documents_language_{code}")) for code in keeping.LANGUAGES]


def _invoices(book: Book, found: Seen) -> list[str]:
    wanted = found.wanted.invoices
    if wanted:
        return list(wanted)
    rows = book.about(found.buyer_id)[INVOICE.name]
    return sorted({str(one) for one in rows["invoice_id"].to_pylist()}, reverse=True)[:200]


def _line(one: Document, number: int, stamped: set[str]) -> dict[str, Any]:
    return {
        "document": one, "number": number, "kind": say(f"documents.kind_{one.kind}"), "size": size_words(one.size_bytes), "original": original_words(one),
        "purposes": one.purposes, "invoices": one.about("invoice"), "stamped": one.document_id in stamped, "short": one.document_id[:12],
    }  # fmt: skip


def package_words(found: Seen) -> dict[str, Any]:
    """The packages asked for last."""
    asked = Package.objects.filter(buyer_id=found.buyer_id).select_related("run", "by")
    if found.case is not None:
        asked = asked.filter(case_id=found.case.case_id)
    rows = [
        {
            "package": one, "ready": bool(one.seal) and place_of(one).is_file(), "size": size_words(one.size_bytes), "waits": one.run is not None and not one.run.finished,
            "error": one.run.error if one.run is not None and one.run.status == "failed" else "", "language": say(f"web.documents_package_{one.languages.replace('-', '_')}"),
        }
        for one in asked[:PACKAGES]
    ]  # fmt: skip
    return {
        "packages": rows, "waits": any(one["waits"] for one in rows), "package_languages": [(code, say(f"web.documents_package_{code.replace('-', '_')}")) for code in LANGUAGES],
        "packages_url": reverse("documents_packages", args=[found.buyer_id]) + (f"?case={found.case.pk}" if found.case is not None else ""),
        "buyer_id": found.buyer_id, "case": found.case,
    }  # fmt: skip


@require_safe
@gate("read")
def documents_packages(request: HttpRequest, buyer_id: str) -> HttpResponse:
    """How far the packages are: asked for by the page while one is drawn up."""
    found = seen(book_of(request), buyer_id, case_pk(request.GET))
    return render(request, "documents/_packages.html", {**package_words(found), "may_export": may(request.user, "export")})


def case_pk(said: Mapping[str, str]) -> int | None:
    """The case a form or address names."""
    text = said.get("case", "")
    return int(text) if text.isdecimal() and len(text) < 10 else None


# --- one document -----------------------------------------------------------------------------------------------------------------------------


def document_of(book: Book, found: Seen, document_id: str, *, now: bool = True) -> Document:
    """A document in this buyer's file; else there is none."""
    one = next((one for one in documents_now(book, found.buyer_id, filed_since=now) if one.document_id == document_id), None)
    if one is None:
        raise Http404
    return one


@require_safe
@gate("read")
def document(request: HttpRequest, buyer_id: str, document_id: str) -> HttpResponse:
    """One document: what it is said to be, what it proves, who had it in hand, whether its file is what it was."""
    book = book_of(request)
    return render(request, "documents/document.html", document_words(request, book, seen(book, buyer_id), document_id))


def document_words(request: HttpRequest, book: Book, found: Seen, document_id: str, fault: str = "") -> dict[str, Any]:
    """All that the page of a document shows."""
    one = document_of(book, found, document_id, now=is_now(request))
    store = custody.files()
    digest = store.digest(document_id) if one.size_bytes <= CHECKED_BYTES else document_id if store.place(document_id).is_file() else ""
    state = "missing" if not digest else "whole" if digest == document_id else "changed"
    mail = None
    if one.media_type == "message/rfc822" and state == "whole":
        mail = files.mail(store.place(document_id).read_bytes())
    rows = custody.rows_about([document_id])
    events = {row["event_id"]: f"{row['happened_on']} {_event_word(row['kind'])}" for row in events_of(book, found.buyer_id)}
    return {
        "book": book, "buyer_id": found.buyer_id, "name": found.name, "document": one, "kind": say(f"documents.kind_{one.kind}"), "size": size_words(one.size_bytes),
        "original": original_words(one), "state": state, "damaged": state == "whole" and files.damaged(store.place(document_id), one.media_type), "checked": one.size_bytes <= CHECKED_BYTES, "mail": mail, "fault": fault, "may_file": may_file(request),
        "may_export": may(request.user, "export"), "kinds": kinds(), "languages": language_choices(), "today": today_of(book), "invoices": _invoices(book, found),
        "stamp": Stamped.objects.filter(document_id=document_id).first(), "stamping": bool(env.TSA_URL),
        "links": [{"link": link, "target": say(f"web.documents_target_{link.target}"), "named": events.get(link.target_id, link.target_id)} for link in one.links],
        "events": list(events.items())[:EVENTS],
        "custody": [custody_line(row) for row in rows if row.buyer_id in ("", found.buyer_id)], "language": say(f"web.documents_language_{one.language}") if one.language in keeping.LANGUAGES else one.language,
        "cases": [case.case_id for case in Case.objects.filter(buyer_id=found.buyer_id)[:20]],
    }  # fmt: skip


def _event_word(kind: str) -> str:
    return say(f"web.documents_event_{kind}") if f"web.documents_event_{kind}" in catalogue() else kind_word(kind)


def _named(name: str) -> str:
    return say(f"web.documents_detail_{name}") if f"web.documents_detail_{name}" in catalogue() else name


def _said(name: str, value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    for code in (f"documents.kind_{value}" if name == "kind" else "", f"web.documents_target_{value}" if name == "target" else ""):
        if code and code in catalogue():
            return say(code)
    return f"{value}"


def custody_line(row: Custody | CustodyRow) -> dict[str, Any]:
    """A row of the log as a page shows it."""
    told = json.loads(row.detail) if row.detail else {}
    detail = " · ".join(f"{_named(name)}: {_said(name, value)}" for name, value in told.items())
    return {
        "row": row,
        "at": timezone.localtime(row.at),
        "act": say(f"web.documents_act_{row.act}"),
        "who": row.person_name or say("web.documents_by_app"),
        "detail": detail,
        "hash": row.hash[:12],
    }


@require_safe
@gate("export")
def document_file(request: HttpRequest, buyer_id: str, document_id: str) -> HttpResponse:
    """The very bytes that were filed, held to their hash; noted in the log."""
    book = book_of(request)
    found = seen(book, buyer_id)
    one = document_of(book, found, document_id)
    try:
        place = custody.files().of(one)
    except DuecourseError as error:
        return render(request, "documents/document.html", document_words(request, book, found, document_id, error.message()), status=409)
    custody.add(request.user, "downloaded", [(document_id, buyer_id)])
    record(request, "document.downloaded", "buyer", buyer_id, file=one.file_name, sha256=document_id)
    return as_file(place.open("rb"), one.file_name)


def as_file(opened: Any, name: str) -> HttpResponse:
    """A download that no browser opens as a page of ours, whatever is in it."""
    response: Any = FileResponse(opened, as_attachment=True, filename=name, content_type="application/octet-stream")
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return cast("HttpResponse", response)


@require_safe
@gate("export")
def documents_package(request: HttpRequest, pk: int, form: str) -> HttpResponse:
    """A package, or the report that goes with it."""
    one = get_object_or_404(Package, pk=pk)
    seen(book_of(request), one.buyer_id)
    place = place_of(one) if form == "zip" else place_of(one).with_suffix(".pdf")
    if not one.seal or not place.is_file():
        raise Http404
    record(request, "document.package", "buyer", one.buyer_id, case=one.case_id, seal=one.seal, form=form)
    return as_file(place.open("rb"), one.name if form == "zip" else f"{one.name.removesuffix('.zip')}-report.pdf")


# --- the log ----------------------------------------------------------------------------------------------------------------------------------


@require_safe
@gate("audit")
def custody_log(request: HttpRequest) -> HttpResponse:
    """The custody log, the newest row first, and what the last look at everything said."""
    number = request.GET.get("page", "")
    page = int(number) if number.isdecimal() and 0 < int(number) < 10**6 else 1
    text = request.GET.get("q", "").strip()
    rows = CustodyRow.objects.order_by("-number")
    if text:
        rows = rows.filter(
            Q(document_id__startswith=text.lower())
            | Q(buyer_id=text)
            | Q(document_id__in=Filed.objects.filter(file_name__icontains=text).values("document_id")[:200])
        )
    total = rows.count()
    shown = rows[(page - 1) * ROWS : page * ROWS]
    names = dict(Filed.objects.filter(document_id__in={one.document_id for one in shown}).values_list("document_id", "file_name"))
    last = custody.last_verified()
    told = json.loads(last.detail) if last else {}

    def url_of(turn: int) -> str:
        return reverse("custody") + f"?q={text}&page={turn}"

    return render(request, "documents/custody.html", {
        "rows": [{**custody_line(one), "file": names.get(one.document_id, ""), "document": one.document_id[:12]} for one in shown], "q": text, "total": total,
        "end": custody.end(), "last": custody_line(last) if last else None, "told": told, "why": say(f"web.custody_why_{told['why']}") if told.get("why") else "", "run": _verifying(),
        "pager": Pager(page, ROWS, total, url_of),
    })  # fmt: skip


def _verifying() -> JobRun | None:
    found: JobRun | None = JobRun.objects.filter(name="documents.verify", status__in=UNFINISHED, schedule="").first()
    return found
