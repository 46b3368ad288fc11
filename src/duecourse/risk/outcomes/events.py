"""Who was in default when (违约事件): the events of a definition over the whole book, and what each buyer's add up to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from duecourse.measures.long_overdue import EPOCH, long_overdue_course
from duecourse.risk.outcomes.definitions import OF_SIGNALS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import ibis.expr.types as ir
    import numpy.typing as npt

    from duecourse.ledger.book import Book
    from duecourse.risk.outcomes.definitions import Definition

    Numbers = npt.NDArray[np.int64]
    Ask = Callable[[str, Callable[[Book], ir.Table]], pa.Table]

compute: Any = pc
FAR: Final = np.int64(2**40)
"""A day after every other: has not ended."""

EVENTS: Final = pa.schema(
    cast("list[pa.Field[Any]]", [
        pa.field("buyer_id", pa.string()), pa.field("kind", pa.string()), pa.field("happened_on", pa.date32()),
        pa.field("known_on", pa.date32()), pa.field("amount_minor", pa.int64()), pa.field("currency", pa.string()),
        pa.field("cured_on", pa.date32()),
    ])
)  # fmt: skip


def default_events(book: Book, definition: Definition, *, ask: Ask | None = None) -> pa.Table:
    """Which events that count as default had become known by the book's day?  违约事件

    One row per event, by buyer and the day it was known:
        buyer_id
        kind          string  past_due | write_off | insolvency | enforcement
        happened_on   date    a material amount had grown so old, was written off; the signal's own day
        known_on      date    the same; of a signal the day it was published
        amount_minor  int64   the amount on that day, in minor units of `currency`; of a signal what it tells, mostly nothing
        currency      string
        cured_on      date    since when it no longer counts: `cure_days` after the last day on which it held; null while it does

    While an event counts, the same again is no new one, so that neither a payment of a few days nor a second notice makes two defaults of one.
    Amounts of different currencies are never added up: each currency has its own past-due events. As of an earlier day the book gives the same
    events, as far as they were known by then: what is told of a day never changes with what happens after it.

    ask  gives the rows of an expression over the book, by its name and what draws it up; by default the book is asked
    """
    asked = ask or (lambda _name, make: book.run(make(book)))
    parts = [*_of_amounts(book, definition, asked)]
    if any(definition[kind]["used"] for kind in OF_SIGNALS):
        parts += _of_signals(book, definition, asked)
    whole = pa.concat_tables([EVENTS.empty_table(), *parts])
    return whole.sort_by([(name, "ascending") for name in ("buyer_id", "known_on", "kind", "currency")])


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


def _of_amounts(book: Book, definition: Definition, ask: Ask) -> list[pa.Table]:
    """Events told by balances: long past due, written off."""
    rule, off = definition["past_due"], definition["write_off"]
    if not rule["used"] and not off["used"]:
        return []
    days, disputed = rule["days_past_due"], rule["leave_out_disputed"]
    course = ask(
        f"long overdue {days} {disputed}", lambda of: long_overdue_course(of, days_past_due=days, leave_out_disputed=disputed)
    ).sort_by([(name, "ascending") for name in ("buyer_id", "currency", "moved_on")])  # fmt: skip
    if not course.num_rows:
        return []
    moved_on, owed, old, gone = (
        course[name].to_numpy(zero_copy_only=False).astype(np.int64) for name in ("moved_on", "outstanding", "long_overdue", "written_off")
    )
    key = _codes(course["buyer_id"], course["currency"])
    currencies: list[Any] = course["currency"].to_pylist()
    named = {code: definition.least_amounts.get(code, 0) for code in set(currencies)}
    least = np.array([named[code] for code in currencies], np.int64)

    def material(amount: Numbers, of: Numbers, part: Mapping[str, Any]) -> npt.NDArray[np.bool_]:
        enough = amount >= (least if part["above_least_amount"] else 1)
        found: npt.NDArray[np.bool_] = (amount > 0) & enough & (amount >= part["share"] * of)
        return found

    until = (book.on - EPOCH).days
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
        ended = _days(own["ended_on"])
        end = np.where(ended == FAR, FAR, ended + rule["cure_days"])
        first, cured = _merged(_codes(own["buyer_id"]), _days(own["published_on"]), end)
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
