"""The ledger as of a day and as known at a moment: frozen tables that hold nothing later. The one door to the facts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from duecourse.calendar import months_back
from duecourse.ledger.entries import (
    BUYER,
    DAY,
    DISPUTE,
    ENTRIES,
    EXCHANGE_RATE,
    INVOICE,
    OPEN_ITEM,
    QUARANTINE,
    SETTING,
    SETTLEMENT,
    SNAPSHOT,
    TEXT,
    Entry,
    schema_of,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    import ibis.expr.types as ir

    from duecourse.ledger.engine import Engine, Rows
    from duecourse.ledger.journal import State

MONTHS: Final = "calendar_month"
RATES: Final = "rate_to_base"

UNDATED_COUNTS: Final = (BUYER, SETTING)
"""Tables in which a row without a date holds always."""

MONTHS_SCHEMA: Final = schema_of({"month_end": DAY, "month_start": DAY, "days": pa.int64(), "months_back": pa.int64()})
RATES_SCHEMA: Final = schema_of({"currency": TEXT, "rate_to_base": pa.float64()}, {"rate_date": DAY})


def named_table(entry: Entry, name: str | None = None) -> ir.Table:
    """A table of the ledger as an Ibis table without data."""
    return _empty_table(entry.schema, name or entry.name)


def _empty_table(schema: pa.Schema, name: str) -> ir.Table:
    import ibis  # noqa: PLC0415 — loading it takes longer than a small import; what draws up no expression starts without

    return ibis.table(ibis.Schema.from_pyarrow(schema), name=name)


def _literal(value: object, kind: str) -> Any:
    import ibis  # noqa: PLC0415 — as above

    return ibis.literal(value, type=kind)


def current_rows(
    entry: Entry, withdrawn: Mapping[str, datetime], *, corrected: bool, known_at: datetime | None = None, keep_voided: bool = False
) -> ir.Table:
    """The rows of a table that count: known by `known_at`, not of a withdrawn batch, not corrected by a later row, not voided.

    corrected    does any row correct another? If none does, the look for corrections is left out
    keep_voided  also give the rows that withdraw a fact (a writer needs to know that it was withdrawn)
    """
    rows = named_table(entry)
    if known_at is not None:
        rows = rows.filter(rows.recorded_at <= _literal(known_at, "timestamp('UTC', 6)"))
    gone = withdrawn_by(withdrawn, known_at)
    if gone:
        rows = rows.filter(rows.source.notin(gone))
    if corrected:
        later = rows.filter(rows.supersedes.notnull()).select(*entry.key, "supersedes").view()
        rows = rows.anti_join(later, [*(rows[name] == later[name] for name in entry.key), rows.source == later.supersedes])
        if not keep_voided:
            rows = rows.filter(~rows.voided)
    return rows


class Keeper(Protocol):
    """What a book needs of the ledger it is drawn from."""

    @property
    def engine(self) -> Engine: ...
    @property
    def state(self) -> State: ...
    @property
    def version(self) -> int: ...
    def rows_of(self, entry: Entry) -> tuple[Rows, bool]:
        """A table's rows, and whether any of them corrects another."""
        ...

    def rows_about(self, entry: Entry, buyer_id: str) -> tuple[pa.Table, bool]:
        """At least the rows of one buyer, and whether any row of the whole table corrects another."""
        ...


def withdrawn_by(withdrawn: Mapping[str, datetime], known_at: datetime | None) -> list[str]:
    """The batches known to be withdrawn by then."""
    return sorted(batch for batch, when in withdrawn.items() if known_at is None or when <= known_at)


