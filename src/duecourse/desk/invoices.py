"""The list of invoices: filtered, sorted, a page at a time, quick for ten million of them.  发票列表

The invoices as of a day lie beside the ledger as columns, newest first: number, buyer, dates, amount, what is open, state. They are those
of the whole book; what a person may not see is left out row by row when a page is drawn up.
"""

from __future__ import annotations

import contextlib
import json
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from duecourse.desk import answers
from duecourse.desk.figures import disputed_now
from duecourse.desk.standing import EPOCH, place_of, standing
from duecourse.engines.fused.pick import pick
from duecourse.engines.fused.scan import find, searchable
from duecourse.errors import OptionMisusedError
from duecourse.ledger.scope import EVERYTHING
from duecourse.measures.positions import positions
from duecourse.messages import say

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from duecourse.desk.standing import Standing
    from duecourse.ledger.book import Book

compute: Any = pc

State = Literal["", "open", "overdue", "paid", "disputed"]
Sort = Literal["issue_date", "due_date", "amount", "open"]
STATES: Final[Mapping[str, int]] = {"": 0, "open": 1, "overdue": 2, "paid": 4, "disputed": 8}
SORTS: Final = get_args(Sort)
FORMAT: Final = 1
COUNTED: Final = 10_000
"""Matches are counted up to here; beyond, a page says that there are more."""
WALKED: Final = 400_000
"""So many rows of an order are looked at before all matches are gathered and sorted instead."""
NO_DAY: Final = int(np.iinfo(np.int32).min)
FIRST, LAST = -(2**31), 2**31 - 1
NAMES: Final = {"issued": np.int32, "due": np.int32, "amount": np.int64, "open": np.int64, "settled": np.int32, "buyer": np.int32,
                "instalment": np.int16, "currency": np.int8, "entity": np.int8, "state": np.uint8}  # fmt: skip
COLUMNS: Final = (
    "invoice_id", "instalment", "buyer_id", "name", "name_local", "legal_entity", "issue_date", "due_date", "days_past_due", "currency", "amount_minor",
    "open_minor", "open_base", "state", "disputed", "last_settled",
)  # fmt: skip


@dataclass(frozen=True)
class InvoicesQuery:
    """Which invoices, in which order, which page.

    state       open, overdue, paid (nothing open), disputed (a dispute is open); "" = any
    buyer_id    of one buyer
    text        part of the invoice number
    currencies, legal_entities   one of these; empty = any
    issued_from … due_to         days, inclusive
    at_least, at_most            of the invoice's amount: minor units of the one currency filtered by, else of the base currency, else its own
    sort        amount and open compare currencies in base; descending None = newest or largest first, due_date the earliest first
    """

    state: State = ""
    buyer_id: str = ""
    text: str = ""
    currencies: frozenset[str] = frozenset()
    legal_entities: frozenset[str] = frozenset()
    issued_from: date | None = None
    issued_to: date | None = None
    due_from: date | None = None
    due_to: date | None = None
    at_least: int | None = None
    at_most: int | None = None
    sort: Sort = "issue_date"
    descending: bool | None = None
    offset: int = 0
    limit: int = 50

    def checked(self) -> InvoicesQuery:
        """The same query. Raises OptionMisusedError."""
        for option, value, known in (("state", self.state, tuple(STATES)), ("sort", self.sort, SORTS)):
            if value not in known:
                raise OptionMisusedError(option=option, value=value, hint=say("cli.hint_per", known=", ".join(filter(None, known))))
        if self.offset < 0 or self.limit < 0:
            raise OptionMisusedError(option="offset", value=min(self.offset, self.limit), hint=say("desk.hint_page"))
        return self

    @property
    def falls(self) -> bool:
        """Do the newest or largest come first?"""
        return self.sort != "due_date" if self.descending is None else self.descending


@dataclass(frozen=True)
class InvoicesPage:
    """A page: `rows` with COLUMNS, `total` matches. Where `capped`, there are at least so many."""

    rows: Sequence[Mapping[str, Any]]
    total: int
    capped: bool
    amounts_in: str
    offset: int
    limit: int


def list_invoices(book: Book, query: InvoicesQuery) -> InvoicesPage:
    """A page of the invoices a person may see.  发票列表

    One row per invoice and instalment issued by the book's day. Raises OptionMisusedError.
    """
    query.checked()
    buyers, columns = standing(book.whole), invoices(book)
    rows, total, capped = _Pick(book, buyers, columns, query).page()
    return InvoicesPage(_mappings(buyers, columns, rows), total, capped, _amounts_in(buyers, query), query.offset, query.limit)


