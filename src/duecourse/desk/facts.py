"""The facts themselves, a page at a time, as another system wants them: no figure, each row with where it came from.  明细"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import ibis

from duecourse.desk.figures import months
from duecourse.ledger.memory import only_buyer
from duecourse.measures.buckets import Buckets
from duecourse.measures.grain import GRAINS
from duecourse.measures.receivables import ageing, open_items

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    import ibis.expr.types as ir

    from duecourse.ledger.book import Book

TABLES: Final = {
    "buyers": "buyer", "invoices": "invoice", "settlements": "settlement", "disputes": "dispute", "orders": "order",
    "exchange-rates": "exchange_rate", "signals": "signal", "statements": "statement", "limits": "limit",
}  # fmt: skip
DATES: Final = {
    "invoices": "issue_date",
    "settlements": "settle_date",
    "disputes": "raised_on",
    "orders": "order_date",
    "exchange-rates": "rate_date",
    "signals": "published_on",
    "statements": "published_on",
    "limits": "valid_from",
}
KEYS: Final[Mapping[str, Sequence[str]]] = {
    "buyers": ("buyer_id",), "invoices": ("invoice_id", "instalment"), "settlements": ("settlement_id",), "disputes": ("dispute_id",),
    "orders": ("order_id",), "exchange-rates": ("provider", "base_currency", "quote_currency", "rate_date"),
    "signals": ("signal_id",), "limits": ("limit_id",), "statements": ("buyer_id", "period_end", "period_months", "consolidated"),
}  # fmt: skip


def facts(
    book: Book,
    kind: str,
    *,
    equal: Mapping[str, str] | None = None,
    since: date | None = None,
    until: date | None = None,
    open_only: bool = False,
    offset: int = 0,
    limit: int | None = None,
) -> list[dict[str, Any]]:
    """Rows of one table, newest first, in the order of their keys within a day.

    equal      {column: value}
    since, until  the first and last day on which they happened
    open_only  disputes that are not resolved; orders that are neither invoiced nor cancelled; signals that hold
    """  # fmt: skip
    if equal and "buyer_id" in equal and kind not in ("orders", "signals", "statements", "limits"):
        book = only_buyer(book, equal["buyer_id"])
    rows: ir.Table = getattr(book, TABLES[kind])
    for name, value in (equal or {}).items():
        rows = rows.filter(rows[name] == value)
    happened = DATES.get(kind)
    if happened and since:
        rows = rows.filter(rows[happened] >= ibis.literal(since, type="date"))
    if happened and until:
        rows = rows.filter(rows[happened] <= ibis.literal(until, type="date"))
    if kind == "orders":
        rows = rows.mutate(status=rows.status.coalesce("open"))
        rows = rows.filter(rows.status.isin(["open", "released"])) if open_only else rows
    if kind == "disputes" and open_only:
        rows = rows.filter(rows.resolved_on.isnull())
    if kind == "signals" and open_only:
        rows = rows.filter(rows.ended_on.isnull())
    order = [*([rows[happened].desc()] if happened else []), *(name for name in KEYS[kind] if name != happened)]
    return [_named(row) for row in book.run(rows.order_by(order).limit(limit, offset=offset)).to_pylist()]


def invoice_rows(
    book: Book,
    buyer_id: str,
    *,
    since: date | None = None,
    until: date | None = None,
    open_only: bool = False,
    offset: int = 0,
    limit: int | None = None,
) -> list[dict[str, Any]]:
    """One buyer's invoices with what is open on each, newest first."""  # fmt: skip
    own = only_buyer(book, buyer_id)
    invoice = own.invoice
    if since:
        invoice = invoice.filter(invoice.issue_date >= ibis.literal(since, type="date"))
    if until:
        invoice = invoice.filter(invoice.issue_date <= ibis.literal(until, type="date"))
    rows = _with_open(own, invoice)
    rows = rows.filter(rows.open_minor > 0) if open_only else rows
    ordered = rows.order_by([rows.issue_date.desc(), "invoice_id", "instalment"]).limit(limit, offset=offset)
    return [_named(row) for row in own.run(ordered).to_pylist()]


