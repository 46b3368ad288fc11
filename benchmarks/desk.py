"""How much work is one page's answer, without the web around it, on a large ledger?

    python benchmarks/desk.py --folder DIR [--record]

The functions behind the pages, each with other arguments every time, on a ledger that has been made ready. `cpu` is the processor time
of the thread that answers, which other work on the machine lengthens only a little; `wall` the time that passed.
Without a ledger in the folder one of --invoices and --buyers is made.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from pathlib import Path

from duecourse.desk.buyer_page import buyer_page, events
from duecourse.desk.dashboard import dashboard, served, warm
from duecourse.desk.dates import default_day
from duecourse.desk.groups import list_groups
from duecourse.desk.invoices import SORTS, InvoicesQuery, list_invoices
from duecourse.desk.listing import BuyersQuery, facets, list_buyers
from duecourse.desk.opening import open_ledger
from duecourse.desk.standing import standing
from duecourse.samples.economy import Economy, write
from machine import describe, record

TEXTS = ("gmbh", "鼎", "co", "上海", "schmidt", "91310", "华", "mécanique", "电子", "tex", "00100", "ltd", "steel")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--invoices", type=int, default=10_000_000)
    parser.add_argument("--buyers", type=int, default=1_000_000)
    parser.add_argument("--record", action="store_true", help="append the figures to results.md")
    options = parser.parse_args()
    ledger = open_ledger(options.folder, create=True, memory_limit="6GB")
    if not ledger.version:
        write(ledger, Economy(invoices=options.invoices, buyers=options.buyers))
        ledger.compact()
    began = time.perf_counter()
    warm(ledger)
    made = time.perf_counter() - began
    book = served(ledger).ledger.as_of(default_day(ledger))
    columns = standing(book)
    rng = random.Random(4)
    numbers = columns.rows.column("buyer_id")
    ids = [numbers[place].as_py() for place in rng.sample(range(columns.count), min(100, columns.count))]
    largest = [numbers[int(place)].as_py() for place in columns.order("outstanding", descending=True)[:3]]

    def buyers(turn: int) -> BuyersQuery:
        fields = (("countries", "country"), ("sectors", "sector"), ("currencies", "currency"))
        chosen = {name: frozenset([rng.choice(columns.words[column])]) for name, column in fields if rng.random() < 0.3}
        limits = {"outstanding": rng.choice([10**4, 10**6, 10**7]) + turn} if rng.random() < 0.3 else {}
        text = rng.choice(TEXTS) + rng.choice(["", "a", "e"]) if rng.random() < 0.6 else ""
        return BuyersQuery(
            text=text, at_least=limits, sort=rng.choice(["overdue", "outstanding", "name"]), offset=rng.choice([0, 0, 50, 20_000]), **chosen
        )

    def invoices(_turn: int) -> InvoicesQuery:
        return InvoicesQuery(
            state=rng.choice(["", "open", "overdue", "paid", "disputed"]), text=rng.choice(["", "", "123", "9999"]), sort=rng.choice(SORTS),
            at_least=rng.choice([None, 10**6]), offset=rng.choice([0, 50, 1_000]),
        )  # fmt: skip

    cases = {
        "dashboard, made ready": (lambda _turn: dashboard(book), 40),
        "list of buyers, any search, filter, order and page": (lambda turn: list_buyers(book, buyers(turn)), 150),
        "counts for its filter menus": (lambda turn: facets(book, buyers(turn)), 60),
        "one buyer": (lambda turn: buyer_page(book, ids[turn % len(ids)]), 80),
        "what happened with it": (lambda turn: events(book, ids[turn % len(ids)]), 80),
        "the three largest buyers": (lambda turn: buyer_page(book, largest[turn % len(largest)]), 6),
        "list of invoices, any filter, order and page": (lambda turn: list_invoices(book, invoices(turn)), 100),
        "groups, by a part of the name": (lambda turn: list_groups(book, text=f"s{turn}"), 20),
    }
    lines = [
        f"## Answers behind the pages, {options.invoices:,} invoices, {columns.count:,} buyers and currencies",
        "",
        f"{describe('numpy', 'numba', 'pyarrow', 'duckdb')}; made ready in {made:.0f} s",
        "",
        "| | n | cpu ms: median | p95 | wall ms: median | p95 |",
        "|---|---|---|---|---|---|",
    ]
    for name, (work, count) in cases.items():
        work(0)
        cpu, wall = [], []
        for turn in range(count):
            began, used = time.perf_counter(), time.thread_time()
            work(turn)
            cpu.append(1000 * (time.thread_time() - used))
            wall.append(1000 * (time.perf_counter() - began))
        far = max(int(count * 0.95) - 1, 0)
        figures = [statistics.median(cpu), sorted(cpu)[far], statistics.median(wall), sorted(wall)[far]]
        lines.append(f"| {name} | {count} | " + " | ".join(f"{figure:.1f}" for figure in figures) + " |")
    text = "\n".join(lines)
    print(text)
    if options.record:
        record(text)


if __name__ == "__main__":
    main()
