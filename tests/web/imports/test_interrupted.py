"""An import that is called off leaves nothing; one whose worker is killed is taken up again, and everything is there once."""

from __future__ import annotations

import datetime as dt
import os
import random
import signal
import subprocess
import sys
import time

import pytest
from django.db import connection
from django.urls import reverse

from duecourse.desk.importing import options_from, take_in
from duecourse.desk.opening import open_ledger
from duecourse.web import books
from duecourse.web import environment as env
from duecourse.web.imports import background
from duecourse.web.imports.receiving import place_of
from duecourse.web.imports.uploads import confirm
from duecourse.web.jobs import queue
from duecourse.web.jobs.models import JobRun
from duecourse.web.jobs.running import Cancelled, Job, carry_out
from duecourse.web.jobs.worker import drain
from support.importing import rows

pytestmark = pytest.mark.django_db(transaction=True)

COUNT = 20_000
DAY = dt.timedelta(days=1)
WORKER = """
import os
import django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = os.environ["TEST_DATABASE"]
django.setup()
from duecourse.web.jobs.worker import drain
from duecourse.web.jobs.queue import reap
from duecourse.web.jobs.registry import kinds
kinds()
import duecourse.desk.importing
import duecourse.web.imports.models
print("ready", flush=True)
reap()
drain()
"""


def big_list(count=COUNT, start=0):
    return "客户编号,客户名称,发票号,开票日期,到期日,币种,金额,未清金额\n" + "".join(
        f"C{n % 97:03d},客户{n % 97},F{start + n:06d},2025-03-{n % 28 + 1:02d},2025-05-{n % 28 + 1:02d},CNY,{n + 1}.00,{n + 1}.00\n"
        for n in range(count)
    )


def test_an_import_called_off_in_the_middle_leaves_nothing_and_can_be_confirmed_again(desk, empty_ledger):
    at = desk()
    (upload,) = at.hand_in(("未清项_2025-09-30.csv", big_list(2_000).encode()))
    at.browser.post(reverse("import_confirm", args=[upload.pk]), {"turn": 0})
    run = queue.claim()
    job = Job(run)
    told = []

    def progress(share, phase=""):
        told.append(phase)
        if share >= 0.6:
            job.stop(Cancelled)
        job.check()

    job.progress = progress
    assert carry_out(job) == "cancelled"
    assert told
    upload.refresh_from_db()
    assert upload.state == "new" and upload.was_cancelled
    assert books.ledger().version == 0
    assert rows(books.ledger(), "invoice") == []
    staged = [one for one in empty_ledger.storage.folder.glob("*/part-*") if one.parent.name != "journal"]
    assert staged == []
    at.confirm(upload)
    assert len(rows(books.ledger(), "invoice")) == 2_000


def test_a_waiting_import_is_called_off_by_its_button(desk, empty_ledger):
    at = desk()
    (upload,) = at.hand_in(("未清项_2025-09-30.csv", big_list(10).encode()))
    at.browser.post(reverse("import_confirm", args=[upload.pk]), {"turn": 0})
    at.browser.post(reverse("import_cancel", args=[upload.pk]))
    assert drain() == 0
    upload.refresh_from_db()
    assert upload.was_cancelled
    assert books.ledger().version == 0


def test_a_worker_that_died_after_the_ledger_was_written_gives_the_same_result(desk, empty_ledger):
    at = desk()
    (upload,) = at.hand_in(("未清项_2025-09-30.csv", big_list(500).encode()))
    at.browser.post(reverse("import_confirm", args=[upload.pk]), {"turn": 0})
    upload.refresh_from_db()
    options = options_from(upload.options, by=upload.by.username, mark=upload.mark)
    first = take_in(open_ledger(env.LEDGER), place_of(upload.sha256), upload.name, options)[0]
    drain()  # the run of the dead worker, taken up again
    upload.refresh_from_db()
    (result,) = upload.outcomes
    assert result.batch_id == first.batch_id
    assert result.added == first.added
    assert (result.read, result.quarantined, result.totals) == (first.read, first.quarantined, first.totals)
    assert [one.code for one in result.findings] == [one.code for one in first.findings]
    assert len([row for row in books.ledger().journal() if row.kind == "import"]) == 1


def kill_at_random_points(desk, empty_ledger, rounds):
    """Each round an import whose worker is killed somewhere, until one comes through; then the next."""
    random.seed(20261125)
    at = desk()
    environment = os.environ | {
        "DUECOURSE_LEDGER": str(env.LEDGER),
        "DUECOURSE_HOME": str(env.HOME),
        "TEST_DATABASE": str(connection.settings_dict["NAME"]),
    }
    first, kills, turn = dt.date(2025, 9, 1), 0, 0
    while kills < rounds:
        turn += 1
        (upload,) = at.hand_in((f"未清项_{first + (turn - 1) * DAY}.csv", big_list(COUNT // 10, start=turn * COUNT).encode()))
        at.browser.post(reverse("import_confirm", args=[upload.pk]), {"turn": 0, "completeness_only": "partial"})
        for _ in range(4):
            process = subprocess.Popen([sys.executable, "-c", WORKER], stdout=subprocess.PIPE, env=environment)
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(random.uniform(0.0, random.choice((0.5, 1.5, 4.0))))  # soon after the start, or anywhere
            alive = process.poll() is None
            process.send_signal(signal.SIGKILL)
            process.wait()
            process.stdout.close()
            kills += alive
            upload.refresh_from_db()
            if JobRun.objects.get(pk=upload.run_id).finished:
                break
        give_up = time.monotonic() + 120
        while not JobRun.objects.get(pk=upload.run_id).finished and time.monotonic() < give_up:
            queue.reap()
            if not drain():
                time.sleep(0.5)  # a database that was recovering from the kill: tried again shortly
        upload.refresh_from_db()
        assert upload.state == "done", f"{upload.run.error} {upload.run.error_detail}"
    ledger = books.ledger()
    invoices = rows(ledger, "invoice")
    assert len(invoices) == turn * (COUNT // 10)
    assert sum(row["amount_minor"] for row in invoices) == turn * sum(100 * (n + 1) for n in range(COUNT // 10))
    imports = [row for row in ledger.journal() if row.kind == "import"]
    assert len(imports) == turn
    assert sum(row.counts["invoice"]["added"] for row in imports) == len(invoices)
    assert {row["snapshot_date"] for row in rows(ledger, "snapshot")} == {first + number * DAY for number in range(turn)}


def test_a_killed_worker_loses_and_doubles_nothing(desk, empty_ledger):
    kill_at_random_points(desk, empty_ledger, rounds=3)


@pytest.mark.long
def test_a_killed_worker_loses_and_doubles_nothing_fifty_times(desk, empty_ledger):
    kill_at_random_points(desk, empty_ledger, rounds=50)


def test_confirming_is_guarded_by_the_turn(desk, empty_ledger, rf):
    at = desk()
    (upload,) = at.hand_in(("a.csv", big_list(3).encode()))
    request = rf.post("/")
    request.user = upload.by
    assert confirm(request, upload, 0)
    assert not confirm(request, upload, 0)
    assert background.KEPT_DAYS == 7
