"""The list of buyers: searched, filtered, sorted, a page at a time or all of it, quick for a million buyers.  买方列表"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from duecourse.desk.standing import (
    BUCKETS,
    CODED,
    COLUMNS,
    DATES,
    FIGURES,
    MISSING,
    MONEY,
    NULLABLE,
    TEXTS,
    TOTALS,
    as_number,
    coded_as,
    place_before,
    standing,
)
from duecourse.engines.fused.scan import add_up, count_up, find, walk
from duecourse.errors import OptionMisusedError
from duecourse.messages import say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

    from duecourse.desk.standing import Standing
    from duecourse.ledger.book import Book

    Flags = npt.NDArray[np.bool_]

BASE: Final = ("outstanding_base", "overdue_base", "not_due_base", "unapplied_credits_base", "credit_sales_365d_base")
FACETS: Final = CODED
GROUPS_SHOWN: Final = 50
BATCH: Final = 20_000
LONGEST_NUMBER: Final = 20
"""Digits to which a number is filled up with zeros; SAP's have ten."""


@dataclass(frozen=True)
class BuyersQuery:
    """Which buyers, in which order, which page.

    text        part of a name in either script, of the number or of the registration number; upper and lower case alike
    countries … groups   one of these values each; empty = any; the empty text = those without
    overdue_only         only with something overdue
    bucket      only with something outstanding in this ageing bucket (one of BUCKETS)
    at_least, at_most    {figure: limit}, both inclusive, figures of FIGURES; money in minor units of `amounts_in` of the page:
                the one currency filtered by, else the base currency, else each row's own. A missing figure is never inside a limit
    sort        a column; None = overdue, most first
    descending  None = figures largest first, texts from the beginning
    """

    text: str = ""
    countries: frozenset[str] = frozenset()
    sectors: frozenset[str] = frozenset()
    sales_owners: frozenset[str] = frozenset()
    legal_entities: frozenset[str] = frozenset()
    currencies: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    overdue_only: bool = False
    bucket: str = ""
    at_least: Mapping[str, Any] = field(default_factory=dict)
    at_most: Mapping[str, Any] = field(default_factory=dict)
    sort: str | None = None
    descending: bool | None = None
    offset: int = 0
    limit: int = 50

    @property
    def sorted_by(self) -> tuple[str, bool]:
        """The column, and whether the largest come first."""
        name = self.sort or "overdue"
        falls = name not in (*TEXTS, *CODED) if self.descending is None else self.descending
        return name, falls

    def checked(self) -> BuyersQuery:
        """The same query. Raises OptionMisusedError for a column, figure or bucket there is not, and for a negative page."""
        for option, values, known in (
            ("sort", [self.sort or "overdue"], COLUMNS),
            ("at_least", self.at_least, FIGURES),
            ("at_most", self.at_most, FIGURES),
            ("bucket", [self.bucket] if self.bucket else [], BUCKETS),
        ):
            for value in values:
                if value not in known:
                    raise OptionMisusedError(option=option, value=value, hint=say("cli.hint_per", known=", ".join(known)))
        if self.offset < 0 or self.limit < 0:
            raise OptionMisusedError(option="offset", value=min(self.offset, self.limit), hint=say("desk.hint_page"))
        return self


@dataclass(frozen=True)
class BuyersPage:
    """A page of the list.

    rows        a mapping a row: the columns of COLUMNS, and BASE; money int64 minor units
    total       rows of the whole list; `buyers`: buyers in it (one with two currencies has two rows)
    totals      one per currency with a row in it: currency, rows, and TOTALS, most outstanding first
    base        the same amounts in base currency, each currency's sum converted once; None where no base currency is set
    not_converted  currencies in the list without a rate, left out of `base`
    amounts_in  the currency in which limits of amounts are read; empty = each row's own
    """

    rows: Sequence[Mapping[str, Any]]
    total: int
    buyers: int
    totals: Sequence[Mapping[str, Any]]
    base: Mapping[str, Any] | None
    not_converted: Sequence[str]
    base_currency: str
    amounts_in: str
    offset: int
    limit: int


