"""The past is replayed as it was known, all rivals warn of equally many, and a score that has seen what came later stops the run."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from duecourse import samples
from duecourse.cli import main
from duecourse.decisions.alert_policy import checked
from duecourse.desk import answers, replaying
from duecourse.desk.backtest import backtest, kept_backtest
from duecourse.desk.backtest_words import definition_note, notes_of, threshold_words
from duecourse.desk.leak_guard import Differing, differing, without_later
from duecourse.desk.plain_rules import RULES, standing
from duecourse.desk.policy_replay import by_policy
from duecourse.desk.replaying import Rival, aligned, as_known, month_ends, replay
from duecourse.errors import HistoryMissingError, LeakFoundError, RuleInvalidError
from duecourse.ledger.entries import ENTRIES, QUARANTINE
from duecourse.risk.outcomes import default_events, defaults, definition
from duecourse.samples.truth import DEFAULT_KINDS, kinds_of_failures

ON = dt.date(2026, 10, 31)
DAYS = [dt.date(2025, 10, 31), dt.date(2025, 11, 30), dt.date(2025, 12, 31)]
STRICT = {"indicators": {"PAY03": {"weight": 20}}}
SINCE, UNTIL = dt.date(2025, 9, 30), dt.date(2025, 10, 31)


def owed(book):
    """What a buyer owes, as a score of its own."""
    rows = book.run(book.invoice.group_by("buyer_id").aggregate(score=book.invoice.amount_minor.sum().cast("float64")))
    return rows.append_column("reasons", pa.array([["owes"]] * rows.num_rows, pa.list_(pa.string())))


def owed_next_year(book):
    """The same, from a book of a day that had not come."""
    ledger = book.ledger
    return owed(ledger.as_of(book.on + dt.timedelta(days=365)))


def fails_later(book):
    """Who will be in default within a year: looks past the book at the ledger's own rows."""
    rows = defaults(default_events(book.ledger.as_of(ON), definition()))
    ahead = [row["buyer_id"] for row in rows.to_pylist() if row["happened_on"] > book.on]
    return pa.table({"buyer_id": pa.array(sorted(set(ahead)), pa.string()), "score": pa.array([1.0] * len(set(ahead)))})


def test_month_ends_begin_when_there_is_a_year_behind(book):
    days = month_ends(book)
    assert days[-1] == ON and all((day + dt.timedelta(days=1)).day == 1 for day in days)
    assert days[0] == dt.date(2024, 11, 30)
    assert month_ends(book, dt.date(2026, 1, 15), dt.date(2026, 3, 30)) == [dt.date(2026, 1, 31), dt.date(2026, 2, 28)]


def test_each_month_says_what_the_book_of_its_day_says(book):
    found = replay(book, DAYS, definition(), {"owed": owed}, guard_days=1)
    assert found.guarded == [DAYS[0]] and found.known == "published"
    for place, day in enumerate(DAYS):
        then = replace(book, on=day)
        now = standing(then, found.buyers)
        for name, rule in RULES.items():
            np.testing.assert_array_equal(found.scores[name][place], rule(now))
        np.testing.assert_array_equal(found.scores["owed"][place], aligned(owed(then), found.buyers))
        assert [one == ["owes"] for one in found.reasons["owed"][place].to_pylist()] == (~np.isnan(found.scores["owed"][place])).tolist()
        in_default = {
            row["buyer_id"]
            for row in defaults(default_events(then, definition())).to_pylist()
            if row["cured_on"] is None or row["cured_on"] > day
        }
        watched = {who for who, yes in zip(found.buyers.to_pylist(), found.course.watched[place].tolist(), strict=True) if yes}
        active = {who for who, yes in zip(found.buyers.to_pylist(), now.active.tolist(), strict=True) if yes}
        assert watched == active - in_default


