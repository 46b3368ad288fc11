"""What a way is worth, 期望值: probability, time, share, costs; and of a sequence, in which the next step is taken where the one before failed.

    EV = p·A·g·(1 − c)·DF(t) + p·R·DF(t) − F − (1 − p)·V        a step: A claimed, R of the fees F refunded by the loser, V what losing costs
    EV = EV₁ + (1 − p₁)·DF(t₁)·EV₂                              a sequence
    A* = F / (p·g·DF·(1 − c))                                   break-even: below this sum the way costs more than it brings

Steps of a sequence are taken as independent: that a debtor did not pay on an order says nothing here of what a judgment would bring.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from duecourse.risk.severity.loss import discount

if TYPE_CHECKING:
    from collections.abc import Sequence

SWING: Final = 0.2
"""Sensitivity: every probability a fifth lower and higher."""

NOTHING: Final = 1e-9
"""A way that brings less of each unit claimed brings nothing."""


@dataclass(frozen=True, slots=True)
class Fee:
    """What a step costs at once, minor units. refunded: the loser pays it back where the step succeeds."""

    name: str
    minor: float
    refunded: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a way.

    probability   that it brings the money, 0 to 1
    days          until the money comes where it does; lost_days: until the next step can begin where it does not (None: the same)
    claim_minor   what it goes for; share: the part of it that it brings
    contingency   the part of what comes in that goes to who brought it
    adverse_minor what failing costs besides
    """

    kind: str
    probability: float
    days: float
    claim_minor: float
    fees: tuple[Fee, ...] = ()
    share: float = 1.0
    contingency: float = 0.0
    adverse_minor: float = 0.0
    lost_days: float | None = None

    @property
    def costs_minor(self) -> float:
        """All its fees."""
        return sum(fee.minor for fee in self.fees)

    @property
    def refund_minor(self) -> float:
        """The fees that come back where it succeeds."""
        return sum(fee.minor for fee in self.fees if fee.refunded)

    @property
    def days_if_lost(self) -> float:
        """Days until the next step."""
        return self.days if self.lost_days is None else self.lost_days


@dataclass(frozen=True, slots=True)
class Worth:
    """What a whole way is worth.

    expected_minor, low_minor, high_minor   expected value, minor units; the lowest and highest with every probability a fifth lower and higher
    break_even_minor   the sum below which it costs more than it brings; None: it never brings anything
    probability, days  that it brings something, and the days expected until it does
    costs_minor        what is laid out at most
    """

    expected_minor: int
    low_minor: int
    high_minor: int
    break_even_minor: int | None
    probability: float
    days: float
    costs_minor: int


def worth_of(steps: Sequence[Step], cost_of_capital: float) -> Worth:
    """What is a way worth?  路径期望值

    cost_of_capital: a year, a fraction
    """
    slope, outlay = _slope(steps, cost_of_capital)
    probability, waited, weighed = 0.0, 0.0, 0.0
    for step in steps:
        reached = 1.0 - probability
        weighed += reached * step.probability * (waited + step.days)
        probability += reached * step.probability
        waited += step.days_if_lost
    # A first step that brings little stands in the way of a better one: the lower odds may then be the better.
    expected, *swung = (_expected(_swung(steps, factor), cost_of_capital) for factor in (1, 1 - SWING, 1 + SWING))
    return Worth(
        round(expected),
        round(min(expected, *swung)),
        round(max(expected, *swung)),
        round(outlay / slope) if slope > NOTHING else None,
        probability,
        weighed / probability if probability else waited,
        round(sum(step.costs_minor for step in steps)),
    )


def _swung(steps: Sequence[Step], factor: float) -> list[Step]:
    return [replace(step, probability=min(1.0, step.probability * factor)) for step in steps]


def _expected(steps: Sequence[Step], cost_of_capital: float) -> float:
    value = 0.0
    for step in reversed(steps):
        today = discount(step.days, cost_of_capital)
        won = step.claim_minor * step.share * (1 - step.contingency) + step.refund_minor
        own = step.probability * won * today - step.costs_minor - (1 - step.probability) * step.adverse_minor
        value = own + (1 - step.probability) * discount(step.days_if_lost, cost_of_capital) * value
    return value


def _slope(steps: Sequence[Step], cost_of_capital: float) -> tuple[float, float]:
    """What one unit of claim is expected to bring, and what is expected to be laid out for it."""
    brings, costs = 0.0, 0.0
    for step in reversed(steps):
        on = (1 - step.probability) * discount(step.days_if_lost, cost_of_capital)
        brings = step.probability * step.share * (1 - step.contingency) * discount(step.days, cost_of_capital) + on * brings
        costs = step.costs_minor + (1 - step.probability) * step.adverse_minor + on * costs
    return brings, costs
