"""How long does it take to grade every buyer?

    .venv/bin/python benchmarks/grading.py [--buyers 1000000] [--invoices 10000000] [--accounts 0.5] [--folder DIR]

Makes a demo economy of that size with yearly accounts for a share of its buyers (two years each, drawn at random, seed fixed), then grades
everybody three times, each from the facts (no kept answer). The goal is a million buyers in less than a minute on two cores.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import time
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa

from duecourse.desk.grading import _graded
from duecourse.desk.opening import open_ledger
from duecourse.engines.fused import ensure
from duecourse.ledger.entries import STATEMENT
from duecourse.samples.economy import Economy, write

ON = date(2026, 10, 31)
ROUNDS = 3


def accounts(buyers: list[str], share: float) -> pa.Table:
    """Two years of accounts of some buyers, believable enough to be used."""
    draw = np.random.default_rng(5)
    who = np.array(buyers, object)[draw.random(len(buyers)) < share]
    parts = []
    for year in (2024, 2025):
        size = np.exp(draw.normal(17, 1.5, len(who)))
        current, owed = size * draw.uniform(0.3, 0.8, len(who)), size * draw.uniform(0.2, 1.1, len(who))
        revenue = size * draw.uniform(0.5, 2.5, len(who))
        items = {
            "cash": current * 0.2, "trade_receivables": current * 0.3, "inventories": current * 0.3, "current_assets": current, "total_assets": size,
            "current_liabilities": owed * 0.6, "long_term_debt": owed * 0.3, "total_liabilities": owed, "total_equity": size - owed,
            "retained_earnings": (size - owed) * 0.5, "revenue": revenue, "cost_of_sales": revenue * 0.8, "operating_profit": revenue * draw.normal(0.05, 0.08, len(who)),
            "net_income": revenue * draw.normal(0.02, 0.08, len(who)), "depreciation_amortisation": size * 0.04, "interest_expense": owed * 0.03,
        }  # fmt: skip
        whole = len(who)
        given = {
            "buyer_id": pa.array(who, pa.string()), "period_end": pa.repeat(pa.scalar(date(year, 12, 31)), whole),
            "period_months": pa.repeat(pa.scalar(12, pa.int32()), whole), "consolidated": pa.repeat(pa.scalar(value=False), whole),
            "published_on": pa.repeat(pa.scalar(date(year + 1, 4, 30)), whole), "audited": pa.array(draw.random(whole) < 0.5),
            "currency": pa.repeat(pa.scalar("CNY"), whole), **{name: pa.array(np.round(values * 100).astype(np.int64)) for name, values in items.items()},
        }  # fmt: skip
        parts.append(
            pa.table({field.name: given.get(field.name, pa.nulls(whole, field.type)) for field in STATEMENT.facts}, schema=STATEMENT.facts)
        )
    return pa.concat_tables(parts)


def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument("--buyers", type=int, default=1_000_000)
    words.add_argument("--invoices", type=int, default=10_000_000)
    words.add_argument("--accounts", type=float, default=0.5)
    words.add_argument("--folder", type=Path)
    asked = words.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        ledger = open_ledger(Path(folder) / "ledger", create=True)
        write(ledger, Economy(invoices=asked.invoices, buyers=asked.buyers))
        book = ledger.as_of(ON)
        buyers = book.run(book.buyer.select("buyer_id"))["buyer_id"].to_pylist()
        with ledger.draft("post", note="accounts") as draft:
            draft.put("statement", accounts(buyers, asked.accounts))
            draft.commit()
        ledger.refresh()
        ledger.compact()
        ensure(ledger)
        taken, cpu = [], []
        for _ in range(ROUNDS):
            clock, work = time.perf_counter(), time.process_time()
            found = _graded(ledger.as_of(ON))
            taken.append(time.perf_counter() - clock)
            cpu.append(time.process_time() - work)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        basis = {word: found["basis"].to_pylist().count(word) for word in ("both", "financial", "behaviour", "none")}
        print(f"{found.num_rows:,} buyers, {asked.invoices:,} invoices, accounts of {asked.accounts:.0%}: {basis}")
        print(
            f"graded in {statistics.median(taken):.1f} s ({min(taken):.1f}–{max(taken):.1f}), {statistics.median(cpu):.1f} CPU s, peak {peak:.1f} GB"
        )


if __name__ == "__main__":
    main()
