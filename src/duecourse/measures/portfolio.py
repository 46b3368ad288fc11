"""The whole portfolio on one line per currency, or on one line in the base currency: what a credit manager looks at first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from duecourse.measures.base import in_base, to_base
from duecourse.measures.buyer import QUARTER_DAYS, buyer_measures, buyers_in_base
from duecourse.measures.disputes import open_disputes
from duecourse.measures.dso import COUNTBACK_MONTHS, credit_sales, exhaust
from duecourse.measures.expressions import assemble, day, days_between, gather, or_zero, positive, ratio, total
from duecourse.measures.grain import PER_CURRENCY, grain, with_grain
from duecourse.measures.payment import WINDOW_DAYS
from duecourse.measures.positions import applied, attributed, invoices, is_dilution, is_payment
from duecourse.measures.receivables import outstanding
from duecourse.measures.windows import days_before, first_day, last_month_end, month_index

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import ibis.expr.types as ir

    from duecourse.ledger.book import Book

_AMOUNTS = (
    "overdue", "not_due", "unapplied_credits", "credit_sales_90d", "credit_sales_365d", "credits_365d", "disputed",
    "outstanding_begin", "credit_sales_period",
)  # fmt: skip
_WEIGHTED = ("weight", "days", "days_floored")


def kpi(book: Book, *, since: date | None = None, per: Sequence[str] = PER_CURRENCY) -> ir.Table:
    """How does the portfolio stand?  应收账款关键指标

    One row per grain with a balance, or a sale or payment in the last 365 days.
        outstanding, overdue, not_due, unapplied_credits, net, disputed      int64
        open_invoices, overdue_invoices, open_disputes                       int64
        buyers_with_balance      int64    buyers with something outstanding
        overdue_share            float64  overdue / outstanding
        credit_sales_90d         int64
        dso_simple, best_possible_dso, average_days_delinquent   float64  days, over 90 days of sales
        dso_countback            float64  days, over 24 months; null when nothing is outstanding
        dso_censored             bool     the balance is older than that
        cei                      float64  collection effectiveness after `since`
        days_beyond_terms, days_beyond_terms_floored   float64  days, payments of the last 365 days
        dilution_rate            float64  of the last 365 days

    since: the day whose close opens the period of the CEI; None = the last month end.
    """
    columns = grain(per)
    buyers = _balances(book, columns)
    buyers = buyers.filter(buyers.outstanding > 0)
    counted = buyers.group_by(list(columns)).aggregate(buyers_with_balance=buyers.buyer_id.nunique())
    sums = assemble(columns, _sums(book, columns, since), counted, _countback(book, columns, base=False))
    return _finished(sums, columns)


def kpi_in_base(book: Book, *, since: date | None = None) -> ir.Table:
    """How does the portfolio stand, all currencies together?  应收账款关键指标(记账本位币)

    One row with the columns of `kpi`, every sum converted at the latest rate known as of the book. Currencies without a rate are left
    out: see `base.unrated`.
    """
    sums = _sums(book, PER_CURRENCY, since)
    counts = [name for name in sums.columns if name not in (*_AMOUNTS, *_WEIGHTED, "currency", "outstanding")]
    one = to_base(book, sums, _AMOUNTS, weighted=_WEIGHTED)
    added = one.group_by("currency").aggregate(
        **{name: total(one[name]) for name in (*_AMOUNTS, *counts)}, **{name: one[name].sum() for name in _WEIGHTED}
    )
    added = added.mutate(outstanding=added.overdue + added.not_due)
    rated = _balances(book, PER_CURRENCY)
    rated = rated.filter(rated.outstanding > 0).inner_join(book.rates(), "currency").select("buyer_id")
    buyers = rated.aggregate(buyers_with_balance=rated.buyer_id.nunique()).mutate(currency=ibis.literal(book.base_currency))
    return _finished(
        assemble(PER_CURRENCY, added, buyers.select("currency", "buyers_with_balance"), _countback(book, PER_CURRENCY, base=True)),
        PER_CURRENCY,
    )


def worst_buyers(book: Book, *, limit: int = 10, base: bool = False) -> ir.Table:
    """Who owes the most that is late?  逾期最多的买方

    One row for each of the `limit` buyers per currency with the largest overdue amount; with `base` one list in the base currency.
        buyer_id, name, currency  string
        outstanding, overdue      int64
        overdue_share             float64
        oldest_days_past_due      int64
        days_beyond_terms_365d    float64
        rank                      int64    1 = the most overdue; equal amounts by buyer_id
    """
    if base:
        rows = buyers_in_base(book)
    else:
        measures, buyer = buyer_measures(book), book.buyer.select("buyer_id", "name")
        rows = measures.left_join(buyer, "buyer_id").select(*(measures[name] for name in measures.columns), buyer.name)
    rows = rows.filter(rows.overdue > 0)
    order = ibis.window(group_by="currency", order_by=[ibis.desc("overdue"), ibis.asc("buyer_id")])
    ranked = rows.select(
        "buyer_id",
        "name",
        "currency",
        "outstanding",
        "overdue",
        overdue_share=ratio(rows.overdue, rows.outstanding),
        oldest_days_past_due=rows.oldest_days_past_due,
        days_beyond_terms_365d=rows.days_beyond_terms_365d,
        rank=ibis.row_number().over(order) + 1,
    )
    return ranked.filter(ranked["rank"] <= limit)


def _sums(book: Book, columns: Sequence[str], since: date | None) -> ir.Table:
    begin = last_month_end(book.on) if since is None else since
    year, quarter = days_before(book.on, WINDOW_DAYS), days_before(book.on, QUARTER_DAYS)
    start = outstanding(book, per=columns, at=begin)
    sold = {name: credit_sales(book, since=day_, per=columns) for name, day_ in (("90d", quarter), ("365d", year), ("period", begin))}
    taken = attributed(book, since=year)
    taken = with_grain(book, taken.filter(is_dilution(taken)), columns)
    paid = applied(book, since=year)
    paid = with_grain(book, paid.filter(is_payment(paid) & paid.due_date.notnull()), columns)
    days_late = days_between(paid.settle_date, paid.due_date)
    contested = with_grain(book, open_disputes(book), columns)
    return gather(
        columns,
        _balances(book, columns).drop(*({"buyer_id", "net", "overdue_share"} - set(columns))),
        start.select(*columns, outstanding_begin=start.outstanding),
        *(rows.select(*columns, **{f"credit_sales_{name}": rows.credit_sales}) for name, rows in sold.items()),
        taken.select(*columns, credits_365d=taken.amount_minor),
        paid.select(
            *columns, weight=paid.amount_minor, days=paid.amount_minor * days_late, days_floored=paid.amount_minor * positive(days_late)
        ),
        contested.select(
            *columns, open_disputes=ibis.literal(1, type="int64"), disputed=ibis.least(contested.disputed_minor, contested.open_minor)
        ),
    )


def _balances(book: Book, columns: Sequence[str]) -> ir.Table:
    """The balances of the grain, parted by buyer: drawn up once, and added up for all that needs them."""
    return outstanding(book, per=tuple(dict.fromkeys(("buyer_id", *columns))))


def _countback(book: Book, columns: Sequence[str], *, base: bool) -> ir.Table:
    balance = gather(columns, _balances(book, columns).select(*columns, "overdue", "not_due"))
    sold = invoices(book)
    sold = with_grain(book, sold.filter(sold.issue_date >= day(first_day(book.on, COUNTBACK_MONTHS))), columns)
    sold = sold.select(*columns, "amount_minor", months_back=month_index(sold.issue_date, book.on))
    sales = sold.group_by([*columns, "months_back"]).aggregate(sales=total(sold.amount_minor))
    if base:
        balance = in_base(book, balance, ("overdue", "not_due"))
        sales = in_base(book, sales, ("sales",), by=("months_back",))
    balance = balance.select(*columns, outstanding=balance.overdue + balance.not_due)
    rows = exhaust(book, columns, balance, sales, COUNTBACK_MONTHS)
    return rows.select(*columns, "dso_countback", is_censored=rows.dso_censored.cast("int64"))


def _finished(rows: ir.Table, columns: Sequence[str]) -> ir.Table:
    simple = ratio(rows.outstanding, rows.credit_sales_90d) * float(QUARTER_DAYS)
    best = ratio(rows.not_due, rows.credit_sales_90d) * float(QUARTER_DAYS)
    fund = rows.outstanding_begin + rows.credit_sales_period
    return rows.select(
        *columns,
        "outstanding",
        "overdue",
        "not_due",
        overdue_share=ratio(rows.overdue, rows.outstanding),
        unapplied_credits=rows.unapplied_credits,
        net=rows.outstanding - rows.unapplied_credits,
        open_invoices=rows.open_invoices,
        overdue_invoices=rows.overdue_invoices,
        buyers_with_balance=or_zero(rows.buyers_with_balance),
        credit_sales_90d=rows.credit_sales_90d,
        dso_simple=simple,
        dso_countback=rows.dso_countback,
        dso_censored=rows.is_censored == 1,
        best_possible_dso=best,
        average_days_delinquent=simple - best,
        cei=ratio(fund - rows.outstanding, fund - rows.not_due),
        days_beyond_terms=ratio(rows.days, rows.weight),
        days_beyond_terms_floored=ratio(rows.days_floored, rows.weight),
        dilution_rate=ratio(rows.credits_365d, rows.credit_sales_365d),
        open_disputes=rows.open_disputes,
        disputed=rows.disputed,
    )
