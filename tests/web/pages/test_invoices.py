"""The list of invoices and the page of one show what the ledger says, to whoever may see it."""

from __future__ import annotations

import csv
import datetime as dt
import io
from html import unescape

import pytest

from duecourse.tables import Money, shown
from duecourse.web.accounts.models import AuditEvent
from duecourse.web.books import day_of
from duecourse.web.pages.models import SavedView
from support.ledgers import add
from support.pages import plain, rows, tables


def money(minor, currency):
    return shown(Money(minor, currency), "money")


def body(answer, status=200):
    assert answer.status_code == status
    return unescape(answer.content.decode())


def key_of(row):
    number, _, instalment = row["Invoice number"].partition(" instalment ")
    return number, int(instalment or 1)


def listed(browser, **words):
    found, page = [], 1
    while True:
        answer = browser.get("/invoices/", {**words, "per": "200", "page": page})
        found += rows(answer)
        if 'rel="next"' not in answer.content.decode():
            return found
        page += 1


def late(row):
    return row["open"] > 0 and row["late"] is not None and row["late"] > 0


@pytest.mark.parametrize(
    ("words", "fits"),
    [
        ({"state": "open"}, lambda row: row["open"] > 0),
        ({"state": "overdue"}, late),
        ({"state": "overdue", "currency": "EUR"}, lambda row: late(row) and row["currency"] == "EUR"),
        ({"state": "paid", "issued_from": "2026-08-01", "issued_to": "2026-08-31"},
         lambda row: row["open"] <= 0 and dt.date(2026, 8, 1) <= row["issue_date"] <= dt.date(2026, 8, 31)),
        ({"due_from": "2026-11-10"}, lambda row: row["due_date"] is not None and row["due_date"] >= dt.date(2026, 11, 10)),
        ({"currency": "USD", "min_amount": "5,000", "max_amount": "9000"},
         lambda row: row["currency"] == "USD" and 5_000_00 <= row["amount_minor"] <= 9_000_00),
    ],
)  # fmt: skip
def test_a_filter_keeps_the_invoices_that_fit_with_what_is_open(signed_in, reckoned, words, fits):
    expected = {(row["invoice_id"], row["instalment"]): row for row in reckoned.invoices if fits(row)}
    found = listed(signed_in("viewer"), **words)
    assert {key_of(row) for row in found} == set(expected)
    assert len(found) == len(expected) > 0
    for row in found:
        fact = expected[key_of(row)]
        assert row["Open balance"] == money(fact["open"], fact["currency"])
        assert row["Amount"] == money(fact["amount_minor"], fact["currency"])
        assert row["Due date"] == (f"{fact['due_date']}" if fact["due_date"] else "–")


def test_all_invoices_are_listed_newest_first(signed_in, reckoned):
    found = listed(signed_in("viewer"))
    assert {key_of(row) for row in found} == {(row["invoice_id"], row["instalment"]) for row in reckoned.invoices}
    days = [row["Issue date"] for row in found]
    assert days == sorted(days, reverse=True)


def test_disputed_invoices_are_those_with_an_open_dispute(signed_in, book, reckoned):
    contested = {
        (row["invoice_id"], row["instalment"] or 1)
        for row in book.run(book.dispute).to_pylist()
        if row["resolved_on"] is None and row["invoice_id"]
    }
    known = {(row["invoice_id"], row["instalment"]) for row in reckoned.invoices}
    found = listed(signed_in("viewer"), state="disputed")
    assert {key_of(row) for row in found} == contested & known
    assert all("Disputed" in row["State"] for row in found)


@pytest.mark.parametrize("name", ["issue_date", "due_date", "amount_minor", "open_minor"])
def test_the_list_sorts_both_ways(signed_in, name):
    titles = {"issue_date": "Issue date", "due_date": "Due date", "amount_minor": "Amount", "open_minor": "Open balance"}
    for way in ("asc", "desc"):
        values = [
            row[titles[name]]
            for row in rows(signed_in("viewer").get("/invoices/", {"sort": name, "dir": way, "currency": "CNY", "state": "open"}))
        ]
        told = [float(value.replace(",", "")) for value in values] if name.endswith("minor") else values
        assert told == sorted(told, reverse=way == "desc")


def test_an_invoice_is_found_by_part_of_its_number_and_by_its_buyer(signed_in, reckoned):
    one = reckoned.invoices[7]
    browser = signed_in("viewer")
    assert (one["invoice_id"], one["instalment"]) in {key_of(row) for row in rows(browser.get("/invoices/", {"q": one["invoice_id"][2:]}))}
    own = {(row["invoice_id"], row["instalment"]) for row in reckoned.invoices if row["buyer_id"] == one["buyer_id"]}
    assert {key_of(row) for row in listed(browser, buyer=one["buyer_id"])} == own


def test_another_day_shows_the_states_of_then(signed_in, book):
    day = book.on - dt.timedelta(300)
    then = plain(book.ledger.as_of(day))
    found = listed(signed_in("viewer"), state="overdue", as_of=day.isoformat())
    assert {key_of(row) for row in found} == {(row["invoice_id"], row["instalment"]) for row in then.invoices if late(row)}