@pytest.mark.parametrize("leaking", [owed_next_year, fails_later])
def test_a_score_that_has_seen_later_facts_stops_the_run(book, leaking):
    with pytest.raises(LeakFoundError) as refused:
        replay(book, DAYS[:1], definition(), {"honest": owed, "leaking": leaking}, guard_days=1)
    assert refused.value.args_["rival"] in ("leaking (score)", "leaking (buyer_id)") and refused.value.args_["count"] > 0
    assert "leaking" in refused.value.message()


def test_a_figure_that_has_seen_later_facts_stops_the_run_though_no_score_shows_it(book):
    with pytest.raises(LeakFoundError) as refused:
        replay(book, DAYS[:1], definition(), {"honest": owed}, guard_days=1, features=[owed_next_year])
    assert refused.value.args_["rival"].startswith("features")


def test_where_two_tables_part():
    one = pa.table({"buyer_id": ["b", "a"], "x": [1.0, None], "why": pa.array([["p"], []], pa.list_(pa.string()))})
    assert differing(one, one.take([1, 0])) is None
    assert differing(one, one.set_column(1, "x", pa.array([1.0 + 1e-9, None]))) is None
    found = differing(one, one.set_column(1, "x", pa.array([1.0, 2.0])))
    assert found == Differing("x", 1, "a", "–", "2")
    found = differing(one, one.set_column(2, "why", pa.array([["q"], []], pa.list_(pa.string()))))
    assert (found.column, found.count, found.buyer_id) == ("why", 1, "b")
    assert differing(one, one.slice(0, 1)).column == "buyer_id"


def test_a_ledger_without_later_facts_holds_the_same_book_and_nothing_later(book):
    then = as_known(book, DAYS[1])
    bare = without_later(then)
    for entry in ENTRIES.values():
        if entry is QUARANTINE:
            continue
        for day in (DAYS[1], dt.date(2030, 1, 1)):
            now = bare.as_of(day).run(bare.as_of(day).table(entry)).num_rows
            assert now == then.run(then.table(entry)).num_rows, entry.name


def test_a_rival_of_several_columns_is_asked_once(book):
    asked = []

    def two(of):
        asked.append(of.on)
        rows = owed(of)
        return rows.append_column("other", rows["score"])

    found = replay(book, DAYS, definition(), {"one": Rival(two), "two": Rival(two, "other", "none")}, guard_days=0)
    assert asked == DAYS
    np.testing.assert_array_equal(found.scores["one"], found.scores["two"])


def test_what_was_learnt_later_is_left_aside():
    rows = [
        {"name": name, "value": json.dumps(value)} for name, value in (("learnt", {"until": "2025-11-15", "x": 1}), ("stated", {"x": 2}))
    ]
    book = samples.book(ON, setting=rows)
    assert set(as_known(book, DAYS[0]).settings) == {"stated"}
    assert set(as_known(book, DAYS[1]).settings) == {"learnt", "stated"}
    bare = without_later(as_known(book, DAYS[0])).as_of(DAYS[0])
    assert set(bare.settings) == {"stated"}


def test_a_history_imported_in_one_go_was_not_known_before_it_was_imported(book):
    found = replay(book, DAYS, definition(), {"owed": owed}, recorded=True, guard_days=0)
    assert found.known == "recorded" and not found.course.watched.any()


def test_what_really_happened_may_be_told_from_outside(book):
    outcomes = pa.table(
        {
            "buyer_id": ["0010000000", "0010000001", "unknown"], "happened_on": pa.array([dt.date(2025, 11, 15)] * 3, pa.date32()),
            "stratum": ["sudden", "gradual", "gradual"],
        }
    )  # fmt: skip
    found = replay(book, DAYS, definition(), {}, outcomes=outcomes, guard_days=0)
    assert list(found.course.stratum) == ["sudden", "gradual"]
    gone = [found.buyers.to_pylist().index(who) for who in ("0010000000", "0010000001")]
    assert not found.course.watched[1:, gone].any()
    owes = found.course.owed
    mine = book.invoice.filter((book.invoice.buyer_id == "0010000000") & (book.invoice.issue_date <= dt.date(2025, 11, 15)))
    whole = book.run(mine.aggregate(n=mine.count()))["n"][0].as_py()
    assert (owes.default == 0).sum() <= whole and (owes.amount > 0).all()


