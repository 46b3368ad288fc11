"""Facts that another system sends: looked at as whole columns, each row kept or refused with the field that is wrong, then written.  接口写入"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from duecourse.desk.dates import FAR
from duecourse.errors import FactUnknownError
from duecourse.ledger.entries import (
    BUYER,
    DAY,
    DISPUTE,
    ENTRIES,
    EXCHANGE_RATE,
    INVOICE,
    LIMIT,
    ORDER,
    SETTLEMENT,
    SIGNAL,
    STATEMENT,
    STATEMENT_ITEMS,
    Entry,
)
from duecourse.ledger.store import new_batch_id
from duecourse.ledger.together import Post, commit_together
from duecourse.money import exponent
from duecourse.reference.currencies import CURRENCIES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy.typing as npt

    from duecourse.ledger.book import Book
    from duecourse.ledger.store import BatchResult, Ledger

    Flags = npt.NDArray[np.bool_]

__all__ = ["FACTS", "Fault", "Post", "Prepared", "commit", "existing", "far", "new_batch_id", "prepare", "tables_of", "withdrawing"]

FACTS: Final[Mapping[str, Entry]] = {
    "buyers": BUYER, "invoices": INVOICE, "settlements": SETTLEMENT, "disputes": DISPUTE, "orders": ORDER, "exchange-rates": EXCHANGE_RATE,
    "signals": SIGNAL, "statements": STATEMENT, "limits": LIMIT,
}  # fmt: skip
"""What can be sent, by the name it has in addresses."""

EARLIEST: Final = date(1990, 1, 1)
YEARS_AHEAD: Final = 10
"""A date outside is a slip of the pen, here as in imported files."""

DECIMALS: Final = 4
"""No currency has more; an amount arrives with at most so many, and at most thirteen digits before the point, so that sums fit."""

IN_ORDER: Final = {
    "settlement": ("settle_date_from", "settle_date"),
    "dispute": ("raised_on", "resolved_on"),
    "order": ("order_date", "status_date"),
    "limit": ("valid_from", "valid_to"),
    "signal": ("published_on", "ended_on"),
    "statement": ("period_end", "published_on"),
}
FROM_ZERO: Final = (LIMIT,)
"""Tables whose amounts may be nothing: a cover that was withdrawn."""
SIGNED: Final = (SETTLEMENT,)
"""Tables whose amounts may be below zero."""
SHOWN: Final = 1_000
"""So many faults are told one by one."""


@dataclass(frozen=True)
class Fault:
    """Why a row was refused: `row` counts from 0, `field` is the sender's own name of it, `code` says what is wrong."""

    row: int
    field: str
    code: str
    value: str = ""


@dataclass(frozen=True)
class Prepared:
    """Rows ready to be written, and the others.

    rows     of the table, with `source_row` counting from 1 as the rows were sent
    faults   the first SHOWN of them, by row
    refused  the places of all refused rows
    """

    entry: Entry
    rows: pa.Table
    faults: Sequence[Fault]
    refused: Sequence[int]
    received: int


def prepare(book: Book, kind: str, sent: pa.Table, *, places: Sequence[int] | None = None, today: date | None = None) -> Prepared:
    """Look at rows that were sent.

    book    of the far future, limited to what the sender may see: what lies outside is refused
    sent    the table's columns by name, but `amount` (text, exact decimal) for `amount_minor`, and `rate` as text
    places  the row each stands in as it was sent; None = one after another
    """
    entry = FACTS[kind]
    look = _Look(sent, np.arange(sent.num_rows) if places is None else np.asarray(places, np.int64))
    look.plausible(entry, today or datetime.now(UTC).date())
    columns: dict[str, Any] = {name: sent[name] for name in entry.facts.names if name in sent.schema.names}
    if "amount" in sent.schema.names:
        columns["amount_minor"] = look.minor(signed=entry in SIGNED, from_zero=entry in FROM_ZERO)
    if entry == EXCHANGE_RATE:
        look.currencies("base_currency")
        look.currencies("quote_currency")
        columns["rate"] = look.rates()
    elif entry == STATEMENT:
        look.currencies("currency")
        columns |= {item: look.exact(item)[0] for item in STATEMENT_ITEMS if item in sent.schema.names}
    elif "amount" not in sent.schema.names and "currency" in sent.schema.names:
        look.currencies("currency")
    if "registered_capital" in sent.schema.names:
        columns["registered_capital_minor"] = look.capital()
    if entry == LIMIT:
        look.limits()
    look.once(entry.key)
    if book.scope.restricts:
        look.within(book, entry)
    good = ~look.bad
    names = [name for name in entry.facts.names if name in columns]
    rows = pa.table({name: columns[name] for name in names} | {"source_row": pa.array(look.places + 1, pa.int64())})
    kept = rows.filter(pa.array(good)) if look.bad.any() else rows
    faults = sorted(look.faults, key=lambda fault: (fault.row, fault.field))[:SHOWN]
    return Prepared(entry, kept, faults, look.places[look.bad].tolist(), sent.num_rows)


