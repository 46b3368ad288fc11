"""How a buyer's country, sector and group stand in our own books (国家、行业与集团预警指标)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import ibis

from duecourse.measures.buyer import buyer_measures
from duecourse.measures.expressions import ZERO, count, ratio
from duecourse.measures.indicators.common import YEAR, within

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from duecourse.ledger.book import Book

LEAST_BUYERS: Final = 20
LEAST_LATE: Final = 5
LATE: Final = ("days_61_90", "days_91_180", "days_181_365", "days_over_365")
FAILED: Final = LATE[1:]
MATERIAL: Final = 0.05
"""Share of what a buyer owes that has to be late for the buyer to count."""
INSOLVENT: Final = ("insolvency", "dishonest_debtor")


def standing_of(book: Book, measured: ir.Table | None = None) -> ir.Table:
    """Which buyers trade with us, and which of them are far behind?  严重逾期买方

    One row per buyer that owes anything or bought within the last 365 days: is_late (more than 60 days on a material part of its debt), is_failing
    (more than 90).
    """
    rows = buyer_measures(book) if measured is None else measured
    late, failing = (sum((rows[name] for name in names[1:]), rows[names[0]]) for names in (LATE, FAILED))
    owed = rows.outstanding.cast("float64") * MATERIAL
    rows = rows.select(
        "buyer_id", active=(rows.outstanding > 0) | (rows.credit_sales_365d > 0), is_late=(late > 0) & (late >= owed),
        is_failing=(failing > 0) & (failing >= owed),
    )  # fmt: skip
    return rows.filter(rows.active).group_by("buyer_id").aggregate(is_late=rows.is_late.any(), is_failing=rows.is_failing.any())


def moves(book: Book, now: ir.Table | None = None, then: ir.Table | None = None) -> ir.Table:
    """Do more of our buyers of a country or sector fall behind than a year ago?  国家与行业逾期变化

    One row per country and per sector with at least 20 buyers active now and 20 a year ago, 5 of them far behind now: a figure of this firm's own
    portfolio, not a statistic of the country or sector.
        of        string    country | sector
        name      string
        buyers    int64     active now
        late      int64     of them more than 60 days late on at least 5 % of what they owe
        change    fraction  of that share against a year ago: 0.25 = a quarter more
        surprise  float64   how far the change is beyond chance: standard errors of a difference of two shares

    now, then: what to read instead of `standing_of` the book, and of the book a year before.
    """
    before = replace(book, on=book.on - timedelta(days=YEAR))
    parts = []
    for rows, at in ((standing_of(book) if now is None else now, 1), (standing_of(before) if then is None else then, 0)):
        own = rows.view()
        buyer = book.buyer.select("buyer_id", "country", "sector").view()
        joined = own.inner_join(buyer, "buyer_id")
        for of in ("country", "sector"):
            one = joined.select(of=ibis.literal(of), name=buyer[of], is_now=ibis.literal(at), is_late=own.is_late)
            parts.append(one.filter(one.name.notnull()))
    rows = parts[0].union(*parts[1:])
    today = rows.is_now == 1
    sums = rows.group_by(["of", "name"]).aggregate(
        buyers=count(today), late=count(today & rows.is_late), buyers_then=count(~today), late_then=count(~today & rows.is_late)
    )
    sums = sums.filter((sums.buyers >= LEAST_BUYERS) & (sums.buyers_then >= LEAST_BUYERS) & (sums.late >= LEAST_LATE))
    share, was = ratio(sums.late, sums.buyers), ratio(sums.late_then, sums.buyers_then)
    pooled = ratio(sums.late + sums.late_then, sums.buyers + sums.buyers_then)
    error = (pooled * (1.0 - pooled) * (ratio(ibis.literal(1), sums.buyers) + ratio(ibis.literal(1), sums.buyers_then))).sqrt()
    # A share that was nothing has grown beyond any measure: counted as if half a buyer had been late.
    floor = ratio(ibis.literal(0.5), sums.buyers_then)
    return sums.select(
        "of",
        "name",
        "buyers",
        "late",
        change=ratio(share, (sums.late_then > 0).ifelse(was, floor)) - 1.0,
        surprise=ratio(share - was, error),
    )


def contagion(book: Book, standing: ir.Table | None = None) -> ir.Table:
    """Is another firm of a buyer's group in trouble?  集团传染

    One row per buyer of a group with more than one member in the book.
        MAC03_group         int64  other members more than 90 days late on at least 5 % of what they owe, or insolvent
        MAC03_group_failed  int64  of them insolvent or dishonest debtors by a signal that holds

    standing: what to read instead of `standing_of`.
    """
    rows = standing_of(book) if standing is None else standing
    rows = rows.view()
    signal = book.signal
    signal = signal.filter(signal.kind.isin(list(INSOLVENT)) & signal.ended_on.isnull() & within(signal.published_on, book, 5 * YEAR))
    failed = signal.filter(ibis.coalesce(signal.severity == "red", ibis.literal(value=True))).select("buyer_id").distinct().view()
    buyer = book.buyer.filter(book.buyer.group_id.notnull()).select("buyer_id", "group_id")
    joined = buyer.left_join(rows, "buyer_id").left_join(failed, "buyer_id")
    is_failed = failed.buyer_id.notnull()
    trouble = is_failed | ibis.coalesce(rows.is_failing, ibis.literal(value=False))
    member = joined.select(buyer.buyer_id, buyer.group_id, one=ZERO + 1, trouble=trouble.cast("int64"), failed=is_failed.cast("int64"))
    group = ibis.window(group_by="group_id", preceding=None, following=None)
    member = member.mutate(
        **{name: member[name].sum().over(group) for name in ("one",)},
        all_trouble=member.trouble.sum().over(group),
        all_failed=member.failed.sum().over(group),
    )
    member = member.filter(member.one > 1)
    return member.select(
        "buyer_id",
        MAC03_group=(member.all_trouble - member.trouble).cast("int64"),
        MAC03_group_failed=(member.all_failed - member.failed).cast("int64"),
    )
