"""Tables for people and for machines: what a column holds, how a value reads, and the same rows as CSV or XLSX. Command line and pages share it."""

from __future__ import annotations

import csv
import sys
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from duecourse.glossary import label
from duecourse.messages import language, say
from duecourse.money import decimal_string, exponent, grouped

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

Kind = Literal["text", "money", "days", "fraction", "ratio", "count", "date", "moment", "state"]

MONEY: Final = frozenset(
    [
        "outstanding",
        "overdue",
        "not_due",
        "unapplied_credits",
        "net",
        "credit_sales",
        "credit_sales_90d",
        "credit_sales_365d",
        "paid_365d",
        "peak_balance_365d",
        "credits_365d",
        "disputed",
        "cash_received",
        "credits",
        "amount_minor",
        "open_minor",
        "disputed_minor",
        "amount",
        "exposure",
        "released_not_invoiced",
        "open_orders",
        "overdue_beyond",
    ]
)
KINDS: Final[Mapping[str, Kind]] = {
    "overdue_share": "fraction", "cei": "fraction", "dilution_rate": "fraction", "share": "fraction", "dso_simple": "days", "dso_countback": "days",
    "dso_simple_90d": "days", "best_possible_dso": "days", "average_days_delinquent": "days", "days_beyond_terms": "days",
    "days_beyond_terms_floored": "days", "days_beyond_terms_365d": "days", "days_beyond_terms_90d": "days", "days_beyond_terms_floored_365d": "days",
    "days_beyond_terms_trend": "days", "weighted_days_late_open": "days", "oldest_days_past_due": "days", "days_past_due": "days",
    "dso_censored": "state", "open_invoices": "count", "overdue_invoices": "count", "buyers_with_balance": "count", "open_disputes": "count",
    "invoices_365d": "count", "rank": "count", "items": "count", "issue_date": "date", "due_date": "date", "settle_date": "date",
    "first_issue_date": "date", "last_payment_date": "date", "month_end": "date", "raised_on": "date", "instalment": "count",
}  # fmt: skip


MEASURED_ROWS: Final = 200
"""The first rows of a sheet say how wide its columns are."""


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
    """A titled table. `rows` are mappings by column name; files take them one by one, the screen goes over them more than once."""

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
        return grouped(value.minor, value.currency)  # the currency stands in a column or heading of its own
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


def write_csv(report: Report, output: Path | None) -> None:
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


def write_xlsx(report: Report, output: Path) -> None:
    import xlsxwriter  # noqa: PLC0415 — few commands write one

    # Row by row to the disk: a sheet of hundreds of thousands of rows takes no more memory than a short one.
    options = {"strings_to_formulas": False, "strings_to_urls": False, "constant_memory": True}
    with xlsxwriter.Workbook(str(output), options) as book:
        head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        formats = {"date": book.add_format({"num_format": "yyyy-mm-dd"}), "fraction": book.add_format({"num_format": "0.0%"})}
        formats |= {"days": book.add_format({"num_format": "0.0"}), "ratio": book.add_format({"num_format": "0.000"})}
        places: dict[str, Any] = {}
        for section in report.sections:
            sheet = book.add_worksheet(section.title[:31].translate(str.maketrans("[]:*?/\\", "()    -")))
            sheet.freeze_panes(1, 0)
            widths = [len(column.title) for column in section.columns]
            for number, column in enumerate(section.columns):
                sheet.write(0, number, column.title, head)
            for line, row in enumerate(section.rows, start=1):
                for number, column in enumerate(section.columns):
                    value = row.get(column.name)
                    if line <= MEASURED_ROWS:
                        widths[number] = max(widths[number], len(shown(value, column.kind)))
                    if isinstance(value, Money):
                        pattern = _pattern(value)
                        if pattern not in places:
                            places[pattern] = book.add_format({"num_format": pattern})
                        sheet.write_number(line, number, float(decimal_string(*value)), places[pattern])
                    else:
                        _write_cell(sheet, (line, number), value, column.kind, formats)
            for number, width in enumerate(widths):
                sheet.set_column(number, number, min(max(width * 1.1, 8), 48))


def _pattern(value: Money) -> str:
    """How a spreadsheet shows an amount: with the decimals of its currency."""
    decimals = exponent(value.currency)
    return "#,##0" + ("." + "0" * decimals if decimals else "")


def _write_cell(sheet: Any, place: tuple[int, int], value: Any, kind: Kind, formats: Mapping[str, Any]) -> None:
    if isinstance(value, date) and not isinstance(value, datetime):
        sheet.write_datetime(*place, datetime(value.year, value.month, value.day), formats["date"])  # noqa: DTZ001
    elif isinstance(value, int | float) and not isinstance(value, bool):
        sheet.write_number(*place, value, formats.get(kind))
    elif value is not None:
        sheet.write_string(*place, shown(value, kind))


def columns_of(names: Sequence[str]) -> list[Column]:
    """The columns of these names, each of the kind its values are of."""
    return [
        Column(name, "money" if name in MONEY or (name.startswith("days_") and name not in KINDS) else KINDS.get(name, "text"))
        for name in names
    ]


def with_money(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with its amounts as money of its currency."""
    currency = row["currency"]
    return {
        name: Money(value, currency)
        if value is not None and isinstance(value, int) and not isinstance(value, bool) and is_money(name)
        else value
        for name, value in row.items()
    }


def named(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with the buyer's name in the script of the reader, where the ledger has it."""
    local = row.get("name_local")
    return {**row, "name": local if local and (language() == "zh" or not row.get("name")) else row.get("name")}


def is_money(name: str) -> bool:
    """Are the values of this column minor units of the row's currency?"""
    return name in MONEY or (name.startswith("days_") and name not in KINDS)
