"""Empty tables to fill in, with the headings their import knows again: accounts, credit limits, signals (填报模板)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from duecourse.ledger.entries import STATEMENT_ITEMS
from duecourse.messages import say
from duecourse.tables import Column, Report, Section, write_csv, write_xlsx

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

FORMS: Final[Mapping[str, Sequence[str]]] = {
    "statements": (
        "buyer_id", "period_end", "period_months", "currency", "unit", "published_on", "audited", "opinion", "consolidated", "standard",
        *STATEMENT_ITEMS,
    ),
    "limits": (
        "limit_id", "buyer_id", "limit_kind", "credit_limit", "currency", "valid_from", "valid_to", "review_on", "payment_terms_days",
        "legal_entity", "reference", "text",
    ),
    "signals": (
        "buyer_id", "kind", "severity", "published_on", "occurred_on", "ended_on", "value", "previous_value", "amount", "currency", "provider",
        "reference", "text",
    ),
}  # fmt: skip
"""Columns of each; a name the glossary has no fit word for is worded `cli.form_<name>`."""

OWN_WORDS: Final = ("limit_kind", "provider")


def write_form(path: Path, kind: str, buyer_id: str = "") -> None:
    """Write one as a workbook or, by the ending of its name, as CSV. A buyer's number begins a row. Raises KeyError for an unknown kind."""
    rows = [{"buyer_id": buyer_id, **({"period_months": 12} if kind == "statements" else {})}] if buyer_id else []
    columns = [Column(name, heading=say(f"cli.form_{name}") if name in OWN_WORDS else "") for name in FORMS[kind]]
    report = Report("", [Section(kind, say(f"cli.form_title_{kind}"), columns, rows)])
    (write_xlsx if path.suffix.lower() == ".xlsx" else write_csv)(report, path)
