"""The filter over hidden courses of distress: against a plain one written with matrices, and on payers whose state is plain to see."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from duecourse.risk.warning.hazard_v1 import distress
from duecourse.risk.warning.hazard_v1.distress import OPEN, of_items
from support.examples import examples

IN_YEAR = "failing_in_year"
USUAL = dict(zip((IN_YEAR, "failing_in_half_year"), distress.USUAL_LOG_ODDS, strict=True))


def chance(items, sign=IN_YEAR):
    """Of one buyer whose items are (days since due, delay), None = open."""
    ago, delay = (np.array(column, np.int64) for column in zip(*[(a, OPEN if d is None else d) for a, d in items], strict=True))
    log_odds = of_items(np.zeros(len(items), np.int64), ago, delay, 1)[sign][0]
    return 1 / (1 + np.exp(-log_odds - USUAL[sign]))


def monthly(delay_of_month, months=24, at=20):
    """Two items a month, the newest month first."""
    return [(30 * month + at - 8 * twice, delay_of_month(month, twice)) for month in range(months) for twice in range(2)]


def by_matrices(items):
    """The same law written down plainly: every month of every course is a state, and a month is a product of matrices."""
    states = [("well", 0)]
    depth, into, leave = [0.0], [0.0], [1.0]
    courses = [
        (months, True, share * distress.ENDS_BADLY, [(age / months) ** distress.RAMP for age in range(1, months + 1)])
        for months, share in distress.COURSES
    ] + [
        (months, False, share * (1 - distress.ENDS_BADLY) / len(distress.HEIGHTS), [height * np.sin(np.pi * age / months) for age in range(1, months + 1)])
        for months, share in distress.PASSING
        for height in distress.HEIGHTS
    ]  # fmt: skip
    for number, (months, fatal, share, course) in enumerate(courses):
        for age in range(months):
            states.append((number, age))
            depth.append(round(course[age] * (distress.STEPS - 1)) / (distress.STEPS - 1))
            into.append(share * distress.SETS_IN if age == 0 else 0.0)
            leave.append(0.0 if age < months - 1 else distress.SPARED if fatal else 1.0)
    moves = np.zeros((len(states), len(states)))
    moves[0, 0] = 1 - distress.SETS_IN
    for at in range(1, len(states)):
        moves[0, at] = into[at]
        moves[at, 0] = leave[at]
        number, age = states[at]
        if age < courses[number][0] - 1:
            moves[at, at + 1] = 1.0
        elif courses[number][1]:
            moves[at, at] = 1 - distress.SPARED
    more = distress.DELAY_DAYS * np.array(depth) ** distress.DELAY_POWER
    near_of, far_of = distress._likelihoods()
    paid = [delay for _ago, delay in items if delay is not None]
    punctual = sum(-distress.ON_THE_DAY <= delay <= 0 for delay in paid) / (len(paid) + 4) - 0.06
    nearest = max([place for place, share in enumerate(distress.PUNCTUAL) if punctual >= 0.85 * share], default=0)

    def cell(ago, delay):
        if delay is None:
            return distress.CELLS + min(ago, distress.MOST_DELAY) - distress.LEAST_DELAY
        return min(max(delay, distress.LEAST_DELAY), distress.MOST_DELAY) - distress.LEAST_DELAY

    def of_month(month, spread, lateness, *, near):
        table = near_of[nearest] if near else far_of
        return sum(
            np.interp(lateness, distress.LATENESS, table[cell(ago, delay), spread].astype(float))
            for ago, delay in items
            if min(ago // 30, distress.MONTHS - 1) == month
        )

    used = sorted({min(ago // 30, distress.MONTHS - 1) for ago, _ in items}, reverse=True)
    prior = distress._prior()
    likely = prior.copy()
    for spread in range(prior.shape[0]):
        for place, habit in enumerate(distress.HABITS):
            for month in used:
                late = max(of_month(month, spread, habit + days, near=False) for days in distress.FAR) - distress.RARELY
                likely[spread, place] += max(of_month(month, spread, habit, near=True), late)
    ranked = np.argsort(-likely, axis=None)[: distress.POSSIBLE]
    whole, ends = [], []
    for at in ranked:
        spread, place = divmod(int(at), len(distress.HABITS))
        if likely[spread, place] < likely.max() - 5:
            continue
        now, evidence = np.eye(len(states))[0], prior[spread, place]
        for month in range(used[0], -1, -1):
            now = now @ moves
            if month in used:
                depths = {
                    days: of_month(month, spread, distress.HABITS[place] + days, near=days < distress.NEAR_DAYS)
                    for days in set(more.tolist())
                }
                fits = np.array([depths[days] for days in more.tolist()])
                now = now * np.exp(fits - fits.max())
                evidence += fits.max()
            evidence += np.log(now.sum())
            now = now / now.sum()
        whole.append(evidence)
        fatal = [number != "well" and courses[number][1] and courses[number][0] - age <= distress.YEAR_MONTHS for number, age in states]
        ends.append(now[np.array(fatal)].sum())
    weight = np.exp(np.array(whole) - max(whole))
    return float((weight * ends).sum() / weight.sum())


def test_the_filter_says_what_matrices_say():
    for items in (
        monthly(lambda month, twice: 4 + 3 * twice),
        monthly(lambda month, twice: 3 + (12 - month) * 3 if month < 12 else 2 + twice, months=20),
        [(3, None), (40, None), (75, 31), (160, 2), (300, -2), (420, 0), (900, 5)],
    ):
        assert abs(chance(items) - by_matrices(items)) < 1e-4


def test_who_pays_ever_later_is_nearer_to_failure_than_who_always_paid_late():
    prompt = chance(monthly(lambda month, twice: -2 + twice))
    chronic = chance(monthly(lambda month, twice: 38 + 4 * twice))
    slipping = chance(monthly(lambda month, twice: (7 - month) * 6 + twice if month < 7 else -2 + twice))
    assert prompt < 0.01
    assert chronic < 0.03
    assert slipping > 0.3
    assert slipping > 10 * max(prompt, chronic)


def test_what_stays_open_counts_though_nothing_was_paid_late():
    until_then = monthly(lambda month, twice: -1 + twice, months=20)[6:]
    silent = [(70, None), (55, None), (40, None), (25, None), *until_then]
    not_due_long = [(1, None), (0, None), *until_then]
    assert chance(silent) > 0.2
    assert chance(not_due_long) < 0.02


def test_a_lapse_long_past_is_forgiven():
    lapsed = chance(monthly(lambda month, twice: 35 if 14 <= month < 17 else twice))
    lately = chance(monthly(lambda month, twice: 35 if month < 3 else twice))
    assert lapsed < 0.02 < lately


def test_nothing_due_says_nothing():
    found = of_items(np.array([1, 1]), np.array([10, 400]), np.array([3, OPEN]), 3)
    for sign in (IN_YEAR, "failing_in_half_year"):
        assert np.isnan(found[sign][[0, 2]]).all()
        assert np.isfinite(found[sign][1])
    assert all(len(column) == 0 for column in of_items(*[np.zeros(0, np.int64)] * 3, 0).values())


item = st.tuples(st.integers(0, distress.LOOKED_BACK_DAYS - 1), st.one_of(st.none(), st.integers(-200, 400)))


@given(buyers=st.lists(st.lists(item, min_size=1, max_size=30), min_size=1, max_size=4), data=st.data())
@examples(25, 400)
def test_a_buyer_is_told_alike_alone_among_others_and_in_any_order(buyers, data):
    rows = [(number, ago, OPEN if delay is None else delay) for number, items in enumerate(buyers) for ago, delay in items]
    mixed = data.draw(st.permutations(rows))
    found = of_items(*(np.array(column, np.int64) for column in zip(*mixed, strict=True)), len(buyers))
    for number, items in enumerate(buyers):
        for sign in (IN_YEAR, "failing_in_half_year"):
            assert np.isfinite(found[sign][number])
            assert 1 / (1 + np.exp(-found[sign][number] - USUAL[sign])) == chance(items, sign)
    year, half = (found[sign] + usual for sign, usual in USUAL.items())
    assert (year >= half).all()


def test_what_fell_due_long_ago_leaves_the_usual_odds():
    """Payments of three years ago, by far the longest course back, say nothing of today."""
    assert abs(of_items(np.zeros(1, np.int64), np.array([1000]), np.array([2]), 1)[IN_YEAR][0]) < 0.1
