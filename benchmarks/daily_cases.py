"""How long does the daily run take over a hundred thousand open cases, and how much memory?

    .venv/bin/python benchmarks/daily_cases.py [--cases 100000] [--record]

Every buyer has two unpaid invoices. The first day opens all cases, the second has them open already, the third finds a tenth paid in part, a tenth
paid in full, and ten thousand promises to judge. One core; peak memory is that of the whole process.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

import machine

DUE = date(2026, 9, 1)
LANDS = ("CN", "DE", "GB", "US", "FR", "JP")


def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument("--cases", type=int, default=100_000)
    words.add_argument("--record", action="store_true")
    asked = words.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "ledger"
        os.environ |= {
            "DUECOURSE_HOME": str(Path(folder) / "home"), "DUECOURSE_LEDGER": str(place), "DJANGO_SETTINGS_MODULE": "duecourse.web.settings",
        }  # fmt: skip
        import django

        django.setup()
        import pyarrow as pa

        from duecourse.desk.opening import open_ledger
        from duecourse.ledger.entries import ENTRIES
        from duecourse.web.cases import keeping
        from duecourse.web.cases.models import Case, Promise
        from duecourse.web.migrating import migrate

        migrate()
        ledger = open_ledger(place, create=True)

        def put(name: str, rows: list[dict[str, object]]) -> None:
            entry = ENTRIES[name]
            with ledger.draft("post") as draft:
                draft.put(
                    name, pa.Table.from_pylist([{one: row.get(one) for one in entry.facts.names} for row in rows], schema=entry.facts)
                )
                draft.commit()

        buyers = [f"B{number:06d}" for number in range(asked.cases)]
        put("setting", [{"name": "base_currency", "value": '"CNY"'}])
        put(
            "buyer", [{"buyer_id": one, "name": f"Buyer {one}", "country": LANDS[number % len(LANDS)]} for number, one in enumerate(buyers)]
        )
        put(
            "invoice",
            [
                {
                    "invoice_id": f"{one}-{part}", "instalment": 1, "kind": "invoice", "buyer_id": one, "issue_date": DUE - timedelta(days=30),
                    "due_date": DUE + timedelta(days=(number + part) % 20), "amount_minor": 1_000_000 + number, "currency": "CNY",
                }
                for number, one in enumerate(buyers)
                for part in (0, 1)
            ],
        )  # fmt: skip
        first = DUE + timedelta(days=25)
        lines = [_day("all are opened", lambda: keeping.run(ledger.as_of(first)))]
        lines.append(_day("all are open", lambda: keeping.run(ledger.as_of(first + timedelta(days=1)))))
        paid = [
            {
                "settlement_id": f"S{number}-{part}", "kind": "cash", "buyer_id": buyers[number], "invoice_id": f"{buyers[number]}-{part}", "instalment": 1,
                "settle_date": first + timedelta(days=2), "amount_minor": 1_000_000 + number, "currency": "CNY",
            }
            for number in range(asked.cases // 5)
            for part in ((0,) if number % 2 else (0, 1))
        ]  # fmt: skip
        put("settlement", paid)
        Promise.objects.bulk_create(
            [
                Promise(case_id=pk, mark="m", amount_minor=500_000, currency="CNY", made_on=first, promised_on=first + timedelta(days=1))
                for pk in Case.objects.values_list("pk", flat=True)[: asked.cases // 10]
            ],
            batch_size=2000,
        )
        lines.append(_day("a tenth paid, a tenth in part, promises judged", lambda: keeping.run(ledger.as_of(first + timedelta(days=13)))))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    text = "\n".join(["| day | s | CPU s | found |", "|---|---|---|---|", *lines])
    print(f"peak {peak:.2f} GB")
    if asked.record:
        head = f"## Daily run over {asked.cases:,} open cases\n\n{machine.describe('duckdb', 'django')}; SQLite; peak {peak:.2f} GB of the whole process\n\n"
        machine.record(head + text)


def _day(name: str, work: object) -> str:
    clock, spent = time.perf_counter(), time.process_time()
    found = work()  # type: ignore[operator]
    told = ", ".join(f"{key} {value:,}" for key, value in found.items() if value)
    line = f"| {name} | {time.perf_counter() - clock:.1f} | {time.process_time() - spent:.1f} | {told} |"
    print(line, flush=True)
    return line


if __name__ == "__main__":
    main()
