"""Would we have been warned in time? The past replayed on the firm's own ledger, all rivals at the same budget.  预警回测

Each month end of the past is scored as it was known then, by the code that scores today; each rival may warn of the same share of buyers a month.
Lots are drawn at the same budget beside them. What comes out: how many defaults were warned of and how long before, how many alerts were right,
what looking at them costs, and each miss and false alarm by itself.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from duecourse.decisions.alert_budget import HOLD_DAYS, at_budget
from duecourse.decisions.alert_policy import policy_of
from duecourse.decisions.record import digest_of
from duecourse.desk import answers
from duecourse.desk.plain_rules import OVERDUE_OR_USED_DAYS, UTILISATION
from duecourse.desk.policy_replay import by_policy
from duecourse.desk.remembered import recalled, remembered
from duecourse.desk.replaying import EPOCH, as_known, month_ends, replay
from duecourse.desk.rivals import RULES, WARNING, features, rivals
from duecourse.desk.warning_learnt import as_it_was, in_force
from duecourse.errors import HistoryMissingError
from duecourse.measures.expressions import day as day_of
from duecourse.review.drift import calibration
from duecourse.review.early_warning import (
    SIX_MONTHS,
    ahead,
    leads_by_month,
    listed,
    matched,
    measured,
    random_control,
    segment_intervals,
    told_apart,
    trade_off,
)
from duecourse.risk.outcomes import definition
from duecourse.risk.outcomes.definitions import DEFAULT
from duecourse.samples.truth import kinds_of_failures

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    import numpy.typing as npt

    from duecourse.decisions.alert_budget import Alerts
    from duecourse.desk.replaying import Replayed
    from duecourse.ledger.book import Book
    from duecourse.review.early_warning import Course, Measured
    from duecourse.risk.outcomes import Definition

compute: Any = pc
SHARE: Final = 0.01
BUDGETS: Final = (0.0025, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05)
TOLD: Final = 200
"""So many misses and false alarms are kept, the latest first; how many there are is said."""

SIZES: Final = ("small", "medium", "large")
RANDOM: Final = "random"
POLICY: Final = "policy"
UNFAILED: Final = "unfailed"
JUDGED: Final = "horizon_over"
"""Of which alerts it is said whether they were right: those whose horizon is over. Backtests kept without this word judged others too."""
"""A default of a buyer that, in a generated economy, never fails: it paid late, and recovered."""
SEGMENTS: Final = ("size", "country", "sector")
MOST_SEGMENTS: Final = 12


def backtest(
    book: Book, *, since: date | None = None, until: date | None = None, share: float = SHARE, name: str = DEFAULT, analysts: float = 1.0,
    segment: str = "size", sets: Mapping[str, Mapping[str, Any]] | None = None, recorded: bool = False, processes: int = 1,
    progress: Callable[[float], None] | None = None,
) -> dict[str, Any]:  # fmt: skip
    """How early and how often would this ledger have been warned?  预警回测

    since, until  the first and last month end at which alerts can open; by default from a year after the first invoice to the book's day
    share         of the watched buyers that each rival may newly warn of in a month
    name          the definition of the event: `default`, `severe_delinquency`, or the firm's own
    analysts      people who look at alerts
    segment       what results are parted by: size (of exposure) | country | sector
    sets          {name: thresholds of the plain rules stated otherwise}, to be compared
    recorded      only what had been put into the ledger by each day
    processes     that share the months
    Plain data, kept for this state of the ledger (`kept_backtest` gives it back). Raises HistoryMissingError where there is no month to replay,
    LeakFoundError where a score has seen later facts, RuleInvalidError for a definition there is none of.
    """
    wording = definition(name, book.settings)
    days = _days(book, since, until, wording)
    question = _question(book, days, share, wording, analysts, segment, sets, recorded=recorded)

    def answer() -> dict[str, Any]:
        found = replay(
            book.whole, days, wording, rivals(sets), recorded=recorded, features=(features,), processes=processes,
            progress=None if progress is None else lambda done: progress(0.95 * done),
        )  # fmt: skip
        return told(book.whole, found, wording, share=share, analysts=analysts, segment=segment)

    result: dict[str, Any] = remembered(book.whole, question, answer)
    if progress:
        progress(1.0)
    return result


def kept_backtest(
    book: Book, *, since: date | None = None, until: date | None = None, share: float = SHARE, name: str = DEFAULT, analysts: float = 1.0,
    segment: str = "size", sets: Mapping[str, Mapping[str, Any]] | None = None, recorded: bool = False,
) -> dict[str, Any] | None:  # fmt: skip
    """The same, if it has been worked out for this state of the ledger; None otherwise."""
    wording = definition(name, book.settings)
    days = _days(book, since, until, wording)
    found: dict[str, Any] | None = recalled(book.whole, _question(book, days, share, wording, analysts, segment, sets, recorded=recorded))
    return found


def _days(book: Book, since: date | None, until: date | None, wording: Definition) -> list[date]:
    days = month_ends(book, since, until, before=max(math.ceil(wording.horizon_days / 30.4), 3))
    if not days:
        raise HistoryMissingError(on=book.on)
    return days


def _question(
    book: Book, days: Sequence[date], share: float, wording: Definition, analysts: float, segment: str, sets: Any, *, recorded: bool
) -> str:
    asked = [
        str(days[0]),
        str(days[-1]),
        share,
        wording.told(),
        analysts,
        segment,
        sets or {},
        recorded,
        dict(policy_of(book.settings).values),
    ]
    return f"backtest v5 {digest_of(asked)} {answers.beside_version(book.ledger)}"


def told(
    book: Book, found: Replayed, wording: Definition, *, share: float = SHARE, analysts: float = 1.0, segment: str = "size",
    headline: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """What a replay comes to, as plain data.

    The policy in force opens what it would have opened, month by month, at its own budget; all others at `share`.

    headline  the rival whose misses, false alarms and trade-off are told; by default the product's own
    """
    course = _with_strata(book, _with_segments(book, found, segment), found)
    headline = headline or next((one for one in (WARNING, RULES) if one in found.scores), list(found.scores)[-1])
    measured_ = {name: _rival(course, score, share, analysts) for name, score in found.scores.items()}
    alerts = measured_[headline][0]
    visible = _visible(book, found)
    policy = policy_of(book.settings)
    within = min(SIX_MONTHS, wording.horizon_days)
    rivals_ = {
        name: {**one.told(), "auc": _or_none(told_apart(course, found.scores[name], within_days=within))}
        for name, (_, one) in measured_.items()
    }
    alerts_of_policy = by_policy(found, policy, probability=WARNING, rules=RULES)
    by_policy_ = measured(course, alerts_of_policy, analysts=float(policy["budget"]["analysts"]))
    rivals_[POLICY] = {**by_policy_.told(), "auc": None, "version": policy.version}
    rivals_[RANDOM] = {**random_control(course, share, analysts=analysts).told(), "auc": 0.5}
    for name, bounds in segment_intervals(course, alerts).items():
        rivals_[headline]["segments"][name]["intervals"] = {
            figure: [_or_none(low), _or_none(high)] for figure, (low, high) in bounds.items()
        }
    misses, alarms = listed(course, alerts, _describer(book, found, headline))
    counted = matched(course, alerts).counts
    return {
        "definition": wording.told(), "since": found.days[0].isoformat(), "until": found.days[-1].isoformat(), "on": book.on.isoformat(),
        "months": len(found.days), "share": share, "hold_days": HOLD_DAYS, "analysts": analysts, "horizon_days": wording.horizon_days,
        "auc_within_days": within, "known": found.known, "has_limits": found.has_limits, "currency": book.base_currency,
        "buyers": int(course.watched.any(axis=0).sum()), "buyer_months": int(course.watched.sum()),
        "defaults": int(counted.sum()), "defaults_before_or_unwatched": int((~counted).sum()),
        "invisible": int((counted & ~visible).sum()), "headline": headline, "rivals": rivals_, "segment": segment,
        "leads": {**{name: leads_by_month(course, mine) for name, (mine, _one) in measured_.items()}, POLICY: leads_by_month(course, alerts_of_policy)},
        "trade_off": {
            name: [
                {key: _or_none(value) for key, value in row.items()}
                for row in trade_off(course, found.scores[name], BUDGETS, told=found.probabilities.get(name), analysts=analysts)
            ]
            for name in dict.fromkeys((headline, *(one for one in found.scores if one.partition(":")[0] == RULES)))
        },
        "thresholds_are_chances": [name for name in found.probabilities if name in found.scores],
        "misses": [_miss(found, row, visible) for row in misses[:TOLD]], "misses_counted": len(misses),
        "false_alarms": [_false_alarm(found, alerts, row) for row in alarms[:TOLD]], "false_alarms_counted": len(alarms),
        "calibration": _calibration(book, found), "bases": {name: dict(Counter(said)) for name, said in found.bases.items() if any(said)},
        "guarded": [day.isoformat() for day in found.guarded],
        "judged": JUDGED,
    }  # fmt: skip


def _rival(course: Course, score: npt.NDArray[np.float64], share: float, analysts: float) -> tuple[Alerts, Measured]:
    alerts = at_budget(course.days, score, course.watched, share=share)
    return alerts, measured(course, alerts, analysts=analysts)


def _with_segments(book: Book, found: Replayed, segment: str) -> Course:
    """The course, its buyers named by size, country or sector: the largest of them, and the rest together."""
    if segment == "size":
        largest = found.exposure.max(axis=0)
        bounds = np.quantile(largest[largest > 0], (0.5, 0.9)) if (largest > 0).any() else np.zeros(2)
        return replace(found.course, segment=[SIZES[place] for place in np.searchsorted(bounds, largest, "left").tolist()])
    rows = book.run(book.buyer.select("buyer_id", segment))
    at = compute.index_in(found.buyers, rows["buyer_id"].combine_chunks())
    words = [str(word or "") for word in compute.take(rows[segment].combine_chunks(), at).to_pylist()]
    common = sorted(set(words), key=lambda word: (-words.count(word), word))[:MOST_SEGMENTS]
    return replace(found.course, segment=[word if word in common else "*" for word in words])


def _with_strata(book: Book, course: Course, found: Replayed) -> Course:
    """The course, its defaults named by what really happened, where a generated economy keeps the truth beside its ledger."""
    kinds = kinds_of_failures(answers.home(book.ledger))
    if not kinds or course.stratum:
        return course
    return replace(course, stratum=[kinds.get(found.buyers[place].as_py(), UNFAILED) for place in course.buyer.tolist()])


def _visible(book: Book, found: Replayed) -> npt.NDArray[np.bool_]:
    """Of each default: was there any sign in the horizon before it? Something 30 days overdue, a limit used by 80 %, a signal that is not neutral."""
    course = found.course
    sign = found.oldest > OVERDUE_OR_USED_DAYS
    if found.has_limits:
        sign |= np.nan_to_num(found.utilisation) >= UTILISATION
    first = np.searchsorted(course.days, course.on - course.horizon_days, "left")
    after = np.searchsorted(course.days, course.on, "left")
    seen = np.concatenate([np.zeros((1, sign.shape[1]), np.int64), np.cumsum(sign, axis=0)])
    shown = seen[after, course.buyer] > seen[first, course.buyer]
    signal = book.signal
    rows = book.run(
        signal.filter((signal.severity != "info") & (signal.published_on >= day_of(EPOCH))).select("buyer_id", "published_on").distinct()
    )
    at = compute.index_in(rows["buyer_id"].combine_chunks(), found.buyers)
    there = compute.is_valid(at).to_numpy(zero_copy_only=False)
    wide = np.int64(2**32)
    who = compute.fill_null(at, 0).to_numpy(zero_copy_only=False).astype(np.int64)
    when = rows["published_on"].cast(pa.int32()).to_numpy(zero_copy_only=False).astype(np.int64)
    keys = np.sort(who[there] * wide + when[there])
    low = np.searchsorted(keys, course.buyer * wide + course.on - course.horizon_days, "left")
    high = np.searchsorted(keys, course.buyer * wide + course.on, "left")
    result: npt.NDArray[np.bool_] = shown | (high > low)
    return result


def _calibration(book: Book, found: Replayed) -> dict[str, Any]:
    """Were the probabilities right? Each half-year's last month end, so that no buyer is counted twice over the same months."""
    course = found.course
    last = {f"{day.year}-{'H1' if day.month <= 6 else 'H2'}": place for place, day in enumerate(found.days) if day.month in (6, 12)}
    fails = ahead(course, SIX_MONTHS)
    told_: dict[str, Any] = {}
    for name, probability in found.probabilities.items():
        rows = {period: place for period, place in last.items() if course.days[place] + SIX_MONTHS <= course.until}
        where = [course.watched[place] for place in rows.values()]
        if not where:
            continue
        judged = calibration(
            [period for period, mine in zip(rows, where, strict=True) for _ in range(int(mine.sum()))],
            np.concatenate([probability[place][mine] for place, mine in zip(rows.values(), where, strict=True)]),
            np.concatenate([fails[place][mine] for place, mine in zip(rows.values(), where, strict=True)]),
        )
        told_[name] = {
            period: {**asdict(one), "is_right": one.is_right, "learnt": _learnt(book, found, rows[period])}
            for period, one in judged.items()
        }
    return told_


