"""Days sales outstanding (应收账款周转天数): how many days of sales are tied up in receivables, four ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import ibis

from duecourse.calendar import months_back
from duecourse.measures.expressions import ZERO, day, gather, ratio, total
from duecourse.measures.grain import PER_CURRENCY, grain, with_grain
from duecourse.measures.positions import invoices
from duecourse.measures.receivables import outstanding
from duecourse.measures.windows import checked, days_before, first_day, month_index, require_history

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import ibis.expr.types as ir

    from duecourse.ledger.book import Book

PERIOD_DAYS: Final = 90
COUNTBACK_MONTHS: Final = 24


def credit_sales(book: Book, *, since: date, at: date | None = None, per: Sequence[str] = PER_CURRENCY) -> ir.Table:
    """What was sold on credit after `since` and by `at`?  赊销额

    One row per grain with an invoice in the period.
        credit_sales  int64  Σ invoice amounts by issue date, tax included as billed
        invoices      int64  invoices (instalments) counted
    """
    columns = grain(per)
    rows = invoices(book, at)
    rows = with_grain(book, rows.filter(rows.issue_date > day(since)), columns)
    return rows.group_by(list(columns)).aggregate(credit_sales=total(rows.amount_minor), invoices=rows.count())


def _balance_and_sales(book: Book, per: Sequence[str], period_days: int) -> ir.Table:
    columns = grain(per)
    checked("period_days", period_days, 1, 3660)
    balance = outstanding(book, per=columns).select(*columns, "outstanding", "not_due")
    sales = credit_sales(book, since=days_before(book.on, period_days), per=columns).drop("invoices")
    return gather(columns, balance, sales)


def simple_dso(book: Book, *, per: Sequence[str] = PER_CURRENCY, period_days: int = PERIOD_DAYS) -> ir.Table:
    """How many days of sales are outstanding, by the closing balance?  应收账款周转天数(期末余额法)

    One row per grain with a balance or a sale.
        outstanding   int64    at the close of the book's day
        credit_sales  int64    of the last `period_days` days
        dso_simple    float64  days: outstanding / credit sales × period; null without sales

    period_days: 1 to 3660, counted back from the book's day. Both sides are gross of tax, as billed.
    Source: Credit Research Foundation, Measuring Collection Effectiveness.
    """
    rows = _balance_and_sales(book, per, period_days)
    return rows.drop("not_due").mutate(dso_simple=ratio(rows.outstanding, rows.credit_sales) * float(period_days))


def average_balance_dso(book: Book, *, per: Sequence[str] = PER_CURRENCY, period_days: int = PERIOD_DAYS) -> ir.Table:
    """How many days of sales are outstanding, by the average balance?  应收账款周转天数(平均余额法)

    The variant of accountants: (opening + closing balance) / 2 over the sales of the period. Not comparable with the simple one.
    One row per grain with a balance or a sale.
        outstanding_begin    int64    at the close of the day before the period
        outstanding          int64    at the close of the book's day
        credit_sales         int64    of the period
        dso_average_balance  float64  days; null without sales

    Raises HistoryTooShortError if the first invoice is later than the beginning of the period: the opening balance would be wrong.
    """
    columns = grain(per)
    start = days_before(book.on, checked("period_days", period_days, 1, 3660))
    require_history(book, "dso_average_balance", start)
    begin = outstanding(book, per=columns, at=start)
    rows = gather(
        columns,
        begin.select(*columns, outstanding_begin=begin.outstanding),
        _balance_and_sales(book, per, period_days).drop("not_due"),
    )
    return rows.mutate(dso_average_balance=ratio(rows.outstanding_begin + rows.outstanding, rows.credit_sales) * (period_days / 2.0))


def best_possible_dso(book: Book, *, per: Sequence[str] = PER_CURRENCY, period_days: int = PERIOD_DAYS) -> ir.Table:
    """How many days would be outstanding if every buyer paid on the due date?  最佳可能周转天数

    One row per grain with a balance or a sale.
        not_due            int64    outstanding and not yet due
        credit_sales       int64    of the last `period_days` days
        best_possible_dso  float64  days: not due / credit sales × period; null without sales
    """
    rows = _balance_and_sales(book, per, period_days)
    return rows.drop("outstanding").mutate(best_possible_dso=ratio(rows.not_due, rows.credit_sales) * float(period_days))


def average_days_delinquent(book: Book, *, per: Sequence[str] = PER_CURRENCY, period_days: int = PERIOD_DAYS) -> ir.Table:
    """How much of the DSO is lateness?  平均逾期天数 (ADD)

    One row per grain with a balance or a sale.
        outstanding, not_due, credit_sales  int64
        dso_simple, best_possible_dso       float64  days
        average_days_delinquent             float64  days: DSO less best possible DSO; null without sales
    """
    rows = _balance_and_sales(book, per, period_days)
    simple = ratio(rows.outstanding, rows.credit_sales) * float(period_days)
    best = ratio(rows.not_due, rows.credit_sales) * float(period_days)
    return rows.mutate(dso_simple=simple, best_possible_dso=best, average_days_delinquent=simple - best)


def countback_dso(book: Book, *, per: Sequence[str] = PER_CURRENCY, months: int = COUNTBACK_MONTHS) -> ir.Table:
    """How far back must sales be counted until they make up the balance?  应收账款周转天数(倒推法)

    The balance is used up against the sales of the latest calendar month (up to the book's day), then of the month before, and so on:
    whole days for months used up, a share of the days for the last. Seasonal sales do not distort it.
    One row per grain with something outstanding.
        outstanding   int64
        sales_counted int64    credit sales of the months looked at
        dso_countback float64  days
        dso_censored  bool     the balance is older than `months`: the figure is all their days, a lower bound

    months: 1 to 36. Balance 250, sales of March 100, February 90, January 120: 31 + 28 + 31 × 60/120 = 74.5 days.
    """
    columns = grain(per)
    checked("months", months, 1, 36)
    balance = outstanding(book, per=columns).select(*columns, "outstanding")
    rows = invoices(book)
    rows = with_grain(book, rows.filter(rows.issue_date >= day(first_day(book.on, months))), columns)
    sales = rows.group_by([*(rows[name] for name in columns), month_index(rows.issue_date, book.on).name("months_back")]).aggregate(
        sales=total(rows.amount_minor)
    )
    return exhaust(book, columns, balance, sales, months)


def exhaust(book: Book, columns: Sequence[str], balance: ir.Table, sales: ir.Table, months: int) -> ir.Table:
    """Use up `balance` (outstanding per grain) against `sales` (per grain and months_back): the arithmetic of count-back.

    Sales are added up back to each month in turn, one column a month, and the first that reaches the balance decides: all days after
    that month, and of its own days the share that was needed. No table has to be put in order for it.
    """
    start = balance.select(*columns, outstanding=balance.outstanding, sales=ZERO, months_back=ZERO)
    rows = start.union(sales.select(*columns, outstanding=ZERO, sales=sales["sales"], months_back=sales.months_back))
    wide = rows.group_by(list(columns)).aggregate(
        outstanding=total(rows.outstanding),
        **{f"sales_{back}": total(rows["sales"], where=rows.months_back <= back) for back in range(months)},
    )
    wide = wide.filter(wide.outstanding > 0)
    reached = []
    days_later = 0
    before: ir.IntegerValue = ZERO
    for back, (first, last) in enumerate(months_back(book.on, months)):
        through, days = wide[f"sales_{back}"], (last - first).days + 1
        share = ratio(wide.outstanding - before, through - before)
        reached.append((through >= wide.outstanding, share * float(days) + float(days_later)))
        days_later, before = days_later + days, through
    return wide.select(
        *columns,
        "outstanding",
        sales_counted=before,
        dso_countback=ibis.cases(*reached, else_=float(days_later)),
        dso_censored=before < wide.outstanding,
    )
