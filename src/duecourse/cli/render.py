"""The answer of a command: tables on a terminal, JSON for machines, or a file."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, Final, Literal

from duecourse.messages import say
from duecourse.tables import plain, shown, write_csv, write_xlsx

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rich.console import Console

    from duecourse.tables import Column, Report

Format = Literal["table", "json", "csv", "xlsx"]

PIPE_WIDTH: Final = 160
TEXT_WIDTH: Final = 24
"""A text may be folded down to this; a figure never is."""

HEADING_WIDTH: Final = 16

WHOLE: Final = frozenset({"money", "days", "fraction", "ratio", "count", "date", "moment"})
RIGHT: Final = frozenset({"money", "days", "fraction", "ratio", "count"})


def write(report: Report, form: Format, output: Path | None) -> None:
    """Write a report to the terminal, or to a file; XLSX needs a file."""
    if form == "json":
        _to(output, json.dumps(plain(dict(report.data)), ensure_ascii=False, indent=2) + "\n")
    elif form == "csv":
        write_csv(report, output)
    elif form == "xlsx":
        if output is None:
            from duecourse.errors import OptionMisusedError

            raise OptionMisusedError(option="--format", value="xlsx", hint=say("cli.xlsx_needs_output"))
        write_xlsx(report, output)
    else:
        _table(report, output)


def _to(output: Path | None, text: str) -> None:
    if output is None:
        sys.stdout.write(text)
    else:
        output.write_text(text, encoding="utf-8")


def _table(report: Report, output: Path | None) -> None:
    from rich.console import Console

    stream = output.open("w", encoding="utf-8") if output else sys.stdout
    try:
        print_report(report, Console(file=stream, highlight=False, soft_wrap=False, width=None if stream.isatty() else PIPE_WIDTH))
    finally:
        if output:
            stream.close()


def print_report(report: Report, console: Console) -> None:
    """A report as tables on a terminal."""
    from rich.text import Text

    if report.title:
        console.print(Text(report.title, style="bold"))
    for section in report.sections:
        rows = [{column.name: shown(row.get(column.name), column.kind) for column in section.columns} for row in section.rows]
        for number, columns in enumerate(_fitting(section.columns, rows, console.width)):
            console.print()
            console.print(_grid(section.title if not number else "", columns, rows))
        for note in section.notes:
            console.print(Text(note, style="dim"))
    for note in report.notes:
        console.print()
        console.print(Text(note))


def _grid(title: str, columns: Sequence[Column], rows: Sequence[Mapping[str, str]]) -> Any:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title or None, title_justify="left", title_style="bold", box=None, pad_edge=False, header_style="dim")
    for column in columns:
        # A heading may be folded between words, a figure or date never.
        whole = column.kind in WHOLE
        least = _longest(column, rows) if whole else min(_longest(column, rows), TEXT_WIDTH)
        most = max(least, HEADING_WIDTH) if whole else None
        table.add_column(
            column.title, justify="right" if column.kind in RIGHT else "left", min_width=least, max_width=most, overflow="fold"
        )
    for row in rows:
        table.add_row(*(Text(row[column.name]) for column in columns))
    return table


def _longest(column: Column, rows: Sequence[Mapping[str, str]]) -> int:
    from rich.cells import cell_len

    return max((cell_len(row[column.name]) for row in rows), default=0)


def _fitting(columns: Sequence[Column], rows: Sequence[Mapping[str, str]], width: int) -> list[list[Column]]:
    """The columns in as many tables as it takes for the figures to stand whole, the first column repeated in each."""
    from rich.cells import cell_len

    def needs(column: Column) -> int:
        heading = cell_len(column.title)
        cells = _longest(column, rows)
        if column.kind in WHOLE:
            return max(cells, min(heading, HEADING_WIDTH)) + 2
        return max(min(cells, TEXT_WIDTH), min(heading, TEXT_WIDTH)) + 2

    first, *rest = columns
    tables = [[first]]
    used = needs(first)
    for column in rest:
        if used + needs(column) > width and len(tables[-1]) > 1:
            tables.append([first])
            used = needs(first)
        tables[-1].append(column)
        used += needs(column)
    return tables
