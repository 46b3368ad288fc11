"""Days, months and working days."""

from __future__ import annotations

from datetime import date, timedelta


def months_back(on: date, count: int) -> list[tuple[date, date]]:
    """The last `count` calendar months as (first day, last day), latest first; the latest ends on `on`."""
    months = []
    end = on
    for _ in range(count):
        start = end.replace(day=1)
        months.append((start, end))
        if start == date.min:
            break
        end = start - timedelta(days=1)
    return months
