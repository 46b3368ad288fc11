"""Delimited text (CSV, TSV, semicolon, bar) as batches of text columns, each row with the line a person sees it on."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import IO, Any, Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from duecourse.errors import FileCutOffError
from duecourse.intake.text import BLOCK_BYTES, Survey, TextSource

DELIMITERS: Final = (",", ";", "\t", "|")
BATCH_ROWS: Final = 50_000
csv.field_size_limit(16 << 20)


def text_schema(width: int) -> pa.Schema:
    """Columns of a raw batch: the line, the number of fields found on it, and the text of each."""
    columns: dict[str, pa.DataType] = {"row_no": pa.int64(), "fields": pa.int32()}
    return pa.schema(columns | {f"c{i}": pa.string() for i in range(width)})


@dataclass(frozen=True)
class Dialect:
    """How the records of a delimited file are cut.

    header_line  line of the header, 1 = first; 0 = the file has none
    data_line    line of the first record after the header
    short_width  a record may have this many fields instead of `width`: exports that leave out empty fields at the end
    """

    delimiter: str
    header_line: int
    data_line: int
    width: int
    short_width: int


def split(text: str, delimiter: str, most: int | None = None) -> list[tuple[int, list[str]]]:
    """Records of a piece of text, the first few or all, each with the line it begins on."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    records: list[tuple[int, list[str]]] = []
    before = 0
    for record in islice(reader, most):
        records.append((before + 1, record))
        before = reader.line_num
    return records


def sniff_delimiter(text: str) -> str:
    """Which delimiter cuts the first lines into the same number of fields, more than one?"""
    best, best_score = ",", 0.0
    for delimiter in DELIMITERS:
        widths = Counter(len(record) for _, record in split(text, delimiter, 200) if any(cell.strip() for cell in record))
        total = sum(widths.values())
        width, count = max(widths.items(), key=lambda item: (item[1] * (item[0] > 1), item[0]), default=(1, 0))
        score = count / total + min(width, 50) / 1000 if width > 1 and total else 0.0
        if score > best_score:
            best, best_score = delimiter, score
    return best


def batches(source: TextSource, dialect: Dialect, survey: Survey, wanted: Sequence[int] | None = None) -> Iterator[pa.RecordBatch]:
    """All records as text, in file order except that ragged ones follow their block.

    Columns row_no, fields, c0 … ; a column outside `wanted` is null. Blank lines are left out. Raises FileCutOffError.
    """
    if survey.plain and dialect.short_width == dialect.width and dialect.width > 1:
        yield from _fast(source, dialect, survey, wanted)
    else:
        yield from _careful(source, dialect, survey)


def _skip_lines(stream: IO[bytes], count: int) -> None:
    for _ in range(count):
        stream.readline()


def _fast(source: TextSource, dialect: Dialect, survey: Survey, wanted: Sequence[int] | None) -> Iterator[pa.RecordBatch]:
    """Each record is one line, so that the line number is the record's number; Arrow cuts and DuckDB does the rest."""
    ragged: list[tuple[int, int, str]] = []

    def keep(row: Any) -> Literal["skip", "error"]:
        ragged.append((row.number, row.actual_columns, row.text))
        return "skip"

    if survey.lines + (not survey.ends_with_line) < dialect.data_line:
        return
    schema = text_schema(dialect.width)
    names = [f"c{i}" for i in range(dialect.width)]
    include = names if wanted is None else [names[i] for i in wanted]
    with source.stream() as stream:
        _skip_lines(stream, dialect.data_line - 1)
        reader = pacsv.open_csv(
            stream,
            read_options=pacsv.ReadOptions(column_names=names, block_size=BLOCK_BYTES, use_threads=False),
            parse_options=pacsv.ParseOptions(delimiter=dialect.delimiter, ignore_empty_lines=False, invalid_row_handler=keep),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, include_columns=include, check_utf8=True
            ),
        )
        seen = 0  # records so far, ragged and blank ones included
        skipped: list[int] = []
        for batch in reader:
            skipped += [number for number, _, _ in ragged]
            numbers = _numbers(seen, batch.num_rows, skipped)
            seen = int(numbers[-1]) if len(numbers) else seen
            skipped = [number for number in skipped if number > seen]
            columns = dict(zip(include, batch.columns, strict=True))
            absent = pa.nulls(batch.num_rows, pa.string())
            yield pa.RecordBatch.from_arrays(
                [
                    pa.array(numbers + (dialect.data_line - 1)),
                    pa.array(np.full(batch.num_rows, dialect.width, dtype=np.int32)),
                    *(columns.get(name, absent) for name in names),
                ],
                schema=schema,
            )
            if ragged:
                yield from _ragged(ragged, dialect, survey, schema, str(source.path))
                ragged.clear()
        if ragged:
            yield from _ragged(ragged, dialect, survey, schema, str(source.path))