@dataclass
class _Look:
    sent: pa.Table
    places: npt.NDArray[np.int64]
    faults: list[Fault] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.bad: Flags = np.zeros(self.sent.num_rows, np.bool_)

    def refuse(self, wrong: Flags, name: str, code: str) -> None:
        """These rows are refused for this field, unless they were already."""
        fresh = wrong & ~self.bad
        if not fresh.any():
            return
        self.bad |= fresh
        where = np.flatnonzero(fresh)[:SHOWN]
        values = self._taken(name, where) if name in self.sent.schema.names else [None] * len(where)
        self.faults += [
            Fault(int(self.places[row]), name, code, "" if value is None else str(value)) for row, value in zip(where, values, strict=True)
        ]

    def _taken(self, name: str, places: Any) -> list[Any]:
        column: Any = self.sent[name]
        values: list[Any] = column.take(pa.array(places)).to_pylist()
        return values

    def plausible(self, entry: Entry, today: date) -> None:
        """No date is absurd, and none that must come later comes before."""
        latest = today.replace(year=today.year + YEARS_AHEAD, day=min(today.day, 28))
        for column in self.sent.schema:
            if column.type == DAY:
                days: Any = self.sent[column.name]
                outside: Any = pc.or_(pc.less(days, pa.scalar(EARLIEST, DAY)), pc.greater(days, pa.scalar(latest, DAY)))
                self.refuse(_flags(outside), column.name, "date_implausible")
        first, second = IN_ORDER.get(entry.name, ("", ""))
        if first in self.sent.schema.names and second in self.sent.schema.names:
            self.refuse(_flags(pc.greater(self.sent[first], self.sent[second])), second, "dates_reversed")

    def currencies(self, name: str) -> Flags:
        """The currency is one of ISO 4217, where it is given."""
        codes: Any = self.sent[name]
        known = pc.coalesce(pc.is_in(codes, pa.array([*CURRENCIES], pa.string())), pa.scalar(value=False))
        wrong = _flags(pc.and_(pc.is_valid(codes), pc.invert(known)))
        self.refuse(wrong, name, "currency_unknown")
        return wrong

    def minor(self, *, signed: bool, from_zero: bool = False) -> pa.Array[Any]:
        """The amounts in minor units; one that has more decimals than its currency is refused, never rounded."""
        text: Any = self.sent["amount"]
        given = pc.is_valid(text).combine_chunks().to_numpy(zero_copy_only=False)
        without = given & ~_flags(pc.is_valid(self.sent["currency"]))
        self.refuse(without, "currency", "currency_missing")
        self.currencies("currency")
        minor, parts = self.exact("amount")
        self.refuse(
            (parts == 0 if signed else parts < 0 if from_zero else parts <= 0) & given,
            "amount",
            "amount_zero" if signed else "amount_not_positive",
        )
        return minor

    def capital(self) -> pa.Array[Any]:
        """A registered capital in minor units of its own currency."""
        given = _flags(pc.is_valid(self.sent["registered_capital"]))
        without = given & ~_flags(pc.is_valid(self.sent["registered_capital_currency"]))
        self.refuse(without, "registered_capital_currency", "currency_missing")
        self.currencies("registered_capital_currency")
        return self.exact("registered_capital", "registered_capital_currency")[0]

    def exact(self, name: str, currency: str = "currency") -> tuple[pa.Array[Any], npt.NDArray[np.int64]]:
        """A column of decimals in minor units of the rows' currency, and in ten-thousandths; more decimals than it has are refused."""
        text: Any = self.sent[name]
        given = pc.is_valid(text).combine_chunks().to_numpy(zero_copy_only=False)
        exact: Any = pc.coalesce(text, pa.scalar("0")).cast(pa.decimal128(18, DECIMALS))
        ten_thousandths = pc.multiply(exact, pa.scalar(10**DECIMALS, pa.decimal128(5, 0))).cast(pa.int64())
        parts = ten_thousandths.combine_chunks().to_numpy(zero_copy_only=False)
        coded: Any = self.sent[currency].combine_chunks().dictionary_encode()
        sizes = [10 ** (DECIMALS - exponent(code)) if code in CURRENCIES else 1 for code in coded.dictionary.to_pylist()]
        size = np.array([*sizes, 1], np.int64)[pc.coalesce(coded.indices, pa.scalar(len(sizes), pa.int32())).to_numpy(zero_copy_only=False)]
        self.refuse((parts % size != 0) & given, name, "amount_inexact")
        return pa.array(parts // size, pa.int64(), mask=~given), parts

    def limits(self) -> None:
        """A limit is a buyer's or a group's, and only a block goes without an amount."""
        owner: Any = pc.coalesce(self.sent["buyer_id"], self.sent["group_id"])
        self.refuse(_flags(pc.is_null(owner)), "buyer_id", "field_missing")
        block: Any = pc.equal(self.sent["kind"], pa.scalar("block"))
        self.refuse(_flags(pc.and_not(pc.is_null(self.sent["amount"]), block)), "amount", "field_missing")

    def rates(self) -> pa.Array[Any]:
        """The rates as numbers, all above zero."""
        numbers = np.asarray(self.sent["rate"].cast(pa.float64()).to_numpy(zero_copy_only=False))
        self.refuse(~(numbers > 0), "rate", "rate_not_positive")
        same: Any = pc.equal(self.sent["base_currency"], self.sent["quote_currency"])
        self.refuse(_flags(same), "quote_currency", "currencies_equal")
        found: pa.Array[Any] = pa.array(numbers)
        return found

    def once(self, key: Sequence[str]) -> None:
        """No fact is sent twice in one call: which of the two would hold?"""
        keys = self.sent.select(list(key)).append_column("place", pa.array(np.arange(self.sent.num_rows)))
        first = keys.group_by(list(key), use_threads=False).aggregate([("place", "min")])["place_min"].to_numpy()
        again = np.ones(self.sent.num_rows, np.bool_)
        again[first] = False
        self.refuse(again, key[0], "duplicate_key")

    def within(self, book: Book, entry: Entry) -> None:
        """What the sender may not see it may not write: neither a fact that is there and hidden, nor one that would be."""
        if entry == EXCHANGE_RATE:
            self.refuse(np.ones(self.sent.num_rows, np.bool_), "provider", "outside_scope")
            return
        hidden = _among(self.sent, book.whole, book, entry, entry.key)
        self.refuse(hidden, entry.key[0], "outside_scope")
        scope = book.scope
        if entry == BUYER:
            named = {name: self.sent[name].to_pylist() if name in self.sent.schema.names else [None] * self.sent.num_rows for name in (
                "buyer_id", "group_id", "sales_owner", "legal_entity")}  # fmt: skip
            persons = zip(named["buyer_id"], named["group_id"], named["sales_owner"], strict=True)
            seen = np.array([scope.sees_person(str(buyer), group, owner) for buyer, group, owner in persons], np.bool_)
            self.refuse(~seen, "sales_owner" if scope.sales_owners else "group_id", "outside_scope")
            if scope.legal_entities:
                self.refuse(
                    np.array([entity not in scope.legal_entities for entity in named["legal_entity"]], np.bool_),
                    "legal_entity",
                    "outside_scope",
                )
            return
        profiles = book.run(book.buyer.select("buyer_id", "legal_entity"))
        at: Any = pc.index_in(self.sent["buyer_id"], profiles["buyer_id"])
        self.refuse(~_flags(pc.is_valid(at)), "buyer_id", "outside_scope")
        if scope.legal_entities:
            own: Any = profiles["legal_entity"].take(at)
            if "legal_entity" in self.sent.schema.names:
                own = pc.coalesce(self.sent["legal_entity"], own)
            self.refuse(~_flags(pc.is_in(own, pa.array(sorted(scope.legal_entities)))), "buyer_id", "outside_scope")
        if "invoice_id" in self.sent.schema.names and entry != INVOICE:
            self.refuse(_among(self.sent, book.whole, book, INVOICE, ("invoice_id", "instalment")), "invoice_id", "outside_scope")


def _flags(values: Any) -> Flags:
    filled: Any = pc.coalesce(values, pa.scalar(value=False))
    flat = filled.combine_chunks() if isinstance(filled, pa.ChunkedArray) else filled
    return np.asarray(flat.to_numpy(zero_copy_only=False), np.bool_)


def _among(sent: pa.Table, whole: Book, seen: Book, entry: Entry, key: Sequence[str]) -> Flags:
    """Which rows name a fact of the whole book that is not in the part that is seen."""
    keys = sent.select(list(key)).append_column("place", pa.array(np.arange(sent.num_rows)))
    asked = ibis.table(ibis.Schema.from_pyarrow(keys.schema), name="sent")
    there = whole.table(entry).select(*key)
    shown = seen.table(entry).select(*key).view()
    found = asked.semi_join(there, list(key)).anti_join(shown, list(key)).select("place")
    tables = {name: rows for book in (whole, seen) for name, rows in book.tables(there.union(shown)).items()}
    places = whole.ledger.engine.run(found, {**tables, "sent": keys})["place"].to_numpy()
    flags = np.zeros(sent.num_rows, np.bool_)
    flags[places] = True
    return flags


def tables_of(rows: Iterable[tuple[str, Mapping[str, Any]]]) -> dict[str, pa.Table]:
    """Rows that name their table, as tables ready to be posted. A row gives fact columns by name, days and moments in ISO 8601, and `voided`."""
    gathered: dict[str, list[dict[str, Any]]] = {}
    for name, row in rows:
        schema = ENTRIES[name].facts
        values = {column: _typed(value, schema.field(column).type) for column, value in row.items() if column != "voided"}
        gathered.setdefault(name, []).append({**values, "voided": bool(row.get("voided", False))})
    return {
        name: pa.Table.from_pylist(found, schema=ENTRIES[name].facts.append(pa.field("voided", pa.bool_())))
        for name, found in gathered.items()
    }


def _typed(value: Any, kind: pa.DataType) -> Any:
    if isinstance(value, str) and pa.types.is_date(kind):
        return date.fromisoformat(value)
    if isinstance(value, str) and pa.types.is_timestamp(kind):
        return datetime.fromisoformat(value)
    return value


def existing(book: Book, kind: str, key: Mapping[str, Any]) -> Mapping[str, Any]:
    """One fact as the book has it. Raises FactUnknownError."""
    entry = FACTS[kind]
    rows = book.table(entry)
    for name in entry.key:
        rows = rows.filter(rows[name] == ibis.literal(key[name], type=rows[name].type()))
    found = book.run(rows).to_pylist()
    if not found:
        raise FactUnknownError(kind=kind, key=" / ".join(str(key[name]) for name in entry.key))
    row: Mapping[str, Any] = found[0]
    return row


def withdrawing(book: Book, kind: str, key: Mapping[str, Any]) -> pa.Table:
    """The row that withdraws a fact. Raises FactUnknownError where there is none that may be seen."""
    entry = FACTS[kind]
    row = existing(book, kind, key)
    values = {name: row[name] for name in entry.facts.names}
    return pa.Table.from_pylist([values], schema=entry.facts).append_column("voided", pa.array([True]))


def far(ledger: Ledger) -> Book:
    """The book that holds every fact of the ledger, of whatever day."""
    return ledger.as_of(FAR)


def commit(ledger: Ledger, posts: Sequence[Post], *, wait_seconds: float) -> list[BatchResult]:
    """Write posts that wait at the same moment in one commit. Raises what the ledger raises when it cannot be written."""
    return commit_together(ledger, posts, wait_seconds=wait_seconds)
