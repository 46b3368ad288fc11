"""How long do the forty early-warning indicators take, of everybody and of one buyer?

    .venv/bin/python benchmarks/indicators.py [--buyers 20000] [--invoices 2000000] [--folder DIR]

Makes a demo economy of that size (or takes the ledger in DIR, if there is one), then works out all indicators as of three month ends, each from the
facts, and the view of thirty buyers with their evidence. Processor seconds are told beside the clock's: a busy machine changes those less.
"""

from __future__ import annotations

import argparse
import random
import resource
import statistics
import tempfile
import time
from datetime import date
from pathlib import Path

import machine
from duecourse.desk.indicator_view import indicators_of
from duecourse.desk.indicators import scored
from duecourse.desk.opening import open_ledger
from duecourse.engines.fused import ensure
from duecourse.samples.economy import Economy, write

DAYS = (date(2026, 8, 31), date(2026, 9, 30), date(2026, 10, 31))
ONES = 30


def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument("--buyers", type=int, default=20_000)
    words.add_argument("--invoices", type=int, default=2_000_000)
    words.add_argument("--folder", type=Path)
    asked = words.parse_args()
    with tempfile.TemporaryDirectory() as made:
        place = asked.folder or Path(made) / "ledger"
        if place.exists():
            ledger = open_ledger(place)
        else:
            ledger = open_ledger(place, create=True)
            write(ledger, Economy(invoices=asked.invoices, buyers=asked.buyers))
            ledger.refresh()
            ledger.compact()
        ensure(ledger)
        scored(ledger.as_of(date(2026, 7, 31)))  # compiles what is compiled once
        taken, cpu = [], []
        for on in DAYS:
            clock, work = time.perf_counter(), time.process_time()
            found = scored(ledger.as_of(on))
            taken.append(time.perf_counter() - clock)
            cpu.append(time.process_time() - work)
        print(machine.describe())
        print(
            f"{found.num_rows:,} active buyers: {statistics.median(taken):.1f} s ({min(taken):.1f}–{max(taken):.1f}), {statistics.median(cpu):.1f} CPU s, "
            f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GB"
        )
        book = ledger.as_of(DAYS[-1])
        buyers = random.Random(1).sample(found["buyer_id"].to_pylist(), ONES)
        ones, work = [], 0.0
        for number, buyer in enumerate(buyers):
            if number == 3:
                work = time.process_time()
            clock = time.perf_counter()
            indicators_of(book, buyer)
            ones.append(time.perf_counter() - clock)
        each = (time.process_time() - work) / (ONES - 3)
        warm = sorted(ones[3:])
        print(
            f"one buyer with evidence: median {statistics.median(warm):.2f} s, slowest {warm[-1]:.2f} s, {each:.2f} CPU s (first of all {ones[0]:.2f} s)"
        )


if __name__ == "__main__":
    main()
