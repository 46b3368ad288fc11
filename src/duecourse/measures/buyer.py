"""Everything about each buyer in one table: the refresh that the desk, the risk models and the alerts read.

`buyer_measures` is the definition; `duecourse.engines.fused` computes the same table faster over a buyer-clustered ledger, and a
test holds the two equal. The windows are (on − N, on].
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import ibis

from duecourse.measures.base import to_base
from duecourse.measures.buckets import Buckets
from duecourse.measures.dso import COUNTBACK_MONTHS, exhaust
from duecourse.measures.expressions import ZERO, as_int64, assemble, count, day, days_between, or_zero, positive, ratio, total
from duecourse.measures.grain import PER_BUYER
from duecourse.measures.positions import ITEM, is_dilution, is_payment
from duecourse.measures.windows import days_before, first_day, month_index

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from duecourse.ledger.book import Book

BUCKETS: Final = Buckets()
YEAR_DAYS: Final = 365
QUARTER_DAYS: Final = 90


def _items(book: Book) -> ir.Table:
    """Per buyer and currency: what the invoices come to, and what of them is open and how late."""
    invoice, settlement = book.invoice, book.settlement
    named = settlement.filter(settlement.invoice_id.notnull())
    paid = named.group_by(list(ITEM)).aggregate(settled=named.amount_minor.sum())
    on = day(book.on)
    item = invoice.left_join(paid, list(ITEM)).select(
        *(invoice[name] for name in (*PER_BUYER, "issue_date", "amount_minor")),
        open_minor=as_int64(invoice.amount_minor - or_zero(paid.settled)),
        past_due=ibis.coalesce(days_between(on, invoice.due_date), ZERO),
    )
    owed = item.open_minor > 0
    late = owed & (item.past_due > 0)
    limits = (None, 0, *BUCKETS.limits_days, None)
    buckets = {}
    for name, above, upto in zip(BUCKETS.ids, limits, limits[1:], strict=False):
        inside = owed if above is None else owed & (item.past_due > above)
        buckets[name] = total(item.open_minor, where=inside if upto is None else inside & (item.past_due <= upto))
    return item.group_by(list(PER_BUYER)).aggregate(
        **buckets,
        overpaid=-total(item.open_minor, where=item.open_minor < 0),
        open_invoices=count(owed),
        overdue_invoices=count(late),
        oldest_days_past_due=item.past_due.max(where=late),
        open_days=(item.open_minor * item.past_due).sum(where=late).cast("float64"),
        credit_sales_90d=total(item.amount_minor, where=item.issue_date > day(days_before(book.on, QUARTER_DAYS))),
        credit_sales_365d=total(item.amount_minor, where=item.issue_date > day(days_before(book.on, YEAR_DAYS))),
        invoices_365d=count(item.issue_date > day(days_before(book.on, YEAR_DAYS))),
        first_issue_date=item.issue_date.min(),
    )


def _attributed(book: Book) -> ir.Table:
    """One row per settlement under the buyer it belongs to: the invoice's, else its own."""
    settlement, invoice = book.settlement, book.invoice
    return settlement.left_join(invoice, list(ITEM)).select(
        buyer_id=ibis.coalesce(invoice.buyer_id, settlement.buyer_id),
        currency=settlement.currency,
        is_payment=is_payment(settlement),
        is_dilution=is_dilution(settlement),
        settle_date=settlement.settle_date,
        amount_minor=settlement.amount_minor,
        is_applied=invoice.invoice_id.notnull(),
        days_late=days_between(settlement.settle_date, invoice.due_date),
    )


def _payments(book: Book) -> ir.Table:
    """Per buyer and currency: what was paid and credited in the last year, how late, and what no invoice takes up."""
    rows = _attributed(book)
    this_year = rows.settle_date > day(days_before(book.on, YEAR_DAYS))
    paid = rows.is_payment & rows.is_applied & this_year
    dated = paid & rows.days_late.notnull()
    lately = dated & (rows.settle_date > day(days_before(book.on, QUARTER_DAYS)))
    weighted = rows.amount_minor * rows.days_late
    return rows.group_by(list(PER_BUYER)).aggregate(
        unapplied=total(rows.amount_minor, where=~rows.is_applied),
        last_payment_date=rows.settle_date.max(where=rows.is_payment),
        paid_365d=total(rows.amount_minor, where=paid),
        credits_365d=total(rows.amount_minor, where=rows.is_dilution & this_year),
        weight_365d=total(rows.amount_minor, where=dated),
        weight_90d=total(rows.amount_minor, where=lately),
        days_365d=weighted.sum(where=dated).cast("float64"),
        days_floored_365d=weighted.sum(where=dated & (rows.days_late > 0)).cast("float64"),
        days_90d=weighted.sum(where=lately).cast("float64"),
    )


