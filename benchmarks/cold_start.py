"""How well do the warnings do on a new tenant's book, before and after its own few defaults have been learnt from?

    .venv/bin/python benchmarks/cold_start.py [--keep FOLDER] [--buyers 3000] [--invoices 600000] [--record]        (needs scikit-learn)

A model is fitted on economies of one kind (A: the demo's behaviour, three seeds) and used in two groups of five others: near ones (B: other lead
times, correlation and share of sudden failures) and far ones (C: families that follow another law). Forty invoices a buyer and year, and in B and C
failures as frequent as in the economy the goal was set in (1.2 % within half a year; A is left as it is, so that the level has to be learnt). In each
half of the buyers are the test; from the other half tenants of 100, 300 and 600 buyers are drawn, four of each size, twenty in all of a group. A tenant
has three years of quarters; a row is a buyer on a day, its outcome failure within six months. All rivals read the same signs of the warning:

    local ridge      fitted on the tenant alone, on the log-odds of the signs; strength chosen by leaving buyers out
    local boosted    monotone boosted trees fitted on the tenant alone
    as is            the additive model of A, or the one that is shipped (fourteen economies, seven families)
    intercept fix    the same with its level moved by the tenant's defaults
    tempered MAP     what the product does: `risk.calibration.updated`, level and a slope for each theme, held as strongly as the tenant's evidence has it
    chosen           tempered MAP, or from eighty own defaults on local boosted trees where they do better on buyers left out
    interacting      boosted trees with interactions fitted on A, intercept fix: what is lost by being additive

Log-loss on the test buyers of all five, and as a share of the no-skill model's (their failure rate for all): economies differ in how often firms
fail, so that only the share can be held against another simulator's.
"""

from __future__ import annotations

import argparse
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

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "benchmarks"), str(ROOT / "scripts")]

import machine
import train_scorecard_v1 as training
import train_warning_v1
from duecourse.desk.watched import half_year
from duecourse.risk.calibration import auc, updated
from duecourse.risk.points import Scorecard, from_json, logit, probability_of
from duecourse.risk.warning import hazard_v1
from duecourse.risk.warning.hazard_v1 import HORIZON_DAYS, SIGNS
from duecourse.samples.families import FAMILIES
from duecourse.samples.parameters import Behaviour

EVEN = 0.45
"""Buyers not as unlike in size as the demo's, as in the economies the warning was fitted on: else most have a handful of invoices."""

AS_OFTEN = 1.1
"""Intensity of failure under which the near economies together fail as often as the one the goal was set in; the demo's is 1.5."""

