"""How big the demo economy is, and how its buyers behave: every number the generator uses, with where it comes from."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar, Final

from duecourse.errors import DuecourseError

DEMO_UNTIL: Final = date(2026, 10, 31)
"""The last day of the demo, fixed so that everybody sees the same one."""

MOST_INVOICES: Final = 100_000_000
"""Invoice numbers have eight digits behind their prefix."""


class EconomyInvalidError(DuecourseError):
    """An economy of this size or time cannot be made."""

    code: ClassVar[str] = "economy_invalid"


@dataclass(frozen=True)
class Behaviour:
    """The parameters of the economy. Rates are fractions, durations days unless a name says otherwise.

    Anchors: Atradius Payment Practices Barometer (about half of B2B invoices late in Western Europe and Asia), Dun & Bradstreet
    (a few firms in a hundred pay more than 90 days late), S&P and national insolvency registers (probability of default by
    grade), Allianz Trade Working Capital report (DSO in China 94 days). Values between the anchors are chosen so that the economy
    as a whole meets them; `duecourse.samples.economy` states what was reached.
    """

    # Cycle: one factor of the world and one a sector, AR(1) by month. Asset correlation after default data of small firms (1-3 %); the
    # factor lasts for many months, so that a year's failures hang together more than a month's do.
    cycle_persistence: float = 0.92
    world_weight: float = 0.6
    asset_correlation: float = 0.03
    warm_up_months: int = 24
    ahead_months: int = 12

    # Grades 1 (best) to 10: shares at the start, probability of default in a year (geometric scale, x2.2 a notch), stay, direction.
    grade_shares: tuple[float, ...] = (0.03, 0.08, 0.14, 0.20, 0.21, 0.16, 0.09, 0.05, 0.03, 0.01)
    default_per_year: tuple[float, ...] = (0.0002, 0.0005, 0.0010, 0.0022, 0.0048, 0.0105, 0.023, 0.050, 0.11, 0.25)
    grade_stay_per_year: tuple[float, ...] = (0.78, 0.78, 0.78, 0.78, 0.78, 0.73, 0.68, 0.63, 0.58, 0.53)
    upgrade_share: float = 0.42
    two_notch_share: float = 0.20

    # Distress: hidden, months long, not always fatal; some defaults come without warning and some big buyers hide it in their payments.
    default_intensity: float = 1.5
    sudden_share: float = 0.15
    fatal_share: float = 0.45
    distress_months_median: float = 9.0
    distress_months_sigma: float = 0.45
    distress_months_least: int = 3
    cloaked_share_of_large: float = 0.5
    cloaked_visible: float = 0.10
    insolvency_share: float = 0.55
    # Recovered share of what was open: Beta around .25 (insolvency) and .65 (protracted default); months until, Weibull (8.7, .93),
    # fitted to the Commercial Collection Agencies of America's curve (.69 / .51 / .21 / .09 of value after 3 / 6 / 12 / 24 months).
    recovery_mean: tuple[float, float] = (0.25, 0.65)
    recovery_months_scale: float = 8.7
    recovery_months_shape: float = 0.93
    write_off_after_days: tuple[int, int] = (270, 540)

    # Payment habit, days after due: prompt, late, chronic, and the very slow few (Pareto tail).
    class_shares: tuple[float, float, float, float] = (0.47, 0.37, 0.11, 0.05)
    prompt_mean: float = -3.5
    prompt_sd: float = 2.0
    late_shape_scale: tuple[float, float] = (2.0, 3.0)
    chronic_shape_scale: tuple[float, float] = (4.0, 5.0)
    slow_least: float = 22.0
    slow_tail: float = 2.6
    grade_days: float = 1.1
    cycle_days: float = 3.0
    new_year_days: float = 6.0
    stress_days: float = 40.0
    noise_days_median: float = 4.5
    noise_days_sigma: float = 0.45
    noise_factor: tuple[float, float, float, float] = (1.0, 1.0, 1.6, 2.6)
    on_the_day: tuple[float, float, float, float] = (0.60, 0.25, 0.05, 0.0)  # share of invoices paid exactly when due, by habit
    # Pay-run: daily, weekly, twice a month, monthly.
    pay_run_shares: tuple[float, float, float, float] = (0.38, 0.37, 0.15, 0.10)
    forgotten_share: float = 0.0006  # lie unpaid for most of a year or more: lost in the buyer's books

    # Sales: size by a Zipf-Mandelbrot law (part in number, part in value of orders), season, cycle, growth, stress.
    size_exponent: float = 1.05
    size_shift: float = 6.0
    size_in_number: float = 0.68
    order_value_median_cny: float = 38_000.0
    order_value_sigma: float = 0.85
    season: float = 0.15
    growth_per_year_sd: float = 0.08
    order_noise: float = 0.35
    stretching_share: float = 0.60  # of buyers in distress order more from us, as others cut them off; the rest less
    stretch_up: float = 0.5
    stretch_down: float = -0.4
    joined_in_window: float = 0.22
    left_in_window: float = 0.08
    group_share: float = 0.10
    group_shock: float = 0.7
    central_payer_share: float = 0.35  # of groups pay through their parent

    # Odd things every ledger has, as shares of invoices.
    other_terms_share: float = 0.05
    instalment_share: float = 0.012
    part_payment_share: float = 0.03
    credit_note_share: float = 0.018
    full_credit_share: float = 0.12  # of the credit notes take the whole invoice back
    short_payment_share: float = 0.010
    overpayment_share: float = 0.001
    set_off_buyers: float = 0.03  # are suppliers too
    set_off_share: float = 0.08  # of such a buyer's invoices
    round_amount_buyers: float = 0.15
    unapplied_share: float = 0.012  # money that came without saying for what, applied later
    advance_buyers: float = 0.06
    advance_share: float = 0.30  # of an advance payer's invoices
    advance_part: float = 0.30
    discount_buyers: float = 0.08
    discount_rate: float = 0.02
    debit_note_share: float = 0.004
    dispute_base: float = 0.012
    dispute_stress: float = 0.05
    dispute_days_shape_scale: tuple[float, float] = (2.0, 18.0)


@dataclass(frozen=True)
class Economy:
    """One synthetic economy: a Chinese manufacturer with a European subsidiary, its buyers, what they owed and how they paid.

    invoices  rows of the invoice table, 1,000 to 100,000,000: an invoice in two instalments counts twice
    buyers    None = one for every hundred invoices, at least 20 and at most 1,000,000
    years     calendar years of history before `until`, 1 to 10
    seed      the same seed gives the same facts, whatever the chunks; another seed another economy
    until     the last day that has happened: nothing later is a fact, what comes later is in the truth. 2012 to 2038

    Raises EconomyInvalidError.

    >>> Economy(invoices=1_000, seed=7).buyer_count
    20
    """

    invoices: int = 300_000
    buyers: int | None = None
    years: int = 5
    seed: int = 20_261_031
    until: date = DEMO_UNTIL
    behaviour: Behaviour = field(default_factory=Behaviour)

    def __post_init__(self) -> None:
        _within("invoices", self.invoices, 1_000, MOST_INVOICES)
        _within("buyers", self.buyer_count, 20, min(1_000_000, self.invoices))
        _within("years", self.years, 1, 10)
        _within("seed", self.seed, 0, 2**63 - 1)
        if not date(2012, 1, 1) <= self.until <= date(2038, 12, 31):
            raise EconomyInvalidError(option="until", value=self.until, allowed="2012-01-01 … 2038-12-31")

    @property
    def buyer_count(self) -> int:
        """How many buyers it has."""
        return min(max(self.invoices // 100, 20), 1_000_000) if self.buyers is None else self.buyers

    @property
    def since(self) -> date:
        """The first day of its history: the first of a month."""
        months = self.until.year * 12 + self.until.month - self.years * 12
        return date(months // 12, months % 12 + 1, 1)


def _within(option: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise EconomyInvalidError(option=option, value=value, allowed=f"{least:,} … {most:,}")
