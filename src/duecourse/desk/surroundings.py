"""What the whole book says around one buyer: of its country and sector, its group, and which kinds of sign are recorded at all (买方环境).

That is worked out from every buyer, and moves slowly: for one buyer it is taken over from earlier the same day while few facts have come since.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, replace
from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from duecourse.desk import answers
from duecourse.desk.alone import FURTHER, answered
from duecourse.desk.behaviour import columns_ready, measures_of_one
from duecourse.engines.fused import refresh
from duecourse.ledger.book import Book
from duecourse.ledger.entries import BUYER, ENTRIES, ORDER, SETTLEMENT, SIGNAL
from duecourse.ledger.memory import MemoryLedger, complete, only_buyer
from duecourse.measures.buyer import buyer_measures
from duecourse.measures.indicators.common import YEAR
from duecourse.measures.indicators.surroundings import moves, standing_of
from duecourse.measures.indicators.told import REGISTERS, recorded
from duecourse.measures.indicators.trade import standing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import ibis.expr.types as ir

    from duecourse.ledger.entries import Entry

compute: Any = pc
FACTS_SINCE: Final = 1000
"""So few facts of a day change no figure of a whole country; with more it is worked out anew."""

_guard = Lock()
_kept: dict[Path, tuple[int, Surroundings]] = {}
DAYS_KEPT: Final = 8
FILE: Final = "around-"


@dataclass(frozen=True)
class Surroundings:
    """What the whole book says.

    kinds   (kind of sign, country of the buyer) that the book records
    moved   {(country | sector, name): a row of `moves`}
    owed    all that is owed in the base currency, or in the one currency there is; None where it does not convert
    """

    kinds: frozenset[tuple[str, str | None]]
    moved: Mapping[tuple[str, str | None], Mapping[str, Any]]
    owed: float | None

    def records(self, kind: str, country: str | None) -> bool:
        """Would the book tell this kind of sign of a buyer of this country?"""
        return (kind, country) in self.kinds if kind in REGISTERS else any(kind == one for one, _country in self.kinds)

    def knowing(self, rows: pa.Table) -> Surroundings:
        """The same with the kinds of some more rows of `recorded`."""
        return replace(self, kinds=self.kinds | _pairs(rows))


def _pairs(rows: pa.Table) -> frozenset[tuple[str, str | None]]:
    return frozenset((str(kind), country) for kind, country in zip(rows["kind"].to_pylist(), rows["country"].to_pylist(), strict=True))


def measures_of_all(book: Book) -> pa.Table:
    """`buyer_measures` of everybody, the fast way where there is one."""
    return answered(book, "measures", buyer_measures) if isinstance(book.ledger, MemoryLedger) else refresh(book)


def surroundings(book: Book) -> Surroundings:
    """What this whole book says around its buyers; from earlier the same day where few facts have come since."""
    found = _recalled(book)
    if found is None:
        measured = measures_of_all(book)
        owed = answered(book, "standing", standing, measured=measured)
        found = surroundings_of(book, measured, owed, answered(book, "standing of", standing_of, measured=measured))
        keep(book, found)
    return found


def surroundings_of(book: Book, measured: pa.Table, owed: pa.Table, trading: pa.Table) -> Surroundings:
    """The same from measures, `standing` and `standing_of` of everybody."""
    before = replace(book, on=book.on - timedelta(days=YEAR))
    then = answered(before, "standing of", standing_of, measured=measures_of_all(before))
    rows = answered(book, "moves", moves, now=trading, then=then).to_pylist()
    total = float(compute.sum(owed["LIM04_owed"]).as_py() or 0.0)
    used, rated = (
        set(compute.unique(measured["currency"]).to_pylist()),
        set(answered(book, "rates to base", Book.rates)["currency"].to_pylist()),
    )
    return Surroundings(
        _pairs(answered(book, "recorded", recorded)), {(row["of"], row["name"]): row for row in rows},
        total if total > 0 and (len(used) == 1 or used <= rated) else None,
    )  # fmt: skip


def with_group(book: Book, buyer_id: str) -> tuple[Book, pa.Table]:
    """A book of one buyer's facts with the profiles and signals of its group and the profiles of who pays for it; and the measures of all members."""
    own = only_buyer(book, buyer_id, also=(ORDER, *FURTHER))
    own.__dict__["settings"] = book.settings
    group = _values(own, BUYER, "group_id")
    payers = _values(own, SETTLEMENT, "payer_id") - {buyer_id}
    measured = measures_of_one(book, own, buyer_id, book.on)
    if not group and not payers:
        return own, measured
    found = answered(book, "profiles of", _profiles_of, buyers=_named(buyer_id, *payers), groups=_named(*group))
    others = [
        row["buyer_id"]
        for row in found.select(["buyer_id", "group_id"]).to_pylist()
        if row["group_id"] in group and row["buyer_id"] != buyer_id
    ]
    tables = {name: own.ledger.rows_of(entry)[0] for name, entry in ENTRIES.items()} | {BUYER.name: complete(BUYER, found)}
    if others:
        signals = answered(book, "signals of", _signals_of, buyers=_named(buyer_id, *others))
        tables[SIGNAL.name] = complete(SIGNAL, signals)
        ready = columns_ready(book) is not None
        parts = (measures_of_one(book, own if ready else only_buyer(book, one), one, book.on) for one in others)
        measured = pa.concat_tables([measured, *parts])
    joined = Book(MemoryLedger(tables, own.ledger.engine, own.ledger.state), own.on)
    joined.__dict__["settings"] = book.settings
    return joined, measured


