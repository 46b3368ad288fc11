"""The list of buyers shows what the ledger says, whole, to whoever may see it, and takes out exactly what it shows."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import json

from django.db import connection
from django.test.utils import CaptureQueriesContext

from duecourse.money import to_decimal
from duecourse.tables import Money, shown
from duecourse.web.accounts.models import AuditEvent
from duecourse.web.books import day_of
from duecourse.web.pages.columns import BUYER_ALL, heading
from duecourse.web.pages.models import ListChoice, SavedView
from support.ledgers import add
from support.pages import number, plain, rows, tables


def money(minor, currency):
    return shown(Money(minor, currency), "money")


def listed(browser, **words):
    """Every row of the list, over all its pages."""
    found, page = [], 1
    while True:
        answer = browser.get("/buyers/", {**words, "per": "200", "page": page})
        assert answer.status_code == 200
        found += rows(answer)
        if 'rel="next"' not in answer.content.decode():
            return found
        page += 1


def identity(row):
    """The buyer's number stands under its name."""
    return row["Name"].split()[-1], row["Currency"]


def test_every_buyer_is_listed_once_with_what_it_owes(signed_in, reckoned):
    found = listed(signed_in("viewer"))
    assert {identity(row) for row in found} == set(reckoned.accounts)
    assert len(found) == len(reckoned.accounts)
    for row in found:
        account = reckoned.accounts[identity(row)]
        assert row["Outstanding"] == money(account.outstanding, row["Currency"])
        assert row["Overdue"] == money(account.overdue, row["Currency"])
        assert row["Oldest overdue"] == ("–" if account.oldest is None else str(account.oldest))


def test_the_totals_are_those_of_every_row_on_every_page(signed_in, reckoned):
    answer = signed_in("viewer").get("/buyers/", {"per": "25"})
    totals = {row["currency"]: row for row in rows(answer, 1)}
    for currency in {code for _, code in reckoned.accounts}:
        assert totals[currency]["outstanding"] == money(reckoned.total(currency), currency)
        assert totals[currency]["overdue"] == money(reckoned.total(currency, "overdue"), currency)
        assert totals[currency]["open invoices"] == f"{reckoned.total(currency, 'open_invoices'):,}"


def test_a_buyer_is_found_in_either_script_by_number_and_by_registration_number(signed_in, reckoned):
    one = next(
        row for row in reckoned.profiles.values()
        if row["name"] and row["name_local"] and row["registration_number"] and any(key[0] == row["buyer_id"] for key in reckoned.accounts)
    )  # fmt: skip
    browser = signed_in("viewer")
    for text in (one["name"].upper(), one["name_local"][:4], one["buyer_id"], one["registration_number"]):
        assert one["buyer_id"] in {identity(row)[0] for row in rows(browser.get("/buyers/", {"q": text, "per": "200"}))}, text


def test_filters_keep_the_rows_that_fit_and_no_others(signed_in, reckoned):
    browser = signed_in("viewer")
    country = next(row["country"] for row in reckoned.profiles.values() if row["country"] != "CN")
    wanted = {key for key in reckoned.accounts if reckoned.profiles[key[0]]["country"] == country}
    assert {identity(row) for row in listed(browser, country=country)} == wanted
    late = {key for key, account in reckoned.accounts.items() if account.overdue > 0}
    assert {identity(row) for row in listed(browser, overdue="1")} == late
    large = {key for key, account in reckoned.accounts.items() if key[1] == "CNY" and 1_000_00 <= account.outstanding <= 50_000_00}
    assert {identity(row) for row in listed(browser, currency="CNY", min_outstanding="1,000", max_outstanding="50000")} == large
    shares = {key for key, account in reckoned.accounts.items() if account.outstanding and account.overdue / account.outstanding >= 0.25}
    assert {identity(row) for row in listed(browser, min_overdue_share="25%")} == shares


