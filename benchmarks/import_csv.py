"""How long does it take to import a large CSV, against DuckDB's bare CSV-to-Parquet copy, and against pydantic row by row?

    python benchmarks/import_csv.py [--rows 10000000] [--runs 3] [--pydantic-rows 100000] [--settled]

Each run is a process of its own, the sides take turns, the medians of the pairwise ratios are reported. The file is an invoice list of
which 0.6 % of the rows are bad in seven ways. The bare copy knows the column types beforehand, checks nothing and drops what it cannot
read; the import recognises the file, checks everything, and leaves a committed ledger with the bad rows in quarantine. Pydantic only
checks, and keeps nothing but the bad rows; once by a plain model, and once making all checks and sums that the import makes.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

BARE = """
import duckdb, sys
con = duckdb.connect(config={"threads": 2, "preserve_insertion_order": False})
con.execute("SET enable_progress_bar = false")
con.execute(f"COPY (SELECT * FROM read_csv('{sys.argv[1]}', header=true, ignore_errors=true, columns={COLUMNS!r})) TO '{sys.argv[2]}/bare.parquet' (FORMAT parquet)")
"""
OURS = """
import sys
sys.argv[1:] = ["--ledger", sys.argv[2] + "/ledger", "--format", "json", "import", sys.argv[1]]
from duecourse.cli import entry_point
entry_point()
"""
"""What a person types: `duecourse --ledger DIR --format json import FILE`. It ends with 1, as there are lines in quarantine."""
FIELDS = """    invoice_id: str
    buyer_id: str
    issue_date: datetime.date
    due_date: datetime.date
    amount: decimal.Decimal
    currency: str
    settle_date: datetime.date | None = None
    @field_validator("invoice_id", "buyer_id")
    @classmethod
    def present(cls, value):
        if not value:
            raise ValueError("missing")
        return value
"""
PYDANTIC = (
    """
import csv, datetime, decimal, re, sys
from pydantic import BaseModel, field_validator, model_validator
class Invoice(BaseModel):
"""
    + FIELDS
    + """    @field_validator("amount")
    @classmethod
    def exact(cls, value):
        if value != round(value, 2):
            raise ValueError("inexact")
        return value
    @field_validator("currency")
    @classmethod
    def code(cls, value):
        if not re.fullmatch("[A-Z]{3}", value):
            raise ValueError("currency")
        return value
seen, good, bad = set(), 0, []
with open(sys.argv[1], newline="") as file:
    for number, row in enumerate(csv.DictReader(file), 2):
        if number > int(sys.argv[3]) + 1:
            break
        try:
            item = Invoice(**{k: v for k, v in row.items() if not (k == "settle_date" and not v)})
            if item.invoice_id in seen:
                raise ValueError("duplicate")
            seen.add(item.invoice_id)
            good += 1
        except ValueError as error:
            bad.append((number, str(error)))
"""
)

SAME_CHECKS = (
    """
import collections, csv, datetime, decimal, sys
from pydantic import BaseModel, ConfigDict, field_validator, model_validator
from duecourse.money import exponent
from duecourse.reference.currencies import CURRENCIES
STEPS = {code: decimal.Decimal(1).scaleb(-exponent(code)) for code in CURRENCIES}
EARLIEST, LATEST = datetime.date(1990, 1, 1), datetime.date(datetime.date.today().year + 10, 12, 31)
class Invoice(BaseModel):
    model_config = ConfigDict(str_strip_whitespace=True)
"""
    + FIELDS
    + """    @field_validator("issue_date", "due_date", "settle_date")
    @classmethod
    def plausible(cls, value):
        if value is not None and not EARLIEST <= value <= LATEST:
            raise ValueError("implausible")
        return value
    @field_validator("currency")
    @classmethod
    def known(cls, value):
        if value not in STEPS:
            raise ValueError("currency")
        return value
    @model_validator(mode="after")
    def exact(self):
        if self.amount % STEPS[self.currency]:
            raise ValueError("inexact")
        return self
