"""One buyer's rows at hand: copies of a ledger's files in which they are found without decoding the thousands of rows around them.

A Parquet file gives its rows in groups of thousands, a page about one buyer wants a dozen. So each file of a local ledger has a copy in
`.at-hand/`: the same rows sorted by buyer, in pieces of some hundred, lightly compressed, mapped by every process; beside it the first and the last
buyer of each piece. A file of a ledger never changes, so its copy is made once, after an import or when the files were put in order. All of
it is derived and can be deleted: a file without a copy is read as it is.
"""

from __future__ import annotations

import json
import os
import secrets
from bisect import bisect_left
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

FOLDER: Final = ".at-hand"
COLUMN: Final = "buyer_id"
PIECE: Final = 512
"""Rows of one piece: so many are decoded to find one buyer's."""
LEAST_ROWS: Final = 500
"""A smaller file is read as quickly as its copy."""
SORTED_IN_MEMORY: Final = 2_000_000
"""A file of more rows that is not sorted by buyer has no copy until the ledger's files are put in order."""
GROUPS_AT_ONCE: Final = 32

compute: Any = pc


class Copy:
    """One file's rows by buyer, mapped."""

    def __init__(self, reader: Any, firsts: Sequence[str], lasts: Sequence[str]) -> None:
        self._reader, self._firsts, self._lasts = reader, firsts, lasts
        self._reading = Lock()

    @classmethod
    def open(cls, place: Path) -> Self | None:
        """The copy at this place; None where there is none, or none that can be read."""
        try:
            bounds = json.loads(place.with_suffix(".json").read_text(encoding="utf-8"))
            reader = pa.ipc.open_file(pa.memory_map(str(place)), options=pa.ipc.IpcReadOptions(use_threads=False))
        except (OSError, ValueError, pa.ArrowInvalid):
            return None
        firsts, lasts = bounds["first"], bounds["last"]
        return cls(reader, firsts, lasts) if reader.num_record_batches == len(firsts) == len(lasts) else None

    def rows(self, buyer_id: str) -> pa.Table:
        """The rows of one buyer, with the columns that hold anything."""
        found = []
        for number in range(bisect_left(self._lasts, buyer_id), len(self._firsts)):
            if self._firsts[number] > buyer_id:
                break
            with self._reading:
                piece = self._reader.get_batch(number)
            mine = compute.indices_nonzero(compute.equal(piece.column(COLUMN), pa.scalar(buyer_id)))
            if len(mine):
                found.append(piece.slice(mine[0].as_py(), len(mine)))
        return pa.Table.from_batches(found, schema=self._reader.schema)


def place_of(folder: Path, table: str, path: str) -> Path:
    """Where the copy of a table's file lies."""
    return folder / FOLDER / table / f"{path.replace('/', '_').removesuffix('.parquet')}.arrow"


def make(source: Path, place: Path, columns: Sequence[str]) -> bool:
    """Copy a file; False for a large one whose groups of rows overlap. Raises OSError, pa.ArrowInvalid."""
    file = pq.ParquetFile(source)
    schema = pa.schema([file.schema_arrow.field(name) for name in columns])
    if file.metadata.num_rows <= SORTED_IN_MEMORY:
        return _write(place, schema, _sorted(file.read(columns=list(columns), use_threads=False)))
    return _write(place, schema, _group_by_group(file, columns))


def _sorted(rows: pa.Table) -> list[pa.RecordBatch]:
    return rows.filter(compute.is_valid(rows[COLUMN])).sort_by(COLUMN).to_batches()


def _group_by_group(file: Any, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """The rows of a file that was put in order: several threads wrote its groups, each sorted, one after the other as they were done."""
    place = file.metadata.schema.names.index(COLUMN)
    known = []
    for number in range(file.metadata.num_row_groups):
        stats = file.metadata.row_group(number).column(place).statistics
        if stats is None or (not stats.has_min_max and stats.num_values):
            raise pa.ArrowInvalid(f"nobody knows which buyers group {number} holds")
        if stats.num_values:
            known.append((stats.min, stats.max, number))
    for start in range(0, len(known), GROUPS_AT_ONCE):
        groups = [number for _least, _most, number in sorted(known)[start : start + GROUPS_AT_ONCE]]
        yield from _sorted(file.read_row_groups(groups, columns=list(columns), use_threads=False))


def _write(place: Path, schema: pa.Schema, batches: Any) -> bool:
    place.parent.mkdir(parents=True, exist_ok=True)
    half = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
    bounds: dict[str, list[str]] = {"first": [], "last": []}
    try:
        options = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)
        with pa.OSFile(str(half), "wb") as out, pa.ipc.new_file(out, schema, options=options) as writer:
            for piece in _pieces(schema, batches):
                names = piece.column(COLUMN)
                first, last = names[0].as_py(), names[-1].as_py()
                if (bounds["last"] and first < bounds["last"][-1]) or not _rises(names):
                    return False
                bounds["first"].append(first)
                bounds["last"].append(last)
                writer.write_batch(piece)
        with half.open("rb") as written:
            os.fsync(written.fileno())  # its name must not outlive a power cut that its content did not
        bounds_half = half.with_suffix(".bounds")
        bounds_half.write_text(json.dumps(bounds, ensure_ascii=False), encoding="utf-8")
        bounds_half.replace(place.with_suffix(".json"))
        half.replace(place)
    finally:
        half.unlink(missing_ok=True)
    return True


def _rises(names: Any) -> bool:
    return len(names) < 2 or bool(compute.all(compute.less_equal(names.slice(0, len(names) - 1), names.slice(1))).as_py())


def _pieces(schema: pa.Schema, batches: Any) -> Iterator[pa.RecordBatch]:
    """The rows in pieces of PIECE, the last one smaller."""
    waiting: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        waiting.append(batch)
        count += batch.num_rows
        if count >= PIECE:
            rows = pa.Table.from_batches(waiting, schema=schema).combine_chunks()
            whole = count - count % PIECE
            for piece in rows.slice(0, whole).to_batches():
                for start in range(0, piece.num_rows, PIECE):
                    yield piece.slice(start, PIECE)
            waiting = rows.slice(whole).to_batches()
            count -= whole
    if count:
        yield from pa.Table.from_batches(waiting, schema=schema).combine_chunks().to_batches()
