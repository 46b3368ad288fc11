"""Files handed in: taken up, looked at, corrected in how they are read, confirmed, watched, called off.  导入文件"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.core.exceptions import RequestDataTooBig, TooManyFilesSent
from django.http import FileResponse, Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST, require_safe

from duecourse.desk.importing import CURRENCIES, HELPERS, ROLES, SHAPES, UNITS, Look, look_at, options_from, systems
from duecourse.errors import DiskFullError, DuecourseError, FileTooLargeError
from duecourse.messages import say
from duecourse.web import books
from duecourse.web import environment as env
from duecourse.web.accounts.access import may
from duecourse.web.accounts.audit import record
from duecourse.web.imports import uploads
from duecourse.web.imports.models import Upload
from duecourse.web.imports.receiving import FILES_AT_ONCE, IntoHome, folder, place_of
from duecourse.web.imports.results import result_view
from duecourse.web.imports.whole import whole_gate
from duecourse.web.imports.wording import (
    amount,
    cell,
    error_words,
    finding_rows,
    role_label,
    size_words,
    system_label,
    typed_amount,
    words_of,
)
from duecourse.web.jobs import queue
from duecourse.web.jobs.models import Worker

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

ORDERS: Final = ("dmy", "mdy", "ymd")
USUAL_CURRENCIES: Final = ("CNY", "USD", "EUR", "HKD", "JPY", "GBP")
WORKER_SECONDS: Final = 30


def go_to(name: str, *args: Any) -> str:
    """An address of this room."""
    return reverse(name, args=args)


def after(request: HttpRequest, address: str) -> HttpResponse:
    """Go there, whether a form or HTMX asked."""
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)


# --- handing in -----------------------------------------------------------------------------------------------------------------------


@csrf_exempt  # only until the handler is in its place: the inner view checks
@require_POST
@whole_gate("import")
def upload(request: HttpRequest) -> HttpResponse:
    """Take up files, a block at a time, straight to where they will lie."""
    handler = IntoHome(request)
    request.upload_handlers = [handler]
    return _upload(request, handler)


@csrf_protect
def _upload(request: HttpRequest, handler: IntoHome) -> HttpResponse:
    try:
        files = request.FILES.getlist("files")
    except (TooManyFilesSent, RequestDataTooBig):
        messages.error(request, say("web.imports_too_many", count=FILES_AT_ONCE))
        return after(request, go_to("imports"))
    for name in handler.too_large:
        messages.error(request, FileTooLargeError(path=name, megabytes=env.UPLOAD_LIMIT >> 20).message())
    if handler.full:
        messages.error(request, DiskFullError(path=str(folder())).message())
    received = [file.received for file in files if hasattr(file, "received")]
    kept = [uploads.keep(request, one) for one in received[:FILES_AT_ONCE]]
    for one in received[FILES_AT_ONCE:]:
        one.half.unlink(missing_ok=True)
    if len(received) > FILES_AT_ONCE:
        messages.error(request, say("web.imports_too_many", count=FILES_AT_ONCE))
    if not kept:
        if not handler.too_large and not handler.full:
            messages.error(request, say("web.imports_no_file"))
        return after(request, go_to("imports"))
    return after(request, go_to("import_file", kept[0].pk))


# --- looking at it --------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ColumnRow:
    """A column of the file as the table of columns shows it."""

    index: int
    name: str
    examples: str
    role: str
    also: str
    confidence: float | None
    sure: str
    habit: str


@require_safe
@whole_gate("import")
def file(request: HttpRequest, pk: int) -> HttpResponse:
    """One file: how it will be read, or how its import goes, or what came of it."""
    row = get_object_or_404(Upload.objects.select_related("run", "by"), pk=pk)
    words: dict[str, Any] = {"upload": row, "size": size_words(row.size_bytes), "waiting": _waiting(row)}
    if row.state == "new":
        words["form"] = False
    else:
        words |= _progress_words(request, row)
    return render(request, "imports/file.html", words)


def _waiting(row: Upload) -> list[Upload]:
    """Files of the same person that wait for a look."""
    others = Upload.objects.select_related("run").filter(by=row.by, results__isnull=True).exclude(pk=row.pk).order_by("pk")[:FILES_AT_ONCE]
    return [one for one in others if one.state == "new"]


@whole_gate("import")
def preview(request: HttpRequest, pk: int) -> HttpResponse:
    """How will it be read? Asked for by the page when it opens, and again with every change of the form."""
    row = get_object_or_404(Upload.objects.select_related("run"), pk=pk)
    if row.state in ("under_way", "done"):
        return after(request, go_to("import_file", pk))
    said = row.options
    if request.method == "POST":
        said = _options_said(request.POST, row.options)
        Upload.objects.filter(pk=pk, turn=row.turn).update(options=said, expected=_expected_said(request.POST))
        row.refresh_from_db()
    return render(request, "imports/_preview.html", _preview_words(row, said))


def _preview_words(row: Upload, said: Mapping[str, Any]) -> dict[str, Any]:
    ledger = books.ledger()
    words: dict[str, Any] = {"upload": row, "said": said, **_choices()}
    place = place_of(row.sha256)
    if not place.is_file():
        return {**words, "error": say("web.imports_file_gone"), "gone": True}
    try:
        look = look_at(ledger, place, row.name, options_from(said))
    except DuecourseError as error:
        return {**words, "error": words_of(error), "error_code": error.code}
    profile = look.profile
    return {
        **words,
        "look": look,
        "facts": _facts(look),
        "columns": _column_rows(look),
        "first": _first_rows(look),
        "sums": _sum_rows(look, row.expected),
        "found": finding_rows(look.findings),
        "missing": [" / ".join(role_label(role) for role in choices) for choices in look.missing],
        "is_list": profile.shape == "open_items",
        "shape": profile.shape,
        "snapshot": said.get("snapshot_date") or (f"{profile.extract_date:%Y-%m-%d}" if profile.extract_date else ""),
        "decimal": profile.decimal,
        "order": profile.date_order,
        "currency": profile.currency,
    }


def _choices() -> dict[str, Any]:
    roles = sorted(((role, role_label(role)) for role in [*ROLES, *HELPERS] if role != "ignore"), key=lambda pair: pair[1].casefold())
    return {
        "roles": roles,
        "shapes": [(shape, say(f"cli.shape_{shape}")) for shape in SHAPES],
        "orders": [(order, say(f"web.imports_order_{order}")) for order in ORDERS],
        "units": [unit for unit in UNITS if unit],
        "systems": [(one[0], system_label(one[0], systems())) for one in systems()],
        "usual": [code for code in USUAL_CURRENCIES if code in CURRENCIES],
        "currencies": [code for code in sorted(CURRENCIES) if code not in USUAL_CURRENCIES],
    }


def _facts(look: Look) -> list[tuple[str, str]]:
    profile = look.profile
    if look.kind == "rates":
        told = look.facts
        return [
            (say("web.imports_fact_kind"), say("web.imports_kind_rates")),
            (say("web.imports_fact_rates"), f"{look.rows or 0:,}"),
            (say("web.imports_fact_currencies"), str(told["currencies"])),
            (say("web.imports_fact_days"), f"{cell(told['first'])} – {cell(told['last'])}"),
        ]
    if look.kind == "corrected":
        return [(say("web.imports_fact_kind"), say("web.imports_kind_corrected")), (say("web.imports_fact_lines"), f"{look.rows or 0:,}")]
    mark = say("web.imports_tab") if profile.delimiter == "\t" else f"“{profile.delimiter}”" if profile.delimiter else ""
    form = " · ".join(filter(None, (profile.format.upper(), profile.encoding.upper(), mark)))
    facts = [
        (say("web.imports_fact_kind"), say(f"cli.shape_{profile.shape}")),
        (say("web.imports_fact_system"), system_label(profile.source, systems())),
        (say("web.imports_fact_lines"), f"{look.rows or 0:,}"),
        (say("web.imports_fact_form"), form),
    ]
    if profile.extract_date:
        facts.append((say("web.imports_fact_extract"), f"{profile.extract_date:%Y-%m-%d}"))
    if profile.unit_factor != 1:
        facts.append((say("web.imports_fact_unit"), f"× {profile.unit_factor:,}"))
    return facts


def _column_rows(look: Look) -> list[ColumnRow]:
    rows = []
    for one in look.columns:
        sure = "" if one.confidence is None else "good" if one.confidence >= 0.75 else "warn" if one.confidence >= 0.5 else "bad"
        also = ", ".join(role_label(role) for role in one.roles[1:])
        rows.append(ColumnRow(one.index, one.name, " · ".join(one.examples), one.role, also, one.confidence, sure, one.habit))
    return rows


def _first_rows(look: Look) -> dict[str, Any]:
    roles = {role: role_label(role) if role in ROLES else role for role in look.row_columns}
    if look.kind == "lines":
        roles = {role: say("web.imports_col_document_kind") if role == "document_kind" else role_label(role) for role in look.row_columns}
    rows = []
    for line in look.first_rows:
        bad = {one["column"] for one in line.get("bad") or ()}
        broken = {role for role, one in look.profile.mapping.items() if one.column in bad}
        rows.append(
            {"number": line.get("row_no"), "cells": [(roles[name], cell(line.get(name)), name in broken) for name in look.row_columns]}
        )
    return {"heads": list(roles.values()), "rows": rows}


@dataclass(frozen=True)
class SumRow:
    """What a currency adds up to beside what the export says."""

    currency: str
    shown_currency: str
    lines: int
    amount: str
    open: str
    compared: str
    expected: str
    difference: str
    agrees: bool | None
    unreadable: int
    kinds: Sequence[tuple[str, int, str]]


def _sum_rows(look: Look, expected: Mapping[str, str]) -> list[SumRow]:
    rows = []
    for one in look.sums:
        code = one.currency or look.profile.currency
        compared = one.open_amount if look.profile.shape == "open_items" and one.open_amount is not None else one.amount
        typed = expected.get(one.currency or "-", "")
        wanted = typed_amount(typed) if typed else None
        difference: Decimal | None = None if wanted is None or compared is None else compared - wanted
        known = code if code in CURRENCIES else ""
        rows.append(
            SumRow(
                one.currency or "-",
                code or say("web.imports_no_currency"),
                one.lines,
                amount(one.amount, known),
                "" if one.open_amount is None else amount(one.open_amount, known),
                amount(compared, known),
                typed,
                "" if difference is None else amount(difference, known),
                None if not typed else difference == 0,
                one.unreadable,
                [(say(f"web.imports_doc_{kind}") if kind else "–", lines, amount(value, known)) for kind, lines, value in one.kinds],
            )
        )
    return rows


_TEXT_OPTIONS: Final = (
    "currency",
    "date_order",
    "decimal",
    "shape",
    "sheet",
    "source",
    "unit",
    "base_currency",
    "completeness",
    "snapshot_date",
)


def _options_said(form: Mapping[str, str], before: Mapping[str, Any]) -> dict[str, Any]:
    """What the form says. A column's role counts where it is not the one that was shown: the others stay recognised by themselves."""
    said: dict[str, Any] = {name: form[name].strip() for name in _TEXT_OPTIONS if form.get(name, "").strip()}
    shape_changed = said.get("shape", "") != (before.get("shape") or "")
    columns: dict[str, str] = {} if shape_changed else dict(before.get("columns") or {})
    for field, role in form.items():
        if not field.startswith("role-"):
            continue
        number = field.removeprefix("role-")
        was, name = form.get(f"was-{number}", ""), form.get(f"column-{number}", "")
        if role == was or not name:
            continue
        if was:
            columns[was] = ""  # the file has no such column, as far as this one goes
        if role:
            columns[role] = name
    if columns:
        said["columns"] = columns
    return said


