"""Tables for people and for machines: the same rows on a terminal, as JSON, CSV or XLSX."""

from __future__ import annotations

import csv
import json
import sys
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from duecourse.glossary import label
from duecourse.messages import say
from duecourse.money import decimal_string, to_decimal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from rich.console import Console

Format = Literal["table", "json", "csv", "xlsx"]
Kind = Literal["text", "money", "days", "fraction", "ratio", "count", "date", "moment", "state"]

PIPE_WIDTH: Final = 160
TEXT_WIDTH: Final = 24
"""A text may be folded down to this; a figure never is."""

HEADING_WIDTH: Final = 16

WHOLE: Final = frozenset({"money", "days", "fraction", "ratio", "count", "date", "moment"})
RIGHT: Final = frozenset({"money", "days", "fraction", "ratio", "count"})


class Money(NamedTuple):
    """Minor units and their currency."""

    minor: int
    currency: str


@dataclass(frozen=True)
class Column:
    """One column: `name` is the key in JSON and CSV, `kind` decides how a value is written, `heading` what stands above it."""

    name: str
    kind: Kind = "text"
    heading: str = ""

    @property
    def title(self) -> str:
        """The heading in the language spoken: its own, or the glossary's."""
        return self.heading or label(self.name)


@dataclass(frozen=True)
class Section:
    """A titled table. `rows` are mappings by column name; CSV takes them one by one, the other forms go over them more than once."""

    name: str
    title: str
    columns: Sequence[Column]
    rows: Iterable[Mapping[str, Any]]
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Report:
    """Everything one command has to say: sections to read, and the same as plain data for machines."""

    title: str
    sections: Sequence[Section]
    data: Mapping[str, Any] = field(default_factory=dict)
    notes: Sequence[str] = ()


def shown(value: Any, kind: Kind) -> str:
    """A value as a person reads it; an unknown one is a dash, never a zero."""
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    if isinstance(value, Money):
        return f"{to_decimal(value.minor, value.currency):,f}"  # the currency stands in a column or heading of its own
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if kind == "fraction":
        return f"{value * 100:z.1f}%"  # z: a rounded-off zero has no sign
    if kind == "days" and isinstance(value, float):
        return f"{value:z,.1f}"
    if kind == "ratio":
        return f"{value:z,.3f}"
    if kind == "count":
        return f"{value:,}"
    if kind == "state" and isinstance(value, bool):
        return say("cli.yes") if value else say("cli.no")
    return str(value)


def plain(value: Any) -> Any:
    """A value as a machine reads it: money a decimal string, dates ISO, unknown null."""
    if isinstance(value, Money):
        return decimal_string(value.minor, value.currency)
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value


def write(report: Report, form: Format, output: Path | None) -> None:
    """Write a report to the terminal, or to a file; XLSX needs a file."""
    if form == "json":
        _to(output, json.dumps(plain(dict(report.data)), ensure_ascii=False, indent=2) + "\n")
    elif form == "csv":
        _csv(report, output)
    elif form == "xlsx":
        if output is None:
            from duecourse.errors import OptionMisusedError

            raise OptionMisusedError(option="--format", value="xlsx", hint=say("cli.xlsx_needs_output"))
        _xlsx(report, output)
    else:
        _table(report, output)


def _to(output: Path | None, text: str) -> None:
    if output is None:
        sys.stdout.write(text)
    else:
        output.write_text(text, encoding="utf-8")


def _csv(report: Report, output: Path | None) -> None:
    # Excel takes a CSV for UTF-8 only with the mark; a pipe wants none.
    stream = output.open("w", encoding="utf-8-sig", newline="") if output else sys.stdout
    try:
        writer = csv.writer(stream, lineterminator="\n")
        section = report.sections[0]
        writer.writerow([column.name for column in section.columns])
        for row in section.rows:
            values = [plain(row.get(column.name)) for column in section.columns]
            writer.writerow(["" if value is None else value for value in values])
    finally:
        if output:
            stream.close()


def _xlsx(report: Report, output: Path) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(str(output), {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        formats = {"date": book.add_format({"num_format": "yyyy-mm-dd"}), "fraction": book.add_format({"num_format": "0.0%"})}
        formats |= {"days": book.add_format({"num_format": "0.0"}), "ratio": book.add_format({"num_format": "0.000"})}
        places: dict[str, Any] = {}
        for section in report.sections:
            sheet = book.add_worksheet(section.title[:31].translate(str.maketrans("[]:*?/\\", "()    -")))
            sheet.freeze_panes(1, 0)
            for number, column in enumerate(section.columns):
                sheet.write(0, number, column.title, head)
                longest = max([len(column.title), *(len(shown(row.get(column.name), column.kind)) for row in list(section.rows)[:200])])
                sheet.set_column(number, number, min(max(longest * 1.1, 8), 48))
            for line, row in enumerate(section.rows, start=1):
                for number, column in enumerate(section.columns):
                    value = row.get(column.name)
                    if isinstance(value, Money):
                        text = decimal_string(value.minor, value.currency)
                        decimals = len(text.partition(".")[2])
                        pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
                        sheet.write_number(line, number, float(text), places.setdefault(pattern, book.add_format({"num_format": pattern})))
                    elif isinstance(value, date) and not isinstance(value, datetime):
                        sheet.write_datetime(line, number, datetime(value.year, value.month, value.day), formats["date"])  # noqa: DTZ001
                    elif isinstance(value, int | float) and not isinstance(value, bool):
                        sheet.write_number(line, number, value, formats.get(column.kind))
                    elif value is not None:
                        sheet.write_string(line, number, shown(value, column.kind))


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
