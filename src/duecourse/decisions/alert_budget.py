"""Who is warned of when not everybody can be (预警名额): the riskiest first, as many as there is time for, nobody twice within half a year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Numbers = npt.NDArray[np.int64]
    Scores = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]

HOLD_DAYS: Final = 182
"""An alert is held for six months: until then the buyer is being looked at, and is not warned of anew."""


@dataclass(frozen=True)
class Alerts:
    """Alerts that were opened: the place of the day in the days asked, and the buyer's place; by day, the riskiest first."""

    day: Numbers
    buyer: Numbers

    def __len__(self) -> int:
        return len(self.day)


def riskiest(score: Scores, eligible: Flags, most: int) -> Numbers:
    """The places of the `most` highest scores among the eligible, highest first. NaN = nothing to warn of.

    Equal scores are parted by a number drawn for each place, always the same, so that no order of the rows favours anybody.
    """
    places = np.flatnonzero(eligible & ~np.isnan(score))
    if most <= 0 or not len(places):
        return places[:0]
    order = np.lexsort((lots(len(score))[places], -score[places]))
    return places[order[:most]]


def lots(count: int, seed: int = 0) -> Scores:
    """A number between 0 and 1 for each place, the same on every machine."""
    return np.random.default_rng([20_260_101, seed]).random(count)


def at_budget(days: Numbers, score: Scores, watched: Flags, *, share: float, hold_days: int = HOLD_DAYS) -> Alerts:
    """Which alerts open when on each day the riskiest of the watched may be warned of, `share` of their number?

    days     ascending day numbers, mostly month ends
    score    [day, buyer], higher = riskier, NaN = nothing to warn of
    watched  [day, buyer]: buyers of whom one can be warned that day
    share    of the watched, on each day; what is below one alert is carried over, what is not used is not
    """
    held_until = np.full(score.shape[1], np.iinfo(np.int64).min)
    left = 0.0
    opened: list[tuple[Any, Any]] = []
    for place, day in enumerate(days.tolist()):
        left += share * float(watched[place].sum())
        most = int(left + 1e-9)
        left -= most
        chosen = riskiest(score[place], watched[place] & (held_until <= day), most)
        held_until[chosen] = day + hold_days
        opened.append((np.full(len(chosen), place, np.int64), chosen.astype(np.int64)))
    if not opened:
        return Alerts(np.zeros(0, np.int64), np.zeros(0, np.int64))
    return Alerts(np.concatenate([one for one, _ in opened]), np.concatenate([one for _, one in opened]))