HOME = {f"base {number}": (Behaviour(size_exponent=EVEN), 400 + number) for number in (1, 2, 3)}
NEAR = {
    f"near {number}": (
        Behaviour(
            distress_months_median=months, asset_correlation=together, sudden_share=sudden, size_exponent=EVEN, default_intensity=AS_OFTEN
        ), 600 + number,
    )
    for number, (months, together, sudden) in enumerate(
        ((7.0, 0.06, 0.20), (12.0, 0.02, 0.10), (6.0, 0.08, 0.25), (14.0, 0.05, 0.20), (8.0, 0.01, 0.05)), 1
    )
}  # fmt: skip
FAR = {
    f"far {name}": (replace(FAMILIES[name], size_exponent=EVEN, default_intensity=AS_OFTEN), 500 + place)
    for place, name in enumerate(("late_ramp", "even_ramp", "hidden", "together", "heavy_tails"))
}
DAYS = [date(2022 + month // 12, month % 12 + 1, 1) - timedelta(days=1) for month in range(16, 54, 3)]
EPOCH = date(1970, 1, 1)
BASE = float(logit(half_year(np.array(0.01))))
OVERLAP = 2.0  # each failure counts in two quarters
SIZES, DRAWS = (100, 300, 600), 4
STRENGTHS = (3.0, 10.0, 30.0, 100.0)
MANY = 80
GOAL = {100: 0.0440 / 0.0637, 300: 0.0430 / 0.0637, 600: 0.0425 / 0.0637}


def panel(behaviour: Behaviour, seed: int, buyers: int, invoices: int) -> dict[str, np.ndarray]:
    """Buyer-days of one economy: every sign, the buyer, the day, days until it fails (a large number: never)."""
    from duecourse.desk.opening import open_ledger
    from duecourse.desk.signs import signs, taken
    from duecourse.desk.watched import active
    from duecourse.engines.fused import ensure
    from duecourse.samples.economy import Economy, write

    with tempfile.TemporaryDirectory() as folder:
        ledger = open_ledger(Path(folder) / "ledger", create=True)
        write(ledger, Economy(invoices=invoices, buyers=buyers, years=5, seed=seed, behaviour=behaviour))
        ensure(ledger)
        truth = pq.read_table(Path(folder) / "ledger" / "truth" / "buyer.parquet")
        parts = []
        for on in DAYS:
            book = ledger.as_of(on)
            ids = active(book)
            found = signs(book, ids, taken(book, ids))
            place = pc.index_in(ids, truth["buyer_id"].combine_chunks())
            fails_on = truth["default_date"].combine_chunks().take(place)
            left = pc.fill_null(pc.subtract(fails_on.cast(pa.int32()), (on - EPOCH).days), 10**6).to_numpy(zero_copy_only=False)
            keep = left > 0
            day = np.full(int(keep.sum()), (on - EPOCH).days)
            parts.append(
                {
                    **{name: values[keep].astype(np.float32) for name, values in found.items()}, "left": left[keep],
                    "buyer": place.to_numpy()[keep], "day": day,
                }
            )  # fmt: skip
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def kept(folder: Path | None, name: str, behaviour: Behaviour, seed: int, asked: argparse.Namespace) -> dict[str, np.ndarray]:
    path = folder / f"{name.replace(' ', '-')}.npz" if folder else None
    if path and path.exists():
        made = dict(np.load(path))
    else:
        made = panel(behaviour, seed, asked.buyers, asked.invoices)
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
            np.savez(path, **made)
    made["fails"] = (made["left"] <= HORIZON_DAYS).astype(float)
    print(f"{name}: {len(made['fails']):,} rows, {made['fails'].mean():.2%} fail within half a year", flush=True)
    return made


def log_loss(fails: np.ndarray, log_odds: np.ndarray) -> float:
    return float(np.mean(np.logaddexp(0, log_odds) - fails * log_odds))


def ridge(values: np.ndarray, fails: np.ndarray, strength: float) -> np.ndarray:
    """Logistic regression on standardised columns, level nearly free; rows count one in OVERLAP."""
    design = np.column_stack([np.ones(len(fails)), values])
    precision = np.diag([0.5, *np.full(values.shape[1], strength)])
    prior = np.zeros(design.shape[1])
    prior[0] = -4.5
    beta = prior.copy()
    for _ in range(60):
        p = probability_of(design @ beta)
        gradient = design.T @ (p - fails) / OVERLAP + precision @ (beta - prior)
        curvature = (design * (p * (1 - p))[:, None]).T @ design / OVERLAP + precision
        step = np.linalg.solve(curvature, gradient)
        beta -= step * min(1.0, 2.0 / np.abs(step).max())
        if np.abs(step).max() < 1e-8:
            break
    return beta


def folds(buyers: np.ndarray) -> np.ndarray:
    names, place = np.unique(buyers, return_inverse=True)
    return np.random.default_rng(0).integers(0, 5, len(names))[place]


def local(values: np.ndarray, fails: np.ndarray, buyers: np.ndarray) -> np.ndarray:
    fold = folds(buyers)

    def lost(strength: float) -> float:
        total = 0.0
        for number in range(5):
            fit, left = fold != number, fold == number
            beta = ridge(values[fit], fails[fit], strength)
            total += log_loss(fails[left], beta[0] + values[left] @ beta[1:]) * left.sum()
        return total

    return ridge(values, fails, min(STRENGTHS, key=lost))


def boosted(values: np.ndarray, fails: np.ndarray, *, rounds: int, leaf: int):
    """Monotone boosted trees with interactions."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        learning_rate=0.06, max_iter=rounds, max_leaf_nodes=8, min_samples_leaf=leaf, l2_regularization=10.0, early_stopping=False, random_state=0,
        monotonic_cst=[direction for _theme, direction in SIGNS.values()],
    ).fit(values, fails)  # fmt: skip


def raw(data: dict[str, np.ndarray]) -> np.ndarray:
    return np.column_stack([data[name] for name in SIGNS])


def card_of(data: dict[str, np.ndarray]) -> Scorecard:
    """An additive card fitted as `scripts/train_warning_v1.py` fits the shipped one, on other economies."""
    training.FACTORS, training.REFITS = SIGNS, 2
    rows, names = np.arange(len(data["left"])), list(SIGNS)
    data = {**data, "firm": data["buyer"], "fails": (data["left"] <= train_warning_v1.LABEL_DAYS).astype(int)}
    some = np.sort(np.random.default_rng(3).choice(rows, min(15_000, len(rows)), replace=False))
    model = training.steps_of(training.refits(data, rows, names, rate=0.12, rounds=120), data, some, names)
    data["fails"] = (data["left"] <= HORIZON_DAYS).astype(int)
    model = {"version": "A", "base_rate": 0.01, "training_rate": float(data["fails"].mean()), **model}
    slope = train_warning_v1.steepness(model, data)
    return from_json(json.dumps(train_warning_v1.anchored(training.sharpened(model, slope, data, rows))))


class Model:
    """Log-odds of a model on rows: a level, and what each theme adds."""

    def __init__(self, card: Scorecard, level: float, data: dict[str, np.ndarray]) -> None:
        self.added = card.evidence({name: data[name].astype(float) for name in SIGNS}, explained=True).added
        self.level = np.full(len(data["left"]), level)
        themes = dict.fromkeys(theme for theme, _direction in SIGNS.values())
        self.families = {theme: sum(self.added[name] for name, (of, _) in SIGNS.items() if of == theme) for theme in themes}

    def of(self, rows: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        return self.level[rows], {name: values[rows] for name, values in self.families.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path, default=None, help="folder for the economies' rows, to be used again")
    parser.add_argument("--buyers", type=int, default=3_000)
    parser.add_argument("--invoices", type=int, default=600_000)
    parser.add_argument("--record", action="store_true")
    asked = parser.parse_args()
    parts = [kept(asked.keep, name, *of, asked) for name, of in HOME.items()]
    home = {name: np.concatenate([one[name] for one in parts]) for name in parts[0]}
    home["buyer"] = np.concatenate([one["buyer"] + 1_000_000 * place for place, one in enumerate(parts)])
    models = {
        "pretrained on A": (card_of(home), float(logit(home["fails"].mean()))), "shipped": (hazard_v1.load(), BASE),
    }  # fmt: skip
    interacting = boosted(raw(home), home["fails"], rounds=200, leaf=80)
    told = []
    for title, economies in (("B: other lead times, correlation and share of sudden failures", NEAR), ("C: economies of another law", FAR)):
        away = [kept(asked.keep, name, *of, asked) for name, of in economies.items()]
        told.append(f"{title}. {compared(away, models, interacting)}")
        print(told[-1], flush=True)
    if asked.record:
        head = (
            f"## Cold start: a new tenant's own defaults\n\n{machine.describe('numpy', 'scikit-learn')}; {asked.buyers:,} buyers and {asked.invoices:,} "
            "invoices an economy (`cold_start.py`)"
        )
        machine.record("\n\n".join([head, *told]))


def compared(away: list[dict[str, np.ndarray]], models: dict, interacting: object) -> str:
    """The rivals on tenants of these economies, as a table."""
    results: dict[tuple[str, str, int], list[tuple[float, ...]]] = {}
    no_skill, rates = [], []
    for number, data in enumerate(away):
        chance = np.random.default_rng(number)
        buyers = chance.permutation(np.unique(data["buyer"]))
        test = np.isin(data["buyer"], buyers[: len(buyers) // 2])
        fails, rate = data["fails"], float(data["fails"][test].mean())
        rates.append(rate)
        no_skill.append(log_loss(fails[test], np.full(test.sum(), np.log(rate / (1 - rate)))))
        values, free = raw(data), interacting.decision_function(raw(data))
        here = {title: Model(*of, data) for title, of in models.items()}
        columns = np.column_stack(list(here["pretrained on A"].added.values()))
        columns = (columns - columns.mean(axis=0)) / np.maximum(columns.std(axis=0), 1e-3)
        for size in SIZES:
            for _draw in range(DRAWS):
                mine = np.isin(data["buyer"], chance.choice(buyers[len(buyers) // 2 :], size, replace=False))
                defaults = len(np.unique(data["buyer"][mine & (fails == 1)]))

                def note(
                    title: str, rival: str, log_odds: np.ndarray, size=size, defaults=defaults, test=test, rate=rate, fails=fails
                ) -> None:
                    expected = float(probability_of(log_odds).mean()) / rate
                    figures = (log_loss(fails[test], log_odds), auc(fails[test], log_odds), expected, float(defaults))
                    results.setdefault((title, rival, size), []).append(figures)

                beta = local(columns[mine], fails[mine], data["buyer"][mine])
                note("", "local ridge", beta[0] + columns[test] @ beta[1:])
                trees = boosted(values[mine], fails[mine], rounds=60, leaf=40)
                note("", "local boosted", trees.decision_function(values[test]))
                fixed = updated(free[mine], {}, fails[mine], overlap=OVERLAP)
                note("", "interacting trees of A, intercept fix", fixed.log_odds(free[test], {}))
                for title, model in here.items():
                    level, families = model.of(mine)
                    there, then = model.of(test)
                    note(title, "as is", there + sum(then.values()))
                    for rival, strength in (("intercept fix", 1e9), ("tempered MAP", None)):
                        found = updated(level, families, fails[mine], overlap=OVERLAP, slope_precision=strength)
                        note(title, rival, found.log_odds(there, then))
                    if defaults < MANY or not better_apart(data, mine, values, model):
                        note(title, "chosen", found.log_odds(there, then))
                    else:
                        note(title, "chosen", trees.decision_function(values[test]))
    return table(results, float(np.mean(no_skill)), float(np.mean(rates)))


def better_apart(data: dict[str, np.ndarray], mine: np.ndarray, values: np.ndarray, model: Model) -> bool:
    """Do local boosted trees do better than the update on the tenant's buyers that were left out?"""
    fold, fails = folds(data["buyer"][mine]), data["fails"][mine]
    level, families = model.of(mine)
    lost = np.zeros(2)
    for number in range(5):
        fit, left = fold != number, fold == number
        found = updated(level[fit], {name: one[fit] for name, one in families.items()}, fails[fit], overlap=OVERLAP)
        trees = boosted(values[mine][fit], fails[fit], rounds=60, leaf=40)
        both = (
            found.log_odds(level[left], {name: one[left] for name, one in families.items()}),
            trees.decision_function(values[mine][left]),
        )
        lost += [log_loss(fails[left], one) * left.sum() for one in both]
    return bool(lost[1] < lost[0])


def table(results: dict, no_skill: float, rate: float) -> str:
    lines = [
        f"{rate:.2%} of buyers fail within half a year; no-skill log-loss {no_skill:.4f} (means of the five)\n",
        "| | " + " | ".join(f"{size} buyers" for size in SIZES) + " |\n|---|" + "---|" * len(SIZES),
        "| own defaults, mean | "
        + " | ".join(f"{np.mean([one[3] for one in results['', 'local ridge', size]]):.0f}" for size in SIZES)
        + " |",
    ]
    for title, rival in dict.fromkeys((title, rival) for title, rival, _size in results):
        cells = []
        for size in SIZES:
            loss, area, expected, _ = np.mean(results[title, rival, size], axis=0)
            cells.append(f"{loss:.4f} ({loss / no_skill:.3f}), AUC {area:.3f}, E/O {expected:.2f}")
        lines.append(f"| {', '.join(filter(None, (title, rival)))} | " + " | ".join(cells) + " |")
    lines.append("| goal as a share of no-skill | " + " | ".join(f"{GOAL[size]:.3f}" for size in SIZES) + " |")
    for title in ("pretrained on A", "shipped"):
        gains = []
        for size in SIZES:
            gain = np.array(
                [a[0] - b[0] for a, b in zip(results[title, "intercept fix", size], results[title, "tempered MAP", size], strict=True)]
            )
            gains.append(f"{gain.mean():+.5f} ± {gain.std(ddof=1) / len(gain) ** 0.5:.5f}, better {np.mean(gain > 0):.0%}")
        lines.append(f"| {title}: tempered MAP before the intercept fix | " + " | ".join(gains) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
