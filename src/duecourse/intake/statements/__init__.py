"""A buyer's accounts from a file into the ledger (财务报表导入): read, checked, never guessed silently."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from duecourse.errors import BuyerMissingError, FileNotFoundHereError, StatementsUnreadableError
from duecourse.findings import Finding, Severity
from duecourse.intake.rates import file_hash
from duecourse.intake.statements.layout import Account, completed, read_sheets
from duecourse.intake.statements.xbrl import read_xbrl
from duecourse.intake.statements.xml_safely import looks_like_xml
from duecourse.intake.workbook import Sheet
from duecourse.intake.workbook import read_sheets as read_workbook
from duecourse.ledger.entries import STATEMENT, STATEMENT_ITEMS
from duecourse.money import exponent

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from duecourse.ledger.store import BatchResult, Ledger

PUBLISHED_AFTER: Final = timedelta(days=120)
"""Accounts without a date are taken for known four months after the period's end, never earlier."""

MOST_MINOR: Final = 10**17
"""No firm's accounts hold a larger figure; sums of it still fit."""

BALANCE_TOLERANCE: Final = 0.005
JUMP: Final = 30.0
NEEDED: Final = (
    "total_assets",
    "total_liabilities",
    "current_assets",
    "current_liabilities",
    "revenue",
    "net_income",
    "operating_profit",
    "retained_earnings",
)
NEVER_NEGATIVE: Final = (
    "cash",
    "inventories",
    "trade_receivables",
    "current_assets",
    "total_assets",
    "current_liabilities",
    "total_liabilities",
    "revenue",
)


@dataclass(frozen=True)
class StatementOptions:
    """What the person says about a file of accounts; anything left out is read from it.

    buyer_id       whose accounts they are, where the file holds one company's
    only_buyer     leave out accounts of other buyers that stand in the file
    currency       ISO 4217
    unit           1, 1_000, 10_000, 1_000_000 …: what a figure of 1 stands for
    period_months  12 for a year
    published_on   when they became known
    received_on    the day they are entered: accounts without a date that are in hand by then became known no later
    audited, consolidated   yes or no
    """

    buyer_id: str = ""
    only_buyer: bool = False
    currency: str = ""
    unit: int | None = None
    period_months: int | None = None
    published_on: date | None = None
    received_on: date | None = None
    audited: bool | None = None
    consolidated: bool | None = None


@dataclass(frozen=True)
class StatementsRead:
    """Accounts as they will be entered: rows of the ledger's `statement` table, and what was found doubtful."""

    file_name: str
    sha256: str
    rows: Sequence[Mapping[str, Any]]
    findings: Sequence[Finding] = field(default_factory=tuple)


def read_statements(
    path: str | os.PathLike[str], options: StatementOptions | None = None, *, ledger: Ledger | None = None
) -> StatementsRead:
    """What accounts does this file hold?  读取财务报表

    XBRL instances and iXBRL pages; spreadsheets or CSV: the accounts of one company (a line a row, a column a period; Chinese, IFRS or US GAAP names), or a table with a
    row per buyer and period. Nothing is written. With a ledger, each period is compared with the accounts it has.
    Raises FileNotFoundHereError, StatementsUnreadableError, BuyerMissingError, CurrencyUnknownError.
    """
    path, options = Path(path), options or StatementOptions()
    if not path.exists():
        raise FileNotFoundHereError(path=str(path))
    doubts: list[Finding] = []
    if looks_like_xml(path.open("rb").read(200)):
        found, doubts = read_xbrl(path.read_bytes(), path.name)
    else:
        found = [one for one in read_sheets(read_rows(path)) if one.values]
    if not found:
        raise StatementsUnreadableError(path=str(path))
    read = _gathered(found, options, path.name, file_hash(path), ledger, str(path))
    return replace(read, findings=(*doubts, *read.findings))


def typed_statements(accounts: Sequence[Account], options: StatementOptions, *, ledger: Ledger | None = None) -> StatementsRead:
    """The same of accounts somebody typed: checked like those of a file. `Account.values` are in `options.unit`."""
    return _gathered(accounts, options, "", "", ledger, "")


def _gathered(
    found: Sequence[Account], options: StatementOptions, name: str, sha256: str, ledger: Ledger | None, place: str
) -> StatementsRead:
    findings: list[Finding] = []
    rows: list[dict[str, Any]] = []
    seen: set[tuple[Any, ...]] = set()
    for one in found:
        if not one.buyer_id and not options.buyer_id:
            raise BuyerMissingError(path=place)
        if options.only_buyer and one.buyer_id and one.buyer_id != options.buyer_id:
            findings.append(Finding("statement_other_buyer", Severity.WARNING, name, one.row, value=one.buyer_id))
            continue
        row = _row(one, options, name, findings)
        if row is None:
            continue
        key = tuple(row[column] for column in STATEMENT.key)
        if key in seen:
            findings.append(
                Finding("statement_twice", Severity.ERROR, name, one.row, value=str(row["period_end"]), args={"buyer": row["buyer_id"]})
            )
            continue
        seen.add(key)
        rows.append(row)
    _jumps(rows, _known(ledger, rows), name, findings)
    return StatementsRead(name, sha256, rows, tuple(findings))


def import_statements(ledger: Ledger, read: StatementsRead, *, note: str = "statements") -> BatchResult:
    """Enter accounts that were read. The same accounts again add nothing; changed ones are a correction, the earlier ones stay known."""
    kinds = [pa.field(name, STATEMENT.schema.field(name).type) for name in STATEMENT.facts.names]
    table = pa.Table.from_pylist([dict(row) for row in read.rows], schema=pa.schema(kinds))
    with ledger.draft("import", file_name=read.file_name, file_sha256=read.sha256, note=note) as draft:
        draft.put("statement", table)
        return draft.commit()


