"""Random evidence beside a random ledger: profiles, signals, disputes, orders, limits and accounts of its buyers, at random days."""

from __future__ import annotations

import datetime as dt

from hypothesis import strategies as st

from duecourse.ledger.entries import ENTRIES, SIGNAL_KINDS, SIGNAL_SEVERITIES, STATEMENT_ITEMS
from support.random_ledgers import FIRST, SPAN, ledgers

BUYERS = "abcd"
DAY = st.integers(0, SPAN).map(lambda number: FIRST + dt.timedelta(days=number))
OFTEN = SPAN // 3


@st.composite
def books(draw, *, most_invoices=15):
    """{table: rows} for `samples.book`: everything an early warning reads, of four buyers, two of them of one group."""
    invoices, settlements = draw(ledgers(most_invoices=most_invoices))
    of_invoice = {(row["invoice_id"], row["instalment"]): row["buyer_id"] for row in invoices}
    for row in settlements:  # a payment stands with its invoice's buyer, so that one buyer's facts are whole
        row["buyer_id"] = of_invoice.get((row.get("invoice_id"), row.get("instalment")), row["buyer_id"])
        row["payer_id"] = draw(st.sampled_from([None, None, row["buyer_id"], "a", "x"]))
    later = st.one_of(st.none(), DAY)
    currency = st.sampled_from(["CNY", "USD"])
    amount = st.one_of(st.none(), st.integers(0, 2_000))
    facts = {"invoice": invoices, "settlement": settlements, "setting": [{"name": "base_currency", "value": '"CNY"'}]}
    facts["exchange_rate"] = [
        {"provider": "own", "base_currency": "USD", "quote_currency": "CNY", "rate_date": FIRST + dt.timedelta(days=at), "rate": 7.0 + at / 1_000}
        for at in range(0, SPAN, 30)
    ]  # fmt: skip
    facts["buyer"] = [
        {"buyer_id": buyer, "group_id": "g" if buyer in "ab" else None, "country": draw(st.sampled_from(["CN", "DE", None])), "sector": "steel"}
        for buyer in BUYERS if draw(st.integers(0, 4))
    ]  # fmt: skip

    def some(most, **columns):
        return [
            {name: draw(of) if isinstance(of, st.SearchStrategy) else of for name, of in columns.items()}
            for _ in range(draw(st.integers(0, most)))
        ]

    buyer = st.sampled_from(BUYERS)
    facts["signal"] = some(12, buyer_id=buyer, kind=st.sampled_from(SIGNAL_KINDS), severity=st.sampled_from([None, *SIGNAL_SEVERITIES]), published_on=DAY, ended_on=later, value=st.sampled_from([None, "AA", "A-", "7", "9", "good"]), amount_minor=amount, currency=currency, provider="p")  # fmt: skip
    facts["dispute"] = some(4, buyer_id=buyer, invoice_id="i0", raised_on=DAY, resolved_on=later, amount_minor=amount, currency=currency)
    facts["order"] = some(8, buyer_id=buyer, order_date=DAY, amount_minor=st.integers(1, 900), currency=currency, status=st.sampled_from([None, "released", "cancelled"]), status_date=later)  # fmt: skip
    facts["limit"] = some(5, buyer_id=buyer, kind=st.sampled_from(["standing", "temporary", "insurer"]), amount_minor=st.integers(0, 900), currency=currency, valid_from=DAY, valid_to=later, ended_on=later)  # fmt: skip
    facts["statement"] = [
        {"buyer_id": owner, "period_end": dt.date(end, 12, 31), "period_months": 12, "consolidated": False, "published_on": draw(DAY), "currency": draw(currency), **{item: draw(amount) for item in STATEMENT_ITEMS}}
        for owner in BUYERS for end in (2022, 2023, 2024) if not draw(st.integers(0, 3))
    ]  # fmt: skip
    for name, key in (("signal", "signal_id"), ("dispute", "dispute_id"), ("order", "order_id"), ("limit", "limit_id")):
        for number, row in enumerate(facts[name]):
            row[key] = f"{name}{number}"
    return facts


def known_by(facts, on):
    """The same facts with what happened after a day taken out, and what ended after it still open."""
    return {
        name: [_hidden(ENTRIES[name], row, on) for row in rows if not _later(ENTRIES[name].happened, row, on)]
        for name, rows in facts.items()
    }


def _later(column, row, on):
    return bool(column) and row.get(column) is not None and row[column] > on


def _hidden(entry, row, on):
    return {**row, **dict.fromkeys(entry.ends)} if entry.ends and _later(entry.ends[0], row, on) else row
