"""Accounts as firms write them come in whole, in the right unit, or are refused by name."""

from __future__ import annotations

import csv
import datetime as dt

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from duecourse.desk.opening import open_ledger
from duecourse.errors import BuyerMissingError, StatementsUnreadableError
from duecourse.intake.statements import StatementOptions, import_statements, read_statements
from duecourse.intake.statements.labels import day_in, months_in, number, unit_in

CHINESE = [
    ["资产负债表"], ["编制单位：宁波某机械有限公司", "", "2025年12月31日", "", "", "单位：万元"], ["资产", "期末余额", "年初余额", "负债和所有者权益", "期末余额", "年初余额"],
    ["流动资产：", "", "", "流动负债：", "", ""], ["货币资金", "1,200.50", "980", "短期借款", "2,000", "1,500"], ["应收票据", "300", "200", "应付票据", "400", "300"],
    ["应收账款", "2,500", "2,100", "应付账款", "1,800", "1,500"], ["存货", "1,900", "1,700", "流动负债合计", "5,000", "4,200"],
    ["流动资产合计", "6,500", "5,600", "长期借款", "1,000", "1,000"], ["固定资产", "4,000", "3,900", "负债合计", "6,200", "5,400"], ["", "", "", "盈余公积", "300", "280"],
    ["", "", "", "未分配利润", "1,500", "1,320"], ["", "", "", "所有者权益合计", "4,300", "4,100"], ["资产总计", "10,500", "9,500", "负债和所有者权益总计", "10,500", "9,500"],
    [], ["利润表"], ["项目", "本期金额", "上期金额"], ["一、营业收入", "12,000", "10,500"], ["减：营业成本", "9,600", "8,300"], ["财务费用", "180", "150"],
    ["其中：利息费用", "170", "140"], ["三、利润总额（亏损总额以“－”号填列）", "320", "410"], ["四、净利润（净亏损以“－”号填列）", "240", "310"],
    [], ["现金流量表"], ["项目", "本期金额", "上期金额"], ["经营活动产生的现金流量净额", "(150)", "200"],
]  # fmt: skip
ENGLISH = [
    ["Consolidated balance sheets"], ["(in thousands of US$, except per share data)"], ["", "December 31, 2025", "December 31, 2024"], ["Cash and cash equivalents", "120", "98"],
    ["Accounts receivable, net", "250", "210"], ["Inventories, net", "190", "170"], ["Total current assets", "650", "560"], ["Total assets", "1,050", "950"],
    ["Total current liabilities", "500", "420"], ["Long-term debt", "100", "100"], ["Total liabilities", "620", "540"], ["Retained earnings (accumulated deficit)", "(180)", "160"],
    ["Total stockholders' equity", "430", "410"], ["Consolidated statements of operations, years ended December 31"], ["", "December 31, 2025", "December 31, 2024"],
    ["Net sales", "1,200", "1,050"], ["Cost of sales", "960", "830"], ["Operating income (loss)", "49", "55"], ["Interest expense", "17", "14"], ["Net income (loss)", "(24)", "31"],
]  # fmt: skip


def written(folder, rows, name="accounts.csv", encoding="utf-8"):
    path = folder / name
    with path.open("w", newline="", encoding=encoding) as stream:
        csv.writer(stream).writerows(rows)
    return path


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030"])
def test_a_chinese_sheet_with_two_sides_and_two_periods(tmp_path, encoding):
    read = read_statements(written(tmp_path, CHINESE, encoding=encoding), StatementOptions(buyer_id="b1"))
    now, before = read.rows
    assert (now["period_end"], before["period_end"]) == (dt.date(2025, 12, 31), dt.date(2024, 12, 31))
    assert now["period_months"] == 12
    assert now["currency"] == "CNY"
    wan = 10_000 * 100
    assert now["cash"] == 1_200.5 * wan
    assert now["trade_receivables"] == (300 + 2_500) * wan, "bills and accounts together"
    assert now["retained_earnings"] == 1_800 * wan, "surplus and undistributed profit together"
    assert now["total_assets"] == 10_500 * wan
    assert before["total_assets"] == 9_500 * wan
    assert now["operating_profit"] == (320 + 170) * wan, "EBIT is 利润总额 plus interest, not 营业利润"
    assert now["operating_cash_flow"] == -150 * wan
    assert now["published_on"] == dt.date(2025, 12, 31) + dt.timedelta(days=120)
    assert now["published_on_estimated"]


def test_an_english_sheet_in_thousands(tmp_path):
    read = read_statements(written(tmp_path, ENGLISH), StatementOptions(buyer_id="b1"))
    now = read.rows[0]
    assert now["currency"] == "USD"
    assert now["total_assets"] == 1_050_000 * 100
    assert now["retained_earnings"] == -180_000 * 100
    assert now["net_income"] == -24_000 * 100
    assert now["operating_profit"] == 49_000 * 100
    assert now["consolidated"] is True


def test_a_workbook_with_a_sheet_per_statement(tmp_path):
    path = tmp_path / "accounts.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        for name, start, end in (("资产负债表", 0, 14), ("利润表", 15, 23), ("现金流量表", 24, 27)):
            sheet = book.add_worksheet(name)
            for number_, row in enumerate(CHINESE[start:end]):
                for column, cell in enumerate(row):
                    sheet.write(number_, column, cell)
    read = read_statements(path, StatementOptions(buyer_id="b1"))
    assert len(read.rows) == 2
    assert read.rows[0]["revenue"] == 12_000 * 1_000_000
    assert not read.findings or {finding.code for finding in read.findings} == {"statement_lines_missing"}


