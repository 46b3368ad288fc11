"""How this room says lines, figures and findings of accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from duecourse.glossary import label, term
from duecourse.ledger.entries import STATEMENT_ITEMS
from duecourse.messages import catalogue, say
from duecourse.tables import shown
from duecourse.web.pages.columns import capital

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from duecourse.findings import Finding
    from duecourse.measures.statement_guards import Reason

SHEETS: Final[Mapping[str, Sequence[str]]] = {
    "balance": (
        "cash", "trade_receivables", "inventories", "current_assets", "total_assets", "short_term_debt", "trade_payables", "current_liabilities",
        "long_term_debt", "total_liabilities", "retained_earnings", "total_equity",
    ),
    "income": (
        "revenue", "cost_of_sales", "gross_profit", "depreciation_amortisation", "operating_profit", "interest_expense", "profit_before_tax",
        "net_income",
    ),
    "cash_flow": ("operating_cash_flow", "investing_cash_flow", "financing_cash_flow"),
    "beside": ("market_value", "share_issue"),
}  # fmt: skip
"""The standard lines as accounts order them."""

TOTALS: Final = frozenset(
    {"current_assets", "total_assets", "current_liabilities", "total_liabilities", "total_equity", "gross_profit", "net_income"}
)


def line(item: str) -> str:
    """What a line of the accounts is called."""
    prior = item.startswith("prior_")
    item = item.removeprefix("prior_")
    words = say("web.statements_cash") if item == "cash" else capital(label(item))
    return say("web.statements_prior", line=words) if prior else words


def figure_title(name: str) -> str:
    """What a ratio or score is called."""
    return capital(label(name))


def value(name: str, number: float | None) -> str:
    """A ratio or score as its unit wants it."""
    if name == "piotroski_f":
        return shown(None if number is None else int(number), "count")
    if number is None:
        return "–"
    unit = term(name).unit
    if unit == "fraction":
        return shown(float(number), "fraction")
    return f"{number:z,.0f}" if unit == "days" else f"{number:z,.2f}"


def reason_words(reason: Reason) -> str:
    """Why a figure is not there."""
    return say(f"web.statements_why_{reason.cause}", lines=say("web.statements_and").join(line(item) for item in reason.items))


def finding_words(finding: Finding) -> str:
    """A finding as a sentence of this page."""
    args: dict[str, Any] = {"column": finding.column, "value": finding.value, "row": finding.row, "source": finding.source, **finding.args}
    for name in ("item", "whole"):
        if args.get(name) in STATEMENT_ITEMS:
            args[name] = line(str(args[name]))
    if finding.code == "statement_lines_missing":
        args["value"] = say("web.statements_and").join(line(item) for item in finding.value.split(", "))
    own = f"web.statements_said_{finding.code}"
    return say(own if own in catalogue() else f"findings.{finding.code}", **args)


def finding_rows(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Findings for a list: how serious, and what to do."""
    kinds = {"error": "bad", "warning": "warn", "note": "off"}
    return [{"kind": kinds[one.severity], "word": say(f"cli.severity_{one.severity}"), "words": finding_words(one)} for one in findings]
