"""A due time has one run, however many look, and missed ones are made up for."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duecourse.web import environment as env
from duecourse.web.jobs.models import DONE, JobRun, Schedule
from duecourse.web.jobs.queue import claim
from duecourse.web.jobs.registry import kinds, scheduled
from duecourse.web.jobs.rules import Daily, Every, Monthly, Weekly, dues
from duecourse.web.jobs.schedule import tick
from duecourse.web.jobs.worker import drain

NOW = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
moments = st.datetimes(datetime(2000, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))
times = st.times().map(lambda at: at.replace(second=0, microsecond=0, tzinfo=None))
rules = st.one_of(
    st.integers(1, 10_000).map(Every),
    times.map(Daily),
    st.builds(Weekly, st.integers(0, 6), times),
    st.builds(Monthly, st.integers(1, 31), times),
)


@given(rules, moments)
def test_the_next_due_time_is_later_and_none_lies_between(rule, moment):
    due = rule.after(moment)
    assert due > moment
    assert rule.after(due - timedelta(microseconds=1)) == due
    assert rule.after(moment + (due - moment) / 2) == due


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Shanghai"])
def test_daily_means_once_each_day_of_the_firms_calendar_also_when_clocks_change(monkeypatch, zone):
    monkeypatch.setattr(env, "TIME_ZONE", zone)
    rule = Daily(time(2, 30))
    first = rule.after(datetime(2025, 12, 31, tzinfo=UTC))
    days = [due.astimezone(ZoneInfo(zone)).date() for due in dues(rule, first, datetime(2027, 1, 1, tzinfo=UTC))]
    assert len(days) == len(set(days))
    assert days == [days[0] + timedelta(days=number) for number in range(len(days))]


def test_monthly_takes_the_last_day_of_a_shorter_month(monkeypatch):
    monkeypatch.setattr(env, "TIME_ZONE", "Asia/Shanghai")
    rule = Monthly(31, time(6, 0))
    found = list(dues(rule, rule.after(datetime(2026, 1, 1, tzinfo=UTC)), datetime(2026, 5, 1, tzinfo=UTC)))
    assert [due.astimezone(ZoneInfo("Asia/Shanghai")).day for due in found] == [31, 28, 31, 30]


@pytest.fixture
def a_schedule(a_job, monkeypatch):
    """a_schedule(rule, missed): a scheduled job alone on the timetable, made at NOW; returns the list of due times it was run for."""
    from duecourse.web.jobs import registry

    kinds()
    monkeypatch.setattr(registry, "_timetables", {})

    def make(rule, missed):
        ran = []

        def work(job, *, due_at):
            ran.append(datetime.fromisoformat(due_at))

        a_job(work, "test.scheduled")
        scheduled(rule, missed=missed)(work)
        tick(NOW)
        return ran

    return make


@pytest.mark.django_db
@pytest.mark.parametrize(("missed", "runs"), [("each", 5), ("latest", 1)])
def test_missed_due_times_are_made_up_for_as_the_schedule_says(a_schedule, missed, runs):
    ran = a_schedule(Every(60), missed)
    assert tick(NOW + timedelta(hours=5)) == runs
    assert tick(NOW + timedelta(hours=5)) == 0
    JobRun.objects.update(run_after=NOW)
    drain()
    assert ran == [NOW + timedelta(hours=hour) for hour in ((1, 2, 3, 4, 5) if missed == "each" else (5,))], "in order"
    assert Schedule.objects.get().next_due == NOW + timedelta(hours=6)


@pytest.mark.django_db
def test_of_one_schedule_only_the_earliest_run_can_be_taken_up(a_schedule):
    a_schedule(Every(60), "each")
    tick(NOW + timedelta(hours=2))
    JobRun.objects.update(run_after=NOW)
    first = claim()
    assert first.due_at == NOW + timedelta(hours=1)
    assert claim() is None, "the second waits for the first"
    JobRun.objects.filter(pk=first.pk).update(status=DONE)
    assert claim().due_at == NOW + timedelta(hours=2)


@pytest.mark.django_db
def test_a_changed_rule_counts_from_the_last_due_time(a_schedule, monkeypatch):
    from duecourse.web.jobs import registry
    from duecourse.web.jobs.registry import Timetable

    a_schedule(Every(60), "latest")
    tick(NOW + timedelta(hours=1))
    monkeypatch.setitem(registry._timetables, "test.scheduled", Timetable("test.scheduled", Every(15), "latest"))
    tick(NOW + timedelta(hours=1))
    assert Schedule.objects.get().next_due == NOW + timedelta(hours=1, minutes=15)


@pytest.mark.django_db(transaction=True)
def test_many_schedulers_at_once_ask_once_for_each_due_time(a_schedule):
    from concurrent.futures import ThreadPoolExecutor

    from django.db import connection

    a_schedule(Every(1), "each")

    def look(minute):
        try:
            return tick(NOW + timedelta(minutes=minute))
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        asked = sum(threads.map(look, [minute for minute in range(1, 13) for _ in range(4)]))
    due = list(JobRun.objects.order_by("due_at").values_list("due_at", flat=True))
    assert due == [NOW + timedelta(minutes=minute) for minute in range(1, len(due) + 1)]
    assert len(due) == asked
