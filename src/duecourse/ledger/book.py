"""The ledger as of a day and as known at a moment: frozen tables that hold nothing later. The one door to the facts."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from duecourse.calendar import months_back
from duecourse.ledger.engine import table_names
from duecourse.ledger.entries import (
    ASSET,
    BUYER,
    CASE_EVENT,
    CONTRACT,
    DAY,
    DECISION,
    DISPUTE,
    DOCUMENT,
    DOCUMENT_LINK,
    ENTRIES,
    EXCHANGE_RATE,
    INVOICE,
    LIMIT,
    LIST_ENTRY,
    NOTICE,
    OPEN_ITEM,
    ORDER,
    QUARANTINE,
    SECURITY,
    SETTING,
    SETTLEMENT,
    SIGNAL,
    SNAPSHOT,
    STATEMENT,
    TEXT,
    Entry,
    schema_of,
)  # fmt: skip
from duecourse.ledger.scope import EVERYTHING, Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import date, datetime

    import ibis.expr.types as ir

    from duecourse.ledger.engine import Engine, Rows
    from duecourse.ledger.journal import State

MONTHS: Final = "calendar_month"
RATES: Final = "rate_to_base"

Kept = TypeVar("Kept")
DAYS_KEPT: Final = 64
"""The settings and rates of so many days are kept at most."""

UNDATED_COUNTS: Final = (BUYER, SETTING)
"""Tables in which a row without a date holds always."""

OF_THE_FIRM: Final = (EXCHANGE_RATE, SETTING)
"""Tables that belong to no buyer and go with each; nobody's scope hides any of their rows."""

ITEM: Final = ("invoice_id", "instalment", "currency")
"""What a settlement names to be applied to an invoice."""

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

    kept_settings: dict[tuple[date, datetime | None], Mapping[str, Any]]
    """The settings of this version that were asked for, by day and by what was known."""

    kept_firm: dict[tuple[date, datetime | None], Mapping[str, pa.Table]]
    """In the same way the rows of what belongs to no buyer."""

    kept_rates: dict[tuple[date, datetime | None], pa.Table]
    """And the rates to the base currency that are made of them."""

    def rows_of(self, entry: Entry) -> tuple[Rows, bool]:
        """A table's rows, and whether any of them corrects another."""
        ...

    def rows_about(self, entry: Entry, buyer_id: str) -> tuple[pa.Table, bool]:
        """At least the rows of one buyer, and whether any row of the whole table corrects another."""
        ...

    def rows_brought(self, entry: Entry, batches: Collection[str]) -> Rows:
        """At least the rows of a table that came with these batches."""
        ...

    def corrections(self, entry: Entry) -> pa.Table | None:
        """The rows that correct others: key, recorded_at, source, supersedes. None where there are too many to keep at hand."""
        ...


def withdrawn_by(withdrawn: Mapping[str, datetime], known_at: datetime | None) -> list[str]:
    """The batches known to be withdrawn by then."""
    return sorted(batch for batch, when in withdrawn.items() if known_at is None or when <= known_at)


def _kept(kept: dict[tuple[date, datetime | None], Kept], key: tuple[date, datetime | None], read: Callable[[], Kept]) -> Kept:
    """What a ledger keeps for a day, read once."""
    found = kept.get(key)
    if found is None:
        found = read()
        if len(kept) >= DAYS_KEPT:
            kept.clear()
        kept[key] = found
    return found


