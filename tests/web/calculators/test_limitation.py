"""The limitation calculator: what is typed in, what is answered, what is wrong; nothing is written."""

from __future__ import annotations

import pytest
from django.urls import reverse


@pytest.fixture
def page(signed_in):
    client = signed_in("legal")
    return lambda **asked: client.get(reverse("calculator_limitation"), asked)


def test_it_opens_empty_and_says_that_it_is_no_advice(page):
    answer = page()
    assert answer.status_code == 200
    assert "This is not legal advice" in answer.content.decode()


def test_a_demand_in_england_changes_nothing_and_an_acknowledgement_does(page):
    said = page(country="GB", due="2024-03-31", own="CN", kind=["demand"], on=["2025-05-01"], received=["2025-05-04"], as_of="2025-06-01").content.decode()  # fmt: skip
    assert "2030-03-31" in said
    assert "A demand does NOTHING to limitation in United Kingdom" in said
    said = page(
        country="GB", due="2024-03-31", kind=["acknowledgement"], on=["2025-05-01"], received=[""], as_of="2025-06-01"
    ).content.decode()
    assert "2031-05-01" in said


def test_a_demand_without_a_day_of_arrival_does_not_count(page):
    said = page(
        country="CN", due="2024-03-29", kind=["demand", ""], on=["2025-05-06", ""], received=["", ""], as_of="2025-06-01"
    ).content.decode()
    assert "no proof says when" in said
    assert "2027-03-29" in said
    assert "2028-05-06" not in said


def test_a_guarantee_and_instalments(page):
    said = page(country="CN", due="2023-03-31, 2024-03-29", guarantee="joint", as_of="2024-04-10").content.decode()
    assert "Guarantee period" in said
    assert "2024-09-29" in said
    assert "2027-03-29" in said


def test_what_is_wrong_is_said_beside_it(page):
    answer = page(country="CN", due="yesterday", kind=["demand"], on=["soon"], received=[""])
    assert answer.status_code == 422
    said = answer.content.decode()
    assert "“yesterday” is no day" in said
    assert "Choose what happened" in said


def test_in_chinese(signed_in):
    client = signed_in("legal", language="zh-hans")
    said = client.get(
        reverse("calculator_limitation"),
        {"country": "DE", "due": "2024-03-31", "kind": ["demand"], "on": ["2025-05-01"], "received": ["2025-05-04"], "as_of": "2025-06-01"},
    ).content.decode()
    assert "催告不会中断时效" in said
    assert "2027-12-31" in said
    assert "本内容不构成法律意见" in said


def test_the_api_works_out_any_debt(signed_in):
    client = signed_in("viewer")
    asked = {
        "country": "GB",
        "due_date": ["2020-03-31"],
        "event": ["demand:2021-05-01", "acknowledgement:2021-06-01"],
        "as_of": "2021-07-01",
    }
    answer = client.get("/api/v1/clocks", asked).json()
    clock = answer["clocks"][0]
    assert (clock["code"], clock["ends_on"], clock["state"]) == ("limitation", "2027-06-01", "running")
    assert [one["effect"] for one in clock["events"]] == ["none", "restarts"]
    assert answer["not_legal_advice"]
    assert client.get("/api/v1/clocks", {**asked, "event": ["song:2021-05-01"]}).status_code == 422
    assert client.get("/api/v1/clocks", {**asked, "country": "ZZ"}).status_code == 422
    assert client.get("/api/v1/clocks", {"country": "GB"}).status_code == 422


def test_the_api_tells_the_clocks_of_a_buyer_that_may_be_seen(signed_in):
    from duecourse.web import books

    opened = books.ledger()
    table = opened.as_of(books.day_of(opened))
    late = table.invoice.filter(table.invoice.due_date < table.on).select("buyer_id").distinct().order_by("buyer_id")
    found = []
    for buyer in table.run(late)["buyer_id"].to_pylist():
        found = signed_in("viewer").get(f"/api/v1/buyers/{buyer}/clocks").json()["clocks"]
        if found:
            assert signed_in("sales", sales_owners=["nobody at all"]).get(f"/api/v1/buyers/{buyer}/clocks").status_code == 404
            break
    assert any(one["code"] == "limitation" for one in found)
