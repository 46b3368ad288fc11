"""A buyer's accounts: what is shown is what the ledger holds, nothing typed is lost, a correction adds."""

from __future__ import annotations

import csv
import datetime as dt
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from duecourse.web import books
from duecourse.web.evidence.models import StatementFile
from support.ledgers import add
from support.pages import tables

YEAR = dt.date(2025, 12, 31)
ACCOUNTS = {
    "period_end": YEAR, "period_months": 12, "consolidated": False, "published_on": dt.date(2026, 4, 1), "published_on_estimated": False, "audited": True,
    "currency": "CNY", "total_assets": 1_000_00, "total_liabilities": 600_00, "total_equity": 400_00, "current_assets": 500_00, "current_liabilities": 250_00,
    "inventories": 100_00, "revenue": 2_000_00, "net_income": 50_00, "operating_profit": 80_00, "retained_earnings": 200_00,
}  # fmt: skip


def page(browser, buyer, more=""):
    answer = browser.get(f"/buyers/{buyer}/statements{more}")
    assert answer.status_code == 200
    return unescape(answer.content.decode())


@pytest.fixture
def buyers(own_ledger):
    """Eight buyers of one sector and country with accounts, their current ratios 1 to 8; and one whose sector stands alone."""
    add(
        own_ledger,
        [
            {"buyer_id": f"P{n}", "name": f"Peer {n}", "sector": "toys", "country": "IT", "sales_owner": "Eve" if n else "Ada"}
            for n in range(9)
        ],
        "buyer",
    )
    add(own_ledger, [{"buyer_id": "ALONE", "name": "Alone", "sector": "rockets", "country": "IT"}], "buyer")
    rows = [{**ACCOUNTS, "buyer_id": f"P{n}", "current_liabilities": 50_000 // n} for n in range(1, 9)]
    add(own_ledger, [*rows, {**ACCOUNTS, "buyer_id": "ALONE"}], "statement", file_name="accounts.csv")
    return own_ledger


def rows_by_name(browser, address):
    answer = browser.get(address)
    return {row[0]: row for table in tables(answer) for row in table[1:]}


def test_lines_and_ratios_are_those_of_the_ledger(signed_in, buyers):
    rows = rows_by_name(signed_in("viewer"), "/buyers/ALONE/statements")
    assert rows["Total assets"][1] == "1,000.00"
    assert rows["Current ratio"][2] == "2.00"
    assert rows["Liabilities to assets"][2] == "60.0%"
    assert rows["Altman Z″"][2].startswith("3.53")  # 6.56·0.25 + 3.26·0.2 + 6.72·0.08 + 1.05·(400/600)


def test_what_cannot_be_worked_out_says_why(signed_in, buyers):
    text = page(signed_in("viewer"), "ALONE")
    assert "the accounts do not give Market value" in text
    assert "Interest cover: not worked out because the accounts do not give Interest expense" in text


def test_peers_are_others_of_the_same_sector_and_country_and_at_least_five(signed_in, buyers):
    browser = signed_in("viewer")
    rows = rows_by_name(browser, "/buyers/P1/statements")
    # Of the others (current ratios 2 to 8): median 5, quartiles 3.5 and 6.5.
    assert rows["Current ratio"][3:6] == ["5.00", "3.50 – 6.50", "7"]
    assert "below most" in rows["Current ratio"][6]
    assert rows_by_name(browser, "/buyers/ALONE/statements")["Current ratio"][3] == "–"


def test_a_buyer_of_somebody_else_is_not_found(signed_in, buyers):
    browser = signed_in("sales", sales_owners=["Ada"])
    for method, address in (("get", "statements"), ("get", "statements/new"), ("post", "statements/new"), ("post", "statements/check")):
        assert getattr(browser, method)(f"/buyers/P1/{address}").status_code == 404
    assert browser.get("/buyers/P0/statements").status_code == 200


def typed(**more):
    return {
        "period_end": "2025-12-31", "period_months": "12", "currency": "CNY", "unit": "10000", "published_on": "2026-03-01", "audited": "yes",
        "line-total_assets": "10,500", "line-total_liabilities": "6,200", "line-total_equity": "4,300", "line-revenue": "12,000", **more,
    }  # fmt: skip


def entered(buyer="P0"):
    book = books.ledger().as_of(dt.date(2030, 1, 1))
    return [row for row in book.run(book.statement).to_pylist() if row["buyer_id"] == buyer]


def test_typed_accounts_are_entered_in_minor_units_once(signed_in, buyers):
    browser = signed_in("credit_analyst")
    for _ in range(2):
        assert browser.post("/buyers/P0/statements/new", typed()).status_code == 302
    (row,) = entered()
    assert row["total_assets"] == 10_500 * 10_000 * 100
    assert row["published_on"] == dt.date(2026, 3, 1)
    assert row["audited"] is True


def test_a_correction_adds_and_the_page_shows_what_was_known_before(signed_in, buyers):
    browser = signed_in("credit_analyst")
    browser.post("/buyers/P0/statements/new", typed())
    browser.post("/buyers/P0/statements/new", typed(**{"line-total_assets": "10,600", "line-total_equity": "4,400"}))
    (row,) = entered()
    assert row["total_assets"] == 10_600 * 10_000 * 100
    text = page(browser, "P0")
    assert "105,000,000.00 CNY" in text
    assert "106,000,000.00 CNY" in text


@pytest.mark.parametrize(
    "bad",
    [{"line-revenue": "a lot"}, {"period_end": "yesterday"}, {"period_end": ""}, {"period_months": "0"}, {"currency": "XYZ"}, {"published_on": "2025-01-01"},
     {"period_end": "2999-12-31"}, {"line-revenue": "1e400"}],
)  # fmt: skip
def test_what_cannot_be_right_comes_back_as_it_was_typed(signed_in, buyers, bad):
    answer = signed_in("credit_analyst").post("/buyers/P0/statements/new", typed(**bad))
    assert answer.status_code == 422
    text = unescape(answer.content.decode())
    assert 'value="10,500"' in text
    assert "cannot be right" in text
    if "line-revenue" in bad:
        assert f'value="{bad["line-revenue"]}"' in text
    assert not entered()


def test_accounts_that_do_not_balance_want_a_second_word(signed_in, buyers):
    browser = signed_in("credit_analyst")
    wrong = typed(**{"line-total_equity": "1"})
    answer = browser.post("/buyers/P0/statements/new", wrong)
    assert answer.status_code == 422
    assert 'name="sure"' in answer.content.decode()
    assert browser.post("/buyers/P0/statements/new", {**wrong, "sure": "yes"}).status_code == 302
    assert len(entered()) == 1


def test_the_check_says_by_how_much_it_is_off(signed_in, buyers):
    answer = signed_in("credit_analyst").post("/buyers/P0/statements/check", typed(**{"line-total_equity": "4,200"}))
    assert "+100.00" in unescape(answer.content.decode())


def test_withdrawn_accounts_no_longer_count(signed_in, buyers):
    browser = signed_in("credit_analyst")
    browser.post("/buyers/P0/statements/new", typed())
    key = {"period": "2025-12-31", "months": "12", "consolidated": "0"}
    browser.post("/buyers/P0/statements/withdraw", key)
    assert entered(), "not without a reason"
    browser.post("/buyers/P0/statements/withdraw", {**key, "reason": "of another firm"})
    assert not entered()


def upload(browser, rows, buyer="P0"):
    text = "\n".join(",".join(row) for row in rows)
    answer = browser.post(f"/buyers/{buyer}/statements/upload", {"files": SimpleUploadedFile("accounts.csv", text.encode())})
    assert answer.status_code == 302
    return answer.url


def test_a_file_is_shown_before_it_is_entered(signed_in, buyers):
    browser = signed_in("credit_analyst")
    address = upload(browser, [["buyer_id", "period_end", "period_months", "currency", "unit", "total_assets", "total_liabilities", "total_equity", "revenue"],
                               ["P0", "2025-12-31", "12", "CNY", "万元", "100", "60", "40", "300"], ["P1", "2025-12-31", "12", "CNY", "1", "1", "1", "0", "1"]])  # fmt: skip
    text = unescape(browser.get(address).content.decode())
    assert "new" in text
    assert "accounts of P1, not of this buyer" in text
    assert not entered()
    assert browser.post(f"{address}/enter", {}).status_code == 302
    (row,) = entered()
    assert row["total_assets"] == 100 * 10_000 * 100
    assert row["current_assets"] is None
    assert browser.post(f"{address}/enter", {}).status_code == 302, "pressed twice"
    assert StatementFile.objects.get().batch_id == row["source"]


def test_a_file_that_holds_no_accounts_says_so(signed_in, buyers):
    browser = signed_in("credit_analyst")
    address = upload(browser, [["hello"], ["world"]])
    answer = browser.get(address)
    assert answer.status_code == 200
    assert "no accounts that can be recognised" in unescape(answer.content.decode())
    assert browser.post(f"{address}/discard").status_code == 302
    assert not StatementFile.objects.exists()


def test_the_template_can_be_read_back(signed_in, buyers):
    answer = signed_in("credit_analyst").get("/buyers/P0/statements/template.csv")
    rows = list(csv.reader(answer.content.decode("utf-8-sig").splitlines()))
    assert rows[1][:3] == ["P0", "", "12"]
