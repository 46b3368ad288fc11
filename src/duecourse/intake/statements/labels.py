"""What the lines and headings of accounts are called, and what a cell holds."""

from __future__ import annotations

import math
import re
import tomllib
from datetime import date
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from duecourse.calendar import months_back

if TYPE_CHECKING:
    from collections.abc import Mapping

NOISE: Final = re.compile(r"[\s:：,，.、'’\"“”*#\-–—_/\\]+")
NUMBERING: Final = re.compile(
    r"^(?:[一二三四五六七八九十]+、|[(（][一二三四五六七八九十\d]+[)）]|\d+[.、]|其中[:：]|减[:：]|加[:：]|less:|add:)\s*", re.IGNORECASE
)
TAIL: Final = re.compile(r"[(（](?:亏损|净亏损|损失|loss|deficit|以|note|附注|increase|decrease)[^)）]*[)）]", re.IGNORECASE)
BLANK: Final = frozenset({"", "-", "--", "—", "——", "–", "n/a", "na", "nil", "不适用", "无"})

UNITS: Final[Mapping[str, int]] = {
    "元": 1, "人民币元": 1, "千元": 1_000, "人民币千元": 1_000, "万元": 10_000, "人民币万元": 10_000, "百万元": 1_000_000, "百万": 1_000_000, "亿元": 100_000_000,
    "thousand": 1_000, "thousands": 1_000, "'000": 1_000, "000": 1_000, "million": 1_000_000, "millions": 1_000_000, "billion": 1_000_000_000, "m": 1_000_000, "k": 1_000,
    "1": 1, "unit": 1, "units": 1,
}  # fmt: skip


def folded(label: str) -> str:
    """A label as it is compared: without numbering, remarks, spaces and case."""
    text = label.strip().lower()
    previous = None
    while previous != text:
        previous, text = text, NUMBERING.sub("", text).strip()
    return NOISE.sub("", TAIL.sub("", text)).replace("（", "(").replace("）", ")")


@cache
def _said() -> dict[str, Any]:
    return tomllib.loads(resources.files(__package__).joinpath("aliases.toml").read_text(encoding="utf-8"))


@cache
def lines() -> Mapping[str, tuple[str, str]]:
    """Folded label -> (item, part); part is empty where the label is the item itself."""
    said = _said()
    found: dict[str, tuple[str, str]] = {}
    for item, names in said["items"].items():
        found |= {folded(name): (item, "") for name in (item.replace("_", " "), *names)}
    for item, parts in said["parts"].items():
        for part, names in parts.items():
            found |= {folded(name): (item, part) for name in names}
    return found | {folded(name): ("finance_cost", "") for name in said["finance"]["cost"]}


@cache
def headings() -> Mapping[str, str]:
    """Folded heading of a table with a row per buyer -> the column it is."""
    return {folded(name): column for column, names in _said()["about"].items() for name in (column.replace("_", " "), *names)}