def _daily(book: Book) -> ir.Table:
    """Per buyer, currency and day after the first of the year: how the balance moved (invoices less all settlements)."""
    first = day(days_before(book.on, YEAR_DAYS - 1))
    invoice, settled = book.invoice, _attributed(book)
    up = invoice.filter(invoice.issue_date > first).select(*PER_BUYER, moved_on=invoice.issue_date, moved=invoice.amount_minor)
    down = settled.filter(settled.settle_date > first).select(*PER_BUYER, moved_on=settled.settle_date, moved=-settled.amount_minor)
    both = up.union(down)
    return both.group_by([*PER_BUYER, "moved_on"]).aggregate(moved=total(both.moved))


def _peak(daily: ir.Table) -> ir.Table:
    """Per buyer and currency: `risen`, the movement of the year up to the book's day, and `top`, the highest it stood above its beginning.

    The peak is the balance of the book's day less `risen` plus `top`: only the year's own facts need to be put in order.
    """
    running = ibis.window(group_by=list(PER_BUYER), order_by="moved_on", preceding=None, following=0)
    daily = daily.mutate(stand=as_int64(daily.moved.sum().over(running)))
    return daily.group_by(list(PER_BUYER)).aggregate(risen=total(daily.moved), top=daily.stand.max())


def _monthly_sales(book: Book) -> ir.Table:
    """Per buyer, currency and calendar month back: credit sales."""
    rows = book.invoice.filter(book.invoice.issue_date >= day(first_day(book.on, COUNTBACK_MONTHS)))
    rows = rows.select(*PER_BUYER, "amount_minor", months_back=month_index(rows.issue_date, book.on))
    return rows.group_by([*PER_BUYER, "months_back"]).aggregate(sales=total(rows.amount_minor))


def _sum_of(rows: ir.Table, names: tuple[str, ...]) -> ir.IntegerValue:
    first, *rest = (or_zero(rows[name]) for name in names)
    for column in rest:
        first = first + column
    return first


def buyer_measures(book: Book) -> ir.Table:
    """How does each buyer stand with us, and how does it pay?  买方指标

    One row per buyer and currency with any invoice or settlement by the book's day. Amounts are int64 minor units of `currency`;
    windows are (on − N, on]; `payments` are cash, allocations, set-offs and settlements of unknown kind.
        buyer_id, currency              string
        outstanding                     int64    Σ open balances above zero
        overdue                         int64    of it past due
        not_due, days_1_30, days_31_60, days_61_90, days_91_180, days_181_365, days_over_365   int64   outstanding by days past due
        unapplied_credits               int64    settlements applied to no invoice of the book, and overpayments
        open_invoices, overdue_invoices int64
        oldest_days_past_due            int64    days; null when nothing is overdue
        weighted_days_late_open         float64  Σ open · max(days past due, 0) / Σ open; null when nothing is outstanding
        credit_sales_90d, credit_sales_365d    int64    Σ invoice amounts by issue date
        invoices_365d                   int64
        paid_365d                       int64    Σ payments on invoices of the book
        days_beyond_terms_365d, days_beyond_terms_90d   float64   days late of those payments, weighted by amount, early counts as negative
        days_beyond_terms_floored_365d  float64  early counts as 0
        days_beyond_terms_trend         float64  90 days less 365 days
        dso_simple_90d                  float64  outstanding / credit_sales_90d × 90; null without sales
        dso_countback                   float64  over 24 calendar months; null when nothing is outstanding
        dso_censored                    bool     the balance is older than those months; null when nothing is outstanding
        best_possible_dso               float64  not_due / credit_sales_90d × 90; null without sales
        average_days_delinquent         float64  dso_simple_90d − best_possible_dso
        peak_balance_365d               int64    highest end-of-day balance (invoices less all settlements) of the last 365 days
        credits_365d                    int64    credit notes, returns, discounts, deductions, applied or not
        first_issue_date                date
        last_payment_date               date     of any payment, applied or not

    An invoice without a due date is not due, and its payments have no lateness.
    """
    return _finished(_sums(book, _items(book), _payments(book), _daily(book), _monthly_sales(book)))


