"""A day is run once, in order, by one, and goes on where it was left."""

from __future__ import annotations

import random
import threading
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from duecourse.desk import daily_run
from duecourse.desk.daily_run import STEPS, DayPastError, DayToComeError, days_to_run
from duecourse.web.notices.models import Notice
from duecourse.web.watch import lease, running
from duecourse.web.watch.lease import HeldElsewhere, Lease, LeaseLost
from duecourse.web.watch.models import Alert, DayRun, DayStep, RunLease, WatchHead
from duecourse.web.watch.running import DayRunElsewhereError
from support.background import postgres_of_its_own
from support.days import BUYERS, FIRST, Days, cheap, looked, run_to, state
from support.serving import Nursery, kill

pytestmark = pytest.mark.django_db


def test_days_that_were_missed_come_in_order_and_none_twice(person):
    person("credit_manager")
    assert [one.on for one in run_to(0)] == [FIRST]
    assert run_to(0) == []
    assert [one.on for one in run_to(4)] == [FIRST + timedelta(days=number) for number in range(1, 5)]
    assert all([step.name for step in one.steps.all()] == list(STEPS) for one in DayRun.objects.all())
    before = state()
    assert run_to(4) == []
    assert state() == before
    assert WatchHead.objects.get().last_day == FIRST + timedelta(days=4)
    assert days_to_run(None, FIRST) == [FIRST]
    assert days_to_run(FIRST, FIRST) == []


def test_a_day_before_and_a_day_to_come_are_refused(db):
    run_to(3)
    with pytest.raises(DayPastError):
        run_to(3, on=FIRST - timedelta(days=1))
    with pytest.raises(DayToComeError):
        run_to(3, on=FIRST + timedelta(days=9))
    assert run_to(3, on=FIRST + timedelta(days=3)) == []


def test_a_run_that_stopped_goes_on_where_it_was(db, monkeypatch):
    calls = []

    def graded(book):
        calls.append("grades")
        from support.days import graded as fake

        return fake(book)

    def stumbling(book, live, fallen=()):
        calls.append("warnings")
        if calls.count("warnings") == 1:
            raise OSError("the disk")
        return looked(book, live, fallen)

    with cheap(FIRST):
        monkeypatch.setattr(daily_run, "looked_at_all", stumbling)
        monkeypatch.setattr(daily_run, "graded", graded)
        with pytest.raises(OSError, match="the disk"):
            running.run_days(Days())
        row = DayRun.objects.get()
        assert (row.state, row.fault) == ("stopped", "OSError")
        assert set(DayStep.objects.values_list("name", flat=True)) == {"refresh", "grades"}
        assert RunLease.objects.get().owner == ""
        assert [one.state for one in running.run_days(Days())] == ["done"]
    assert [name for name in calls if name == "warnings"] == ["warnings"] * 2


def test_one_run_at_a_time(db):
    with Lease(), pytest.raises(DayRunElsewhereError):
        run_to(0)
    assert len(run_to(0)) == 1


def test_a_lease_is_free_when_its_holder_is_dead_or_silent_and_whoever_lost_it_writes_nothing(db):
    RunLease.objects.create(pk=1, owner="0123:pid:[1]/999999/5", until=timezone.now() + timedelta(hours=1), fence=4)
    with pytest.raises(HeldElsewhere), Lease():
        pass  # of another machine: nobody here can say that it is dead
    RunLease.objects.update(until=timezone.now() - timedelta(seconds=1))
    with Lease() as first:
        assert first.fence == 5
        RunLease.objects.update(until=timezone.now() - timedelta(seconds=1))
        with Lease() as second:
            second.check()
            with pytest.raises(LeaseLost):
                first.check()
        assert RunLease.objects.get().fence == 6


def test_a_lease_is_kept_while_its_holder_works(db, monkeypatch):
    monkeypatch.setattr(lease, "BEAT_SECONDS", 0.01)
    with Lease():
        RunLease.objects.update(until=timezone.now())
        if connection.vendor == "postgresql":
            return  # the heartbeat's own connection sees nothing of this test's transaction
        give_up = time.monotonic() + 5
        while RunLease.objects.get().until < timezone.now() + timedelta(seconds=30) and time.monotonic() < give_up:
            time.sleep(0.01)


