"""What has been said of a buyer, lately and before: signals counted by what they are about (信号分组统计)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import ibis

from duecourse.measures.expressions import count, day
from duecourse.measures.windows import days_before

if TYPE_CHECKING:
    from collections.abc import Mapping

    import ibis.expr.types as ir

    from duecourse.ledger.book import Book

LATELY_DAYS: Final = 90
BEFORE_DAYS: Final = 365

TOPICS: Final[Mapping[str, tuple[str, ...]]] = {
    "contact": ("contact_change", "bank_change", "no_answer", "unusual_payer"),
    "promise": ("broken_promise",),
    "terms": ("terms_request",),
    "news": ("news",),
    "claim": ("lawsuit", "tax_arrears", "register_warning", "arrears_list", "reference"),
    "seizure": ("enforcement", "dishonest_debtor", "asset_freeze", "bill_dishonoured", "list_match"),
    "insurer": ("insurer_limit_cut",),
    "rating": ("bureau_grade", "insurer_grade", "rating"),
    "operation": ("supply_stop", "headcount_fall", "capital_reduction", "asset_transfer", "customer_failure"),
}
"""Kinds of signal by topic. Neutral ones (told as info) count for contact and operation alone, where the event itself is the news."""

NEUTRAL_COUNTS: Final = ("contact", "operation")


def told_lately(book: Book) -> ir.Table:
    """How much has been said of each buyer in the last three months, and in the nine before?  近期信号分题统计

    One row per buyer of whom the book holds a signal of the last 365 days; for each topic of TOPICS
        TOPIC_lately   int64   signals published within 90 days
        TOPIC_before   int64   within 91 to 365 days
    """
    rows = book.signal
    rows = rows.filter(rows.published_on > day(days_before(book.on, BEFORE_DAYS)))
    lately = rows.published_on > day(days_before(book.on, LATELY_DAYS))
    bad = ibis.coalesce(rows.severity != "info", ibis.literal(value=True))
    counted: dict[str, ir.IntegerScalar] = {}
    for topic, kinds in TOPICS.items():
        about = rows.kind.isin(list(kinds))
        about = about if topic in NEUTRAL_COUNTS else about & bad
        counted |= {f"{topic}_lately": count(about & lately), f"{topic}_before": count(about & ~lately)}
    return rows.group_by("buyer_id").aggregate(**counted)
