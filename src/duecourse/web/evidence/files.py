"""Accounts from a file: taken up, shown as they will be entered with what is doubtful, entered when somebody says so.  报表文件"""

from __future__ import annotations

import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from duecourse.desk.examining import examine
from duecourse.desk.importing import named as under_its_name
from duecourse.errors import DuecourseError, FileTooLargeError
from duecourse.findings import Severity
from duecourse.forms import write_form
from duecourse.intake.statements import StatementOptions, StatementsRead, import_statements, read_statements
from duecourse.messages import say
from duecourse.reference.currencies import CURRENCIES
from duecourse.tables import named
from duecourse.web import books
from duecourse.web import environment as env
from duecourse.web.accounts.access import gate
from duecourse.web.accounts.audit import record
from duecourse.web.books import book_of
from duecourse.web.evidence import wording
from duecourse.web.evidence.entry import UNITS, USUAL
from duecourse.web.evidence.models import StatementFile
from duecourse.web.evidence.statements import lines_of, may_enter, seen_statements
from duecourse.web.imports.receiving import IntoHome, handed_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.http import HttpRequest

    from duecourse.desk.statements import Statements

KEPT_DAYS: Final = 30
"""A file nobody entered is thrown away after so many days."""

TEMPLATES: Final = {"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "csv": "text/csv"}


@require_POST
@gate("propose")
@handed_in
def upload(request: HttpRequest, handler: IntoHome, buyer_id: str) -> HttpResponse:
    """Take a file up, straight to where it will lie."""
    received = [file.received for file in request.FILES.getlist("files") if hasattr(file, "received")]
    seen_statements(book_of(request), buyer_id)
    for name in handler.too_large:
        messages.error(request, FileTooLargeError(path=name, megabytes=env.UPLOAD_LIMIT >> 20).message())
    for one in received[1:]:
        one.half.unlink(missing_ok=True)
    if not received:
        if not handler.too_large:
            messages.error(request, say("web.imports_no_file"))
        return _after(request, reverse("buyer_statements", args=[buyer_id]))
    _forget_old()
    with transaction.atomic():
        row = StatementFile.objects.create(
            buyer_id=buyer_id, sha256=received[0].sha256, name=received[0].name, size_bytes=received[0].size_bytes, by=request.user
        )
        record(request, "statement.upload", "buyer", buyer_id, file=row.name, sha256=row.sha256)
    received[0].half.replace(row.place)
    return _after(request, reverse("buyer_statements_file", args=[buyer_id, row.pk]))


def _after(request: HttpRequest, address: str) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)


def _forget_old() -> None:
    for row in StatementFile.objects.filter(entered_at__isnull=True, at__lt=timezone.now() - timedelta(KEPT_DAYS)):
        _drop(row)


def _drop(row: StatementFile) -> None:
    sha256, place = row.sha256, row.place
    row.delete()
    if not StatementFile.objects.filter(sha256=sha256).exists():
        place.unlink(missing_ok=True)


def _own(request: HttpRequest, buyer_id: str, pk: int) -> tuple[StatementFile, Statements]:
    """The file, for whoever sees its buyer."""
    found = seen_statements(book_of(request), buyer_id)
    return get_object_or_404(StatementFile, pk=pk, buyer_id=buyer_id), found


@require_safe
@gate("propose")
def file(request: HttpRequest, buyer_id: str, pk: int) -> HttpResponse:
    """One file: how it is read, what it will add, what is doubtful."""
    row, found = _own(request, buyer_id, pk)
    profile = named(found.profile)
    words = {
        "buyer_id": buyer_id,
        "name": profile.get("name") or buyer_id,
        "upload": row,
        "units": [(str(unit), say(f"web.statements_unit_{unit}")) for unit in UNITS],
        "usual": USUAL,
        "currencies": [code for code in CURRENCIES if code not in USUAL],
        "may_enter": may_enter(request),
        **_preview(row, found),
    }
    return render(request, "evidence/file.html", words)


@require_POST
@gate("propose")
def preview(request: HttpRequest, buyer_id: str, pk: int) -> HttpResponse:
    """The same with what the form says now."""
    row, found = _own(request, buyer_id, pk)
    if row.entered_at is None:
        row.options = _options_said(request.POST)
        row.save(update_fields=["options"])
    words = {"buyer_id": buyer_id, "upload": row, "may_enter": may_enter(request), **_preview(row, found)}
    return render(request, "evidence/_preview.html", words)


