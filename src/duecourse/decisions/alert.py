"""Who needs to be looked at today (预警): alerts opened, kept, raised and closed by a policy, a pure function of what is known and what is open.

    said = today(policy, day, warned, live, opened=…, watched=…)

A buyer has at most one live alert: whatever else comes is added to it. It opens above one threshold and closes below a lower one, and only after
days spent there. New alerts are as many as there is time for, those first of which most can be saved; what cannot wait (`at_once`) does not.
A buyer in default is collection's: of it only what cannot wait opens an alert, once the default is old only what is news; and an alert that is live has come
true and stays until somebody closes it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from duecourse.decisions.alert_policy import SEVERITIES, AlertPolicy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

URGENT_SIGNALS: Final = ("insolvency", "dishonest_debtor", "enforcement", "bill_dishonoured", "insurer_limit_cut")
"""Signals that are reasons by themselves, whatever the thresholds of the indicators say."""

GRADE_FALL: Final = "grade_fall"
NEWS: Final = frozenset({*URGENT_SIGNALS, GRADE_FALL})
"""Reasons that are there when something has just come; those of indicators stay for as long as it holds."""


@dataclass(frozen=True)
class Warned:
    """What is known of one buyer today. None = not known.

    probability_6m   of default within six months, a fraction; rule_score 0 to 100
    exposure_minor   what is at stake, minor units of the base currency; covered_minor  of it what somebody else bears (insurer, security)
    days_past_due    of the oldest open item, 0 = nothing late
    reasons          {code: family}, the gravest first
    in_default_since   None = it is not: nobody need be warned of a default to come any more
    """

    buyer_id: str
    probability_6m: float | None = None
    rule_score: float | None = None
    exposure_minor: int = 0
    covered_minor: int = 0
    days_past_due: int = 0
    reasons: Mapping[str, str] | None = None
    in_default_since: date | None = None


@dataclass(frozen=True)
class LiveAlert:
    """An alert that has not been closed.

    severity      amber | red: the highest it has been
    reasons       {code: family}, in the order in which they came, the gravest of each day first
    raised_on     the last day on which it became graver or got a new reason
    below_since   since when it has been below what closes it; None = it is not
    probability_6m, rule_score, rank   the highest of its days
    policy        version of the policy that opened it
    """

    buyer_id: str
    opened_on: date
    severity: str
    reasons: Mapping[str, str]
    raised_on: date
    policy: str
    below_since: date | None = None
    probability_6m: float | None = None
    rule_score: float | None = None
    rank: float = 0.0


@dataclass(frozen=True)
class Opened:
    """What was opened before: how many on this day and within the last month, and each buyer's last alert, closed or not, with its severity."""

    on_day: int = 0
    in_month: int = 0
    last: Mapping[str, tuple[date, str]] | None = None


@dataclass(frozen=True)
class Today:
    """What a day made of the alerts.

    live     all that are live after it, by buyer; opened, raised (graver, or a new reason) and closed are those that changed
    waiting  buyers above the threshold, none of them in default, for whom there is no time, first those of whom most can be saved
    """

    live: Mapping[str, LiveAlert]
    opened: Sequence[LiveAlert]
    raised: Sequence[LiveAlert]
    closed: Sequence[LiveAlert]
    waiting: Sequence[Warned]


def severity_of(policy: AlertPolicy, warned: Warned) -> str | None:
    """red, amber, or None below both. Either figure is enough; in default is red."""
    if warned.in_default_since is not None or any(code in policy["at_once"] for code in warned.reasons or {}):
        return "red"
    for level in reversed(SEVERITIES):
        bounds = policy["severity"][level]
        if _reaches(warned, bounds["probability_6m"], bounds["rule_score"]):
            return level
    return None


def rank_of(policy: AlertPolicy, warned: Warned) -> float:
    """What comes first: exposure × probability × what can still be saved, or the probability alone.  预期可挽回金额"""
    probability = warned.probability_6m
    if probability is None:
        probability = policy.probability_of(warned.rule_score or 0.0)
    if policy["ranking"] == "probability":
        return probability
    return probability * max(warned.exposure_minor - warned.covered_minor, 0) * policy.saveable(warned.days_past_due)


def allowed(policy: AlertPolicy, opened: Opened, watched: int) -> int | None:
    """How many more alerts may open today; None = as many as there are.

    Of a month's share less than one is still one, so that a small firm is warned at all.
    """
    budget = policy["budget"]
    rooms = []
    if budget["alerts_per_analyst_day"] is not None:
        rooms.append(int(budget["alerts_per_analyst_day"] * budget["analysts"]) - opened.on_day)
    if budget["share_of_watched_a_month"] is not None:
        rooms.append(max(int(budget["share_of_watched_a_month"] * watched), 1 if watched else 0) - opened.in_month)
    return max(min(rooms), 0) if rooms else None


