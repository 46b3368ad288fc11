"""The firm's own defaults move the model as far as they can carry it; and columns that give the outcome away are found."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duecourse.risk.calibration import auc, brier, judgement, ks, leaks, log_loss, updated
from duecourse.risk.points import logit, probability_of


def book(rows, *, level=0.0, steepness=1.0, seed=0):
    draw = np.random.default_rng(seed)
    families = {"payment": draw.normal(0, 1, rows), "leverage": draw.normal(0, 0.8, rows)}
    offset = np.full(rows, float(logit(np.array(0.03))))
    truth = offset + level + steepness * sum(families.values())
    return offset, families, (draw.random(rows) < probability_of(truth)).astype(float)


def test_nothing_learnt_leaves_the_shipped_model():
    offset, families, _fails = book(50)
    found = updated(offset, families, probability_of(offset + sum(families.values())), overlap=1.0)
    assert found.intercept == pytest.approx(0, abs=1e-6)
    assert list(found.slopes.values()) == pytest.approx([1, 1], abs=1e-6)


def test_the_level_moves_first_and_slopes_only_with_many_defaults():
    few, many = (updated(*book(rows, level=0.8, steepness=0.4), overlap=4.0) for rows in (300, 60_000))
    assert many.intercept == pytest.approx(0.8, abs=0.25)
    assert many.slopes["payment"] == pytest.approx(0.4, abs=0.2)
    assert abs(few.slopes["payment"] - 1) < 0.25, "a handful of defaults does not turn the model"


def test_updating_helps_where_the_shipped_model_is_wrong_and_does_not_harm_where_it_is_right():
    for level, steepness in ((0.7, 0.7), (0.0, 1.0)):
        offset, families, fails = book(2_000, level=level, steepness=steepness, seed=1)
        far, new, outcome = book(20_000, level=level, steepness=steepness, seed=2)
        found = updated(offset, families, fails, overlap=1.0)
        own, shipped = (log_loss(outcome, probability_of(one)) for one in (found.log_odds(far, new), far + sum(new.values())))
        assert own < shipped + 0.002


@settings(max_examples=30)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=4, max_size=60))
def test_auc_and_ks_as_they_are_defined(rows):
    fails, risk = np.array([float(bad) for bad, _ in rows]), np.array([float(value) for _, value in rows])
    bads, goods = risk[fails == 1], risk[fails == 0]
    if len(bads) and len(goods):
        pairs = [(bad > good) + 0.5 * (bad == good) for bad in bads for good in goods]
        assert auc(fails, risk) == pytest.approx(np.mean(pairs))
        steps = [abs((bads >= cut).mean() - (goods >= cut).mean()) for cut in set(risk)]
        assert ks(fails, risk) == pytest.approx(max(steps))


def test_the_judgement_has_intervals_that_hold_the_value():
    _offset, families, fails = book(3_000, seed=4)
    found = judgement(fails, probability_of(logit(np.array([0.03])) + sum(families.values())), np.arange(3_000) // 3)
    for value, low, high in (found.auc, found.ks, found.brier, found.log_loss):
        assert low <= value <= high
    assert found.brier[0] == brier(fails, probability_of(logit(np.array([0.03])) + sum(families.values())))
    assert 0.7 < found.expected_to_observed < 1.4


def test_what_is_known_only_afterwards_is_found():
    draw = np.random.default_rng(3)
    fails = (draw.random(800) < 0.2).astype(float)
    columns = {
        "current_ratio": list(draw.normal(1.5 - 0.4 * fails, 0.5)),
        "firm_fails_later": list(fails),
        "ChgOffDate": ["2009-01-01" if bad else "" for bad in fails],
        "final_balance": list(np.where(fails == 1, draw.random(800) * 100 + 1, 0.0)),
        "closed": ["2009-03-01" if bad else None for bad in fails],
        "remark": ["gone" if bad else "fine" for bad in fails],
        "sector": list(draw.choice(["a", "b", "c"], 800)),
        "gaps": [None if draw.random() < 0.3 else 1.0 for _ in fails],
    }
    found = {one.column: one.why for one in leaks(columns, fails)}
    assert found == {"firm_fails_later": "name", "ChgOffDate": "name", "final_balance": "value", "closed": "gaps", "remark": "text"}


def abroad(rows, *, seed):
    """A book where the shipped model is wrong in another way for each family: too flat, too steep, and of no use."""
    draw = np.random.default_rng(seed)
    families = {"payment": draw.normal(0, 0.5, rows), "leverage": draw.normal(0, 0.3, rows), "signals": draw.exponential(0.1, rows)}
    offset = np.full(rows, float(logit(np.array(0.015))))
    truth = offset - 0.4 + 1.6 * families["payment"] + 0.1 * families["leverage"] + 4.0 * families["signals"]
    return offset, families, (draw.random(rows) < probability_of(truth)).astype(float)


@pytest.mark.parametrize("rows", [600, 1_800, 3_600])
def test_learning_all_families_never_loses_to_moving_the_level_alone(rows):
    """Twenty tenants of each size, as in `benchmarks/cold_start.py`; some 8, 25 and 50 defaults of their own."""
    there, then, outcome = abroad(60_000, seed=99)
    whole, level, shipped = [], [], log_loss(outcome, probability_of(there + sum(then.values())))
    for seed in range(20):
        offset, families, fails = abroad(rows, seed=seed)
        for found, strength in ((whole, None), (level, 1e9)):
            learnt = updated(offset, families, fails, overlap=1.0, slope_precision=strength)
            found.append(log_loss(outcome, probability_of(learnt.log_odds(there, then))))
    gain = np.array(level) - np.array(whole)
    assert gain.mean() > 0
    assert gain.mean() > 2 * gain.std(ddof=1) / np.sqrt(len(gain)), "by more than chance"
    assert np.mean(whole) < shipped * (1.005 if rows == 600 else 1.0), "a level learnt from eight defaults costs half a percent at most"


@pytest.mark.parametrize("rows", [600, 1_800, 3_600])
def test_where_every_slope_is_right_already_next_to_nothing_is_lost(rows):
    there, then, outcome = book(60_000, seed=99)
    whole, level = [], []
    for seed in range(20):
        offset, families, fails = book(rows, seed=seed)
        for found, strength in ((whole, None), (level, 1e9)):
            learnt = updated(offset, families, fails, overlap=1.0, slope_precision=strength)
            found.append(log_loss(outcome, probability_of(learnt.log_odds(there, then))))
    assert np.mean(whole) < np.mean(level) * 1.0005
