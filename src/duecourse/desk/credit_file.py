"""All that a committee decides on, of one buyer and on one book.  信用档案

Who it is, what it owes, how it pays, what its accounts say, what others say of it, which grade and limit follow, and what was decided before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from duecourse.desk.buyer_page import buyer_page
from duecourse.desk.grading import grade
from duecourse.desk.limits import recommend
from duecourse.desk.statements import statements_of
from duecourse.ledger.entries import DECISION, SECURITY, SIGNAL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from duecourse.desk.buyer_page import BuyerPage
    from duecourse.desk.grading import Grade
    from duecourse.desk.limits import LimitAdvice
    from duecourse.desk.statements import Statements
    from duecourse.ledger.book import Book

MONTHS: Final = 12
DECISIONS: Final = 10
SIGNALS: Final = 20


@dataclass(frozen=True)
class CreditFile:
    """One buyer's file, all of it as of the same book.

    trade       what it owes and how it pays
    grade       with every reason, and of the last MONTHS month-ends
    advice      the limit recommended today, the limits that hold and held, and what it rests on
    signals     news of it, newest first, at most SIGNALS; signals_more: how many are left out
    securities  what secures its debt, and is not released or run out
    decisions   what was decided, newest first, at most DECISIONS
    """

    buyer_id: str
    book: Book
    trade: BuyerPage
    grade: Grade
    advice: LimitAdvice
    statements: Statements
    signals: Sequence[Mapping[str, Any]]
    signals_more: int
    securities: Sequence[Mapping[str, Any]]
    decisions: Sequence[Mapping[str, Any]]


def credit_file(book: Book, buyer_id: str) -> CreditFile:
    """Everything to decide on a buyer by.  信用档案

    Raises BuyerUnknownError for a buyer of which the book holds nothing, or that may not be seen.
    """
    trade = buyer_page(book, buyer_id, limit=1)
    told = {name: rows.to_pylist() for name, rows in book.also_about(buyer_id, SIGNAL, SECURITY, DECISION).items()}
    signals = sorted(told["signal"], key=lambda row: (row["published_on"], row["signal_id"]), reverse=True)
    decisions = sorted(told["decision"], key=lambda row: (str(row["decided_at"] or row["decided_on"]), row["decision_id"]), reverse=True)
    holding = [
        row for row in told["security"] if row["released_on"] is None and (row["valid_to"] is None or row["valid_to"] >= book.on)
    ]  # fmt: skip
    return CreditFile(
        buyer_id, book, trade, grade(book, buyer_id, months=MONTHS), recommend(book, buyer_id), statements_of(book, buyer_id),
        signals[:SIGNALS], max(0, len(signals) - SIGNALS), sorted(holding, key=lambda row: row["security_id"]), decisions[:DECISIONS],
    )  # fmt: skip
