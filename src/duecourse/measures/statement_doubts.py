"""May a buyer's accounts be believed as they stand (报表可信度)? What is wrong with them as figures, before anybody draws conclusions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import ibis

from duecourse.measures.statements import PERIOD, annual_statements

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from duecourse.ledger.book import Book

UNBALANCED_SHARE: Final = 0.02
"""Assets and what finances them may differ by so much: rounding to millions, minority interests shown apart."""

JUMP: Final = 50.0
"""From one year to the next no firm grows or shrinks so many times over; a unit was mistaken."""

PART_TOP: Final = 1.02


def statement_doubts(book: Book) -> ir.Table:
    """Do these accounts hold together?  报表可信度

    One row per buyer and financial year, as `annual_statements` has them.
        buyer_id, period_end, consolidated, newest
        unbalanced   bool   total assets and liabilities plus equity differ by more than 2 % of assets
        impossible   bool   total assets not above zero; a part larger than its whole; revenue, liabilities or stock below zero
        jumped       bool   total assets or revenue at least 50 times, or at most a fiftieth, of the year before: a wrong unit
    """
    s = annual_statements(book)
    known = ibis.literal(value=False)

    def exceeds(part: ir.NumericValue, whole: ir.NumericValue) -> ir.BooleanValue:
        return ibis.coalesce(part.cast("float64") > whole.cast("float64") * PART_TOP, known)

    def negative(item: ir.NumericValue) -> ir.BooleanValue:
        return ibis.coalesce(item < 0, known)

    def leaps(item: ir.NumericValue, before: ir.NumericValue) -> ir.BooleanValue:
        times = item.cast("float64") / before.cast("float64").nullif(0.0)
        return ibis.coalesce((item > 0) & (before > 0) & ((times >= JUMP) | (times <= 1.0 / JUMP)), known)

    financed = s.total_liabilities + s.total_equity
    gap = (s.total_assets - financed).abs().cast("float64")
    return s.select(
        *PERIOD, "newest",
        unbalanced=ibis.coalesce(gap > s.total_assets.abs().cast("float64") * UNBALANCED_SHARE, known),
        impossible=(
            ibis.coalesce(s.total_assets <= 0, known) | exceeds(s.current_assets, s.total_assets) | exceeds(s.cash, s.total_assets)
            | exceeds(s.inventories, s.total_assets) | exceeds(s.trade_receivables, s.total_assets)
            | exceeds(s.current_liabilities, s.total_liabilities) | negative(s.revenue) | negative(s.total_liabilities)
            | negative(s.inventories) | negative(s.current_assets)
        ),
        jumped=leaps(s.total_assets, s.prior_total_assets) | leaps(s.revenue, s.prior_revenue),
    )  # fmt: skip
