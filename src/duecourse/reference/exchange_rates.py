"""Exchange rates, 汇率: read from the European Central Bank's files or a firm's own table, and looked up as of a day.

No rates come with the product: those of the European Central Bank are a free download (euro foreign exchange reference rates,
eurofxref-hist.zip, daily since 4 January 1999), and each firm has its own policy on which rates it books with.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Context, Decimal, InvalidOperation
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from duecourse.errors import ColumnsUnrecognisedError, FileCutOffError, FileNotFoundHereError, FileUnreadableError, RateMissingError
from duecourse.findings import Finding
from duecourse.reference.currencies import CURRENCIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import pyarrow as pa

ECB: Final = "ECB"
EURO: Final = "EUR"

DAILY_MAX_AGE_DAYS: Final = 14
"""How old a rate of a daily table may be: ten working days."""

MONTHLY_MAX_AGE_DAYS: Final = 35
"""How old a rate of a month-end table may be: a month and the days until its last working day."""

COLUMNS: Final[dict[str, frozenset[str]]] = {
    "date": frozenset({"date", "rate date", "valid from", "effective date", "日期", "汇率日期", "生效日期"}),
    "base": frozenset(
        {"from", "from currency", "base", "base currency", "source currency", "源币种", "原币", "原币种", "基准货币", "外币"}
    ),
    "quote": frozenset({"to", "to currency", "quote", "quote currency", "target currency", "目标币种", "目标货币", "本位币", "标价货币"}),
    "rate": frozenset({"rate", "exchange rate", "fx rate", "汇率", "折算汇率", "中间价"}),
    "units": frozenset({"units", "unit", "per", "ratio", "单位", "外币单位", "数量"}),
}
"""How the columns of a firm's own table may be called; `units` (the rate is for so many units of the base currency) may be absent."""

_ECB_CUBE: Final = "{http://www.ecb.int/vocabulary/2002-08-01/eurofxref}Cube"
_MONTHS: Final = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")
_NOTHING: Final = frozenset({"", "N/A", "-"})
_DIVISION: Final = Context(prec=28)


@dataclass(frozen=True, slots=True)
class ExchangeRate:
    """On `rate_date` one unit of `base` cost `rate` units of `quote`, says `provider`. `row` is the line of the file (header = 1)."""

    provider: str
    base: str
    quote: str
    rate_date: date
    rate: Decimal
    row: int | None = None


@dataclass(frozen=True, slots=True)
class RateFile:
    """What a file of rates said: its usable rates, and a finding for each that is not."""

    rates: Sequence[ExchangeRate]
    findings: Sequence[Finding]


# --- reading --------------------------------------------------------------------------------------------------------------------------


def read_rates(path: Path, *, provider: str = "") -> RateFile:
    """Which exchange rates does this file hold?

    Understood are the files of the European Central Bank (eurofxref-hist.csv, eurofxref.csv, eurofxref-hist.xml, eurofxref-daily.xml, each
    also inside its .zip), told by their content; and a delimited table with the columns date, from, to and rate (日期, 原币, 本位币, 汇率), one unit of
    `from` costing `rate` units of `to`, or as many units as a column `units` (单位) says, in UTF-8 or GB18030.

    provider    whose rates a firm's own table holds; empty: the name of the file
    Raises FileNotFoundHereError, FileUnreadableError, FileCutOffError, ColumnsUnrecognisedError.
    """
    text = _text(path)
    if text.lstrip().startswith("<"):
        return _read_ecb_xml(text, path)
    head, _, _ = text.partition("\n")
    cells = [cell.strip() for cell in head.split(",")]
    if cells[0] == "Date" and len(cells) > 1 and all(re.fullmatch(r"[A-Z]{3}", cell) for cell in cells[1:] if cell):
        return _read_ecb_csv(text, path)
    return _read_table(text, path, provider or path.stem)


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundHereError(path=path) from None
    except OSError as fault:
        raise FileUnreadableError(path=path, detail=fault.strerror or "") from fault
    if content.startswith(b"PK"):
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                names = archive.namelist()
                if len(names) != 1:
                    raise FileUnreadableError(path=path, detail=f".zip: {len(names)}")
                content = archive.read(names[0])
        except zipfile.BadZipFile as fault:
            raise FileCutOffError(path=path, detail=str(fault)) from fault
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise FileUnreadableError(path=path, detail="UTF-8, GB18030")


