"""The model's warning: everybody and one buyer told the same, exact reasons, nothing of later facts, and the fall-back where history is short."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import numpy as np
import pyarrow.compute as pc
import pytest

from duecourse import samples
from duecourse.desk.alone import alone
from duecourse.desk.opening import open_ledger
from duecourse.desk.replaying import without_later
from duecourse.desk.warning import SINCE, WARNED, warned, warning
from duecourse.desk.watched import SHORT_HISTORY_DAYS, in_default, in_default_since, short_history
from duecourse.errors import BuyerUnknownError
from duecourse.ledger.scope import Scope
from duecourse.messages import use_language
from duecourse.risk.outcomes import KINDS, default_events, defaults, definition
from duecourse.risk.points import POINTS_PER_LOG_ODDS, logit
from duecourse.samples.economy import Economy, write

ON = dt.date(2026, 6, 30)


@pytest.fixture(scope="module")
def everybody(small_ledger):
    book = small_ledger.as_of(ON)
    return book, warned(book)


def test_every_active_buyer_has_a_probability_riskiest_first(everybody):
    _book, rows = everybody
    assert rows.schema == WARNED.append(SINCE)
    assert rows.num_rows > 100
    rows = rows.filter(pc.is_null(rows["in_default_since"]))
    probability = rows["probability_6m"].to_numpy()
    assert ((probability > 0) & (probability < 1)).all()
    assert (rows["low"].to_numpy() <= probability + 1e-12).all()
    assert (probability <= rows["high"].to_numpy() + 1e-12).all()
    assert (np.diff(rows["rank"].to_numpy()) <= 0).all()
    assert set(rows["basis"].to_pylist()) == {"model"}


def test_who_is_in_default_stands_after_all_others_without_a_chance_of_it(everybody):
    book, rows = everybody
    events = defaults(default_events(book, definition(settings=book.settings))).to_pylist()
    in_default = {row["buyer_id"]: row["happened_on"] for row in events if row["cured_on"] is None}
    told = {row["buyer_id"]: row["in_default_since"] for row in rows.to_pylist() if row["in_default_since"]}
    assert told and told == {buyer: day for buyer, day in in_default.items() if buyer in set(rows["buyer_id"].to_pylist())}
    last = rows.slice(rows.num_rows - len(told))
    assert set(last["buyer_id"].to_pylist()) == set(told) and last["probability_6m"].null_count == len(told)
    assert last["low"].null_count == last["high"].null_count == len(told)
    for buyer in list(told)[:3]:
        one = warning(book, buyer)
        assert (one.in_default_since, one.probability_6m, one.low, one.high) == (told[buyer], None, None, None)


def test_one_buyer_is_told_the_same_as_among_all_and_its_points_add_up(everybody):
    book, rows = everybody
    for place in (0, 1, 50, rows.num_rows - 1):
        row = rows.slice(place, 1).to_pylist()[0]
        one = warning(book, row["buyer_id"])
        against = [theme.theme for theme in one.themes if theme.points < 0][: len(row["themes"])]
        assert against == row["themes"]
        assert one.in_default_since == row["in_default_since"]
        if one.in_default_since:
            continue
        assert one.probability_6m == pytest.approx(row["probability_6m"], rel=1e-9)
        assert one.low == pytest.approx(row["low"], rel=1e-9)
        odds = float(logit(np.array(one.probability_6m)) - logit(np.array(one.base_rate_6m)))
        assert one.points == pytest.approx(-POINTS_PER_LOG_ODDS * odds, abs=1e-6)


def test_a_definition_by_which_nothing_is_a_default_puts_nobody_in_default(everybody):
    book, rows = everybody
    nothing = {"definitions": {"default": {kind: {"used": False} for kind in KINDS}}}
    own = replace(book)
    own.__dict__["settings"] = {**book.settings, "default_definitions": nothing}
    assert in_default(book) and in_default(own) == {}
    buyer = next(row["buyer_id"] for row in rows.to_pylist() if row["in_default_since"])
    facts = alone(book, buyer)
    assert in_default_since(facts, buyer)
    facts.__dict__["settings"] = own.settings
    assert in_default_since(facts, buyer) is None


def test_every_theme_reads_in_both_languages(everybody):
    book, rows = everybody
    for place in range(0, rows.num_rows, 40):
        for theme in warning(book, rows["buyer_id"][place].as_py()).themes:
            english, chinese = theme.sentence("en"), theme.sentence("zh")
            assert english != chinese
            assert "{" not in english + chinese
    use_language("en")


def test_no_later_fact_is_seen(small_ledger, everybody):
    book, rows = everybody
    bare = warned(without_later(book).as_of(ON))
    assert bare["buyer_id"].to_pylist() == rows["buyer_id"].to_pylist()
    np.testing.assert_allclose(bare["rank"].to_numpy(), rows["rank"].to_numpy(), rtol=1e-9)


def test_with_a_short_history_the_longest_delay_ranks_and_no_probability_is_given(tmp_path):
    ledger = open_ledger(tmp_path / "short", create=True, threads=1)
    write(ledger, Economy(invoices=1_500, buyers=60, years=1, seed=5))
    book = ledger.as_of(dt.date(2026, 10, 31))
    first = pc.min(book.run(book.invoice.select("issue_date"))["issue_date"]).as_py()
    assert (book.on - first).days < SHORT_HISTORY_DAYS
    rows = warned(book)
    assert set(rows["basis"].to_pylist()) == {"worst_so_far"}
    assert rows["probability_6m"].null_count == rows.num_rows
    known = [row["rank"] for row in rows.to_pylist() if row["rank"] is not None and not row["in_default_since"]]
    assert known == sorted(known, reverse=True)
    one = warning(book, rows["buyer_id"][0].as_py())
    assert (one.basis, one.probability_6m, one.worst_days_late) == ("worst_so_far", None, known[0])


def test_a_year_is_enough_where_more_than_payments_is_known():
    def bill(number, day):
        return {"invoice_id": f"i{number}-{day}", "buyer_id": f"b{number}", "issue_date": ON - dt.timedelta(days=day), "due_date": ON}

    def short(oldest, of=(), late=0):
        told = {
            "signal": [
                {"signal_id": f"s{one}", "buyer_id": one, "kind": "news", "published_on": ON + dt.timedelta(days=late)} for one in of
            ]
        }
        invoices = [bill(number, day) for number in range(10) for day in {oldest, 30}] + [bill(99, 366)]
        return short_history(samples.book(ON, invoice=invoices if oldest > 365 else invoices[:-1], **told))

    assert short(400)
    assert short(400, ["b1"])
    assert not short(400, ["b1", "b2"]), "one in five of those that trade; who bought more than a year ago does not count"
    assert short(400, ["b1", "b2"], late=1), "what is published later is not known"
    assert short(400, ["b1", "b99"])
    assert short(364, ["b1", "b2", "b3"])
    assert not short(SHORT_HISTORY_DAYS)


def test_a_person_sees_the_buyers_it_may_see_told_as_everybody_is(everybody):
    book, rows = everybody
    owner = next(name for name in book.run(book.buyer.select("sales_owner").distinct())["sales_owner"].to_pylist() if name)
    mine = warned(book.limited(Scope(sales_owners=frozenset([owner]))))
    assert 0 < mine.num_rows < rows.num_rows
    whole = dict(zip(rows["buyer_id"].to_pylist(), rows["probability_6m"].to_pylist(), strict=True))
    for row in mine.to_pylist():
        told = whole[row["buyer_id"]]
        assert row["probability_6m"] == (told if told is None else pytest.approx(told, rel=1e-9))


def test_an_unknown_buyer_is_named(everybody):
    with pytest.raises(BuyerUnknownError):
        warning(everybody[0], "nobody")
