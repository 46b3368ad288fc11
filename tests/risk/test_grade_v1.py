"""The grade's reasons are its score, to the point, in both blocks and together; what is not known never helps and never harms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duecourse.glossary import label
from duecourse.risk import behaviour_v1, grade_v1, scorecard_v1
from duecourse.risk.behaviour_v1.signals import FAMILIES, rules, weigh
from duecourse.risk.grade_v1.combining import at_least, moved
from duecourse.risk.master_scale import grade_of
from duecourse.risk.points import POINTS_PER_LOG_ODDS, probability_of

RULES = grade_v1.parameters()
ACCOUNTS = scorecard_v1.load()
CONDUCT = behaviour_v1.load().part(without=FAMILIES)
SIGNALS = behaviour_v1.load().part(families=FAMILIES)
CARDS = {"accounts": ACCOUNTS, "conduct": CONDUCT, "signals": SIGNALS}
VALUE = st.one_of(st.none(), st.floats(-5, 400))
BUYER = st.fixed_dictionaries({f"{block}.{one.name}": VALUE for block, card in CARDS.items() for one in card.factors})
AGE = st.one_of(st.none(), st.integers(0, 730))


def judged(buyer, age, *, trade=True, base_rate=0.01):
    evidence = {}
    for block, card in CARDS.items():
        values = {
            one.name: np.array([np.nan if buyer[f"{block}.{one.name}"] is None else buyer[f"{block}.{one.name}"]]) for one in card.factors
        }
        evidence[block] = card.evidence(values, explained=True)
    ages, trades = np.array([np.nan if age is None else float(age)]), np.array([trade])
    done = grade_v1.combine(
        RULES, base_rate=np.array([base_rate]), accounts=evidence["accounts"], conduct=evidence["conduct"], signals=evidence["signals"],
        age_days=ages, has_trade=trades, invoices=np.array([12.0]),
    )  # fmt: skip
    weights = grade_v1.weights_of(RULES, ages, trades)
    weight = {"accounts": weights.accounts[0], "conduct": weights.conduct[0], "signals": 1.0}
    points = {
        f"{block}.{name}": -POINTS_PER_LOG_ODDS * weight[block] * added[0]
        for block, one in evidence.items()
        for name, added in one.added.items()
    }
    return done, points


@given(BUYER, AGE, st.booleans())
def test_points_add_up_to_the_score(buyer, age, trade):
    done, points = judged(buyer, age, trade=trade)
    assert done.base_points[0] + sum(points.values()) == pytest.approx(done.score[0], abs=1e-6)
    assert probability_of((500.0 - done.score) / POINTS_PER_LOG_ODDS)[0] == pytest.approx(probability_of(done.log_odds)[0])


@given(BUYER, AGE, st.booleans(), st.sampled_from(sorted(f"{block}.{one.name}" for block, card in CARDS.items() for one in card.factors)))
def test_taking_a_value_away_moves_the_score_by_its_points(buyer, age, trade, name):
    whole, points = judged(buyer, age, trade=trade)
    without, left = judged({**buyer, name: None}, age, trade=trade)
    assert whole.score[0] - without.score[0] == pytest.approx(points[name], abs=1e-6)
    assert left[name] == 0


def test_who_is_not_known_has_the_base_rate_and_no_good_grade():
    for rate in (0.001, 0.01, 0.05):
        done, points = judged(
            dict.fromkeys([f"{block}.{one.name}" for block, card in CARDS.items() for one in card.factors]),
            None,
            trade=False,
            base_rate=rate,
        )
        assert not any(points.values())
        assert probability_of(done.log_odds)[0] == pytest.approx(rate, rel=1e-6)
        assert done.grade[0] >= RULES.best_of_nothing
        assert done.low[0] < done.probability_of_default_12m[0] < done.high[0] or done.capped[0]


@given(BUYER, st.booleans())
def test_no_good_grade_without_accounts_or_with_old_ones(buyer, trade):
    for age in (None, RULES.old_days + 1):
        done, _points = judged(buyer, age, trade=trade)
        assert done.grade[0] >= RULES.best_without_accounts
        assert grade_of(done.probability_of_default_12m)[0] == done.grade[0]
        assert done.low[0] <= done.probability_of_default_12m[0] <= done.high[0]


@given(BUYER)
def test_the_older_the_accounts_the_less_they_count(buyer):
    def counts(age):
        return abs(grade_v1.weights_of(RULES, np.array([float(age)]), np.array([True])).accounts[0])

    assert counts(100) == counts(RULES.fresh_days) > counts(365) > counts(700) > 0
    assert counts(RULES.fresh_days + RULES.half_life_days) == pytest.approx(counts(0) / 2)


@settings(max_examples=40)
@given(st.floats(0.0001, 0.6), st.integers(-9, 9))
def test_a_moved_grade_and_its_probability_belong_together(probability, notches):
    at = np.array([probability])
    grade = grade_of(at)
    found, target = moved(at, grade, np.array([notches]))
    assert target[0] == min(max(int(grade[0]) + notches, 1), 10)
    assert grade_of(found)[0] == target[0]


def test_an_override_only_ever_makes_it_worse():
    probability, grade = at_least(np.array([0.001, 0.4, 0.001]), np.array([3, 10, 3], np.int8), np.array([9, 9, 0]))
    assert grade.tolist() == [9, 10, 3]
    assert probability.tolist() == [0.11, 0.4, 0.001]


def test_signals_fade_and_stop_at_the_top():
    place = np.zeros(1, np.int64)
    fresh, old = (weigh(1, place, ["news"], [None], np.array([float(age)])).values["signals_operations"][0] for age in (0, 90))
    assert old == pytest.approx(fresh * np.exp(-90 / (3 * 30.4375)))
    faded = weigh(1, place, ["news"], [None], np.array([3000.0]))
    assert np.isnan(faded.values["signals_operations"][0])
    factor = next(one for one in SIGNALS.factors if one.name == "signals_legal")
    many = factor.log_odds(np.array([1.5, 10.0]))[0]
    assert many[0] == many[1]
    assert weigh(1, place, ["insolvency"], [None], np.zeros(1)).overrides["insolvency"][0]


def test_every_kind_of_signal_has_a_weight():
    from duecourse.ledger.entries import SIGNAL_KINDS, SIGNAL_SEVERITIES

    assert set(rules()["kinds"]) == set(SIGNAL_KINDS)
    assert set(rules()["severities"]) == set(SIGNAL_SEVERITIES)


@pytest.mark.parametrize("card", [CONDUCT, SIGNALS])
def test_risk_moves_as_said(card):
    falling = {"tenure_years"}
    for factor in card.factors:
        if factor.name == "purchases_change":
            continue
        direction = -1 if factor.name in falling else 1
        assert (np.diff(factor.steps.mean(axis=0)) * direction >= -2e-3).all(), factor.name
        assert (factor.missing == 0).all()
        assert label(factor.name, "en") != factor.name


def test_the_rules_can_be_set_and_a_word_not_known_is_left_out():
    changed = RULES.changed({"best_without_accounts": 6, "nonsense": 1, "version": "mine"})
    assert changed == replace(RULES, best_without_accounts=6)
