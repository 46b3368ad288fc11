"""What the firm's own past says of the warnings' probabilities, learnt by itself as of the end of the last quarter (预警自有更新).

    fitted = in_force(book)            what today's warnings are made with
    asked = as_it_was(as_known(book, day))    the same of a past day, for whoever replays it

It is a function of what was known at that quarter's end, so that a past day is told as it would have been told then. A large ledger is learnt from by
a part of its buyers, drawn by their numbers. What was learnt lies beside the ledger and holds for the quarter; few new facts do not make it anew.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from duecourse.decisions.record import digest_of
from duecourse.desk import answers
from duecourse.desk.alone import OWN_KEYS
from duecourse.desk.judging import base_rates
from duecourse.desk.remembered import remembered
from duecourse.desk.signs import signs, taken
from duecourse.desk.watched import half_year, short_history, trading
from duecourse.ledger.book import Book
from duecourse.ledger.engine import table_names
from duecourse.ledger.entries import BUYER, DISPUTE, ENTRIES, EXCHANGE_RATE, INVOICE, LIMIT, ORDER, SETTLEMENT, SIGNAL, STATEMENT
from duecourse.ledger.journal import State
from duecourse.ledger.memory import MemoryLedger, complete
from duecourse.measures.positions import ITEM
from duecourse.messages import say
from duecourse.risk import grade_v1
from duecourse.risk.outcomes import default_events, defaults, definition, spells
from duecourse.risk.points import logit
from duecourse.risk.warning import hazard_v1
from duecourse.risk.warning.updating import Looked, learnt, looks, quarter_end

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from duecourse.ledger.engine import Rows
    from duecourse.ledger.entries import Entry
    from duecourse.messages import Language
    from duecourse.risk.outcomes import Definition

compute: Any = pc
SETTING: Final = "warning_calibration"
"""What a person let the warnings use (`duecourse train --warning --keep`) goes before what is learnt by itself."""

MOST_BUYERS: Final = 2_500
"""Of more buyers a part is drawn: some hundred defaults move the parameters as well as thousands do, and take seconds."""

NEW_FACTS: Final = 0.02
"""With so large a share of new invoices since, an import has brought a past that was not known: it is learnt anew."""

RATES: Final = "default_rates"
FOLDER: Final = "learnt"
DRAWN: Final = "drawn_buyers"
OF_BUYERS: Final = (BUYER, DISPUTE, STATEMENT, SIGNAL, LIMIT, ORDER)
MARK: Final = "\x1f"
ONE_DAY: Final = date(2000, 12, 31)
"""All days are moved here, so that a measure is drawn up once and not for every day."""

WAY: Final = 3
"""Changes with the way it is learnt, so that nothing learnt in another way is taken for it."""

EPOCH: Final = date(1970, 1, 1)


def in_force(book: Book) -> Mapping[str, Any]:
    """What the shipped model is moved by on the book's day, as `risk.warning.updating.learnt` has it; empty where no past can be learnt from.

    A calibration that a person kept goes first, unless it has seen later days.
    """
    stated = _stated(book)
    if stated:
        return stated
    whole = book.whole
    until = quarter_end(whole.on)
    path = _kept_at(whole, until)
    found = _kept(whole, path)
    if found is not None:
        return found
    found = _as_of(whole, until)
    if path is not None and found:
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            answers.write_whole(path, lambda half: _write(half, {"version": whole.version, "found": found}))
    return found


def told(fitted: Mapping[str, Any], lang: Language | None = None) -> str:
    """What was learnt, as a sentence: how many own defaults were used, and how many the shipped model had expected."""
    if not fitted:
        return say("warning.learnt_none", lang)
    if "needed" not in fitted:
        return say("warning.learnt_kept", lang, defaults=fitted.get("defaults", 0), until=fitted.get("until", ""))
    figures = {name: fitted[name] for name in ("defaults", "looks", "until", "needed", "buyers")}
    return say(f"warning.learnt_{'moved' if fitted['version'] else 'few'}", lang, **figures, expected=f"{fitted['expected']:.1f}")


def model_name(shipped: str, fitted: Mapping[str, Any]) -> str:
    """What a probability was made with: the shipped version, and the own update's where there is one."""
    own = str(fitted.get("version", ""))
    return f"{shipped} {own}" if own else shipped


