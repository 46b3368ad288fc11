"""What is known of a buyer from outside: dated signals, register facts, names on lists.  资信信息"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import ibis

from duecourse.desk.buyer_page import fact_history
from duecourse.errors import BuyerUnknownError
from duecourse.glossary import TERMS, label
from duecourse.intake.registry import verdict_of
from duecourse.intake.signals import default_severity
from duecourse.ledger.entries import SIGNAL_SEVERITIES
from duecourse.messages import catalogue, say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from duecourse.ledger.book import Book
    from duecourse.reference.identifiers import Verdict

MOST: Final = 500
GRADES: Final = frozenset({"bureau_grade", "insurer_grade", "rating"})
ORDER: Final = {severity: place for place, severity in enumerate(SIGNAL_SEVERITIES)}


def kind_word(kind: str) -> str:
    """A kind of signal as people say it; one this release has no word for as it was written."""
    name = f"desk.signal_{kind}"
    return say(name) if name in catalogue() else kind


def value_word(value: str) -> str:
    """What a signal's value says: the class of an event in words; a grade, score or register's own word as it was written."""
    name = f"desk.event_{value}"
    return say(name) if name in catalogue() else value


def severity_word(severity: str) -> str:
    """How serious, in a word."""
    return say(f"desk.severity_{severity}")


@dataclass(frozen=True)
class Signal:
    """One signal as the book has it: `severity` is its own, or that of its kind; `open` while it holds."""

    row: Mapping[str, Any]
    severity: str
    file_name: str
    followed: bool = False

    @property
    def is_open(self) -> bool:
        """Does it still hold on the book's day? A grade holds until its provider gives another."""
        return self.row["ended_on"] is None and not self.followed


@dataclass(frozen=True)
class Number:
    """A register's number and whether it passes its check."""

    name: str
    number: str
    verdict: Verdict


@dataclass(frozen=True)
class Evidence:
    """What is known of a buyer from outside, the newest signal first.

    counts  of signals that hold, by severity
    """

    buyer_id: str
    profile: Mapping[str, Any]
    signals: Sequence[Signal]
    counts: Mapping[str, int]
    numbers: Sequence[Number]

    @property
    def worst(self) -> str:
        """The most serious of what holds; empty where nothing does."""
        return max((severity for severity, count in self.counts.items() if count), key=lambda one: ORDER[one], default="")


def evidence_of(book: Book, buyer_id: str) -> Evidence:
    """What do others say of the buyer?  资信信息

    Signals published by the book's day; one that ended later is still open. Raises BuyerUnknownError.
    """
    about = book.about(buyer_id)
    if not any(rows.num_rows for rows in about.values()):
        raise BuyerUnknownError(buyer=buyer_id)
    profile = (about["buyer"].to_pylist() or [{"buyer_id": buyer_id}])[0]
    table = book.signal
    rows = book.run(
        table.filter(table.buyer_id == ibis.literal(buyer_id)).order_by([table.published_on.desc(), "signal_id"]).limit(MOST)
    ).to_pylist()
    files = {row.batch_id: row.file_name or row.note for row in book.ledger.state.rows}
    signals: list[Signal] = []
    graded: set[tuple[str, str]] = set()
    for row in rows:
        key = row["kind"], row["provider"] or ""
        severity = row["severity"] or default_severity(row["kind"])
        signals.append(Signal(row, severity, files.get(row["source"], ""), row["kind"] in GRADES and key in graded))
        graded.add(key)
    counts = Counter(signal.severity for signal in signals if signal.is_open)
    return Evidence(buyer_id, profile, signals, {severity: counts[severity] for severity in reversed(SIGNAL_SEVERITIES)}, _numbers(profile))


def _numbers(profile: Mapping[str, Any]) -> list[Number]:
    country = profile.get("country") or ""
    return [
        Number(name, profile[name], verdict_of(name, profile[name], country))
        for name in ("registration_number", "vat_number", "lei")
        if profile.get(name)
    ]


def signal_history(book: Book, buyer_id: str, signal_id: str) -> list[dict[str, Any]]:
    """Every wording of one signal, the newest first; nothing of one that may not be seen."""
    rows = fact_history(book, "signal", {"signal_id": signal_id}, buyer_id=buyer_id)
    return [row for row in rows if row["values"]["buyer_id"] == buyer_id]


def register_facts(profile: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """What the register says of the firm, in the order in which one reads it: (term, value)."""
    names = ("legal_form", "registry_status", "founded_on", "registered_capital_minor", "legal_representative", "owner_name", "group_name")
    return [(label(name if name in TERMS else name.removesuffix("_minor")), profile.get(name)) for name in names]


def age_in_years(founded: date | None, on: date) -> int | None:
    """How old the firm is, in whole years."""
    return None if founded is None or founded > on else on.year - founded.year - ((on.month, on.day) < (founded.month, founded.day))