def read_rows(path: Path) -> list[Sheet]:
    """A spreadsheet's or CSV's rows as text. Raises StatementsUnreadableError for text in no encoding we know."""
    head = path.open("rb").read(8)
    if head.startswith((b"PK", b"\xd0\xcf\x11\xe0")):
        return read_workbook(path, "workbook")
    content = path.read_bytes()
    for encoding in ("utf-8-sig", "utf-16", "gb18030") if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "gb18030", "cp1252"):
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise StatementsUnreadableError(path=str(path))
    mark = max("\t;,", key=lambda sign: sum(sign in line for line in text.splitlines()[:100]))
    return [Sheet(path.stem, [list(row) for row in csv.reader(io.StringIO(text), delimiter=mark)])]


def _row(one: Account, options: StatementOptions, name: str, findings: list[Finding]) -> dict[str, Any] | None:
    def doubt(code: str, severity: Severity = Severity.WARNING, value: str = "", **args: object) -> None:
        findings.append(Finding(code, severity, name, one.row or None, value=value, args={"period": str(one.period_end), **args}))

    buyer = one.buyer_id or options.buyer_id
    if one.period_end is None:
        doubt("statement_without_period", Severity.ERROR)
        return None
    currency = options.currency or one.currency or ("CNY" if one.standard == "CAS" else "")
    if not currency:
        doubt("statement_without_currency", Severity.ERROR)
        return None
    digits = exponent(currency)
    unit = options.unit or one.unit
    if unit is None:
        unit = 1
        doubt("statement_unit_assumed", currency=currency)
    months = options.period_months or one.period_months
    if months is None and one.standard == "CAS":
        months = one.period_end.month  # the financial year of Chinese firms is the calendar year by law
    if months is None:
        doubt("statement_length_unknown", Severity.ERROR)
        return None
    published = options.published_on or one.published_on
    estimate = one.period_end + PUBLISHED_AFTER
    if published is None and options.received_on is not None and one.period_end <= options.received_on < estimate:
        published = options.received_on
    values = completed(one)
    _checks(values, doubt)
    row: dict[str, Any] = {
        "buyer_id": buyer, "period_end": one.period_end, "period_months": months,
        "consolidated": options.consolidated if options.consolidated is not None else bool(one.consolidated),
        "published_on": published or estimate, "published_on_estimated": published is None,
        "audited": options.audited if options.audited is not None else one.audited, "opinion": one.opinion or None, "standard": one.standard or None,
        "currency": currency,
    }  # fmt: skip
    for item in STATEMENT_ITEMS:
        value = values.get(item)
        minor = None if value is None else int((Decimal(repr(value)) * unit).scaleb(digits).to_integral_value())
        if minor is not None and abs(minor) > MOST_MINOR:
            doubt("statement_too_large", Severity.ERROR, value=f"{value:,.0f}", item=item)
            minor = None
        row[item] = minor
    return row


def _checks(values: Mapping[str, float], doubt: Any) -> None:
    """Do the accounts hold together?"""
    assets, owed, equity = (values.get(name) for name in ("total_assets", "total_liabilities", "total_equity"))
    if (
        assets is not None
        and owed is not None
        and equity is not None
        and abs(assets - owed - equity) > BALANCE_TOLERANCE * max(abs(assets), 1.0)
    ):
        doubt("statement_unbalanced", Severity.ERROR, value=f"{assets:,.0f}", other=f"{owed + equity:,.0f}")
    for item in NEVER_NEGATIVE:
        if values.get(item, 0.0) < 0:
            doubt("statement_sign", value=f"{values[item]:,.0f}", item=item)
    for part, whole in (("current_assets", "total_assets"), ("current_liabilities", "total_liabilities")):
        if part in values and whole in values and values[part] > values[whole] * (1 + BALANCE_TOLERANCE) + 1:
            doubt("statement_part_above_whole", value=f"{values[part]:,.0f}", item=part, other=f"{values[whole]:,.0f}", whole=whole)
    missing = [name for name in NEEDED if name not in values]
    if missing:
        doubt("statement_lines_missing", value=", ".join(missing))
    if equity is not None and equity < 0:
        doubt("statement_negative_equity", value=f"{equity:,.0f}")


def _known(ledger: Ledger | None, rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    if ledger is None or not rows:
        return []
    book = ledger.as_of(date.max)
    table = book.statement
    buyers = sorted({row["buyer_id"] for row in rows})
    return book.run(table.filter(table.buyer_id.isin(buyers)).select(*STATEMENT.key, "currency", "total_assets")).to_pylist()


def _jumps(rows: Sequence[Mapping[str, Any]], known: Sequence[Mapping[str, Any]], name: str, findings: list[Finding]) -> None:
    """A total a thousand times last year's is a wrong unit, not growth."""
    ordered = sorted([*known, *rows], key=lambda row: (row["buyer_id"], row["period_end"]))
    for before, after in pairwise(ordered):
        same = before["buyer_id"] == after["buyer_id"] and before["currency"] == after["currency"]
        low, high = sorted((abs(before["total_assets"] or 0), abs(after["total_assets"] or 0)))
        if same and low and high / low >= JUMP:
            findings.append(
                Finding(
                    "statement_jump",
                    Severity.ERROR,
                    name,
                    value=f"{high / low:,.0f}",
                    args={"period": str(after["period_end"]), "buyer": after["buyer_id"]},
                )
            )


__all__ = ["Account", "StatementOptions", "StatementsRead", "import_statements", "read_rows", "read_statements", "typed_statements"]
