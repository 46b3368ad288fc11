"""The command line as people use it: files in, answers out, exit codes, both languages."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from duecourse.cli import hoisted, language_of, main

CSV = """Document Number,Customer,Customer Name,Document Date,Due Date,Amount,Currency,Clearing Date
1900001,0001000,Ningbo Machinery 宁波机械,2025-01-10,2025-02-09,"1,000.00",CNY,2025-02-20
1900002,0001000,Ningbo Machinery 宁波机械,2025-02-10,2025-03-12,"2,500.50",CNY,
1900003,0002000,Lyon Outillage,2025-02-15,2025-04-16,300.00,EUR,
1900004,0002000,Lyon Outillage,2025-02-30,2025-04-16,300.00,EUR,
"""


@pytest.fixture
def export(tmp_path):
    path = tmp_path / "receivables.csv"
    path.write_text(CSV, encoding="utf-8")
    return path


@pytest.fixture
def ledger(tmp_path, export, capsys):
    place = str(tmp_path / "ledger")
    assert main(["--ledger", place, "import", str(export)]) == 1  # one row has no such day
    capsys.readouterr()
    return place


def answer(capsys, *words):
    assert main(list(words)) == 0
    return capsys.readouterr().out


def test_options_may_stand_before_or_after_the_command():
    assert hoisted(["kpi", "--as-of", "2025-01-01", "--worst", "3", "--format=json", "--ledger", "x"]) == [
        "--as-of", "2025-01-01", "--format=json", "--ledger", "x", "kpi", "--worst", "3",
    ]  # fmt: skip
    assert hoisted(["import", "--", "--ledger"]) == ["import", "--", "--ledger"]


def test_the_language_comes_from_the_option_then_the_environment():
    assert language_of(["kpi", "--lang", "zh"], {"LANG": "en_US.UTF-8"}) == "zh"
    assert language_of([], {"LANG": "zh_CN.UTF-8"}) == "zh"
    assert language_of([], {"LANG": "zh_CN.UTF-8", "DUECOURSE_LANG": "en"}) == "en"
    assert language_of([], {}) == "en"


def test_kpi_and_ageing_give_machines_decimal_strings_per_currency(ledger, capsys):
    for command in ("kpi", "ageing"):
        data = json.loads(answer(capsys, "--ledger", ledger, command, "--as-of", "2025-03-31", "--format", "json"))
        assert data["as_of"] == "2025-03-31"
        assert set(data["currencies"]) == {"CNY", "EUR"}
        cny, eur = data["currencies"]["CNY"], data["currencies"]["EUR"]
        assert (cny["outstanding"], cny["overdue"], eur["outstanding"], eur["overdue"]) == ("2500.50", "2500.50", "300.00", "0.00")
        for one in (cny, eur):
            assert sum(Decimal(amount) for amount in one["buckets"].values()) == Decimal(one["outstanding"])
        assert cny["buckets"]["days_1_30"] == "2500.50"
        assert list(cny["buckets"]) == ["not_due", "days_1_30", "days_31_60", "days_61_90", "days_91_180", "days_181_365", "days_over_365"]


def test_a_past_day_shows_what_was_owed_then(ledger, capsys):
    data = json.loads(answer(capsys, "--ledger", ledger, "ageing", "--as-of", "2025-02-15", "--format", "json"))
    assert data["currencies"]["CNY"]["outstanding"] == "3500.50"
    assert data["currencies"]["CNY"]["overdue"] == "1000.00"


def test_the_default_day_is_the_last_the_ledger_speaks_of(ledger, capsys):
    assert json.loads(answer(capsys, "--ledger", ledger, "ageing", "--format", "json"))["as_of"] == "2025-02-20"


def test_the_same_file_twice_adds_nothing(ledger, export, capsys):
    before = json.loads(answer(capsys, "--ledger", ledger, "history", "--format", "json"))
    main(["--ledger", ledger, "import", str(export), "--format", "json"])
    result = json.loads(capsys.readouterr().out)
    assert result["imports"][0]["known_before"]
    assert json.loads(answer(capsys, "--ledger", ledger, "history", "--format", "json")) == before


def test_a_refused_row_can_be_mended_and_brought_back(ledger, tmp_path, capsys):
    assert main(["--ledger", ledger, "quarantine", "--format", "json"]) == 1
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [(row["row"], row["column"], row["value"]) for row in rows] == [(5, "Document Date", "2025-02-30")]
    bad = tmp_path / "bad.csv"
    assert main(["--ledger", ledger, "quarantine", "--output", str(bad)]) == 1
    capsys.readouterr()
    bad.write_text(bad.read_text(encoding="utf-8-sig").replace("2025-02-30", "2025-02-28"), encoding="utf-8")
    assert main(["--ledger", ledger, "import", "--fix", str(bad)]) == 0
    capsys.readouterr()
    assert main(["--ledger", ledger, "quarantine"]) == 0
    capsys.readouterr()
    data = json.loads(answer(capsys, "--ledger", ledger, "ageing", "--as-of", "2025-03-31", "--format", "json"))
    assert data["currencies"]["EUR"]["outstanding"] == "600.00"


def test_one_buyer_by_number_without_zeros_or_part_of_a_name(ledger, capsys):
    for wanted in ("0001000", "1000", "宁波", "NINGBO"):
        data = json.loads(answer(capsys, "--ledger", ledger, "buyer", wanted, "--as-of", "2025-03-31", "--format", "json"))
        assert data["buyer_id"] == "0001000"
        assert data["figures"][0]["outstanding"] == "2500.50"
        assert len(data["invoices"]) == 2
    assert main(["--ledger", ledger, "buyer", "o"]) == 2
    assert "2 buyers match" in capsys.readouterr().err
    assert main(["--ledger", ledger, "buyer", "nobody", "--lang", "zh"]) == 2
    assert "没有编号为 nobody 的买方" in capsys.readouterr().err


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize(
    "command", ["kpi", "ageing", "buyers", "trend", "history", "settings", "export", "ageing --per buyer_id", "buyer 0002000"]
)
def test_every_question_answers_in_every_form(ledger, command, lang, capsys, tmp_path):
    words = ["--ledger", ledger, "--as-of", "2025-03-31", "--lang", lang, *command.split()]
    assert answer(capsys, *words).strip()
    json.loads(answer(capsys, *words, "--format", "json"))
    rows = list(csv.reader(io.StringIO(answer(capsys, *words, "--format", "csv"))))
    assert len({len(row) for row in rows}) == 1
    assert len(rows) >= 2
    book = tmp_path / "answer.xlsx"
    answer(capsys, *words, "--format", "xlsx", "--output", str(book))
    sheet = CalamineWorkbook.from_path(str(book)).get_sheet_by_index(0).to_python()
    assert len(sheet) == len(rows) if command not in ("kpi", "buyer 0002000") else sheet


def test_check_names_file_and_line_and_exits_with_one(ledger, capsys):
    assert main(["--ledger", ledger, "check", "--as-of", "2025-12-31"]) in (0, 1)
    capsys.readouterr()
    data_code = main(["--ledger", ledger, "check", "--format", "json"])
    data = json.loads(capsys.readouterr().out)
    assert data_code == (1 if data["counts"] else 0)


def test_base_currency_adds_up_with_rates(ledger, tmp_path, capsys):
    rates = tmp_path / "rates.csv"
    rates.write_text("date,from,to,rate\n2025-03-28,EUR,CNY,7.85\n", encoding="utf-8")
    assert main(["--ledger", ledger, "settings", "base_currency=cny"]) == 0
    capsys.readouterr()
    data = json.loads(answer(capsys, "--ledger", ledger, "ageing", "--as-of", "2025-03-31", "--format", "json"))
    assert data["not_converted"] == ["EUR"]
    assert main(["--ledger", ledger, "import", str(rates)]) == 0
    capsys.readouterr()
    data = json.loads(answer(capsys, "--ledger", ledger, "kpi", "--as-of", "2025-03-31", "--format", "json"))
    assert data["base"]["outstanding"] == "4855.50"
    assert sum(Decimal(amount) for amount in data["base"]["buckets"].values()) == Decimal("4855.50")
    assert data["not_converted"] == []


def test_withdrawing_an_import_takes_its_facts_back(ledger, capsys):
    history = json.loads(answer(capsys, "--ledger", ledger, "history", "--format", "json"))["history"]
    batch = next(row["batch"] for row in history if row["file"])
    moment = next(row["recorded_at"] for row in history if row["file"])
    answer(capsys, "--ledger", ledger, "void", batch, "--reason", "wrong company")
    after = json.loads(answer(capsys, "--ledger", ledger, "ageing", "--as-of", "2025-03-31", "--format", "json"))
    then = json.loads(answer(capsys, "--ledger", ledger, "ageing", "--as-of", "2025-03-31", "--known-at", moment, "--format", "json"))
    assert after["currencies"] == {}
    assert then["currencies"]["CNY"]["outstanding"] == "2500.50"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--ledger", "nowhere", "kpi"], "There is no ledger"),
        (["kpi", "--as-of", "31.12.2025"], "--as-of 31.12.2025 cannot be used"),
        (["import", "no-such-file.csv"], "no-such-file.csv"),
        (["import", "x.csv", "--map", "due_date"], "ROLE=COLUMN"),
        (["frobnicate"], "frobnicate"),
        (["kpi", "--format", "yaml"], "yaml"),
    ],
)
def test_misuse_exits_with_two_and_a_whole_sentence(words, expected, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    captured = capsys.readouterr()
    assert expected in captured.err
    assert not captured.out
    assert "Traceback" not in captured.err
    assert not (tmp_path / "duecourse-ledger").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is full: Linux only")
@pytest.mark.parametrize("words", [["--help"], ["history"]])
def test_an_answer_that_was_cut_off_is_not_taken_for_whole(words, export, tmp_path, capsys):
    ledger = str(tmp_path / "l")
    main(["--ledger", ledger, "import", str(export)])
    with Path("/dev/full").open("w") as full:
        run = subprocess.run(
            [sys.executable, "-m", "duecourse", "--ledger", ledger, *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert run.returncode == 2
    assert "full" in run.stderr
    assert "Traceback" not in run.stderr


def test_what_was_said_is_written_and_what_was_registered_for_the_end_is_done(tmp_path):
    program = "import atexit, sys; from duecourse.cli import entry_point; atexit.register(print, 'the end'); sys.argv[1:] = ['--version']; entry_point()"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "the end"
    assert run.stdout.startswith("duecourse")


def test_it_is_silent_on_the_error_stream_when_piped(export, tmp_path):
    command = [sys.executable, "-c", "import sys; from duecourse.cli import main; sys.exit(main(sys.argv[1:]))"]
    run = subprocess.run(
        [*command, "--ledger", str(tmp_path / "l"), "import", str(export)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"LC_ALL": "C"},
    )
    assert run.returncode == 1
    assert run.stderr == ""
    assert "1900004" not in run.stdout or "2025-02-30" in run.stdout


def test_a_reader_that_stops_early_is_no_error(ledger):
    command = f"{sys.executable} -c 'import sys; from duecourse.cli import main; sys.exit(main(sys.argv[1:]))' --ledger {ledger} export --format csv | head -1"
    run = subprocess.run(["bash", "-c", f"{command}; echo ${{PIPESTATUS[0]}}"], capture_output=True, text=True, check=True)
    header, outcome = run.stdout.splitlines()
    assert header.startswith("invoice_id,")
    assert outcome == "0"
    assert run.stderr == ""


def test_the_folder_of_answers_is_only_a_convenience(ledger, capsys):
    first = answer(capsys, "--ledger", ledger, "kpi", "--as-of", "2025-03-31", "--format", "json")
    assert list(Path(ledger, ".answers").rglob("*.json"))
    assert answer(capsys, "--ledger", ledger, "kpi", "--as-of", "2025-03-31", "--format", "json") == first
    for path in Path(ledger, ".answers").rglob("*.json"):
        path.write_text("{", encoding="utf-8")  # a damaged one is worked out anew
    assert answer(capsys, "--ledger", ledger, "kpi", "--as-of", "2025-03-31", "--format", "json") == first