seen, buyers, good, bad, early = set(), set(), 0, [], 0
sums, latest = collections.defaultdict(lambda: [0, decimal.Decimal(0)]), EARLIEST
with open(sys.argv[1], newline="") as file:
    for number, row in enumerate(csv.DictReader(file), 2):
        if number > int(sys.argv[3]) + 1:
            break
        try:
            item = Invoice(**{k: v for k, v in row.items() if not (k == "settle_date" and not v)})
            if item.invoice_id in seen:
                raise ValueError("duplicate")
            seen.add(item.invoice_id)
        except ValueError as error:
            bad.append((number, row, str(error)))
            continue
        good += 1
        buyers.add(item.buyer_id)
        early += item.due_date < item.issue_date
        latest = max(latest, item.issue_date)
        total = sums[item.currency]
        total[0] += 1
        total[1] += item.amount
"""
)
RIVALS = {"pydantic": PYDANTIC, "pydantic, the import's checks": SAME_CHECKS}


def generate(path: Path, rows: int, *, settled: bool) -> None:
    """The invoice list: 10 M rows are about 600 MB. Bad rows: date, amount, currency, buyer, number, decimals, repeated number."""
    import duckdb

    con = duckdb.connect(config={"threads": 2})
    con.execute(
        f"""COPY (
        WITH base AS (
            SELECT i, hash(i, 7) % 1000000 AS u, hash(i, 11) AS h, DATE '2022-01-01' + CAST(hash(i, 3) % 1400 AS INTEGER) AS issued,
                (10 + hash(i, 5) % 9999990)::BIGINT AS cents, (15 + 15 * (hash(i, 13) % 4))::INTEGER AS term,
                CAST(hash(i, 17) % 60 AS INTEGER) - 15 AS late
            FROM range({rows}) t(i)
        )
        SELECT CASE WHEN u BETWEEN 4000 AND 4999 THEN '' WHEN u BETWEEN 5000 AND 5999 AND i > 0 THEN 'INV' || lpad((i - 1)::VARCHAR, 9, '0')
                ELSE 'INV' || lpad(i::VARCHAR, 9, '0') END AS invoice_id,
            CASE WHEN u BETWEEN 3000 AND 3999 THEN '' ELSE 'C' || lpad((h % 50000)::VARCHAR, 6, '0') END AS buyer_id,
            CASE WHEN u < 1000 THEN strftime(issued, '%Y-02-31') ELSE issued::VARCHAR END AS issue_date,
            (issued + term)::VARCHAR AS due_date,
            CASE WHEN u BETWEEN 1000 AND 1999 THEN 'n/a' WHEN u BETWEEN 5500 AND 5599 THEN (cents / 100)::VARCHAR || '5'
                ELSE (cents // 100)::VARCHAR || '.' || lpad((cents % 100)::VARCHAR, 2, '0') END AS amount,
            CASE WHEN u BETWEEN 2000 AND 2999 THEN 'QQQ' ELSE ['CNY', 'USD', 'EUR'][(1 + h % 3)::BIGINT] END AS currency
            {", CASE WHEN h % 10 < 8 THEN (issued + term + late)::VARCHAR ELSE '' END AS settle_date" if settled else ""}
        FROM base ORDER BY i) TO '{path}' (FORMAT csv, HEADER true)"""
    )


def measure(code: str, *args: str) -> dict[str, float]:
    """Run a script as a process of its own: wall seconds, CPU seconds, peak memory in MB."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", code, *args], stdout=subprocess.PIPE, text=True)
    _pid, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    wall = time.perf_counter() - begin
    out = process.stdout.read() if process.stdout else ""
    if os.waitstatus_to_exitcode(status) not in (0, 1):
        raise SystemExit(f"a measured process failed with status {status}")
    del before
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "mb": usage.ru_maxrss / 1024, "out": out}


