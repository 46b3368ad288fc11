"""Past months as they were known then (回放): every month end is asked for its scores by the same code that answers today.

A book as of a month end holds nothing later than it: what was sold, paid and disputed by then, statements and signals published by then. When a
ledger was imported in one go, the moments at which rows were recorded say nothing, so they are left aside unless asked for; corrections made
since then are in. What is done once for all months is what does not depend on the month: the buyers' order, the defaults, what was open at them.
"""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, Final, Protocol

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from duecourse.calendar import add_months, month_end
from duecourse.desk.leak_guard import differing, without_later
from duecourse.desk.plain_rules import RULES, Standing, standing
from duecourse.errors import DuecourseError, LeakFoundError
from duecourse.ledger.engine import table_names
from duecourse.ledger.store import Ledger
from duecourse.measures.base import minor_rates
from duecourse.measures.expressions import or_zero, total
from duecourse.measures.positions import ITEM
from duecourse.money import NO_CURRENCY
from duecourse.review.early_warning import Course, Owed
from duecourse.risk.outcomes import default_events, defaults

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import numpy.typing as npt

    from duecourse.ledger.book import Book
    from duecourse.ledger.engine import Rows
    from duecourse.ledger.scope import Scope
    from duecourse.risk.outcomes import Definition

    Numbers = npt.NDArray[np.int64]
    Scores = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]

compute: Any = pc
EPOCH: Final = date(1970, 1, 1)
SHARED_FROM: Final = 20_000
"""Below so many months of buyers, other processes would take longer to begin than the work takes."""

LEARNT_UNTIL: Final = "until"
"""A setting that was learnt from the firm's own past says up to which day it looked."""


class Scorer(Protocol):
    """Says how risky each buyer is as of a book.

    The answer has `buyer_id` and one or more columns of scores (float, higher = riskier, null = nothing to warn of), and may have columns of
    reasons (lists of codes). Buyers that are absent have no score.
    """

    def __call__(self, book: Book, /) -> pa.Table: ...


@dataclass(frozen=True)
class Rival:
    """Where a rival's scores come from: who is asked, and which columns of the answer. Rivals of the same scorer ask it once.

    probability  column of the probability of default within six months, where the scorer gives one
    basis        column that says what a month's scores rest on, the same for all buyers
    """

    scorer: Scorer
    score: str = "score"
    reasons: str = "reasons"
    probability: str = ""
    basis: str = "basis"


@dataclass(frozen=True)
class Replayed:
    """What every month end said.

    buyers     in the order of all columns below; days: the month ends
    scores     {rival: [day, buyer]}; reasons {rival: a column a day, or None}
    probabilities   {rival: [day, buyer]} of those that give one; bases {rival: what the scores of each day rest on, "" = not said}
    exposure, oldest, days_late, utilisation, worst   [day, buyer], as in `Standing`
    course     what there was to be warned of
    defaults   one row each, in the order of the course: buyer_id, kind, happened_on, known_on, amount_minor, currency, cured_on
    known      recorded | published: what was taken for known on a day
    has_limits   was utilisation that of limits, or of the buyer's own highest balance?
    guarded    the days worked out again from a ledger without later facts
    """

    buyers: pa.Array[Any]
    days: list[date]
    scores: Mapping[str, Scores]
    reasons: Mapping[str, list[Any]]
    probabilities: Mapping[str, Scores]
    bases: Mapping[str, list[str]]
    exposure: Scores
    oldest: Scores
    days_late: Scores
    utilisation: Scores
    worst: Scores
    course: Course
    defaults: pa.Table
    known: str
    has_limits: bool
    guarded: list[date]


FIGURES: Final = ("exposure", "oldest", "days_late", "utilisation", "worst")


def month_ends(book: Book, since: date | None = None, until: date | None = None, *, before: int = 12) -> list[date]:
    """The month ends to be replayed: by default from `before` months after the first invoice to the last one before the book's day."""
    if since is None:
        first = book.run(book.invoice.aggregate(first=book.invoice.issue_date.min()))["first"][0].as_py()
        since = add_months(first, before) if first else book.on
    last = min(until or book.on, book.on)
    days = []
    day = month_end(since)
    while day <= last:
        days.append(day)
        day = month_end(day + timedelta(days=1))
    return days