def export_invoices(book: Book, query: InvoicesQuery, *, batch_rows: int = 10_000) -> Iterator[list[dict[str, Any]]]:
    """Every invoice the filters show, in the list's order, COLUMNS, a batch of mappings at a time."""
    query.checked()
    buyers, columns = standing(book.whole), invoices(book)
    places = _Pick(book, buyers, columns, query).all_places()
    for start in range(0, len(places), batch_rows):
        yield _mappings(buyers, columns, places[start : start + batch_rows])


@dataclass(eq=False)
class Columns:
    """The columns of all invoices as of a day. `blob` holds the numbers, each row ending with a line feed; `starts` where they begin."""

    values: Mapping[str, npt.NDArray[Any]]
    blob: npt.NDArray[np.uint8]
    starts: npt.NDArray[np.int64]
    frequency: npt.NDArray[np.int64]
    open_rows: npt.NDArray[np.int32]
    disputed_rows: npt.NDArray[np.int32]
    currencies: Sequence[str]
    entities: Sequence[str]
    on: date
    folder: Path | None = None
    hits: OrderedDict[str, Any] = field(default_factory=OrderedDict)
    orders: dict[str, Any] = field(default_factory=dict)
    guard: Any = field(default_factory=Lock)

    @cached_property
    def count(self) -> int:
        """How many invoices."""
        return len(self.values["issued"])

    def number(self, row: int) -> str:
        """An invoice's number."""
        return bytes(self.blob[self.starts[row] : self.starts[row + 1] - 1]).decode()

    def holding(self, text: str) -> npt.NDArray[np.bool_]:
        """Which numbers hold a text, as typed, in capitals or in small letters."""
        with self.guard:
            if text in self.hits:
                self.hits.move_to_end(text)
                return self.hits[text]  # type: ignore[no-any-return]
        found = np.zeros(self.count, np.bool_)
        for form in {text, text.upper(), text.lower()}:
            found |= find(self.blob, self.starts, form.replace("\n", " ").encode(), self.frequency)
        with self.guard:
            self.hits[text] = found
            while len(self.hits) > 4:
                self.hits.popitem(last=False)
        return found

    def order(self, name: str, factor: npt.NDArray[np.float64]) -> npt.NDArray[np.int32]:
        """All rows by due date, amount or what is open, rising; kept beside the columns."""
        with self.guard:
            if name in self.orders:
                return self.orders[name]  # type: ignore[no-any-return]
        path = None if self.folder is None else self.folder / f"order-{name}.npy"
        if path is not None and path.exists():
            found: npt.NDArray[np.int32] = np.load(path, mmap_mode="r").view(np.ndarray)
        else:
            every = np.arange(self.count)
            found = np.argsort(self.keys(name, every, factor), kind="stable").astype(np.int32)
            if path is not None:
                with contextlib.suppress(OSError):
                    answers.write_whole(path, lambda half: _save(half, found))
        with self.guard:
            self.orders[name] = found
        return found

    def keys(self, name: str, rows: Any, factor: npt.NDArray[np.float64]) -> npt.NDArray[Any]:
        """What rows are sorted by; a missing due date comes last of the earliest first."""
        if name == "issue_date":
            issued: npt.NDArray[Any] = self.values["issued"][rows]
            return issued
        if name == "due_date":
            days = self.values["due"][rows]
            return np.where(days == NO_DAY, LAST, days)
        amounts: npt.NDArray[Any] = self.values[name][rows] * factor[self.values["currency"][rows]]
        return amounts