def test_the_list_sorts_by_every_column_both_ways(signed_in):
    browser = signed_in("viewer")
    for name in ("name", "currency", *BUYER_ALL):
        for way, told in (("asc", "ascending"), ("desc", "descending")):
            answer = browser.get("/buyers/", {"sort": name, "dir": way, "columns": name, "currency": "CNY", "per": "25"})
            assert f'aria-sort="{told}"' in answer.content.decode(), name
            values = [row.get(heading(name, "CNY"), "") for row in rows(answer)]
            try:
                figures = [number(value.rstrip("%")) for value in values]
            except ValueError:
                continue
            known = [value for value in figures if value is not None]
            assert figures == known + [None] * (len(figures) - len(known)), f"{name}: what is missing comes last"
            assert known == sorted(known, reverse=way == "desc"), name


def test_another_day_shows_that_day_s_rows(signed_in, book):
    day = book.on - dt.timedelta(400)
    then = plain(book.ledger.as_of(day))
    found = listed(signed_in("viewer"), as_of=day.isoformat())
    assert {identity(row) for row in found} == set(then.accounts)
    assert all(row["Overdue"] == money(then.accounts[identity(row)].overdue, row["Currency"]) for row in found)
    answer = signed_in("viewer").get("/buyers/", {"as_of": day.isoformat()})
    assert f"as_of={day}" in rows_links(answer)[0]


def rows_links(answer):
    import re

    return re.findall(r'<tr data-href="([^"]+)"', answer.content.decode())


def test_what_was_learnt_later_is_hidden_as_known_then(signed_in, own_ledger):
    before = dt.datetime.now(dt.UTC)
    day = day_of(own_ledger)
    add(own_ledger, [{"buyer_id": "LATE-1", "name": "Learnt Late Ltd"}], "buyer")
    add(own_ledger, [{"invoice_id": "L1", "instalment": 1, "kind": "invoice", "buyer_id": "LATE-1", "issue_date": day - dt.timedelta(30),
                      "due_date": day - dt.timedelta(1), "amount_minor": 5_00, "currency": "EUR"}], "invoice")  # fmt: skip
    browser = signed_in("viewer")
    assert [identity(row) for row in rows(browser.get("/buyers/", {"q": "learnt late"}))] == [("LATE-1", "EUR")]
    assert not tables(browser.get("/buyers/", {"q": "learnt late", "known_at": before.isoformat()}))


def test_a_sales_person_sees_only_own_buyers(signed_in, reckoned, owner):
    browser = signed_in("sales", sales_owners=[owner])
    own = {key for key in reckoned.accounts if reckoned.profiles[key[0]]["sales_owner"] == owner}
    other = next(row for row in reckoned.profiles.values() if row["sales_owner"] != owner and row["name"])
    assert 0 < len(own) < len(reckoned.accounts)
    assert {identity(row) for row in listed(browser)} == own
    assert other["buyer_id"] not in {one["id"] for one in browser.get("/buyers/find", {"q": other["buyer_id"]}).json()}
    owners = browser.get("/buyers/filter/owner").content.decode()
    assert owners.count('name="owner"') == 1
    exported = table_of(browser.get("/buyers/export.csv"))
    assert {(row["Buyer number"], row["Currency"]) for row in exported} == own


def table_of(answer):
    """A CSV file as rows."""
    assert answer.status_code == 200
    raw = b"".join(answer.streaming_content)
    assert raw.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))))


WORDS = {"q": "co", "currency": ["CNY", "EUR", "USD"], "sort": "outstanding", "dir": "asc", "columns": "country,outstanding,overdue_share,days_beyond_terms_365d,last_payment_date"}  # fmt: skip