@pytest.mark.django_db(transaction=True)
def test_two_machines_run_each_day_once(person):
    person("credit_manager")
    errors, done = [], []

    def work():
        try:
            for day in range(4):
                try:
                    done.extend(one.on for one in running.run_days(Days(), on=FIRST + timedelta(days=day)))
                except DayRunElsewhereError:
                    time.sleep(0.01)
        except BaseException as error:  # noqa: BLE001 — told to the test
            errors.append(error)
        finally:
            connection.close()

    with cheap(FIRST + timedelta(days=9)):
        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not errors
    assert len(done) == len(set(done))
    run_to(3)
    assert DayRun.objects.count() == 4
    assert set(DayRun.objects.values_list("state", flat=True)) == {"done"}
    assert DayStep.objects.count() == 4 * len(STEPS)
    assert Notice.objects.filter(kind="alert_opened").count() == Alert.objects.count()


# --- kill -9 --------------------------------------------------------------------------------------------------------------------------------

SET_UP = """
from duecourse.web.accounts.models import Person
Person.objects.create(username="anna", email="anna@example.com", role="credit_manager", language="en")
Person.objects.create(username="bo", email="bo@example.com", role="credit_analyst", language="en")
"""
RUN = """
from support.days import run_to
from duecourse.web.watch.running import DayRunElsewhereError
try:
    result = [str(one.on) for one in run_to({day})]
except DayRunElsewhereError:
    result = "elsewhere"
"""
STATE = "from support.days import state\nresult = state()"
LOADS = {"NURSERY_LOADS": "support.days duecourse.web.watch.running"}


def ended(nursery, day):
    """Run the days up to this one to their end: what stumbles (a busy machine's database that does not answer in time) is tried again, as its job would."""
    for _ in range(100):
        if isinstance(nursery.run(RUN.format(day=day)), list):
            return
        time.sleep(0.1)
    raise AssertionError(f"the days up to {day} do not come to their end")


def killed(place, rounds, days, seed):
    """Run `days` days with so many kills, two processes at a time now and then; what they made."""
    chance = random.Random(seed)
    postgres = postgres_of_its_own()
    (place / "home").mkdir(parents=True)
    (place / "ledger").mkdir()
    both = [Nursery(place / "home", place / "ledger", postgres.url if postgres else "", **LOADS) for _ in range(2)]
    first, second = both
    try:
        first.run(SET_UP)
        begun = False
        for number in range(rounds):
            day = days * number // max(rounds, 1)
            if day and not begun:  # who has run no day at all begins with the newest
                ended(second, 0)
                begun = True
            code = RUN.format(day=day)
            busy = [(one, one._order(do="run", code=code)) for one in (both if chance.random() < 0.3 else [first])]
            time.sleep(chance.choice([chance.uniform(0.0, 0.03), chance.uniform(0.0, 0.15), chance.uniform(0.0, 0.6)]))
            for one, pid in busy:
                kill(pid)
                one.process.stdout.readline()
        for day in (0, days):
            ended(second, day)
        return second.run(STATE)
    finally:
        for one in both:
            one.end()


def ideal(place, days):
    """The same days without a kill."""
    return killed(place, 0, days, 0)


def test_days_whose_runs_are_killed_end_as_if_they_had_not_been(tmp_path):
    assert killed(tmp_path / "killed", 10, 3, 1) == ideal(tmp_path / "ideal", 3)


@pytest.mark.long
def test_days_whose_runs_are_killed_five_hundred_times_end_as_if_they_had_not_been(tmp_path):
    found = killed(tmp_path / "killed", 500, 60, 2)
    assert found == ideal(tmp_path / "ideal", 60)
    assert len(found["alerts"]) >= BUYERS  # each has had one, a second only after the first was closed
    assert len(found["notices"]) > BUYERS
