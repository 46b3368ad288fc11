"""A population that stays as it is shows no shift, one that moves shows it, and counts are what a hand would count."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from duecourse.review.drift import calibration, migration, shift, verdicts
from support.examples import examples

NAN = float("nan")


def test_the_index_by_hand():
    then, now = np.array([1.0] * 50 + [2.0] * 50), np.array([1.0] * 80 + [2.0] * 20)
    expected = (0.8 - 0.5) * np.log(0.8 / 0.5) + (0.2 - 0.5) * np.log(0.2 / 0.5)
    found = shift(then, now)
    assert found.index == pytest.approx(expected) and found.level == "much"
    assert (found.median_then, found.median_now) == (1.5, 1.0)


def test_a_figure_that_goes_missing_has_moved():
    draw = np.random.default_rng(0)
    then = draw.normal(size=4_000)
    now = np.where(draw.random(4_000) < 0.3, NAN, draw.normal(size=4_000))
    assert shift(then, draw.normal(size=4_000)).level == "none"
    found = shift(then, now)
    assert found.level == "much" and found.missing_now == pytest.approx(0.3, abs=0.03) and found.missing_then == 0
    assert shift(then, then + 0.4).level == "some"
    assert shift(then, np.zeros(0)).level == "unknown"
    assert shift(np.full(9, NAN), np.full(5, NAN)).index == 0


@given(
    st.lists(st.one_of(st.just(NAN), st.floats(-10, 10)), min_size=1, max_size=60), st.lists(st.floats(-10, 10), min_size=1, max_size=60)
)
@examples(60, 500)
def test_the_index_is_never_negative_and_zero_against_itself(then, now):
    one, other = np.array(then), np.array(now)
    assert shift(one, other).index >= 0
    assert shift(one, one).index == 0
    assert shift(one, np.random.default_rng(0).permutation(one)).index == 0


def test_probabilities_are_right_where_the_count_speaks_for_them():
    draw = np.random.default_rng(1)
    probability = draw.uniform(0.01, 0.1, 6_000)
    period = ["2024"] * 3_000 + ["2025"] * 3_000
    fails = draw.random(6_000) < np.where(np.arange(6_000) < 3_000, probability, probability * 1.8)
    found = calibration(period, probability, fails)
    assert found["2024"].is_right and not found["2025"].is_right
    assert found["2025"].observed > found["2025"].expected
    nobody = calibration(["x"] * 5, np.array([0.001] * 4 + [NAN]), np.zeros(5, np.bool_))["x"]
    assert (nobody.rows, nobody.observed, nobody.low, nobody.is_right) == (4, 0, 0.0, True)


def test_the_migration_matrix_counts_every_buyer_graded_then_once():
    then, now = np.array([1, 1, 2, 3, 0, 4, 4]), np.array([1, 2, 1, 3, 5, 0, 4])
    failed = np.array([False, False, False, False, False, False, True])
    found = migration(then, now, failed=failed)
    assert found.counts.sum() == 6 and found.counts[3].tolist() == [0] * 10 + [1, 1]
    assert (found.better, found.worse, found.same) == (0.25, 0.25, 0.5)
    assert np.isnan(migration(then * 0, now, failed=failed).same)


def test_verdicts():
    found = verdicts(["true", "false", "known", "true"], np.array([1.0, 2.0, 3.0, 10.0]))
    assert found.counts == {"true": 2, "false": 1, "known": 1}
    assert found.right_share == pytest.approx(2 / 3) and found.days_median == 2.5
    assert np.isnan(verdicts([], np.zeros(0)).right_share)
