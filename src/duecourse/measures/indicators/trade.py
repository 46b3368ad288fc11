"""How much a buyer owes, uses of its limit and orders, against what it used to (额度与订单类预警指标)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import ibis

from duecourse.measures.buyer import buyer_measures
from duecourse.measures.exposure import pending_orders
from duecourse.measures.expressions import ZERO, assemble, count, ratio, total
from duecourse.measures.grain import PER_BUYER
from duecourse.measures.indicators.common import HALF_YEAR, MONTH, QUARTER, YEAR, in_one_currency, within
from duecourse.measures.limits import limits_in_force

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from duecourse.ledger.book import Book

MOST_USED: Final = 10.0
"""A limit used more than ten times over, or of nothing at all, counts as ten times."""
LEAST_ORDERS: Final = 12
LEAST_ORDERS_IN_QUARTER: Final = 6
"""Of fewer, one more or less is a swing."""
_OWED: Final = ("outstanding", "overdue", "credit_sales_365d", "paid_365d")


def standing(book: Book, measured: ir.Table | None = None) -> ir.Table:
    """What does a buyer owe, how much of it late, and how much of all we are owed?  逾期与集中度

    One row per buyer with sales or payments in the last 365 days, or something outstanding.
        PAY02       fraction  overdue ÷ outstanding; 0 where nothing is outstanding
        PAY03_base  float64   the greater of outstanding and a month's sales: what a delay is measured against, as LIM04_owed
        LIM04_owed  float64   outstanding, minor units of the base currency (or the buyer's own)

    measured: what to read instead of `buyer_measures`, with its columns.
    """
    rows = buyer_measures(book) if measured is None else measured
    one = in_one_currency(book, rows.select(*PER_BUYER, *_OWED), _OWED)
    there = one.filter((one.outstanding > 0) | (one.credit_sales_365d > 0) | (one.paid_365d > 0))
    return there.select(
        "buyer_id",
        PAY02=(there.outstanding > 0).ifelse(ratio(there.overdue, there.outstanding), 0.0),
        PAY03_base=ibis.greatest(there.outstanding, there.credit_sales_365d / 12.0),
        LIM04_owed=there.outstanding,
    )


def utilisation(book: Book, owed: ir.Table | None = None) -> ir.Table:
    """How much of its limit does a buyer use, what it has on order included?  信用额度使用率

    One row per buyer with a limit in force.
        LIM01  fraction  (outstanding + orders not yet billed) ÷ limit, at most 10; the firm's own standing and temporary limits, else the
                         insurer's; 10 where the limit is zero and anything is at stake

    owed: what to read instead of `standing`: buyer_id, LIM04_owed.
    """
    limit = limits_in_force(book)
    limit = limit.filter(limit.buyer_id.notnull() & limit.amount_minor.notnull())
    own = limit.kind.isin(["standing", "temporary"])
    granted = limit.select(
        *PER_BUYER,
        granted=own.ifelse(limit.amount_minor, ZERO), insured=(limit.kind == "insurer").ifelse(limit.amount_minor, ZERO),
        own=own.cast("int64"), cover=(limit.kind == "insurer").cast("int64"),
    )  # fmt: skip
    sums = granted.group_by(list(PER_BUYER)).aggregate(**{name: total(granted[name]) for name in ("granted", "insured", "own", "cover")})
    limits = in_one_currency(book, sums, ("granted", "insured"))
    limits = limits.filter(limits.own + limits.cover > 0)
    limits = limits.select("buyer_id", may=(limits.own > 0).ifelse(limits.granted, limits.insured))
    order = pending_orders(book)
    order = order.group_by(list(PER_BUYER)).aggregate(pending=total(order.pending_minor))
    pending = in_one_currency(book, order, ("pending",)).view()
    debt = standing(book) if owed is None else owed
    rows = limits.left_join(debt, "buyer_id").left_join(pending, "buyer_id")
    rows = rows.select(limits.buyer_id, limits.may, stake=ibis.coalesce(debt.LIM04_owed, 0.0) + ibis.coalesce(pending.pending, 0.0))
    used = ibis.least(ratio(rows.stake, rows.may), ibis.literal(MOST_USED))
    nothing = (rows.stake > 0).ifelse(MOST_USED, 0.0)
    return rows.select("buyer_id", LIM01=(rows.may > 0).ifelse(used, nothing))


def insurer_cover(book: Book) -> ir.Table:
    """Has the insurer's limit fallen since half a year ago?  保险限额变化

    One row per buyer with an insurer's limit in force then or now.
        LIM02_lost  fraction  of the limit of then that is gone: 1 = withdrawn, ended or run out; 0 = as high as it was, or higher
    """
    now, then = (_insured(replace(book, on=on), name) for on, name in ((book.on, "now"), (book.on - timedelta(days=HALF_YEAR), "was")))
    rows = assemble(PER_BUYER, now, then)
    one = in_one_currency(book, rows.mutate(now=ibis.coalesce(rows.now, ZERO), was=ibis.coalesce(rows.was, ZERO)), ("now", "was"))
    lost = ratio(one.was - one.now, one.was)
    return one.select("buyer_id", LIM02_lost=((one.was > 0) & (lost > 0)).ifelse(lost, 0.0))


def _insured(book: Book, name: str) -> ir.Table:
    rows = limits_in_force(book)
    rows = rows.filter((rows.kind == "insurer") & rows.buyer_id.notnull() & rows.amount_minor.notnull())
    return rows.group_by(list(PER_BUYER)).aggregate(**{name: total(rows.amount_minor)})


def ordering(book: Book) -> ir.Table:
    """Does a buyer order much more, or much less, than it used to?  突增与骤降采购

    One row per buyer with an order, or else an invoice, in the last 455 days: of a buyer that has placed an order in the last 365 days its orders count
    (cancelled ones left out), of any other its invoices.
        LIM03         ratio     last 30 days ÷ a month's mean of the 365 days before; null with fewer than 12 of them, or none older than half a year
        LIM03_season  ratio     last 30 days ÷ the same 30 days a year ago; null where those had none
        LIM05         fraction  last 90 days against the same 90 days a year ago, −1 = nothing any more; null where those had fewer than 6
    """
    order, invoice = book.order, book.invoice
    ordered = order.filter(within(order.order_date, book, YEAR + QUARTER) & (ibis.coalesce(order.status, "open") != "cancelled"))
    placed = ordered.select(*PER_BUYER, when=ordered.order_date, amount=ordered.amount_minor, is_order=ZERO + 1)
    billed = invoice.filter(within(invoice.issue_date, book, YEAR + QUARTER) & (ibis.coalesce(invoice.kind, "invoice") == "invoice"))
    issued = billed.select(*PER_BUYER, when=billed.issue_date, amount=billed.amount_minor, is_order=ZERO)
    rows = placed.union(issued)
    windows = {
        "lately": within(rows.when, book, MONTH),
        "before": within(rows.when, book, YEAR, MONTH),
        "long_ago": within(rows.when, book, YEAR + MONTH - HALF_YEAR, HALF_YEAR),
        "month_then": within(rows.when, book, MONTH, YEAR),
        "quarter": within(rows.when, book, QUARTER),
        "quarter_then": within(rows.when, book, QUARTER, YEAR),
        "year": within(rows.when, book, YEAR),
    }
    sums = rows.group_by([*PER_BUYER, "is_order"]).aggregate(
        **{name: total(rows.amount, where=windows[name]) for name in ("lately", "before", "month_then", "quarter", "quarter_then")},
        **{f"count_{name}": count(windows[name]) for name in ("before", "long_ago", "quarter_then", "year")},
    )
    amounts = ("lately", "before", "month_then", "quarter", "quarter_then")
    one = in_one_currency(book, sums, amounts, by=("buyer_id", "is_order"))
    buyer = ibis.window(group_by="buyer_id", preceding=None, following=None)
    one = one.mutate(orders=((one.is_order == 1).ifelse(one.count_year, ZERO)).max().over(buyer))
    one = one.filter((one.is_order == 1) == (one.orders > 0))
    usual = one.before * (float(MONTH) / YEAR)
    nothing = ibis.null("float64")
    known = (one.count_before >= LEAST_ORDERS) & (one.count_long_ago > 0) & (usual > 0)
    season = (one.count_quarter_then >= LEAST_ORDERS_IN_QUARTER) & (one.quarter_then > 0)
    return one.select(
        "buyer_id",
        LIM03=known.ifelse(ratio(one.lately, usual), nothing),
        LIM03_season=(one.month_then > 0).ifelse(ratio(one.lately, one.month_then), nothing),
        LIM05=season.ifelse(ratio(one.quarter, one.quarter_then) - 1.0, nothing),
    )
