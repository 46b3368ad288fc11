"""Does the book hold together? 账实检查: orphans, impossible dates, balances that cannot be, each with where it came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import ibis

from duecourse.findings import Finding, Severity
from duecourse.money import to_decimal

if TYPE_CHECKING:
    from collections.abc import Callable

    import ibis.expr.types as ir

    from duecourse.ledger.book import Book


@dataclass(frozen=True)
class Check:
    """One question to the book: the rows of `faulty(book)` are its findings.

    `faulty` gives one row per fault: source, source_row, value (what was found), subject (the business key a person looks for).
    """

    code: str
    severity: Severity
    faulty: Callable[[Book], ir.Table]


@dataclass(frozen=True)
class Outcome:
    """What a check found: how many rows, and the first of them as findings."""

    code: str
    severity: Severity
    count: int
    findings: tuple[Finding, ...]


_FALSE: Final = ibis.literal(value=False)


def _text(value: ir.Value) -> ir.StringValue:
    return ibis.coalesce(value.cast("string"), ibis.literal(""))


def _shown(rows: ir.Table, value: ir.Value, subject: ir.Value, *, money_in: ir.StringValue | None = None) -> ir.Table:
    currency = ibis.null("string") if money_in is None else money_in
    return rows.select(source=rows.source, source_row=rows.source_row, value=_text(value), subject=_text(subject), currency=currency)


def settlements_without_invoice(book: Book) -> ir.Table:
    """Settlements that name an invoice the book does not have: they count as unapplied credits until it arrives."""
    settlement, invoice = book.settlement, book.invoice
    named = settlement.filter(settlement.invoice_id.notnull())
    orphans = named.anti_join(invoice, ["invoice_id", "instalment"])
    return _shown(orphans, orphans.invoice_id, orphans.settlement_id)


def settlements_in_other_currency(book: Book) -> ir.Table:
    """Settlements in another currency than the invoice they name: they are not set against it."""
    settlement, invoice = book.settlement, book.invoice
    keys = invoice.select("invoice_id", "instalment", invoice_currency=invoice.currency)
    joined = settlement.filter(settlement.invoice_id.notnull()).inner_join(keys, ["invoice_id", "instalment"])
    faulty = joined.filter(joined.currency != joined.invoice_currency)
    return _shown(faulty, faulty.currency + " / " + faulty.invoice_currency, faulty.settlement_id)


def invoices_overpaid(book: Book) -> ir.Table:
    """Invoices against which more was settled than billed: the excess is shown as an unapplied credit."""
    settlement, invoice = book.settlement, book.invoice
    keys = ["invoice_id", "instalment", "currency"]
    paid = settlement.filter(settlement.invoice_id.notnull()).group_by(keys).aggregate(paid=settlement.amount_minor.sum().cast("int64"))
    joined = invoice.inner_join(paid, keys)
    faulty = joined.filter(joined.paid > joined.amount_minor)
    return _shown(faulty, faulty.paid - faulty.amount_minor, faulty.invoice_id, money_in=faulty.currency)


def invoices_due_before_issue(book: Book) -> ir.Table:
    """Invoices due before they were issued."""
    invoice = book.invoice
    faulty = invoice.filter(invoice.due_date < invoice.issue_date)
    return _shown(faulty, faulty.due_date.cast("string") + " < " + faulty.issue_date.cast("string"), faulty.invoice_id)


def invoices_without_due_date(book: Book) -> ir.Table:
    """Invoices without a due date: they never become overdue."""
    invoice = book.invoice
    faulty = invoice.filter(invoice.due_date.isnull())
    return _shown(faulty, faulty.issue_date, faulty.invoice_id)


def invoices_not_positive(book: Book) -> ir.Table:
    """Invoices of zero or less; a credit should come as a settlement."""
    invoice = book.invoice
    faulty = invoice.filter(invoice.amount_minor <= 0)
    return _shown(faulty, faulty.amount_minor, faulty.invoice_id, money_in=faulty.currency)


def money_without_currency(book: Book) -> ir.Table:
    """Invoices whose export gave no currency (booked under XXX, never added to another)."""
    invoice = book.invoice
    faulty = invoice.filter(invoice.currency == "XXX")
    return _shown(faulty, faulty.amount_minor, faulty.invoice_id, money_in=faulty.currency)


def issue_dates_estimated(book: Book) -> ir.Table:
    """Invoices whose issue date had to be worked out from due date and term."""
    invoice = book.invoice
    faulty = invoice.filter(invoice.issue_date_estimated)
    return _shown(faulty, faulty.issue_date, faulty.invoice_id)


def payments_before_issue(book: Book) -> ir.Table:
    """Payments dated before the invoice they settle: an advance, or a wrong date."""
    settlement, invoice = book.settlement, book.invoice
    issued = invoice.select("invoice_id", "instalment", "issue_date", "issue_date_estimated")
    joined = settlement.filter(settlement.invoice_id.notnull()).inner_join(issued, ["invoice_id", "instalment"])
    faulty = joined.filter((joined.settle_date < joined.issue_date) & ~ibis.coalesce(joined.issue_date_estimated, _FALSE))
    return _shown(faulty, faulty.settle_date.cast("string") + " < " + faulty.issue_date.cast("string"), faulty.settlement_id)


def possible_duplicates(book: Book) -> ir.Table:
    """Invoices alike in buyer, amount, currency, issue and due date under different numbers: perhaps entered twice."""
    invoice = book.invoice
    alike = ["buyer_id", "amount_minor", "currency", "issue_date", "due_date"]
    window = ibis.window(group_by=alike, order_by=["invoice_id", "instalment"])
    numbered = invoice.mutate(earlier=ibis.row_number().over(window))
    faulty = numbered.filter((numbered.earlier > 0) & (numbered.amount_minor > 0))
    return _shown(faulty, faulty.amount_minor, faulty.invoice_id, money_in=faulty.currency)


def buyers_without_profile(book: Book) -> ir.Table:
    """Buyers with transactions but no profile: only their number is known."""
    invoice, buyer = book.invoice, book.buyer
    first = invoice.group_by("buyer_id").aggregate(source=invoice.source.min(), source_row=invoice.source_row.min())
    faulty = first.anti_join(buyer, "buyer_id")
    return _shown(faulty, faulty.buyer_id, faulty.buyer_id)


CHECKS: Final = (
    Check("settlement_without_invoice", Severity.WARNING, settlements_without_invoice),
    Check("settlement_in_other_currency", Severity.ERROR, settlements_in_other_currency),
    Check("invoice_overpaid", Severity.WARNING, invoices_overpaid),
    Check("invoice_due_before_issue", Severity.WARNING, invoices_due_before_issue),
    Check("invoice_without_due_date", Severity.WARNING, invoices_without_due_date),
    Check("invoice_not_positive", Severity.WARNING, invoices_not_positive),
    Check("money_without_currency", Severity.WARNING, money_without_currency),
    Check("payment_before_issue", Severity.NOTE, payments_before_issue),
    Check("issue_date_estimated", Severity.NOTE, issue_dates_estimated),
    Check("possible_duplicate", Severity.NOTE, possible_duplicates),
    Check("buyer_without_profile", Severity.NOTE, buyers_without_profile),
)


def _worded(value: str, currency: str | None) -> str:
    return value if currency is None else f"{to_decimal(int(value), currency):,f} {currency}"


def check(book: Book, *, examples: int = 5) -> list[Outcome]:
    """Ask all checks of a book: those that found something, with the count and the first `examples` rows each.

    Rows are named by the file and line they came from.
    """
    files = {row.batch_id: row.file_name for row in book.ledger.state.rows}
    outcomes = []
    for one in CHECKS:
        faulty = one.faulty(book)
        count = book.run(faulty.aggregate(n=faulty.count())).column("n")[0].as_py()
        if not count:
            continue
        first = book.run(faulty.order_by(["source", "source_row", "subject"]).limit(examples)).to_pylist()
        findings = tuple(
            Finding(
                one.code, one.severity, source=files.get(row["source"]) or row["source"], row=row["source_row"], value=_worded(row["value"], row["currency"]),
                args={"subject": row["subject"]},
            )
            for row in first
        )  # fmt: skip
        outcomes.append(Outcome(one.code, one.severity, count, findings))
    return outcomes
