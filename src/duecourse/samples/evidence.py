"""What the demo's buyers publish: yearly accounts after a hidden score of their grade and distress, balanced, and months late."""

from __future__ import annotations

from datetime import date
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from duecourse.ledger.entries import STATEMENT
from duecourse.samples.columns import Codes, Days, Flags, Floats, choice_column, day_column
from duecourse.samples.cycle import draws
from duecourse.samples.days import day_number
from duecourse.samples.places import COUNTRIES, CURRENCIES, MINOR_PER_UNIT

if TYPE_CHECKING:
    from duecourse.samples.buyers import Block
    from duecourse.samples.parameters import Behaviour

STREAM: Final = 7
"""Random numbers of its own: what is published changes nothing of what is bought and paid."""

MORE_WHERE_LARGE: Final = 0.3
ASSETS_TURNED: Final = (1.1, 1.3, 1.5, 1.0, 1.2, 1.1, 1.6, 2.4)
"""Revenue by assets, by sector as in `places.SECTORS`."""

OPINIONS: Final = ("unqualified", "qualified", "going_concern", "disclaimer")

STOCKS: Final = (0.20, 0.18, 0.15, 0.16, 0.24, 0.14, 0.15, 0.22)
"""Inventories by assets."""


def statements(block: Block, number: int) -> pa.Table:
    """Yearly accounts of some buyers, as the ledger's table `statement`: balanced to the unit, worse the worse the hidden grade."""
    rng = draws(block.economy, STREAM, number)
    behaviour, count = block.economy.behaviour, block.profile.count
    rank = np.argsort(np.argsort(block.weight.sum(axis=1))) / max(count - 1, 1)
    gives = rng.random(count) < behaviour.with_accounts + MORE_WHERE_LARGE * (rank - 0.5)
    size = np.exp(rng.normal(np.log(1200.0), 0.7, count)) * block.habit.order_minor
    steady = rng.standard_normal((6, count))
    shares, audited = rng.random((4, count)), rng.random(count) < 0.45 + 0.4 * rank
    early, late = behaviour.published_after_days
    delay = early + (late - early) * rng.random(count)
    until, first = day_number(block.economy.until), block.calendar.first
    parts: list[pa.Table] = []
    before = np.ones(count)
    for year in range(block.economy.since.year - 1, block.economy.until.year):
        end = day_number(date(year, 12, 31))
        noise, score, (dresses, doubt) = rng.standard_normal((5, count)), rng.standard_normal(count), rng.random((2, count))
        month = int(block.calendar.month_of[end - first])
        stress = block.latent.stress[:, month].astype(np.float64)
        notches = _as_notches(behaviour, block.latent.grade[:, month], stress, score, dresses < behaviour.window_dressing)
        before = before * np.exp(0.05 - 0.012 * (notches - 4) - 0.15 * stress + 0.08 * noise[0])
        published = np.minimum(end + delay + behaviour.published_later_in_distress * stress, until + 1).astype(np.int32)
        known = gives & (published <= until) & (block.failure.day > published) & (block.profile.since <= end)
        if known.any():
            lines = _lines(block, size * before, notches, steady, noise, shares)
            opinion = np.where(doubt < behaviour.opinion_share, np.searchsorted(behaviour.opinion_from, notches, side="right"), 0)
            parts.append(_year(block, known, np.int32(end), published, np.where(audited, opinion, -1).astype(np.int32), lines))
    return pa.concat_tables(parts) if parts else STATEMENT.facts.empty_table()


def _as_notches(behaviour: Behaviour, grade: Any, stress: Floats, noise: Floats, dressed: Flags) -> Floats:
    """The score behind a year's accounts, z = probit(default per year of the grade) + .35 distress + noise, told on the scale of grades.

    dressed  whose accounts hide most of the distress
    """
    ladder = np.array([NormalDist().inv_cdf(chance) for chance in behaviour.default_per_year])
    shown = behaviour.accounts_stress - behaviour.window_dressing_hides * dressed
    score = ladder[np.asarray(grade, dtype=np.int64) - 1] + shown * stress + behaviour.accounts_noise * noise
    return np.asarray(1 + 9 * (score - ladder[0]) / (ladder[-1] - ladder[0]))


