"""From a path to rows of text: which format, compression and encoding a file has by its content, where its table is, and its rows with true line numbers."""

from __future__ import annotations

import itertools
import shutil
import tempfile
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from duecourse.errors import FileCutOffError, FileNotFoundHereError, FileUnreadableError
from duecourse.intake import listing, records, workbook
from duecourse.intake.delimited import Dialect, batches, sniff_delimiter, split, text_schema
from duecourse.intake.delimited import _batch as text_batch
from duecourse.intake.header import extract_date, find_header, normalise
from duecourse.intake.sources import known_headings
from duecourse.intake.text import Hashing, TextSource, detect_encoding, ends_inside_character, survey

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator
    from types import TracebackType

    import duckdb

IN_PLACE_BYTES: Final = 64 << 20
"""A plain UTF-8 file larger than this is read where it lies; a smaller one, or one of another kind, is copied to Parquet once."""

SAMPLE_HEAD: Final = 1_000
SAMPLE_A_BATCH: Final = 100
SAMPLE_MOST: Final = 5_000
SAMPLE_A_PLACE: Final = 50
"""Rows looked at to tell columns and habits: the first ones, and some of each block, or from each of some places, of the rest."""

HEAD_LETTERS: Final = 256 << 10
"""How much of a large file's beginning is looked at to find the header."""

_serial = itertools.count(1)


@dataclass
class Opened:
    """A file that has been looked at: what it is, where its table begins, and how to get at the rows.

    format        csv | list | xlsx | xls | xlsb | ods | parquet | jsonl | json
    columns       the file's own column names; an empty heading is called column_N
    header_row    line (or spreadsheet row) of the header; 0 = none
    title_lines   what stands above the header
    rows          rows below the header, or None while a big file has not been counted
    extract_date  the day the file was drawn up, by its title or name
    relation      FROM item for DuckDB: row_no BIGINT, fields INTEGER, c0 … VARCHAR; `attach` first
    """

    path: Path
    sha256: str
    size_bytes: int
    format: str
    columns: tuple[str, ...]
    relation: str
    compression: str = ""
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    sheets: tuple[str, ...] = ()
    header_row: int = 0
    title_lines: tuple[str, ...] = ()
    rows: int | None = None
    extract_date: dt.date | None = None
    extract_date_from: str = ""
    sample: list[tuple[int, list[str]]] = field(default_factory=list)
    last_row: int | None = None
    in_place: bool = False
    _stream: Stream | None = None
    folder: Path | None = None

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return self.path.name

    @property
    def width(self) -> int:
        """How many columns the table has."""
        return len(self.columns)

    def attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Make `relation` known to a connection."""
        if self._stream is not None:
            connection.register(self.relation, self._stream)

    def close(self) -> None:
        """Delete the temporary copy."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


class Stream:
    """Rows that are read anew from the file whenever a query asks for them."""

    def __init__(self, schema: pa.Schema, make: Callable[[], Iterator[pa.RecordBatch]]) -> None:
        self.schema = schema
        self._make = make

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        def lazily() -> Iterator[pa.RecordBatch]:
            yield from self._make()

        reader: Any = pa.RecordBatchReader.from_batches(self.schema, lazily())
        return reader.__arrow_c_stream__(requested_schema)


