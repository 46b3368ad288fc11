"""What has moved in a year: every indicator once, every buyer graded then once, and what people said of alerts."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from duecourse.cli import main
from duecourse.desk.drift import _verdicts, drift
from duecourse.risk.warning.rules_v1 import shipped
from duecourse.samples import book as sample

ON = dt.date(2026, 10, 31)


@pytest.fixture(scope="module")
def found(small_ledger):
    return drift(small_ledger.as_of(ON))


def test_every_indicator_is_told_once_the_farthest_moved_first(found):
    assert sorted(row["indicator"] for row in found["inputs"]) == sorted([*shipped().indicators, "composite"])
    known = [row["index"] for row in found["inputs"] if row["index"] is not None]
    assert known == sorted(known, reverse=True) and all(index >= 0 for index in known)
    assert all(0 <= row["missing_now"] <= 1 and row["level"] in ("none", "some", "much") for row in found["inputs"])
    assert found["since"] == "2025-10-31"


def test_every_buyer_graded_then_stands_in_the_matrix_once(found):
    counts = found["migration"]["counts"]
    assert len(counts) == 10 and all(len(row) == 12 for row in counts)
    assert 0 < sum(map(sum, counts)) <= 200
    assert found["migration"]["better"] + found["migration"]["worse"] + found["migration"]["same"] == pytest.approx(1)


def test_verdicts_are_those_of_the_alerts_closed_since():
    def closed(number, outcome, on, opened, **reasons):
        said = {"opened_on": opened.isoformat(), "reasons": reasons}
        return {"decision_id": f"d{number}", "kind": "alert", "outcome": outcome, "decided_on": on, "inputs": json.dumps(said)}

    day = dt.date(2026, 5, 10)
    rows = [
        closed(1, "true", day, day - dt.timedelta(days=4), PAY01="payment"), closed(2, "false", day, day, PAY01="payment", NEG02="legal"),
        closed(3, "known", day, day - dt.timedelta(days=8)), closed(4, "true", dt.date(2025, 1, 1), dt.date(2025, 1, 1)),
    ]  # fmt: skip
    told = _verdicts(sample(ON, decision=rows), dt.date(2025, 10, 31))
    assert told == {
        "counts": {"true": 1, "false": 1, "known": 1}, "right_share": 0.5, "days_median": 4.0,
        "by_reason": {"NEG02": {"true": 0, "false": 1, "known": 0}, "PAY01": {"true": 1, "false": 1, "known": 0}},
    }  # fmt: skip
    assert _verdicts(sample(ON), dt.date(2025, 10, 31))["right_share"] is None


@pytest.mark.parametrize(("language", "words"), [("en", "grade then"), ("zh", "等级迁徙矩阵")])
def test_the_command_tells_it_in_both_languages(small_ledger, capsys, language, words, found):
    asked = ["--ledger", str(small_ledger.storage.folder), "--as-of", str(ON), "--lang", language, "drift", "--all"]
    assert main(asked) == 0
    assert words in capsys.readouterr().out
    assert main([*asked, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == found
