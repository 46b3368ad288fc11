"""What buyers contest (商业纠纷): how much, how often, for how long."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from duecourse.measures.expressions import day, days_between, gather, or_zero, positive, ratio
from duecourse.measures.grain import PER_CURRENCY, grain, with_grain
from duecourse.measures.payment import WINDOW_DAYS
from duecourse.measures.positions import invoices, positions
from duecourse.measures.receivables import outstanding
from duecourse.measures.windows import checked, days_before

if TYPE_CHECKING:
    from collections.abc import Sequence

    import ibis.expr.types as ir

    from duecourse.ledger.book import Book


def _disputes(book: Book) -> ir.Table:
    """Disputes with the invoice they are about: buyer, currency and owners of the invoice where the dispute leaves them out."""
    dispute = book.dispute
    item = positions(book, only=dispute.select("invoice_id"))
    found = dispute.left_join(item, [dispute.invoice_id == item.invoice_id, dispute.instalment == item.instalment])
    balance = positive(or_zero(item.open_minor))
    return found.select(
        *(dispute[name] for name in ("dispute_id", "invoice_id", "instalment", "raised_on", "resolved_on", "reason", "outcome")),
        buyer_id=ibis.coalesce(item.buyer_id, dispute.buyer_id),
        currency=ibis.coalesce(item.currency, dispute.currency),
        legal_entity=item.legal_entity,
        sales_owner=item.sales_owner,
        amount_minor=ibis.coalesce(dispute.amount_minor, item.amount_minor),
        disputed_minor=ibis.coalesce(dispute.amount_minor, balance),
        open_minor=balance,
    )


def open_disputes(book: Book) -> ir.Table:
    """Which disputes are open, over how much, and since when?  未决争议

    One row per dispute raised by the book's day and not resolved by then.
        dispute_id, buyer_id, invoice_id, instalment, currency, legal_entity, sales_owner, raised_on, reason
        disputed_minor  int64  the disputed part; the invoice's open balance where the dispute names no amount
        open_minor      int64  what is open on the invoice; 0 where it is settled or unknown
        age_days        int64  days since it was raised
    """
    rows = _disputes(book)
    rows = rows.filter(rows.resolved_on.isnull())
    names = ("dispute_id", "buyer_id", "invoice_id", "instalment", "currency", "legal_entity", "sales_owner", "raised_on", "reason")
    return rows.select(*names, "disputed_minor", "open_minor", age_days=days_between(day(book.on), rows.raised_on))


def disputes(book: Book, *, per: Sequence[str] = PER_CURRENCY, window_days: int = WINDOW_DAYS) -> ir.Table:
    """How much of our receivables and of our sales is disputed?  争议率

    One row per grain with an open dispute, something outstanding, or an invoice or dispute in the window.
        open_disputes        int64
        disputed             int64    of what is outstanding: an open dispute counts with no more than its invoice's open balance
        outstanding          int64
        disputed_share       float64  disputed / outstanding
        average_age_days     float64  of the open disputes; null without any
        raised               int64    disputes raised in the last `window_days` days, resolved since or not
        invoices             int64    invoices issued in those days
        dispute_rate         float64  raised / invoices; null without invoices

    An invoice disputed twice counts twice. window_days: 1 to 3660.
    """
    columns = grain(per)
    checked("window_days", window_days, 1, 3660)
    since = day(days_before(book.on, window_days))
    rows = with_grain(book, _disputes(book), columns)
    is_open = rows.resolved_on.isnull().cast("int64")
    lower = (rows.disputed_minor < rows.open_minor).ifelse(rows.disputed_minor, rows.open_minor)
    issued = invoices(book)
    issued = with_grain(book, issued.filter(issued.issue_date > since), columns)
    one = ibis.literal(1, type="int64")
    sums = gather(
        columns,
        rows.select(
            *columns,
            open_disputes=is_open,
            disputed=lower * is_open,
            age_days=days_between(day(book.on), rows.raised_on) * is_open,
            raised=(rows.raised_on > since).cast("int64"),
        ),
        outstanding(book, per=columns).select(*columns, "outstanding"),
        issued.select(*columns, invoices=one),
    )
    return sums.select(
        *columns,
        "open_disputes",
        "disputed",
        "outstanding",
        disputed_share=ratio(sums.disputed, sums.outstanding),
        average_age_days=ratio(sums.age_days, sums.open_disputes),
        raised=sums.raised,
        invoices=sums.invoices,
        dispute_rate=ratio(sums.raised, sums.invoices),
    )
