"""How well do grades do on a new tenant's book, before and after its own few defaults have been learnt from?

    .venv/bin/python benchmarks/cold_start.py [--keep FOLDER] [--buyers 3000] [--record]

A model is fitted on economies of one kind (A: the demo's behaviour, three seeds) and used in two groups of five others: near ones (B: other lead
times, correlation and share of sudden failures) and far ones (C: families that follow another law). In each half of the buyers are the test; from
the other half tenants of 100, 300 and 600 buyers are drawn, four of each size, twenty in all of a group. A tenant has four years of quarters; a row is a buyer on a day, its outcome failure within six
months. All rivals have the same rows and the same columns, the log-odds of the product's own factors on that day:

    local ridge    fitted on the tenant alone; strength chosen by leaving buyers out
    as is          the model of A, or the one that is shipped
    intercept fix  the same with its level moved by the tenant's defaults
    tempered MAP   what `duecourse train` does: `risk.calibration.updated`, level and a slope for each family of factors, held as strongly as the
                   tenant's own evidence has it

Log-loss on the test buyers of all five, and as a share of the no-skill model's (their failure rate for all): economies differ in how often firms
fail, so that only the share can be held against another simulator's.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "benchmarks")]

import machine
from duecourse.risk.calibration import auc, updated
from duecourse.risk.points import probability_of
from duecourse.samples.families import FAMILIES
from duecourse.samples.parameters import Behaviour

HOME = {f"base {number}": (Behaviour(), 400 + number) for number in (1, 2, 3)}
NEAR = {
    f"near {number}": (Behaviour(distress_months_median=months, asset_correlation=together, sudden_share=sudden), 600 + number)
    for number, (months, together, sudden) in enumerate(
        ((7.0, 0.06, 0.20), (12.0, 0.02, 0.10), (6.0, 0.08, 0.25), (14.0, 0.05, 0.20), (8.0, 0.01, 0.05))
    )
}
FAR = {name: (FAMILIES[name], 500 + place) for place, name in enumerate(("late_ramp", "even_ramp", "hidden", "together", "heavy_tails"))}
DAYS = [date(2022 + month // 12, month % 12 + 1, 1) - timedelta(days=1) for month in range(10, 54, 3)]
HORIZON = 182
OVERLAP = 2.0  # each failure counts in two quarters
SIZES, DRAWS = (100, 300, 600), 4
STRENGTHS = (3.0, 10.0, 30.0, 100.0)
GOAL = {100: 0.0440 / 0.0637, 300: 0.0430 / 0.0637, 600: 0.0425 / 0.0637}


def panel(behaviour: Behaviour, seed: int, buyers: int) -> dict[str, np.ndarray]:
    """Buyer-days of one economy: what each factor adds, by family and name; the stated base rate; buyer, fails."""
    from duecourse.desk.behaviour import conduct
    from duecourse.desk.judging import judge
    from duecourse.desk.opening import open_ledger
    from duecourse.engines.fused import ensure
    from duecourse.samples.economy import Economy, write

    with tempfile.TemporaryDirectory() as folder:
        ledger = open_ledger(Path(folder) / "ledger", create=True)
        write(ledger, Economy(invoices=buyers * 40, buyers=buyers, years=5, seed=seed, behaviour=behaviour))
        ensure(ledger)
        truth = pq.read_table(Path(folder) / "ledger" / "truth" / "buyer.parquet")
        parts = []
        for on in DAYS:
            book = ledger.as_of(on)
            ids = book.run(book.buyer.select("buyer_id").order_by("buyer_id"))["buyer_id"].combine_chunks()
            found = conduct(book, ids)
            done = judge(book, ids, found, explained=True)
            place = pc.index_in(ids, truth["buyer_id"].combine_chunks())
            fails_on = truth["default_date"].combine_chunks().take(place)
            alive = pc.fill_null(pc.greater(fails_on, pa.scalar(on)), True).to_numpy(zero_copy_only=False)
            soon = pc.fill_null(pc.less_equal(fails_on, pa.scalar(on + timedelta(days=HORIZON))), False).to_numpy(zero_copy_only=False)
            keep = alive & found.has_trade
            told = {
                f"{factor.family}|{factor.name}": (weight * evidence.added[factor.name])[keep]
                for _block, card, evidence, _values, weight in done.blocks
                for factor in card.factors
            }
            base = np.log(done.base_rate / (1 - done.base_rate))[keep]
            parts.append({**told, "base": base, "fails": soon[keep].astype(float), "buyer": place.to_numpy()[keep]})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def kept(folder: Path | None, name: str, behaviour: Behaviour, seed: int, buyers: int) -> dict[str, np.ndarray]:
    path = folder / f"{name.replace(' ', '-')}-{buyers}.npz" if folder else None
    if path and path.exists():
        return dict(np.load(path))
    made = panel(behaviour, seed, buyers)
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, **made)
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


def local(values: np.ndarray, fails: np.ndarray, buyers: np.ndarray) -> np.ndarray:
    names, place = np.unique(buyers, return_inverse=True)
    fold = np.random.default_rng(0).integers(0, 5, len(names))[place]

    def lost(strength: float) -> float:
        total = 0.0
        for number in range(5):
            fit, left = fold != number, fold == number
            beta = ridge(values[fit], fails[fit], strength)
            total += log_loss(fails[left], beta[0] + values[left] @ beta[1:]) * left.sum()
        return total

    return ridge(values, fails, min(STRENGTHS, key=lost))


class Model:
    """Log-odds of a model on rows: a level, and what each family of factors adds."""

    def __init__(self, level: np.ndarray, families: dict[str, np.ndarray]) -> None:
        self.level, self.families = level, families

    def of(self, rows: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        return self.level[rows], {name: values[rows] for name, values in self.families.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path, default=None, help="folder for the economies' rows, to be used again")
    parser.add_argument("--buyers", type=int, default=3_000)
    parser.add_argument("--record", action="store_true")
    arguments = parser.parse_args()
    home = [kept(arguments.keep, name, *of, arguments.buyers) for name, of in HOME.items()]
    factors = [name for name in home[0] if "|" in name and np.std(home[0][name]) > 1e-9]
    names = sorted({name.split("|")[0] for name in factors})
    columns = np.concatenate([np.column_stack([one[name] for name in factors]) for one in home])
    middle, spread = columns.mean(axis=0), columns.std(axis=0)
    fitted = ridge((columns - middle) / spread, np.concatenate([one["fails"] for one in home]), 5.0)
    told = []
    for title, economies in (("B: other lead times, correlation and share of sudden failures", NEAR), ("C: economies of another law", FAR)):
        away = [kept(arguments.keep, name, *of, arguments.buyers) for name, of in economies.items()]
        told.append(f"{title}. {compared(away, factors, names, (middle, spread, fitted))}")
    print("\n\n".join(told))
    if arguments.record:
        head = f"## Cold start: a new tenant's own defaults\n\n{machine.describe('numpy')}; {arguments.buyers:,} buyers an economy (`cold_start.py`)"
        machine.record("\n\n".join([head, *told]))


def compared(away: list[dict[str, np.ndarray]], factors: list[str], names: list[str], model_of_a: tuple) -> str:
    """The rivals on tenants of these economies, as a table."""
    middle, spread, fitted = model_of_a
    results: dict[tuple[str, str, int], list[tuple[float, ...]]] = {}
    no_skill = []
    for number, data in enumerate(away):
        chance = np.random.default_rng(number)
        buyers = chance.permutation(np.unique(data["buyer"]))
        test = np.isin(data["buyer"], buyers[: len(buyers) // 2])
        fails, rate = data["fails"], float(data["fails"][test].mean())
        no_skill.append(log_loss(fails[test], np.full(test.sum(), np.log(rate / (1 - rate)))))
        values = (np.column_stack([data[one] for one in factors]) - middle) / spread
        added = values * fitted[1:]
        pretrained = Model(
            np.full(len(fails), fitted[0]), {one: added[:, [f.startswith(one + "|") for f in factors]].sum(axis=1) for one in names}
        )
        shipped = Model(data["base"], {one: sum(data[f] for f in factors if f.startswith(one + "|")) for one in names})
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

                beta = local(values[mine], fails[mine], data["buyer"][mine])
                note("", "local ridge", beta[0] + values[test] @ beta[1:])
                for title, model in (("pretrained on A", pretrained), ("shipped", shipped)):
                    level, families = model.of(mine)
                    there, then = model.of(test)
                    note(title, "as is", there + sum(then.values()))
                    for rival, strength in (("intercept fix", 1e9), ("tempered MAP", None)):
                        found = updated(level, families, fails[mine], overlap=OVERLAP, slope_precision=strength)
                        note(title, rival, found.log_odds(there, then))
    return table(results, float(np.mean(no_skill)))


def table(results: dict, no_skill: float) -> str:
    lines = [
        f"No-skill log-loss {no_skill:.4f} (mean of the five)\n",
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