def as_known(book: Book, day: date, *, recorded: bool = False) -> Book:
    """The book of an earlier day, without the settings that were learnt from later ones.

    recorded: with nothing that was put into the ledger after that day
    """
    moment = datetime.combine(day, datetime.max.time(), UTC) if recorded else book.known_at
    then = replace(book, on=day, known_at=moment)
    then.__dict__["settings"] = {name: value for name, value in then.settings.items() if not _learnt_later(value, day)}
    return then


def _learnt_later(value: Any, day: date) -> bool:
    return isinstance(value, dict) and str(value.get(LEARNT_UNTIL, "")) > day.isoformat()


@dataclass(frozen=True)
class _Month:
    """What one month end said."""

    standing: Standing
    scores: Mapping[str, Scores]
    reasons: Mapping[str, Any]
    probabilities: Mapping[str, Scores]
    bases: Mapping[str, str]


@dataclass(frozen=True)
class _Question:
    """What every month end is asked."""

    buyers: pa.Array[Any]
    rivals: Mapping[str, Rival]
    recorded: bool
    features: tuple[Scorer, ...]

    def ask(self, book: Book, day: date, *, guarded: bool) -> _Month:
        then = as_known(book, day, recorded=self.recorded)
        now = standing(then, self.buyers)
        asked = self._asked(then)
        if guarded:
            self._guard(then, now, asked)
        scores: dict[str, Scores] = {name: rule(now) for name, rule in RULES.items()}
        reasons: dict[str, Any] = {}
        probabilities: dict[str, Scores] = {}
        bases: dict[str, str] = {}
        for name, rival in self.rivals.items():
            table = asked[rival.scorer]
            scores[name] = aligned(table, self.buyers, rival.score)
            if rival.reasons in table.column_names:
                at = compute.index_in(self.buyers, table["buyer_id"].combine_chunks())
                reasons[name] = table[rival.reasons].combine_chunks().take(at)
            if rival.probability:
                probabilities[name] = aligned(table, self.buyers, rival.probability)
            if rival.basis in table.column_names and table.num_rows:
                bases[name] = str(table[rival.basis][0].as_py() or "")
        return _Month(now, scores, reasons, probabilities, bases)

    def _asked(self, then: Book) -> dict[Scorer, pa.Table]:
        """What each scorer says, each asked once."""
        return {scorer: scorer(then) for scorer in dict.fromkeys(rival.scorer for rival in self.rivals.values())}

    def _guard(self, then: Book, now: Standing, asked: Mapping[Scorer, pa.Table]) -> None:
        """Raise LeakFoundError if anything said of this day changes when later facts are gone: a figure, a score, a reason."""
        bare = without_later(then).as_of(then.on)
        again = self._asked(bare)
        names = {rival.scorer: name for name, rival in reversed(list(self.rivals.items()))}
        pairs = [("standing", _as_table(now, self.buyers), _as_table(standing(bare, self.buyers), self.buyers))]
        pairs += [(names[scorer], table, again[scorer]) for scorer, table in asked.items()]
        pairs += [("features", make(then), make(bare)) for make in self.features]
        for name, said, unsaid in pairs:
            found = differing(said, unsaid)
            if found:
                raise LeakFoundError(
                    rival=f"{name} ({found.column})", on=then.on, count=found.count, buyer=found.buyer_id, then=found.one, bare=found.other
                )


def replay(
    book: Book, days: Sequence[date], definition: Definition, rivals: Mapping[str, Rival | Scorer], *, outcomes: pa.Table | None = None,
    recorded: bool = False, guard_days: int = 2, features: Sequence[Scorer] = (), processes: int = 1, progress: Callable[[float], None] | None = None,
) -> Replayed:  # fmt: skip
    """Ask all these days for all scores; those of the plain rules come by themselves.

    outcomes    what really happened, where it is known better than the book can tell (a generated economy): buyer_id, happened_on and
                `stratum`; a buyer is watched until then and never again
    recorded    only what had been put into the ledger by each day (for a ledger that has grown day by day)
    guard_days  so many of the days are worked out again from a ledger without later facts
    features    tables of figures by `buyer_id` that must not change then either
    processes   that share the days; rivals are sent to them, so that functions must be named ones. One for a ledger in memory
    Raises LeakFoundError if anything then differs.
    """
    question = _Question(
        buyers_of(book), {name: one if isinstance(one, Rival) else Rival(one) for name, one in rivals.items()}, recorded, tuple(features)
    )
    guarded = {days[place] for place in np.linspace(0, len(days) - 1, min(guard_days, len(days))).astype(int).tolist()} if days else set()
    size = (len(days), len(question.buyers))
    scores: dict[str, Scores] = {name: np.full(size, np.nan) for name in (*RULES, *question.rivals)}
    reasons: dict[str, list[Any]] = {name: [] for name in question.rivals}
    probabilities = {name: np.full(size, np.nan) for name, rival in question.rivals.items() if rival.probability}
    bases: dict[str, list[str]] = {name: [] for name in question.rivals}
    figures = {name: np.zeros(size) for name in FIGURES}
    active = np.zeros(size, np.bool_)
    has_limits = False
    for place, month in enumerate(_months(book, days, question, guarded, processes)):
        for name, values in month.scores.items():
            scores[name][place] = values
        for name, told in reasons.items():
            told.append(month.reasons.get(name))
            bases[name].append(month.bases.get(name, ""))
        for name, values in month.probabilities.items():
            probabilities[name][place] = values
        for name, column in figures.items():
            column[place] = getattr(month.standing, name)
        active[place] = month.standing.active
        has_limits |= month.standing.has_limits
        if progress:
            progress((place + 1) / len(days))
    rows, course = _course(book, question.buyers, days, definition, active, outcomes)
    return Replayed(
        question.buyers, list(days), scores, reasons, probabilities, bases, **figures, course=course, defaults=rows,
        known="recorded" if recorded else "published", has_limits=has_limits, guarded=sorted(guarded),
    )  # fmt: skip


