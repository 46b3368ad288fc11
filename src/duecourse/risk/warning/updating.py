"""The shipped hazard moved by the firm's own defaults, as they were known at the end of the last quarter (预警模型自有更新).

Each buyer is looked at every 183 days, so that a default within six months counts once and no two looks overlap. A default counts from where it began:
what is already past due teaches nothing of what comes before. What the shipped model said on those days, theme by theme, and who then defaulted, move its level and, as far as the defaults can carry it, the weight of its themes (`risk.calibration`:
tempered maximum a posteriori). Below five defaults nothing moves. The parameters change four times a year, not with every payment.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from duecourse.calendar import add_months, month_end
from duecourse.risk.calibration import updated
from duecourse.risk.points import probability_of
from duecourse.risk.warning.hazard_v1 import HORIZON_DAYS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    import numpy.typing as npt

    Column = npt.NDArray[np.float64]

LOOKS: Final = 6
"""Three years of own history: older habits are not those of today."""

LEAST_DEFAULTS: Final = 5
OVERLAP: Final = 1.0


@dataclass(frozen=True)
class Looked:
    """What the shipped model said of buyers on one day, and who then defaulted: columns by position.

    offset    log-odds of the base rate of six months
    families  {theme: log-odds of the shipped model}
    fails     1 where a default of the buyer began within HORIZON_DAYS
    """

    buyers: npt.NDArray[Any]
    offset: Column
    families: Mapping[str, Column]
    fails: Column


def quarter_end(on: date) -> date:
    """The last end of a calendar quarter that is not after this day: as of it the parameters in force on this day are learnt."""
    end = month_end(on)
    while end > on or end.month % 3:
        end = month_end(add_months(end, -1))
    return end


def looks(until: date, told_after_days: int = 0) -> list[date]:
    """The days on which buyers are looked at, oldest first; by `until` it is known of the last one what began in its six months.

    told_after_days  so many days after it began a default is known for one
    """
    return [until - timedelta(days=told_after_days + HORIZON_DAYS * number) for number in range(LOOKS, 0, -1)]


def learnt(rows: Sequence[Looked], until: date, told_after_days: int = 0) -> dict[str, Any]:
    """What these looks teach, as plain data.

    version, intercept, slopes   of the update; no slopes and "" where there are too few defaults
    defaults, buyers, looks      own defaults used (each once), buyers and days looked at; `needed` of them make an update
    expected, observed           defaults that the shipped model would have expected over these looks, and those there were
    since, until                 the first look, and the last day of which anything was known
    """
    found: dict[str, Any] = {
        "version": "", "intercept": 0.0, "slopes": {}, "defaults": 0, "needed": LEAST_DEFAULTS, "buyers": 0, "looks": len(rows), "expected": 0.0,
        "observed": 0, "since": looks(until, told_after_days)[-max(len(rows), 1)].isoformat(), "until": until.isoformat(),
    }  # fmt: skip
    if not rows:
        return found
    names = np.concatenate([one.buyers for one in rows]).astype(str)
    offset, fails = np.concatenate([one.offset for one in rows]), np.concatenate([one.fails for one in rows])
    families = {name: np.concatenate([one.families[name] for one in rows]) for name in rows[0].families}
    shipped = probability_of(offset + sum(families.values(), np.zeros(len(offset))))
    observed = int(fails.sum())
    found |= {
        "defaults": observed, "observed": observed, "buyers": len(np.unique(names)), "expected": round(float(shipped.sum()), 2)
    }  # fmt: skip
    if observed < LEAST_DEFAULTS:
        return found
    update = updated(offset, families, fails, overlap=OVERLAP)
    return found | {
        "version": f"own-{until.isoformat()}", "intercept": round(update.intercept, 6),
        "slopes": {name: round(value, 6) for name, value in update.slopes.items()},
    }  # fmt: skip
