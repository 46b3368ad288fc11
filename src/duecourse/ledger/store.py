"""Append and read. A batch of facts arrives whole or not at all, once, and nothing that was written is ever changed."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake.exceptions import CommitFailedError

from duecourse.errors import BatchUnknownError, LedgerNotFoundError, LedgerVersionUnknownError
from duecourse.ledger import journal as journal_
from duecourse.ledger.book import OF_THE_FIRM, Book, current_rows, named_table
from duecourse.ledger.engine import ParquetFiles
from duecourse.ledger.entries import ENTRIES, SETTING, Entry
from duecourse.ledger.journal import JournalRow, State
from duecourse.ledger.storage import Storage, faults_named, file_list, files_that_may_hold, read_files

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Mapping, Sequence
    from types import TracebackType

    import ibis.expr.types as ir
    from deltalake import DeltaTable

    from duecourse.ledger.engine import Engine, Rows

WAIT_SECONDS: Final = 600.0
"""How long a writer waits for the one before it: longer than a large import's commit takes."""

CORRECTIONS_KEPT: Final = 200_000
"""So many corrections of a table are kept at hand, to read one buyer's rows without a query over the whole table."""

ABOUT_KEPT: Final = 96
ABOUT_BYTES: Final = 1 << 20
"""Of so many tables the rows of a buyer that were asked for last are kept, if they are no larger: one look at a buyer reads them several times."""

KEEP_REPLACED_HOURS: Final = 7 * 24
"""How long files replaced by a compaction stay for readers that opened the ledger before it."""


@dataclass(frozen=True)
class BatchResult:
    """What a batch did: rows by table that were new, corrected an earlier row, or said what was known already."""

    batch_id: str
    version: int
    added: Mapping[str, int]
    corrected: Mapping[str, int]
    unchanged: Mapping[str, int]


