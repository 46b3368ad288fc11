"""How early and how often does the warning come, against rules of thumb and lots?

    .venv/bin/python benchmarks/watch.py --families base late_ramp hidden --seeds 7101 7102 [--buyers 4000] [--invoices 400000] [--years 5]
    .venv/bin/python benchmarks/watch.py --real          the receivables ledger `highradius` (in $DUECOURSE_DATA)
    .venv/bin/python benchmarks/watch.py --speed         five years of months over 20,000 buyers and 2,000,000 invoices

Generated economies: what really happened is the event (the day a buyer fails, by the truth beside the ledger), so that sudden and cloaked failures
can be told apart from the others; no warning was tuned on these seeds. A lead is counted in days, from the month end of the alert to the day of the
failure; "3 months" counts whole months instead, the failure's less the alert's, as who replays month by month does: a failure on 2 June is three months
after an alert of 31 March, though 63 days. Every rival may newly warn of the same share of the watched buyers a month; an
alert is held for six months; a hit is a failure within twelve months after it. The real ledger has no failures: the event is an invoice thirty days
late within the next ninety, among customers without one; the riskiest tenth of each month is looked at. `--record` adds the tables to results.md.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

import machine
from duecourse.decisions.alert_budget import Alerts, at_budget
from duecourse.desk.backtest import backtest
from duecourse.desk.opening import open_ledger
from duecourse.desk.replaying import month_ends, replay
from duecourse.desk.rivals import features, rivals
from duecourse.engines.fused import ensure
from duecourse.intake.importer import import_file
from duecourse.review.early_warning import CONTROLS, highest, matched, measured, random_control, random_scores, told_apart
from duecourse.risk.outcomes import definition
from duecourse.samples.economy import Economy, write
from duecourse.samples.families import FAMILIES

BUDGETS = (0.01, 0.02)
HERE = Path(__file__).resolve().parent.parent
REAL = "highradius/invoices_as_of_2019-10-31.csv.gz"
RANDOM = "lots"
LATER = (12, 24)
"""Months of warnings not counted in the second table: what a ledger's own history has taught by then shows in it."""


def economy(folder: Path, family: str, seed: int, asked: argparse.Namespace):
    """The ledger of one economy, ready, and what really happened in it."""
    place = folder / f"{family}-{seed}"
    ledger = open_ledger(place, create=True)
    made = Economy(invoices=asked.invoices, buyers=asked.buyers, years=asked.years, seed=seed, behaviour=FAMILIES[family])
    write(ledger, made)
    ledger.refresh()
    ledger.compact()
    ensure(ledger)
    truth = pq.read_table(place / "truth" / "buyer.parquet")
    failed = truth.filter(pc.less_equal(truth["default_date"], pa.scalar(made.until)))
    outcomes = pa.table(
        {"buyer_id": failed["buyer_id"], "happened_on": failed["default_date"], "stratum": failed["default_kind"].cast(pa.string())}
    )
    return ledger.as_of(made.until), outcomes


def months_before(course, alerts) -> float:
    """Share of the failures whose first alert within the horizon was three calendar months and more before."""
    found = matched(course, alerts)
    counts = found.counts & (found.alert >= 0)
    if not found.counts.any():
        return float("nan")

    def month(days):
        return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)

    lead = month(course.on[counts]) - month(course.days[alerts.day[found.alert[counts]]])
    return float((lead >= 3).sum() / found.counts.sum())


def from_month(course, alerts, first: int):
    """The same alerts where the first months are not counted, in which a ledger has hardly any history; a failure counts with its whole horizon after them."""
    kept = alerts.day >= first
    later = replace(course, days=course.days[first:], watched=course.watched[first:], from_first_day=False)
    return later, Alerts(alerts.day[kept] - first, alerts.buyer[kept])


def later_figures(course, alerts) -> dict[str, float]:
    """What the alerts are worth once a ledger has been watched for a year, and for two."""
    rows = {}
    for first in LATER:
        there, mine = from_month(course, alerts, first)
        one = measured(there, mine, draws=0)
        rows |= {
            f"{first} recall_90": one.value("recall_90"), f"{first} months": months_before(there, mine),
            f"{first} precision": one.value("precision"), f"{first} lead": one.value("lead_median") / 30.4375,
        }  # fmt: skip
    return rows


