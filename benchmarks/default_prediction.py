"""How well does the shipped scorecard tell failing firms from others, against what everybody uses?

    .venv/bin/python benchmarks/default_prediction.py        (needs scikit-learn and the data; see results.md)

US panel: rivals are fitted on firms whose last accounts are of 2011 or earlier and judged, like the shipped scorecard, on those of 2012
to 2014. Polish firms: everything as fitted on the US panel, unchanged. Intervals: 1,000 bootstrap draws of firms, seed fixed.
Rows of the US panel without a row before them are the first of a firm's window and never fail by the way the panel was cut; no factor
looks at the year before, so that nothing can learn that.
"""

from __future__ import annotations

import csv
import gzip
import os
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HERE / "scripts"))

import train_scorecard_v1 as training
from duecourse.risk import scorecard_v1

ALTMAN = (
    "working_capital_to_assets",
    "retained_earnings_to_assets",
    "operating_profit_to_assets",
    "equity_to_liabilities",
    "asset_turnover",
)
DRAWS = 1_000


def auc(fails: np.ndarray, risk: np.ndarray) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(fails, risk))


def ks(fails: np.ndarray, risk: np.ndarray) -> float:
    order = np.argsort(-risk)
    bad = np.cumsum(fails[order]) / fails.sum()
    good = np.cumsum(1 - fails[order]) / (1 - fails).sum()
    return float(np.abs(bad - good).max())


def caught(fails: np.ndarray, risk: np.ndarray, share: float = 0.1) -> float:
    return float(fails[np.argsort(-risk)[: round(share * len(fails))]].sum() / fails.sum())


def brier_skill(fails: np.ndarray, probability: np.ndarray) -> float:
    return float(1 - np.mean((probability - fails) ** 2) / (fails.mean() * (1 - fails.mean())))


def interval(fails: np.ndarray, risk: np.ndarray, firm: np.ndarray) -> tuple[float, float]:
    draw = np.random.default_rng(0)
    firms, place = np.unique(firm, return_inverse=True)
    rows_of = np.split(np.argsort(place, kind="stable"), np.cumsum(np.bincount(place))[:-1])
    found = []
    for _ in range(DRAWS):
        rows = np.concatenate([rows_of[number] for number in draw.integers(0, len(firms), len(firms))])
        if fails[rows].any():
            found.append(auc(fails[rows], risk[rows]))
    return float(np.quantile(found, 0.025)), float(np.quantile(found, 0.975))


def logistic(values: np.ndarray, fails: np.ndarray):
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    low, high = np.nanquantile(values, 0.01, axis=0), np.nanquantile(values, 0.99, axis=0)
    model = make_pipeline(SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression(max_iter=5_000)).fit(
        np.clip(values, low, high), fails
    )
    return lambda other: model.predict_proba(np.clip(other, low, high))[:, 1]


def boosted(values: np.ndarray, fails: np.ndarray, directions: list[int]):
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(
        learning_rate=0.05,
        max_iter=150,
        max_leaf_nodes=8,
        min_samples_leaf=60,
        l2_regularization=5.0,
        early_stopping=False,
        monotonic_cst=directions,
        random_state=0,
    ).fit(values, fails)
    return lambda other: model.predict_proba(other)[:, 1]


def stacked(data: dict[str, np.ndarray], names: tuple[str, ...], rows: np.ndarray) -> np.ndarray:
    return np.column_stack([data[name][rows] for name in names])


def polish(path: Path) -> dict[str, np.ndarray]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [dict(pairs) for pairs in dict.fromkeys(tuple(row.items()) for row in csv.DictReader(lines))]  # exact duplicates once

    def a(number: int) -> np.ndarray:
        return np.array([float(row[f"Attr{number}"]) if row[f"Attr{number}"] not in ("", "?") else np.nan for row in rows])

    with np.errstate(all="ignore"):
        found = {
            "net_income_to_assets": a(1), "operating_profit_to_assets": a(7), "net_margin": a(23), "operating_margin": a(42), "gross_margin": a(56),
            "retained_earnings_to_assets": a(6), "liabilities_to_assets": a(2), "current_liabilities_to_assets": a(51), "long_term_debt_to_assets": a(59) * a(10),
            "financing_burden_to_liabilities": (a(7) - a(1)) / a(2), "working_capital_to_assets": a(3), "current_ratio": a(4), "quick_ratio": a(46),
            "liquid_assets_to_current_liabilities": a(40), "liquid_assets_to_assets": a(40) * a(51), "current_assets_to_assets": a(50) * a(2),
            "funds_flow_to_liabilities": a(26), "ebitda_to_liabilities": (a(7) + a(26) * a(2) - a(1)) / a(2), "current_liabilities_to_revenue": a(62) / 365,
            "asset_turnover": a(9), "receivable_days": a(44), "inventory_days": a(47), "equity_to_liabilities": a(8),
        }  # fmt: skip
    found = {name: np.where(np.isfinite(column), column, np.nan) for name, column in found.items()}
    found["total_assets_usd_log"] = np.full(len(rows), np.nan)  # the file gives no amounts in a currency
    found["fails"] = np.array([int(float(row["class"])) for row in rows])
    found["firm"] = np.arange(len(rows))
    return found


