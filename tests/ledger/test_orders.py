"""Orders: money about to be owed, in ledgers that were made before there was such a table too."""

from __future__ import annotations

import datetime as dt

from duecourse import samples
from duecourse.ledger.entries import ENTRIES
from duecourse.ledger.scope import Scope
from duecourse.ledger.store import Ledger
from support.ledgers import ENGINE, add, invoice, totals

DAY = dt.date(2025, 6, 30)
ORDER = {"order_id": "o1", "buyer_id": "b", "order_date": dt.date(2025, 1, 10), "amount_minor": 900, "currency": "CNY"}


def test_a_ledger_made_before_orders_opens_takes_them_and_can_go_back(tmp_path, monkeypatch):
    order = ENTRIES["order"]
    monkeypatch.delitem(ENTRIES, "order")
    ledger = Ledger.open(tmp_path / "old", engine=ENGINE, create=True)
    add(ledger, [invoice(1)])
    before = ledger.version
    monkeypatch.setitem(ENTRIES, "order", order)

    ledger = Ledger.open(tmp_path / "old", engine=ENGINE)
    assert ledger.as_of(DAY).run(ledger.as_of(DAY).order).num_rows == 0
    add(ledger, [ORDER], entry="order")
    assert ledger.as_of(DAY).run(ledger.as_of(DAY).order).num_rows == 1
    ledger.compact()
    ledger.restore(before)
    assert ledger.as_of(DAY).run(ledger.as_of(DAY).order).num_rows == 0
    add(ledger, [{**ORDER, "order_id": "o2"}], entry="order")
    assert ledger.as_of(DAY).run(ledger.as_of(DAY).order)["order_id"].to_pylist() == ["o2"]
    assert totals(ledger) == (1, 100)


def test_an_order_is_open_until_the_day_of_its_status():
    rows = [{**ORDER, "status": "cancelled", "status_date": dt.date(2025, 3, 1)}]
    early, late = (samples.book(dt.date(2025, month, 15), order=rows) for month in (2, 3))
    assert early.run(early.order.select("status", "status_date")).to_pylist() == [{"status": None, "status_date": None}]
    assert late.run(late.order.select("status")).to_pylist() == [{"status": "cancelled"}]


def test_an_order_is_seen_by_those_who_see_its_buyer_and_company():
    rows = [
        {**ORDER, "legal_entity": "CN"},
        {**ORDER, "order_id": "o2", "legal_entity": "EU"},
        {**ORDER, "order_id": "o3", "buyer_id": "c"},
    ]
    profiles = [{"buyer_id": "b", "sales_owner": "Li"}, {"buyer_id": "c", "sales_owner": "Meier", "legal_entity": "CN"}]
    book = samples.book(DAY, order=rows, buyer=profiles)

    def seen(**scope: frozenset[str]) -> list[str]:
        limited = book.limited(Scope(**scope))
        return sorted(limited.run(limited.order)["order_id"].to_pylist())

    assert seen(sales_owners=frozenset({"Li"})) == ["o1", "o2"]
    assert seen(legal_entities=frozenset({"CN"})) == ["o1", "o3"]
    assert seen(sales_owners=frozenset({"Li"}), legal_entities=frozenset({"CN"})) == ["o1"]
