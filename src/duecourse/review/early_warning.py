"""How early and how often were we warned, and at what price in false alarms? 预警效果

Everything here is counted on plain arrays: days on which alerts can open, which buyers were watched, which alerts opened, and who was in default
when. A default is caught when an alert on its buyer opened within the horizon before it; its lead is the time from the first such alert. An alert
is right when a default follows within the horizon. Neither is counted where the days do not tell: a default counts when the whole horizon before
it was watched over, an alert when the whole horizon after it is known. A figure never stands alone: the random control is measured with it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from duecourse.decisions.alert_budget import HOLD_DAYS, Alerts, at_budget, lots, riskiest
from duecourse.risk.calibration.judging import auc as area

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    Numbers = npt.NDArray[np.int64]
    Scores = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]

YEAR: Final = 365.25
MONTH: Final = YEAR / 12
THREE_MONTHS: Final = 90
SIX_MONTHS: Final = 182
WORKING_SHARE: Final = 5 / 7
DRAWS: Final = 400
CONTROLS: Final = 20
FIGURES: Final = (
    "recall_90", "recall_180", "recall", "precision", "lead_median", "lead_lower_quartile", "lead_upper_quartile", "lead_share_90",
    "lead_share_180", "false_alarms_per_buyer_year", "alerts_per_analyst_day", "saved_share",
)  # fmt: skip
"""Shares as fractions, leads in days."""
SHARES: Final = {"recall_90": ("caught_90", "defaults"), "recall": ("caught", "defaults"), "precision": ("right", "judged")}
OF_SEGMENTS: Final = ("recall_90", "recall", "precision", "false_alarms_per_buyer_year")


@dataclass(frozen=True)
class Course:
    """What there was to be warned of.

    days       ascending day numbers on which alerts can open
    watched    [day, buyer]: active, and not in default
    buyer, on  whose the defaults are (a place below the number of buyers) and on which day they happened
    until      the last day of which anything is known
    horizon_days   how long after an alert a default still speaks for it
    stratum    of each default, a name (`sudden`, `cloaked` …), where the truth is known
    segment    of each buyer, a name (a country, a size), where it is asked for
    owed       what was open at each default, by age: where it is known
    from_first_day   also count defaults so early that their horizon begins before the first day
    """

    days: Numbers
    watched: Flags
    buyer: Numbers
    on: Numbers
    until: int
    horizon_days: int = 365
    stratum: Sequence[str] = ()
    segment: Sequence[str] = ()
    owed: Owed | None = None
    from_first_day: bool = False

    @property
    def buyers(self) -> int:
        """How many buyers there are."""
        return int(self.watched.shape[1])


@dataclass(frozen=True)
class Owed:
    """What was open at the defaults: the default's place, the day the invoice was issued, its open balance (one currency, minor units)."""

    default: Numbers
    issued: Numbers
    amount: Scores


@dataclass(frozen=True)
class Matched:
    """Alerts and defaults set against each other.

    counts   of each default: does it count? (watched, with its horizon)
    lead     of each default: days from its first alert within the horizon; -1 = none came
    alert    of each default: which alert that was; -1 = none
    judged   of each alert: is its whole horizon known?
    default  of each alert: the default that followed within the horizon; -1 = none did
    """

    counts: Flags
    lead: Numbers
    alert: Numbers
    judged: Flags
    default: Numbers


@dataclass(frozen=True)
class Measured:
    """How well it went.

    figures   {figure of FIGURES: (value, low, high)}, the interval (95 %) by drawing buyers; NaN where there is nothing to count
    counts    defaults, caught, caught_90, unwatched (defaults of buyers nobody watched), alerts, judged, right, buyer_years
    strata, segments   {name: {defaults, caught, caught_90, recall, recall_90, …}}
    """

    figures: Mapping[str, tuple[float, float, float]]
    counts: Mapping[str, float]
    strata: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    segments: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def value(self, name: str) -> float:
        """One figure without its interval."""
        return self.figures[name][0]

    def told(self) -> dict[str, Any]:
        """As plain data, missing figures None."""
        return {
            "figures": {name: [_or_none(one) for one in values] for name, values in self.figures.items()},
            "counts": {name: _or_none(value) for name, value in self.counts.items()},
            **{
                name: {key: {one: _or_none(value) for one, value in row.items()} for key, row in getattr(self, name).items()}
                for name in ("strata", "segments")
            },
        }