def list_buyers(book: Book, query: BuyersQuery) -> BuyersPage:
    """A page of the buyers a person may see, with how many there are and what they owe in all.  买方列表

    One row per buyer and currency having any invoice or settlement by the book's day. Raises OptionMisusedError.
    """
    query.checked()
    columns = standing(book)
    chosen = _chosen(columns, book, query)
    summary = columns.kept(("summary", chosen.key), lambda: _summary(columns, chosen.keep))
    places = _page(columns, chosen, query, summary["total"])
    rows = columns.mappings(places, (*COLUMNS, *BASE))
    return BuyersPage(
        rows, summary["total"], summary["buyers"], summary["totals"], summary["base"], summary["not_converted"], columns.base_currency,
        _amounts_in(columns, query), query.offset, query.limit,
    )  # fmt: skip


def numbered_like(book: Book, wanted: str, most: int) -> tuple[Sequence[Mapping[str, Any]], int]:
    """Buyers a person may see whose number reads like `wanted`: the same but for leading zeros; if none does, those that begin with it.

    Rows as in `list_buyers`, by number, at most `most`, and how many there are. Found in the sorted numbers, so that a number that leads nowhere
    costs next to nothing.
    """
    columns = standing(book)
    numbers, seen = columns.rows.column("buyer_id"), columns.seen(book.scope)
    bare = wanted.lstrip("0") or wanted

    def between(first: str, end: str) -> npt.NDArray[np.int64]:
        start, stop = place_before(numbers, first), place_before(numbers, end)
        return start + (np.arange(stop - start) if seen is None else np.flatnonzero(seen[start:stop]))

    places = np.zeros(0, np.int64)
    if bare.isdigit():
        filled = [bare.zfill(digits) for digits in range(len(bare), LONGEST_NUMBER + 1)]
        places = np.concatenate([places, *(between(number, number + "\0") for number in filled)])
    if not len(places):
        places = between(wanted, wanted + chr(sys.maxunicode))
    return columns.mappings(places[:most], (*COLUMNS, *BASE)), len(places)


def facets(book: Book, query: BuyersQuery) -> dict[str, list[tuple[str, int]]]:
    """How many rows would each value of each filter show, the other filters as they are?

    {countries, sectors, sales_owners, legal_entities, currencies, groups: [(value, rows)]}, most first; the empty text = those without a value.
    Of the groups of two and more rows only the GROUPS_SHOWN largest. Raises OptionMisusedError.
    """
    query.checked()
    columns = standing(book)
    key = _key(columns, book, query)
    found: dict[str, list[tuple[str, int]]] = columns.kept(("facets", key), lambda: _facets(columns, book, query))
    return found


def export_buyers(
    book: Book, query: BuyersQuery, columns: Sequence[str] = COLUMNS, *, batch_rows: int = BATCH
) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """Every row the filters show, in the list's order, with the chosen columns (of COLUMNS and BASE), a batch at a time.  导出

    `offset` and `limit` of the query are not looked at. Raises OptionMisusedError.
    """
    query.checked()
    for name in columns:
        if name not in COLUMNS and name not in BASE:
            raise OptionMisusedError(option="columns", value=name, hint=say("cli.hint_per", known=", ".join((*COLUMNS, *BASE))))
    rows = standing(book)
    chosen = _chosen(rows, book, query)
    name, falls = query.sorted_by
    order = rows.order(name, descending=falls)
    places = order[chosen.keep[order]] if chosen.keep is not None else order
    schema = rows.taken(places[:0], columns).schema

    def batches() -> Iterator[pa.RecordBatch]:
        for start in range(0, len(places), batch_rows):
            yield from rows.taken(places[start : start + batch_rows], columns).cast(schema).combine_chunks().to_batches()

    return schema, batches()


# Filters

