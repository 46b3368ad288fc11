"""The journal: one row for every change of the ledger, and with it the exact version of every table.

A change touches several tables; the row written last is what makes it count. A reader opens the tables at the versions of the newest
row, so it sees all of a change or none of it; a writer that died half way left rows no journal row speaks of, and the next writer
takes them out again. The row number is the ledger's version.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal

import pyarrow as pa

from duecourse.ledger.entries import INSTANT, TEXT, schema_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

Kind = Literal["create", "import", "post", "void", "compact", "restore"]

SCHEMA: Final = schema_of(
    {
        "version": pa.int64(),
        "batch_id": TEXT,
        "kind": TEXT,
        "recorded_at": INSTANT,
        "tables": TEXT,  # JSON {entry: version of its Delta table}
    },
    {
        "file_name": TEXT,
        "file_sha256": TEXT,
        "note": TEXT,
        "withdraws": TEXT,  # batch that this row withdraws
        "counts": TEXT,  # JSON {entry: {added, corrected, unchanged}}
        "facts": TEXT,  # JSON, whatever the writer wants to keep about the batch (rows read, quarantined …)
    },
)


@dataclass(frozen=True)
class JournalRow:
    """One change of the ledger.

    version      the ledger's version after it, 0 for its creation
    recorded_at  UTC, rising with the version
    counts       rows added, corrected and unchanged, by table
    facts        what the writer kept about the batch: rows read, rows quarantined …
    tables       version of each table that belongs to this version of the ledger
    """

    version: int
    batch_id: str
    kind: Kind
    recorded_at: datetime
    file_name: str = ""
    file_sha256: str = ""
    note: str = ""
    withdraws: str = ""
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    tables: Mapping[str, int] = field(default_factory=dict)

    def leaves(self, *tables: str) -> bool:
        """Does this change surely leave what these tables say as it was?"""
        if self.kind == "compact":
            return True
        return self.kind in ("import", "post") and bool(self.counts) and not any(name in self.counts for name in tables)

    def to_arrow(self) -> pa.Table:
        """The row as a table of one row."""
        row = {name: getattr(self, name) for name in SCHEMA.names}
        row |= {name: json.dumps(row[name], ensure_ascii=False, sort_keys=True) for name in ("counts", "facts", "tables")}
        return pa.Table.from_pylist([row], schema=SCHEMA)


@dataclass(frozen=True)
class State:
    """The ledger at one version: the journal up to it."""

    rows: tuple[JournalRow, ...]

    @property
    def last(self) -> JournalRow:
        """The newest change."""
        return self.rows[-1]

    @cached_property
    def in_force(self) -> list[JournalRow]:
        """The changes that made the ledger what it is: without those a restore took back."""
        rows: list[JournalRow] = []
        for row in self.rows:
            if row.kind == "restore":
                rows = [earlier for earlier in rows if earlier.version <= row.facts["restores"]]
            rows.append(row)
        return rows

    @cached_property
    def withdrawn(self) -> Mapping[str, datetime]:
        """Batches that were withdrawn, and when."""
        return {row.withdraws: row.recorded_at for row in self.in_force if row.kind == "void"}


def from_arrow(table: pa.Table) -> list[JournalRow]:
    """Journal rows in the order of their versions."""
    rows = []
    for row in table.to_pylist():
        row |= {name: json.loads(row[name] or "{}") for name in ("counts", "facts", "tables")}
        rows.append(JournalRow(**{name: value for name, value in row.items() if value is not None}))
    return sorted(rows, key=lambda row: row.version)
