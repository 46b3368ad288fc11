"""Outside feeds in the background: each by a run of its own, one that is down tried again, and the run says why."""

from __future__ import annotations

import datetime as dt

import pytest

from duecourse.desk import feeds as desk
from duecourse.desk.opening import opened_again
from duecourse.intake.feeds import Feed
from duecourse.web import environment as env
from duecourse.web.jobs.models import JobRun
from duecourse.web.jobs.queue import claim, enqueue
from duecourse.web.jobs.registry import timetables
from duecourse.web.jobs.running import Job, carry_out
from support.feeding import BUYERS, FIXTURES, Press
from support.ledgers import add


@pytest.fixture
def press(db, own_ledger, monkeypatch):
    made = Press((FIXTURES / "news.rss").read_bytes())
    add(own_ledger, BUYERS, "buyer")
    monkeypatch.setattr(env, "WEBHOOK_NETWORKS", ["127.0.0.0/8"])
    yield made
    made.end()


def worked():
    while run := claim():
        carry_out(Job(run))


def last(name):
    return JobRun.objects.filter(name=name).order_by("-pk").first()


def signals(ledger):
    book = opened_again(ledger).as_of(dt.date.max)
    return [row for row in book.run(book.signal).to_pylist() if row["provider"] == "press"]


def test_every_half_hour_each_feed_is_asked_and_one_that_is_down_again(own_ledger, press):
    assert "evidence.feeds" in timetables()
    desk.add(own_ledger, Feed("press", "news", press.url))
    desk.add(own_ledger, Feed("handed in", "news"))
    press.mode = "down"
    enqueue("evidence.feeds", key="now")
    worked()
    run = last("evidence.feed")
    assert (run.status, run.error_code, run.failures) == ("waiting", "feed_down", 1)
    assert "503" in run.error
    assert not signals(own_ledger)
    press.mode = "ok"
    JobRun.objects.filter(pk=run.pk).update(run_after=run.started_at)
    worked()
    run.refresh_from_db()
    assert run.status == "done"
    assert run.result["signal"] == 2
    enqueue("evidence.feeds", key="half an hour later")
    worked()
    assert JobRun.objects.filter(name="evidence.feed").count() == 2
    assert len(signals(own_ledger)) == 2


def test_what_will_not_pass_fails_at_once(own_ledger, press):
    press.content = b"<html/>"
    desk.add(own_ledger, Feed("press", "news", press.url))
    enqueue("evidence.feed", name="press")
    worked()
    run = last("evidence.feed")
    assert (run.status, run.error_code) == ("failed", "feed_unreadable")