TABLE = ["buyer", "period end", "months", "currency", "unit", "total assets", "total liabilities", "total equity", "revenue", "net income"]


def test_a_table_of_many_buyers_goes_into_the_ledger_once(tmp_path):
    rows = [
        ["b1", "2025-12-31", "12", "EUR", "1000", "900", "500", "400", "1500", "-30"],
        ["b2", "30/06/2025", "12", "JPY", "1", "90", "50", "40", "150", "3"],
        ["b3", "05/06/2025", "12", "JPY", "1", "90", "50", "40", "150", "3"],
    ]
    ledger = open_ledger(tmp_path / "ledger", create=True)
    read = read_statements(written(tmp_path, [TABLE, *rows]), ledger=ledger)
    found = {row["buyer_id"]: row for row in read.rows}
    assert found["b1"]["total_assets"] == 900_000 * 100
    assert found["b2"]["period_end"] == dt.date(2025, 6, 30)
    assert found["b2"]["total_assets"] == 90, "the yen has no minor unit"
    assert "b3" not in found, "the fifth of June or the sixth of May: not guessed"
    assert any(finding.code == "statement_without_period" for finding in read.findings)
    assert import_statements(ledger, read).added["statement"] == 2
    assert import_statements(ledger, read).unchanged["statement"] == 2


def test_a_restatement_is_new_knowledge_and_the_old_stays_known(tmp_path):
    ledger = open_ledger(tmp_path / "ledger", create=True)
    row = ["b1", "2025-12-31", "12", "EUR", "1", "900", "500", "400", "1500", "30"]
    first = import_statements(ledger, read_statements(written(tmp_path, [TABLE, row], "one.csv")))
    moment = ledger.journal()[-1].recorded_at
    assert first.added["statement"] == 1
    again = import_statements(ledger, read_statements(written(tmp_path, [TABLE, [*row[:-1], "-70"]], "two.csv")))
    assert again.corrected["statement"] == 1
    for known_at, income in ((moment, 3_000), (None, -7_000)):
        book = ledger.as_of(dt.date(2026, 12, 31), known_at)
        assert book.run(book.statement).to_pylist()[0]["net_income"] == income


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"total equity": "100"}, "statement_unbalanced"),
        ({"revenue": "-5"}, "statement_sign"),
        ({"total equity": "-100", "total liabilities": "1000"}, "statement_negative_equity"),
        ({"months": ""}, "statement_length_unknown"),
        ({"currency": ""}, "statement_without_currency"),
        ({"period end": ""}, "statement_without_period"),
        ({"unit": ""}, "statement_unit_assumed"),
    ],
)
def test_what_is_doubtful_is_said(tmp_path, change, code):
    row = dict(zip(TABLE, ["b1", "2025-12-31", "12", "EUR", "1", "900", "500", "400", "1500", "30"], strict=True)) | change
    read = read_statements(written(tmp_path, [TABLE, list(row.values())]))
    assert code in {finding.code for finding in read.findings}
    for finding in read.findings:
        assert finding.message("en")
        assert finding.message("zh")
    assert len(read.rows) == (0 if code in {"statement_length_unknown", "statement_without_currency", "statement_without_period"} else 1)


def test_a_wrong_unit_shows_against_the_year_before(tmp_path):
    ledger = open_ledger(tmp_path / "ledger", create=True)
    row = ["b1", "2024-12-31", "12", "EUR", "1000", "900", "500", "400", "1500", "30"]
    import_statements(ledger, read_statements(written(tmp_path, [TABLE, row], "one.csv")))
    read = read_statements(written(tmp_path, [TABLE, ["b1", "2025-12-31", "12", "EUR", "1", *row[5:]]], "two.csv"), ledger=ledger)
    assert "statement_jump" in {finding.code for finding in read.findings}


def test_it_says_whose_and_what_is_missing(tmp_path):
    with pytest.raises(BuyerMissingError):
        read_statements(written(tmp_path, CHINESE))
    with pytest.raises(StatementsUnreadableError):
        read_statements(written(tmp_path, [["date", "amount"], ["2025-01-01", "5"]]), StatementOptions(buyer_id="b"))


@pytest.mark.parametrize(
    ("text", "day", "months"),
    [
        ("2024年12月31日", dt.date(2024, 12, 31), None), ("2024年1-9月", dt.date(2024, 9, 30), 9), ("2024年度", dt.date(2024, 12, 31), 12),
        ("FY2024", dt.date(2024, 12, 31), None), ("June 30, 2025", dt.date(2025, 6, 30), None), ("2024年第三季度", dt.date(2024, 9, 30), 9),
        ("Year ended 31 March 2025", dt.date(2025, 3, 31), 12), ("nothing", None, None),
    ],
)  # fmt: skip
def test_days_and_lengths_in_headings(text, day, months):
    assert day_in(text) == day
    assert months_in(text) == months


def test_units():
    assert unit_in("单位：万元") == 10_000
    assert unit_in("人民币百万元 单位:百万元") == 1_000_000
    assert unit_in("(in thousands)") == 1_000
    assert unit_in("RMB’000") == 1_000
    assert unit_in("nothing said") is None


@given(st.integers(-(10**12), 10**12))
def test_figures_read_as_they_were_written(value):
    assert number(f"{value:,}") == value
    assert number(f"({abs(value):,})") == -abs(value)
    assert number("") is None
    assert number("—") is None
