"""Who was in default when (违约事件): the events of a definition over the whole book, and what each buyer's add up to."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, cast

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from duecourse.measures.expressions import day as day_of
from duecourse.measures.expressions import total
from duecourse.measures.grain import PER_BUYER
from duecourse.measures.long_overdue import EPOCH, long_overdue_course
from duecourse.measures.positions import ITEM
from duecourse.risk.outcomes.definitions import OF_SIGNALS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date

    import ibis.expr.types as ir
    import numpy.typing as npt

    from duecourse.ledger.book import Book
    from duecourse.risk.outcomes.definitions import Definition

    Numbers = npt.NDArray[np.int64]
    Ask = Callable[..., pa.Table]

compute: Any = pc
OF_AMOUNTS: Final = ("past_due", "write_off")
FAR: Final = np.int64(2**40)
"""A day after every other: has not ended."""

EVENTS: Final = pa.schema(
    cast("list[pa.Field[Any]]", [
        pa.field("buyer_id", pa.string()), pa.field("kind", pa.string()), pa.field("happened_on", pa.date32()),
        pa.field("known_on", pa.date32()), pa.field("amount_minor", pa.int64()), pa.field("currency", pa.string()),
        pa.field("cured_on", pa.date32()),
    ])
)  # fmt: skip


def default_events(book: Book, definition: Definition) -> pa.Table:
    """Which events that count as default had become known by the book's day?  违约事件

    One row per event, by buyer and the day it was known:
        buyer_id
        kind          string  past_due | write_off | insolvency | enforcement
        happened_on   date    a material amount had grown so old, was written off; the signal's own day
        known_on      date    the same; of a signal the day it was published
        amount_minor  int64   the amount on that day, in minor units of `currency`; of a signal what it tells, mostly nothing
        currency      string
        cured_on      date    since when it no longer counts: `cure_days` after the last day on which it held (a signal: until it ended, at most
                              `lasts_days` from its publication); null while it does

    While an event counts, the same again is no new one, so that neither a payment of a few days nor a second notice makes two defaults of one.
    Amounts of different currencies are never added up: each currency has its own past-due events. As of an earlier day the book gives the same
    events, as far as they were known by then: what is told of a day never changes with what happens after it.
    """

    def ask(_name: str, make: Callable[[Book], ir.Table]) -> pa.Table:
        return book.run(make(book))

    whole = pa.concat_tables([EVENTS.empty_table(), *_of_amounts(book.on, definition, ask), *_of_signals(book, definition, ask)])
    return whole.sort_by([(name, "ascending") for name in ("buyer_id", "known_on", "kind", "currency")])


def lasting(
    book: Book, definition: Definition, buyers: pa.Array[Any], ask: Ask, *, bounds: Callable[[int], pa.Table] | None = None
) -> pa.Table:
    """Who of these buyers is in default on the book's day? The rows of `defaults` that are not cured.

    ask     gives the rows of an expression over the book, by its name and what draws it up, and takes the tables this is given by name
    bounds  where they are at hand: of every buyer and currency (`buyer_id`, `currency`), on any day of so many, `most_long_overdue` by the definition's age
            and `least_outstanding`. The past of those who cannot be in default by them is not gone through
    """
    told = [one.filter(compute.is_in(one["buyer_id"], buyers)) for one in _of_signals(book, definition, ask)]
    names = pa.table({"buyer_id": buyers})
    if bounds is not None:
        whom = [one.filter(compute.is_null(one["cured_on"])) for one in told]
        whom += [
            _possible(definition, kind, ask, bounds(int(definition[kind]["cure_days"]))) for kind in OF_AMOUNTS if definition[kind]["used"]
        ]
        may_be = pa.concat_tables([one.select(["buyer_id"]) for one in (EVENTS.empty_table(), *whom)])["buyer_id"].combine_chunks()
        names = names.filter(compute.is_in(buyers, may_be))
    found = defaults(pa.concat_tables([EVENTS.empty_table(), *_of_amounts(book.on, definition, ask, names), *told]))
    return found.filter(compute.is_null(found["cured_on"]))


def _possible(definition: Definition, kind: str, ask: Ask, bounds: pa.Table) -> pa.Table:
    """Whose debts can have been material in this way on a day that still counts."""
    rule = definition[kind]
    if kind == "write_off":
        days = int(rule["cure_days"])
        off = ask(f"written off within {days}", lambda of: _written_off(of, days))
        bounds = bounds.join(off, ["buyer_id", "currency"], join_type="inner")
    amount = bounds["most_long_overdue" if kind == "past_due" else "written_off"].to_numpy().astype(np.float64)
    owed = np.maximum(bounds["least_outstanding"].to_numpy().astype(np.float64), 0.0)
    if kind == "write_off":  # what is written off on one day is no more than what is written off in all, of what is owed then besides it
        owed = owed + amount
    return bounds.filter(pa.array((amount >= _least(bounds["currency"], definition, rule)) & (amount >= rule["share"] * owed)))


def defaults(events: pa.Table) -> pa.Table:
    """When was each buyer in default, whatever made it so?  违约期间

    One row per buyer and stretch of days on which at least one event counted: the event known first gives the row its kind, dates and
    amount; `cured_on` is the day on which the last of them was cured, null while one is not.
    """
    rows = events.sort_by([(name, "ascending") for name in ("buyer_id", "known_on", "happened_on", "kind", "currency")])
    start, end = _days(rows["known_on"]), _days(rows["cured_on"])
    first, cured = _merged(_codes(rows["buyer_id"]), start, end)
    return rows.take(first).set_column(EVENTS.get_field_index("cured_on"), EVENTS.field("cured_on"), _dates(cured))


def begun_on(events: pa.Table, definition: Definition) -> pa.Array[Any]:
    """When did what became a default begin?  违约起始日

    One date32 a row of `defaults` or `default_events`: of an amount long past due the day it fell due; of all else the day it happened. Nobody knows it before `known_on`: it is for those who learn from the past what comes before a default.
    """
    happened = events["happened_on"].combine_chunks()
    late = compute.equal(events["kind"].combine_chunks(), "past_due")
    before = compute.subtract(happened.cast(pa.int32()), pa.scalar(definition.told_after_days, pa.int32())).cast(pa.date32())
    found: pa.Array[Any] = compute.if_else(late, before, happened)
    return found


def spells(events: pa.Table, definition: Definition) -> dict[str, Numbers]:
    """From when to when was each in default?  {begun_on, cured_on}: days since 1970 a row, `cured_on` a day after every other while it is not cured.

    begun_on  as the function of this name
    """
    return {"begun_on": _days(begun_on(events, definition)), "cured_on": _days(events["cured_on"].combine_chunks())}


def _of_amounts(on: date, definition: Definition, ask: Ask, buyers: pa.Table | None = None) -> list[pa.Table]:
    """Events told by balances: long past due, written off; of these buyers, or of all."""
    rule, off = definition["past_due"], definition["write_off"]
    if not rule["used"] and not off["used"]:
        return []
    days, disputed = rule["days_past_due"], rule["leave_out_disputed"]
    given = {} if buyers is None else {"buyers": buyers}

    def draw(of: Book, **given: ir.Table) -> ir.Table:
        return long_overdue_course(of, days_past_due=days, leave_out_disputed=disputed, **given)

    course = ask(f"long overdue {days} {disputed} {buyers is None}", draw, **given)
    course = course.sort_by([(name, "ascending") for name in ("buyer_id", "currency", "moved_on")])
    if not course.num_rows:
        return []
    moved_on, owed, old, gone = (
        course[name].to_numpy(zero_copy_only=False).astype(np.int64) for name in ("moved_on", "outstanding", "long_overdue", "written_off")
    )
    key = _codes(course["buyer_id"], course["currency"])

    def material(amount: Numbers, of: Numbers, part: Mapping[str, Any]) -> npt.NDArray[np.bool_]:
        found: npt.NDArray[np.bool_] = (amount >= _least(course["currency"], definition, part)) & (amount >= part["share"] * of)
        return found

    until = (on - EPOCH).days
    parts = []
    if rule["used"]:
        holds = material(old, owed, rule)
        same = np.append([False], key[1:] == key[:-1])
        starts = np.flatnonzero(holds & ~(same & np.append([False], holds[:-1])))
        next_off = np.flatnonzero(~holds)
        ends = np.full(len(starts), FAR)
        at = np.searchsorted(next_off, starts)
        there = at < len(next_off)
        stop = next_off[np.minimum(at, max(len(next_off) - 1, 0))] if len(next_off) else np.zeros(len(starts), np.int64)
        there &= key[stop] == key[starts]
        ends[there] = moved_on[stop[there]] + rule["cure_days"]
        parts.append(_rows(course, "past_due", key, starts, moved_on[starts], ends, old[starts], until))
    if off["used"]:
        at = np.flatnonzero(material(gone, owed + gone, off))
        parts.append(_rows(course, "write_off", key, at, moved_on[at], moved_on[at] + off["cure_days"], gone[at], until))
    return parts


def _least(currency: Any, definition: Definition, part: Mapping[str, Any]) -> Numbers:
    """The least amounts that are material, a row a currency; above zero."""
    coded = currency.combine_chunks().dictionary_encode()
    words: list[Any] = coded.dictionary.to_pylist()
    least = [max(definition.least_amounts.get(code, 0), 1) if part["above_least_amount"] else 1 for code in words]
    found: Numbers = np.array([*least, 1], np.int64)[compute.fill_null(coded.indices, len(words)).to_numpy(zero_copy_only=False)]
    return found


def _rows(course: pa.Table, kind: str, key: Numbers, at: Numbers, start: Numbers, end: Numbers, amount: Numbers, until: int) -> pa.Table:
    """Spells of one kind, those that run into each other as one event. at: rows of the course at which they begin."""
    first, cured = _merged(key[at], start, end)
    days = _dates(start[first])
    cured = np.where(cured <= until, cured, FAR)
    taken = course.take(at[first])
    return pa.table(
        [taken["buyer_id"], pa.repeat(pa.scalar(kind), len(first)), days, days, pa.array(amount[first]), taken["currency"], _dates(cured)],
        schema=EVENTS,
    )


def _of_signals(book: Book, definition: Definition, ask: Ask) -> Iterable[pa.Table]:
    kinds = sorted({name for kind in OF_SIGNALS if definition[kind]["used"] for name in definition[kind]["kinds"]})
    if not kinds:
        return
    rows = ask(f"told of {kinds}", lambda of: _told(of, kinds))
    until = (book.on - EPOCH).days
    for kind in OF_SIGNALS:
        rule = definition[kind]
        if not rule["used"]:
            continue
        mine = compute.is_in(rows["kind"], pa.array(rule["kinds"]))
        severe = compute.is_in(compute.fill_null(rows["severity"], "red"), pa.array(rule["severities"]))
        own = rows.filter(compute.and_(mine, severe))
        own = own.sort_by([(name, "ascending") for name in ("buyer_id", "published_on", "happened_on", "signal_id")])
        published = _days(own["published_on"])
        ended = np.minimum(_days(own["ended_on"]), published + rule["lasts_days"])
        first, cured = _merged(_codes(own["buyer_id"]), published, ended + rule["cure_days"])
        taken = own.take(first)
        yield pa.table(
            [
                taken["buyer_id"], pa.repeat(pa.scalar(kind), len(first)), taken["happened_on"], taken["published_on"],
                taken["amount_minor"], taken["currency"], _dates(np.where(cured <= until, cured, FAR)),
            ],
            schema=EVENTS,
        )  # fmt: skip


def _told(book: Book, kinds: Sequence[str]) -> ir.Table:
    signal = book.signal
    rows = signal.filter(signal.kind.isin(kinds) & signal.buyer_id.notnull())
    # What is said to have happened after it was published counts from its publication.
    happened = ibis.coalesce(ibis.least(rows.occurred_on, rows.published_on), rows.published_on)
    return rows.select(
        "signal_id", "buyer_id", "kind", "severity", "published_on", "ended_on", "amount_minor", "currency", happened_on=happened
    )


def _written_off(book: Book, days: int) -> ir.Table:
    """What was written off within so many days, whatever was taken back of it: buyer_id, currency, written_off (minor units)."""
    invoice, settlement = book.invoice, book.settlement
    off = settlement.filter((settlement.kind == "write_off") & (settlement.amount_minor > 0))
    rows = off.inner_join(invoice, list(ITEM)).select(
        *(invoice[name] for name in PER_BUYER), written_off=off.amount_minor, moved_on=ibis.greatest(off.settle_date, invoice.issue_date)
    )
    rows = rows.filter(rows.buyer_id.notnull() & (rows.moved_on > day_of(book.on - timedelta(days=days))))
    return rows.group_by(list(PER_BUYER)).aggregate(written_off=total(rows.written_off))


def _merged(key: Numbers, start: Numbers, end: Numbers) -> tuple[Numbers, Numbers]:
    """Spells in order of key and start: the first of each run of spells that touch, and the day the run ends."""
    first: list[int] = []
    ends: list[int] = []
    last = -1
    for place, (who, since, until) in enumerate(zip(key.tolist(), start.tolist(), end.tolist(), strict=True)):
        if who == last and since <= ends[-1]:
            ends[-1] = max(ends[-1], until)
        else:
            first.append(place)
            ends.append(until)
        last = who
    return np.array(first, np.int64), np.array(ends, np.int64)


def _codes(*columns: Any) -> Numbers:
    """A number for each different row of these columns."""
    code = np.zeros(len(columns[0]), np.int64)
    for column in columns:
        encoded = compute.fill_null(column, "").combine_chunks().dictionary_encode()
        code = code * (len(encoded.dictionary) + 1) + encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return code


def _days(column: Any) -> Numbers:
    """Days since 1970, FAR where there is none."""
    found: Numbers = compute.fill_null(column.cast(pa.int32()).cast(pa.int64()), int(FAR)).to_numpy(zero_copy_only=False)
    return found


def _dates(days: Numbers) -> pa.Array[Any]:
    gone = days >= FAR
    return pa.array(np.where(gone, 0, days).astype(np.int32), mask=gone).cast(pa.date32())