def _learnt(book: Book, found: Replayed, place: int) -> int:
    """So many of the firm's own defaults had moved the probabilities of this month; 0 where they were as shipped."""
    if WARNING not in found.bases or found.bases[WARNING][place] != "model":
        return 0
    fitted = in_force(as_it_was(as_known(book, found.days[place], recorded=found.known == "recorded")))
    return int(fitted["defaults"]) if fitted.get("version") else 0


def _describer(book: Book, found: Replayed, headline: str) -> Callable[[int, int], dict[str, Any]]:
    names = dict(zip(*(column.to_pylist() for column in book.run(book.buyer.select("buyer_id", "name")).columns), strict=True))
    reasons = found.reasons.get(headline) or []
    score = found.scores[headline]

    def describe(day: int, buyer: int) -> dict[str, Any]:
        told_ = reasons[day] if reasons else None
        buyer_id = found.buyers[buyer].as_py()
        return {
            "on": found.days[day].isoformat(), "buyer_id": buyer_id, "name": names.get(buyer_id), "score": _or_none(float(score[day, buyer])),
            "exposure": int(found.exposure[day, buyer]), "oldest_days_past_due": int(found.oldest[day, buyer]),
            "utilisation": _or_none(float(found.utilisation[day, buyer])) if found.has_limits else None,
            "reasons": (told_[buyer].as_py() or []) if told_ is not None else [],
            "others": [name for name, values in found.scores.items() if name != headline and not math.isnan(values[day, buyer])],
        }  # fmt: skip

    return describe