def matched(course: Course, alerts: Alerts) -> Matched:
    """Which alert foretold which default?"""
    wide = np.int64(2**32)
    when = course.days[alerts.day] if len(alerts) else np.zeros(0, np.int64)
    of_alerts = alerts.buyer * wide + when
    order = np.argsort(of_alerts, kind="stable")
    keys = of_alerts[order]
    low = np.searchsorted(keys, course.buyer * wide + course.on - course.horizon_days, "left")
    high = np.searchsorted(keys, course.buyer * wide + course.on, "left")
    came = high > low
    at = np.where(came, order[np.minimum(low, max(len(order) - 1, 0))] if len(order) else -1, -1)
    lead = np.where(came, course.on - (when[at] if len(when) else 0), -1)

    of_defaults = course.buyer * wide + course.on
    ranked = np.argsort(of_defaults, kind="stable")
    sorted_ = of_defaults[ranked]
    following = np.searchsorted(sorted_, of_alerts, "right")
    there = following < len(sorted_)
    candidate = ranked[np.minimum(following, max(len(ranked) - 1, 0))] if len(ranked) else np.zeros(len(when), np.int64)
    if len(ranked):
        there &= (course.buyer[candidate] == alerts.buyer) & (course.on[candidate] <= when + course.horizon_days)
    else:
        there = np.zeros(len(when), np.bool_)
    default = np.where(there, candidate, -1)
    return Matched(_counts(course), lead.astype(np.int64), at.astype(np.int64), when + course.horizon_days <= course.until, default)


def _counts(course: Course) -> Flags:
    """A default counts if its buyer was watched on one of the days of its horizon, and all of these days are among ours."""
    if not len(course.days):
        return np.zeros(len(course.on), np.bool_)
    first = np.searchsorted(course.days, course.on - course.horizon_days, "left")
    after = np.searchsorted(course.days, course.on, "left")
    seen = np.concatenate([np.zeros((1, course.buyers), np.int64), np.cumsum(course.watched, axis=0)])
    watched = seen[after, course.buyer] - seen[first, course.buyer] > 0
    begun = (course.on - course.horizon_days >= course.days[0]) | course.from_first_day
    # Up to where the next day would have been.
    step = int(np.diff(course.days).max()) if len(course.days) > 1 else course.horizon_days
    found: Flags = watched & begun & (course.on <= min(course.until, int(course.days[-1]) + step))
    return found


def measured(course: Course, alerts: Alerts, *, analysts: float = 1.0, draws: int = DRAWS) -> Measured:
    """How good were these alerts?  预警效果

    analysts  people who look at them; draws  for the intervals, 0 = none
    """
    found = matched(course, alerts)
    sums = _sums(course, alerts, found)
    leads = np.where(found.counts, found.lead, -1)
    who, lead = course.buyer[leads > 0], leads[leads > 0]
    whole = {name: float(values.sum()) for name, values in sums.items()}
    value = _figures(whole, lead, _working_days(course) * analysts)
    lows, highs = _intervals(course, sums, who, lead, _working_days(course) * analysts, draws)
    counts = {name: whole[name] for name in ("defaults", "caught", "caught_90", "judged", "right", "buyer_years")}
    counts |= {"alerts": float(len(alerts)), "unwatched": float((~found.counts).sum()), "owed": whole["owed"], "saved": whole["saved"]}
    return Measured(
        {name: (value[name], lows[name], highs[name]) for name in FIGURES}, counts,
        {name: _of_stratum(found, np.array([one == name for one in course.stratum], np.bool_)) for name in sorted(set(course.stratum))},
        {name: _of_segment(sums, np.array([one == name for one in course.segment], np.bool_)) for name in sorted(set(course.segment))},
    )  # fmt: skip


def _sums(course: Course, alerts: Alerts, found: Matched) -> dict[str, Scores]:
    """What each buyer adds to every count."""
    count = course.buyers

    def by(buyers: Numbers, values: Any = None) -> Scores:
        return np.bincount(buyers, values, count).astype(np.float64)

    mine, right = course.buyer, found.judged & (found.default >= 0)
    ages = np.diff(course.days).mean() if len(course.days) > 1 else course.horizon_days
    mature = course.days + course.horizon_days <= course.until
    whole, saved = _savings(course, alerts, found)
    return {
        "defaults": by(mine[found.counts]), "caught": by(mine[found.counts & (found.lead > 0)]),
        "caught_90": by(mine[found.counts & (found.lead >= THREE_MONTHS)]), "caught_180": by(mine[found.counts & (found.lead >= SIX_MONTHS)]),
        "judged": by(alerts.buyer[found.judged]), "right": by(alerts.buyer[right]), "alerts": by(alerts.buyer),
        "false": by(alerts.buyer[found.judged & ~right]),
        "judged_years": course.watched[mature].sum(axis=0) * ages / YEAR, "buyer_years": course.watched.sum(axis=0) * ages / YEAR,
        "owed": by(mine, whole), "saved": by(mine, saved),
    }  # fmt: skip


