"""What the tests of the lists and pages share: the demo ledger reckoned up by hand, and a ledger with buyers of our own making."""

from __future__ import annotations

import datetime as dt

import pytest

from duecourse.web import books
from duecourse.web.books import day_of
from support.ledgers import add
from support.pages import plain


@pytest.fixture
def book(_demo):
    """The whole book as pages open it."""
    ledger = books.ledger()
    return ledger.as_of(day_of(ledger))


@pytest.fixture
def reckoned(book):
    """The same, reckoned up in plain Python."""
    return plain(book)


@pytest.fixture
def owner(book):
    """The sales owner with the most buyers."""
    owners = [row["sales_owner"] for row in book.run(book.buyer).to_pylist() if row["sales_owner"]]
    return max(set(owners), key=owners.count)


@pytest.fixture
def nasty(own_ledger):
    """Two buyers whose names are markup and a formula, and one whose number holds a slash; each owes something."""
    day = day_of(own_ledger)
    profiles = [
        {"buyer_id": "X-1", "name": "<script>alert(1)</script>", "country": "FR", "group_id": '"><img src=x>', "sales_owner": "<b>Eve</b>"},
        {"buyer_id": "X-2", "name": '=HYPERLINK("http://evil")', "country": "FR"},
        {"buyer_id": "X/3", "name": "@SUM(A1)", "country": "FR"},
    ]
    add(own_ledger, [{**row, "name_local": None} for row in profiles], "buyer", file_name="<i>buyers</i>.csv")
    add(own_ledger, [
        {"invoice_id": number, "instalment": 1, "kind": "invoice", "buyer_id": buyer, "issue_date": day - dt.timedelta(40),
         "due_date": day - dt.timedelta(10), "amount_minor": 123_45, "currency": "EUR", "text": "<u>text</u>"}
        for number, buyer in (("<em>1</em>", "X-1"), ("-2+3", "X-2"), ("A/3", "X/3"))
    ], "invoice")  # fmt: skip
    return own_ledger
