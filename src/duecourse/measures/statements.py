"""What a buyer's accounts say (财务报表分析): the ratios of a year, and the published scores made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import ibis

from duecourse.ledger.entries import STATEMENT_ITEMS
from duecourse.measures.expressions import days_between, ratio

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from duecourse.ledger.book import Book

YEAR_MONTHS: Final = (11, 13)
"""Periods of this many months count as a year (financial years of 52 or 53 weeks, a shifted year end)."""

YEAR_DAYS: Final = (330, 400)
"""The year before ends this many days earlier."""

PERIOD: Final = ("buyer_id", "period_end", "consolidated")


def annual_statements(book: Book) -> ir.Table:
    """Which accounts count, and what stood in those of the year before?  年度财务报表

    One row per buyer and financial year, of periods of 11 to 13 months published by the book's day. Where the group's accounts and
    those of the legal entity are both there, the group's; `prior_*` are of the same kind, null where the year before is missing.
        buyer_id, period_end, consolidated, period_months, published_on, published_on_estimated, audited, opinion, standard, currency
        the items of STATEMENT_ITEMS, and prior_ITEM   int64 minor units
        newest    bool    the latest year of this buyer
        age_days  int64   from the period's end to the book's day
    """
    rows = book.statement
    rows = rows.filter((rows.period_months >= YEAR_MONTHS[0]) & (rows.period_months <= YEAR_MONTHS[1]))
    rows = rows.mutate(consolidated=ibis.coalesce(rows.consolidated, ibis.literal(value=False)))
    by_kind = ibis.window(group_by=["buyer_id", "consolidated"], order_by=["period_end", "period_months"])
    before = rows.period_end.lag(1).over(by_kind)
    gap = days_between(rows.period_end, before)
    follows = (gap >= YEAR_DAYS[0]) & (gap <= YEAR_DAYS[1]) & (rows.currency == rows.currency.lag(1).over(by_kind))
    rows = rows.mutate(
        **{f"prior_{item}": follows.ifelse(rows[item].lag(1).over(by_kind), ibis.null("int64")) for item in STATEMENT_ITEMS},
        age_days=days_between(ibis.literal(book.on, type="date"), rows.period_end),
    )
    kinds = ibis.window(group_by=["buyer_id", "period_end"], order_by=[ibis.desc("consolidated"), ibis.desc("period_months")])
    rows = rows.mutate(place=ibis.row_number().over(kinds))
    rows = rows.filter(rows.place == 0)
    latest = ibis.window(group_by=["buyer_id"], order_by=[ibis.desc("period_end")])
    return rows.mutate(newest=ibis.row_number().over(latest) == 0).drop("place", "recorded_at", "source", "source_row")


def _above_zero(number: ir.NumericValue) -> ir.NumericValue:
    return (number > 0).ifelse(number, ibis.null(number.type()))


def statement_ratios(book: Book) -> ir.Table:
    """How is the buyer financed, how liquid, how profitable is it, and does it earn cash?  财务比率

    One row per buyer and financial year. A ratio is null where an item is missing or its denominator is not above zero: a negative
    equity never makes a gearing look small.
        buyer_id, period_end, consolidated, currency, newest, age_days, total_assets (int64 minor units), audited, opinion
        current_ratio, quick_ratio, liquid_assets_to_current_liabilities         ratio   流动性
        working_capital_to_assets, liquid_assets_to_assets, current_assets_to_assets   fraction
        liabilities_to_assets, current_liabilities_to_assets, long_term_debt_to_assets, equity_to_liabilities, debt_to_equity   杠杆
        net_income_to_assets, operating_profit_to_assets, retained_earnings_to_assets   盈利与积累
        gross_margin, operating_margin, net_margin      fraction of revenue
        interest_cover              ratio   operating profit ÷ interest expense
        ebitda_to_liabilities, funds_flow_to_liabilities, operating_cash_flow_to_current_liabilities   ratio   现金流
        financing_burden_to_liabilities   ratio   what lies between operating profit and net income, ÷ liabilities
        asset_turnover              ratio   revenue ÷ assets
        receivable_days, inventory_days, payable_days, cash_conversion_days   days, on a year of 365
        current_liabilities_to_revenue   ratio
        revenue_growth, total_assets_growth   fraction, against the year before
        negative_equity             bool
    """
    s = annual_statements(book)
    return s.select(*PERIOD, "currency", "newest", "age_days", "total_assets", "audited", "opinion", **ratio_values(s))


def ratio_values(s: ir.Table) -> dict[str, ir.Value]:
    """The ratios of `statement_ratios`, by name, as columns of `annual_statements`."""
    equity = ibis.coalesce(s.total_equity, s.total_assets - s.total_liabilities)
    liabilities = ibis.coalesce(s.total_liabilities, s.total_assets - s.total_equity)
    gross = ibis.coalesce(s.gross_profit, s.revenue - s.cost_of_sales)
    cost = ibis.coalesce(s.cost_of_sales, s.revenue - s.gross_profit)
    liquid = s.current_assets - s.inventories - s.trade_receivables
    quick = s.current_assets - s.inventories
    working = s.current_assets - s.current_liabilities
    debt = ibis.coalesce(s.short_term_debt, 0) + ibis.coalesce(s.long_term_debt, 0)
    ebitda = s.operating_profit + s.depreciation_amortisation
    funds = s.net_income + s.depreciation_amortisation
    assets, owed, current_owed = _above_zero(s.total_assets), _above_zero(liabilities), _above_zero(s.current_liabilities)
    sales, costs, own = _above_zero(s.revenue), _above_zero(cost), _above_zero(equity)
    receivable = ratio(s.trade_receivables, sales) * 365.0
    inventory = ratio(s.inventories, costs) * 365.0
    payable = ratio(s.trade_payables, costs) * 365.0
    return {
        "current_ratio": ratio(s.current_assets, current_owed),
        "quick_ratio": ratio(quick, current_owed),
        "liquid_assets_to_current_liabilities": ratio(liquid, current_owed),
        "working_capital_to_assets": ratio(working, assets),
        "liquid_assets_to_assets": ratio(liquid, assets),
        "current_assets_to_assets": ratio(s.current_assets, assets),
        "liabilities_to_assets": ratio(liabilities, assets),
        "current_liabilities_to_assets": ratio(s.current_liabilities, assets),
        "long_term_debt_to_assets": ratio(s.long_term_debt, assets),
        "equity_to_liabilities": ratio(equity, owed),
        "debt_to_equity": (s.short_term_debt.notnull() | s.long_term_debt.notnull()).ifelse(ratio(debt, own), ibis.null("float64")),
        "net_income_to_assets": ratio(s.net_income, assets),
        "operating_profit_to_assets": ratio(s.operating_profit, assets),
        "retained_earnings_to_assets": ratio(s.retained_earnings, assets),
        "gross_margin": ratio(gross, sales),
        "operating_margin": ratio(s.operating_profit, sales),
        "net_margin": ratio(s.net_income, sales),
        "interest_cover": ratio(s.operating_profit, _above_zero(s.interest_expense)),
        "ebitda_to_liabilities": ratio(ebitda, owed),
        "funds_flow_to_liabilities": ratio(funds, owed),
        "operating_cash_flow_to_current_liabilities": ratio(s.operating_cash_flow, current_owed),
        "financing_burden_to_liabilities": ratio(s.operating_profit - s.net_income, owed),
        "asset_turnover": ratio(s.revenue, assets),
        "receivable_days": receivable,
        "inventory_days": inventory,
        "payable_days": payable,
        "cash_conversion_days": inventory + receivable - payable,
        "current_liabilities_to_revenue": ratio(s.current_liabilities, sales),
        "revenue_growth": ratio(s.revenue - s.prior_revenue, _above_zero(s.prior_revenue)),
        "total_assets_growth": ratio(s.total_assets - s.prior_total_assets, _above_zero(s.prior_total_assets)),
        "negative_equity": equity < 0,
    }  # fmt: skip


def statement_scores(book: Book, *, price_index: float | None = None) -> ir.Table:
    """What do the published formulas say of the buyer's accounts?  破产预警模型得分

    One row per buyer and financial year; a score is null where one of its items is missing.
        buyer_id, period_end, consolidated, currency, newest
        altman_z                float   listed manufacturers: above 2.99 safe, below 1.81 distress; needs the market value
        altman_z_private        float   private manufacturers (Z′): 2.90 and 1.23
        altman_z_general        float   other firms (Z″): 2.60 and 1.10
        altman_em_score         float   emerging markets, 3.25 + Z″: 5.85 and 4.15
        ohlson_o                float   log-odds of failure; null unless price_index is given
        ohlson_probability      fraction
        zmijewski_x             float   above 0: distress
        piotroski_f             int64   0 to 9: 2 and less weak, 8 and more strong; needs the year before

    price_index: US GNP price index of the year, 1968 = 100, with total assets in US dollars.
    Source: Altman 1968, 1983, 1995; Ohlson 1980; Zmijewski 1984; Piotroski 2000.
    """
    s = annual_statements(book)
    equity = ibis.coalesce(s.total_equity, s.total_assets - s.total_liabilities)
    owed = _above_zero(ibis.coalesce(s.total_liabilities, s.total_assets - s.total_equity))
    assets = _above_zero(s.total_assets)
    x1 = ratio(s.current_assets - s.current_liabilities, assets)
    x2 = ratio(s.retained_earnings, assets)
    x3 = ratio(s.operating_profit, assets)
    x4_market, x4 = ratio(s.market_value, owed), ratio(equity, owed)
    x5 = ratio(s.revenue, assets)
    general = altman_general(s)
    earned = ratio(s.net_income, assets)
    leverage = ratio(owed, assets)
    ohlson = _ohlson(s, price_index, leverage=leverage, working=x1, earned=earned, owed=owed) if price_index else ibis.null("float64")
    return s.select(
        *PERIOD, "currency", "newest",
        altman_z=x1 * 1.2 + x2 * 1.4 + x3 * 3.3 + x4_market * 0.6 + x5 * 0.999,
        altman_z_private=x1 * 0.717 + x2 * 0.847 + x3 * 3.107 + x4 * 0.42 + x5 * 0.998,
        altman_z_general=general,
        altman_em_score=general + 3.25,
        ohlson_o=ohlson,
        ohlson_probability=ratio(ibis.literal(1.0), (-ohlson).exp() + 1.0),
        zmijewski_x=-4.336 - earned * 4.513 + leverage * 5.679 + ratio(s.current_assets, _above_zero(s.current_liabilities)) * 0.004,
        piotroski_f=_piotroski(s),
    )  # fmt: skip


def altman_general(s: ir.Table) -> ir.FloatingValue:
    """Altman's Z″, as a column of `annual_statements`."""
    equity = ibis.coalesce(s.total_equity, s.total_assets - s.total_liabilities)
    owed = _above_zero(ibis.coalesce(s.total_liabilities, s.total_assets - s.total_equity))
    assets = _above_zero(s.total_assets)
    x1 = ratio(s.current_assets - s.current_liabilities, assets)
    x2, x3 = ratio(s.retained_earnings, assets), ratio(s.operating_profit, assets)
    return x1 * 6.56 + x2 * 3.26 + x3 * 6.72 + ratio(equity, owed) * 1.05


