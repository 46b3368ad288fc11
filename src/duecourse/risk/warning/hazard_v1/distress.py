"""Do a buyer's payments look like those of a firm on its way to failure? A forward filter over hidden courses of distress (隐马尔可夫前向滤波).

A buyer pays with a delay of its own that scatters in a way of its own: neither is known, so that several of each are held possible. In distress it pays
the later the deeper it is in it. Distress begins seldom, takes one of several courses, each a number of months long, and ends in failure or passes. Month
by month the courses are weighed by how well they fit the invoices that fell due: the paid ones by their delay, the open ones by having stayed open so far.
Nothing after the day asked for is looked at, and no buyer's chances depend on another's.

Sources: Rabiner, "A tutorial on hidden Markov models", Proceedings of the IEEE 77 (1989), section III A; courses and delays as in
docs/reference/warning-v1.md.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from math import exp, log
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from duecourse.compiled import compiled

if TYPE_CHECKING:
    import numpy.typing as npt

    Column = npt.NDArray[np.float64]
    Days = npt.NDArray[np.int64]
    Table = npt.NDArray[np.floating[Any]]
    Places = npt.NDArray[np.int64]

MONTHS: Final = 27
MONTH_DAYS: Final = 30
LOOKED_BACK_DAYS: Final = 1095
"""What fell due up to so long ago is looked at; the oldest of the months stands for all before it."""

OPEN: Final = 1_000_000
"""Stands for the delay of what is not paid yet."""

LEAST_DELAY, MOST_DELAY = -30, 130
ON_THE_DAY: Final = 3
"""Paid on the due date or up to so many days before: many pay just so as long as nothing is wrong."""

POSTED_WITHIN: Final = 3
"""Open so few days after the due date says nothing: the money may have come and not be posted."""

CELLS: Final = MOST_DELAY - LEAST_DELAY + 1
LATENESS: Final = -14.0 + 2.0 * np.arange(62)
"""Usual delays for which the likelihood of a payment is worked out; between them it is drawn straight."""

SPREADS: Final = np.array([2.0, 3.5, 5.5, 9.0, 16.0])
SPREAD_SHARES: Final = np.array([0.20, 0.27, 0.27, 0.18, 0.08])
PUNCTUAL: Final = np.array([0.02, 0.10, 0.20, 0.35, 0.50, 0.65])
"""Shares of payments made just on the day."""

HABITS: Final = np.array(
    [-7, -5, -4, -3, -2, -1, 0, 1, 2, 3.5, 5, 6.5, 8, 10, 12, 14.5, 17, 20, 24, 28, 33, 40, 50, 60], np.float64
)  # fmt: skip
USUAL_HABIT, HABITS_APART = 3.0, 12.0
"""Usual delays of buyers in days: a normal law around the first, as wide as the second."""

OUTLIERS: Final = 0.04
OUTLIERS_APART: Final = 25.0
"""Share of payments that keep to no habit, and how far they lie about, in days (a Cauchy law)."""

SETS_IN: Final = 0.004
"""Chance in a month that distress begins."""

ENDS_BADLY: Final = 0.45
COURSES: Final = ((4, 0.07), (6, 0.16), (8, 0.22), (10, 0.20), (13, 0.20), (18, 0.15))
PASSING: Final = ((5, 0.25), (9, 0.45), (14, 0.30))
HEIGHTS: Final = (0.30, 0.47, 0.64)
"""Months from the first of distress to failure, or until it has passed, with their shares; and how deep one that passes may be."""

RAMP: Final = 1.5
"""Fatal distress grows with this power of the time that is over."""

DELAY_DAYS, DELAY_POWER = 40.0, 1.2
"""Days more at full distress."""

NEAR_DAYS: Final = 9.0
"""With so much more delay nothing is paid on the day any longer."""

SPARED: Final = 0.5
"""Of fatal courses that are over without failure, a month."""

STEPS: Final = 13
POSSIBLE: Final = 4
"""So many habits are followed, and none less likely than the best by more than e⁵."""

FAR: Final = (10.0, 26.0)
RARELY: Final = 2.7
"""While habits are weighed up, a month may be this much later than usual at this cost in log-likelihood."""

YEAR_MONTHS, HALF_YEAR_MONTHS = 12, 7
USUAL_LOG_ODDS: Final = np.array([-4.0202, -4.3150])
"""Of a failure within a year and half a year, while nothing falls due."""

SURE: Final = 1e-6
SHARED_FROM: Final = 2_000


@dataclass(frozen=True)
class _Courses:
    months: Places
    fatal: Places
    share: Column
    begins: Places  # its first month among all months of all courses
    step: Places  # of distress, of each month of each course

    @classmethod
    def drawn(cls) -> _Courses:
        rows: list[tuple[int, int, float, Column]] = []
        for length, share in COURSES:
            rows.append((length, 1, share * ENDS_BADLY, (np.arange(1, length + 1) / length) ** RAMP))
        for length, share in PASSING:
            hump = np.sin(np.pi * np.arange(1, length + 1) / length)
            rows += [(length, 0, share * (1 - ENDS_BADLY) / len(HEIGHTS), height * hump) for height in HEIGHTS]
        months, fatal = (np.array([row[place] for row in rows], np.int64) for place in (0, 1))
        step = np.round(np.concatenate([row[3] for row in rows]) * (STEPS - 1)).astype(np.int64)
        return cls(months, fatal, np.array([row[2] for row in rows]), np.cumsum(months) - months, step)


@cache
def _likelihoods() -> tuple[Table, Table]:
    """Log-likelihood of one item at each spread and lateness: near the habit [share on the day, cell, ...], far from it [cell, ...].

    The first CELLS cells are delays of what was paid, the others ages of what is open.
    """
    days = np.arange(LEAST_DELAY, MOST_DELAY + 1)[:, None, None]
    spread = SPREADS[None, :, None]

    def until(day: Any) -> Any:
        late = day + 0.5 - LATENESS[None, None, :]
        kept_to = np.exp(-np.exp(-np.clip((late / spread + 0.45) / 0.78, -50, 50)))  # Gumbel, mean 0, spread 1
        return (1 - OUTLIERS) * kept_to + OUTLIERS * (0.5 + np.arctan(late / OUTLIERS_APART) / np.pi)

    paid = np.maximum(until(days) - until(days - 1), 1e-9)
    still = np.where(days > POSTED_WITHIN, np.maximum(1 - until(days), 1e-9), 1.0)
    punctual = PUNCTUAL[:, None, None, None]
    on_the_day = ((days >= -ON_THE_DAY) & (days <= 0))[None]
    near_paid = np.log(np.where(on_the_day, punctual / 2, 0.0) + (1 - punctual) * paid[None])
    near_open = np.log(np.where(days > POSTED_WITHIN, 1 - punctual, 1.0) * still[None])
    return (
        np.concatenate([near_paid, near_open], axis=1).astype(np.float32),
        np.concatenate([np.log(paid), np.log(still)]).astype(np.float32),
    )


def _prior() -> Column:
    """Log of how usual each habit is: [spread, usual delay]."""
    usual = np.log(np.gradient(HABITS)) - 0.5 * ((HABITS - USUAL_HABIT) / HABITS_APART) ** 2
    return np.asarray(np.log(SPREAD_SHARES)[:, None] + usual[None, :], np.float64)


@compiled
def _at(values: Column, lateness: float) -> float:
    """Between two columns of LATENESS."""
    place = (lateness + 14.0) * 0.5
    if place <= 0.0:
        return float(values[0])
    low = int(place)
    if low >= len(values) - 1:
        return float(values[-1])
    share = place - low
    return float(values[low] * (1.0 - share) + values[low + 1] * share)


@compiled
def _counted(begin: int, end: int, due_ago: Days, delay: Days, counts: Places, items: Places) -> int:
    """How many items fell due in each month with each delay. Gives the share of PUNCTUAL the buyer is nearest to."""
    counts[:] = 0
    items[:] = 0
    paid, punctual = 0, 0
    for row in range(begin, end):
        month = min(due_ago[row] // MONTH_DAYS, MONTHS - 1)
        items[month] += 1
        if delay[row] == OPEN:
            counts[month, CELLS + min(due_ago[row], MOST_DELAY) - LEAST_DELAY] += 1
        else:
            paid += 1
            if -ON_THE_DAY <= delay[row] <= 0:
                punctual += 1
            counts[month, min(max(delay[row], LEAST_DELAY), MOST_DELAY) - LEAST_DELAY] += 1
    share = punctual / (paid + 4.0) - 0.06
    nearest = 0
    for place in range(len(PUNCTUAL)):
        if share >= 0.85 * PUNCTUAL[place]:
            nearest = place
    return nearest


@compiled
def _weighed(counts: Places, items: Places, near_of: Table, far_of: Table, near: Column, far: Column) -> None:
    """Log-likelihood of each month's items at each spread and lateness, near the habit and far from it: [month, spread, lateness]."""
    for month in range(MONTHS):
        near[month] = 0.0
        far[month] = 0.0
        if items[month] == 0:
            continue
        for cell in range(counts.shape[1]):
            count = counts[month, cell]
            if count == 0:
                continue
            for spread in range(near.shape[1]):
                for place in range(near.shape[2]):
                    near[month, spread, place] += count * near_of[cell, spread, place]
                    far[month, spread, place] += count * far_of[cell, spread, place]


