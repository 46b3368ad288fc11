"""How many failures could be warned of at all? A forward filter that knows the law of the generated economy and every buyer's habit.

    .venv/bin/python benchmarks/attainable.py --families base late_ramp hidden --seeds 7201 [--buyers 3000] [--invoices 300000] [--infer-habits]

Nobody in the trade knows what this filter knows: the chances of distress by grade, how it grows, how each buyer pays when nothing is wrong, on which
days it pays at all, the business cycle, and how often each kind of signal comes. What it must infer is what is hidden: grade, distress, how long it
lasts, whether it is fatal, whether a large buyer hides it in its payments. It reads what a ledger holds by each month's end: invoices due (an open one
by having survived so far), signals, disputes, promises, published accounts, a bureau's grades; not purchases, limits and insurers. Its ranking by the
chance of failing within a year, at the same budget and by the same measures as `watch.py`, says how much of a recall is attainable; the true distress
beside it, how much is left to chance. Only for economies with noise after Gumbel and without a change of regime. `--infer-habits`: also what the filter
attains that is told all but how late each buyer usually pays; it holds twenty habits possible, as common as they are, and weighs them by what it has seen.
Of accounts the filter is told the score behind them, which nobody who reads the published lines can know (a scorecard's ranks agree with it to .6);
`--without-accounts` takes it away, and what can be attained lies between the two.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, replace
from math import atan, exp, log, pi
from statistics import NormalDist
from typing import Any

import numba
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

import machine
from duecourse.decisions.alert_budget import at_budget
from duecourse.review.early_warning import Course, measured, told_apart
from duecourse.samples import buyers, evidence, signals, trade
from duecourse.samples.cycle import cycle
from duecourse.samples.days import calendar
from duecourse.samples.distress import _months, _ramp, _thresholds
from duecourse.samples.economy import Economy
from duecourse.samples.families import FAMILIES
from watch import months_before

NEVER = 2**29
NORMAL = NormalDist()
DAYS_MORE = np.array([-3.3, -2.2, -1.1, 0, 1.1, 2.2, 3.3, 4.4, 5.5, 6.6, 8, 10, 12, 14.5, 17, 20, 23, 26.5, 30, 34, 38, 42, 47, 52.0])
"""Days by which payment may be later than the habit: likelihoods are worked out at these."""

LAGS, STEPS = 9, 21
"""Months back that what comes to be known this month may speak of; steps of distress from 0 to 1."""

FELT_GRADES = np.array([3, 5, 6, 7, 8])
CLASS_OF = np.array([0, 0, 0, 0, 1, 2, 3, 4, 4, 4])
"""Within a time of distress five classes of grade are told apart."""

HABITS = np.array([-8, -6.5, -5, -3.5, -2, -0.5, 1, 2.5, 4, 5.5, 7.5, 9.5, 12, 15, 18, 22, 27, 33, 42, 60.0])
"""Usual delays in days that are held possible where they have to be inferred."""

LOST = 1e-9
"""What is left to a grade that has been ruled out: a wrong habit may rule out all."""

OUTLIERS = 0.04
LETTERS = ("AA", "A", "BBB", "BB", "B", "CCC", "C")
LETTER_OF = np.array([0, 0, 1, 1, 2, 2, 3, 4, 5, 6])


@dataclass(frozen=True)
class Seen:
    """A generated economy: its block of buyers, and what its ledger holds as arrays."""

    economy: Economy
    block: Any
    days: Any
    large: Any
    invoice: dict[str, Any]  # in order of buyer and due date: buyer, issue, due, paid (half of it settled; NEVER)
    signal: pa.Table
    disputed: tuple[Any, Any]
    accounts: tuple[Any, ...]  # buyer, month of the year's end, day published, notches told

    def month(self, day: Any) -> Any:
        return np.searchsorted(self.days.month_first, day, side="right") - 1


def seen(family: str, seed: int, count: int, invoices: int) -> Seen:
    economy = Economy(invoices=invoices, buyers=count, years=5, seed=seed, behaviour=FAMILIES[family])
    behaviour = economy.behaviour
    if count > buyers.BLOCK or behaviour.noise_law != "gumbel" or behaviour.regime_at < 1:
        raise SystemExit(f"{family} of {count} buyers is no economy this filter knows")
    months = behaviour.warm_up_months + 60 + behaviour.ahead_months
    days = calendar(economy, behaviour.warm_up_months, behaviour.ahead_months)
    sizes = buyers.sizes(economy)
    block = buyers.block(economy, days, cycle(economy, months), sizes, 0)
    cells = trade.counts(block, sizes, 0)
    done, rows = 0, []
    for run in trade.parts(cells.sum(axis=1)):
        rows.append(trade.trade(block, run, cells[run], done))
        done += rows[-1].invoice.num_rows
    said = signals.signals(block, 0, [one for row in rows for one in row.said])
    disputes = pa.concat_tables([row.dispute for row in rows])
    return Seen(
        economy, block, days, sizes.large, _invoices(block, rows), said, (_who(block, disputes), _day(disputes["raised_on"])), _accounts(block)
    )  # fmt: skip


def _who(block: Any, rows: pa.Table) -> Any:
    return pc.index_in(rows["buyer_id"].combine_chunks(), block.profile.ids).to_numpy(zero_copy_only=False).astype(np.int64)


def _day(column: Any) -> Any:
    return column.cast(pa.int32()).to_numpy().astype(np.int64)


def _invoices(block: Any, rows: list[Any]) -> dict[str, Any]:
    """A payment counts when it has brought half: what remains of a deduction or a part-payment is no lateness."""
    invoice = pa.concat_tables([row.invoice for row in rows]).combine_chunks()
    settled = pa.concat_tables([row.settlement for row in rows])
    settled = settled.filter(pc.is_valid(settled["invoice_id"])).combine_chunks()
    name = [
        pc.binary_join_element_wise(one["invoice_id"], one["instalment"].cast(pa.string()), "-").combine_chunks()
        for one in (settled, invoice)
    ]
    at = pc.index_in(*name).to_numpy(zero_copy_only=False).astype(np.int64)
    day, amount, whole = _day(settled["settle_date"]), settled["amount_minor"].to_numpy(), invoice["amount_minor"].to_numpy()
    order = np.lexsort((day, at))
    at, day, running = at[order], day[order], np.cumsum(amount[order])
    begins = np.flatnonzero(np.r_[True, at[1:] != at[:-1]])
    running -= np.repeat(np.r_[0, running[begins[1:] - 1]], np.diff(np.r_[begins, len(at)]))
    enough = np.flatnonzero(2 * running >= whole[at])[::-1]
    paid = np.full(len(whole), NEVER, np.int64)
    paid[at[enough]] = day[enough]
    found = {"buyer": _who(block, invoice), "issue": _day(invoice["issue_date"]), "due": _day(invoice["due_date"]), "paid": paid}
    order = np.lexsort((found["due"], found["buyer"]))
    return {key: values[order] for key, values in found.items()}


def _accounts(block: Any) -> tuple[Any, ...]:
    """The accounts as the generator makes them, with the score behind them, which the published lines stand for."""
    told: list[Any] = []
    parts: list[Any] = []
    notches, year = evidence._as_notches, evidence._year

    def spy_notches(*given: Any) -> Any:
        told.append(notches(*given))
        return told[-1]

    def spy_year(block: Any, known: Any, end: Any, published: Any, opinion: Any, lines: Any) -> Any:
        who = np.flatnonzero(known)
        parts.append((who, np.full(len(who), int(end)), published[who], told[-1][who]))
        return year(block, known, end, published, opinion, lines)

    evidence._as_notches, evidence._year = spy_notches, spy_year
    try:
        evidence.statements(block, 0)
    finally:
        evidence._as_notches, evidence._year = notches, year
    return tuple(np.concatenate([part[place] for part in parts]) for place in range(4))


def ladder(behaviour: Any) -> tuple[Any, ...]:
    """Every course distress may take: offset of its first month among the states, fatal or not, months, hidden or not, share; and the distress of each state."""
    months = np.maximum(np.round(_months(behaviour, np.random.default_rng(0), 200_000)), behaviour.distress_months_least)
    least, more = behaviour.recovering_height
    heights = least + more * np.array([1, 3, 5]) / 6

    def shares(lengths: tuple[int, ...]) -> Any:
        middles = (np.array(lengths[1:]) + lengths[:-1]) / 2
        return np.histogram(months, np.r_[-1, middles, 10**6])[0] / len(months)

    courses, stress, offset = [], [], 0
    fatal, passing = (3, 4, 5, 6, 7, 8, 9, 11, 13, 16, 20), (4, 6, 8, 11, 15)
    for hidden in (0, 1):
        for length, share in zip(fatal, shares(fatal), strict=True):
            courses.append((offset, 1, length, hidden, share * behaviour.fatal_share))
            stress.append(_ramp(behaviour, np.arange(1, length + 1) / length))
            offset += length
        for length, share in zip(passing, shares(passing), strict=True):
            for height in heights:
                courses.append((offset, 0, length, hidden, share * (1 - behaviour.fatal_share) / len(heights)))
                stress.append(height * np.sin(np.pi * np.arange(1, length + 1) / length))
                offset += length
    return (*(np.array(column) for column in zip(*courses, strict=True)), np.concatenate(stress))


@numba.njit(cache=True)
def _law(days: float, spread: float) -> float:
    return exp(-exp(-(days / spread + 0.45) / 0.78))


@numba.njit(cache=True)
def _wide(days: float) -> float:
    return 0.5 + atan(days / 25.0) / pi


@numba.njit(cache=True)
def payment(delay, gap, is_open, usual, spread, on_the_day, out):
    """Log-likelihood of one invoice at each of DAYS_MORE. gap: days since the pay-run before (open: since the last pay-run)."""
    for place in range(len(DAYS_MORE)):
        late = usual + DAYS_MORE[place]
        punctual = on_the_day if DAYS_MORE[place] < 9 else 0.0
        if is_open:
            chance = (1 - OUTLIERS) * (1 - _law(delay - gap + 0.5 - late, spread)) + OUTLIERS * (1 - _wide(delay - gap + 0.5 - late))
            chance *= 1 - punctual
        else:
            upper = delay + 0.5 - late
            chance = (1 - OUTLIERS) * max(_law(upper, spread) - _law(upper - gap, spread), 1e-12)
            chance = (1 - punctual) * (chance + OUTLIERS * max(_wide(upper) - _wide(upper - gap), 1e-9))
            if -3 <= delay <= 0:
                chance += punctual * 0.8
        out[place] = log(max(chance, 1e-12))


@numba.njit(cache=True)
def _between(values, days):
    place = 0
    while place < len(DAYS_MORE) - 2 and DAYS_MORE[place + 1] < days:
        place += 1
    share = min(max((days - DAYS_MORE[place]) / (DAYS_MORE[place + 1] - DAYS_MORE[place]), 0.0), 1.0)
    return (1 - share) * values[place] + share * values[place + 1]


@numba.njit(cache=True)
def advance(
    now, on, before, starts, first, due_month, due, paid, usual, spread, on_the_day, gap, known,
    offset, fatal, months, hidden, share, stress, ill, well, moves, onset, yearly, large, cloaked, visible, grade_days, stress_days, said, told, score, fit,
):  # fmt: skip
    """One month on for every buyer: its chances move on, and are weighed by what has come to be known since the month's end before.

    known  [invoice, DAYS_MORE]: what each invoice has already said; an invoice adds what it says now less that
    ill, well  chances [buyer, class of grade, state] and [buyer, grade], changed in place
    said, told  log-likelihoods of signals [law of lag 0, 1, 2 or shown, buyer, step] and of accounts and grades [buyer, lag, grade, half step]
    score, fit  the chance of failing within a year [buyer], and the log-likelihood of all that was seen so far, added to
    """
    classes, states = len(FELT_GRADES), len(stress)
    news, out = np.zeros((LAGS, len(DAYS_MORE))), np.zeros(len(DAYS_MORE))
    felt, calm = np.zeros((LAGS, 2, classes, STEPS)), np.zeros((LAGS, 10))
    after, healthy = np.zeros((classes, states)), np.zeros(10)
    for buyer in range(len(large)):
        if starts[buyer] - 1 > now:
            continue
        news[:] = 0.0
        for row in range(first[buyer], first[buyer + 1]):
            if due_month[row] > now:
                break
            if due[row] > on or (paid[row] <= before and due[row] <= before):
                continue
            is_open = paid[row] > on
            payment(float((on if is_open else paid[row]) - due[row]), gap[row], is_open, usual[row], spread[row], on_the_day[row], out)
            news[min(now - due_month[row], LAGS - 1)] += out - known[row]
            known[row] = out
        for lag in range(LAGS):
            for grade in range(10):
                calm[lag, grade] = _between(news[lag], grade_days * (grade - 3)) + told[buyer, lag, grade, 0]
                if lag == 0:
                    calm[0, grade] += said[0, buyer, 0] + said[1, buyer, 0] + said[2, buyer, 0] + said[3, buyer, 0]
            for level in range(classes):
                for step in range(STEPS):
                    deep = step / (STEPS - 1)
                    grade = max(FELT_GRADES[level], 8) if deep > 0.4 else FELT_GRADES[level]
                    for hides in range(2):
                        shown = deep * visible if hides else deep
                        value = (
                            _between(news[lag], grade_days * (grade - 4) + stress_days * shown**1.2)
                            + told[buyer, lag, grade - 1, step // 2]
                        )
                        if lag < 3:
                            value += said[lag, buyer, step]
                        if lag == 0:
                            value += said[3, buyer, int(shown * (STEPS - 1) + 0.5)]
                        felt[lag, hides, level, step] = value
        hiding = cloaked if large[buyer] else 0.0
        after[:], healthy[:] = 0.0, LOST
        for grade in range(10):
            healthy += well[buyer, grade] * (1 - onset[grade]) * moves[grade]
            for course in range(len(offset)):
                part = hiding if hidden[course] else 1 - hiding
                after[CLASS_OF[grade], offset[course]] += well[buyer, grade] * onset[grade] * share[course] * part
        for level in range(classes):
            for course in range(len(offset)):
                begin = offset[course]
                for age in range(months[course] - 1):
                    after[classes - 1 if stress[begin + age] > 0.4 else level, begin + age + 1] += ill[buyer, level, begin + age]
                if not fatal[course]:
                    healthy[FELT_GRADES[level] - 1] += ill[buyer, level, begin + months[course] - 1]
        best = -1e300
        for level in range(classes):
            for course in range(len(offset)):
                for age in range(months[course]):
                    state = offset[course] + age
                    value = 0.0
                    for lag in range(LAGS):
                        step = int(stress[state - lag] * (STEPS - 1) + 0.5) if age >= lag else 0
                        value += felt[lag, hidden[course], level, step]
                    if after[level, state] > 0:
                        ill[buyer, level, state] = value + log(after[level, state])
                        best = max(best, ill[buyer, level, state])
        for grade in range(10):
            if healthy[grade] > 0:
                well[buyer, grade] = calm[:, grade].sum() + log(healthy[grade])
                best = max(best, well[buyer, grade])
        whole = 0.0
        for grade in range(10):
            well[buyer, grade] = exp(well[buyer, grade] - best) if healthy[grade] > 0 else 0.0
            whole += well[buyer, grade]
        for level in range(classes):
            for state in range(states):
                chance = exp(ill[buyer, level, state] - best) if after[level, state] > 0 else 0.0
                ill[buyer, level, state] = chance
                whole += chance
        fit[buyer] += best + log(whole)
        failing = 0.0
        for grade in range(10):
            well[buyer, grade] /= whole
            failing += well[buyer, grade] * yearly[grade]
        for level in range(classes):
            for course in range(len(offset)):
                for age in range(months[course]):
                    ill[buyer, level, offset[course] + age] /= whole
                    chance = ill[buyer, level, offset[course] + age]
                    if not fatal[course]:
                        failing += 0.7 * chance * yearly[FELT_GRADES[level] - 1]
                    elif months[course] - age - 0.5 <= 12:
                        failing += chance
        score[buyer] = failing


def informed(of: Seen) -> Any:
    """The chance of failing within a year of every buyer at every month's end [60, buyer], by the filter."""
    return filtered(of, of.block.habit.days)[0]


