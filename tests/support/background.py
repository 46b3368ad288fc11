"""Imports done in the background by workers of a nursery, and what must be true of them afterwards."""

from __future__ import annotations

import datetime as dt
import time

from support.importing import invoices, new_ledger, write_csv
from support.serving import kill

ROWS = 200

ASK = """
import django
from duecourse.web.jobs.queue import enqueue
result = [enqueue("test.take_in", key=path, path=path).pk for path in {paths!r}]
"""
STATE = """
from duecourse.web.jobs.models import JobRun
result = [[run.status, run.losses, run.failures, run.error, run.error_detail] for run in JobRun.objects.filter(name="test.take_in").order_by("id")]
"""


def files(folder, count, rows=ROWS):
    """So many exports, each with invoices of its own."""
    day = dt.date(2026, 1, 10)
    return [
        str(
            write_csv(
                folder / f"export-{number}.csv",
                [
                    {
                        "Invoice number": f"F{number}-{line}", "Customer number": f"C{line % 7}", "Invoice date": day.isoformat(),
                        "Due date": (day + dt.timedelta(days=30)).isoformat(), "Amount": f"{line + 1}.00", "Currency": "EUR",
                    }
                    for line in range(rows)
                ],
            )
        )
        for number in range(count)
    ]  # fmt: skip


def postgres_of_its_own(*, empty=False):
    """A fresh PostgreSQL where the tests run on one; None where they run on SQLite. `empty`: not migrated yet."""
    from django.db import connection

    if connection.vendor == "sqlite":
        return None
    from support.postgres import Postgres

    return Postgres(empty=empty)


def finish(nursery, seconds=240):
    """Let a worker do what is left; the runs as they ended."""
    worker = nursery.worker()
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        state = nursery.run(STATE)
        if state and all(one[0] in ("done", "failed", "cancelled") for one in state):
            break
        time.sleep(0.2)
    kill(worker, 15)
    return state


def everything_once(place, paths):
    """Each invoice of each file is in the ledger, once, and each file came in by one batch."""
    ledger = new_ledger(place / "ledger")
    expected = {(f"F{number}-{line}", 1) for number in range(len(paths)) for line in range(ROWS)}
    found = invoices(ledger)
    assert {key[0] for key in found} == {key[0] for key in expected}
    assert len(found) == len(expected)
    brought = [row.file_sha256 for row in ledger.journal() if row.kind == "import"]
    assert len(brought) == len(set(brought)) == len(paths)