class _Pick:
    """One query over the columns."""

    def __init__(self, book: Book, buyers: Standing, columns: Columns, query: InvoicesQuery) -> None:
        if query.state == "paid" and query.sort == "open":  # nothing is open on any of them
            query = replace(query, sort="amount")
        self._columns, self._query = columns, query
        self._seen = _seen_buyers(buyers, book)
        self._buyer = _number_of(buyers, query.buyer_id) if query.buyer_id else -1
        chosen = _amounts_in(buyers, query)
        factor = np.array([buyers.factors.get(code, np.nan) for code in columns.currencies] + [np.nan])
        in_base = bool(chosen) and chosen == buyers.base_currency
        with np.errstate(divide="ignore"):
            scale = factor if in_base else np.ones(len(factor))
            self._least = np.full(len(factor), -np.inf) if query.at_least is None else query.at_least / scale
            self._most = np.full(len(factor), np.inf) if query.at_most is None else query.at_most / scale
        for limits, none in ((self._least, np.inf), (self._most, -np.inf)):
            limits[np.isnan(limits)] = none
        self._factor = np.where(np.isnan(factor), 1e-9 if buyers.factors else 1.0, factor)
        self._currencies = _allowed(columns.currencies, query.currencies)
        entities = _allowed(columns.entities, query.legal_entities)
        if book.scope.legal_entities:
            entities &= _allowed(columns.entities, book.scope.legal_entities)
        self._entities = entities
        self._hits = columns.holding(query.text.strip()) if query.text.strip() else np.zeros(0, np.bool_)

    def _pick(
        self, rows: npt.NDArray[np.int64], skip: int, enough: int, candidates: Any = None, *, backwards: bool = False
    ) -> tuple[int, int]:
        query, values = self._query, self._columns.values
        nothing = np.zeros(0, np.int32)
        if query.buyer_id and self._buyer < 0:
            return 0, 0
        return pick(
            nothing if candidates is None else candidates, candidates is not None, backwards,
            values["state"], STATES[query.state], values["buyer"], self._seen, self._buyer, values["entity"], self._entities,
            values["currency"], self._currencies, values["issued"], _day(query.issued_from, FIRST), _day(query.issued_to, LAST),
            values["due"], _day(query.due_from, FIRST), _day(query.due_to, LAST), values["amount"], self._least, self._most, self._hits,
            skip, rows, enough,
        )  # fmt: skip

    @property
    def _few(self) -> Any:
        """The rows that can match at all, where they are few."""
        if self._query.state in ("open", "overdue"):
            return self._columns.open_rows
        return self._columns.disputed_rows if self._query.state == "disputed" else None

    def page(self) -> tuple[npt.NDArray[np.int64], int, bool]:
        """The rows of the page, how many match, and whether there are more."""
        query = self._query
        enough = max(COUNTED, query.offset + query.limit) + 1
        rows = np.empty(query.limit, np.int64)
        if query.sort == "issue_date":
            found, total = self._pick(rows, query.offset, enough, self._few, backwards=not query.falls)
            return rows[:found], min(total, enough - 1), total >= enough
        if self._few is None and self._columns.count > WALKED:
            order = self._within(self._columns.order(query.sort, self._factor))
            part = order[-WALKED:] if query.falls else order[:WALKED]
            found, total = self._pick(rows, query.offset, enough, part, backwards=query.falls)
            if found == query.limit or len(part) == len(order):
                if total < enough and len(part) < len(order):
                    _found, total = self._pick(rows[:0], 0, enough)
                return rows[:found], min(total, enough - 1), total >= enough
        places = self.all_places()
        return places[query.offset : query.offset + query.limit], min(len(places), enough - 1), len(places) >= enough

    def _within(self, order: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
        """The part of an order that can lie between the days or amounts asked for."""
        query, columns = self._query, self._columns
        least: float
        most: float
        if query.sort == "due_date":
            least, most = _day(query.due_from, FIRST), _day(query.due_to, LAST)
        elif query.sort == "amount":  # a whole walk is needed only where each currency has limits of its own
            with np.errstate(invalid="ignore"):
                least, most = np.min(self._least * self._factor), np.max(self._most * self._factor)
            least, most = (limit if np.isfinite(limit) else end for limit, end in ((least, -np.inf), (most, np.inf)))
            least, most = least - abs(least) * 1e-9, most + abs(most) * 1e-9
        else:
            return order

        def first(limit: float, *, after: bool) -> int:
            low, high = 0, len(order)
            while low < high:
                middle = (low + high) // 2
                here = columns.keys(query.sort, order[middle : middle + 1], self._factor)[0]
                low, high = (middle + 1, high) if here < limit or (after and here == limit) else (low, middle)
            return low

        return order[first(least, after=False) : first(most, after=True)]

    def all_places(self) -> npt.NDArray[np.int64]:
        """Every row that matches, in order."""
        query = self._query
        few = self._few
        rows = np.empty(self._columns.count if few is None else len(few), np.int64)
        found, _total = self._pick(rows, 0, self._columns.count + 1, few, backwards=query.sort == "issue_date" and not query.falls)
        rows = rows[:found]
        if query.sort == "issue_date":
            return rows
        keys = self._columns.keys(query.sort, rows, self._factor)
        return rows[np.argsort(keys, kind="stable")[::-1] if query.falls else np.argsort(keys, kind="stable")]


def _allowed(words: Sequence[str], wanted: frozenset[str]) -> npt.NDArray[np.bool_]:
    """By code, the last for none: is it one of those wanted? Nothing wanted in particular: all are."""
    return np.array([not wanted or word in wanted for word in words] + [not wanted or "" in wanted], np.bool_)


def _seen_buyers(buyers: Standing, book: Book) -> npt.NDArray[np.bool_]:
    number = buyers.column("number")
    seen = buyers.seen(replace(book.scope, legal_entities=frozenset()))
    flags = np.zeros(int(number[-1]) + 1 if len(number) else 1, np.bool_)
    if seen is None:
        flags[:] = True
    else:
        flags[number[seen]] = True
    return flags


def _number_of(buyers: Standing, buyer_id: str) -> int:
    place = place_of(buyers.rows.column("buyer_id"), buyer_id)
    return -1 if place < 0 else int(buyers.column("number")[place])


def _amounts_in(buyers: Standing, query: InvoicesQuery) -> str:
    if len(query.currencies) == 1:
        return next(iter(query.currencies))
    return buyers.base_currency if buyers.factors else ""


def _day(day: date | None, otherwise: int) -> int:
    return otherwise if day is None else (day - EPOCH).days


def _mappings(buyers: Standing, columns: Columns, rows: npt.NDArray[np.int64]) -> list[dict[str, Any]]:
    values = {name: column[rows].tolist() for name, column in columns.values.items()}
    places = np.searchsorted(buyers.column("number"), columns.values["buyer"][rows])
    people = buyers.mappings(places, ("buyer_id", "name", "name_local"))
    today = (columns.on - EPOCH).days
    found = []
    for place, row in enumerate(rows.tolist()):
        state, due, open_minor = values["state"][place], values["due"][place], values["open"][place]
        currency = columns.currencies[values["currency"][place]] if values["currency"][place] >= 0 else None
        factor = buyers.factors.get(currency or "")
        found.append(
            {
                "invoice_id": columns.number(row),
                "instalment": values["instalment"][place],
                **people[place],
                "legal_entity": columns.entities[values["entity"][place]] if values["entity"][place] >= 0 else None,
                "issue_date": _date(values["issued"][place]),
                "due_date": _date(due),
                "days_past_due": today - due if open_minor > 0 and due != NO_DAY else None,
                "currency": currency,
                "amount_minor": values["amount"][place],
                "open_minor": open_minor,
                "open_base": None if factor is None else int(np.floor(open_minor * factor + 0.5)),
                "state": "overdue" if state & STATES["overdue"] else "open" if state & STATES["open"] else "paid",
                "disputed": bool(state & STATES["disputed"]),
                "last_settled": _date(values["settled"][place]),
            }
        )
    return found


def _date(day: int) -> date | None:
    return None if day == NO_DAY else EPOCH + timedelta(days=day)


# Making and keeping them

_guard = Lock()
_opened: OrderedDict[Path, Columns] = OrderedDict()
_making: dict[Path, Lock] = {}


def invoices(book: Book) -> Columns:
    """The columns of all invoices of the whole book, mapped where they are kept already, else made."""
    whole = replace(book, scope=EVERYTHING)
    at = answers.place(whole)
    if at is None:
        return make(whole)
    target = at / f"invoices-{answers.key(whole, f'invoices {FORMAT}')}"
    with _guard:
        found = _opened.get(target)
        if found is not None and (found.folder is None or found.folder.exists()):
            _opened.move_to_end(target)
            return found
        making = _making.setdefault(target, Lock())
    with making:
        found = _mapped(target)
        if found is None:
            made = make(whole)
            found = made
            with contextlib.suppress(OSError):
                answers.keep_folder(target, lambda folder: _write(folder, made))
                found = _mapped(target) or made
    with _guard:
        _opened[target] = found
        while len(_opened) > 3:
            _opened.popitem(last=False)
    return found


def make(book: Book) -> Columns:
    """Work the columns out: what is open on every invoice, newest first."""
    buyers = standing(book)
    item = positions(book)
    item = item.filter(item.buyer_id.notnull() & item.issue_date.notnull())
    profile = book.buyer.select("buyer_id", own_entity=book.buyer.legal_entity)
    joined = item.left_join(profile, "buyer_id")
    rows = book.run(
        joined.select(
            *(item[name] for name in ("invoice_id", "instalment", "buyer_id", "issue_date", "due_date", "amount_minor", "open_minor", "currency", "last_settled")),
            entity=item.legal_entity.nullif("").coalesce(profile.own_entity),
        ).order_by([item.issue_date.desc(), item.buyer_id, item.invoice_id, item.instalment])
    ).combine_chunks()  # fmt: skip

    def column(name: str, missing: int = 0) -> npt.NDArray[Any]:
        values: Any = rows[name].combine_chunks()
        if pa.types.is_date(values.type):
            values = values.cast(pa.int32())
        return compute.fill_null(values, missing).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]

    persons = buyers.rows.column("buyer_id")
    place = compute.index_in(rows["buyer_id"].combine_chunks(), persons).to_numpy(zero_copy_only=False)
    currency, currencies = _coded(rows["currency"].combine_chunks())
    entity, entities = _coded(rows["entity"].combine_chunks())
    due, still = column("due_date", NO_DAY), column("open_minor")
    today = (book.on - EPOCH).days
    contested = {(row["invoice_id"], row["instalment"]) for row in disputed_now(book) if row["invoice_id"] is not None}
    disputed = np.zeros(len(rows), np.uint8)
    if contested:
        numbers = pa.array(sorted({number for number, _ in contested}), pa.string())
        for row in np.flatnonzero(compute.is_in(rows["invoice_id"].combine_chunks(), numbers).to_numpy(zero_copy_only=False)).tolist():
            disputed[row] = (rows["invoice_id"][row].as_py(), rows["instalment"][row].as_py()) in contested
    state = np.where(still > 0, STATES["open"], STATES["paid"]).astype(np.uint8)
    state |= np.where((still > 0) & (due != NO_DAY) & (due < today), STATES["overdue"], 0).astype(np.uint8)
    state |= disputed * np.uint8(STATES["disputed"])
    joined_text: Any = compute.binary_join_element_wise(
        rows["invoice_id"].combine_chunks().cast(pa.large_string()), pa.scalar("", pa.large_string()), pa.scalar("\n", pa.large_string())
    )
    starts, blob = np.zeros(1, np.int64), np.zeros(0, np.uint8)
    if len(rows):
        _valid, offsets, data = joined_text.buffers()
        starts = np.frombuffer(offsets, np.int64)[joined_text.offset : joined_text.offset + len(rows) + 1]
        blob = np.frombuffer(data, np.uint8)[starts[0] : starts[-1]]
        starts = starts - starts[0]
    found = {
        "issued": column("issue_date"), "due": due, "amount": column("amount_minor"), "open": still, "settled": column("last_settled", NO_DAY),
        "buyer": buyers.column("number")[place.astype(np.int64)] if len(rows) else np.zeros(0), "instalment": column("instalment", 1),
        "currency": currency, "entity": entity, "state": state,
    }  # fmt: skip
    return Columns(
        {name: np.ascontiguousarray(found[name].astype(kind)) for name, kind in NAMES.items()},
        searchable(blob), starts, np.bincount(blob, minlength=256), np.flatnonzero(still > 0).astype(np.int32),
        np.flatnonzero(disputed).astype(np.int32), currencies, entities, book.on,
    )  # fmt: skip


