"""One buyer's page says what the measures say of it, and where each fact comes from."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest

from duecourse.desk import buyers
from duecourse.desk.buyer_page import buyer_page, events, fact_history, group_members
from duecourse.desk.buyers import buyer_record
from duecourse.desk.groups import list_groups
from duecourse.desk.opening import open_ledger
from duecourse.errors import BuyerAmbiguousError, BuyerUnknownError
from duecourse.ledger.memory import only_buyer
from duecourse.ledger.scope import Scope
from duecourse.measures.concentration import shares
from duecourse.measures.history import history
from support.ledgers import add, invoice

ON = dt.date(2026, 10, 31)


@pytest.fixture(scope="module")
def busiest(small_ledger):
    """The buyers with most invoices, one in a group, one with a dispute."""
    book = small_ledger.as_of(ON)
    counts = Counter(book.run(book.invoice.select("buyer_id")).column("buyer_id").to_pylist())
    grouped = book.run(book.buyer.filter(book.buyer.group_id.notnull()).select("buyer_id")).column("buyer_id").to_pylist()
    contested = book.run(book.dispute.select("buyer_id")).column("buyer_id").to_pylist()
    return [counts.most_common(1)[0][0], next(one for one in grouped if counts[one]), contested[0]]


def test_it_equals_the_record_made_of_the_measures(small_ledger, busiest):
    book = small_ledger.as_of(ON)
    for buyer in busiest:
        page, record = buyer_page(book, buyer, limit=10_000), buyer_record(book, buyer)
        assert page.profile == record.profile
        for own, row in zip(sorted(page.figures, key=lambda one: one["currency"]), record.figures, strict=True):
            assert all(own[name] == (pytest.approx(value) if isinstance(value, float) else value) for name, value in row.items())
        amounts = {}
        for row in record.ages:
            amounts.setdefault(row["currency"], {})[row["bucket"]] = row["amount"]
        assert page.ages == {code: one for code, one in amounts.items() if any(one.values())}
        assert page.total == len(record.items)
        of = {(row["invoice_id"], row["instalment"]): row for row in record.items}
        for row in page.invoices:
            was = of[row["invoice_id"], row["instalment"]]
            assert row["open_minor"] == was["open_minor"]
            assert row["open_minor"] == row["amount_minor"] - sum(one["amount_minor"] for one in row["settlements"])
            if row["open_minor"] > 0:
                assert (row["days_past_due"], row["bucket"]) == (was["days_past_due"], was["bucket"])
        assert sum(len(row["settlements"]) for row in page.invoices) + len(page.unapplied) == len(record.settlements)
        assert {row["dispute_id"] for row in page.disputes if row["resolved_on"] is None} == {row["dispute_id"] for row in record.disputes}
        assert set(page.sources.values()) == {"demo"}


def test_its_months_are_those_of_the_history(small_ledger, busiest):
    book = small_ledger.as_of(ON)
    page = buyer_page(book, busiest[0])
    own = only_buyer(book, busiest[0])
    should = {(row["currency"], row["months_back"]): row for row in own.run(history(own, months=24)).to_pylist()}
    for row in page.months:
        was = should.get((row["currency"], row["months_back"]), {"credit_sales": 0, "credits": 0, "month_end": row["month_end"]})
        assert (row["credit_sales"], row["credits"], row["month_end"]) == (was["credit_sales"], was["credits"], was["month_end"])
        assert row["on_time_share"] is None or 0 <= row["on_time_share"] <= 1
    assert any(row["days_late"] for row in page.months)


def test_its_invoices_come_a_page_at_a_time(small_ledger, busiest):
    book = small_ledger.as_of(ON)
    whole = buyer_page(book, busiest[0], limit=10_000).invoices
    assert [row["issue_date"] for row in whole] == sorted((row["issue_date"] for row in whole), reverse=True)
    assert buyer_page(book, busiest[0], offset=7, limit=5).invoices == whole[7:12]


def test_everything_that_happened_is_on_the_time_line(small_ledger, busiest):
    book = small_ledger.as_of(ON)
    record = buyer_record(book, busiest[2])
    told = events(book, busiest[2], limit=100_000)
    counts = Counter(row["event"] for row in told)
    assert counts["invoice"] == len(record.items)
    assert counts["dispute_raised"] >= len(record.disputes)
    assert counts["profile"] == 1
    assert [row["day"] for row in told] == sorted((row["day"] for row in told), reverse=True)
    assert events(book, busiest[2], offset=3, limit=4) == told[3:7]


def test_who_may_not_see_it_finds_no_such_buyer(small_ledger, busiest):
    limited = small_ledger.as_of(ON).limited(Scope(groups=frozenset({"another"})))
    with pytest.raises(BuyerUnknownError):
        buyer_page(limited, busiest[0])
    number = buyer_page(small_ledger.as_of(ON), busiest[0]).invoices[0]["invoice_id"]
    key = {"invoice_id": number, "instalment": 1}
    assert fact_history(small_ledger.as_of(ON), "invoice", key)
    assert fact_history(limited, "invoice", key) == []
    assert fact_history(limited, "invoice", key, buyer_id=busiest[0]) == []


def test_every_wording_of_a_fact_says_where_it_came_from(tmp_path):
    ledger = open_ledger(tmp_path / "ledger", create=True, threads=1)
    add(ledger, [invoice(1, 100)], file_name="first.csv")
    moment = ledger.journal()[-1].recorded_at
    add(ledger, [invoice(1, 120)], file_name="second.csv")
    third = add(ledger, [invoice(1, 130)], file_name="third.csv")
    ledger.void(third.batch_id, "a mistake")
    key = {"invoice_id": "i1", "instalment": 1}
    for buyer in (None, "b1"):
        told = fact_history(ledger.as_of(ON), "invoice", key, buyer_id=buyer)
        assert [(row["file_name"], row["values"]["amount_minor"], row["current"], row["withdrawn"]) for row in told] == [
            ("third.csv", 130, False, True),
            ("second.csv", 120, True, False),
            ("first.csv", 100, False, False),
        ]
    earlier = fact_history(ledger.as_of(ON, moment), "invoice", key)
    assert [(row["file_name"], row["current"]) for row in earlier] == [("first.csv", True)]


def test_a_profile_that_changed_shows_what_changed(tmp_path):
    ledger = open_ledger(tmp_path / "ledger", create=True, threads=1)
    add(ledger, [{"buyer_id": "b1", "name": "Old", "country": "DE"}], "buyer")
    add(ledger, [{"buyer_id": "b1", "name": "New", "country": "DE"}], "buyer")
    told = [row for row in events(ledger.as_of(dt.date(2030, 1, 1)), "b1") if row["event"] == "profile"]
    assert [row["changed"] for row in told] == [{"name": ["Old", "New"]}, {}]


def test_groups_with_their_members(small_ledger):
    book = small_ledger.as_of(ON)
    should = {row["name_id"]: row for row in book.run(shares(book, base=True)).to_pylist()}
    page = list_groups(book, limit=10_000)
    assert page.total == len(page.rows) > 1
    assert [row["outstanding"] for row in page.rows] == sorted((row["outstanding"] for row in page.rows), reverse=True)
    for row in page.rows:
        if row["outstanding"]:
            assert row["outstanding"] == pytest.approx(should[row["group_id"]]["amount"], abs=3)
    first = page.rows[0]
    members = group_members(book, first["group_id"])
    assert len({row["buyer_id"] for row in members}) == first["buyers"]
    assert sum(row["outstanding_base"] for row in members) == pytest.approx(first["outstanding"], abs=len(members) + 1)
    assert list_groups(book, text=first["name"][:6].upper()).total >= 1
    with pytest.raises(BuyerUnknownError):
        group_members(book, "nobody")


def test_a_buyer_is_found_by_what_a_person_types_whether_the_columns_lie_ready_or_not(small_ledger, busiest, monkeypatch):
    book = small_ledger.as_of(ON)
    row = buyer_page(book, busiest[0])
    for ready in (True, False):
        monkeypatch.setattr(buyers, "is_made", lambda _book, ready=ready: ready)
        for typed in (busiest[0], busiest[0].lstrip("0"), row.profile["name"].upper(), row.profile["registration_number"]):
            assert buyers.find(book, typed) == busiest[0]
        with pytest.raises(BuyerAmbiguousError):
            buyers.find(book, "a")
        with pytest.raises(BuyerUnknownError):
            buyers.find(book.limited(Scope(groups=frozenset({"another"}))), busiest[0])