def told(answer: str) -> str:
    """What the import says it did with the file."""
    (one,) = json.loads(answer)["imports"]
    return f"{one['read']:,} read, {one['added']:,} added, {one['quarantined']:,} in quarantine"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--pydantic-rows", type=int, default=100_000)
    parser.add_argument("--settled", action="store_true", help="with a settlement date: two tables are written")
    parser.add_argument("--folder", type=Path, default=None)
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp(prefix="import-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / f"invoices-{options.rows}{'-settled' if options.settled else ''}.csv"
    if not source.exists():
        generate(source, options.rows, settled=options.settled)
    source.read_bytes()[:1]  # both sides find the file in memory
    columns = {
        "invoice_id": "VARCHAR",
        "buyer_id": "VARCHAR",
        "issue_date": "DATE",
        "due_date": "DATE",
        "amount": "DECIMAL(18,2)",
        "currency": "VARCHAR",
    }
    if options.settled:
        columns["settle_date"] = "DATE"
    bare_code = f"COLUMNS = {json.dumps(columns)}\n{BARE}"
    bare, ours = [], []
    rowwise: dict[str, list[dict[str, float]]] = {name: [] for name in RIVALS}
    for _run in range(options.runs):
        for code, figures in ((bare_code, bare), (OURS, ours)):
            target = folder / "out"
            shutil.rmtree(target, ignore_errors=True)
            target.mkdir()
            figures.append(measure(code, str(source), str(target)))
            shutil.rmtree(target)
        if options.pydantic_rows:
            for name, code in RIVALS.items():
                rowwise[name].append(measure(code, str(source), "", str(options.pydantic_rows)))
    import duckdb

    import duecourse

    def middle(figures: list[dict[str, float]], name: str) -> float:
        return statistics.median(figure[name] for figure in figures)

    ratios = [a["wall"] / b["wall"] for a, b in zip(ours, bare, strict=True)]
    cpu = [a["cpu"] / b["cpu"] for a, b in zip(ours, bare, strict=True)]
    print(
        f"file {source.stat().st_size / 1e6:.0f} MB, {options.rows:,} rows; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {platform.machine()}"
    )
    print(
        f"duecourse {duecourse.__version__}, duckdb {duckdb.__version__}, python {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}"
    )
    print(f"bare copy  {middle(bare, 'wall'):.2f} s wall, {middle(bare, 'cpu'):.2f} s CPU, {middle(bare, 'mb'):.0f} MB")
    print(
        f"import     {middle(ours, 'wall'):.2f} s wall, {middle(ours, 'cpu'):.2f} s CPU, {middle(ours, 'mb'):.0f} MB  {told(ours[-1]['out'])}"
    )
    print(
        f"ratio      {statistics.median(ratios):.2f} (from {min(ratios):.2f} to {max(ratios):.2f}) wall, {statistics.median(cpu):.2f} CPU, n={options.runs}"
    )
    line = f"| {datetime.now(UTC):%Y-%m-%d} | import {options.rows:,} rows{' with settlements' if options.settled else ''} | {middle(ours, 'wall'):.2f} s | "
    line += f"bare copy {middle(bare, 'wall'):.2f} s | {statistics.median(ratios):.2f}× |"
    scale = options.rows / max(options.pydantic_rows, 1)
    for rival, figures in rowwise.items():
        if not figures:
            continue
        times, cpu_times = (sorted(scale * a[name] / b[name] for a, b in zip(figures, ours, strict=True)) for name in ("wall", "cpu"))
        print(
            f"{rival}: {middle(figures, 'wall') / options.pydantic_rows * 1e6:.1f} µs a row ({options.pydantic_rows:,} rows measured): "
            f"{statistics.median(times):.1f} (from {times[0]:.1f} to {times[-1]:.1f}) times the import's wall, {statistics.median(cpu_times):.1f} its CPU"
        )
        line += f" {rival} {statistics.median(times):.1f}× |"
    print(line)
    if options.folder is None:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