def test_a_sales_person_sees_only_own_invoices(signed_in, reckoned, owner):
    own = {
        (row["invoice_id"], row["instalment"]) for row in reckoned.invoices if reckoned.profiles[row["buyer_id"]]["sales_owner"] == owner
    }
    browser = signed_in("sales", sales_owners=[owner])
    assert {key_of(row) for row in listed(browser)} == own
    file = b"".join(browser.get("/invoices/export.csv").streaming_content).decode("utf-8-sig")
    assert {(row["Invoice number"], int(row["Instalment"])) for row in csv.DictReader(io.StringIO(file))} == own


def test_somebody_of_one_company_sees_that_company_s_invoices(signed_in, reckoned):
    entities = {row["legal_entity"] for row in reckoned.invoices}
    entity = min(entity for entity in entities if entity)
    own = {
        (row["invoice_id"], row["instalment"])
        for row in reckoned.invoices
        if (row["legal_entity"] or reckoned.profiles[row["buyer_id"]]["legal_entity"]) == entity
    }
    browser = signed_in("sales", legal_entities=[entity])
    assert {key_of(row) for row in listed(browser)} == own
    page = body(browser.get("/invoices/"))
    assert all(f'value="{other}"' not in page for other in entities if other and other != entity)


def test_the_file_is_what_the_screen_shows(signed_in):
    browser = signed_in("sales")
    words = {"state": "open", "currency": "CNY", "sort": "amount_minor", "dir": "asc"}
    screen = listed(browser, **words)
    file = list(csv.DictReader(io.StringIO(b"".join(browser.get("/invoices/export.csv", words).streaming_content).decode("utf-8-sig"))))
    assert len(file) == len(screen) > 10
    for told, seen in zip(file, screen, strict=True):
        assert (told["Invoice number"], int(told["Instalment"])) == key_of(seen)
        assert float(told["Open balance"]) == float(seen["Open balance"].replace(",", ""))
        assert told["Name"] == seen["Buyer"]
        assert seen["State"].startswith(told["State"])
    assert AuditEvent.objects.filter(act="invoices.export").count() == 1
    assert browser.get("/invoices/export.xlsx", words).status_code == 200
    assert signed_in("viewer").get("/invoices/export.csv").status_code == 403


def test_the_page_of_an_invoice_shows_instalments_and_settlements(signed_in, reckoned):
    count = {}
    for row in reckoned.invoices:
        count.setdefault(row["invoice_id"], []).append(row)
    for own in (max(count.values(), key=len), next(rows_ for rows_ in count.values() if rows_[0]["open"] == 0)):
        number = own[0]["invoice_id"]
        answer = signed_in("viewer").get(f"/invoices/{number}/")
        page = body(answer)
        for row in own:
            assert money(row["amount_minor"], row["currency"]) in page
            assert money(row["open"], row["currency"]) in page
        assert f"/buyers/{own[0]['buyer_id']}/" in page
        applied = {row["settlement_id"] for row in reckoned.settlements if row["invoice_id"] == number}
        seen = {row[2] for table in tables(answer) if table[0][:2] == ["Settlement date", "Kind"] for row in table[1:]}
        assert seen == applied


def test_of_an_invoice_only_the_instalments_past_due_are_called_late(signed_in, own_ledger):
    day = day_of(own_ledger)
    add(own_ledger, [
        {"invoice_id": "TWO", "instalment": number, "kind": "invoice", "buyer_id": "TB", "issue_date": day - dt.timedelta(60),
         "due_date": day + dt.timedelta(shift), "amount_minor": amount, "currency": "EUR"}
        for number, shift, amount in ((1, -12, 300_00), (2, 18, 500_00))
    ])  # fmt: skip
    page = body(signed_in("viewer").get("/invoices/TWO/"))
    assert 'title="800.00 EUR"' in page
    assert 'of which <b title="300.00 EUR">' in page
    assert "12 days" in page


def test_an_unknown_invoice_offers_numbers_like_it(signed_in, reckoned):
    number = reckoned.invoices[0]["invoice_id"]
    page = body(signed_in("viewer").get(f"/invoices/{number[:-1]}/"), 404)
    assert f"/invoices/{number[:-1]}" in page
    assert 'class="empty"' in body(signed_in("viewer").get("/invoices/no-such-number/"), 404)


def test_before_it_was_issued_an_invoice_has_no_page(signed_in, reckoned):
    one = max(reckoned.invoices, key=lambda row: row["issue_date"])
    day = one["issue_date"] - dt.timedelta(1)
    assert signed_in("viewer").get(f"/invoices/{one['invoice_id']}/", {"as_of": day.isoformat()}).status_code == 404


def test_bad_words_are_said_and_swaps_bring_the_list_alone(signed_in):
    browser = signed_in("viewer")
    assert "tomorrow" in body(browser.get("/invoices/", {"due_from": "tomorrow"}, HTTP_HX_REQUEST="true"), 422)
    assert browser.get("/invoices/", {"state": "nonsense"}).status_code == 422
    answer = browser.get("/invoices/", {"q": "", "state": "open", "due_from": ""}, HTTP_HX_REQUEST="true")
    assert answer["HX-Push-Url"] == "/invoices/?state=open"
    assert b"<html" not in answer.content


def test_a_view_of_invoices_opens_the_list(signed_in):
    browser = signed_in("credit_manager")
    browser.post("/views/save/invoices/", {"name": "Late", "query": "state=overdue&sort=due_date&nonsense=1", "default": "1"})
    view = SavedView.objects.get()
    assert view.query == "state=overdue&sort=due_date"
    assert browser.get("/invoices/").url == f"/invoices/?state=overdue&sort=due_date&view={view.pk}"
    assert browser.get("/buyers/").status_code == 200
