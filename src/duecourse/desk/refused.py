"""The quarantine as people work on it: which lines wait and why, the lines themselves, and the same lines with cells corrected."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from duecourse.findings import Finding, Severity
from duecourse.intake.profile import Profile
from duecourse.intake.quarantine import FILE, FILE_ID, FILE_ROW, REASON, write_lines

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import ibis.expr.types as ir

    from duecourse.ledger.book import Book

AT_A_TIME: Final = 50


@dataclass(frozen=True)
class Pile:
    """Lines of one file refused for one reason: how many wait, and how many were corrected since."""

    file_name: str
    file_sha256: str
    code: str
    waiting: int
    fixed: int


@dataclass(frozen=True)
class Line:
    """One refused line: its cells as they were written, the role each column was read as, why it was refused.

    fixed_by  the import that took it in, corrected; None while it waits
    batch     the import that refused it last
    """

    file_name: str
    file_sha256: str
    file_row: int
    finding: Finding
    cells: Mapping[str, str]
    roles: Mapping[str, str]
    fixed_by: str | None
    batch: str

    @property
    def key(self) -> str:
        """Its name in a form."""
        return f"{self.file_sha256}.{self.file_row}"

    @property
    def used(self) -> Sequence[str]:
        """Columns that are read, the faulty one first."""
        faulty = self.finding.column
        return [name for name in dict.fromkeys([faulty, *self.roles]) if name in self.cells]

    @property
    def others(self) -> Sequence[str]:
        """Columns that are not."""
        used = set(self.used)
        return [name for name in self.cells if name not in used]


def piles(book: Book) -> list[Pile]:
    """How many lines of which file were refused for which reason?  隔离区概览"""
    table = book.quarantine
    grouped = table.group_by(["file_name", "file_sha256", "code"]).aggregate(
        waiting=table.fixed_by.isnull().cast("int64").sum(), fixed=table.fixed_by.notnull().cast("int64").sum()
    )
    rows = book.run(grouped.order_by(["file_name", "file_sha256", "code"])).to_pylist()
    return [Pile(row["file_name"] or "", row["file_sha256"], row["code"], row["waiting"] or 0, row["fixed"] or 0) for row in rows]


def lines(
    book: Book, *, file: str = "", code: str = "", batch: str = "", fixed: bool = False, offset: int = 0, limit: int | None = AT_A_TIME
) -> list[Line]:
    """Refused lines in the order of their files.

    file   SHA-256 of the file they stand in; empty = any
    code   the reason; empty = any
    batch  the import that refused them, or took them in corrected
    fixed  those that were corrected instead of those that wait
    """
    table = _chosen(book, file=file, code=code, batch=batch, fixed=fixed)
    table = table.order_by(["file_name", "file_sha256", "file_row"]).limit(limit, offset=offset)
    return [_line(row) for row in book.run(table).to_pylist()]


def count(book: Book, *, file: str = "", code: str = "", batch: str = "", fixed: bool = False) -> int:
    """How many of them are there?"""
    table = _chosen(book, file=file, code=code, batch=batch, fixed=fixed)
    return int(book.run(table.aggregate(n=table.count())).column("n")[0].as_py())


def _chosen(book: Book, *, file: str, code: str, batch: str, fixed: bool) -> ir.Table:
    table = book.quarantine
    table = table.filter(table.fixed_by.notnull() if fixed else table.fixed_by.isnull())
    if file:
        table = table.filter(table.file_sha256 == file)
    if code:
        table = table.filter(table.code == code)
    if batch:
        table = table.filter((table.source == batch) | (table.fixed_by == batch))
    return table


def _line(row: Mapping[str, Any]) -> Line:
    cells = {name: text or "" for name, text in json.loads(row["row"] or "{}").items()}
    profile = Profile.from_json(row["profile"])
    roles: dict[str, str] = {}
    for role, one in profile.mapping.items():
        roles.setdefault(one.column, role)
    finding = Finding(
        row["code"], Severity.ERROR, row["file_name"] or "", row["file_row"], row["column"] or "", row["value"] or "",
        json.loads(row["args"] or "{}"),
    )  # fmt: skip
    return Line(row["file_name"] or "", row["file_sha256"], row["file_row"], finding, cells, roles, row["fixed_by"], row["source"])


def write_waiting(book: Book, path: Path, *, file: str = "", code: str = "", batch: str = "") -> int:
    """Write the waiting lines as they stood in their files, with reasons, to CSV or XLSX, to be corrected and handed in again; how many."""
    found = lines(book, file=file, code=code, batch=batch, limit=None)
    write_lines(path, [(line.cells, line.file_row, line.finding, line.file_name, line.file_sha256) for line in found])
    return len(found)


def write_corrected(book: Book, path: Path, edits: Mapping[tuple[str, int], Mapping[str, str]]) -> int:
    """Write waiting lines with some cells corrected, to be taken in like a file that came back; how many.

    edits  (file's SHA-256, its line) -> {column: what the cell is to say}; columns the line does not have are left out
    """
    table = _chosen(book, file="", code="", batch="", fixed=False)
    table = table.filter(
        table.file_sha256.isin(sorted({file for file, _row in edits})) & table.file_row.isin(sorted({row for _f, row in edits}))
    )
    found = [line for line in map(_line, book.run(table).to_pylist()) if (line.file_sha256, line.file_row) in edits]
    corrected = []
    for line in found:
        said = edits[line.file_sha256, line.file_row]
        cells = {name: said.get(name, text) for name, text in line.cells.items()}
        corrected.append((cells, line.file_row, line.finding, line.file_name, line.file_sha256))
    write_lines(path, corrected)
    return len(corrected)


__all__ = ["FILE", "FILE_ID", "FILE_ROW", "REASON", "Line", "Pile", "count", "lines", "piles", "write_corrected", "write_waiting"]
