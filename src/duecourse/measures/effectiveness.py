"""How well collecting works over a period: CEI, roll rates, turnover, bad debts, recovery."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

import ibis

from duecourse.ledger.entries import DILUTION_KINDS, PAYMENT_KINDS
from duecourse.measures.dso import credit_sales
from duecourse.measures.expressions import ZERO, day, days_between, gather, or_zero, positive, ratio, total
from duecourse.measures.grain import PER_CURRENCY, grain, with_grain
from duecourse.measures.payment import WINDOW_DAYS
from duecourse.measures.positions import ITEM, applied, attributed, is_payment, positions, settlements
from duecourse.measures.receivables import DEFAULT_BUCKETS, outstanding
from duecourse.measures.windows import checked, days_before, last_month_end, require_history

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import ibis.expr.types as ir

    from duecourse.ledger.book import Book
    from duecourse.measures.buckets import Buckets


def _begin(book: Book, since: date | None) -> date:
    begin = last_month_end(book.on) if since is None else since
    checked("since_days", (book.on - begin).days, 1, 3660)
    return begin


def collection_effectiveness(book: Book, *, since: date | None = None, per: Sequence[str] = PER_CURRENCY) -> ir.Table:
    """Of what could have been collected in the period, how much was?  收款效率指数 (CEI)

    One row per grain with a balance or a sale.
        outstanding_begin  int64    at the close of `since`
        credit_sales       int64    after `since`, up to the book's day
        outstanding        int64    at the close of the book's day
        not_due            int64    of it not yet due
        cei                float64  fraction: (begin + sales − end total) / (begin + sales − end not due); 1 = everything that fell due was
                                    collected; null where nothing could be collected

    since: the day whose close opens the period; None = the last month end, so that the period is the month to date.
    Source: Credit Research Foundation, Collection Effectiveness Index.
    """
    columns = grain(per)
    begin = _begin(book, since)
    start = outstanding(book, per=columns, at=begin)
    rows = gather(
        columns,
        start.select(*columns, outstanding_begin=start.outstanding),
        credit_sales(book, since=begin, per=columns).drop("invoices"),
        outstanding(book, per=columns).select(*columns, "outstanding", "not_due"),
    )
    fund = rows.outstanding_begin + rows.credit_sales
    return rows.mutate(cei=ratio(fund - rows.outstanding, fund - rows.not_due))


def migration(book: Book, *, since: date | None = None, buckets: Buckets = DEFAULT_BUCKETS, per: Sequence[str] = PER_CURRENCY) -> ir.Table:
    """What became of the balances of each ageing bucket by the end of the period?  账龄迁徙矩阵

    One row per grain, bucket at the close of `since`, and what became of it; only pairs that occur.
        bucket_from  string   ageing bucket at the beginning
        became       string   an ageing bucket at the end, or paid, credited (credit notes, returns, discounts, deductions), written_off,
                              adjusted (exchange differences)
        amount       int64    the parts of a bucket add up to its balance at the beginning exactly
        share        float64  of the bucket's balance at the beginning

    since: the day whose close opens the period; None = the last month end.
    """
    columns = grain(per)
    begin = _begin(book, since)
    first = positions(book, begin)
    first = first.filter(first.open_minor > 0)
    moves = settlements(book)
    moves = moves.filter(moves.invoice_id.notnull() & (moves.settle_date > day(begin)))

    def moved(*kinds: str) -> ir.IntegerScalar:
        return total(moves.amount_minor, where=moves.kind.isin(kinds))

    by_item = moves.group_by(list(ITEM)).aggregate(
        paid=moved(*PAYMENT_KINDS), credited=moved(*DILUTION_KINDS), written_off=moved("write_off"), adjusted=moved("exchange_difference")
    )
    names = ("paid", "credited", "written_off", "adjusted")
    joined = first.left_join(by_item, list(ITEM)).select(
        *(first[name] for name in ("buyer_id", "currency", "legal_entity", "sales_owner")),
        bucket_from=buckets.of_age(days_between(day(begin), first.due_date)),
        bucket_to=buckets.of_age(days_between(day(book.on), first.due_date)),
        begin_minor=first.open_minor,
        **{name: or_zero(by_item[name]) for name in names},
    )
    left = joined.begin_minor - joined.paid - joined.credited - joined.written_off - joined.adjusted
    # What was paid above the balance is a new credit, not something that became of the old balance.
    joined = joined.mutate(left=positive(left), paid=joined.paid + (left < 0).ifelse(left, ZERO))
    joined = with_grain(book, joined, columns)
    parts = [joined.select(*columns, "bucket_from", became=joined.bucket_to, amount=joined.left)]
    parts += [joined.select(*columns, "bucket_from", became=ibis.literal(name), amount=joined[name]) for name in names]
    flows = reduce(lambda left, right: left.union(right), parts)
    sums = flows.group_by([*columns, "bucket_from", "became"]).aggregate(amount=total(flows.amount))
    whole = sums.amount.sum().over(ibis.window(group_by=[*columns, "bucket_from"], preceding=None, following=None))
    sums = sums.mutate(share=ratio(sums.amount, whole))
    return sums.filter(sums.amount != 0)


def roll_rates(book: Book, *, since: date | None = None, buckets: Buckets = DEFAULT_BUCKETS, per: Sequence[str] = PER_CURRENCY) -> ir.Table:
    """How much of each bucket went on to a later one?  迁徙率(滚动率)

    One row per grain and bucket with a balance at the close of `since`.
        bucket_from   string
        bucket_order  int64    0 = not due
        begin         int64    balance at the beginning
        rolled        int64    in a later bucket at the end, or written off: a write-off is the last bucket, not a payment
        collected     int64    paid
        roll_rate     float64  rolled / begin

    since: the day whose close opens the period; None = the last month end.
    """
    columns = grain(per)
    rows = migration(book, since=since, buckets=buckets, per=columns)
    later = or_zero(buckets.order(rows.became)) > buckets.order(rows.bucket_from)
    rolled = later | (rows.became == "written_off")
    sums = rows.group_by([*columns, "bucket_from"]).aggregate(
        begin=total(rows.amount), rolled=total(rows.amount, where=rolled), collected=total(rows.amount, where=rows.became == "paid")
    )
    return sums.select(
        *columns,
        "bucket_from",
        bucket_order=buckets.order(sums.bucket_from),
        begin=sums.begin,
        rolled=sums.rolled,
        collected=sums.collected,
        roll_rate=ratio(sums.rolled, sums.begin),
    )


def turnover(book: Book, *, per: Sequence[str] = PER_CURRENCY, period_days: int = WINDOW_DAYS) -> ir.Table:
    """How many times a year are receivables turned into sales, and how many days is one turn?  应收账款周转率

    One row per grain with a balance or a sale.
        outstanding_begin     int64    at the close of the day before the period
        outstanding           int64    at the close of the book's day
        credit_sales          int64    of the period
        receivables_turnover  float64  times a year: credit sales, as of a year of 365 days, / average of the two balances
        receivables_days      float64  365 / turnover

    period_days: 1 to 3660.
    Raises HistoryTooShortError if the first invoice is later than the beginning of the period: the opening balance would be wrong.
    """
    columns = grain(per)
    begin = days_before(book.on, checked("period_days", period_days, 1, 3660))
    require_history(book, "receivables_turnover", begin)
    start = outstanding(book, per=columns, at=begin)
    rows = gather(
        columns,
        start.select(*columns, outstanding_begin=start.outstanding),
        outstanding(book, per=columns).select(*columns, "outstanding"),
        credit_sales(book, since=begin, per=columns).drop("invoices"),
    )
    balances = rows.outstanding_begin + rows.outstanding
    return rows.mutate(
        receivables_turnover=ratio(rows.credit_sales, balances) * (2.0 * 365.0 / period_days),
        receivables_days=ratio(balances, rows.credit_sales) * (period_days / 2.0),
    )


def bad_debts(book: Book, *, per: Sequence[str] = PER_CURRENCY, period_days: int = WINDOW_DAYS) -> ir.Table:
    """How much of what we sell do we lose?  坏账率

    One row per grain with a sale, write-off or recovery in the period.
        credit_sales     int64
        written_off      int64    less write-offs taken back
        recovered        int64    payments in the period on invoices written off before the payment
        bad_debt_ratio   float64  (written off − recovered) / credit sales; null without sales

    period_days: 1 to 3660.
    """
    columns = grain(per)
    since = days_before(book.on, checked("period_days", period_days, 1, 3660))
    lost = attributed(book, since=since)
    lost = with_grain(book, lost.filter(lost.kind == "write_off"), columns)
    back = with_grain(book, _recoveries(book, since), columns)
    rows = gather(
        columns,
        credit_sales(book, since=since, per=columns).drop("invoices"),
        lost.select(*columns, written_off=lost.amount_minor),
        back.select(*columns, recovered=back.amount_minor),
    )
    return rows.mutate(bad_debt_ratio=ratio(rows.written_off - rows.recovered, rows.credit_sales))


def _first_write_offs(book: Book) -> ir.Table:
    rows = applied(book)
    rows = rows.filter(rows.kind == "write_off")
    by_item = rows.group_by([*ITEM, "buyer_id", "legal_entity", "sales_owner"])
    return by_item.aggregate(written_off=total(rows.amount_minor), written_off_on=rows.settle_date.min())


def _recoveries(book: Book, since: date | None = None) -> ir.Table:
    paid = applied(book, since=since)
    paid = paid.filter(is_payment(paid)).select(*ITEM, "settle_date", "amount_minor")
    lost = _first_write_offs(book)
    return paid.inner_join(lost, [*(paid[name] == lost[name] for name in ITEM), paid.settle_date > lost.written_off_on]).select(
        *(paid[name] for name in (*ITEM, "settle_date", "amount_minor")),
        *(lost[name] for name in ("buyer_id", "legal_entity", "sales_owner", "written_off_on")),
    )


def recovery(book: Book, *, per: Sequence[str] = PER_CURRENCY) -> ir.Table:
    """Of what was written off each year, how much came in after all?  核销后回收率

    One row per grain and year of the first write-off of an invoice.
        written_off_year  int64
        written_off       int64    less write-offs taken back
        recovered         int64    payments on those invoices after their write-off, up to the book's day
        recovery_rate     float64  recovered / written off
    """
    columns = grain(per)
    lost = with_grain(book, _first_write_offs(book), columns)
    back = with_grain(book, _recoveries(book), columns)
    rows = gather(
        (*columns, "written_off_year"),
        lost.select(*columns, "written_off", written_off_year=lost.written_off_on.year().cast("int64")),
        back.select(*columns, recovered=back.amount_minor, written_off_year=back.written_off_on.year().cast("int64")),
    )
    return rows.mutate(recovery_rate=ratio(rows.recovered, rows.written_off))