def number(cell: str) -> float | None:
    """The figure in a cell; brackets and a trailing minus are negative; None where there is none.

    >>> number("(1,234.50)")
    -1234.5
    """
    text = (
        cell.strip()
        .replace("\u00a0", "")
        .replace(" ", "")
        .replace("，", ",")
        .replace("¥", "")
        .replace("￥", "")
        .replace("$", "")
        .replace("€", "")
    )
    if text.lower() in BLANK:
        return None
    negative = text.startswith(("(", "（")) or text.endswith("-")
    text = text.strip("()（）").rstrip("-")
    if re.fullmatch(r"[+-]?\d{1,3}(?:\.\d{3})+(?:,\d+)?", text) and ("," in text or text.count(".") > 1):
        text = text.replace(".", "").replace(",", ".")  # 1.234.567,89
    text = text.replace(",", "")
    if not re.fullmatch(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", text):
        return None
    value = -float(text) if negative else float(text)
    return value if math.isfinite(value) else None


def day_in(text: str) -> date | None:
    """The last day a text names: `2024年12月31日`, `31 December 2024`, `2024-12-31`, `12/31/2024`; a year alone is its 31 December."""
    found = [_day(*map(int, match)) for match in re.findall(r"((?:19|20)\d\d)\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})", text)]
    months = "january|february|march|april|may|june|july|august|september|october|november|december"
    short = "jan|feb|mar|apr|may|jun|jul|aug|sep|sept|oct|nov|dec"
    order = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
    for match in re.finditer(
        rf"(?:(\d{{1,2}})\s+({months}|{short})\.?|({months}|{short})\.?\s+(\d{{1,2}})),?\s+((?:19|20)\d\d)", text, re.IGNORECASE
    ):
        month = order.index((match[2] or match[3])[:3].lower()) + 1
        found.append(_day(int(match[5]), month, int(match[1] or match[4])))
    written = re.findall(r"\b(\d{1,2})[/.](\d{1,2})[/.]((?:19|20)\d\d)\b", text)
    found += [_either_way(int(first), int(second), int(year)) for first, second, year in written]
    found += [
        _end_of_month(int(year), int(month))
        for year, month in re.findall(r"((?:19|20)\d\d)\s*年\s*(?:1\s*[-—~至到]\s*)?(\d{1,2})\s*月(?!\s*\d)", text)
    ]
    days = [one for one in found if one]
    if days or written:
        return days[-1] if days else None
    year = re.search(r"(?:^|[^\d])((?:19|20)\d\d)(?:\s*(?:年度?|fy|a)|[^\d]|$)", text.lower())
    if not year:
        return None
    quarter = re.search(r"第?\s*([一二三1-3])\s*季|\bq([1-3])\b", text.lower())
    if quarter:
        number_ = quarter[1] or quarter[2]
        return _end_of_month(int(year[1]), 3 * ("一二三".find(number_) + 1 or int(number_)))
    if re.search(r"半年|half[- ]?year|\bh1\b|中期", text.lower()):
        return date(int(year[1]), 6, 30)
    return date(int(year[1]), 12, 31)


def _either_way(first: int, second: int, year: int) -> date | None:
    """A day written with the year last: of two readings the one that ends a month, else none."""
    readings = {day for day in (_day(year, second, first), _day(year, first, second)) if day}
    if len(readings) > 1:
        readings = {day for day in readings if day == _end_of_month(day.year, day.month)}
    return readings.pop() if len(readings) == 1 else None


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _end_of_month(year: int, month: int) -> date | None:
    first = _day(year, month, 1)
    if first is None:
        return None
    following = date(year + month // 12, month % 12 + 1, 1)
    return months_back(following, 2)[1][1]


def months_in(text: str) -> int | None:
    """How long the period is that a text speaks of: `2024年度` 12, `1-9月` 9, `six months ended` 6; None where it does not say."""
    lower = text.lower()
    span = re.search(r"1\s*[-—~至到]\s*(\d{1,2})\s*月", lower)
    if span:
        return int(span[1])
    words = {
        "three months": 3,
        "six months": 6,
        "nine months": 9,
        "twelve months": 12,
        "quarter": 3,
        "half-year": 6,
        "half year": 6,
        "半年": 6,
        "一季": 3,
        "三季": 9,
        "year ended": 12,
        "years ended": 12,
        "fiscal year": 12,
        "年度": 12,
        "年报": 12,
    }
    return next((months for words_, months in words.items() if words_ in lower), None)


def unit_in(text: str) -> int | None:
    """In what the figures are written, as told beside them: `单位：万元`, `in thousands`, `RMB million`."""
    lower = text.lower()
    told = re.search(r"单位\s*[:：]?\s*[(（]?\s*(?:人民币)?\s*(亿元|百万元|万元|千元|元)", lower)
    if told:
        return UNITS[told[1]]
    told = re.search(r"\b(?:in|rmb|cny|usd|us\$|eur|hk\$|hkd|gbp|£|€|\$)\s*(thousands?|millions?|billions?|'000|m\b)", lower) or re.search(
        r"['’](000)\b", lower
    )
    return UNITS.get(told[1].rstrip("s") if told[1] not in UNITS else told[1]) if told else None


def currency_in(text: str) -> str:
    """The currency a text names; empty where it does not."""
    lower = text.lower()
    for sign, code in (
        ("人民币", "CNY"),
        ("rmb", "CNY"),
        ("us$", "USD"),
        ("美元", "USD"),
        ("hk$", "HKD"),
        ("港元", "HKD"),
        ("港币", "HKD"),
        ("欧元", "EUR"),
        ("€", "EUR"),
        ("£", "GBP"),
        ("日元", "JPY"),
    ):
        if sign in lower:
            return code
    named = re.search(r"\b(cny|usd|eur|gbp|hkd|jpy|chf|sgd|aud|cad|inr|krw|twd)\b", lower)
    return named[1].upper() if named else ""
