"""Fit scorecard version 1 on the US company-failure panel and write its parameters (needs scikit-learn and the data; see the model card).

    .venv/bin/python scripts/train_scorecard_v1.py [us_1999_2014.csv.gz]

Every choice (factors, number of steps, strength) was made on firms whose last accounts are of 2011 or earlier, looked at on those of
2012 to 2014. Accounts go through the product's own measures, so that what is fitted is what is scored.
"""

from __future__ import annotations

import csv
import gzip
import json
import os
import sys
from datetime import date
from pathlib import Path

import numpy as np

from duecourse import samples
from duecourse.measures.statements import statement_ratios
from duecourse.risk.scorecard_v1 import scoring

HERE = Path(__file__).resolve().parent.parent
TARGET = HERE / "src" / "duecourse" / "risk" / "scorecard_v1" / "model.json"
REFITS = 8
STEPS = 32
FOLDS = 5
BASE_RATE = 0.01
CENTS_PER_MILLION = 100_000_000

# name: (family, direction of risk as the value rises; 0 where theory does not say)
FACTORS = {
    "net_income_to_assets": ("profitability", -1), "operating_profit_to_assets": ("profitability", -1), "net_margin": ("profitability", -1),
    "operating_margin": ("profitability", -1), "gross_margin": ("profitability", 0), "retained_earnings_to_assets": ("profitability", -1),
    "liabilities_to_assets": ("leverage", 1), "current_liabilities_to_assets": ("leverage", 1), "long_term_debt_to_assets": ("leverage", 1),
    "financing_burden_to_liabilities": ("leverage", 1),
    "working_capital_to_assets": ("liquidity", -1), "current_ratio": ("liquidity", -1), "quick_ratio": ("liquidity", -1),
    "liquid_assets_to_current_liabilities": ("liquidity", -1), "liquid_assets_to_assets": ("liquidity", -1), "current_assets_to_assets": ("liquidity", 0),
    "funds_flow_to_liabilities": ("cash_flow", -1), "ebitda_to_liabilities": ("cash_flow", -1), "current_liabilities_to_revenue": ("cash_flow", 1),
    "asset_turnover": ("activity", 0), "receivable_days": ("activity", 0), "inventory_days": ("activity", 0),
    "total_assets_usd_log": ("size", 0),
}  # fmt: skip
ITEMS = {
    "current_assets": "current_assets", "total_assets": "total_assets", "cost_of_goods_sold": "cost_of_sales", "total_long_term_debt": "long_term_debt",
    "depreciation_and_amortization": "depreciation_amortisation", "ebit": "operating_profit", "gross_profit": "gross_profit", "inventory": "inventories",
    "total_current_liabilities": "current_liabilities", "net_income": "net_income", "retained_earnings": "retained_earnings",
    "total_receivables": "trade_receivables", "net_sales": "revenue", "market_value": "market_value", "total_liabilities": "total_liabilities",
}  # fmt: skip


