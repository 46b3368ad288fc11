"""Does anything said of a past day change when later facts are gone (泄漏检查)? Then it has seen them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from duecourse.ledger.entries import ENTRIES, QUARANTINE, SETTING
from duecourse.ledger.journal import State
from duecourse.ledger.memory import MemoryLedger

if TYPE_CHECKING:
    import numpy.typing as npt

    from duecourse.ledger.book import Book
    from duecourse.ledger.engine import Rows

compute: Any = pc
TOLERANCE: Final = 1e-6
"""Two ways of adding up the same fractions may differ in the last digits; a leak differs in more."""


def without_later(book: Book) -> MemoryLedger:
    """A ledger of what the book holds and of nothing else: whoever looks for later facts in it finds none.  剔除后来事实的台账"""
    tables: dict[str, Rows] = {}
    for entry in ENTRIES.values():
        if entry is QUARANTINE:
            continue
        rows = book.run(book.table(entry))
        if entry is SETTING:
            rows = rows.filter(compute.is_in(rows["name"], pa.array(list(book.settings), pa.string())))
        full = rows.append_column("supersedes", pa.nulls(rows.num_rows, pa.string()))
        full = full.append_column("voided", pa.repeat(pa.scalar(value=False), rows.num_rows))
        tables[entry.name] = full.select(entry.schema.names)
    return MemoryLedger(tables, book.ledger.engine, State((book.ledger.state.last,)))


@dataclass(frozen=True)
class Differing:
    """A column in which two tables of buyers part: for how many buyers, and the first of them with both values."""

    column: str
    count: int
    buyer_id: str
    one: str
    other: str


def differing(one: pa.Table, other: pa.Table) -> Differing | None:
    """Where do two tables part that should say the same of the same buyers? None where they do not. Numbers may differ in the last digits."""
    one, other = (table.sort_by("buyer_id") for table in (one, other))
    if one["buyer_id"].to_pylist() != other["buyer_id"].to_pylist():
        parted = sorted(set(map(str, one["buyer_id"].to_pylist())) ^ set(map(str, other["buyer_id"].to_pylist())))
        return Differing("buyer_id", len(parted), parted[0] if parted else "", "", "")
    for name in one.column_names:
        mine, theirs = one[name], other[name]
        if pa.types.is_floating(mine.type) or pa.types.is_integer(mine.type):
            parts = ~np.isclose(_numbers(mine), _numbers(theirs), rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
        elif mine.equals(theirs):
            continue
        else:
            parts = np.array([a != b for a, b in zip(mine.to_pylist(), theirs.to_pylist(), strict=True)], np.bool_)
        if parts.any():
            place = int(np.flatnonzero(parts)[0])
            return Differing(
                name, int(parts.sum()), str(one["buyer_id"][place].as_py()), _shown(mine[place].as_py()), _shown(theirs[place].as_py())
            )
    return None


def _numbers(column: Any) -> npt.NDArray[np.float64]:
    return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)


def _shown(value: Any) -> str:
    return "–" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
