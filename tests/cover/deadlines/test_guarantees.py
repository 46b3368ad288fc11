"""The guarantee period never moves, a general guarantee needs suit, and the claim against each guarantor has a clock of its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duecourse.cover.deadlines.clock import Event
from duecourse.cover.deadlines.guarantees import Guarantee, guarantee_limitation, guarantee_period, period_end, worded_as
from support.examples import examples

DUE = date(2024, 3, 31)
JOINT = Guarantee("S1", "Old Oak Ltd", joint=True)
GENERAL = replace(JOINT, joint=False)


def asked(day: str, *, party: str | None = "Old Oak Ltd", received: str | None = "same", kind: str = "notice_to_guarantor") -> Event:
    on = date.fromisoformat(day)
    return Event(kind, on, on if received == "same" else date.fromisoformat(received) if received else None, "sha", party)


@pytest.mark.parametrize(
    ("agreed", "unclear", "end"),
    [
        (None, False, "2024-09-30"),  # six months
        (None, True, "2024-09-30"),
        (date(2027, 3, 31), False, "2027-03-31"),
        (date(2027, 3, 31), True, "2024-09-30"),  # until paid in full: as if nothing were agreed
        (date(2024, 3, 31), False, "2024-09-30"),  # ends with the debt: as if nothing were agreed
        (date(2024, 1, 1), False, "2024-09-30"),
    ],
)
def test_the_period_of_a_guarantee(agreed, unclear, end):
    assert period_end(replace(JOINT, agreed_until=agreed, unclear=unclear), DUE) == date.fromisoformat(end)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("承担连带责任保证，直至主债务本息还清为止", (True, True)),
        ("一般保证", (False, False)),
        ("jointly and severally liable until the debt is paid in full", (True, True)),
        ("guarantees payment until the debt is paid in full", (False, True)),
        ("joint and several guarantee", (True, False)),
        ("", (False, False)),
    ],
)
def test_what_the_words_of_a_guarantee_say(text, found):
    assert worded_as(text) == found


def test_a_joint_guarantor_is_to_be_asked_within_the_period_and_it_has_to_arrive():
    on = date(2024, 12, 1)
    assert guarantee_period(JOINT, DUE, [asked("2024-09-29", received="2024-09-30")], on=on).state == "met"
    assert guarantee_period(JOINT, DUE, [asked("2024-09-29", received="2024-10-01")], on=on).state == "ended"
    assert guarantee_period(JOINT, DUE, [asked("2024-09-29", received=None)], on=on).state == "ended"
    assert guarantee_period(JOINT, DUE, [asked("2024-06-01", party="Another Ltd")], on=on).state == "ended"
    assert guarantee_period(JOINT, DUE, [asked("2024-06-01", party=None, kind="demand")], on=on).state == "ended"


def test_a_general_guarantee_is_kept_by_suit_against_the_debtor_only():
    on = date(2024, 12, 1)
    assert guarantee_period(GENERAL, DUE, [asked("2024-06-01")], on=on).state == "ended"
    kept = guarantee_period(GENERAL, DUE, [asked("2024-06-01", party=None, kind="suit")], on=on)
    assert kept.state == "met"
    assert guarantee_period(JOINT, DUE, [asked("2024-06-01", party=None, kind="suit")], on=on).state == "ended"


def test_the_claim_against_the_guarantor_is_a_clock_of_its_own():
    first, again = asked("2024-06-03"), asked("2026-06-01")
    assert guarantee_limitation(JOINT, DUE, [], on=date(2024, 6, 1)) is None
    found = guarantee_limitation(JOINT, DUE, [first, asked("2026-01-01", party=None, kind="demand")], on=date(2026, 7, 1))
    assert (found.starts_on, found.ends_on) == (date(2024, 6, 3), date(2027, 6, 3))
    assert guarantee_limitation(JOINT, DUE, [first, again], on=date(2026, 7, 1)).ends_on == date(2029, 6, 1)
    other = asked("2026-06-01", party="Another Ltd")
    assert guarantee_limitation(JOINT, DUE, [first, other], on=date(2026, 7, 1)).ends_on == date(2027, 6, 3)
    waiting = guarantee_limitation(GENERAL, DUE, [asked("2024-06-01", party=None, kind="suit")], on=date(2026, 7, 1))
    assert (waiting.state, waiting.ends_on) == ("unknown", None)


def test_another_law_has_the_end_that_was_agreed_and_no_other():
    german = replace(JOINT, law="DE")
    assert guarantee_period(german, DUE, [], on=DUE) is None
    assert guarantee_period(replace(german, agreed_until=date(2026, 12, 31)), DUE, [], on=DUE).ends_on == date(2026, 12, 31)
    bank = replace(JOINT, independent=True, agreed_until=date(2024, 5, 31))
    assert guarantee_period(bank, DUE, [], on=DUE).ends_on == date(2024, 5, 31)


KINDS = (
    "notice_to_guarantor",
    "demand",
    "acknowledgement",
    "part_payment",
    "promise",
    "suit",
    "arbitration",
    "plan",
    "judgment",
    "mediation_request",
)
EVENTS = st.builds(
    lambda kind, back, wait, party: Event(
        kind, DUE + timedelta(days=back), None if wait is None else DUE + timedelta(days=back + wait), None, party
    ),
    st.sampled_from(KINDS),
    st.integers(-200, 2000),
    st.one_of(st.none(), st.integers(0, 20)),
    st.sampled_from([None, "Old Oak Ltd", "Another Ltd"]),
)


@given(
    st.lists(EVENTS, max_size=10),
    st.booleans(),
    st.sampled_from([None, date(2025, 6, 30), date(2024, 1, 1)]),
    st.booleans(),
    st.integers(0, 3000),
)
@examples(150, 2000)
def test_nothing_moves_a_guarantee_period(events, joint, agreed, unclear, later):
    guarantee = Guarantee("S1", "Old Oak Ltd", joint, agreed, unclear)
    found = guarantee_period(guarantee, DUE, events, on=DUE + timedelta(days=later))
    bare = guarantee_period(guarantee, DUE, [], on=DUE)
    assert (found.starts_on, found.ends_on, found.act_by) == (bare.starts_on, bare.ends_on, bare.act_by)
    assert {one.end for one in found.events} <= {bare.ends_on}


@given(st.lists(EVENTS, max_size=8), st.randoms())
@examples(60, 1000)
def test_the_order_does_not_matter_for_a_guarantor_either(events, chance):
    on = DUE + timedelta(days=3000)
    shuffled = [*events]
    chance.shuffle(shuffled)
    assert guarantee_period(JOINT, DUE, events, on=on) == guarantee_period(JOINT, DUE, shuffled, on=on)
    assert guarantee_limitation(JOINT, DUE, events, on=on) == guarantee_limitation(JOINT, DUE, shuffled, on=on)
