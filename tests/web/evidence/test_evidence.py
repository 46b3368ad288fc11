"""What others say of a buyer: shown with source and severity, added once, ended and withdrawn without losing what was."""

from __future__ import annotations

import datetime as dt
from html import unescape

import pytest

from duecourse.web import books
from support.ledgers import add

SIGNAL = {
    "kind": "lawsuit",
    "published_on": "2026-03-05",
    "provider": "<b>Court</b>",
    "amount": "1,200",
    "currency": "CNY",
    "reference": "javascript:alert(1)",
}


@pytest.fixture
def buyer(own_ledger):
    profile = {
        "buyer_id": "X/1",
        "name": "Xin",
        "country": "CN",
        "registration_number": "91330200100000016E",
        "founded_on": dt.date(2010, 5, 6),
        "sales_owner": "Eve",
    }
    add(own_ledger, [profile], "buyer")
    return own_ledger


def held(on=dt.date(2030, 1, 1)):
    book = books.ledger().as_of(on)
    return [row for row in book.run(book.signal).to_pylist() if row["buyer_id"] == "X/1"]


def text_of(answer, status=200):
    assert answer.status_code == status
    return unescape(answer.content.decode())


def test_a_signal_is_added_once_and_shown_with_its_source(signed_in, buyer):
    browser = signed_in("sales", sales_owners=["Eve"])
    for _ in range(2):
        assert browser.post("/buyers/X~11/evidence/add", SIGNAL).status_code == 302
    (row,) = held()
    assert (row["amount_minor"], row["severity"]) == (120_000, None)
    answer = browser.get("/buyers/X~11/evidence")
    assert "&lt;b&gt;Court&lt;/b&gt;" in answer.content.decode()
    assert 'href="javascript' not in answer.content.decode()
    text = text_of(answer)
    assert "1,200.00 CNY" in text
    assert "check digit disagrees" in text


@pytest.mark.parametrize(
    "bad",
    [
        {"kind": "gossip"},
        {"published_on": "yesterday"},
        {"published_on": "2999-01-01"},
        {"amount": "lots"},
        {"provider": ""},
        {"kind": "list_match"},
    ],
)
def test_what_cannot_be_comes_back_as_it_was_typed(signed_in, buyer, bad):
    text = text_of(signed_in("credit_analyst").post("/buyers/X~11/evidence/add", {**SIGNAL, "text": "typed words", **bad}), 422)
    assert "typed words" in text
    assert not held()


def test_it_ends_from_a_day_on_and_held_before(signed_in, buyer):
    browser = signed_in("credit_analyst")
    browser.post("/buyers/X~11/evidence/add", SIGNAL)
    (row,) = held()
    browser.post("/buyers/X~11/evidence/end", {"signal_id": row["signal_id"], "ended_on": "2026-01-01"})
    assert held()[0]["ended_on"] is None, "not before it began"
    browser.post("/buyers/X~11/evidence/end", {"signal_id": row["signal_id"], "ended_on": "2026-06-01"})
    assert held()[0]["ended_on"] == dt.date(2026, 6, 1)
    assert held(dt.date(2026, 5, 1))[0]["ended_on"] is None


def test_it_is_withdrawn_with_a_reason(signed_in, buyer):
    browser = signed_in("credit_analyst")
    browser.post("/buyers/X~11/evidence/add", SIGNAL)
    key = {"signal_id": held()[0]["signal_id"]}
    browser.post("/buyers/X~11/evidence/withdraw", key)
    assert held()
    browser.post("/buyers/X~11/evidence/withdraw", {**key, "reason": "another firm"})
    assert not held()


def test_somebody_elses_buyer_is_not_found(signed_in, buyer):
    browser = signed_in("sales", sales_owners=["Ada"])
    assert browser.get("/buyers/X~11/evidence").status_code == 404
    assert browser.post("/buyers/X~11/evidence/add", SIGNAL).status_code == 404
    assert signed_in("viewer").post("/buyers/X~11/evidence/add", SIGNAL).status_code == 403
