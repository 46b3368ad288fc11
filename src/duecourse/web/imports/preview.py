"""How a file will be read, ready to be shown: what was recognised, its columns, its totals beside the export's own, its first lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from duecourse.desk.importing import CURRENCIES, HELPERS, ROLES, SHAPES, UNITS, Look, look_at, options_from, systems
from duecourse.errors import DuecourseError, LimitsNotYoursError
from duecourse.messages import say
from duecourse.web import books
from duecourse.web.imports.receiving import place_of
from duecourse.web.imports.wording import amount, cell, finding_rows, role_label, system_label, typed_amount, words_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from duecourse.web.imports.models import Upload

ORDERS: Final = ("dmy", "mdy", "ymd")
USUAL_CURRENCIES: Final = ("CNY", "USD", "EUR", "HKD", "JPY", "GBP")


@dataclass(frozen=True)
class ColumnRow:
    """A column of the file as the table of columns shows it."""

    index: int
    name: str
    examples: str
    role: str
    also: str
    confidence: float | None
    sure: str
    habit: str


def preview_words(row: Upload, said: Mapping[str, Any], *, grants: bool = True) -> dict[str, Any]:
    """`grants`: may the person who looks bring credit limits in?"""
    ledger = books.ledger()
    words: dict[str, Any] = {"upload": row, "said": said, **_choices()}
    place = place_of(row.sha256)
    if not place.is_file():
        return {**words, "error": say("web.imports_file_gone"), "gone": True}
    try:
        look = look_at(ledger, place, row.name, options_from(said))
    except DuecourseError as error:
        return {**words, "error": words_of(error), "error_code": error.code}
    profile = look.profile
    if profile.shape == "limits" and not grants:
        return {**words, "error": words_of(LimitsNotYoursError(file=row.name)), "error_code": LimitsNotYoursError.code}
    return {
        **words,
        "look": look,
        "facts": _facts(look),
        "columns": _column_rows(look),
        "first": _first_rows(look),
        "sums": _sum_rows(look, row.expected),
        "found": finding_rows(look.findings),
        "missing": [" / ".join(role_label(role) for role in choices) for choices in look.missing],
        "is_list": profile.shape == "open_items",
        "shape": profile.shape,
        "snapshot": said.get("snapshot_date") or (f"{profile.extract_date:%Y-%m-%d}" if profile.extract_date else ""),
        "decimal": profile.decimal,
        "order": profile.date_order,
        "currency": profile.currency,
    }


def _choices() -> dict[str, Any]:
    roles = sorted(((role, role_label(role)) for role in [*ROLES, *HELPERS] if role != "ignore"), key=lambda pair: pair[1].casefold())
    return {
        "roles": roles,
        "shapes": [(shape, say(f"cli.shape_{shape}")) for shape in SHAPES],
        "orders": [(order, say(f"web.imports_order_{order}")) for order in ORDERS],
        "units": [unit for unit in UNITS if unit],
        "systems": [(one[0], system_label(one[0], systems())) for one in systems()],
        "usual": [code for code in USUAL_CURRENCIES if code in CURRENCIES],
        "currencies": [code for code in sorted(CURRENCIES) if code not in USUAL_CURRENCIES],
    }


def _facts(look: Look) -> list[tuple[str, str]]:
    profile = look.profile
    if look.kind == "rates":
        told = look.facts
        return [
            (say("web.imports_fact_kind"), say("web.imports_kind_rates")),
            (say("web.imports_fact_rates"), f"{look.rows or 0:,}"),
            (say("web.imports_fact_currencies"), str(told["currencies"])),
            (say("web.imports_fact_days"), f"{cell(told['first'])} – {cell(told['last'])}"),
        ]
    if look.kind == "corrected":
        return [(say("web.imports_fact_kind"), say("web.imports_kind_corrected")), (say("web.imports_fact_lines"), f"{look.rows or 0:,}")]
    mark = say("web.imports_tab") if profile.delimiter == "\t" else f"“{profile.delimiter}”" if profile.delimiter else ""
    form = " · ".join(filter(None, (profile.format.upper(), profile.encoding.upper(), mark)))
    facts = [
        (say("web.imports_fact_kind"), say(f"cli.shape_{profile.shape}")),
        (say("web.imports_fact_system"), system_label(profile.source, systems())),
        (say("web.imports_fact_lines"), f"{look.rows or 0:,}"),
        (say("web.imports_fact_form"), form),
    ]
    if profile.extract_date:
        facts.append((say("web.imports_fact_extract"), f"{profile.extract_date:%Y-%m-%d}"))
    if profile.unit_factor != 1:
        facts.append((say("web.imports_fact_unit"), f"× {profile.unit_factor:,}"))
    return facts


def _column_rows(look: Look) -> list[ColumnRow]:
    rows = []
    for one in look.columns:
        sure = "" if one.confidence is None else "good" if one.confidence >= 0.75 else "warn" if one.confidence >= 0.5 else "bad"
        also = ", ".join(role_label(role) for role in one.roles[1:])
        rows.append(ColumnRow(one.index, one.name, " · ".join(one.examples), one.role, also, one.confidence, sure, one.habit))
    return rows


def _first_rows(look: Look) -> dict[str, Any]:
    roles = {role: role_label(role) if role in ROLES else role for role in look.row_columns}
    if look.kind == "lines":
        roles = {role: say("web.imports_col_document_kind") if role == "document_kind" else role_label(role) for role in look.row_columns}
    rows = []
    for line in look.first_rows:
        bad = {one["column"] for one in line.get("bad") or ()}
        broken = {role for role, one in look.profile.mapping.items() if one.column in bad}
        rows.append(
            {"number": line.get("row_no"), "cells": [(roles[name], cell(line.get(name)), name in broken) for name in look.row_columns]}
        )
    return {"heads": list(roles.values()), "rows": rows}


@dataclass(frozen=True)
class SumRow:
    """What a currency adds up to beside what the export says."""

    currency: str
    shown_currency: str
    lines: int
    amount: str
    open: str
    compared: str
    expected: str
    difference: str
    agrees: bool | None
    unreadable: int
    kinds: Sequence[tuple[str, int, str]]


def _sum_rows(look: Look, expected: Mapping[str, str]) -> list[SumRow]:
    rows = []
    for one in look.sums:
        code = one.currency or look.profile.currency
        compared = one.open_amount if look.profile.shape == "open_items" and one.open_amount is not None else one.amount
        typed = expected.get(one.currency or "-", "")
        wanted = typed_amount(typed) if typed else None
        difference: Decimal | None = None if wanted is None or compared is None else compared - wanted
        known = code if code in CURRENCIES else ""
        rows.append(
            SumRow(
                one.currency or "-",
                code or say("web.imports_no_currency"),
                one.lines,
                amount(one.amount, known),
                "" if one.open_amount is None else amount(one.open_amount, known),
                amount(compared, known),
                typed,
                "" if difference is None else amount(difference, known),
                None if not typed else difference == 0,
                one.unreadable,
                [(say(f"web.imports_doc_{kind}") if kind else "–", lines, amount(value, known)) for kind, lines, value in one.kinds],
            )
        )
    return rows
