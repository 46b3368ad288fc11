"""One buyer's facts taken out of the ledger: as they are, or as they were on several days at once.

`through_time` writes the facts of each past day as those of a buyer of its own, all dates moved so that every such day falls on the book's: one pass
then answers for all of them, by the same arithmetic as for a whole ledger.
"""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from duecourse.ledger.book import Book
from duecourse.ledger.engine import ParquetFiles, table_names
from duecourse.ledger.entries import BUYER, DISPUTE, ENTRIES, EXCHANGE_RATE, INVOICE, LIMIT, SETTING, SETTLEMENT, SIGNAL, STATEMENT
from duecourse.ledger.memory import MemoryLedger, only_buyer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    import ibis.expr.types as ir

    from duecourse.ledger.engine import Rows
    from duecourse.ledger.entries import Entry

compute: Any = pc
EXPRESSIONS_KEPT: Final = 128
_guard = Lock()
_drawn_up: OrderedDict[tuple[str, date, str], ir.Table] = OrderedDict()
ANSWERS_KEPT: Final = 4
"""Of each expression: what was said of the buyers and days asked about last. Grade, warning and alert of one buyer ask much of the same."""
FEW_ROWS: Final = 20_000
_answers: OrderedDict[tuple[str, date, str], list[tuple[Mapping[str, pa.Table], pa.Table]]] = OrderedDict()
FURTHER: Final = (STATEMENT, SIGNAL, LIMIT, ENTRIES["decision"])
OWN_KEYS: Final = ("invoice_id", "settlement_id", "dispute_id", "signal_id", "limit_id", "order_id", "decision_id")
"""What names one fact: renamed when it is written for several days."""


def alone(book: Book, buyer_id: str) -> Book | None:
    """A book of one buyer's facts, its statements, signals, limits and decisions among them; None where there is none at all."""
    own = only_buyer(book, buyer_id, also=FURTHER)
    if not any(holds(own, entry) for entry in (BUYER, INVOICE, SETTLEMENT, DISPUTE, *FURTHER)):
        return None
    own.__dict__["settings"] = book.settings  # a stated base rate goes with it
    return own


def answered(book: Book, name: str, make: Callable[..., ir.Table], **given: pa.Table) -> pa.Table:
    """The rows of an expression over a book; of a book in memory it is drawn up once a day and base currency, as only its data differ.

    name   of the expression, unlike any other's of the same module
    given  tables worked out before, which `make` takes by these names beside the book
    """
    if not isinstance(book.ledger, MemoryLedger) or book.scope.restricts or book.known_at is not None:
        return _run(book, _made(book, make, given), given)
    key = (f"{make.__module__} {name}", book.on, book.base_currency)
    with _guard:
        expression = _drawn_up.get(key)
        if expression is not None:
            _drawn_up.move_to_end(key)
    if expression is None:
        expression = _made(book, make, given)
        with _guard:
            _drawn_up[key] = expression
            while len(_drawn_up) > EXPRESSIONS_KEPT:
                _drawn_up.popitem(last=False)
    return _said_before(key, _tables(book, expression, given), lambda: _run(book, expression, given))


def _said_before(key: tuple[str, date, str], tables: Mapping[str, Rows], ask: Callable[[], pa.Table]) -> pa.Table:
    """The answer of an expression: of the same rows it is the same, and to compare them takes a hundredth of planning a query."""
    few = {name: rows for name, rows in tables.items() if isinstance(rows, pa.Table) and rows.num_rows <= FEW_ROWS}
    if len(few) < len(tables):
        return ask()
    with _guard:
        known = list(_answers.get(key, ()))
    for rows, answer in known:
        if all(_same(rows[name], few[name]) for name in few):
            return answer
    answer = ask()
    with _guard:
        _answers[key] = [(few, answer), *_answers.get(key, ())][:ANSWERS_KEPT]
        _answers.move_to_end(key)
        while len(_answers) > EXPRESSIONS_KEPT:
            _answers.popitem(last=False)
    return answer


def _same(one: pa.Table, other: pa.Table) -> bool:
    return one is other or (one.num_rows == other.num_rows and bool(one.equals(other)))


def _made(book: Book, make: Callable[..., ir.Table], given: Mapping[str, pa.Table]) -> ir.Table:
    if not given:
        return make(book)
    import ibis  # noqa: PLC0415 — as the ledger does

    return make(book, **{name: ibis.table(ibis.Schema.from_pyarrow(rows.schema), name=f"given_{name}") for name, rows in given.items()})


def _run(book: Book, expression: ir.Table, given: Mapping[str, pa.Table]) -> pa.Table:
    if not given:
        return book.run(expression)
    return book.ledger.engine.run(expression, _tables(book, expression, given))


def _tables(book: Book, expression: ir.Table, given: Mapping[str, pa.Table]) -> dict[str, Rows]:
    own = {f"given_{name}": rows for name, rows in given.items()}
    return {name: own[name] if name in own else book.rows(name) for name in table_names(expression)}


def holds(book: Book, entry: Entry) -> bool:
    """May the book hold a row of this table? No, where its ledger has none at all."""
    rows, _corrected = book.ledger.rows_of(entry)
    return not (isinstance(rows, pa.Table) and rows.num_rows == 0) and not (isinstance(rows, ParquetFiles) and not rows.paths)


def through_time(own: Book, buyer_id: str, days: Sequence[date]) -> tuple[Book, pa.Array[Any]]:
    """The facts of `own` as they were on each of these days, each as a buyer of its own, in one book of the same day; and their numbers.

    days  none later than the book's
    """
    names = [buyer_id if not number else f"{buyer_id}\x1f{number}" for number in range(len(days))]
    tables: dict[str, Rows] = {}
    for entry in (BUYER, INVOICE, SETTLEMENT, DISPUTE, STATEMENT, SIGNAL, LIMIT):
        rows, _corrected = own.ledger.rows_of(entry)
        if isinstance(rows, pa.Table):
            parts = [_of_day(entry, rows, name, own.on, day) for name, day in zip(names, days, strict=True)]
            tables[entry.name] = pa.concat_tables(parts)
    for entry in (EXCHANGE_RATE, SETTING, ENTRIES["decision"]):
        tables[entry.name] = own.ledger.rows_of(entry)[0]
    book = Book(MemoryLedger(tables, own.ledger.engine, own.ledger.state), own.on)
    book.__dict__["settings"] = own.settings
    return book, pa.array(names, pa.string())


def _of_day(entry: Entry, rows: pa.Table, name: str, on: date, day: date) -> pa.Table:
    lag = (on - day).days
    if entry.happened and lag:
        known: Any = compute.less_equal(rows[entry.happened], pa.scalar(day))
        rows = rows.filter(compute.fill_null(known, pa.scalar(entry is BUYER)))
    moved = {}
    for field in entry.schema:
        column: Any = rows[field.name]
        if field.name == "buyer_id":
            column = compute.if_else(compute.is_null(column), column, pa.scalar(name))
        elif field.name in OWN_KEYS and lag:
            column = compute.binary_join_element_wise(column, pa.scalar(str(lag)), "\x1f", null_handling="emit_null")
        elif pa.types.is_date(field.type) and lag:
            column = compute.add(column.cast(pa.int32()), pa.scalar(lag, pa.int32())).cast(pa.date32())
        moved[field.name] = column
    return pa.table(moved, schema=entry.schema)
