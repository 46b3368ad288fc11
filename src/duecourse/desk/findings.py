"""Does the book hold together, and where not? 账实检查: the checks of the ledger, counted once a version, and the rows behind each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from duecourse.desk.remembered import remembered
from duecourse.errors import CheckUnknownError
from duecourse.findings import Finding, Severity
from duecourse.ledger.checks import CHECKS, Check, check
from duecourse.money import to_decimal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import ibis.expr.types as ir

    from duecourse.ledger.book import Book

EXAMPLES: Final = 3

QUICK_ROWS: Final = 300_000
"""Up to so many rows in the ledger the checks are answered while a person waits."""

ABOUT: Final[Mapping[str, str]] = {
    "settlement_without_invoice": "settlement", "settlement_in_other_currency": "settlement", "payment_before_issue": "settlement",
    "buyer_without_profile": "buyer",
}  # fmt: skip
"""What the subject of a check is; an invoice where it stands not here."""


class NotYetKnownError(Exception):
    """Nobody has asked this question of this book before."""


@dataclass(frozen=True)
class Outcome:
    """What one check found: how many rows, and the first of them."""

    code: str
    severity: str
    count: int
    examples: Sequence[Finding]


@dataclass(frozen=True)
class Fault:
    """One row a check found: what, where it came from, and whom and which invoice it is about, as far as it is about any."""

    finding: Finding
    subject: str
    about: str
    buyer_id: str
    invoice_id: str
    batch: str
    file_name: str
    row: int | None


def findings(book: Book) -> list[Outcome]:
    """What every check has found in this book, the gravest first; worked out once a version.  账实检查"""
    return _outcomes(remembered(book, _QUESTION, lambda: _ask(book)))


def known_findings(book: Book) -> list[Outcome] | None:
    """The same if it has been worked out before, else None: so that no page waits for it."""

    def unasked() -> Any:
        raise NotYetKnownError

    try:
        return _outcomes(remembered(book, _QUESTION, unasked))
    except NotYetKnownError:
        return None


def is_quick(book: Book) -> bool:
    """Is the ledger small enough to be checked while a person waits?"""
    rows = sum(counts.get("added", 0) for row in book.ledger.state.rows for counts in row.counts.values())
    return rows <= QUICK_ROWS


_QUESTION: Final = "findings"


def _ask(book: Book) -> list[dict[str, Any]]:
    return [
        {
            "code": outcome.code, "severity": str(outcome.severity), "count": outcome.count,
            "examples": [
                {"source": one.source, "row": one.row, "value": one.value, "args": dict(one.args)} for one in outcome.findings
            ],
        }
        for outcome in check(book, examples=EXAMPLES)
    ]  # fmt: skip


def _outcomes(plain: Sequence[Mapping[str, Any]]) -> list[Outcome]:
    rank = {severity.value: place for place, severity in enumerate(Severity)}
    found = [
        Outcome(
            one["code"], one["severity"], one["count"],
            [Finding(one["code"], Severity(one["severity"]), **example) for example in one["examples"]],
        )
        for one in plain
    ]  # fmt: skip
    return sorted(found, key=lambda one: (rank[one.severity], -one.count))


def in_order(found: Sequence[Outcome]) -> list[str]:
    """The checks that found nothing."""
    faulty = {one.code for one in found}
    return [one.code for one in CHECKS if one.code not in faulty]


def check_of(code: str) -> Check:
    """The check of this name. Raises CheckUnknownError."""
    found = next((one for one in CHECKS if one.code == code), None)
    if found is None:
        raise CheckUnknownError(code=code)
    return found


def faults(book: Book, code: str, *, offset: int = 0, limit: int = 50) -> list[Fault]:
    """The rows one check found, in the order of their imports. Raises CheckUnknownError."""
    one = check_of(code)
    rows = book.run(_ordered(one, book).limit(limit, offset=offset)).to_pylist()
    return _described(book, one, rows)


def all_faults(book: Book, code: str, *, at_a_time: int = 5_000) -> Iterator[Fault]:
    """All rows one check found, for a spreadsheet."""
    one = check_of(code)
    for batch in book.stream(_ordered(one, book), batch_rows=at_a_time):
        yield from _described(book, one, batch.to_pylist())


def _ordered(one: Check, book: Book) -> ir.Table:
    return one.faulty(book).order_by(["source", "source_row", "subject"])


def _described(book: Book, one: Check, rows: Sequence[Mapping[str, Any]]) -> list[Fault]:
    about = ABOUT.get(one.code, "invoice")
    owners = _owners(book, about, sorted({row["subject"] for row in rows}))
    files = {row.batch_id: row.file_name for row in book.ledger.state.rows}
    described = []
    for row in rows:
        value = row["value"] if row["currency"] is None else f"{to_decimal(int(row['value']), row['currency']):,f} {row['currency']}"
        name = files.get(row["source"], "")
        finding = Finding(one.code, one.severity, name or row["source"], row["source_row"], value=value, args={"subject": row["subject"]})
        buyer, invoice = owners.get(row["subject"], ("", ""))
        described.append(Fault(finding, row["subject"], about, buyer, invoice, row["source"], name, row["source_row"]))
    return described


def _owners(book: Book, about: str, subjects: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Buyer and invoice of each subject."""
    if about == "buyer":
        return {subject: (subject, "") for subject in subjects}
    table = book.settlement if about == "settlement" else book.invoice
    key = "settlement_id" if about == "settlement" else "invoice_id"
    rows = book.run(
        table.filter(table[key].isin(subjects)).select(subject=table[key], buyer_id=table.buyer_id, invoice_id=table.invoice_id)
    )
    return {row["subject"]: (row["buyer_id"] or "", row["invoice_id"] or "") for row in rows.to_pylist()} if subjects else {}
