"""Settlements in the making: which ways of settling there are, and the rows collected of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from duecourse.samples.columns import Codes, Days, Flags, Ints

KINDS: Final = ("cash", "allocation", "credit_note", "return", "discount", "deduction", "set_off", "write_off")
DOCUMENT_TYPES: Final = ("DZ", "AB", "DG", "DG", "DA", "DA", "AB", "AB")
CASH, ALLOCATION, CREDIT_NOTE, RETURN, DISCOUNT, DEDUCTION, SET_OFF, WRITE_OFF = range(8)

# Each way of settling has its digit at the end of the settlement's number.
FIRST_PAYMENT, SECOND_PAYMENT, CREDIT, TAKEN_OFF, ADVANCE, ALLOCATED_FROM, ALLOCATED_TO, RECOVERED, WRITTEN_OFF, UNAPPLIED = range(10)


@dataclass(frozen=True)
class Posted:
    """Settlements, a row each."""

    row: Codes  # position of the invoice
    slot: Codes
    kind: Codes
    day: Days
    amount: Ints
    applied: Flags

    def at(self, order: Ints) -> Posted:
        """Some of them, in an order."""
        return Posted(self.row[order], self.slot[order], self.kind[order], self.day[order], self.amount[order], self.applied[order])


class Postings:
    """Settlements in the making, collected group by group."""

    def __init__(self) -> None:
        self._groups: list[Posted] = []

    def add(self, row: Codes, slot: int, kind: int | Codes, day: Days, amount: Ints, *, applied: bool = True) -> None:
        """Some settlements; those of amount zero are left out."""
        kinds = np.full(len(row), kind, dtype=np.int32) if isinstance(kind, int) else kind
        if not np.all(amount):
            some = amount != 0
            row, kinds, day, amount = row[some], kinds[some], day[some], amount[some]
        slots = np.full(len(row), slot, dtype=np.int32)
        self._groups.append(Posted(row, slots, kinds, day, amount, np.full(len(row), applied)))

    def all(self) -> Posted:
        """All of them."""
        groups = self._groups
        return Posted(
            np.concatenate([group.row for group in groups]), np.concatenate([group.slot for group in groups]),
            np.concatenate([group.kind for group in groups]), np.concatenate([group.day for group in groups]),
            np.concatenate([group.amount for group in groups]), np.concatenate([group.applied for group in groups]),
        )  # fmt: skip
