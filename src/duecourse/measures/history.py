"""How the figures came to be what they are: every month end of the past in one pass over the book (逐月历史)."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

import ibis

from duecourse.ledger.entries import CASH_KINDS
from duecourse.measures.base import in_base, to_base
from duecourse.measures.dso import COUNTBACK_MONTHS, PERIOD_DAYS
from duecourse.measures.expressions import ZERO, as_int64, assemble, day, days_between, gather, or_zero, positive, ratio, total
from duecourse.measures.grain import PER_CURRENCY, grain, with_grain
from duecourse.measures.positions import ITEM, applied, attributed, invoices, is_dilution, is_payment
from duecourse.measures.receivables import DEFAULT_BUCKETS
from duecourse.measures.windows import checked, days_before, first_day, month_index

if TYPE_CHECKING:
    from collections.abc import Sequence

    import ibis.expr.types as ir

    from duecourse.ledger.book import Book
    from duecourse.measures.buckets import Buckets


def history(book: Book, *, months: int = 12, per: Sequence[str] = PER_CURRENCY, buckets: Buckets = DEFAULT_BUCKETS) -> ir.Table:
    """How did receivables, sales and collections develop, month by month?  应收账款月度历史

    One row per month and grain with a balance, sale or settlement in it; the latest month ends on the book's day. Each row is what
    the book of that month end would say (as known to this book).
        month_end      date
        months_back    int64    0 = the month of the book's day
        outstanding, overdue, not_due, days_1_30 …   int64   at the close of month_end, by days past due
        credit_sales   int64    invoices issued in the month
        cash_received  int64    money received in the month, applied or not (cash, and settlements known only from open-item lists)
        credits        int64    credit notes, returns, discounts, deductions of the month
        dso_simple     float64  days, over the sales of the 90 days up to month_end
        dso_countback  float64  days, over 24 calendar months; null when nothing is outstanding
        dso_censored   bool     the balance is older than that; null when nothing is outstanding
        best_possible_dso        float64  days, of what is not yet due
        average_days_delinquent  float64  days: dso_simple less best_possible_dso
        cei            float64  collection effectiveness of the month
        dilution_rate  float64  credits / credit sales of the month
        days_beyond_terms        float64  days, payments of the month weighted by amount; early payment counts against late

    months: 1 to 120.
    """
    return _drawn(book, grain(per), checked("months", months, 1, 120), buckets, base=False)


def history_in_base(book: Book, *, months: int = 12, buckets: Buckets = DEFAULT_BUCKETS) -> ir.Table:
    """How did all currencies together develop, month by month?  应收账款月度历史(记账本位币)

    One row per month with the columns of `history`. Each currency's sum of a month is converted at the latest rate known as of the book,
    the same for every month, so that a change is one of the business and not of the rates. Currencies without a rate are left out.
    """
    return _drawn(book, PER_CURRENCY, checked("months", months, 1, 120), buckets, base=True)


def disputed_history(book: Book, *, months: int = 12) -> ir.Table:
    """How much of what was owed at each month end was disputed then?  逐月争议金额

    One row per currency and month end at which an invoice was disputed.
        months_back, currency
        disputed   int64   a dispute counts with no more than what was open on its invoice that day
    """
    checked("months", months, 1, 120)
    dispute = book.dispute
    about = dispute.select("invoice_id")
    invoice, settlement = (rows.semi_join(about, "invoice_id").select(rows.columns) for rows in (invoices(book), book.settlement))
    month = book.months(months).select("months_back", "month_end")
    named = dispute.inner_join(invoice, ["invoice_id", "instalment"]).select(
        "dispute_id", *ITEM[:2], "raised_on", "resolved_on", claimed=dispute.amount_minor,
        currency=invoice.currency, amount_minor=invoice.amount_minor, issue_date=invoice.issue_date,
    )  # fmt: skip
    rows = named.inner_join(month, [named.raised_on <= month.month_end, named.issue_date <= month.month_end])
    rows = rows.filter(rows.resolved_on.isnull() | (rows.resolved_on > rows.month_end))
    paid = settlement.select(*ITEM, "settle_date", paid_minor=settlement.amount_minor)
    by_then = rows.inner_join(paid, [*ITEM, rows.month_end >= paid.settle_date])
    taken = by_then.group_by(["dispute_id", "currency", "months_back"]).aggregate(taken=total(by_then.paid_minor))
    joined = rows.left_join(taken, ["dispute_id", "currency", "months_back"])
    balance = positive(joined.amount_minor - or_zero(joined.taken))
    lower = ibis.least(ibis.coalesce(joined.claimed, balance), balance)
    found = joined.select("currency", "months_back", disputed=lower)
    return found.group_by(["currency", "months_back"]).aggregate(disputed=total(found.disputed))


def _drawn(book: Book, columns: Sequence[str], months: int, buckets: Buckets, *, base: bool) -> ir.Table:
    keys = (*columns, "months_back")

    def parted(rows: ir.Table, amounts: Sequence[str]) -> ir.Table:
        """The amounts as they are, or those of all currencies, each currency's sum converted once."""
        return in_base(book, rows, amounts, by=("months_back",)) if base else rows

    balances = parted(_balances(book, columns, months + 1, buckets), ("overdue", *buckets.ids))
    balances = balances.mutate(outstanding=balances.overdue + balances[buckets.ids[0]])
    # The balance with which a month ends is the one with which the next begins.
    begins = balances.select(*columns, months_back=balances.months_back - 1, outstanding_begin=balances.outstanding)
    flows = parted(_flows(book, columns), ("credit_sales", "cash_received", "credits"))
    before = parted(_sales_before(book, columns, months), ("sales_90d",))
    flows = gather(keys, balances, begins, flows, before)
    flows = flows.filter((flows.months_back >= 0) & (flows.months_back < months))
    sales = parted(_monthly_sales(book, columns, months), ("sales",))
    countback = _countback(book, columns, balances.filter(balances.months_back < months), sales, months)
    rows = assemble(keys, flows, countback, _lateness(book, columns, months, base=base))
    month = book.months(months).select("months_back", "month_end")
    fund = rows.outstanding_begin + rows.credit_sales
    simple, best = (ratio(owed, rows.sales_90d) * float(PERIOD_DAYS) for owed in (rows.outstanding, rows.not_due))
    return rows.inner_join(month, "months_back").select(
        month.month_end,
        rows.months_back,
        *(rows[name] for name in columns),
        rows.outstanding,
        rows.overdue,
        *(rows[name] for name in buckets.ids),
        rows.credit_sales,
        rows.cash_received,
        rows.credits,
        dso_simple=simple,
        dso_countback=rows.dso_countback,
        dso_censored=rows.is_censored == 1,
        best_possible_dso=best,
        average_days_delinquent=simple - best,
        cei=ratio(fund - rows.outstanding, fund - rows.not_due),
        dilution_rate=ratio(rows.credits, rows.credit_sales),
        days_beyond_terms=ratio(rows.days_late, rows.weight),
    )


