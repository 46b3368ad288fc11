"""Delta Lake, and nothing above it knows so: opening tables at a version, committing files, taking half-done work back.

A folder on this machine and an object store differ in two things only: who may write (a file lock, or a lease kept in a small Delta
table of its own), and whether finished Parquet files can be adopted where they lie (a folder) or are sent up through the library.
"""

from __future__ import annotations

import errno
import json
import os
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, write_deltalake
from deltalake._internal import RemoveAction
from deltalake.exceptions import CommitFailedError, TableNotFoundError
from deltalake.transaction import AddAction
from filelock import FileLock, Timeout

from duecourse.errors import DiskFullError, LedgerBusyError, LedgerReadOnlyError
from duecourse.ledger import at_hand as copies
from duecourse.ledger.engine import ParquetFiles
from duecourse.ledger.entries import INSTANT, TEXT, schema_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from duecourse.ledger.engine import Rows

ONCE: Final = CommitProperties(max_commit_retries=0)
"""Commit at exactly the next version or fail: two writers can never both believe they were next."""

KEEP_FOR_EVER: Final = {"delta.logRetentionDuration": "interval 36500 days", "delta.enableExpiredLogCleanup": "false"}

FOOTERS_KEPT: Final = 512
"""How many files' footers stay in memory."""

LEASE_SECONDS: Final = 60
LEASE_SCHEMA: Final = schema_of({}, {"holder": TEXT, "until": INSTANT})


@contextmanager
def faults_named(place: str) -> Iterator[None]:
    """Turn what storage says when it cannot write into our own named errors."""
    try:
        yield
    except Exception as error:
        text = str(error).lower()
        number = error.errno if isinstance(error, OSError) else None
        if number == errno.ENOSPC or "no space left" in text or "disk quota" in text or "os error 28" in text:
            raise DiskFullError(path=place) from error
        if number in (errno.EACCES, errno.EROFS, errno.EPERM) or "read-only file system" in text or "permission denied" in text:
            raise LedgerReadOnlyError(path=place) from error
        raise


