"""How long does the daily run take, and the look at one buyer of whom news has come?

    .venv/bin/python benchmarks/daily_run.py [--buyers 100000] [--invoices 10000000] [--ledger DIR] [--record]

Makes a demo economy of that size, or takes a ledger that is there, and runs the last day but one and then the last, each step as the app keeps it: the
first has nothing to go by, the second finds what the first left beside the ledger. Then a signal arrives for one buyer, and it is looked at, once the
process has got ready for it as an idle worker does.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import machine


def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument("--buyers", type=int, default=100_000)
    words.add_argument("--invoices", type=int, default=10_000_000)
    words.add_argument("--ledger", type=Path)
    words.add_argument("--record", action="store_true")
    asked = words.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = asked.ledger or Path(folder) / "ledger"
        os.environ |= {
            "DUECOURSE_HOME": str(Path(folder) / "home"), "DUECOURSE_LEDGER": str(place), "DJANGO_SETTINGS_MODULE": "duecourse.web.settings",
        }  # fmt: skip
        import django

        django.setup()
        from duecourse.desk.dates import default_day
        from duecourse.desk.opening import open_ledger
        from duecourse.engines.fused import ensure
        from duecourse.samples.economy import Economy, write
        from duecourse.web.migrating import migrate
        from duecourse.web.watch import arriving, running
        from duecourse.web.watch.models import Alert, WatchHead

        migrate()
        ledger = open_ledger(place, create=asked.ledger is None)
        if asked.ledger is None:
            write(ledger, Economy(invoices=asked.invoices, buyers=asked.buyers))
            ledger.refresh()
            ledger.compact()
        ensure(ledger)
        last = default_day(ledger)
        lines = []
        for name, day in (("the first day", last - timedelta(days=1)), ("the next day", last)):
            clock, work = time.perf_counter(), time.process_time()
            running.newest_day = lambda _ledger, day=day: day
            (run,) = running.run_days(ledger)
            steps = ", ".join(f"{one.name} {one.seconds:.1f}" for one in run.steps.all())
            lines.append(f"| {name} | {time.perf_counter() - clock:.1f} | {time.process_time() - work:.1f} | {steps} |")
            print(lines[-1], flush=True)
        WatchHead.objects.update(looked_version=ledger.version)
        buyer = Alert.objects.order_by("-rank").first().buyer_id
        with ledger.draft("post", note="benchmark") as draft:
            import pyarrow as pa

            draft.put(
                "signal",
                pa.table(
                    {
                        "signal_id": [f"benchmark-{ledger.version}"],
                        "buyer_id": [buyer],
                        "kind": ["insurer_limit_cut"],
                        "published_on": [last],
                    }
                ),
            )
            draft.commit()
        ready = time.perf_counter()
        arriving.rehearse(ledger)  # as a worker's idle thread does
        lines.append(f"| getting ready | {time.perf_counter() - ready:.2f} | | |")
        print(lines[-1], flush=True)
        for name in ("one buyer, first", "one buyer, again"):
            ledger.refresh()
            WatchHead.objects.update(looked_version=ledger.version - 1)
            clock, work = time.perf_counter(), time.process_time()
            arriving.look_at_news(ledger)
            lines.append(f"| {name} | {time.perf_counter() - clock:.2f} | {time.process_time() - work:.2f} | |")
            print(lines[-1], flush=True)
        book = ledger.as_of(last)
        size = f"{book.run(book.invoice.aggregate(n=book.invoice.count())).column(0)[0]}"
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        if asked.record:
            head = f"## The daily run, {int(size):,} invoices\n\n{machine.describe('duckdb', 'django')}; peak {peak:.1f} GB\n\n"
            machine.record(head + "| | s | CPU s | steps, s |\n|---|---|---|---|\n" + "\n".join(lines))


if __name__ == "__main__":
    main()
