"""Which limits hold on a day."""

from __future__ import annotations

import datetime as dt

from hypothesis import given, settings
from hypothesis import strategies as st

from duecourse import samples
from duecourse.measures.limits import IN_FORCE, limit_states, limit_use, limits_in_force, payment_experience

ON = dt.date(2025, 6, 30)


def day(text):
    return dt.date.fromisoformat(text)


def limit(limit_id, kind="standing", buyer_id="b", amount=100, **more):
    return {
        "limit_id": limit_id,
        "kind": kind,
        "buyer_id": buyer_id,
        "amount_minor": amount,
        "currency": "CNY",
        "valid_from": day("2025-01-01"),
        **more,
    }


def in_force(*rows, on=ON):
    book = samples.book(on, limit=list(rows))
    return {row["limit_id"]: row for row in book.run(limits_in_force(book)).to_pylist()}


def states(*rows, on=ON):
    book = samples.book(on, limit=list(rows))
    return {row["limit_id"]: row["state"] for row in book.run(limit_states(book)).to_pylist()}


def test_a_limit_holds_from_its_first_to_its_last_day():
    row = limit("1", valid_from=day("2025-06-30"), valid_to=day("2025-07-01"))
    assert [len(in_force(row, on=day(on))) for on in ("2025-06-29", "2025-06-30", "2025-07-01", "2025-07-02")] == [0, 1, 1, 0]
    assert list(in_force(row)["1"]) == list(IN_FORCE)


def test_an_ended_limit_no_longer_holds_from_that_day_and_did_before():
    row = limit("1", ended_on=day("2025-06-30"))
    assert in_force(row, on=day("2025-06-29"))
    assert not in_force(row)
    assert states(row) == {"1": "ended"}


def test_a_newer_standing_limit_replaces_the_older_for_good():
    old, new = limit("1"), limit("2", valid_from=day("2025-03-01"), valid_to=day("2025-05-31"))
    assert set(in_force(old, new, on=day("2025-02-01"))) == {"1"}
    assert set(in_force(old, new, on=day("2025-04-01"))) == {"2"}
    assert states(old, new) == {"1": "replaced", "2": "run_out"}


def test_limits_of_other_buyers_groups_entities_and_kinds_stand_beside_each_other():
    rows = [
        limit("1"), limit("2", buyer_id="c"), limit("3", buyer_id=None, group_id="b"), limit("4", legal_entity="E1"), limit("5", kind="insurer"),
        limit("6", kind="temporary"), limit("7", kind="temporary", valid_from=day("2025-02-01")), limit("8", kind="block", amount=None),
    ]  # fmt: skip
    assert set(in_force(*rows)) == {"1", "2", "3", "4", "5", "6", "7", "8"}


def test_no_limit_is_no_row():
    assert in_force() == {}


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "kind": st.sampled_from(["standing", "temporary", "insurer", "block"]),
            "buyer_id": st.sampled_from(["b", "c"]),
            "valid_from": st.dates(day("2025-06-01"), day("2025-07-10")),
            "valid_to": st.none() | st.dates(day("2025-06-01"), day("2025-07-10")),
            "ended_on": st.none() | st.dates(day("2025-06-01"), day("2025-07-10")),
        }
    ),
    max_size=8,
)


@settings(max_examples=30, deadline=None)
@given(ROWS)
def test_at_most_one_standing_and_insurer_limit_holds_and_none_outside_its_dates(rows):
    rows = [limit(str(number), **row) for number, row in enumerate(rows)]
    found = in_force(*rows).values()
    for kind in ("standing", "insurer"):
        owners = [row["buyer_id"] for row in found if row["kind"] == kind]
        assert len(owners) == len(set(owners))
    for row in found:
        given_row = rows[int(row["limit_id"])]
        assert row["valid_from"] <= ON
        assert row["valid_to"] is None or row["valid_to"] >= ON
        assert given_row["ended_on"] is None or given_row["ended_on"] > ON


