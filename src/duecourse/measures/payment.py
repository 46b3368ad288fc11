"""How buyers pay: how late, how steadily, on what terms. Only payments count (cash, allocation, set-off, unknown), never credits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import ibis

from duecourse.measures.expressions import day, days_between, or_zero, positive, ratio, total
from duecourse.measures.grain import PER_BUYER, PER_CURRENCY, grain, with_grain
from duecourse.measures.positions import applied, invoices, is_payment
from duecourse.measures.windows import checked, days_before

if TYPE_CHECKING:
    from collections.abc import Sequence

    import ibis.expr.types as ir

    from duecourse.ledger.book import Book

WINDOW_DAYS: Final = 365
SHORT_WINDOW_DAYS: Final = 90


def _payments(book: Book, columns: Sequence[str], window_days: int) -> ir.Table:
    paid = applied(book, since=days_before(book.on, window_days))
    paid = with_grain(book, paid.filter(is_payment(paid)), columns)
    return paid.mutate(days_late=days_between(paid.settle_date, paid.due_date))


def days_beyond_terms(book: Book, *, per: Sequence[str] = PER_BUYER, window_days: int = WINDOW_DAYS) -> ir.Table:
    """How late was the money that came in?  平均超期天数 (DBT)

    Payments on invoices in the last `window_days` days, each weighted by its amount. One row per grain with such a payment.
        paid                      int64    Σ payments; a payment taken back counts against it
        payments                  int64
        days_beyond_terms         float64  signed: early payment counts against late
        days_beyond_terms_floored float64  early payment counts as 0
        within_terms_share        float64  share of the amount paid on or before the due date
        inferred_share            float64  share of the amount known only from open-item lists: paid somewhere between two lists, counted at the later

    The day figures are null where the payments come to zero. Payments of invoices without a due date are in `paid` alone.
    window_days: 1 to 3660.
    """
    columns = grain(per)
    checked("window_days", window_days, 1, 3660)
    rows = _payments(book, columns, window_days)
    dated = rows.due_date.notnull()
    sums = rows.group_by(list(columns)).aggregate(
        paid=total(rows.amount_minor),
        payments=rows.count(),
        weight=total(rows.amount_minor, where=dated),
        signed=(rows.amount_minor * rows.days_late).sum(),
        floored=(rows.amount_minor * positive(rows.days_late)).sum(where=dated),
        punctual=total(rows.amount_minor, where=rows.days_late <= 0),
        inferred=total(rows.amount_minor, where=rows.inferred),
    )
    return sums.select(
        *columns,
        "paid",
        "payments",
        days_beyond_terms=ratio(or_zero(sums.signed), sums.weight),
        days_beyond_terms_floored=ratio(or_zero(sums.floored), sums.weight),
        within_terms_share=ratio(sums.punctual, sums.weight),
        inferred_share=ratio(sums.inferred, sums.paid),
    )


def payment_trend(
    book: Book, *, per: Sequence[str] = PER_BUYER, short_days: int = SHORT_WINDOW_DAYS, long_days: int = WINDOW_DAYS
) -> ir.Table:
    """Is a buyer paying later than it used to?  付款周期变化

    One row per grain with a payment on an invoice in the long window.
        paid_short, paid_long                            int64
        days_beyond_terms_short, days_beyond_terms_long  float64  signed, weighted by amount
        days_beyond_terms_trend                          float64  short less long: above 0 = paying later than usual; null without either

    short_days: 1 to long_days; long_days: up to 3660.
    """
    columns = grain(per)
    checked("long_days", long_days, 1, 3660)
    checked("short_days", short_days, 1, long_days)
    rows = _payments(book, columns, long_days)
    dated = rows.due_date.notnull()
    lately = rows.settle_date > day(days_before(book.on, short_days))
    weighted = rows.amount_minor * rows.days_late
    sums = rows.group_by(list(columns)).aggregate(
        paid_short=total(rows.amount_minor, where=lately),
        paid_long=total(rows.amount_minor),
        short_weight=total(rows.amount_minor, where=lately & dated),
        long_weight=total(rows.amount_minor, where=dated),
        short_days=or_zero(weighted.sum(where=lately)),
        long_days=or_zero(weighted.sum()),
    )
    short, long = ratio(sums.short_days, sums.short_weight), ratio(sums.long_days, sums.long_weight)
    return sums.select(
        *columns,
        "paid_short",
        "paid_long",
        days_beyond_terms_short=short,
        days_beyond_terms_long=long,
        days_beyond_terms_trend=short - long,
    )


def term_mix(book: Book, *, per: Sequence[str] = PER_CURRENCY, window_days: int = WINDOW_DAYS) -> ir.Table:
    """On what terms do we sell?  账期结构

    One row per grain and payment term of the invoices issued in the last `window_days` days.
        term_days     int64    credit period: as the invoice states it, else days from issue to due date; null = neither is known
        credit_sales  int64
        invoices      int64
        share         float64  of the grain's sales
    """
    columns = grain(per)
    checked("window_days", window_days, 1, 3660)
    rows = invoices(book)
    rows = with_grain(book, rows.filter(rows.issue_date > day(days_before(book.on, window_days))), columns)
    term = ibis.coalesce(rows.payment_terms_days.cast("int64"), days_between(rows.due_date, rows.issue_date))
    rows = rows.mutate(term_days=term)
    mix = rows.group_by([*columns, "term_days"]).aggregate(credit_sales=total(rows.amount_minor), invoices=rows.count())
    whole = mix.credit_sales.sum().over(ibis.window(group_by=list(columns), preceding=None, following=None))
    return mix.mutate(share=ratio(mix.credit_sales, whole))