def panel(path: Path, *, equity: bool = False) -> dict[str, np.ndarray]:
    """Firm-years: each factor's value, firm, year, fails in the next year, and which part of the panel."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    facts = [
        {
            "buyer_id": row["firm"], "period_end": date(int(row["fyear"]), 12, 31), "period_months": 12, "consolidated": True,
            "published_on": date(int(row["fyear"]) + 1, 4, 30), "currency": "USD",
            **{ours: round(float(row[theirs]) * CENTS_PER_MILLION) for theirs, ours in ITEMS.items()},
        }
        for row in rows
    ]  # fmt: skip
    book = samples.book(date(2020, 1, 1), statement=facts)
    table = book.run(statement_ratios(book).order_by(["buyer_id", "period_end"]))
    order = sorted(range(len(rows)), key=lambda number: (rows[number]["firm"], rows[number]["fyear"]))
    found = {name: np.array(table[name].to_pylist(), float) for name in FACTORS if name in table.column_names}
    assets = np.array(table["total_assets"].to_pylist(), float)
    found["total_assets_usd_log"] = np.log(np.where(assets > 0, assets, np.nan) / CENTS_PER_MILLION)
    for name in ("firm", "fyear", "split"):
        found[name] = np.array([rows[number][name] for number in order])
    found["fails"] = np.array([int(rows[number]["failed_next_year"]) for number in order])
    if equity:
        found["equity_to_liabilities"] = np.array(table["equity_to_liabilities"].to_pylist(), float)
    return found


def refits(data: dict[str, np.ndarray], rows: np.ndarray, names: list[str], *, rate: float = 0.04, rounds: int = 400) -> list:
    """Additive boosted step functions, monotone where theory says so, fitted on firms drawn with replacement."""
    draw = np.random.default_rng(1)
    firms, place = np.unique(data["firm"][rows], return_inverse=True)
    values = np.column_stack([data[name][rows] for name in names])
    fails = data["fails"][rows]
    made = []
    for number in range(REFITS):
        weight = np.bincount(draw.integers(0, len(firms), len(firms)), minlength=len(firms))[place].astype(float)
        made.append(_additive(names, number, rate, rounds).fit(values[weight > 0], fails[weight > 0], sample_weight=weight[weight > 0]))
    return made


def _additive(names: list[str], seed: int, rate: float = 0.04, rounds: int = 400):
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        learning_rate=rate, max_iter=rounds, max_leaf_nodes=3, min_samples_leaf=80, l2_regularization=10.0, early_stopping=False, random_state=seed,
        monotonic_cst=[FACTORS[name][1] for name in names], interaction_cst="no_interactions",
    )  # fmt: skip


def sharpness(data: dict[str, np.ndarray], rows: np.ndarray, names: list[str]) -> float:
    """How much steeper than fitted the odds really are: the slope of the outcome on the log-odds of firms left out of the fit.

    The fit is shrunk on purpose, so that the slope is above one.
    """
    from sklearn.linear_model import LogisticRegression

    firms, place = np.unique(data["firm"][rows], return_inverse=True)
    fold = np.random.default_rng(2).integers(0, FOLDS, len(firms))[place]
    values, fails = np.column_stack([data[name][rows] for name in names]), data["fails"][rows]
    log_odds = np.empty(len(rows))
    for number in range(FOLDS):
        model = _additive(names, number).fit(values[fold != number], fails[fold != number])
        log_odds[fold == number] = model.decision_function(values[fold == number])
    return float(LogisticRegression(C=1e6).fit(log_odds[:, None], fails).coef_[0, 0])


def sharpened(model: dict, slope: float, data: dict[str, np.ndarray], rows: np.ndarray) -> dict:
    """Every step times the slope, the intercepts moved so that as many failures are expected as there were."""
    for factor in model["factors"]:
        factor["steps"] = np.round(np.array(factor["steps"]) * slope, 4).tolist()
    card = scoring.from_json(json.dumps(model))
    total = np.repeat(card.intercepts[:, None], len(rows), axis=1)
    for factor in card.factors:
        total += factor.log_odds(data[factor.name][rows])
    observed = data["fails"][rows].mean()
    moved = []
    for start, row in zip(card.intercepts, total, strict=True):
        low, high = -5.0, 5.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if (1 / (1 + np.exp(-(row + middle)))).mean() < observed else (low, middle)
        moved.append(round(float(start + low), 4))
    return {**model, "intercepts": moved}


def anchored(model: dict) -> dict:
    """The same log-odds of a firm of which all is known, written so that one of which nothing is known has the odds of the training book.

    The average firm fares better than the book's failure rate, which the worst firms make. That difference is dealt out to the factors by how
    much they tell, so that each value not known brings a firm a step nearer to the base rate and never to a better one.
    """
    base = float(np.log(model["training_rate"] / (1 - model["training_rate"])))
    away = np.array(model["intercepts"]) - base
    told = np.array([np.std(np.mean(factor["steps"], axis=0)) for factor in model["factors"]])
    for factor, share in zip(model["factors"], told / told.sum(), strict=True):
        factor["steps"] = np.round(np.array(factor["steps"]) + away[:, None] * share, 4).tolist()
    return {**model, "intercepts": [round(base, 10)] * len(away)}


def steps_of(models: list, data: dict[str, np.ndarray], rows: np.ndarray, names: list[str]) -> dict:
    """The refits as a table of steps: edges at quantiles of all firms and, closer, of the failing ones."""
    fails = data["fails"][rows] == 1
    nothing = np.full((1, len(names)), np.nan)
    unknown = np.array([model.decision_function(nothing)[0] for model in models])
    factors, means = [], np.zeros(len(models))
    for number, name in enumerate(names):
        values = data[name][rows]
        known = np.isfinite(values)
        quantiles = [
            np.quantile(values[known], np.linspace(0, 1, STEPS + 1)[1:-1]),
            np.quantile(values[known & fails], np.linspace(0, 1, STEPS // 2 + 1)[1:-1]),
        ]
        edges = np.unique([float(f"{edge:.3g}") for edge in np.concatenate(quantiles)])
        grid = np.full((int(known.sum()), len(names)), np.nan)
        grid[:, number] = values[known]
        place = np.searchsorted(edges, values[known], side="right")
        counts = np.bincount(place, minlength=len(edges) + 1)
        used = np.flatnonzero(counts)
        added = np.array(
            [
                np.bincount(place, weights=model.decision_function(grid) - unknown[i], minlength=len(edges) + 1)
                for i, model in enumerate(models)
            ]
        )
        added = added[:, used] / counts[used]
        edges = edges[used[1:] - 1]
        # What is not known says nothing: it counts as the average firm, so that points are lost and won against that.
        average = (added * (counts[used] / counts.sum())).sum(axis=1)
        means += average
        factors.append(
            {
                "name": name,
                "family": FACTORS[name][0],
                "edges": edges.tolist(),
                "steps": np.round(added - average[:, None], 4).tolist(),
                "missing": [0.0] * len(models),
            }
        )
    return {"intercepts": np.round(unknown + means, 4).tolist(), "factors": factors}


def main() -> None:
    folder = Path(os.environ.get("DUECOURSE_DATA") or HERE.parent / "shared" / "data")
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else folder / "us_bankruptcy" / "us_1999_2014.csv.gz"
    data = panel(path)
    rows = np.flatnonzero(data["split"] == "train")
    names = list(FACTORS)
    model = {
        "version": "scorecard_v1", "base_rate": BASE_RATE, "training_rate": round(float(data["fails"][rows].mean()), 6),
        **steps_of(refits(data, rows, names), data, rows, names),
    }  # fmt: skip
    slope = sharpness(data, rows, names)
    model = {**anchored(sharpened(model, slope, data, rows)), "slope": round(slope, 3)}
    TARGET.write_text(json.dumps(model, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{TARGET}: {len(names)} factors, {len(rows)} firm-years, {int(data['fails'][rows].sum())} failures")


if __name__ == "__main__":
    main()