def as_it_was(book: Book) -> Book:
    """The same book with what was learnt by its day stated in its settings: nothing that was worked out for another day or version is used."""
    if _stated(book):
        return book
    then = replace(book)
    then.__dict__["settings"] = {**book.settings, SETTING: _as_of(book.whole, quarter_end(book.on))}
    return then


def _stated(book: Book) -> Mapping[str, Any]:
    stated: Mapping[str, Any] = book.settings.get(SETTING) or {}
    return stated if str(stated.get("until", "")) <= book.on.isoformat() else {}


def _as_of(whole: Book, until: date) -> dict[str, Any]:
    if short_history(replace(whole, on=looks(until, _wording(whole).told_after_days)[-1])):
        return {}
    then = replace(whole, on=until)
    then.__dict__["settings"] = {name: value for name, value in whole.settings.items() if name != SETTING}
    question = f"warning learnt {_question(whole)} {answers.beside_version(whole.ledger)}"
    found: dict[str, Any] = remembered(then, question, lambda: _learn(then))
    return found


def _question(book: Book) -> str:
    """What it is learnt by: the way it is done, the definition of default, and the stated base rates."""
    return digest_of([WAY, _wording(book).told(), book.settings.get(RATES) or {}, hazard_v1.load().version])


def _wording(book: Book) -> Definition:
    return definition("default", book.settings)


# --- kept for a quarter ---------------------------------------------------------------------------------------------------------------------


def _kept_at(book: Book, until: date) -> Path | None:
    home = answers.home(book.ledger)
    if home is None or (book.known_at is not None and book.known_at < book.ledger.state.last.recorded_at):
        return None
    return home / FOLDER / f"{answers.key(replace(book, on=until, known_at=None), _question(book))}.json"


def _kept(book: Book, path: Path | None) -> dict[str, Any] | None:
    """What was learnt for this quarter from a state of the ledger that hardly differs; never from a later one."""
    try:
        said = json.loads(path.read_text(encoding="utf-8")) if path else {}
    except (OSError, ValueError):
        return None
    version = said.get("version")
    if version is None or version > book.version:
        return None
    later = [row for row in book.ledger.state.rows if row.version > version]
    if any(row.kind in ("void", "restore") for row in later):
        return None
    came, were = (sum(row.counts.get(INVOICE.name, {}).get("added", 0) for row in rows) for rows in (later, book.ledger.state.rows))
    found: dict[str, Any] = said["found"]
    return found if came <= NEW_FACTS * were else None


def _write(path: Path, said: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(said, ensure_ascii=False, default=answers.plain), encoding="utf-8")


# --- learning -------------------------------------------------------------------------------------------------------------------------------


def _learn(then: Book) -> dict[str, Any]:
    """All looks at once: each buyer of each day is one of its own, its facts moved so that the day falls on ONE_DAY, where every measure is drawn up."""
    facts = _part(then)
    now = _moved(then, facts, [then.on], [""])
    lag = (then.on - ONE_DAY).days
    wording = _wording(then)
    rows = defaults(default_events(now, wording))
    who = rows["buyer_id"].combine_chunks()
    events = {name: days + lag for name, days in spells(rows, wording).items()}
    days = [day for day in looks(then.on, wording.told_after_days) if not short_history(replace(then, on=day))]
    marks = [f"{MARK}{number}" for number in range(len(days))]
    found = _looked(_moved(then, facts, days, marks), days, who, events) if days else []
    return learnt(found, then.on, wording.told_after_days)


