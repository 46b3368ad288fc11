"""Lines that could not be used: why, mended in their place or in a spreadsheet, taken in again.  隔离区"""

from __future__ import annotations

import hashlib
import secrets
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from duecourse.desk.refused import AT_A_TIME, Line, count, lines, piles, write_corrected, write_waiting
from duecourse.messages import say
from duecourse.web import books
from duecourse.web.accounts.audit import record
from duecourse.web.imports import uploads
from duecourse.web.imports.files import after, go_to
from duecourse.web.imports.receiving import HALF, Received, folder
from duecourse.web.imports.whole import whole_gate
from duecourse.web.imports.wording import finding_words, role_label

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest

    from duecourse.ledger.book import Book

CELL_LENGTH: Final = 2_000
FORMS: Final = {"csv": "text/csv; charset=utf-8", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


def _now() -> Book:
    """The quarantine of today, whatever day the rest of the app looks at: only what waits now can be mended."""
    ledger = books.ledger()
    return ledger.as_of(books.day_of(ledger))


@require_safe
@whole_gate("import")
def quarantine(request: HttpRequest) -> HttpResponse:
    """The lines that wait, by file and reason; or those that were mended."""
    return render(request, "imports/quarantine.html", _words(request))


def _words(request: HttpRequest) -> dict[str, Any]:
    book = _now()
    chosen: dict[str, Any] = {
        "file": request.GET.get("file", ""),
        "code": request.GET.get("code", ""),
        "fixed": request.GET.get("fixed") == "1",
    }
    start = request.GET.get("from", "")
    offset = int(start) if start.isdecimal() else 0
    found = piles(book)
    number = count(book, **chosen)
    rows = lines(book, **chosen, offset=offset)
    files = {one.file_sha256: one.file_name for one in found}
    kept = {
        name: value
        for name, value in (("file", chosen["file"]), ("code", chosen["code"]), ("fixed", "1" if chosen["fixed"] else ""))
        if value
    }
    return {
        "piles": [{"pile": one, "words": say(f"web.quarantine_reason_{one.code}")} for one in found if one.waiting],
        "files": sorted(files.items(), key=lambda pair: pair[1]),
        "codes": sorted({(one.code, say(f"web.quarantine_reason_{one.code}")) for one in found}, key=lambda pair: pair[1]),
        "chosen": chosen,
        "kept": kept,
        "waiting": sum(one.waiting for one in found),
        "mended": sum(one.fixed for one in found),
        "rows": [_row(one) for one in rows],
        "number": number,
        "says": say("web.quarantine_shown", first=offset + 1 if rows else 0, last=offset + len(rows), count=number),
        "has_previous": offset > 0,
        "previous": max(0, offset - AT_A_TIME),
        "next": offset + AT_A_TIME if offset + AT_A_TIME < number else None,
    }


def _row(line: Line) -> dict[str, Any]:
    def cells(names: Any) -> list[dict[str, Any]]:
        return [
            {
                "name": name,
                "role": _meaning(line, name),
                "text": line.cells[name],
                "bad": name == line.finding.column,
                "field": f"cell-{line.key}-{list(line.cells).index(name)}",
            }
            for name in names
        ]

    return {"line": line, "words": finding_words(line.finding), "used": cells(line.used), "others": cells(line.others)}


def _meaning(line: Line, name: str) -> str:
    """What the column stands for, where its own name does not say so already."""
    said = role_label(line.roles[name]) if name in line.roles else ""
    return "" if said.casefold() == name.casefold() else said


@require_POST
@whole_gate("import")
def fix(request: HttpRequest) -> HttpResponse:
    """Take in the lines that were corrected on the page: the same way as a file that comes back."""
    edits = _edits(_now(), request.POST)
    if not edits:
        messages.warning(request, say("web.quarantine_nothing_changed"))
        return after(request, go_to("quarantine"))
    half = folder() / f"{HALF}{secrets.token_hex(8)}.csv"
    number = write_corrected(_now(), half, edits)
    if not number:
        half.unlink(missing_ok=True)
        messages.warning(request, say("web.quarantine_gone"))
        return after(request, go_to("quarantine"))
    content = half.read_bytes()
    name = say("web.quarantine_file_name", day=f"{timezone.localdate():%Y-%m-%d}")
    row = uploads.keep(request, Received(name, hashlib.sha256(content).hexdigest(), len(content), half))
    record(request, "quarantine.fix", "upload", row.pk, lines=number)
    uploads.confirm(request, row, row.turn)
    return after(request, go_to("import_file", row.pk))


def _edits(book: Book, form: Mapping[str, str]) -> dict[tuple[str, int], dict[str, str]]:
    """The lines in which a cell says otherwise now, or that are to be read again as they are."""
    wanted: dict[tuple[str, int], dict[int, str]] = {}
    for field, text in form.items():
        parts = field.split("-", 2)
        if len(parts) != 3 or parts[0] != "cell" or not parts[2].isdecimal():
            continue
        sha256, _dot, number = parts[1].partition(".")
        if number.isdecimal():
            wanted.setdefault((sha256, int(number)), {})[int(parts[2])] = text[:CELL_LENGTH]
    found: dict[tuple[str, int], dict[str, str]] = {}
    for sha256 in {key[0] for key in wanted}:
        for line in lines(book, file=sha256, limit=None):
            said = wanted.get((sha256, line.file_row))
            if said is None:
                continue
            names = list(line.cells)
            changed = {names[place]: text for place, text in said.items() if place < len(names) and text != line.cells[names[place]]}
            if changed or form.get(f"again-{line.key}"):
                found[sha256, line.file_row] = changed
    return found


@require_safe
@whole_gate("import")
def export(request: HttpRequest) -> HttpResponse:
    """The waiting lines as a file to be corrected in a spreadsheet and handed in again."""
    form = request.GET.get("form", "xlsx")
    form = form if form in FORMS else "xlsx"
    chosen = {name: request.GET.get(name, "") for name in ("file", "code", "batch")}
    with tempfile.TemporaryDirectory(prefix="duecourse-quarantine-") as place:
        path = Path(place) / f"quarantine.{form}"
        number = write_waiting(_now(), path, **chosen)
        content = path.read_bytes()
    record(request, "quarantine.export", "quarantine", chosen["file"] or chosen["batch"], lines=number, form=form)
    name = f"quarantine-{timezone.localdate():%Y-%m-%d}.{form}"
    return HttpResponse(content, content_type=FORMS[form], headers={"Content-Disposition": f'attachment; filename="{name}"'})
