"""Which day does a question mean when it names none?"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

import ibis

from duecourse.desk import answers
from duecourse.desk.remembered import remembered

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from duecourse.ledger.book import Book
    from duecourse.ledger.store import Ledger

FAR: Final = date(9999, 12, 31)
CURRENT_DAYS: Final = 7


def last_day(ledger: Ledger) -> date | None:
    """The latest day on which anything in the ledger happened: an invoice issued, a settlement, an open-item list; None while it is empty.

    Asked once a version, and of what was added alone where nothing else changed since the last time.
    """
    book = ledger.as_of(FAR)
    found = remembered(book, "last day", lambda: _asked(book))
    return None if found is None else date.fromisoformat(str(found)[:10])


DAYS: Final = {"invoice": "issue_date", "settlement": "settle_date", "snapshot": "snapshot_date"}
_answered: dict[tuple[Path, datetime], tuple[int, date | None]] = {}
"""{ledger: the version that was asked last, and its day}."""


def _asked(book: Book) -> date | None:
    ledger = book.ledger
    name = answers.identity(ledger)
    version, before = _answered.get(name, (-1, None)) if name is not None else (-1, None)
    added = answers.added_since(ledger, version, *DAYS)
    found = before if added is not None else None
    tables = {table: getattr(book, table) for table in (DAYS if added is None else added)}
    days = [
        (rows if added is None else rows.filter(rows.source.isin(added[table]))).select(day=rows[DAYS[table]])
        for table, rows in tables.items()
    ]
    if days:
        both = ibis.union(*days) if len(days) > 1 else days[0]
        latest = both.aggregate(day=both.day.max())
        newest: pa.Table = (
            book.run(latest) if added is None else book.run_brought(latest, {one for batches in added.values() for one in batches})
        )
        found = max((day for day in (newest.column("day")[0].as_py(), found) if isinstance(day, date)), default=None)
    if name is not None:
        _answered[name] = (ledger.version, found)
    return found


def default_day(ledger: Ledger) -> date:
    """Today; or, for a ledger whose facts ended more than a week ago, the last day it speaks of.

    A ledger made from last year's export would otherwise show everything as long overdue.
    """
    today = datetime.now(UTC).date()
    found = last_day(ledger)
    if found is None or abs((today - found).days) <= CURRENT_DAYS:
        return today
    return min(found, today)
