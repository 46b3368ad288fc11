"""The demo's limits follow from what was known on their day, one of a kind at a time, and insurers cut after the grade has fallen."""

from __future__ import annotations

import bisect
import datetime as dt
from collections import defaultdict
from itertools import pairwise

import pytest

from duecourse.ledger.entries import LIMIT_KINDS
from duecourse.samples.limits import _rounded
from support.worlds import economy


@pytest.fixture(scope="module")
def world():
    return economy(invoices=60_000, buyers=1_500, years=5, seed=12)


@pytest.fixture(scope="module")
def limits(world):
    return world[1]["limit"].to_pylist()


def test_each_limit_is_there_once_and_within_the_time(world, limits):
    one, made, _ = world
    assert len({row["limit_id"] for row in limits}) == len(limits)
    assert {row["kind"] for row in limits} == set(LIMIT_KINDS)
    assert [(row["buyer_id"], row["valid_from"]) for row in limits] == sorted((row["buyer_id"], row["valid_from"]) for row in limits)
    since = dict(zip(made["buyer"]["buyer_id"].to_pylist(), made["buyer"]["customer_since"].to_pylist(), strict=True))
    for row in limits:
        assert since[row["buyer_id"]] <= row["valid_from"] <= one.until
        assert row["ended_on"] is None or row["ended_on"] <= one.until
        assert (row["amount_minor"] is None) == (row["currency"] is None) == (row["kind"] == "block")
        assert row["kind"] == "block" or row["amount_minor"] > 0
        assert row["kind"] != "standing" or row["valid_from"] < row["review_on"] < row["valid_to"]


def test_limits_of_a_kind_follow_one_another(limits):
    """A newer one replaces the one before it; a stop that was lifted was lifted before the next one."""
    by_kind = defaultdict(list)
    for row in limits:
        by_kind[row["buyer_id"], row["kind"]].append(row)
    for (_, kind), rows in by_kind.items():
        for earlier, later in pairwise(rows):
            assert earlier["valid_from"] < later["valid_from"]
            assert earlier["ended_on"] is None or earlier["valid_from"] <= earlier["ended_on"] <= later["valid_from"]
            assert kind != "block" or earlier["ended_on"] is not None


def balances(connection, buyer, days):
    moves = connection.execute(
        """SELECT issue_date, amount_minor FROM invoice WHERE buyer_id = $buyer UNION ALL SELECT settle_date, -amount_minor FROM settlement
        WHERE buyer_id = $buyer ORDER BY 1""",
        {"buyer": buyer},
    ).fetchall()
    return [sum(amount for day, amount in moves if day <= on) for on in days]


def test_a_yearly_limit_is_a_quarter_above_the_second_highest_of_twelve_month_ends(world, limits):
    """Worked out again from the facts, where nothing was long overdue: what comes after a limit's day does not enter it."""
    one, _, connection = world
    late = {row["buyer_id"] for row in limits if row["kind"] == "block"}
    checked = 0
    for row in limits:
        if row["kind"] != "standing" or row["valid_from"] < one.since + dt.timedelta(days=400) or row["buyer_id"] in late or checked >= 60:
            continue
        ends = []
        day = row["valid_from"].replace(day=1) - dt.timedelta(days=1)
        for _month in range(12):
            ends.append(day)
            day = day.replace(day=1) - dt.timedelta(days=1)
        earlier = [
            other
            for other in limits
            if other["buyer_id"] == row["buyer_id"] and other["kind"] == "standing" and other["valid_from"] < row["valid_from"]
        ]
        if not earlier:
            continue
        second = sorted(balances(connection, row["buyer_id"], ends))[-2]
        assert row["amount_minor"] in (int(_rounded(1.25 * second)), earlier[-1]["amount_minor"])
        checked += 1
    assert checked == 60


def test_the_insurer_cuts_after_the_grade_it_sees_has_fallen(world):
    _, _, connection = world
    cuts = connection.sql(
        """SELECT s.amount_minor, text, (SELECT sum(amount_minor) FROM limit_ l WHERE l.buyer_id = s.buyer_id AND kind = 'insurer' AND
        valid_from = published_on) AS new, (SELECT arg_max(amount_minor, valid_from) FROM limit_ l WHERE l.buyer_id = s.buyer_id
        AND kind = 'insurer' AND valid_from < published_on) AS old, (SELECT count(*) FROM limit_ l WHERE l.buyer_id = s.buyer_id AND kind = 'insurer'
        AND ended_on = published_on) AS ended FROM signal s WHERE kind = 'insurer_limit_cut'"""
    ).fetchall()
    assert len(cuts) > 50
    for amount, text, new, old, ended in cuts:
        assert new == amount
        assert (new is None) == text.startswith("Limit withdrawn") == (ended == 1)
        assert new is None or new < old
    fallen, whole = connection.sql(
        """SELECT count(*) FILTER (now.grade > was.grade OR now.stress > was.stress), count(*) FROM signal s
        JOIN truth_buyer_month now ON now.buyer_id = s.buyer_id AND now.month_end BETWEEN published_on - 70 AND published_on - 9
        JOIN truth_buyer_month was ON was.buyer_id = s.buyer_id AND was.month_end = (date_trunc('month', now.month_end) - INTERVAL 1 DAY)::DATE
        WHERE kind = 'insurer_limit_cut' AND now.month_end = (SELECT max(month_end) FROM truth_buyer_month m WHERE m.month_end <= published_on - 9)"""
    ).fetchall()[0]
    assert fallen > 0.6 * whole


def test_limits_are_used_as_limits_are(world):
    one, made, connection = world
    book = defaultdict(list)
    for row in made["limit"].to_pylist():
        if row["kind"] == "standing":
            book[row["buyer_id"]].append((row["valid_from"], row["amount_minor"]))
    used = {}
    day = one.until - dt.timedelta(days=200)
    owed = connection.execute(
        """SELECT buyer_id, sum(amount) FROM (SELECT buyer_id, amount_minor AS amount FROM invoice WHERE issue_date <= $day UNION ALL
        SELECT buyer_id, -amount_minor FROM settlement WHERE settle_date <= $day) GROUP BY ALL""",
        {"day": day},
    ).fetchall()
    for buyer, amount in owed:
        place = bisect.bisect_right([start for start, _ in book[buyer]], day)
        if place and amount > 0:
            used[buyer] = amount / book[buyer][place - 1][1]
    shares = sorted(used.values())
    assert 0.25 < shares[len(shares) // 2] < 0.65
    assert 0.03 < sum(share > 0.9 for share in shares) / len(shares) < 0.30


def test_a_stop_follows_a_failure_or_money_long_overdue(world, limits):
    _, made, _ = world
    failed = {row["buyer_id"]: row["default_date"] for row in made["truth_buyer"].to_pylist() if row["default_date"]}
    stopped = [row for row in limits if row["kind"] == "block"]
    unfounded = [
        row for row in stopped if row["ended_on"] is None and row["buyer_id"] in failed and row["valid_from"] < failed[row["buyer_id"]]
    ]
    assert len(unfounded) <= 0.1 * len(stopped)
    assert all(row["valid_to"] is None for row in stopped)
