"""Windows and periods of a measure: `(on − N, on]`, calendar months back, and what must be true of them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from duecourse.calendar import months_back
from duecourse.errors import HistoryTooShortError, WindowInvalidError

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from duecourse.ledger.book import Book


def checked(name: str, value: int, low: int, high: int) -> int:
    """The value, if it lies between `low` and `high`; else WindowInvalidError."""
    if not low <= value <= high:
        raise WindowInvalidError(name=name, value=value, low=low, high=high)
    return value


def days_before(on: date, days: int) -> date:
    """The day `days` before `on`: a window of N days is (on − N, on], N days with `on` as the last."""
    return on - timedelta(days=days)


def month_index(of: ir.DateValue, on: date) -> ir.IntegerValue:
    """How many calendar months before that of `on` a day lies: 0 = the same month."""
    return (on.year * 12 + on.month) - (of.year().cast("int64") * 12 + of.month().cast("int64"))


def first_day(on: date, months: int) -> date:
    """The first day of the `months` calendar months that end with the one of `on`."""
    return months_back(on, months)[-1][0]


def last_month_end(on: date) -> date:
    """The close of the calendar month before that of `on`: where a month to date begins."""
    return on.replace(day=1) - timedelta(days=1)


def require_history(book: Book, measure: str, needed: date) -> None:
    """Raise HistoryTooShortError if the book's first invoice is later than `needed`.

    Only for figures that would be wrong, not merely thin, without the earlier facts. Reads the book.
    """
    first = book.run(book.invoice.aggregate(first=book.invoice.issue_date.min()))["first"][0].as_py()
    if first is not None and first > needed:
        raise HistoryTooShortError(name=measure, needed=needed, first=first)