def open_file(path: str | Path, *, sheet: str = "", work_folder: Path | None = None, in_place_bytes: int = IN_PLACE_BYTES) -> Opened:
    """What is this file, and where is the table in it?  读取导出文件

    Format, compression, encoding and delimiter are told from the content, never from the name.

    sheet        name or number of the sheet, for workbooks with several; empty = the one with the largest table that has headings we know
    work_folder  where temporary copies go; empty = the system's
    Raises FileNotFoundHereError, FileUnreadableError, FileCutOffError (the file ends in the middle), OptionInvalidError (no such sheet).
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundHereError(path=str(path))
    with path.open("rb") as stream:
        magic = stream.read(8)
    if not magic:
        raise FileUnreadableError(path=str(path), detail="empty")
    folder = Path(tempfile.mkdtemp(prefix="duecourse-", dir=work_folder))
    try:
        with Hashing(path) as hashing:
            opened = _open(path, magic, sheet, folder, in_place_bytes)
            opened.sha256 = hashing.result()
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    opened.folder = folder
    opened.extract_date, opened.extract_date_from = extract_date(opened.title_lines, f"{opened.name} {opened.sheet}")
    return opened


def _open(path: Path, magic: bytes, sheet: str, folder: Path, in_place_bytes: int) -> Opened:
    if magic.startswith(b"PK\x03\x04"):
        kind, member = _zip_kind(path)
        if kind != "zip":
            return _open_workbook(path, kind, sheet, folder)
        with zipfile.ZipFile(path) as archive, archive.open(member) as inside:
            magic = inside.read(8)
        if magic[:4] in {b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"PAR1"}:
            unpacked = folder / Path(member).name
            with zipfile.ZipFile(path) as archive, archive.open(member) as inside, unpacked.open("wb") as target:
                shutil.copyfileobj(inside, target)
            inner = _open(unpacked, magic, sheet, folder, in_place_bytes)
            inner.path, inner.compression, inner.size_bytes = path, "zip", path.stat().st_size
            return inner
        return _open_text(path, "zip", member, folder, in_place_bytes)
    if magic.startswith(b"\xd0\xcf\x11\xe0"):
        return _open_workbook(path, "xls", sheet, folder)
    if magic.startswith(b"PAR1"):
        return _open_parquet(path, folder)
    return _open_text(path, "gz" if magic.startswith(b"\x1f\x8b") else "", "", folder, in_place_bytes)


def _zip_kind(path: Path) -> tuple[str, str]:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
            if "xl/workbook.xml" in names:
                return "xlsx", ""
            if "xl/workbook.bin" in names:
                return "xlsb", ""
            if "mimetype" in names and b"opendocument.spreadsheet" in archive.read("mimetype"):
                return "ods", ""
    except (zipfile.BadZipFile, EOFError) as error:
        raise FileCutOffError(path=str(path), detail=str(error)) from error
    real = [name for name in names if not name.startswith("__MACOSX/")]
    if len(real) != 1:
        raise FileUnreadableError(path=str(path), detail=f"zip: {len(real)} files")
    return "zip", real[0]


def _describe(path: Path, kind: str, columns: tuple[str, ...], relation: str, **more: Any) -> Opened:
    return Opened(path, "", path.stat().st_size, kind, columns, relation, **more)


def _named(header: list[str], width: int) -> tuple[str, ...]:
    """Every column with a name of its own."""
    names: list[str] = []
    taken: Counter[str] = Counter()
    for index in range(width):
        name = " ".join(header[index].split()) if index < len(header) else ""
        name = name or f"column_{index + 1}"
        taken[name] += 1
        names.append(name if taken[name] == 1 else f"{name} ({taken[name]})")
    return tuple(names)


class Staged(NamedTuple):
    """Rows copied to Parquet: the FROM item, how many there are, the number of the last full one, and some from all over the file."""

    relation: str
    rows: int
    last_row: int | None
    sample: list[tuple[int, list[str]]]


def stage(source: Iterator[pa.RecordBatch], width: int, folder: Path) -> Staged:
    """Copy rows to a Parquet file."""
    target = folder / f"rows-{next(_serial)}.parquet"
    count = 0
    last: int | None = None
    sample: list[tuple[int, list[str]]] = []
    with pq.ParquetWriter(target, text_schema(width), compression="zstd", compression_level=1) as writer:
        for batch in source:
            if not batch.num_rows:
                continue
            writer.write_batch(batch)
            count += batch.num_rows
            full = np.flatnonzero(batch["fields"].to_numpy() == width)
            numbers = batch["row_no"].to_numpy()[full]
            last = int(numbers.max()) if len(numbers) else last
            head = full[: max(0, SAMPLE_HEAD - len(sample))]
            spread = full[len(head) :]
            step = max(1, len(spread) // SAMPLE_A_BATCH)
            places = [*head.tolist(), *(spread[::step].tolist() if len(sample) < SAMPLE_MOST else ())]
            chosen = batch.take(pa.array(places, pa.int64())).to_pylist()
            sample += [(row["row_no"], [row[f"c{i}"] for i in range(width)]) for row in chosen]
    return Staged(f"read_parquet('{str(target).replace(chr(39), chr(39) * 2)}')", count, last, sample)


def _open_text(path: Path, compression: str, member: str, folder: Path, in_place_bytes: int) -> Opened:
    source = detect_encoding(path, compression, member)
    text, whole = source.head()
    start = text.lstrip()
    if not start:
        raise FileUnreadableError(path=str(path), detail="empty")
    about: dict[str, Any] = {"compression": compression, "encoding": source.encoding}
    if start.startswith("{") or (start.startswith("[") and start[1:].lstrip().startswith("{")):
        return _open_json(source, start, folder, about)
    if start[:200].lower().startswith(("<!doctype html", "<html", "<?xml", "<table", "%pdf")):
        raise FileUnreadableError(path=str(path), detail=start[:20].strip())
    if text[:100_000].count("\ufffd") + sum(text[:10_000].count(chr(code)) for code in range(1, 8)) > 20:
        raise FileUnreadableError(path=str(path), detail="binary")
    lines = text.splitlines()[:400]
    if listing.is_listing(lines):
        return _open_listing(source, folder, about)
    return _open_delimited(source, text, whole, folder, in_place_bytes, about)


def _open_delimited(source: TextSource, text: str, whole: bool, folder: Path, in_place_bytes: int, about: dict[str, Any]) -> Opened:
    if not whole:
        text = text[: text.rfind("\n", 0, HEAD_LETTERS) + 1] or text[: text.rfind("\n") + 1] or text
    delimiter = sniff_delimiter(text[:200_000])
    records_seen = split(text, delimiter)
    if not whole and len(records_seen) > 1:
        records_seen.pop()
    at = find_header([record for _, record in records_seen[:200]], known_headings())
    header = records_seen[at][1] if at >= 0 else []
    below = [(line, record) for line, record in records_seen[at + 1 :] if any(cell.strip() for cell in record)]
    widths = Counter(len(record) for _, record in below)
    usual = widths.most_common(1)[0][0] if widths else len(header)
    width = max(len(header), usual)
    while width > max(usual, 1) and width > 1 and not (header[width - 1].strip() if width <= len(header) else ""):
        width -= 1  # the header line ends in empty cells that no row has
    header_line = records_seen[at][0] if at >= 0 else 0
    data_line = records_seen[at + 1][0] if at + 1 < len(records_seen) else header_line + max(1, len(header) and _lines_of(records_seen, at))
    surveyed = survey(source)
    if source.encoding == "utf-8" and not surveyed.ends_with_line and ends_inside_character(source):
        raise FileCutOffError(path=str(source.path), detail="UTF-8")
    if not below and not surveyed.ends_with_line and whole and at < 0:
        raise FileUnreadableError(path=str(source.path), detail="no table")
    dialect = Dialect(delimiter, header_line, data_line, width, usual if widths else width)
    about |= {
        "delimiter": delimiter,
        "header_row": header_line,
        "title_lines": tuple(
            " ".join(cell.strip() for cell in record if cell.strip()) for _, record in records_seen[: max(at, 0)] if any(record)
        ),
    }
    columns = _named(header, width)
    if surveyed.plain and source.in_place and surveyed.size_bytes > in_place_bytes and usual == width:
        stream = Stream(text_schema(width), lambda: batches(source, dialect, surveyed))
        _check_last_line(source, dialect)
        sample = [(line, record) for line, record in below if len(record) == width][:SAMPLE_HEAD] + _spread_sample(source, dialect)
        return _describe(
            source.path, "csv", columns, f"duecourse_rows_{next(_serial)}", sample=sample, in_place=True, _stream=stream, **about
        )
    staged = stage(batches(source, dialect, surveyed), width, folder)
    return _describe(source.path, "csv", columns, **staged._asdict(), **about)


def _lines_of(found: list[tuple[int, list[str]]], at: int) -> int:
    """Lines a record takes when nothing follows it."""
    return 1 + sum(cell.count("\n") for cell in found[at][1]) if at >= 0 else 1


def _fit(record: list[str], width: int) -> list[str]:
    return record[:width] + [""] * (width - len(record))


def _check_last_line(source: TextSource, dialect: Dialect) -> None:
    """A file read in place is refused before the first row is used if its last line is incomplete."""
    size = source.path.stat().st_size
    with source.path.open("rb") as stream:
        stream.seek(max(0, size - 65536))
        tail = stream.read()
    if tail.endswith((b"\n", b"\r")):
        return
    last = tail.rsplit(b"\n", 1)[-1].decode("utf-8", "replace")
    found = split(last, dialect.delimiter)
    if found and len(found[-1][1]) < dialect.width:
        raise FileCutOffError(path=str(source.path), detail=last[:80])


def _spread_sample(source: TextSource, dialect: Dialect, places: int = 40) -> list[tuple[int, list[str]]]:
    """Rows from all over a big plain file; their line numbers are not known and given as 0."""
    size = source.path.stat().st_size
    found: list[tuple[int, list[str]]] = []
    with source.path.open("rb") as stream:
        for place in range(1, places):
            stream.seek(size * place // places)
            stream.readline()
            piece = stream.read(1 << 15)
            text = piece[: piece.rfind(b"\n") + 1].decode("utf-8", "replace")
            found += [(0, record) for _, record in split(text, dialect.delimiter, 2 * SAMPLE_A_PLACE) if len(record) == dialect.width][
                :SAMPLE_A_PLACE
            ]
    return found


def _open_listing(source: TextSource, folder: Path, about: dict[str, Any]) -> Opened:
    text = b"".join(source.utf8()).decode("utf-8", "replace")
    framed: list[tuple[int, list[str]]] = []
    titles: list[str] = []
    for number, line in enumerate(text.split("\n"), start=1):
        cells = listing.cells(line)
        if cells is not None:
            framed.append((number, cells))
        elif not framed and line.strip(" -|\r"):
            titles.append(line.strip())
    last = text.rstrip("\n").rsplit("\n", 1)[-1]
    if not text.endswith("\n") and last.startswith("|") and not last.rstrip().endswith("|"):
        raise FileCutOffError(path=str(source.path), detail=last[:80])
    at = find_header([cells for _, cells in framed[:60]], known_headings())
    if at < 0:
        raise FileUnreadableError(path=str(source.path), detail="no header")
    header = framed[at][1]
    rows = [(number, len(cells), cells) for number, cells in framed[at + 1 :] if any(cells)]
    staged = stage(iter([text_batch(rows, len(header), text_schema(len(header)))]), len(header), folder)
    about |= {"delimiter": "|", "header_row": framed[at][0], "title_lines": tuple(titles)}
    return _describe(source.path, "list", _named(header, len(header)), **staged._asdict(), **about)


def _open_json(source: TextSource, start: str, folder: Path, about: dict[str, Any]) -> Opened:
    array = start.startswith("[")
    if not array:
        first = start.split("\n", 1)[0].strip()
        array = not first.endswith("}")  # one object over several lines: {"data": [ … ]}
    names, rows = records.json_rows(source, array=array)
    staged = stage(iter([records.json_batch(names, rows)]), len(names), folder)
    return _describe(source.path, "json" if array else "jsonl", names, **staged._asdict(), **about)


def _open_parquet(path: Path, folder: Path) -> Opened:
    names, _ = records.parquet_columns(path)
    staged = stage(records.parquet_batches(path), len(names), folder)
    return _describe(path, "parquet", names, **staged._asdict())


def _open_workbook(path: Path, kind: str, sheet: str, folder: Path) -> Opened:
    sheets = workbook.read_sheets(path, kind)
    if not sheets:
        raise FileUnreadableError(path=str(path), detail="empty")
    known = known_headings()
    chosen = workbook.named(sheets, sheet, path) if sheet else max(sheets, key=lambda one: _table_size(one, known))
    at = find_header(chosen.rows, known)
    header = list(chosen.rows[at]) if at >= 0 else []
    width = max(
        (max((i + 1 for i, cell in enumerate(row) if cell.strip()), default=0) for row in chosen.rows[max(at, 0) :]), default=len(header)
    )
    rows = [
        (number, width, _fit(row, width))
        for number, row in enumerate(chosen.rows[at + 1 :], start=at + 2)
        if any(cell.strip() for cell in row)
    ]
    staged = stage(iter([text_batch(rows, width, text_schema(width))]), width, folder)
    titles = tuple(" ".join(cell.strip() for cell in row if cell.strip()) for row in chosen.rows[: max(at, 0)] if any(row))
    return _describe(
        path,
        kind,
        _named(header, width),
        **staged._asdict(),
        sheet=chosen.name,
        sheets=tuple(one.name for one in sheets),
        header_row=at + 1,
        title_lines=titles,
    )


def _table_size(sheet: workbook.Sheet, known: frozenset[str]) -> tuple[float, int]:
    at = find_header(sheet.rows, known)
    hits = sum(1 for cell in sheet.rows[at] if normalise(cell) in known) if at >= 0 else 0
    return (float(min(hits, 4)), len(sheet.rows) - at)