def test_the_csv_is_what_the_screen_shows(signed_in):
    browser = signed_in("sales")
    screen = listed(browser, **WORDS)
    file = table_of(browser.get("/buyers/export.csv", WORDS))
    assert len(file) == len(screen) > 10
    heads = [title for title in screen[0] if title != "Name"]
    assert list(file[0]) == ["Buyer number", "Name", *heads]
    for told, seen in zip(file, screen, strict=True):
        assert (told["Buyer number"], told["Currency"]) == identity(seen)
        assert seen["Name"].startswith(told["Name"])
        assert told["Country"] == seen["Country"]
        assert told["Last payment"] == ("" if seen["Last payment"] == "–" else seen["Last payment"])
        assert float(told["Outstanding"]) == number(seen["Outstanding"])
        assert shown(float(told["Overdue share"]) if told["Overdue share"] else None, "fraction") == seen["Overdue share"]


def test_the_workbook_is_what_the_screen_shows(signed_in, tmp_path):
    import python_calamine

    browser = signed_in("sales")
    screen = listed(browser, **WORDS)
    answer = browser.get("/buyers/export.xlsx", WORDS)
    path = tmp_path / "buyers.xlsx"
    path.write_bytes(b"".join(answer.streaming_content))
    heads, *body = python_calamine.load_workbook(str(path)).get_sheet_by_index(0).to_python()
    assert len(body) == len(screen)
    for told, seen in zip(body, screen, strict=True):
        one = dict(zip(heads, told, strict=True))
        assert (one["Buyer number"], one["Currency"]) == identity(seen)
        assert one["Outstanding"] == number(seen["Outstanding"])


def test_a_file_taken_out_is_in_the_audit_trail(signed_in, book):
    table_of(signed_in("sales").get("/buyers/export.csv", {"currency": "EUR", "as_of": "2026-01-31"}))
    event = AuditEvent.objects.get(act="buyers.export")
    told = json.loads(event.detail)
    assert told["form"] == "csv"
    assert told["on"] == "2026-01-31"
    assert told["rows"] > 0
    assert "currency=EUR" in told["query"]


def test_a_viewer_takes_nothing_out(signed_in):
    browser = signed_in("viewer")
    assert browser.get("/buyers/export.csv").status_code == 403
    assert "export.csv" not in browser.get("/buyers/").content.decode()


def test_markup_in_names_is_text(signed_in, nasty):
    browser = signed_in("admin")
    for path in ("/buyers/?country=FR", "/buyers/X-1/", "/buyers/filter/group?country=FR", "/buyers/filter/owner?country=FR", "/invoices/?buyer=X-1",
                 "/buyers/X-1/timeline", "/buyers/X-1/facts/buyer/X-1", "/buyers/X-1/facts/invoice/%3Cem%3E1%3C~1em%3E", "/invoices/%3Cem%3E1%3C~1em%3E/",
                 "/buyers/%3Cscript%3Ealert(1)%3C~1script%3E/", "/groups/%22%3E%3Cimg%20src=x%3E/", "/buyers/?q=%3Cscript%3Ealert(1)%3C/script%3E"):  # fmt: skip
        page = browser.get(path).content.decode()
        for markup in ("<script>alert", "<img src=x", "<b>Eve", "<u>text", "<em>1", "<i>buyers"):
            assert markup not in page, path
    assert "&lt;script&gt;alert(1)" in browser.get("/buyers/?country=FR").content.decode()


def test_a_spreadsheet_runs_no_formula_of_ours(signed_in, nasty, tmp_path):
    import python_calamine

    browser = signed_in("admin")
    names = {row["Name"] for row in table_of(browser.get("/buyers/export.csv", {"country": "FR"}))}
    assert {'\'=HYPERLINK("http://evil")', "'@SUM(A1)"} <= names
    assert "'-2+3" in {row["Invoice number"] for row in table_of(browser.get("/invoices/export.csv", {"buyer": "X-2"}))}
    path = tmp_path / "buyers.xlsx"
    path.write_bytes(b"".join(browser.get("/buyers/export.xlsx", {"country": "FR"}).streaming_content))
    cells = [cell for row in python_calamine.load_workbook(str(path)).get_sheet_by_index(0).to_python() for cell in row]
    assert '=HYPERLINK("http://evil")' in cells, "a text in a workbook stays as it is: its cell says that it is text"


