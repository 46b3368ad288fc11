"""What sales shrink by without money coming in: credit notes, returns, discounts, deductions (稀释)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from duecourse.measures.dso import credit_sales
from duecourse.measures.expressions import gather, ratio, total
from duecourse.measures.grain import PER_CURRENCY, grain, with_grain
from duecourse.measures.payment import WINDOW_DAYS
from duecourse.measures.positions import attributed, is_dilution
from duecourse.measures.windows import checked, days_before

if TYPE_CHECKING:
    from collections.abc import Sequence

    import ibis.expr.types as ir

    from duecourse.ledger.book import Book


def _credits(book: Book, columns: Sequence[str], window_days: int) -> ir.Table:
    rows = attributed(book, since=days_before(book.on, window_days))
    return with_grain(book, rows.filter(is_dilution(rows)), columns)


def dilution(book: Book, *, per: Sequence[str] = PER_CURRENCY, window_days: int = WINDOW_DAYS) -> ir.Table:
    """How much of what we bill is taken back without being paid?  稀释率

    Credit notes, returns, discounts and deductions of the last `window_days` days, applied or not, over the gross sales of the same
    days. One row per grain with either.
        credit_sales   int64
        credits        int64
        dilution_rate  float64  credits / credit sales; null without sales

    window_days: 1 to 3660.
    """
    columns = grain(per)
    checked("window_days", window_days, 1, 3660)
    taken = _credits(book, columns, window_days)
    rows = gather(
        columns,
        credit_sales(book, since=days_before(book.on, window_days), per=columns).drop("invoices"),
        taken.select(*columns, credits=taken.amount_minor),
    )
    return rows.mutate(dilution_rate=ratio(rows.credits, rows.credit_sales))


def dilution_by_kind(book: Book, *, per: Sequence[str] = PER_CURRENCY, window_days: int = WINDOW_DAYS) -> ir.Table:
    """What are sales diluted by?  稀释构成

    One row per grain and kind (credit_note, return, discount, deduction) that occurs in the window.
        kind     string
        credits  int64
        items    int64
        share    float64  of the grain's credits
    """
    columns = grain(per)
    checked("window_days", window_days, 1, 3660)
    taken = _credits(book, columns, window_days)
    kinds = taken.group_by([*columns, "kind"]).aggregate(credits=total(taken.amount_minor), items=taken.count())
    whole = kinds.credits.sum().over(ibis.window(group_by=list(columns), preceding=None, following=None))
    return kinds.mutate(share=ratio(kinds.credits, whole))