@dataclass(frozen=True)
class Book:
    """The ledger as of the close of `on`, as known at `known_at` (UTC; None = everything known to this version of the ledger).

    `book.invoice`, `book.settlement` … are Ibis tables: the facts that had happened by then, each in its newest wording, with later
    events hidden (a dispute resolved after `on` is open). `book.run(expr)` gives Arrow.
    """

    ledger: Keeper
    on: date
    known_at: datetime | None = None

    @property
    def version(self) -> int:
        """The version of the ledger the book is drawn from."""
        return self.ledger.version

    def table(self, entry: Entry) -> ir.Table:
        """One table as of this book: the entry's facts, and `recorded_at`, `source`, `source_row` of each."""
        _rows, corrected = self.ledger.rows_of(entry)
        rows = current_rows(entry, self.ledger.state.withdrawn, corrected=corrected, known_at=self._cut)
        on = _literal(self.on, "date")
        if entry.happened:
            happened = rows[entry.happened]
            always = happened.isnull() if entry in UNDATED_COUNTS else None
            rows = rows.filter(happened <= on if always is None else always | (happened <= on))
        if entry.ends:
            closing = rows[entry.ends[0]]
            later = closing.notnull() & (closing > on)
            rows = rows.mutate(**{name: later.ifelse(_literal(None, str(rows[name].type())), rows[name]) for name in entry.ends})
        return rows.drop("supersedes", "voided")

    @property
    def _cut(self) -> datetime | None:
        """Leave the filter out where nothing would be filtered."""
        if self.known_at is None or self.known_at >= self.ledger.state.last.recorded_at:
            return None
        return self.known_at

    @cached_property
    def buyer(self) -> ir.Table:
        """买方: one row per buyer."""
        return self.table(BUYER)

    @cached_property
    def invoice(self) -> ir.Table:
        """发票: one row per invoice and instalment."""
        return self.table(INVOICE)

    @cached_property
    def settlement(self) -> ir.Table:
        """结算: one row per payment, credit or other reduction."""
        return self.table(SETTLEMENT)

    @cached_property
    def dispute(self) -> ir.Table:
        """争议: one row per dispute; unresolved ones have no `resolved_on`."""
        return self.table(DISPUTE)

    @cached_property
    def open_item(self) -> ir.Table:
        """未清项: one row per item of each open-item list imported."""
        return self.table(OPEN_ITEM)

    @cached_property
    def snapshot(self) -> ir.Table:
        """快照: one row per open-item list and scope."""
        return self.table(SNAPSHOT)

    @cached_property
    def exchange_rate(self) -> ir.Table:
        """汇率: one row per provider, pair and day."""
        return self.table(EXCHANGE_RATE)

    @cached_property
    def setting(self) -> ir.Table:
        """设置: one row per setting."""
        return self.table(SETTING)

    @cached_property
    def quarantine(self) -> ir.Table:
        """隔离行: one row per row of a file that was refused."""
        return self.table(QUARANTINE)

    @cached_property
    def settings(self) -> Mapping[str, Any]:
        """The firm's settings as of this book, decoded."""
        table = self.setting
        return {row["name"]: json.loads(row["value"]) for row in self.run(table.select("name", "value")).to_pylist()}

    @cached_property
    def base_currency(self) -> str:
        """记账本位币: the currency in which the firm adds up; `XXX` until it is set."""
        return str(self.settings.get("base_currency", "XXX"))

    def months(self, count: int) -> ir.Table:
        """The last `count` calendar months up to `on`, the latest cut off there: month_end, month_start, days, months_back (0 = latest)."""
        table = _empty_table(MONTHS_SCHEMA, MONTHS)
        return table.filter(table.months_back < count)

    def rates(self) -> ir.Table:
        """Units of base currency for one unit of each currency, by the latest rate known as of the book: currency, rate_to_base, rate_date."""
        return _empty_table(RATES_SCHEMA, RATES)

    @cached_property
    def _rate_rows(self) -> pa.Table:
        from duecourse.ledger.rates import rates_to_base  # noqa: PLC0415 — rates read the book

        return rates_to_base(self)

    def rows(self, name: str) -> Rows:
        """The data behind a table name in this book's expressions."""
        if name == MONTHS:
            return _month_rows(self.on)
        if name == RATES:
            return self._rate_rows
        return self.ledger.rows_of(ENTRIES[name])[0]

    def tables(self, expr: ir.Table) -> Mapping[str, Rows]:
        """The data behind every table an expression reads."""
        import ibis.expr.operations as ops  # noqa: PLC0415

        return {node.name: self.rows(node.name) for node in expr.op().find(ops.UnboundTable)}

    def run(self, expr: ir.Table) -> pa.Table:
        """All rows of an expression over this book."""
        return self.ledger.engine.run(expr, self.tables(expr))

    def about(self, buyer_id: str) -> Mapping[str, pa.Table]:
        """All this book holds on one buyer: {table: its rows}, for buyer, invoice, settlement and dispute.

        A settlement stands with the account it was booked to.
        """
        return {entry.name: self._about(entry, buyer_id) for entry in (BUYER, INVOICE, SETTLEMENT, DISPUTE)}

    def _about(self, entry: Entry, buyer_id: str) -> pa.Table:
        rows, corrected = self.ledger.rows_about(entry, buyer_id)
        if corrected:  # what corrects a row may stand under another buyer: ask the whole table
            table: ir.Table = getattr(self, entry.name)
            return self.run(table.filter(table.buyer_id == buyer_id))
        # The same filters as `table`, on a handful of rows, without the planning of a query.
        keep: Any = pc.equal(rows["buyer_id"], pa.scalar(buyer_id))
        if self._cut is not None:
            keep = pc.and_(keep, pc.less_equal(rows["recorded_at"], pa.scalar(self._cut, rows["recorded_at"].type)))
        gone = withdrawn_by(self.ledger.state.withdrawn, self._cut)
        if gone:
            keep = pc.and_not(keep, pc.is_in(rows["source"], pa.array(gone, pa.string())))
        if entry.happened:
            happened: Any = pc.less_equal(rows[entry.happened], pa.scalar(self.on, DAY))
            keep = pc.and_(keep, pc.coalesce(happened, pa.scalar(entry in UNDATED_COUNTS)))
        rows = rows.filter(keep)
        if entry.ends:
            later: Any = pc.coalesce(pc.greater(rows[entry.ends[0]], pa.scalar(self.on, DAY)), pa.scalar(value=False))
            for name in entry.ends:
                hidden = pc.if_else(later, pa.scalar(None, rows[name].type), rows[name])
                rows = rows.set_column(rows.schema.get_field_index(name), name, hidden)
        return rows.drop_columns(["supersedes", "voided"])

    def stream(self, expr: ir.Table, *, batch_rows: int = 100_000) -> pa.RecordBatchReader:
        """The same rows, a batch at a time."""
        return self.ledger.engine.stream(expr, self.tables(expr), batch_rows=batch_rows)


def _month_rows(on: date, count: int = 1200) -> pa.Table:
    rows = [
        {"month_end": end, "month_start": start, "days": (end - start).days + 1, "months_back": back}
        for back, (start, end) in enumerate(months_back(on, count))
    ]
    return pa.Table.from_pylist(rows, schema=MONTHS_SCHEMA)
