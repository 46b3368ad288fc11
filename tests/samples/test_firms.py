"""The three firms owe what their docstring says, and their facts fit the ledger."""

from __future__ import annotations

import datetime as dt

from duecourse.ledger.entries import ENTRIES
from duecourse.samples.book import memory_ledger
from duecourse.samples.firms import three_firms


def balances(on):
    book = memory_ledger(three_firms()).as_of(on)
    invoices = book.run(book.invoice.select("invoice_id", "instalment", "buyer_id", "amount_minor")).to_pylist()
    settled = book.run(book.settlement.select("invoice_id", "instalment", "buyer_id", "amount_minor")).to_pylist()
    unapplied = {}
    owed = {}
    for row in invoices:
        paid = sum(s["amount_minor"] for s in settled if (s["invoice_id"], s["instalment"]) == (row["invoice_id"], row["instalment"]))
        owed[row["buyer_id"]] = owed.get(row["buyer_id"], 0) + row["amount_minor"] - paid
    for row in settled:
        if row["invoice_id"] is None:
            unapplied[row["buyer_id"]] = unapplied.get(row["buyer_id"], 0) + row["amount_minor"]
    return owed, unapplied


def test_open_at_the_end_of_june():
    assert balances(dt.date(2025, 6, 30)) == ({"good": 6_000_000, "slow": 4_850_000, "failing": 19_000_000}, {"good": 500_000})


def test_the_advance_is_unapplied_until_its_invoice():
    assert balances(dt.date(2025, 2, 16))[1] == {"good": 1_500_000}
    assert balances(dt.date(2025, 2, 17))[1] == {"good": 0}


def test_columns_and_references():
    facts = three_firms()
    for name, rows in facts.items():
        for row in rows:
            assert set(row) <= set(ENTRIES[name].facts.names)
    known = {(row["invoice_id"], row["instalment"]) for row in facts["invoice"]}
    assert {(row["invoice_id"], row["instalment"]) for row in facts["settlement"] if row["invoice_id"]} <= known
    assert len({row["settlement_id"] for row in facts["settlement"]}) == len(facts["settlement"])