class Storage:
    """The Delta tables below one URL: `storage.table(name, version)`, `storage.append(…)`, `storage.writing()`."""

    def __init__(self, url: str | os.PathLike[str], options: Mapping[str, str] | None = None) -> None:
        text = os.fspath(url)
        self.local = "://" not in text or text.startswith("file://")
        self.url = str(Path(text.removeprefix("file://")).absolute()) if self.local else text.rstrip("/")
        self.options = dict(options or {})
        self._known_bounds: dict[tuple[str, str], Bounds] = {}
        self._copies: dict[tuple[str, str], copies.Copy | None] = {}

    @cached_property
    def folder(self) -> Path:
        """The ledger's folder on this machine (local ledgers only)."""
        return Path(self.url)

    def address(self, name: str) -> str:
        """URL of one table."""
        return f"{self.url}/{name}"

    def exists(self, name: str) -> bool:
        """Is there such a table?"""
        return DeltaTable.is_deltatable(self.address(name), storage_options=self.options or None)

    def table(self, name: str, version: int | None = None) -> DeltaTable:
        """One table, at a version or the newest."""
        return DeltaTable(self.address(name), version=version, storage_options=self.options or None)

    def newest(self, name: str) -> DeltaTable | None:
        """The newest state of a table, or None while there is no such table."""
        try:
            return self.table(name)
        except TableNotFoundError:
            return None

    def moved_on(self, name: str, version: int) -> bool:
        """Has a table versions after this one? Cheap where the log is a folder, since a writer asks it of every table."""
        if self.local:
            return self._log(name, version + 1).exists()
        return self.table(name).version() > version

    def mark(self, name: str, version: int) -> object:
        """Tells a version of a table from another one put in its place; None where only opening the table would tell."""
        if not self.local:
            return None
        try:
            status = self._log(name, version).stat()
        except OSError:
            return None
        return (status.st_ino, status.st_mtime_ns)

    def unchanged(self, name: str, version: int, mark: object) -> bool:
        """Is this version with this mark still the newest? False where only opening the table would tell."""
        return mark is not None and mark == self.mark(name, version) and not self.moved_on(name, version)

    def _log(self, name: str, version: int) -> Path:
        return self.folder / name / "_delta_log" / f"{version:020d}.json"

    def create(self, name: str, schema: pa.Schema) -> DeltaTable:
        """An empty table."""
        with faults_named(self.url):
            if self.local:
                (self.folder / name).mkdir(parents=True, exist_ok=True)
            return DeltaTable.create(
                self.address(name), schema, mode="ignore", configuration=KEEP_FOR_EVER, storage_options=self.options or None
            )

    def append_arrow(self, table: DeltaTable, data: pa.Table | pa.RecordBatchReader) -> None:
        """Append rows as exactly the next version of the table; CommitFailedError if somebody else was quicker."""
        with faults_named(self.url):
            write_deltalake(table, data, mode="append", schema_mode="merge", commit_properties=ONCE)

    def adopt(self, name: str, table: DeltaTable, schema: pa.Schema, add: Sequence[Path], remove: Sequence[str] = ()) -> None:
        """Make finished Parquet files part of the table as its next version, in one commit with the files they replace."""
        now = int(time.time() * 1000)
        with faults_named(self.url):
            missing = [field for field in schema if field.name not in {column.name for column in table.schema().fields}]
            if missing:
                table.alter.add_columns(_delta_fields(missing))
            base = self.folder / name
            actions: list[AddAction | RemoveAction] = [
                AddAction(path.relative_to(base).as_posix(), path.stat().st_size, {}, now, not remove, _statistics(path)) for path in add
            ]
            actions += [RemoveAction(path, False, now) for path in remove]
            table.create_write_transaction(actions, "append", table.schema(), commit_properties=ONCE)

    def rows_of(self, name: str, schema: pa.Schema, table: DeltaTable, files: Sequence[Mapping[str, Any]]) -> Rows:
        """The rows of an opened table, for an engine."""
        if not self.local:
            return table.to_pyarrow_dataset()
        present = frozenset(field.name for field in table.schema().fields)
        return ParquetFiles(tuple(f"{self.url}/{name}/{file['path']}" for file in files), schema, present)

    def rows_where(
        self, name: str, schema: pa.Schema, table: DeltaTable, files: Sequence[Mapping[str, Any]], column: str, value: str
    ) -> pa.Table:
        """The row groups of an opened table that can hold this value of a text column."""
        if not self.local:
            found = table.to_pyarrow_dataset().to_table(filter=pc.field(column) == value)
            return _complete(found, schema)
        parts = []
        for file in files:
            low, high = file.get(f"min.{column}"), file.get(f"max.{column}")
            if low is not None and high is not None and not low <= value <= high:
                continue
            at_hand = self._copy(name, file["path"]) if column == copies.COLUMN else None
            if at_hand is not None:
                try:
                    parts.append(_complete(at_hand.rows(value), schema))
                    continue
                except (OSError, pa.ArrowInvalid):  # damaged: it is only a copy
                    self._copies[name, file["path"]] = None
            bounds = self._bounds(f"{self.url}/{name}/{file['path']}", column)
            groups = [
                number for number, (least, most) in enumerate(bounds.ranges) if least is None or most is None or least <= value <= most
            ]
            if groups and column in bounds.filled:
                file_ = pq.ParquetFile(bounds.path, metadata=bounds.metadata, memory_map=True)
                part = file_.read_row_groups(groups, columns=bounds.filled, use_threads=False)
                parts.append(_complete(part.filter(pc.equal(part[column], pa.scalar(value))), schema))
        return pa.concat_tables(parts) if parts else schema.empty_table()

    def _copy(self, name: str, path: str) -> copies.Copy | None:
        key = (name, path)
        if key not in self._copies:
            found = copies.Copy.open(copies.place_of(self.folder, name, path))
            if found is None:  # it may be made yet
                return None
            while len(self._copies) >= FOOTERS_KEPT:
                self._copies.pop(next(iter(self._copies)), None)
            self._copies[key] = found
        return self._copies[key]

    def lay_at_hand(self, names: Mapping[str, Sequence[str]]) -> None:
        """Copy these tables' files for whoever asks for one buyer (local ledgers only), and remove the copies of all others.

        Raises DiskFullError, LedgerReadOnlyError.
        """
        home = self.folder / copies.FOLDER
        wanted = {copies.place_of(self.folder, name, path): self.folder / name / path for name, paths in names.items() for path in paths}
        with faults_named(self.url):
            home.mkdir(exist_ok=True)
            with FileLock(home / ".lock"):
                for place, source in wanted.items():
                    bounds = None if place.exists() else self._bounds(str(source), copies.COLUMN)
                    if bounds is not None and bounds.metadata.num_rows >= copies.LEAST_ROWS and copies.COLUMN in bounds.filled:
                        copies.make(source, place, bounds.filled)
                for old in home.glob("*/*"):
                    if old.with_suffix(".arrow") not in wanted:
                        old.unlink(missing_ok=True)  # processes that have it mapped keep it until they let go

    def _bounds(self, path: str, column: str) -> Bounds:
        key = (path, column)
        if key not in self._known_bounds:
            while len(self._known_bounds) >= FOOTERS_KEPT:
                self._known_bounds.pop(next(iter(self._known_bounds)))
            self._known_bounds[key] = Bounds.of(path, column)
        return self._known_bounds[key]

    @contextmanager
    def writing(self, wait_seconds: float) -> Iterator[None]:
        """Be the only writer, for as long as the block lasts; LedgerBusyError after `wait_seconds`."""
        if self.local:
            with faults_named(self.url):
                lock = FileLock(self.folder / ".writer.lock", timeout=wait_seconds)
                try:
                    lock.acquire()
                except Timeout:
                    raise LedgerBusyError(path=self.url, seconds=wait_seconds) from None
            try:
                yield
            finally:
                lock.release()
        else:
            lease = Lease(self, wait_seconds)
            lease.acquire()
            try:
                yield
            finally:
                lease.release()


