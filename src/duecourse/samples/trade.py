"""The visible life of some buyers: their invoices, how each was settled, and what they disputed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from duecourse.ledger.entries import DISPUTE, INVOICE, SETTLEMENT
from duecourse.samples.columns import (
    Codes,
    Days,
    Flags,
    Ints,
    choice_column,
    day_column,
    delays,
    digits,
    flag_column,
    some_rows,
    text_column,
)  # fmt: skip
from duecourse.samples.cycle import draws
from duecourse.samples.days import SLOTS, day_number
from duecourse.samples.limits import Balances, Move, limits, month_ends
from duecourse.samples.places import CHINA, CURRENCIES, ENTITIES, GOODS, OWNERS
from duecourse.samples.postings import (
    ADVANCE,
    ALLOCATED_FROM,
    ALLOCATED_TO,
    ALLOCATION,
    CASH,
    CREDIT,
    CREDIT_NOTE,
    DEDUCTION,
    DISCOUNT,
    DOCUMENT_TYPES,
    FIRST_PAYMENT,
    KINDS,
    RECOVERED,
    RETURN,
    SECOND_PAYMENT,
    SET_OFF,
    TAKEN_OFF,
    UNAPPLIED,
    WRITE_OFF,
    WRITTEN_OFF,
    Posted,
    Postings,
)  # fmt: skip
from duecourse.samples.signals import Said, broken_promises

if TYPE_CHECKING:
    from collections.abc import Iterator

    from duecourse.samples.buyers import Block, Sizes

ROWS: Final = 1 << 17
"""Invoices drawn together, in whole buyers. Part of the economy's definition, as the block of buyers is."""

INVOICE_KINDS: Final = ("invoice", "debit_note")
DISPUTE_REASONS: Final = ("quality", "quantity", "price", "late delivery", "documents")
OUTCOMES: Final = ("accepted", "rejected", "partly")
INVOICE_BASE: Final = 1_800_000_000
SETTLEMENT_BASE: Final = 140_000_000_000
DISPUTE_BASE: Final = 7_000_000_000
ORDER_BASE: Final = 4_500_000_000

FAR: Final = 2**29
"""A day after every other: what will never happen."""


def counts(block: Block, sizes: Sizes, number: int) -> Ints:
    """Invoices by buyer and month: the block's quota, shared out by the expected numbers with one rounding for all."""
    total = int(sizes.quota[number + 1] - sizes.quota[number])
    share = np.cumsum(block.weight.ravel())
    offset = draws(block.economy, 4, number).random()
    reached = np.floor(share / share[-1] * total + offset).astype(np.int64)
    reached = np.minimum(reached, total)
    cells: Ints = np.diff(reached, prepend=0).reshape(block.weight.shape)
    return cells


def parts(per_buyer: Ints) -> Iterator[slice]:
    """Runs of buyers with about `ROWS` invoices each; a bigger buyer is a run of its own."""
    start, rows = 0, 0
    for buyer, count in enumerate(per_buyer.tolist()):
        if rows and rows + count > ROWS:
            yield slice(start, buyer)
            start, rows = buyer, 0
        rows += count
    if rows:
        yield slice(start, len(per_buyer))


@dataclass(frozen=True)
class Trade:
    """Finished rows of a run of buyers. What is not yet a fact on the economy's last day is in `future`."""

    invoice: pa.Table
    settlement: pa.Table
    dispute: pa.Table
    future_settlement: pa.Table
    future_dispute: pa.Table
    limit: pa.Table
    said: tuple[Said, ...]  # signals that come of dealing with them


def trade(block: Block, run: slice, cells: Ints, first_row: int) -> Trade:
    """The invoices, settlements and disputes of a run of buyers.

    cells      invoices by buyer of the run and month
    first_row  how many invoices the economy has before these
    """
    return _Run(block, run, cells, first_row).finished()