def judged(found, share: float) -> dict[str, dict[str, float]]:
    """The figures of every rival at one budget."""
    course = found.course
    rows = {}
    for name, score in {RANDOM: random_scores(course), **found.scores}.items():
        drawn = [random_scores(course, number) for number in range(CONTROLS)] if name == RANDOM else [score]
        opened = [at_budget(course.days, each, course.watched, share=share) for each in drawn]
        one = random_control(course, share) if name == RANDOM else measured(course, opened[0], draws=0)
        rows[name] = {
            "months": float(np.mean([months_before(course, alerts) for alerts in opened])),
            "auc": told_apart(course, score), "recall_90": one.value("recall_90"), "recall": one.value("recall"), "precision": one.value("precision"),
            "lead": one.value("lead_median") / 30.4375, "saved": one.value("saved_share"), "false": one.value("false_alarms_per_buyer_year"),
            "per_day": one.value("alerts_per_analyst_day"),
            **{f"recall_90 {name}": row["recall_90"] for name, row in one.strata.items()},
            **_mean([later_figures(course, alerts) for alerts in opened]),
        }  # fmt: skip
    return rows


def simulated(asked: argparse.Namespace, folder: Path) -> str:
    tables = {}
    told = []
    for family in asked.families:
        for seed in asked.seeds:
            begun = time.perf_counter()
            book, outcomes = economy(folder, family, seed, asked)
            days = month_ends(book)
            found = replay(
                book,
                days,
                definition(),
                rivals(),
                outcomes=outcomes,
                guard_days=1 if seed == asked.seeds[0] else 0,
                features=(features,),
                processes=asked.processes,
            )
            tables[family, seed] = {share: judged(found, share) for share in BUDGETS}
            counted = measured(
                found.course, at_budget(found.course.days, found.scores["ageing"], found.course.watched, share=0.01), draws=0
            )
            strata = {name: int(row["defaults"]) for name, row in counted.strata.items()}
            told.append(f"{family} {seed}: {len(days)} months, {int(counted.counts['defaults'])} failures counted {strata}")
            print(told[-1], f"{time.perf_counter() - begun:.0f} s", flush=True)
            print(_table({family: [tables[family, seed]]}), flush=True)
    text = _table({family: [tables[family, seed] for seed in asked.seeds] for family in asked.families})
    return (
        f"{machine.describe()}; {asked.buyers:,} buyers, {asked.invoices:,} invoices, {asked.years} years.\n\n"
        + "\n".join(f"- {line}" for line in told)
        + f"\n\n{text}"
    )


def _table(families: dict[str, list[dict[float, dict[str, dict[str, float]]]]]) -> str:
    """Means over the economies of each family, then over all."""
    lines = []
    whole = [one for many in families.values() for one in many]
    for title, many in {**families, **({"all": whole} if len(families) > 1 else {})}.items():
        strata = sorted({key for one in many for key in one[BUDGETS[0]][RANDOM] if key.startswith("recall_90 ")})
        lines += [
            f"**{title}** ({len(many)})", "",
            "| who warns | AUC 6 m | recall, lead ≥ 90 d, 1 % | 2 % | 3 months, 1 % | 2 % | recall any, 1 % | precision, 1 % | median lead, months | loss sold after | false alarms a buyer-year |"
            + "".join(f" recall, lead ≥ 90 d, of {key.removeprefix('recall_90 ')} |" for key in strata),
            "|---|" + "---|" * (10 + len(strata)),
        ]  # fmt: skip
        for name in many[0][BUDGETS[0]]:
            mean = {
                share: {key: float(np.nanmean([one[share][name].get(key, np.nan) for one in many])) for key in many[0][share][name]}
                for share in BUDGETS
            }
            one, two = mean[BUDGETS[0]], mean[BUDGETS[1]]
            figures = [
                one["auc"], one["recall_90"], two["recall_90"], one["months"], two["months"], one["recall"], one["precision"], one["lead"], one["saved"], one["false"],
                *(one.get(key, np.nan) for key in strata),
            ]  # fmt: skip
            lines.append(
                f"| {name} | " + " | ".join(f"{value:.1f}" if place == 7 else f"{value:.3f}" for place, value in enumerate(figures)) + " |"
            )
        lines += ["", *_later_table(many), ""]
    return "\n".join(lines)


