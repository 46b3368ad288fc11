"""The routes of a buyer on a page: weighed, assumed otherwise, assets entered, a decision kept and made again."""

from __future__ import annotations

import pytest
from django.urls import reverse

from duecourse.desk.assets import assets_of
from duecourse.web import books
from duecourse.web.outbox.models import Outgoing


@pytest.fixture
def late():
    """A Chinese buyer with something late and open."""
    from duecourse.measures.receivables import open_items

    ledger = books.ledger()
    book = ledger.as_of(books.day_of(ledger))
    home = {row["buyer_id"] for row in book.run(book.buyer).to_pylist() if row["country"] == "CN"}
    rows = [
        row
        for row in book.run(open_items(book)).to_pylist()
        if row["due_date"] < book.on and row["open_minor"] > 1_000_000 and row["buyer_id"] in home
    ]
    return max(rows, key=lambda row: row["open_minor"])["buyer_id"]


def test_every_route_is_shown_with_its_reasons(signed_in, late):
    text = signed_in("viewer").get(reverse("buyer_route", args=[late])).content.decode()
    assert "This is not legal advice" in text
    assert "advised" in text
    assert "preserve assets and sue" in text
    assert "No concrete property is known" in text
    assert "Take this route" not in text


def test_it_speaks_chinese(signed_in, late):
    client = signed_in("viewer")
    client.post("/choose/", {"language": "zh-hans"})
    text = client.get(reverse("buyer_route", args=[late])).content.decode()
    assert "财产保全并起诉" in text
    assert "本内容不构成法律意见" in text


def test_an_assumption_is_set_otherwise_and_a_wrong_one_refused(signed_in, late):
    client = signed_in("legal")
    page = reverse("buyer_route", args=[late])
    assert "set by hand" in client.get(page, {"a-p.suit": "95", "a-days.suit": "100"}).content.decode()
    assert client.get(page, {"a-p.suit": "150"}).status_code == 422
    assert client.get(page, {"a-p.suit": "much"}).status_code == 422
    assert client.get(page, {"invoice": "none/1"}).status_code == 404


def test_a_decision_is_kept_with_what_was_assumed_and_needs_a_reason(signed_in, late):
    client = signed_in("collector")
    said = {"route": "suit", "a-p.suit": "80", "reason": ""}
    assert client.post(reverse("buyer_route_take", args=[late]), said).status_code == 422
    assert client.post(reverse("buyer_route_take", args=[late]), said | {"route": "wishing", "reason": "x"}).status_code == 404
    answer = client.post(reverse("buyer_route_take", args=[late]), said | {"reason": "their factory still runs"})
    assert answer.status_code == 302
    assert "a-p.suit=80" in answer.url
    row = Outgoing.objects.get(table="decision").row
    assert (row["kind"], row["outcome"], row["buyer_id"]) == ("route", "suit", late)
    assert '"p.suit":0.8' in row["inputs"]
    assert signed_in("viewer").post(reverse("buyer_route_take", args=[late]), said | {"reason": "x"}).status_code == 403


def test_assets_are_entered_counted_and_taken_out(own_ledger, signed_in, late):
    client = signed_in("collector")
    page, enter = reverse("buyer_route", args=[late]), reverse("buyer_route_asset", args=[late])
    house = {
        "kind": "real_estate",
        "amount": "3,000,000",
        "currency": "CNY",
        "prior": "500,000",
        "seen_on": "2026-01-05",
        "source": "register",
        "look_up": "real_estate",
    }
    assert client.post(enter, house).status_code == 302
    text = client.get(page).content.decode()
    assert "CNY 1,450,000.00" in text
    assert "No concrete property is known" not in text
    assert client.post(enter, {"kind": "", "look_up": "litigation", "seen_on": "2026-01-06"}).status_code == 302
    for wrong in ({"amount": "much"}, {"seen_on": "2999-01-01"}, {"currency": "ZZZ"}, {"share": "300"}, {"kind": "", "look_up": ""}):
        assert client.post(enter, house | wrong).status_code == 422, wrong
    ledger = books.ledger()
    kept = [one for one in assets_of(ledger.as_of(books.day_of(ledger)), late) if one.asset]
    assert client.post(reverse("buyer_route_asset_gone", args=[late, kept[0].asset_id])).status_code == 302
    assert "CNY 1,450,000.00" not in client.get(page).content.decode()
    assert client.post(reverse("buyer_route_asset_gone", args=[late, "none"])).status_code == 404
    assert signed_in("viewer").post(enter, house).status_code == 403