def _months(book: Book, days: Sequence[date], question: _Question, guarded: set[date], processes: int) -> Iterator[_Month]:
    ledger = book.ledger
    if processes < 2 or len(days) * len(question.buyers) < SHARED_FROM or not isinstance(ledger, Ledger):
        for day in days:
            yield question.ask(book, day, guarded=day in guarded)
        return
    place = (ledger.storage.url, ledger.storage.options)
    with ProcessPoolExecutor(
        min(processes, len(days)), mp_context=get_context("spawn"), initializer=_begin,
        initargs=(place, book.on, book.known_at, book.scope, question, os.cpu_count() or 1, processes),
    ) as pool:  # fmt: skip
        # In order, and only a few ahead, so that memory holds a handful of months.
        waiting = [pool.submit(_ask, day, day in guarded) for day in days]
        try:
            for future in waiting:
                month = future.result()
                if isinstance(month, _Refused):
                    raise month.kind(**month.facts)
                yield month
        finally:
            for future in waiting:
                future.cancel()


_worker: dict[str, Any] = {}


def _begin(
    place: tuple[str, Any], on: date, known_at: datetime | None, scope: Scope, question: _Question, cores: int, processes: int
) -> None:
    from duecourse.desk.opening import open_ledger  # noqa: PLC0415 — in the process of its own

    url, options = place
    ledger = open_ledger(url, threads=max(cores // processes, 1), storage_options=options)
    _worker["book"] = ledger.as_of(on, known_at).limited(scope)
    _worker["question"] = question


@dataclass(frozen=True)
class _Refused:
    """An error on its way to the process that asked: its kind and facts, from which it is raised again."""

    kind: type[DuecourseError]
    facts: Mapping[str, Any]


def _ask(day: date, guarded: bool) -> _Month | _Refused:
    try:
        found: _Month = _worker["question"].ask(_worker["book"], day, guarded=guarded)
    except DuecourseError as error:
        return _Refused(type(error), error.args_)
    return found


def buyers_of(book: Book) -> pa.Array[Any]:
    sold, named = book.invoice.select("buyer_id"), book.buyer.select("buyer_id")
    rows = sold.union(named)
    found = book.run(rows.filter(rows.buyer_id.notnull()).distinct().order_by("buyer_id"))
    return found["buyer_id"].combine_chunks()


def aligned(table: pa.Table, buyers: pa.Array[Any], score: str = "score") -> Scores:
    """The scores of a scorer in the order of these buyers, NaN where there is none."""
    at = compute.index_in(buyers, table["buyer_id"].combine_chunks())
    found = np.asarray(table[score].cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)
    there = compute.is_valid(at).to_numpy(zero_copy_only=False)
    place = compute.fill_null(at, 0).to_numpy(zero_copy_only=False)
    return np.where(there, found[place], np.nan) if len(found) else np.full(len(buyers), np.nan)


# --- what there was to be warned of ------------------------------------------------------------------------------------------------------


def _course(
    book: Book, buyers: pa.Array[Any], days: Sequence[date], definition: Definition, active: Flags, outcomes: pa.Table | None
) -> tuple[pa.Table, Course]:
    rows = defaults(default_events(book, definition)) if outcomes is None else _from_outside(outcomes)
    at = compute.index_in(rows["buyer_id"].combine_chunks(), buyers)
    rows = rows.filter(compute.is_valid(at))
    buyer = compute.drop_null(at).to_numpy(zero_copy_only=False).astype(np.int64)
    happened, known = _days(rows["happened_on"]), _days(rows["known_on"])
    cured = _days(rows["cured_on"], missing=2**40)
    numbers = np.array([(day - EPOCH).days for day in days], np.int64)
    watched = active.copy()
    for who, since, until in zip(buyer.tolist(), known.tolist(), cured.tolist(), strict=True):
        watched[np.searchsorted(numbers, since, "left") : np.searchsorted(numbers, until, "left"), who] = False
    strata = rows["stratum"].to_pylist() if "stratum" in rows.column_names else []
    owed = _open_at(book, rows)
    return rows, Course(
        numbers, watched, buyer, happened, (book.on - EPOCH).days, definition.horizon_days, stratum=[str(one) for one in strata], owed=owed
    )


def _from_outside(outcomes: pa.Table) -> pa.Table:
    rows = outcomes.sort_by([("buyer_id", "ascending"), ("happened_on", "ascending")])
    columns: dict[str, Any] = {
        "buyer_id": rows["buyer_id"], "kind": pa.nulls(rows.num_rows, pa.string()), "happened_on": rows["happened_on"],
        "known_on": rows["happened_on"], "amount_minor": pa.nulls(rows.num_rows, pa.int64()), "currency": pa.nulls(rows.num_rows, pa.string()),
        "cured_on": pa.nulls(rows.num_rows, pa.date32()),
    }  # fmt: skip
    if "stratum" in rows.column_names:
        columns["stratum"] = rows["stratum"]
    return pa.table(columns)


def _days(column: Any, *, missing: int = 0) -> Numbers:
    found: Numbers = compute.fill_null(column.cast(pa.int32()).cast(pa.int64()), missing).to_numpy(zero_copy_only=False)
    return found


FAILED: Final = "failed_buyers"
FAILED_SCHEMA: Final = ibis.schema({"default": "int64", "buyer_id": "string", "happened_on": "date"})


def _open_at(book: Book, rows: pa.Table) -> Owed:
    """What was open at each default, invoice by invoice, in base currency (in the invoice's own where nothing can be converted)."""
    failed = ibis.table(FAILED_SCHEMA, name=FAILED)
    invoice, settlement = book.invoice, book.settlement
    mine = invoice.inner_join(failed, [invoice.buyer_id == failed.buyer_id, invoice.issue_date <= failed.happened_on]).select(
        *ITEM, "issue_date", "amount_minor", failed.default, failed.happened_on
    )
    paid = settlement.select(*ITEM, "settle_date", paid_minor=settlement.amount_minor).inner_join(mine, list(ITEM))
    paid = paid.filter(paid.settle_date <= paid.happened_on)
    # A table of its own: both sides of the join come from the same invoices.
    by_then = paid.group_by([*ITEM, "default"]).aggregate(paid_minor=total(paid.paid_minor)).view()
    joined = mine.left_join(by_then, [*ITEM, "default"])
    open_ = joined.select(mine.default, mine.issue_date, mine.currency, open_minor=mine.amount_minor - or_zero(by_then.paid_minor))
    open_ = open_.filter(open_.open_minor > 0)
    factor = ibis.literal(1.0)
    if book.base_currency != NO_CURRENCY:
        rates = minor_rates(book)
        open_ = open_.inner_join(rates, "currency")
        factor = open_.factor
    asked = open_.select("default", "issue_date", amount=open_.open_minor.cast("float64") * factor)
    table = pa.table(
        {"default": pa.array(np.arange(rows.num_rows), pa.int64()), "buyer_id": rows["buyer_id"], "happened_on": rows["happened_on"]}
    )
    tables: dict[str, Rows] = {name: book.rows(name) for name in table_names(asked) if name != FAILED}
    found = book.ledger.engine.run(asked, {**tables, FAILED: table})
    return Owed(
        found["default"].to_numpy(zero_copy_only=False).astype(np.int64), _days(found["issue_date"]),
        found["amount"].to_numpy(zero_copy_only=False).astype(np.float64),
    )  # fmt: skip


def _as_table(of: Standing, buyers: pa.Array[Any]) -> pa.Table:
    return pa.table({"buyer_id": buyers, **{name: pa.array(getattr(of, name)) for name in (*FIGURES, "share_60", "active")}})