def _with_open(book: Book, invoice: ir.Table) -> ir.Table:
    item = open_items(book, buckets=Buckets.of(book)).select("invoice_id", "instalment", "open_minor", "days_past_due", "bucket").view()
    joined = invoice.left_join(item, ["invoice_id", "instalment"])
    return joined.select(
        *(invoice[name] for name in invoice.columns), open_minor=item.open_minor.coalesce(ibis.literal(0, type="int64")),
        days_past_due=item.days_past_due, bucket=item.bucket,
    )  # fmt: skip


def invoice_with_all(
    book: Book, invoice_id: str, instalment: int
) -> tuple[dict[str, Any], list[dict[str, Any]], list[dict[str, Any]]] | None:
    """One invoice with what was set against it and its disputes; None where the book has none, or not for this person."""
    table = book.invoice
    named = book.run(table.filter((table.invoice_id == invoice_id) & (table.instalment == instalment)).select("buyer_id")).to_pylist()
    if not named:
        return None
    own = only_buyer(book, named[0]["buyer_id"])
    invoice = own.invoice
    invoice = invoice.filter((invoice.invoice_id == invoice_id) & (invoice.instalment == instalment))
    rows = own.run(_with_open(own, invoice)).to_pylist()
    about = []
    for kind in ("settlement", "dispute"):
        part: ir.Table = getattr(book, kind)  # whoever paid, it may stand under another buyer
        part = part.filter((part.invoice_id == invoice_id) & (part.instalment == instalment))
        about.append([_named(row) for row in book.run(part.order_by(part.columns[0])).to_pylist()])
    return _named(rows[0]), about[0], about[1]


def ageing_rows(book: Book, *, by: Literal["due_date", "issue_date"], per: Sequence[str], most: int) -> list[dict[str, Any]]:
    """The ageing per currency and a grain of GRAINS, at most `most` of them; columns of `measures.receivables.ageing`."""
    buckets = Buckets.of(book)
    columns = tuple(dict.fromkeys((*per, "currency")))
    table = ageing(book, by=by, buckets=buckets, per=columns)
    return book.run(table.order_by([*columns, "bucket_order"]).limit(most * len(buckets.ids))).to_pylist()


def month_rows(book: Book, count: int) -> tuple[Sequence[str], Sequence[Mapping[str, Any]], Sequence[Mapping[str, Any]]]:
    """The buckets, and how it developed month by month: per currency, and in base currency."""
    buckets = Buckets.of(book)
    rows, base = months(book, count=count, buckets=buckets)
    return buckets.ids, rows, base


def timeline(book: Book, buyer_id: str, *, offset: int = 0, limit: int = 50) -> list[dict[str, Any]]:
    """What happened with one buyer, newest first: invoices, settlements, disputes raised and resolved, orders.  往来时间线"""
    parts = []
    for kind, day, what, key in (
        ("invoices", "issue_date", "invoice", "invoice_id"), ("settlements", "settle_date", "settlement", "settlement_id"),
        ("disputes", "raised_on", "dispute_raised", "dispute_id"), ("disputes", "resolved_on", "dispute_resolved", "dispute_id"),
        ("orders", "order_date", "order", "order_id"),
    ):  # fmt: skip
        rows: ir.Table = getattr(book, TABLES[kind])
        rows = rows.filter((rows.buyer_id == buyer_id) & rows[day].notnull())
        said = {"invoices": "kind", "settlements": "kind", "disputes": "outcome" if day == "resolved_on" else "reason", "orders": "status"}[
            kind
        ]
        part = rows.select(
            on=rows[day], what=ibis.literal(what), kind=rows[said].cast("string"), key=rows[key],
            invoice_id=rows.invoice_id if kind != "orders" else ibis.null("string"), amount=rows.amount_minor, currency=rows.currency,
        )  # fmt: skip
        parts.append(part)
    whole = ibis.union(*parts)
    return book.run(whole.order_by([whole.on.desc(), "what", "key", "invoice_id"]).limit(limit, offset=offset)).to_pylist()


def known_buyer(book: Book, buyer_id: str) -> bool:
    """Does the book hold anything on this buyer?"""
    return any(rows.num_rows for rows in book.about(buyer_id).values())


def _named(row: dict[str, Any]) -> dict[str, Any]:
    """Amounts without the suffix of their unit: they leave as decimal strings."""
    return {name.removesuffix("_minor"): value for name, value in row.items()}


__all__ = ["GRAINS", "ageing_rows", "facts", "invoice_rows", "invoice_with_all", "known_buyer", "month_rows", "timeline"]