def _lateness(book: Book, columns: Sequence[str], months: int, *, base: bool) -> ir.Table:
    """Per grain and month: what was paid on invoices of known due date, and how many amount-days late."""
    paid = applied(book, since=days_before(first_day(book.on, months), 1))
    paid = with_grain(book, paid.filter(is_payment(paid) & paid.due_date.notnull()), columns)
    late = days_between(paid.settle_date, paid.due_date)
    rows = paid.select(
        *columns, months_back=month_index(paid.settle_date, book.on), weight=paid.amount_minor, days_late=paid.amount_minor * late
    )
    keys = [*columns, "months_back"]
    sums = rows.group_by(keys).aggregate(weight=rows.weight.sum().cast("float64"), days_late=rows.days_late.sum().cast("float64"))
    if not base:
        return sums
    one = to_base(book, sums, (), weighted=("weight", "days_late"))
    return one.group_by(keys).aggregate(weight=one.weight.sum(), days_late=one.days_late.sum())


def _balances(book: Book, columns: Sequence[str], months: int, buckets: Buckets) -> ir.Table:
    """Per grain and month end: outstanding, overdue and each bucket.

    An invoice changes in the month of its issue and in those of its settlements; between two changes its open balance stands, and is
    carried to every month end in between. What lies before the first month asked for counts as that month's.
    """
    invoice, settlement = invoices(book), book.settlement
    first = min(months - 1, _months_since_year_one(book))
    issued = invoice.select(*ITEM, months_back=ibis.least(month_index(invoice.issue_date, book.on), first), moved=invoice.amount_minor)
    named = settlement.inner_join(invoice, list(ITEM)).select(
        *(settlement[name] for name in ITEM),
        # A settlement of an invoice not yet issued takes effect with the invoice.
        months_back=ibis.least(month_index(settlement.settle_date, book.on), month_index(invoice.issue_date, book.on), first),
        moved=-settlement.amount_minor,
    )
    both = issued.union(named)
    changes = both.group_by([*ITEM, "months_back"]).aggregate(moved=total(both.moved))
    oldest_first = ibis.window(group_by=list(ITEM), order_by=ibis.desc("months_back"), preceding=None, following=0)
    in_order = ibis.window(group_by=list(ITEM), order_by=ibis.desc("months_back"))
    changes = changes.mutate(
        open_minor=as_int64(changes.moved.sum().over(oldest_first)),
        until=ibis.coalesce(changes.months_back.lead(1).over(in_order), ibis.literal(-1, type="int64")),
    )
    standing = changes.filter(changes.open_minor > 0)
    month = book.months(months).select("months_back", "month_end")
    at_month = standing.inner_join(month, [standing.months_back >= month.months_back, standing.until < month.months_back]).select(
        *(standing[name] for name in ITEM), standing.open_minor, months_back=month.months_back, month_end=month.month_end
    )
    facts = invoice.select(*ITEM, "buyer_id", "due_date", "legal_entity", "sales_owner")
    dated = at_month.inner_join(facts, list(ITEM)).select(
        at_month.months_back,
        at_month.open_minor,
        at_month.currency,
        facts.buyer_id,
        facts.legal_entity,
        facts.sales_owner,
        bucket=buckets.of_age(days_between(at_month.month_end, facts.due_date)),
    )
    rows = with_grain(book, dated, columns)
    return rows.group_by([*columns, "months_back"]).aggregate(
        outstanding=total(rows.open_minor),
        overdue=total(rows.open_minor, where=rows.bucket != buckets.ids[0]),
        **{name: total(rows.open_minor, where=rows.bucket == name) for name in buckets.ids},
    )


