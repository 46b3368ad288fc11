"""Warnings follow the firm's own defaults by themselves: only what was known at the quarter's end, the same for whoever replays the day."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from duecourse.desk import answers, warning_learnt
from duecourse.desk.alerting import looked_at, looked_at_all
from duecourse.desk.indicators import indicators
from duecourse.desk.opening import open_ledger
from duecourse.desk.replaying import as_known, without_later
from duecourse.desk.rivals import warned_then
from duecourse.desk.signs import signs, taken
from duecourse.desk.training import keep
from duecourse.desk.warning import warned, warning
from duecourse.desk.warning_learnt import MARK, as_it_was, in_force, told
from duecourse.desk.watched import SHORT_HISTORY_DAYS, SHORTER_DAYS
from duecourse.ledger.entries import ENTRIES, SIGNAL, STATEMENT
from duecourse.ledger.memory import MemoryLedger, complete
from duecourse.messages import use_language
from duecourse.risk.points import POINTS_PER_LOG_ODDS
from duecourse.risk.warning import hazard_v1
from duecourse.risk.warning.updating import LEAST_DEFAULTS
from duecourse.samples.economy import Economy, write

ON = dt.date(2026, 10, 31)
UNTIL = dt.date(2026, 9, 30)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    ledger = open_ledger(tmp_path_factory.mktemp("learnt") / "ledger", create=True, threads=1)
    write(ledger, Economy(invoices=6_000, buyers=220, years=4, seed=12))
    ledger.refresh()
    return ledger


@pytest.fixture(scope="module")
def fitted(ledger):
    return in_force(ledger.as_of(ON))


def test_own_defaults_move_the_warnings_without_anybody_asking(ledger, fitted):
    assert fitted["until"] == UNTIL.isoformat()
    assert fitted["defaults"] >= LEAST_DEFAULTS
    assert fitted["version"] == "own-2026-09-30"
    assert fitted["intercept"] != 0
    book = ledger.as_of(ON)
    rows = warned(book)
    expected = float(np.nansum(rows["probability_6m"].to_numpy()))
    alone = replace(book)
    alone.__dict__["settings"] = {**book.settings, warning_learnt.SETTING: {"until": UNTIL.isoformat(), "intercept": 0.0, "slopes": {}}}
    shipped = float(np.nansum(warned(alone)["probability_6m"].to_numpy()))
    assert (expected > shipped) == (fitted["observed"] > fitted["expected"])
    one = warning(book, rows["buyer_id"][0].as_py())
    assert one.learnt == fitted
    assert one.model == "hazard_v1 own-2026-09-30"
    assert one.calibration_points == pytest.approx(-POINTS_PER_LOG_ODDS * fitted["intercept"])
    assert one.probability_6m == pytest.approx(rows["probability_6m"][0].as_py(), rel=1e-9)


def test_nothing_later_than_the_quarters_end_is_learnt_from(ledger, fitted):
    bare = without_later(ledger.as_of(UNTIL)).as_of(UNTIL)
    again = in_force(bare)
    assert {name: again[name] for name in ("defaults", "observed", "buyers", "since", "until")} == {
        name: fitted[name] for name in ("defaults", "observed", "buyers", "since", "until")
    }
    assert again["intercept"] == pytest.approx(fitted["intercept"], abs=1e-5)
    assert again["slopes"] == pytest.approx(fitted["slopes"], abs=1e-5)


def test_a_past_day_is_told_as_it_would_have_been(ledger, fitted):
    day = dt.date(2026, 5, 31)
    then = in_force(as_it_was(as_known(ledger.as_of(ON), day)))
    assert then["until"] == "2026-03-31"
    assert then["defaults"] <= fitted["defaults"]
    replayed, asked = (rows.sort_by("buyer_id") for rows in (warned_then(as_known(ledger.as_of(ON), day)), warned(ledger.as_of(day))))
    assert replayed["buyer_id"].to_pylist() == asked["buyer_id"].to_pylist()
    np.testing.assert_allclose(replayed["rank"].to_numpy(), asked["rank"].to_numpy(), rtol=1e-6)
    chance = np.where(np.isnan(asked["probability_6m"].to_numpy()), np.nan, replayed["probability_6m"].to_numpy())
    np.testing.assert_allclose(chance, asked["probability_6m"].to_numpy(), rtol=1e-6)


def test_a_young_ledger_learns_from_the_days_the_model_was_used_on(tmp_path):
    """Where more than payments is known the model is used from a year on: those days teach, and earlier ones do not."""
    ledger = open_ledger(tmp_path / "young", create=True, threads=1)
    write(ledger, Economy(invoices=9_000, buyers=400, years=2, seed=12))
    book = ledger.as_of(ON)
    first = pc.min(book.run(book.invoice.select("issue_date"))["issue_date"]).as_py()
    last_look = UNTIL - dt.timedelta(days=hazard_v1.HORIZON_DAYS + 91)
    assert SHORTER_DAYS <= (last_look - first).days < SHORT_HISTORY_DAYS
    found = in_force(book)
    assert (found["looks"], found["since"]) == (1, last_look.isoformat())
    assert found["defaults"] >= LEAST_DEFAULTS
    assert found["version"] == "own-2026-09-30"
    payments = {name: complete(entry, book.run(book.table(entry))) for name, entry in ENTRIES.items() if entry not in (SIGNAL, STATEMENT)}
    assert in_force(MemoryLedger(payments, ledger.engine).as_of(ON)) == {}


def test_all_days_looked_at_at_once_say_what_each_says_by_itself(ledger, monkeypatch):
    """Facts moved onto one day give the signs of the day they were moved from; accounts in other currencies at the quarter end's rates."""
    seen = {}

    def watched(book, buyers, table):
        seen["buyers"], seen["signs"] = buyers, signs(book, buyers, table)
        return seen["signs"]

    monkeypatch.setattr(warning_learnt, "signs", watched)
    then = ledger.as_of(UNTIL)
    warning_learnt._learn(then)
    last = max(name.partition(MARK)[2] for name in seen["buyers"].to_pylist())
    place = [number for number, name in enumerate(seen["buyers"].to_pylist()) if name.endswith(MARK + last)]
    buyers = pa.array([seen["buyers"][number].as_py().partition(MARK)[0] for number in place], pa.string())
    day = UNTIL - dt.timedelta(days=hazard_v1.HORIZON_DAYS + 91)  # a default by age is known so long after it fell due
    direct = signs(ledger.as_of(day), buyers, indicators(ledger.as_of(day), buyers))
    assert len(buyers) > 100
    for name in hazard_v1.SIGNS:
        mine, theirs = seen["signs"][name][place], direct[name]
        near = 0.25 if name == "accounts_log_odds" else 1e-6
        assert np.isclose(mine, theirs, rtol=1e-6, atol=near, equal_nan=True).mean() > 0.98, name


