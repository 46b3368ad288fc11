"""Small ledgers in memory: for examples, tests and trying a question out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from duecourse.engines.duckdb import DuckDBEngine
from duecourse.ledger.book import Book
from duecourse.ledger.entries import ENTRIES, Entry
from duecourse.ledger.journal import JournalRow, State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from duecourse.ledger.engine import Engine

_ENGINE = DuckDBEngine(threads=1)
_DEFAULTS: Mapping[str, Mapping[str, object]] = {
    "invoice": {"instalment": 1, "kind": "invoice", "currency": "CNY", "issue_date_estimated": False},
    "settlement": {"kind": "cash", "currency": "CNY", "inferred": False},
    "dispute": {"instalment": 1, "currency": "CNY"},
    "open_item": {"instalment": 1, "currency": "CNY", "scope": ""},
}
_LEARNT = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass
class MemoryLedger:
    """A ledger of Arrow tables in memory, to read."""

    tables: Mapping[str, pa.Table]
    engine: Engine = field(default_factory=lambda: _ENGINE)
    state: State = field(default_factory=lambda: State((JournalRow(0, "", "create", _LEARNT),)))
    version: int = 0

    def rows_of(self, entry: Entry) -> tuple[pa.Table, bool]:
        """A table's rows; nothing in memory corrects anything."""
        return self.tables.get(entry.name, entry.schema.empty_table()), False

    def rows_about(self, entry: Entry, buyer_id: str) -> tuple[pa.Table, bool]:  # noqa: ARG002 — all of them, then
        """A table's rows: few enough to look through."""
        return self.rows_of(entry)

    def as_of(self, on: date, known_at: datetime | None = None) -> Book:
        """The book as of the close of a day."""
        return Book(self, on, known_at)


def memory_ledger(facts: Mapping[str, Sequence[Mapping[str, Any]]]) -> MemoryLedger:
    """A ledger from rows: {table: [facts …]}. What is not given is null, or the plain case: instalment 1, CNY, an invoice, cash.

    A settlement of an invoice is applied to its instalment 1.
    """
    tables = {}
    for name, rows in facts.items():
        entry = ENTRIES[name]
        full = []
        for number, row in enumerate(rows, start=2):
            unknown = set(row) - set(entry.facts.names)
            if unknown:
                raise ValueError(f"{name} has no column {', '.join(sorted(unknown))}")
            values = {"source": "sample", "source_row": number, "recorded_at": _LEARNT, "voided": False, **_DEFAULTS.get(name, {}), **row}
            if name == "settlement":
                values.setdefault("settlement_id", f"settlement-{number}")
                if values.get("invoice_id") is not None:
                    values.setdefault("instalment", 1)
            full.append(values)
        tables[name] = pa.Table.from_pylist(full, schema=entry.schema)
    return MemoryLedger(tables)


def book(on: date, known_at: datetime | None = None, **facts: Sequence[Mapping[str, Any]]) -> Book:
    """A book from rows: `book(date(2025, 6, 30), invoice=[{…}], settlement=[{…}])`."""
    return memory_ledger(facts).as_of(on, known_at)
