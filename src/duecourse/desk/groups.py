"""The groups of buyers, looked through to their members: worked out once for what a person may see of a version and day.  集团敞口"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow.compute as pc

from duecourse.desk.standing import standing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from duecourse.desk.standing import Standing
    from duecourse.ledger.book import Book

    Numbers = npt.NDArray[np.int64]

compute: Any = pc
AMOUNTS: Final = ("outstanding", "overdue", "unapplied_credits")


@dataclass(frozen=True)
class GroupsPage:
    """Groups of two and more buyers (or of one whose parent is elsewhere), largest first.

    rows  group_id, name, buyers, currency (base, or each row's own where there is none), outstanding, overdue, unapplied_credits, share
    """

    rows: Sequence[dict[str, Any]]
    total: int
    currency: str


@dataclass(frozen=True)
class _Sums:
    """The groups, largest first, by place; `whole` is outstanding of all buyers, those in no group too."""

    numbers: Any
    names: Any
    buyers: Numbers
    amounts: Mapping[str, Numbers]
    whole: int
    currency: str


def list_groups(book: Book, *, text: str = "", offset: int = 0, limit: int = 50) -> GroupsPage:
    """Which groups owe us how much, looked through to all their members?  集团敞口

    One row per group, in base currency; without one, in the currency most is owed in. text: part of the group's name or number.
    """
    columns = standing(book)
    key = ("groups", replace(book.scope, legal_entities=frozenset()))
    sums: _Sums = columns.kept(key, lambda: _sums(columns, book))
    places = np.arange(len(sums.buyers))
    if text.strip():
        hits = [compute.match_substring(texts, text.strip(), ignore_case=True) for texts in (sums.names, sums.numbers)]
        places = np.flatnonzero(compute.or_(*hits).to_numpy(zero_copy_only=False))
    rows = [
        {
            "group_id": sums.numbers[place].as_py(), "name": sums.names[place].as_py() or None, "buyers": int(sums.buyers[place]),
            "currency": sums.currency, **{name: int(amounts[place]) for name, amounts in sums.amounts.items()},
            "share": float(sums.amounts["outstanding"][place] / sums.whole) if sums.whole else None,
        }
        for place in places[offset : offset + limit].tolist()
    ]  # fmt: skip
    return GroupsPage(rows, len(places), sums.currency)


def _sums(columns: Standing, book: Book) -> _Sums:
    seen = columns.seen(book.scope)
    everyone = np.ones(columns.count, np.bool_) if seen is None else seen
    own, group, number = (columns.column(name) for name in ("currency", "group", "number"))
    factors, currency = columns.factors, columns.base_currency
    if not factors:
        owed = [(int(columns.column("outstanding")[own == code].sum()), word) for code, word in enumerate(columns.words["currency"])]
        currency = max(owed)[1] if owed else ""
        factors = {currency: 1.0}
    first = np.concatenate(([True], np.diff(number) != 0)) if len(number) else np.zeros(0, np.bool_)
    buyers = np.bincount(group[everyone & first], minlength=len(columns.groups))
    codes = np.flatnonzero(buyers > 1)
    dense = np.full(len(columns.groups), -1, np.int64)  # a place for each group of several: most buyers stand alone
    dense[codes] = np.arange(len(codes))
    sums = {name: np.zeros(len(codes), np.int64) for name in AMOUNTS}
    alone = 0
    for code, word in enumerate(columns.words["currency"]):
        if word in factors:
            rows = np.flatnonzero(everyone & (own == code))
            place = dense[group[rows]]
            many = place >= 0
            for name in AMOUNTS:
                amounts = np.bincount(place[many], weights=columns.column(name)[rows[many]], minlength=len(codes))
                sums[name] += np.floor(amounts * factors[word] + 0.5).astype(np.int64)
            alone += int(np.floor(columns.column("outstanding")[rows[~many]] * factors[word] + 0.5).astype(np.int64).sum())
    order = np.lexsort((codes, -sums["outstanding"]))
    numbers, names = (compute.fill_null(columns.groups.column(name).take(codes[order]), "") for name in ("group_id", "group_name"))
    whole = alone + int(sums["outstanding"].sum())
    return _Sums(numbers, names, buyers[codes][order], {name: amounts[order] for name, amounts in sums.items()}, whole, currency)
