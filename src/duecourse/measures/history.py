"""How the figures came to be what they are: every month end of the past in one pass over the book (逐月历史)."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Final

import ibis

from duecourse.measures.dso import COUNTBACK_MONTHS, PERIOD_DAYS
from duecourse.measures.expressions import ZERO, as_int64, assemble, day, days_between, gather, ratio, total
from duecourse.measures.grain import PER_CURRENCY, grain, with_grain
from duecourse.measures.positions import ITEM, attributed, invoices, is_dilution
from duecourse.measures.receivables import DEFAULT_BUCKETS
from duecourse.measures.windows import checked, first_day, month_index

if TYPE_CHECKING:
    from collections.abc import Sequence

    import ibis.expr.types as ir

    from duecourse.ledger.book import Book
    from duecourse.measures.buckets import Buckets

CASH_KINDS: Final = ("cash", "unknown")


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
        cei            float64  collection effectiveness of the month
        dilution_rate  float64  credits / credit sales of the month

    months: 1 to 120.
    """
    columns = grain(per)
    checked("months", months, 1, 120)
    keys = (*columns, "months_back")
    balances = _balances(book, columns, months + 1, buckets)
    # The balance with which a month ends is the one with which the next begins.
    begins = balances.select(*columns, months_back=balances.months_back - 1, outstanding_begin=balances.outstanding)
    flows = gather(keys, balances, begins, _flows(book, columns), _sales_before(book, columns, months))
    flows = flows.filter((flows.months_back >= 0) & (flows.months_back < months))
    countback = _countback(book, columns, balances.filter(balances.months_back < months), months)
    rows = assemble(keys, flows, countback)
    month = book.months(months).select("months_back", "month_end")
    fund = rows.outstanding_begin + rows.credit_sales
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
        dso_simple=ratio(rows.outstanding, rows.sales_90d) * float(PERIOD_DAYS),
        dso_countback=rows.dso_countback,
        dso_censored=rows.is_censored == 1,
        cei=ratio(fund - rows.outstanding, fund - rows.not_due),
        dilution_rate=ratio(rows.credits, rows.credit_sales),
    )


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
    return inside.select(*(rows[name] for name in columns), rows.months_back, rows.sales_90d)


def _countback(book: Book, columns: Sequence[str], balances: ir.Table, months: int) -> ir.Table:
    """Per grain and month end: count-back DSO.

    Sales are added up once from the latest month backwards; a balance at a month end is then used up in the month in which that sum
    first reaches the sales of the months after it plus the balance.
    """
    sold = invoices(book)
    sold = sold.filter(sold.issue_date >= day(first_day(book.on, months + COUNTBACK_MONTHS)))
    sold = with_grain(book, sold, columns)
    sold = sold.select(*columns, "amount_minor", months_back=month_index(sold.issue_date, book.on))
    sales = sold.group_by([*columns, "months_back"]).aggregate(sales=total(sold.amount_minor))
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
