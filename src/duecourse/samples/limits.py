"""The limits of the demo's buyers through time: what the firm grants, what its insurer covers, when sales were stopped.

Nothing here looks ahead: every limit follows from balances and grades before its day. The firm grants a quarter above what a buyer has
needed, once a year; the insurer sees the hidden grade with an error of its own and reduces or withdraws its cover some weeks after a fall.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from duecourse.ledger.entries import LIMIT
from duecourse.samples.columns import Codes, Days, Flags, Floats, Ints, choice_column, day_column, digits, pick, text_column
from duecourse.samples.cycle import draws
from duecourse.samples.days import day_number
from duecourse.samples.places import CURRENCIES
from duecourse.samples.signals import Said, wording

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duecourse.samples.buyers import Block

STREAM: Final = 10
"""Random numbers of its own: limits change nothing of what is bought and paid."""

KINDS: Final = ("standing", "temporary", "insurer", "block")
PREFIXES: Final = ("DL", "DT", "DI", "DB")
STANDING, TEMPORARY, INSURER, BLOCK = range(4)
OPEN: Final = 2**29
FIRST_REVIEW: Final = 8
"""Months a buyer must have bought before its limit is set after its balances."""

GRACE: Final = 45
"""Days for which a limit still holds after the day of its review."""


@dataclass(frozen=True)
class Balances:
    """Month-end balances of a run of buyers in minor units, [buyer, month of the economy]."""

    owed: Floats
    stale: Floats  # overdue for more than ninety days


@dataclass(frozen=True)
class Move:
    """Amounts that change a balance of a buyer on a day, a row each."""

    buyer: Codes  # position in the run
    day: Days
    amount: Ints


def month_ends(block: Block, buyers: int, moves: Sequence[Move]) -> Floats:
    """Balances at the ends of the economy's months, [buyer, month]."""
    before, months = block.economy.behaviour.warm_up_months, block.weight.shape[1]
    moved = np.zeros(buyers * (months + 1))
    for move in moves:
        month = np.take(block.calendar.month_of, move.day - block.calendar.first, mode="clip") - before
        cell = move.buyer.astype(np.int64) * (months + 1) + np.clip(month, 0, months)
        moved += np.bincount(cell, weights=move.amount.astype(np.float64), minlength=len(moved))
    return np.asarray(np.cumsum(moved.reshape(buyers, months + 1), axis=1)[:, :months])


class _Book:
    """Limits in the making, a group of rows a time. `current[kind, buyer]` is the row in force, -1 = none."""

    def __init__(self, count: int) -> None:
        self.rows: list[tuple[Codes, Codes, Days, Days, Ints, Codes]] = []
        self.ended: list[tuple[Codes, Days]] = []
        self.current = np.full((len(KINDS), count), -1, dtype=np.int32)
        self.size = 0

    def end(self, kind: int, buyer: Codes, day: Days) -> None:
        """From these days on the limits in force hold no longer."""
        row = self.current[kind, buyer]
        held = row >= 0
        self.ended.append((row[held], day[held]))
        self.current[kind, buyer] = -1

    def grant(self, kind: int, buyer: Codes, day: Days, last: Days, amount: Ints, month: int) -> None:
        """New limits from these days on. A newer one of a kind replaces the one before it, which is not ended for that."""
        count = len(buyer)
        self.rows.append((np.full(count, kind, np.int32), buyer, day, last, amount, np.full(count, month, np.int32)))
        self.current[kind, buyer] = self.size + np.arange(count, dtype=np.int32)
        self.size += count

    def columns(self) -> tuple[Codes, Codes, Days, Days, Codes, Days, Ints]:
        """Kind, buyer, first day, last day, month, the day it was ended and the amount of every row."""
        ended = np.full(self.size, OPEN, dtype=np.int32)
        for rows, on in self.ended:
            ended[rows] = on
        kind, buyer, day, last, month = (np.concatenate([part[place] for part in self.rows]) for place in (0, 1, 2, 3, 5))
        return kind, buyer, day, last, month, ended, np.concatenate([part[4] for part in self.rows])


def limits(block: Block, run: slice, balances: Balances, scale: float) -> tuple[pa.Table, Said]:
    """Limits of a run of buyers as the ledger's table `limit`, and the signals of the insurer's cuts.

    scale  invoices to expect for each unit of `block.usual`
    """
    return _Grantor(block, run, balances, scale).decided()


