"""Real receivables come in with one command, and their counts and totals are those of an independent count by DuckDB."""

from __future__ import annotations

import datetime as dt

import duckdb
import pytest

from duecourse.intake.importer import Options, import_file
from support.importing import codes, new_ledger, rows

ON = dt.date(2019, 10, 31)


@pytest.fixture
def ledger(tmp_path):
    return new_ledger(tmp_path / "ledger")


def summed(ledger, on, table="invoice"):
    found = {}
    for row in rows(ledger, table, on):
        count, amount = found.get(row["currency"], (0, 0))
        found[row["currency"]] = (count + 1, amount + row["amount_minor"])
    return found


def test_the_invoices_of_2019_as_of_their_day(ledger, real_data):
    path = real_data("highradius/invoices_as_of_2019-10-31.csv.gz")
    result = import_file(ledger, path)
    truth = duckdb.sql(
        f"""SELECT coalesce(currency, 'XXX'), count(*), sum(round(amount * 100))::BIGINT,
            count(clear_date), coalesce(sum(round(amount * 100)) FILTER (clear_date IS NOT NULL), 0)::BIGINT
        FROM read_csv('{path}', types={{'cust_number': 'VARCHAR'}}) GROUP BY 1"""
    ).fetchall()
    assert (result.read, result.quarantined) == (30086, 0)
    assert summed(ledger, ON) == {currency: (count, amount) for currency, count, amount, _, _ in truth}
    assert summed(ledger, ON, "settlement") == {currency: (count, amount) for currency, _, _, count, amount in truth}
    assert {"issue_dates_estimated", "currency_absent"} <= set(codes(result))
    for day in (dt.date(2019, 1, 31), dt.date(2019, 6, 30), ON):
        paid = duckdb.sql(f"SELECT sum(round(amount * 100))::BIGINT FROM read_csv('{path}') WHERE clear_date <= DATE '{day}'").fetchall()[
            0
        ][0]
        assert sum(amount for _, amount in summed(ledger, day, "settlement").values()) == paid
    invoices = rows(ledger, "invoice")
    assert all(row["issue_date"] <= row["due_date"] or row["issue_date"] <= ON for row in invoices)
    assert import_file(ledger, path).known_as == result.batch_id


def test_the_open_invoices_of_2020(ledger, real_data):
    path = real_data("highradius/open_invoices_sample.csv.gz")
    result = import_file(ledger, path)
    truth = duckdb.sql(
        f"SELECT invoice_currency, count(*), sum(round(total_open_amount * 100))::BIGINT FROM read_csv('{path}') GROUP BY 1"
    ).fetchall()
    assert result.read == 970
    assert summed(ledger, dt.date(2030, 1, 1)) == {currency: (count, amount) for currency, count, amount in truth}
    assert (
        len(rows(ledger, "buyer"))
        == duckdb.sql(f"SELECT count(DISTINCT cust_number) FROM read_csv('{path}', all_varchar=true)").fetchall()[0][0]
    )


def test_both_files_of_the_firm_in_one_ledger(ledger, real_data):
    import_file(ledger, real_data("highradius/invoices_as_of_2019-10-31.csv.gz"))
    import_file(ledger, real_data("highradius/open_invoices_sample.csv.gz"))
    assert len(rows(ledger, "invoice")) == 30086 + 970


def test_the_demonstration_file_with_disputes(ledger, real_data):
    path = real_data("ibm_ar/ibm_ar.csv.gz")
    result = import_file(ledger, path, Options(currency="USD"))
    count, amount, disputed, late = duckdb.sql(
        f"""SELECT count(*), sum(round(InvoiceAmount * 100))::BIGINT, count(*) FILTER (Disputed::VARCHAR IN ('Yes', 'true')), sum(DaysToSettle)
        FROM read_csv('{path}')"""
    ).fetchall()[0]
    assert (result.read, result.quarantined) == (count, 0)
    assert summed(ledger, dt.date(2030, 1, 1)) == {"USD": (count, amount)}
    assert len(rows(ledger, "dispute")) == disputed
    issued = {row["invoice_id"]: row["issue_date"] for row in rows(ledger, "invoice")}
    assert sum((row["settle_date"] - issued[row["invoice_id"]]).days for row in rows(ledger, "settlement")) == late
    assert len(rows(ledger, "buyer")) == 100
