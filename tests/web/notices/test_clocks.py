"""Nobody is woken, and nothing waits longer than it must."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import example, given
from hypothesis import strategies as st

from duecourse.web.notices.clocks import MERGED_WITHIN, Clock
from support.examples import examples

ZONES = ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC")
TIMES = st.times().map(lambda at: at.replace(second=0, microsecond=0, fold=0))
MOMENTS = st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31)).map(lambda at: at.replace(tzinfo=UTC))
CHANGES = [  # Berlin, New York, Lord Howe; forward and back
    datetime(2026, 3, 29, 0, 0), datetime(2026, 10, 25, 0, 0), datetime(2026, 3, 8, 6, 0), datetime(2026, 11, 1, 5, 0), datetime(2026, 10, 3, 14, 30), datetime(2026, 4, 4, 14, 0),
]  # fmt: skip
AROUND_CHANGES = st.sampled_from(CHANGES).flatmap(
    lambda at: st.integers(-120, 180).map(lambda minutes: (at + timedelta(minutes=minutes)).replace(tzinfo=UTC))
)


@examples(150, 3_000)
@given(st.sampled_from(ZONES), TIMES, TIMES, MOMENTS | AROUND_CHANGES)
@example("Europe/Berlin", time(0, 0), time(2, 31), datetime(2026, 3, 29, 0, 30, tzinfo=UTC))  # the clocks skip the end
@example("Europe/Berlin", time(2, 40), time(2, 20), datetime(2026, 3, 28, 2, 0, tzinfo=UTC))  # and all that is not quiet
@example("Europe/Berlin", time(0, 0), time(2, 31), datetime(2026, 10, 25, 0, 31, tzinfo=UTC))  # they repeat the end
@example("America/New_York", time(3, 9), time(2, 56), datetime(2026, 3, 8, 4, 55, tzinfo=UTC))  # they skip most of what is not quiet
@example("America/New_York", time(1, 2), time(0, 0), datetime(2026, 11, 1, 5, 40, tzinfo=UTC))  # and the beginning
def test_the_end_of_quiet_hours_is_the_first_moment_that_is_not_quiet(zone, begins, ends, moment):
    clock = Clock(zone, quiet_from=begins, quiet_to=ends)
    end = clock.after_quiet(moment)
    assert end >= moment
    assert not clock.is_quiet(end) or begins == ends
    awake = (datetime.combine(moment, begins) - datetime.combine(moment, ends)) % timedelta(days=1)
    assert end - moment <= timedelta(hours=25 if awake > timedelta(hours=1) else 49)  # the clocks may skip an hour that is all there is
    if end > moment:
        assert clock.is_quiet(moment)
        probe = moment
        while probe < end:
            assert clock.is_quiet(probe)
            probe += timedelta(minutes=7)


@examples(150, 3_000)
@given(st.sampled_from(ZONES), TIMES, st.integers(0, 6), MOMENTS | AROUND_CHANGES)
def test_a_digest_comes_at_its_time_of_the_readers_day(zone, at, weekday, moment):
    clock = Clock(zone, digest_at=at, weekday=weekday)
    daily, weekly = clock.ready("daily", moment), clock.ready("weekly", moment)
    assert moment < daily <= moment + timedelta(hours=26)
    assert moment < weekly <= moment + timedelta(days=7, hours=2)
    here = weekly.astimezone(ZoneInfo(zone))
    assert here.weekday() == weekday or here.time() < at  # where its own time was skipped, right after
    assert weekly >= daily


def test_quiet_hours_over_midnight_and_at_once():
    clock = Clock("Asia/Shanghai", quiet_from=time(22), quiet_to=time(7))
    night = datetime(2026, 3, 2, 16, 0, tzinfo=UTC)  # midnight there
    assert clock.ready("at_once", night) == datetime(2026, 3, 2, 23, 0, tzinfo=UTC)
    day = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
    assert clock.ready("at_once", day) == day + MERGED_WITHIN
    assert clock.ready("daily", day) == datetime(2026, 3, 3, 0, 0, tzinfo=UTC)
    assert Clock("Asia/Shanghai", digest_at=time(6), quiet_from=time(22), quiet_to=time(7)).ready("daily", day) == datetime(
        2026, 3, 2, 23, tzinfo=UTC
    )