class Lease:
    """The right to write, for stores without file locks: the last row of a small table says who has it and until when.

    A writer that dies loses it when the time is up. One that was only slow is stopped by the journal, whose next version somebody else
    has taken by then.
    """

    def __init__(self, storage: Storage, wait_seconds: float) -> None:
        self._storage = storage
        self._wait_seconds = wait_seconds
        self._holder = uuid.uuid4().hex

    def _write(self, table: DeltaTable, holder: str, until: datetime) -> bool:
        row = pa.table({"holder": [holder], "until": pa.array([until], LEASE_SCHEMA.field("until").type)}, schema=LEASE_SCHEMA)
        try:
            # The newest row is the only one that matters: overwriting keeps the table one file long.
            write_deltalake(table, row, mode="overwrite", commit_properties=ONCE)
        except CommitFailedError:
            return False
        return True

    def acquire(self) -> None:
        """Take the lease, waiting for its holder to give it back or to run out of time."""
        self._storage.create("lease", LEASE_SCHEMA)
        give_up = time.monotonic() + self._wait_seconds
        while True:
            table = self._storage.table("lease")
            rows = table.to_pyarrow_table().to_pylist()
            now = datetime.now(UTC)
            free = not rows or not rows[-1]["holder"] or rows[-1]["until"] < now
            if free and self._write(table, self._holder, now + timedelta(seconds=LEASE_SECONDS)):
                return
            if time.monotonic() > give_up:
                raise LedgerBusyError(path=self._storage.url, seconds=self._wait_seconds)
            time.sleep(0.2)

    def release(self) -> None:
        """Give the lease back, unless somebody has taken it over meanwhile."""
        table = self._storage.table("lease")
        rows = table.to_pyarrow_table().to_pylist()
        if rows and rows[-1]["holder"] == self._holder:
            self._write(table, "", datetime.now(UTC))


def file_list(table: DeltaTable) -> list[dict[str, Any]]:
    """The files of a table at its version, with what Delta knows about each: path, size_bytes, num_records, null_count.x, min.x, max.x."""
    return pa.table(table.get_add_actions(flatten=True)).to_pylist()


def read_files(storage: Storage, name: str, table: DeltaTable, known: set[str]) -> tuple[pa.Table, set[str]]:
    """Rows of the files of a small table that are not yet `known`, and the names of all its files."""
    if not storage.local:
        return table.to_pyarrow_table(), set()
    paths = {file["path"] for file in file_list(table)}
    fresh = sorted(paths - known)
    if not fresh:
        return pa.table({}), paths
    return pa.concat_tables([pq.ParquetFile(f"{storage.url}/{name}/{path}").read() for path in fresh], promote_options="default"), paths


