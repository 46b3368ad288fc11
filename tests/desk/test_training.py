"""Learning from the ledger's own defaults, and from a file: refused where it would be wrong, kept as a dated fact."""

from __future__ import annotations

import csv
import datetime as dt
import json

import numpy as np
import pytest

from duecourse.cli import main
from duecourse.desk.demo import make_demo
from duecourse.desk.grading import grade, graded
from duecourse.desk.opening import open_ledger
from duecourse.desk.training import keep, own_history
from duecourse.errors import DefaultsTooFewError

ON = dt.date(2026, 10, 31)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = tmp_path_factory.mktemp("training") / "ledger"
    make_demo(place, invoices=12_000)
    return place


@pytest.mark.long
def test_the_firms_own_defaults_move_the_grades_and_can_be_taken_back(place):
    ledger = open_ledger(place)
    found = own_history(ledger.as_of(ON), years=2)
    assert found.defaults >= 5
    assert abs(found.own.expected_to_observed - 1) < abs(found.shipped.expected_to_observed - 1)
    assert found.own.log_loss[0] < found.shipped.log_loss[0]
    buyer = next(row["buyer_id"] for row in graded(ledger.as_of(ON)).to_pylist() if not row["overrides"] and row["basis"] != "none")
    before = grade(ledger.as_of(ON), buyer)
    keep(ledger, found.setting())
    ledger.refresh()
    after = grade(ledger.as_of(ON), buyer)
    assert after.calibration_points != 0
    assert after.models["calibration"] == found.setting()["version"]
    assert after.base_points + after.calibration_points + sum(one.points for one in after.reasons) == pytest.approx(after.score)
    keep(ledger, {})
    ledger.refresh()
    assert grade(ledger.as_of(ON), buyer).probability_of_default_12m == before.probability_of_default_12m


@pytest.mark.long
def test_too_few_defaults_change_nothing(place):
    with pytest.raises(DefaultsTooFewError):
        own_history(open_ledger(place).as_of(dt.date(2022, 3, 31)), years=1)


def test_a_file_that_gives_the_outcome_away_is_refused_by_name(tmp_path, capsys):
    place = tmp_path / "ledger"
    draw = np.random.default_rng(1)
    fails = draw.random(400) < 0.2
    path = tmp_path / "ratios.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["firm", "ratio", "firm_fails_later", "class"])
        out.writerows([[number, draw.normal(-float(bad), 1), int(bad), int(bad)] for number, bad in enumerate(fails)])
    assert main(["--ledger", str(place), "train", "--file", str(path), "--group", "firm"]) == 2
    assert "firm_fails_later" in capsys.readouterr().err
    pytest.importorskip("sklearn")
    words = ["--ledger", str(place), "--format", "json", "train", "--file", str(path), "--group", "firm", "--leave-out", "firm_fails_later"]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)["models"]["logistic"]["auc"][0] > 0.6
