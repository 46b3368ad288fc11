"""A ledger of Arrow tables in memory, to read: a sample, or one buyer's facts taken out of the large one."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from duecourse.ledger.book import Book
from duecourse.ledger.entries import ENTRIES
from duecourse.ledger.journal import JournalRow, State

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from duecourse.ledger.engine import Engine, Rows
    from duecourse.ledger.entries import Entry

LEARNT: Final = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass
class MemoryLedger:
    """Tables by name, each with its entry's complete schema; nothing in them corrects anything."""

    tables: Mapping[str, Rows]
    engine: Engine
    state: State = field(default_factory=lambda: State((JournalRow(0, "", "create", LEARNT),)))
    kept_settings: dict[tuple[date, datetime | None], Mapping[str, Any]] = field(default_factory=dict)
    kept_firm: dict[tuple[date, datetime | None], Mapping[str, pa.Table]] = field(default_factory=dict)
    kept_rates: dict[tuple[date, datetime | None], pa.Table] = field(default_factory=dict)

    @property
    def version(self) -> int:
        """The version of the ledger the tables were taken from; 0 for a sample."""
        return self.state.last.version

    def rows_of(self, entry: Entry) -> tuple[Rows, bool]:
        """A table's rows, and that none of them corrects another."""
        return self.tables.get(entry.name, entry.schema.empty_table()), False

    def rows_about(self, entry: Entry, buyer_id: str) -> tuple[pa.Table, bool]:  # noqa: ARG002 — all of them, then
        """A table's rows: few enough to look through."""
        rows, corrected = self.rows_of(entry)
        if not isinstance(rows, pa.Table):
            raise TypeError(f"{entry.name} is not in memory")
        return rows, corrected

    def rows_brought(self, entry: Entry, batches: Collection[str]) -> Rows:  # noqa: ARG002 — as above
        """A table's rows: few enough to look through."""
        return self.rows_of(entry)[0]

    def corrections(self, entry: Entry) -> pa.Table | None:
        """None of its rows corrects another."""
        return entry.schema.empty_table()

    def as_of(self, on: date, known_at: datetime | None = None) -> Book:
        """The book as of the close of a day."""
        return Book(self, on, known_at)


def only_buyer(book: Book, buyer_id: str, *, also: Sequence[Entry] = ()) -> Book:
    """A book that holds the facts of one buyer and nothing of any other: every measure asked of it is the buyer's, at once.

    Rates and settings stay those of the whole book. A settlement stands with the account it was booked to.

    also: further tables with a `buyer_id` to take along; the others are empty.
    """
    tables: dict[str, Rows] = {name: complete(ENTRIES[name], rows) for name, rows in book.about(buyer_id).items()}
    for name, rows in book.also_about(buyer_id, *also).items():
        tables[name] = complete(ENTRIES[name], rows)
    for name, rows in book.of_the_firm.items():
        tables[name] = complete(ENTRIES[name], rows)
    ledger = MemoryLedger(tables, book.ledger.engine, State((book.ledger.state.last,)))
    if book.knows_firm_as_now:  # then what was made of them for one buyer serves the next
        ledger.kept_settings, ledger.kept_rates = book.ledger.kept_settings, book.ledger.kept_rates
    return Book(ledger, book.on)


def complete(entry: Entry, rows: pa.Table) -> pa.Table:
    """A book's rows of a table with the columns of a ledger's, as rows that correct nothing."""
    full = rows.append_column("supersedes", pa.nulls(rows.num_rows, pa.string()))
    full = full.append_column("voided", pa.repeat(pa.scalar(value=False), rows.num_rows))
    return full.select(entry.schema.names)
