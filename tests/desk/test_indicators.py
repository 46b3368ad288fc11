"""The forty indicators of everybody and of one buyer: the same, as of their day, with reasons and facts; and what is lacking is said."""

from __future__ import annotations

import datetime as dt
import json

import pyarrow as pa
import pytest
from hypothesis import given

from duecourse import samples
from duecourse.cli import main
from duecourse.desk import surroundings as around
from duecourse.desk.indicator_view import indicators_of
from duecourse.desk.indicators import columns, figures_of, indicators, scored, warning_rules
from duecourse.desk.opening import open_ledger
from duecourse.errors import BuyerUnknownError
from duecourse.ledger.scope import Scope
from duecourse.messages import use_language
from duecourse.risk.warning.rules_v1 import WarningRulesInvalidError, judge, shipped
from duecourse.samples.economy import Economy, write
from support.examples import examples
from support.random_evidence import BUYERS, books, known_by
from support.random_ledgers import DATES

ON = dt.date(2026, 10, 31)
EVERYBODY = pa.array(list(BUYERS), pa.string())


@pytest.fixture(scope="module")
def whole(small_ledger):
    """The book of a small economy, the score of everybody, and the indicators it was made of."""
    book = small_ledger.as_of(ON)
    rows = scored(book)
    return book, rows, indicators(book, rows["buyer_id"].combine_chunks())


def near(one, other):
    for name in one.column_names:
        left, right = one[name].to_pylist(), other[name].to_pylist()
        assert left == [
            value if value is None or isinstance(value, str) else pytest.approx(value, rel=1e-9, abs=1e-9) for value in right
        ], name


@given(facts=books(), on=DATES)
@examples(2, 150)
def test_what_comes_later_changes_no_indicator(facts, on):
    later, then = samples.book(on, **facts), samples.book(on, **known_by(facts, on))
    near(indicators(later, EVERYBODY), indicators(then, EVERYBODY))


@given(facts=books(), on=DATES)
@examples(2, 150)
def test_one_buyer_alone_is_told_the_same_as_among_all(facts, on):
    book = samples.book(on, **facts)
    everybody = indicators(book, EVERYBODY)
    for place, buyer in enumerate(BUYERS):
        try:
            one, _own, _around = figures_of(book, buyer)
        except BuyerUnknownError:
            assert not any(row.get("buyer_id") == buyer for rows in known_by(facts, on).values() for row in rows)
            continue
        near(one, everybody.slice(place, 1))


def test_a_large_ledger_is_told_as_one_in_memory_one_by_one(whole):
    book, rows, table = whole
    everybody = rows["buyer_id"]
    assert table.column_names == ["buyer_id", *columns()]
    assert list(columns()[:40]) == list(shipped().indicators)
    for place in range(0, table.num_rows, 70):
        near(figures_of(book, everybody[place].as_py())[0], table.slice(place, 1))


def test_a_buyer_of_whom_only_an_order_is_known_is_no_stranger():
    day = dt.date(2026, 3, 31)
    order = {"order_id": "o", "buyer_id": "new", "order_date": day, "amount_minor": 500, "currency": "CNY"}
    book = samples.book(day, order=[order])
    near(figures_of(book, "new")[0], indicators(book, pa.array(["new"])))
    with pytest.raises(BuyerUnknownError):
        figures_of(samples.book(day - dt.timedelta(days=1), order=[order]), "new")


def test_nothing_is_known_of_a_buyer_without_facts():
    book = samples.book(dt.date(2026, 3, 31), buyer=[{"buyer_id": "a"}])
    found = indicators_of(book, "a")
    assert len(found.missing) == 40
    assert found.score is found.composite is None
    assert (found.level, found.known, found.reasons) == ("missing", 0, [])
    assert scored(book).num_rows == 0
    with pytest.raises(BuyerUnknownError):
        indicators_of(book, "nobody")


def test_no_sign_of_a_kind_that_is_recorded_is_a_zero_and_else_nothing_is_known():
    on = dt.date(2026, 3, 31)
    told = [
        {"signal_id": "1", "buyer_id": "a", "kind": "lawsuit", "published_on": on},
        {"signal_id": "2", "buyer_id": "a", "kind": "no_answer", "published_on": on},
    ]
    book = samples.book(
        on, buyer=[{"buyer_id": name, "country": country} for name, country in (("a", "CN"), ("b", "CN"), ("c", "DE"))], signal=told
    )
    rows = {row["buyer_id"]: row for row in indicators(book, pa.array(["a", "b", "c"])).to_pylist()}
    assert [rows[name]["NEG02"] for name in "abc"] == [1, 0, None], "courts are those of a country"
    assert [rows[name]["CON02"] for name in "abc"] == [1, 0, 0], "reminders are our own"
    assert [rows[name]["NEG06"] for name in "abc"] == [None] * 3


