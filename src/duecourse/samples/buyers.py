"""Blocks of buyers: how big they are, how they pay, whether they fail, and how much they order."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from duecourse.samples.columns import Codes, Days, Flags, Floats, Ints, pick
from duecourse.samples.cycle import draws
from duecourse.samples.days import Calendar, day_number
from duecourse.samples.distress import Latent, latent, regime_from
from duecourse.samples.places import CNY_PER_UNIT, MINOR_PER_UNIT, SECTORS
from duecourse.samples.profiles import Profile, profile

if TYPE_CHECKING:
    from duecourse.samples.parameters import Behaviour, Economy

BLOCK: Final = 4096
"""Buyers drawn together. Part of the economy's definition: another value would be another economy."""

NEVER: Final = 2**30


@dataclass(frozen=True)
class Sizes:
    """How big each buyer is: its weight in the number of invoices, and the size of its orders relative to the median."""

    weight: Floats
    order_scale: Floats
    large: Flags
    quota: Ints  # quota[block]: invoices before that block

    @property
    def blocks(self) -> int:
        return len(self.quota) - 1


def sizes(economy: Economy) -> Sizes:
    """Sizes by a Zipf-Mandelbrot law, handed out at random."""
    behaviour = economy.behaviour
    count = economy.buyer_count
    rank = draws(economy, 1).permutation(count) + 1.0
    size = (rank + behaviour.size_shift) ** -behaviour.size_exponent
    weight = size**behaviour.size_in_number
    order_scale = size ** (1.0 - behaviour.size_in_number)
    order_scale /= np.median(order_scale)
    edges = np.append(np.arange(0, count, BLOCK), count)
    before = np.concatenate([[0.0], np.cumsum(weight)])[edges]
    quota = np.floor(before / before[-1] * economy.invoices + 0.5).astype(np.int64)
    return Sizes(np.asarray(weight, np.float64), np.asarray(order_scale, np.float64), rank <= count / 4, quota)


@dataclass(frozen=True)
class Habit:
    """How each buyer of a block pays and orders when nothing is wrong."""

    kind: Codes  # one of truth.HABITS
    days: Floats  # usual days past due
    noise_days: Floats
    on_the_day: Floats  # share of invoices paid exactly when due
    pay_run: Codes
    advance: Flags
    discount: Flags
    set_off: Flags
    round_amounts: Flags
    order_minor: Floats  # median order, in minor units of the buyer's currency


@dataclass(frozen=True)
class Failure:
    """When and how each buyer of a block fails, and what would come of it."""

    day: Days  # NEVER where it does not
    cloaked: Flags  # hides distress in its payments
    form: Codes  # one of truth.DEFAULT_FORMS
    recovery_rate: Floats
    recovery_days: Codes
    write_off_days: Codes


@dataclass(frozen=True)
class Block:
    """A block of buyers: what the ledger says of them, how they behave, and their hidden months."""

    economy: Economy
    calendar: Calendar
    profile: Profile
    habit: Habit
    failure: Failure
    latent: Latent
    weight: Floats  # [buyer, month of the economy]: expected invoices, up to a factor
    issue_until: Floats  # [buyer, month of the economy]: share of the month in which it still ordered
    world: Floats  # [month]
    usual: Floats  # [buyer]: `weight` of a plain month when the buyer began, in no distress

    @cached_property
    def visible(self) -> Floats:
        """The distress each buyer shows us in each month: little of it where it hides it in its payments."""
        behaviour = self.economy.behaviour
        visible = self.latent.lived_stress.astype(np.float64)
        visible[self.failure.cloaked] *= behaviour.cloaked_visible
        visible[:, regime_from(self.economy) :] *= behaviour.regime_visible
        return visible

    @cached_property
    def days_late(self) -> Floats:
        """Days past due to expect of each buyer in each month: its habit, grade, the cycle and the distress it shows."""
        behaviour = self.economy.behaviour
        late = behaviour.grade_days * (self.latent.lived_grade - 4.0) + behaviour.stress_days * self.visible**1.2
        late[:, regime_from(self.economy) :] += behaviour.regime_days
        return np.asarray(late + self.habit.days[:, None] - behaviour.cycle_days * self.world[None, : late.shape[1]])

    def of_month(self, values: Floats, buyer: Codes, day: Days) -> Floats:
        """What holds for each buyer in the month of a day, of values [buyer, month]."""
        months = values.shape[1]
        month = np.take(self.calendar.month_of, day - self.calendar.first, mode="clip")
        return np.asarray(values.ravel()[buyer * np.int32(months) + np.minimum(month, months - 1)])


def block(economy: Economy, calendar: Calendar, cycle: tuple[Floats, Floats], sizes_: Sizes, number: int) -> Block:
    """One block of buyers, from its own random numbers."""
    rng = draws(economy, 2, number)
    world, sectors = cycle
    first = number * BLOCK
    count = min(BLOCK, economy.buyer_count - first)
    here = slice(first, first + count)
    who = profile(economy, calendar, rng, first, count)
    habit = _habit(economy.behaviour, rng, who, sizes_.order_scale[here])
    hidden = latent(economy, rng, sectors, who)
    failure = _failure(economy.behaviour, calendar, rng, hidden, sizes_.large[here])
    weight, issue_until, usual = _orders(
        economy, calendar, rng, world=world, size=sizes_.weight[here], profile=who, latent=hidden, last_day=failure.day
    )
    return Block(economy, calendar, who, habit, failure, hidden, weight, issue_until, world, usual)


