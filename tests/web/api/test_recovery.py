"""Late interest and routes over the API: the figures of the engine, refusals as problems, nobody else's rows."""

from __future__ import annotations

import pytest

from duecourse.measures.receivables import open_items
from duecourse.web import books

CHINA = {"amount": "100000.00", "currency": "CNY", "due": "2025-03-31", "until": "2025-06-30", "creditor": "CN", "debtor": "CN"}


@pytest.fixture
def late():
    ledger = books.ledger()
    book = ledger.as_of(books.day_of(ledger))
    return max((row for row in book.run(open_items(book)).to_pylist() if row["due_date"] < book.on), key=lambda row: row["open_minor"])


def test_interest_on_a_sum(caller):
    client = caller(acts=["read"])
    told = client.get("/late-interest", CHINA).json()
    assert (told["rule"], told["interest"], told["daily"]) == ("CN_SALES_LPR", "1159.32", "12.74")
    assert told["segments"][0]["interest"] == "1159.315068"
    assert {one["rule"]: one["standing"] for one in told["rules"]}["CN_SME_REG"] == "doubtful"
    assert client.get("/late-interest", CHINA | {"creditor_size": "small", "debtor_size": "large"}).json()["interest"] == "4550.00"
    german = {"amount": "10000", "currency": "EUR", "due": "2026-05-31", "until": "2026-08-31", "rule": "EU_DE"}
    told = client.get("/late-interest", german).json()
    assert (told["interest"], told["compensation"]) == ("263.11", "40.00")


@pytest.mark.parametrize(
    "wrong",
    [{"until": "2025-01-01"}, {"rule": "EU_XX"}, {"rule": "CISG_78"}, {"agreed": "reasonable"}, {"currency": "ZZZ"}, {"amount": "1.2345"}],
)
def test_what_cannot_be_worked_out_is_a_problem(caller, wrong):
    answer = caller(acts=["read"]).get("/late-interest", CHINA | wrong)
    if wrong.get("rule") == "CISG_78":
        assert answer.json()["interest"] is None
        assert "agreed" in answer.json()["refused"]
    else:
        assert answer.status_code == 422
        assert answer["Content-Type"].startswith("application/problem+json")


def test_what_a_buyer_owes_and_the_routes(caller, late):
    client = caller(acts=["read"])
    told = client.get(f"/buyers/{late['buyer_id']}/late-interest").json()
    assert any(one["invoice_id"] == late["invoice_id"] for one in told["invoices"])
    assert "not legal advice" in told["not_legal_advice"]
    one = client.get(f"/buyers/{late['buyer_id']}/late-interest", {"invoice": f"{late['invoice_id']}/{late['instalment']}"}).json()
    assert [each["invoice_id"] for each in one["invoices"]] == [late["invoice_id"]]
    routes = client.get(f"/buyers/{late['buyer_id']}/routes").json()
    assert routes["routes"][0]["rank"] == 1
    assert routes["assumptions"]["p.suit"]["own"] is False
    again = client.get(f"/buyers/{late['buyer_id']}/routes", {"assume": ["p.suit=0.8"]}).json()
    assert again["assumptions"]["p.suit"] == {"value": 0.8, "unit": "share", "source": "set by hand", "confidence": "", "own": True}
    assert client.get(f"/buyers/{late['buyer_id']}/routes", {"assume": ["p.suit=8"]}).status_code == 422
    assert client.get(f"/buyers/{late['buyer_id']}/routes", {"assume": ["wishing"]}).status_code == 422
    assert client.get("/buyers/nobody/routes").status_code == 404
    assert client.get(f"/buyers/{late['buyer_id']}/late-interest", {"invoice": "none"}).status_code == 404
