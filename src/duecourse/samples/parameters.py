"""How big the demo economy is, and how its buyers behave: every number the generator uses, with where it comes from."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar, Final, Literal

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
    # Months from the onset to the end: lognormal, gamma or Weibull around a median; in a fatal episode distress then rises as a power of
    # the share of that time that is over (1 = evenly, above 1 = late), or as an S around its middle. One that passes is a hump.
    distress_law: Literal["lognormal", "gamma", "weibull"] = "lognormal"
    distress_months_median: float = 9.0
    distress_months_sigma: float = 0.45  # of the lognormal
    distress_months_shape: float = 2.0  # of the gamma or Weibull law
    distress_months_least: int = 3
    ramp: Literal["power", "logistic"] = "power"
    ramp_power: float = 1.5
    recovering_height: tuple[float, float] = (0.25, 0.45)  # least height of a hump, and how much more it may be
    cloaked_share_of_large: float = 0.5
    cloaked_visible: float = 0.10
    insolvency_share: float = 0.55
    # Recovered share of what was open: Beta around .25 (insolvency) and .65 (protracted default); months until, Weibull (8.7, .93),
    # fitted to the Commercial Collection Agencies of America's curve (.69 / .51 / .21 / .09 of value after 3 / 6 / 12 / 24 months).
    recovery_mean: tuple[float, float] = (0.25, 0.65)
    recovery_months_scale: float = 8.7
    recovery_months_shape: float = 0.93
    write_off_after_days: tuple[int, int] = (270, 540)
    # A change of regime after this share of the history (1 = none): all pay later by so many days, fail so many times as often, show so
    # much of their distress in payments as they did before; and a slump of the world, in standard deviations, for some months.
    regime_at: float = 1.0
    regime_days: float = 0.0
    regime_intensity: float = 1.0
    regime_visible: float = 1.0
    regime_world: float = 0.0
    regime_world_months: int = 12

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
    noise_law: Literal["gumbel", "student", "pareto"] = "gumbel"
    noise_tail: float = 3.0  # degrees of freedom, or exponent of the tail; above 2
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
    season: float = 0.15  # of a whole sector
    seasonal_share: float = 0.08  # of buyers order for a part of the year above all
    seasonal_height: float = 0.85
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

    # Signals, chance in a month: at rest, and more for each unit of distress (0 to 1; of this month, or some months before). What the
    # buyer does towards us goes with the distress it shows, what others say of it with the whole. Rates of the first six after the
    # signals of `methods`: contact, news, courts, enforcement, requests, promises; the rare others chosen beside them.
    signal_scale: float = 1.0  # on what distress adds; 1 = as below
    contact_change: tuple[float, float] = (0.015, 0.09)
    news: tuple[float, float] = (0.008, 0.22)
    news_coverage_middle: float = 0.6  # share of buyers, by size, at which half of the news is written
    lawsuit: tuple[float, float] = (0.004, 0.12)
    enforcement: tuple[float, float] = (0.0003, 0.10)  # of distress beyond one half
    terms_request: tuple[float, float] = (0.01, 0.10)
    promise_share: float = 0.35  # of invoices some weeks overdue, one promises to pay by a day
    promise_broken: tuple[float, float] = (0.10, 0.5)
    bill_dishonoured: tuple[float, float] = (0.0, 0.12)  # beyond one half; China only, as the next
    tax_arrears: tuple[float, float] = (0.0003, 0.05)
    asset_freeze: tuple[float, float] = (0.0, 0.06)  # beyond one half
    supply_stop: tuple[float, float] = (0.0, 0.06)  # beyond one half
    no_answer: tuple[float, float] = (0.006, 0.04)
    dishonest_debtor: tuple[float, float] = (0.0, 0.05)  # beyond one half; China only, as the next
    arrears_list: tuple[float, float] = (0.0, 0.03)  # beyond one half
    register_change: tuple[float, float] = (0.0012, 0.02)
    register_warning: tuple[float, float] = (0.0003, 0.015)
    bank_change: tuple[float, float] = (0.0012, 0.008)
    good_reference: tuple[float, float] = (0.0008, -0.0008)
    bad_reference: tuple[float, float] = (0.0004, 0.03)
    rated_share: float = 0.18  # a bureau grades them every June

    # Limits: a quarter above the ninetieth percentile of month-end balances, set once a year. The insurer sees the grade with an error of
    # its own and covers a share of what is asked by the grade it sees (1 to 10); chosen, since insurers do not publish theirs.
    limit_share: float = 0.90
    limit_headroom: float = 1.25
    review_missed: float = 0.05
    temporary_share: float = 0.04  # of months in which a limit is nearly used up
    insured_share: float = 0.35
    insurer_bias_shares: tuple[float, float, float] = (0.25, 0.5, 0.25)  # a notch better, as it is, a notch worse
    insurer_stress: float = 1.5  # notches it sees worse at full distress: it hears from many suppliers
    insurer_covers: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0, 0.9, 0.8, 0.65, 0.5, 0.25, 0.0)

    # Accounts: who gives them, how late, and how near they are to the truth. z = probit of the grade's probability + a share of the
    # distress + noise; who dresses his windows hides most of the distress.
    with_accounts: float = 0.55
    accounts_stress: float = 0.35
    accounts_noise: float = 0.28
    window_dressing: float = 0.15
    window_dressing_hides: float = 0.30
    opinion_from: tuple[float, float, float] = (7.0, 8.0, 9.0)  # grade told by the accounts from which auditors qualify, doubt, refuse
    opinion_share: float = 0.4  # of audited accounts that bad
    published_after_days: tuple[int, int] = (122, 243)  # four to eight months
    published_later_in_distress: float = 45.0  # days more for each unit of distress


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
