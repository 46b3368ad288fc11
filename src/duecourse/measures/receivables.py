"""Who owes what, how old it is, and what we owe back: open items, ageing, outstanding."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Final, Literal

import ibis

from duecourse.measures.buckets import Buckets
from duecourse.measures.expressions import ZERO, count, day, days_between, gather, positive, ratio, total
from duecourse.measures.grain import PER_BUYER, PER_CURRENCY, grain, with_grain
from duecourse.measures.positions import positions, unapplied

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import ibis.expr.types as ir

    from duecourse.ledger.book import Book

DEFAULT_BUCKETS: Final = Buckets()


def open_items(book: Book, *, at: date | None = None, buckets: Buckets = DEFAULT_BUCKETS) -> ir.Table:
    """Which invoices are not settled, and how late is each?  未清项

    One row per invoice and instalment whose open balance is not zero at the close of the day: the invoice's facts and
        settled_minor   int64   settled so far
        open_minor      int64   未结余额: amount less settlements; negative = overpaid
        days_past_due   int64   逾期天数: days since the due date, 0 or less = not due; null without a due date
        bucket          string  ageing bucket by due date
        is_outstanding  bool    open_minor > 0: counts in the buckets
        is_overdue      bool    outstanding and past its due date
        last_settled    date    its last settlement

    at: an earlier day than the book's; later facts are left out.
    """
    item = positions(book, at)
    item = item.filter(item.open_minor != 0)
    age = days_between(day(at or book.on), item.due_date)
    owed = item.open_minor > 0
    return item.mutate(
        days_past_due=age,
        bucket=buckets.of_age(age),
        is_outstanding=owed,
        is_overdue=owed & ibis.coalesce(age > 0, ibis.literal(value=False)),
    )


def unapplied_credits(book: Book, *, at: date | None = None, per: Sequence[str] = PER_BUYER) -> ir.Table:
    """What have buyers paid or been credited that is set against no invoice?  未核销贷项

    Advances, unapplied cash and credit notes, payments of invoices the book does not have (or not yet, or in another currency), and
    what was paid above an invoice's amount. One row per grain with such an amount or such a settlement.
        unapplied             int64  settlements not applied to an invoice
        overpaid              int64  overpayments of invoices
        unapplied_credits     int64  the two together
        unapplied_items       int64  settlements and overpaid invoices counted
    """
    columns = grain(per)
    loose = with_grain(book, unapplied(book, at), columns)
    item = positions(book, at)
    over = with_grain(book, item.filter(item.open_minor < 0), columns)
    one = ibis.literal(1, type="int64")
    gathered = gather(
        columns,
        loose.select(*columns, unapplied=loose.amount_minor, unapplied_items=one),
        over.select(*columns, overpaid=-over.open_minor, unapplied_items=one),
    )
    return gathered.select(
        *columns,
        "unapplied",
        "overpaid",
        unapplied_credits=gathered.unapplied + gathered.overpaid,
        unapplied_items=gathered.unapplied_items,
    )


def ageing(
    book: Book,
    *,
    by: Literal["due_date", "issue_date"] = "due_date",
    buckets: Buckets = DEFAULT_BUCKETS,
    per: Sequence[str] = PER_CURRENCY,
    at: date | None = None,
) -> ir.Table:
    """How old is what is owed to us?  账龄分析

    One row per grain with something outstanding, and bucket: every bucket is there, empty ones with 0. The buckets of a grain add up
    to its outstanding amount exactly; unapplied credits stand apart.
        bucket        string   not_due, days_1_30 …
        bucket_order  int64    0 = not due
        amount        int64    outstanding in the bucket
        items         int64    invoices (instalments) in it
        share         float64  of the grain's outstanding

    by: `due_date` counts days past due; `issue_date` the age since the invoice was issued (an invoice of the day itself has age 0 and
    stands in `not_due`: the newest, whatever its term).
    """
    columns = grain(per)
    item = positions(book, at)
    owed = with_grain(book, item.filter(item.open_minor > 0), columns)
    bucket = buckets.of_age(days_between(day(at or book.on), owed[by]))
    owed = owed.select(*columns, "open_minor", bucket=bucket)
    wide = owed.group_by(list(columns)).aggregate(
        **{name: total(owed.open_minor, where=owed.bucket == name) for name in buckets.ids},
        **{f"{name}_items": count(owed.bucket == name) for name in buckets.ids},
        whole=total(owed.open_minor),
    )
    long = [
        wide.select(
            *columns,
            bucket=ibis.literal(name),
            bucket_order=ibis.literal(place, type="int64"),
            amount=wide[name],
            items=wide[f"{name}_items"],
            share=ratio(wide[name], wide.whole),
        )
        for place, name in enumerate(buckets.ids)
    ]
    return reduce(lambda left, right: left.union(right), long)


def outstanding(book: Book, *, per: Sequence[str] = PER_CURRENCY, at: date | None = None) -> ir.Table:
    """How much is owed to us, how much of it is late, and what stands against it?  应收账款余额

    One row per grain with an open item or an unapplied credit.
        outstanding        int64    Σ open balances above zero
        overdue            int64    of it past due 逾期金额
        not_due            int64    of it not yet due 未到期金额
        unapplied_credits  int64    未核销贷项, shown apart
        net                int64    outstanding less unapplied credits 应收净额
        open_invoices      int64    invoices (instalments) outstanding
        overdue_invoices   int64    of them past due
        overdue_share      float64  overdue / outstanding 逾期占比; null when nothing is outstanding
    """
    columns = grain(per)
    item = with_grain(book, open_items(book, at=at), columns)
    loose = with_grain(book, unapplied(book, at), columns)
    owed = positive(item.open_minor)
    gathered = gather(
        columns,
        item.select(
            *columns,
            outstanding=owed,
            overdue=item.is_overdue.ifelse(owed, ZERO),
            unapplied_credits=positive(-item.open_minor),
            open_invoices=item.is_outstanding.cast("int64"),
            overdue_invoices=item.is_overdue.cast("int64"),
        ),
        loose.select(*columns, unapplied_credits=loose.amount_minor),
    )
    return gathered.select(
        *columns,
        "outstanding",
        "overdue",
        not_due=gathered.outstanding - gathered.overdue,
        unapplied_credits=gathered.unapplied_credits,
        net=gathered.outstanding - gathered.unapplied_credits,
        open_invoices=gathered.open_invoices,
        overdue_invoices=gathered.overdue_invoices,
        overdue_share=ratio(gathered.overdue, gathered.outstanding),
    )
