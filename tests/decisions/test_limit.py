"""How much a buyer may owe, against sums done by hand; and what must hold whatever is known of it."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duecourse.decisions.limit import LimitInputs, needed, recommend_limit, rounded_down
from duecourse.decisions.limit_rules import GRADES, checked, rules_of, shipped
from duecourse.decisions.record import canonical, differences
from duecourse.decisions.wording import cap_words, need_words, sentence
from duecourse.errors import RuleInvalidError

RULES = shipped()
KNOWN = LimitInputs(
    currency="CNY", annual_sales_minor=3_650_000_00, sales_days=400, terms_days=60, mean_delay_days=10.0, open_orders_minor=50_000_00,
    equity_minor=8_000_000_00, working_capital_minor=4_000_000_00, cost_of_sales_minor=24_000_000_00, statement_period_end=dt.date(2025, 12, 31),
    statement_age_days=200, experience_minor=700_000_00, grade=4, probability_of_default_12m=0.0022, grade_confidence="high", grade_basis="both",
    portfolio_minor=90_000_000_00,
)  # fmt: skip


def cap(answer, name):
    return next(one for one in answer.caps if one.name == name)


def test_the_need_is_sales_over_the_days_they_stand_out_at_their_peak_and_open_orders():
    need = needed(KNOWN, RULES, 60)
    assert need.amount_minor == int(3_650_000_00 * (60 + 10 + 5) / 365 * 1.2) + 50_000_00
    own = needed(dataclasses.replace(KNOWN, peak_balance_minor=1_000_000_00), RULES, 60)
    assert own.amount_minor == 1_000_000_00 + 50_000_00  # the peak of the year, within the bounds of the rules


def test_every_cap_by_hand_and_the_smallest_binds():
    answer = recommend_limit(KNOWN, RULES)
    assert cap(answer, "net_worth").amount_minor == 800_000_00  # 10 % of 8 million at grade 4
    assert cap(answer, "working_capital").amount_minor == 800_000_00  # 20 % of 4 million
    assert cap(answer, "supplier_share").amount_minor == int(24_000_000_00 * 0.25 * 60 / 365)
    assert cap(answer, "experience").amount_minor == 840_000_00
    assert cap(answer, "grade").amount_minor == int(answer.need.amount_minor * 0.75)
    assert cap(answer, "single_name").amount_minor == 9_000_000_00
    assert cap(answer, "profit").missing == ("margin",)
    assert not cap(answer, "insurer").active
    assert answer.binding == "grade"
    assert answer.amount_minor == rounded_down(cap(answer, "grade").amount_minor, 2)
    assert (answer.payment_terms_days, answer.review_months) == (60, 12)


def test_expected_profit_bounds_the_limit_at_the_point_where_it_is_eaten_up():
    """margin 8 %, no recovery, no cost of funds: at a probability of default of 8 % a year's sales are the most (NPV of granting credit)."""
    rules = checked({"margin": 0.08, "loss_given_default": 1.0, "funding_rate": 0.0})
    answer = recommend_limit(dataclasses.replace(KNOWN, probability_of_default_12m=0.08), rules)
    assert cap(answer, "profit").amount_minor == pytest.approx(3_650_000_00, abs=1)


def test_what_is_not_known_is_named_and_never_made_up():
    answer = recommend_limit(LimitInputs(currency="CNY", asked_minor=100_000_00, grade_basis="none", grade=6), RULES)
    assert set(answer.missing) == {"annual_sales", "statement", "payment_record", "grade", "margin"}
    assert answer.need.amount_minor is None
    assert answer.amount_minor == 25_000_00
    assert [one.name for one in answer.caps if one.active] == ["grade"]
    nothing = recommend_limit(LimitInputs(currency="CNY"), RULES)
    assert nothing.amount_minor is None
    assert nothing.reasons[0]["code"] == "decisions.limit_no_need"


def test_accounts_that_are_too_old_carry_nothing():
    answer = recommend_limit(dataclasses.replace(KNOWN, statement_age_days=731), RULES)
    assert "recent_statement" in answer.missing
    assert not cap(answer, "net_worth").active


def test_negative_equity_leaves_nothing():
    answer = recommend_limit(dataclasses.replace(KNOWN, equity_minor=-1), RULES)
    assert answer.amount_minor == 0
    assert answer.binding == "net_worth"
    assert answer.payment_terms_days == 0


@pytest.mark.parametrize("stop", ["block", "insolvency", "dishonest_debtor", "list_match"])
def test_a_stop_is_a_limit_of_zero(stop):
    answer = recommend_limit(dataclasses.replace(KNOWN, stops=(stop,)), RULES)
    assert (answer.amount_minor, answer.binding) == (0, "block")


def test_long_overdue_money_stops_unless_it_is_a_trifle():
    late = dataclasses.replace(KNOWN, oldest_days_past_due=61, outstanding_minor=1_000_00, overdue_beyond_minor=60_00)
    assert recommend_limit(late, RULES).binding == "block"
    assert recommend_limit(dataclasses.replace(late, overdue_beyond_minor=50_00), RULES).binding != "block"
    assert recommend_limit(dataclasses.replace(late, oldest_days_past_due=60), RULES).binding != "block"


def test_the_insurer_binds_where_it_has_spoken_and_always_where_the_policy_wants_it():
    assert recommend_limit(dataclasses.replace(KNOWN, insurer_limit_minor=0), RULES).amount_minor == 0
    mandatory = checked({"insurer_mandatory": True})
    answer = recommend_limit(KNOWN, mandatory)
    assert (answer.amount_minor, answer.binding, "insurer_limit" in answer.missing) == (0, "insurer", True)


