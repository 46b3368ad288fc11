"""What the dashboard shows of what the desk knows, in the currency asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from duecourse.desk.dashboard import dashboard
from duecourse.desk.listing import BuyersQuery, list_buyers
from duecourse.tables import named

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from duecourse.desk.dashboard import Attention, Dashboard
    from duecourse.desk.position import CurrencyPosition, Position
    from duecourse.ledger.book import Book

    Rows = Sequence[Mapping[str, Any]]

LARGEST: Final = 10
LINES: Final = 8
SHAPES: Final = {"error": "bad", "warning": "warn", "note": ""}
"""How a line of attention is marked, worst first."""


@dataclass(frozen=True)
class Line:
    """One thing that needs attention: what it says, how grave it is, and what it is about."""

    words: str
    shape: str
    kind: str
    about: str


@dataclass(frozen=True)
class Reading:
    """The position, the chosen currency's part of it, its months (oldest first; `every_month` of every currency), its largest buyers, those that moved most, what needs attention."""

    position: Position
    chosen: CurrencyPosition | None
    is_base: bool
    months: Rows
    every_month: Rows
    largest: Rows
    largest_share: float
    moved: Rows
    attention: Sequence[Line]
    more: int


def read(book: Book, currency: str) -> Reading:
    """Everything of one currency; of all in base currency where none is named and a base currency is set."""
    whole = dashboard(book)
    chosen = next((one for one in whole.position.currencies if one.currency == currency), None)
    is_base = chosen is None and whole.position.base is not None
    if chosen is None:
        chosen = whole.position.base or (whole.position.currencies[0] if whole.position.currencies else None)
    lines = _lines(whole.attention)
    if chosen is None:
        return Reading(whole.position, None, is_base, [], [], [], 0.0, [], lines[:LINES], max(len(lines) - LINES, 0))
    months = whole.months_in_base if is_base else [row for row in whole.months if row["currency"] == chosen.currency]
    largest, share = _largest(book, whole, chosen, is_base=is_base)
    moved = whole.movements["overdue"] if is_base else _moved(book, chosen.currency)
    return Reading(
        whole.position, chosen, is_base, _oldest_first(months), _oldest_first(whole.months), largest, share, [named(row) for row in moved],
        lines[:LINES], max(len(lines) - LINES, 0),
    )  # fmt: skip


def _oldest_first(rows: Rows) -> Rows:
    return sorted(rows, key=lambda row: -int(row["months_back"]))


def _lines(attention: Sequence[Attention]) -> list[Line]:
    """Worst first, money before data."""
    order = list(SHAPES)
    ranked = sorted(attention, key=lambda one: (order.index(one.severity), one.kind not in {"buyer", "invoice"}))
    return [Line(one.words, SHAPES[one.severity], one.kind, one.about) for one in ranked]


def _largest(book: Book, whole: Dashboard, chosen: CurrencyPosition, *, is_base: bool) -> tuple[Rows, float]:
    """Of the whole book looked through to groups; of one currency its buyers."""
    if is_base:
        both = [named(row) for row in whole.concentration.largest]
        rows: Rows = [{**row, "name": row["name"] or row["name_id"], "outstanding": row["amount"]} for row in both]
        return rows, whole.concentration.top_10 or 0.0
    owed = chosen.figures["outstanding"] or 1
    found = [{**named(row), "share": row["outstanding"] / owed} for row in _buyers(book, chosen.currency, "outstanding")]
    return found, sum(row["share"] for row in found)


def _moved(book: Book, currency: str) -> list[Mapping[str, Any]]:
    both = [*_buyers(book, currency, "overdue_change_30d"), *_buyers(book, currency, "overdue_change_30d", descending=False)]
    once = {row["buyer_id"]: row for row in both if row["overdue_change_30d"]}
    return sorted(once.values(), key=lambda row: -abs(row["overdue_change_30d"]))[:LARGEST]


def _buyers(book: Book, currency: str, sort: str, *, descending: bool = True) -> Rows:
    return list_buyers(book, BuyersQuery(currencies=frozenset({currency}), sort=sort, descending=descending, limit=LARGEST)).rows