def _miss(found: Replayed, row: dict[str, Any], visible: npt.NDArray[np.bool_]) -> dict[str, Any]:
    """A default nobody was warned of in time: what it was, how the buyer stood at the last month end before it, and why it was missed.

    why: late (an alert came, less than 90 days before), unranked (there were signs, others had more), no_sign
    """
    place = row.pop("default")
    one = found.defaults.slice(place, 1).to_pylist()[0]
    why = "late" if row["lead"] >= 0 else "unranked" if visible[place] else "no_sign"
    return {
        **row, "why": why, "happened_on": one["happened_on"].isoformat(), "kind": one["kind"], "amount_minor": one["amount_minor"], "currency": one["currency"],
    }  # fmt: skip


def _false_alarm(found: Replayed, alerts: Alerts, row: dict[str, Any]) -> dict[str, Any]:
    """An alert no default followed, and the longest delay of an open item that did: a firm in distress that recovered is no healthy one."""
    place = row.pop("alert")
    day, buyer = int(alerts.day[place]), int(alerts.buyer[place])
    after = found.course.days <= found.course.days[day] + found.course.horizon_days
    after[: day + 1] = False
    later = found.oldest[after, buyer]
    return {**row, "oldest_days_past_due_after": int(later.max()) if len(later) else 0}


def _or_none(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
