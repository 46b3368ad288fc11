"""An empty table from the program, filled in, is read again by the import it is for, in either language."""

from __future__ import annotations

import csv
import datetime as dt
import json

import openpyxl
import pytest

from duecourse.cli import main
from duecourse.desk.opening import open_ledger
from duecourse.messages import use_language

BUYERS = "Customer ID,Customer Name,Country\nC1,Hohenbach GmbH,DE\n"
FILLED = {
    "limits": {
        0: "L1", 1: "C1", 2: {"en": "insurer", "zh": "保险额度"}, 3: "125,000.50", 4: "EUR", 5: "2026-01-01", 6: "2026-12-31", 7: "2026-11-30", 8: "60", 10: "P7",
        11: "as agreed",
    },
    "signals": {0: "C1", 1: {"en": "lawsuit", "zh": "被诉"}, 2: {"en": "red", "zh": "红"}, 3: "2026-03-01", 8: "1000", 9: "EUR", 10: "Court", 11: "7 O 12/26", 12: "sued"},
}  # fmt: skip


@pytest.fixture
def ledger(tmp_path, capsys):
    place = tmp_path / "ledger"
    (tmp_path / "customers.csv").write_text(BUYERS, encoding="utf-8")
    assert main(["--ledger", str(place), "import", "-y", str(tmp_path / "customers.csv")]) == 0
    capsys.readouterr()
    yield place
    use_language("en")


def filled(path, kind, language):
    values = {place: value[language] if isinstance(value, dict) else value for place, value in FILLED[kind].items()}
    if path.suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = next(csv.reader(file))
        row = [values.get(place, "") for place in range(len(header))]
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file).writerows([header, row])
    else:
        book = openpyxl.load_workbook(path)
        sheet = book.active
        last = sheet.max_row
        for place, value in values.items():
            sheet.cell(last + 1, place + 1, value)
        book.save(path)


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_limits(ledger, tmp_path, capsys, language, form):
    path = tmp_path / f"limits.{form}"
    assert main(["--lang", language, "import", "--limits-form", str(path)]) == 0
    filled(path, "limits", language)
    assert main(["--ledger", str(ledger), "--format", "json", "import", "-y", str(path)]) == 0
    done = json.loads(capsys.readouterr().out)["imports"][0]
    assert (done["shape"], done["added_by_table"]["limit"]) == ("limits", 1)
    book = open_ledger(ledger).as_of(dt.date(2026, 6, 1))
    row = book.run(book.limit).to_pylist()[0]
    assert (row["limit_id"], row["kind"], row["buyer_id"], row["amount_minor"], row["currency"]) == (
        "L1",
        "insurer",
        "C1",
        12_500_050,
        "EUR",
    )
    assert (str(row["valid_from"]), str(row["valid_to"]), str(row["review_on"]), row["payment_terms_days"]) == (
        "2026-01-01", "2026-12-31", "2026-11-30", 60,
    )  # fmt: skip
    assert row["text"] == "P7 · as agreed"


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_signals(ledger, tmp_path, capsys, language, form):
    path = tmp_path / f"signals.{form}"
    assert main(["--lang", language, "signals", "--template", str(path)]) == 0
    filled(path, "signals", language)
    assert main(["--ledger", str(ledger), "--format", "json", "signals", str(path)]) == 0
    row = json.loads(capsys.readouterr().out)["signals"][0]
    assert (row["buyer_id"], row["published_on"], row["provider"], row["reference"], row["text"]) == (
        "C1",
        "2026-03-01",
        "Court",
        "7 O 12/26",
        "sued",
    )


@pytest.mark.parametrize("words", [["import"], ["signals"], ["statements"]])
def test_a_command_without_a_file_says_what_it_needs(words, capsys):
    assert main(["--lang", "en", *words]) == 2
    assert capsys.readouterr().err