def _expected_said(form: Mapping[str, str]) -> dict[str, str]:
    return {
        field.removeprefix("expected-"): text.strip()[:40] for field, text in form.items() if field.startswith("expected-") and text.strip()
    }


# --- taking it in ---------------------------------------------------------------------------------------------------------------------


@require_POST
@whole_gate("import")
def confirm(request: HttpRequest, pk: int) -> HttpResponse:
    """Yes, take it in like this."""
    row = get_object_or_404(Upload.objects.select_related("run"), pk=pk)
    changes: dict[str, Any] = {}
    if row.state in ("under_way", "done") and not request.POST.get("again"):
        return after(request, go_to("import_file", pk))
    if request.POST.get("form"):
        changes = {"options": _options_said(request.POST, row.options), "expected": _expected_said(request.POST)}
    if request.POST.get("completeness_only") in ("partial", "complete"):
        changes = {"options": {**row.options, "completeness": request.POST["completeness_only"]}}
    if not place_of(row.sha256).is_file():
        messages.error(request, say("web.imports_file_gone"))
        return after(request, go_to("import_file", pk))
    turn = request.POST.get("turn", "")
    uploads.confirm(request, row, int(turn) if turn.isdecimal() else -1, changes)
    return after(request, go_to("import_file", pk))


@require_safe
@whole_gate("import")
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """How far it is; when it is there, what came of it."""
    row = get_object_or_404(Upload.objects.select_related("run", "by"), pk=pk)
    if row.state == "new":
        return after(request, go_to("import_file", pk))
    return render(request, "imports/_progress.html", _progress_words(request, row))


