"""What the ledger asks of whatever runs its expressions. The engines themselves are edges: they know this, the spine knows none of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import ibis.expr.operations as ops
    import ibis.expr.types as ir
    import pyarrow as pa
    import pyarrow.dataset as ds


@dataclass(frozen=True)
class ParquetFiles:
    """Rows in Parquet files on this machine. Columns of `schema` that `present` does not name read as null (an older ledger)."""

    paths: tuple[str, ...]
    schema: pa.Schema
    present: frozenset[str]


Rows: TypeAlias = "ParquetFiles | pa.Table | ds.Dataset"


def table_names(expr: ir.Table) -> frozenset[str]:
    """The names of the tables an expression reads."""
    return _names_of(expr.op())


@lru_cache(maxsize=1024)
def _names_of(op: ops.Node) -> frozenset[str]:
    """Looked for once: an expression is immutable."""
    from ibis.expr.operations import UnboundTable  # noqa: PLC0415 — an import into an empty ledger reads none, and starts without

    return frozenset(node.name for node in op.find(UnboundTable) if isinstance(node, UnboundTable))


class Engine(Protocol):
    """Runs Ibis expressions over named tables: Arrow in, Arrow out."""

    def run(self, expr: ir.Table, tables: Mapping[str, Rows]) -> pa.Table:
        """All rows of the expression, in exactly its schema."""
        ...

    def stream(self, expr: ir.Table, tables: Mapping[str, Rows], *, batch_rows: int = 100_000) -> pa.RecordBatchReader:
        """The same rows, a batch at a time, for results larger than memory."""
        ...

    def write(self, expr: ir.Table, tables: Mapping[str, Rows], folder: Path, stem: str, *, order_by: Sequence[str] = ()) -> list[Path]:
        """The same rows as Parquet files `folder/stem-*.parquet`, sorted if asked; the paths written (none for no rows)."""
        ...
