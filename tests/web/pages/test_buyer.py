"""The page of a buyer shows every fact the ledger has on it, to the cent, where each came from, and what people noted."""

from __future__ import annotations

import datetime as dt
import re
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from duecourse.tables import Money, shown
from duecourse.web import books
from duecourse.web.accounts.models import AuditEvent
from duecourse.web.books import day_of
from duecourse.web.pages.models import Note, Wording
from support.ledgers import add
from support.pages import plain, rows, tables


def money(minor, currency):
    return shown(Money(minor, currency), "money")


def body(answer, status=200):
    assert answer.status_code == status
    return unescape(answer.content.decode())


@pytest.fixture
def busy(reckoned):
    """The buyer with the most invoices, among those that owe something overdue."""
    key, account = max(reckoned.accounts.items(), key=lambda one: (one[1].overdue > 0, one[1].invoices))
    return (*key, account)


def shown_invoices(browser, buyer_id, **words):
    found, page = [], 1
    while True:
        answer = browser.get(f"/buyers/{buyer_id}/", {**words, "page": page}, HTTP_HX_REQUEST="true", HTTP_HX_TARGET="invoices")
        table = next((table for table in tables(answer) if "issue date" in table[0]), None)
        if table is None:
            return found
        own = [dict(zip(table[0], row, strict=False)) for row in table[1:] if len(row) == len(table[0])]
        found += own
        if 'rel="next"' not in body(answer):
            return found
        page += 1


def test_the_figures_are_those_of_the_ledger(signed_in, busy):
    buyer_id, currency, account = busy
    page = body(signed_in("viewer").get(f"/buyers/{buyer_id}/", {"currency": currency}))
    for name in ("outstanding", "overdue", "unapplied"):
        assert f'title="{money(getattr(account, name), currency)} {currency}"' in page
    assert f"<b>{account.oldest:,}</b>" in page


def test_the_ageing_adds_up_to_what_is_outstanding(signed_in, busy, reckoned, book):
    buyer_id, currency, account = busy
    answer = signed_in("viewer").get(f"/buyers/{buyer_id}/", {"currency": currency})
    ages = next(table for table in tables(answer) if table[0][0] == "ageing bucket")
    amounts = {row[0]: row[1] for row in ages[1:]}
    own = [row for row in reckoned.invoices if (row["buyer_id"], row["currency"]) == (buyer_id, currency) and row["open"] > 0]
    month = sum(row["open"] for row in own if row["late"] is not None and 1 <= row["late"] <= 30)
    assert amounts["1–30 days"] == money(month, currency)
    assert sum(round(float(value.replace(",", "")) * 100) for value in amounts.values()) == account.outstanding


def test_every_invoice_is_there_with_what_is_open_and_its_settlements(signed_in, busy, reckoned):
    buyer_id, _currency, _account = busy
    own = {f"{row['invoice_id']}/{row['instalment']}": row for row in reckoned.invoices if row["buyer_id"] == buyer_id}
    browser = signed_in("viewer")
    found = shown_invoices(browser, buyer_id)
    assert len(found) == len(own)
    for row in found:
        number, _, instalment = row["invoice"].partition(" instalment ")
        fact = own[f"{number}/{instalment or 1}"]
        assert row["open balance"] == money(fact["open"], fact["currency"])
        assert row["amount"] == money(fact["amount_minor"], fact["currency"])
    late = shown_invoices(browser, buyer_id, state="overdue")
    assert len(late) == sum(1 for row in own.values() if row["open"] > 0 and row["late"] is not None and row["late"] > 0)
    still = shown_invoices(browser, buyer_id, state="open")
    assert len(still) == sum(1 for row in own.values() if row["open"] > 0)
    numbers = {row["invoice_id"] for row in own.values()}
    applied = [row for row in reckoned.settlements if row["invoice_id"] in numbers and row["buyer_id"] == buyer_id]
    seen, page = set(), 1
    while True:
        answer = browser.get(f"/buyers/{buyer_id}/", {"page": page}, HTTP_HX_REQUEST="true", HTTP_HX_TARGET="invoices")
        seen |= {row[2] for table in tables(answer) if table[0][:2] == ["Settlement date", "Kind"] for row in table[1:]}
        if 'rel="next"' not in body(answer):
            break
        page += 1
    assert seen == {row["settlement_id"] for row in applied}


