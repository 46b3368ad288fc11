"""How long a buyer has been with us and how much it has bought (合作年限)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from duecourse.measures.expressions import as_int64, assemble, count, day, days_between, or_zero, positive, total
from duecourse.measures.grain import PER_BUYER
from duecourse.measures.payment import WINDOW_DAYS
from duecourse.measures.positions import attributed
from duecourse.measures.windows import days_before

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from duecourse.ledger.book import Book


def tenure(book: Book) -> ir.Table:
    """How long have we sold to this buyer, how much, and how much did it ever owe?  合作年限与采购额

    One row per buyer and currency with an invoice or settlement.
        customer_since    date   as the buyer's profile says
        first_issue_date  date   of the first invoice of the book
        last_issue_date   date
        tenure_days       int64  days from the earlier of customer_since and the first invoice to the book's day
        purchases         int64  Σ invoices ever
        purchases_365d    int64  Σ invoices of the last 365 days
        invoices          int64
        peak_balance      int64  最高余额: highest end-of-day balance ever (invoices less all settlements); never below 0
        peak_balance_on   date   the first day it stood there; null where it never rose above 0
    """
    invoice, settled = book.invoice, attributed(book)
    year = invoice.issue_date > day(days_before(book.on, WINDOW_DAYS))
    bought = invoice.group_by(list(PER_BUYER)).aggregate(
        first_issue_date=invoice.issue_date.min(),
        last_issue_date=invoice.issue_date.max(),
        purchases=total(invoice.amount_minor),
        purchases_365d=total(invoice.amount_minor, where=year),
        invoices=count(invoice.amount_minor.notnull()),
    )
    up = invoice.select(*PER_BUYER, moved_on=invoice.issue_date, moved=invoice.amount_minor)
    down = settled.select(*PER_BUYER, moved_on=settled.settle_date, moved=-settled.amount_minor)
    both = up.union(down)
    daily = both.group_by([*PER_BUYER, "moved_on"]).aggregate(moved=total(both.moved))
    running = ibis.window(group_by=list(PER_BUYER), order_by="moved_on", preceding=None, following=0)
    daily = daily.mutate(stand=as_int64(daily.moved.sum().over(running)))
    whole = ibis.window(group_by=list(PER_BUYER), preceding=None, following=None)
    daily = daily.mutate(top=daily.stand.max().over(whole))
    peak = daily.group_by(list(PER_BUYER)).aggregate(
        top=daily.top.max(), peak_balance_on=daily.moved_on.min(where=(daily.stand == daily.top) & (daily.top > 0))
    )
    rows = assemble(PER_BUYER, bought, peak)
    buyer = book.buyer.select("buyer_id", "customer_since")
    since = ibis.least(buyer.customer_since, rows.first_issue_date)
    return rows.left_join(buyer, "buyer_id").select(
        *(rows[name] for name in PER_BUYER),
        buyer.customer_since,
        rows.first_issue_date,
        rows.last_issue_date,
        tenure_days=days_between(day(book.on), ibis.coalesce(since, buyer.customer_since, rows.first_issue_date)),
        purchases=or_zero(rows.purchases),
        purchases_365d=or_zero(rows.purchases_365d),
        invoices=or_zero(rows.invoices),
        peak_balance=positive(or_zero(rows.top)),
        peak_balance_on=rows.peak_balance_on,
    )
