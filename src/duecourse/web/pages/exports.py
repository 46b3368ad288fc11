"""A list as a file: the rows, columns and order of the screen, as CSV a piece at a time or as a workbook.  导出"""

from __future__ import annotations

import csv
import io
import tempfile
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import pyarrow as pa
from django.http import FileResponse, HttpResponse, StreamingHttpResponse

from duecourse.errors import OptionMisusedError
from duecourse.messages import say
from duecourse.money import exponent
from duecourse.tables import Report, Section, plain, write_xlsx
from duecourse.web.accounts.audit import record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
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
    *,
    more: bool = False,
    pieces: Iterator[Sequence[Sequence[Any]]] | None = None,
) -> HttpResponse | StreamingHttpResponse | FileResponse:
    """The answer with the file, after a line in the audit trail: what was taken out, by whom, how many rows, as of when.

    more    there are at least `count` rows
    pieces  the same rows as texts of a CSV file already, some at a time, where the list has a quicker way to them
    """
    known = book.known_at.isoformat() if book.known_at else ""
    told = {"rows": f"{count}+" if more else count, "on": book.on, "known_at": known, "query": request.META.get("QUERY_STRING", "")[:2000]}
    record(request, f"{name}.export", name, "", form=form, **told)
    file_name = f"{title}-{book.on:%Y-%m-%d}.{form}"
    headers = {"Content-Disposition": f"attachment; filename=\"{name}-{book.on:%Y-%m-%d}.{form}\"; filename*=UTF-8''{quote(file_name)}"}
    if form == "xlsx":
        return _workbook(title, columns, rows, headers)
    written = _lines(columns, rows) if pieces is None else _written(columns, pieces)
    return StreamingHttpResponse(written, content_type="text/csv; charset=utf-8", headers=headers)


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
    pieces = iter(lambda: [[cell(row.get(name)) for name in names] for row in islice(rows, PIECE)], [])
    return _written(columns, pieces)


def _written(columns: Sequence[Column], pieces: Iterator[Sequence[Sequence[Any]]]) -> Iterator[bytes]:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([cell(column.title) for column in columns])
    yield b"\xef\xbb\xbf" + _taken(out)  # the mark by which spreadsheets know UTF-8
    for piece in pieces:
        writer.writerows(piece)
        yield _taken(out)


def texts_of(batch: pa.RecordBatch, columns: Sequence[Column], currency_of: Callable[[str], str]) -> list[Sequence[str]]:
    """The rows of a batch as `cell` writes them, a column at a time: a million rows leave in seconds.

    currency_of: the currency a column of amounts is in; empty = each row's own.
    """
    codes: list[Any] = batch.column("currency").to_pylist()
    found: list[list[str]] = []
    for column in columns:
        values: Any = batch.column(column.name)
        if column.kind == "money":
            fixed = currency_of(column.name)
            digits = {code: exponent(fixed or code) for code in set(codes)}
            found.append(
                ["" if minor is None else _decimal(minor, digits[code]) for minor, code in zip(values.to_pylist(), codes, strict=True)]
            )
        elif pa.types.is_boolean(values.type) or pa.types.is_string(values.type):
            found.append([str(cell(value)) for value in values.to_pylist()])
        else:
            found.append(["" if value is None else value for value in values.cast(pa.string()).to_pylist()])
    return list(zip(*found, strict=True))


def _decimal(minor: int, digits: int) -> str:
    """The same text as `money.decimal_string`, without a Decimal for each of millions of amounts."""
    if not digits:
        return str(minor)
    text = f"{abs(minor):0{digits + 1}d}"
    return f"{'-' if minor < 0 else ''}{text[:-digits]}.{text[-digits:]}"


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
