"""Every figure equals a replay of the facts in plain Python, on random ledgers at random days."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duecourse import samples
from duecourse.measures.buyer import buyer_measures
from duecourse.measures.dso import countback_dso, simple_dso
from duecourse.measures.effectiveness import collection_effectiveness, migration
from duecourse.measures.history import history
from duecourse.measures.payment import days_beyond_terms
from duecourse.measures.receivables import ageing, open_items, outstanding, unapplied_credits
from duecourse.measures.tenure import tenure
from support.examples import examples
from support.random_ledgers import DATES, ledgers
from support.replay import BUCKETS, DAY, Replay, month_before

CURRENCIES = ("CNY", "USD")
NEAR = {"rel": 1e-9, "abs": 1e-9}


def drawn(facts, on):
    invoices, settlements = facts
    return samples.book(on, invoice=invoices, settlement=settlements), Replay(invoices, settlements, on)


def by_currency(book, expr):
    return {row["currency"]: row for row in book.run(expr).to_pylist()}


@given(facts=ledgers(), on=DATES, by=st.sampled_from(["due_date", "issue_date"]))
@examples(8, 1000)
def test_outstanding_and_ageing_equal_a_replay(facts, on, by):
    book, replay = drawn(facts, on)
    found = by_currency(book, outstanding(book))
    ages = book.run(ageing(book, by=by)).to_pylist()
    for currency in CURRENCIES:
        of = (None, currency)
        row = found.get(currency, {"outstanding": 0, "overdue": 0, "unapplied_credits": 0, "net": 0})
        assert row["outstanding"] == replay.outstanding(*of)
        assert row["overdue"] == replay.overdue(*of)
        assert row["unapplied_credits"] == replay.unapplied(*of)
        assert row["net"] == replay.balance_at(on, *of)
        buckets = [r for r in sorted(ages, key=lambda r: r["bucket_order"]) if r["currency"] == currency]
        assert sum(r["amount"] for r in buckets) == row["outstanding"]
        if buckets:
            assert {r["bucket"]: r["amount"] for r in buckets} == replay.ageing(by, *of)
            assert [r["bucket"] for r in buckets] == [name for name, _, _ in BUCKETS]
            assert sum(r["items"] for r in buckets) == row["open_invoices"]


@given(facts=ledgers(), on=DATES)
@examples(4, 240)
def test_the_measures_of_a_buyer_equal_a_replay(facts, on):
    book, replay = drawn(facts, on)
    rows = {(row["buyer_id"], row["currency"]): row for row in book.run(buyer_measures(book)).to_pylist()}
    assert set(rows) == replay.keys()
    for key, row in rows.items():
        expected = replay.buyer(*key)
        assert list(row) == list(expected)
        for name, value in expected.items():
            assert row[name] == (pytest.approx(value, **NEAR) if isinstance(value, float) else value), (key, name)


@given(facts=ledgers(), on=DATES, days=st.integers(1, 400), months=st.integers(1, 36))
@examples(2, 160)
def test_dso_and_days_beyond_terms_equal_a_replay(facts, on, days, months):
    book, replay = drawn(facts, on)
    simple = by_currency(book, simple_dso(book, period_days=days))
    back = by_currency(book, countback_dso(book, months=months))
    late = by_currency(book, days_beyond_terms(book, per=("currency",), window_days=days))
    for currency in CURRENCIES:
        of = (None, currency)
        sales = replay.sales(on - days * DAY, *of)
        if sales:
            assert simple[currency]["dso_simple"] == pytest.approx(replay.outstanding(*of) * days / sales, **NEAR)
        expected, censored = replay.countback(*of, months=months)
        assert (currency in back) == (expected is not None)
        if expected is not None:
            assert back[currency]["dso_countback"] == pytest.approx(expected, **NEAR)
            assert back[currency]["dso_censored"] == censored
        paid, signed, floored = replay.beyond_terms(days, *of)
        row = late.get(currency, {"paid": 0, "days_beyond_terms": None, "days_beyond_terms_floored": None})
        assert row["paid"] == paid
        assert row["days_beyond_terms"] == (None if signed is None else pytest.approx(signed, **NEAR))
        assert row["days_beyond_terms_floored"] == (None if floored is None else pytest.approx(floored, **NEAR))


@given(facts=ledgers(), on=DATES, back=st.integers(1, 200))
@examples(2, 160)
def test_what_became_of_the_balances_adds_up_to_them(facts, on, back):
    book, replay = drawn(facts, on)
    since = on - back * DAY
    rows = book.run(migration(book, since=since)).to_pylist()
    for currency in CURRENCIES:
        begin = {name: amount for name, amount in replay.at(since).ageing("due_date", None, currency).items() if amount}
        found = {}
        for row in rows:
            if row["currency"] == currency:
                found[row["bucket_from"]] = found.get(row["bucket_from"], 0) + row["amount"]
        assert found == begin
    cei = by_currency(book, collection_effectiveness(book, since=since))
    for currency, row in cei.items():
        expected = replay.cei(since, None, currency)
        assert row["cei"] == (None if expected is None else pytest.approx(expected, **NEAR))


@given(facts=ledgers(), on=DATES, months=st.integers(1, 14))
@examples(2, 120)
def test_the_history_equals_the_book_of_each_month_end(facts, on, months):
    book, replay = drawn(facts, on)
    rows = {(row["currency"], row["months_back"]): row for row in book.run(history(book, months=months)).to_pylist()}
    end = on
    for back in range(months):
        then, since = replay.at(end), month_before(end)
        for currency in CURRENCIES:
            of = (None, currency)
            row = rows.pop((currency, back), None)
            sales, quarter = then.sales(since, *of), then.sales(end - 90 * DAY, *of)
            cash = sum(
                s["amount_minor"] for s, _ in replay.settled(*of) if since < s["settle_date"] <= end and s["kind"] in {"cash", "unknown"}
            )
            countback, censored = then.countback(*of)
            if row is None:
                assert not (then.outstanding(*of) or sales or cash)
                continue
            assert row["month_end"] == end
            assert (row["outstanding"], row["overdue"]) == (then.outstanding(*of), then.overdue(*of))
            assert {name: row[name] for name, _, _ in BUCKETS} == then.ageing("due_date", *of)
            assert (row["credit_sales"], row["cash_received"], row["credits"]) == (sales, cash, then.credits((end - since).days, *of))
            assert row["dso_simple"] == (pytest.approx(then.outstanding(*of) * 90 / quarter, **NEAR) if quarter else None)
            assert row["dso_countback"] == (None if countback is None else pytest.approx(countback, **NEAR))
            assert row["dso_censored"] == censored
            cei = then.cei(since, *of)
            assert row["cei"] == (None if cei is None else pytest.approx(cei, **NEAR))
            late = then.beyond_terms((end - since).days, *of)[1]
            assert row["days_beyond_terms"] == (None if late is None else pytest.approx(late, **NEAR))
            delinquent = then.overdue(*of) * 90 / quarter if quarter else None
            assert row["average_days_delinquent"] == (None if delinquent is None else pytest.approx(delinquent, **NEAR))
        end = since
    assert not rows


@given(facts=ledgers(most_invoices=12), on=DATES)
@examples(2, 60)
def test_the_history_of_a_buyer_equals_its_measures(facts, on):
    book, _ = drawn(facts, on)
    now = {(row["buyer_id"], row["currency"]): row for row in book.run(buyer_measures(book)).to_pylist() if row["outstanding"]}
    latest = {
        (row["buyer_id"], row["currency"]): row
        for row in book.run(history(book, months=3, per=("buyer_id",))).to_pylist()
        if row["months_back"] == 0 and row["outstanding"]
    }
    assert set(latest) == set(now)
    for key, row in latest.items():
        assert all(row[name] == now[key][name] for name in ("outstanding", "overdue", *(n for n, _, _ in BUCKETS)))
        assert row["dso_countback"] == pytest.approx(now[key]["dso_countback"], **NEAR)


@given(facts=ledgers(), on=DATES)
@examples(2, 120)
def test_the_peak_is_the_highest_balance_of_any_day(facts, on):
    book, replay = drawn(facts, on)
    start = min((row.get("issue_date") or row["settle_date"] for row in (*facts[0], *facts[1])), default=on)
    for row in book.run(tenure(book)).to_pylist():
        of = (row["buyer_id"], row["currency"])
        days = max((on - start).days + 1, 1)
        assert row["peak_balance"] == max(replay.peak(days, *of), 0)
        if row["peak_balance_on"]:
            assert replay.balance_at(row["peak_balance_on"], *of) == row["peak_balance"]


@given(facts=ledgers(), on=DATES, at=DATES)
@examples(2, 100)
def test_an_earlier_day_of_a_book_is_the_book_of_that_day(facts, on, at):
    """Facts after a day never change what the book of that day says."""
    at = min(on, at)
    later, _ = drawn(facts, on)
    then, _ = drawn(facts, at)
    for measure in (open_items, outstanding, ageing, unapplied_credits):
        left, right = (sorted(map(str, book.run(measure(book, **more)).to_pylist())) for book, more in ((later, {"at": at}), (then, {})))
        assert left == right


@given(facts=ledgers(), on=DATES, seed=st.randoms(use_true_random=False))
@examples(2, 60)
def test_the_order_of_the_facts_does_not_matter(facts, on, seed):
    invoices, settlements = (list(rows) for rows in facts)
    straight, _ = drawn(facts, on)
    seed.shuffle(invoices)
    seed.shuffle(settlements)
    mixed, _ = drawn((invoices, settlements), on)
    left, right = (
        sorted(book.run(buyer_measures(book)).to_pylist(), key=lambda row: (row["buyer_id"], row["currency"])) for book in (straight, mixed)
    )
    assert left == right


def test_a_month_starts_where_the_one_before_ended():
    assert month_before(dt.date(2024, 3, 31)) == dt.date(2024, 2, 29)