@pytest.fixture(scope="module")
def told(small_ledger):
    return backtest(small_ledger.as_of(ON), since=SINCE, until=UNTIL, share=0.05, sets={"strict": STRICT})


def test_the_whole_answer_is_plain_kept_and_fair(small_ledger, told):
    again = kept_backtest(small_ledger.as_of(ON), since=SINCE, until=UNTIL, share=0.05, sets={"strict": STRICT})
    assert again == told == json.loads(json.dumps(told))
    assert kept_backtest(small_ledger.as_of(ON), since=SINCE, until=UNTIL, share=0.04) is None
    assert told["headline"] == "warning" and told["guarded"] == ["2025-09-30", "2025-10-31"]
    assert set(told["rivals"]) == {*RULES, "rules", "warning", "rules:strict", "policy", "random"}
    most = told["buyer_months"] * 0.05
    for name, one in told["rivals"].items():
        assert one["counts"]["alerts"] <= most + 1 or name == "policy"
        assert one["counts"]["defaults"] == told["defaults"]
        assert one["counts"]["caught_90"] <= one["counts"]["caught"] <= one["counts"]["defaults"]
        assert sum(row["alerts"] for row in one["segments"].values()) == pytest.approx(one["counts"]["alerts"])
        if name != "random":
            assert sum(told["leads"][name]) == one["counts"]["caught"]
    for row in told["rivals"]["warning"]["segments"].values():
        low, high = row["intervals"]["recall"]
        assert row["recall"] is None or low <= row["recall"] <= high
    headline = told["rivals"]["warning"]["counts"]
    assert told["misses_counted"] == headline["defaults"] - headline["caught_90"]
    assert told["false_alarms_counted"] == headline["judged"] - headline["right"] == len(told["false_alarms"])
    assert told["bases"] == {"warning": {"model": 2}} and set(told["calibration"]) <= {"warning"}
    assert set(told["trade_off"]) == {"warning", "rules", "rules:strict"}
    assert told["thresholds_are_chances"] == ["warning"]
    assert all(0 < row["threshold"] < 1 for row in told["trade_off"]["warning"] if row["threshold"] is not None)
    assert [threshold_words(told, name, 0.0214) for name in ("warning", "rules")] == ["2.1%", "0.0"]
    assert threshold_words({}, "warning", -4.532) == "-4.5", "kept from before"
    assert [row["share"] for row in told["trade_off"]["rules"]] == sorted(row["share"] for row in told["trade_off"]["rules"])


def test_where_the_truth_is_kept_beside_the_ledger_defaults_are_told_apart_by_it(small_ledger, told, tmp_path):
    strata = told["rivals"]["warning"]["strata"]
    assert set(strata) <= {*DEFAULT_KINDS, "unfailed"}
    assert sum(row["defaults"] for row in strata.values()) == told["defaults"]
    kinds = kinds_of_failures(answers.home(small_ledger))
    assert kinds and set(kinds.values()) <= set(DEFAULT_KINDS)
    assert kinds_of_failures(tmp_path / ".answers") == kinds_of_failures(None) == {}