def inferring(of: Seen) -> Any:
    """The same by a filter that is not told how late each buyer usually pays."""
    found = [filtered(of, np.full(of.block.profile.count, habit)) for habit in HABITS]
    scores, fits = (np.array([one[place] for one in found]) for place in (0, 1))
    near = np.abs(of.block.habit.days[:, None] - HABITS).argmin(axis=1)
    fits += np.log(np.bincount(near, minlength=len(HABITS)) + 0.5)[:, None, None]
    weights = np.exp(fits - fits.max(axis=0))
    return (weights * scores).sum(axis=0) / weights.sum(axis=0)


def filtered(of: Seen, habit: Any) -> tuple[Any, Any]:
    """The chance of failing within a year of every buyer with this habit [60, buyer], and how well all seen until then fits with it."""
    behaviour, block, days, invoice = of.economy.behaviour, of.block, of.days, of.invoice
    count, warm = block.profile.count, behaviour.warm_up_months
    buyer, due, paid, due_month = invoice["buyer"], invoice["due"], invoice["paid"], of.month(invoice["due"])
    first = np.searchsorted(buyer, np.arange(count + 1))
    new_year = days.new_year[due - days.first] * (block.profile.country[buyer] == signals.CHINA)
    usual = (
        habit[buyer] - behaviour.cycle_days * block.world[np.minimum(due_month, len(block.world) - 1)] + behaviour.new_year_days * new_year
    )
    every = np.arange(days.pay_run.shape[1]) + days.first
    ran = np.maximum.accumulate(np.where(days.pay_run == every, every, 0), axis=1)
    run = block.habit.pay_run[buyer]
    since = np.clip(paid - np.take(ran, run * len(every) + np.clip(paid - 1 - days.first, 0, len(every) - 1)), 1, 60)
    moves, sets_in, _sudden = _thresholds(behaviour, 1.0)
    below = np.array([[1.0, *(NORMAL.cdf(one) for one in row), 0.0] for row in moves[1:].tolist()])
    yearly = 1 - (1 - np.array(behaviour.default_per_year)) ** behaviour.default_intensity
    offset, fatal, months, hidden, share, stress = ladder(behaviour)
    said, told = _said(of), _told(of)
    ill, well = np.zeros((count, len(FELT_GRADES), len(stress))), np.tile(np.array(behaviour.grade_shares), (count, 1))
    known = np.zeros((len(due), len(DAYS_MORE)))
    score, fit, fits = np.zeros((60, count)), np.zeros(count), np.zeros((60, count))
    for place in range(60):
        now = warm + place
        on, before = int(days.month_first[now + 1]) - 1, int(days.month_first[now]) - 1 if place else -NEVER
        gap = np.where(paid <= on, since, on - ran[run, on - days.first]).astype(np.float64)
        advance(
            now, on, before, block.profile.start_month, first, due_month, due, paid, usual, block.habit.noise_days[buyer],
            block.habit.on_the_day[buyer], gap, known, offset, fatal, months, hidden, share, stress, ill, well, below[:, :-1] - below[:, 1:],
            np.array([NORMAL.cdf(one) for one in sets_in[1:].tolist()]), yearly, of.large, behaviour.cloaked_share_of_large,
            behaviour.cloaked_visible, behaviour.grade_days, behaviour.stress_days, said[:, :, :, now], told(before, on, now), score[place], fit,
        )  # fmt: skip
        fits[place] = fit
    return score, fits


