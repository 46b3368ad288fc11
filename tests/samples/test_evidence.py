"""The demo's accounts hold together and go with how its buyers fare; what is said of them was said in time."""

from __future__ import annotations

import datetime as dt
import statistics

import pytest

from duecourse.intake.statements import _checks
from duecourse.ledger.entries import SIGNAL_KINDS, SIGNAL_SEVERITIES, STATEMENT_ITEMS
from duecourse.samples.economy import Economy, chunks

ECONOMY = Economy(invoices=30_000, buyers=1_000)


@pytest.fixture(scope="module")
def made():
    found: dict[str, list] = {"statement": [], "signal": [], "failed": [], "buyer": []}
    for chunk in chunks(ECONOMY):
        for name in ("statement", "signal", "buyer"):
            if name in chunk.facts:
                found[name] += chunk.facts[name].to_pylist()
        if "buyer" in chunk.truth:
            found["failed"] += [row for row in chunk.truth["buyer"].to_pylist() if row["default_date"]]
    return found


def test_a_share_of_the_buyers_gives_accounts_and_each_balances(made):
    share = len({row["buyer_id"] for row in made["statement"]}) / len(made["buyer"])
    assert 0.25 < share < 0.65
    for row in made["statement"]:
        assert row["total_assets"] == row["total_liabilities"] + row["total_equity"]
        assert row["gross_profit"] == row["revenue"] - row["cost_of_sales"]
        doubts: list[str] = []
        _checks(
            {name: row[name] for name in STATEMENT_ITEMS if row[name] is not None},
            lambda code, *_, doubts=doubts, **__: doubts.append(code),
        )
        assert set(doubts) <= {"statement_negative_equity"}


def test_nothing_is_published_before_its_year_ends_or_after_the_economy(made):
    for row in made["statement"]:
        assert row["period_end"] < row["published_on"] <= ECONOMY.until
    assert all(ECONOMY.since <= row["published_on"] <= ECONOMY.until for row in made["signal"])


def test_those_that_fail_within_a_year_have_worse_accounts(made):
    fails = {row["buyer_id"]: row["default_date"] for row in made["failed"]}
    year = dt.timedelta(days=365)

    def leverage(soon):
        return statistics.median(
            row["total_liabilities"] / row["total_assets"]
            for row in made["statement"]
            if (row["buyer_id"] in fails and fails[row["buyer_id"]] - row["period_end"] < 2 * year) is soon
        )

    assert leverage(soon=True) > leverage(soon=False) + 0.1


def test_signals_are_of_known_kinds_and_go_with_failures(made):
    assert {row["kind"] for row in made["signal"]} <= set(SIGNAL_KINDS)
    assert {row["severity"] for row in made["signal"]} <= set(SIGNAL_SEVERITIES)
    assert len({row["signal_id"] for row in made["signal"]}) == len(made["signal"])
    fails = {row["buyer_id"] for row in made["failed"]}
    assert {row["buyer_id"] for row in made["signal"] if row["kind"] == "insolvency"} <= fails
