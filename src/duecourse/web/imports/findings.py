"""What the checks of the ledger found in the book of this page, and the rows behind each.  账实检查"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any, Final

from django.http import Http404, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from duecourse.desk.findings import all_faults, check_of, faults, findings, in_order, is_quick, known_findings
from duecourse.errors import CheckUnknownError
from duecourse.messages import say
from duecourse.web.accounts.access import gate
from duecourse.web.accounts.audit import record
from duecourse.web.books import book_of
from duecourse.web.imports.whole import person_of, sees_imports
from duecourse.web.imports.wording import finding_words
from duecourse.web.jobs import queue
from duecourse.web.jobs.models import CANCELLED, FAILED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest, HttpResponse
    from django.http.response import HttpResponseBase

    from duecourse.desk.findings import Fault, Outcome
    from duecourse.ledger.book import Book

PAGE: Final = 50
KINDS: Final = {"error": "bad", "warning": "warn", "note": "off"}


@require_safe
@gate("read")
def findings_page(request: HttpRequest) -> HttpResponse:
    """Every check that found something. The page never waits: what is not known yet is fetched after it, or by a job."""
    book = book_of(request)
    return render(request, "imports/findings.html", {"book": book, **_words(request, book, known_findings(book))})


@require_safe
@gate("read")
def findings_list(request: HttpRequest) -> HttpResponse:
    """The list alone: asked for while the answer is being worked out."""
    book = book_of(request)
    known = known_findings(book)
    if known is None and is_quick(book):
        known = findings(book)
    return render(request, "imports/_findings.html", {"book": book, **_words(request, book, known)})


def _words(request: HttpRequest, book: Book, known: list[Outcome] | None) -> dict[str, Any]:
    if known is None:
        return {"known": False, "run": None if is_quick(book) else _asked(request, book)}
    return {
        "known": True,
        "groups": [
            {
                "code": one.code,
                "kind": KINDS[one.severity],
                "word": say(f"cli.severity_{one.severity}"),
                "count": one.count,
                "title": say(f"web.findings_{one.code}"),
                "why": say(f"web.findings_{one.code}_why"),
                "examples": [finding_words(example) for example in one.examples],
            }
            for one in known
        ],
        "fine": [say(f"web.findings_{code}") for code in in_order(known)],
        "count": sum(one.count for one in known),
    }


def _asked(request: HttpRequest, book: Book) -> Any:
    """The job that works it out: one for each book, however many look."""
    scope = {
        "legal_entities": sorted(book.scope.legal_entities),
        "sales_owners": sorted(book.scope.sales_owners),
        "groups": sorted(book.scope.groups),
    }
    known_at = book.known_at.isoformat() if book.known_at else ""
    key = f"{book.version} {book.on} {known_at} {hash_of(str(book.scope))}"
    run = queue.enqueue("imports.check", key=key, person=person_of(request), on=book.on.isoformat(), known_at=known_at, scope=scope)
    if run.status in (FAILED, CANCELLED) and request.GET.get("again"):
        queue.try_again(run)
        run.refresh_from_db()
    return run


def hash_of(text: str) -> str:
    """A short name for a scope."""
    import hashlib  # noqa: PLC0415 — only for restricted people on large ledgers

    return hashlib.sha256(text.encode()).hexdigest()[:12] if text else ""


@require_safe
@gate("read")
def finding(request: HttpRequest, code: str) -> HttpResponse:
    """The rows behind one check."""
    book = book_of(request)
    try:
        check = check_of(code)
    except CheckUnknownError as error:
        raise Http404 from error
    start = request.GET.get("from", "")
    offset = int(start) if start.isdecimal() else 0
    rows = faults(book, code, offset=offset, limit=PAGE + 1)
    known = known_findings(book)
    counted = next((one.count for one in known if one.code == code), 0) if known is not None else None
    return render(
        request,
        "imports/finding.html",
        {
            "book": book,
            "code": code,
            "title": say(f"web.findings_{code}"),
            "why": say(f"web.findings_{code}_why"),
            "kind": KINDS[check.severity],
            "word": say(f"cli.severity_{check.severity}"),
            "count": counted,
            "rows": [{"fault": one, "words": finding_words(one.finding)} for one in rows[:PAGE]],
            "says": say("web.findings_shown", first=offset + 1 if rows else 0, last=offset + min(len(rows), PAGE)),
            "has_previous": offset > 0,
            "previous": max(0, offset - PAGE),
            "next": offset + PAGE if len(rows) > PAGE else None,
            "sees_imports": sees_imports(request),
        },
    )


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


@require_safe
@gate("export")  # type: ignore[arg-type]
def finding_export(request: HttpRequest, code: str) -> HttpResponseBase:
    """All rows behind one check, as CSV."""
    book = book_of(request)
    try:
        check_of(code)
    except CheckUnknownError as error:
        raise Http404 from error
    record(request, "findings.export", "findings", code, on=book.on)
    heads = [say(f"web.findings_col_{name}") for name in ("subject", "buyer", "invoice", "what", "file", "line")]
    sees_files = not book.scope.restricts

    def text(value: str) -> str:
        # A cell that a spreadsheet would take for a formula is told to be text.
        return f"'{value}" if value[:1] in "=+-@\t\r" else value

    def line(one: Fault) -> list[str]:
        file = [one.file_name, str(one.row or "")] if sees_files else ["", ""]
        return [text(value) for value in (one.subject, one.buyer_id, one.invoice_id, finding_words(one.finding), *file)]

    def written() -> Iterator[str]:
        writer = csv.writer(_Echo())
        yield "\ufeff"
        yield writer.writerow(heads)
        for one in all_faults(book, code):
            yield writer.writerow(line(one))

    name = f"{code}-{book.on:%Y-%m-%d}.csv"
    return StreamingHttpResponse(
        written(), content_type="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
