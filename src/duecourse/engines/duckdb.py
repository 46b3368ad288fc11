"""DuckDB in this process: the default engine. It only reads the ledger's files; nothing durable is ever a DuckDB file."""

from __future__ import annotations

import os
import tempfile
import warnings
from contextlib import contextmanager
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from duecourse.engines.compiling import duckdb_sql, to_schema
from duecourse.ledger.engine import ParquetFiles, table_names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    import ibis.expr.types as ir

    from duecourse.ledger.engine import Rows

FILE_BYTES = "192MB"
"""Size at which a written table goes on in a further file: small enough to skip, large enough to scan."""


ROW_GROUP_ROWS = 6_144
"""Rows of a sorted file that are read together: small, so that one buyer's rows cost few others'."""


FEW = 100_000
"""Rows of a table in memory up to which the planning of a query takes longer than the copying of its answer."""

HANDFUL = 5_000
"""Rows up to which looking for a better plan takes longer than running the one that is written down."""

LONG_TEXT = 8_000
"""Characters of SQL from which planning takes longer than that, whatever is read."""

warnings.filterwarnings("ignore", message="Arrow output on a DB-API result makes an extra copy")


def identifier(name: str) -> str:
    """A column or table name, quoted for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text, quoted for SQL."""
    return "'" + text.replace("'", "''") + "'"


def sql_type(kind: pa.DataType) -> str:
    """The DuckDB name of a ledger column's type."""
    names = {
        pa.string(): "VARCHAR", pa.date32(): "DATE", pa.int32(): "INTEGER", pa.int64(): "BIGINT",
        pa.bool_(): "BOOLEAN", pa.float64(): "DOUBLE", pa.timestamp("us", tz="UTC"): "TIMESTAMPTZ",
    }  # fmt: skip
    return names[kind]


class DuckDBEngine:
    """Runs expressions over Parquet files and Arrow tables, on `threads` cores and within `memory_limit` (e.g. `4GB`).

    One in-memory database a process; every call has a cursor of its own, so that threads do not meet.
    """

    def __init__(self, *, threads: int | None = None, memory_limit: str | None = None) -> None:
        self._threads = threads or len(os.sched_getaffinity(0))
        self._memory_limit = memory_limit
        self._database: duckdb.DuckDBPyConnection | None = None
        self._guard = Lock()
        self._parsed = lru_cache(maxsize=256)(self._parse)

    def connection(self) -> duckdb.DuckDBPyConnection:
        """A cursor on this process's database, with no tables in it."""
        with self._guard:
            if self._database is None:
                settings: dict[str, str | bool | int | float | list[str]] = {
                    "threads": self._threads,
                    "autoinstall_known_extensions": False,
                    "autoload_known_extensions": False,
                    "temp_directory": tempfile.gettempdir(),
                    "preserve_insertion_order": False,
                }
                if self._memory_limit:
                    settings["memory_limit"] = self._memory_limit
                self._database = duckdb.connect(config=settings)
                self._database.execute("SET GLOBAL TimeZone = 'UTC'; SET enable_progress_bar = false; SET parquet_metadata_cache = true")
            return self._database.cursor()

    def _parse(self, sql: str) -> duckdb.Statement:
        with self.connection() as cursor:
            return cursor.extract_statements(sql)[0]

    @contextmanager
    def _opened(self, names: Collection[str], tables: Mapping[str, Rows]) -> Iterator[duckdb.DuckDBPyConnection]:
        with self.connection() as cursor:
            for name in names:
                rows = tables[name]
                if isinstance(rows, ParquetFiles):
                    cursor.execute(f"CREATE TEMP VIEW {identifier(name)} AS {select_files(rows)}")
                else:
                    cursor.register(name, rows)
            yield cursor

    def run(self, expr: ir.Table, tables: Mapping[str, Rows]) -> pa.Table:
        """All rows of the expression, in exactly its schema."""
        names, sql = table_names(expr), duckdb_sql(expr)
        largest = max((rows.num_rows if isinstance(rows := tables[name], pa.Table) else FEW + 1 for name in names), default=0)
        few = largest <= FEW
        with self._opened(names, tables) as cursor:
            if largest <= HANDFUL:
                cursor.execute("PRAGMA disable_optimizer")  # of this cursor alone
            # A relation is planned twice, which takes longest where there are few rows; running at once copies the answer once more.
            found: Any = (cursor.execute if few or len(sql) > LONG_TEXT else cursor.sql)(self._parsed(sql))
            return to_schema(found.to_arrow_table(), expr.schema().to_pyarrow())

    def stream(self, expr: ir.Table, tables: Mapping[str, Rows], *, batch_rows: int = 100_000) -> pa.RecordBatchReader:
        """The same rows, a batch at a time; the connection closes when the reader is exhausted."""
        schema = expr.schema().to_pyarrow()

        def batches() -> Iterator[pa.RecordBatch]:
            with self._opened(table_names(expr), tables) as cursor:
                for batch in cursor.sql(self._parsed(duckdb_sql(expr))).to_arrow_reader(batch_rows):
                    yield from to_schema(pa.Table.from_batches([batch]), schema).to_batches()

        return pa.RecordBatchReader.from_batches(schema, batches())

    def write(self, expr: ir.Table, tables: Mapping[str, Rows], folder: Path, stem: str, *, order_by: Sequence[str] = ()) -> list[Path]:
        """The same rows as Parquet files `folder/stem-*.parquet`, sorted if asked."""
        order = f" ORDER BY {', '.join(map(identifier, order_by))}" if order_by else ""
        schema = expr.schema().to_pyarrow()
        columns = ", ".join(f"CAST({identifier(f.name)} AS {sql_type(f.type)}) AS {identifier(f.name)}" for f in schema)
        work = folder / f".{stem}"
        with self._opened(table_names(expr), tables) as cursor:
            cursor.execute(
                f"COPY (SELECT {columns} FROM ({duckdb_sql(expr)}){order}) TO {literal(str(work))} "
                f"(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, FILE_SIZE_BYTES {literal(FILE_BYTES)}, "
                f"ROW_GROUP_SIZE {ROW_GROUP_ROWS if order_by else 122_880}, OVERWRITE true)"
            )
        written = []
        for number, part in enumerate(sorted(work.rglob("*.parquet"), key=lambda path: (len(path.name), path.name))):
            target = folder / f"{stem}-{number:05d}.parquet"
            part.rename(target)
            written.append(target)
        work.rmdir()
        return written


def select_files(rows: ParquetFiles) -> str:
    """A SELECT over Parquet files that gives every column of the schema, null where the files are older than the column."""
    if not rows.paths:
        columns = ", ".join(f"CAST(NULL AS {sql_type(f.type)}) AS {identifier(f.name)}" for f in rows.schema)
        return f"SELECT {columns} WHERE false"
    columns = ", ".join(
        identifier(f.name) if f.name in rows.present else f"CAST(NULL AS {sql_type(f.type)}) AS {identifier(f.name)}" for f in rows.schema
    )
    files = ", ".join(map(literal, rows.paths))
    return f"SELECT {columns} FROM read_parquet([{files}], union_by_name = true)"
