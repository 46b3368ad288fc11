"""`duecourse interest`, `rates`, `route` on a small demo ledger: every form answers, in both languages."""

from __future__ import annotations

import csv
import io
import json

import pytest
from click.testing import CliRunner

from duecourse.cli.commands import build
from duecourse.desk.dates import default_day
from duecourse.desk.late_interest import owed
from duecourse.desk.opening import open_ledger
from duecourse.errors import AgreedRateMissingError, OptionMisusedError, ReferenceRateMissingError, RuleInvalidError
from duecourse.measures.receivables import open_items
from duecourse.messages import use_language
from support.demos import demo_at

SUM = ("interest", "--amount", "100000", "--currency", "CNY", "--due", "2025-03-31", "--paid", "2025-06-30")


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    place = tmp_path_factory.mktemp("recovery") / "ledger"
    demo_at(place, invoices=1_000)
    return place


@pytest.fixture(scope="module")
def late(ledger):
    opened = open_ledger(str(ledger))
    book = opened.as_of(default_day(opened))
    rows = [row for row in book.run(open_items(book)).to_pylist() if row["due_date"] < book.on and row["open_minor"] > 0]
    for row in sorted(rows, key=lambda row: (row["due_date"], row["invoice_id"])):
        (one,) = owed(book, row["buyer_id"], [(row["invoice_id"], row["instalment"])]).invoices or (None,)
        if one is not None and one.interest_minor:
            return row
    raise AssertionError("the demo has nothing late")


def run(ledger, *words, error=None):
    done = CliRunner().invoke(build(), ["--ledger", str(ledger), *words], standalone_mode=False)
    if error is not None:
        assert isinstance(done.exception, error), done.exception
        return str(done.exception)
    assert done.exception is None, done.exception
    return done.stdout


def test_interest_on_any_sum_needs_no_ledger(tmp_path):
    text = run(tmp_path / "none", *SUM, "--regime", "CN_SALES_LPR")
    assert "CNY 1,159.32" in text
    assert "not legal advice" in text
    told = json.loads(run(tmp_path / "none", "--format", "json", *SUM, "--creditor", "CN:small", "--debtor", "CN:large"))
    assert (told["rule"], told["interest"]) == ("CN_SME_REG", "4550.00")
    rows = list(csv.DictReader(io.StringIO(run(tmp_path / "none", "--format", "csv", *SUM, "--regime", "CN_SALES_LPR/floating"))))
    assert [row["days"] for row in rows] == ["49", "42"]
    use_language("zh")
    assert "本内容不构成法律意见" in run(tmp_path / "none", *SUM, "--creditor", "CN", "--agreed", "日万分之五")
    use_language("en")
    paid = json.loads(run(tmp_path / "none", "--format", "json", *SUM, "--regime", "CN_SME_REG", "--payment", "2025-04-30=40000"))
    assert paid["interest"] == "3330.00"


def test_what_cannot_be_worked_out_is_said(tmp_path):
    place = tmp_path / "none"
    assert "PL_NBP_REFERENCE" in run(place, *SUM, "--regime", "EU_PL", error=ReferenceRateMissingError)
    run(place, *SUM, "--regime", "HK_CONTRACT", error=AgreedRateMissingError)
    run(place, *SUM, "--creditor", "CN:huge", error=OptionMisusedError)
    run(place, "interest", error=OptionMisusedError)
    run(place, "interest", "--amount", "5", error=OptionMisusedError)
    run(place, *SUM[:-1], "2024-01-01", error=OptionMisusedError)
    assert "No interest could be worked out" in run(place, *SUM, "--creditor", "PL", "--debtor", "PL")


def test_the_rules_are_listed(tmp_path):
    assert len(json.loads(run(tmp_path / "none", "--format", "json", "interest", "--rules"))["rules"]) >= 70
    assert "EU_NL" in run(tmp_path / "none", "interest", "--rules", "netherlands")


def test_what_a_buyer_owes_with_its_statement(ledger, late):
    text = run(ledger, "interest", late["buyer_id"])
    assert late["invoice_id"] in text
    one = json.loads(run(ledger, "--format", "json", "interest", "--invoice", f"{late['invoice_id']}/{late['instalment']}"))
    assert {row["invoice_id"] for row in one["segments"]} == {late["invoice_id"]}
    large = json.loads(run(ledger, "--format", "json", "interest", late["buyer_id"], "--agreed", "1%/d"))
    assert float(large["totals"][late["currency"]]["interest"]) > float(one["totals"][late["currency"]]["interest"]) > 0
    assert "interest → principal" in run(ledger, "interest", late["buyer_id"], "--law-order")


def test_a_rate_is_entered_and_taken_back(ledger):
    kept = json.loads(
        run(ledger, "--format", "json", "rates", "--set", "pl_nbp_reference", "--from", "2026-01-01", "--rate", "5.75", "--source", "NBP")
    )
    assert next(row for row in kept["rates"] if row["series"] == "PL_NBP_REFERENCE")["rate"] == "5.75% *"
    dropped = json.loads(run(ledger, "--format", "json", "rates", "--set", "PL_NBP_REFERENCE", "--from", "2026-01-01", "--drop"))
    assert next(row for row in dropped["rates"] if row["series"] == "PL_NBP_REFERENCE")["rate"] == "not known"
    run(ledger, "rates", "--set", "PL_NBP_REFERENCE", error=OptionMisusedError)


def test_routes_are_weighed_decided_and_made_again(ledger, late):
    invoice = f"{late['invoice_id']}/{late['instalment']}"
    told = json.loads(
        run(ledger, "--format", "json", "route", late["buyer_id"], "--invoice", invoice, "--asset", "real_estate=2000000CNY@CN-500000")
    )
    assert told["net_assets"] == {"CNY": 80_000_000}
    assert told["routes"][0]["rank"] == 1
    text = run(
        ledger, "route", late["buyer_id"], "--assume", "p.suit=80%", "--take", "suit", "--reason", "they still trade", "--by", "anna"
    )
    number = text.split("Recorded as ")[1].split(";")[0]
    assert json.loads(run(ledger, "--format", "json", "replay", number))["equal"]
    run(ledger, "route", late["buyer_id"], "--take", "wishing", error=OptionMisusedError)
    run(ledger, "route", late["buyer_id"], "--assume", "p.wishing=1", error=RuleInvalidError)
    run(ledger, "route", late["buyer_id"], "--asset", "castle=1CNY", error=OptionMisusedError)
    use_language("zh")
    assert "追收" in run(ledger, "route", "--help") or "路径" in run(ledger, "route", late["buyer_id"])
    use_language("en")