def invoice(number, issued, due, amount=100):
    return {
        "invoice_id": number,
        "instalment": 1,
        "kind": "invoice",
        "buyer_id": "b",
        "issue_date": day(issued),
        "due_date": day(due),
        "amount_minor": amount,
        "currency": "CNY",
    }


def paid(number, on, amount=100, kind="cash"):
    return {"settlement_id": f"{number}{on}{kind}", "kind": kind, "buyer_id": "b", "invoice_id": number, "instalment": 1, "settle_date": day(on), "amount_minor": amount, "currency": "CNY"}  # fmt: skip


def experience(invoices, settlements, **more):
    book = samples.book(ON, invoice=invoices, settlement=settlements)
    return [
        (row["invoices_paid"], row["invoices_within"], row["paid_within_terms"])
        for row in book.run(payment_experience(book, **more)).to_pylist()
    ]


def test_experience_is_the_highest_balance_of_invoices_then_paid_within_terms():
    """1 and 2 stand together at 200; 3 was paid too late; 4 was credited; 5 is open; 6 was paid in cash less a credit note."""
    invoices = [
        invoice("1", "2025-01-01", "2025-02-01"), invoice("2", "2025-01-15", "2025-02-15"), invoice("3", "2025-01-15", "2025-02-01", 900),
        invoice("4", "2025-01-15", "2025-02-01", 900), invoice("5", "2025-06-01", "2025-07-01", 900), invoice("6", "2025-03-01", "2025-04-01", 260),
    ]  # fmt: skip
    settlements = [
        paid("1", "2025-02-20"), paid("2", "2025-02-15"), paid("3", "2025-05-01", 900), paid("4", "2025-01-20", 900, "credit_note"),
        paid("6", "2025-03-10", 60, "credit_note"), paid("6", "2025-04-01", 200),
    ]  # fmt: skip
    assert experience(invoices, settlements) == [(4, 3, 200)]
    assert experience(invoices, settlements, tolerance_days=10) == [(4, 2, 200)]
    assert experience(invoices, settlements, tolerance_days=90) == [(4, 4, 1100)]


def test_without_a_paid_invoice_there_is_no_experience():
    assert experience([invoice("5", "2025-06-01", "2025-07-01")], []) == []


def test_the_use_of_a_limit_counts_standing_and_temporary_against_everything_at_stake():
    rates = [{"provider": "own", "base_currency": "USD", "quote_currency": "CNY", "rate": 7.0, "rate_date": ON}]
    book = samples.book(
        ON, setting=[{"name": "base_currency", "value": '"CNY"'}], exchange_rate=rates,
        limit=[limit("1", amount=1000), limit("2", kind="temporary", amount=100, currency="USD"), limit("3", buyer_id="c", valid_to=day("2025-06-01")),
               limit("4", buyer_id="d", kind="block", amount=None), limit("5", buyer_id="e", amount=0)],
        invoice=[invoice("1", "2025-06-01", "2025-06-20", 850), {**invoice("2", "2025-06-01", "2025-07-20", 50), "buyer_id": "c"}],
        order=[{"order_id": "o", "buyer_id": "b", "order_date": day("2025-06-02"), "amount_minor": 170, "currency": "CNY", "status": "released", "status_date": day("2025-06-03")}],
    )  # fmt: skip
    rows = {row["buyer_id"]: row for row in book.run(limit_use(book)).to_pylist()}
    assert (rows["b"]["limit_minor"], rows["b"]["exposure"], rows["b"]["headroom_minor"], rows["b"]["utilisation"]) == (
        1700,
        1020,
        680,
        0.6,
    )
    assert (rows["c"]["limit_minor"], rows["c"]["had_limit"], rows["c"]["exposure"]) == (None, True, 50)
    assert rows["d"]["is_blocked"]
    assert (rows["e"]["limit_minor"], rows["e"]["utilisation"]) == (0, None)
