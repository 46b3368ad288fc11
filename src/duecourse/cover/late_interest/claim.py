"""What can be claimed for one late debt, 逾期利息主张: every rule that could apply with its amount, and the highest one that can be defended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from duecourse.calendar import ONE_DAY
from duecourse.cover.late_interest.accrual import Accrual, Running, accrue
from duecourse.cover.late_interest.applicable import Candidate, Deal, Party, candidates
from duecourse.cover.late_interest.compensation import Fixed, compensation
from duecourse.cover.late_interest.rates import Happened, quotes_of_contract, quotes_of_law
from duecourse.cover.said import Said
from duecourse.errors import DuecourseError

if TYPE_CHECKING:
    from datetime import date

    from duecourse.cover.late_interest.rates import AgreedFixing
    from duecourse.reference.interest_regimes import Regime
    from duecourse.reference.reference_rates import ReferenceRates

RECKONED: Final = ("applies", "additional", "alternative", "doubtful")
"""The standings whose amounts are worked out, so that one sees what hangs on a doubt."""


@dataclass(frozen=True, slots=True)
class Owing:
    """A debt that was not paid in time.

    principal_minor  what was to be paid, credits that lower the price itself taken off
    due              the last day to pay
    payments         (day, minor units) as booked to the principal; one taken back is negative
    """

    principal_minor: int
    currency: str
    due: date
    payments: tuple[tuple[date, int], ...] = ()

    def unpaid_on(self, day: date) -> int:
        """What was unpaid at the close of a day."""
        return max(0, self.principal_minor - sum(minor for on, minor in self.payments if on <= day))


@dataclass(frozen=True, slots=True)
class Reckoned:
    """One candidate with what it comes to. `refused` says why nothing could be worked out; accrual is None then, and where it does not apply."""

    candidate: Candidate
    accrual: Accrual | None = None
    fixed: Fixed | None = None
    refused: Said | None = None

    @property
    def interest_minor(self) -> int:
        """The interest, minor units of the debt's currency."""
        return self.accrual.interest_minor if self.accrual else 0


@dataclass(frozen=True, slots=True)
class Claim:
    """The candidates with their amounts, the one chosen, and those that come on top of it. chosen is None: nothing can be claimed, or worked out."""

    reckoned: tuple[Reckoned, ...]
    chosen: Reckoned | None
    additional: tuple[Reckoned, ...]
    refused: Said | None

    @property
    def interest_minor(self) -> int:
        """All interest claimed, minor units."""
        return (self.chosen.interest_minor if self.chosen else 0) + sum(one.interest_minor for one in self.additional)


def running(
    owing: Owing, until: date, rule: Regime | None, *, rates: ReferenceRates, happened: Happened, candidate: Candidate | None = None,
    fixing: AgreedFixing = "default",
) -> Running:  # fmt: skip
    """The debt as it accrues under a rule, or under the rate agreed. Raises the errors of `quotes_of_law`, `quotes_of_contract`, `first_day`."""
    default = owing.due + ONE_DAY
    agreed = candidate.agreed if candidate else None
    if agreed is not None:
        quotes = quotes_of_contract(agreed, default, until, rates=rates, default=default, contract=happened.contract, fixing=fixing)
        return Running(owing.principal_minor, default, quotes)
    if rule is None:
        return Running(owing.principal_minor, default, [])
    first = happened.first_day(rule, owing.due)
    quotes = quotes_of_law(rule, first, until, rates=rates, currency=owing.currency, default=default, happened=happened)
    return Running(owing.principal_minor, first, quotes, day_count=rule.day_count, compounding=rule.compounding, cap=rule.cap)


def reckon(
    owing: Owing, until: date, candidate: Candidate, *, rates: ReferenceRates, happened: Happened, count_payment_day: bool = True,
    fixing: AgreedFixing = "default",
) -> Reckoned:  # fmt: skip
    """What one candidate comes to; where that cannot be worked out, why."""
    if candidate.standing not in RECKONED:
        return Reckoned(candidate)
    try:
        debt = running(owing, until, candidate.rule, rates=rates, happened=happened, candidate=candidate, fixing=fixing)
    except DuecourseError as error:
        return Reckoned(candidate, refused=Said(f"errors.{error.code}", error.args_))
    found = accrue(debt, until, owing.payments, count_payment_day=count_payment_day)
    at_default = owing.unpaid_on(owing.due)
    fixed = (
        compensation(candidate.rule, at_default, owing.currency, owing.due + ONE_DAY)
        if candidate.rule and found.segments and at_default
        else None
    )
    return Reckoned(candidate, found, fixed)


def claim(
    owing: Owing, until: date, creditor: Party, debtor: Party, deal: Deal, *, rates: ReferenceRates, happened: Happened, count_payment_day: bool = True,
    fixing: AgreedFixing = "default",
) -> Claim:  # fmt: skip
    """What can be claimed until a day, under which rule, and what the others would come to?

    Of the rules that apply, the one that comes to most is taken; one of confidence L only where there is no other. Doubtful rules and alternatives are
    shown, never taken. A rule that applies and cannot be worked out does not hide behind a smaller one: `refused` tells it.
    """
    found = tuple(
        reckon(owing, until, one, rates=rates, happened=happened, count_payment_day=count_payment_day, fixing=fixing)
        for one in candidates(creditor, debtor, deal, rates=rates, happened=happened, due=owing.due)
    )
    can = [one for one in found if one.candidate.standing == "applies" and one.accrual is not None]
    sure = [one for one in can if one.candidate.confidence != "L"] or can
    chosen = max(sure, key=_worth, default=None)
    refused = next((one.refused for one in found if one.candidate.standing == "applies" and one.refused), None)
    added = tuple(one for one in found if one.candidate.standing == "additional" and one.accrual is not None)
    return Claim(found, chosen, added, refused)


def _worth(one: Reckoned) -> tuple[int, int]:
    return one.interest_minor, one.fixed.amount_minor if one.fixed else 0