@dataclass(frozen=True)
class Book:
    """The ledger as of the close of `on`, as known at `known_at` (UTC; None = everything known to this version of the ledger).

    `book.invoice`, `book.settlement` … are Ibis tables: the facts that had happened by then, each in its newest wording, with later
    events hidden (a dispute resolved after `on` is open). `book.run(expr)` gives Arrow.

    scope  what may be seen of it (see `limited`): all tables, and so all that is worked out from them, hold nothing else
    """

    ledger: Keeper
    on: date
    known_at: datetime | None = None
    scope: Scope = EVERYTHING

    @property
    def version(self) -> int:
        """The version of the ledger the book is drawn from."""
        return self.ledger.version

    def limited(self, scope: Scope) -> Book:
        """The part of this book that a person may see.  按可见范围

        A book that is limited already is limited further, never less.
        """
        return replace(self, scope=self.scope.within(scope)) if scope.restricts else self

    @cached_property
    def whole(self) -> Book:
        """The same book with nothing hidden: for what belongs to no person, never for what one is shown."""
        return replace(self, scope=EVERYTHING) if self.scope.restricts else self

    @cached_property
    def of_the_firm(self) -> Mapping[str, pa.Table]:
        """What belongs to no buyer and goes with each: exchange rates and settings, {table: its rows}."""

        def read() -> Mapping[str, pa.Table]:
            return {entry.name: self.run(getattr(self, entry.name)) for entry in OF_THE_FIRM}

        return _kept(self.ledger.kept_firm, (self.on, self._cut_of(*OF_THE_FIRM)), read)

    @property
    def knows_firm_as_now(self) -> bool:
        """Are its settings and exchange rates those of the newest book of the day?"""
        return self._cut_of(*OF_THE_FIRM) is None

    def table(self, entry: Entry) -> ir.Table:
        """One table as of this book: the entry's facts, and `recorded_at`, `source`, `source_row` of each."""
        if self.scope.restricts:
            return self._seen(entry)
        _rows, corrected = self.ledger.rows_of(entry)
        rows = current_rows(entry, self.ledger.state.withdrawn, corrected=corrected, known_at=self._cut_of(entry))
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

    def _seen(self, entry: Entry) -> ir.Table:
        """The part of the whole book's table that may be seen."""
        whole, scope = self.whole, self.scope
        rows = whole.table(entry)
        if entry == BUYER:
            return scope.of_buyers(rows, whole.invoice, whole.settlement)
        if entry in (INVOICE, ORDER):
            return scope.of_documents(rows, whole.buyer, entity="legal_entity")
        if entry == OPEN_ITEM:
            return scope.of_documents(rows, whole.buyer, entity="scope")
        if entry == SETTLEMENT:
            return self._seen_with_invoice(rows, ITEM, entity="legal_entity")
        if entry == DISPUTE:
            return self._seen_with_invoice(rows, ITEM[:2], entity=None)
        if entry in (STATEMENT, SIGNAL, SECURITY, DECISION, CONTRACT, CASE_EVENT, NOTICE, ASSET):
            return rows.semi_join(self.buyer.select("buyer_id").view(), "buyer_id").select(rows.columns)
        if entry == LIMIT:
            return self._seen_limits(rows)
        if entry == QUARANTINE:
            return rows.limit(0)
        if entry == SNAPSHOT and scope.legal_entities:
            return rows.filter(rows["scope"].isin(sorted(scope.legal_entities | {""})))
        return rows

    def _seen_limits(self, rows: ir.Table) -> ir.Table:
        """A buyer's limits go with the buyer, a group's with any buyer of it."""
        columns, seen = rows.columns, self.buyer
        own = rows.semi_join(seen.select("buyer_id").view(), "buyer_id").select(columns)
        groups = seen.select(group_id=seen.group_id.coalesce(seen.buyer_id)).distinct().view()
        return own.union(rows.filter(rows.buyer_id.isnull()).semi_join(groups, "group_id").select(columns))

    def _seen_with_invoice(self, rows: ir.Table, names: tuple[str, ...], *, entity: str | None) -> ir.Table:
        """Rows about an invoice of the book are seen where that invoice is; the others by themselves."""
        columns = rows.columns
        mine, all_of_them = (table.select(*names).view() for table in (self.invoice, self.whole.invoice))
        with_it = rows.semi_join(mine, list(names)).select(columns)
        alone = rows.anti_join(all_of_them, list(names)).select(columns)
        return with_it.union(self.scope.of_documents(alone, self.whole.buyer, entity=entity))

    @property
    def _cut(self) -> datetime | None:
        """Leave the filter out where nothing would be filtered."""
        if self.known_at is None or self.known_at >= self.ledger.state.last.recorded_at:
            return None
        return self.known_at

    def _cut_of(self, *entries: Entry) -> datetime | None:
        """The same for some tables: also where nothing of theirs changed since."""
        cut = self._cut
        if cut is None:
            return None
        names = [entry.name for entry in entries]
        later = itertools.takewhile(lambda row: row.recorded_at > cut, reversed(self.ledger.state.rows))
        return None if all(row.leaves(*names) for row in later) else cut

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
    def statement(self) -> ir.Table:
        """财务报表: one row per buyer and period, the accounts as published by then."""
        return self.table(STATEMENT)

    @cached_property
    def signal(self) -> ir.Table:
        """信号: one row per piece of news about a buyer from outside: grade, lawsuit, enforcement, insolvency …"""
        return self.table(SIGNAL)

    @cached_property
    def limit(self) -> ir.Table:
        """信用额度: one row per limit that began by then; one that ended has `ended_on`, one that ran out its `valid_to`."""
        return self.table(LIMIT)

    @cached_property
    def security(self) -> ir.Table:
        """担保: one row per guarantee, pledge or other security."""
        return self.table(SECURITY)

    @cached_property
    def contract(self) -> ir.Table:
        """合同: one row per contract with a buyer, as far as a claim needs it."""
        return self.table(CONTRACT)

    @cached_property
    def case_event(self) -> ir.Table:
        """案件事件: one row per thing done about a debt that was not paid."""
        return self.table(CASE_EVENT)

    @cached_property
    def notice(self) -> ir.Table:
        """函件: one row per letter that went out."""
        return self.table(NOTICE)

    @cached_property
    def document(self) -> ir.Table:
        """证据材料: one row per document of a buyer that was kept."""
        return self.table(DOCUMENT)

    @cached_property
    def document_link(self) -> ir.Table:
        """证明关系: one row per fact a document proves something of."""
        return self.table(DOCUMENT_LINK)

    @cached_property
    def asset(self) -> ir.Table:
        """财产线索: one row per asset of a debtor that was found, and per look-up that found none."""
        return self.table(ASSET)

    @cached_property
    def decision(self) -> ir.Table:
        """决定: one row per decision that was made, with what it was made on."""
        return self.table(DECISION)

    @cached_property
    def list_entry(self) -> ir.Table:
        """名单: one row per entry of each imported list of sanctioned or dishonest persons, in its newest wording."""
        return self.table(LIST_ENTRY)

    @cached_property
    def order(self) -> ir.Table:
        """订单: one row per order; a null status is open."""
        return self.table(ORDER)

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
        """The firm's settings as of this book, decoded: asked of the ledger once for a day, as every page reads them."""

        def read() -> Mapping[str, Any]:
            table = self.whole.setting
            return {row["name"]: json.loads(row["value"]) for row in self.run(table.select("name", "value")).to_pylist()}

        return _kept(self.ledger.kept_settings, (self.on, self._cut_of(SETTING)), read)

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

        return _kept(self.ledger.kept_rates, (self.on, self._cut_of(*OF_THE_FIRM)), lambda: rates_to_base(self))

    def rows(self, name: str) -> Rows:
        """The data behind a table name in this book's expressions."""
        if name == MONTHS:
            return _month_rows(self.on)
        if name == RATES:
            return self._rate_rows
        return self.ledger.rows_of(ENTRIES[name])[0]

    def tables(self, expr: ir.Table) -> Mapping[str, Rows]:
        """The data behind every table an expression reads."""
        return {name: self.rows(name) for name in table_names(expr)}

    def run(self, expr: ir.Table) -> pa.Table:
        """All rows of an expression over this book."""
        return self.ledger.engine.run(expr, self.tables(expr))

    def run_brought(self, expr: ir.Table, batches: Collection[str]) -> pa.Table:
        """All rows of an expression that only asks for rows of these batches, all that came since a moment: files that hold none are not opened."""
        return self.ledger.engine.run(expr, {name: self.ledger.rows_brought(ENTRIES[name], batches) for name in table_names(expr)})

    def about(self, buyer_id: str) -> Mapping[str, pa.Table]:
        """All this book holds on one buyer: {table: its rows}, for buyer, invoice, settlement and dispute.

        A settlement stands with the account it was booked to. Nothing of a buyer that may not be seen.
        """
        facts = {entry.name: self.whole._about(entry, buyer_id) for entry in (BUYER, INVOICE, SETTLEMENT, DISPUTE)}  # noqa: SLF001
        return self._seen_of(facts, buyer_id) if self.scope.restricts else facts

    def also_about(self, buyer_id: str, *entries: Entry) -> Mapping[str, pa.Table]:
        """Rows of further tables on one buyer: {table: its rows}, for tables that go with the buyer (statements, signals, limits …).

        Nothing of a buyer whose profile may not be seen.
        """
        hidden = self.scope.restricts and not self.about(buyer_id)[BUYER.name].num_rows
        facts = {entry.name: self.whole._about(entry, buyer_id) for entry in entries}  # noqa: SLF001
        return {name: rows.slice(0, 0) for name, rows in facts.items()} if hidden else facts

    def _seen_of(self, facts: Mapping[str, pa.Table], buyer_id: str) -> Mapping[str, pa.Table]:
        """What may be seen of one buyer's facts: as `table` has it, without planning a query where there is no need of one."""
        profile, invoices, settlements, disputes = facts.values()
        person = [profile[name][0].as_py() if profile.num_rows else None for name in ("group_id", "sales_owner")]
        if not self.scope.sees_person(buyer_id, *person):
            return {name: rows.slice(0, 0) for name, rows in facts.items()}
        allowed = pa.array(sorted(self.scope.legal_entities), pa.string())
        own = profile["legal_entity"][0] if profile.num_rows else pa.scalar(None, pa.string())

        def of_entity(rows: pa.Table) -> pa.Table:
            if not self.scope.legal_entities:
                return rows
            named: Any = rows["legal_entity"] if "legal_entity" in rows.column_names else pa.nulls(rows.num_rows, pa.string())
            empty: Any = pc.equal(named, pa.scalar(""))
            named = pc.if_else(pc.coalesce(empty, pa.scalar(value=False)), pa.scalar(None, pa.string()), named)
            return rows.filter(pc.is_in(pc.coalesce(named, own), allowed))

        kept = of_entity(invoices)

        def with_invoice(entry: Entry, rows: pa.Table, names: tuple[str, ...]) -> pa.Table:
            known = set(zip(*(invoices[name].to_pylist() for name in names), strict=True))
            mine = set(zip(*(kept[name].to_pylist() for name in names), strict=True))
            keys = list(zip(*(rows[name].to_pylist() for name in names), strict=True))
            if all(key in known or key[0] is None for key in keys):
                with_it = rows.filter(pa.array([key in mine for key in keys], pa.bool_()))
                alone = rows.filter(pa.array([key not in known for key in keys], pa.bool_()))
                return pa.concat_tables([with_it, of_entity(alone)])
            table: ir.Table = getattr(self, entry.name)  # the invoice may be another buyer's: ask the whole table
            return self.run(table.filter(table.buyer_id == buyer_id))

        settled = with_invoice(SETTLEMENT, settlements, ITEM)
        if self.scope.legal_entities:
            documents = pa.concat_arrays(
                [*invoices["legal_entity"].chunks, *settlements["legal_entity"].chunks, pa.array([own], pa.string())]
            )
            if not pc.any(pc.is_in(documents, allowed)).as_py():
                profile = profile.slice(0, 0)
        return {
            BUYER.name: profile, INVOICE.name: kept, SETTLEMENT.name: settled,
            DISPUTE.name: with_invoice(DISPUTE, disputes, ITEM[:2]),
        }  # fmt: skip

    def _about(self, entry: Entry, buyer_id: str) -> pa.Table:
        rows, corrected = self.ledger.rows_about(entry, buyer_id)
        corrections = self.ledger.corrections(entry) if corrected else None
        if corrected and corrections is None:  # what corrects a row may stand under another buyer: ask the whole table
            table: ir.Table = getattr(self, entry.name)
            return self.run(table.filter(table.buyer_id == buyer_id))
        # The same filters as `table`, on a handful of rows, without the planning of a query.
        rows = self._counting(rows.filter(pc.equal(rows["buyer_id"], pa.scalar(buyer_id))))
        if corrections is not None:
            rows = _uncorrected(entry, rows, self._counting(corrections))
        if entry.happened:
            happened: Any = pc.less_equal(rows[entry.happened], pa.scalar(self.on, DAY))
            rows = rows.filter(pc.coalesce(happened, pa.scalar(entry in UNDATED_COUNTS)))
        if entry.ends:
            later: Any = pc.coalesce(pc.greater(rows[entry.ends[0]], pa.scalar(self.on, DAY)), pa.scalar(value=False))
            for name in entry.ends:
                hidden = pc.if_else(later, pa.scalar(None, rows[name].type), rows[name])
                rows = rows.set_column(rows.schema.get_field_index(name), name, hidden)
        return rows.drop_columns(["supersedes", "voided"])

    def _counting(self, rows: pa.Table) -> pa.Table:
        """Of some rows those known by now, and not of a withdrawn batch."""
        if self._cut is not None:
            rows = rows.filter(pc.less_equal(rows["recorded_at"], pa.scalar(self._cut, rows["recorded_at"].type)))
        gone = withdrawn_by(self.ledger.state.withdrawn, self._cut)
        return rows.filter(pc.invert(pc.is_in(rows["source"], pa.array(gone, pa.string())))) if gone else rows

    def stream(self, expr: ir.Table, *, batch_rows: int = 100_000) -> pa.RecordBatchReader:
        """The same rows, a batch at a time."""
        return self.ledger.engine.stream(expr, self.tables(expr), batch_rows=batch_rows)


def _uncorrected(entry: Entry, rows: pa.Table, corrections: pa.Table) -> pa.Table:
    """The rows that none of these corrects, without those that only withdraw a fact."""
    if corrections.num_rows and rows.num_rows:
        same: Any = pc.is_in(corrections["supersedes"], rows["source"].combine_chunks())
        near = corrections.filter(same)
        # As in the query over a whole table, what has no value in its key is the same as nothing.
        replaced = {key for key in zip(*(near[name].to_pylist() for name in (*entry.key, "supersedes")), strict=True) if None not in key}
        keys = zip(*(rows[name].to_pylist() for name in (*entry.key, "source")), strict=True)
        rows = rows.filter(pa.array([key not in replaced for key in keys], pa.bool_()))
    return rows.filter(pc.invert(rows["voided"]))


def _month_rows(on: date, count: int = 1200) -> pa.Table:
    rows = [
        {"month_end": end, "month_start": start, "days": (end - start).days + 1, "months_back": back}
        for back, (start, end) in enumerate(months_back(on, count))
    ]
    return pa.Table.from_pylist(rows, schema=MONTHS_SCHEMA)