def _months_since_year_one(book: Book) -> int:
    return (book.on.year - 1) * 12 + book.on.month - 1


def _flows(book: Book, columns: Sequence[str]) -> ir.Table:
    """Per grain and month: credit sales, cash received, credits."""
    sold = with_grain(book, invoices(book), columns)
    settled = with_grain(book, attributed(book), columns)
    is_cash = settled.kind.isin(CASH_KINDS)
    return gather(
        (*columns, "months_back"),
        sold.select(*columns, months_back=month_index(sold.issue_date, book.on), credit_sales=sold.amount_minor),
        settled.select(
            *columns,
            months_back=month_index(settled.settle_date, book.on),
            cash_received=is_cash.ifelse(settled.amount_minor, ZERO),
            credits=is_dilution(settled).ifelse(settled.amount_minor, ZERO),
        ),
    )


def _sales_before(book: Book, columns: Sequence[str], months: int) -> ir.Table:
    """Per grain and month end: credit sales of the 90 days up to it. An invoice lies in the windows of at most four month ends."""
    sold = invoices(book)
    sold = sold.filter(sold.issue_date >= day(first_day(book.on, months + 3)))
    sold = with_grain(book, sold, columns)
    daily = sold.group_by([*columns, "issue_date"]).aggregate(sales_90d=total(sold.amount_minor))
    index = month_index(daily.issue_date, book.on)
    later = [daily.select(*columns, "issue_date", "sales_90d", months_back=index - shift) for shift in range(4)]
    rows = reduce(lambda left, right: left.union(right), later)
    month = book.months(months).select("months_back", "month_end")
    inside = rows.inner_join(month, "months_back")
    inside = inside.filter(days_between(month.month_end, rows.issue_date) < PERIOD_DAYS)
    found = inside.select(*(rows[name] for name in columns), rows.months_back, rows.sales_90d)
    return found.group_by([*columns, "months_back"]).aggregate(sales_90d=total(found.sales_90d))