def test_another_day_shows_what_was_open_then(signed_in, busy, book):
    buyer_id, currency, account = busy
    day = book.on - dt.timedelta(200)
    then = plain(book.ledger.as_of(day)).accounts[buyer_id, currency]
    assert then != account
    page = body(signed_in("viewer").get(f"/buyers/{buyer_id}/", {"as_of": day.isoformat(), "currency": currency}))
    assert f'title="{money(then.outstanding, currency)} {currency}"' in page
    assert f'title="{money(then.overdue, currency)} {currency}"' in page


def test_unapplied_credits_disputes_and_profile_are_there(signed_in, book, reckoned):
    browser = signed_in("viewer")
    known = {(row["invoice_id"], row["instalment"], row["currency"]) for row in reckoned.invoices}
    loose = next(row for row in reckoned.settlements if (row["invoice_id"], row["instalment"], row["currency"]) not in known)
    assert loose["settlement_id"] in body(browser.get(f"/buyers/{loose['buyer_id']}/"))
    dispute = book.run(book.dispute).to_pylist()[0]
    page = body(browser.get(f"/buyers/{dispute['buyer_id']}/"))
    assert dispute["reason"] in page
    profile = reckoned.profiles[dispute["buyer_id"]]
    for name in ("registration_number", "city", "sales_owner"):
        assert profile[name] in page


def test_a_group_member_shows_the_others(signed_in, reckoned):
    groups = {}
    for row in reckoned.profiles.values():
        if row["group_id"] and any(key[0] == row["buyer_id"] for key in reckoned.accounts):
            groups.setdefault(row["group_id"], []).append(row)
    members = max(groups.values(), key=len)
    assert len(members) > 1
    page = body(signed_in("viewer").get(f"/buyers/{members[0]['buyer_id']}/"))
    assert all(f"/buyers/{row['buyer_id']}/" in page for row in members)
    assert f"/groups/{members[0]['group_id']}/" in page


def test_the_timeline_tells_everything_once_the_latest_first(signed_in, busy, reckoned, book):
    buyer_id = busy[0]
    browser = signed_in("viewer")
    days, start = [], 0
    while True:
        page = body(browser.get(f"/buyers/{buyer_id}/timeline", {"from": start}))
        days += re.findall(r'<time datetime="([^"]+)"', page)
        if "hx-get" not in page:
            break
        start += 50
    assert days == sorted(days, reverse=True)
    disputes = [row for row in book.run(book.dispute).to_pylist() if row["buyer_id"] == buyer_id]
    expected = sum(row["buyer_id"] == buyer_id for row in (*reckoned.invoices, *reckoned.settlements)) + len(disputes)
    expected += sum(row["resolved_on"] is not None for row in disputes)
    assert len(days) == expected + 1, "and the particulars"


def test_somebody_elses_buyer_cannot_be_seen_anywhere(signed_in, reckoned, owner):
    browser = signed_in("sales", sales_owners=[owner])
    other = next(row for row in reckoned.invoices if reckoned.profiles[row["buyer_id"]]["sales_owner"] != owner)
    own = next(row for row in reckoned.invoices if reckoned.profiles[row["buyer_id"]]["sales_owner"] == owner)
    name = reckoned.profiles[other["buyer_id"]]["name"]
    for path in (
        f"/buyers/{other['buyer_id']}/", f"/buyers/{other['buyer_id']}/timeline", f"/buyers/{other['buyer_id']}/facts/buyer/{other['buyer_id']}",
        f"/buyers/{other['buyer_id']}/facts/invoice/{other['invoice_id']}", f"/invoices/{other['invoice_id']}/",
    ):  # fmt: skip
        page = body(browser.get(path), 404)
        assert name not in page, path
    assert browser.post(f"/buyers/{other['buyer_id']}/notes", {"text": "hello"}).status_code == 404
    assert Note.objects.count() == 0
    assert browser.get(f"/buyers/{own['buyer_id']}/").status_code == 200
    # A fact of somebody else's, asked for under the number of a buyer of one's own.
    assert browser.get(f"/buyers/{own['buyer_id']}/facts/invoice/{other['invoice_id']}").status_code == 404


