"""The truth beside the facts: episodes, what could have been known of each default, and families of economies that differ in it."""

from __future__ import annotations

import datetime as dt
import math

import pyarrow as pa
import pytest

from duecourse.samples.families import FAMILIES
from duecourse.samples.parameters import Behaviour, Economy
from duecourse.samples.truth import knowable, precursors
from support.worlds import database, economy, spoken, tables

DAY = dt.date.fromisoformat


def by_hand(stress, default, kind="gradual"):
    """The truth of one buyer with these stresses at the ends of the months of 2025."""
    ends = [dt.date(2025, month + 1, 1) - dt.timedelta(days=1) for month in range(1, 12)]
    return {
        "buyer": pa.table({"buyer_id": ["A"], "default_date": [DAY(default)], "default_kind": [kind], "distress_since": [DAY("2025-03-01")]}),
        "buyer_month": pa.table({"buyer_id": ["A"] * len(stress), "month_end": ends[: len(stress)], "stress": stress}),
        "episode": pa.table(
            {"buyer_id": ["A", "A"], "began": [DAY("2025-03-01"), DAY("2025-01-01")], "ends": [DAY(default), DAY("2025-02-01")],
             "fatal": [True, False], "peak": [0.9, 0.05], "outcome": ["failure", "recovery"]}
        ),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("stress", "noticed"),
    [
        ([0, 0, 0.2, 0.4, 0.9], "2025-03-31"),
        ([0, 0.5, 0, 0.05, 0.9], "2025-05-31"),  # what passed before is no sign of what came
        ([0.2, 0.3, 0.4, 0.5, 0.6], "2025-01-31"),
        ([0, 0, 0, 0, 0.05], None),
        ([0.5, 0.5, 0.5, 0.5, 0], None),
    ],
)
def test_a_default_is_first_noticed_when_the_distress_that_led_to_it_is_felt(stress, noticed):
    (row,) = precursors(by_hand(stress, "2025-06-20")).to_pylist()
    assert row["noticed_on"] == (DAY(noticed) if noticed else None)
    assert row["lead_days"] == ((DAY("2025-06-20") - DAY(noticed)).days if noticed else None)


def test_shares_of_what_could_be_known():
    found = knowable(by_hand([0, 0, 0.2, 0.4, 0.9], "2025-06-20", "cloaked"), DAY("2025-01-01"), DAY("2025-12-31"), lead_days=82)
    assert (found.defaults, found.no_precursor, found.not_in_payments, found.in_time) == (1, 0.0, 1.0, 0.0)
    assert (found.episodes, found.fatal) == (1, 1.0)  # the shallow one is not counted
    none = knowable(by_hand([0], "2025-06-20"), DAY("2026-01-01"), DAY("2026-12-31"))
    assert none.defaults == 0
    assert math.isnan(none.in_time)


def test_every_default_has_its_kind_and_its_beginning():
    _, _, connection = spoken()
    odd = connection.sql(
        """SELECT 1 FROM truth_buyer WHERE (default_kind = 'sudden') <> (distress_since IS NULL) AND default_date IS NOT NULL
        UNION ALL SELECT 1 FROM truth_buyer WHERE distress_since >= default_date
        UNION ALL SELECT 1 FROM truth_buyer WHERE default_date IS NULL AND (default_kind IS NOT NULL OR distress_since IS NOT NULL)
        UNION ALL SELECT 1 FROM truth_buyer ANTI JOIN truth_episode e ON e.buyer_id = truth_buyer.buyer_id AND began = distress_since
            AND outcome IN ('failure', 'cut_short') WHERE distress_since IS NOT NULL
        UNION ALL SELECT 1 FROM truth_episode WHERE began >= ends OR peak <= 0 AND outcome <> 'running' AND began + 40 < ends
        UNION ALL SELECT 1 FROM truth_episode JOIN truth_buyer USING (buyer_id) WHERE outcome = 'failure' AND NOT fatal
        UNION ALL SELECT 1 FROM truth_episode JOIN truth_buyer USING (buyer_id) WHERE outcome = 'failure'
            AND date_trunc('month', default_date) <> ends"""
    ).fetchall()
    assert odd == []


