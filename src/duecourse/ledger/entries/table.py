"""What a table of the ledger is: its columns, its business key, the dates at which its facts happened, and where each row comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Mapping

TEXT: Final = pa.string()
DAY: Final = pa.date32()
COUNT: Final = pa.int32()
MINOR: Final = pa.int64()
FLAG: Final = pa.bool_()
INSTANT: Final = pa.timestamp("us", tz="UTC")


def schema_of(required: Mapping[str, pa.DataType], optional: Mapping[str, pa.DataType] | None = None) -> pa.Schema:
    """A schema of columns that are always given, and then of columns that may be null."""
    fields: list[pa.Field[Any]] = [pa.field(name, kind, nullable=False) for name, kind in required.items()]
    fields += [pa.field(name, kind) for name, kind in (optional or {}).items()]
    return pa.schema(fields)


PROVENANCE: Final = pa.schema(
    [
        *schema_of({"recorded_at": INSTANT, "source": TEXT}),  # when we learnt it (UTC), rising from batch to batch; the import batch
        *schema_of({}, {"source_row": pa.int64(), "supersedes": TEXT}),  # line of the file (header = 1); batch of the row this one corrects
        *schema_of({"voided": FLAG}),  # this row withdraws the fact
    ]
)


@dataclass(frozen=True)
class Entry:
    """One table of the ledger.

    key           the columns that say which fact a row is about
    happened      the column holding the date on which it happened; a null date counts as always; None: it has no date of its own
    ends          date columns that tell of a later event: hidden (null) in a book drawn up before it
    clustered_by  compaction sorts by these columns, so that one buyer's rows lie together
    founded       made with the ledger; a table that many ledgers never use is made when its first row comes
    """

    name: str
    facts: pa.Schema
    key: tuple[str, ...]
    happened: str | None
    ends: tuple[str, ...] = ()
    clustered_by: tuple[str, ...] = ("buyer_id",)
    founded: bool = True

    @property
    def schema(self) -> pa.Schema:
        """All columns: the facts, then where each row comes from."""
        return pa.schema([*self.facts, *PROVENANCE])

    @property
    def values(self) -> tuple[str, ...]:
        """The fact columns outside the key: what a correction can change."""
        return tuple(name for name in self.facts.names if name not in self.key)


def facts_of(**columns: pa.DataType) -> pa.Schema:
    """The columns of facts, each of which may be null."""
    return schema_of({}, columns)