@compiled
def _likely(items: Places, near: Column, far: Column, prior: Column, habits: Column, found: Column) -> None:
    """How well each habit fits all months, were none, or now and then one, later than usual."""
    found[:] = prior
    for spread in range(found.shape[0]):
        for place in range(found.shape[1]):
            for month in range(MONTHS):
                if items[month] == 0:
                    continue
                usual = _at(near[month, spread], habits[place])
                late = max(_at(far[month, spread], habits[place] + FAR[0]), _at(far[month, spread], habits[place] + FAR[1])) - RARELY
                found[spread, place] += max(usual, late)


@compiled
def _fits(some: int, near: Column, far: Column, habit: float, depth_days: Column, fit: Column) -> float:
    """How well each depth of distress fits a month's items, against the best; gives the log-likelihood of the best."""
    fit[:] = 0.0
    if some:
        for place in range(STEPS):
            more = depth_days[place]
            fit[place] = _at(near if more < NEAR_DAYS else far, habit + more)
    best = float(fit.max())
    for place in range(STEPS):
        fit[place] = exp(max(fit[place] - best, -60.0))
    return best


@compiled
def _followed(
    oldest: int, items: Places, near: Column, far: Column, habit: float, depth_days: Column, months: Places, fatal: Places, share: Column,
    begins: Places, step: Places, ill: Column, fit: Column,
) -> float:  # fmt: skip
    """From the oldest month to the last, given a habit: the log-likelihood of all; `ill` gets the chance of each month of each course."""
    well, evidence = 1.0, 0.0
    ill[:] = 0.0
    for month in range(oldest, -1, -1):
        evidence += _fits(items[month], near[month], far[month], habit, depth_days, fit)
        again = 0.0
        for course in range(len(months)):
            begin, last = begins[course], begins[course] + months[course] - 1
            over = ill[last]
            for at in range(last, begin, -1):
                ill[at] = ill[at - 1] * fit[step[at]]
            ill[begin] = well * SETS_IN * share[course] * fit[step[begin]]
            spared = SPARED if fatal[course] else 1.0
            ill[last] += (1.0 - spared) * over * fit[step[last]]
            again += spared * over
        well = (well * (1.0 - SETS_IN) + again) * fit[0]
        whole = well + ill.sum()
        well /= whole
        ill /= whole
        evidence += log(whole)
    return evidence


