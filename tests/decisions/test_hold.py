"""An order is held for exactly the reasons a credit manager would give, and the few numbers a database compares come to the same outcome."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duecourse.decisions.hold import (
    CURES,
    DEFAULT_RULES,
    REASONS,
    SCALE,
    WEIGHTS,
    Account,
    Rules,
    Take,
    converted,
    headroom,
    judge,
    standing_of,
)

TODAY = dt.date(2026, 3, 31)
PLAIN = Account("buyer", "C1", currency="CNY", scaled=SCALE, limit_minor=1_000, exposure_minor=500, receivables_minor=500)


def asked(amount=100, reserved=0, account=PLAIN, rules=DEFAULT_RULES, terms=None, more=()):
    return judge([Take(account, amount, reserved), *more], rules, TODAY, terms)


def codes(verdict):
    return verdict.outcome, [reason.code for reason in verdict.reasons]


def test_an_order_within_the_limit_is_released_without_a_word():
    assert codes(asked()) == ("release", [])


def test_an_order_that_just_fills_the_limit_is_released_with_a_note_and_one_more_cent_holds_it():
    assert codes(asked(500)) == ("release_with_note", ["utilisation"])
    verdict = asked(501)
    assert codes(verdict) == ("hold", ["over_limit"])
    assert verdict.reasons[0].args == {"used_minor": 1001, "limit_minor": 1000, "over_minor": 1, "room_minor": 500, "currency": "CNY"}


def test_what_others_have_reserved_counts():
    assert codes(asked(100, 401)) == ("hold", ["over_limit"])


def test_the_note_begins_above_eighty_percent():
    assert codes(asked(300))[0] == "release"
    assert codes(asked(301)) == ("release_with_note", ["utilisation"])


@pytest.mark.parametrize(
    ("change", "code", "outcome"),
    [
        ({"limit_minor": None}, "no_limit", "hold"),
        ({"valid_to": dt.date(2026, 3, 30)}, "limit_expired", "hold"),
        ({"overdue_minor": 1, "oldest_days": 40}, "overdue", "hold"),
        ({"blocked": True}, "blocked", "hold"),
        ({"insolvent": True}, "insolvent", "hold"),
        ({"insurer_stopped": True}, "insurer_stop", "hold"),
        ({"insured_minor": 599}, "insurer_over", "release_with_note"),
        ({"disputed_minor": 5}, "disputed", "release_with_note"),
        ({"terms_days": 30}, "terms_too_long", "hold"),
        ({"unrated": True}, "unrated", "hold"),
    ],
)
def test_each_thing_in_the_way_is_named_with_what_would_release_it(change, code, outcome):
    verdict = asked(account=replace(PLAIN, **change), terms=60)
    assert codes(verdict) == (outcome, [code])
    assert verdict.reasons[0].cure == CURES[code] != ""


def test_a_limit_holds_on_its_last_day():
    assert codes(asked(account=replace(PLAIN, valid_to=TODAY)))[0] == "release"


def test_all_reasons_are_told_and_those_that_hold_come_first():
    account = replace(PLAIN, blocked=True, overdue_minor=5, disputed_minor=5, valid_to=dt.date(2026, 1, 1))
    assert codes(asked(9_999, account=account)) == ("hold", ["blocked", "overdue", "limit_expired", "over_limit", "disputed"])


def test_a_group_has_the_last_word_and_its_limit_stands_in_for_a_missing_one():
    group = Take(Account("group", "G", currency="CNY", scaled=SCALE, limit_minor=50), 100, 0)
    assert codes(asked(more=[group])) == ("hold", ["over_limit"])
    wide = replace(group, account=replace(group.account, limit_minor=10_000))
    assert codes(asked(account=replace(PLAIN, limit_minor=None), more=[wide]))[0] == "release"


def test_a_guarantors_room_is_no_limit_of_the_buyer():
    guarantor = Take(Account("guarantor", "X", currency="CNY", scaled=SCALE, limit_minor=10_000), 100, 0)
    assert codes(asked(account=replace(PLAIN, limit_minor=None), more=[guarantor]))[0] == "hold"


def test_a_payer_needs_a_limit_of_its_own():
    payer = Take(Account("buyer", "P", currency="CNY", scaled=SCALE), 100, 0, side="payer")
    assert codes(asked(more=[payer])) == ("hold", ["no_limit"])


def test_a_payer_nobody_knows_has_no_limit():
    assert codes(judge([Take(PLAIN, 100, 0)], DEFAULT_RULES, TODAY, payer=True)) == ("hold", ["no_limit"])


def test_a_buyer_nobody_knows_has_no_limit():
    assert codes(judge([], DEFAULT_RULES, TODAY)) == ("hold", ["no_limit"])


def test_an_order_in_a_currency_without_a_rate_is_held():
    assert codes(asked(None)) == ("hold", ["no_rate"])


def test_the_tolerated_amount_is_counted_in_base_currency():
    late = replace(PLAIN, scaled=7 * SCALE, overdue_minor=10)
    assert codes(asked(account=late, rules=replace(DEFAULT_RULES, overdue_minor=69)))[0] == "hold"
    assert codes(asked(account=late, rules=replace(DEFAULT_RULES, overdue_minor=70)))[0] == "release"


def test_amounts_are_converted_upwards():
    assert converted(100, SCALE, 7 * SCALE) == 15
    assert converted(100, SCALE, SCALE) == 100
    assert converted(100, 0, SCALE) is None


@pytest.mark.parametrize(
    "wrong", [{"note_at_percent": 0}, {"lease_hours": "3"}, {"overdue": "perhaps"}, {"nonsense": 1}, {"overdue_days": True}]
)
def test_rules_that_make_no_sense_are_refused_by_name(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Rules.of(wrong)


def test_every_reason_has_a_cure():
    assert set(CURES) == set(REASONS)


MONEY = st.integers(0, 2_000)
ACCOUNTS = st.builds(
    Account,
    kind=st.sampled_from(["buyer", "group", "guarantor"]),
    key=st.just("C"),
    currency=st.just("CNY"),
    scaled=st.sampled_from([SCALE, 7 * SCALE]),
    limit_minor=st.none() | MONEY,
    valid_to=st.none() | st.integers(-1, 1).map(lambda days: TODAY + dt.timedelta(days=days)),
    terms_days=st.none() | st.sampled_from([30, 60]),
    exposure_minor=MONEY,
    overdue_minor=st.sampled_from([0, 0, 0, 5, 50]),
    disputed_minor=st.sampled_from([0, 0, 3]),
    insured_minor=st.none() | MONEY,
    insurer_stopped=st.sampled_from([False, False, False, True]),
    blocked=st.sampled_from([False, False, False, True]),
    insolvent=st.sampled_from([False, False, False, True]),
    unrated=st.sampled_from([False, False, False, True]),
)
RULES = st.builds(
    Rules, note_at_percent=st.integers(1, 100), overdue_minor=st.sampled_from([0, 40]),
    **{name: st.sampled_from(WEIGHTS) for name in ("no_limit", "overdue", "insurer_stop", "insurer_over", "terms", "disputed")},
)  # fmt: skip


def by_numbers(takes, rules, terms, payer):
    """What the database does: see web/orders/taking.py and the function of its migration."""
    holds = notes = False
    for side in ("buyer", "payer")[: 1 + payer]:
        mine = [take for take in takes if take.side in (side, "both")]
        if not any(take.account.limit_minor is not None for take in mine if take.account.kind != "guarantor"):
            holds |= rules.no_limit == "hold"
            notes |= rules.no_limit == "note"
    for take in takes:
        standing = standing_of(take.account, rules)
        late = terms is not None and standing.terms_days is not None and terms > standing.terms_days
        used = take.account.exposure_minor + take.reserved_minor + (take.amount_minor or 0)
        holds |= not standing.clear or take.amount_minor is None or (standing.ceiling is not None and used > standing.ceiling)
        holds |= take.account.valid_to is not None and take.account.valid_to < TODAY
        holds |= late and rules.terms == "hold"
        notes |= late and rules.terms == "note"
        notes |= standing.note_above is not None and used > standing.note_above
    return "hold" if holds else "release_with_note" if notes else "release"


@given(
    takes=st.lists(st.builds(Take, ACCOUNTS, st.none() | st.integers(1, 2_000), MONEY, side=st.sampled_from(["buyer", "buyer", "payer", "both"])), max_size=4),
    rules=RULES, terms=st.none() | st.sampled_from([30, 45, 90]),
)  # fmt: skip
@settings(max_examples=500)
def test_the_numbers_a_database_compares_come_to_the_same_outcome(takes, rules, terms):
    payer = any(take.side != "buyer" for take in takes)
    assert judge(takes, rules, TODAY, terms).outcome == by_numbers(takes, rules, terms, payer)


@given(account=ACCOUNTS, reserved=MONEY)
def test_what_is_said_to_fit_fits_and_a_cent_more_does_not(account, reserved):
    bare = replace(
        account,
        kind="buyer",
        overdue_minor=0,
        disputed_minor=0,
        insurer_stopped=False,
        blocked=False,
        insolvent=False,
        unrated=False,
        valid_to=None,
    )
    bare = replace(bare, insured_minor=None)
    room = headroom([Take(bare, None, reserved)], DEFAULT_RULES)
    if room is None:
        assert bare.limit_minor is None
        return
    if room:
        assert judge([Take(bare, room, reserved)], DEFAULT_RULES, TODAY).outcome != "hold"
    assert judge([Take(bare, room + 1, reserved)], DEFAULT_RULES, TODAY).outcome == "hold"


@given(account=ACCOUNTS)
def test_an_account_is_kept_and_read_back_as_it_was(account):
    assert Account.from_facts(account.facts()) == account
