"""What an import did, ready to be shown: counts by table, totals beside the export's own, findings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from duecourse.glossary import TERMS, label
from duecourse.messages import say
from duecourse.money import to_decimal
from duecourse.web.imports.wording import amount, finding_rows, typed_amount

if TYPE_CHECKING:
    from collections.abc import Mapping
    from decimal import Decimal

    from duecourse.desk.importing import ImportResult, Total

HIDDEN: Final = ("setting", "quarantine")


@dataclass(frozen=True)
class TotalRow:
    """One currency of an import: what was billed, credited, left open, and whether that is what the export says."""

    currency: str
    documents: int
    billed: str
    credits: int
    credited: str
    open: str
    expected: str
    difference: str
    agrees: bool | None


def result_view(result: ImportResult, expected: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A result as its page shows it."""
    return {
        "result": result,
        "known": bool(result.known_as),
        "batch": result.batch_id or result.known_as,
        "tables": table_rows(result),
        "totals": [_total(one, expected or {}, open_list=result.shape == "open_items") for one in result.totals],
        "dropped": [(say(f"web.imports_dropped_{name}"), count) for name, count in result.dropped.items() if count],
        "found": finding_rows([one for one in result.findings if one.code not in ("file_known", "rows_quarantined")]),
    }


def table_rows(result: ImportResult) -> list[tuple[str, int, int, int]]:
    """Rows added, corrected, unchanged by table."""
    names = [name for name in dict.fromkeys([*result.added, *result.corrected, *result.unchanged]) if name not in HIDDEN]
    rows = [(table_label(name), result.added.get(name, 0), result.corrected.get(name, 0), result.unchanged.get(name, 0)) for name in names]
    return [row for row in rows if any(row[1:])]


def table_label(name: str) -> str:
    """What the facts of a table are called."""
    return label(name) if name in TERMS else say(f"web.imports_table_{name}")


def _total(one: Total, expected: Mapping[str, str], *, open_list: bool) -> TotalRow:
    known = "" if one.currency == "XXX" else one.currency
    typed = expected.get(one.currency) or (expected.get("-", "") if len(expected) == 1 else "")
    wanted = typed_amount(typed) if typed else None
    compared = one.open_minor if open_list and one.open_minor is not None else one.documents_minor - one.credits_minor
    difference: Decimal | None = None if wanted is None else to_decimal(compared, one.currency) - wanted

    def shown(minor: int | None) -> str:
        return "–" if minor is None else amount(to_decimal(minor, one.currency), known)

    return TotalRow(
        one.currency if known else say("web.imports_no_currency"),
        one.documents,
        shown(one.documents_minor),
        one.credits,
        shown(one.credits_minor),
        shown(one.open_minor),
        typed,
        "" if difference is None else amount(difference, known),
        None if not typed else difference == 0,
    )