def test_the_two_indicators_the_signs_take_are_those_of_all_forty(ledger):
    book = ledger.as_of(ON)
    buyers = warned(book)["buyer_id"].combine_chunks()
    table, few = indicators(book, buyers), taken(book, buyers)
    for name in few.column_names[1:]:
        np.testing.assert_allclose(few[name].to_numpy(), table[name].to_numpy(), rtol=1e-9)


def test_it_holds_for_the_quarter_and_is_never_taken_from_a_later_version(ledger, fitted, monkeypatch):
    def never(*_args):
        raise AssertionError("learnt again")

    monkeypatch.setattr(warning_learnt, "_learn", never)
    assert in_force(ledger.as_of(dt.date(2026, 10, 1))) == fitted
    kept = {
        file: json.loads(file.read_text()) for file in (answers.home(ledger) / warning_learnt.FOLDER).glob("*.json")
    }  # other days' among them
    assert kept
    try:
        for file, said in kept.items():
            file.write_text(json.dumps({**said, "version": ledger.version + 1}))
        with pytest.raises(AssertionError, match="learnt again"):
            monkeypatch.setattr(warning_learnt, "remembered", never)
            in_force(ledger.as_of(ON))
    finally:
        for file, said in kept.items():
            file.write_text(json.dumps(said))


def test_what_a_person_kept_goes_first_until_it_is_taken_back(tmp_path):
    ledger = open_ledger(tmp_path / "ledger", create=True, threads=1)
    write(ledger, Economy(invoices=1_000, buyers=30, years=1, seed=4))
    mine = {"version": "own-mine", "intercept": 0.5, "slopes": {}, "defaults": 9, "until": "2026-08-31"}
    keep(ledger, mine, setting=warning_learnt.SETTING)
    ledger.refresh()
    assert in_force(ledger.as_of(ON)) == mine
    assert in_force(ledger.as_of(dt.date(2026, 8, 30))) == {}, "it has seen later days"
    assert "9" in told(mine, "en")
    keep(ledger, {}, setting=warning_learnt.SETTING)
    ledger.refresh()
    assert in_force(ledger.as_of(ON)) == {}


def test_an_alert_keeps_what_its_probability_was_made_with(ledger, fitted):
    book = ledger.as_of(ON)
    whole = looked_at_all(book, set())
    one = next(one for one in whole.warned if one.in_default_since is None)
    few = looked_at(book, {one.buyer_id: {}})
    assert whole.model == few.model
    assert whole.model["version"] == "hazard_v1 own-2026-09-30"
    assert whole.model["slopes"] == fitted["slopes"]
    assert few.warned[0].probability_6m == pytest.approx(one.probability_6m, rel=1e-9)
    failed = next(one for one in whole.warned if one.in_default_since)
    again = looked_at(book, {failed.buyer_id: {}})
    assert (again.warned[0], again.watched, again.model) == (failed, 0, whole.model)
    assert again.why(failed.buyer_id) == whole.why(failed.buyer_id) and again.why(failed.buyer_id)[0]["code"] == "in_default"


def test_it_is_told_in_both_languages(fitted):
    few = {**fitted, "version": ""}
    for said in ({}, fitted, few):
        english, chinese = told(said, "en"), told(said, "zh")
        assert english != chinese
        assert "{" not in english + chinese
    assert str(fitted["defaults"]) in told(fitted, "en")
    use_language("en")
