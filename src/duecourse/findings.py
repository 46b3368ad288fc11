"""Faults in data are values: the run goes on, and the person who can mend them is told where, what and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from duecourse.messages import Language, say

if TYPE_CHECKING:
    from collections.abc import Mapping


class Severity(StrEnum):
    """How much a finding matters: `error` (a row or figure could not be used), `warning` (used, but look), `note` (told once)."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault in the data, and where it is.

    code      identifier in the message catalogue, area `findings`: e.g. `date_unreadable`
    severity  error, warning or note
    source    the file or import batch it came from; empty for the ledger as a whole
    row       line of the file as a person counts it (header = 1), or None
    column    the file's own column name, or empty
    value     what was found, as text
    args      further arguments of the message
    """

    code: str
    severity: Severity = Severity.ERROR
    source: str = ""
    row: int | None = None
    column: str = ""
    value: str = ""
    args: Mapping[str, object] = field(default_factory=dict)

    def message(self, lang: Language | None = None) -> str:
        """The finding as a sentence."""
        return say(
            f"findings.{self.code}",
            lang,
            **{"column": self.column, "value": self.value, "row": self.row, "source": self.source, **self.args},
        )
