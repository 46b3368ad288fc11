"""What a buyer's accounts say, and that they are late (财务类预警指标)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import ibis

from duecourse.measures.expressions import day, days_between, ratio
from duecourse.measures.statements import altman_general, annual_statements, ratio_values

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from duecourse.ledger.book import Book

YEAR_DAYS: Final = 366
GRACE_DAYS: Final = 60
"""Accounts may come so many days later than those of the year before did."""
DEAD_DAYS: Final = 3 * 365
"""Accounts older than this say nothing of a buyer today; it has stopped giving any."""
RATIOS: Final = ("current_ratio", "interest_cover", "liabilities_to_assets", "revenue_growth", "payable_days")
DOUBTS: Final = ("adverse", "disclaimer", "going_concern")


def accounts(book: Book) -> ir.Table:
    """How do a buyer's newest accounts look, and against the years before?  财务预警指标

    One row per buyer with accounts of a year, the newest not older than three years.
        FIN01        float64   Altman Z″ (6.56 X1 + 3.26 X2 + 6.72 X3 + 1.05 X4), the same formula for every firm
        FIN01_fall   float64   by how much it fell against the year before; below 0 = it rose
        FIN02        ratio     current assets ÷ current liabilities
        FIN03        int64     years in a row with a negative operating cash flow, at most 2; null where the newest does not give it
        FIN03_debt   ratio     operating cash flow of the two newest years together ÷ debt; null without debt
        FIN04        ratio     operating profit ÷ interest expense; null without interest
        FIN05        fraction  liabilities ÷ assets; above 1 = negative equity
        FIN06        fraction  revenue against the year before
        FIN07        days      payable days less their mean of up to three years before
        FIN08        int64     days by which the next year's accounts are overdue: a year after the newest period's end, plus as long as those took to
                               be published, plus 60; 0 = not overdue
        FIN08_qualified, FIN08_doubt   int64   1 = the newest opinion is qualified · adverse, a disclaimer or doubts going concern; else 0
        FIN09        ratio     short-term debt ÷ cash; lines of credit not drawn are not known to the book

    Source: Altman 1995 for Z″; the others are common usage.
    """
    rows = annual_statements(book)
    ratios = ratio_values(rows)
    rows = rows.select(
        "buyer_id", "period_end", "newest", "age_days", "opinion", "published_on", "operating_cash_flow", "prior_operating_cash_flow", "short_term_debt",
        "cash", **{name: ratios[name] for name in RATIOS}, z=altman_general(rows),
        debt=ibis.coalesce(rows.short_term_debt, 0) + ibis.coalesce(rows.long_term_debt, 0),
    )  # fmt: skip
    before = ibis.window(group_by="buyer_id", order_by="period_end", preceding=(3, 1))
    by_year = ibis.window(group_by="buyer_id", order_by="period_end")
    gap = days_between(rows.period_end, rows.period_end.lag(1).over(by_year))
    rows = rows.mutate(
        payable_before=rows.payable_days.mean().over(before),
        z_before=(gap <= YEAR_DAYS + GRACE_DAYS).ifelse(rows.z.lag(1).over(by_year), ibis.null("float64")),
    )
    rows = rows.filter(rows.newest & (rows.age_days <= DEAD_DAYS))
    burnt, burnt_before = rows.operating_cash_flow < 0, ibis.coalesce(rows.prior_operating_cash_flow < 0, ibis.literal(value=False))
    both = rows.operating_cash_flow + ibis.coalesce(rows.prior_operating_cash_flow, 0)
    took = days_between(rows.published_on, rows.period_end)
    overdue = days_between(day(book.on), rows.period_end) - YEAR_DAYS - took - GRACE_DAYS
    return rows.select(
        "buyer_id",
        FIN01=rows.z,
        FIN01_fall=rows.z_before - rows.z,
        FIN02=rows.current_ratio,
        FIN03=burnt.cast("int64") + (burnt & burnt_before).cast("int64"),
        FIN03_debt=(rows.debt > 0).ifelse(ratio(both, rows.debt), ibis.null("float64")),
        FIN04=rows.interest_cover,
        FIN05=rows.liabilities_to_assets,
        FIN06=rows.revenue_growth,
        FIN07=rows.payable_days - rows.payable_before,
        FIN08=(overdue > 0).ifelse(overdue, 0),
        FIN08_qualified=ibis.coalesce(rows.opinion == "qualified", ibis.literal(value=False)).cast("int64"),
        FIN08_doubt=ibis.coalesce(rows.opinion.isin(list(DOUBTS)), ibis.literal(value=False)).cast("int64"),
        FIN09=(rows.cash > 0).ifelse(ratio(rows.short_term_debt, rows.cash), ibis.null("float64")),
    )
