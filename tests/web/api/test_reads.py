"""Every read answers with its book, in decimal strings, the same as the desk says, and with 304 where nothing changed."""

from __future__ import annotations

import pytest

from duecourse.desk.position import position
from duecourse.money import decimal_string
from duecourse.web import books

READS = [
    "/position", "/ageing", "/ageing?per=country&per=legal_entity", "/history?months=3", "/buyers", "/buyers?sort=name&limit=3", "/invoices?limit=5",
    "/invoices?state=overdue&limit=2", "/groups?search=a", "/settlements?limit=5", "/disputes", "/orders", "/exchange-rates", "/groups?limit=5", "/findings", "/quarantine",
    "/changes", "/settings", "/ledger",
]  # fmt: skip


@pytest.mark.parametrize("path", READS)
def test_every_read_answers_with_its_book(caller, path):
    answer = caller().get(path)
    assert answer.status_code == 200, answer.content
    told = answer.json()
    assert told["ledger_version"] == books.ledger().version
    if path != "/ledger":
        assert told["as_of"] == books.day_of(books.ledger()).isoformat()
        assert told["known_at"]
        assert answer["ETag"].startswith("W/")
    assert "RateLimit" in answer


def test_a_read_as_of_last_year_says_so_and_hides_what_came_later(caller):
    now, then = (caller().get("/invoices", {"limit": 1, **words}).json() for words in ({}, {"as_of": "2024-01-31"}))
    assert then["as_of"] == "2024-01-31"
    assert then["rows"][0]["issue_date"] <= "2024-01-31" < now["rows"][0]["issue_date"]


def test_money_is_the_desks_money_as_decimal_strings(caller):
    told = {one["currency"]: one for one in caller().get("/position").json()["currencies"]}
    ledger = books.ledger()
    found = position(ledger.as_of(books.day_of(ledger)))
    for one in found.currencies:
        figures = told[one.currency]["figures"]
        assert figures["outstanding"] == decimal_string(one.figures["outstanding"], one.currency)
        assert {row["bucket"]: row["amount"] for row in told[one.currency]["buckets"]} == {
            name: decimal_string(amount, one.currency) for name, amount in one.buckets.items()
        }


def test_nothing_is_sent_twice_to_who_has_it(caller):
    client = caller()
    first = client.get("/buyers")
    again = client.get("/buyers", **{"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get("/buyers", {"limit": 3}, **{"If-None-Match": first["ETag"]}).status_code == 200


@pytest.mark.parametrize("path", ["/buyers", "/invoices", "/settlements", "/exchange-rates"])
def test_pages_follow_one_another_and_leave_nothing_out(caller, path):
    client = caller()
    whole = client.get(path, {"limit": 21}).json()["rows"]
    parts, cursor = [], None
    for _page in range(3):
        told = client.get(path, {"limit": 7, **({"cursor": cursor} if cursor else {})}).json()
        parts += told["rows"]
        cursor = told["next"]
    assert parts == whole


def test_a_list_stays_at_the_version_it_began_at(own_ledger, caller, invoices):
    client = caller()
    first = client.get("/invoices", {"limit": 10}).json()
    whole = client.get("/invoices", {"limit": 20}).json()["rows"]
    assert client.post("/invoices", invoices(5)).status_code == 201
    second = client.get("/invoices", {"limit": 10, "cursor": first["next"]}).json()
    assert first["rows"] + second["rows"] == whole
    assert second["ledger_version"] == first["ledger_version"]


def test_one_buyer_with_everything_about_it(caller):
    client = caller()
    number = client.get("/buyers", {"limit": 1}).json()["rows"][0]["buyer_id"]
    told = client.get(f"/buyers/{number}").json()
    assert told["profile"]["buyer_id"] == number
    assert sum(float(row["amount"]) for row in told["ageing"]) == pytest.approx(sum(float(row["outstanding"]) for row in told["figures"]))
    rows = client.get(f"/buyers/{number}/invoices", {"limit": 1000}).json()["rows"]
    assert {row["buyer_id"] for row in rows} == {number}
    for part in ("settlements", "disputes", "timeline"):
        assert client.get(f"/buyers/{number}/{part}").status_code == 200
    assert client.get("/buyers/nobody").status_code == 404
    assert client.get("/buyers/nobody/timeline").status_code == 404


def test_somebody_sees_only_their_rows(caller):
    everybody = caller()
    owners = {row["sales_owner"] for row in everybody.get("/buyers", {"limit": 1000}).json()["rows"]}
    one = min(owner for owner in owners if owner)
    bo = caller("sales", acts=["read"], sales_owners=[one])
    rows = bo.get("/buyers", {"limit": 1000}).json()["rows"]
    assert rows
    assert {row["sales_owner"] for row in rows} == {one}
    hidden = next(
        row["buyer_id"] for row in everybody.get("/buyers", {"limit": 1000}).json()["rows"] if row["sales_owner"] not in (one, None)
    )
    for path in (f"/buyers/{hidden}", f"/buyers/{hidden}/invoices", f"/buyers/{hidden}/settlements", f"/buyers/{hidden}/timeline"):
        assert bo.get(path).status_code == 404
    assert bo.get("/invoices", {"buyer_id": hidden}).json()["rows"] == []
    assert bo.get("/changes").json()["rows"] == []
    assert bo.get("/quarantine").json()["rows"] == []
