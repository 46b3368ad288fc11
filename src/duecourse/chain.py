"""Rows that are only ever added, each holding the hash of the one before: none can be changed or taken out unseen.  哈希链

    hash = SHA-256 of the JSON [previous hash, number, moment, …content], UTF-8, no spaces, the moment in UTC to the microsecond

Anybody can work it out from an exported file. The audit trail and the custody log of documents are such chains.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

START: Final = "0" * 64
"""What stands before the first row."""

_written: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True)
class Verdict:
    """Whether a chain is as it was written.

    rows       how many rows were read
    hash       of the last one: written down elsewhere, it proves later that nothing before it changed
    first_bad  number of the first row that is not as it was written
    why        changed (its content), missing (a row before it), cut (the end is gone)
    """

    rows: int
    hash: str
    first_bad: int | None = None
    why: str = ""

    @property
    def whole(self) -> bool:
        """Is every row there, unchanged?"""
        return self.first_bad is None


def linked(previous: str, number: int, at: datetime, *content: object) -> str:
    """The hash of a row."""
    moment = at.astimezone(UTC).isoformat(timespec="microseconds")
    return hashlib.sha256(_written([previous, number, moment, *content]).encode()).hexdigest()


def verified(rows: Iterable[tuple[object, ...]], head: tuple[int, str], newest: int) -> Verdict:
    """Is a chain as it was written?

    rows    number, previous, hash, at, *content, by number
    head    number and hash of the end, as kept beside the rows
    newest  the highest number there is
    """
    number, previous = 0, START
    for found, before, kept, at, *content in rows:
        if found != number + 1:
            return Verdict(number, previous, number + 1, "missing")
        if before != previous or kept != linked(previous, found, at, *content):  # type: ignore[arg-type]
            return Verdict(number, previous, number + 1, "changed")
        number, previous = number + 1, str(kept)
    if number < head[0]:
        return Verdict(number, previous, number + 1, "cut")
    if previous != head[1]:
        return Verdict(number, previous, number, "changed")
    return Verdict(number, previous, number + 1, "changed") if newest > head[0] else Verdict(number, previous)