def test_a_group_shares_its_limit():
    answer = recommend_limit(dataclasses.replace(KNOWN, group_limit_minor=500_000_00, group_others_minor=450_000_00), RULES)
    assert (answer.amount_minor, answer.binding) == (50_000_00, "group")


def test_a_weak_grade_is_looked_at_again_sooner_and_on_shorter_terms():
    answer = recommend_limit(dataclasses.replace(KNOWN, grade=7, terms_days=90), RULES)
    assert (answer.payment_terms_days, answer.review_months) == (45, 6)
    assert {"decisions.limit_terms_shorter", "decisions.limit_review_soon"} <= {one["code"] for one in answer.reasons}


AMOUNTS = st.none() | st.integers(0, 10**12)
SIGNED = st.none() | st.integers(-(10**12), 10**12)
INPUTS = st.builds(
    LimitInputs, currency=st.just("CNY"), annual_sales_minor=AMOUNTS, sales_days=st.none() | st.integers(0, 3000), expected_sales_minor=AMOUNTS,
    terms_days=st.none() | st.integers(0, 180), mean_delay_days=st.none() | st.floats(0, 200), peak_balance_minor=SIGNED,
    open_orders_minor=st.integers(0, 10**9), equity_minor=SIGNED, working_capital_minor=SIGNED, cost_of_sales_minor=AMOUNTS,
    statement_age_days=st.none() | st.integers(0, 1500), experience_minor=AMOUNTS, grade=st.none() | st.integers(1, 10),
    probability_of_default_12m=st.none() | st.floats(0.0001, 0.5), grade_confidence=st.sampled_from([None, "high", "low"]),
    grade_basis=st.sampled_from(["both", "financial", "behaviour", "none"]), insurer_limit_minor=AMOUNTS, group_limit_minor=AMOUNTS,
    group_others_minor=st.integers(0, 10**12), portfolio_minor=AMOUNTS, exposure_minor=st.integers(0, 10**12), outstanding_minor=st.integers(0, 10**12),
    overdue_beyond_minor=st.integers(0, 10**12), oldest_days_past_due=st.none() | st.integers(0, 400), current_limit_minor=AMOUNTS, asked_minor=AMOUNTS,
    stops=st.sampled_from([(), ("block",)]),
)  # fmt: skip
SETS = st.sampled_from(
    [RULES, checked({"margin": 0.1, "insurer_mandatory": True}), checked({"rounding_digits": 0, "caps": {"grade": False}})]
)


@settings(max_examples=300, deadline=None)
@given(INPUTS, SETS)
def test_a_recommendation_exceeds_no_active_cap_nor_the_need_nor_what_was_asked(known, rules):
    answer = recommend_limit(known, rules)
    if answer.amount_minor is None:
        assert answer.need.amount_minor is None
        assert known.asked_minor is None
        return
    assert answer.amount_minor >= 0
    for one in answer.caps:
        assert one.active == (rules["caps"][one.name] and one.amount_minor is not None)
        assert not one.active or answer.amount_minor <= max(0, one.amount_minor)
    for bound in (answer.need.amount_minor, known.asked_minor):
        assert bound is None or answer.amount_minor <= max(0, bound)
    bounds = {one.name: one.amount_minor for one in answer.caps} | {"need": answer.need.amount_minor, "asked": known.asked_minor}
    assert rounded_down(max(0, bounds[answer.binding]), rules["rounding_digits"]) == answer.amount_minor


@settings(max_examples=200, deadline=None)
@given(INPUTS, st.integers(0, 10**12), st.integers(1, 10), st.integers(1, 10))
def test_more_equity_or_a_better_grade_never_means_less(known, more, one, other):
    def amount(**changed):
        found = recommend_limit(dataclasses.replace(known, **changed), RULES).amount_minor
        return -1 if found is None else found

    if known.equity_minor is not None:
        assert amount(equity_minor=known.equity_minor + more) >= amount()
    better, worse = sorted((one, other))
    if known.grade_basis != "none":
        assert amount(grade=better) >= amount(grade=worse)


@settings(max_examples=60, deadline=None)
@given(INPUTS)
def test_every_answer_can_be_kept_and_read_aloud_in_both_languages(known):
    import json

    answer = recommend_limit(known, RULES)
    told = json.loads(canonical(answer))
    assert differences(told, answer) == []
    for lang in ("en", "zh"):
        for one in told["reasons"]:
            assert "{" not in sentence(one, "CNY", lang)
        for one in told["caps"]:
            assert cap_words(one, "CNY", lang)
        assert need_words(told["need"], "CNY", lang)


def test_the_firms_own_rules_hold_over_the_shipped_ones_and_mistakes_are_refused():
    own = rules_of({"limit_rules": {"version": "2026-1", "margin": 0.12}})
    assert (own.version, own["margin"], own["wallet_share"]) == ("2026-1", 0.12, 0.25)
    assert rules_of({}) is shipped()
    for wrong in (
        {"margins": 0.1}, {"margin": 12}, {"wallet_share": None}, {"caps": {"grade": 1}}, {"grades": {"1": {"need_share": 0.1}}}, {"need": 3},
        {"need": {"peak_min": 2}},
    ):  # fmt: skip
        with pytest.raises(RuleInvalidError):
            checked(wrong)
    assert set(shipped()["grades"]) == set(GRADES)
