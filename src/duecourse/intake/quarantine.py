"""Lines that could not be used wait here with their reason: list them, hand them out to be corrected, take the corrected ones back."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from duecourse.engines.duckdb import literal
from duecourse.findings import Finding, Severity
from duecourse.intake.assemble import FAULTS, Facts, Source, column_of
from duecourse.ledger.entries import QUARANTINE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from duecourse.intake.workbench import Workbench
    from duecourse.ledger.store import Draft, Ledger

FILE_ROW: Final = "_file_row"
REASON: Final = "_reason"
FILE: Final = "_file"
FILE_ID: Final = "_file_id"

SHOWN: Final = 20
"""Refused lines told one by one; the rest are counted, and listed by `quarantine`."""

ROLES_OF_FAULT: Final = {
    "buyer_missing": ("payer_id", "buyer_id", "orderer_id", "buyer_name"),
    "document_id_missing": ("document_id", "applied_to"),
    "amount_missing": ("amount", "open_amount", "debit", "local_amount", "limit_amount"),
    "currency_invalid": ("currency", "local_currency", "quote_currency", "base_currency"),
    "amount_inexact": ("amount", "open_amount", "debit", "local_amount", "limit_amount"),
    "due_date_missing": ("due_date", "baseline_date", "issue_date", "posting_date"),
    "date_missing": ("posting_date", "issue_date", "settle_date", "rate_date"),
    "duplicate_key": ("document_id", "limit_id"),
    "rate_missing": ("rate",),
    "limit_kind_unknown": ("limit_kind",),
    "limit_negative": ("limit_amount",),
    "limit_ends_early": ("valid_to",),
    "buyer_unknown": ("buyer_id", "payer_id", "registration_number", "buyer_name", "group_id"),
}
DATE_ROLES: Final = (
    "issue_date",
    "posting_date",
    "baseline_date",
    "due_date",
    "settle_date",
    "snapshot_date",
    "rate_date",
    "valid_from",
    "valid_to",
)


@dataclass(frozen=True)
class Refused:
    """A line in quarantine, as a person wants to see it."""

    file_name: str
    file_sha256: str
    file_row: int
    finding: Finding
    cells: Mapping[str, str | None]
    fixed_by: str | None


def hand_over_refused(
    bench: Workbench, draft: Draft, source: Source, facts: Facts, *, file_name: str, file_sha256: str, bounds: tuple[date, date]
) -> int:
    """Stage the refused lines with their reasons and their cells as written; the number of them."""
    count = int(bench.value("SELECT count(*) FROM refused") or 0)
    if not count:
        return 0
    profile = source.profile
    columns = {code: column_of(profile, *roles) for code, roles in ROLES_OF_FAULT.items()}
    names = " ".join(f"WHEN {number} THEN {literal(columns[code])}" for number, code in enumerate(FAULTS) if columns.get(code))
    codes = " ".join(f"WHEN {number} THEN {literal(code)}" for number, code in enumerate(FAULTS) if code)
    dates = " ".join(
        f"WHEN l.{role} NOT BETWEEN DATE '{bounds[0]}' AND DATE '{bounds[1]}' THEN {literal(column_of(profile, role))}"
        for role in DATE_ROLES
        if profile.has(role)
    )
    implausible = FAULTS.index("date_implausible")
    dated = f"WHEN r.fault = {implausible} THEN CASE {dates} ELSE '' END" if dates else ""
    bench.run(
        f"""CREATE OR REPLACE TEMP TABLE quarantined AS
        SELECT row_no AS file_row, "column",
            coalesce(value, CASE WHEN "column" <> '' THEN json_extract_string("row", '$."' || replace("column", '"', '\\"') || '"') END, '') AS value,
            code, "row"
        FROM (
            SELECT r.row_no, CASE WHEN l.bad IS NOT NULL AND r.fault = 1 THEN l.bad[1]."column" {dated}
                    ELSE CASE r.fault {names} ELSE '' END END AS "column",
                CASE WHEN r.fault = 1 THEN l.bad[1].value END AS value,
                CASE WHEN r.fault = 1 THEN l.bad[1].code ELSE CASE r.fault {codes} END END AS code,
                CAST(l.raw AS VARCHAR) AS "row"
            FROM ({source.lines(raw=True)}) l JOIN refused r ON r.row_no = l.row_no
        )"""
    )
    # What all lines have in common comes in only here: the profile is long, and would fill the bench.
    bench.hand_over(
        draft,
        QUARANTINE,
        f"""SELECT *, {literal(file_sha256)} AS file_sha256, {literal(file_name)} AS file_name, '{{}}' AS args,
            {literal(profile.to_json())} AS profile, NULL::VARCHAR AS fixed_by, file_row AS source_row FROM quarantined""",
    )
    reasons = bench.rows("SELECT code, count(*) AS n FROM quarantined GROUP BY code ORDER BY n DESC, code")
    facts.findings.append(
        Finding(
            "rows_quarantined",
            source=file_name,
            args={"count": count, "reasons": ", ".join(f"{row['code']} {row['n']}" for row in reasons)},
        )
    )
    shown = bench.rows(f'SELECT file_row, "column", value, code FROM quarantined ORDER BY file_row LIMIT {SHOWN}')
    facts.findings += [Finding(row["code"], Severity.ERROR, file_name, row["file_row"], row["column"], row["value"]) for row in shown]
    return count


def waiting(ledger: Ledger, batch_id: str | None = None, *, fixed: bool = False) -> list[Refused]:
    """Which lines of the files imported so far wait to be corrected?  待修正的隔离行

    batch_id  only those of one import
    fixed     also those that have been corrected since
    """
    from datetime import date as day  # noqa: PLC0415 — only to look at the whole ledger

    book = ledger.as_of(day.max)
    table = book.quarantine
    if batch_id is not None:
        table = table.filter(table.source == batch_id)
    if not fixed:
        table = table.filter(table.fixed_by.isnull())
    rows = book.run(table.order_by(["file_name", "file_sha256", "file_row"])).to_pylist()
    return [_refused(row) for row in rows]


def _refused(row: Mapping[str, Any]) -> Refused:
    finding = Finding(
        row["code"],
        Severity.ERROR,
        row["file_name"] or "",
        row["file_row"],
        row["column"] or "",
        row["value"] or "",
        json.loads(row["args"] or "{}"),
    )
    return Refused(row["file_name"] or "", row["file_sha256"], row["file_row"], finding, json.loads(row["row"] or "{}"), row["fixed_by"])


def export_quarantine(ledger: Ledger, batch_id: str | None, path: Path) -> int:
    """Write the waiting lines as they stood in their files, with the reason of each, to a CSV or XLSX file; the number written.

    Columns: those of the original file, then `_file_row`, `_reason`, `_file` and `_file_id`. Correct the cells, leave the columns that
    begin with an underscore alone, and give the file to `fix`.
    """
    lines = waiting(ledger, batch_id)
    write_lines(path, [(line.cells, line.file_row, line.finding, line.file_name, line.file_sha256) for line in lines])
    return len(lines)


def write_lines(path: Path, lines: Sequence[tuple[Mapping[str, str | None], int, Finding, str, str]]) -> None:
    """Write refused lines (cells, line number, reason, file name, file SHA-256) in the form `fix` takes back, as CSV or XLSX."""
    columns = list(dict.fromkeys(name for cells, *_rest in lines for name in cells))
    header = [*columns, FILE_ROW, REASON, FILE, FILE_ID]
    body = [
        [*(cells.get(name) or "" for name in columns), str(row), finding.message(), name_of_file, sha256]
        for cells, row, finding, name_of_file, sha256 in lines
    ]
    if path.suffix.lower() == ".xlsx":
        _write_xlsx(path, header, body)
    else:
        # The mark at the beginning makes spreadsheets read the file as UTF-8.
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(header)
            writer.writerows(body)


def _write_xlsx(path: Path, header: Sequence[str], body: Sequence[Sequence[str]]) -> None:
    import xlsxwriter  # noqa: PLC0415 — only to hand lines out as a workbook

    with xlsxwriter.Workbook(str(path), {"strings_to_numbers": False, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate([header, *body]):
            sheet.write_row(number, 0, row)
