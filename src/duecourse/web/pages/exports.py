"""A list as a file: the rows, columns and order of the screen, as CSV a piece at a time or as a workbook.  导出"""

from __future__ import annotations

import csv
import io
import tempfile
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from django.http import FileResponse, HttpResponse, StreamingHttpResponse

from duecourse.errors import OptionMisusedError
from duecourse.messages import say
from duecourse.tables import Report, Section, plain, write_xlsx
from duecourse.web.accounts.audit import record

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from django.http import HttpRequest

    from duecourse.ledger.book import Book
    from duecourse.tables import Column

FORMS: Final = ("csv", "xlsx")
WORKBOOK_ROWS: Final = 200_000
"""A workbook is finished before the first byte leaves, and beyond this takes longer than anybody waits; CSV has no end."""

PIECE: Final = 500
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def checked_form(form: str, rows: int) -> str:
    """The kind of file. Raises OptionMisusedError for one there is not, and for a workbook of too many rows."""
    if form not in FORMS:
        raise OptionMisusedError(option="form", value=form, hint=say("cli.hint_per", known=", ".join(FORMS)))
    if form == "xlsx" and rows > WORKBOOK_ROWS:
        raise OptionMisusedError(
            option="form", value=form, hint=say("web.buyers_hint_workbook", most=f"{WORKBOOK_ROWS:,}", rows=f"{rows:,}")
        )
    return form


def file_of(
    request: HttpRequest,
    book: Book,
    form: str,
    name: str,
    title: str,
    columns: Sequence[Column],
    rows: Iterator[Mapping[str, Any]],
    count: int,
) -> HttpResponse | StreamingHttpResponse | FileResponse:
    """The answer with the file, after a line in the audit trail: what was taken out, by whom, how many rows, as of when.

    more: there are at least `count` rows.
    """
    known = book.known_at.isoformat() if book.known_at else ""
    record(
        request,
        f"{name}.export",
        name,
        "",
        form=form,
        rows=count,
        on=book.on,
        known_at=known,
        query=request.META.get("QUERY_STRING", "")[:2000],
    )
    file_name = f"{title}-{book.on:%Y-%m-%d}.{form}"
    headers = {"Content-Disposition": f"attachment; filename=\"{name}-{book.on:%Y-%m-%d}.{form}\"; filename*=UTF-8''{quote(file_name)}"}
    if form == "xlsx":
        return _workbook(title, columns, rows, headers)
    return StreamingHttpResponse(_lines(columns, rows), content_type="text/csv; charset=utf-8", headers=headers)


def cell(value: Any) -> Any:
    """A value as CSV holds it. A text that a spreadsheet would take for a formula is told to be text by the mark in front of it."""
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(FORMULA) else value
    if isinstance(value, bool):
        return say("cli.yes") if value else say("cli.no")
    return plain(value)


def _lines(columns: Sequence[Column], rows: Iterator[Mapping[str, Any]]) -> Iterator[bytes]:
    names = [column.name for column in columns]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([cell(column.title) for column in columns])
    yield b"\xef\xbb\xbf" + _taken(out)  # the mark by which spreadsheets know UTF-8
    while piece := list(islice(rows, PIECE)):
        writer.writerows([cell(row.get(name)) for name in names] for row in piece)
        yield _taken(out)


def _taken(out: io.StringIO) -> bytes:
    text = out.getvalue()
    out.seek(0)
    out.truncate()
    return text.encode()


def _workbook(title: str, columns: Sequence[Column], rows: Iterator[Mapping[str, Any]], headers: Mapping[str, str]) -> FileResponse:
    with tempfile.TemporaryDirectory(prefix="duecourse-") as folder:
        path = Path(folder) / "list.xlsx"
        write_xlsx(Report(title, [Section("list", title, columns, rows)]), path)
        return FileResponse(
            path.open("rb"), content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", headers=dict(headers)
        )
