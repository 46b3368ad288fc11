"""Keeping a ledger quick: when its files are many and the work is small, put them in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from duecourse.ledger.store import Ledger

BATCHES: Final = 16
"""After so many batches since the last time, a table has as many files, and every question opens them all."""

ROWS: Final = 2_000_000
"""Up to here putting the files in order takes seconds; above, it is a job for the night: `duecourse compact`."""


def compact_if_cheap(ledger: Ledger) -> bool:
    """Compact a small ledger that has gathered many files; says whether it did."""
    since = 0
    rows = 0
    for row in ledger.journal():
        rows += sum(counts.get("added", 0) for counts in row.counts.values())
        since = 0 if row.kind == "compact" else since + 1
    if since < BATCHES or rows > ROWS:
        return False
    ledger.compact()
    return True