def _read_ecb_csv(text: str, path: Path) -> RateFile:
    """Wide: a column for each currency, a line for each day; N/A where the bank published none."""
    lines = csv.reader(io.StringIO(text))
    header = [cell.strip() for cell in next(lines)]
    rates: list[ExchangeRate] = []
    findings = [_finding("currency_invalid", path, 1, code, code) for code in header[1:] if code and code not in CURRENCIES]
    known = {place: code for place, code in enumerate(header) if place and code in CURRENCIES}
    for row, cells in enumerate(lines, start=2):
        if not any(cells):
            continue
        day = _day(cells[0])
        if day is None:
            findings.append(_finding("date_unreadable", path, row, header[0], cells[0]))
            continue
        if len(cells) < len(header):
            raise FileCutOffError(path=path, detail=f"{row}: {len(cells)} < {len(header)}")
        for place, code in known.items():
            written = cells[place].strip()
            if written in _NOTHING:
                continue
            rate = _rate(written)
            if rate is None:
                findings.append(_finding("rate_missing", path, row, code, written))
            else:
                rates.append(ExchangeRate(ECB, EURO, code, day, rate, row))
    return RateFile(rates, findings)


def _read_ecb_xml(text: str, path: Path) -> RateFile:
    """A Cube for each day holding a Cube for each currency."""
    try:
        root = ET.fromstring(text)  # noqa: S314 — expat bounds entity expansion; external entities are never fetched
    except ET.ParseError as fault:
        raise FileCutOffError(path=path, detail=str(fault)) from fault
    days = root.findall(f".//{_ECB_CUBE}[@time]")
    if not days:
        raise FileUnreadableError(path=path, detail="XML")
    rates: list[ExchangeRate] = []
    findings: list[Finding] = []
    for cube in days:
        written_day = cube.get("time", "")
        day = _day(written_day)
        if day is None:
            findings.append(_finding("date_unreadable", path, None, "time", written_day))
            continue
        for quote in cube.iterfind(f"{_ECB_CUBE}[@currency]"):
            code, written = quote.get("currency", ""), quote.get("rate", "")
            rate = _rate(written)
            if code not in CURRENCIES:
                findings.append(_finding("currency_invalid", path, None, "currency", code))
            elif rate is None:
                findings.append(_finding("rate_missing", path, None, code, written))
            else:
                rates.append(ExchangeRate(ECB, EURO, code, day, rate))
    return RateFile(rates, findings)


def _read_table(text: str, path: Path, provider: str) -> RateFile:
    """Long: a line for each day and pair."""
    delimiter = max("\t;,", key=text.partition("\n")[0].count)
    lines = csv.reader(io.StringIO(text), delimiter=delimiter)
    header = [cell.strip() for cell in next(lines, [])]
    places = {
        role: place
        for place, title in reversed(list(enumerate(header)))
        for role, names in COLUMNS.items()
        if " ".join(title.lower().replace("_", " ").split()) in names
    }
    missing = [role for role in ("date", "base", "quote", "rate") if role not in places]
    if missing:
        raise ColumnsUnrecognisedError(path=path, missing=", ".join(missing), columns=", ".join(header))
    rates: list[ExchangeRate] = []
    findings: list[Finding] = []
    for row, cells in enumerate(lines, start=2):
        if not any(cell.strip() for cell in cells):
            continue
        written = {role: cells[place].strip() if place < len(cells) else "" for role, place in places.items()}
        day, rate = _day(written["date"]), _rate(written["rate"])
        units = _rate(written.get("units", "")) or Decimal(1)
        wrong = next((role for role in ("base", "quote") if written[role].upper() not in CURRENCIES), None)
        if day is None:
            findings.append(_finding("date_unreadable", path, row, header[places["date"]], written["date"]))
        elif wrong:
            findings.append(_finding("currency_invalid", path, row, header[places[wrong]], written[wrong]))
        elif rate is None:
            findings.append(_finding("rate_missing", path, row, header[places["rate"]], written["rate"]))
        else:
            per_unit = rate if units == 1 else _DIVISION.divide(rate, units)
            rates.append(ExchangeRate(provider, written["base"].upper(), written["quote"].upper(), day, per_unit, row))
    return RateFile(rates, findings)


def _finding(code: str, path: Path, row: int | None, column: str, value: str) -> Finding:
    return Finding(code, source=path.name, row=row, column=column, value=value)


