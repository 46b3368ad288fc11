"""Files and ledgers for the import tests."""

from __future__ import annotations

import csv
import datetime as dt

from duecourse.engines.duckdb import DuckDBEngine
from duecourse.ledger.store import Ledger

ENGINE = DuckDBEngine(threads=1)
LATE = dt.date(2099, 12, 31)


def new_ledger(folder):
    return Ledger.open(folder, engine=ENGINE, create=True)


def write_csv(path, rows, columns=None, delimiter=","):
    columns = columns or list(rows[0])
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(columns)
        writer.writerows([["" if row.get(name) is None else row[name] for name in columns] for row in rows])
    return path


def rows(ledger, table, on=LATE):
    book = ledger.as_of(on)
    return book.run(getattr(book, table)).to_pylist()


def invoices(ledger):
    return {(row["invoice_id"], row["instalment"]): row for row in rows(ledger, "invoice")}


def settlements(ledger):
    return {row["settlement_id"]: row for row in rows(ledger, "settlement")}


def balances(ledger, on):
    """Open balance by (invoice, instalment), and the sum of what is applied to no known invoice, as of a day."""
    open_ = {key: row["amount_minor"] for key, row in invoices(ledger).items() if row["issue_date"] <= on}
    unapplied = 0
    for row in rows(ledger, "settlement", on):
        key = (row["invoice_id"], row["instalment"])
        if row["invoice_id"] is not None and key in open_:
            open_[key] -= row["amount_minor"]
        else:
            unapplied += row["amount_minor"]
    return open_, unapplied


def codes(result):
    return [finding.code for finding in result.findings]