def test_an_unknown_number_offers_those_it_may_mean(signed_in, reckoned):
    browser = signed_in("viewer")
    one = next(row for row in reckoned.profiles.values() if row["name"] and (row["buyer_id"], "CNY") in reckoned.accounts)
    page = body(browser.get(f"/buyers/{one['name'][:6]}/"), 404)
    assert f"/buyers/{one['buyer_id']}/" in page or "more fit" in page
    bare = one["buyer_id"].lstrip("0")
    assert bare != one["buyer_id"]
    answer = browser.get(f"/buyers/{bare}/", {"as_of": "2026-10-01"})
    assert answer.status_code == 302
    assert answer.url == f"/buyers/{one['buyer_id']}/?as_of=2026-10-01"
    assert browser.get(f"/buyers/00{one['buyer_id']}/").status_code == 302
    assert 'class="empty"' in body(browser.get("/buyers/nobody-of-that-name/"), 404)
    assert 'href="/buyers/"' in body(browser.get("/buyers/nobody-of-that-name/"), 404), "all buyers: that name has been looked for"


def test_a_number_half_written_offers_those_that_begin_with_it_and_may_be_seen(signed_in, reckoned):
    shown = sorted({buyer for buyer, _currency in reckoned.accounts})
    part = next(
        number[:count] for number in shown for count in range(1, len(number)) if number[:count] not in shown and number[:count].isalnum()
    )
    alike = [number for number in shown if number.startswith(part)]
    page = body(signed_in("viewer").get(f"/buyers/{part}/"), 404)
    assert f"/buyers/{alike[0]}/" in page
    owner = reckoned.profiles[alike[0]]["sales_owner"]
    page = body(signed_in("sales", sales_owners=[owner]).get(f"/buyers/{part}/"), 404)
    offered = set(re.findall(r'href="/buyers/([^/"?]+)/"', page)) - {part}
    assert alike[0] in offered
    assert {reckoned.profiles[number]["sales_owner"] for number in offered} == {owner}
    page = body(signed_in("viewer").get("/buyers/99-nobody/", {"as_of": "2026-10-01"}), 404)
    assert re.search(r'href="/buyers/\?as_of=2026-10-01(&amp;|&)q=99-nobody">Look for “99-nobody” in names', page)


def test_a_fact_shows_its_file_row_and_every_wording(signed_in, own_ledger):
    browser = signed_in("credit_analyst")
    day = day_of(own_ledger)
    row = {"invoice_id": "P1", "instalment": 1, "kind": "invoice", "buyer_id": "PB", "issue_date": day - dt.timedelta(30), "due_date": day,
           "amount_minor": 100_00, "currency": "EUR", "source_row": 17}  # fmt: skip
    first = add(own_ledger, [row], file_name="may.csv")
    between = dt.datetime.now(dt.UTC)
    second = add(own_ledger, [{**row, "amount_minor": 90_00, "source_row": 18}], file_name="june.csv")
    page = body(browser.get("/buyers/PB/facts/invoice/P1", HTTP_HX_REQUEST="true"))
    assert "<html" not in page
    assert page.index("june.csv") < page.index("may.csv")
    assert "<del>100.00 EUR</del> → <ins>90.00 EUR</ins>" in page
    for batch in (first.batch_id, second.batch_id):
        assert f"/imports/{batch}/" in page
    assert re.search(r"<dd>18</dd>.*<dd>17</dd>", page, re.DOTALL)
    then = body(browser.get("/buyers/PB/facts/invoice/P1", {"known_at": between.isoformat()}))
    assert "june.csv" not in then
    assert "<html" in then
    assert browser.get("/buyers/PB/facts/invoice/nothing").status_code == 404
    assert browser.get("/buyers/PB/facts/setting/x").status_code == 404


def test_on_a_page_of_the_past_a_fact_of_later_is_unknown(signed_in, reckoned, book):
    browser = signed_in("viewer")
    one = max(reckoned.invoices, key=lambda row: row["issue_date"])
    path = f"/buyers/{one['buyer_id']}/facts/invoice/{one['invoice_id']}"
    assert browser.get(path).status_code == 200
    assert browser.get(path, {"as_of": (one["issue_date"] - dt.timedelta(1)).isoformat()}).status_code == 404
    dispute = next(row for row in book.run(book.dispute).to_pylist() if row["resolved_on"] and row["resolved_on"] > row["raised_on"])
    path = f"/buyers/{dispute['buyer_id']}/facts/dispute/{dispute['dispute_id']}"
    resolved = f"<dd>{dispute['resolved_on']}</dd>"
    assert resolved in body(browser.get(path))
    assert resolved not in body(browser.get(path, {"as_of": dispute["raised_on"].isoformat()}))


def test_a_business_key_with_a_slash_has_its_page(signed_in, nasty):
    browser = signed_in("viewer")
    assert rows(browser.get("/buyers/X~13/"))
    assert "A/3" in body(browser.get("/invoices/A~13/"))