@require_POST
@gate("propose")
def enter(request: HttpRequest, buyer_id: str, pk: int) -> HttpResponse:
    """Enter what the file says. Twice adds nothing."""
    row, _found = _own(request, buyer_id, pk)
    here = reverse("buyer_statements_file", args=[buyer_id, pk])
    if row.entered_at is not None:
        return HttpResponseRedirect(reverse("buyer_statements", args=[buyer_id]))
    row.options = _options_said(request.POST)
    row.save(update_fields=["options"])
    try:
        read = _read(row)
        if any(one.severity == Severity.ERROR for one in read.findings) and request.POST.get("sure") != "yes":
            messages.error(request, say("web.statements_say_sure"))
            return HttpResponseRedirect(here)
        if not read.rows:
            messages.error(request, say("web.statements_nothing"))
            return HttpResponseRedirect(here)
        done = import_statements(books.ledger(), read)
    except DuecourseError as error:
        messages.error(request, error.message())
        return HttpResponseRedirect(here)
    with transaction.atomic():
        StatementFile.objects.filter(pk=pk).update(entered_at=timezone.now(), batch_id=done.batch_id)
        record(request, "statement.enter", "buyer", buyer_id, batch=done.batch_id, file=row.name, sha256=row.sha256)
    added, corrected = done.added.get("statement", 0), done.corrected.get("statement", 0)
    messages.success(request, say("web.statements_file_entered", file=row.name, added=added, corrected=corrected))
    return HttpResponseRedirect(reverse("buyer_statements", args=[buyer_id]))


@require_POST
@gate("propose")
def discard(request: HttpRequest, buyer_id: str, pk: int) -> HttpResponse:
    """Throw it away unread."""
    row, _found = _own(request, buyer_id, pk)
    if row.entered_at is None:
        record(request, "statement.discard", "buyer", buyer_id, file=row.name, sha256=row.sha256)
        _drop(row)
    return HttpResponseRedirect(reverse("buyer_statements", args=[buyer_id]))


@require_safe
@gate("propose")
def template(request: HttpRequest, buyer_id: str, form: str) -> HttpResponse:
    """An empty table to fill in, with this buyer's number."""
    seen_statements(book_of(request), buyer_id)
    form = form if form in TEMPLATES else "xlsx"
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / f"statements.{form}"
        write_form(place, "statements", buyer_id)
        content = place.read_bytes()
    attachment = {"Content-Disposition": f'attachment; filename="statements-template.{form}"'}
    return HttpResponse(content, content_type=TEMPLATES[form], headers=attachment)


def _options_said(said: Mapping[str, str]) -> dict[str, str]:
    names = ("currency", "unit", "period_months", "published_on", "audited", "consolidated")
    return {name: said[name].strip()[:20] for name in names if said.get(name, "").strip()}


def _options(row: StatementFile) -> StatementOptions:
    said = row.options
    unit, months, published = said.get("unit", ""), said.get("period_months", ""), said.get("published_on", "")
    try:
        day = date.fromisoformat(published) if published else None
    except ValueError:
        day = None
    truth = {"yes": True, "no": False}
    return StatementOptions(
        buyer_id=row.buyer_id,
        only_buyer=True,
        currency=said.get("currency", "") if said.get("currency") in CURRENCIES else "",
        unit=int(unit) if unit.isdecimal() and int(unit) in UNITS else None,
        period_months=int(months) if months.isdecimal() and 1 <= int(months) <= 24 else None,
        published_on=day,
        received_on=datetime.now(UTC).date(),
        audited=truth.get(said.get("audited", "")),
        consolidated=truth.get(said.get("consolidated", "")),
    )


def _read(row: StatementFile) -> StatementsRead:
    """The accounts of this buyer in the file; those of others are left out and told of. Raises DuecourseError."""
    examine(row.place, row.name)
    with under_its_name(row.place, row.name) as path:
        return read_statements(path, _options(row), ledger=books.ledger())


def _preview(row: StatementFile, found: Statements) -> dict[str, Any]:
    try:
        read = _read(row)
    except DuecourseError as error:
        return {"failed": error.message(), "said": row.options}
    except OSError:
        return {"failed": say("web.imports_file_gone"), "said": row.options}
    known = {period.key: period for period in found.periods}
    heads = [_head(one, known) for one in read.rows]
    serious = any(one.severity == Severity.ERROR for one in read.findings)
    return {"said": row.options, "heads": heads, "found": wording.finding_rows(read.findings), "serious": serious, **lines_of(read.rows)}


def _head(one: Mapping[str, Any], known: Mapping[Any, Any]) -> dict[str, Any]:
    before = known.get((one["period_end"], one["period_months"], bool(one["consolidated"])))
    if before is None:
        state, kind = say("web.statements_is_new"), "good"
    else:
        changed = _changed(one, before)
        state = say("web.statements_is_correction", count=len(changed)) if changed else say("web.statements_is_known")
        kind = "warn" if changed else "off"
    return {
        "end": one["period_end"], "months": one["period_months"], "published": one["published_on"], "estimated": one["published_on_estimated"],
        "currency": one["currency"], "consolidated": one["consolidated"], "audited": one["audited"], "state": state, "kind": kind,
    }  # fmt: skip


def _changed(one: Mapping[str, Any], before: Any) -> Sequence[str]:
    return [name for name, value in (*before.about.items(), *before.lines.items()) if name != "buyer_id" and one[name] != value]