FEW_FILES: Final = 64
"""To open more one by one takes longer than to look through all."""


def files_that_may_hold(rows: ParquetFiles, files: Sequence[Mapping[str, Any]], column: str, values: Collection[str]) -> ParquetFiles:
    """Those of a table's files in which a text column may have one of these values, by what Delta knows of each; all where they are many."""
    bounds = [(file.get(f"min.{column}"), file.get(f"max.{column}")) for file in files]
    paths = tuple(
        path
        for path, (least, most) in zip(rows.paths, bounds, strict=True)
        if least is None or most is None or any(least <= value <= most for value in values)
    )
    if len(paths) > FEW_FILES:
        return rows
    present = {name for path in paths for name in pq.read_schema(path).names}  # not every column of the table need be in these
    return ParquetFiles(paths, rows.schema, rows.present & present)


@dataclass(frozen=True)
class Bounds:
    """A file's footer, the least and greatest value of one column in each of its row groups, and the columns that hold anything."""

    path: str
    metadata: pq.FileMetaData
    ranges: Sequence[tuple[str | None, str | None]]
    filled: list[str]

    @classmethod
    def of(cls, path: str, column: str) -> Bounds:
        """Read a footer. Files never change, so this is done once."""
        metadata = pq.read_metadata(path)
        number = metadata.schema.names.index(column)
        chunks = [metadata.row_group(group).column(number).statistics for group in range(metadata.num_row_groups)]
        groups = [metadata.row_group(group) for group in range(metadata.num_row_groups)]
        empty = {name for place, name in enumerate(metadata.schema.names) if all(_all_null(group.column(place)) for group in groups)}
        return cls(
            path,
            metadata,
            [(stats.min, stats.max) if stats is not None and stats.has_min_max else (None, None) for stats in chunks],
            [name for name in metadata.schema.names if name not in empty],
        )


def _all_null(chunk: Any) -> bool:
    return chunk.statistics is not None and chunk.statistics.null_count == chunk.num_values


def _complete(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Rows with every column of the schema, null where the file is older than the column."""
    names = {name: place for place, name in enumerate(rows.schema.names)}
    columns = []
    for field in schema:
        column = rows.column(names[field.name]) if field.name in names else pa.nulls(rows.num_rows, field.type)
        columns.append(column if column.type == field.type else column.cast(field.type))
    return pa.table(columns, names=schema.names)


def _delta_fields(fields: Sequence[pa.Field[Any]]) -> list[Any]:
    from deltalake import Schema  # noqa: PLC0415 — only when a table grows

    return list(Schema.from_arrow(pa.schema([field.with_nullable(True) for field in fields])).fields)


def _statistics(path: Path) -> str:
    """What Delta keeps about a file: how many rows, and per column the nulls, least and greatest value."""
    metadata = pq.read_metadata(path)
    nulls: dict[str, int] = {}
    least: dict[str, Any] = {}
    greatest: dict[str, Any] = {}
    unknown: set[str] = set()
    for group in range(metadata.num_row_groups):
        row_group = metadata.row_group(group)
        for number in range(row_group.num_columns):
            chunk = row_group.column(number)
            name: str = chunk.path_in_schema
            stats: Any = chunk.statistics
            if stats is None or stats.null_count is None:
                unknown.add(name)
                continue
            nulls[name] = nulls.get(name, 0) + stats.null_count
            if stats.has_min_max and isinstance(stats.min, str | date | int | float) and not isinstance(stats.min, bool | datetime):
                least[name] = min(least.get(name, stats.min), stats.min)
                greatest[name] = max(greatest.get(name, stats.max), stats.max)
            elif stats.null_count < chunk.num_values:
                unknown.add(name)

    def plain(values: Mapping[str, Any]) -> dict[str, Any]:
        return {n: v.isoformat() if isinstance(v, date) else v for n, v in values.items() if n not in unknown}

    return json.dumps(
        {
            "numRecords": metadata.num_rows,
            "minValues": plain(least),
            "maxValues": plain(greatest),
            "nullCount": nulls,
        },
        ensure_ascii=False,
    )
