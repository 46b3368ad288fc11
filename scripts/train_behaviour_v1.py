"""Fit the payment factors of behaviour version 1 on simulated economies, add the expert ones, and write the parameters.

    .venv/bin/python scripts/train_behaviour_v1.py        (needs scikit-learn; some minutes; see docs/reference/behaviour-v1.md)

There is no public data set that holds years of a supplier's ledger and the failures of its buyers. What can be had is the demo economy, whose
truth is known: four of its seeds are fitted, and the whole is made flatter until it is right in four others in which firms pay, warn
and fail differently. Features are the product's own, drawn from ledgers as of past days.
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import train_scorecard_v1 as training
from duecourse.desk.behaviour import conduct
from duecourse.desk.opening import open_ledger
from duecourse.engines.fused import ensure
from duecourse.risk.points import from_json
from duecourse.samples.economy import Behaviour, Economy, write
from train_scorecard_v1 import anchored

HERE = Path(__file__).resolve().parent.parent
TARGET = HERE / "src" / "duecourse" / "risk" / "behaviour_v1" / "model.json"
INVOICES = 600_000
BUYERS = 12_000
HOME_SEEDS = (101, 102, 103, 104)
ABROAD = {
    # seed: what differs from the economies fitted on
    201: {"sudden_share": 0.30, "distress_months_median": 6.0, "stress_days": 25.0},
    202: {"asset_correlation": 0.08, "class_shares": (0.30, 0.40, 0.20, 0.10), "stress_days": 55.0},
    203: {"cloaked_share_of_large": 0.9, "fatal_share": 0.30, "dispute_stress": 0.02},
    204: {"distress_months_median": 14.0, "noise_days_median": 7.0, "stretching_share": 0.3},
}
DAYS = (date(2023, 10, 31), date(2024, 10, 31), date(2025, 10, 31), date(2026, 10, 31))
BASE_RATE = 0.01
STEP_ROWS = 30_000  # the steps are read off the fitted trees at the values of so many buyer-days

FITTED = {
    "delay_with_open": ("payment", 1), "delay_with_open_change": ("trend", 1), "overdue_share": ("payment", 1),
    "share_over_60_days": ("payment", 1), "oldest_days_overdue": ("payment", 1), "days_without_payment": ("payment", 1),
    "days_beyond_terms_trend": ("trend", 1), "purchases_change": ("trend", 0), "dilution_rate": ("dilution", 1), "dispute_rate": ("dilution", 1),
}  # fmt: skip

# Set by judgement, in log-odds, and not fitted: nothing to fit them on is public. Sources: docs/reference/behaviour-v1.md.
EXPERT = [
    {"name": "limit_utilisation", "family": "limit", "edges": [0.5, 0.8, 0.95, 1.0, 1.2], "step": [-0.1, 0.0, 0.25, 0.4, 0.55, 0.7]},
    {"name": "tenure_years", "family": "relation", "edges": [1.0, 2.0, 5.0], "step": [0.25, 0.12, 0.0, -0.1]},
]
SIGNAL_FAMILIES = ("signals_legal", "signals_conduct", "signals_ratings", "signals_operations")
SIGNAL_STEP, SIGNAL_TOP, SIGNAL_LOG_ODDS = 0.05, 1.5, 1.1


def economy(seed: int, place: Path, **other: object) -> dict[str, np.ndarray]:
    """Buyer-days of one simulated economy: each factor's value, buyer, fails within a year."""
    made = Economy(invoices=INVOICES, buyers=BUYERS, years=5, seed=seed, behaviour=replace(Behaviour(), **other))
    ledger = open_ledger(place / str(seed), create=True)
    write(ledger, made)
    ensure(ledger)
    truth = pq.read_table(place / str(seed) / "truth" / "buyer.parquet")
    parts = []
    for on in DAYS:
        book = ledger.as_of(on)
        ids = book.run(book.buyer.select("buyer_id").order_by("buyer_id"))["buyer_id"].combine_chunks()
        found = conduct(book, ids, limits=False)
        fails_on = truth["default_date"].combine_chunks().take(pc.index_in(ids, truth["buyer_id"].combine_chunks()))
        alive = pc.fill_null(pc.greater(fails_on, pa.scalar(on)), True).to_numpy(zero_copy_only=False)
        soon = pc.fill_null(pc.less_equal(fails_on, pa.scalar(on + timedelta(days=365))), False).to_numpy(zero_copy_only=False)
        keep = alive & found.has_trade
        parts.append(
            {
                **{name: found.values[name][keep] for name in FITTED},
                "fails": soon[keep].astype(int),
                "firm": np.array([f"{seed}-{number}" for number in np.flatnonzero(keep)]),
            }
        )
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def joined(parts: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def main() -> None:
    training.FACTORS = FITTED
    names = list(FITTED)
    keep = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    if keep and keep.exists():
        cached = np.load(keep, allow_pickle=False)
        home, abroad = ({name: cached[f"{part}_{name}"] for name in (*names, "fails", "firm")} for part in ("home", "abroad"))
    else:
        with tempfile.TemporaryDirectory() as folder:
            home = joined([economy(seed, Path(folder)) for seed in HOME_SEEDS])
            abroad = joined([economy(seed, Path(folder), **other) for seed, other in ABROAD.items()])
        if keep:
            np.savez(keep, **{f"home_{n}": v for n, v in home.items()}, **{f"abroad_{n}": v for n, v in abroad.items()})
    rows = np.arange(len(home["fails"]))
    some = np.sort(np.random.default_rng(3).choice(rows, min(STEP_ROWS, len(rows)), replace=False))
    model = {
        "version": "behaviour_v1", "base_rate": BASE_RATE, "training_rate": round(float(home["fails"].mean()), 6),
        **training.steps_of(training.refits(home, rows, names), home, some, names),
    }  # fmt: skip
    model = training.sharpened(model, 1.0, home, rows)
    slope = flatter(model, abroad, names)
    model = training.sharpened(model, slope, home, rows)
    model = {**anchored(model), "slope": round(slope, 3)}
    width = len(model["intercepts"])
    edges = [round(SIGNAL_STEP * number, 2) for number in range(1, int(SIGNAL_TOP / SIGNAL_STEP) + 1)]
    experts = [
        *EXPERT,
        *(
            {"name": name, "family": name, "edges": edges, "step": [0.0, *(round(SIGNAL_LOG_ODDS * e, 4) for e in edges)]}
            for name in SIGNAL_FAMILIES
        ),
    ]
    for one in experts:
        model["factors"].append(
            {
                "name": one["name"],
                "family": one["family"],
                "edges": one["edges"],
                "steps": [one["step"]] * width,
                "missing": [0.0] * width,
                "expert": True,
            }
        )
    TARGET.write_text(json.dumps(model, separators=(",", ":")) + "\n", encoding="utf-8")
    report(model, home, abroad, names)


def flatter(model: dict, abroad: dict[str, np.ndarray], names: list[str]) -> float:
    """The slope of the outcome on the log-odds where firms behave otherwise; never above one."""
    from sklearn.linear_model import LogisticRegression

    log_odds = np.log(1 / (1 / scored(model, abroad, names) - 1))
    return min(float(LogisticRegression(C=1e6).fit(log_odds[:, None], abroad["fails"]).coef_[0, 0]), 1.0)


def scored(model: dict, data: dict[str, np.ndarray], names: list[str]) -> np.ndarray:
    card = from_json(json.dumps({**model, "factors": [one for one in model["factors"] if one["name"] in names]}))
    found = card.score({name: data[name] for name in names}, base_rate=card.training_rate).probability_of_default_12m
    return np.nan_to_num(found, nan=card.training_rate)


def report(model: dict, home: dict, abroad: dict, names: list[str]) -> None:
    from sklearn.metrics import roc_auc_score

    for title, data in (("fitted economies", home), ("economies of other habits", abroad)):
        p, y = scored(model, data, names), data["fails"]
        single = {name: roc_auc_score(y, np.nan_to_num(data[name])) for name in names}
        top = np.argsort(-p)[: len(p) // 10]
        print(
            f"{title}: {len(y)} buyer-days, {y.sum()} failures, AUC {roc_auc_score(y, p):.3f}, caught in riskiest 10 % {y[top].sum() / y.sum():.0%}, "
            f"expected/observed {p.mean() / y.mean():.2f}, Brier skill {1 - np.mean((p - y) ** 2) / (y.mean() * (1 - y.mean())):+.3f}"
        )
        print("  alone:", ", ".join(f"{name} {value:.2f}" for name, value in single.items()))
    print("slope", model["slope"], "evidence sd", np.round(np.std(np.log(1 / (1 / scored(model, abroad, names) - 1))), 2))


if __name__ == "__main__":
    main()