@compiled
def _failing(ill: Column, months: Places, fatal: Places, begins: Places, ends: Column) -> None:
    """Chances of failure within a year and half a year, from those of each month of each course."""
    ends[:] = 0.0
    for course in range(len(months)):
        if fatal[course]:
            for age in range(months[course]):
                left = months[course] - age
                if left <= YEAR_MONTHS:
                    ends[0] += ill[begins[course] + age]
                if left <= HALF_YEAR_MONTHS:
                    ends[1] += ill[begins[course] + age]


@compiled
def _chances(
    first: int, last: int, start: Places, due_ago: Days, delay: Days, near_of: Table, far_of: Table, prior: Column, habits: Column, depth_days: Column,
    months: Places, fatal: Places, share: Column, begins: Places, step: Places, out: Column,
) -> None:  # fmt: skip
    """Of the buyers first..last-1: chances of failure within a year and half a year, over the habits that are possible."""
    counts, items = np.zeros((MONTHS, 2 * CELLS), np.int64), np.zeros(MONTHS, np.int64)
    near = np.zeros((MONTHS, prior.shape[0], near_of.shape[3]))
    far = np.zeros_like(near)
    found, ill, fit = np.zeros_like(prior), np.zeros(len(step)), np.zeros(STEPS)
    ends, mean = np.zeros(2), np.zeros(2)
    for buyer in range(first, last):
        if start[buyer] == start[buyer + 1]:
            continue
        punctual = _counted(start[buyer], start[buyer + 1], due_ago, delay, counts, items)
        _weighed(counts, items, near_of[punctual], far_of, near, far)
        _likely(items, near, far, prior, habits, found)
        oldest = MONTHS - 1
        while items[oldest] == 0:
            oldest -= 1
        peak, best, whole = found.max(), 0.0, 0.0
        mean[:] = 0.0
        for rank in range(POSSIBLE):
            at = found.argmax()
            spread, place = at // len(habits), at % len(habits)
            if found[spread, place] < peak - 5.0:
                break
            found[spread, place] = -np.inf
            weight = prior[spread, place] + _followed(
                oldest, items, near[:, spread], far[:, spread], habits[place], depth_days, months, fatal, share, begins, step, ill, fit
            )
            _failing(ill, months, fatal, begins, ends)
            if rank == 0:
                best = weight
            part = exp(min(weight - best, 300.0))
            whole += part
            mean += part * ends
        out[buyer] = mean / whole


