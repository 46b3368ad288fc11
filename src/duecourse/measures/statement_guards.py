"""Why a ratio or score of a buyer's accounts could not be worked out, and what a score means (指标缺失原因)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class Needs:
    """What a figure is made of.

    items  lines it needs; `prior_` names those of the year before
    above  lines that must be above zero besides being there: its denominators
    some   lines of which one is enough
    """

    items: tuple[str, ...] = ()
    above: tuple[str, ...] = ()
    some: tuple[str, ...] = ()


RATIOS: Final[Mapping[str, Sequence[str]]] = {
    "liquidity": ("current_ratio", "quick_ratio", "working_capital_to_assets"),
    "leverage": ("liabilities_to_assets", "debt_to_equity", "equity_to_liabilities", "long_term_debt_to_assets"),
    "profit": ("gross_margin", "operating_margin", "net_margin", "net_income_to_assets", "operating_profit_to_assets", "retained_earnings_to_assets"),
    "coverage": ("interest_cover", "ebitda_to_liabilities", "funds_flow_to_liabilities", "operating_cash_flow_to_current_liabilities"),
    "activity": ("asset_turnover", "receivable_days", "inventory_days", "payable_days", "cash_conversion_days"),
    "growth": ("revenue_growth", "total_assets_growth"),
}  # fmt: skip
"""The ratios a credit analyst reads, by what they speak of."""

SCORES: Final = ("altman_z", "altman_z_private", "altman_z_general", "altman_em_score", "zmijewski_x", "piotroski_f")

_ALTMAN: Final = ("current_assets", "current_liabilities", "retained_earnings", "operating_profit")

NEEDS: Final[Mapping[str, Needs]] = {
    "current_ratio": Needs(("current_assets",), ("current_liabilities",)),
    "quick_ratio": Needs(("current_assets", "inventories"), ("current_liabilities",)),
    "working_capital_to_assets": Needs(("current_assets", "current_liabilities"), ("total_assets",)),
    "liabilities_to_assets": Needs(("total_liabilities",), ("total_assets",)),
    "debt_to_equity": Needs((), ("total_equity",), ("short_term_debt", "long_term_debt")),
    "equity_to_liabilities": Needs(("total_equity",), ("total_liabilities",)),
    "long_term_debt_to_assets": Needs(("long_term_debt",), ("total_assets",)),
    "gross_margin": Needs(("gross_profit",), ("revenue",)),
    "operating_margin": Needs(("operating_profit",), ("revenue",)),
    "net_margin": Needs(("net_income",), ("revenue",)),
    "net_income_to_assets": Needs(("net_income",), ("total_assets",)),
    "operating_profit_to_assets": Needs(("operating_profit",), ("total_assets",)),
    "retained_earnings_to_assets": Needs(("retained_earnings",), ("total_assets",)),
    "interest_cover": Needs(("operating_profit",), ("interest_expense",)),
    "ebitda_to_liabilities": Needs(("operating_profit", "depreciation_amortisation"), ("total_liabilities",)),
    "funds_flow_to_liabilities": Needs(("net_income", "depreciation_amortisation"), ("total_liabilities",)),
    "operating_cash_flow_to_current_liabilities": Needs(("operating_cash_flow",), ("current_liabilities",)),
    "asset_turnover": Needs(("revenue",), ("total_assets",)),
    "receivable_days": Needs(("trade_receivables",), ("revenue",)),
    "inventory_days": Needs(("inventories",), ("cost_of_sales",)),
    "payable_days": Needs(("trade_payables",), ("cost_of_sales",)),
    "cash_conversion_days": Needs(("trade_receivables", "inventories", "trade_payables"), ("revenue", "cost_of_sales")),
    "revenue_growth": Needs(("revenue",), ("prior_revenue",)),
    "total_assets_growth": Needs(("total_assets",), ("prior_total_assets",)),
    "altman_z": Needs((*_ALTMAN, "market_value", "revenue"), ("total_assets", "total_liabilities")),
    "altman_z_private": Needs((*_ALTMAN, "total_equity", "revenue"), ("total_assets", "total_liabilities")),
    "altman_z_general": Needs((*_ALTMAN, "total_equity"), ("total_assets", "total_liabilities")),
    "altman_em_score": Needs((*_ALTMAN, "total_equity"), ("total_assets", "total_liabilities")),
    "zmijewski_x": Needs(("net_income", "current_assets"), ("total_assets", "total_liabilities", "current_liabilities")),
    "piotroski_f": Needs(
        (
            "net_income", "prior_net_income", "operating_cash_flow", "long_term_debt", "prior_long_term_debt", "current_assets", "prior_current_assets",
            "gross_profit", "prior_gross_profit",
        ),
        ("total_assets", "prior_total_assets", "current_liabilities", "prior_current_liabilities", "revenue", "prior_revenue"),
    ),
}  # fmt: skip

HIGHER_IS_BETTER: Final = frozenset(
    {
        "current_ratio", "quick_ratio", "working_capital_to_assets", "equity_to_liabilities", "gross_margin", "operating_margin", "net_margin",
        "net_income_to_assets", "operating_profit_to_assets", "retained_earnings_to_assets", "interest_cover", "ebitda_to_liabilities",
        "funds_flow_to_liabilities", "operating_cash_flow_to_current_liabilities", "asset_turnover",
    }
)  # fmt: skip
LOWER_IS_BETTER: Final = frozenset({"liabilities_to_assets", "debt_to_equity", "receivable_days", "inventory_days", "cash_conversion_days"})
"""The ratios of which everybody agrees what is good; growth, payables and long-term debt can be either."""

ZONES: Final[Mapping[str, tuple[float, float]]] = {
    "altman_z": (1.81, 2.99), "altman_z_private": (1.23, 2.90), "altman_z_general": (1.10, 2.60), "altman_em_score": (4.15, 5.85),
    "piotroski_f": (2.5, 7.5),
}  # fmt: skip
"""Below the first: distress; above the second: safe. Altman 1968, 1983, 1995; Piotroski 2000."""

FINANCIAL: Final = re.compile(r"银行|保险|证券|信托|金融|租赁|bank|insur|financ|leasing|brokerage", re.IGNORECASE)
"""Sectors whose accounts these scores were not made for."""

Cause = Literal["missing", "not_above_zero"]


@dataclass(frozen=True)
class Reason:
    """Why there is no figure: the lines that are missing, or that are not above zero."""

    cause: Cause
    items: tuple[str, ...]


def why_not(name: str, lines: Mapping[str, Any]) -> Reason | None:
    """Why can this figure not be worked out from these lines? None where it can.

    lines: a year's lines by name, those of the year before as `prior_LINE`; as `annual_statements` has them.
    """
    needs, known = NEEDS[name], _with_totals(lines)
    absent = [item for item in (*needs.items, *needs.above) if known.get(item) is None]
    if needs.some and all(known.get(item) is None for item in needs.some):
        absent += needs.some
    if absent:
        return Reason("missing", tuple(dict.fromkeys(absent)))
    low = tuple(item for item in needs.above if known[item] <= 0)
    return Reason("not_above_zero", low) if low else None


def _with_totals(lines: Mapping[str, Any]) -> dict[str, Any]:
    """The lines, and those the measures work out where the accounts leave them out."""
    known = dict(lines)
    for prior in ("", "prior_"):
        for wanted, whole, part in (
            ("total_equity", "total_assets", "total_liabilities"), ("total_liabilities", "total_assets", "total_equity"),
            ("gross_profit", "revenue", "cost_of_sales"), ("cost_of_sales", "revenue", "gross_profit"),
        ):  # fmt: skip
            first, second = lines.get(f"{prior}{whole}"), lines.get(f"{prior}{part}")
            if known.get(f"{prior}{wanted}") is None and first is not None and second is not None:
                known[f"{prior}{wanted}"] = first - second
    return known


def zone(name: str, value: float | None) -> str:
    """What a score says: safe, grey or distress; empty where there is none."""
    if value is None:
        return ""
    if name == "zmijewski_x":
        return "distress" if value > 0 else "safe"
    low, high = ZONES[name]
    return "distress" if value < low else "safe" if value > high else "grey"


def is_financial(sector: str | None) -> bool:
    """Is this a firm whose accounts the published scores were not made for?"""
    return bool(sector and FINANCIAL.search(sector))
