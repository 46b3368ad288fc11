"""Keeping a ledger quick: when its files are many and the work is small, put them in order."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from duecourse.engines.fused import ensure
from duecourse.engines.fused.projection import current
from duecourse.errors import DuecourseError
from duecourse.ledger.store import Ledger

if TYPE_CHECKING:
    from duecourse.engines.fused.projection import Projection
    from duecourse.ledger.book import Keeper

BATCHES: Final = 16
"""After so many batches since the last time, a table has as many files, and every question opens them all."""

A_NIGHTS_WORK: Final = 4
"""The same for a job nobody waits for."""

MANY: Final = 64
"""After so many a small ledger is put in order by day as well: every post looks through all of its files."""

ROWS: Final = 2_000_000
"""Up to here putting the files in order takes seconds; above, it is a job for the night: `duecourse compact`."""


LARGE: Final = 1_000_000
"""Up to here the columns of the fused pass are made while somebody waits, in about a second; above, by a job."""


def columns_of(ledger: Keeper) -> Projection | None:
    """The columns every figure is quickest from: of a small ledger made now if need be, of a large one only those that are there.

    None for a ledger in memory or in an object store, and where none can be written: then the expressions answer.
    """
    if not isinstance(ledger, Ledger) or not ledger.storage.local:
        return None
    found = current(ledger)
    if found is None and _rows(ledger) < LARGE:
        with contextlib.suppress(DuecourseError, OSError):
            found = ensure(ledger)
    return found


def put_in_order(ledger: Ledger) -> None:
    """Sort the ledger's files by buyer and, for a large ledger on this machine, lay out the columns of the refresh.  整理台账"""
    ledger.compact()
    if ledger.storage.local and _rows(ledger) >= LARGE:
        ensure(ledger)
    lay_at_hand(ledger)


def lay_at_hand(ledger: Ledger) -> None:
    """Have each buyer's rows at hand for the pages about one buyer; where that cannot be written, they are read from the tables."""
    with contextlib.suppress(DuecourseError, OSError, pa.ArrowInvalid):
        ledger.lay_at_hand()


def compact_if_cheap(ledger: Ledger) -> bool:
    """Compact a small ledger that has gathered many files; says whether it did."""
    if _changes_since(ledger) < BATCHES or _rows(ledger) > ROWS:
        return False
    ledger.compact()
    return True


def is_overdue(ledger: Ledger) -> bool:
    """Have so many files gathered, in so small a ledger, that it should be put in order now?"""
    return _changes_since(ledger) >= MANY and _rows(ledger) <= ROWS


def worth_it(ledger: Ledger) -> bool:
    """Have so many files gathered that a night's work of putting them in order pays?"""
    return _changes_since(ledger) >= A_NIGHTS_WORK


def _changes_since(ledger: Ledger) -> int:
    since = 0
    for row in ledger.journal():
        since = 0 if row.kind == "compact" else since + 1
    return since


def _rows(ledger: Ledger) -> int:
    return sum(counts.get("added", 0) for row in ledger.journal() for counts in row.counts.values())