def _savings(course: Course, alerts: Alerts, found: Matched) -> tuple[Scores, Scores]:
    """What was open at each default that counts, and what of it was sold after its first alert: it need not have been."""
    whole = np.zeros(len(course.on))
    saved = np.zeros(len(course.on))
    owed = course.owed
    if owed is None or not len(owed.default):
        return whole, saved
    warned = found.alert >= 0
    when = np.where(warned, course.days[alerts.day[np.maximum(found.alert, 0)]] if len(alerts) else 0, np.iinfo(np.int64).max)
    counts = found.counts[owed.default]
    np.add.at(whole, owed.default[counts], owed.amount[counts])
    later = counts & (owed.issued > when[owed.default])
    np.add.at(saved, owed.default[later], owed.amount[later])
    return whole, saved


def _working_days(course: Course) -> float:
    if not len(course.days):
        return 0.0
    step = float(np.diff(course.days).mean()) if len(course.days) > 1 else 30.4
    return (float(course.days[-1] - course.days[0]) + step) * WORKING_SHARE


def _figures(sums: Mapping[str, float], lead: Numbers, analyst_days: float) -> dict[str, float]:
    def share(part: float, whole: float) -> float:
        return part / whole if whole else float("nan")

    quartiles = np.quantile(lead, (0.25, 0.5, 0.75)).tolist() if len(lead) else [float("nan")] * 3
    return {
        "recall_90": share(sums["caught_90"], sums["defaults"]), "recall_180": share(sums["caught_180"], sums["defaults"]),
        "recall": share(sums["caught"], sums["defaults"]), "precision": share(sums["right"], sums["judged"]), "lead_median": quartiles[1],
        "lead_lower_quartile": quartiles[0], "lead_upper_quartile": quartiles[2], "lead_share_90": share(sums["caught_90"], sums["caught"]),
        "lead_share_180": share(sums["caught_180"], sums["caught"]),
        "false_alarms_per_buyer_year": share(sums["false"], sums["judged_years"]),
        "alerts_per_analyst_day": share(sums["alerts"], analyst_days), "saved_share": share(sums["saved"], sums["owed"]),
    }  # fmt: skip


def _intervals(
    course: Course, sums: Mapping[str, Scores], who: Numbers, lead: Numbers, analyst_days: float, draws: int
) -> tuple[dict[str, float], dict[str, float]]:
    draw = np.random.default_rng(0)
    names = list(sums)
    columns = np.stack([sums[name] for name in names])
    order = np.argsort(lead, kind="stable")
    rows: list[dict[str, float]] = []
    for _ in range(draws if course.buyers else 0):
        weight = np.bincount(draw.integers(0, course.buyers, course.buyers), minlength=course.buyers)
        drawn = dict(zip(names, (columns @ weight).tolist(), strict=True))
        rows.append(_figures(drawn, np.repeat(lead[order], weight[who[order]]), analyst_days))
    lows, highs = {}, {}
    for name in FIGURES:
        values = np.array([row[name] for row in rows])
        values = values[~np.isnan(values)]
        lows[name], highs[name] = (float(np.quantile(values, at)) if len(values) else float("nan") for at in (0.025, 0.975))
    return lows, highs


def _of_stratum(found: Matched, mine: Flags) -> dict[str, float]:
    counts = found.counts & mine
    whole, caught = float(counts.sum()), float((counts & (found.lead > 0)).sum())
    early = float((counts & (found.lead >= THREE_MONTHS)).sum())
    leads = found.lead[counts & (found.lead > 0)]
    nothing = float("nan")
    return {
        "defaults": whole, "caught": caught, "caught_90": early, "recall": caught / whole if whole else nothing,
        "recall_90": early / whole if whole else nothing, "lead_median": float(np.median(leads)) if len(leads) else nothing,
    }  # fmt: skip


def _of_segment(sums: Mapping[str, Scores], mine: Flags) -> dict[str, float]:
    whole = {name: float(values[mine].sum()) for name, values in sums.items()}
    nothing = float("nan")
    return {
        **{name: whole[name] for name in ("defaults", "caught", "caught_90", "alerts", "judged", "right", "buyer_years", "owed", "saved")},
        "recall": whole["caught"] / whole["defaults"] if whole["defaults"] else nothing,
        "recall_90": whole["caught_90"] / whole["defaults"] if whole["defaults"] else nothing,
        "precision": whole["right"] / whole["judged"] if whole["judged"] else nothing,
    }  # fmt: skip


