"""List output of SAP saved as text ("unconverted"): columns between bars, dash lines, page headers repeated, totals marked with asterisks."""

from __future__ import annotations

import re
from typing import Final

_RULE: Final = re.compile(r"^[\s|]*-[-|\s]*$")


def is_listing(lines: list[str]) -> bool:
    """Do most lines stand between bars, with lines of dashes between them?"""
    filled = [line.rstrip() for line in lines if line.strip()]
    barred = [line for line in filled if line.startswith("|") and line.endswith("|")]
    rules = [line for line in filled if _RULE.match(line) and line.count("-") >= 5]
    return len(barred) >= 2 and bool(rules) and len(barred) + len(rules) >= 0.6 * len(filled)


def cells(line: str) -> list[str] | None:
    """The cells of a framed line; None for a rule, a title or anything outside the frame."""
    stripped = line.rstrip()
    if not (stripped.startswith("|") and stripped.endswith("|") and len(stripped) > 2) or _RULE.match(stripped):
        return None
    return [cell.strip() for cell in stripped[1:-1].split("|")]
