"""How the oldest debts came and went (长账龄欠款): day by day, what had been due for long, beside all that was owed."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

import ibis

from duecourse.measures.expressions import ZERO, as_int64, day, days_between, positive, total
from duecourse.measures.grain import PER_BUYER
from duecourse.measures.positions import ITEM, invoices, positions, settlements
from duecourse.measures.windows import checked

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from duecourse.ledger.book import Book

EPOCH: Final = date(1970, 1, 1)
"""Days are counted from here, as Arrow counts them: adding days to a date gives a timestamp on some engines."""

BY_ITEM: Final = [*ITEM, "buyer_id"]


def long_overdue_course(
    book: Book, *, days_past_due: int = 91, leave_out_disputed: bool = True, buyers: ir.Table | None = None
) -> ir.Table:
    """How much had each buyer owed us beyond this age, on every day on which that changed?  长账龄欠款逐日变动

    One row per buyer, currency and day on which something was sold, settled, disputed or grew old; only of buyers and currencies in which
    something was ever open at that age, or paid and taken back at it, or written off.
        buyer_id, currency
        moved_on      int64   the day, counted from 1970-01-01
        outstanding   int64   Σ open balances above zero at the close of that day, minor units
        long_overdue  int64   of it `days_past_due` days and more after its due date
        written_off   int64   written off on that day

    days_past_due       1 to 720
    leave_out_disputed  what is disputed that day counts as owed, not as overdue
    buyers              only of these: a table with `buyer_id`
    """
    checked("days_past_due", days_past_due, 1, 720)
    moved = _moves(book, days_past_due, buyers, leave_out_disputed=leave_out_disputed)
    daily = moved.group_by([*PER_BUYER, "moved_on"]).aggregate(
        outstanding=total(moved.outstanding), long_overdue=total(moved.long_overdue), written_off=total(moved.written_off)
    )
    running = ibis.window(group_by=list(PER_BUYER), order_by="moved_on", preceding=None, following=0)
    return daily.select(
        *PER_BUYER,
        "moved_on",
        outstanding=as_int64(daily.outstanding.sum().over(running)),
        long_overdue=as_int64(daily.long_overdue.sum().over(running)),
        written_off=daily.written_off,
    )


def worst_delays(book: Book) -> ir.Table:
    """How late was each buyer at worst, ever?  历史最长逾期天数

    One row per buyer and currency with an invoice that was once late.
        buyer_id, currency
        worst_days_late  int64  days after the due date of the invoice's last settlement; of one still open, up to the book's day. Above 0
    """
    item = positions(book)
    item = item.filter(item.buyer_id.notnull() & item.due_date.notnull())
    paid = ibis.coalesce(item.last_settled, day(book.on))
    late = days_between((item.open_minor > 0).ifelse(day(book.on), paid), item.due_date)
    rows = item.select(*PER_BUYER, worst_days_late=late)
    rows = rows.filter(rows.worst_days_late > 0)
    return rows.group_by(list(PER_BUYER)).aggregate(worst_days_late=rows.worst_days_late.max())


def _moves(book: Book, days_past_due: int, buyers: ir.Table | None, *, leave_out_disputed: bool) -> ir.Table:
    """By how much each invoice changed what its buyer owed and what of it was old, a row a day of the invoice."""
    invoice, settlement = invoices(book), settlements(book)
    invoice = invoice.filter(invoice.buyer_id.notnull())
    if buyers is not None:
        invoice = invoice.semi_join(buyers, "buyer_id").select(invoice.columns)
    invoice = invoice.semi_join(_concerned(invoice, settlement, book.on, days_past_due), list(PER_BUYER)).select(invoice.columns)
    own = invoice.select(*BY_ITEM, "due_date", "amount_minor", issued=_number(invoice.issue_date))
    grown_old = ibis.greatest(_number(own.due_date) + days_past_due, own.issued)
    own = own.mutate(grown_old=own.due_date.notnull().ifelse(grown_old, ibis.null("int64"))).drop("due_date")
    named = settlement.select(*ITEM, "kind", settled=_number(settlement.settle_date), amount=settlement.amount_minor)
    paid = named.inner_join(own, list(ITEM))
    # A settlement of an invoice not yet issued takes effect with the invoice.
    rows = _rows(own, moved_on=own.issued, moved=own.amount_minor)
    rows = rows.union(
        _rows(
            paid, moved_on=ibis.greatest(paid.settled, paid.issued), moved=-paid.amount,
            written_off=(paid.kind == "write_off").ifelse(paid.amount, ZERO),
        )
    )  # fmt: skip
    reaches = own.filter(own.grown_old.notnull() & (own.grown_old <= ibis.literal((book.on - EPOCH).days, type="int64")))
    rows = rows.union(_rows(reaches, moved_on=reaches.grown_old))
    if leave_out_disputed:
        claim = book.dispute.select(*ITEM[:2], "raised_on", "resolved_on", claimed=book.dispute.amount_minor).inner_join(
            own, list(ITEM[:2])
        )
        claim = claim.mutate(claimed=ibis.coalesce(claim.claimed, claim.amount_minor))
        over = claim.filter(claim.resolved_on.notnull())
        rows = rows.union(_rows(claim, moved_on=ibis.greatest(_number(claim.raised_on), claim.issued), disputed=claim.claimed))
        rows = rows.union(_rows(over, moved_on=ibis.greatest(_number(over.resolved_on), over.issued), disputed=-over.claimed))
    keys = [*BY_ITEM, "moved_on"]
    each = rows.group_by(keys).aggregate(
        **{name: total(rows[name]) for name in ("moved", "disputed", "written_off")}, grown_old=rows.grown_old.max()
    )
    through = ibis.window(group_by=BY_ITEM, order_by="moved_on", preceding=None, following=0)
    each = each.mutate(
        open_minor=positive(as_int64(each.moved.sum().over(through))), disputed=positive(as_int64(each.disputed.sum().over(through)))
    )
    is_old = ibis.coalesce(each.moved_on >= each.grown_old, ibis.literal(value=False))
    each = each.mutate(old=is_old.ifelse(positive(each.open_minor - each.disputed), ZERO))
    in_order = ibis.window(group_by=BY_ITEM, order_by="moved_on")
    return each.select(
        *PER_BUYER,
        "moved_on",
        "written_off",
        outstanding=each.open_minor - ibis.coalesce(each.open_minor.lag(1).over(in_order), ZERO),
        long_overdue=each.old - ibis.coalesce(each.old.lag(1).over(in_order), ZERO),
    )


def _rows(of: ir.Table, *, moved_on: ir.IntegerValue, **moved: ir.IntegerValue) -> ir.Table:
    """Changes of invoices; what is not told does not change."""
    names = ("moved", "disputed", "written_off")
    return of.select(*BY_ITEM, "grown_old", moved_on=moved_on, **{name: moved.get(name, ZERO) for name in names})


def _concerned(invoice: ir.Table, settlement: ir.Table, on: date, days_past_due: int) -> ir.Table:
    """The buyers and currencies in which an invoice was still open when it had grown so old, or a payment of so old a one taken back, or anything written off."""
    dated = invoice.filter(invoice.due_date.notnull() & (days_between(day(on), invoice.due_date) >= days_past_due))
    dated = dated.select(*ITEM, "buyer_id", "amount_minor", grown_old=_number(dated.due_date) + days_past_due)
    named = settlement.select(*ITEM, "kind", settled=_number(settlement.settle_date), amount=settlement.amount_minor)
    settled = named.inner_join(dated, list(ITEM))
    back = settled.filter((settled.settled >= settled.grown_old) & (settled.amount < 0)).select("buyer_id", "currency")
    before = settled.filter(settled.settled < settled.grown_old)
    paid = before.group_by(list(ITEM)).aggregate(amount=total(before.amount))
    joined = dated.left_join(paid, list(ITEM))
    late = joined.filter(dated.amount_minor > ibis.coalesce(paid.amount, ZERO)).select(dated.buyer_id, dated.currency)
    off = settlement.filter(settlement.kind == "write_off").inner_join(invoice, list(ITEM)).select(invoice.buyer_id, invoice.currency)
    return late.union(back, off).distinct().view()


def _number(of: ir.DateValue) -> ir.IntegerValue:
    return days_between(of, day(EPOCH))
