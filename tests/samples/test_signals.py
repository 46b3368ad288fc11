"""What is said of the demo's buyers goes with their distress, whether it ends in failure or passes, and never tells what is to come."""

from __future__ import annotations

import pytest

from duecourse.ledger.entries import SIGNAL_KINDS, SIGNAL_SEVERITIES
from support.worlds import spoken

MONTHS = """
CREATE TABLE IF NOT EXISTS month AS
SELECT m.buyer_id, m.month_end, date_trunc('month', m.month_end)::DATE AS first_day, default_date, default_kind, t.cloaked,
    m.stress AS s0, coalesce(lag(m.stress) OVER before, 0) AS s1, coalesce(lag(m.stress, 2) OVER before, 0) AS s2
FROM truth_buyer_month m JOIN truth_buyer t USING (buyer_id) JOIN buyer b USING (buyer_id)
WHERE m.month_end <= $until AND date_trunc('month', m.month_end) > customer_since
    AND (default_date IS NULL OR m.month_end < default_date)
WINDOW before AS (PARTITION BY buyer_id ORDER BY m.month_end)
"""


@pytest.fixture(scope="module")
def world():
    one, made, connection = spoken()
    connection.execute(MONTHS, {"until": one.until})
    return one, made, connection


def rate(connection, kind, which):
    """Share of buyer-months in which a kind of signal appeared, and how many months that is of."""
    return connection.execute(
        f"""SELECT avg((signal_id IS NOT NULL)::INT), count(*) FROM month LEFT JOIN (SELECT buyer_id, date_trunc('month', published_on)::DATE AS
        first_day, min(signal_id) AS signal_id FROM signal WHERE kind = ? GROUP BY ALL) USING (buyer_id, first_day) WHERE {which}""",
        [kind],
    ).fetchall()[0]


def test_signals_are_of_known_kinds_once_each_and_within_the_time(world):
    one, made, _ = world
    signal = made["signal"].to_pylist()
    assert {row["kind"] for row in signal} <= set(SIGNAL_KINDS)
    assert {row["severity"] for row in signal} <= set(SIGNAL_SEVERITIES)
    assert len({row["signal_id"] for row in signal}) == len(signal)
    assert all(one.since <= row["published_on"] <= one.until for row in signal)
    assert all(row["ended_on"] is None or row["published_on"] < row["ended_on"] <= one.until for row in signal)
    assert all((row["amount_minor"] is None) == (row["currency"] is None) for row in signal)
    since = dict(zip(made["buyer"]["buyer_id"].to_pylist(), made["buyer"]["customer_since"].to_pylist(), strict=True))
    assert all(row["published_on"] >= since[row["buyer_id"]] for row in signal)


@pytest.mark.parametrize(
    ("kind", "lag", "rest", "more"),
    [("contact_change", "s0", 0.015, 0.09), ("lawsuit", "s2", 0.004, 0.12), ("terms_request", "s0", 0.01, 0.10)],
)
def test_signals_come_as_often_as_the_law_says(world, kind, lag, rest, more):
    shown = "AND NOT cloaked" if kind == "terms_request" else ""
    calm, months = rate(world[2], kind, f"{lag} = 0 {shown}")
    assert abs(calm - rest) < 4 * (rest / months) ** 0.5
    for low, high in ((0.2, 0.4), (0.4, 0.7)):
        found, months = rate(world[2], kind, f"{lag} BETWEEN {low} AND {high} {shown}")
        expected = rest + more * (low + high) / 2
        assert abs(found - expected) < more * (high - low) / 4 + 4 * (expected / months) ** 0.5


def test_distress_that_passes_is_spoken_of_as_distress_that_does_not(world):
    for kind in ("lawsuit", "contact_change", "terms_request"):
        alike = "s0 BETWEEN 0.3 AND 0.6 AND s2 BETWEEN 0.2 AND 0.6 AND NOT cloaked"
        fails, months = rate(world[2], kind, f"{alike} AND default_date <= month_end + 400")
        passes, others = rate(world[2], kind, f"{alike} AND default_date IS NULL")
        assert min(months, others) > 150
        assert passes > 0
        assert abs(fails - passes) < 4 * (fails * (1 / months + 1 / others)) ** 0.5, kind


def test_sudden_failures_are_not_announced(world):
    """In the year before it a firm that fails out of the blue is spoken of as any other in no distress."""
    for kind in ("lawsuit", "contact_change", "news", "terms_request", "enforcement"):
        before, months = rate(world[2], kind, "default_kind = 'sudden' AND s0 = 0 AND s1 = 0 AND s2 = 0 AND default_date < month_end + 365")
        calm, _ = rate(world[2], kind, "default_date IS NULL AND s0 = 0 AND s1 = 0 AND s2 = 0")
        assert months > 300
        assert abs(before - calm) < 4 * (max(calm, 1 / months) / months) ** 0.5 + 0.001, kind


def test_cloaked_buyers_hide_in_payments_and_not_in_the_news(world):
    sick = "s0 > 0.4 AND s2 > 0.2"
    for kind, hidden in (("terms_request", True), ("lawsuit", False)):
        open_, _ = rate(world[2], kind, f"{sick} AND NOT cloaked")
        cloaked, months = rate(world[2], kind, f"{sick} AND cloaked")
        assert months > 100
        assert (cloaked < 0.6 * open_) is hidden, kind


def test_insolvency_is_told_after_the_failure_of_that_form_only(world):
    one, _, connection = world
    wrong = connection.execute(
        """SELECT 1 FROM signal JOIN truth_buyer USING (buyer_id) WHERE kind = 'insolvency' AND NOT (default_form = 'insolvency' AND
        published_on BETWEEN default_date + 2 AND default_date + 13)"""
    ).fetchall()
    missing = connection.execute(
        """SELECT 1 FROM truth_buyer ANTI JOIN (SELECT * FROM signal WHERE kind = 'insolvency') USING (buyer_id)
        WHERE default_form = 'insolvency' AND default_date + 14 <= ?""",
        [one.until],
    ).fetchall()
    assert wrong == missing == []


def test_a_promise_is_broken_only_while_something_is_overdue(world):
    (unfounded,) = (
        world[2]
        .sql(
            """SELECT count(*) FROM signal s WHERE kind = 'broken_promise' AND NOT EXISTS (SELECT 1 FROM invoice i WHERE i.buyer_id = s.buyer_id
        AND i.amount_minor = s.amount_minor AND due_date + 18 < published_on)"""
        )
        .fetchall()[0]
    )
    assert unfounded == 0


def test_a_bureau_grades_every_june_and_worse_the_worse_the_grade(world):
    by_letter = dict(
        world[2]
        .sql(
            """SELECT value, avg(grade) FROM signal JOIN truth_buyer_month m ON m.buyer_id = signal.buyer_id AND m.month_end = DATE_TRUNC('month',
        published_on)::DATE - 1 WHERE kind = 'bureau_grade' GROUP BY value HAVING count(*) > 20"""
        )
        .fetchall()
    )
    order = [by_letter[letter] for letter in ("AA", "A", "BBB", "BB", "B", "CCC") if letter in by_letter]
    assert len(order) >= 5
    assert order == sorted(order)