@dataclass
class Ledger:
    """One firm's ledger, at a folder or an object-store URL.

    Open it with `Ledger.open`; read it with `as_of`; write it with `draft`. An open ledger stays at the version it was opened at
    until `refresh` (its own writes refresh it).
    """

    storage: Storage
    engine: Engine
    state: State = field(default_factory=lambda: State(()))
    _journal_files: set[str] = field(default_factory=set)
    kept_settings: dict[tuple[date, datetime | None], Mapping[str, Any]] = field(default_factory=dict)
    kept_firm: dict[tuple[date, datetime | None], Mapping[str, pa.Table]] = field(default_factory=dict)
    kept_rates: dict[tuple[date, datetime | None], pa.Table] = field(default_factory=dict)
    _about: dict[tuple[str, int, str], pa.Table] = field(default_factory=dict)
    _resolved: dict[tuple[str, int], tuple[Rows, bool]] = field(default_factory=dict)
    _files: dict[tuple[str, int], tuple[DeltaTable, list[dict[str, Any]]]] = field(default_factory=dict)
    _corrections: dict[tuple[str, int], pa.Table | None] = field(default_factory=dict)
    _journal: tuple[DeltaTable, object] | None = None

    @classmethod
    def open(
        cls, url: str | os.PathLike[str], *, engine: Engine, create: bool = False, storage_options: Mapping[str, str] | None = None
    ) -> Ledger:
        """Open the ledger at `url`, or make an empty one there if `create`. Raises LedgerNotFoundError."""
        ledger = cls(Storage(url, storage_options), engine)
        if not ledger.storage.exists("journal"):
            if not create:
                raise LedgerNotFoundError(path=ledger.storage.url)
            ledger._create()
        ledger.refresh()
        return ledger

    def _create(self) -> None:
        with faults_named(self.storage.url):
            if self.storage.local:
                self.storage.folder.mkdir(parents=True, exist_ok=True)
        with self.storage.writing(WAIT_SECONDS):
            tables = {entry.name: self.storage.create(entry.name, entry.schema).version() for entry in ENTRIES.values() if entry.founded}
            journal = self.storage.create("journal", journal_.SCHEMA)
            if journal.version() == 0:
                first = JournalRow(0, "", "create", datetime.now(UTC), tables=tables)
                self.storage.append_arrow(journal, first.to_arrow())

    def refresh(self) -> None:
        """Take in what others have written since."""
        if self._newest_journal() is not None:
            return
        table = self.storage.newest("journal")
        if table is None:
            raise LedgerNotFoundError(path=self.storage.url)
        self._take_in(table)

    def _newest_journal(self) -> DeltaTable | None:
        """The journal as it was read last, if nothing was written since; None where only opening it would tell."""
        if self._journal is not None:
            table, mark = self._journal
            if self.storage.unchanged("journal", table.version(), mark):
                return table
        return None

    def _take_in(self, table: DeltaTable) -> None:
        fresh, files = read_files(self.storage, "journal", table, self._journal_files)
        rows = {row.version: row for row in self.state.rows}
        if fresh.num_rows:
            rows |= {row.version: row for row in journal_.from_arrow(fresh)}
        self._journal_files = files
        if not rows:
            # Somebody died between making the tables and the first row; the tables are empty.
            self._create()
            self.refresh()
            return
        before, self.state = self.state, State(tuple(rows[version] for version in sorted(rows)))
        since = self.state.rows[len(before.rows) :]
        # Another dictionary: a book drawn up meanwhile puts what it read into the old one.
        if not all(row.leaves(SETTING.name) for row in since):
            self.kept_settings = {}
        if not all(row.leaves(*(entry.name for entry in OF_THE_FIRM)) for row in since):
            self.kept_firm, self.kept_rates = {}, {}
        self._journal = (table, self.storage.mark("journal", table.version()))
        tables = set(self.state.last.tables.items())
        for kept in (self._resolved, self._files, self._corrections):
            for key in kept.keys() - tables:
                del kept[key]
        self._about = {key: kept for key, kept in list(self._about.items()) if key[:2] in tables}

    @property
    def version(self) -> int:
        """The ledger's version: rises by one with every change."""
        return self.state.last.version

    def journal(self) -> list[JournalRow]:
        """Every change so far, oldest first."""
        return list(self.state.rows)

    def at(self, version: int) -> Ledger:
        """The ledger as it stood at an earlier version, to read. Raises LedgerVersionUnknownError."""
        rows = tuple(row for row in self.state.rows if row.version <= version)
        # Of batches that were committed together nobody ever saw the ledger between one and the next.
        if not rows or rows[-1].version != version or rows[-1].facts.get("together_until", version) > version:
            raise LedgerVersionUnknownError(version=version, newest=self.version)
        return Ledger(self.storage, self.engine, State(rows), set(self._journal_files))

    def has_file(self, sha256: str) -> str | None:
        """The batch that brought this very file, if one did and was not withdrawn."""
        withdrawn = self.state.withdrawn
        for row in reversed(self.state.in_force):
            if row.file_sha256 == sha256 and row.kind == "import" and row.batch_id not in withdrawn:
                return row.batch_id
        return None

    # Reading

    def as_of(self, on: date, known_at: datetime | None = None) -> Book:
        """The book as of the close of `on`, holding nothing learnt after `known_at` (UTC; None = all that is known).

        The only way in to the facts.
        """
        return Book(ledger=self, on=on, known_at=known_at)

    def rows_of(self, entry: Entry) -> tuple[Rows, bool]:
        """A table's rows at this version, and whether any of them corrects another."""
        version = self.state.last.tables.get(entry.name)
        if version is None:  # a table of a later release, in a ledger written before it
            return entry.schema.empty_table(), False
        key = (entry.name, version)
        if key not in self._resolved:
            table, files = self._files_of(*key)
            rows = self.storage.rows_of(entry.name, entry.schema, table, files)
            corrected = any(file.get("null_count.supersedes") != file["num_records"] for file in files)
            self._resolved[key] = (rows, corrected)
        return self._resolved[key]

    def rows_about(self, entry: Entry, buyer_id: str) -> tuple[pa.Table, bool]:
        """At least the rows of one buyer, and whether any row of the whole table corrects another.

        Quick on a compacted ledger, where few row groups can hold the buyer.
        """
        version = self.state.last.tables.get(entry.name)
        if version is None:
            return entry.schema.empty_table(), False
        _rows, corrected = self.rows_of(entry)
        key, kept = (entry.name, version, buyer_id), self._about
        found = kept.get(key)
        if found is None:
            table, files = self._files_of(entry.name, version)
            found = self.storage.rows_where(entry.name, entry.schema, table, files, "buyer_id", buyer_id)
            if found.nbytes <= ABOUT_BYTES:
                if len(kept) >= ABOUT_KEPT:
                    kept.clear()
                kept[key] = found
        return found, corrected

    def rows_brought(self, entry: Entry, batches: Collection[str]) -> Rows:
        """At least the rows of a table that came with these batches: of a local ledger, the files that may hold any."""
        rows, _corrected = self.rows_of(entry)
        if not isinstance(rows, ParquetFiles):
            return rows
        _table, files = self._files_of(entry.name, self.state.last.tables[entry.name])
        return files_that_may_hold(rows, files, "source", batches)

    def corrections(self, entry: Entry) -> pa.Table | None:
        """The rows of a table that correct others: key, recorded_at, source, supersedes. None where there are too many to keep at hand."""
        version = self.state.last.tables.get(entry.name)
        key = (entry.name, version or 0)
        if version is not None and key not in self._corrections:
            table = named_table(entry)
            found = table.filter(table.supersedes.notnull()).select(*entry.key, "recorded_at", "source", "supersedes")
            rows = self.engine.run(found.limit(CORRECTIONS_KEPT + 1), {entry.name: self.rows_of(entry)[0]})
            self._corrections[key] = rows if rows.num_rows <= CORRECTIONS_KEPT else None
        return self._corrections.get(key, entry.schema.empty_table())

    def lay_at_hand(self) -> None:
        """Have the rows of each buyer at hand (`at_hand`) for whoever asks `rows_about` of this version; nothing where they are already."""
        if not self.storage.local:
            return
        tables = {
            entry.name: version
            for entry in ENTRIES.values()
            if (version := self.state.last.tables.get(entry.name)) is not None and "buyer_id" in entry.schema.names
        }
        self.storage.lay_at_hand({name: [file["path"] for file in self._files_of(name, version)[1]] for name, version in tables.items()})

    def _files_of(self, name: str, version: int) -> tuple[DeltaTable, list[dict[str, Any]]]:
        key = (name, version)
        if key not in self._files:
            table = self.storage.table(name, version)
            self._files[key] = (table, file_list(table))
        return self._files[key]

    def opened(self, name: str, version: int) -> DeltaTable:
        """A table of this version, to write on: it moves on with what is written and is no longer what was read."""
        kept = self._files.pop((name, version), None)
        return kept[0] if kept else self.storage.table(name, version)

    def keep_opened(self, name: str, table: DeltaTable) -> int:
        """Keep a table that was written on, so that the next writer need not open it again; its version."""
        table.update_incremental()
        self._files[name, table.version()] = (table, file_list(table))
        return table.version()

    # Writing

    def draft(self, kind: journal_.Kind = "import", *, file_name: str = "", file_sha256: str = "", note: str = "") -> Draft:
        """Begin a batch: a context manager that leaves nothing behind unless `commit` is reached."""
        return Draft(self, kind, file_name=file_name, file_sha256=file_sha256, note=note)

    def void(self, batch_id: str, reason: str, *, facts: Mapping[str, Any] | None = None) -> BatchResult:
        """Withdraw a whole batch: its facts no longer count from now on, and what they had corrected counts again.

        Books drawn up as known before now keep it.

        facts  what the journal is to keep about the withdrawal, e.g. who made it
        Raises BatchUnknownError.
        """
        known = {row.batch_id for row in self.state.in_force if row.kind in ("import", "post")}
        if batch_id not in known - set(self.state.withdrawn):
            raise BatchUnknownError(batch=batch_id)
        with self.storage.writing(WAIT_SECONDS):
            self._settle()
            row = self._next_row(
                "void", datetime.now(UTC), withdraws=batch_id, note=reason, tables=self.state.last.tables, facts=facts or {}
            )
            self._write_row(row)
        return BatchResult(row.batch_id, row.version, {}, {}, {})

    def restore(self, version: int, reason: str = "") -> None:
        """Make the ledger read again as it did at an earlier version. The versions between stay readable with `at`.

        Unlike `void` this also takes back what was known: use it to undo damage, not to correct facts.
        """
        wanted = self.at(version).state.last
        with self.storage.writing(WAIT_SECONDS):
            self._settle()
            tables = dict(self.state.last.tables)
            for name, version_now in self.state.last.tables.items():
                table_version = wanted.tables.get(name, 0)  # a table that came later was empty when it was made
                if version_now != table_version:
                    table = self.storage.table(name)
                    table.restore(table_version)
                    tables[name] = self.storage.table(name).version()
            self._write_row(self._next_row("restore", datetime.now(UTC), note=reason, tables=tables, facts={"restores": version}))

    def compact(self) -> None:
        """Rewrite each table's files as few and sorted by buyer, so that one buyer's rows lie together. The facts stay as they are."""
        with self.storage.writing(WAIT_SECONDS):
            self._settle()
            tables = dict(self.state.last.tables)
            for entry in ENTRIES.values():
                if entry.name in tables:
                    tables[entry.name] = self._compact_table(entry, tables[entry.name])
            if tables != self.state.last.tables:
                self._write_row(self._next_row("compact", datetime.now(UTC), tables=tables))
            journal = self.storage.table("journal")
            if len(journal.file_uris()) > 1:
                journal.optimize.compact()
        for name in (*ENTRIES, "journal"):
            table = self.storage.newest(name)
            if table is not None:
                table.vacuum(retention_hours=KEEP_REPLACED_HOURS, dry_run=False)
        self.refresh()

    def _compact_table(self, entry: Entry, version: int) -> int:
        table = self.storage.table(entry.name)
        files = file_list(table)
        if not files or (len(files) == 1 and files[0]["path"].startswith("sorted-")):
            return version
        if not self.storage.local:
            table.optimize.z_order(list(entry.clustered_by))
            return self.storage.table(entry.name).version()
        rows = self.storage.rows_of(entry.name, entry.schema, self.storage.table(entry.name, version), files)
        order = [*entry.clustered_by, *([entry.happened] if entry.happened and entry.happened not in entry.clustered_by else [])]
        stem = f"sorted-{secrets.token_hex(6)}"
        with faults_named(self.storage.url):
            written = self.engine.write(named_table(entry), {entry.name: rows}, self.storage.folder / entry.name, stem, order_by=order)
        self.storage.adopt(entry.name, table, entry.schema, written, remove=[file["path"] for file in files])
        return self.storage.table(entry.name).version()

    def _settle(self) -> None:
        """Under the writer's lock: see the newest journal, and take out what a writer that died half way left in the tables."""
        self.refresh()
        with faults_named(self.storage.url):
            for name, version in self.state.last.tables.items():
                if not self.storage.moved_on(name, version):
                    continue
                table = self.storage.table(name)
                if _differs(table, self.storage.table(name, version)):
                    table.restore(version)

    def _next_row(self, kind: journal_.Kind, recorded_at: datetime, **values: Any) -> JournalRow:
        recorded_at = max(recorded_at, self.state.last.recorded_at + timedelta(microseconds=1))
        values.setdefault("batch_id", new_batch_id(recorded_at))
        return JournalRow(version=self.version + 1, kind=kind, recorded_at=recorded_at, **values)

    def _write_row(self, row: JournalRow) -> None:
        self._write_rows([row])

    def _write_rows(self, rows: Sequence[JournalRow]) -> None:
        table = self._newest_journal() or self.storage.table("journal")
        fresh, _files = read_files(self.storage, "journal", table, self._journal_files)
        if fresh.num_rows and pc.max(fresh["version"]).as_py() >= rows[0].version:  # our lease ran out and somebody else went on
            raise CommitFailedError(f"the journal moved on while version {rows[0].version} was being written")
        self.storage.append_arrow(table, pa.concat_tables([row.to_arrow() for row in rows]))
        self._take_in(table)


