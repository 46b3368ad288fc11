"""Small ledgers in memory: for examples, tests and trying a question out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from duecourse.engines.duckdb import DuckDBEngine
from duecourse.ledger.entries import ENTRIES
from duecourse.ledger.memory import LEARNT, MemoryLedger

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from duecourse.ledger.book import Book

_ENGINE = DuckDBEngine(threads=1)
_DEFAULTS: Mapping[str, Mapping[str, object]] = {
    "invoice": {"instalment": 1, "kind": "invoice", "currency": "CNY", "issue_date_estimated": False},
    "settlement": {"kind": "cash", "currency": "CNY", "inferred": False},
    "dispute": {"instalment": 1, "currency": "CNY"},
    "open_item": {"instalment": 1, "currency": "CNY", "scope": ""},
}


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
            values = {"source": "sample", "source_row": number, "recorded_at": LEARNT, "voided": False, **_DEFAULTS.get(name, {}), **row}
            if name == "settlement":
                values.setdefault("settlement_id", f"settlement-{number}")
                if values.get("invoice_id") is not None:
                    values.setdefault("instalment", 1)
            full.append(values)
        tables[name] = pa.Table.from_pylist(full, schema=entry.schema)
    return MemoryLedger(tables, _ENGINE)


def book(on: date, known_at: datetime | None = None, **facts: Sequence[Mapping[str, Any]]) -> Book:
    """A book from rows: `book(date(2025, 6, 30), invoice=[{…}], settlement=[{…}])`."""
    return memory_ledger(facts).as_of(on, known_at)