_FILTERS: Final = {
    "countries": "country", "sectors": "sector", "sales_owners": "sales_owner", "legal_entities": "legal_entity", "currencies": "currency",
}  # fmt: skip


@dataclass(frozen=True)
class _Chosen:
    """The rows a query shows: a flag each, None = all; `key` names the same choice again."""

    key: tuple[Any, ...]
    keep: Flags | None


def _amounts_in(columns: Standing, query: BuyersQuery) -> str:
    if len(query.currencies) == 1:
        return next(iter(query.currencies))
    return columns.base_currency if columns.factors else ""


def _key(columns: Standing, book: Book, query: BuyersQuery) -> tuple[Any, ...]:
    limits = (tuple(sorted(query.at_least.items())), tuple(sorted(query.at_most.items())))
    scope = replace(book.scope, legal_entities=frozenset())
    own = tuple(getattr(query, name) for name in (*_FILTERS, "groups"))
    return (_folded(query.text), own, query.overdue_only, query.bucket, limits, scope, _amounts_in(columns, query))


def _folded(text: str) -> str:
    return str(pc.utf8_lower(pa.scalar(text.strip())).as_py())


def _chosen(columns: Standing, book: Book, query: BuyersQuery) -> _Chosen:
    key = _key(columns, book, query)

    def work() -> Flags | None:
        return _both(*_conditions(columns, book, query).values())

    keep: Flags | None = columns.kept(("keep", key), work)
    return _Chosen(key, keep)


def _both(*flags: Flags | None) -> Flags | None:
    found: Flags | None = None
    for one in flags:
        if one is not None:
            found = one if found is None else found & one
    return found


def _conditions(columns: Standing, book: Book, query: BuyersQuery) -> dict[str, Flags | None]:
    """Each condition of a query by itself."""
    flags: dict[str, Flags | None] = {"scope": columns.seen(book.scope)}
    text = _folded(query.text)
    if text:
        flags["text"] = columns.kept(("text", text), lambda: _holding(columns, text))
    for name, column in _FILTERS.items():
        values: frozenset[str] = getattr(query, name)
        if values:
            flags[name] = _one_of(columns, column, values)
    if query.groups:
        among = pc.is_in(columns.groups.column("group_id"), pa.array(sorted(query.groups), pa.string()))
        flags["groups"] = coded_as(columns.column("group"), np.append(among.to_numpy(zero_copy_only=False), [False]))
    if query.overdue_only:
        flags["overdue"] = columns.column("overdue") > 0
    if query.bucket:
        flags["bucket"] = columns.column(query.bucket) > 0
    for kind, limits in (("at_least", query.at_least), ("at_most", query.at_most)):
        for name, limit in limits.items():
            flags[f"{kind} {name}"] = _inside(columns, name, as_number(name, limit), kind, _amounts_in(columns, query))
    return flags


def _one_of(columns: Standing, column: str, values: frozenset[str]) -> Flags:
    allowed = np.zeros(len(columns.words[column]) + 1, np.bool_)
    for value in values:
        code = columns.code(column, value)
        if code >= -1:
            allowed[code] = True
    return coded_as(columns.column(column), allowed)


def _holding(columns: Standing, text: str) -> Flags:
    return find(columns.blob, columns.starts, text.replace("\n", " ").encode(), columns.frequency)


def _inside(columns: Standing, name: str, limit: float, kind: str, amounts_in: str) -> Flags:
    values: npt.NDArray[Any] = columns.column(name)
    if name in MONEY and amounts_in and amounts_in == columns.base_currency:
        # The limit in each row's own minor units, instead of each row in base currency.
        with np.errstate(divide="ignore"):
            own = (limit / columns.factor)[columns.column("currency")] if len(columns.factor) else np.zeros(0)
        return values >= own if kind == "at_least" else values <= own
    keep: Flags = values >= limit if kind == "at_least" else values <= limit
    return keep & (values != MISSING) if name in NULLABLE else keep


