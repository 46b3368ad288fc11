"""Everything that was imported, by whom and when; one import with its rows; taking one back.  导入历史"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.db import transaction
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from duecourse.desk.imported import Change, change_of, history, withdrawal
from duecourse.desk.importing import result_of
from duecourse.desk.refused import count as refused_count
from duecourse.desk.refused import lines as refused_lines
from duecourse.errors import BatchUnknownError
from duecourse.messages import say
from duecourse.money import to_decimal
from duecourse.web import books
from duecourse.web import environment as env
from duecourse.web.accounts.access import may
from duecourse.web.accounts.audit import record
from duecourse.web.accounts.models import Person
from duecourse.web.imports.files import after, go_to
from duecourse.web.imports.models import Upload
from duecourse.web.imports.receiving import FILES_AT_ONCE, place_of
from duecourse.web.imports.results import result_view, table_label
from duecourse.web.imports.whole import person_of, whole_gate
from duecourse.web.imports.wording import amount, finding_words, size_words
from duecourse.web.jobs import queue
from duecourse.web.jobs.models import UNFINISHED, JobRun

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest, HttpResponse

PAGE: Final = 25
REASON_LENGTH: Final = 300


@require_safe
@whole_gate("import")
def imports(request: HttpRequest) -> HttpResponse:
    """Hand in files; see what waits, what runs, and what was imported before."""
    ledger = books.ledger()
    changes = history(ledger)
    start = request.GET.get("from", "")
    offset = int(start) if start.isdecimal() else 0
    shown = changes[offset : offset + PAGE]
    pending = [one for one in Upload.objects.select_related("run", "by").filter(results__isnull=True)[:50] if one.state != "done"]
    return render(
        request,
        "imports/imports.html",
        {
            "pending": [{"upload": one, "size": size_words(one.size_bytes)} for one in pending],
            "rows": _rows(shown),
            "may_limits": may(request.user, "settings"),
            "says": say("web.imports_shown", first=offset + 1, last=offset + len(shown), count=len(changes)),
            "previous": offset and max(0, offset - PAGE),
            "has_previous": offset > 0,
            "next": offset + PAGE if offset + PAGE < len(changes) else None,
            "limit": env.UPLOAD_LIMIT >> 20,
            "at_once": FILES_AT_ONCE,
        },
    )


def _rows(changes: Sequence[Change]) -> list[dict[str, Any]]:
    people = {one.username: one.name for one in Person.objects.filter(username__in={change.by for change in changes if change.by})}
    return [{"change": change, "row": change.row, "by": people.get(change.by, change.by), "kind": _kind(change)} for change in changes]


def _kind(change: Change) -> str:
    if change.is_fix:
        return say("web.imports_kind_corrected")
    shape = str(change.row.facts.get("shape") or "")
    return say(f"cli.shape_{shape}") if shape else ""


@require_safe
@whole_gate("import")
def import_(request: HttpRequest, batch_id: str) -> HttpResponse:
    """One import: who, when, from which file, what it brought, what was refused, what it would mean to take it back."""
    ledger = books.ledger()
    change = change_of(ledger, batch_id)
    book = ledger.as_of(books.day_of(ledger))
    people = {one.username: one.name for one in Person.objects.filter(username__in={change.by, _undone_by(change)} - {""})}
    token = str(change.row.facts.get("mark") or "").rpartition("-")[0]
    handed_in = Upload.objects.filter(token=token).first() if token else None
    undoing = JobRun.objects.filter(name="imports.withdraw", args__batch=batch_id, status__in=UNFINISHED).first()
    result = result_of(change.row)
    words: dict[str, Any] = {
        "change": change,
        "row": change.row,
        "by": people.get(change.by, change.by),
        "kind": _kind(change),
        "undone_by": people.get(_undone_by(change), _undone_by(change)),
        "upload": handed_in,
        "kept": handed_in is not None and place_of(handed_in.sha256).is_file(),
        "undoing": undoing,
        "may_undo": change.row.kind in ("import", "post"),
        "refused": refused_count(book, batch=batch_id),
        "lines": [{"line": one, "words": finding_words(one.finding)} for one in refused_lines(book, batch=batch_id, limit=10)],
        "result": result,
        "outcome": result_view(result, handed_in.expected if handed_in else {}),
    }
    return render(request, "imports/import.html", words)


def _undone_by(change: Change) -> str:
    return str(change.withdrawn.facts.get("by") or "") if change.withdrawn else ""


@require_safe
@whole_gate("import")
def void(request: HttpRequest, batch_id: str) -> HttpResponse:
    """What would taking it back do?"""
    return render(request, "imports/void.html", _void_words(batch_id))


def _void_words(batch_id: str) -> dict[str, Any]:
    found = withdrawal(books.ledger(), batch_id)
    effects = [
        {
            "table": table_label(one.table),
            "goes": one.goes,
            "returns": one.returns,
            "money": [
                (currency, amount(to_decimal(lost, currency), currency), amount(to_decimal(back, currency), currency))
                for currency, lost, back in one.money
            ],
        }
        for one in found.effects
    ]
    return {"change": found.change, "row": found.change.row, "effects": effects, "with_it": found.with_it, "lists": found.lists}


@require_POST
@whole_gate("import")
def undo(request: HttpRequest, batch_id: str) -> HttpResponse:
    """Take it back, with a reason."""
    reason = request.POST.get("reason", "").strip()[:REASON_LENGTH]
    words = _void_words(batch_id)
    if not reason:
        return render(request, "imports/void.html", {**words, "reason_missing": True}, status=422)
    with transaction.atomic():
        person = person_of(request)
        run = queue.enqueue(
            "imports.withdraw", key=f"withdraw-{batch_id}", person=person, batch=batch_id, reason=reason, by=person.username
        )
        queue.try_again(run)  # one that failed before
        record(request, "import.void", "import", batch_id, file=words["row"].file_name, reason=reason)
    return after(request, go_to("import_", batch_id))


@require_safe
@whole_gate("import")
def undoing(request: HttpRequest, batch_id: str) -> HttpResponse:
    """How far the taking back is."""
    run = JobRun.objects.filter(name="imports.withdraw", key=f"withdraw-{batch_id}").first()
    if run is None:
        raise BatchUnknownError(batch=batch_id)
    if run.finished:
        if run.status == "done":
            messages.success(request, say("web.imports_undone"))
        else:
            messages.error(request, run.error or say("web.imports_undo_stopped"))
        return after(request, go_to("import_", batch_id))
    return render(request, "imports/_undoing.html", {"undoing": run, "row": {"batch_id": batch_id}})
