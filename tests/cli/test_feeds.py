"""Outside feeds from the command line."""

from __future__ import annotations

import json

import pytest

from duecourse.cli import main
from duecourse.desk.opening import open_ledger
from support.feeding import BUYERS, FIXTURES
from support.ledgers import add


@pytest.fixture
def place(tmp_path):
    add(open_ledger(tmp_path / "ledger", create=True), BUYERS, "buyer")
    return tmp_path / "ledger"


def run(capsys, place, *words):
    code = main(["--lang", "en", "--ledger", str(place), "--format", "json", "feeds", *words])
    out = capsys.readouterr()
    return code, json.loads(out.out) if out.out.startswith("{") else out.err


def test_add_run_review_and_decide(capsys, place):
    code, said = run(capsys, place, "add", "press", "--address", str(FIXTURES / "news.rss"))
    assert (code, said["feeds"][0]["kind"]) == (0, "news")
    code, said = run(capsys, place, "run")
    assert code == 0
    assert {key: said["feeds"][0][key] for key in ("signals", "mentions", "same_story", "undated")} == {
        "signals": 2,
        "mentions": 1,
        "same_story": 1,
        "undated": 1,
    }
    code, said = run(capsys, place, "review")
    assert code == 1
    (one,) = said["mentions"]
    assert (one["buyer_id"], one["called"]) == ("S1", "Summit")
    assert run(capsys, place, "confirm", one["number"])[0] == 2, "a reason is wanted"
    assert run(capsys, place, "confirm", one["number"], "--reason", "their own site")[0] == 0
    assert run(capsys, place, "review") == (0, {"mentions": []})
    assert run(capsys, place, "pause", "press")[1]["feeds"][0]["paused"]
    assert run(capsys, place, "run") == (0, {"feeds": []}), "one that rests is not asked with the others"
    assert not run(capsys, place, "resume", "press")[1]["feeds"][0]["paused"]
    assert run(capsys, place, "remove", "press")[1] == {"feeds": []}


def test_one_that_fails_does_not_keep_the_others(capsys, place, tmp_path):
    run(capsys, place, "add", "gone", "--address", str(tmp_path / "none.rss"))
    run(capsys, place, "add", "GLEIF", "--kind", "register", "--address", str(FIXTURES / "lei.json"))
    code, said = run(capsys, place, "run")
    assert code == 1
    assert {row["feed"]: row.get("signals") for row in said["feeds"]} == {"GLEIF": 3, "gone": None}
    assert "none.rss" in next(row["fault"] for row in run(capsys, place)[1]["feeds"] if row["feed"] == "gone")
    code, said = run(capsys, place, "run", "GLEIF", "--file", str(FIXTURES / "lei.csv"))
    assert (code, said["feeds"][0]["items"]) == (0, 2)