def shares(name, seed=31):
    one, made, _ = spoken(invoices=6_000, buyers=3_000, seed=seed, behaviour=FAMILIES[name])
    truth = {table: made[f"truth_{table}"] for table in ("buyer", "buyer_month", "episode")}
    return knowable(truth, one.since.replace(year=one.since.year + 1), one.until)


def test_the_share_of_defaults_nobody_could_foresee_is_known():
    base = shares("base")
    assert base.defaults > 200
    assert 0.08 < base.no_precursor < 0.22
    assert 0.04 < base.not_in_payments < 0.16
    assert 0.65 < base.in_time < 0.92
    assert 0.38 < base.fatal < 0.52


def test_families_differ_in_what_can_be_known():
    base = shares("base")
    assert shares("late_ramp").in_time < base.in_time - 0.15
    assert shares("hidden").no_precursor > base.no_precursor + 0.08
    assert shares("hidden").not_in_payments > base.not_in_payments
    assert shares("false_alarms").fatal < base.fatal - 0.1
    assert shares("new_regime").defaults > 1.1 * base.defaults


def payments(name):
    """Days past due of the payments of an economy: their middle and their tail, and how often nothing is said of a buyer."""
    one, _, connection = economy(invoices=40_000, buyers=800, seed=5, behaviour=FAMILIES[name])
    return connection.execute(
        """SELECT avg(late), quantile_cont(late, 0.995) - median(late), (SELECT count(*) FROM signal),
        avg(late) FILTER (due_date > $half) - avg(late) FILTER (due_date <= $half) FROM (SELECT due_date, settle_date - due_date AS late
        FROM settlement JOIN invoice USING (invoice_id, instalment) WHERE settlement.kind = 'cash' AND due_date < $until)""",
        {"half": one.until - dt.timedelta(days=913), "until": one.until - dt.timedelta(days=200)},
    ).fetchall()[0]


def test_families_differ_in_what_is_seen():
    base = payments("base")
    assert payments("heavy_tails")[1] > base[1] + 5
    assert payments("quiet")[2] < 0.75 * base[2]
    assert payments("new_regime")[3] > base[3] + 2.5


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_a_family_is_an_economy_of_its_own(name):
    made = tables(Economy(invoices=4_000, buyers=400, years=3, seed=2, behaviour=FAMILIES[name]))
    connection = database(made)
    assert made["invoice"].num_rows == 4_000
    assert connection.sql("SELECT count(*) FROM truth_buyer WHERE default_date IS NOT NULL").fetchall()[0][0] > 5
    assert connection.sql("SELECT 1 FROM settlement WHERE settle_date > DATE '2026-10-31' LIMIT 1").fetchall() == []
    if name != "base":
        assert made["invoice"] != tables(Economy(invoices=4_000, buyers=400, years=3, seed=2))["invoice"] or (
            made["signal"] != tables(Economy(invoices=4_000, buyers=400, years=3, seed=2))["signal"]
        )


@pytest.mark.parametrize("law", ["lognormal", "gamma", "weibull"])
def test_laws_of_length_keep_their_median(law):
    made = tables(Economy(invoices=1_000, buyers=1_000, years=10, seed=4, behaviour=Behaviour(distress_law=law, default_intensity=6.0)))
    (median, count) = (
        database(made)
        .sql(
            """SELECT median(date_diff('month', began, ends)), count(*) FROM truth_episode WHERE outcome IN ('failure', 'recovery')
        AND began < DATE '2024-01-01'"""
        )
        .fetchall()[0]
    )
    assert count > 300
    assert abs(median - 9) <= 1
