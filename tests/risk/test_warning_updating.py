"""The firm's own defaults move the warnings: as of quarter ends, each default once, and not at all where there are too few."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from duecourse.risk.calibration import log_loss
from duecourse.risk.points import logit, probability_of
from duecourse.risk.warning.hazard_v1 import HORIZON_DAYS, LEADING
from duecourse.risk.warning.updating import LEAST_DEFAULTS, LOOKS, Looked, learnt, looks, quarter_end

UNTIL = dt.date(2026, 9, 30)
DAYS = st.dates(dt.date(2000, 1, 1), dt.date(2060, 12, 31))


@given(DAYS)
def test_parameters_hold_for_a_quarter_and_are_learnt_at_its_end(on):
    end = quarter_end(on)
    assert end <= on
    assert (end + dt.timedelta(days=1)).day == 1
    assert end.month in (3, 6, 9, 12)
    assert (on - end).days < 93
    assert quarter_end(end) == end


@given(DAYS, st.integers(0, 720))
def test_looks_do_not_overlap_and_what_began_in_the_six_months_of_the_last_is_known(until, told_after):
    days = looks(until, told_after)
    assert len(days) == LOOKS
    end = until - dt.timedelta(days=told_after)
    assert {(later - earlier).days for earlier, later in zip(days, [*days[1:], end], strict=True)} == {HORIZON_DAYS}


def tenant(buyers, *, level, steepness, seed):
    """Three years of looks at buyers whose themes speak as the shipped model has it, times `steepness`."""
    draw = np.random.default_rng(seed)
    found = []
    for _ in range(LOOKS):
        families = {
            name: draw.normal(0, 0.5, buyers) if name in ("delay", "accounts") else draw.exponential(0.08, buyers) for name in LEADING
        }
        offset = np.full(buyers, float(logit(np.array(0.005))))
        truth = offset + level + sum(steepness.get(name, 1.0) * values for name, values in families.items())
        fails = (draw.random(buyers) < probability_of(truth)).astype(float)
        found.append(Looked(np.array([f"b{number}" for number in range(buyers)]), offset, families, fails))
    return found


def of(found, look):
    slopes = found["slopes"]
    return probability_of(look.offset + found["intercept"] + sum(slopes.get(name, 1.0) * values for name, values in look.families.items()))


def test_too_few_defaults_leave_the_shipped_model_and_say_so():
    rows = tenant(60, level=-4.0, steepness={}, seed=1)
    found = learnt(rows, UNTIL)
    assert found["defaults"] < LEAST_DEFAULTS
    assert (found["version"], found["intercept"], found["slopes"]) == ("", 0.0, {})
    assert found["expected"] > found["observed"]
    assert learnt([], UNTIL)["looks"] == 0


def test_what_was_expected_and_what_came_is_told_and_the_level_follows():
    rows = tenant(800, level=1.2, steepness={}, seed=2)
    found = learnt(rows, UNTIL)
    assert found["observed"] == sum(int(one.fails.sum()) for one in rows) == found["defaults"]
    assert found["expected"] == pytest.approx(sum(float(of({"slopes": {}, "intercept": 0.0}, one).sum()) for one in rows), abs=0.01)
    assert found["expected"] < 0.5 * found["observed"]
    assert sum(float(of(found, one).sum()) for one in rows) == pytest.approx(found["observed"], rel=0.1)
    assert found["version"] == "own-2026-09-30"
    assert found["since"] == looks(UNTIL)[0].isoformat()


def test_a_theme_that_hardly_speaks_is_not_blown_up():
    rows = tenant(1_500, level=1.5, steepness={"terms": 30.0}, seed=3)
    for one in rows:
        one.families["terms"][:] /= 20.0
    assert learnt(rows, UNTIL)["slopes"]["terms"] < 5.0


@pytest.mark.parametrize("buyers", [100, 300, 600])
@pytest.mark.parametrize("steepness", [{}, {"delay": 1.5, "accounts": 0.6, "promise": 2.5, "claim": 2.0}])
def test_the_update_never_loses_to_moving_the_level_alone(buyers, steepness):
    """Over twenty tenants of each size (some 8, 25 and 50 defaults of their own): better where the weights are wrong, level where they are right."""
    (test,) = tenant(40_000, level=0.6, steepness=steepness, seed=99)[:1]
    gains = []
    for seed in range(20):
        rows = tenant(buyers, level=0.6, steepness=steepness, seed=seed)
        found = learnt(rows, UNTIL)
        whole = found if found["version"] else {"slopes": {}, "intercept": 0.0}
        level = learnt([Looked(one.buyers, one.offset + sum(one.families.values()), {}, one.fails) for one in rows], UNTIL)
        fixed = probability_of(test.offset + level["intercept"] + sum(test.families.values()))
        gains.append(log_loss(test.fails, fixed) - log_loss(test.fails, of(whole, test)))
    assert np.mean(gains) > (0.0 if steepness else -0.0001)
