"""The facts of a book as rows, for a spreadsheet or another system."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from duecourse.measures.buckets import Buckets
from duecourse.measures.receivables import open_items

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from duecourse.ledger.book import Book

OPEN_ITEMS = (
    "invoice_id", "instalment", "buyer_id", "name", "legal_entity", "issue_date", "due_date", "days_past_due", "bucket", "currency", "amount_minor",
    "open_minor", "sales_owner", "order_number",
)  # fmt: skip


def export_rows(book: Book, what: str) -> tuple[Sequence[str], Iterator[dict[str, Any]]]:
    """The column names, and the rows of `open-items`, `invoices`, `settlements`, `buyers` or `disputes`, a batch at a time in memory.  导出"""
    if what == "open-items":
        items = open_items(book, buckets=Buckets.of(book))
        rows = (
            items.left_join(book.buyer.select("buyer_id", "name"), "buyer_id")
            .select(*OPEN_ITEMS)
            .order_by(["buyer_id", "due_date", "invoice_id", "instalment"])
        )
    else:
        rows = {"invoices": book.invoice, "settlements": book.settlement, "buyers": book.buyer, "disputes": book.dispute}[what]
        rows = rows.drop("recorded_at").order_by(rows.columns[0])
    reader = book.stream(rows)
    return tuple(rows.columns), (row for batch in reader for row in batch.to_pylist())