def test_a_negative_amount_is_a_number_in_the_file(signed_in, reckoned):
    told = table_of(signed_in("sales").get("/buyers/export.csv", {"columns": "outstanding_change_30d,unapplied_credits"}))
    falls = [row["Outstanding, change in 30 days"] for row in told if row["Outstanding, change in 30 days"].startswith("-")]
    assert falls
    assert all(float(value) < 0 for value in falls)


def test_the_whole_state_is_in_the_address(signed_in):
    browser = signed_in("viewer")
    words = {
        "q": "co",
        "country": ["CN", "DE"],
        "min_overdue": "10",
        "columns": "city,overdue",
        "sort": "city",
        "dir": "desc",
        "sector": "",
        "bucket": "",
    }
    answer = browser.get("/buyers/", {**words, "as_of": "2026-06-30"}, HTTP_HX_REQUEST="true")
    address = answer["HX-Push-Url"]
    assert "bucket" not in address, "empty fields leave no trace"
    again = browser.get(address)
    assert rows(again) == rows(answer)
    assert "2026-06-30" in address


def test_a_swap_brings_the_list_alone_and_is_light(signed_in):
    browser = signed_in("viewer")
    whole, part = browser.get("/buyers/"), browser.get("/buyers/", HTTP_HX_REQUEST="true")
    assert b"<html" in whole.content
    assert b"<html" not in part.content
    assert rows(whole) == rows(part)
    assert len(gzip.compress(part.content)) < 30_000
    assert "HX-Request" in part["Vary"]


def test_a_limit_nobody_can_read_is_said_and_nothing_is_shown(signed_in):
    answer = signed_in("viewer").get("/buyers/", {"min_overdue": "lots"}, HTTP_HX_REQUEST="true")
    assert answer.status_code == 422
    assert "lots" in answer.content.decode()
    assert not tables(answer)


def test_a_list_that_became_shorter_shows_its_last_page(signed_in, reckoned):
    answer = signed_in("viewer").get("/buyers/", {"page": "9999", "per": "25"})
    assert len(rows(answer)) == (len(reckoned.accounts) - 1) % 25 + 1


def test_nothing_found_says_what_to_do(signed_in):
    page = signed_in("viewer").get("/buyers/", {"q": "no such firm anywhere"})
    assert 'class="empty"' in page.content.decode()
    assert 'class="empty"' in signed_in("viewer").get("/buyers/", {"as_of": "1990-01-01"}).content.decode()


def test_the_values_of_a_filter_say_how_many_rows_they_would_show(signed_in, reckoned):
    answer = signed_in("viewer").get("/buyers/filter/country", {"overdue": "1", "country": "CN"})
    page = answer.content.decode()
    late = [reckoned.profiles[key[0]]["country"] for key, account in reckoned.accounts.items() if account.overdue > 0]
    for country in set(late):
        assert f'value="{country}"' in page
    assert f'<span class="faint">{late.count("CN"):,}</span>' in page
    assert 'value="CN" checked' in page
    assert signed_in("viewer").get("/buyers/filter/nonsense").status_code == 404


def test_the_palette_finds_buyers_and_says_what_is_overdue(signed_in, reckoned):
    (buyer_id, currency), account = max(reckoned.accounts.items(), key=lambda one: one[1].overdue)
    found = signed_in("viewer").get("/buyers/find", {"q": buyer_id, "as_of": "2026-10-30"}).json()
    assert found[0]["id"] == buyer_id
    assert found[0]["url"] == f"/buyers/{buyer_id}/?as_of=2026-10-30"
    now = signed_in("viewer").get("/buyers/find", {"q": buyer_id}).json()[0]
    assert f"{to_decimal(account.overdue, currency):,f} {currency}" in now["overdue"]
    assert signed_in("viewer").get("/buyers/find", {"q": " "}).json() == []