def altman(data: dict[str, np.ndarray], rows: np.ndarray) -> np.ndarray:
    weights = dict(zip(ALTMAN[:4], (6.56, 3.26, 6.72, 1.05), strict=True))
    return -sum(weight * np.nan_to_num(data[name][rows]) for name, weight in weights.items())


def line(name: str, fails: np.ndarray, risk: np.ndarray, firm: np.ndarray, *, probability: bool) -> str:
    low, high = interval(fails, risk, firm)
    skill = f"{brier_skill(fails, risk):+.3f}" if probability else "–"
    expected = f"{risk.mean() / fails.mean():.2f}" if probability else "–"
    return f"| {name} | {auc(fails, risk):.3f} ({low:.3f}–{high:.3f}) | {ks(fails, risk):.2f} | {caught(fails, risk):.0%} | {skill} | {expected} |"


def main() -> None:
    folder = Path(os.environ.get("DUECOURSE_DATA") or HERE.parent / "shared" / "data")
    data = training.panel(folder / "us_bankruptcy" / "us_1999_2014.csv.gz", equity=True)
    fit, judge = (np.flatnonzero(data["split"] == part) for part in ("train", "validation"))
    names = tuple(training.FACTORS)
    card = scorecard_v1.load()
    rate = float(data["fails"][fit].mean())
    shipped = card.score({name: data[name] for name in names}, base_rate=rate).probability_of_default_12m
    five = logistic(stacked(data, ALTMAN, fit), data["fails"][fit])
    wide = logistic(stacked(data, names, fit), data["fails"][fit])
    trees = boosted(stacked(data, names, fit), data["fails"][fit], [training.FACTORS[name][1] for name in names])
    heading = "| | AUC (95 %) | KS | caught in riskiest 10 % | Brier skill | expected ÷ observed |\n|---|---|---|---|---|---|"
    following = np.full(len(data["fails"]), -1)
    same = data["firm"][1:] == data["firm"][:-1]
    following[:-1][same] = data["fails"][1:][same]
    ahead = judge[following[judge] >= 0]
    for title, rows, fails, probability in (
        ("US firms, fails in the next year", judge, data["fails"][judge], True),
        ("US firms, fails in the year after the next", ahead, following[ahead], False),
    ):
        print(f"\n{title}: {len(rows):,} firm-years, {fails.sum()} failures\n\n{heading}")
        for name, risk, is_probability in (
            ("Altman Z″", altman(data, rows), False),
            ("logistic, Altman's five", five(stacked(data, ALTMAN, rows)), True),
            ("logistic, all factors", wide(stacked(data, names, rows)), True),
            ("monotone boosted trees with interactions", trees(stacked(data, names, rows)), True),
            ("**shipped scorecard**", shipped[rows], True),
        ):
            print(line(name, fails, risk, data["firm"][rows], probability=probability and is_probability))
    for number, horizon in ((1, "five"), (3, "three")):
        other = polish(folder / "polish" / f"polish_{number}year.csv.gz")
        every = np.arange(len(other["fails"]))
        print(
            f"\nPolish firms, fails within {horizon} years: {len(every):,} firms, {other['fails'].sum()} failures; nothing refitted\n\n{heading}"
        )
        scored = card.score({name: other[name] for name in names}).probability_of_default_12m
        for name, risk in (
            ("Altman Z″", altman(other, every)),
            ("logistic, Altman's five", five(stacked(other, ALTMAN, every))),
            ("**shipped scorecard**", np.nan_to_num(scored, nan=float(np.nanmedian(scored)))),
        ):
            print(line(name, other["fails"], risk, every, probability=False))


if __name__ == "__main__":
    main()
