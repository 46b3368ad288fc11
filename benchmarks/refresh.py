"""How long does the refresh of all buyer measures take, and the reading of one buyer's whole record?

    python benchmarks/refresh.py [--invoices 1000000] [--rounds 5] [--folder DIR] [--keep] [--record] [--only fused]

A ledger is generated, compacted, and refreshed as of a day on which a tenth of its events still lie ahead, in four ways: DuckDB reading
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
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from duecourse.engines.duckdb import DuckDBEngine, select_files
from duecourse.engines.fused import ensure, refresh
from duecourse.ledger.engine import ParquetFiles
from duecourse.ledger.entries import INVOICE, SETTLEMENT
from duecourse.ledger.store import Ledger
from machine import cores, describe, record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

START = date(2023, 1, 1)
DAYS = 1096
ON = START + timedelta(days=986)
CURRENCIES = ("CNY", "USD", "EUR", "GBP")
SCRIPT = (Path(__file__).parent / "refresh.sql").read_text(encoding="utf-8")
SCAN = {
    "invoice": ("buyer_id", "currency", "invoice_id", "instalment", "issue_date", "due_date", "amount_minor"),
    "settlement": ("buyer_id", "currency", "invoice_id", "instalment", "kind", "settle_date", "amount_minor"),
}


# The ledger


def _text(prefix: str, numbers: np.ndarray) -> pa.Array:
    digits = pc.utf8_lpad(pc.cast(pa.array(numbers), pa.string()), 9, "0")
    return pc.binary_join_element_wise(prefix, digits, "")


def _chosen(choices: tuple[str, ...], index: np.ndarray) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(index, pa.int8()), pa.array(choices)).cast(pa.string())


def economy(invoices: int, seed: int = 7) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
    """Invoices and settlements of some buyers at a time, by buyer and date; a hundred invoices a buyer on average, sizes by Zipf's law.

    Of the invoices 93 % are paid, 12 % of those in two parts and 2 % with a deduction, each buyer with a lateness of its own; 1 % of the
    payments are not applied to an invoice.
    """
    buyers = max(invoices // 100, 10)
    weight = (np.random.default_rng(seed).permutation(buyers) + 10.0) ** -0.8
    sizes = np.maximum(np.round(weight / weight.sum() * invoices), 1).astype(np.int64)
    ends = np.cumsum(sizes)
    at = 0
    while at < buyers:
        to = max(int(np.searchsorted(ends, (ends[at - 1] if at else 0) + 1_000_000)), at + 1)
        yield _some(np.arange(at, to), sizes[at:to], int(ends[at] - sizes[at]), np.random.default_rng((seed, at)))
        at = to


def _some(buyers: np.ndarray, sizes: np.ndarray, first: int, random: np.random.Generator) -> tuple[pa.RecordBatch, pa.RecordBatch]:
    n = int(sizes.sum())
    local = np.repeat(np.arange(len(buyers)), sizes)
    issue = np.sort(local * DAYS + random.integers(0, DAYS, n)) % DAYS
    terms = random.choice([30, 45, 60, 90], len(buyers))[local]
    habit = random.gamma(2.0, 5.0, len(buyers))[local] - 3
    amount = np.round(np.exp(random.normal(12.5, 1.3, n))).astype(np.int64) + 100
    currency = np.where(random.random(n) < 0.03, random.integers(0, 4, n), random.integers(0, 4, len(buyers))[local]).astype(np.int8)
    number = first + np.arange(n)
    bills = {
        "invoice_id": _text("I", number), "instalment": np.ones(n, np.int32), "kind": pa.repeat(pa.scalar("invoice"), n),
        "buyer_id": _text("B", buyers[local]), "issue_date": _date(issue), "due_date": _date(issue + terms), "amount_minor": amount,
        "currency": _chosen(CURRENCIES, currency), "payment_terms_days": terms.astype(np.int32),
    }  # fmt: skip

    paid = np.flatnonzero(random.random(n) < 0.93)
    part = random.random(len(paid)) < 0.12
    short = random.random(len(paid)) < 0.02
    day = np.maximum(issue + terms + np.round(random.normal(habit, 6)).astype(np.int64), issue)
    deducted = np.where(short, amount[paid] // 20, 0)
    half = np.where(part, (amount[paid] - deducted) // 2, 0)
    rows = np.concatenate([paid, paid[part], paid[short]])
    value = np.concatenate([amount[paid] - deducted - half, half[part], deducted[short]])
    when = np.concatenate([day[paid], day[paid][part] + random.integers(5, 40, int(part.sum())), day[paid][short]])
    kind = np.concatenate([np.zeros(len(paid), np.int8), np.zeros(int(part.sum()), np.int8), np.ones(int(short.sum()), np.int8)])
    order = np.argsort(local[rows] * 10_000 + when, kind="stable")
    rows, value, when, kind = rows[order], value[order], when[order], kind[order]
    loose = random.random(len(rows)) < 0.01
    m = len(rows)
    name = pc.binary_join_element_wise(_text("S", number[rows]), _text("", np.arange(m)), "-")
    postings = {
        "settlement_id": name, "kind": _chosen(("cash", "deduction"), kind), "buyer_id": _text("B", buyers[local[rows]]),
        "invoice_id": pc.if_else(pa.array(loose), pa.scalar(None, pa.string()), _text("I", number[rows])),
        "instalment": pa.array(np.ones(m, np.int32), mask=loose), "settle_date": _date(when), "inferred": np.zeros(m, bool),
        "amount_minor": value, "currency": _chosen(CURRENCIES, currency[rows]),
    }  # fmt: skip
    return pa.RecordBatch.from_pydict(bills), pa.RecordBatch.from_pydict(postings)


def _date(days: np.ndarray) -> pa.Array:
    return pa.array((days + (START - date(1970, 1, 1)).days).astype(np.int32)).cast(pa.date32())


def make_ledger(folder: Path, invoices: int) -> Ledger:
    """The generated ledger, compacted."""
    ledger = Ledger.open(folder, engine=DuckDBEngine(memory_limit="8GB"), create=True)
    with ledger.draft("import", note="generated") as draft:
        for bills, postings in economy(invoices):
            draft.put("invoice", pa.Table.from_batches([bills]))
            draft.put("settlement", pa.Table.from_batches([postings]))
        draft.commit()
    ledger.compact()
    return ledger


# The four ways


def _files(ledger: Ledger, entry_name: str) -> str:
    rows, _corrected = ledger.rows_of({"invoice": INVOICE, "settlement": SETTLEMENT}[entry_name])
    assert isinstance(rows, ParquetFiles)
    return select_files(rows)


class Ways:
    """Each way as a function that takes nothing; opened once, so that a second call is a warm one."""

    def __init__(self, folder: Path, memory_limit: str = "14GB") -> None:
        self.ledger = Ledger.open(folder, engine=DuckDBEngine(memory_limit=memory_limit))
        self.book = self.ledger.as_of(ON)
        self.memory_limit = memory_limit

    def _views(self) -> duckdb.DuckDBPyConnection:
        settings = {
            "threads": cores(),
            "memory_limit": self.memory_limit,
            "preserve_insertion_order": False,
            "temp_directory": tempfile.gettempdir(),
        }
        con = duckdb.connect(config=settings)
        for name in SCAN:
            con.execute(f"CREATE VIEW {name} AS {_files(self.ledger, name)}")
        return con

    def scan(self) -> object:
        """Read every column the job needs and add it up."""
        with self._views() as con:
            for name, columns in SCAN.items():
                sums = ", ".join(
                    f"sum({c})"
                    if c in ("amount_minor", "instalment")
                    else f"sum({c} - DATE '2000-01-01')"
                    if c.endswith("date")
                    else f"max({c})"
                    for c in columns
                )
                con.execute(f"SELECT {sums} FROM {name}").fetchall()
        return None

    def sql(self) -> pa.Table:
        """The script by hand."""
        with self._views() as con:
            for statement in con.extract_statements(SCRIPT):
                con.execute(statement, {"on": ON} if "on" in statement.named_parameters else None)
            return con.sql("SELECT * FROM refreshed").to_arrow_table()

    def expressions(self) -> pa.Table:
        """The definition."""
        return refresh(self.book, engine="expressions")

    def fused(self) -> pa.Table:
        """The fused pass."""
        return refresh(self.book, engine="fused")


ONE = """
import sys, time, json, resource
begin = time.perf_counter()
sys.path.insert(0, sys.argv[1])
from pathlib import Path
way, folder = sys.argv[2], Path(sys.argv[3])
import refresh
getattr(refresh.Ways(folder), way)()
print(json.dumps({"rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}))
"""
FUSED_ONLY = """
import sys, json, resource
from datetime import date
from duecourse.engines.duckdb import DuckDBEngine
from duecourse.engines.fused import refresh
from duecourse.ledger.store import Ledger
refresh(Ledger.open(sys.argv[3], engine=DuckDBEngine()).as_of(date.fromisoformat(sys.argv[4])), engine="fused")
print(json.dumps({"rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}))
"""


def whole_process(way: str, folder: Path) -> tuple[float, float]:
    """Seconds from start to end of a process, and its peak memory in GB."""
    program = FUSED_ONLY if way == "fused" else ONE
    begin = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", program, str(Path(__file__).parent), way, str(folder), ON.isoformat()],
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.perf_counter() - begin
    if done.returncode:
        sys.exit(done.stderr)
    return seconds, json.loads(done.stdout)["rss"] / (1 << 20)


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


def read_records(ledger: Ledger, count: int) -> tuple[float, float]:
    """Milliseconds to read a random buyer's whole record: median and 95th percentile."""
    rows, _corrected = ledger.rows_of(INVOICE)
    assert isinstance(rows, ParquetFiles)
    buyers = duckdb.sql(f"SELECT DISTINCT buyer_id FROM ({select_files(rows)}) ORDER BY hash(buyer_id) LIMIT {count + 5}").fetchall()
    times = [warm(lambda buyer=buyer: ledger.record(buyer)) for (buyer,) in buyers]
    times = [1000 * seconds for seconds in times[5:]]
    return statistics.median(times), statistics.quantiles(times, n=20)[18]


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
            seconds, peak = whole_process(way, folder)
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
        + (f"; {rows:,} rows; projection built in {built:.1f} s" if built is not None else ""),
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
    if hasattr(ways.ledger, "record"):
        middle, slow = read_records(ways.ledger, 200)
        lines += ["", f"A buyer's whole record read: median {middle:.1f} ms, 95th percentile {slow:.1f} ms (200 random buyers)."]
    text = "\n".join(lines)
    print("\n" + text)
    if to_record:
        record(text)


if __name__ == "__main__":
    main()
