"""A decision is kept so that it can be made again."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duecourse import samples
from duecourse.decisions.record import basis_of, canonical, decision_row, differences, digest_of, plain
from duecourse.ledger.entries import DECISION

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_the_text_of_an_answer_read_back_gives_the_same_text(value):
    assert canonical(json.loads(canonical(value))) == canonical(value)
    assert differences(value, json.loads(canonical(value))) == []


@given(VALUES, VALUES)
def test_answers_differ_exactly_where_their_digests_do(one, other):
    assert bool(differences(one, other)) == (digest_of(one) != digest_of(other))


def test_a_difference_names_its_place_and_both_values():
    found = differences({"caps": [{"amount": 1}], "gone": 2}, {"caps": [{"amount": 3}, 4]})
    assert [(one.path, one.then, one.now) for one in found] == [("caps.0.amount", "1", "3"), ("caps.1", "", "4"), ("gone", "2", "")]


def test_a_number_that_is_none_is_refused():
    with pytest.raises(ValueError, match="nan"):
        canonical({"share": float("nan")})
    with pytest.raises(TypeError):
        plain(object())


def test_a_row_fits_its_table_and_holds_its_answer():
    book = samples.book(dt.date(2025, 6, 30))
    answer = {"amount_minor": 100, "pd": 0.1 + 0.2}
    moment = dt.datetime(2025, 6, 30, 8, tzinfo=dt.UTC)
    row = decision_row(
        decision_id="d", kind="limit", basis=basis_of(book), rules={"limit": 1}, inputs={}, answer=answer, outcome="approved", decided_on=book.on,
        decided_at=moment, made_by="anna", approved_by=["bo", "cai"], reasons=[{"code": "x", "args": {}}],
    )  # fmt: skip
    assert set(row) == set(DECISION.facts.names)
    assert row["digest"] == digest_of(json.loads(row["answer"]))
    assert row["approved_by"] == "bo, cai"
    assert row["book_known_at"] is not None
    with pytest.raises(ValueError, match="whim"):
        decision_row(**{**{name: row[name] for name in ("decision_id", "outcome", "decided_on", "decided_at", "made_by")},
                        "kind": "whim", "basis": basis_of(book), "rules": {}, "inputs": {}, "answer": {}})  # fmt: skip