class _Run:
    """The arrays of one run of buyers, a row an invoice, in order of buyer and date."""

    def __init__(self, block: Block, run: slice, cells: Ints, first_row: int) -> None:
        self.block, self.run, self.first_row = block, run, first_row
        self.behaviour = block.economy.behaviour
        self.until = day_number(block.economy.until)
        self.rng = draws(block.economy, 5, block.profile.first, run.start)
        months = cells.shape[1]
        flat = cells.ravel()
        self.count = int(flat.sum())
        cell = np.repeat(np.arange(len(flat), dtype=np.int32), flat)
        self.buyer: Codes = (cell // months + run.start).astype(np.int32)
        month = cell - (self.buyer - run.start) * months
        self._documents(cell, month, run)
        self._terms()
        self._amounts()
        self.numbers: Ints = first_row + self.head.astype(np.int64)
        self.invoice_letters = digits(INVOICE_BASE + self.numbers, 10)
        self.entity: Codes = np.where(
            block.profile.both_entities[self.buyer], self.head % 4 == 0, block.profile.european[self.buyer]
        ).astype(np.int32)

    def finished(self) -> Trade:
        """Settle everything and write it down."""
        self.postings = Postings()
        self.stress = self.block.of_month(self.block.visible, self.buyer, self.due)
        self.expected = self.block.of_month(self.block.days_late, self.buyer, self.due)
        self.disputed = self._disputes()
        self._settle()
        settlement, future = self._settlement_tables()
        dispute, future_dispute = self._dispute_tables()
        limit, cuts = self._limits()
        promises = broken_promises(self.block, self.run, self.buyer, self.due, np.minimum(self.paid, self.fails_on), self.amount)
        return Trade(self._invoice_table(), settlement, dispute, future, future_dispute, limit, (promises, cuts))

    # Invoices

    def _documents(self, cell: Codes, month: Codes, run: slice) -> None:
        """Issue dates, and which rows are instalments of one document."""
        block, rng, count = self.block, self.rng, self.count
        within = cell + rng.random(count)
        within.sort()
        within -= cell
        within *= block.issue_until[run].ravel()[cell]
        np.clip(within, 0.0, 1.0 - 1e-9, out=within)
        before = self.behaviour.warm_up_months
        slot = (within * SLOTS).astype(np.int32)
        calendar = block.calendar
        # The slot in which the last day ends may be the next day's.
        last = np.minimum(block.failure.day[self.buyer], self.until)
        self.issue: Days = np.minimum(calendar.issue_slot.ravel()[(month + before) * SLOTS + slot], last).astype(np.int32)
        # A row may be a further instalment of the row before it, of the same buyer and month: two as a rule, at times three.
        follows = some_rows(rng, count, self.behaviour.instalment_share, None)
        third = follows[rng.random(len(follows)) < 0.3] + 1
        joins = np.zeros(count + 1, dtype=bool)
        joins[third] = True
        joins[follows] = True
        joins = joins[:count]
        if count:
            joins[0] = False
        joins[1:] &= cell[1:] == cell[:-1]
        self.instalment = np.ones(count, dtype=np.int32)
        self.head = np.arange(count, dtype=np.int32)  # position of the document's first instalment
        chain = np.flatnonzero(joins)
        while np.any(self.head[chain] != self.head[chain - 1]):  # chains are short: a few rounds
            self.head[chain] = self.head[chain - 1]
        self.instalment[chain] = chain - self.head[chain] + 1
        self.issue[chain] = self.issue[self.head[chain]]

    def _terms(self) -> None:
        """Due dates: the buyer's terms, from the invoice or from the end of its month; a few invoices have other terms."""
        block, rng = self.block, self.rng
        terms = block.profile.terms[self.buyer]
        other = some_rows(rng, self.count, self.behaviour.other_terms_share, None)
        terms[other] = np.array([0, 30, 45, 60, 90], dtype=np.int32)[(rng.random(len(other)) * 5).astype(np.int32)]
        terms[:] = terms[self.head]
        self.terms = terms
        start = np.where(block.profile.month_end_terms[self.buyer], self._of_day(block.calendar.month_end, self.issue), self.issue)
        self.due: Days = (start + terms + 30 * (self.instalment - 1)).astype(np.int32)

    def _amounts(self) -> None:
        block, rng = self.block, self.rng
        size = rng.standard_normal(self.count)
        size *= self.behaviour.order_value_sigma
        np.exp(size, out=size)
        size *= block.habit.order_minor[self.buyer]
        self.debit_note = np.zeros(self.count, dtype=bool)
        self.debit_note[some_rows(rng, self.count, self.behaviour.debit_note_share, None)] = True
        size[self.debit_note] *= 0.05
        amount = np.maximum(size, 100.0).astype(np.int64)
        coarse = np.flatnonzero(block.habit.round_amounts[self.buyer])
        amount[coarse] = np.maximum(amount[coarse] // 10_000, 1) * 10_000
        amount[:] = amount[self.head]  # equal instalments
        self.amount: Ints = amount

    def _invoice_table(self) -> pa.Table:
        block, count, buyer = self.block, self.count, self.buyer
        # Some invoices to a group's parent were ordered by the next firm of its group.
        orderer = np.full(count, -1, dtype=np.int32)
        members = np.flatnonzero(block.profile.parent >= 0)
        someone = np.full(block.profile.count, -1, dtype=np.int32)
        someone[block.profile.parent[members]] = members
        via_parent = np.flatnonzero((someone[buyer] >= 0) & (self.head % 5 == 0) & (someone[buyer] != buyer))
        orderer[via_parent] = someone[buyer[via_parent]]
        debit = self.debit_note.astype(np.int32)[self.head]
        return pa.table(
            {
                "invoice_id": text_column(self.invoice_letters),
                "instalment": pa.array(self.instalment),
                "kind": choice_column(debit, INVOICE_KINDS),
                "buyer_id": choice_column(buyer, block.profile.ids),
                "orderer_id": choice_column(orderer, block.profile.ids),
                "legal_entity": choice_column(self.entity, ENTITIES),
                "issue_date": day_column(self.issue),
                "issue_date_estimated": flag_column(value=False, count=count),
                "due_date": day_column(self.due),
                "amount_minor": pa.array(self.amount),
                "currency": choice_column(block.profile.currency[buyer], CURRENCIES),
                "payment_terms_days": pa.array(self.terms),
                "order_number": text_column(digits(ORDER_BASE + self.numbers // 2, 10)),
                "sales_owner": choice_column(block.profile.owner[buyer], OWNERS),
                "document_type": choice_column(debit, ("RV", "DR")),
                "text": choice_column(block.profile.sector[buyer], GOODS),
            },
            schema=INVOICE.facts,
        )

    # Settlements

    def _of_day(self, table: Codes, day: Days) -> Codes:
        """A calendar table's value on each day."""
        return np.take(table, day - self.block.calendar.first, mode="clip")

    def _paid_on(self, buyer: Codes, day: Days) -> Days:
        """The buyer's next pay-run on or after a day."""
        calendar = self.block.calendar
        days = calendar.pay_run.shape[1]
        return np.take(calendar.pay_run.ravel(), self.block.habit.pay_run[buyer] * np.int32(days) + (day - calendar.first), mode="clip")

    def _disputes(self) -> dict[str, Codes]:
        """Which invoices are disputed, from when to when, and how it ends: the more often, the more distress is seen on that day."""
        behaviour, rng = self.behaviour, self.rng
        most = behaviour.dispute_base + behaviour.dispute_stress
        row = some_rows(rng, self.count, most, None)
        span = np.maximum(self.due[row] - self.issue[row], 1)
        raised = self.issue[row] + 2 + (rng.random(len(row)) * (span + 8)).astype(np.int32)
        share = behaviour.dispute_base + behaviour.dispute_stress * self.block.of_month(self.block.visible, self.buyer[row], raised)
        happens = rng.random(len(row)) * most < share
        row, raised = row[happens], raised[happens]
        count = len(row)
        shape, scale = behaviour.dispute_days_shape_scale
        lasted = 2 + (rng.standard_gamma(shape, count) * scale).astype(np.int32)
        outcome = np.array([0, 1, 1, 1, 2, 2], dtype=np.int32)[(rng.random(count) * 6).astype(np.int32)]
        reason = (rng.random(count) * len(DISPUTE_REASONS)).astype(np.int32)
        return {
            "row": row,
            "raised": self._of_day(self.block.calendar.working, raised.astype(np.int32)),
            "resolved": self._of_day(self.block.calendar.working, (raised + lasted).astype(np.int32)),
            "lasted": lasted,
            "outcome": outcome,
            "reason": reason,
        }

    def _payment_days(self) -> Days:
        """The day each invoice would be paid if its buyer lives to see it."""
        block, behaviour, rng, buyer = self.block, self.behaviour, self.rng, self.buyer
        delay = delays(rng, self.count, behaviour.noise_law, behaviour.noise_tail)
        delay *= block.habit.noise_days[buyer]
        delay += self.expected
        on_the_day = rng.random(self.count) < block.habit.on_the_day[buyer]
        on_the_day &= self.stress < 0.25
        delay[on_the_day] = 0.0
        chinese = block.profile.country[buyer] == CHINA
        delay += behaviour.new_year_days * (self._of_day(block.calendar.new_year, self.due) * chinese)
        disputed = self.disputed["row"]
        delay[disputed] = np.maximum(delay[disputed], 0.0) + self.disputed["lasted"]
        forgotten = some_rows(rng, self.count, behaviour.forgotten_share, None)
        delay[forgotten] += 200 + 700 * rng.random(len(forgotten))
        wanted = np.maximum(self.due + np.rint(delay).astype(np.int32), self.issue + 1).astype(np.int32)
        paid = self._paid_on(buyer, wanted)
        # Who pays exactly on the day pays on the working day before a weekend, and outside his pay-run.
        exact = np.flatnonzero(on_the_day & (wanted == self.due))
        day_before = self._of_day(block.calendar.working_before, self.due[exact])
        paid[exact] = np.where(day_before > self.issue[exact], day_before, paid[exact])
        return paid

    def _settle(self) -> None:
        """Who pays what, when and how: advances, credits, payments whole, in part, short or too much; then failures."""
        self.paid = self._payment_days()
        self.fails_on: Days = self.block.failure.day[self.buyer]
        self.alive = self.paid < self.fails_on
        self.rest = self.amount.copy()
        self.unpaid = np.zeros(self.count, dtype=np.int64)
        advanced = self._receive_advances()
        self._credit()
        self._take_off()
        self._pay_in_parts()
        self._pay(advanced)
        self._recover()

    def _some(self, share: float, among: Flags | None = None) -> Codes:
        return some_rows(self.rng, self.count, share, among)

    def _flagged(self, row: Codes) -> Flags:
        flags = np.zeros(self.count, dtype=bool)
        flags[row] = True
        return flags

    def _working(self, day: Ints | Days) -> Days:
        """The day itself, or the next working day."""
        return self._of_day(self.block.calendar.working, day.astype(np.int32))

    def _part(self, row: Codes, least: float, most: float) -> Ints:
        """A random part of what is left of each invoice."""
        return np.asarray(self.rest[row] * (least + (most - least) * self.rng.random(len(row))), dtype=np.float64).astype(np.int64)

    def _receive_advances(self) -> Flags:
        """Advances, received before the invoice and applied to it on its day."""
        row = self._some(self.behaviour.advance_share, self.block.habit.advance[self.buyer])
        part = np.maximum((self.amount[row] * self.behaviour.advance_part).astype(np.int64), 1)
        received = self._working(self.issue[row] - 5 - (25 * self.rng.random(len(row))).astype(np.int32))
        self._unapplied(row, ADVANCE, received=received, applied=self.issue[row], amount=part)
        self.rest[row] -= part
        return self._flagged(row)

    def _credit(self) -> None:
        """Credit notes and returns, before payment is due or when a dispute was lost."""
        row = self._some(self.behaviour.credit_note_share)
        whole = self.rng.random(len(row)) < self.behaviour.full_credit_share
        part = np.where(whole, self.rest[row], np.maximum(self._part(row, 0.02, 0.30), 1))
        after = (self.rng.random(len(row)) * np.maximum(self.due[row] - self.issue[row], 1)).astype(np.int32)
        day = np.maximum(np.minimum(self._working(self.issue[row] + 3 + after), self.paid[row]), self.issue[row])
        kind = np.where(self.rng.random(len(row)) < 0.3, RETURN, CREDIT_NOTE).astype(np.int32)
        self.postings.add(row, CREDIT, kind, day, part)
        self.rest[row] -= part
        disputed = self.disputed
        lost = (disputed["outcome"] != OUTCOMES.index("rejected")) & ~self._flagged(row)[disputed["row"]]
        lost &= disputed["resolved"] < self.fails_on[disputed["row"]]
        row, day = disputed["row"][lost], disputed["resolved"][lost]
        part = np.maximum(self._part(row, 0.03, 0.33), 1)
        self.postings.add(row, CREDIT, CREDIT_NOTE, day, part)
        self.rest[row] -= part

    def _take_off(self) -> None:
        """Cash discount for paying well before the day, and deductions nobody agreed to, some of which stay open."""
        row = self._some(0.9, self.block.habit.discount[self.buyer] & self.alive & (self.paid <= self.due - 5))
        part = (self.rest[row] * self.behaviour.discount_rate).astype(np.int64)
        self.postings.add(row, TAKEN_OFF, DISCOUNT, self.paid[row], part)
        self.rest[row] -= part
        row = self._some(self.behaviour.short_payment_share, self.alive & ~self._flagged(row))
        part = self._part(row, 0.002, 0.032)
        fate = self.rng.random(len(row))
        day = np.where(fate < 0.5, self.paid[row], np.where(fate < 0.8, self._working(self.paid[row] + 90), FAR)).astype(np.int32)
        self.postings.add(row, TAKEN_OFF, np.where(fate < 0.5, DEDUCTION, WRITE_OFF).astype(np.int32), day, part)
        self.rest[row] -= part

    def _pay_in_parts(self) -> None:
        """The second part of payments in two parts; the first is left in `rest`."""
        row = self._some(self.behaviour.part_payment_share, self.alive & (self.rest > 1000))
        first = self._part(row, 0.3, 0.8)
        second = self.rest[row] - first
        later = self._paid_on(self.buyer[row], self.paid[row] + 12 + (30 * self.rng.random(len(row))).astype(np.int32))
        in_time = later < self.fails_on[row]
        self.postings.add(row[in_time], SECOND_PAYMENT, CASH, later[in_time], second[in_time])
        self.unpaid[row[~in_time]] = second[~in_time]
        self.rest[row] = first

    def _pay(self, advanced: Flags) -> None:
        """The payments: as a rule applied at once, at times without saying for what, rarely too much."""
        row = self._some(self.behaviour.unapplied_share, self.alive & ~advanced)
        known = self._working(self.paid[row] + 3 + (35 * self.rng.random(len(row))).astype(np.int32))
        self._unapplied(row, UNAPPLIED, received=self.paid[row], applied=known, amount=self.rest[row])
        applied = self.alive & ~self._flagged(row)
        row = self._some(self.behaviour.overpayment_share, applied)
        twice = self.rng.random(len(row)) < 0.4
        self.rest[row] += np.where(twice, self.amount[row], np.maximum(self.amount[row] // 50, 1))
        row = np.flatnonzero(applied).astype(np.int32)
        kind = np.full(len(row), CASH, dtype=np.int32)
        suppliers = np.flatnonzero(self.block.habit.set_off[self.buyer[row]])
        kind[suppliers[self.rng.random(len(suppliers)) < self.behaviour.set_off_share]] = SET_OFF
        self.postings.add(row, FIRST_PAYMENT, kind, self.paid[row], self.rest[row])

    def _recover(self) -> None:
        """What a failed buyer left unpaid: a part comes back, the remainder is written off."""
        failure = self.block.failure
        self.unpaid[~self.alive] += self.rest[~self.alive]
        row = np.flatnonzero(self.unpaid > 0).astype(np.int32)
        buyer = self.buyer[row]
        rate = np.where(failure.recovery_rate[buyer] < 0.05, 0.0, failure.recovery_rate[buyer])
        back = (self.unpaid[row] * rate).astype(np.int64)
        self.postings.add(row, RECOVERED, CASH, self._working(self.fails_on[row] + failure.recovery_days[buyer]), back)
        self.postings.add(
            row, WRITTEN_OFF, WRITE_OFF, self._working(self.fails_on[row] + failure.write_off_days[buyer]), self.unpaid[row] - back
        )

    def _unapplied(self, row: Codes, slot: int, *, received: Days, applied: Days, amount: Ints) -> None:
        """Money not applied to an invoice, and on a later day the pair of postings that applies it."""
        self.postings.add(row, slot, CASH, received, amount, applied=False)
        self.postings.add(row, ALLOCATED_FROM, ALLOCATION, applied, -amount, applied=False)
        self.postings.add(row, ALLOCATED_TO, ALLOCATION, applied, amount)

    def _settlement_tables(self) -> tuple[pa.Table, pa.Table]:
        """The settlements in order of buyer and day: those that are facts, and those still to come."""
        made = self.postings.all()
        order = np.flatnonzero(made.day < FAR)
        # One sort of a packed key: buyer, day, and the posting's own position.
        day = (made.day[order] - (self.block.calendar.first - 100)).astype(np.int64)
        key = (self.buyer[made.row[order]].astype(np.int64) << 42) | (day << 26) | order
        key.sort()
        order = key & ((1 << 26) - 1)
        fact = made.day[order] <= self.until
        return self._settlement_rows(made.at(order[fact])), self._settlement_rows(made.at(order[~fact]))

    def _settlement_rows(self, made: Posted) -> pa.Table:
        profile, count, buyer = self.block.profile, len(made.row), self.buyer[made.row]
        payer = np.where(profile.payer[buyer] == buyer, -1, profile.payer[buyer]).astype(np.int32)
        payer[(made.kind != CASH) & (made.kind != SET_OFF)] = -1
        absent = None if made.applied.all() else ~made.applied
        number = (self.first_row + made.row.astype(np.int64)) * 10 + made.slot
        # One remittance of a payer and day has one reference.
        remitter = np.where(payer >= 0, payer, buyer) + np.int64(profile.first)
        return pa.table(
            {
                "settlement_id": text_column(digits(SETTLEMENT_BASE + number, 12)),
                "kind": choice_column(made.kind, KINDS),
                "buyer_id": choice_column(buyer, profile.ids),
                "payer_id": choice_column(payer, profile.ids),
                "invoice_id": text_column(self.invoice_letters[made.row], None if absent is None else made.applied),
                "instalment": pa.array(self.instalment[made.row], mask=absent),
                "legal_entity": choice_column(self.entity[made.row], ENTITIES),
                "settle_date": day_column(made.day),
                "settle_date_from": pa.nulls(count, pa.date32()),
                "inferred": flag_column(value=False, count=count),
                "amount_minor": pa.array(made.amount),
                "currency": choice_column(profile.currency[buyer], CURRENCIES),
                "document_type": choice_column(made.kind, DOCUMENT_TYPES),
                "reference": text_column(digits(made.day.astype(np.int64) * 10_000_000 + remitter, 12)),
                "text": pa.nulls(count, pa.string()),
            },
            schema=SETTLEMENT.facts,
        )

    def _limits(self) -> tuple[pa.Table, Said]:
        """The limits its buyers had, after what they owed at each month's end."""
        block, made = self.block, self.postings.all()
        buyer = self.buyer - np.int32(self.run.start)
        gone = np.where(self.alive, self.paid, self.fails_on + block.failure.write_off_days[self.buyer]).astype(np.int32)
        late = np.flatnonzero(gone > self.due + 91)
        buyers = self.run.stop - self.run.start
        owed = month_ends(block, buyers, [Move(buyer, self.issue, self.amount), Move(buyer[made.row], made.day, -made.amount)])
        stale = [Move(buyer[late], self.due[late] + np.int32(91), self.rest[late]), Move(buyer[late], gone[late], -self.rest[late])]
        balances = Balances(owed, np.maximum(month_ends(block, buyers, stale), 0.0))
        return limits(block, self.run, balances, self.count / float(block.weight[self.run].sum()))

    def _dispute_tables(self) -> tuple[pa.Table, pa.Table]:
        disputed = self.disputed
        happened = disputed["raised"] <= self.until
        ended = disputed["resolved"] <= self.until
        facts = self._dispute_rows({name: values[happened] for name, values in disputed.items()}, ended[happened])
        later = ~happened | ~ended
        return facts, self._dispute_rows({name: values[later] for name, values in disputed.items()}, np.ones(int(later.sum()), dtype=bool))

    def _dispute_rows(self, disputed: dict[str, Codes], ended: Flags) -> pa.Table:
        row = disputed["row"]
        # Half of the disputes are about a part of the invoice.
        part = np.maximum(self.amount[row] * (1 + row % 5) // 10, 1)
        return pa.table(
            {
                "dispute_id": text_column(digits(DISPUTE_BASE + self.first_row + row.astype(np.int64), 10)),
                "buyer_id": choice_column(self.buyer[row], self.block.profile.ids),
                "invoice_id": text_column(self.invoice_letters[row]),
                "instalment": pa.array(self.instalment[row]),
                "raised_on": day_column(disputed["raised"]),
                "resolved_on": day_column(disputed["resolved"], ended),
                "amount_minor": pa.array(part, mask=row % 2 == 0),
                "currency": choice_column(self.block.profile.currency[self.buyer[row]], CURRENCIES),
                "reason": choice_column(disputed["reason"], DISPUTE_REASONS),
                "outcome": choice_column(np.where(ended, disputed["outcome"], -1).astype(np.int32), OUTCOMES),
            },
            schema=DISPUTE.facts,
        )