def test_the_policy_in_force_opens_what_it_would_have_opened(book):
    def score(of):
        rows = owed(of)
        points = rows["score"].to_numpy()
        return pa.table({"buyer_id": rows["buyer_id"], "score": 100.0 * points / points.max(), "reasons": rows["reasons"]})

    found = replay(book, DAYS, definition(), {"rules": score}, guard_days=0)
    policy = checked({"severity": {"amber": {"rule_score": 5}, "red": {"rule_score": 50}}, "closing": {"rule_score": 5}})
    alerts = by_policy(found, policy, rules="rules")
    assert len(alerts) and len(set(alerts.buyer.tolist())) == len(alerts), "held until each is over"
    assert (found.scores["rules"][alerts.day, alerts.buyer] >= 5).all() and found.course.watched[alerts.day, alerts.buyer].all()
    for place in range(len(DAYS)):
        assert (alerts.day == place).sum() <= max(found.course.watched[place].sum() * 0.01, 1)
    urgent = checked(
        {"severity": {"amber": {"rule_score": 5}, "red": {"rule_score": 50}}, "closing": {"rule_score": 5}, "at_once": ["owes"]}
    )
    reached = (np.nan_to_num(found.scores["rules"][0]) >= 5) & found.course.watched[0]
    assert (by_policy(found, urgent, rules="rules").day == 0).sum() == reached.sum()


def test_what_cannot_be_replayed_is_said(book):
    with pytest.raises(HistoryMissingError):
        backtest(book, since=dt.date(2030, 1, 1))
    with pytest.raises(RuleInvalidError):
        backtest(book, name="bad_luck")


@pytest.mark.parametrize(("language", "words"), [("en", "drawing lots"), ("zh", "随机抽取")])
def test_the_command_tells_it_in_both_languages(small_ledger, tmp_path, capsys, language, words, told):
    (tmp_path / "strict.json").write_text(json.dumps(STRICT), encoding="utf-8")
    asked = [
        "--ledger",
        str(small_ledger.storage.folder),
        "--as-of",
        "2026-10-31",
        "--lang",
        language,
        "backtest",
        "--from",
        "2025-09-30",
        "--to",
        "2025-10-31",
    ]
    asked += ["--budget", "0.05", "--rules", str(tmp_path / "strict.json"), "--list", "2"]
    assert main(asked) == 0
    assert words in capsys.readouterr().out
    assert main([*asked, "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["defaults"] == told["defaults"]


def test_a_backtest_kept_before_signals_ran_out_is_told_as_it_was_counted(told):
    assert "(taken to be 731 days after publication at the latest)" in definition_note(told)
    parts = {name: {key: one for key, one in part.items() if key != "lasts_days"} if isinstance(part, dict) else part
             for name, part in told["definition"].items()}  # fmt: skip
    before = definition_note({**told, "definition": {**parts, "version": "v1"}})
    assert "insolvency proceedings known; listed as a judgment debtor." in before and "731" not in before


def test_a_backtest_kept_before_alerts_were_judged_by_their_whole_year_says_that_it_told_too_much(told):
    before = [note for note in notes_of({key: one for key, one in told.items() if key != "judged"}) if note not in notes_of(told)]
    assert len(before) == 1 and "whose 365 days were not over" in before[0]


def test_a_rule_set_that_is_none_is_refused(small_ledger, tmp_path, capsys):
    path = tmp_path / "rules.json"
    path.write_text("[1]", encoding="utf-8")
    assert main(["--ledger", str(small_ledger.storage.folder), "backtest", "--rules", str(path)]) == 2
    assert "--rules" in capsys.readouterr().err


@pytest.mark.long
def test_two_processes_say_the_same_as_one(book, monkeypatch):
    monkeypatch.setattr(replaying, "SHARED_FROM", 0)
    one, two = (replay(book, DAYS, definition(), {"owed": owed}, guard_days=1, processes=count) for count in (1, 2))
    for name, values in one.scores.items():
        np.testing.assert_array_equal(values, two.scores[name])
    assert one.reasons["owed"][0].equals(two.reasons["owed"][0])
    np.testing.assert_array_equal(one.course.watched, two.course.watched)
    with pytest.raises(LeakFoundError):
        replay(book, DAYS, definition(), {"leaking": owed_next_year}, guard_days=1, processes=2)
