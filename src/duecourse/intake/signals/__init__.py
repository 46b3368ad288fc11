"""Dated signals about buyers from a file into the ledger (风险信号导入): kinds and severities by their words, what is unknown is told, not guessed."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from duecourse.errors import FileNotFoundHereError, SignalsUnreadableError
from duecourse.findings import Finding, Severity
from duecourse.intake.rates import file_hash
from duecourse.intake.statements import read_rows
from duecourse.intake.statements.labels import day_in, folded, number
from duecourse.ledger.entries import SIGNAL, SIGNAL_KINDS, SIGNAL_SEVERITIES
from duecourse.money import exponent
from duecourse.reference.currencies import CURRENCIES
from duecourse.reference.identifiers import tidy

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from duecourse.ledger.store import BatchResult, Ledger

LOOKED_AT: Final = 20
"""The headings stand in one of the first rows."""

MOST_MINOR: Final = 10**17
EARLIEST: Final = date(1990, 1, 1)
TEXT_MOST: Final = 2_000


@dataclass(frozen=True)
class SignalsRead:
    """Signals as they will be entered: rows of the ledger's `signal` table, and the lines that could not be used."""

    file_name: str
    sha256: str
    rows: Sequence[Mapping[str, Any]]
    findings: Sequence[Finding] = field(default_factory=tuple)


@cache
def _said() -> dict[str, Any]:
    return tomllib.loads(resources.files(__package__).joinpath("words.toml").read_text(encoding="utf-8"))


@cache
def _headings() -> Mapping[str, str]:
    return {folded(name): column for column, names in _said()["headings"].items() for name in (column.replace("_", " "), *names)}


@cache
def _kinds() -> Mapping[str, str]:
    found = {folded(kind.replace("_", " ")): kind for kind in SIGNAL_KINDS}
    return found | {folded(word): kind for kind, about in _said()["kinds"].items() for word in about["words"]}


@cache
def _severities() -> Mapping[str, str]:
    return {folded(word): severity for severity, words in _said()["severities"].items() for word in words}


def kind_of(text: str) -> str | None:
    """The kind a word stands for; None for an unknown one.

    >>> kind_of("失信被执行人")
    'dishonest_debtor'
    """
    return _kinds().get(folded(text))


def default_severity(kind: str) -> str:
    """How serious a signal of a kind is where nobody says it: info, amber or red. Source: early-warning indicators of the domain rules."""
    return str(_said()["kinds"][kind]["severity"])


def signal_id_of(row: Mapping[str, Any]) -> str:
    """A number for a signal that has none: the same signal again has the same."""
    told = [
        str(row.get(name) or "") for name in ("buyer_id", "kind", "published_on", "provider", "reference", "value", "amount_minor", "text")
    ]
    return "sig-" + hashlib.sha256("\n".join(told).encode()).hexdigest()[:20]


def looks_like_signals(rows: Sequence[Sequence[str]]) -> int | None:
    """The row of headings, where a table has a buyer, a kind of signal that is known and a day; None otherwise."""
    for place, row in enumerate(rows[:LOOKED_AT]):
        named = {_headings().get(folded(cell)) for cell in row}
        if {"kind", "published_on"} <= named and named & {"buyer_id", "buyer_name", "registration_number"}:
            column = next(index for index, cell in enumerate(row) if _headings().get(folded(cell)) == "kind")
            cells = [one[column] for one in rows[place + 1 : place + 200] if column < len(one) and one[column].strip()]
            if any(kind_of(cell) for cell in cells) or not cells:
                return place
    return None


