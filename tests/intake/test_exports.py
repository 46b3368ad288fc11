"""Each system's export goes all the way into the ledger, and the balance comes out as the system states it."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from duecourse.intake.importer import Options, import_file
from support.importing import balances, new_ledger, rows

FIXTURES = Path(__file__).parent / "fixtures"
LATE = dt.date(2026, 1, 1)

# file, options, outstanding less unapplied credits at the end, in minor units
EXPORTS = [
    ("sap_fbl5n/einzelposten.txt", {}, 120850000),
    ("sap_fbl5n/bsid_bsad.csv", {}, 25010),
    ("erpnext/accounts_receivable.csv", {}, 750000),
    ("odoo/account_move.csv", {}, 2529000),
    ("netsuite/ARAgingDetail.csv", {}, 1525075),
    ("quickbooks/AR_Ageing_Detail.csv", {"currency": "USD"}, 125085),
    ("quickbooks/Transaction_List_by_Customer.csv", {"currency": "USD"}, 6500),
    ("xero/SalesInvoices-20250930.csv", {}, 60050),
    ("business_central/CustomerLedgerEntries.csv", {}, 216896),
    ("yonyou/应收明细账.csv", {}, 11147000),
    ("kingdee/应收单列表.xlsx", {}, 80495600),
]


@pytest.mark.parametrize(("file", "options", "net"), EXPORTS, ids=[one[0] for one in EXPORTS])
def test_the_balance_is_the_systems_own(tmp_path, file, options, net):
    ledger = new_ledger(tmp_path / "ledger")
    result = import_file(ledger, FIXTURES / file, Options(**options))
    assert result.quarantined == 0, [finding.message() for finding in result.findings]
    open_, unapplied = balances(ledger, LATE)
    assert sum(open_.values()) - unapplied == net
    assert all(row["amount_minor"] > 0 for row in rows(ledger, "invoice"))
    again = import_file(ledger, FIXTURES / file, Options(**options))
    assert again.batch_id == ""


def test_payments_of_one_system_meet_its_invoices(tmp_path):
    ledger = new_ledger(tmp_path / "ledger")
    import_file(ledger, FIXTURES / "erpnext/accounts_receivable.csv", Options(snapshot_date=dt.date(2025, 3, 31)))
    import_file(ledger, FIXTURES / "erpnext/payment_entry.csv")
    open_, unapplied = balances(ledger, dt.date(2025, 3, 31))
    assert sum(open_.values()) - unapplied == 750000


@pytest.mark.parametrize(
    ("file", "table", "count"), [("customers.csv", "buyer", 3), ("rates.csv", "exchange_rate", 3), ("disputes.csv", "dispute", 1)]
)
def test_lists_of_other_things_come_in(tmp_path, file, table, count):
    ledger = new_ledger(tmp_path / "ledger")
    result = import_file(ledger, FIXTURES / "generic" / file)
    assert result.quarantined == 0
    assert len(rows(ledger, table)) == count
