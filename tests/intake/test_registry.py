"""What a customer list says from the register comes into the buyers' profiles; numbers that fail their check are told."""

from __future__ import annotations

import datetime as dt

import pytest

from duecourse.desk.opening import open_ledger
from duecourse.intake.importer import import_file
from duecourse.intake.registry import capital_in

CHINESE = """客户编号,客户名称,统一社会信用代码,企业类型,成立日期,注册资本,登记状态,法定代表人,实际控制人,国家
C1,宁波欣原机械设备有限公司,91330200100000016D,有限责任公司,2010-05-06,5000万元人民币,存续,王海,王海,中国
C2,佛山拓凯建材有限公司,914406001000003589,有限责任公司,2012-01-02,不详,吊销,李远,,中国
"""
ENGLISH = """Customer ID,Customer Name,VAT Number,LEI,Legal form,Date of incorporation,Share capital,Company status,Managing director,Country
D1,Hohenbach GmbH,DE136695976,5493001KJTIIGC8Y1R12,GmbH,2001-02-03,EUR 25.000,active,Eva Braun,DE
D2,Nordsee GmbH,DE136695977,5493001KJTIIGC8Y1R13,GmbH,2001-02-03,,active,Max Klein,DE
"""


def buyers(folder, text):
    ledger = open_ledger(folder / "ledger", create=True)
    path = folder / "customers.csv"
    path.write_text(text, encoding="utf-8")
    result = import_file(ledger, path)
    book = ledger.as_of(dt.date(2026, 1, 1))
    return {row["buyer_id"]: row for row in book.run(book.buyer).to_pylist()}, result


def test_a_chinese_customer_list(tmp_path):
    found, result = buyers(tmp_path, CHINESE)
    one = found["C1"]
    assert (one["registration_number"], one["legal_form"], one["founded_on"]) == ("91330200100000016D", "有限责任公司", dt.date(2010, 5, 6))
    assert (one["registered_capital_minor"], one["registered_capital_currency"]) == (5000 * 10_000 * 100, "CNY")
    assert (one["registry_status"], one["legal_representative"], one["owner_name"]) == ("存续", "王海", "王海")
    assert [(finding.code, finding.row) for finding in result.findings if finding.code.startswith(("number", "capital"))] == [
        ("number_check_digit", 3),
        ("capital_unreadable", 3),
    ]
    assert found["C2"]["registration_number"] == "914406001000003589", "taken as it is"


def test_an_english_customer_list(tmp_path):
    found, result = buyers(tmp_path, ENGLISH)
    one = found["D1"]
    assert (one["vat_number"], one["registration_number"], one["lei"]) == ("DE136695976", "DE136695976", "5493001KJTIIGC8Y1R12")
    assert (one["founded_on"], one["registered_capital_minor"], one["registered_capital_currency"]) == (
        dt.date(2001, 2, 3),
        25_000_00,
        "EUR",
    )
    assert {(finding.code, finding.value) for finding in result.findings if finding.code.startswith("number")} == {
        ("number_check_digit", "DE136695977"),
        ("number_check_digit", "5493001KJTIIGC8Y1R13"),
    }


@pytest.mark.parametrize(
    ("text", "heading", "capital"),
    [("5000万元人民币", "", (5_000_000_000, "CNY")), ("1.5亿元", "", (15_000_000_000, "CNY")), ("500", "注册资本(万元)", (500_000_000, "CNY")),
     ("USD 1,000,000.50", "", (100_000_050, "USD")), ("100万美元", "", (100_000_000, "USD")), ("EUR 25.000", "", (2_500_000, "EUR")), ("-", "", None), ("25.000", "Share capital", (2_500_000, None)),
     ("25.000", "Share capital (EUR)", (2_500_000, "EUR")), ("25.000", "Entrepreneur's capital", (2_500_000, None)), ("500万円", "", (5_000_000, "JPY")), ("500", "注册资本", (50_000, "CNY"))],
)  # fmt: skip
def test_capital_is_read_as_registers_write_it(text, heading, capital):
    assert capital_in(text, heading) == capital