class _Grantor:
    """The firm and its insurer, month by month."""

    def __init__(self, block: Block, run: slice, balances: Balances, scale: float) -> None:
        self.block, self.run, self.balances = block, run, balances
        self.behaviour = block.economy.behaviour
        self.rng = rng = draws(block.economy, STREAM, block.profile.first, run.start)
        self.count: int = run.stop - run.start
        self.months: int = balances.owed.shape[1]
        self.before = self.behaviour.warm_up_months
        self.fails_on: Days = block.failure.day[run]
        self.until = day_number(block.economy.until)
        behaviour, count = self.behaviour, self.count
        self.granted = rng.random(count) < behaviour.limit_share
        self.insured = rng.random(count) < behaviour.insured_share
        self.turn = (rng.random(count) * 12).astype(np.int32)  # the month of its yearly review
        self.bias: Codes = pick(rng.random(count), behaviour.insurer_bias_shares) - len(behaviour.insurer_bias_shares) // 2
        self.begun = np.maximum(block.profile.start_month[run] - self.before, 0)
        terms = block.profile.terms[run] + np.maximum(block.habit.days[run], 0.0) + 20.0
        mean_order = block.habit.order_minor[run] * np.exp(behaviour.order_value_sigma**2 / 2)
        need = block.usual[run] * scale * mean_order * terms / 30.4 * np.exp(0.15 * rng.standard_normal(count))
        self.amount: Ints = _rounded(behaviour.limit_headroom * 1.45 * need)
        self.asked: Floats = self.amount * (0.6 + 0.5 * rng.random(count))  # of the insurer
        self.share: Floats = np.zeros(count)  # of what was asked that the insurer covers
        self.book = _Book(count)
        self.cuts: list[tuple[Codes, Days, Codes, Ints]] = []

    def decided(self) -> tuple[pa.Table, Said]:
        """All of it."""
        for month in range(-1, self.months):
            self._begin(month + 1)
            if month >= 0:
                self._review(month)
                self._stop(month)
                self._insure(month)
        return self._table(), self._said()

    def _first_days(self, month: int, early: int, spread: int, count: int) -> Days:
        """Days in the month after one, some days into it."""
        first = self.block.calendar.month_first[self.before + month + 1]
        return np.asarray(first + early + self.rng.random(count) * spread, dtype=np.int32)

    def _begin(self, month: int) -> None:
        """Limits for those who begin to buy; who has bought for longer has had one for some of a year."""
        buyer = np.flatnonzero(self.begun == month).astype(np.int32)
        since = self.block.profile.since[self.run][buyer]
        started = day_number(self.block.economy.since)
        day = since if month else np.where(since < started - 30, np.maximum(since, started - 30 * (1 + self.turn[buyer])), since)
        day = day.astype(np.int32)
        first_review = month + FIRST_REVIEW + (-self.turn[buyer] - month - FIRST_REVIEW) % 12
        last = self.block.calendar.month_first[self.before + first_review + 1] + np.int32(10 + GRACE)
        has = self.granted[buyer]
        self.book.grant(STANDING, buyer[has], day[has], last[has], self.amount[buyer[has]], month)
        self.share[buyer] = self._answer(buyer, month - 1)
        covered = self.insured[buyer] & (self.share[buyer] > 0)
        self._cover(buyer[covered], day[covered], month)

    def _answer(self, buyer: Codes, month: int) -> Floats:
        """The share of what is asked that the insurer covers, from the grade it sees at a month's end."""
        latent, at = self.block.latent, self.before + month
        worse = self.behaviour.insurer_stress * latent.lived_stress[self.run][buyer, at] + self.bias[buyer]
        grade = np.clip(np.rint(latent.lived_grade[self.run][buyer, at] + worse), 1, 10).astype(np.int32)
        return np.asarray(np.asarray(self.behaviour.insurer_covers)[grade - 1], dtype=np.float64)

    def _cover(self, buyer: Codes, day: Days, month: int) -> None:
        amount = _rounded(self.asked[buyer] * self.share[buyer])
        self.book.grant(INSURER, buyer, day, np.full(len(buyer), OPEN, np.int32), amount, month)

    def _review(self, month: int) -> None:
        """Once a year the limit is set anew after the balances of twelve months; at times it is forgotten, at times raised for a while."""
        owed, stale = self.balances.owed, self.balances.stale
        due = ((month + self.turn) % 12 == 0) & (self.begun <= month - FIRST_REVIEW) & self.granted
        due &= self.rng.random(self.count) >= self.behaviour.review_missed
        buyer = np.flatnonzero(due).astype(np.int32)
        day = self._first_days(month, 2, 18, len(buyer))
        living = day < self.fails_on[buyer]
        buyer, day = buyer[living], day[living]
        year = owed[buyer, max(month - 11, 0) : month + 1]
        high = np.sort(year, axis=1)[:, -2:][:, 0]  # the second highest of twelve month-ends: the ninetieth percentile
        wanted = _rounded(self.behaviour.limit_headroom * high)
        doubtful = stale[buyer, month] > 0.2 * owed[buyer, month]
        wanted = np.where(doubtful, np.minimum(wanted, self.amount[buyer]), wanted)
        needed = wanted > 0
        self.book.end(STANDING, buyer[~needed], day[~needed])
        buyer, day = buyer[needed], day[needed]
        self.amount[buyer] = wanted[needed]
        self.book.grant(STANDING, buyer, day, (day + np.int32(365 + GRACE)).astype(np.int32), self.amount[buyer], month + 1)
        tight = (owed[:, month] > 0.95 * self.amount) & (stale[:, month] == 0) & (self.book.current[STANDING] >= 0)
        buyer = np.flatnonzero(tight & (self.rng.random(self.count) < self.behaviour.temporary_share)).astype(np.int32)
        day = self._first_days(month, 2, 18, len(buyer))
        living = day < self.fails_on[buyer]
        buyer, day = buyer[living], day[living]
        self.book.grant(TEMPORARY, buyer, day, (day + 60).astype(np.int32), _rounded(0.25 * self.amount[buyer]), month + 1)

    def _stop(self, month: int) -> None:
        """Who owes half of its balance for more than ninety days is stopped until most of that is paid, and who is insolvent for good."""
        owed, stale = self.balances.owed[:, month], self.balances.stale[:, month]
        stopped = self.book.current[BLOCK] >= 0
        first, following = self.block.calendar.month_first[self.before + month : self.before + month + 2]
        opened = (self.fails_on >= first) & (self.fails_on < following) & (self.block.failure.form[self.run] == 0)
        stops = np.flatnonzero(~stopped & (opened | (owed > 0) & (stale > 0.5 * owed))).astype(np.int32)
        day = np.where(opened[stops], self.fails_on[stops] + 14, self._first_days(month, 2, 6, len(stops))).astype(np.int32)
        self.book.grant(BLOCK, stops, day, np.full(len(stops), OPEN, np.int32), np.full(len(stops), -1, np.int64), month + 1)
        goes_on = np.flatnonzero(stopped & (stale <= 0.2 * np.maximum(owed, 0)) & (self.fails_on >= following)).astype(np.int32)
        self.book.end(BLOCK, goes_on, self._first_days(month, 2, 6, len(goes_on)))

    def _insure(self, month: int) -> None:
        """The insurer reduces or withdraws its cover some weeks after the grade it sees has fallen, and answers anew once a year."""
        buyer = np.flatnonzero(self.insured & (self.begun <= month)).astype(np.int32)
        share = self._answer(buyer, month)
        held = self.book.current[INSURER, buyer] >= 0
        cut = held & (share <= self.share[buyer] - 0.2)
        day = self._first_days(month, 10, 25, len(buyer))
        again = ((month + self.turn[buyer]) % 12 == 6) & (share > self.share[buyer]) & (day < self.fails_on[buyer])
        self.share[buyer[cut]], self.share[buyer[again]] = share[cut], share[again]
        reduced, withdrawn = cut & (share > 0), cut & (share <= 0)
        for some in (reduced, again):
            self._cover(buyer[some], day[some], month + 1)
        self.book.end(INSURER, buyer[withdrawn], day[withdrawn])
        left = _rounded(self.asked[buyer[cut]] * share[cut])
        words = np.where(withdrawn[cut], wording("insurer_limit_cut", 1), wording("insurer_limit_cut")).astype(np.int32)
        self.cuts.append((buyer[cut], day[cut], words, left))

    def _said(self) -> Said:
        cuts = self.cuts
        buyer = np.concatenate([cut[0] for cut in cuts]) + np.int32(self.run.start)
        words, left = np.concatenate([cut[2] for cut in cuts]), np.concatenate([cut[3] for cut in cuts])
        return Said.plain(buyer, np.concatenate([cut[1] for cut in cuts]), words, left)

    def _table(self) -> pa.Table:
        profile = self.block.profile
        *columns, amount = self.book.columns()
        kind, buyer, day, *_ = columns
        order = np.lexsort((kind, day, buyer))
        order = order[day[order] <= self.until]
        kind, buyer, day, last, month, ended = (column[order] for column in columns)
        amount = amount[order]
        who, plain = (buyer + self.run.start).astype(np.int32), amount >= 0
        ids, dash = choice_column(who, profile.ids), choice_column(np.zeros(len(who), dtype=np.int32), ("-",))
        number = text_column(digits(month.astype(np.int64), 4))
        known: dict[str, Any] = {
            "limit_id": pc.binary_join_element_wise(choice_column(kind, PREFIXES), ids, number, dash),
            "kind": choice_column(kind, KINDS),
            "buyer_id": ids,
            "amount_minor": pa.array(amount, mask=~plain),
            "currency": choice_column(np.where(plain, profile.currency[who], -1).astype(np.int32), CURRENCIES),
            "valid_from": day_column(day),
            "valid_to": day_column(last, last < OPEN),
            "review_on": day_column((last - GRACE).astype(np.int32), kind == STANDING),
            "ended_on": day_column(ended, _happened(ended, self.until)),
        }
        for field in LIMIT.facts:
            known.setdefault(field.name, pa.nulls(len(who), field.type))
        return pa.table(known, schema=LIMIT.facts)


def _happened(day: Days, until: int) -> Flags:
    return np.asarray(day <= until)


def _rounded(amount: Any) -> Ints:
    """Two figures, as limits are granted, and a round hundred at least; nothing for nothing."""
    amount = np.asarray(amount, dtype=np.float64)
    step = 10.0 ** np.maximum(np.floor(np.log10(np.maximum(amount, 1.0))) - 1, 2)
    return np.asarray(np.maximum(np.floor(amount / step) * step, 0.0).astype(np.int64))
