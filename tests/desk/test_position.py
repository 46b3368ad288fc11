"""Where we stand, told shortly, is what the full figures say, whichever way it was worked out."""

from __future__ import annotations

import pytest

from duecourse.desk import position as room
from duecourse.desk.dates import default_day
from duecourse.desk.opening import open_ledger
from duecourse.measures.buckets import Buckets
from duecourse.measures.receivables import outstanding
from support.demos import demo_at


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    place = tmp_path_factory.mktemp("position") / "ledger"
    demo_at(place, invoices=1_000)
    ledger = open_ledger(place)
    return ledger.as_of(default_day(ledger))


@pytest.mark.parametrize("by", ["due_date", "issue_date"])
def test_the_balance_is_the_same_by_columns_and_by_expressions(book, by, monkeypatch):
    buckets = Buckets.of(book)
    assert room.has_columns(book)
    by_columns = room._position(book, "balance", by, buckets)
    full = room._position(book, "kpi", by, buckets)
    monkeypatch.setattr(room, "has_columns", lambda _book: False)
    by_expressions = room._position(book, "balance", by, buckets)
    assert by_columns == by_expressions
    assert len(by_columns["currencies"]) > 1
    for one, other in zip([*by_columns["currencies"], by_columns["base"]], [*full["currencies"], full["base"]], strict=True):
        assert one["buckets"] == other["buckets"]
        assert one["figures"] == {name: other["figures"][name] for name in one["figures"]}
        assert sum(one["buckets"].values()) == one["figures"]["outstanding"] == one["figures"]["overdue"] + one["figures"]["not_due"]


def test_it_has_the_columns_of_the_measure(book):
    assert set(room.BALANCE) == set(outstanding(book).columns)
