"""Small random ledgers with everything odd in them: instalments, two currencies, early and foreign payments, overpayments, reversals."""

from __future__ import annotations

import datetime as dt

from hypothesis import strategies as st

FIRST = dt.date(2023, 6, 1)
LAST = dt.date(2025, 12, 31)
SPAN = (LAST - FIRST).days
KINDS = (
    "cash",
    "cash",
    "cash",
    "allocation",
    "credit_note",
    "return",
    "discount",
    "deduction",
    "set_off",
    "write_off",
    "exchange_difference",
    "unknown",
)
DATES = st.dates(FIRST + dt.timedelta(days=60), LAST)


@st.composite
def ledgers(draw, *, most_invoices=25):
    """(invoices, settlements): rows for `samples.book`."""
    days = st.integers(0, SPAN).map(lambda n: FIRST + dt.timedelta(days=n))
    invoices = []
    for number in range(draw(st.integers(0, most_invoices))):
        issued = draw(days)
        common = {
            "invoice_id": f"i{number}",
            "buyer_id": draw(st.sampled_from("abc")),
            "issue_date": issued,
            "currency": draw(st.sampled_from(["CNY", "USD"])),
        }
        invoices.extend(
            {
                **common,
                "instalment": part,
                "due_date": issued + dt.timedelta(days=draw(st.integers(-3, 120))),
                "amount_minor": draw(st.integers(1, 1_000)),
            }
            for part in range(1, draw(st.sampled_from([1, 1, 1, 2])) + 1)
        )
    settlements = []
    for number in range(draw(st.integers(0, 2 * len(invoices) + 2))):
        row = {
            "settlement_id": f"s{number}", "kind": draw(st.sampled_from(KINDS)), "buyer_id": draw(st.sampled_from("abcd")), "settle_date": draw(days),
            "amount_minor": draw(st.integers(-200, 1_000).filter(bool)), "currency": draw(st.sampled_from(["CNY", "USD"])),
        }  # fmt: skip
        if invoices and draw(st.integers(0, 9)):
            of = draw(st.sampled_from(invoices))
            late = dt.timedelta(days=draw(st.integers(-10, 150)))
            row |= {"invoice_id": of["invoice_id"], "instalment": of["instalment"], "settle_date": of["due_date"] + late}
            if draw(st.integers(0, 9)):
                row |= {"currency": of["currency"], "buyer_id": of["buyer_id"]}
        elif draw(st.booleans()):
            row |= {"invoice_id": "nowhere", "instalment": 1}
        settlements.append(row)
    return invoices, settlements
