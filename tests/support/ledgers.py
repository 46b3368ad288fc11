"""Small ledgers for tests."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pyarrow as pa

from duecourse.engines.duckdb import DuckDBEngine
from duecourse.ledger.entries import ENTRIES

if TYPE_CHECKING:
    from duecourse.ledger.store import Ledger

ENGINE = DuckDBEngine(threads=1)


def invoice(number: int, amount_minor: int = 100, day: int = 1, **more):
    return {
        "invoice_id": f"i{number}", "instalment": 1, "kind": "invoice", "buyer_id": f"b{number % 3}", "issue_date": dt.date(2025, 1, day),
        "due_date": dt.date(2025, 2, day), "amount_minor": amount_minor, "currency": "CNY", **more,
    }  # fmt: skip


def add(ledger: Ledger, rows, entry: str = "invoice", **draft):
    with ledger.draft(**draft) as batch:
        names = {name for row in rows for name in row}
        schema = pa.schema([field.with_nullable(True) for field in ENTRIES[entry].schema if field.name in names])
        batch.put(entry, pa.Table.from_pylist(rows, schema=schema))
        return batch.commit()


def totals(ledger: Ledger, on=dt.date(2025, 12, 31), known_at=None):
    """(rows, sum) of the invoices in the book."""
    book = ledger.as_of(on, known_at)
    row = book.run(book.invoice.aggregate(n=book.invoice.count(), s=book.invoice.amount_minor.sum())).to_pylist()[0]
    return row["n"], row["s"] or 0