def buyers_in_base(book: Book) -> ir.Table:
    """How does each buyer stand with us, all currencies together?  买方指标(记账本位币)

    One row per buyer: who it is (name, name_local, country, group_id, group_name, sector, sales_owner), `currency` (the base
    currency), then the columns of `buyer_measures`. Each sum is converted at the latest rate known as of the book (never at the rate
    of its own day), rounded half up, and added; outstanding is the sum of the converted buckets, so that they add up; days are worked
    out anew from the converted sums. Amounts in a currency without a rate are left out: see `base.unrated`.
    """
    items = _in_base(
        book, _items(book), amounts=(*BUCKETS.ids, "overpaid", "credit_sales_90d", "credit_sales_365d"), weighted=("open_days",)
    )
    payments = _in_base(
        book,
        _payments(book),
        amounts=("unapplied", "paid_365d", "credits_365d"),
        weighted=("weight_365d", "weight_90d", "days_365d", "days_floored_365d", "days_90d"),
    )
    daily = _in_base(book, _daily(book), amounts=("moved",), by=("buyer_id", "moved_on"))
    sales = _in_base(book, _monthly_sales(book), amounts=("sales",), by=("buyer_id", "months_back"))
    measures = _finished(_sums(book, items, payments, daily, sales))
    buyer = book.buyer
    who = ("name", "name_local", "country", "group_name", "sector", "sales_owner")
    return measures.left_join(buyer, "buyer_id").select(
        measures.buyer_id,
        *(buyer[name] for name in who[:3]),
        ibis.coalesce(buyer.group_id, measures.buyer_id).name("group_id"),
        *(buyer[name] for name in who[3:]),
        *(measures[name] for name in measures.columns if name != "buyer_id"),
    )


def _in_base(
    book: Book, rows: ir.Table, *, amounts: tuple[str, ...], weighted: tuple[str, ...] = (), by: tuple[str, ...] = ("buyer_id",)
) -> ir.Table:
    """Sums of all currencies converted and added; counts are added as they are, dates and ages are the extreme of any currency."""
    keys = (*by, "currency")
    one = to_base(book, rows, amounts, weighted=weighted)
    added = {}
    for name in rows.columns:
        column = one[name]
        if name in keys:
            continue
        if name in amounts or (name.endswith(("_invoices", "_365d")) and column.type().is_integer()):
            added[name] = total(column)
        elif name in weighted:
            added[name] = column.sum()
        else:
            added[name] = column.min() if name.startswith("first_") else column.max()
    return one.group_by(list(keys)).aggregate(**added)


def _sums(book: Book, items: ir.Table, payments: ir.Table, daily: ir.Table, sales: ir.Table) -> ir.Table:
    balance = items.select(*PER_BUYER, outstanding=_sum_of(items, BUCKETS.ids))
    countback = exhaust(book, PER_BUYER, balance.filter(balance.outstanding > 0), sales, COUNTBACK_MONTHS)
    late = countback.select(*PER_BUYER, "dso_countback", is_censored=countback.dso_censored.cast("int64"))
    return assemble(PER_BUYER, items, payments, _peak(daily), late)


def _finished(rows: ir.Table) -> ir.Table:
    """The columns of `buyer_measures` from the sums they are made of."""
    amount = {name: or_zero(rows[name]) for name in BUCKETS.ids}
    outstanding = _sum_of(rows, BUCKETS.ids)
    unapplied_credits = or_zero(rows.overpaid) + or_zero(rows.unapplied)
    simple = ratio(outstanding, rows.credit_sales_90d) * float(QUARTER_DAYS)
    best = ratio(amount["not_due"], rows.credit_sales_90d) * float(QUARTER_DAYS)
    year, quarter = ratio(rows.days_365d, rows.weight_365d), ratio(rows.days_90d, rows.weight_90d)
    return rows.select(
        *PER_BUYER,
        outstanding=outstanding,
        overdue=_sum_of(rows, BUCKETS.ids[1:]),
        **amount,
        unapplied_credits=unapplied_credits,
        open_invoices=or_zero(rows.open_invoices),
        overdue_invoices=or_zero(rows.overdue_invoices),
        oldest_days_past_due=rows.oldest_days_past_due,
        weighted_days_late_open=ratio(ibis.coalesce(rows.open_days, 0.0), outstanding),
        credit_sales_90d=or_zero(rows.credit_sales_90d),
        credit_sales_365d=or_zero(rows.credit_sales_365d),
        invoices_365d=or_zero(rows.invoices_365d),
        paid_365d=or_zero(rows.paid_365d),
        days_beyond_terms_365d=year,
        days_beyond_terms_floored_365d=ratio(ibis.coalesce(rows.days_floored_365d, 0.0), rows.weight_365d),
        days_beyond_terms_90d=quarter,
        days_beyond_terms_trend=quarter - year,
        dso_simple_90d=simple,
        dso_countback=rows.dso_countback,
        dso_censored=rows.is_censored == 1,
        best_possible_dso=best,
        average_days_delinquent=simple - best,
        peak_balance_365d=outstanding - unapplied_credits - or_zero(rows.risen) + positive(or_zero(rows.top)),
        credits_365d=or_zero(rows.credits_365d),
        first_issue_date=rows.first_issue_date,
        last_payment_date=rows.last_payment_date,
    )
