"""Exposure equals what a credit manager would count: open items, and orders released and not billed; nothing twice, nothing lost."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from duecourse import samples
from duecourse.measures.exposure import credit_exposure, pending_orders
from support.random_ledgers import DATES, FIRST, SPAN, ledgers
from support.replay import Replay

ON = dt.date(2026, 3, 31)


def day(month, day_of_month):
    return dt.date(2026, month, day_of_month)


def order(number, amount, status="released", **more):
    return {
        "order_id": number,
        "buyer_id": "a",
        "order_date": day(3, 1),
        "amount_minor": amount,
        "currency": "CNY",
        "status": status,
        "status_date": day(3, 2),
        **more,
    }


def invoice(number, amount, **more):
    return {
        "invoice_id": number,
        "buyer_id": "a",
        "issue_date": day(3, 10),
        "due_date": day(4, 9),
        "amount_minor": amount,
        "currency": "CNY",
        **more,
    }


def exposures(book, **more):
    return {(row["buyer_id"], row["currency"]): row for row in book.run(credit_exposure(book, **more)).to_pylist()}


def test_a_released_order_counts_until_it_is_billed_and_then_only_what_is_left_of_it():
    orders = [order("o1", 100), order("o2", 50), order("o3", 70, None), order("o4", 80, "cancelled"), order("o5", 90, "invoiced")]
    book = samples.book(ON, order=orders, invoice=[invoice("i1", 60, order_number="o1"), invoice("i2", 55, order_number="o2")])
    row = exposures(book)["a", "CNY"]
    assert row["released_not_invoiced"] == 40  # of o1; o2 is billed, and more than that is no reduction of anything else
    assert row["open_orders"] == 70
    assert row["outstanding"] == 115
    assert row["exposure"] == 155


def test_an_order_of_one_firm_that_another_pays_is_billed_by_the_invoice_to_the_other():
    book = samples.book(ON, order=[order("o1", 100)], invoice=[invoice("i1", 100, buyer_id="payer", orderer_id="a", order_number="o1")])
    rows = exposures(book)
    assert ("a", "CNY") not in rows
    assert rows["payer", "CNY"]["exposure"] == 100


def test_the_same_order_number_of_another_buyer_or_currency_bills_nothing():
    other = [invoice("i1", 100, buyer_id="b", order_number="o1"), invoice("i2", 100, currency="USD", order_number="o1")]
    assert exposures(samples.book(ON, order=[order("o1", 100)], invoice=other))["a", "CNY"]["released_not_invoiced"] == 100


def test_a_release_of_tomorrow_is_an_open_order_today():
    book = samples.book(ON, order=[order("o1", 100, status_date=dt.date(2026, 4, 1))])
    assert book.run(pending_orders(book)).to_pylist()[0]["status"] == "open"
    assert exposures(book)["a", "CNY"]["open_orders"] == 100


def test_what_is_late_beyond_the_tolerance_stands_apart_and_credits_are_not_taken_off():
    rows = [invoice("i1", 60, due_date=day(3, 1)), invoice("i2", 40, due_date=day(3, 21)), invoice("i3", 30)]
    advance = [{"buyer_id": "a", "amount_minor": 25, "settle_date": day(3, 5), "currency": "CNY", "kind": "cash"}]
    row = exposures(samples.book(ON, invoice=rows, settlement=advance), tolerance_days=10)["a", "CNY"]
    assert (row["overdue"], row["overdue_beyond"], row["oldest_days_past_due"]) == (100, 60, 30)
    assert (row["exposure"], row["unapplied_credits"], row["net"]) == (130, 25, 105)


def test_a_group_is_added_up_over_its_firms():
    buyers = [{"buyer_id": name, "group_id": "g"} for name in "ab"]
    book = samples.book(ON, buyer=buyers, invoice=[invoice("i1", 60), invoice("i2", 40, buyer_id="b")], order=[order("o1", 7)])
    rows = book.run(credit_exposure(book, per=["group_id"])).to_pylist()
    assert [(row["group_id"], row["exposure"]) for row in rows] == [("g", 107)]


@st.composite
def orders(draw):
    made = []
    for number in range(draw(st.integers(0, 8))):
        ordered = FIRST + dt.timedelta(days=draw(st.integers(0, SPAN)))
        made.append(
            {
                "order_id": f"o{number}", "buyer_id": draw(st.sampled_from("abc")), "order_date": ordered, "amount_minor": draw(st.integers(1, 1_000)),
                "currency": draw(st.sampled_from(["CNY", "USD"])), "status": draw(st.sampled_from([None, "open", "released", "released", "invoiced", "cancelled"])),
                "status_date": draw(st.none() | st.integers(0, 90).map(lambda n, start=ordered: start + dt.timedelta(days=n))),
            }
        )  # fmt: skip
    return made


@given(facts=ledgers(most_invoices=12), ordered=orders(), numbers=st.lists(st.integers(0, 9), min_size=12, max_size=12), on=DATES)
@settings(max_examples=12)
def test_exposure_equals_a_replay(facts, ordered, numbers, on):
    invoices, settlements = facts
    invoices = [{**row, "order_number": f"o{numbers[int(row['invoice_id'][1:])]}"} for row in invoices]
    found = exposures(samples.book(on, invoice=invoices, settlement=settlements, order=ordered))
    replay = Replay(invoices, settlements, on)
    pending = defaultdict(lambda: [0, 0])
    for row in (row for row in ordered if row["order_date"] <= on):
        held = row["status"] if row["status_date"] is None or row["status_date"] <= on else None
        billed = sum(
            i["amount_minor"]
            for i in invoices
            if i["issue_date"] <= on
            and all(i[a] == row[b] for a, b in [("order_number", "order_id"), ("buyer_id", "buyer_id"), ("currency", "currency")])
        )
        if held in (None, "open", "released"):
            pending[row["buyer_id"], row["currency"]][held != "released"] += max(row["amount_minor"] - billed, 0)
    for key in {*found, *pending, *replay.keys()}:
        row = found.get(key, defaultdict(int))
        released, still_open = pending[key]
        assert (row["released_not_invoiced"], row["open_orders"]) == (released, still_open)
        assert row["outstanding"] == replay.outstanding(*key)
        assert row["overdue"] == replay.overdue(*key)
        assert row["exposure"] == replay.outstanding(*key) + released