def _said(of: Seen) -> Any:
    """Log-likelihoods of each month's signals, disputes and broken promises: [lag 0, 1, 2 of the whole distress, or what is shown, buyer, step, month]."""
    behaviour, block = of.economy.behaviour, of.block
    count, months = block.profile.count, behaviour.warm_up_months + 60
    steps = np.linspace(0, 1, STEPS)
    found = np.zeros((4, count, STEPS, months), np.float32)
    who, month = _who(block, of.signal), of.month(_day(of.signal["published_on"]))
    kind, info = np.array(of.signal["kind"].to_pylist()), np.array(of.signal["severity"].to_pylist()) == "info"
    rank = np.argsort(np.argsort(block.usual)) / max(count - 1, 1)
    coverage = 1 / (1 + np.exp(-8 * (rank - behaviour.news_coverage_middle)))
    for law in signals._laws(block):
        rest, more = law.chance
        mine = (kind == law.kind) & (month < months) & ((law.kind != "reference") | (info == (law.words == (0,))))
        came = np.zeros((count, months), np.bool_)
        came[who[mine], month[mine]] = True
        chance = rest + more * behaviour.signal_scale * np.maximum(steps - law.above, 0)
        chance = chance[None, :] * (coverage[:, None] if law.covered else np.ones((count, 1)))
        chance = np.clip(np.where((block.profile.country != signals.CHINA)[:, None] & law.chinese, 0, chance), 1e-6, 1 - 1e-6)
        found[3 if law.shown else law.lag] += np.where(came[:, None, :], np.log(chance)[:, :, None], np.log(1 - chance)[:, :, None])

    def counted(buyer: Any, when: Any) -> Any:
        number = np.zeros((count, months), np.float32)
        np.add.at(number, (buyer[when < months], when[when < months]), 1)
        return number[:, None, :]

    raised, issued = counted(of.disputed[0], of.month(of.disputed[1])), counted(of.invoice["buyer"], of.month(of.invoice["issue"]))
    chance = (behaviour.dispute_base + behaviour.dispute_stress * steps)[None, :, None]
    found[3] += raised * np.log(chance) + np.maximum(issued - raised, 0) * np.log(1 - chance)
    asked = of.invoice["due"] + 20
    promised = of.invoice["paid"] > asked
    rest, more = behaviour.promise_broken
    lightly = (rest + behaviour.signal_scale * more * steps)[None, :, None]
    broken, given = (
        counted(who[kind == "broken_promise"], month[kind == "broken_promise"]),
        counted(of.invoice["buyer"][promised], of.month(asked[promised])),
    )
    found[3] += broken * np.log(lightly / rest) - 0.8 * behaviour.promise_share * given * (lightly - rest)
    return found


