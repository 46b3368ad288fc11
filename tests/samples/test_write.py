"""The economy in a ledger, its truth beside it, and its exports."""

from __future__ import annotations

import csv
from collections import defaultdict

import pyarrow.parquet as pq
import pytest
from python_calamine import CalamineWorkbook

from duecourse.ledger.store import Ledger
from duecourse.samples.economy import Economy, chunks, write
from duecourse.samples.exports import OPEN_ITEM_HEADINGS, write_exports
from support.ledgers import ENGINE

ECONOMY = Economy(invoices=3_000, buyers=60, seed=9)


@pytest.fixture
def ledger(tmp_path):
    return Ledger.open(tmp_path / "demo", engine=ENGINE, create=True)


def facts(name):
    return [row for chunk in chunks(ECONOMY) if name in chunk.facts for row in chunk.facts[name].to_pylist()]


def test_a_ledger_holds_the_economy_once(ledger):
    told = []
    first = write(ledger, ECONOMY, progress=told.append)
    again = write(ledger, ECONOMY)
    assert first.added["invoice"] == 3_000
    assert sum(again.added.values()) == sum(again.corrected.values()) == 0
    assert told == sorted(told)
    assert told[-1] == 1.0
    book = ledger.as_of(ECONOMY.until)
    assert book.base_currency == "CNY"
    assert book.run(book.invoice.aggregate(n=book.invoice.count(), s=book.invoice.amount_minor.sum())).to_pylist() == [
        {"n": 3_000, "s": sum(row["amount_minor"] for row in facts("invoice"))}
    ]


def test_the_truth_lies_beside_the_tables(ledger, tmp_path):
    write(ledger, ECONOMY)
    assert pq.read_table(tmp_path / "demo" / "truth" / "buyer.parquet").num_rows == 60
    assert pq.read_table(tmp_path / "demo" / "truth" / "buyer_month.parquet").num_rows == 60 * (60 + 12)
    assert pq.read_table(tmp_path / "demo" / "truth" / "future_settlement.parquet").num_rows > 0


def test_giving_up_leaves_nothing_behind(ledger, tmp_path):
    def give_up(share):
        raise KeyboardInterrupt

    version = ledger.version
    before = {path for path in (tmp_path / "demo").rglob("*") if path.suffix == ".parquet"}
    with pytest.raises(KeyboardInterrupt):
        write(ledger, ECONOMY, progress=give_up)
    ledger.refresh()
    assert ledger.version == version
    assert {path for path in (tmp_path / "demo").rglob("*") if path.suffix == ".parquet"} == before
    assert not [path for path in (tmp_path / "demo").iterdir() if "truth" in path.name]


def number(text, currency):
    minor = round(float(text.replace(",", "").rstrip("-")) * (1 if currency == "JPY" else 100))
    return -minor if text.endswith("-") else minor


def test_exports_leave_every_document_with_its_balance(tmp_path):
    files = write_exports(ECONOMY, tmp_path)
    balance = defaultdict(int)
    for row in facts("invoice"):
        balance[row["invoice_id"]] += row["amount_minor"]
    for row in facts("settlement"):
        if row["invoice_id"]:
            balance[row["invoice_id"]] -= row["amount_minor"]
    with files.line_items.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    exported, clearings = defaultdict(int), defaultdict(int)
    for row in rows:
        amount = number(row["Amount in Doc. Curr."], row["Document Currency"])
        if row["Clearing Document"]:
            clearings[row["Account"], row["Clearing Document"]] += amount
        if row["Document Type"] in ("RV", "DR"):
            exported[row["Document Number"]] += 0 if row["Clearing Document"] else amount
        elif row["Invoice Reference"]:
            exported[row["Invoice Reference"]] += amount
    assert dict(exported) == dict(balance)
    assert set(clearings.values()) == {0}
    assert len([row for row in rows if row["Document Type"] in ("RV", "DR")]) == 3_000

    sheet = CalamineWorkbook.from_path(str(files.open_items)).get_sheet_by_index(0).to_python()
    heading = sheet.index(next(row for row in sheet if row[0] == OPEN_ITEM_HEADINGS[0]))
    listed = defaultdict(int)
    for row in sheet[heading + 1 :]:
        listed[row[3]] += round(row[10] * (1 if row[8] == "JPY" else 100))
    assert dict(listed) == {document: left for document, left in balance.items() if left}
    assert f"截止日期：{ECONOMY.until}" in [cell for row in sheet[:heading] for cell in row]

    with files.customers.open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == 60
