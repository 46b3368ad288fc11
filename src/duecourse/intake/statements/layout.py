"""Accounts as firms write them: a sheet with a line a row and a column a period, or a table with a row per buyer and period."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from duecourse.intake.statements.labels import UNITS, currency_in, day_in, folded, headings, lines, months_in, number, unit_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duecourse.intake.workbook import Sheet

FLOWS: Final = frozenset(
    {
        "revenue", "cost_of_sales", "gross_profit", "depreciation_amortisation", "operating_profit", "interest_expense", "profit_before_tax",
        "net_income", "operating_cash_flow", "investing_cash_flow", "financing_cash_flow", "share_issue", "finance_cost",
    }
)  # fmt: skip
NOW: Final = re.compile(r"期末|本期|本年|当期|年末(?!余额上)|current (?:year|period)", re.IGNORECASE)
BEFORE: Final = re.compile(r"年初|期初|上年|上期|去年|prior (?:year|period)|previous (?:year|period)", re.IGNORECASE)
TABLE_LINES: Final = 3
"""A row of headings that names a period and so many lines of accounts is a table with a row per buyer and period."""


@dataclass
class Account:
    """The accounts of one period as read, in units of the currency: `values` by line, `places` where each stood."""

    buyer_id: str = ""
    period_end: date | None = None
    period_months: int | None = None
    currency: str = ""
    published_on: date | None = None
    audited: bool | None = None
    opinion: str = ""
    standard: str = ""
    consolidated: bool | None = None
    unit: int | None = None
    values: dict[str, float] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    row: int = 0


def read_sheets(sheets: Sequence[Sheet]) -> list[Account]:
    """Every period found in the sheets of one file, the newest first. Sheets of one company's accounts are laid together."""
    tables: list[Account] = []
    company: dict[tuple[date, bool | None], Account] = {}
    about = _About()
    for sheet in sheets:
        place = _table_heading(sheet.rows)
        if place is not None:
            tables += _table(sheet, place)
        else:
            _company(sheet, about, company)
    found = tables + list(company.values())
    return sorted(found, key=lambda one: (one.buyer_id, one.period_end or date.min), reverse=True)


# A table with a row per buyer and period


def _table_heading(rows: Sequence[Sequence[str]]) -> int | None:
    for number_, row in enumerate(rows[:20]):
        names = [folded(cell) for cell in row]
        if "period_end" in {headings().get(name) for name in names} and sum(name in lines() for name in names) >= TABLE_LINES:
            return number_
    return None


def _table(sheet: Sheet, place: int) -> list[Account]:
    names = [folded(cell) for cell in sheet.rows[place]]
    found = []
    for row_number, row in enumerate(sheet.rows[place + 1 :], start=place + 2):
        if not any(cell.strip() for cell in row):
            continue
        one = Account(row=row_number)
        parts: dict[str, dict[str, float]] = defaultdict(dict)
        for name, cell in zip(names, row, strict=False):
            if name in headings():
                _tell(one, headings()[name], cell)
            elif name in lines():
                _put(one, parts, lines()[name], number(cell), f"{sheet.name}!{row_number}")
        _add_parts(one, parts)
        found.append(one)
    return found


def _tell(one: Account, column: str, cell: str) -> None:
    text = cell.strip()
    if not text:
        return
    if column in ("period_end", "published_on"):
        setattr(one, column, day_in(text))
        if column == "period_end" and one.period_months is None:
            one.period_months = months_in(text)
    elif column == "period_months":
        months = number(text)
        one.period_months = int(months) if months is not None else None
    elif column == "unit":
        factor = number(text)
        one.unit = int(factor) if factor else UNITS.get(text.lower(), unit_in(f"单位：{text}") or unit_in(f"in {text}"))
    elif column in ("audited", "consolidated"):
        setattr(one, column, text.lower() in {"是", "y", "yes", "true", "1", "audited", "consolidated", "合并", "已审计"})
    elif column == "currency":
        one.currency = currency_in(text) or text.upper()
    else:
        setattr(one, column, text)


# One company's accounts, a line a row


@dataclass
class _About:
    """What the lines above the accounts say, carried on to the sheets that do not say it again."""

    period_end: date | None = None
    months: int | None = None
    currency: str = ""
    unit: int | None = None
    standard: str = ""