def _lines(
    block: Block, revenue: Floats, notches: Floats, steady: Floats, noise: Floats, shares: Floats
) -> dict[str, np.ndarray[Any, np.dtype[np.int64]]]:
    """A year's lines in minor units, every one a whole thousand of the currency; each ratio is worse by a step for each notch."""
    worse = notches - 4
    thousand = np.asarray(MINOR_PER_UNIT)[block.profile.currency] * 1000

    def money(values: Any) -> np.ndarray[Any, np.dtype[np.int64]]:
        whole: np.ndarray[Any, np.dtype[np.int64]] = (np.rint(values / thousand) * thousand).astype(np.int64)
        return whole

    assets = money(revenue / (np.asarray(ASSETS_TURNED)[block.profile.sector] * np.exp(0.15 * steady[0])) + thousand)
    owed_share = np.clip(0.44 + 0.05 * worse + 0.07 * steady[1] + 0.02 * noise[1], 0.08, 1.35)
    current_share = np.clip(0.60 + 0.06 * steady[2] - 0.01 * worse, 0.35, 0.85)
    liabilities = money(assets * owed_share)
    current_owed = money(liabilities * np.clip(0.72 + 0.08 * steady[3] + 0.015 * worse, 0.45, 0.97))
    current = money(assets * current_share)
    stocks = money(assets * np.asarray(STOCKS)[block.profile.sector] * np.exp(0.1 * noise[2]))
    receivables = money((current - stocks) * np.clip(0.55 + 0.1 * steady[4] + 0.02 * worse, 0.2, 0.9))
    cash = money(np.maximum((current - stocks - receivables) * np.clip(0.72 - 0.06 * worse, 0.1, 0.9), 0))
    short_debt = money(current_owed * np.clip(0.35 + 0.05 * worse, 0.1, 0.7))
    payables = money((current_owed - short_debt) * 0.8)
    long_debt = money((liabilities - current_owed) * 0.8)
    sales = money(revenue)
    gross_share = np.clip(0.24 - 0.012 * worse + 0.03 * steady[5], 0.03, 0.5)
    cost = money(sales * (1 - gross_share))
    margin = np.clip(0.075 - 0.018 * worse + 0.012 * noise[3], -0.5, gross_share - 0.02)
    profit = money(sales * margin)
    interest = money((short_debt + long_debt) * (0.035 + 0.015 * shares[0]))
    before_tax = profit - interest
    net = money(before_tax * np.where(before_tax > 0, 0.76, 1.0))
    depreciation = money(assets * (0.02 + 0.02 * shares[1]))
    operating = money(net + depreciation - sales * (0.02 * noise[4] + 0.005 * worse))
    equity = assets - liabilities
    return {
        "cash": cash, "trade_receivables": receivables, "inventories": stocks, "current_assets": current, "total_assets": assets,
        "short_term_debt": short_debt, "trade_payables": payables, "current_liabilities": current_owed, "long_term_debt": long_debt,
        "total_liabilities": liabilities, "retained_earnings": money(np.where(equity > 0, equity * (0.35 + 0.3 * shares[2]), equity * 1.1)),
        "total_equity": equity, "revenue": sales, "cost_of_sales": cost, "gross_profit": sales - cost,
        "depreciation_amortisation": depreciation, "operating_profit": profit, "interest_expense": interest, "profit_before_tax": before_tax,
        "net_income": net, "operating_cash_flow": operating, "investing_cash_flow": money(-assets * 0.03 * (0.5 + shares[3])),
        "financing_cash_flow": money(-0.4 * operating),
    }  # fmt: skip


def _year(block: Block, known: Flags, end: np.int32, published: Days, opinion: Codes, lines: dict[str, Any]) -> pa.Table:
    where = np.flatnonzero(known)
    count = len(where)
    chinese = np.asarray([country.code == "CN" for country in COUNTRIES])[block.profile.country[where]]
    columns: dict[str, Any] = {
        "buyer_id": choice_column(where.astype(np.int32), block.profile.ids),
        "period_end": day_column(np.full(count, end, np.int32)),
        "period_months": pa.array(np.full(count, 12, np.int32)),
        "consolidated": pa.array(np.zeros(count, np.bool_)),
        "published_on": day_column(published[where]),
        "published_on_estimated": pa.array(np.zeros(count, np.bool_)),
        "audited": pa.array(opinion[where] >= 0),
        "opinion": choice_column(opinion[where], OPINIONS),
        "standard": choice_column(np.where(chinese, 0, 1).astype(np.int32), ("CAS", "IFRS")),
        "currency": choice_column(block.profile.currency[where], CURRENCIES),
    }
    for field in STATEMENT.facts:
        if field.name not in columns:
            values = lines.get(field.name)
            columns[field.name] = pa.nulls(count, pa.int64()) if values is None else pa.array(values[where])
    return pa.table(columns, schema=STATEMENT.facts)
