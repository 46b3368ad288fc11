"""A ledger that gathers many small files is put in order by itself, once each time."""

from __future__ import annotations

import pytest

from duecourse.desk import upkeep
from duecourse.web.jobs.background import after_change
from duecourse.web.jobs.models import DONE, JobRun
from duecourse.web.jobs.queue import claim
from duecourse.web.jobs.running import Job, carry_out
from support.ledgers import add, invoice

pytestmark = pytest.mark.django_db


def test_many_small_files_are_put_in_order_by_day(own_ledger, monkeypatch):
    monkeypatch.setattr(upkeep, "MANY", 4)
    for number in range(4):
        add(own_ledger, [invoice(number)])
    for _ in range(2):
        after_change()
    run = JobRun.objects.get(name="jobs.tidy")
    JobRun.objects.exclude(pk=run.pk).delete()
    carry_out(Job(claim()))
    run.refresh_from_db()
    assert (run.status, run.result["done"]) == (DONE, True)
    own_ledger.refresh()
    assert own_ledger.journal()[-1].kind == "compact"
    after_change()
    assert JobRun.objects.filter(name="jobs.tidy").count() == 1
