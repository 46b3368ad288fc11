"""The place where an import is worked out: one in-memory database, a folder that vanishes, and the ledger's tables to look at."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import duckdb
import pyarrow as pa

from duecourse.engines.compiling import duckdb_sql
from duecourse.engines.duckdb import identifier, literal, select_files, sql_type
from duecourse.ledger.book import current_rows
from duecourse.ledger.engine import ParquetFiles

if TYPE_CHECKING:
    from types import TracebackType

    from duecourse.ledger.entries import Entry
    from duecourse.ledger.store import Draft, Ledger

Progress = Callable[[float, str], None]
"""Told the share of the work that is done (0 to 1) and the name of the phase; raising from it cancels the import."""

MEMORY_LIMIT: Final = "1200MB"
"""What the database may hold before it uses the disk; parsing and writing buffers come on top."""

TICK_SECONDS: Final = 0.1


class Workbench:
    """A DuckDB connection with room to work; a context manager that leaves nothing behind."""

    def __init__(self, *, threads: int | None = None, memory_limit: str = MEMORY_LIMIT, progress: Progress | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="duecourse-import-"))
        self.progress = progress
        self._written = 0
        self._from, self._to, self._phase, self._shown = 0.0, 0.0, "", 0.0
        self.con = duckdb.connect(
            config={
                "threads": threads or len(os.sched_getaffinity(0)),
                "memory_limit": memory_limit,
                "temp_directory": str(self.folder / "spill"),
                "preserve_insertion_order": False,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            }
        )
        self.con.execute("SET TimeZone = 'UTC'")
        # The bar itself is ours; DuckDB only counts how far a query has come if it believes that somebody looks.
        self.con.execute("SET enable_progress_bar = true; SET enable_progress_bar_print = false; SET progress_bar_time = 0")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.con.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def phase(self, name: str, begin: float, end: float) -> None:
        """From here on the work goes from share `begin` to share `end` and is called `name`."""
        self._phase, self._from, self._to = name, begin, end
        self._show(begin)

    def tell(self, share: float) -> None:
        """So much of the phase is done (0 to 1)."""
        self._show(self._from + (self._to - self._from) * share)

    def _show(self, share: float) -> None:
        # A phase of several statements counts from its beginning for each; what was shown once is not taken back.
        self._shown = max(self._shown, share)
        if self.progress:
            self.progress(self._shown, self._phase)

    def run(self, sql: str) -> None:
        """Run a statement that may take long: progress is told meanwhile, and raising from the callback (or Ctrl-C) stops it."""
        if self.progress is None:
            self.con.execute(sql)
            return
        failure: list[BaseException] = []

        def work() -> None:
            try:
                self.con.execute(sql)
            except BaseException as error:  # noqa: BLE001 — carried over to the caller's thread, whatever it is
                failure.append(error)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        try:
            while thread.is_alive():
                thread.join(TICK_SECONDS)
                done = min(max(self.con.query_progress(), 0.0), 100.0) / 100
                self.tell(done)
        except BaseException:
            self.con.interrupt()
            thread.join()
            raise
        if failure:
            raise failure[0]

    def row(self, sql: str) -> dict[str, Any]:
        """The first row of a query, by column name (all None if there is no row)."""
        cursor = self.con.execute(sql)
        names = [column[0] for column in cursor.description or ()]
        found = cursor.fetchall()
        return dict(zip(names, found[0] if found else (None,) * len(names), strict=True))

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """All rows of a small query, by column name."""
        return self.arrow(sql).to_pylist()

    def arrow(self, sql: str) -> pa.Table:
        """A query's answer as Arrow."""
        answer: pa.Table = self.con.sql(sql).to_arrow_table()
        return answer

    def value(self, sql: str) -> Any:
        """The single value of a query."""
        found = self.con.execute(sql).fetchall()
        return found[0][0] if found else None

    def exists(self, name: str) -> bool:
        """Is there such a table or view on the bench?"""
        return bool(self.value(f"SELECT count(*) FROM duckdb_tables() WHERE table_name = {literal(name)}")) or bool(
            self.value(f"SELECT count(*) FROM duckdb_views() WHERE view_name = {literal(name)}")
        )

    def show(self, ledger: Ledger, *entries: Entry) -> None:
        """Lay the ledger's current rows of these tables on the bench, each as the view `known_<table>`."""
        for entry in entries:
            rows, corrected = ledger.rows_of(entry)
            if not has_rows(ledger, entry):
                nothing = select_files(ParquetFiles((), entry.schema, frozenset()))
                self.con.execute(f"CREATE OR REPLACE TEMP VIEW known_{entry.name} AS {nothing}")
                continue
            if isinstance(rows, ParquetFiles):
                self.con.execute(f"CREATE OR REPLACE TEMP VIEW {identifier(entry.name)} AS {select_files(rows)}")
            else:
                self.con.register(entry.name, rows)
            sql = duckdb_sql(current_rows(entry, ledger.state.withdrawn, corrected=corrected))
            self.con.execute(f"CREATE OR REPLACE TEMP VIEW known_{entry.name} AS {sql}")

    def hand_over(self, draft: Draft, entry: Entry, sql: str, *, unless_known: str = "") -> int:
        """Write a query (the entry's fact columns and `source_row`, by name) as Parquet where the draft wants it, and stage it.

        unless_known  condition on rows that are left out if the ledger (view `known_<table>`) says exactly the same
        Returns the number of rows staged.
        """
        facts = ", ".join(f"CAST({identifier(field.name)} AS {sql_type(field.type)}) AS {identifier(field.name)}" for field in entry.facts)
        body = f"SELECT {facts}, source_row FROM ({sql})"
        if unless_known:
            same = " AND ".join(f"k.{identifier(name)} IS NOT DISTINCT FROM n.{identifier(name)}" for name in entry.values)
            keys = " AND ".join(f"k.{identifier(name)} = n.{identifier(name)}" for name in entry.key)
            body = f"SELECT * FROM ({body}) n WHERE NOT (({unless_known}) AND EXISTS (SELECT 1 FROM known_{entry.name} k WHERE {keys} AND {same}))"
        self._written += 1
        path = draft.folder(entry.name) / f"part-{draft.batch_id}-bench-{self._written:03d}.parquet"
        names = ", ".join(map(identifier, entry.facts.names))
        self.run(
            f"COPY (SELECT {names}, {draft.provenance_sql()} FROM ({body})) TO {literal(str(path))} (FORMAT parquet, COMPRESSION snappy)"
        )
        return draft.adopt(entry.name, path)


def has_rows(ledger: Ledger, entry: Entry) -> bool:
    """Does the ledger hold anything in this table?"""
    rows, _corrected = ledger.rows_of(entry)
    if isinstance(rows, ParquetFiles):
        return bool(rows.paths)
    return not isinstance(rows, pa.Table) or rows.num_rows > 0


def texts(values: Iterable[str]) -> str:
    """A list of texts for SQL's IN: `('a', 'b')`; an empty list matches nothing."""
    quoted = ", ".join(literal(value) for value in values)
    return f"({quoted or 'NULL'})"
