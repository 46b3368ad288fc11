"""Which day does a question mean when it names none?"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

import ibis

from duecourse.desk.remembered import remembered

if TYPE_CHECKING:
    import pyarrow as pa

    from duecourse.ledger.book import Book
    from duecourse.ledger.store import Ledger

FAR: Final = date(9999, 12, 31)
CURRENT_DAYS: Final = 7


def last_day(ledger: Ledger) -> date | None:
    """The latest day on which anything in the ledger happened: an invoice issued, a settlement, an open-item list; None while it is empty.

    Asked once a version.
    """
    book = ledger.as_of(FAR)
    found = remembered(book, "last day", lambda: _asked(book))
    return None if found is None else date.fromisoformat(str(found)[:10])


def _asked(book: Book) -> date | None:
    days = [
        book.invoice.select(day=book.invoice.issue_date),
        book.settlement.select(day=book.settlement.settle_date),
        book.snapshot.select(day=book.snapshot.snapshot_date),
    ]
    both = ibis.union(*days)
    newest: pa.Table = book.run(both.aggregate(day=both.day.max()))
    found = newest.column("day")[0].as_py()
    return found if isinstance(found, date) else None


def default_day(ledger: Ledger) -> date:
    """Today; or, for a ledger whose facts ended more than a week ago, the last day it speaks of.

    A ledger made from last year's export would otherwise show everything as long overdue.
    """
    today = datetime.now(UTC).date()
    found = last_day(ledger)
    if found is None or abs((today - found).days) <= CURRENT_DAYS:
        return today
    return min(found, today)
