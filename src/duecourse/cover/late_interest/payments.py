"""Payments set against what is owed in the law's order, 清偿抵充: costs, interest, principal; to the minor unit, nothing lost, nothing twice."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
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
    account = _Account(debts, doubled or {}, order)
    waiting = sorted(costs, key=lambda one: one.on)
    found: list[Applied] = []
    for payment in sorted(payments, key=lambda one: (one.on, one.payment_id)):
        if payment.on > until:
            break
        while waiting and waiting[0].on <= payment.on:
            account.costs_left += waiting.pop(0).amount_minor
        found += account.take(payment)
    for running in (*debts.values(), *account.doubled.values()):
        running.advance(until)
    costs_left = account.costs_left + sum(one.amount_minor for one in waiting if one.on <= until)
    return Application(tuple(found), costs_left, debts)


class _Account:
    """What is owed, as payments come to it one after the other."""

    def __init__(self, debts: Mapping[str, Running], doubled: Mapping[str, Running], order: Sequence[str]) -> None:
        self.debts, self.doubled, self.order = debts, doubled, order
        self.by_age = sorted(debts, key=lambda one: (debts[one].begins, one))
        self.costs_left = 0

    def take(self, payment: Payment) -> Iterator[Applied]:
        """The parts of one payment, in order."""
        left = payment.amount_minor
        for part, debt_id in self._stations(payment):
            if not left:
                return
            taken = min(left, self.costs_left if debt_id is None else self._owed(part, debt_id, payment.on))
            if taken <= 0:
                continue
            if debt_id is None:
                self.costs_left -= taken
            else:
                self._pay(part, debt_id, taken)
            yield Applied(payment.payment_id, payment.on, part, debt_id, taken)
            left -= taken
        if left:
            yield Applied(payment.payment_id, payment.on, SURPLUS, None, left)

    def _stations(self, payment: Payment) -> Iterator[tuple[str, str | None]]:
        """Where a payment goes: costs once, each debt's interest and principal, then doubled interest; the debt it names before the others."""
        inner = [part for part in self.order if part in ("interest", "principal")]
        first = bool(self.order) and self.order[0] == "costs"
        named = [payment.debt_id] if payment.debt_id is not None and payment.debt_id in self.debts else []
        if first:
            yield "costs", None
        for debt_id in chain(named, (one for one in self.by_age if one not in named)):
            for part in inner:
                yield part, debt_id
        if not first:
            yield "costs", None
        for debt_id in self.by_age:
            if debt_id in self.doubled:
                yield "doubled", debt_id

    def _owed(self, part: str, debt_id: str, on: date) -> int:
        """What a debt owes of a part on a day. It is moved on only here: a payment that goes elsewhere does not cut its segments."""
        debt, twice = self.debts[debt_id], self.doubled.get(debt_id)
        debt.advance(on)
        if twice is not None:
            twice.advance(on)
        if part == "principal":
            return max(debt.principal_minor, 0)
        running = twice if part == "doubled" else debt
        return running.unpaid_minor if running is not None else 0

    def _pay(self, part: str, debt_id: str, minor: int) -> None:
        debt, twice = self.debts[debt_id], self.doubled.get(debt_id)
        if part == "principal":
            debt.pay_principal(minor)
            if twice is not None:
                twice.pay_principal(minor)
        elif part == "doubled" and twice is not None:
            twice.pay_interest(minor)
        else:
            debt.pay_interest(minor)