class Draft:
    """A batch in the making. Rows go in by `put` or as finished Parquet files by `adopt`; `commit` makes them count, all at once.

    Leaving the block without `commit`, by an error or on purpose, removes everything it had written.
    """

    def __init__(self, ledger: Ledger, kind: journal_.Kind, *, file_name: str, file_sha256: str, note: str) -> None:
        self.ledger = ledger
        self.kind: journal_.Kind = kind
        self.file_name, self.file_sha256, self.note = file_name, file_sha256, note
        self.recorded_at = max(datetime.now(UTC), ledger.state.last.recorded_at + timedelta(microseconds=1))
        self.batch_id = new_batch_id(self.recorded_at)
        self.facts: dict[str, Any] = {}
        self._staged: dict[str, list[Path]] = {}
        self._elsewhere = None if ledger.storage.local else Path(tempfile.mkdtemp(prefix="duecourse-"))
        self._committed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if not self._committed:
            for name in ENTRIES:
                for path in self.folder(name).glob(f"*{self.batch_id}*"):
                    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        if self._elsewhere:
            shutil.rmtree(self._elsewhere, ignore_errors=True)

    def folder(self, entry_name: str) -> Path:
        """Where files for a table are staged: write `part-{batch_id}-….parquet` here and hand it to `adopt`."""
        base = self._elsewhere or self.ledger.storage.folder
        path = base / ENTRIES[entry_name].name
        with faults_named(self.ledger.storage.url):
            path.mkdir(exist_ok=True)
        return path

    def provenance_sql(self) -> str:
        """The columns every row of this batch shares, as a SQL select list in schema order, `source_row` taken from the query's own."""
        return (
            f"TIMESTAMPTZ '{self.recorded_at.isoformat()}' AS recorded_at, '{self.batch_id}' AS source, "
            "source_row::BIGINT AS source_row, NULL::VARCHAR AS supersedes, false AS voided"
        )

    def put(self, entry_name: str, data: pa.Table | pa.RecordBatchReader) -> int:
        """Stage rows: any of the table's fact columns, `source_row`, and `voided` for rows that withdraw a fact. Returns how many."""
        entry = ENTRIES[entry_name]
        path = self.folder(entry_name) / f"part-{self.batch_id}-{len(self._staged.get(entry_name, ())):05d}.parquet"
        batches = data.to_batches(max_chunksize=500_000) if isinstance(data, pa.Table) else data
        count = 0
        with faults_named(self.ledger.storage.url), pq.ParquetWriter(path, entry.schema, compression="zstd", compression_level=1) as writer:
            for batch in batches:
                writer.write_batch(self._conform(entry, batch))
                count += batch.num_rows
        self._stage(entry, path, count)
        return count

    def adopt(self, entry_name: str, *paths: Path) -> int:
        """Stage finished Parquet files that already have the table's complete schema, written into `folder(entry_name)`."""
        entry = ENTRIES[entry_name]
        total = 0
        for path in paths:
            metadata = pq.read_metadata(path)
            names = metadata.schema.to_arrow_schema().names
            if names != entry.schema.names:
                raise ValueError(f"{path.name} has the columns {names}; {entry_name} has {entry.schema.names}")
            self._stage(entry, path, metadata.num_rows)
            total += metadata.num_rows
        return total

    def _stage(self, entry: Entry, path: Path, count: int) -> None:
        if count:
            self._staged.setdefault(entry.name, []).append(path)
        else:
            path.unlink(missing_ok=True)

    def _conform(self, entry: Entry, batch: pa.RecordBatch) -> pa.RecordBatch:
        unknown = set(batch.schema.names) - set(entry.schema.names)
        if unknown:
            raise ValueError(f"{entry.name} has no column {', '.join(sorted(unknown))}")
        constants = {"recorded_at": self.recorded_at, "source": self.batch_id, "supersedes": None, "voided": False}
        columns: list[pa.Array[Any]] = []
        for column in entry.schema:
            if column.name in batch.schema.names and column.name not in ("recorded_at", "source", "supersedes"):
                values = batch.column(column.name).cast(column.type)
                if column.name in entry.key and values.null_count:
                    raise ValueError(f"{entry.name}.{column.name} is part of the key and is null in {values.null_count} rows")
                columns.append(values)
            else:
                columns.append(pa.repeat(pa.scalar(constants.get(column.name), type=column.type), batch.num_rows))
        return pa.RecordBatch.from_arrays(columns, schema=entry.schema)

    def commit(self) -> BatchResult:
        """Make the batch part of the ledger: new facts are added, changed ones recorded as corrections, known ones left out.

        Waits for other writers. On any error the ledger is as it was before.
        """
        ledger = self.ledger
        added: dict[str, int] = {}
        corrected: dict[str, int] = {}
        unchanged: dict[str, int] = {}
        with ledger.storage.writing(WAIT_SECONDS):
            ledger._settle()  # noqa: SLF001 — a draft is the writing half of its ledger
            late = ledger.state.last.recorded_at >= self.recorded_at
            if late:
                self.recorded_at = max(datetime.now(UTC), ledger.state.last.recorded_at + timedelta(microseconds=1))
            tables = dict(ledger.state.last.tables)
            for name, paths in self._staged.items():
                entry = ENTRIES[name]
                files, added[name], corrected[name], unchanged[name] = self._classified(entry, paths, restamp=late)
                if files:
                    tables[name] = self._append(entry, files)
            counts = {
                name: {"added": added[name], "corrected": corrected[name], "unchanged": unchanged[name]} for name in sorted(self._staged)
            }
            row = JournalRow(
                version=ledger.version + 1, batch_id=self.batch_id, kind=self.kind, recorded_at=self.recorded_at,
                file_name=self.file_name, file_sha256=self.file_sha256, note=self.note, counts=counts, facts=self.facts, tables=tables,
            )  # fmt: skip
            ledger._write_row(row)  # noqa: SLF001
            self._committed = True
        return BatchResult(self.batch_id, row.version, added, corrected, unchanged)

    def _classified(self, entry: Entry, paths: Sequence[Path], *, restamp: bool) -> tuple[list[Path], int, int, int]:
        """The staged files as they will be appended, with how many rows are new, corrections, and known already."""
        total = sum(pq.read_metadata(path).num_rows for path in paths)
        engine = self.ledger.engine
        rows, has_corrections = self.ledger.rows_of(entry)
        empty = isinstance(rows, pa.Table) or (isinstance(rows, ParquetFiles) and not rows.paths)
        withdrawing = any(_has_voided(path) for path in paths)
        if empty and not restamp and not withdrawing:
            return list(paths), total, 0, 0
        existing = current_rows(entry, self.ledger.state.withdrawn, corrected=has_corrections, keep_voided=True)
        incoming = named_table(entry, "incoming")
        staged: dict[str, Rows] = {
            entry.name: rows,
            "incoming": ParquetFiles(tuple(map(str, paths)), entry.schema, frozenset(entry.schema.names)),
        }
        met = 0 if empty else _count(engine.run(meeting(entry, incoming, existing), staged))
        if not met and not restamp and not withdrawing:
            return list(paths), total, 0, 0
        verdict = verdicts(entry, incoming, existing, self.recorded_at)
        outcome = {
            row["verdict"]: row["n"] for row in engine.run(verdict.group_by("verdict").aggregate(n=verdict.count()), staged).to_pylist()
        }
        kept = verdict.filter(verdict.verdict != "known").select(*entry.schema.names)
        files: list[Path] = []
        if outcome.get("new", 0) + outcome.get("correction", 0):
            with faults_named(self.ledger.storage.url):
                files = engine.write(kept, staged, self.folder(entry.name), f"part-{self.batch_id}-final")
        for path in paths:
            path.unlink()
        return files, outcome.get("new", 0), outcome.get("correction", 0), outcome.get("known", 0)

    def _append(self, entry: Entry, files: Sequence[Path]) -> int:
        storage = self.ledger.storage
        table = storage.newest(entry.name) or storage.create(entry.name, entry.schema)
        if storage.local:
            storage.adopt(entry.name, table, entry.schema, files)
        else:
            for path in files:
                source = pq.ParquetFile(path)
                reader = pa.RecordBatchReader.from_batches(
                    entry.schema, (batch.cast(entry.schema) for batch in source.iter_batches(200_000))
                )
                storage.append_arrow(table, reader)
                table = storage.table(entry.name)
        return storage.table(entry.name).version()


