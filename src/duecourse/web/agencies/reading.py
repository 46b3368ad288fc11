"""An agency's report as a CSV file: each line is taken down once, whatever was read before; what cannot be read is said with its line."""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final

from duecourse.errors import AmountInexactError
from duecourse.messages import say
from duecourse.money import to_minor
from duecourse.web.agencies.acting import take_down
from duecourse.web.agencies.models import Agency, Placement
from duecourse.web.refusals import NotNowError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from django.http import HttpRequest

    from duecourse.ledger.book import Book

MOST_BYTES: Final = 2_000_000
MOST_LINES: Final = 5_000

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "placement": ("placement", "our reference", "placement no", "委托编号", "委托号"),
    "on": ("date", "day", "日期", "回款日期"),
    "kind": ("kind", "type", "类型", "种类"),
    "amount": ("amount", "recovered", "paid", "金额", "回款金额"),
    "currency": ("currency", "币种", "货币"),
    "fee": ("fee", "commission", "费用", "佣金"),
    "reference": ("reference", "your reference", "file no", "机构编号", "参考号"),
    "text": ("text", "note", "comment", "status", "说明", "备注", "进展"),
}
"""Headings understood, in either language."""

RECOVERIES: Final = frozenset({"recovery", "payment", "paid", "money", "回款", "付款", "收款"})
PLAIN: Final = frozenset({"report", "status", "note", "", "进展", "报告", "说明"})


@dataclass
class Read:
    """What came of a file: lines taken down, lines known before, and what was refused: (line, reason)."""

    taken: int = 0
    known: int = 0
    refused: list[tuple[int, str]] = field(default_factory=list)


class UnreadableError(Exception):
    """The file is no CSV we can read; says why."""


def text_of(content: bytes) -> str:
    """The file's text: UTF-8, else what Chinese Excel writes. Raises UnreadableError."""
    if len(content) > MOST_BYTES:
        raise UnreadableError(say("web.agencies_file_large", count=MOST_BYTES // 1_000_000))
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UnreadableError(say("web.agencies_file_unreadable"))


def rows_of(content: bytes) -> list[tuple[int, dict[str, str]]]:
    """The lines with our names for their columns. Raises UnreadableError."""
    text = text_of(content)
    try:
        dialect: Any = csv.Sniffer().sniff(text[:4000], delimiters=",;\t")
    except csv.Error:
        dialect = csv.excel
    try:
        lines = list(csv.reader(io.StringIO(text), dialect))
    except csv.Error as error:
        raise UnreadableError(say("web.agencies_file_unreadable")) from error
    if len(lines) > MOST_LINES:
        raise UnreadableError(say("web.agencies_file_long", count=MOST_LINES))
    head = [cell.strip().casefold() for cell in lines[0]] if lines else []
    places = {name: next((head.index(one) for one in known if one in head), None) for name, known in COLUMNS.items()}
    missing = [name for name in ("placement", "on") if places[name] is None]
    if missing:
        raise UnreadableError(say("web.agencies_file_columns", columns=", ".join(COLUMNS[name][0] for name in missing)))
    found = []
    for number, line in enumerate(lines[1:], start=2):
        if any(cell.strip() for cell in line):
            row = {name: line[place].strip() if place is not None and place < len(line) else "" for name, place in places.items()}
            found.append((number, row))
    return found


def take_file(who: HttpRequest, book: Book, agency: Agency, content: bytes, seen: Collection[str]) -> Read:
    """Take down every line about this agency's placements with buyers that may be seen. Raises UnreadableError.

    A line is known by what it says; two lines that say the same in one file are two. The same file again adds nothing.
    """
    held = {one.number.casefold(): one for one in Placement.objects.filter(agency=agency).select_related("agency") if one.buyer_id in seen}
    found, times = Read(), Counter[str]()
    for number, row in rows_of(content):
        try:
            placement = _named(row, held)
            said = _said(row, placement)
            told = "\x1f".join(str(said[name]) for name in sorted(said))
            times[f"{placement.pk} {told}"] += 1
            digest = hashlib.sha256(f"{told}\x1f{times[f'{placement.pk} {told}']}".encode()).hexdigest()[:24]
            _made, new = take_down(who, book, placement, said.pop("kind"), said.pop("on"), f"file {digest}", **said)
        except NotNowError as error:
            args: dict[str, Any] = {name: f"{value}" for name, value in error.args_.items()}
            found.refused.append((number, say(error.code, **args)))
            continue
        found.taken += new
        found.known += not new
    return found


def _named(row: Mapping[str, str], held: Mapping[str, Placement]) -> Placement:
    found = held.get(row["placement"].casefold())
    if found is None:
        raise NotNowError("web.agencies_no_placement", number=row["placement"] or "–")
    return found


def _said(row: Mapping[str, str], placement: Placement) -> dict[str, Any]:
    """A line as `take_down` wants it. Raises NotNowError."""
    try:
        on = date.fromisoformat(row["on"].replace("/", "-"))
    except ValueError:
        raise NotNowError("web.agencies_day_unreadable", text=row["on"] or "–") from None
    if row["currency"] and row["currency"].upper() != placement.currency:
        raise NotNowError("web.agencies_currency", currency=row["currency"], expected=placement.currency)
    amount = minor_of(row["amount"], placement.currency)
    kind = row["kind"].casefold()
    if kind not in RECOVERIES | PLAIN:
        raise NotNowError("web.agencies_kind_unknown", text=row["kind"])
    recovery = kind in RECOVERIES or (kind == "" and amount is not None)
    return {
        "kind": "recovery" if recovery else "report", "on": on, "amount_minor": amount, "fee_minor": minor_of(row["fee"], placement.currency),
        "reference": row["reference"], "text": row["text"],
    }  # fmt: skip


def minor_of(text: str, currency: str) -> int | None:
    """A typed amount in minor units; None for an empty one. Raises NotNowError."""
    plain = text.strip().replace(",", "").replace("，", "").replace(" ", "")
    if not plain:
        return None
    try:
        return to_minor(Decimal(plain), currency)
    except (InvalidOperation, AmountInexactError):
        raise NotNowError("web.agencies_amount_unreadable", text=text) from None