def of_items(buyer: Places, due_ago: Days, delay: Days, count: int) -> dict[str, Column]:
    """How like a firm on its way to failure does each of `count` buyers pay?

    buyer    number of each item's buyer; due_ago: days since it fell due, 0 to LOOKED_BACK_DAYS; delay: days from then to its payment, OPEN = open
    Gives by how much these payments alone move the log-odds of a failure within a year and within half a year from where they are for a firm of which
    nothing is known; NaN where nothing fell due.
    """
    order = np.argsort(buyer, kind="stable")
    start = np.searchsorted(buyer, np.arange(count + 1), sorter=order)
    ago, late = due_ago[order].astype(np.int64), delay[order].astype(np.int64)
    near, far = _likelihoods()
    courses = _Courses.drawn()
    depth_days = DELAY_DAYS * (np.arange(STEPS) / (STEPS - 1)) ** DELAY_POWER
    out = np.full((count, 2), np.nan)

    def work(begin: int, end: int) -> None:
        _chances(
            begin, end, start, ago, late, near, far, _prior(), HABITS, depth_days,
            courses.months, courses.fatal, courses.share, courses.begins, courses.step, out,
        )  # fmt: skip

    threads = len(os.sched_getaffinity(0)) if count >= SHARED_FROM else 1
    cuts = np.linspace(0, count, 4 * threads + 1 if threads > 1 else 2).astype(np.int64).tolist()
    if threads == 1:
        work(0, count)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, cuts[:-1], cuts[1:]))
    chance = np.clip(out, SURE, 1 - SURE)
    log_odds = np.log(chance / (1 - chance)) - USUAL_LOG_ODDS
    return {"failing_in_year": log_odds[:, 0], "failing_in_half_year": log_odds[:, 1]}