def _looked(book: Book, days: list[date], who: pa.Array[Any], events: Mapping[str, Any]) -> list[Looked]:
    """What the shipped model said of the buyers that traded and no default of which had begun on each day, theme by theme, and of whom one then began."""
    buyers = book.run(trading(book).order_by("buyer_id"))["buyer_id"].combine_chunks()
    parts = compute.split_pattern(buyers, MARK)
    names, number = compute.list_element(parts, 0), compute.list_element(parts, 1).cast(pa.int64()).to_numpy(zero_copy_only=False)
    ill, fails = np.zeros(len(buyers), np.bool_), np.zeros(len(buyers), np.bool_)
    for place, on in enumerate(days):
        at = (on - EPOCH).days
        here = number == place
        in_default = who.filter(pa.array((events["begun_on"] <= at) & (events["cured_on"] > at)))
        soon = who.filter(pa.array((events["begun_on"] > at) & (events["begun_on"] <= at + hazard_v1.HORIZON_DAYS)))
        ill |= here & compute.is_in(names, in_default).to_numpy(zero_copy_only=False)
        fails |= here & compute.is_in(names, soon).to_numpy(zero_copy_only=False)
    evidence = hazard_v1.load().evidence(signs(book, buyers, taken(book, buyers)), explained=True)
    base, _of = base_rates(book, buyers, grade_v1.parameters().base_rate, named=False)
    themes = {
        theme: sum((evidence.added[name] for name, (of, _) in hazard_v1.SIGNS.items() if of == theme), np.zeros(len(buyers)))
        for theme in hazard_v1.LEADING
    }
    called, offset = names.to_numpy(zero_copy_only=False), logit(half_year(base))
    kept = [np.flatnonzero((number == place) & ~ill) for place in range(len(days))]
    return [
        Looked(called[at], offset[at], {theme: values[at] for theme, values in themes.items()}, fails[at].astype(np.float64)) for at in kept
    ]


def _part(then: Book) -> dict[str, pa.Table]:
    """The facts of some of the buyers: of all where there are few, else of as many as MOST_BUYERS, the same ones every time."""
    rows = then.run(then.invoice.filter(then.invoice.buyer_id.notnull()).select("buyer_id").distinct())
    names = [str(name) for name in rows["buyer_id"].to_pylist()]
    drawn = sorted(names, key=lambda name: (crc32(name.encode()), name))[:MOST_BUYERS]
    table = pa.table({"buyer_id": pa.array(drawn, pa.string())})
    picked = ibis.table(ibis.Schema.from_pyarrow(table.schema), name=DRAWN)
    invoice, settlement = then.invoice, then.settlement
    mine = invoice.semi_join(picked, "buyer_id")
    on_account = settlement.filter(settlement.invoice_id.isnull()).semi_join(picked, "buyer_id")
    asked = {entry.name: then.table(entry).semi_join(picked, "buyer_id") for entry in OF_BUYERS}
    asked |= {INVOICE.name: mine, EXCHANGE_RATE.name: then.exchange_rate}
    asked[SETTLEMENT.name] = settlement.semi_join(mine.select(*ITEM).view(), list(ITEM)).union(on_account)
    found = {}
    for name, expression in asked.items():
        given: dict[str, Rows] = {of: then.rows(of) for of in table_names(expression) if of != DRAWN}
        found[name] = complete(ENTRIES[name], then.ledger.engine.run(expression, {**given, DRAWN: table}))
    return found


def _moved(then: Book, facts: Mapping[str, pa.Table], days: list[date], marks: list[str]) -> Book:
    """A book of ONE_DAY that holds these facts as they were on each day, what names a buyer, a document or a payment marked by the day's mark."""
    tables: dict[str, Rows] = {}
    for name, rows in facts.items():
        entry = ENTRIES[name]
        if entry is EXCHANGE_RATE:
            tables[name] = _of_day(entry, rows, then.on, "")
        else:
            tables[name] = pa.concat_tables([_of_day(entry, rows, day, mark) for day, mark in zip(days, marks, strict=True)])
    book = Book(MemoryLedger(tables, then.ledger.engine, State((then.ledger.state.last,))), ONE_DAY)
    book.__dict__["settings"] = then.settings
    return book


def _of_day(entry: Entry, rows: pa.Table, day: date, mark: str) -> pa.Table:
    if entry.happened:
        rows = rows.filter(compute.fill_null(compute.less_equal(rows[entry.happened], pa.scalar(day)), fill_value=True))
    lag = pa.scalar((ONE_DAY - day).days, pa.int32())
    moved = {}
    for field in entry.schema:
        column: Any = rows[field.name]
        if pa.types.is_date(field.type):
            column = compute.add(column.cast(pa.int32()), lag).cast(pa.date32())
        elif mark and field.name in (*OWN_KEYS, "buyer_id", "orderer_id", "order_number"):
            column = compute.binary_join_element_wise(column, pa.scalar(mark), "", null_handling="emit_null")
        moved[field.name] = column
    return pa.table(moved, schema=entry.schema)
