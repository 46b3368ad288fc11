"""What the dashboard reads of the book, in the currency asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from duecourse.desk.figures import months as history
from duecourse.desk.listing import BuyersQuery, list_buyers
from duecourse.desk.position import position
from duecourse.desk.remembered import remembered
from duecourse.measures.buckets import Buckets
from duecourse.tables import named

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from duecourse.desk.position import CurrencyPosition, Position
    from duecourse.ledger.book import Book

MONTHS: Final = 25
LARGEST: Final = 10


@dataclass(frozen=True)
class Reading:
    """The position, the chosen currency's part of it, its months (oldest first), its largest buyers and those that moved most."""

    position: Position
    chosen: CurrencyPosition | None
    is_base: bool
    months: Sequence[Mapping[str, Any]]
    largest: Sequence[Mapping[str, Any]]
    moved: Sequence[Mapping[str, Any]]
    largest_share: float


def read(book: Book, currency: str) -> Reading:
    """Everything of one currency; of all in base currency where none is named and a base currency is set."""
    whole = position(book)
    chosen = next((one for one in whole.currencies if one.currency == currency), None)
    is_base = chosen is None and whole.base is not None
    if chosen is None:
        chosen = whole.base or (whole.currencies[0] if whole.currencies else None)
    if chosen is None:
        return Reading(whole, None, is_base, [], [], [], 0.0)
    buckets = Buckets.of(book)
    own, base = remembered(book, f"months {MONTHS} {buckets.limits_days}", lambda: history(book, count=MONTHS, buckets=buckets))
    rows = base if is_base else [row for row in own if row["currency"] == chosen.currency]
    largest = _buyers(book, chosen.currency, "outstanding", is_base=is_base)
    owed = chosen.figures["outstanding"] or 1
    shares = [{**row, "share": row["outstanding"] / owed} for row in largest]
    moved = [
        *_buyers(book, chosen.currency, "overdue_change_30d", is_base=is_base),
        *_buyers(book, chosen.currency, "overdue_change_30d", is_base=is_base, descending=False),
    ]
    moved = sorted((row for row in moved if row["overdue_change_30d"]), key=lambda row: -abs(row["overdue_change_30d"]))
    once = {(row["buyer_id"], row["currency"]): row for row in moved}
    return Reading(
        whole,
        chosen,
        is_base,
        sorted(rows, key=lambda row: -row["months_back"]),
        shares,
        list(once.values())[:LARGEST],
        sum(row["share"] for row in shares),
    )


def _buyers(book: Book, currency: str, sort: str, *, is_base: bool, descending: bool = True) -> list[dict[str, Any]]:
    chosen = frozenset() if is_base else frozenset({currency})
    found = list_buyers(book, BuyersQuery(currencies=chosen, sort=sort, descending=descending, limit=LARGEST))
    rows = [named(row) for row in found.rows]
    return [{**row, "outstanding": row["outstanding_base"]} if is_base and row.get("outstanding_base") is not None else row for row in rows]
