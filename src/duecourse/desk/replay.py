"""A decision made again: the same book, the same rules, the same inputs; equal to the byte, or what differs.  决定重放"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import ibis

from duecourse.decisions.record import Difference, differences, digest_of
from duecourse.desk.dates import FAR
from duecourse.errors import DecisionUnknownError, LedgerVersionUnknownError
from duecourse.ledger.entries import DECISION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from duecourse.ledger.book import Book
    from duecourse.ledger.store import Ledger

RECOMPUTE: Final[Mapping[str, str]] = {
    "limit": "duecourse.desk.limits",
    "order": "duecourse.desk.check_order",
    "list_verdict": "duecourse.desk.screening",
    "route": "duecourse.desk.route",
}
"""Kind of decision -> module whose `recompute(book, decision)` works its answer out again. Loaded when one of the kind is replayed."""


@dataclass(frozen=True)
class Replay:
    """A decision and what came out when it was made again.

    decision     its row, with rules, inputs, reasons and answer decoded
    digest       of the answer as it comes out now
    version_gone the ledger no longer has the version the decision stood on: drawn up from its newest, as known then
    """

    decision: Mapping[str, Any]
    answer: Mapping[str, Any] | None
    digest: str
    differences: Sequence[Difference]
    version_gone: bool = False

    @property
    def equal(self) -> bool:
        """Byte for byte the same?"""
        return bool(self.digest == self.decision["digest"])


def decision_of(book: Book, decision_id: str) -> dict[str, Any]:
    """One decision with its JSON decoded. Raises DecisionUnknownError."""
    rows = book.table(DECISION)
    found = book.run(rows.filter(rows.decision_id == ibis.literal(decision_id))).to_pylist()
    if not found:
        raise DecisionUnknownError(decision=decision_id)
    row: dict[str, Any] = found[0]
    for name in ("rules", "inputs", "reasons", "answer"):
        row[name] = json.loads(row[name]) if row[name] else None
    return row


def replay(ledger: Ledger, decision_id: str, *, book: Book | None = None) -> Replay:
    """Make a decision again, on the book it was made on.  重放

    book: where to look the decision up; limited to what a person may see, it finds no other. Raises DecisionUnknownError.
    """
    decision = decision_of(book or ledger.as_of(FAR), decision_id)
    try:
        then, gone = ledger.at(decision["ledger_version"]), False
    except LedgerVersionUnknownError:
        then, gone = ledger, True
    module = RECOMPUTE.get(decision["kind"])
    if module is None or decision["answer"] is None:
        raise DecisionUnknownError(decision=decision_id)
    drawn = then.as_of(decision["book_on"], decision["book_known_at"])
    answer: Mapping[str, Any] = import_module(module).recompute(drawn, decision)
    return Replay(decision, answer, digest_of(answer), differences(decision["answer"], answer), gone)
