"""Fit hazard version 1 on simulated economies of several families and write its parameters.

    .venv/bin/python scripts/train_warning_v1.py [FOLDER]        (needs scikit-learn; FOLDER keeps what was drawn; see docs/reference/warning-v1.md)

Signs are the product's own, read from ledgers as of month ends; outcomes are the truth of the economies. The families it is judged on
(`benchmarks/watch.py`) have other seeds, and some of them other laws, than those fitted here.
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import train_scorecard_v1 as training
from duecourse.desk.opening import open_ledger
from duecourse.desk.signs import signs
from duecourse.measures.indicators.trade import insurer_cover, utilisation
from duecourse.risk.points import from_json
from duecourse.risk.warning.hazard_v1.themes import SIGNS
from duecourse.samples.economy import Economy, write
from duecourse.samples.families import FAMILIES
from train_scorecard_v1 import anchored

if TYPE_CHECKING:
    from duecourse.ledger.book import Book

HERE = Path(__file__).resolve().parent.parent
TARGET = HERE / "src" / "duecourse" / "risk" / "warning" / "hazard_v1" / "model.json"
INVOICES, BUYERS, YEARS = 400_000, 2_000, 5
ECONOMIES = (
    ("base", 41), ("base", 61), ("base", 62), ("base", 63), ("base", 66), ("even_ramp", 42), ("even_ramp", 64), ("heavy_tails", 43), ("heavy_tails", 65),
    ("false_alarms", 44), ("together", 45), ("together", 67), ("new_regime", 47), ("hidden", 48),
)  # fmt: skip
HEALTHY_SHARE = 0.2
"""Of the firms that never fail, so many are fitted on; the level is set on all."""

FIRST, LAST = date(2023, 4, 30), date(2026, 4, 30)
EVERY_MONTHS = 2
LABEL_DAYS = 365
"""Failing within a year is what is fitted: it ranks early distress as well as near failure. The level is then set to six months."""

HORIZON_DAYS = 183
BASE_RATE = 0.01


def days() -> list[date]:
    found, day = [], FIRST
    while day <= LAST:
        found.append(day)
        month = day.month - 1 + EVERY_MONTHS
        day = date(day.year + (month + 1) // 12, (month + 1) % 12 + 1, 1) - timedelta(days=1)
    return found


def cover(book: Book, ids: pa.Array) -> pa.Table:
    """The two indicators the signs take: how far limits are used, what of the insurer's cover is gone."""
    columns = {"buyer_id": ids}
    for name, make in (("LIM01", utilisation), ("LIM02_lost", insurer_cover)):
        rows = book.run(make(book))
        columns[name] = rows[name].combine_chunks().cast(pa.float64()).take(pc.index_in(ids, rows["buyer_id"].combine_chunks()))
    return pa.table(columns)


def economy(family: str, seed: int, place: Path) -> dict[str, np.ndarray]:
    """Buyer-months of one simulated economy: every sign, the buyer, days until it fails (a large number: never)."""
    made = Economy(invoices=INVOICES, buyers=BUYERS, years=YEARS, seed=seed, behaviour=replace(FAMILIES[family], size_exponent=0.45))
    ledger = open_ledger(place / f"{family}-{seed}", create=True)
    write(ledger, made)
    truth = pq.read_table(place / f"{family}-{seed}" / "truth" / "buyer.parquet")
    parts = []
    for on in days():
        book = ledger.as_of(on)
        ids = book.run(book.buyer.select("buyer_id").order_by("buyer_id"))["buyer_id"].combine_chunks()
        found = signs(book, ids, cover(book, ids))
        fails_on = truth["default_date"].combine_chunks().take(pc.index_in(ids, truth["buyer_id"].combine_chunks()))
        left = pc.fill_null(pc.subtract(fails_on.cast(pa.int32()), (on - date(1970, 1, 1)).days), 10**6).to_numpy(zero_copy_only=False)
        keep = (left > 0) & (found["past_items"] + np.nan_to_num(found["unpaid_over_30_days"]) > 0)
        parts.append(
            {
                **{name: found[name][keep].astype(np.float32) for name in SIGNS},
                "left": left[keep],
                "firm": np.flatnonzero(keep) + seed * 1_000_000,
            }
        )
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def main() -> None:
    keep = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    tables = []
    for family, seed in ECONOMIES:
        at = keep / f"{family}-{seed}.npz" if keep else None
        if at and at.exists():
            tables.append(dict(np.load(at)))
            continue
        with tempfile.TemporaryDirectory() as folder:
            tables.append(economy(family, seed, Path(folder)))
        if at:
            np.savez(at, **tables[-1])
    data = {name: np.concatenate([one[name] for one in tables]) for name in tables[0]}
    training.FACTORS = SIGNS
    names = list(SIGNS)
    rows = np.arange(len(data["left"]))
    data["fails"] = (data["left"] <= LABEL_DAYS).astype(int)
    ill = np.unique(data["firm"][data["left"] < 10**5])
    fitted = np.flatnonzero(
        np.isin(data["firm"], ill) | (np.random.default_rng(5).random(int(data["firm"].max()) + 1)[data["firm"]] < HEALTHY_SHARE)
    )
    some = np.sort(np.random.default_rng(3).choice(fitted, min(15_000, len(fitted)), replace=False))
    model = {
        "version": "hazard_v1", "base_rate": BASE_RATE, "training_rate": round(float(data["fails"].mean()), 6),
        **training.steps_of(training.refits(data, fitted, names, rate=0.12, rounds=120), data, some, names),
    }  # fmt: skip
    data["fails"] = (data["left"] <= HORIZON_DAYS).astype(int)
    model = {**model, "training_rate": round(float(data["fails"].mean()), 6)}
    slope = steepness(model, data)
    model = {**anchored(training.sharpened(model, slope, data, rows)), "slope": round(slope, 3)}
    TARGET.write_text(json.dumps(model, separators=(",", ":")) + "\n", encoding="utf-8")
    card = from_json(json.dumps(model))
    p = card.score({name: data[name].astype(float) for name in names}, base_rate=card.training_rate).probability_of_default_12m
    print(
        f"{TARGET}: {len(names)} signs, {len(rows)} buyer-months, {int(data['fails'].sum())} within six months, AUC {training_auc(data['fails'], p):.3f}"
    )


def steepness(model: dict, data: dict[str, np.ndarray]) -> float:
    """How much steeper the odds of failing within six months are than those fitted to a year, which are shrunk on purpose. Ranks nobody anew."""
    from sklearn.linear_model import LogisticRegression

    log_odds = from_json(json.dumps(model)).evidence({name: data[name].astype(float) for name in SIGNS}).log_odds
    return float(LogisticRegression(C=1e6).fit(log_odds[:, None], data["fails"]).coef_[0, 0])


def training_auc(fails: np.ndarray, p: np.ndarray) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(fails, p))


if __name__ == "__main__":
    main()
