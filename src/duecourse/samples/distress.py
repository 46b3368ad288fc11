"""What nobody sees: the grade of each buyer, its months of distress, and whether and when it fails."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from duecourse.samples.columns import Codes, Flags, Floats, pick

if TYPE_CHECKING:
    from duecourse.samples.parameters import Behaviour, Economy
    from duecourse.samples.profiles import Profile


@dataclass(frozen=True)
class Latent:
    """The hidden months of a block of buyers, [buyer, month] unless said otherwise. The last months lie after the economy's end."""

    grade: np.ndarray[tuple[int, ...], np.dtype[np.int8]]
    stress: np.ndarray[tuple[int, ...], np.dtype[np.float32]]
    default_month: Codes  # [buyer], -1 = none in the simulated time
    sudden: Flags  # [buyer]


def latent(economy: Economy, rng: np.random.Generator, sectors: Floats, profile: Profile) -> Latent:
    """Month by month: grade moves, distress begins, deepens and ends, some fail. Nobody fails before he buys from us.

    sectors  the factor each sector's firms feel, [sector, month]
    """
    behaviour = economy.behaviour
    count = len(profile.sector)
    months = behaviour.warm_up_months + economy.years * 12 + behaviour.ahead_months
    factor = np.sqrt(behaviour.asset_correlation) * sectors[:, :months]
    own = np.sqrt(1 - behaviour.asset_correlation)
    grouped = np.flatnonzero(profile.parent >= 0)
    shared = behaviour.group_shock
    firms = _Firms(behaviour, rng, count)
    grades = np.empty((months, count), dtype=np.int8)
    stresses = np.empty((months, count), dtype=np.float32)
    for month in range(months):
        shock = rng.standard_normal((3, count))
        together = shock[:, profile.parent[grouped]]
        shock[:, grouped] = shared * together + np.sqrt(1 - shared**2) * rng.standard_normal((3, len(grouped)))
        felt = factor[profile.sector, month] + own * shock
        stresses[month] = firms.live(month, felt, month >= profile.start_month)
        grades[month] = firms.grade
    return Latent(np.ascontiguousarray(grades.T), np.ascontiguousarray(stresses.T), firms.default_month, firms.by_surprise)


class _Firms:
    """The state of a block of firms in one month."""

    def __init__(self, behaviour: Behaviour, rng: np.random.Generator, count: int) -> None:
        self.behaviour, self.rng = behaviour, rng
        self.moves, self.onset, self.sudden = _thresholds(behaviour)
        # A grade stays as long as its move lies between these two.
        self.lower, self.upper = np.full(11, -np.inf), np.full(11, np.inf)
        self.lower[1:10] = self.moves[np.arange(1, 10), np.arange(9)]
        self.upper[2:11] = self.moves[np.arange(2, 11), np.arange(9)]
        self.grade = (1 + pick(rng.random(count), behaviour.grade_shares)).astype(np.int8)
        self.age = np.zeros(count, dtype=np.int32)
        self.length = np.ones(count)
        self.fatal = np.zeros(count, dtype=bool)
        self.height = np.zeros(count)
        self.default_month = np.full(count, -1, dtype=np.int32)
        self.by_surprise = np.zeros(count, dtype=bool)

    def live(self, month: int, felt: Floats, buys: Flags) -> Floats:
        """One month on. `felt` are the shocks to grade, distress and sudden failure; gives the stress, 0 to 1."""
        behaviour, rng = self.behaviour, self.rng
        move, trouble, surprise = felt
        count = len(move)
        alive = self.default_month < 0
        may_fail = alive & buys
        moved = np.flatnonzero(((move < self.lower[self.grade]) | (move >= self.upper[self.grade])) & alive)
        self.grade[moved] = 1 + (move[moved, None] < self.moves[self.grade[moved]]).sum(axis=1)

        begins = np.flatnonzero(alive & (self.age == 0) & (trouble < self.onset[self.grade]))
        drawn = behaviour.distress_months_median * np.exp(behaviour.distress_months_sigma * rng.standard_normal(len(begins)))
        self.length[begins] = np.maximum(np.round(drawn), behaviour.distress_months_least)
        self.fatal[begins] = rng.random(len(begins)) < behaviour.fatal_share
        self.height[begins] = 0.25 + 0.45 * rng.random(len(begins))
        self.age[self.age > 0] += 1
        self.age[begins] = 1

        over = (self.age > self.length) & alive
        fails = over & self.fatal & may_fail
        struck = may_fail & ~fails & (surprise < self.sudden[self.grade])
        self.default_month[fails | struck] = month
        self.by_surprise |= struck
        self.grade[over & self.fatal & ~may_fail] = 6  # before he bought from us: as if another had come
        self.age[over] = 0
        ill = np.flatnonzero(self.age)
        share = np.minimum(self.age[ill] / self.length[ill], 1.0)
        stress = np.zeros(count)
        stress[ill] = np.where(self.fatal[ill], share**1.5, self.height[ill] * np.sin(np.pi * share))
        self.grade[ill] = np.where(stress[ill] > 0.4, np.maximum(self.grade[ill], 8), self.grade[ill])
        failed = self.default_month >= 0
        stress[failed] = 1.0
        self.grade[failed] = 10
        return stress


def _thresholds(behaviour: Behaviour) -> tuple[Floats, Floats, Floats]:
    """By grade (row 0 unused): the nine thresholds of a month's grade move, those of falling into distress and of sudden failure."""
    normal = NormalDist()

    def quantile(share: float) -> float:
        return normal.inv_cdf(min(max(share, 1e-12), 1 - 1e-12))

    yearly = np.zeros((10, 10))
    for row, stay in enumerate(behaviour.grade_stay_per_year):
        for up, share in ((True, behaviour.upgrade_share), (False, 1 - behaviour.upgrade_share)):
            for notches, part in ((1, 1 - behaviour.two_notch_share), (2, behaviour.two_notch_share)):
                target = min(max(row - notches if up else row + notches, 0), 9)
                yearly[row, target] += (1 - stay) * share * part
        yearly[row, row] += stay
    # Twelfth root by the generator's first terms: log(I + A) = A - A^2/2 + A^3/3 ..., negatives clipped, one month of it.
    step = yearly - np.eye(10)
    generator = np.zeros((10, 10))
    power = np.eye(10)
    for term in range(1, 60):
        power = power @ step
        generator += (-1) ** (term + 1) / term * power
    generator = np.where(np.eye(10, dtype=bool), 0.0, np.maximum(generator, 0.0))
    monthly = generator / 12
    monthly += np.diag(1 - monthly.sum(axis=1))
    moves = np.full((11, 9), -np.inf)
    onset = np.full(11, -np.inf)
    sudden = np.full(11, -np.inf)
    for row in range(10):
        worse = 1 - np.cumsum(monthly[row])[:9]
        moves[row + 1] = [quantile(float(share)) for share in worse]
        month = behaviour.default_intensity * (1 - (1 - behaviour.default_per_year[row]) ** (1 / 12))
        onset[row + 1] = quantile(month * (1 - behaviour.sudden_share) / behaviour.fatal_share)
        sudden[row + 1] = quantile(month * behaviour.sudden_share)
    return moves, onset, sudden
