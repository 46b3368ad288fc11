"""Which alerts would the policy in force have opened in the past? Month by month, with its thresholds, ranking, budget and holds.  规则回放"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from duecourse.decisions.alert import Opened, Warned, today
from duecourse.decisions.alert_budget import Alerts
from duecourse.decisions.alert_policy import AlertPolicy
from duecourse.risk.warning.rules_v1 import shipped

if TYPE_CHECKING:
    from datetime import date

    import numpy.typing as npt

    from duecourse.decisions.alert import LiveAlert
    from duecourse.desk.replaying import Replayed

WORKING_DAYS: Final = 21
"""A month of them: what may be opened in a day may be opened so many times between two month ends."""


def by_policy(found: Replayed, policy: AlertPolicy, *, probability: str = "", rules: str = "") -> Alerts:
    """The alerts of a policy over the days of a replay; nobody closes one by hand.

    probability, rules  the rival that gives a probability of default within six months, and the one whose score is a rule score from 0 to 100;
                        empty = none
    """
    monthly = _of_months(policy)
    nothing = np.full(found.course.watched.shape, np.nan)
    chances, points = found.probabilities.get(probability, nothing), found.scores.get(rules, nothing)
    amber = policy["severity"]["amber"]
    reasons = found.reasons.get(rules) or found.reasons.get(probability) or []
    live: dict[str, LiveAlert] = {}
    last: dict[str, tuple[date, str]] = {}
    opened: list[tuple[int, int]] = []
    for place, day in enumerate(found.days):
        watched = found.course.watched[place]
        reached = (np.nan_to_num(chances[place]) >= amber["probability_6m"]) | (np.nan_to_num(points[place]) >= amber["rule_score"])
        reached[[int(buyer) for buyer in live]] = True
        said = reasons[place] if reasons else None
        warned = [_warned(found, place, buyer, chances, points, said) for buyer in np.flatnonzero(watched & reached).tolist()]
        done = today(monthly, day, warned, live, opened=Opened(last=last), watched=int(watched.sum()))
        live = dict(done.live)
        last |= {alert.buyer_id: (alert.opened_on, alert.severity) for alert in done.opened}
        opened += [(place, int(alert.buyer_id)) for alert in done.opened]
    pairs = np.array(opened, np.int64).reshape(-1, 2)
    return Alerts(pairs[:, 0], pairs[:, 1])


def _of_months(policy: AlertPolicy) -> AlertPolicy:
    budget = dict(policy["budget"])
    if budget["alerts_per_analyst_day"] is not None:
        budget["alerts_per_analyst_day"] *= WORKING_DAYS
    return AlertPolicy({**policy.values, "budget": budget})


def _warned(
    found: Replayed, place: int, buyer: int, chances: npt.NDArray[np.float64], points: npt.NDArray[np.float64], said: Any
) -> Warned:
    codes = (said[buyer].as_py() or []) if said is not None else []
    families = shipped().indicators
    return Warned(
        str(buyer), _known(chances[place, buyer]), _known(points[place, buyer]), int(found.exposure[place, buyer]), 0,
        int(found.oldest[place, buyer]), {code: families[code].family if code in families else "" for code in codes},
    )  # fmt: skip


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