def _day(written: str) -> date | None:
    """2025-09-28, 2025/9/28, 20250928, 2025年9月28日; or 28 September 2025, as in the bank's file of the day."""
    parts = re.fullmatch(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?|(\d{4})(\d{2})(\d{2})", written.strip())
    named = re.fullmatch(r"(\d{1,2}) ([A-Za-z]+) (\d{4})", written.strip())
    try:
        if parts:
            year, month, day = (int(part) for part in parts.groups() if part)
            return date(year, month, day)
        if named:
            return date(int(named[3]), _MONTHS.index(named[2].lower()) + 1, int(named[1]))
    except ValueError:
        return None
    return None


def _rate(written: str) -> Decimal | None:
    try:
        rate = Decimal(written.strip())
    except InvalidOperation:
        return None
    return rate if rate.is_finite() and rate > 0 else None


def as_entries(rates: Iterable[ExchangeRate]) -> pa.Table:
    """The rates as rows of the ledger's table `exchange_rate`; of several for one provider, pair and day the last counts."""
    import pyarrow as pa  # noqa: PLC0415 — reading a table of the world should not need it

    last = {(rate.provider, rate.base, rate.quote, rate.rate_date): rate for rate in rates}
    columns = list(zip(*last, strict=True)) or [(), (), (), ()]
    return pa.table(
        {
            "provider": pa.array(columns[0], pa.string()),
            "base_currency": pa.array(columns[1], pa.string()),
            "quote_currency": pa.array(columns[2], pa.string()),
            "rate_date": pa.array(columns[3], pa.date32()),
            "rate": pa.array([float(rate.rate) for rate in last.values()], pa.float64()),
            "source_row": pa.array([rate.row for rate in last.values()], pa.int64()),
        }
    )


# --- looking up -----------------------------------------------------------------------------------------------------------------------


class RateTable:
    """Rates ready to be looked up.

    rates   in any order; of several for one pair and day the last counts
    source  where they come from; empty: their providers' names
    """

    def __init__(self, rates: Iterable[ExchangeRate], *, source: str = "") -> None:
        series: dict[tuple[str, str], dict[date, Decimal]] = {}
        providers: dict[str, None] = {}
        for rate in rates:
            series.setdefault((rate.base, rate.quote), {})[rate.rate_date] = rate.rate
            providers[rate.provider] = None
        self._series = {pair: sorted(by_day.items()) for pair, by_day in series.items()}
        self.source = source or ", ".join(providers)
        self.as_of: date | None = max((days[-1][0] for days in self._series.values()), default=None)
        """The day of the newest rate; None for an empty table."""
        # The euro first, because most tables are quoted against it.
        self.pivots: tuple[str, ...] = tuple(
            sorted({code for pair in self._series for code in pair}, key=lambda code: (code != EURO, code))
        )

    def latest(self, base: str, quote: str, on: date, max_age_days: int) -> tuple[Decimal, date] | None:
        """The newest rate of this pair, or one over the newest of its inverse, on or before `on` and not too old."""
        for pair, inverse in (((base, quote), False), ((quote, base), True)):
            days = self._series.get(pair, [])
            place = bisect_right(days, on, key=lambda entry: entry[0])
            if place and on - days[place - 1][0] <= timedelta(days=max_age_days):
                rate_date, rate = days[place - 1]
                return (_DIVISION.divide(Decimal(1), rate) if inverse else rate), rate_date
        return None


def rate(source: str, target: str, on: date, table: RateTable, *, max_age_days: int = DAILY_MAX_AGE_DAYS) -> tuple[Decimal, date]:
    """How many units of `target` did one unit of `source` cost as of a day?  汇率

    Returns the rate and its date: the latest on or before `on`, at most `max_age_days` older. The pair itself is preferred, then the inverse of
    the opposite pair, then the cross rate through a third currency (the euro first), dated by the older of its two legs. Inverse and
    cross rates carry 28 significant digits. A currency costs 1 of itself on any day.

    source, target  ISO 4217 codes
    max_age_days    DAILY_MAX_AGE_DAYS (14) for daily tables, MONTHLY_MAX_AGE_DAYS (35) for month-end ones
    Raises RateMissingError.
    """
    if source == target:
        return Decimal(1), on
    found = table.latest(source, target, on, max_age_days)
    if found:
        return found
    for pivot in table.pivots:
        if pivot in (source, target):
            continue
        first = table.latest(source, pivot, on, max_age_days)
        second = table.latest(pivot, target, on, max_age_days) if first else None
        if first and second:
            return _DIVISION.multiply(first[0], second[0]), min(first[1], second[1])
    raise RateMissingError(source=source, target=target, on=on, max_age_days=max_age_days, provider=table.source or "–")
