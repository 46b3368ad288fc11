"""Ratios and published scores of a buyer's accounts, against sums done by hand."""

from __future__ import annotations

import datetime as dt

import pytest

from duecourse import samples
from duecourse.measures.statements import annual_statements, statement_ratios, statement_scores

YEAR = {
    "buyer_id": "b", "period_end": dt.date(2024, 12, 31), "period_months": 12, "consolidated": False, "published_on": dt.date(2025, 4, 1), "currency": "CNY",
    "cash": 10, "trade_receivables": 20, "inventories": 30, "current_assets": 80, "total_assets": 200, "trade_payables": 25, "current_liabilities": 50,
    "long_term_debt": 30, "total_liabilities": 100, "retained_earnings": 40, "total_equity": 100, "revenue": 300, "cost_of_sales": 200,
    "depreciation_amortisation": 10, "operating_profit": 30, "interest_expense": 5, "net_income": 15, "operating_cash_flow": 20, "market_value": 150,
}  # fmt: skip
BEFORE = {
    **YEAR,
    "period_end": dt.date(2023, 12, 31),
    "published_on": dt.date(2024, 4, 1),
    "revenue": 250,
    "cost_of_sales": 180,
    "net_income": 10,
}


def book(*rows, on=dt.date(2025, 6, 30)):
    return samples.book(on, statement=list(rows))


def only(expression_of, *rows, **more):
    drawn = book(*rows, **more)
    found = [row for row in drawn.run(expression_of(drawn)).to_pylist() if row["newest"]]
    assert len(found) == 1
    return found[0]


def test_the_ratios_of_a_year():
    row = only(statement_ratios, YEAR, BEFORE)
    expected = {
        "current_ratio": 80 / 50, "quick_ratio": 50 / 50, "liquid_assets_to_current_liabilities": 30 / 50, "working_capital_to_assets": 30 / 200,
        "liabilities_to_assets": 0.5, "equity_to_liabilities": 1.0, "net_income_to_assets": 15 / 200, "gross_margin": 100 / 300, "interest_cover": 6.0,
        "ebitda_to_liabilities": 0.4, "funds_flow_to_liabilities": 0.25, "receivable_days": 20 / 300 * 365, "inventory_days": 30 / 200 * 365,
        "payable_days": 25 / 200 * 365, "revenue_growth": 50 / 250, "financing_burden_to_liabilities": 0.15, "operating_cash_flow_to_current_liabilities": 0.4,
    }  # fmt: skip
    for name, value in expected.items():
        assert row[name] == pytest.approx(value), name
    assert row["cash_conversion_days"] == pytest.approx(row["inventory_days"] + row["receivable_days"] - row["payable_days"])
    assert row["age_days"] == (dt.date(2025, 6, 30) - dt.date(2024, 12, 31)).days
    assert row["negative_equity"] is False


def test_the_published_scores():
    """Altman 1968, 1983, 1995; Zmijewski 1984; Piotroski 2000, by hand."""
    row = only(statement_scores, YEAR, BEFORE)
    x1, x2, x3, x5 = 0.15, 0.2, 0.15, 1.5
    assert row["altman_z"] == pytest.approx(1.2 * x1 + 1.4 * x2 + 3.3 * x3 + 0.6 * 1.5 + 0.999 * x5)
    assert row["altman_z_private"] == pytest.approx(0.717 * x1 + 0.847 * x2 + 3.107 * x3 + 0.42 * 1.0 + 0.998 * x5)
    assert row["altman_z_general"] == pytest.approx(6.56 * x1 + 3.26 * x2 + 6.72 * x3 + 1.05)
    assert row["altman_em_score"] == pytest.approx(row["altman_z_general"] + 3.25)
    assert row["zmijewski_x"] == pytest.approx(-4.336 - 4.513 * 0.075 + 5.679 * 0.5 + 0.004 * 1.6)
    # ROA, cash flow, ROA up, cash above profit, no issue, margin up, turnover up; leverage and current ratio unchanged
    assert row["piotroski_f"] == 7
    assert row["ohlson_o"] is None


def test_ohlson_is_given_where_the_price_index_is():
    import math

    drawn = book(YEAR, BEFORE)
    row = next(one for one in drawn.run(statement_scores(drawn, price_index=500.0)).to_pylist() if one["newest"])
    size = math.log(200 / 100 / 500)
    expected = (
        -1.32 - 0.407 * size + 6.03 * 0.5 - 1.43 * 0.15 + 0.0757 * 50 / 80 - 2.37 * 0.075 - 1.83 * 0.25 - 0.521 * (15 - 10) / 25
    )  # fmt: skip
    assert row["ohlson_o"] == pytest.approx(expected)
    assert row["ohlson_probability"] == pytest.approx(1 / (1 + math.exp(-expected)))


def test_accounts_count_from_the_day_they_are_published():
    assert only(annual_statements, YEAR, BEFORE, on=dt.date(2025, 3, 31))["period_end"] == dt.date(2023, 12, 31)
    assert only(annual_statements, YEAR, BEFORE, on=dt.date(2025, 4, 1))["period_end"] == dt.date(2024, 12, 31)


def test_nothing_is_divided_by_what_is_not_above_zero():
    row = only(
        statement_ratios,
        {**YEAR, "total_equity": -20, "total_liabilities": 220, "current_liabilities": 0, "interest_expense": 0, "revenue": 0},
    )
    assert row["negative_equity"] is True
    for name in ("debt_to_equity", "current_ratio", "interest_cover", "net_margin", "receivable_days"):
        assert row[name] is None, name
    assert row["equity_to_liabilities"] == pytest.approx(-20 / 220)


def test_a_quarter_is_no_year():
    drawn = book({**YEAR, "period_end": dt.date(2025, 3, 31), "period_months": 3, "published_on": dt.date(2025, 4, 30)}, YEAR)
    assert [row["period_end"] for row in drawn.run(annual_statements(drawn)).to_pylist()] == [dt.date(2024, 12, 31)]


def test_the_groups_accounts_come_before_the_legal_entitys():
    row = only(annual_statements, YEAR, {**YEAR, "consolidated": True, "total_assets": 900}, {**BEFORE, "total_assets": 150})
    assert row["total_assets"] == 900
    assert row["prior_total_assets"] is None, "the year before is of the legal entity and not comparable"


def test_a_year_that_does_not_follow_is_not_the_year_before():
    assert only(statement_ratios, YEAR, {**BEFORE, "period_end": dt.date(2022, 12, 31)})["revenue_growth"] is None
