"""Screening from the command line: a list in, what is to be looked at, and what people said of it before."""

from __future__ import annotations

import datetime as dt
import json

import pyarrow as pa
import pytest

from duecourse.cli import main
from duecourse.desk.opening import open_ledger
from duecourse.desk.screening import entries_of, undecided, verdicts_of
from duecourse.ledger.entries import DECISION

BUYERS = "客户编号,客户名称,国家\nC1,宁波欣原机械设备有限公司,CN\nC2,Hohenbach Maschinenbau GmbH,DE\nC3,Nordsee Fisch AG,DE\n"
LISTED = "编号,名称,国家\n1,宁波欣原机械设备有限公司,CN\n2,Hohenbach Maschinenbau,DE\n3,Somebody Else Ltd,GB\n"


@pytest.fixture
def place(tmp_path, capsys):
    (tmp_path / "customers.csv").write_text(BUYERS, encoding="utf-8")
    (tmp_path / "listed.csv").write_text(LISTED, encoding="utf-8")
    place = tmp_path / "ledger"
    assert main(["--ledger", str(place), "import", "-y", str(tmp_path / "customers.csv")]) == 0
    capsys.readouterr()
    return place


def run(capsys, place, *words):
    code = main(["--lang", "en", "--ledger", str(place), "--format", "json", "screen", *words])
    return code, json.loads(capsys.readouterr().out)


def decide(place, buyer, entry_id, *, outcome):
    ledger = open_ledger(place)
    entry = next(one for one in entries_of(ledger.as_of(dt.date.max)) if one.entry_id == entry_id)
    row = {
        "decision_id": f"S-{buyer}", "kind": "list_verdict", "buyer_id": buyer, "decided_on": dt.date(2026, 3, 1), "outcome": outcome, "made_by": "mia",
        "inputs": json.dumps({"list_name": entry.list_name, "entry_id": entry_id, "fingerprint": entry.fingerprint, "reason": "another town"}),
        "answer": json.dumps({"score": 0.97}),
    }  # fmt: skip
    with ledger.draft("post") as draft:
        draft.put("decision", pa.Table.from_pylist([row], schema=DECISION.facts))
        draft.commit()


def test_a_list_is_taken_in_and_everybody_is_screened(place, capsys, tmp_path):
    code, told = run(capsys, place, "--list", str(tmp_path / "listed.csv"), "--name", "失信被执行人", "--date", "2026-02-01")
    assert code == 1
    assert told["lists"] == {"失信被执行人": 3}
    assert [(row["buyer_id"], row["outcome"]) for row in told["hits"]] == [("C1", "likely"), ("C2", "likely")]
    assert all(row["evidence"] for row in told["hits"])
    assert run(capsys, place, "C3") == (0, {**told, "hits": []})


def test_what_a_person_has_decided_is_shown_and_not_asked_again_until_the_entry_changes(place, capsys, tmp_path):
    run(capsys, place, "--list", str(tmp_path / "listed.csv"), "--name", "L", "--date", "2026-02-01")
    decide(place, "C1", "1", outcome="no_match")
    _code, told = run(capsys, place)
    assert [row["buyer_id"] for row in told["hits"]] == ["C2"]
    code, said = run(capsys, place, "--verdicts")
    assert code == 0
    assert [(row["buyer_id"], row["match"], row["reason"], row["made_by"]) for row in said["verdicts"]] == [
        ("C1", False, "another town", "mia")
    ]
    (tmp_path / "listed.csv").write_text(LISTED.replace("1,宁波欣原机械设备有限公司,CN", "1,宁波欣原机械设备有限公司,HK"), encoding="utf-8")
    _code, told = run(capsys, place, "--list", str(tmp_path / "listed.csv"), "--name", "L", "--date", "2026-04-01")
    assert {row["buyer_id"] for row in told["hits"]} == {"C1", "C2"}, "the entry says something else now"


def test_the_desk_gives_the_same(place, capsys, tmp_path):
    run(capsys, place, "--list", str(tmp_path / "listed.csv"), "--name", "L", "--date", "2026-02-01")
    book = open_ledger(place).as_of(dt.date.max)
    assert [hit.buyer.buyer_id for hit in undecided(book)] == ["C1", "C2"]
    assert [hit.buyer.buyer_id for hit in undecided(book, "C2")] == ["C2"]
    assert verdicts_of(book) == []


def test_a_list_without_a_name_is_refused(place, capsys, tmp_path):
    assert main(["--lang", "en", "--ledger", str(place), "screen", "--list", str(tmp_path / "listed.csv")]) == 2
    assert "--name" in capsys.readouterr().err
    assert main(["--lang", "zh", "--ledger", str(place), "screen"]) == 0
    assert "--list" in capsys.readouterr().out, "no list yet: how to bring one in"