def _progress_words(request: HttpRequest, row: Upload) -> dict[str, Any]:
    run = row.run
    words: dict[str, Any] = {"upload": row, "run": run, "may_again": may(request.user, "import")}
    if row.state == "under_way" and run is not None:
        alive = Worker.objects.filter(seen_at__gte=timezone.now() - timedelta(seconds=WORKER_SECONDS)).exists()
        words |= {"no_worker": run.status == "waiting" and not alive, "percent": f"{run.percent}%"}
        if run.error_code:
            words["error"] = error_words(run.error_code, run.error_args)
    elif row.state == "failed" and run is not None:
        words |= {"error": error_words(run.error_code, run.error_args), "error_code": run.error_code}
    elif row.state == "done":
        words["results"] = [result_view(one, row.expected) for one in row.outcomes]
    return words


@require_POST
@whole_gate("import")
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Stop it; the ledger stays as it was."""
    row = get_object_or_404(Upload.objects.select_related("run"), pk=pk)
    if row.run is not None and queue.cancel(row.run):
        record(request, "import.cancel", "upload", row.pk, file=row.name)
    return after(request, go_to("import_file", pk))


@require_POST
@whole_gate("import")
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Back to the reading of a file whose import failed."""
    row = get_object_or_404(Upload.objects.select_related("run"), pk=pk)
    if row.state == "failed":
        Upload.objects.filter(pk=pk, turn=row.turn).update(run=None)
    return after(request, go_to("import_file", pk))


@require_POST
@whole_gate("import")
def discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Throw it away unread."""
    row = get_object_or_404(Upload.objects.select_related("run"), pk=pk)
    if row.state in ("new", "failed"):
        record(request, "import.discard", "upload", row.pk, file=row.name, sha256=row.sha256)
        uploads.discard(row)
        messages.success(request, say("web.imports_discarded", file=row.name))
    return after(request, go_to("imports"))


@require_safe
@whole_gate("import")
def download(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The very bytes that were handed in."""
    row = get_object_or_404(Upload, pk=pk)
    place = place_of(row.sha256)
    if not place.is_file():
        raise Http404
    record(request, "import.download", "upload", row.pk, file=row.name, sha256=row.sha256)
    return FileResponse(place.open("rb"), as_attachment=True, filename=row.name, content_type="application/octet-stream")
