"""The list of invoices says what the positions say, however it is filtered, sorted and cut into pages."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from duecourse import samples
from duecourse.desk import invoices as module
from duecourse.desk.invoices import SORTS, STATES, InvoicesQuery, export_invoices, list_invoices
from duecourse.desk.standing import standing
from duecourse.errors import OptionMisusedError
from duecourse.ledger.scope import Scope
from duecourse.measures.disputes import open_disputes
from duecourse.measures.positions import positions

ON = dt.date(2026, 10, 31)


@pytest.fixture(scope="module")
def everything(small_ledger):
    book = small_ledger.as_of(ON)
    profile = {row["buyer_id"]: row for row in book.run(book.buyer).to_pylist()}
    contested = {(row["invoice_id"], row["instalment"]) for row in book.run(open_disputes(book)).to_pylist()}
    rows = book.run(positions(book)).to_pylist()
    for row in rows:
        row |= {"owner": profile[row["buyer_id"]]["sales_owner"], "entity": row["legal_entity"] or profile[row["buyer_id"]]["legal_entity"]}
        row["overdue"] = row["open_minor"] > 0 and row["due_date"] is not None and row["due_date"] < ON
        row["disputed"] = (row["invoice_id"], row["instalment"]) in contested
    return rows


@given(data=st.data(), walked=st.sampled_from([50, 400_000]))
@settings(max_examples=40)
def test_any_filter_sort_and_page_equal_plain_python(small_ledger, everything, data, walked):
    book = small_ledger.as_of(ON)
    one = data.draw(st.sampled_from(everything))
    state = data.draw(st.sampled_from(sorted(STATES)))
    fields = {
        "buyer_id": data.draw(st.sampled_from(["", "", one["buyer_id"]])),
        "text": data.draw(st.sampled_from(["", "", one["invoice_id"][2:6], one["invoice_id"].lower()])),
        "currencies": data.draw(st.sampled_from([frozenset(), frozenset({one["currency"]})])),
        "legal_entities": data.draw(st.sampled_from([frozenset(), frozenset({one["entity"] or ""})])),
        "issued_from": data.draw(st.sampled_from([None, one["issue_date"]])),
        "due_to": data.draw(st.sampled_from([None, one["due_date"]])),
        "due_from": data.draw(st.sampled_from([None, one["due_date"] - dt.timedelta(days=400)])),
    }
    if fields["currencies"] and data.draw(st.booleans()):
        fields["at_least"] = one["amount_minor"]
    scope = Scope(
        sales_owners=data.draw(st.sampled_from([frozenset(), frozenset({one["owner"]})])),
        legal_entities=data.draw(st.sampled_from([frozenset(), frozenset({"EU01"})])),
    )
    sort, falls = data.draw(st.sampled_from(SORTS)), data.draw(st.booleans())
    offset, limit = data.draw(st.integers(0, 40)), data.draw(st.integers(1, 30))

    def fits(row):
        return (
            (state != "open" or row["open_minor"] > 0)
            and (state != "overdue" or row["overdue"])
            and (state != "paid" or row["open_minor"] <= 0)
            and (state != "disputed" or row["disputed"])
            and (not fields["buyer_id"] or row["buyer_id"] == fields["buyer_id"])
            and (fields["text"].lower() in row["invoice_id"].lower())
            and (not fields["currencies"] or row["currency"] in fields["currencies"])
            and (not fields["legal_entities"] or (row["entity"] or "") in fields["legal_entities"])
            and (not fields["issued_from"] or row["issue_date"] >= fields["issued_from"])
            and (not fields["due_to"] or row["due_date"] <= fields["due_to"])
            and (not fields["due_from"] or row["due_date"] >= fields["due_from"])
            and row["amount_minor"] >= fields.get("at_least", 0)
            and (not scope.sales_owners or row["owner"] in scope.sales_owners)
            and (not scope.legal_entities or row["entity"] in scope.legal_entities)
        )

    should = [row for row in everything if fits(row)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "WALKED", walked)
        query = InvoicesQuery(state=state, sort=sort, descending=falls, offset=offset, limit=limit, **fields)
        page = list_invoices(book.limited(scope), query)
        exported = [row for batch in export_invoices(book.limited(scope), query, batch_rows=9) for row in batch]
    assert (page.total, page.capped) == (len(should), False)
    assert {(row["invoice_id"], row["instalment"]) for row in exported} == {(row["invoice_id"], row["instalment"]) for row in should}
    factors = standing(book).factors
    key = {
        "issue_date": lambda row: row["issue_date"], "due_date": lambda row: row["due_date"],
        "amount": lambda row: row["amount_minor"] * factors[row["currency"]],
        "open": lambda row: row["open_minor" if state != "paid" else "amount_minor"] * factors[row["currency"]],
    }[sort]  # fmt: skip
    keys = sorted(map(key, should), reverse=falls)
    assert [key(row) for row in exported] == keys
    assert [key(row) for row in page.rows] == keys[offset : offset + limit]
    of = {(row["invoice_id"], row["instalment"]): row for row in should}
    for row in page.rows:
        was = of[row["invoice_id"], row["instalment"]]
        assert all(row[name] == was[name] for name in ("buyer_id", "issue_date", "due_date", "amount_minor", "open_minor", "currency", "disputed", "last_settled"))  # fmt: skip
        assert row["days_past_due"] == ((ON - was["due_date"]).days if was["open_minor"] > 0 else None)
        assert row["state"] == ("overdue" if was["overdue"] else "open" if was["open_minor"] > 0 else "paid")


def test_many_matches_are_counted_up_to_a_limit(small_ledger, monkeypatch):
    monkeypatch.setattr(module, "COUNTED", 100)
    page = list_invoices(small_ledger.as_of(ON), InvoicesQuery())
    assert (page.total, page.capped) == (100, True)
    deep = list_invoices(small_ledger.as_of(ON), InvoicesQuery(offset=2_000))
    assert (deep.total, deep.capped, len(deep.rows)) == (2_050, True, 50)


def test_an_unknown_buyer_an_empty_ledger_and_a_wrong_word(small_ledger):
    assert list_invoices(small_ledger.as_of(ON), InvoicesQuery(buyer_id="nobody")).total == 0
    assert list_invoices(samples.book(ON), InvoicesQuery(text="1")).rows == []
    with pytest.raises(OptionMisusedError):
        list_invoices(small_ledger.as_of(ON), InvoicesQuery(state="gone"))
