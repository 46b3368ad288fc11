"""What each invoice still stands at, and which settlements belong to which invoice: the ground every measure stands on.

A settlement is applied to the invoice whose number, instalment and currency it names, and then belongs to that invoice's buyer,
whoever paid. It takes effect on the later of the two dates: a payment that names an invoice not yet issued is an unapplied credit
until the invoice is there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from duecourse.ledger.entries import DILUTION_KINDS, PAYMENT_KINDS
from duecourse.measures.expressions import day, or_zero, total

if TYPE_CHECKING:
    from datetime import date

    import ibis.expr.types as ir

    from duecourse.ledger.book import Book

ITEM: Final = ("invoice_id", "instalment", "currency")


def is_payment(settlement: ir.Table) -> ir.BooleanValue:
    """Money, or what stands for it: cash, allocation, set-off, and settlements of which a list does not tell the kind."""
    return settlement.kind.isin(PAYMENT_KINDS)


def is_dilution(settlement: ir.Table) -> ir.BooleanValue:
    """A reduction that is not money: credit note, return, discount, deduction."""
    return settlement.kind.isin(DILUTION_KINDS)


def invoices(book: Book, at: date | None = None) -> ir.Table:
    """The invoices issued by the close of `at` (None = the book's day)."""
    rows = book.invoice
    return rows if at is None or at >= book.on else rows.filter(rows.issue_date <= day(at))


def settlements(book: Book, at: date | None = None) -> ir.Table:
    """The settlements made by the close of `at` (None = the book's day)."""
    rows = book.settlement
    return rows if at is None or at >= book.on else rows.filter(rows.settle_date <= day(at))


def positions(book: Book, at: date | None = None, only: ir.Table | None = None) -> ir.Table:
    """One row per invoice and instalment as of the close of `at`: its facts, settled_minor, open_minor, last_settled.

    only: a table with `invoice_id`; other invoices are not looked at.
    """
    invoice, settlement = invoices(book, at), settlements(book, at)
    if only is not None:
        invoice, settlement = (rows.semi_join(only, "invoice_id").select(rows.columns) for rows in (invoice, settlement))
    named = settlement.filter(settlement.invoice_id.notnull())
    paid = named.group_by(list(ITEM)).aggregate(settled_minor=total(named.amount_minor), last_settled=named.settle_date.max())
    settled = or_zero(paid.settled_minor)
    return invoice.left_join(paid, list(ITEM)).select(
        *(invoice[name] for name in invoice.columns),
        settled_minor=settled,
        open_minor=invoice.amount_minor - settled,
        last_settled=paid.last_settled,
    )


def applied(book: Book, at: date | None = None, since: date | None = None) -> ir.Table:
    """One row per settlement applied to an invoice, made after `since` and by `at`, with that invoice's buyer, dates and owners.

    Columns: settlement_id, kind, settle_date, inferred, amount_minor, currency; of the invoice: invoice_id, instalment, buyer_id,
    issue_date, due_date, payment_terms_days, legal_entity, sales_owner.
    """
    invoice, settlement = invoices(book, at), settlements(book, at)
    if since is not None:
        settlement = settlement.filter(settlement.settle_date > day(since))
    return settlement.inner_join(invoice, list(ITEM)).select(
        *(settlement[name] for name in ("settlement_id", "kind", "settle_date", "inferred", "amount_minor", "currency")),
        *(
            invoice[name]
            for name in (
                "invoice_id",
                "instalment",
                "buyer_id",
                "issue_date",
                "due_date",
                "payment_terms_days",
                "legal_entity",
                "sales_owner",
            )
        ),
    )


def unapplied(book: Book, at: date | None = None) -> ir.Table:
    """One row per settlement by `at` that no invoice issued by then takes up: the settlement's own columns."""
    invoice, settlement = invoices(book, at).select(*ITEM), settlements(book, at)
    return settlement.anti_join(invoice, list(ITEM))


def attributed(book: Book, at: date | None = None, since: date | None = None) -> ir.Table:
    """One row per settlement made after `since` and by `at`, under the buyer it belongs to: the invoice's, else its own.

    Columns: kind, settle_date, amount_minor, currency, buyer_id, legal_entity, sales_owner (null where not applied), is_applied.
    """
    invoice = invoices(book, at).select(*ITEM, "buyer_id", "legal_entity", "sales_owner")
    settlement = settlements(book, at)
    if since is not None:
        settlement = settlement.filter(settlement.settle_date > day(since))
    own = settlement.select("kind", "settle_date", "amount_minor", *ITEM, "buyer_id", "legal_entity")
    return own.left_join(invoice, list(ITEM)).select(
        *(own[name] for name in ("kind", "settle_date", "amount_minor", "currency")),
        buyer_id=invoice.invoice_id.notnull().ifelse(invoice.buyer_id, own.buyer_id),
        legal_entity=invoice.invoice_id.notnull().ifelse(invoice.legal_entity, own.legal_entity),
        sales_owner=invoice.sales_owner,
        is_applied=invoice.invoice_id.notnull(),
    )
