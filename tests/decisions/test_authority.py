"""Who may grant how much."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duecourse.decisions.authority import ROLES, authority_of, checked, outranks, shipped
from duecourse.errors import RuleInvalidError

AMOUNTS = st.floats(0, 1e12)
GRADES = st.integers(1, 10)


def weight(needed):
    return ROLES.index(needed.role), needed.approvers


@given(AMOUNTS, AMOUNTS, GRADES, GRADES)
def test_more_money_or_a_worse_grade_never_needs_less(one, other, first, second):
    matrix = shipped()
    low, high = sorted((one, other))
    good, bad = sorted((first, second))
    assert weight(matrix.needed(low, good)) <= weight(matrix.needed(high, bad))
    assert weight(matrix.needed(high, bad)) <= weight(matrix.needed(None, None))


def test_a_role_has_the_authority_of_those_below_it():
    assert outranks("admin", "credit_manager")
    assert outranks("credit_manager", "credit_manager")
    assert not outranks("credit_analyst", "credit_manager")
    assert not outranks("sales", "credit_analyst")


def spoilt(change):
    values = copy.deepcopy(dict(shipped().values))
    change(values["bands"])
    return values


@pytest.mark.parametrize(
    "change",
    [
        lambda bands: bands.pop(),
        lambda bands: bands[0]["steps"].pop(),
        lambda bands: bands[0]["steps"][0].update(up_to=9_000_000),
        lambda bands: bands[0]["steps"][0].update(role="sales"),
        lambda bands: bands[0]["steps"][2].update(approvers=0),
        lambda bands: bands[0]["steps"][0].update(approvers=3, role="admin"),
        lambda bands: bands[2]["steps"][0].update(role="credit_analyst"),
        lambda bands: bands[1].pop("steps"),
    ],
)
def test_a_matrix_with_a_hole_or_that_asks_less_of_more_is_refused(change):
    with pytest.raises(RuleInvalidError):
        checked(spoilt(change))


def test_the_firms_own_matrix_holds():
    own = {"bands": [{"to_grade": 10, "steps": [{"up_to": None, "role": "admin", "approvers": 1}]}]}
    assert authority_of({"limit_authority": own}).needed(1, 1).role == "admin"
    assert authority_of({}) is shipped()