# What the chosen rows come to


def _summary(columns: Standing, keep: Flags | None) -> dict[str, Any]:
    flags = np.ones(columns.count, np.bool_) if keep is None else keep
    codes = columns.column("currency")
    words = columns.words["currency"]
    sums = np.zeros((len(words) + 1, len(TOTALS) + 1), np.int64)
    add_up(flags, codes, columns.amounts, sums)
    number = columns.column("number")[flags]
    buyers = int(np.count_nonzero(np.diff(number))) + 1 if len(number) else 0
    totals = [
        {"currency": word, "rows": int(own[-1]), **dict(zip(TOTALS, own[:-1].tolist(), strict=True))}
        for word, own in zip([*words, ""], sums, strict=True)
        if own[-1]
    ]
    base: dict[str, Any] | None = None
    unrated = []
    if columns.factors:
        base = {"currency": columns.base_currency, "rows": 0, **dict.fromkeys(TOTALS, 0)}
        for one in totals:
            factor = columns.factors.get(one["currency"])
            if factor is None:
                unrated.append(one["currency"])
                continue
            for name in ("rows", *TOTALS):
                base[name] += (
                    one[name] if name in ("rows", "open_invoices", "overdue_invoices") else int(np.floor(one[name] * factor + 0.5))
                )
    totals.sort(key=lambda one: (-(one["outstanding"] * columns.factors.get(one["currency"], 0.0)), -one["outstanding"], one["currency"]))
    return {"total": int(sums[:, -1].sum()), "buyers": buyers, "totals": totals, "base": base, "not_converted": unrated}


def _facets(columns: Standing, book: Book, query: BuyersQuery) -> dict[str, list[tuple[str, int]]]:
    conditions = _conditions(columns, book, query)
    whole = _chosen(columns, book, query).keep
    found = {}
    for name, column in _FILTERS.items():
        others = _both(*(flags for other, flags in conditions.items() if other != name)) if name in conditions else whole
        counts = np.zeros(len(columns.words[column]) + 1, np.int64)
        count_up(np.ones(columns.count, np.bool_) if others is None else others, columns.column(column), counts)
        values = [(word, int(count)) for word, count in zip([*columns.words[column], ""], counts, strict=True) if count]
        found[name] = sorted(values, key=lambda one: (-one[1], one[0]))
    others = _both(*(flags for other, flags in conditions.items() if other != "groups")) if "groups" in conditions else whole
    counts = np.zeros(len(columns.groups) + 1, np.int64)
    count_up(np.ones(columns.count, np.bool_) if others is None else others, columns.column("group"), counts)
    largest = np.argpartition(-counts, GROUPS_SHOWN)[:GROUPS_SHOWN] if len(counts) > GROUPS_SHOWN else np.arange(len(counts))
    groups = [(str(columns.groups.column("group_id")[int(code)].as_py()), int(counts[code])) for code in largest if counts[code] > 1]
    found["groups"] = sorted(groups, key=lambda one: (-one[1], one[0]))
    return found


def _page(columns: Standing, chosen: _Chosen, query: BuyersQuery, total: int) -> npt.NDArray[Any]:
    name, falls = query.sorted_by
    if query.offset >= total or not query.limit:
        return np.zeros(0, np.int64)
    order = columns.order(name, descending=falls)
    if chosen.keep is None:
        return order[query.offset : query.offset + query.limit].astype(np.int64)
    if query.offset > total // 2:  # from the end: the last pages are as near as the first
        last = total - query.offset
        places = np.empty(min(query.limit, last), np.int64)
        walk(chosen.keep, order[::-1], last - len(places), places)
        return places[::-1]
    places = np.empty(min(query.limit, total - query.offset), np.int64)
    walk(chosen.keep, order, query.offset, places)
    return places


__all__ = ["BASE", "DATES", "FACETS", "TOTALS", "BuyersPage", "BuyersQuery", "export_buyers", "facets", "list_buyers"]