def _told(of: Seen) -> Any:
    """What accounts and a bureau's grades published between two days say of grade and distress of earlier months: a function of these days."""
    behaviour, count = of.economy.behaviour, of.block.profile.count
    scale = np.array([NORMAL.inv_cdf(one) for one in behaviour.default_per_year])
    who, end, published, notches = of.accounts
    score = scale[0] + (notches - 1) * (scale[-1] - scale[0]) / 9
    deep = np.linspace(0, 1, STEPS // 2 + 1)

    def near(hides: float) -> Any:
        middle = scale[None, :, None] + (behaviour.accounts_stress - hides) * deep[None, None, :]
        return np.exp(-0.5 * ((score[:, None, None] - middle) / behaviour.accounts_noise) ** 2)

    dressed = behaviour.window_dressing
    said = np.log((1 - dressed) * near(0.0) + dressed * near(behaviour.window_dressing_hides) + 1e-4)
    chance = np.full((10, len(LETTERS)), 1e-3)
    for grade in range(10):
        for bias, often in zip((-1, 0, 1), (0.2, 0.6, 0.2), strict=True):
            for error, seldom in zip((-1, 0, 1), (0.15, 0.7, 0.15), strict=True):
                chance[grade, LETTER_OF[min(max(grade + bias + error, 0), 9)]] += often * seldom
    graded = of.signal.filter(pc.equal(of.signal["kind"], "bureau_grade"))
    rated, on_day = _who(of.block, graded), _day(graded["published_on"])
    letter = np.array([LETTERS.index(one) for one in graded["value"].to_pylist()], np.int64)

    def between(before: int, on: int, now: int) -> Any:
        found = np.zeros((count, LAGS, 10, STEPS // 2 + 1))
        new = np.flatnonzero((published > before) & (published <= on))
        np.add.at(found, (who[new], np.minimum(now - of.month(end[new]), LAGS - 1)), said[new])
        new = np.flatnonzero((on_day > before) & (on_day <= on))
        np.add.at(found, (rated[new], np.minimum(now - of.month(on_day[new]) + 1, LAGS - 1)), np.log(chance)[:, letter[new]].T[:, :, None])
        return found

    return between


def course(of: Seen) -> Course:
    """What there was to be warned of, month ends as in `watch.py`."""
    first = of.days.month_first[of.economy.behaviour.warm_up_months :]
    days = (first[13:61] - 1).astype(np.int64)
    failure, invoice = of.block.failure, of.invoice
    watched = np.zeros((len(days), of.block.profile.count), np.bool_)
    for place, day in enumerate(days.tolist()):
        counts = (invoice["issue"] <= day) & ((invoice["issue"] > day - 365) | (invoice["paid"] > day))
        watched[place, np.unique(invoice["buyer"][counts])] = True
        watched[place, failure.day <= day] = False
    failed = np.flatnonzero(failure.day <= int(days[-1]))
    kind = np.where(of.block.latent.sudden[failed], "sudden", np.where(failure.cloaked[failed], "cloaked", "gradual"))
    return Course(days, watched, failed.astype(np.int64), failure.day[failed].astype(np.int64), int(days[-1]), stratum=kind.tolist())


def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument("--families", nargs="*", default=["base"], choices=list(FAMILIES))
    words.add_argument("--seeds", nargs="*", type=int, default=[7201])
    words.add_argument("--buyers", type=int, default=3_000)
    words.add_argument("--invoices", type=int, default=300_000)
    words.add_argument("--infer-habits", action="store_true")
    words.add_argument("--without-accounts", action="store_true")
    words.add_argument("--record", action="store_true")
    asked = words.parse_args()
    lines = [
        f"{machine.describe()}; {asked.buyers:,} buyers, {asked.invoices:,} invoices", "",
        "| family, seed | failures | who warns | recall, lead ≥ 90 d, 1 % (2 %) | 3 months | of gradual, cloaked, sudden | precision | median lead, months | AUC 6 m |",
        "|---|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for family in asked.families:
        for seed in asked.seeds:
            begun = time.process_time()
            of = seen(family, seed, asked.buyers, asked.invoices)
            if asked.without_accounts:
                of = replace(of, accounts=tuple(part[:0] for part in of.accounts))
            there = course(of)
            warm = of.economy.behaviour.warm_up_months
            true = of.block.latent.lived_stress[:, warm + 12 : warm + 60].T.astype(np.float64)
            rivals = [("filter that knows the law", informed(of)[12:]), ("true distress", true)]
            if asked.infer_habits:
                rivals.insert(1, ("the same, inferring habits", inferring(of)[12:]))
            for name, score in rivals:
                opened = [at_budget(there.days, score, there.watched, share=share) for share in (0.01, 0.02)]
                one, two = (measured(there, alerts, draws=0) for alerts in opened)
                months = [months_before(there, alerts) for alerts in opened]
                strata = ", ".join(f"{one.strata.get(key, {}).get('recall_90', np.nan):.2f}" for key in ("gradual", "cloaked", "sudden"))
                lines.append(
                    f"| {family}, {seed} | {one.counts['defaults']:.0f} | {name} | {one.value('recall_90'):.2f} ({two.value('recall_90'):.2f}) | "
                    f"{months[0]:.2f} ({months[1]:.2f}) | {strata} | "
                    f"{one.value('precision'):.2f} | {one.value('lead_median') / 30.4375:.1f} | {told_apart(there, score):.2f} |"
                )
                print(lines[-1], f"{time.process_time() - begun:.0f} CPU s", flush=True)
    if asked.record:
        machine.record("## What a warning could know at all (`attainable.py`)\n\n" + "\n".join(lines))


if __name__ == "__main__":
    main()
