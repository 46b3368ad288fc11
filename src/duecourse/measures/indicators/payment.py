"""How a buyer's paying changes: later than it used to, in parts, through others, with more disputes (付款类预警指标)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import ibis

from duecourse.ledger.entries import CASH_KINDS
from duecourse.measures.buyer import buyer_measures
from duecourse.measures.expressions import ZERO, count, day, days_between, ratio, total
from duecourse.measures.grain import PER_BUYER
from duecourse.measures.indicators.common import HALF_YEAR, QUARTER, YEAR, in_one_currency, least_known, month_back, within
from duecourse.measures.positions import ITEM, applied, is_payment, positions
from duecourse.measures.windows import days_before
from duecourse.money import exponent
from duecourse.reference.currencies import CURRENCIES

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from duecourse.ledger.book import Book

MONTHS: Final = 36
RECENT_MONTHS: Final = 12
LEAST_MONTHS: Final = 6
"""So many earlier months with payments it takes to say what is usual for a buyer."""
LEAST_SPREAD_DAYS: Final = 3.0
"""Even of a buyer that pays like clockwork a few days are no shift."""
SEASON_WEIGHT: Final = 0.5
"""Two earlier years say half of what a month of the year is like; the other half is the buyer's mean."""
SLACK: Final = 0.5
NEARLY_ZERO: Final = 1e-9
PARTS_DAYS: Final = 60
CLOSED: Final = 0.01
"""An item of which no more than this is open has been paid: bank charges, rounding."""
RESIDUE: Final = 0.1
"""An item of which no more than this is open was paid short: a deduction, not a delay."""
ROUND_SUM: Final = 1000
"""Units of currency."""


