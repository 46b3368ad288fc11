"""Blocks of due dates, of billing and of what was told, against what is counted by hand."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from duecourse import samples
from duecourse.measures.paying import BLOCK_DAYS, EARLIEST, ITEM_DAYS, due_blocks, due_items, trade_blocks
from duecourse.measures.told_lately import told_lately
from support.examples import examples

ON = dt.date(2026, 3, 31)


def ago(days):
    return ON - dt.timedelta(days=days)


def invoice(number, due_ago, amount=100, buyer="a"):
    return {
        "invoice_id": number, "buyer_id": buyer, "issue_date": min(ago(due_ago + 30), ON), "due_date": ago(due_ago), "amount_minor": amount,
        "currency": "CNY",
    }  # fmt: skip


def payment(number, invoice_id, made_ago, amount=100, kind="cash", buyer="a"):
    return {
        "settlement_id": number, "invoice_id": invoice_id, "buyer_id": buyer, "settle_date": ago(made_ago), "amount_minor": amount, "currency": "CNY",
        "kind": kind,
    }  # fmt: skip


def rows(measure, **facts):
    book = samples.book(ON, **facts)
    return {(row["buyer_id"], row["block"]): row for row in book.run(measure(book)).to_pylist()}


def test_an_open_invoice_counts_with_its_age_and_a_paid_one_with_its_delay_each_within_the_reach():
    found = rows(
        due_blocks,
        invoice=[invoice("i1", 40), invoice("i2", 42), invoice("i3", 3), invoice("i4", 0), invoice("i5", -1)],
        settlement=[payment("p1", "i1", 20), payment("p2", "i2", 35, 60)],  # i1 was 20 days late; i2 is paid in part, so still open at 42
    )
    assert set(found) == {("a", 2), ("a", 0)}  # the invoice due tomorrow is in no block
    row = found["a", 2]
    assert (row["items"], row["unpaid"]) == (2, 1)
    assert (row["late_15"], row["late_30"], row["late_60"]) == (2, 1, 0)
    assert (row["days_15"], row["days_30"], row["days_60"]) == (30, 50, 62)
    assert row["squares_30"] == 20**2 + 30**2
    assert (found["a", 0]["items"], found["a", 0]["unpaid"], found["a", 0]["days_15"]) == (2, 2, 3)


def test_a_payment_long_before_the_due_date_counts_as_the_earliest():
    found = rows(due_blocks, invoice=[invoice("i1", 10) | {"issue_date": ago(120)}], settlement=[payment("p1", "i1", 100)])
    assert found["a", 0]["days_60"] == EARLIEST


def test_billing_and_payments_count_on_their_own_days():
    found = rows(
        trade_blocks,
        invoice=[invoice("i1", 50), invoice("i2", 60)],
        settlement=[payment("p1", "i1", 16), payment("p2", "i2", 2, 50), payment("p3", "i2", 1, 50, "credit_note")],
    )
    assert found["a", 80 // BLOCK_DAYS]["billed"] == 1
    assert found["a", 1] == {"buyer_id": "a", "block": 1, "billed": 0, "paid": 1, "overdue_paid": 1, "paid_days": 34}
    assert found["a", 0]["paid"] == 1, "a credit note is no payment"


def test_neutral_news_is_not_counted_and_old_signals_fall_out():
    def signal(number, kind, days, severity="amber", buyer="a"):
        return {"signal_id": number, "buyer_id": buyer, "kind": kind, "published_on": ago(days), "severity": severity}

    book = samples.book(
        ON,
        signal=[
            signal("s1", "news", 5), signal("s2", "news", 5, "info"), signal("s3", "news", 120, None), signal("s4", "lawsuit", 366),
            signal("s5", "contact_change", 89, "info"), signal("s6", "enforcement", 90, "red"), signal("s7", "enforcement", 364, "red"),
        ],
    )  # fmt: skip
    (row,) = book.run(told_lately(book)).to_pylist()
    assert (row["news_lately"], row["news_before"]) == (1, 1)
    assert (row["claim_lately"], row["claim_before"]) == (0, 0)
    assert (row["contact_lately"], row["seizure_lately"], row["seizure_before"]) == (1, 0, 2)


items = st.lists(st.tuples(st.integers(-20, 400), st.integers(-25, 200) | st.none(), st.integers(1, 3)), max_size=12)


@examples(25, 300)
@given(items)
def test_every_invoice_due_is_in_one_block_with_its_own_days(drawn):
    invoices, payments, by_hand = [], [], {}
    for number, (due_ago, delay, parts) in enumerate(drawn):
        invoices.append(invoice(f"i{number}", due_ago, 90) | {"issue_date": ago(due_ago + 60)})
        paid_ago = None if delay is None else due_ago - delay
        settled = paid_ago is not None and paid_ago >= 0
        if settled:
            payments += [payment(f"p{number}-{part}", f"i{number}", paid_ago, 90 // parts) for part in range(parts)]
        if due_ago < 0:
            continue
        late = delay if settled else due_ago
        cell = by_hand.setdefault(("a", due_ago // BLOCK_DAYS), [0, 0, 0, 0])
        for place, value in enumerate((1, not settled, min(max(late, EARLIEST), 30), late >= 15)):
            cell[place] += value
    found = rows(due_blocks, invoice=invoices, settlement=payments)
    assert {key: [row["items"], row["unpaid"], row["days_30"], row["late_15"]] for key, row in found.items()} == by_hand


def items(**facts):
    book = samples.book(ON, **facts)
    return sorted((row["buyer_id"], row["due_ago"], row["delay"]) for row in book.run(due_items(book)).to_pylist() if row["delay"] is not None), [
        row["due_ago"] for row in book.run(due_items(book)).to_pylist() if row["delay"] is None
    ]  # fmt: skip


def test_an_invoice_is_paid_on_the_day_of_its_largest_payment_once_half_of_it_is_settled():
    paid, still = items(
        invoice=[
            invoice("whole", 50), invoice("early", 40), invoice("parts", 60), invoice("less", 70), invoice("short", 80), invoice("alike", 90),
            invoice("today", 0), invoice("tomorrow", -1), invoice("old", ITEM_DAYS), invoice("back", 20, amount=-100),
        ],
        settlement=[
            payment("p1", "whole", 30), payment("p2", "early", 44), payment("p3", "parts", 55, 20), payment("p4", "parts", 10, 60),
            payment("p5", "less", 60, 49), payment("p6", "short", 75, 97), payment("p7", "short", 5, 3, kind="write_off"),
            payment("p8", "alike", 80, 40), payment("p9", "alike", 70, 40), payment("p10", "alike", 85, -1), payment("p11", None, 3),
        ],
    )  # fmt: skip
    assert paid == [("a", 40, -4), ("a", 50, 20), ("a", 60, 50), ("a", 80, 5), ("a", 90, 10)]  # of two alike the earlier one
    assert sorted(still) == [0, 70]
