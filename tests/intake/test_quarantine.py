"""Bad rows wait with their reason, go out, come back corrected."""

from __future__ import annotations

import csv

import pytest
from openpyxl import load_workbook

from duecourse.errors import ColumnsUnrecognisedError
from duecourse.intake.importer import Options, import_file
from duecourse.intake.mending import fix
from duecourse.intake.quarantine import export_quarantine, waiting
from support.importing import invoices, new_ledger, rows, write_csv


@pytest.fixture
def ledger(tmp_path):
    return new_ledger(tmp_path / "ledger")


GOOD = {
    "Invoice number": "A", "Customer number": "C1", "Invoice date": "2025-01-10", "Due date": "2025-02-09", "Amount": "100.00", "Currency": "EUR",
}  # fmt: skip
FAULTS = [
    ({"Due date": "2025-02-31"}, "date_unreadable", "Due date", "2025-02-31"),
    ({"Amount": "a lot"}, "amount_unreadable", "Amount", "a lot"),
    ({"Amount": ""}, "amount_missing", "Amount", ""),
    ({"Amount": "10.005"}, "amount_inexact", "Amount", "10.005"),
    ({"Currency": "QQQ"}, "currency_invalid", "Currency", "QQQ"),
    ({"Customer number": ""}, "buyer_missing", "Customer number", ""),
    ({"Invoice number": ""}, "document_id_missing", "Invoice number", ""),
    ({"Due date": "1899-12-31"}, "date_implausible", "Due date", "1899-12-31"),
    ({"Due date": "2525-02-09"}, "date_implausible", "Due date", "2525-02-09"),
    ({"Due date": ""}, "due_date_missing", "Due date", ""),
]


def file_with(tmp_path, *changes, name="list.csv", filler=30):
    good = [{**GOOD, "Invoice number": f"F{n}"} for n in range(filler)]
    return write_csv(tmp_path / name, [*good, *({**GOOD, "Invoice number": f"B{n}", **change} for n, change in enumerate(changes))])


@pytest.mark.parametrize(("change", "code", "column", "value"), FAULTS, ids=[f"{fault[1]}-{fault[3]}" for fault in FAULTS])
def test_each_fault_is_told_with_row_column_and_value(ledger, tmp_path, change, code, column, value):
    result = import_file(ledger, file_with(tmp_path, change))
    (row,) = waiting(ledger)
    assert (row.file_row, row.finding.code, row.finding.column) == (32, code, column)
    assert row.finding.value == value or code == "date_unreadable"
    assert row.cells["Customer number"] == change.get("Customer number", "C1")
    assert (result.quarantined, result.added["invoice"]) == (1, 30)
    for language in ("en", "zh"):
        assert "32" in row.finding.message(language)


def test_noise_of_floating_point_is_no_fault(ledger, tmp_path):
    result = import_file(ledger, file_with(tmp_path, {"Amount": "100.0000001"}))
    assert result.quarantined == 0
    assert invoices(ledger)["B0", 1]["amount_minor"] == 10000


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_corrected_rows_come_back_as_rows_of_their_file(ledger, tmp_path, suffix):
    result = import_file(ledger, file_with(tmp_path, {"Due date": "2025-02-31"}, {"Amount": "a lot"}, {"Currency": "QQQ"}))
    out = tmp_path / f"out.{suffix}"
    assert export_quarantine(ledger, result.batch_id, out) == 3
    if suffix == "csv":
        with out.open(encoding="utf-8-sig", newline="") as file:
            table = list(csv.reader(file))
    else:
        table = [["" if cell is None else str(cell) for cell in row] for row in load_workbook(out).active.iter_rows(values_only=True)]
    header, *body = table
    body[0][header.index("Due date")] = "2025-02-28"
    body[1][header.index("Amount")] = "77.00"
    back = tmp_path / "back.csv"
    with back.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *body])
    (fixed,) = fix(ledger, back)
    assert (fixed.added["invoice"], fixed.quarantined) == (2, 1)
    assert invoices(ledger)["B1", 1]["amount_minor"] == 7700
    assert invoices(ledger)["B1", 1]["source_row"] == 33
    assert [(row.file_row, row.finding.code) for row in waiting(ledger)] == [(34, "currency_invalid")]
    assert {row["fixed_by"] for row in rows(ledger, "quarantine")} == {None, fixed.batch_id}
    assert ledger.journal()[-1].file_name == "list.csv"


def test_a_row_that_is_still_a_duplicate_stays(ledger, tmp_path):
    import_file(ledger, file_with(tmp_path, {"Invoice number": "F3", "Amount": "5.00"}))
    out = tmp_path / "out.csv"
    assert export_quarantine(ledger, None, out) == 1
    assert [row.finding.code for row in waiting(ledger)] == ["duplicate_key"]
    fix(ledger, out)
    assert invoices(ledger)["F3", 1]["amount_minor"] == 10000
    assert [row.finding.code for row in waiting(ledger)] == ["duplicate_key"]


def test_a_file_that_is_no_quarantine_export_is_refused(ledger, tmp_path):
    with pytest.raises(ColumnsUnrecognisedError, match="_file_row"):
        fix(ledger, write_csv(tmp_path / "a.csv", [GOOD]))


def test_rows_of_an_open_item_list_come_back_to_their_list(ledger, tmp_path):
    lines = [{**{k: v for k, v in GOOD.items() if k != "Amount"}, "Invoice number": f"F{n}", "Open amount": "10.00"} for n in range(3)]
    lines[1]["Due date"] = "2025-13-01"
    import_file(ledger, write_csv(tmp_path / "open 2025-01-31.csv", lines), Options(shape="open_items"))
    out = tmp_path / "out.csv"
    export_quarantine(ledger, None, out)
    out.write_text(out.read_text(encoding="utf-8-sig").replace("2025-13-01", "2025-03-01"), encoding="utf-8")
    fix(ledger, out)
    assert len(invoices(ledger)) == 3
    assert waiting(ledger) == []
    assert {str(row["snapshot_date"]) for row in rows(ledger, "open_item")} == {"2025-01-31"}
