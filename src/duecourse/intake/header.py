"""Which row of a table is its header, which are titles above it, and what the titles say about the date of the extract."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_LOOK: Final = 60  # rows from the top within which the header must stand
_NUMBERLIKE: Final = re.compile(r"^[\s¥$€£￥(+\-−]*[\d０-９][\d０-９.,'\s:/\-年月日]*[)\-%]?\s*(?:[A-Za-z]{1,3}|元|万元)?$")


TOTAL: Final = (
    r"(?im)^\s*(?:\*{1,4}\s*$|[*\s]*(?:本页|本月|本年|本期|客户|部门|币种)?(?:小\s*计|合\s*计|总\s*计|累\s*计)|(?:grand\s+|sub\s*-?\s*)?totals?\b"
    r"|(?:gesamt|zwischen|end)?summe\b|gesamt\s*(?:betrag|saldo)?\s*:?\s*$|sous[- ]total|sub-?total|total\s+g[ée]n[ée]ral|saldo\s+total)|(?:小计|合计|总计)\s*[:：]?\s*$"
)
"""A cell, or a line of several, that begins a total row. Understood alike by Python and by DuckDB."""

TOTAL_ALONE: Final = r"(?im)^\s*(?:\*{1,4}|小\s*计|合\s*计|总\s*计|(?:grand\s+|sub)?totals?|summe|gesamt|sous-total)\s*[:：]?\s*$"
"""A cell that holds nothing but the word for a total."""


def normalise(name: str) -> str:
    """A heading without what writers vary: case, width, accents, spaces and punctuation."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold())
    return "".join(sign for sign in folded if sign.isalnum())


def looks_like_value(cell: str) -> bool:
    """Is it a number, an amount or a date rather than a heading?"""
    return bool(_NUMBERLIKE.match(cell.strip()))


def find_header(rows: Sequence[Sequence[str]], known: frozenset[str]) -> int:
    """Index of the header among the first rows, or -1 if the first filled row is already data.

    The header has the most headings we know; it is filled about as far as the rows below it, with words rather than values.
    """
    head = [[cell.strip() for cell in row] for row in rows[:_LOOK]]
    filled = [sum(1 for cell in row if cell) for row in head]
    widths = Counter(count for count in filled if count > 1)
    usual = max(widths.items(), key=lambda item: (item[1], item[0]))[0] if widths else 1
    best, best_score = -1, 0.0
    for index, row in enumerate(head):
        if not filled[index] or (usual > 1 and filled[index] < 2):
            continue
        names = [cell for cell in row if cell]
        hits = sum(1 for cell in names if normalise(cell) in known)
        values = sum(1 for cell in names if looks_like_value(cell))
        if hits * 2 < values:
            continue
        unlike = abs(filled[index] - usual) / max(usual, 1)
        words = len(names) - values
        score = 3 * hits + 0.5 * words - 2 * values - 2 * unlike - 0.02 * index
        if len({normalise(cell) for cell in names}) < len(names) / 2:
            score -= 5
        if hits == 0 and (filled[index] < 0.6 * usual or values):
            continue
        if score > best_score:
            best, best_score = index, score
    return best


_DATE_IN_TEXT: Final = re.compile(
    r"(?P<y>(?:19|20)\d{2})\s*(?:年|[-/._])?\s*(?P<m>0?[1-9]|1[0-2])\s*(?:月|[-/._])?\s*(?P<d>3[01]|[12]\d|0?[1-9])(?:\s*日)?(?!\d)"
)
_DAY_FIRST: Final = re.compile(r"(?<!\d)(?P<a>\d{1,2})[./-](?P<b>\d{1,2})[./-](?P<y>(?:19|20)\d{2})(?!\d)")
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH_NAME: Final = re.compile(
    r"(?:(?P<d1>\d{1,2})[\s.-]+(?P<m1>[A-Za-z]{3,9})[\s.,-]+|(?P<m2>[A-Za-z]{3,9})[\s.]+(?P<d2>\d{1,2})(?:st|nd|rd|th)?[\s,]+)(?P<y>(?:19|20)\d{2})"
)


def dates_in(text: str) -> list[dt.date]:
    """The calendar dates a title or file name mentions, in order."""
    found: list[tuple[int, dt.date]] = []
    for match in _DATE_IN_TEXT.finditer(text):
        if match.start() and text[match.start() - 1].isdigit():
            continue
        _try(found, match.start(), int(match["y"]), int(match["m"]), int(match["d"]))
    for match in _DAY_FIRST.finditer(text):
        a, b = int(match["a"]), int(match["b"])
        day, month = (b, a) if b > 12 else (a, b)
        _try(found, match.start(), int(match["y"]), month, day)
    for match in _MONTH_NAME.finditer(text):
        name = (match["m1"] or match["m2"])[:3].lower()
        if name in _MONTHS:
            _try(found, match.start(), int(match["y"]), _MONTHS.index(name) + 1, int(match["d1"] or match["d2"]))
    return [day for _, day in sorted(found)]


def _try(found: list[tuple[int, dt.date]], at: int, year: int, month: int, day: int) -> None:
    try:
        found.append((at, dt.date(year, month, day)))
    except ValueError:
        return


_AS_OF: Final = re.compile(
    r"as\s+(?:of|at)|stichtag|per\s|au\s|截止|截至|基准日|open\s+at|key\s*date|report\s*date|ageing date|aging date|日期", re.IGNORECASE
)


def extract_date(titles: Sequence[str], file_name: str) -> tuple[dt.date | None, str]:
    """As of which day was the file drawn up, by its title rows or its name? And which of the two says so: "title", "file_name" or ""."""
    for line in titles:
        dates = dates_in(line)
        if dates and _AS_OF.search(line):
            return dates[-1], "title"
    dates = dates_in(file_name)
    if dates:
        return dates[-1], "file_name"
    for line in titles:
        if dates := dates_in(line):
            return dates[-1], "title"
    return None, ""


def is_line(cells: Sequence[str]) -> bool:
    """Is the row neither a heading of its own nor a total?"""
    filled = [cell for cell in cells if cell.strip()]
    return len(filled) > 1 and not any(re.match(TOTAL, cell) for cell in filled[:3])