# Notes


def test_a_note_keeps_its_wordings_and_is_struck_out_never_deleted(signed_in, person, busy):
    anna, bo = person("collector"), person("sales")
    hers, his = signed_in(anna), signed_in(bo)
    buyer_id = busy[0]
    hers.post(f"/buyers/{buyer_id}/notes", {"text": "  Promised to pay <b>Friday</b>  "})
    note = Note.objects.get()
    page = his.get(f"/buyers/{buyer_id}/").content.decode()
    assert "Promised to pay &lt;b&gt;Friday&lt;/b&gt;" in page
    his.post(f"/notes/{note.pk}/edit", {"text": "changed by somebody else"})
    his.post(f"/notes/{note.pk}/void", {"reason": "not mine"})
    assert Wording.objects.count() == 1
    hers.post(f"/notes/{note.pk}/edit", {"text": "Promised to pay Monday"})
    hers.post(f"/notes/{note.pk}/edit", {"text": "Promised to pay Monday"})
    assert [one.text for one in note.wordings.all()] == ["Promised to pay <b>Friday</b>", "Promised to pay Monday"]
    hers.post(f"/notes/{note.pk}/void", {"reason": " "})
    note.refresh_from_db()
    assert note.voided_at is None
    hers.post(f"/notes/{note.pk}/void", {"reason": "paid"})
    page = body(his.get(f"/buyers/{buyer_id}/"))
    assert 'class="voided"' in page
    assert "Promised to pay Monday" in page
    hers.post(f"/notes/{note.pk}/edit", {"text": "again"})
    assert Wording.objects.count() == 2
    assert [event.act for event in AuditEvent.objects.filter(act__startswith="note").order_by("number")] == [
        "note.write",
        "note.edit",
        "note.void",
    ]


def test_an_empty_note_and_one_of_somebody_without_the_right_are_not_kept(signed_in, busy):
    signed_in("sales").post(f"/buyers/{busy[0]}/notes", {"text": "   "})
    assert signed_in("viewer").post(f"/buyers/{busy[0]}/notes", {"text": "hello"}).status_code == 403
    assert Note.objects.count() == 0


def test_a_page_of_the_past_shows_the_notes_of_then(signed_in, person, busy):
    buyer_id = busy[0]
    anna = person("collector")
    for when, text in ((dt.datetime(2026, 3, 1, 9, tzinfo=dt.UTC), "early"), (dt.datetime(2026, 9, 1, 9, tzinfo=dt.UTC), "late")):
        note = Note.objects.create(buyer_id=buyer_id, author=anna, written_at=when)
        Wording.objects.create(note=note, number=1, text=f"{text} wording", author=anna, at=when)
    Wording.objects.create(note=Note.objects.first(), number=2, text="another word", author=anna, at=dt.datetime(2026, 8, 1, tzinfo=dt.UTC))
    browser = signed_in(anna)
    then = body(browser.get(f"/buyers/{buyer_id}/", {"as_of": "2026-06-30"}))
    assert "early wording" in then
    assert "late wording" not in then
    assert "another word" not in then
    assert 'id="note-text"' not in then
    now = body(browser.get(f"/buyers/{buyer_id}/"))
    assert "another word" in now
    assert "late wording" in now


def test_many_notes_ask_the_database_no_more_than_one(signed_in, person, busy):
    anna = person("collector")
    browser = signed_in(anna)
    counts = []
    for _ in range(2):
        for number in range(5):
            browser.post(f"/buyers/{busy[0]}/notes", {"text": f"note {number}"})
        browser.get(f"/buyers/{busy[0]}/")
        with CaptureQueriesContext(connection) as asked:
            browser.get(f"/buyers/{busy[0]}/")
        counts.append(len(asked))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_page_reads_in_both_languages_and_is_light(signed_in, busy, language):
    import gzip

    answer = signed_in("viewer", language=language).get(f"/buyers/{busy[0]}/")
    assert len(gzip.compress(answer.content)) < 30_000
    assert ("账龄" if language == "zh-hans" else "Ageing") in body(answer)


def test_a_buyer_without_facts_by_the_day_is_not_there_yet(signed_in, busy):
    ledger = books.ledger()
    first = min(row["issue_date"] for row in ledger.as_of(day_of(ledger)).about(busy[0])["invoice"].to_pylist())
    assert signed_in("viewer").get(f"/buyers/{busy[0]}/", {"as_of": (first + dt.timedelta(1)).isoformat()}).status_code == 200
