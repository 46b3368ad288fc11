"""What a playbook calls for: days anybody works, nothing before there is something to do, the same whenever it is asked."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duecourse.calendar import WorkingDays
from duecourse.decisions.playbook import ANCHORS, CONDITIONS, Situation, checked, plan, playbook_of, shipped_values
from duecourse.errors import RuleInvalidError
from duecourse.messages import catalogue
from support.examples import examples

CHINA = WorkingDays("CN")
DAYS = st.dates(date(2024, 1, 1), date(2026, 12, 31))


def planned(opened, anchors, holds=frozenset(), own=None):
    return {(one.step.code, one.number): one for one in plan(checked(own or {}), Situation(opened, anchors, holds), CHINA)}


def test_every_step_is_worded_and_counts_from_what_is_known():
    for step in checked({}).steps:
        assert f"playbook.does_{step.does}" in catalogue()
        assert step.anchor in ANCHORS
        assert step.when in CONDITIONS
        assert step.sentence("en") != step.sentence("zh")


@given(
    due=DAYS,
    late=st.integers(1, 800),
    anchors=st.dictionaries(st.sampled_from(ANCHORS[1:]), DAYS, max_size=4),
    holds=st.frozensets(st.sampled_from(CONDITIONS[1:])),
)
@examples(30, 300)
def test_a_task_is_due_on_a_worked_day_and_never_before_there_is_something_to_do(due, late, anchors, holds):
    opened = due + timedelta(days=late)
    tasks = planned(opened, {"due_date": due, **anchors}, holds)
    for (code, _number), one in tasks.items():
        assert CHINA.is_working_day(one.due_on)
        if one.step.renewed:
            assert one.due_on >= opened or one.step.anchor != "due_date"
        if one.step.days > 0:
            anchor = {"due_date": due, **anchors}[one.step.anchor]
            assert one.due_on > anchor
        assert not one.step.when or one.step.when in holds
        assert code != "P00"
    assert tasks == planned(opened, {"due_date": due, **anchors}, holds)


@given(due=DAYS)
@examples(20, 200)
def test_the_demand_goes_out_within_three_working_days(due):
    one = planned(due + timedelta(days=1), {"due_date": due})["P02", 1]
    assert CHINA.working_days_between(due, one.due_on) == 3


def test_a_period_of_the_law_that_ends_on_a_holiday_ends_later_a_duty_of_ours_earlier():
    done = date(2026, 9, 1)
    tasks = planned(done, {"due_date": date(2026, 8, 1), "preservation": done + timedelta(days=1)}, frozenset({"preservation"}))
    assert tasks["P14", 1].due_on == date(2026, 10, 8)  # 2 October lies in the golden week
    assert planned(date(2026, 9, 4), {"due_date": date(2026, 9, 3)})["P09", 1].due_on == date(2026, 9, 30)


def test_limitation_is_called_for_three_times_and_what_is_barred_is_said_so():
    opened = date(2026, 3, 2)
    running = planned(opened, {"due_date": date(2026, 3, 1), "limitation_end": date(2029, 3, 1)})
    assert [running["P20", number].due_on for number in (1, 2, 3)] == [
        CHINA.preceding(date(2029, 3, 1) - timedelta(days=days)) for days in (180, 90, 30)
    ]
    barred = planned(opened, {"due_date": date(2020, 3, 1), "limitation_end": date(2023, 3, 1), "limitation_over": date(2023, 3, 1)})
    assert not any(code == "P20" for code, _number in barred)
    assert barred["P22", 1].due_on >= opened


def test_a_firm_lays_its_own_over_it_and_a_country_over_that():
    own = {
        "version": "ours", "opening": {"days_late": 5}, "steps": {"P04": {"days": 2}, "P07": {"off": True}},
        "added": {"X01": {"en": "Visit", "zh": "上门拜访", "days": 12}}, "countries": {"GB": {"steps": {"P08": {"days": 14}}}},
    }  # fmt: skip
    home, there = playbook_of({"playbook": own}), playbook_of({"playbook": own}, "GB")
    assert (home.version, home.opening.days_late, home.opening.escalate_after_days) == ("ours", 5, 3)
    assert home.step("P04").days == 2
    assert home.step("P07") is None
    assert home.step("X01").sentence("zh") == "上门拜访"
    assert (home.step("P08").days, there.step("P08").days) == (20, 14)
    assert shipped_values()["steps"]["P04"]["days"] == 5


@pytest.mark.parametrize(
    ("own", "rule"),
    [
        ({"step": {}}, "step"),
        ({"steps": {"P99": {"days": 1}}}, "steps.P99"),
        ({"steps": {"P04": {"days": "2"}}}, "steps.P04.days"),
        ({"steps": {"P04": {"unit": "weeks"}}}, "steps.P04.unit"),
        ({"steps": {"P04": {"does": "magic"}}}, "steps.P04.does"),
        ({"opening": {"least_amount": "-1"}}, "opening.least_amount"),
        ({"added": {"X01": {"en": "Visit"}}}, "added.X01"),
        ({"added": {"P02": {"en": "Visit", "zh": "拜访"}}}, "added.P02"),
    ],
)
def test_what_cannot_be_is_named(own, rule):
    with pytest.raises(RuleInvalidError) as caught:
        checked(own)
    assert rule in caught.value.message()
