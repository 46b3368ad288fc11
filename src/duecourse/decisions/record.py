"""How a decision is kept so that it can be made again: what it stood on, what came out, and a digest of that.  决策留痕

    basis = basis_of(book)
    answer = {...}                      # what was worked out: plain values, mappings and lists
    put_out("decision", decision_row(decision_id=…, kind="order", basis=basis, rules={"hold": 1}, inputs={...}, answer=answer, …))

A replay draws up the same book (`book_on`, `book_known_at`, `ledger_version`), works the answer out again from `rules` and `inputs`, and
compares: the digests are equal, or `differences` says where the two answers part.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from duecourse.ledger.entries import DECISION_KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from duecourse.ledger.book import Book

DIGITS: Final = 12
"""Significant digits a fraction is kept with: machines may differ in the last ones, decisions may not."""


@dataclass(frozen=True)
class Basis:
    """The book a decision stood on: its day, what was known, and the version of the ledger."""

    book_on: date
    known_at: datetime
    ledger_version: int


def basis_of(book: Book) -> Basis:
    """What a decision made on this book stands on. A book of all that is known stands on what the ledger had last learnt."""
    return Basis(book.on, book.known_at or book.ledger.state.last.recorded_at, book.version)


def plain(value: Any) -> Any:
    """A value as JSON keeps it: days and moments in ISO 8601, decimals as text, fractions to 12 digits, records as mappings.

    Raises ValueError for a number that is none, TypeError for what has no plain form.
    """
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value} is no number a decision can rest on")
        short = float(f"{value:.{DIGITS}g}")
        return short or 0.0  # no zero with a sign
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, dict):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, set | frozenset):
        return sorted(plain(one) for one in value)
    raise TypeError(f"{type(value).__name__} has no plain form")


def canonical(value: Any) -> str:
    """A value as text, always the same for the same value: JSON, names in order, no spaces, UTF-8 as it is."""
    return json.dumps(plain(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest_of(answer: Any) -> str:
    """SHA-256 of the canonical text, in hexadecimal.

    >>> digest_of({"b": 1, "a": 0.1 + 0.2}) == digest_of({"a": 0.3, "b": 1})
    True
    """
    return hashlib.sha256(canonical(answer).encode()).hexdigest()


def decision_row(
    *,
    decision_id: str,
    kind: str,
    basis: Basis,
    rules: Mapping[str, Any],
    inputs: Mapping[str, Any],
    answer: Mapping[str, Any],
    outcome: str,
    decided_on: date,
    decided_at: datetime,
    made_by: str,
    buyer_id: str | None = None,
    order_id: str | None = None,
    amount_minor: int | None = None,
    currency: str | None = None,
    reasons: Sequence[Mapping[str, Any]] = (),
    approved_by: Iterable[str] = (),
) -> dict[str, Any]:
    """The row of the table `decision`, ready to be put out.

    rules    versions of the rules and models used, {name: version}; whole rule sets where they are not kept in the ledger
    inputs   what went in besides the book: the request, reservations held at that moment …; enough to work the answer out again
    answer   what was worked out; `outcome`, `amount_minor` and `reasons` are what people decided, which may differ
    reasons  [{code, args}], sentences of the message catalogue
    """
    if kind not in DECISION_KINDS:
        raise ValueError(f"a decision is one of {', '.join(DECISION_KINDS)}, not {kind}")
    text = canonical(answer)
    return {
        "decision_id": decision_id,
        "kind": kind,
        "buyer_id": buyer_id,
        "order_id": order_id,
        "decided_on": decided_on,
        "decided_at": decided_at,
        "book_on": basis.book_on,
        "book_known_at": basis.known_at,
        "ledger_version": basis.ledger_version,
        "rules": canonical(rules),
        "inputs": canonical(inputs),
        "outcome": outcome,
        "amount_minor": amount_minor,
        "currency": currency,
        "reasons": canonical(list(reasons)),
        "made_by": made_by,
        "approved_by": ", ".join(approved_by) or None,
        "digest": hashlib.sha256(text.encode()).hexdigest(),
        "answer": text,
    }


@dataclass(frozen=True)
class Difference:
    """One place where two answers part: its path (`caps.3.amount_minor`), the value then and now as canonical text; "" = absent."""

    path: str
    then: str
    now: str


def differences(then: Any, now: Any) -> list[Difference]:
    """Where do two answers part? Empty where they are the same to the byte."""
    return list(_differences(plain(then), plain(now), ""))


def _differences(then: Any, now: Any, path: str) -> Iterator[Difference]:
    if isinstance(then, dict) and isinstance(now, dict):
        for name in sorted({*then, *now}):
            under = f"{path}.{name}" if path else name
            if name not in then or name not in now:
                yield Difference(under, *(canonical(one[name]) if name in one else "" for one in (then, now)))
            else:
                yield from _differences(then[name], now[name], under)
    elif isinstance(then, list) and isinstance(now, list):
        for place in range(max(len(then), len(now))):
            under = f"{path}.{place}" if path else str(place)
            if place >= len(then) or place >= len(now):
                yield Difference(under, *(canonical(one[place]) if place < len(one) else "" for one in (then, now)))
            else:
                yield from _differences(then[place], now[place], under)
    elif canonical(then) != canonical(now):
        yield Difference(path, canonical(then), canonical(now))
