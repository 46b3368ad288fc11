"""The scorecard's reasons are its score, to the point; and its probabilities are those of the stated base rate."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from duecourse.glossary import label
from duecourse.risk import scorecard_v1
from duecourse.risk.master_scale import BOUNDS, MIDPOINTS, grade_of
from duecourse.risk.scorecard_v1.scoring import POINTS_PER_LOG_ODDS

CARD = scorecard_v1.load()
NAMES = [factor.name for factor in CARD.factors]
VALUE = st.one_of(st.none(), st.floats(-5, 50))
FIRM = st.fixed_dictionaries(dict.fromkeys(NAMES, VALUE))
RISES_WITH = {
    "liabilities_to_assets": 1,
    "current_liabilities_to_assets": 1,
    "net_income_to_assets": -1,
    "retained_earnings_to_assets": -1,
    "liquid_assets_to_current_liabilities": -1,
}


def columns(*firms):
    return {name: np.array([np.nan if firm[name] is None else firm[name] for firm in firms], float) for name in NAMES}


@given(FIRM)
def test_points_add_up_to_the_score(firm):
    scored = CARD.score(columns(firm))
    assert scored.base_points + sum(points[0] for points in scored.points.values()) == pytest.approx(scored.score[0], abs=1e-9)


@given(FIRM, st.sampled_from(NAMES))
def test_taking_a_value_away_moves_the_score_by_its_points(firm, name):
    whole, without = CARD.score(columns(firm)), CARD.score(columns({**firm, name: None}))
    assert whole.score[0] - without.score[0] == pytest.approx(whole.points[name][0] - without.points[name][0], abs=1e-9)
    assert without.points[name][0] == 0


@given(FIRM, st.floats(0.001, 0.2))
def test_the_base_rate_shifts_the_odds_and_nothing_else(firm, rate):
    low, high = CARD.score(columns(firm), base_rate=rate), CARD.score(columns(firm), base_rate=rate * 2)
    assert low.score[0] == high.score[0]
    if low.known[0]:
        assert low.low[0] <= low.probability_of_default_12m[0] <= low.high[0]
        assert high.probability_of_default_12m[0] > low.probability_of_default_12m[0]


@pytest.mark.parametrize(("name", "direction"), RISES_WITH.items())
def test_risk_moves_as_theory_says(name, direction):
    factor = next(one for one in CARD.factors if one.name == name)
    steps = factor.steps.mean(axis=0)
    assert (np.diff(steps) * direction >= -2e-3).all()


def test_who_is_not_known_gets_no_grade():
    scored = CARD.score(columns(dict.fromkeys(NAMES)))
    assert scored.grade[0] == 0
    assert np.isnan(scored.probability_of_default_12m[0])


def test_twenty_points_halve_the_odds():
    scored = CARD.score(columns(dict.fromkeys(NAMES, 0.1), dict.fromkeys(NAMES, 0.5)))
    odds = scored.probability_of_default_12m / (1 - scored.probability_of_default_12m)
    assert np.log(odds[0] / odds[1]) == pytest.approx((scored.score[1] - scored.score[0]) / POINTS_PER_LOG_ODDS)


def test_the_master_scale():
    assert grade_of(np.array([0.0001, 0.0105, 0.9, np.nan])).tolist() == [1, 6, 10, 0]
    assert grade_of(np.array(MIDPOINTS)).tolist() == list(range(1, 11))
    assert list(BOUNDS) == sorted(BOUNDS)


def test_every_factor_has_a_name_in_both_languages():
    for name in NAMES:
        assert label(name, "en") != name
        assert label(name, "zh")