def _ohlson(
    s: ir.Table,
    price_index: float,
    *,
    leverage: ir.FloatingValue,
    working: ir.FloatingValue,
    earned: ir.FloatingValue,
    owed: ir.NumericValue,
) -> ir.FloatingValue:
    size = (_above_zero(s.total_assets).cast("float64") / (100.0 * price_index)).ln()
    change = ratio(s.net_income - s.prior_net_income, s.net_income.abs() + s.prior_net_income.abs())
    return (
        -1.32 - size * 0.407 + leverage * 6.03 - working * 1.43
        + ratio(s.current_liabilities, _above_zero(s.current_assets)) * 0.0757
        - (s.total_liabilities > s.total_assets).cast("float64") * 1.72
        - earned * 2.37 - ratio(s.net_income + s.depreciation_amortisation, owed) * 1.83
        + ((s.net_income < 0) & (s.prior_net_income < 0)).cast("float64") * 0.285 - change * 0.521
    )  # fmt: skip


def _piotroski(s: ir.Table) -> ir.IntegerValue:
    assets, before = _above_zero(s.total_assets), _above_zero(s.prior_total_assets)
    gross = ibis.coalesce(s.gross_profit, s.revenue - s.cost_of_sales)
    gross_before = ibis.coalesce(s.prior_gross_profit, s.prior_revenue - s.prior_cost_of_sales)
    signs = [
        s.net_income > 0,
        s.operating_cash_flow > 0,
        ratio(s.net_income, assets) > ratio(s.prior_net_income, before),
        s.operating_cash_flow > s.net_income,
        ratio(s.long_term_debt, assets) < ratio(s.prior_long_term_debt, before),
        ratio(s.current_assets, _above_zero(s.current_liabilities))
        > ratio(s.prior_current_assets, _above_zero(s.prior_current_liabilities)),
        ibis.coalesce(s.share_issue, 0) <= 0,
        ratio(gross, _above_zero(s.revenue)) > ratio(gross_before, _above_zero(s.prior_revenue)),
        ratio(s.revenue, assets) > ratio(s.prior_revenue, before),
    ]
    score = signs[0].cast("int64")
    for sign in signs[1:]:
        score += sign.cast("int64")
    return score