def _numbers(seen: int, count: int, skipped: list[int]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Record numbers (1 = first) of the next `count` good records, when the records numbered `skipped` fell out between them."""
    numbers = np.arange(seen + 1, seen + 1 + count, dtype=np.int64)
    gaps = np.array(sorted(number for number in skipped if number > seen), dtype=np.int64)
    if len(gaps):
        thresholds = gaps - np.arange(len(gaps))
        numbers += np.searchsorted(thresholds, numbers, side="right")
    return numbers


def _ragged(rows: list[tuple[int, int, str]], dialect: Dialect, survey: Survey, schema: pa.Schema, path: str) -> Iterator[pa.RecordBatch]:
    """The records with too few or too many fields, cut as far as they go."""
    records: list[tuple[int, int, list[str]]] = []
    for number, _, text in rows:
        cells = next(csv.reader([text], delimiter=dialect.delimiter), [])
        if not any(cell.strip() for cell in cells):
            continue
        line = number + dialect.data_line - 1
        if line == survey.lines + 1 and not survey.ends_with_line and len(cells) < dialect.width:
            raise FileCutOffError(path=path, detail=f"line {line}: {text[:80]}")
        records.append((line, len(cells), cells))
    if records:
        yield _batch(records, dialect.width, schema)


def _batch(records: list[tuple[int, int, list[str]]], width: int, schema: pa.Schema) -> pa.RecordBatch:
    padded = [cells[:width] if len(cells) >= width else cells + [""] * (width - len(cells)) for _, _, cells in records]
    columns = list(zip(*padded, strict=True)) if padded else [()] * width
    return pa.RecordBatch.from_arrays(
        [
            pa.array([line for line, _, _ in records], pa.int64()),
            pa.array([fields for _, fields, _ in records], pa.int32()),
            *(pa.array(column, pa.string()) for column in columns),
        ],
        schema=schema,
    )


class _Lines:
    """Lines of text for the csv reader; remembers those of the record being read, and drops NULs."""

    def __init__(self, stream: IO[str], nul_free: bool) -> None:
        self._stream = stream
        self._nul_free = nul_free
        self.pending: list[str] = []

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = next(self._stream)
        if not self._nul_free:
            line = line.replace("\0", "")
        if len(self.pending) < 10_000:
            self.pending.append(line)
        return line


def _careful(source: TextSource, dialect: Dialect, survey: Survey) -> Iterator[pa.RecordBatch]:
    """Records may span lines, be shorter than the header, hold NULs: read one by one, the line number from the reader."""
    schema = text_schema(dialect.width)
    with source.stream() as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8", errors="replace", newline="")
        lines = _Lines(text, survey.nuls == 0)
        for _ in range(dialect.data_line - 1):
            next(lines, "")
        lines.pending.clear()
        reader = csv.reader(lines, delimiter=dialect.delimiter)
        before = dialect.data_line - 1
        held: list[tuple[int, int, list[str]]] = []
        last_pending: list[str] = []
        for cells in reader:
            line = before + 1
            before = dialect.data_line - 1 + reader.line_num
            last_pending = lines.pending
            lines.pending = []
            if not any(cell.strip() for cell in cells):
                continue
            fields = dialect.width if len(cells) == dialect.short_width else len(cells)
            held.append((line, fields, cells))
            if len(held) >= BATCH_ROWS:
                yield _batch(held[:-1], dialect.width, schema)
                held = held[-1:]
        if held:
            _check_end(held[-1], last_pending, dialect, survey, str(source.path))
            yield _batch(held, dialect.width, schema)


def _check_end(last: tuple[int, int, list[str]], pending: list[str], dialect: Dialect, survey: Survey, path: str) -> None:
    line, fields, _ = last
    try:
        list(csv.reader(pending, delimiter=dialect.delimiter, strict=True))
    except csv.Error as error:
        if "unexpected end of data" in str(error):
            raise FileCutOffError(path=path, detail=f'line {line}: " … ') from error
    if fields < dialect.width and not survey.ends_with_line:
        raise FileCutOffError(path=path, detail=f"line {line}: {''.join(pending)[:80]}")


BatchSource = Callable[[], Iterator[pa.RecordBatch]]
