"""Leads, recall, precision and false alarms, counted by hand; and nothing is counted of which the days do not tell."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from duecourse.decisions.alert_budget import Alerts, at_budget, riskiest
from duecourse.review.early_warning import (
    OF_SEGMENTS,
    Course,
    Owed,
    ahead,
    highest,
    leads_by_month,
    listed,
    matched,
    measured,
    random_control,
    segment_intervals,
    told_apart,
    trade_off,
)
from support.examples import examples

MONTHS = np.arange(36, dtype=np.int64) * 30


def course(defaults=(), buyers=4, until=None, watched=None, **more):
    who, on = (np.array([one[place] for one in defaults], np.int64) for place in (0, 1))
    whole = np.ones((len(MONTHS), buyers), np.bool_) if watched is None else watched
    return Course(MONTHS, whole, who, on, int(MONTHS[-1]) + 30 if until is None else until, **more)


def alerts(*pairs):
    return Alerts(np.array([one for one, _ in pairs], np.int64), np.array([one for _, one in pairs], np.int64))


def test_a_default_is_caught_by_the_first_alert_within_its_year():
    found = matched(course([(0, 700), (1, 700), (2, 700)]), alerts((5, 0), (15, 0), (20, 0), (21, 1), (24, 2)))
    assert found.lead.tolist() == [700 - 450, 700 - 630, -1], "an alert on the day before counts, one more than a year before or after not"
    assert found.default.tolist() == [-1, 0, 0, 1, -1]
    assert found.alert.tolist() == [1, 3, -1]


def test_the_figures_by_hand():
    one = course([(0, 700), (1, 700), (2, 650)], from_first_day=False)
    measured_ = measured(one, alerts((15, 0), (21, 1), (10, 3), (30, 3)), draws=0)
    assert measured_.counts["defaults"] == 3
    assert measured_.value("recall") == pytest.approx(2 / 3)
    assert measured_.value("recall_90") == pytest.approx(1 / 3)
    assert measured_.value("recall_180") == pytest.approx(1 / 3)
    assert measured_.value("precision") == pytest.approx(2 / 3), "the alert of day 900 has not had its year"
    assert measured_.value("lead_median") == pytest.approx((250 + 70) / 2)
    assert measured_.value("lead_share_90") == pytest.approx(1 / 2)
    mature = sum(day + 365 <= one.until for day in MONTHS)
    assert measured_.value("false_alarms_per_buyer_year") == pytest.approx(1 / (4 * mature * 30 / 365.25))
    assert measured_.value("alerts_per_analyst_day") == pytest.approx(4 / (36 * 30 * 5 / 7))
    assert measured(one, alerts((15, 0)), analysts=2, draws=0).value("alerts_per_analyst_day") == pytest.approx(1 / (2 * 36 * 30 * 5 / 7))


def test_what_the_days_do_not_tell_is_not_counted():
    assert measured(course([(0, 300)]), alerts((2, 0)), draws=0).counts["defaults"] == 0, "its year began before the first day"
    assert measured(course([(0, 300)], from_first_day=True), alerts((2, 0)), draws=0).counts["caught"] == 1
    early = Course(MONTHS[:20], np.ones((20, 4), np.bool_), np.array([0, 1]), np.array([600, 601]), 1080)
    assert measured(early, alerts(), draws=0).counts["defaults"] == 1, "no alert could open in the month before the other"
    watched = np.ones((36, 4), np.bool_)
    watched[12:, 0] = False
    assert measured(course([(0, 760)], watched=watched), alerts(), draws=0).counts == {
        **measured(course([], watched=watched), alerts(), draws=0).counts, "unwatched": 1,
    }  # fmt: skip
    empty = measured(course([], buyers=0, watched=np.ones((36, 0), np.bool_)), alerts())
    assert np.isnan(empty.value("recall")) and empty.told()["figures"]["recall"] == [None, None, None]


def test_an_alert_whose_year_is_not_over_is_not_judged_though_it_was_right_early():
    """Else only the right ones of the last year would count, and every warning, lots too, look better than it is."""
    until = int(MONTHS[-1]) + 30
    late = len(MONTHS) - 3
    said = measured(course([(0, int(MONTHS[late]) + 20), (1, int(MONTHS[5]) + 20)]), alerts((late, 0), (late, 2), (5, 1), (5, 3)), draws=0)
    assert MONTHS[late] + 365 > until and (said.counts["judged"], said.counts["right"], said.value("precision")) == (2, 1, 0.5)


def test_strata_and_segments_add_up_to_the_whole():
    one = course([(0, 700), (1, 700), (2, 650)], stratum=["sudden", "gradual", "gradual"], segment=["CN", "CN", "DE", "DE"])
    found = measured(one, alerts((15, 0), (21, 1), (10, 3)), draws=50)
    assert {name: row["defaults"] for name, row in found.strata.items()} == {"gradual": 2, "sudden": 1}
    assert found.strata["sudden"]["recall_90"] == 1
    assert sum(row["alerts"] for row in found.segments.values()) == 3
    assert sum(row["buyer_years"] for row in found.segments.values()) == pytest.approx(found.counts["buyer_years"])
    low, high = found.figures["recall"][1:]
    assert low <= found.value("recall") <= high


def test_each_segment_has_its_interval_around_its_figure():
    who = [(number, 700 + number) for number in range(20)]
    one = course(who, buyers=30, segment=["a"] * 15 + ["b"] * 15)
    warned = alerts(*((15, number) for number in range(0, 20, 2)), *((15, number) for number in range(20, 30)))
    found = segment_intervals(one, warned, draws=100)
    assert set(found) == {"a", "b"} and all(set(bounds) == set(OF_SEGMENTS) for bounds in found.values())
    for name, row in measured(one, warned, draws=0).segments.items():
        for figure in ("recall", "recall_90", "precision"):
            low, high = found[name][figure]
            assert 0 <= low <= row[figure] <= high <= 1 and low < high
    assert np.isnan(segment_intervals(course([], segment=["a"] * 4), alerts(), draws=5)["a"]["recall"]).all()


def test_leads_are_counted_by_whole_months():
    found = leads_by_month(course([(0, 700), (1, 700), (2, 700), (3, 300)]), alerts((23, 0), (20, 1), (12, 2)))
    assert len(found) == 12 and sum(found) == 3
    assert [month for month, count in enumerate(found) if count] == [0, 3, 11]  # 10, 100 and 340 days before; the fourth does not count


def test_what_was_sold_after_the_alert_need_not_have_been():
    owed = Owed(np.array([0, 0, 1]), np.array([400, 500, 690]), np.array([100.0, 50.0, 30.0]))
    found = measured(course([(0, 700), (1, 700)], owed=owed), alerts((15, 0)), draws=0)
    assert (found.counts["owed"], found.counts["saved"]) == (180, 50)
    assert found.value("saved_share") == pytest.approx(50 / 180)


def test_a_perfect_score_is_told_apart_and_lots_are_not():
    one = course([(0, 700), (1, 820)])
    assert told_apart(one, ahead(one, 182).astype(float)) == 1.0
    assert told_apart(one, -ahead(one, 182).astype(float)) == 0.0
    assert told_apart(one, np.full((36, 4), np.nan)) == 0.5


def test_the_riskiest_tenth_of_each_day():
    one = course([(0, 700), (1, 820)], buyers=20)
    perfect = np.where(ahead(one, 90), 1.0, 0.0)
    fails = int(ahead(one, 90).sum())
    days = int((one.until >= MONTHS + 90).sum())
    assert highest(one, perfect, within_days=90) == (fails / (2 * days), 1.0)
    assert highest(one, np.where(perfect > 0, 1.0, np.nan), within_days=90) == (1.0, 1.0)
    assert np.isnan(highest(course([], buyers=5), np.ones((36, 5)))).all(), "a tenth of five is nobody"


def test_the_random_control_is_as_good_as_its_budget():
    draw = np.random.default_rng(3)
    buyers = 500
    defaults = [(who, int(day)) for who, day in zip(range(0, buyers, 2), draw.integers(400, 1080, buyers // 2), strict=True)]
    one = course(defaults, buyers=buyers)
    found = random_control(one, 0.01)
    expected = 1 - 0.99**9
    assert found.value("recall_90") == pytest.approx(expected, abs=0.02)
    assert found.figures["recall_90"][1] < found.value("recall_90") < found.figures["recall_90"][2]


def test_more_looking_never_finds_less():
    draw = np.random.default_rng(4)
    one = course([(who, 400 + 2 * who) for who in range(300)], buyers=600)
    score = draw.random((36, 600)) + ahead(one, 365)
    rows = trade_off(one, score, (0.01, 0.02, 0.05))
    assert [row["recall"] for row in rows] == sorted(row["recall"] for row in rows)
    assert [row["threshold"] for row in rows] == sorted((row["threshold"] for row in rows), reverse=True)


def test_a_threshold_is_the_lowest_warned_of_in_the_median_month_in_the_units_it_is_stated_in():
    one = course([], buyers=300)
    score = np.tile(np.linspace(0, 1, 300), (36, 1))
    score[:12] += 10
    chance = score / 100
    chance[0] = np.nan
    (row,) = trade_off(one, score, (0.01,), hold_days=0, told=chance)
    lowest = [float(chance[day, [297, 298, 299]].min()) for day in range(1, 36)]
    assert row["threshold"] == pytest.approx(float(np.median(lowest)))
    assert trade_off(one, score, (0.01,), hold_days=0)[0]["threshold"] == pytest.approx(float(score[20, 297]))
    assert np.isnan(trade_off(one, np.full((36, 300), np.nan), (0.01,))[0]["threshold"]), "nobody was warned of"


def test_misses_and_false_alarms_one_by_one():
    one = course([(0, 700), (1, 710), (2, 800)])
    misses, alarms = listed(one, alerts((15, 0), (21, 1), (10, 3), (3, 2)), lambda day, buyer: {"day": day, "buyer": buyer})
    assert misses == [{"default": 2, "lead": -1, "day": 26, "buyer": 2}, {"default": 1, "lead": 80, "day": 23, "buyer": 1}]
    assert alarms == [{"alert": 2, "day": 10, "buyer": 3}, {"alert": 3, "day": 3, "buyer": 2}]


@given(st.integers(0, 2**32), st.floats(0.001, 0.2), st.integers(1, 60), st.integers(0, 400))
@examples(40, 400, deadline=None)
def test_the_budget_is_never_exceeded_and_nobody_is_warned_of_twice_while_held(seed, share, buyers, hold_days):
    draw = np.random.default_rng(seed)
    watched = draw.random((36, buyers)) < 0.8
    score = np.where(draw.random((36, buyers)) < 0.5, draw.integers(0, 3, (36, buyers)), np.nan)
    opened = at_budget(MONTHS, score, watched, share=share, hold_days=hold_days)
    assert watched[opened.day, opened.buyer].all() and not np.isnan(score[opened.day, opened.buyer]).any()
    allowed = np.cumsum(watched.sum(axis=1) * share)
    assert (np.cumsum(np.bincount(opened.day, minlength=36)) <= allowed + 1e-6).all()
    assert (np.bincount(opened.day, minlength=36) <= watched.sum(axis=1) * share + 1).all()
    for who in range(buyers):
        days = MONTHS[opened.day[opened.buyer == who]]
        assert (np.diff(days) >= max(hold_days, 1)).all()


def test_the_riskiest_come_first_and_equals_are_drawn_the_same_way_each_time():
    score = np.array([1.0, np.nan, 3.0, 3.0, 3.0, 2.0])
    chosen = riskiest(score, np.ones(6, np.bool_), 4)
    assert set(chosen[:3].tolist()) == {2, 3, 4} and chosen[3] == 5
    assert (riskiest(score, np.ones(6, np.bool_), 4) == chosen).all()
    assert riskiest(score, np.zeros(6, np.bool_), 4).size == 0 and riskiest(score, np.ones(6, np.bool_), 0).size == 0