def _coded(texts: Any) -> tuple[npt.NDArray[np.int64], list[str]]:
    coded = texts.dictionary_encode()
    words = coded.dictionary.to_pylist()
    return compute.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64), words


def _save(path: Path, values: npt.NDArray[Any]) -> None:
    with path.open("wb") as file:
        np.save(file, values)


def _write(folder: Path, made: Columns) -> None:
    for name, values in made.values.items():
        _save(folder / f"{name}.npy", values)
    for name in ("blob", "starts", "open_rows", "disputed_rows"):
        _save(folder / f"{name}.npy", getattr(made, name))
    meta = {"currencies": made.currencies, "entities": made.entities, "on": made.on.isoformat(), "frequency": made.frequency.tolist()}
    (folder / "meta.json").write_text(json.dumps(meta, ensure_ascii=False), encoding="utf-8")


def _mapped(folder: Path) -> Columns | None:
    try:
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        mapped = {
            name: np.load(folder / f"{name}.npy", mmap_mode="r").view(np.ndarray)
            for name in (*NAMES, "blob", "starts", "open_rows", "disputed_rows")
        }
    except (OSError, ValueError):
        return None
    return Columns(
        {name: mapped[name] for name in NAMES}, mapped["blob"], mapped["starts"], np.array(meta["frequency"], np.int64), mapped["open_rows"],
        mapped["disputed_rows"], meta["currencies"], meta["entities"], date.fromisoformat(meta["on"]), folder,
    )  # fmt: skip
