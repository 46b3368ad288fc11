"""What a buyer could cost us if it failed today: what it owes, what has been released to it and is not billed, what it still has on order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from duecourse.measures.expressions import ZERO, assemble, gather, or_zero, positive, total
from duecourse.measures.grain import PER_BUYER, grain, with_grain
from duecourse.measures.positions import unapplied
from duecourse.measures.receivables import open_items

if TYPE_CHECKING:
    from collections.abc import Sequence

    import ibis.expr.types as ir

    from duecourse.ledger.book import Book


def pending_orders(book: Book) -> ir.Table:
    """Which orders are not billed in full, and how much of each is still to come?  未开票订单

    One row per order that is neither cancelled nor invoiced in full: the order's facts (status never null), and
        invoiced_minor  int64  billed so far: invoices that name the order, of the same buyer (or its payer) and currency
        pending_minor   int64  amount less invoiced_minor, above zero
    """
    order = book.order.mutate(status=ibis.coalesce(book.order.status, ibis.literal("open")))
    order = order.filter(order.status.isin(["open", "released"]))
    billed = _billed(book)
    joined = order.left_join(
        billed, [order.order_id == billed.order_number, order.buyer_id == billed.account_id, order.currency == billed.currency]
    )
    rows = joined.select(*(order[name] for name in order.columns), invoiced_minor=or_zero(billed.invoiced_minor))
    rows = rows.mutate(pending_minor=rows.amount_minor - rows.invoiced_minor)
    return rows.filter(rows.pending_minor > 0)


def _billed(book: Book) -> ir.Table:
    """What has been billed under each order number: one row per number, account and currency. An invoice stands under who owes it and who ordered."""
    invoice = book.invoice.filter(book.invoice.order_number.notnull())
    columns = ["order_number", "account_id", "currency", "amount_minor"]
    owing = invoice.mutate(account_id=invoice.buyer_id).select(columns)
    other = invoice.filter(invoice.orderer_id.notnull() & (invoice.orderer_id != invoice.buyer_id))
    rows = owing.union(other.mutate(account_id=other.orderer_id).select(columns))
    return rows.group_by(columns[:3]).aggregate(invoiced_minor=total(rows.amount_minor)).view()


def credit_exposure(book: Book, *, per: Sequence[str] = PER_BUYER, tolerance_days: int = 0) -> ir.Table:
    """How much is at stake with each buyer?  信用敞口

    One row per buyer (or other grain) and currency with an open item, an unapplied credit or a pending order.
        outstanding              int64  Σ open balances above zero 应收账款余额
        overdue                  int64  of it past due
        overdue_beyond           int64  of it more than `tolerance_days` past due
        oldest_days_past_due     int64  of the oldest item past due; null when nothing is
        unapplied_credits        int64  advances, overpayments, unapplied cash 未核销贷项, shown apart
        net                      int64  outstanding less unapplied credits
        released_not_invoiced    int64  released orders, less what was billed of them 已放行未开票
        open_orders              int64  orders not released yet, less what was billed of them 未放行订单
        exposure                 int64  outstanding + released_not_invoiced 信用敞口; credits are not taken off

    tolerance_days: 0 to 365, how late an item may be before it counts in `overdue_beyond`.
    """
    columns = grain(per)
    item = with_grain(book, open_items(book), columns)
    loose = with_grain(book, unapplied(book), columns)
    order = with_grain(book, pending_orders(book), columns)
    owed = positive(item.open_minor)
    late = item.is_overdue & ibis.coalesce(item.days_past_due > tolerance_days, ibis.literal(value=False))
    released = order.status == "released"
    sums = gather(
        columns,
        item.select(
            *columns,
            outstanding=owed,
            overdue=item.is_overdue.ifelse(owed, ZERO),
            overdue_beyond=late.ifelse(owed, ZERO),
            unapplied_credits=positive(-item.open_minor),
        ),
        loose.select(*columns, unapplied_credits=loose.amount_minor),
        order.select(
            *columns,
            released_not_invoiced=released.ifelse(order.pending_minor, ZERO),
            open_orders=released.ifelse(ZERO, order.pending_minor),
        ),
    )
    overdue = item.filter(item.is_overdue)
    oldest = overdue.group_by(list(columns)).aggregate(oldest_days_past_due=overdue.days_past_due.max())
    rows = assemble(columns, sums, oldest)
    return rows.select(
        *columns,
        "outstanding",
        "overdue",
        "overdue_beyond",
        "oldest_days_past_due",
        "unapplied_credits",
        net=rows.outstanding - rows.unapplied_credits,
        released_not_invoiced=rows.released_not_invoiced,
        open_orders=rows.open_orders,
        exposure=rows.outstanding + rows.released_not_invoiced,
    )