def _company(sheet: Sheet, about: _About, company: dict[tuple[date, bool | None], Account]) -> None:
    first = next((number_ for number_, row in enumerate(sheet.rows) if any(folded(cell) in lines() for cell in row)), None)
    if first is None:
        return
    above = " ".join(cell for row in sheet.rows[:first] for cell in row if cell.strip())
    about.unit = unit_in(above) or about.unit
    about.currency = currency_in(above) or about.currency
    about.standard = "CAS" if re.search(r"[\u4e00-\u9fff]", above + sheet.name) else about.standard
    between = " ".join(cell for row in sheet.rows if not any(folded(cell) in lines() for cell in row) for cell in row if cell.strip())
    about.months = months_in(f"{sheet.name} {between}") or about.months
    about.period_end = day_in(above) or about.period_end
    consolidated = True if re.search(r"合并|consolidated", f"{above} {sheet.name}", re.IGNORECASE) else None
    heads: dict[int, date] = {}
    parts: dict[tuple[date, bool | None], dict[str, dict[str, float]]] = defaultdict(lambda: defaultdict(dict))
    for row_number, row in enumerate(sheet.rows, start=1):
        heads |= _column_days(row, about.period_end)
        for column, cell in enumerate(row):
            line = lines().get(folded(cell))
            if line is None or number(cell) is not None:
                continue
            for day, value in _values(row, column, heads, about.period_end):
                one = company.setdefault((day, consolidated), Account(period_end=day, consolidated=consolidated, row=row_number))
                one.unit, one.currency, one.standard = (
                    one.unit or about.unit,
                    one.currency or about.currency,
                    one.standard or about.standard,
                )
                if line[0] in FLOWS:
                    one.period_months = one.period_months or about.months
                _put(one, parts[day, consolidated], line, value, f"{sheet.name}!{row_number}")
    for key, found in parts.items():
        _add_parts(company[key], found)


def _column_days(row: Sequence[str], period_end: date | None) -> dict[int, date]:
    """The day each column speaks of, where this row is one of headings."""
    if any(folded(cell) in lines() for cell in row):
        return {}
    found: dict[int, date] = {}
    for column, cell in enumerate(row):
        day = day_in(cell) if cell.strip() and len(cell) < 40 else None
        if day is None and period_end is not None and NOW.search(cell):
            day = period_end
        elif day is None and period_end is not None and BEFORE.search(cell):
            day = _year_before(period_end)
        if day is not None:
            found[column] = day
    # A remark with a day in it is not a row of headings.
    return found if len(found) > 1 or (found and sum(bool(cell.strip()) for cell in row) <= 3) else {}


def _values(row: Sequence[str], label: int, heads: dict[int, date], period_end: date | None) -> list[tuple[date, float]]:
    """The figures right of a label up to the next label, each with the day of its column."""
    found = []
    for column in range(label + 1, len(row)):
        text = row[column].strip()
        if folded(text) in lines() and number(text) is None:
            break
        value = number(text)
        day = heads.get(column)
        if value is not None and day is not None:
            found.append((day, value))
        elif value is not None and not heads and period_end is not None:
            return [(period_end, value)]
    return found


def _year_before(day: date) -> date:
    return date(day.year - 1, 12, 31) if (day.month, day.day) != (2, 29) else date(day.year - 1, 2, 28)


# Both


def _put(one: Account, parts: dict[str, dict[str, float]], line: tuple[str, str], value: float | None, place: str) -> None:
    item, part = line
    if value is None:
        return
    if part:
        parts[item].setdefault(part, value)
    elif item not in one.values:  # the first of two lines of this name is the one of the face of the statement
        one.values[item] = value
        one.places[item] = place


def _add_parts(one: Account, parts: dict[str, dict[str, float]]) -> None:
    for item, amounts in parts.items():
        if item not in one.values:
            one.values[item] = sum(amounts.values())


def completed(one: Account) -> dict[str, Any]:
    """The lines that follow from others: operating profit before interest, gross profit, and the total the accounts leave out."""
    values = dict(one.values)
    finance = values.pop("finance_cost", None)
    if "interest_expense" not in values and finance is not None and finance > 0:
        values["interest_expense"] = finance
    if "interest_expense" in values:
        values["interest_expense"] = abs(values["interest_expense"])
    for cost in ("cost_of_sales", "depreciation_amortisation"):
        if cost in values:
            values[cost] = abs(values[cost])
    if "profit_before_tax" in values and (one.standard == "CAS" or "operating_profit" not in values):
        # 营业利润 of Chinese accounts is after interest: EBIT is 利润总额 plus interest.
        values["operating_profit"] = values["profit_before_tax"] + values.get("interest_expense", 0.0)
    _infer(values, "gross_profit", "revenue", "cost_of_sales", -1)
    _infer(values, "total_equity", "total_assets", "total_liabilities", -1)
    _infer(values, "total_liabilities", "total_assets", "total_equity", -1)
    return values


def _infer(values: dict[str, float], wanted: str, first: str, second: str, sign: int) -> None:
    if wanted not in values and first in values and second in values:
        values[wanted] = values[first] + sign * values[second]
