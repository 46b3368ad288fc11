"""How long does the refresh of all buyer measures take, and the reading of one buyer's whole record?

    python benchmarks/refresh.py [--invoices 1000000] [--rounds 5] [--folder DIR] [--keep] [--record] [--only fused]

The demo economy at a size, compacted, is refreshed as of a day 110 days before its end, in four ways: DuckDB reading
the needed columns and adding them up (the floor), a SQL script written by hand for DuckDB (`refresh.sql`), the Ibis expressions that
define the measures, and the fused pass. `warm` is a further run in the same process, `whole` a process of its own from start to end.
All four read the same files, take turns round by round, and give the same figures, which is checked first.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from duecourse.engines.duckdb import DuckDBEngine, select_files
from duecourse.engines.fused import ensure, refresh
from duecourse.engines.fused.projection import current
from duecourse.ledger.engine import ParquetFiles
from duecourse.ledger.entries import INVOICE, SETTLEMENT
from duecourse.ledger.store import Ledger
from duecourse.samples.economy import DEMO_UNTIL, Economy, write
from machine import cores, describe, record

if TYPE_CHECKING:
    from collections.abc import Callable

ON = DEMO_UNTIL - timedelta(days=110)
COMPACTED = 20_000_000
MEMORY = "12GB"
"""What DuckDB may use, in all ways alike."""
SCRIPT = (Path(__file__).parent / "refresh.sql").read_text(encoding="utf-8")
SCAN = {
    "invoice": ("buyer_id", "currency", "invoice_id", "instalment", "issue_date", "due_date", "amount_minor"),
    "settlement": ("buyer_id", "currency", "invoice_id", "instalment", "kind", "settle_date", "amount_minor"),
}


# The ledger


def make_ledger(folder: Path, invoices: int) -> None:
    """The demo economy at this size, compacted. It comes out in the order of buyers, so that a huge one can do without sorting again."""
    ledger = Ledger.open(folder, engine=DuckDBEngine(memory_limit=MEMORY), create=True)
    write(ledger, Economy(invoices=invoices))
    if invoices <= COMPACTED:
        ledger.compact()


# The four ways


def _files(ledger: Ledger, entry_name: str) -> str:
    rows, _corrected = ledger.rows_of({"invoice": INVOICE, "settlement": SETTLEMENT}[entry_name])
    assert isinstance(rows, ParquetFiles)
    return select_files(rows)


def _added_up(column: str) -> str:
    if column in ("amount_minor", "instalment"):
        return f"sum({column})"
    return f"sum({column} - DATE '2000-01-01')" if column.endswith("date") else f"max({column})"


class Ways:
    """Each way as a function that takes nothing; opened once, so that a second call is a warm one."""

    def __init__(self, folder: Path) -> None:
        self.ledger = Ledger.open(folder, engine=DuckDBEngine(memory_limit=MEMORY))
        self.book = self.ledger.as_of(ON)

    def job(self, way: str) -> dict[str, object]:
        """What a process needs that does nothing but run SQL: views of the files, and statements."""
        views = ["SET enable_progress_bar = false", *(f"CREATE VIEW {name} AS {_files(self.ledger, name)}" for name in SCAN)]
        if way == "sql":
            statements = [statement.query for statement in duckdb.extract_statements(SCRIPT)]
        else:
            statements = [f"SELECT {', '.join(map(_added_up, columns))} FROM {name}" for name, columns in SCAN.items()]
        settings = {"threads": cores(), "memory_limit": MEMORY, "preserve_insertion_order": False, "temp_directory": tempfile.gettempdir()}
        return {"settings": settings, "views": views, "statements": statements, "on": ON.isoformat()}

    def _run(self, way: str) -> pa.Table | None:
        job = self.job(way)
        with duckdb.connect(config=job["settings"]) as con:
            for statement in job["views"]:
                con.execute(statement)
            for statement in job["statements"]:
                con.execute(statement, {"on": ON} if "$on" in statement else None).fetchall()
            return con.sql("SELECT * FROM refreshed").to_arrow_table() if way == "sql" else None

    def scan(self) -> None:
        """Read every column the job needs and add it up."""
        self._run("scan")

    def sql(self) -> pa.Table | None:
        """The script by hand."""
        return self._run("sql")

    def expressions(self) -> pa.Table:
        """The definition."""
        return refresh(self.book, engine="expressions")

    def fused(self) -> pa.Table:
        """The fused pass."""
        return refresh(self.book, engine="fused")


BARE = """
import datetime, duckdb, json, sys
job = json.load(sys.stdin)
con = duckdb.connect(config=job["settings"])
for statement in job["views"]:
    con.execute(statement)