def segment_intervals(course: Course, alerts: Alerts, *, draws: int = DRAWS) -> dict[str, dict[str, tuple[float, float]]]:
    """How sure is what is told of each segment?  {segment: {figure: (low, high)}}, 95 % by drawing buyers of that segment; NaN where nothing counts.

    Where a share is of none or of all, the interval is what such a count speaks for. Figures: recall_90, recall, precision, false_alarms_per_buyer_year.
    """
    sums = _sums(course, alerts, matched(course, alerts))
    names = list(sums)
    columns = np.stack([sums[name] for name in names])
    draw = np.random.default_rng(0)
    found: dict[str, dict[str, tuple[float, float]]] = {}
    for segment in sorted(set(course.segment)):
        mine = columns[:, np.array([one == segment for one in course.segment], np.bool_)]
        size = mine.shape[1]
        rows = []
        for _ in range(draws):
            weight = np.bincount(draw.integers(0, size, size), minlength=size)
            rows.append(_figures(dict(zip(names, (mine @ weight).tolist(), strict=True)), np.zeros(0, np.int64), 0.0))
        whole = dict(zip(names, mine.sum(axis=1).tolist(), strict=True))
        found[segment] = {name: _between([row[name] for row in rows]) for name in OF_SEGMENTS}
        for name, (part, of) in SHARES.items():
            if whole[of] and whole[part] in (0, whole[of]):
                found[segment][name] = _of_count(int(whole[part]), int(whole[of]))
    return found


def _of_count(part: int, whole: int) -> tuple[float, float]:
    """95 % of the shares that none or all of a count speak for (Jeffreys): drawing buyers again and again would find nothing but none or all."""
    low, high = np.quantile(np.random.default_rng(0).beta(part + 0.5, whole - part + 0.5, 20_000), (0.025, 0.975)).tolist()
    return (0.0, high) if part == 0 else (low, 1.0)


def _between(values: Sequence[float]) -> tuple[float, float]:
    known = [one for one in values if one == one]  # noqa: PLR0124 — NaN is not equal to itself
    return (float(np.quantile(known, 0.025)), float(np.quantile(known, 0.975))) if known else (float("nan"), float("nan"))


def leads_by_month(course: Course, alerts: Alerts) -> list[int]:
    """How long before were we warned? Defaults that were caught, by whole months from the first alert: [under one, one to two, …] to the horizon."""
    found = matched(course, alerts)
    lead = found.lead[found.counts & (found.lead > 0)]
    months = math.ceil(course.horizon_days / MONTH)
    counts = np.bincount(np.minimum(lead / MONTH, months - 1).astype(np.int64), minlength=months)
    return [int(one) for one in counts]


def random_control(
    course: Course, share: float, *, hold_days: int = HOLD_DAYS, analysts: float = 1.0, controls: int = CONTROLS
) -> Measured:
    """How good is drawing lots, at the same budget? The mean of several draws, and between which values 95 % of them lie.  随机对照"""
    found = [
        measured(
            course, at_budget(course.days, random_scores(course, number), course.watched, share=share, hold_days=hold_days),
            analysts=analysts, draws=0,
        )
        for number in range(controls)
    ]  # fmt: skip
    figures = {}
    for name in FIGURES:
        values = np.array([one.value(name) for one in found])
        values = values[~np.isnan(values)]
        low, high = np.quantile(values, (0.025, 0.975)).tolist() if len(values) else (float("nan"), float("nan"))
        figures[name] = (_mean(values.tolist()), low, high)
    counts = {name: _mean([one.counts[name] for one in found]) for name in found[0].counts}
    rows = {
        part: {
            key: {name: _mean([getattr(one, part)[key][name] for one in found]) for name in row}
            for key, row in getattr(found[0], part).items()
        }
        for part in ("strata", "segments")
    }
    return Measured(figures, counts, rows["strata"], rows["segments"])


def random_scores(course: Course, number: int = 0) -> Scores:
    """Lots for every day and buyer."""
    return lots(course.watched.size, number + 1).reshape(course.watched.shape)


