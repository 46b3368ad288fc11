"""The demo's accounts hold together, go with how its buyers fare, and come months after the year they tell of."""

from __future__ import annotations

import datetime as dt
import statistics

from duecourse.intake.statements import _checks
from duecourse.ledger.entries import STATEMENT_ITEMS
from duecourse.samples.parameters import Behaviour
from support.worlds import economy

ECONOMY, MADE, CONNECTION = economy(invoices=30_000, buyers=2_000)
STATEMENTS = MADE["statement"].to_pylist()
FAILS = {row["buyer_id"]: row["default_date"] for row in MADE["truth_buyer"].to_pylist() if row["default_date"]}
YEAR = dt.timedelta(days=365)


def leverage(row):
    return row["total_liabilities"] / row["total_assets"]


def test_half_of_the_buyers_give_accounts_and_each_balances():
    assert 0.35 < len({row["buyer_id"] for row in STATEMENTS}) / MADE["buyer"].num_rows < 0.65
    for row in STATEMENTS:
        assert row["total_assets"] == row["total_liabilities"] + row["total_equity"]
        assert row["gross_profit"] == row["revenue"] - row["cost_of_sales"]
        doubts: list[str] = []
        _checks(
            {name: row[name] for name in STATEMENT_ITEMS if row[name] is not None},
            lambda code, *_, doubts=doubts, **__: doubts.append(code),
        )
        assert set(doubts) <= {"statement_negative_equity"}


def test_accounts_come_four_to_eight_months_after_their_year_and_later_in_distress():
    after = [(row["published_on"] - row["period_end"]).days for row in STATEMENTS]
    early, late = Behaviour().published_after_days
    assert min(after) >= early
    assert max(after) <= late + 46
    assert all(row["published_on"] <= ECONOMY.until for row in STATEMENTS)
    ((sick, well),) = CONNECTION.sql(
        """SELECT avg(published_on - period_end) FILTER (stress > 0.3), avg(published_on - period_end) FILTER (stress = 0) FROM statement s
        JOIN truth_buyer_month m ON m.buyer_id = s.buyer_id AND m.month_end = period_end"""
    ).fetchall()
    assert sick > well + 5


def test_those_that_fail_within_a_year_have_worse_accounts():
    def middle(soon):
        return statistics.median(
            leverage(row) for row in STATEMENTS if (FAILS.get(row["buyer_id"], dt.date.max) - row["period_end"] < 2 * YEAR) is soon
        )

    assert middle(soon=True) > middle(soon=False) + 0.1


def test_doubts_of_auditors_go_with_bad_accounts():
    by_opinion = {}
    for row in STATEMENTS:
        assert (row["opinion"] is None) == (not row["audited"])
        by_opinion.setdefault(row["opinion"], []).append(leverage(row))
    assert len(by_opinion["unqualified"]) > 0.9 * sum(row["audited"] for row in STATEMENTS)
    assert statistics.median(by_opinion["qualified"]) > statistics.median(by_opinion["unqualified"]) + 0.1


def test_dressed_windows_hide_distress():
    """The same firms, once with their windows dressed: where there is distress the accounts look better, elsewhere they are the same."""
    open_, dressed = (
        economy(invoices=10_000, buyers=3_000, seed=8, behaviour=Behaviour(window_dressing=1.0, window_dressing_hides=hides))[2]
        .sql(
            """SELECT stress, total_liabilities / total_assets FROM statement s JOIN truth_buyer_month m ON m.buyer_id = s.buyer_id
            AND m.month_end = period_end WHERE year(period_end) = 2022 ORDER BY s.buyer_id"""
        )
        .fetchall()
        for hides in (0.0, 0.35)
    )
    assert len(open_) == len(dressed) > 500
    assert all(abs(shown - hidden) < 0.005 for (stress, shown), (_, hidden) in zip(open_, dressed, strict=True) if stress == 0)
    sick = [shown - hidden for (stress, shown), (_, hidden) in zip(open_, dressed, strict=True) if stress > 0.2]
    assert len(sick) > 15
    assert min(sick) > 0.005
    assert 0.015 < statistics.mean(sick) < 0.06