def _later_table(many: list[dict[float, dict[str, dict[str, float]]]]) -> list[str]:
    lines = [
        "| who warns | months left out at first | recall, lead ≥ 90 d, 1 % | 2 % | 3 months, 1 % | 2 % | precision, 1 % | median lead, months |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name in many[0][BUDGETS[0]]:
        for first in LATER:
            mean = {
                share: {
                    key: float(np.nanmean([one[share][name][f"{first} {key}"] for one in many]))
                    for key in ("recall_90", "months", "precision", "lead")
                }
                for share in BUDGETS
            }
            one, two = mean[BUDGETS[0]], mean[BUDGETS[1]]
            figures = (one["recall_90"], two["recall_90"], one["months"], two["months"], one["precision"])
            lines.append(f"| {name} | {first} | " + " | ".join(f"{value:.3f}" for value in figures) + f" | {one['lead']:.1f} |")
    return lines


def _mean(rows: list[dict[str, float]]) -> dict[str, float]:
    return {key: float(np.nanmean([row[key] for row in rows])) for key in rows[0]}


def real(folder: Path, processes: int) -> str:
    root = Path(os.environ.get("DUECOURSE_DATA") or HERE.parent / "shared" / "data")
    ledger = open_ledger(folder / "real", create=True)
    import_file(ledger, root / REAL)
    ledger.refresh()
    ensure(ledger)
    import datetime as dt

    book = ledger.as_of(dt.date(2019, 10, 31))
    wording = definition("severe_delinquency")
    lines = [machine.describe(), ""]
    for before in (3,):
        days = [day for day in month_ends(book, before=before) if day <= book.on - dt.timedelta(days=wording.horizon_days)]
        found = replay(book, days, wording, rivals(), guard_days=2, features=(features,), processes=processes)
        course = found.course
        from duecourse.review.early_warning import ahead

        rows, events = int(course.watched.sum()), int((ahead(course, wording.horizon_days) & course.watched).sum())
        lines += [
            f"From {days[0]} to {days[-1]} ({len(days)} months): {rows:,} customer-months, {events} followed by the event ({events / rows:.1%})", "",
            "| who warns | AUC | precision of the riskiest tenth | their part of all events | recall at 1 % a month | precision |", "|---|---|---|---|---|---|",
        ]  # fmt: skip
        for name, score in {RANDOM: random_scores(course), **found.scores}.items():
            right, caught = highest(course, score, within_days=wording.horizon_days)
            one = measured(course, at_budget(course.days, score, course.watched, share=0.01, hold_days=wording.horizon_days), draws=0)
            area = told_apart(course, score, within_days=wording.horizon_days)
            lines.append(f"| {name} | {area:.3f} | {right:.3f} | {caught:.3f} | {one.value('recall'):.3f} | {one.value('precision'):.3f} |")
        lines.append("")
    return "\n".join(lines)


def speed(folder: Path, processes: int) -> str:
    ledger = open_ledger(folder / "large", create=True)
    made = Economy(invoices=2_000_000, buyers=20_000, years=6, seed=5)
    write(ledger, made)
    ledger.refresh()
    ledger.compact()
    ensure(ledger)
    begun = time.perf_counter()
    found = backtest(ledger.as_of(made.until), processes=processes)
    taken = time.perf_counter() - begun
    used = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    cpu = sum(one.ru_utime + one.ru_stime for one in used)
    return f"{machine.describe()}: {found['months']} months of {found['buyers']:,} buyers, 2,000,000 invoices, {len(found['rivals'])} rivals, {processes} processes: {taken:.0f} s, {cpu:.0f} CPU s with making the ledger, peak {max(one.ru_maxrss for one in used) / 2**20:.1f} GB"


def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument("--families", nargs="*", default=["base"], choices=list(FAMILIES))
    words.add_argument("--seeds", nargs="*", type=int, default=[7101])
    words.add_argument("--buyers", type=int, default=4_000)
    words.add_argument("--invoices", type=int, default=400_000)
    words.add_argument("--years", type=int, default=5)
    words.add_argument("--processes", type=int, default=machine.cores())
    words.add_argument("--real", action="store_true")
    words.add_argument("--speed", action="store_true")
    words.add_argument("--folder", type=Path)
    words.add_argument("--record", action="store_true")
    asked = words.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.folder) as folder:
        if asked.real:
            title, text = "Warnings on a real ledger (`watch.py --real`)", real(Path(folder), asked.processes)
        elif asked.speed:
            title, text = "Five years of months replayed (`watch.py --speed`)", speed(Path(folder), asked.processes)
        else:
            title, text = "Warnings on generated economies (`watch.py`)", simulated(asked, Path(folder))
    print(text)
    if asked.record:
        machine.record(f"## {title}\n\n{text}")


if __name__ == "__main__":
    main()
