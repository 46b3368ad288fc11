"""Payments set against what is owed in the law's order, 清偿抵充: costs, interest, principal; to the minor unit, nothing lost, nothing twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from duecourse.cover.late_interest.accrual import Running

SURPLUS: Final = "surplus"


@dataclass(frozen=True, slots=True)
class Payment:
    """Money received: its number, the day, minor units (> 0), and the debt the payer named, if one."""

    payment_id: str
    on: date
    amount_minor: int
    debt_id: str | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """Costs of recovery the debtor has to bear, from a day on."""

    on: date
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Applied:
    """A part of a payment and what it went to: costs, interest, principal, doubled, or surplus where nothing was left to pay."""

    payment_id: str
    on: date
    part: str
    debt_id: str | None
    amount_minor: int


@dataclass(frozen=True)
class Application:
    """Every part of every payment, and what remains: costs, and the debts as they stand."""

    applied: tuple[Applied, ...]
    costs_left_minor: int
    debts: Mapping[str, Running]

    def sum_of(self, part: str, debt_id: str | None = None) -> int:
        """How much went to this?"""
        return sum(one.amount_minor for one in self.applied if one.part == part and debt_id in (None, one.debt_id))


def apply_payments(
    debts: Mapping[str, Running], payments: Sequence[Payment], order: Sequence[str], *, until: date, costs: Sequence[Cost] = (),
    doubled: Mapping[str, Running] | None = None,
) -> Application:  # fmt: skip
    """What did each payment pay, and what is still owed?

    A payment pays the costs that had arisen, then goes from debt to debt: the one the payer named first, then the oldest (民法典 第560条), and in each to
    interest and principal in the law's order (第561条). The parts of a payment add up to it exactly; what nothing is left for is a surplus. Interest is
    exact inside: a payment takes it as rounded on its day, and the difference, below half a minor unit, is carried on.

    debts    running debts by number, in any order; they are moved forward to `until`
    order    the law's, of `reference.payment_order`
    doubled  the debts' doubled interest after a judgment, by the same numbers
    """
    by_age = sorted(debts, key=lambda one: (debts[one].begins, one))
    twice = doubled or {}
    costs_left = 0
    waiting = sorted(costs, key=lambda one: one.on)
    found: list[Applied] = []
    for payment in sorted(payments, key=lambda one: (one.on, one.payment_id)):
        if payment.on > until:
            break
        while waiting and waiting[0].on <= payment.on:
            costs_left += waiting.pop(0).amount_minor
        for running in (*debts.values(), *twice.values()):
            running.advance(payment.on)
        left = payment.amount_minor
        named = [payment.debt_id] if payment.debt_id in debts else []
        queue = [*named, *(one for one in by_age if one not in named)]
        for part, debt_id in _stations(order, queue, twice):
            taken = min(left, costs_left if debt_id is None else _owed(part, debts[debt_id], twice.get(debt_id)))
            if taken <= 0:
                continue
            if debt_id is None:
                costs_left -= taken
            else:
                _pay(part, debts[debt_id], twice.get(debt_id), taken)
            found.append(Applied(payment.payment_id, payment.on, part, debt_id, taken))
            left -= taken
        if left:
            found.append(Applied(payment.payment_id, payment.on, SURPLUS, None, left))
    for running in (*debts.values(), *twice.values()):
        running.advance(until)
    costs_left += sum(one.amount_minor for one in waiting if one.on <= until)
    return Application(tuple(found), costs_left, debts)


def _stations(order: Sequence[str], queue: Sequence[str | None], twice: Mapping[str, Running]) -> list[tuple[str, str | None]]:
    """Where a payment goes, in order: costs once, then each debt's interest and principal, doubled interest after all of them."""
    inner = [part for part in order if part in ("interest", "principal")]
    debts: list[tuple[str, str | None]] = [(part, debt_id) for debt_id in queue for part in inner]
    costs: list[tuple[str, str | None]] = [("costs", None)]
    last: list[tuple[str, str | None]] = [("doubled", debt_id) for debt_id in queue if debt_id in twice]
    return [*costs, *debts, *last] if order and order[0] == "costs" else [*debts, *costs, *last]


def _owed(part: str, debt: Running, doubled: Running | None) -> int:
    if part == "principal":
        return max(debt.principal_minor, 0)
    running = doubled if part == "doubled" else debt
    return running.unpaid_minor if running is not None else 0


def _pay(part: str, debt: Running, doubled: Running | None, minor: int) -> None:
    if part == "principal":
        debt.pay_principal(minor)
        if doubled is not None:
            doubled.pay_principal(minor)
    elif part == "doubled" and doubled is not None:
        doubled.pay_interest(minor)
    else:
        debt.pay_interest(minor)