def told_apart(course: Course, score: Scores, *, within_days: int = SIX_MONTHS) -> float:
    """AUC: is a buyer that will be in default within so many days scored higher than one that will not?

    Buyers are held against those of the same day, and all pairs of all days count alike: so a score may have another scale on another day. One that
    is NaN ranks below every other. Days whose `within_days` are not known to the end are left out.
    """
    fails = ahead(course, within_days)
    right, pairs = 0.0, 0.0
    for place in np.flatnonzero(course.days + within_days <= course.until).tolist():
        watched = course.watched[place]
        bad = fails[place][watched].astype(np.float64)
        weight = bad.sum() * (len(bad) - bad.sum())
        if weight:
            right += weight * area(bad, np.nan_to_num(score[place][watched], nan=-np.inf, posinf=np.finfo(np.float64).max))
            pairs += weight
    return float(right / pairs) if pairs else float("nan")


def highest(course: Course, score: Scores, *, share: float = 0.1, within_days: int = SIX_MONTHS) -> tuple[float, float]:
    """Of the riskiest `share` of each day: how many will be in default within so many days, and what part of all who will be?

    No alert is held: each day stands for itself. Where fewer than `share` have a score, they are all there are.
    """
    fails = ahead(course, within_days)
    taken, right, whole = 0, 0, 0
    for place in np.flatnonzero(course.days + within_days <= course.until).tolist():
        watched = course.watched[place]
        chosen = riskiest(score[place], watched, int(share * watched.sum()))
        taken += len(chosen)
        right += int(fails[place][chosen].sum())
        whole += int((fails[place] & watched).sum())
    return right / taken if taken else float("nan"), right / whole if whole else float("nan")


def ahead(course: Course, within_days: int) -> Flags:
    """[day, buyer]: does a default happen within so many days after the day?"""
    found = np.zeros(course.watched.shape, np.bool_)
    first = np.searchsorted(course.days, course.on - within_days, "left")
    after = np.searchsorted(course.days, course.on, "left")
    for who, low, high in zip(course.buyer.tolist(), first.tolist(), after.tolist(), strict=True):
        found[low:high, who] = True
    return found


def trade_off(
    course: Course, score: Scores, shares: Sequence[float], *, told: Scores | None = None, hold_days: int = HOLD_DAYS, analysts: float = 1.0
) -> list[dict[str, float]]:
    """What does more looking buy? One row per budget: its share, its threshold, and the figures.  名额与效果的取舍

    told  [day, buyer], what a threshold is stated in, where the scores are not (a probability)
    The threshold is the lowest that was warned of on a day, of the days on which anybody was the median.
    """
    stated = score if told is None else told
    rows = []
    for share in shares:
        alerts = at_budget(course.days, score, course.watched, share=share, hold_days=hold_days)
        found = measured(course, alerts, analysts=analysts, draws=0)
        lowest = np.full(len(course.days), np.inf)
        np.fmin.at(lowest, alerts.day, stated[alerts.day, alerts.buyer])
        lowest = lowest[np.isfinite(lowest)]
        threshold = float(np.median(lowest)) if len(lowest) else float("nan")
        rows.append({"share": share, "threshold": threshold, "alerts": float(len(alerts)), **{name: found.value(name) for name in FIGURES}})
    return rows


def listed(
    course: Course, alerts: Alerts, describe: Callable[[int, int], dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The defaults nobody was warned of in time, and the alerts that nothing followed, one by one, newest first.

    describe  (place of the day, place of the buyer) -> what is to be told of it
    Each miss has `default` (its place) and `lead` (-1 = no alert at all, else days, below 90); each false alarm `alert`.
    """
    found = matched(course, alerts)
    late = np.flatnonzero(found.counts & (found.lead < THREE_MONTHS))
    misses = []
    for place in sorted(late.tolist(), key=lambda one: -int(course.on[one])):
        before = max(int(np.searchsorted(course.days, course.on[place], "left")) - 1, 0)
        misses.append({"default": place, "lead": int(found.lead[place]), **describe(before, int(course.buyer[place]))})
    wrong = np.flatnonzero(found.judged & (found.default < 0))
    alarms = [
        {"alert": place, **describe(int(alerts.day[place]), int(alerts.buyer[place]))}
        for place in sorted(wrong.tolist(), key=lambda one: -int(course.days[alerts.day[one]]))
    ]
    return misses, alarms


def _mean(values: Sequence[float]) -> float:
    known = [one for one in values if one == one]  # noqa: PLR0124 — NaN is not equal to itself
    return float(np.mean(known)) if known else float("nan")


def _or_none(value: float) -> float | None:
    return None if value != value else float(value)  # noqa: PLR0124 — as above