def _monthly_sales(book: Book, columns: Sequence[str], months: int) -> ir.Table:
    """Per grain and month: what was sold, for as many months more as a balance is counted back."""
    sold = invoices(book)
    sold = sold.filter(sold.issue_date >= day(first_day(book.on, months + COUNTBACK_MONTHS)))
    sold = with_grain(book, sold, columns)
    sold = sold.select(*columns, "amount_minor", months_back=month_index(sold.issue_date, book.on))
    return sold.group_by([*columns, "months_back"]).aggregate(sales=total(sold.amount_minor))


def _countback(book: Book, columns: Sequence[str], balances: ir.Table, sales: ir.Table, months: int) -> ir.Table:
    """Per grain and month end: count-back DSO.

    Sales are added up once from the latest month backwards; a balance at a month end is then used up in the month in which that sum
    first reaches the sales of the months after it plus the balance.
    """
    rows = sales.select(*columns, "months_back", sales=sales["sales"], owed=ZERO).union(
        balances.select(*columns, "months_back", sales=ZERO, owed=balances.outstanding)
    )
    # At one month end the balance comes first: its own month's sales are the first to be counted against it.
    order = [ibis.asc("months_back"), ibis.desc("owed")]
    running = ibis.window(group_by=list(columns), order_by=order, preceding=None, following=0)
    rows = rows.mutate(through=as_int64(rows["sales"].sum().over(running)))
    owing = rows.filter(rows.owed > 0)
    owing = owing.select(*columns, "months_back", target=owing.through + owing.owed)
    sold_by = rows.filter(rows["sales"] > 0)
    sold_by = sold_by.select(
        **{f"of_{name}": sold_by[name] for name in columns},
        used_up_in=sold_by.months_back,
        before=sold_by.through - sold_by["sales"],
        through=sold_by.through,
        sales=sold_by["sales"],
    )
    found = owing.left_join(
        sold_by,
        [
            *(owing[name].identical_to(sold_by[f"of_{name}"]) for name in columns),
            sold_by.before < owing.target,
            sold_by.through >= owing.target,
            sold_by.used_up_in < owing.months_back + COUNTBACK_MONTHS,
        ],
    ).select(
        *(owing[name] for name in columns),
        owing.months_back,
        used_up_in=sold_by.used_up_in,
        share=ratio(owing.target - sold_by.before, sold_by["sales"]),
    )
    calendar = book.months(months + COUNTBACK_MONTHS)
    end = calendar.select("months_back", "month_end")
    last = calendar.select(used_up_in=calendar.months_back, used_up_end=calendar.month_end, days=calendar.days)
    earliest = calendar.select(months_back=calendar.months_back - (COUNTBACK_MONTHS - 1), start=calendar.month_start)
    dated = found.inner_join(end, "months_back").select(*(found[name] for name in found.columns), end.month_end)
    dated = dated.inner_join(earliest, "months_back").select(*(dated[name] for name in dated.columns), earliest.start)
    dated = dated.left_join(last, "used_up_in").select(*(dated[name] for name in dated.columns), last.used_up_end, last.days)
    counted = days_between(dated.month_end, dated.used_up_end).cast("float64") + dated.days.cast("float64") * dated.share
    return dated.select(
        *columns,
        "months_back",
        dso_countback=ibis.coalesce(counted, (days_between(dated.month_end, dated.start) + 1).cast("float64")),
        is_censored=dated.used_up_in.isnull().cast("int64"),
    )
