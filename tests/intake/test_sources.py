"""Each system's export, as it leaves the system, is recognised and adds up to the totals it prints."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from duecourse.intake import dropped, lines_sql, open_file, understand
from duecourse.intake.sources import HELPERS, ROLES, sources
from support.workbooks import write_ods, write_xls, write_xlsb

FIXTURES = Path(__file__).parent / "fixtures"

# file, source, shape, rows, sum of amounts (None: the list has only open amounts), sum of open amounts, currencies, rows that are no lines
EXPORTS = [
    ("sap_fbl5n/einzelposten.txt", "sap_fbl5n", "transactions", 6, "1208500.00", None, {"EUR"}, {"subtotal": 3, "repeated_header": 1}),
    ("sap_fbl5n/bsid_bsad.csv", "sap_fbl5n", "transactions", 5, "250.10", None, {"EUR", "USD"}, {}),
    ("sap_fbl5n/客户行项目.xls", "sap_fbl5n", "transactions", 3, "91250.50", None, {"CNY"}, {}),
    ("erpnext/accounts_receivable.csv", "erpnext", "open_items", 4, "8880.25", "7500.00", {"USD"}, {"subtotal": 1}),
    ("erpnext/payment_entry.csv", "erpnext", "payments", 2, "1300.00", None, {"USD"}, {}),
    ("odoo/account_move.csv", "odoo", "transactions", 4, "29440.00", "25290.00", {"EUR"}, {}),
    ("odoo/发票.xlsx", "odoo", "transactions", 3, "76275.50", "60500.00", {"CNY"}, {}),
    ("netsuite/ARAgingDetail.csv", "netsuite", "open_items", 5, None, "15250.75", {"USD"}, {"subtotal": 3}),
    ("quickbooks/AR_Ageing_Detail.csv", "quickbooks", "open_items", 5, "2250.85", "1250.85", {None}, {"heading": 4, "subtotal": 4}),
    ("quickbooks/Transaction_List_by_Customer.csv", "quickbooks", "transactions", 4, "65.00", None, {None}, {"heading": 2}),
    ("xero/SalesInvoices-20250930.csv", "xero", "transactions", 4, "2165.05", "600.50", {"GBP"}, {}),
    ("business_central/CustomerLedgerEntries.csv", "business_central", "transactions", 4, "2168.96", "2168.96", {"EUR"}, {}),
    ("yonyou/应收明细账.csv", "yonyou", "transactions", 6, "111470.00", None, {"CNY"}, {"subtotal": 4}),
    ("kingdee/应收单列表.xlsx", "kingdee", "open_items", 4, "1304956.00", "804956.00", {"CNY"}, {"subtotal": 2}),
    ("highradius/dataset.csv", "highradius", "transactions", 4, "91876.77", None, {"USD", "CAD"}, {}),
    ("generic/ar.jsonl", "generic", "transactions", 2, "200.00", None, {"EUR"}, {}),
    ("generic/customers.csv", "generic", "buyers", 3, None, None, {None}, {}),
    ("generic/rates.csv", "generic", "rates", 3, None, None, {None}, {}),
    ("generic/disputes.csv", "generic", "disputes", 1, None, None, {"EUR"}, {}),
]


def lines(path: Path) -> tuple[object, list[dict[str, object]], dict[str, int]]:
    with open_file(path) as opened, duckdb.connect(config={"threads": 1}) as con:
        understanding = understand(opened)
        profile = understanding.require(str(path))
        opened.attach(con)
        return profile, con.sql(lines_sql(opened, profile)).to_arrow_table().to_pylist(), dropped(opened, profile, con)


@pytest.mark.parametrize(
    ("file", "source", "shape", "rows", "amount", "open_amount", "currencies", "gone"), EXPORTS, ids=[one[0] for one in EXPORTS]
)
def test_an_export_adds_up(file, source, shape, rows, amount, open_amount, currencies, gone):
    profile, found, left_out = lines(FIXTURES / file)
    assert (profile.source, profile.shape) == (source, shape)
    assert len(found) == rows
    assert {line["currency"] for line in found} == currencies
    for role, total in (("amount", amount), ("open_amount", open_amount)):
        values = [line[role] for line in found if line[role] is not None]
        assert (sum(values) if values else None) == (Decimal(total) if total else None), role
    assert not [line["bad"] for line in found if line["bad"]]
    assert left_out == gone
    assert all(line["document_kind"] for line in found) or not profile.has("document_type")
    assert profile.confidence >= 0.75


LIST = [
    ["发票号", "客户编码", "客户名称", "开票日期", "到期日", "金额", "币种"],
    ["FP-0001", "C001", "宁波照明有限公司", "2025-01-15", "2025-02-14", 1250.5, "CNY"],
    ["FP-0002", "C002", "Müller & Söhne", "2025-01-20", "2025-03-21", 99999.99, "CNY"],
]


@pytest.mark.parametrize(("ending", "write"), [(".ods", write_ods), (".xlsb", write_xlsb), (".xls", write_xls)])
def test_a_workbook_of_any_kind_adds_up(tmp_path, ending, write):
    write(tmp_path / f"应收{ending}", LIST)
    profile, found, _ = lines(tmp_path / f"应收{ending}")
    assert profile.shape == "transactions"
    assert [(line["document_id"], str(line["due_date"]), line["amount"]) for line in found] == [
        ("FP-0001", "2025-02-14", Decimal("1250.5")), ("FP-0002", "2025-03-21", Decimal("99999.99")),
    ]  # fmt: skip
    assert not [line["bad"] for line in found if line["bad"]]


def test_the_sap_list_keeps_signs_dates_and_line_numbers():
    _, found, _ = lines(FIXTURES / "sap_fbl5n/einzelposten.txt")
    first, payment = found[0], found[1]
    assert (first["row_no"], first["document_id"], str(first["due_date"]), first["amount"]) == (
        9,
        "1800004711",
        "2025-02-14",
        Decimal(12500),
    )
    assert (payment["amount"], payment["document_kind"], str(payment["settle_date"])) == (Decimal(-12500), "payment", "2025-02-20")


def test_the_technical_extract_is_signed_by_its_indicator():
    _, found, _ = lines(FIXTURES / "sap_fbl5n/bsid_bsad.csv")
    assert [line["amount"] for line in found] == [Decimal(value) for value in ("12500", "-12500", "1000", "-250", "-499.90")]
    assert found[0]["buyer_id"] == "0000100047"
    assert found[1]["due_date"] is None  # 00000000
    assert found[3]["applied_to"] == "1800004900"


def test_payments_without_a_minus_become_credits():
    _, found, _ = lines(FIXTURES / "quickbooks/Transaction_List_by_Customer.csv")
    assert [(line["buyer_name"], line["amount"]) for line in found] == [
        ("Amy's Bird Sanctuary", Decimal(459)),
        ("Amy's Bird Sanctuary", Decimal(-459)),
        ("Bill's Windsurf Shop", Decimal(85)),
        ("Bill's Windsurf Shop", Decimal(-20)),
    ]


def test_a_record_over_two_lines_does_not_shift_the_numbers_below():
    _, found, _ = lines(FIXTURES / "xero/SalesInvoices-20250930.csv")
    assert [line["row_no"] for line in found] == [2, 3, 5, 6]


def test_the_sheet_with_the_table_is_taken_and_its_rows_keep_their_numbers():
    profile, found, _ = lines(FIXTURES / "kingdee/应收单列表.xlsx")
    assert (profile.sheet, profile.unit_factor, str(profile.extract_date)) == ("应收单", 10000, "2025-09-30")
    assert [line["row_no"] for line in found] == [5, 6, 8, 9]
    assert found[0]["buyer_id"] == "00301"


def test_terms_are_read_from_their_wording():
    _, found, _ = lines(FIXTURES / "generic/customers.csv")
    assert [line["term_days"] for line in found] == [30, 45, 60]
    assert [line["buyer_name"] for line in found][2] == "Total Énergie Services"  # a name, not a total


def test_every_alias_file_names_known_roles_only():
    assert len(sources()) >= 12
    for source in sources().values():
        assert source.label_en and source.label_zh
        assert set(source.roles) <= set(ROLES) | set(HELPERS)


@pytest.mark.parametrize(
    ("name", "rows", "source", "shape"),
    [
        ("highradius/invoices_as_of_2019-10-31.csv.gz", 30086, "highradius", "transactions"),
        ("highradius/open_invoices_sample.csv.gz", 970, "highradius", "open_items"),
        ("ibm_ar/ibm_ar.csv.gz", 2466, "ibm_ar", "transactions"),
    ],
)
def test_real_receivables_are_read_whole(real_data, name, rows, source, shape):
    path = real_data(name)
    profile, found, left_out = lines(path)
    assert (profile.source, profile.shape, len(found), left_out) == (source, shape, rows, {})
    assert not any(line["bad"] for line in found)
    column = profile.column("amount")
    with duckdb.connect() as con:
        total = con.sql(f"SELECT sum(\"{column}\"::DECIMAL(18,2)) FROM read_csv('{path}', all_varchar = true)").fetchall()[0][0]
    assert sum(line["amount"] for line in found) == total
    assert [line["row_no"] for line in sorted(found, key=lambda line: line["row_no"])] == list(range(2, rows + 2))
