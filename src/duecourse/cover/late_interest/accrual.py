"""Interest day by day, 逐日计息: a running debt that accrues at known rates, is paid in parts, and says how every cent came about.

Amounts of interest are exact fractions of a minor unit. They are rounded once, half up, when somebody asks what is owed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from duecourse.calendar import ONE_DAY, DayCount, add_months, days_between, year_fraction

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from duecourse.cover.late_interest.rates import Quote

EFFECTIVE: Final = "effective "
PRECISION: Final = 40


def half_up(exact: Fraction) -> int:
    """A fraction of minor units as whole ones, half up; of what is never negative.

    >>> half_up(Fraction(5, 2))
    3
    """
    return (exact * 2 + 1).__floor__() // 2


@dataclass(frozen=True, slots=True)
class Segment:
    """One piece of time in which neither the debt nor the rate changed: `start` to `end`, both included.

    base_minor    what bore interest: the unpaid principal
    capitalised   interest of before that bears interest with it, minor units, exact
    interest      what accrued, minor units, exact
    capped        cut off by the law's cap
    """

    start: date
    end: date
    days: int
    base_minor: int
    quote: Quote
    interest: Fraction
    capitalised: Fraction = Fraction(0)
    capped: bool = False


@lru_cache(4096)
def _daily(rate: Fraction, per: int) -> Fraction:
    """The day's root of a yearly effective rate, to 40 digits."""
    with localcontext() as context:
        context.prec = PRECISION
        grown = Decimal(1) + Decimal(rate.numerator) / Decimal(rate.denominator)
        return Fraction(grown ** (Decimal(1) / Decimal(per)) - 1)


class Running:
    """A debt that bears interest from `begins` on, moved forward day by day.

    quotes       its rates, without gaps, from `begins` on
    day_count    see `reference.interest_regimes.Regime`
    compounding  none, yearly, monthly (from `begins`) or continuous (with every day, for effective rates)
    cap          "", principal, or outstanding
    """

    def __init__(
        self, principal_minor: int, begins: date, quotes: Sequence[Quote], *, day_count: str = "actual/365", compounding: str = "none", cap: str = ""
    ) -> None:  # fmt: skip
        self.original_minor = self.principal_minor = principal_minor
        self.begins = begins
        self.next_day = begins
        self.segments: list[Segment] = []
        self.accrued = Fraction(0)
        self.paid_interest = 0
        self.capitalised = Fraction(0)
        self.day_count = day_count
        self._quotes, self._compounding, self._cap = list(quotes), compounding, cap
        self._periods = 0

    @property
    def unpaid(self) -> Fraction:
        """Interest accrued and not paid, exact; a payment of the rounded sum may leave less than half a minor unit, either way."""
        return self.accrued - self.paid_interest

    @property
    def unpaid_minor(self) -> int:
        """The same as one claims it."""
        return max(0, half_up(self.unpaid))

    def pay_principal(self, minor: int) -> None:
        """So much of the debt is gone from the next day on (a payment taken back: less than zero)."""
        self.principal_minor -= minor

    def pay_interest(self, minor: int) -> None:
        """So much of the interest is paid."""
        self.paid_interest += minor
        self.capitalised = min(self.capitalised, max(self.unpaid, Fraction(0)))

    def advance(self, last: date) -> None:
        """Accrue up to and including a day."""
        while self.next_day <= last:
            quote = next((one for one in self._quotes if one.start <= self.next_day <= one.end), None)
            if quote is None:
                return
            end = min(last, quote.end, self._period_end())
            self._accrue(self.next_day, end, quote)
            self.next_day = end + ONE_DAY
            self._capitalise()

    def _period_end(self) -> date:
        """The last day before interest is added to the debt, or before a month of the count ends."""
        months = {"yearly": 12, "monthly": 1}.get(self._compounding) or (1 if self.day_count == "months" else None)
        return add_months(self.begins, months * (self._periods + 1)) - ONE_DAY if months else date.max

    def _capitalise(self) -> None:
        if self._compounding == "continuous":
            self.capitalised = max(self.unpaid, Fraction(0))
        if self.next_day > self._period_end():
            self._periods += 1
            if self._compounding in ("yearly", "monthly"):
                self.capitalised = max(self.unpaid, Fraction(0))

    def _accrue(self, start: date, end: date, quote: Quote) -> None:
        base = max(self.principal_minor, 0)
        whole = base + self.capitalised
        days = days_between(start, end + ONE_DAY, DayCount.THIRTY_E_360) if self.day_count == "30E/360" else (end - start).days + 1
        interest = whole * self._growth(start, end, quote)
        capped = False
        if self._cap:
            room = max(self.original_minor - self.accrued if self._cap == "principal" else base - self.unpaid, Fraction(0))
            capped = interest > room
            interest = min(interest, room)
        self.accrued += interest
        if whole:
            self.segments.append(Segment(start, end, days, base, quote, interest, self.capitalised, capped))

    def _growth(self, start: date, end: date, quote: Quote) -> Fraction:
        """What one unit grows by from `start` to `end`, both included."""
        days = (end - start).days + 1
        if quote.per == "day":
            return quote.rate * days
        if self.day_count == "months":
            first, after = (add_months(self.begins, self._periods + ahead) for ahead in (0, 1))
            return quote.rate / 12 * Fraction(days, (after - first).days)
        if self.day_count.startswith(EFFECTIVE):
            daily = _daily(quote.rate, int(self.day_count.removeprefix(EFFECTIVE)))
            return (1 + daily) ** days - 1 if self._compounding == "continuous" else daily * days
        return quote.rate * year_fraction(start, end + ONE_DAY, DayCount(self.day_count))


@dataclass(frozen=True, slots=True)
class Accrual:
    """What accrued on one debt: every segment, the sum exact and as it is claimed, what is left of the debt, and a day's interest from here on."""

    segments: tuple[Segment, ...]
    interest: Fraction
    interest_minor: int
    principal_minor: int
    daily_minor: int

    @property
    def days(self) -> int:
        """Days of interest."""
        return (self.segments[-1].end - self.segments[0].start).days + 1 if self.segments else 0


def accrue(debt: Running, until: date, payments: Iterable[tuple[date, int]] = (), *, count_payment_day: bool = True) -> Accrual:
    """What accrues until a day on a debt whose payments were all booked to the principal?  分段计息

    payments           (day received, minor units) in any order; one taken back is negative; one before the debt bore interest lowers it from the start
    count_payment_day  the day of a payment still bears interest on what it pays; False: 算头不算尾
    """
    lead = ONE_DAY if not count_payment_day else timedelta(0)
    for day, minor in sorted(payments):
        if day > until:
            break
        debt.advance(day - lead)
        debt.pay_principal(minor)
    debt.advance(until)
    interest_minor = debt.unpaid_minor
    return Accrual(tuple(debt.segments), debt.accrued, interest_minor, max(debt.principal_minor, 0), daily(debt))


def daily(debt: Running) -> int:
    """A further day's interest at the last rate, minor units."""
    last = debt.segments[-1] if debt.segments else None
    base = max(debt.principal_minor, 0)
    if last is None or not base or last.capped:
        return 0
    year = 360 if debt.day_count.endswith("360") and last.quote.per == "year" else 365
    grown: Fraction = (base + debt.capitalised) * last.quote.yearly / year
    return half_up(grown)
