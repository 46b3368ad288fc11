"""Spreadsheets (XLSX, XLS, XLSB, ODS) as rows of text, each with its row number in the sheet."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from python_calamine import CalamineWorkbook

from duecourse.errors import FileCutOffError, FileUnreadableError, OptionInvalidError
from duecourse.intake.habits import amount_habit, looks_like_amount

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Sheet:
    """One sheet: its name and its rows from row 1, every cell as text."""

    name: str
    rows: list[list[str]]


def cell_text(cell: Any) -> str:
    """A typed cell as plain text: ISO dates, point decimals, whole numbers without a decimal point."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        if cell.is_integer() and abs(cell) < 1e15:
            return str(int(cell))
        return repr(round(cell, 10)) if abs(cell) < 1e9 else repr(cell)
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(sep=" ")
    if isinstance(cell, dt.date | dt.time):
        return cell.isoformat()
    return str(cell)


def read_sheets(path: Path, kind: str) -> list[Sheet]:
    """All visible sheets with something in them.

    Raises FileCutOffError if the container ends in the middle, FileUnreadableError if it cannot be understood.
    """
    try:
        book = CalamineWorkbook.from_path(path)
        sheets = []
        for meta in book.sheets_metadata:
            if str(meta.visible).rsplit(".", 1)[-1] != "Visible" or "WorkSheet" not in str(meta.typ):
                continue
            sheet = book.get_sheet_by_name(meta.name)
            rows = _texts(sheet.to_python(skip_empty_area=False))
            if any(any(row) for row in rows):
                sheets.append(Sheet(meta.name, rows))
    except Exception as error:
        detail = str(error)
        broken = any(
            word in detail.lower()
            for word in ("eof", "unexpected end", "central directory", "zip", "truncated", "eocd", "failed to fill", "out of range")
        )
        raise (FileCutOffError if broken else FileUnreadableError)(path=str(path), detail=detail or kind) from error
    return sheets


def _texts(cells: list[list[Any]]) -> list[list[str]]:
    """All cells as text; where a column holds amounts typed as text with a decimal comma, its numbers are written so as well."""
    rows = [[cell_text(cell) for cell in row] for row in cells]
    for place in range(max(map(len, cells), default=0)):
        column = [row[place] if place < len(row) else None for row in cells]
        typed = [cell for cell in column if isinstance(cell, str) and looks_like_amount(cell) and re.search(r"[.,]", cell)]
        broken = [number for number, cell in enumerate(column) if isinstance(cell, float) and not cell.is_integer()]
        if typed and broken and amount_habit(typed)[0].decimal == ",":
            for number in broken:
                rows[number][place] = rows[number][place].replace(".", ",")
    return rows


def named(sheets: list[Sheet], name: str, path: Path) -> Sheet:
    """The sheet of this name, or of this number (1 = first)."""
    for number, sheet in enumerate(sheets, start=1):
        if name in {sheet.name, str(number)}:
            return sheet
    raise OptionInvalidError(option="--sheet", value=name, allowed=", ".join(sheet.name for sheet in sheets), path=str(path))
