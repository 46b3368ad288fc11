"""Signals and accounts come in through the API exactly, and are read back as of any day."""

from __future__ import annotations

import datetime as dt

from duecourse.desk.posting import far
from duecourse.web import books

SIGNAL = {
    "signal_id": "S/1", "buyer_id": "api-buyer", "kind": "lawsuit", "published_on": "2026-03-05", "ended_on": "2026-06-01", "amount": "12500.50", "currency": "EUR",
    "provider": "Court",
}  # fmt: skip
ACCOUNTS = {
    "buyer_id": "api-buyer", "period_end": "2025-12-31", "period_months": 12, "published_on": "2026-04-20", "currency": "JPY", "total_assets": "1050000",
    "net_income": "-24000", "audited": True, "standard": "IFRS",
}  # fmt: skip


def held(name):
    book = far(books.ledger())
    return [row for row in book.run(getattr(book, name)).to_pylist() if row["buyer_id"] == "api-buyer"]


def test_signals_and_accounts_are_written_in_minor_units_and_read_back(own_ledger, caller):
    client = caller()
    assert client.post("/signals", SIGNAL).status_code == 201
    assert client.post("/statements", [ACCOUNTS]).status_code == 201
    (signal,), (accounts,) = held("signal"), held("statement")
    assert (signal["amount_minor"], signal["severity"], signal["ended_on"]) == (1_250_050, None, dt.date(2026, 6, 1))
    assert (accounts["total_assets"], accounts["net_income"], accounts["consolidated"], accounts["revenue"]) == (
        1_050_000,
        -24_000,
        False,
        None,
    )
    (row,) = client.get("/signals", {"buyer_id": "api-buyer", "as_of": "2026-04-01", "open_only": "true"}).json()["rows"]
    assert (row["amount"], row["ended_on"]) == ("12500.50", None)
    (row,) = client.get("/statements", {"buyer_id": "api-buyer", "as_of": "2026-05-01"}).json()["rows"]
    assert (row["total_assets"], row["net_income"], row["revenue"]) == ("1050000", "-24000", None)
    assert client.get("/statements", {"buyer_id": "api-buyer", "as_of": "2026-04-01"}).json()["rows"] == []


def test_what_cannot_be_is_refused_by_its_field(own_ledger, caller):
    client = caller()
    for path, body, field in (
        ("/signals", {**SIGNAL, "kind": "gossip"}, "kind"), ("/signals", {**SIGNAL, "ended_on": "2026-01-01"}, "ended_on"),
        ("/statements", {**ACCOUNTS, "total_assets": "1.5"}, "total_assets"), ("/statements", {**ACCOUNTS, "published_on": "2025-01-01"}, "published_on"),
        ("/statements", {**ACCOUNTS, "currency": "ZZZ"}, "currency"), ("/statements", {**ACCOUNTS, "goodwill": "1"}, "goodwill"),
    ):  # fmt: skip
        answer = client.post(path, body)
        assert answer.status_code == 422, (path, body, answer.content)
        assert answer.json()["errors"][0]["field"] == field
    assert not held("signal")
    assert not held("statement")


def test_one_is_corrected_and_withdrawn_by_its_address(own_ledger, caller):
    client = caller()
    client.post("/signals", SIGNAL)
    client.post("/statements", ACCOUNTS)
    body = {key: value for key, value in ACCOUNTS.items() if key not in ("buyer_id", "period_end", "period_months")}
    answer = client.send("PUT", "/statements/api-buyer/2025-12-31/12/false", {**body, "total_assets": "2"})
    assert answer.status_code == 200, answer.content
    assert held("statement")[0]["total_assets"] == 2
    assert client.send("DELETE", "/signals/S~11?reason=mistaken").status_code == 200
    assert client.send("DELETE", "/statements/api-buyer/2025-12-31/12/false?reason=mistaken").status_code == 200
    assert not held("signal")
    assert not held("statement")