def _named(*names: str) -> pa.Table:
    return pa.table({"name": pa.array(sorted(set(names)), pa.string())})


def _profiles_of(book: Book, buyers: ir.Table, groups: ir.Table) -> ir.Table:
    profile = book.buyer
    one, other = (
        profile.semi_join(buyers, profile.buyer_id == buyers["name"]),
        profile.semi_join(groups, profile.group_id == groups["name"]),
    )
    return one.select(profile.columns).union(other.select(profile.columns)).distinct()


def _signals_of(book: Book, buyers: ir.Table) -> ir.Table:
    signal = book.signal
    return signal.semi_join(buyers, signal.buyer_id == buyers["name"]).select(signal.columns)


def _values(own: Book, entry: Entry, column: str) -> set[str]:
    rows, _corrected = own.ledger.rows_of(entry)
    return {str(one) for one in rows[column].to_pylist() if one is not None} if isinstance(rows, pa.Table) else set()


def keep(book: Book, found: Surroundings) -> None:
    """Keep it for what is asked of one buyer the same day; not where a book is as known in the past, or of a ledger in memory."""
    place = _place(book)
    if place is None:
        return
    with _guard:
        _kept[place] = (book.version, found)
        while len(_kept) > DAYS_KEPT:
            del _kept[next(iter(_kept))]
    told = {"version": book.version, "kinds": sorted(found.kinds, key=str), "moved": list(found.moved.values()), "owed": found.owed}
    with contextlib.suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        answers.write_whole(place, lambda half: _write(half, json.dumps(told, ensure_ascii=False)))
        for old in sorted(place.parent.glob(f"{FILE}*"), key=lambda one: one.stat().st_mtime)[:-DAYS_KEPT]:
            old.unlink(missing_ok=True)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _place(book: Book) -> Path | None:
    home = answers.home(book.ledger)
    newest = book.known_at is None or book.known_at >= book.ledger.state.last.recorded_at
    if home is None or not newest:
        return None
    return home / f"{FILE}{answers.key(replace(book, known_at=None), 'surroundings')}.json"


def _recalled(book: Book) -> Surroundings | None:
    place = _place(book)
    if place is None:
        return None
    with _guard:
        version, found = _kept.get(place, (-1, None))
    if found is None or not _still_holds(book, version):
        try:
            told = json.loads(place.read_text(encoding="utf-8"))
            version = int(told["version"])
            moved = {(row["of"], row["name"]): row for row in told["moved"]}
            found = Surroundings(frozenset((kind, country) for kind, country in told["kinds"]), moved, told["owed"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        with _guard:
            _kept[place] = (version, found)
    return found if _still_holds(book, version) else None


def _still_holds(book: Book, version: int) -> bool:
    """Have only few facts come since that version, and was none taken out?"""
    since = [row for row in book.ledger.state.rows if row.version > version]
    added = sum(sum(counts.values()) for row in since for counts in row.counts.values())
    return version <= book.version and added <= FACTS_SINCE and all(row.kind in ("post", "import", "compact") for row in since)