def read_signals(path: str | os.PathLike[str], ledger: Ledger) -> SignalsRead:
    """What signals does this file hold?  读取风险信号

    A table with headings in either language. The buyer is named by its number, its registration number or its exact name. Nothing is
    written. Raises FileNotFoundHereError, SignalsUnreadableError.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundHereError(path=str(path))
    findings: list[Finding] = []
    found: list[dict[str, Any]] = []
    seen: set[str] = set()
    recognised = False
    buyers = _Buyers.of(ledger)
    for sheet in read_rows(path):
        place = looks_like_signals(sheet.rows)
        if place is None:
            continue
        recognised = True
        columns = [_headings().get(folded(cell)) for cell in sheet.rows[place]]
        in_chinese = any(column == "amount" and not cell.isascii() for column, cell in zip(columns, sheet.rows[place], strict=True))
        for line, cells in enumerate(sheet.rows[place + 1 :], start=place + 2):
            said = _row_said(columns, cells, "CNY" if in_chinese else "")
            if said:
                row = signal_of(said, buyers, findings, path.name, line)
                if row is not None and row["signal_id"] not in seen:
                    seen.add(row["signal_id"])
                    found.append(row)
    if not recognised:
        raise SignalsUnreadableError(path=str(path))
    return SignalsRead(path.name, file_hash(path), found, tuple(findings))


def _row_said(columns: Sequence[str | None], cells: Sequence[str], currency: str) -> dict[str, str]:
    """One row by column. currency: that of an amount whose row names none: courts and registers that write Chinese mean yuan."""
    said: dict[str, str] = {}
    for column, cell in zip(columns, cells, strict=False):
        if column and cell.strip():
            said.setdefault(column, cell.strip())
    if currency and said.get("amount"):
        said.setdefault("currency", currency)
    return said


@dataclass(frozen=True)
class _Buyers:
    ids: frozenset[str]
    by_number: Mapping[str, str]
    by_name: Mapping[str, str]

    @classmethod
    def of(cls, ledger: Ledger) -> _Buyers:
        book = ledger.as_of(date.max)
        rows = book.run(book.buyer.select("buyer_id", "name", "name_local", "registration_number")).to_pylist()
        numbers = {tidy(row["registration_number"]): row["buyer_id"] for row in rows if row["registration_number"]}
        names: dict[str, str] = {}
        for row in rows:
            for name in (row["name"], row["name_local"]):
                if name:  # a name two buyers have says nothing
                    names[folded(name)] = "" if names.get(folded(name), row["buyer_id"]) != row["buyer_id"] else row["buyer_id"]
        return cls(frozenset(row["buyer_id"] for row in rows), numbers, names)

    def find(self, said: Mapping[str, str]) -> str | None:
        if said.get("buyer_id"):
            if said["buyer_id"] in self.ids:
                return said["buyer_id"]
            padded = [buyer for buyer in (said["buyer_id"].zfill(10),) if buyer in self.ids]
            return padded[0] if padded else None
        if said.get("registration_number"):
            return self.by_number.get(tidy(said["registration_number"]))
        return self.by_name.get(folded(said.get("buyer_name", ""))) or None


def signal_of(
    said: Mapping[str, str], buyers: _Buyers | None, findings: list[Finding], source: str = "", line: int | None = None
) -> dict[str, Any] | None:
    """One signal from words as people write them; None where it cannot be used, with a finding that says why.

    buyers  who can be named; None: `buyer_id` is taken as it is
    """

    def wrong(code: str, column: str, severity: Severity = Severity.ERROR) -> None:
        findings.append(Finding(code, severity, source, line, column, said.get(column, "")[:100]))

    named = next((column for column in ("buyer_id", "registration_number", "buyer_name") if said.get(column)), "buyer_id")
    buyer = said.get("buyer_id") if buyers is None else buyers.find(said)
    kind = kind_of(said.get("kind", ""))
    published = day_in(said.get("published_on", ""))
    faults = [
        ("signal_buyer_unknown", named, not buyer),
        ("signal_kind_unknown", "kind", kind is None),
        ("signal_without_day", "published_on", published is None or published < EARLIEST),
    ]
    for code, column, holds in faults:
        if holds:
            wrong(code, column)
            return None
    severity = None
    if said.get("severity"):
        severity = _severities().get(folded(said["severity"]))
        if severity is None:
            wrong("signal_severity_unknown", "severity", Severity.WARNING)
    amount, currency = _amount(said, wrong)
    days = {name: day_in(said[name]) if said.get(name) else None for name in ("occurred_on", "ended_on")}
    if days["ended_on"] and published and days["ended_on"] < published:
        wrong("signal_ends_early", "ended_on", Severity.WARNING)
        days["ended_on"] = None
    row: dict[str, Any] = {
        "buyer_id": buyer, "kind": kind, "severity": severity, "published_on": published, **days, "amount_minor": amount, "currency": currency,
        **{name: (said.get(name) or None) and said[name][:TEXT_MOST] for name in ("value", "previous_value", "provider", "reference", "text")},
    }  # fmt: skip
    row |= {"signal_id": said.get("signal_id") or signal_id_of(row), "confidence": None}
    return {name: row[name] for name in SIGNAL.facts.names} | ({"source_row": line} if line else {})


def _amount(said: Mapping[str, str], wrong: Any) -> tuple[int | None, str | None]:
    if not said.get("amount"):
        return None, None
    currency = said.get("currency", "").upper()  # none is guessed: a number without one is no amount
    value = number(said["amount"])
    if value is None or currency not in CURRENCIES:
        wrong("signal_amount_unreadable", "amount", Severity.WARNING)
        return None, None
    try:
        minor = int(Decimal(repr(value)).scaleb(exponent(currency)).to_integral_value())
    except (InvalidOperation, OverflowError):
        minor = MOST_MINOR + 1
    if not 0 < minor <= MOST_MINOR:
        wrong("signal_amount_unreadable", "amount", Severity.WARNING)
        return None, None
    return minor, currency


def import_signals(ledger: Ledger, read: SignalsRead) -> BatchResult:
    """Enter signals that were read. The same again add nothing; changed ones are corrections."""
    names = [*SIGNAL.facts.names, "source_row"]
    schema = pa.schema([pa.field(name, SIGNAL.schema.field(name).type) for name in names])
    table = pa.Table.from_pylist([dict(row) for row in read.rows], schema=schema)
    with ledger.draft("import", file_name=read.file_name, file_sha256=read.sha256, note="signals") as draft:
        draft.put("signal", table)
        return draft.commit()


__all__ = [
    "SIGNAL_SEVERITIES", "SignalsRead", "default_severity", "import_signals", "kind_of", "looks_like_signals", "read_signals", "signal_id_of",
    "signal_of",
]  # fmt: skip
