"""From a file of accounts to a grade with reasons, through the command line."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from duecourse.cli import main
from duecourse.desk.demo import make_demo
from duecourse.desk.grading import grade, grades
from duecourse.desk.opening import open_ledger
from duecourse.errors import BuyerUngradedError
from duecourse.ledger.scope import Scope

HEAD = (
    "buyer,period end,months,currency,unit,audited,published,cash,trade receivables,inventories,current assets,total assets,current liabilities,long-term debt,"
    "total liabilities,retained earnings,total equity,revenue,cost of sales,operating profit,interest expense,net income,depreciation and amortisation\n"
)
GOOD = "{b},{d},12,USD,1000000,yes,{p},200,200,150,600,1200,250,100,350,500,850,1500,900,220,5,160,60\n"
BAD = "{b},{d},12,USD,1000000,yes,{p},2,60,70,140,300,230,160,390,-180,-90,200,195,-35,25,-70,10\n"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = tmp_path_factory.mktemp("grading") / "ledger"
    make_demo(place, invoices=1_000)
    ledger = open_ledger(place)
    book = ledger.as_of(dt.date(2026, 10, 31))
    good, bad, none, *_ = sorted(row["buyer_id"] for row in book.run(book.buyer.select("buyer_id")).to_pylist())
    accounts = place.parent / "accounts.csv"
    accounts.write_text(
        HEAD + GOOD.format(b=good, d="2025-12-31", p="2026-04-01") + BAD.format(b=bad, d="2025-12-31", p="2026-04-01"), encoding="utf-8"
    )
    assert main(["--ledger", str(place), "statements", str(accounts)]) == 1, "negative equity is a finding"
    return place, good, bad, none


def test_the_good_and_the_bad_are_told_apart(place):
    ledger, good, bad, _none = place
    book = open_ledger(ledger).as_of(dt.date(2026, 10, 31))
    riskiest_first = grades(book)
    assert [one.buyer_id for one in riskiest_first] == [bad, good]
    assert riskiest_first[0].grade >= 7
    assert riskiest_first[1].grade <= 4
    assert riskiest_first[0].negative_equity
    for one in riskiest_first:
        assert one.base_points + sum(reason.points for reason in one.reasons) == pytest.approx(one.score)
        assert one.low < one.probability_of_default_12m < one.high


def test_nothing_known_nothing_said(place):
    ledger, good, _bad, none = place
    opened = open_ledger(ledger)
    with pytest.raises(BuyerUngradedError):
        grade(opened.as_of(dt.date(2026, 10, 31)), none)
    with pytest.raises(BuyerUngradedError):
        grade(opened.as_of(dt.date(2026, 3, 31)), good)  # not yet published
    with pytest.raises(BuyerUngradedError):
        grade(opened.as_of(dt.date(2028, 6, 30)), good)  # too old to say anything


def test_old_accounts_cap_the_grade(place):
    ledger, good, *_ = place
    old = grade(open_ledger(ledger).as_of(dt.date(2027, 9, 30)), good)
    assert old.capped
    assert old.grade == 5
    assert old.confidence == "medium"


def test_accounts_of_other_peoples_buyers_stay_hidden(place):
    ledger, good, bad, _none = place
    book = open_ledger(ledger).as_of(dt.date(2026, 10, 31))
    groups = {
        row["buyer_id"]: row["group_id"] or row["buyer_id"] for row in book.run(book.buyer.select("buyer_id", "group_id")).to_pylist()
    }
    assert groups[good] != groups[bad]
    limited = book.limited(Scope(groups=frozenset({groups[good]})))
    assert [one.buyer_id for one in grades(limited)] == [good]


@pytest.mark.parametrize(("lang", "words"), [("en", "Why: points"), ("zh", "相对平均企业的加减分")])
def test_the_command_gives_the_reasons(place, lang, words, capsys):
    ledger, good, *_ = place
    assert main(["--ledger", str(ledger), "--lang", lang, "--as-of", "2026-10-31", "grade", good]) == 0
    assert words in capsys.readouterr().out
    assert main(["--ledger", str(ledger), "--format", "json", "--as-of", "2026-10-31", "grade", good]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["base_points"] + sum(reason["points"] for reason in said["reasons"]) == pytest.approx(said["score"])


def test_the_template_comes_back_in(place, tmp_path, capsys):
    ledger, *_ = place
    template = tmp_path / "template.csv"
    assert main(["--ledger", str(ledger), "statements", "--template", str(template)]) == 0
    head = template.read_text(encoding="utf-8-sig")
    assert head.startswith("buyer_id,period_end,period_months")
    assert "total_assets" in head