def test_reasons_facts_and_words(whole):
    book, rows, _table = whole
    worst = rows["buyer_id"][0].as_py()
    found = indicators_of(book, worst)
    assert found.level == "red"
    assert found.reasons[0].weight * (2 if found.reasons[0].level == "red" else 1) == max(
        one.weight * (2 if one.level == "red" else 1) for one in found.reasons
    )
    assert {one.identifier for one in found.indicators if one.level in ("amber", "red")} == {one.identifier for one in found.reasons}
    for language in ("en", "zh"):
        use_language(language)
        for one in found.reasons:
            words = one.sentence()
            assert "{" not in words
            assert words
            assert one.name()
    overdue = next(one for one in found.reasons if one.identifier == "PAY03")
    assert overdue.facts >= len(overdue.evidence) > 0
    assert overdue.evidence[0].days == overdue.value == (ON - overdue.evidence[0].on).days
    assert overdue.since == overdue.evidence[0].on + dt.timedelta(days=1)
    assert json.loads(json.dumps(found.data(), default=str))["indicators"][0]["id"] == "PAY01"


def test_a_firms_own_thresholds_are_used_and_refused_where_they_make_no_sense():
    strict = samples.book(dt.date(2026, 3, 31), setting=[{"name": "warning_rules", "value": json.dumps({"indicators": {"PAY04": {"red": [[["PAY04", ">=", 1]]]}}})}],
                          signal=[{"signal_id": "1", "buyer_id": "a", "kind": "broken_promise", "published_on": dt.date(2026, 3, 1)}])  # fmt: skip
    found = indicators_of(strict, "a")
    assert next(one for one in found.indicators if one.identifier == "PAY04").level == "red"
    assert found.version != shipped().version
    wrong = samples.book(dt.date(2026, 3, 31), setting=[{"name": "warning_rules", "value": '{"red_from": 7}'}])
    with pytest.raises(WarningRulesInvalidError):
        warning_rules(wrong)


def test_a_person_sees_its_buyers_with_the_figures_of_the_whole(whole):
    book, rows, _table = whole
    owner = book.run(book.buyer.select("sales_owner"))["sales_owner"].to_pylist()[0]
    mine = book.limited(Scope(sales_owners=frozenset([owner])))
    everything = {row["buyer_id"]: row for row in rows.to_pylist()}
    seen = scored(mine).to_pylist()
    assert 0 < len(seen) < len(everything)
    assert all(row == everything[row["buyer_id"]] for row in seen)
    hidden = next(iter(set(everything) - {row["buyer_id"] for row in seen}))
    with pytest.raises(BuyerUnknownError):
        indicators_of(mine, hidden)


def test_surroundings_are_kept_for_the_day_while_few_facts_come(tmp_path, monkeypatch):
    ledger = open_ledger(tmp_path / "ledger", create=True, threads=1)
    write(ledger, Economy(invoices=1_000, buyers=40, years=2, seed=5))
    book = ledger.as_of(ON)
    buyer = scored(book)["buyer_id"][0].as_py()
    asked = []
    monkeypatch.setattr(around, "surroundings_of", lambda *given: asked.append(given) or pytest.fail("kept by `scored` already"))
    before = around.surroundings(book)
    around._kept.clear()
    assert around.surroundings(book) == before, "from its file, too"
    monkeypatch.undo()
    with ledger.draft("post", note="news") as draft:
        facts = [{"signal_id": "news-1", "buyer_id": buyer, "kind": "arrears_list", "published_on": book.on}]
        schema = ledger.as_of(book.on).signal.schema().to_pyarrow()
        names = [name for name in schema.names if name not in ("recorded_at", "source", "source_row")]
        draft.put("signal", pa.table({name: pa.array([facts[0].get(name)], schema.field(name).type) for name in names}))
        draft.commit()
    after = ledger.as_of(book.on)
    monkeypatch.setattr(around, "surroundings_of", lambda *given: asked.append(given) or pytest.fail("one signal moves no country"))
    row = figures_of(after, buyer)[0].to_pylist()[0]
    assert row["NEG07"] == 1, "the signal itself counts, although nobody was listed before"
    monkeypatch.setattr(around, "FACTS_SINCE", 0)
    with pytest.raises(pytest.fail.Exception):
        around.surroundings(after)


def test_the_command_line_tells_all_and_one(whole, small_ledger, capsys):
    place, (_book, rows, _table) = str(small_ledger.storage.folder), whole
    assert main(["--ledger", place, "--as-of", str(ON), "--format", "json", "indicators"]) == 0
    told = json.loads(capsys.readouterr().out)["indicators"]
    assert [row["buyer_id"] for row in told] == rows["buyer_id"].to_pylist()
    assert [row["score"] for row in told] == sorted((row["score"] for row in told), reverse=True)
    for language, word in (("en", "No data:"), ("zh", "无数据：")):
        assert main(["--ledger", place, "--as-of", str(ON), "--lang", language, "indicators", told[0]["buyer_id"]]) == 0
        assert word in capsys.readouterr().out


def test_judge_reads_what_indicators_gives(whole):
    _book, rows, table = whole
    done = judge(table)
    assert done.levels.shape == (table.num_rows, 40)
    assert (done.known > 0).all()
    assert done.score.tolist() == pytest.approx(rows["score"].to_pylist())
