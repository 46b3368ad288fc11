"""Files that name their columns themselves: Parquet, JSON lines, a JSON array of objects; every value as text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from duecourse.errors import FileCutOffError, FileUnreadableError
from duecourse.intake.delimited import text_schema
from duecourse.intake.workbook import cell_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from duecourse.intake.text import TextSource


def parquet_columns(path: Path) -> tuple[tuple[str, ...], int]:
    """Column names and number of rows. Raises FileCutOffError when the footer is missing."""
    try:
        with pq.ParquetFile(path) as file:
            return tuple(file.schema_arrow.names), file.metadata.num_rows
    except (pa.ArrowInvalid, OSError) as error:
        raise FileCutOffError(path=str(path), detail=str(error)) from error


def parquet_batches(path: Path) -> Iterator[pa.RecordBatch]:
    """Rows of a Parquet file, numbered from 1."""
    seen = 0
    with pq.ParquetFile(path) as file:
        width = len(file.schema_arrow.names)
        schema = text_schema(width)
        for batch in file.iter_batches():
            count = batch.num_rows
            numbers = pa.array(range(seen + 1, seen + 1 + count), pa.int64())
            yield pa.RecordBatch.from_arrays(
                [numbers, pa.array([width] * count, pa.int32()), *(_as_text(column) for column in batch.columns)], schema=schema
            )
            seen += count


def _as_text(column: pa.Array[Any]) -> pa.Array[Any]:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = pc.cast(column, kind.value_type)
        kind = column.type
    if pa.types.is_string(kind):
        text = column
    elif pa.types.is_timestamp(kind) or pa.types.is_floating(kind) or pa.types.is_nested(kind) or pa.types.is_binary(kind):
        text = pa.array([cell_text(_plain(value)) for value in column.to_pylist()], pa.string())
    else:
        text = pc.cast(column, pa.string())
    filled: pa.Array[Any] = pc.coalesce(text, pa.scalar(""))  # type: ignore[arg-type]  # the stubs know no scalars here
    return filled


def _plain(value: Any) -> Any:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value


def json_rows(source: TextSource, *, array: bool) -> tuple[tuple[str, ...], list[tuple[int, dict[str, str] | str]]]:
    """Columns in order of appearance, and per record its line (or number in the array) with its values, or its text if it is no object.

    Raises FileCutOffError when the last line, or the array, is incomplete.
    """
    found: list[tuple[int, dict[str, str] | str]] = []
    names: dict[str, None] = {}
    path = str(source.path)
    with source.stream() as stream:
        if array:
            found = _array(stream.read(), path)
        else:
            for line, text in enumerate(stream, start=1):
                if not text.strip():
                    continue
                try:
                    record = json.loads(text, parse_float=str, parse_int=str)
                except ValueError as error:
                    if not text.endswith(b"\n"):
                        raise FileCutOffError(path=path, detail=f"line {line}: {error}") from error
                    record = None
                found.append((line, _record(record, text.decode("utf-8", "replace").strip())))
    for _, values in found:
        if isinstance(values, dict):
            names.update(dict.fromkeys(values))
    return tuple(names), found


def _array(content: bytes, path: str) -> list[tuple[int, dict[str, str] | str]]:
    try:
        records = json.loads(content, parse_float=str, parse_int=str)
    except ValueError as error:
        cut = not content.rstrip().endswith(b"]")
        raise (FileCutOffError if cut else FileUnreadableError)(path=path, detail=str(error)) from error
    if isinstance(records, dict):
        records = next((value for value in records.values() if isinstance(value, list)), [records])
    return [(number, _record(record, str(record))) for number, record in enumerate(records, start=1)]


def _record(record: Any, text: str) -> dict[str, str] | str:
    if not isinstance(record, dict):
        return text
    return {str(name): cell_text(_plain(value)) for name, value in record.items()}


def json_batch(names: tuple[str, ...], rows: list[tuple[int, dict[str, str] | str]]) -> pa.RecordBatch:
    """The records as one batch; a line that is no object has one field, its text."""
    first = names[0] if names else ""
    values: list[dict[str, str]] = [row if isinstance(row, dict) else {first: row} for _, row in rows]
    fields = [len(names) if isinstance(row, dict) else 1 for _, row in rows]
    return pa.RecordBatch.from_arrays(
        [
            pa.array([line for line, _ in rows], pa.int64()),
            pa.array(fields, pa.int32()),
            *(pa.array([row.get(name, "") for row in values], pa.string()) for name in names),
        ],
        schema=text_schema(len(names)),
    )
