"""How long after their due dates a buyer's invoices stay unpaid, block by block back from the book's day: what shows that a buyer begins to pay later.

Delays of paid invoices alone look best just before a failure, as the worst invoices are never paid. Here an open invoice counts with its age, and both
are compared within the same reach: an invoice that fell due fifteen days ago can say something about the first fifteen days, not about the first sixty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import ibis

from duecourse.measures.expressions import as_int64, count, day, days_between, or_zero
from duecourse.measures.positions import ITEM, is_payment
from duecourse.measures.windows import checked, days_before

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from duecourse.ledger.book import Book

BLOCK_DAYS: Final = 15
BLOCKS: Final = 32
REACHES: Final = (15, 30, 60)
"""Days after the due date up to which delays are followed."""

ITEM_DAYS: Final = 1095
DAYS_RANKED: Final = 1 << 17
LARGEST_RANKED: Final = 1 << 45

EARLIEST: Final = -30
"""A payment earlier than so many days before its due date (an advance) says no more than one on that day."""


def due_blocks(book: Book, *, blocks: int = BLOCKS) -> ir.Table:
    """How late were the invoices that fell due in each stretch of fifteen days?  逐段到期付款表现

    One row per buyer and block with an invoice that fell due in it: block 0 is (on − 15, on], block 1 the fifteen days before.
        buyer_id       string
        block          int64
        items          int64    invoices and instalments that fell due
        unpaid         int64    of them open on the book's day
        late_15, late_30, late_60       int64   of them not settled within so many days of the due date (the age counts while open)
        days_15, days_30, days_60       int64   Σ days from due date to settlement, at least −30 and at most so many; while open, the age
        squares_30     int64    Σ of the squares of the days of days_30

    An invoice is settled when nothing of it is open, on the day of its last settlement. Amounts of several currencies are not mixed: each
    invoice counts once. Blocks younger than a reach know the delay only up to their age.
    blocks: 1 to 96.
    """
    checked("blocks", blocks, 1, 96)
    invoice, settlement = book.invoice, book.settlement
    on = day(book.on)
    invoice = invoice.filter((invoice.due_date <= on) & (invoice.due_date > day(days_before(book.on, blocks * BLOCK_DAYS))))
    named = settlement.filter(settlement.invoice_id.notnull())
    paid = named.group_by(list(ITEM)).aggregate(settled=named.amount_minor.sum(), last=named.settle_date.max())
    rows = invoice.left_join(paid, list(ITEM)).select(
        invoice.buyer_id, age=days_between(on, invoice.due_date),
        still_open=invoice.amount_minor - or_zero(paid.settled) > 0, delay=days_between(paid.last, invoice.due_date),
    )  # fmt: skip
    delay = ibis.greatest(
        rows.still_open.ifelse(rows.age, ibis.coalesce(rows.delay, ibis.literal(0, "int64"))), ibis.literal(EARLIEST, "int64")
    )
    rows = rows.select("buyer_id", "still_open", delay=delay, block=as_int64((rows.age.cast("float64") / float(BLOCK_DAYS)).floor()))
    within = {reach: ibis.least(rows.delay, ibis.literal(reach, "int64")) for reach in REACHES}
    return rows.group_by(["buyer_id", "block"]).aggregate(
        items=rows.count(),
        unpaid=count(rows.still_open),
        **{f"late_{reach}": count(rows.delay >= reach) for reach in REACHES},
        **{f"days_{reach}": as_int64(within[reach].sum()) for reach in REACHES},
        squares_30=as_int64((within[30] * within[30]).sum()),
    )


def due_items(book: Book, *, days: int = ITEM_DAYS) -> ir.Table:
    """When was each invoice paid that fell due of late?  逐笔到期与付款

    One row per invoice and instalment that fell due within so many days up to the book's day.
        buyer_id   string
        due_ago    int64    days since it fell due
        delay      int64    days from then to its payment (negative: before); null while less than half of it is settled

    It is paid on the day of its largest settlement: what a deduction or a part-payment leaves open is no lateness of the buyer.
    days: 1 to 3,650.
    """
    checked("days", days, 1, 3650)
    invoice, settlement = book.invoice, book.settlement
    on = day(book.on)
    invoice = invoice.filter((invoice.due_date <= on) & (invoice.due_date > day(days_before(book.on, days))) & (invoice.amount_minor > 0))
    named = settlement.filter(settlement.invoice_id.notnull() & (settlement.amount_minor > 0))
    # One number for the amount first and the earlier day second, so that the answer does not hang on the order of rows.
    before = days_between(on, named.settle_date)
    ranked = named.mutate(ranked=ibis.least(named.amount_minor, LARGEST_RANKED) * DAYS_RANKED + ibis.least(before, DAYS_RANKED - 1))
    paid = ranked.group_by(list(ITEM)).aggregate(settled=ranked.amount_minor.sum(), largest=ranked.ranked.max())
    rows = invoice.left_join(paid, list(ITEM)).select(
        invoice.buyer_id, due_ago=days_between(on, invoice.due_date),
        is_paid=or_zero(paid.settled) * 2 >= invoice.amount_minor, paid_ago=paid.largest % DAYS_RANKED,
    )  # fmt: skip
    return rows.select("buyer_id", "due_ago", delay=rows.is_paid.ifelse(rows.due_ago - rows.paid_ago, ibis.null("int64")))


def trade_blocks(book: Book, *, blocks: int = BLOCKS) -> ir.Table:
    """What was billed and what was paid in each stretch of fifteen days?  逐段开票与回款

    One row per buyer and block in which an invoice was issued or a payment came in.
        buyer_id, block      as in `due_blocks`, by issue date and by settlement date
        billed, paid         int64    invoices issued; payments on invoices of the book
        overdue_paid         int64    payments of them more than fifteen days after the due date
        paid_days            int64    Σ days from due date to payment, between −30 and 120
    blocks: 1 to 96.
    """
    checked("blocks", blocks, 1, 96)
    on, since = day(book.on), day(days_before(book.on, blocks * BLOCK_DAYS))
    invoice, settlement = book.invoice, book.settlement

    def block(of: ir.DateValue) -> ir.IntegerValue:
        return as_int64((days_between(on, of).cast("float64") / float(BLOCK_DAYS)).floor())

    issued = invoice.filter(invoice.issue_date > since)
    billed = issued.select("buyer_id", block=block(issued.issue_date), billed=1, paid=0, overdue_paid=0, paid_days=0)
    money = settlement.filter(is_payment(settlement) & (settlement.settle_date > since))
    applied = money.inner_join(invoice, list(ITEM)).select(
        invoice.buyer_id, money.settle_date, late=days_between(money.settle_date, invoice.due_date)
    )
    late = ibis.least(ibis.greatest(ibis.coalesce(applied.late, 0), EARLIEST), 120)
    came = applied.select(
        "buyer_id", block=block(applied.settle_date), billed=0, paid=1, overdue_paid=(late > BLOCK_DAYS).cast("int8"), paid_days=late
    )
    rows = billed.union(came.select(billed.columns).cast(dict(billed.schema())))
    return rows.group_by(["buyer_id", "block"]).aggregate(
        **{name: as_int64(rows[name].sum()) for name in ("billed", "paid", "overdue_paid")},
        paid_days=as_int64(rows.paid_days.cast("int64").sum()),
    )