for statement in job["statements"]:
    con.execute(statement, {"on": datetime.date.fromisoformat(job["on"])} if "$on" in statement else None).fetchall()
if len(job["statements"]) > 2:
    con.sql("SELECT * FROM refreshed").to_arrow_table()
"""
OURS = """
import sys
from datetime import date
from duecourse.engines.duckdb import DuckDBEngine
from duecourse.engines.fused import refresh
from duecourse.ledger.store import Ledger
way, folder, on, memory_limit = sys.argv[1:]
refresh(Ledger.open(folder, engine=DuckDBEngine(memory_limit=memory_limit)).as_of(date.fromisoformat(on)), engine=way)
"""
PEAK = """
print(next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def whole_process(ways: Ways, way: str, folder: Path) -> tuple[float, float]:
    """Seconds from start to end of a process that does this and nothing else, and its peak memory in GB."""
    program = (BARE if way in ("scan", "sql") else OURS) + PEAK
    command = [sys.executable, "-c", program, way, str(folder), ON.isoformat(), MEMORY]
    job = json.dumps(ways.job(way)) if way in ("scan", "sql") else ""
    begin = time.perf_counter()
    done = subprocess.run(command, input=job, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - begin
    if done.returncode:
        sys.exit(done.stderr)
    return seconds, int(done.stdout.split()[-1]) / (1 << 20)


def warm(call: Callable[[], object]) -> float:
    """Seconds of one call."""
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def differences(one: pa.Table, other: pa.Table) -> list[str]:
    """What differs between two refreshes: whole numbers and dates exactly, fractions by more than 1e-9 relative."""
    keys = [("buyer_id", "ascending"), ("currency", "ascending")]
    one, other = one.sort_by(keys), other.select(one.column_names).sort_by(keys)
    if one.num_rows != other.num_rows:
        return [f"{one.num_rows} rows against {other.num_rows}"]
    found = []
    for name in one.column_names:
        a, b = one[name].combine_chunks(), other[name].combine_chunks().cast(one[name].type)
        if not pc.all(pc.equal(pc.is_null(a), pc.is_null(b))).as_py():
            found.append(f"{name}: nulls differ")
        elif pa.types.is_floating(a.type):
            x, y = a.drop_null().to_numpy(), b.drop_null().to_numpy()
            worst = np.max(np.abs(x - y) / np.maximum(np.abs(x), 1e-3), initial=0.0)
            if worst > 1e-9:
                found.append(f"{name}: {worst:.1e} relative")
        elif not a.equals(b):
            found.append(f"{name}: {pc.sum(pc.not_equal(a, b)).as_py()} rows differ")
    return found


def read_records(ledger: Ledger, count: int) -> list[float]:
    """Milliseconds to read each of `count` random buyers' whole record as of a day; the ledger is open, the buyers are new to it."""
    rows, _corrected = ledger.rows_of(INVOICE)
    assert isinstance(rows, ParquetFiles)
    buyers = duckdb.sql(f"SELECT DISTINCT buyer_id FROM ({select_files(rows)}) ORDER BY hash(buyer_id) LIMIT {count + 5}").fetchall()
    times = [warm(lambda buyer=buyer: ledger.as_of(ON).about(buyer)) for (buyer,) in buyers]
    return sorted(1000 * seconds for seconds in times[5:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--invoices", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, help="5 below 10,000,000 invoices, else 3")
    parser.add_argument("--folder", type=Path, help="use the ledger in this folder, generate it there if there is none")
    parser.add_argument("--keep", action="store_true", help="leave the generated ledger")
    parser.add_argument("--record", action="store_true", help="append the figures to results.md")
    parser.add_argument(
        "--only", nargs="*", default=["scan", "sql", "expressions", "fused"], choices=["scan", "sql", "expressions", "fused"]
    )
    options = parser.parse_args()
    rounds = options.rounds or (5 if options.invoices < 10_000_000 else 3)
    folder = options.folder or Path(tempfile.mkdtemp(prefix="bench-refresh-"))
    try:
        _measure(folder, options.invoices, rounds, options.only, to_record=options.record)
    finally:
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)


def _measure(folder: Path, invoices: int, rounds: int, only: list[str], *, to_record: bool) -> None:
    if not (folder / "journal").exists():
        seconds = warm(lambda: make_ledger(folder, invoices))
        print(f"ledger of {invoices:,} invoices made and compacted in {seconds:.0f} s", flush=True)
    ways = Ways(folder)
    built = None
    if "fused" in only:
        if current(ways.ledger) is None:
            built = warm(lambda: ensure(ways.ledger))
            print(f"projection built in {built:.1f} s", flush=True)
        columns = ensure(ways.ledger)
        print(
            f"{int(columns.columns['invoice_start'][-1]):,} invoices, {int(columns.columns['settlement_start'][-1]):,} settlements",
            flush=True,
        )

    answers = {way: getattr(ways, way)() for way in only}  # also warms up
    rows = answers["fused"].num_rows if "fused" in only else 0
    for way in ("sql", "expressions"):
        if way in only and "fused" in only:
            print(f"fused against {way}:", differences(answers["fused"], answers[way]) or "equal", flush=True)
    del answers

    times: dict[str, list[float]] = {way: [] for way in only}
    wholes: dict[str, list[float]] = {way: [] for way in only}
    memory: dict[str, float] = dict.fromkeys(only, 0.0)
    for number in range(rounds):
        for way in only:
            times[way].append(warm(getattr(ways, way)))
        for way in only:
            seconds, peak = whole_process(ways, way, folder)
            wholes[way].append(seconds)
            memory[way] = max(memory[way], peak)
        print(f"round {number + 1} of {rounds}", {way: round(times[way][-1], 3) for way in only}, flush=True)

    label = {
        "scan": "DuckDB reads the columns and adds them up", "sql": "DuckDB, script by hand",
        "expressions": "Ibis expressions", "fused": "fused pass",
    }  # fmt: skip
    median = {way: statistics.median(times[way]) for way in only}
    lines = [
        f"## Refresh of all buyer measures, {invoices:,} invoices",
        "",
        f"{describe('duckdb', 'numba', 'numpy', 'pyarrow', 'ibis-framework')}; n = {rounds}"
        + (f"; {rows:,} rows" if rows else "")
        + (f"; projection built in {built:.1f} s" if built is not None else ""),
        "",
        "| | warm s | × script | × scan | whole process s | × script | peak GB |",
        "|---|---|---|---|---|---|---|",
    ]
    for way in only:
        ratios = [f"{statistics.median(a / b for a, b in zip(t[way], t[base], strict=True)):.3g}" if base in t else "–"
                  for t, base in ((times, "sql"), (times, "scan"), (wholes, "sql"))]  # fmt: skip
        lines.append(
            f"| {label[way]} | {median[way]:.3f} | {ratios[0]} | {ratios[1]} | {statistics.median(wholes[way]):.2f} | {ratios[2]} | {memory[way]:.2f} |"
        )
    record_times = read_records(ways.ledger, 200)
    middle, slow = statistics.median(record_times), statistics.quantiles(record_times, n=20)[18]
    lines += [
        "",
        f"A buyer's whole record read: median {middle:.1f} ms, 95th percentile {slow:.1f} ms, slowest {record_times[-1]:.1f} ms (200 buyers).",
    ]
    text = "\n".join(lines)
    print("\n" + text)
    if to_record:
        record(text)


if __name__ == "__main__":
    main()
