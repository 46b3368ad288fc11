"""What one walk over the columns says of the portfolio is what the expressions say."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import Phase, given

from duecourse.desk import figures as module
from duecourse.desk.figures import figures, months
from duecourse.desk.opening import open_ledger
from duecourse.engines.fused import ensure
from duecourse.ledger.scope import Scope
from duecourse.measures.buckets import Buckets
from support.examples import examples
from support.ledgers import ENGINE, add
from support.random_ledgers import DATES, ledgers

USUAL = Buckets()
ON = dt.date(2026, 8, 19)


def both(book, work, monkeypatch):
    fast = work(book)
    with monkeypatch.context() as patch:
        patch.setattr(module, "_columns", lambda _book: None)
        return fast, work(book)


def same(fast, slow, *, where=""):
    assert set(slow) <= set(fast)
    for name, value in slow.items():
        assert fast[name] == (pytest.approx(value, rel=1e-9, abs=1e-12) if isinstance(value, float) else value), (where, name)


def compare(book, monkeypatch, buckets=USUAL):
    for by_issue in (False, True):
        fast, slow = both(book, lambda one, by=by_issue: figures(one, buckets=buckets, by_issue=by), monkeypatch)
        there = {row["currency"]: row for row in fast.kpi}
        for row in slow.kpi:
            if any(value for name, value in row.items() if name != "currency"):
                same(there[row["currency"]], row, where=row["currency"])
        filled = {code: amounts for code, amounts in slow.buckets.items() if any(amounts.values())}
        assert fast.buckets == filled
        assert fast.not_converted == slow.not_converted
        assert (fast.base is None) == (slow.base is None)
        if slow.base:
            same(fast.base, slow.base, where="base")
            assert {name: amount for name, amount in fast.base_buckets.items() if amount} == {name: amount for name, amount in slow.base_buckets.items() if amount}  # fmt: skip
    (fast, fast_base), (slow, slow_base) = both(book, lambda one: months(one, count=24, buckets=buckets), monkeypatch)
    there = {(row["currency"], row["months_back"]): row for row in fast}
    for row in slow:
        same(there.pop((row["currency"], row["months_back"])), row, where=(row["currency"], row["months_back"]))
    for row in there.values():
        assert not (row["outstanding"] or row["credit_sales"] or row["cash_received"] or row["credits"])
    by_month = {row["months_back"]: row for row in fast_base}
    for row in slow_base:
        same(by_month[row["months_back"]], row, where=("base", row["months_back"]))


def test_on_the_demo_economy(small_ledger, monkeypatch):
    ensure(small_ledger)
    book = small_ledger.as_of(ON)
    compare(book, monkeypatch, Buckets((14, 45, 400)))
    owners = sorted({row["sales_owner"] for row in book.run(book.buyer).to_pylist()})
    compare(book.limited(Scope(sales_owners=frozenset(owners[:3]))), monkeypatch)


@given(facts=ledgers(), on=DATES)
@examples(1, 3, phases=(Phase.explicit, Phase.reuse, Phase.generate))
def test_on_odd_ledgers(tmp_path_factory, facts, on):
    ledger = open_ledger(tmp_path_factory.mktemp("l") / "ledger", create=True, threads=1)
    ledger.engine = ENGINE
    for name, rows in zip(("invoice", "settlement"), facts, strict=True):
        if rows:
            defaults = {"kind": "invoice"} if name == "invoice" else {}
            add(ledger, [{**defaults, **row} for row in rows], name)
    ensure(ledger)
    with pytest.MonkeyPatch.context() as patch:
        compare(ledger.as_of(on), patch)