def today(
    policy: AlertPolicy, day: date, warned: Iterable[Warned], live: Mapping[str, LiveAlert], *, opened: Opened | None = None, watched: int = 0,
    whole: bool = True,
) -> Today:  # fmt: skip
    """What does this day make of the alerts?  当日预警

    warned   what is known today, any number of rows a buyer: they count together. Needed are those above the threshold and those with a live alert
    live     the alerts live before, by buyer
    watched  buyers watched today, for the month's share
    whole    False: an event of a few buyers only; alerts of buyers that are not among them stay as they are
    """
    opened = opened or Opened()
    merged = _together(warned)
    kept: dict[str, LiveAlert] = {}
    raised: list[LiveAlert] = []
    closed: list[LiveAlert] = []
    for buyer, alert in live.items():
        if buyer not in merged and not whole:
            kept[buyer] = alert
            continue
        now = _aged(policy, day, alert, merged.get(buyer, Warned(buyer)))
        if now is None:
            closed.append(replace(alert, below_since=alert.below_since or day))
            continue
        kept[buyer] = now
        if now.raised_on == day and now is not alert and (now.severity, now.reasons) != (alert.severity, alert.reasons):
            raised.append(now)
    gone = {alert.buyer_id for alert in closed}
    urgent, others = _candidates(
        policy, day, (one for one in merged.values() if one.buyer_id not in kept and one.buyer_id not in gone), opened
    )
    room = allowed(policy, opened, watched)
    if room is not None:
        room = max(room - len(urgent), 0)
    chosen = urgent + (others if room is None else others[:room])
    new = [_open(policy, day, one) for one in chosen]
    kept |= {alert.buyer_id: alert for alert in new}
    return Today(kept, new, raised, closed, others[len(chosen) - len(urgent) :])


def _reaches(warned: Warned, probability: float, score: float) -> bool:
    by_model = warned.probability_6m is not None and warned.probability_6m >= probability
    return by_model or (warned.rule_score is not None and warned.rule_score >= score)


def _together(warned: Iterable[Warned]) -> dict[str, Warned]:
    """One row a buyer: the highest of each figure, every reason once."""
    merged: dict[str, Warned] = {}
    for one in warned:
        other = merged.get(one.buyer_id)
        if other is None:
            merged[one.buyer_id] = replace(one, reasons=dict(one.reasons or {}))
            continue
        merged[one.buyer_id] = Warned(
            one.buyer_id, _higher(one.probability_6m, other.probability_6m), _higher(one.rule_score, other.rule_score),
            max(one.exposure_minor, other.exposure_minor), max(one.covered_minor, other.covered_minor),
            max(one.days_past_due, other.days_past_due), {**(other.reasons or {}), **(one.reasons or {})}, min(filter(None, (one.in_default_since, other.in_default_since)), default=None),
        )  # fmt: skip
    return merged


def _higher(one: float | None, other: float | None) -> float | None:
    return other if one is None else one if other is None else max(one, other)


def _aged(policy: AlertPolicy, day: date, alert: LiveAlert, now: Warned) -> LiveAlert | None:
    """A live alert a day on; None = it has been low for long enough."""
    closing = policy["closing"]
    severity = severity_of(policy, now)
    new = {code: family for code, family in (now.reasons or {}).items() if code not in alert.reasons}
    if severity is None and not _reaches(now, closing["probability_6m"], closing["rule_score"]):
        since = alert.below_since or day
        if day - since >= timedelta(days=closing["days"]):
            return None
        return replace(alert, below_since=since)
    graver = severity is not None and SEVERITIES.index(severity) > SEVERITIES.index(alert.severity)
    return replace(
        alert, severity=severity if graver and severity else alert.severity, reasons={**alert.reasons, **new} if new else alert.reasons,
        raised_on=day if graver or new else alert.raised_on, below_since=None, probability_6m=_higher(alert.probability_6m, now.probability_6m),
        rule_score=_higher(alert.rule_score, now.rule_score), rank=max(alert.rank, rank_of(policy, now)),
    )  # fmt: skip


def _candidates(policy: AlertPolicy, day: date, warned: Iterable[Warned], opened: Opened) -> tuple[list[Warned], list[Warned]]:
    """Buyers to be warned of anew: those who cannot wait, and the others; both with those first of whom most can be saved.

    Within the hold after a buyer's last alert only what is graver than that opens another.
    """
    last = opened.last or {}
    urgent: list[Warned] = []
    others: list[Warned] = []
    for one in warned:
        severity = severity_of(policy, one)
        if severity is None:
            continue
        before = last.get(one.buyer_id)
        held = before is not None and day - before[0] < timedelta(days=policy["hold_days"])
        if before is not None and held and SEVERITIES.index(severity) <= SEVERITIES.index(before[1]):
            continue
        at_once = {code for code in one.reasons or {} if code in policy["at_once"]}
        since = one.in_default_since
        if since is not None and day - since > timedelta(days=policy["in_default_days"]):
            at_once &= NEWS
        if at_once:
            urgent.append(one)
        elif since is None:
            others.append(one)

    def order(one: Warned) -> tuple[float, str]:
        return -rank_of(policy, one), one.buyer_id

    return sorted(urgent, key=order), sorted(others, key=order)


def _open(policy: AlertPolicy, day: date, one: Warned) -> LiveAlert:
    return LiveAlert(
        one.buyer_id, day, severity_of(policy, one) or SEVERITIES[0], dict(one.reasons or {}), day, policy.version, None,
        one.probability_6m, one.rule_score, rank_of(policy, one),
    )  # fmt: skip
