"""Files handed in: taken up, looked at, corrected in how they are read, confirmed, watched, called off.  导入文件"""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.core.exceptions import RequestDataTooBig, TooManyFilesSent
from django.http import FileResponse, Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from duecourse.errors import DiskFullError, FileTooLargeError
from duecourse.forms import write_form
from duecourse.messages import say
from duecourse.web import environment as env
from duecourse.web.accounts.access import may
from duecourse.web.accounts.audit import record
from duecourse.web.imports import uploads
from duecourse.web.imports.models import Upload
from duecourse.web.imports.preview import preview_words
from duecourse.web.imports.receiving import FILES_AT_ONCE, IntoHome, folder, handed_in, place_of
from duecourse.web.imports.results import result_view
from duecourse.web.imports.whole import whole_gate
from duecourse.web.imports.wording import (
    error_words,
    size_words,
)
from duecourse.web.jobs import queue
from duecourse.web.jobs.models import Worker

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

WORKER_SECONDS: Final = 30
FORM_TYPES: Final = {"xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "csv": "text/csv; charset=utf-8"}


def go_to(name: str, *args: Any) -> str:
    """An address of this room."""
    return reverse(name, args=args)


def after(request: HttpRequest, address: str) -> HttpResponse:
    """Go there, whether a form or HTMX asked."""
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)


# --- handing in -----------------------------------------------------------------------------------------------------------------------


@require_POST
@whole_gate("import")
@handed_in
def upload(request: HttpRequest, handler: IntoHome) -> HttpResponse:
    """Take up files, a block at a time, straight to where they will lie."""
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


@require_safe
@whole_gate("settings")
def limits_form(request: HttpRequest, form: str) -> HttpResponse:  # noqa: ARG001 — the same for everybody
    """An empty table for credit limits, for those who may bring them in."""
    form = form if form in FORM_TYPES else "xlsx"
    with tempfile.TemporaryDirectory(prefix="duecourse-form-") as home:
        place = Path(home) / f"limits.{form}"
        write_form(place, "limits")
        content = place.read_bytes()
    name = {"Content-Disposition": f'attachment; filename="credit-limits.{form}"'}
    return HttpResponse(content, content_type=FORM_TYPES[form], headers=name)


# --- looking at it --------------------------------------------------------------------------------------------------------------------


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
    return render(request, "imports/_preview.html", preview_words(row, said, grants=may(request.user, "settings")))


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
