"""Empty tables to fill in: accounts, a row per buyer and period (报表模板)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from duecourse.ledger.entries import STATEMENT_ITEMS
from duecourse.messages import say
from duecourse.tables import Column, Report, Section, write_csv, write_xlsx

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS: Final = (
    "buyer_id", "period_end", "period_months", "currency", "unit", "published_on", "audited", "opinion", "consolidated", "standard",
    *STATEMENT_ITEMS,
)  # fmt: skip


def write_template(path: Path, buyer_id: str = "") -> None:
    """Write it as a workbook or, by the ending of its name, as CSV; with a buyer's number, a row is begun."""
    rows = [{"buyer_id": buyer_id, "period_months": 12}] if buyer_id else []
    report = Report("", [Section("statements", say("cli.statements_title"), [Column(name) for name in COLUMNS], rows)])
    (write_xlsx if path.suffix.lower() == ".xlsx" else write_csv)(report, path)
