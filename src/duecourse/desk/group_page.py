"""One group of buyers, looked through to all its members: what it owes by currency and age, and how much hangs on it.  集团敞口"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from duecourse.desk.listing import BuyersQuery, export_buyers, list_buyers
from duecourse.desk.standing import BUCKETS, standing
from duecourse.errors import BuyerUnknownError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from duecourse.desk.listing import BuyersPage
    from duecourse.ledger.book import Book


@dataclass(frozen=True)
class GroupPage:
    """One group.

    name     of the group, where a member names it
    members  the list of its members with its totals, most outstanding first
    ages     {currency: {bucket: amount}} of all members
    base_ages  the same in base currency, each member converted; None without a base currency
    share    of all that is outstanding and may be seen, in base currency, else of the one currency there is; None where neither can be said
    """

    group_id: str
    name: str | None
    members: BuyersPage
    ages: Mapping[str, Mapping[str, int]]
    base_ages: Mapping[str, int] | None
    share: float | None


def group_page(book: Book, group_id: str, *, offset: int = 0, limit: int = 100) -> GroupPage:
    """What does a group owe, through whom, how old, and how much of everything is it?  集团敞口

    Raises BuyerUnknownError where no member may be seen.
    """
    query = BuyersQuery(groups=frozenset({group_id}), sort="outstanding", offset=offset, limit=limit)
    page = list_buyers(book, query)
    if not page.total:
        raise BuyerUnknownError(buyer=group_id)
    everything = list_buyers(book, BuyersQuery(limit=0))
    ages, base_ages = _ages(book, query)
    named = next((row["group_name"] for row in page.rows if row["group_name"]), None)
    return GroupPage(group_id, named, page, ages, base_ages, _share(page, everything))


def _ages(book: Book, query: BuyersQuery) -> tuple[dict[str, dict[str, int]], dict[str, int] | None]:
    _schema, batches = export_buyers(book, query, ["currency", *BUCKETS])
    rows = pa.Table.from_batches(batches, schema=_schema)
    sums = rows.group_by("currency").aggregate([(name, "sum") for name in BUCKETS])
    ages = {row["currency"]: {name: row[f"{name}_sum"] for name in BUCKETS} for row in sums.to_pylist()}
    factors = standing(book).factors
    if not factors:
        return ages, None
    base = {
        name: sum(floor(amounts[name] * factors[currency] + 0.5) for currency, amounts in ages.items() if currency in factors)
        for name in BUCKETS
    }
    return ages, base


def _share(page: BuyersPage, everything: BuyersPage) -> float | None:
    own: Any = page.base or (page.totals[0] if len(everything.totals) == 1 else None)
    whole: Any = everything.base if page.base else everything.totals[0] if len(everything.totals) == 1 else None
    if own is None or whole is None or whole["outstanding"] <= 0:
        return None
    return float(own["outstanding"] / whole["outstanding"])