def _habit(behaviour: Behaviour, rng: np.random.Generator, who: Profile, order_scale: Floats) -> Habit:
    count = who.count
    kind = pick(rng.random(count), behaviour.class_shares)
    days = np.column_stack(
        [
            behaviour.prompt_mean + behaviour.prompt_sd * rng.standard_normal(count),
            rng.standard_gamma(behaviour.late_shape_scale[0], count) * behaviour.late_shape_scale[1],
            rng.standard_gamma(behaviour.chronic_shape_scale[0], count) * behaviour.chronic_shape_scale[1],
            behaviour.slow_least * (1.0 - rng.random(count)) ** (-1.0 / behaviour.slow_tail),
        ]
    )[np.arange(count), kind]
    noise_days = behaviour.noise_days_median * np.exp(behaviour.noise_days_sigma * rng.standard_normal(count))
    runs = pick(rng.random(count), behaviour.pay_run_shares)
    pay_run = np.array([0, 1, 6, 8])[runs] + (rng.random(count) * np.array([1, 5, 2, 6])[runs]).astype(np.int64)
    order_cny = order_scale * behaviour.order_value_median_cny * np.exp(0.35 * rng.standard_normal(count))
    return Habit(
        kind=kind, days=np.minimum(days, 240.0), noise_days=noise_days * np.asarray(behaviour.noise_factor)[kind],
        on_the_day=np.asarray(behaviour.on_the_day)[kind], pay_run=pay_run.astype(np.int32),
        advance=rng.random(count) < behaviour.advance_buyers, discount=rng.random(count) < behaviour.discount_buyers,
        set_off=rng.random(count) < behaviour.set_off_buyers, round_amounts=rng.random(count) < behaviour.round_amount_buyers,
        order_minor=order_cny / np.asarray(CNY_PER_UNIT)[who.currency] * np.asarray(MINOR_PER_UNIT)[who.currency],
    )  # fmt: skip


def _failure(behaviour: Behaviour, calendar: Calendar, rng: np.random.Generator, hidden: Latent, large: Flags) -> Failure:
    count = len(large)
    failed = hidden.default_month >= 0
    day = calendar.month_first[np.maximum(hidden.default_month, 0)] + (rng.random(count) * 28).astype(np.int32)
    cloaked = large & (rng.random(count) < behaviour.cloaked_share_of_large) & ~hidden.sudden
    form = (rng.random(count) >= behaviour.insolvency_share).astype(np.int32)
    # A Beta with three pseudo-observations around the mean of the form.
    mean = np.asarray(behaviour.recovery_mean)[form]
    good, bad = rng.standard_gamma(mean * 3.0), rng.standard_gamma((1 - mean) * 3.0)
    recovery_days = 30.4 * behaviour.recovery_months_scale * rng.standard_exponential(count) ** (1 / behaviour.recovery_months_shape)
    recovery_days = np.minimum(recovery_days, 1100)
    early, late = behaviour.write_off_after_days
    write_off_days = np.maximum(early + rng.random(count) * (late - early), recovery_days + 30)
    return Failure(
        np.where(failed, day, np.int32(NEVER)).astype(np.int32), cloaked, form, good / (good + bad + 1e-12),
        recovery_days.astype(np.int32), write_off_days.astype(np.int32),
    )  # fmt: skip


def _orders(
    economy: Economy,
    calendar: Calendar,
    rng: np.random.Generator,
    *,
    world: Floats,
    size: Floats,
    profile: Profile,
    latent: Latent,
    last_day: Days,
) -> tuple[Floats, Floats, Floats]:
    """Expected invoices by buyer and month, up to a factor; the share of each month until the buyer stopped; a plain month at first."""
    behaviour = economy.behaviour
    count = len(size)
    before, months = behaviour.warm_up_months, economy.years * 12
    window = np.arange(before, before + months)
    season = 1 + behaviour.season * np.sin(2 * np.pi * (window[None, :] / 12 + np.arange(len(SECTORS))[:, None] / len(SECTORS)))
    growth = behaviour.growth_per_year_sd * rng.standard_normal(count)
    reaction = np.where(rng.random(count) < behaviour.stretching_share, behaviour.stretch_up, behaviour.stretch_down)
    noise = 1 + behaviour.order_noise * (rng.standard_exponential((count, months)) - 1)
    peak = np.where(rng.random(count) < behaviour.seasonal_share, behaviour.seasonal_height, 0.0)
    own = 1 + peak[:, None] * np.sin(2 * np.pi * (window[None, :] / 12 + rng.random(count)[:, None]))
    weight = size[:, None] * season[profile.sector] * own * np.exp(0.1 * world[window])[None, :] * noise
    weight *= np.exp(growth[:, None] * (np.arange(months) - months / 2)[None, :] / 12)
    weight *= np.maximum(1 + reaction[:, None] * latent.lived_stress[:, window], 0.05)
    until_day = day_number(economy.until)
    last = np.minimum(last_day, until_day)[:, None]
    first_days, next_days = calendar.month_first[window], calendar.month_first[window + 1]
    day = np.clip(last - first_days[None, :] + 1, 0, (next_days - first_days)[None, :])
    until = calendar.issue_until[window[None, :], day]
    active = (window[None, :] >= profile.start_month[:, None]) & (window[None, :] <= profile.end_month[:, None])
    weight *= calendar.issue_weight[window][None, :] * until * active
    begun = np.maximum(profile.start_month - before, 0)
    return weight, until, size * np.exp(growth * (begun - months / 2) / 12)