def payments_by_month(book: Book) -> ir.Table:
    """How late was the money of each month?  各月付款延迟

    One row per buyer, currency and month back (0 to 35) with payments on invoices that have a due date.
        month_back  int64
        paid        int64    minor units; a payment taken back counts against it
        late        float64  Σ amount · days past due
        cycle       float64  Σ amount · days from issue to payment
    """
    rows = applied(book, since=days_before(book.on, YEAR * MONTHS // 12))
    rows = rows.filter(is_payment(rows) & rows.due_date.notnull())
    amount = rows.amount_minor
    rows = rows.select(
        *PER_BUYER,
        month_back=month_back(rows.settle_date, book.on),
        paid=amount,
        late=amount.cast("float64") * days_between(rows.settle_date, rows.due_date),
        cycle=amount.cast("float64") * days_between(rows.settle_date, rows.issue_date),
    )
    return rows.group_by([*PER_BUYER, "month_back"]).aggregate(paid=total(rows.paid), late=rows.late.sum(), cycle=rows.cycle.sum())


def payment_cycle(book: Book, months: ir.Table | None = None) -> ir.Table:
    """Does a buyer pay later than it used to, and since when?  付款周期延长

    One row per buyer with payments in the last 36 months.
        PAY01           float64  days beyond terms of the last 3 months less those of the last 12, weighted by amount; null without payments in the
                                 last 3 months, or none in the 9 before
        PAY01_season    float64  … less those of the same 3 months a year ago
        PAY01_rise      float64  the lower of the two: a rise against the buyer's past that is not just its season
        PAY01_relative  fraction by how much the time from invoice to payment has grown, 3 months against 12
        PAY01_shift     float64  one-sided CUSUM of the last 12 months' delay over the buyer's own mean and season of the two years before, in standard
                                 deviations of its own, slack 0.5; null with fewer than 6 such earlier months
        PAY01_since     int64    months back where that shift began; null where there is none

    months: what to read instead of `payments_by_month`, with its columns.
    Source: E. S. Page, Continuous inspection schemes, Biometrika 1954.
    """
    rows = in_one_currency(
        book, payments_by_month(book) if months is None else months, ("paid", "late", "cycle"), by=("buyer_id", "month_back")
    )
    back = rows.month_back
    lately, year, year_ago = back < 3, back < RECENT_MONTHS, (back >= RECENT_MONTHS) & (back < RECENT_MONTHS + 3)
    windows = {"lately": lately, "year": year, "before": year & ~lately, "year_ago": year_ago}
    sums = rows.group_by("buyer_id").aggregate(
        **{f"{name}_{window}": rows[name].sum(where=inside) for window, inside in windows.items() for name in ("paid", "late", "cycle")}
    )
    known = (sums.paid_lately > 0) & (sums.paid_before > 0)
    late, usual = ratio(sums.late_lately, sums.paid_lately), ratio(sums.late_year, sums.paid_year)
    cycle, usual_cycle = ratio(sums.cycle_lately, sums.paid_lately), ratio(sums.cycle_year, sums.paid_year)
    nothing = ibis.null("float64")
    found = sums.select(
        "buyer_id",
        PAY01=known.ifelse(late - usual, nothing),
        PAY01_season=(known & (sums.paid_year_ago > 0)).ifelse(late - ratio(sums.late_year_ago, sums.paid_year_ago), nothing),
        PAY01_relative=(known & (usual_cycle > 0)).ifelse(ratio(cycle - usual_cycle, usual_cycle), nothing),
    )
    found = found.mutate(PAY01_rise=least_known(found.PAY01, found.PAY01_season))
    shift = _shift(rows)
    return found.left_join(shift, "buyer_id").select(*(found[name] for name in found.columns), shift.PAY01_shift, shift.PAY01_since)


def _shift(months: ir.Table) -> ir.Table:
    """The CUSUM of each buyer. S is C less the lowest C so far (or 0), with C the running sum of z − 0.5: where S is 0, it begins anew."""
    months = months.filter(months.paid > 0)
    months = months.mutate(delay=ratio(months.late, months.paid), earlier=months.month_back >= RECENT_MONTHS)
    past = months.earlier.ifelse(months.delay, ibis.null("float64"))
    of_buyer = ibis.window(group_by="buyer_id", preceding=None, following=None)
    of_season = ibis.window(group_by=["buyer_id", "season"], preceding=None, following=None)
    months = months.mutate(past=past, season=months.month_back % RECENT_MONTHS)
    months = months.mutate(
        usual=months.past.mean().over(of_buyer),
        spread=months.past.std(how="sample").over(of_buyer),
        known=months.past.count().over(of_buyer),
        seasonal=months.past.mean().over(of_season),
    )
    recent = months.filter(~months.earlier & (months.known >= LEAST_MONTHS))
    wide = (recent.spread > LEAST_SPREAD_DAYS).ifelse(recent.spread, LEAST_SPREAD_DAYS)
    expected = recent.usual + ibis.coalesce(recent.seasonal - recent.usual, 0.0) * SEASON_WEIGHT
    recent = recent.select("buyer_id", "month_back", step=ratio(recent.delay - expected, wide) - SLACK)
    so_far = ibis.window(group_by="buyer_id", order_by=ibis.desc("month_back"), preceding=None, following=0)
    recent = recent.mutate(stand=recent.step.sum().over(so_far))
    recent = recent.mutate(lowest=recent.stand.min().over(so_far))
    height = (recent.lowest < 0).ifelse(recent.stand - recent.lowest, recent.stand)
    recent = recent.mutate(height=(height > NEARLY_ZERO).ifelse(height, 0.0))
    whole = ibis.window(group_by="buyer_id", preceding=None, following=None)
    recent = recent.mutate(
        newest=recent.month_back.min().over(whole),
        reset=(recent.height <= 0).ifelse(recent.month_back, ibis.null("int64")).min().over(whole),
    )
    return recent.group_by("buyer_id").aggregate(
        PAY01_shift=recent.height.max(where=recent.month_back == recent.newest),
        PAY01_since=recent.month_back.max(where=recent.month_back < ibis.coalesce(recent.reset, MONTHS)),
    )


def oldest_unpaid(book: Book) -> ir.Table:
    """How long has the oldest invoice been waiting for its money?  最长逾期天数

    One row per buyer with an overdue item of which more than a tenth is open: what is less was paid short, and says nothing of delay.
        PAY03       int64    days past due of the oldest of them
        PAY03_owed  float64  open on them, minor units of the base currency (or the buyer's own)
    """
    item = positions(book)
    days = days_between(day(book.on), item.due_date)
    waiting = item.filter((days > 0) & (item.open_minor.cast("float64") > item.amount_minor.cast("float64") * RESIDUE))
    rows = waiting.select(*PER_BUYER, days=days_between(day(book.on), waiting.due_date), owed=waiting.open_minor)
    sums = rows.group_by(list(PER_BUYER)).aggregate(oldest=rows.days.max(), owed=total(rows.owed))
    owed = in_one_currency(book, sums.drop("oldest"), ("owed",))
    oldest = sums.group_by("buyer_id").aggregate(oldest=sums.oldest.max()).view()
    return owed.left_join(oldest, "buyer_id").select(owed.buyer_id, PAY03=oldest.oldest, PAY03_owed=owed.owed)


def part_payments(book: Book) -> ir.Table:
    """How often did a buyer pay something other than its invoices?  部分付款与整数付款

    One row per buyer with money received in the last 60 days.
        PAY05  int64  payments that left their invoice open by more than 1 % (a second payment on the same invoice is one), and money in whole
                      thousands of its currency that no invoice of the book takes up
    """
    rows = book.settlement
    rows = rows.filter(within(rows.settle_date, book, PARTS_DAYS) & (rows.amount_minor > 0) & rows.kind.isin(list(CASH_KINDS)))
    item = positions(book, only=rows.filter(rows.invoice_id.notnull()).select("invoice_id").distinct())
    paid = rows.group_by(list(ITEM)).aggregate(payments=rows.count()).view()
    on_invoice = item.inner_join(paid, list(ITEM))
    still_open = item.open_minor.cast("float64") > item.amount_minor.cast("float64") * CLOSED
    on_invoice = on_invoice.select(item.buyer_id, parts=paid.payments - still_open.ifelse(ZERO, ZERO + 1))
    loose = rows.anti_join(item.select(*ITEM).view(), list(ITEM))
    scales = [
        (loose.currency.isin(sorted(code for code in CURRENCIES if exponent(code) == places)), ROUND_SUM * 10**places)
        for places in (0, 3, 4)
    ]
    in_thousands = loose.amount_minor % ibis.cases(*scales, else_=ROUND_SUM * 100) == 0
    on_account = loose.select("buyer_id", parts=in_thousands.ifelse(ZERO + 1, ZERO))
    both = on_invoice.union(on_account)
    return both.group_by("buyer_id").aggregate(PAY05=total(both.parts))


def contested(book: Book, measured: ir.Table | None = None) -> ir.Table:
    """Does a buyer dispute and deduct more than it used to?  异议与扣款激增

    One row per buyer with sales in the last 365 days.
        PAY08        ratio     what was disputed or deducted ÷ sales, last 90 days, against the same of 365 days; 0 where nothing was all year
        PAY08_share  fraction  of the sales of the last 90 days; null without such sales

    Deductions, returns and credit notes count, cash discounts do not. A dispute without an amount counts with its invoice's. Where a book records
    no dispute and no deduction of anybody (`told.recorded`), the zeros say nothing.
    measured: what to read instead of `buyer_measures`, with its columns.
    """
    invoice, settlement, dispute = book.invoice, book.settlement, book.dispute
    sales = buyer_measures(book) if measured is None else measured
    sold = sales.select(*PER_BUYER, sold_90=sales.credit_sales_90d, sold_365=sales.credit_sales_365d, contested_90=ZERO, contested_365=ZERO)
    cut = settlement.filter(settlement.kind.isin(["deduction", "return", "credit_note"]) & within(settlement.settle_date, book, YEAR))
    cut = cut.select(*PER_BUYER, when=cut.settle_date, contested=cut.amount_minor)
    raised = dispute.filter(within(dispute.raised_on, book, YEAR))
    whole = raised.amount_minor.notnull() & raised.currency.notnull()
    told = raised.filter(whole).select(*PER_BUYER, when=raised.raised_on, contested=raised.amount_minor)
    wanting = raised.filter(~whole).drop("currency").view()
    about = invoice.select("invoice_id", "instalment", "currency", about_minor=invoice.amount_minor)
    wanting = wanting.inner_join(about, ["invoice_id", "instalment"])
    wanting = wanting.select(*PER_BUYER, when=wanting.raised_on, contested=ibis.coalesce(wanting.amount_minor, wanting.about_minor))
    rows = cut.union(told).union(wanting)
    amount = rows.contested
    rows = rows.select(
        *PER_BUYER, sold_90=ZERO, sold_365=ZERO, contested_90=within(rows.when, book, QUARTER).ifelse(amount, ZERO), contested_365=amount
    )
    names = ("sold_90", "sold_365", "contested_90", "contested_365")
    rows = sold.select(*PER_BUYER, *names).union(rows.select(*PER_BUYER, *names))
    sums = rows.group_by(list(PER_BUYER)).aggregate(**{name: total(rows[name]) for name in names})
    one = in_one_currency(book, sums, names)
    one = one.filter(one.sold_365 > 0)
    share, usual = ratio(one.contested_90, one.sold_90), ratio(one.contested_365, one.sold_365)
    return one.select("buyer_id", PAY08=(one.contested_365 > 0).ifelse(ratio(share, usual), 0.0), PAY08_share=share)


def other_payers(book: Book) -> ir.Table:
    """Does somebody else begin to pay for a buyer?  第三方付款

    One row per buyer with a payment in the last 182 days that names its payer.
        PAY09  int64  payments of those days by others than the buyer and the firms of its group, who had not paid for it before
    """
    rows = book.settlement
    rows = rows.filter(is_payment(rows) & rows.payer_id.notnull() & rows.buyer_id.notnull() & (rows.amount_minor > 0))
    by_payer = rows.group_by(["buyer_id", "payer_id"]).aggregate(
        first=rows.settle_date.min(), payments=count(within(rows.settle_date, book, HALF_YEAR))
    )
    by_payer = by_payer.filter(by_payer.payments > 0)
    own = book.buyer.select("buyer_id", own_group=ibis.coalesce(book.buyer.group_id, book.buyer.buyer_id)).view()
    other = book.buyer.select(payer_id=book.buyer.buyer_id, payer_group=ibis.coalesce(book.buyer.group_id, book.buyer.buyer_id)).view()
    named = by_payer.left_join(own, "buyer_id").left_join(other, "payer_id")
    related = ibis.coalesce(own.own_group, by_payer.buyer_id) == ibis.coalesce(other.payer_group, by_payer.payer_id)
    strange = ~related & within(by_payer.first, book, HALF_YEAR)
    named = named.select(by_payer.buyer_id, strangers=strange.ifelse(by_payer.payments, ZERO))
    return named.group_by("buyer_id").aggregate(PAY09=total(named.strangers))
