"""What has to be looked at once a month: have inputs, grades and verdicts drifted, and were the probabilities right?  月度复盘"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from duecourse.calendar import add_months, month_end
from duecourse.desk import answers
from duecourse.desk.drift import YEAR, drift
from duecourse.desk.remembered import remembered
from duecourse.desk.replaying import as_known
from duecourse.desk.rivals import warned_then
from duecourse.errors import ReviewTooEarlyError
from duecourse.measures.expressions import day as day_of
from duecourse.review.drift import VERDICTS, calibration
from duecourse.review.early_warning import SIX_MONTHS
from duecourse.risk.outcomes import default_events, defaults, definition

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from duecourse.ledger.book import Book

compute: Any = pc
HALF_YEARS: Final = 4
"""So many half-years are looked back on: each buyer's six months counted once in each."""
HALF: Final = 6
MONTHS: Final = 12


def last_month_end(on: date) -> date:
    """The last month end that is over on this day."""
    end = month_end(on)
    return end if end == on else month_end(add_months(on, -1))


def monthly_review(book: Book, *, days: int = YEAR, progress: Callable[[float], None] | None = None) -> dict[str, Any]:
    """Do the scores still fit, by the month end the book stands on?  月度复盘

    Plain data, kept for this state of the ledger: all of `desk.drift.drift`, and
        calibration   {month end asked: {rows, expected, observed, low, high, is_right}}: the probabilities of default within six months given at up
                      to four month ends, each six months before the next and the last six months before this one; a month end at which the
                      history was too short for the model is left out
        by_month      [{month, true, false, known}] of the alerts people closed in the last twelve months, oldest first

    Raises ReviewTooEarlyError where no invoice is a year old.
    """
    if progress:
        progress(0.0)
    if not book.run(book.invoice.filter(book.invoice.issue_date <= day_of(book.on - timedelta(days=days))).count().as_table())[0][
        0
    ].as_py():
        raise ReviewTooEarlyError(on=book.on)
    moved = drift(book, days=days)
    if progress:
        progress(0.4)
    question = f"monthly review {days} {answers.beside_version(book.ledger)}"
    more: dict[str, Any] = remembered(
        book.whole, question, lambda: {"calibration": _calibration(book.whole, progress), "by_month": _by_month(book.whole)}
    )
    return {**moved, **more}


def _calibration(book: Book, progress: Callable[[float], None] | None) -> dict[str, Any]:
    rows = defaults(default_events(book, definition(settings=book.settings)))
    period: list[str] = []
    given: list[npt.NDArray[np.float64]] = []
    failed: list[npt.NDArray[np.bool_]] = []
    for number in range(HALF_YEARS, 0, -1):
        day = month_end(add_months(book.on, -HALF * number))
        found = warned_then(as_known(book, day))
        found = found.filter(compute.is_valid(found["probability_6m"]))
        found = found.filter(compute.invert(compute.is_in(found["buyer_id"], _in_default(rows, day))))
        if found.num_rows:
            period += [day.isoformat()] * found.num_rows
            given.append(np.asarray(found["probability_6m"].to_numpy(), np.float64))
            failed.append(compute.is_in(found["buyer_id"], _defaulting(rows, day)).to_numpy())
        if progress:
            progress(0.4 + 0.6 * (HALF_YEARS - number + 1) / HALF_YEARS)
    if not given:
        return {}
    judged = calibration(period, np.concatenate(given), np.concatenate(failed))
    return {name: {**asdict(one), "is_right": one.is_right} for name, one in judged.items()}


def _in_default(rows: pa.Table, day: date) -> Any:
    """Buyers that were in default that day, as it was known then."""
    before = compute.less_equal(rows["known_on"], pa.scalar(day))
    lasting = compute.fill_null(compute.greater(rows["cured_on"], pa.scalar(day)), fill_value=True)
    return rows.filter(compute.and_(before, lasting))["buyer_id"].combine_chunks()


def _defaulting(rows: pa.Table, day: date) -> Any:
    """Buyers that defaulted within the six months after."""
    after = compute.greater(rows["happened_on"], pa.scalar(day))
    within = compute.less_equal(rows["happened_on"], pa.scalar(day + timedelta(days=SIX_MONTHS)))
    return rows.filter(compute.and_(after, within))["buyer_id"].combine_chunks()


def _by_month(book: Book) -> list[dict[str, Any]]:
    decision = book.decision
    since = month_end(add_months(book.on, -MONTHS))
    rows = book.run(
        decision.filter((decision.kind == "alert") & (decision.decided_on > day_of(since))).select("outcome", "decided_on")
    ).to_pylist()
    counts = Counter((f"{row['decided_on']:%Y-%m}", str(row["outcome"])) for row in rows)
    months = [f"{month_end(add_months(since, number)):%Y-%m}" for number in range(1, MONTHS + 1)]
    told: list[dict[str, Any]] = [{"month": month, **{name: counts[month, name] for name in VERDICTS}} for month in months]
    return told