def verdicts(entry: Entry, incoming: ir.Table, existing: ir.Table, recorded_at: datetime | None = None) -> ir.Table:
    """Each staged row with what it is against the ledger: new, a correction, or known already.

    recorded_at  when all of them were learnt; None = each has its moment
    """
    import ibis  # noqa: PLC0415 — only a batch that meets known facts needs it here

    before = existing.select(
        *entry.key, **{f"old_{name}": existing[name] for name in entry.values}, old_source=existing.source, old_voided=existing.voided
    )
    joined = incoming.left_join(before, list(entry.key))
    same = ibis.literal(value=True)
    for name in entry.values:
        same &= joined[name].identical_to(joined[f"old_{name}"])
    absent = joined.old_source.isnull()
    verdict = ibis.cases(
        (absent & joined.voided, "known"),  # withdrawing what was never there
        (absent, "new"),
        (joined.voided & joined.old_voided, "known"),
        (~joined.voided & ~joined.old_voided & same, "known"),
        else_="correction",
    )
    stamp = joined.recorded_at if recorded_at is None else ibis.literal(recorded_at, type="timestamp('UTC', 6)")
    return joined.select(
        *entry.facts.names,
        recorded_at=stamp, source=joined.source, source_row=joined.source_row, supersedes=joined.old_source, voided=joined.voided,
        verdict=verdict,
    )  # fmt: skip


def meeting(entry: Entry, incoming: ir.Table, existing: ir.Table) -> ir.Table:
    """How many staged rows speak of facts the ledger has."""
    met = incoming.semi_join(existing, list(entry.key)).select(entry.key[0])
    return met.aggregate(n=met.count())


def _count(table: pa.Table) -> int:
    return int(table.column(0)[0].as_py())


def _has_voided(path: Path) -> bool:
    metadata = pq.read_metadata(path)
    number = metadata.schema.to_arrow_schema().names.index("voided")
    stats = [metadata.row_group(group).column(number).statistics for group in range(metadata.num_row_groups)]
    return any(stat is None or not stat.has_min_max or stat.max for stat in stats)


def new_batch_id(at: datetime) -> str:
    """A batch's name: when it began, and six letters against two in the same second."""
    return f"{at:%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"


def _differs(one: Any, other: Any) -> bool:
    return {file["path"] for file in file_list(one)} != {file["path"] for file in file_list(other)}
