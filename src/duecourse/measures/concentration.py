"""How much hangs on few names (集中度): shares, top names, HHI, Gini, per buyer or looked through to groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import ibis

from duecourse.measures.base import in_base
from duecourse.measures.expressions import day, ratio, total
from duecourse.measures.grain import grain, with_grain
from duecourse.measures.payment import WINDOW_DAYS
from duecourse.measures.positions import invoices
from duecourse.measures.receivables import outstanding
from duecourse.measures.windows import checked, days_before

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from duecourse.ledger.book import Book

By = Literal["buyer_id", "group_id"]
Of = Literal["outstanding", "overdue", "credit_sales"]
TOPS: Final = (1, 5, 10)


def shares(book: Book, *, of: Of = "outstanding", by: By = "group_id", base: bool = False, window_days: int = WINDOW_DAYS) -> ir.Table:
    """Who makes up how much of our receivables or sales?  集中度

    One row per currency and name with an amount above zero, largest first by `rank`.
        name_id           string   buyer, or group (ultimate parent; a buyer without a group is its own)
        currency          string
        amount            int64    outstanding, overdue, or credit sales of the last `window_days` days
        share             float64  of the currency's amount
        rank              int64    1 = the largest; equal amounts by name_id
        cumulative_share  float64  of this and all larger names

    base: all currencies together, converted to the base currency; names with an amount in a currency without a rate are left out of it.
    """
    columns = grain((by,))
    if of == "credit_sales":
        since = days_before(book.on, checked("window_days", window_days, 1, 3660))
        rows = invoices(book)
        rows = with_grain(book, rows.filter(rows.issue_date > day(since)), columns)
        sums = rows.group_by(list(columns)).aggregate(amount=total(rows.amount_minor))
    else:
        rows = outstanding(book, per=columns)
        sums = rows.select(*columns, amount=rows[of])
    if base:
        sums = in_base(book, sums, ("amount",), by=(by,))
    sums = sums.filter(sums.amount > 0).select("currency", name_id=sums[by], amount=sums.amount)
    whole = sums.amount.sum().over(ibis.window(group_by="currency", preceding=None, following=None))
    falling = ibis.window(group_by="currency", order_by=[ibis.desc("amount"), ibis.asc("name_id")], preceding=None, following=0)
    ranked = sums.select(
        "name_id",
        "currency",
        "amount",
        share=ratio(sums.amount, whole),
        rank=ibis.row_number().over(ibis.window(group_by="currency", order_by=[ibis.desc("amount"), ibis.asc("name_id")])) + 1,
        through=sums.amount.sum().over(falling),
        whole=whole,
    )
    return ranked.select("name_id", "currency", "amount", "share", "rank", cumulative_share=ratio(ranked.through, ranked.whole))


def concentration(
    book: Book, *, of: Of = "outstanding", by: By = "group_id", base: bool = False, window_days: int = WINDOW_DAYS
) -> ir.Table:
    """How concentrated are our receivables or sales?  集中度指标

    One row per currency (one in all with `base`).
        names             int64    with an amount above zero
        amount            int64
        top_1, top_5, top_10  float64  share of the largest, the five, the ten largest names
        hhi               float64  Herfindahl–Hirschman index Σ share², 1/n to 1 (above 0.10 moderate, above 0.18 high)
        effective_number  float64  1 / HHI: as many equal names would be as concentrated
        gini              float64  基尼系数: 0 = all names equal; Σᵢ Σⱼ |xᵢ − xⱼ| / (2 n² mean)

    by: `group_id` looks through to the ultimate parent, `buyer_id` does not.
    """
    rows = shares(book, of=of, by=by, base=base, window_days=window_days)
    by_currency = rows.group_by("currency")
    # With names numbered from the largest, Σᵢ Σⱼ |xᵢ − xⱼ| is 2 Σ (n + 1 − 2·rank)·x.
    sums = by_currency.aggregate(
        names=rows.count(),
        amount=total(rows.amount),
        hhi=(rows.share * rows.share).sum(),
        ranked=(rows.rank.cast("float64") * rows.share).sum(),
        **{f"top_{count}": rows.share.sum(where=rows["rank"] <= count) for count in TOPS},
    )
    count = sums.names.cast("float64")
    return sums.select(
        "currency",
        "names",
        "amount",
        *(f"top_{count}" for count in TOPS),
        "hhi",
        effective_number=ratio(ibis.literal(1.0), sums.hhi),
        gini=(count + 1.0 - sums.ranked * 2.0) / count.nullif(0.0),
    )