def test_columns_are_remembered_for_the_person_and_stand_in_the_address(signed_in, person):
    anna = person("viewer")
    browser = signed_in(anna)
    answer = browser.post("/buyers/columns", {"column": ["city", "overdue"], "query": "country=CN"})
    assert answer.status_code == 302
    assert "country=CN" in answer.url
    assert set(rows(browser.get(answer.url))[0]) == {"Name", "Currency", "City", "Overdue"}
    bare = browser.get("/buyers/")
    assert bare.status_code == 302
    assert "columns=city%2Coverdue" in bare.url
    assert signed_in("viewer").get("/buyers/").status_code == 200
    browser.post("/buyers/columns", {"standard": "1"})
    assert browser.get("/buyers/").status_code == 200
    assert ListChoice.objects.get(person=anna).columns == []


def test_a_view_keeps_filters_and_columns_and_opens_the_list(signed_in, person):
    anna = person("credit_manager")
    browser = signed_in(anna)
    answer = browser.post(
        "/views/save/buyers/",
        {"name": " Late  in China ", "query": "country=CN&overdue=1&columns=city&as_of=2020-01-01&page=7&evil=1", "default": "1"},
    )
    view = SavedView.objects.get()
    assert (view.name, view.query) == ("Late in China", "country=CN&overdue=1&columns=city")
    assert f"view={view.pk}" in answer.url
    opened = browser.get("/buyers/?as_of=2026-06-30")
    assert opened.status_code == 302
    assert opened.url == f"/buyers/?country=CN&overdue=1&columns=city&as_of=2026-06-30&view={view.pk}"
    assert set(rows(browser.get(opened.url))[0]) == {"Name", "Currency", "City"}
    browser.post("/views/save/buyers/", {"name": "Late in China", "query": "country=DE"})
    assert SavedView.objects.get().query == "country=DE"
    browser.post(f"/views/{view.pk}/", {"act": "no_default"})
    assert browser.get("/buyers/").status_code == 200


def test_a_shared_view_is_everybodys_to_open_and_its_makers_to_change(signed_in, person):
    anna, bo = person("credit_manager"), person("sales")
    hers, his = signed_in(anna), signed_in(bo)
    hers.post("/views/save/buyers/", {"name": "Private", "query": "overdue=1"})
    hers.post("/views/save/buyers/", {"name": "For all", "query": "overdue=1", "shared": "1"})
    page = his.get("/buyers/").content.decode()
    assert "For all" in page
    assert "Private" not in page
    private, shared = (SavedView.objects.get(name=name) for name in ("Private", "For all"))
    assert his.post(f"/views/{private.pk}/", {"act": "delete"}).status_code == 404
    his.post(f"/views/{shared.pk}/", {"act": "delete"})
    his.post(f"/views/{shared.pk}/", {"act": "unshare"})
    shared.refresh_from_db()
    assert shared.shared
    his.post(f"/views/{shared.pk}/", {"act": "default"})
    assert his.get("/buyers/").status_code == 302
    hers.post(f"/views/{shared.pk}/", {"act": "delete"})
    assert his.get("/buyers/").status_code == 200, "who opened with a view that is gone sees everything"
    assert AuditEvent.objects.filter(act="view.delete").count() == 1


def test_a_long_page_asks_the_database_no_more_than_a_short_one(signed_in):
    browser = signed_in("viewer")
    counts = []
    for per in ("25", "200"):
        browser.get("/buyers/", {"per": per})
        with CaptureQueriesContext(connection) as asked:
            browser.get("/buyers/", {"per": per})
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_chinese_readers_see_chinese_names_and_words(signed_in, reckoned):
    answer = signed_in("viewer", language="zh-hans").get("/buyers/", {"country": "CN"})
    first = rows(answer)[0]
    assert "应收余额" in first
    local = {row["name_local"] for row in reckoned.profiles.values()}
    assert any(name and name in first["名称"] for name in local)
