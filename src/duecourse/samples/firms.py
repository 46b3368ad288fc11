"""Three firms to try a question on: one pays well, one pays late, one is failing."""

from __future__ import annotations

from datetime import date
from typing import Any


def three_firms() -> dict[str, list[dict[str, Any]]]:
    """Who owes what, in a ledger small enough to check by hand?  三家客户的小台账

    Facts as {table: rows}, to be read as of 2025-06-30 (later ones are there too, to see that they stay hidden):

    - **good** 宁波欣原机械: pays on the day. Advance applied to an invoice, a credit note, an invoice in two instalments.
    - **slow** Hohenbach Elektronik, in euro: about four weeks late, a payment in two parts, a disputed invoice.
    - **failing** 佛山拓凯建材: paid ever later, then nothing; part of it overdue for more than 90 days, one invoice written off in July.

    Open as of 2025-06-30: good CNY 60,000.00 (not due), slow EUR 48,500.00, failing CNY 190,000.00; unapplied credits: good CNY 5,000.00.

    >>> sorted(three_firms())
    ['buyer', 'dispute', 'exchange_rate', 'invoice', 'setting', 'settlement']
    """
    return {"buyer": _buyers(), "invoice": _invoices(), "settlement": _settlements(), "dispute": _disputes(), **_money()}


def _day(text: str) -> date:
    return date.fromisoformat(f"2025-{text}")


def _buyers() -> list[dict[str, Any]]:
    return [
        {
            "buyer_id": "good", "name": "Ningbo Xinyuan Machinery Co., Ltd.", "name_local": "宁波欣原机械设备有限公司",
            "registration_number": "91330200100000016D", "country": "CN", "city": "Ningbo", "sector": "machinery", "sales_owner": "陈晓岚",
            "legal_entity": "CN01", "currency": "CNY", "payment_terms_days": 60, "customer_since": date(2016, 3, 1),
        },
        {
            "buyer_id": "slow", "name": "Hohenbach Elektronik GmbH", "registration_number": "DE336695974", "country": "DE", "city": "Kassel",
            "sector": "electronics", "sales_owner": "Anna Keller", "legal_entity": "EU01", "currency": "EUR", "payment_terms_days": 30,
            "customer_since": date(2019, 9, 12),
        },
        {
            "buyer_id": "failing", "name": "Foshan Tuokai Building Materials Co., Ltd.", "name_local": "佛山拓凯建材有限公司",
            "registration_number": "914406001000003588", "country": "CN", "city": "Foshan", "sector": "building materials",
            "sales_owner": "李志远", "legal_entity": "CN01", "currency": "CNY", "payment_terms_days": 30, "customer_since": date(2022, 5, 20),
        },
    ]  # fmt: skip


def _invoice(
    invoice_id: str, buyer_id: str, issued: str, due: str, amount_minor: int, *, currency: str = "CNY", instalment: int = 1
) -> dict[str, Any]:
    return {
        "invoice_id": invoice_id, "instalment": instalment, "kind": "invoice", "buyer_id": buyer_id,
        "legal_entity": "EU01" if currency == "EUR" else "CN01", "issue_date": _day(issued), "due_date": _day(due),
        "amount_minor": amount_minor, "currency": currency, "payment_terms_days": (_day(due) - _day(issued)).days, "document_type": "RV",
    }  # fmt: skip


def _invoices() -> list[dict[str, Any]]:
    return [
        _invoice("G1", "good", "01-06", "03-07", 8_000_000),
        _invoice("G2", "good", "02-17", "04-18", 5_000_000),
        _invoice("G3", "good", "04-01", "05-31", 3_000_000),
        _invoice("G3", "good", "04-01", "06-30", 3_000_000, instalment=2),
        _invoice("G4", "good", "05-20", "07-19", 6_000_000),
        _invoice("G5", "good", "07-02", "08-31", 4_000_000),
        _invoice("S1", "slow", "01-15", "02-14", 2_000_000, currency="EUR"),
        _invoice("S2", "slow", "03-03", "04-02", 1_500_000, currency="EUR"),
        _invoice("S3", "slow", "04-22", "05-22", 2_400_000, currency="EUR"),
        _invoice("S4", "slow", "06-10", "07-10", 1_800_000, currency="EUR"),
        _invoice("F1", "failing", "01-10", "02-09", 9_000_000),
        _invoice("F2", "failing", "02-12", "03-14", 7_000_000),
        _invoice("F3", "failing", "03-14", "04-13", 8_000_000),
        _invoice("F4", "failing", "04-25", "05-25", 4_000_000),
    ]


def _settled(
    settlement_id: str, buyer_id: str, day: str, amount_minor: int, invoice_id: str | None, *, kind: str = "cash", instalment: int = 1
) -> dict[str, Any]:
    return {
        "settlement_id": settlement_id, "kind": kind, "buyer_id": buyer_id, "invoice_id": invoice_id,
        "instalment": instalment if invoice_id else None, "settle_date": _day(day), "amount_minor": amount_minor,
        "currency": "EUR" if buyer_id == "slow" else "CNY", "legal_entity": "EU01" if buyer_id == "slow" else "CN01",
    }  # fmt: skip


def _settlements() -> list[dict[str, Any]]:
    return [
        _settled("g1", "good", "03-07", 8_000_000, "G1"),
        _settled("g2", "good", "02-10", 1_500_000, None),  # an advance on G2, applied when G2 went out
        _settled("g3", "good", "02-17", -1_500_000, None, kind="allocation"),
        _settled("g4", "good", "02-17", 1_500_000, "G2", kind="allocation"),
        _settled("g5", "good", "03-05", 250_000, "G2", kind="credit_note"),
        _settled("g6", "good", "04-18", 3_250_000, "G2"),
        _settled("g7", "good", "05-30", 3_000_000, "G3"),
        _settled("g8", "good", "06-30", 3_000_000, "G3", instalment=2),
        _settled("g9", "good", "06-27", 500_000, None),  # not said for what
        _settled("s1", "slow", "03-14", 2_000_000, "S1"),
        _settled("s2", "slow", "04-30", 650_000, "S2"),  # a first part
        _settled("s3", "slow", "06-13", 200_000, "S3"),
        _settled("s4", "slow", "07-08", 850_000, "S2"),
        _settled("f1", "failing", "03-03", 9_000_000, "F1"),
        _settled("f2", "failing", "07-25", 7_000_000, "F2", kind="write_off"),
    ]


def _disputes() -> list[dict[str, Any]]:
    return [
        {
            "dispute_id": "d1", "buyer_id": "slow", "invoice_id": "S3", "raised_on": _day("05-12"), "resolved_on": _day("07-04"),
            "amount_minor": 600_000, "currency": "EUR", "reason": "quality", "outcome": "partly",
        },
    ]  # fmt: skip


def _money() -> dict[str, list[dict[str, Any]]]:
    rates = (("01-31", 7.45), ("02-28", 7.56), ("03-31", 7.86), ("04-30", 8.26), ("05-31", 8.17), ("06-30", 8.40))
    return {
        "exchange_rate": [
            {"provider": "demo", "base_currency": "EUR", "quote_currency": "CNY", "rate_date": _day(day), "rate": rate}
            for day, rate in rates
        ],
        "setting": [{"name": "base_currency", "value": '"CNY"'}],
    }
