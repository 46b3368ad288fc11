"""What nobody sees: the grade of each buyer, its months of distress, and whether and when it fails."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from duecourse.samples.columns import Codes, Flags, Floats, pick

if TYPE_CHECKING:
    from duecourse.samples.parameters import Behaviour, Economy
    from duecourse.samples.profiles import Profile


@dataclass(frozen=True)
class Episodes:
    """Times of distress, a row each, in order of their beginning."""

    buyer: Codes  # position in the block
    onset: Codes  # month
    months: Codes  # planned length, the month of onset included; a sudden failure may cut it short
    fatal: Flags  # ends in failure, were it to run its course
    height: Floats  # greatest distress of one that passes


@dataclass(frozen=True)
class Latent:
    """The hidden months of a block of buyers, [buyer, month] unless said otherwise. The last months lie after the economy's end.

    grade and stress are those of the month's end: 10 and 1 from the month of failure on. What a buyer does in its last month goes with
    `lived_stress` and `lived_grade`: those of a sudden failure are still what they were, or it would announce itself.
    """

    grade: np.ndarray[tuple[int, ...], np.dtype[np.int8]]
    stress: np.ndarray[tuple[int, ...], np.dtype[np.float32]]
    default_month: Codes  # [buyer], -1 = none in the simulated time
    struck: Flags  # [buyer]: failed without any distress having run its course
    episodes: Episodes

    @cached_property
    def sudden(self) -> Flags:
        """[buyer]: whose failure came out of the blue, not in the midst of distress."""
        month = np.maximum(self.default_month - 1, 0)
        return np.asarray(self.struck & (self.stress[np.arange(len(month)), month] <= 0))

    @cached_property
    def onset_of_failure(self) -> Codes:
        """[buyer]: the month in which the distress began in which it failed; -1 = none."""
        had = self.episodes
        failed = self.default_month[had.buyer]
        of_it = (failed > had.onset) & (failed <= had.onset + had.months)
        onset = np.full(len(self.default_month), -1, dtype=np.int32)
        onset[had.buyer[of_it]] = had.onset[of_it]
        return onset

    @cached_property
    def lived_stress(self) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        """Stress as it was before the failure."""
        return self._before(self.stress, np.float32(0))

    @cached_property
    def lived_grade(self) -> np.ndarray[tuple[int, ...], np.dtype[np.int8]]:
        """Grade as it was before the failure."""
        return self._before(self.grade, np.int8(6))

    def _before(self, values: np.ndarray[tuple[int, ...], Any], first: Any) -> np.ndarray[tuple[int, ...], Any]:
        rows = np.flatnonzero(self.struck)
        month = self.default_month[rows]
        lived = values.copy()
        lived[rows, month] = np.where(month > 0, values[rows, np.maximum(month - 1, 0)], first)
        return lived


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
    firms = _Firms(behaviour, rng, count, regime_from(economy))
    grades = np.empty((months, count), dtype=np.int8)
    stresses = np.empty((months, count), dtype=np.float32)
    for month in range(months):
        shock = rng.standard_normal((3, count))
        together = shock[:, profile.parent[grouped]]
        shock[:, grouped] = shared * together + np.sqrt(1 - shared**2) * rng.standard_normal((3, len(grouped)))
        felt = factor[profile.sector, month] + own * shock
        stresses[month] = firms.live(month, felt, month >= profile.start_month)
        grades[month] = firms.grade
    return Latent(
        np.ascontiguousarray(grades.T), np.ascontiguousarray(stresses.T), firms.default_month, firms.by_surprise, firms.episodes()
    )  # fmt: skip


class _Firms:
    """The state of a block of firms in one month."""

    def __init__(self, behaviour: Behaviour, rng: np.random.Generator, count: int, regime: int) -> None:
        self.behaviour, self.rng, self.regime = behaviour, rng, regime
        self.moves, *before = _thresholds(behaviour, 1.0)
        _, *after = _thresholds(behaviour, behaviour.regime_intensity)
        self.chances = (before, after)
        self.begun: list[Episodes] = []
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
        onset, sudden = self.chances[month >= self.regime]
        count = len(move)
        alive = self.default_month < 0
        may_fail = alive & buys
        moved = np.flatnonzero(((move < self.lower[self.grade]) | (move >= self.upper[self.grade])) & alive)
        self.grade[moved] = 1 + (move[moved, None] < self.moves[self.grade[moved]]).sum(axis=1)

        begins = np.flatnonzero(alive & (self.age == 0) & (trouble < onset[self.grade]))
        self.length[begins] = np.maximum(np.round(_months(behaviour, rng, len(begins))), behaviour.distress_months_least)
        self.fatal[begins] = rng.random(len(begins)) < behaviour.fatal_share
        least, more = behaviour.recovering_height
        self.height[begins] = least + more * rng.random(len(begins))
        onsets = np.full(len(begins), month, dtype=np.int32)
        lengths = self.length[begins].astype(np.int32)
        self.begun.append(Episodes(begins.astype(np.int32), onsets, lengths, self.fatal[begins], self.height[begins]))
        self.age[self.age > 0] += 1
        self.age[begins] = 1

        over = (self.age > self.length) & alive
        fails = over & self.fatal & may_fail
        struck = may_fail & ~fails & (surprise < sudden[self.grade])
        self.default_month[fails | struck] = month
        self.by_surprise |= struck
        self.grade[over & self.fatal & ~may_fail] = 6  # before he bought from us: as if another had come
        self.age[over] = 0
        ill = np.flatnonzero(self.age)
        share = np.minimum(self.age[ill] / self.length[ill], 1.0)
        stress = np.zeros(count)
        stress[ill] = np.where(self.fatal[ill], _ramp(behaviour, share), self.height[ill] * np.sin(np.pi * share))
        self.grade[ill] = np.where(stress[ill] > 0.4, np.maximum(self.grade[ill], 8), self.grade[ill])
        failed = self.default_month >= 0
        stress[failed] = 1.0
        self.grade[failed] = 10
        return stress

    def episodes(self) -> Episodes:
        """All that have begun."""
        begun = self.begun
        return Episodes(
            np.concatenate([some.buyer for some in begun]), np.concatenate([some.onset for some in begun]),
            np.concatenate([some.months for some in begun]), np.concatenate([some.fatal for some in begun]),
            np.concatenate([some.height for some in begun]),
        )  # fmt: skip


def regime_from(economy: Economy) -> int:
    """The month of the simulation from which another regime holds."""
    behaviour = economy.behaviour
    if behaviour.regime_at >= 1:
        return behaviour.warm_up_months + economy.years * 12 + behaviour.ahead_months
    return behaviour.warm_up_months + round(economy.years * 12 * behaviour.regime_at)


def _months(behaviour: Behaviour, rng: np.random.Generator, count: int) -> Floats:
    """How long episodes last: random numbers of the law chosen, around the same median."""
    shape = behaviour.distress_months_shape
    if behaviour.distress_law == "gamma":
        relative = rng.standard_gamma(shape, count) / (shape * (1 - 1 / (9 * shape)) ** 3)  # the median by Wilson and Hilferty
    elif behaviour.distress_law == "weibull":
        relative = (rng.standard_exponential(count) / np.log(2)) ** (1 / shape)
    else:
        relative = np.exp(behaviour.distress_months_sigma * rng.standard_normal(count))
    return np.asarray(behaviour.distress_months_median * relative)


def _ramp(behaviour: Behaviour, share: Floats) -> Floats:
    """Distress after a share of a fatal episode, 0 to 1."""
    if behaviour.ramp == "logistic":
        low, high = 1 / (1 + np.exp(6.0)), 1 / (1 + np.exp(-6.0))
        return np.asarray((1 / (1 + np.exp(-12 * (share - 0.5))) - low) / (high - low))
    return np.asarray(share**behaviour.ramp_power)


def _thresholds(behaviour: Behaviour, intensity: float) -> tuple[Floats, Floats, Floats]:
    """By grade (row 0 unused): the nine thresholds of a month's grade move, those of falling into distress and of sudden failure.

    intensity  how many times as often as usual firms fall into distress or fail
    """
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
        month = intensity * behaviour.default_intensity * (1 - (1 - behaviour.default_per_year[row]) ** (1 / 12))
        onset[row + 1] = quantile(month * (1 - behaviour.sudden_share) / behaviour.fatal_share)
        sudden[row + 1] = quantile(month * behaviour.sudden_share)
    return moves, onset, sudden
