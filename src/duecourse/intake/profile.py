"""How a file is read, decided once, shown before it is used, and kept: format, columns, habits, unit, shape."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Self

import duckdb

from duecourse.errors import ColumnsUnrecognisedError, OptionInvalidError
from duecourse.findings import Finding, Severity
from duecourse.intake.habits import (
    AmountHabit,
    DateHabit,
    amount_habit,
    date_habit,
    habit_from_json,
    habit_json,
    settle_order,
)
from duecourse.intake.header import is_line, normalise
from duecourse.intake.recognise import (
    CURRENCY_NAMES,
    SHAPES,
    ColumnContent,
    Recognised,
    content_of,
    detect_source,
    map_columns,
    shape_of,
    sign_of,
)
from duecourse.intake.sources import HELPERS, ROLES, Kind, Source, sources

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from duecourse.intake.files import Opened

SURE: Final = 0.75
"""Below this confidence a guess is pointed out."""

_NEEDED: Final = {
    "transactions": (("amount", "debit", "credit", "open_amount"), ("buyer_id", "buyer_name", "payer_id", "orderer_id")),
    "open_items": (("open_amount", "amount"), ("buyer_id", "buyer_name", "payer_id", "orderer_id")),
    "payments": (("amount", "paid_amount", "credit"),),
    "buyers": (("buyer_id", "buyer_name"),),
    "disputes": (("document_id", "applied_to", "buyer_id", "buyer_name"),),
    "rates": (("rate",), ("base_currency", "quote_currency", "currency")),
    "limits": (("limit_amount",), ("buyer_id", "buyer_name", "registration_number", "group_id", "payer_id")),
}


@dataclass(frozen=True)
class Overrides:
    """What the user says about the file; empty leaves it to us.

    map         {role: column name of the file}; an empty column name says that the file has no such column
    date_order  "dmy", "mdy" or "ymd" for dates like 01/02/2025
    decimal     "." or ","
    currency    ISO 4217 code of amounts in files without a currency column
    shape       one of transactions, open_items, payments, buyers, disputes, rates, limits
    sheet       name or number of the sheet (given to open_file)
    source      folder name of the system, e.g. "sap_fbl5n"
    unit        "元", "千元", "万元" or "亿元" when amounts are in thousands, ten thousands or hundred millions
    """

    map: Mapping[str, str] = field(default_factory=dict)
    date_order: str = ""
    decimal: str = ""
    currency: str = ""
    shape: str = ""
    sheet: str = ""
    source: str = ""
    unit: str = ""


UNITS: Final = {"": 1, "元": 1, "千元": 1_000, "万元": 10_000, "百万元": 1_000_000, "亿元": 100_000_000}


@dataclass(frozen=True)
class ColumnReading:
    """One role: the file's column, how sure we are (0 to 1), and the habit in which it is written."""

    column: str
    index: int
    confidence: float
    habit: AmountHabit | DateHabit | None = None


@dataclass(frozen=True)
class Profile:
    """Everything decided about how a file is read.  导入方案

    fingerprint  of the header: the next file with the same header is read in the same way
    mapping      role -> column
    unit_factor  amounts are multiplied by this (万元: 10000)
    sign         "as_is", "indicator" (a debit/credit column signs the amount) or "by_type" (the kinds in `negated` are credits without a minus)
    narrow       amounts fit DECIMAL(18,6): no figure seen has more than nine digits before the decimals; one of thirteen is unreadable then
    grouped_by   role that stands in rows of its own above the rows it belongs to (buyer_name in grouped reports), or empty
    """

    fingerprint: str
    columns: tuple[str, ...]
    mapping: Mapping[str, ColumnReading]
    source: str = "generic"
    source_confidence: float = 0.3
    shape: str = "transactions"
    shape_confidence: float = 0.5
    confidence: float = 0.5
    unit_factor: int = 1
    sign: str = "as_is"
    currency: str = ""
    date_order: str = ""
    decimal: str = ""
    grouped_by: str = ""
    negated: tuple[str, ...] = ()
    narrow: bool = False
    unused: tuple[str, ...] = ()
    extract_date: dt.date | None = None
    extract_date_from: str = ""
    format: str = ""
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    header_row: int = 0

    def has(self, role: str) -> bool:
        """Does the file give this?"""
        return role in self.mapping

    def column(self, role: str) -> str:
        """The file's own name of the column for this role; empty if it has none."""
        return self.mapping[role].column if role in self.mapping else ""

    @property
    def source_of(self) -> Source:
        """The system that wrote the file."""
        return sources().get(self.source, sources()["generic"])

    def to_json(self) -> str:
        """As text, to be kept."""
        values: dict[str, Any] = {
            name: getattr(self, name) for name in self.__dataclass_fields__ if name not in {"mapping", "extract_date", "extract_date_from"}
        }
        values["mapping"] = {
            role: {"column": one.column, "index": one.index, "confidence": one.confidence, **habit_json(one.habit)}
            for role, one in self.mapping.items()
        }
        return json.dumps(values, ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """From text. The date of the extract belongs to one file and is not kept."""
        values = json.loads(text)
        values["mapping"] = {
            role: ColumnReading(one["column"], one["index"], one["confidence"], habit_from_json(one))
            for role, one in values["mapping"].items()
        }
        known = {name: value for name, value in values.items() if name in cls.__dataclass_fields__}
        return cls(
            **known
            | {"columns": tuple(known["columns"]), "unused": tuple(known.get("unused", ())), "negated": tuple(known.get("negated", ()))}
        )


@dataclass(frozen=True)
class Understanding:
    """A profile and what should be looked at before it is used."""

    profile: Profile
    findings: tuple[Finding, ...]

    @property
    def missing(self) -> tuple[tuple[str, ...], ...]:
        """What the kind of list needs and no column was found for: each as the roles of which one would do."""
        return tuple(choices for choices in _NEEDED[self.profile.shape] if not any(self.profile.has(role) for role in choices))

    def require(self, path: str = "") -> Profile:
        """The profile, if everything that is needed was found. Raises ColumnsUnrecognisedError."""
        if self.missing:
            wanted = ", ".join(" / ".join(choices) for choices in self.missing)
            raise ColumnsUnrecognisedError(path=path, missing=wanted, columns=", ".join(self.profile.columns))
        return self.profile


def fingerprint(columns: tuple[str, ...]) -> str:
    """What files of the same form have in common: their headings, whatever the order."""
    return hashlib.sha256("\n".join(sorted(normalise(column) for column in columns)).encode()).hexdigest()[:16]


def understand(opened: Opened, overrides: Overrides | None = None, known: Profile | None = None) -> Understanding:
    """How should this file be read?  识别导出文件

    known  the profile of an earlier file with the same header: its columns, shape and source are used again, the habits are looked at anew
    Raises OptionInvalidError when an override names a role, column or value there is not. `Understanding.require()` raises
    ColumnsUnrecognisedError when a column is missing that the shape needs.
    """
    said = overrides or Overrides()
    _check(opened, said)
    rows = [cells for _, cells in opened.sample if len(cells) == opened.width and is_line(cells)]
    contents = [content_of([row[i] for row in rows if i < len(row)]) for i in range(opened.width)]
    source, source_confidence = detect_source(opened.columns)
    reuse = known if known is not None and known.fingerprint == fingerprint(opened.columns) else None
    if said.source:
        source, source_confidence = sources()[said.source], 1.0
    elif reuse:
        source, source_confidence = reuse.source_of, reuse.source_confidence
    found = _kept(opened, reuse) if reuse else map_columns(opened.columns, contents, source)
    found = _overridden(opened, found, said.map)
    place = {one.role: one.index for one in found}
    titles = " ".join((*opened.title_lines, opened.sheet, opened.name))
    if said.shape:
        shape, shape_confidence = said.shape, 1.0
    elif reuse:
        shape, shape_confidence = reuse.shape, reuse.shape_confidence
    else:
        shape, shape_confidence = shape_of(place, opened.columns, rows, titles, source)
    aside = _limits_aside(opened, found, shape)
    found = _completed(found, shape)
    grouped_by = _grouping(opened, found)
    if grouped_by:
        found.append(Recognised(grouped_by, 0, opened.columns[0], 0.8))
    order, order_confidence, only_default = settle_order(
        [contents[one.index].dates for one in found if _kind(one.role) == "date"],
        said.date_order,
        (reuse.date_order if reuse else "") or source.date_order,
    )
    if only_default and (decided := _order_in_whole_file(opened, [one.index for one in found if _kind(one.role) == "date"])):
        order, order_confidence, only_default = decided, 1.0, False
    only_default = only_default and not (reuse and reuse.date_order)
    decimal = said.decimal or _decimal(found, rows) or (reuse.decimal if reuse else "") or source.decimal
    mapping, findings = _with_habits(opened, found, contents, rows, said, order, decimal)
    if only_default:
        doubtful = next(one for one in found if _kind(one.role) == "date" and contents[one.index].dates.kinds["numeric"])
        findings.append(
            Finding(
                "date_order_assumed",
                Severity.WARNING,
                opened.name,
                column=doubtful.column,
                value=_example(rows, doubtful.index),
                args={"order": order},
            )
        )
    findings += aside
    sign, negated = sign_of({role: one.index for role, one in mapping.items()}, rows, source)
    used = {one.index for role, one in mapping.items() if role != grouped_by}
    unit = UNITS[said.unit] if said.unit else _unit(opened, mapping)
    if unit != 1:
        findings.append(Finding("amounts_scaled", Severity.NOTE, opened.name, args={"factor": unit}))
    findings += [
        Finding(
            "column_guessed", Severity.WARNING, opened.name, column=one.column, args={"role": role, "confidence": f"{one.confidence:.0%}"}
        )
        for role, one in mapping.items()
        if one.confidence < 0.5
    ]
    needed = [max((mapping[role].confidence for role in choices if role in mapping), default=0.0) for choices in _NEEDED[shape]]
    confidence = min([*needed, shape_confidence, order_confidence])
    profile = Profile(
        fingerprint(opened.columns),
        opened.columns,
        mapping,
        source.name,
        round(source_confidence, 2),
        shape,
        shape_confidence,
        round(confidence, 2),
        unit,
        sign,
        said.currency or (reuse.currency if reuse else "") or _currency_in(opened, mapping),
        order,
        decimal,
        grouped_by,
        negated,
        opened.in_place and unit == 1 and _small(mapping, rows),
        tuple(column for index, column in enumerate(opened.columns) if index not in used),
        opened.extract_date,
        opened.extract_date_from,
        opened.format,
        opened.encoding,
        opened.delimiter,
        opened.sheet,
        opened.header_row,
    )
    if shape_confidence < SURE and not said.shape:
        findings.append(Finding("shape_guessed", Severity.WARNING, opened.name, value=shape, args={"shape": shape}))
    return Understanding(profile, tuple(findings))


def _order_in_whole_file(opened: Opened, places: list[int]) -> str:
    """Day first or month first, by every date of the file: where the rows looked at left it open. Empty when no row decides."""
    pattern = r"^\s*([0-9]{1,2})[./-]([0-9]{1,2})[./-][0-9]{2,4}"
    parts = [
        f"TRY_CAST(regexp_extract(c{place}, '{pattern}', {part}) AS UTINYINT) > 12" for part in (1, 2) for place in dict.fromkeys(places)
    ]
    half = len(parts) // 2
    with duckdb.connect(config={"threads": 2}) as con:
        opened.attach(con)
        query = f"SELECT count_if({' OR '.join(parts[:half])}), count_if({' OR '.join(parts[half:])}) FROM {opened.relation}"
        day_first, month_first = con.execute(query).fetchall()[0]
    return "dmy" if day_first > 4 * month_first else "mdy" if month_first > 4 * day_first else ""


def _kind(role: str) -> Kind:
    return ROLES.get(role) or HELPERS[role]


def _check(opened: Opened, said: Overrides) -> None:
    roles = {**ROLES, **HELPERS}
    for role, column in said.map.items():
        if role not in roles:
            raise OptionInvalidError(option="--map", value=f"{role}={column}", allowed=", ".join(ROLES), path=str(opened.path))
        if column and _find(opened, column) is None:
            raise OptionInvalidError(option="--map", value=f"{role}={column}", allowed=", ".join(opened.columns), path=str(opened.path))
    for option, value, allowed in (
        ("--date-order", said.date_order, ("dmy", "mdy", "ymd")),
        ("--decimal", said.decimal, (".", ",")),
        ("--shape", said.shape, SHAPES),
        ("--source", said.source, tuple(sources())),
        ("--unit", said.unit, tuple(UNITS)),
    ):
        if value and value not in allowed:
            raise OptionInvalidError(option=option, value=value, allowed=", ".join(filter(None, allowed)), path=str(opened.path))


def _find(opened: Opened, column: str) -> int | None:
    if column in opened.columns:
        return opened.columns.index(column)
    return next((index for index, name in enumerate(opened.columns) if normalise(name) == normalise(column)), None)


def _kept(opened: Opened, reuse: Profile) -> list[Recognised]:
    found = []
    for role, one in reuse.mapping.items():
        index = _find(opened, one.column)
        if index is not None:
            found.append(Recognised(role, index, opened.columns[index], one.confidence))
    return found


def _overridden(opened: Opened, found: list[Recognised], said: Mapping[str, str]) -> list[Recognised]:
    wanted = {role: _find(opened, column) for role, column in said.items() if column}
    kept = [one for one in found if one.role not in said and one.index not in wanted.values()]
    return kept + [Recognised(role, index, opened.columns[index], 1.0) for role, index in wanted.items() if index is not None]


_BILLED: Final = frozenset({"transactions", "open_items"})
_LOANS: Final = (
    # shapes, the role that a column has, the role it may serve as well, unless one of these was found
    ({"transactions", "open_items", "payments"}, "local_amount", "amount", {"amount", "open_amount", "debit", "credit"}),
    ({"open_items"}, "amount", "open_amount", {"open_amount"}),
    ({"payments"}, "paid_amount", "amount", {"debit", "credit"}),
    ({"transactions", "payments"}, "open_amount", "amount", {"debit", "credit"}),
    ({"transactions", "open_items", "payments"}, "local_currency", "currency", {"amount", "open_amount"}),
    (_BILLED, "payer_id", "buyer_id", set[str]()),
    (_BILLED, "orderer_id", "buyer_id", set[str]()),
    ({"rates"}, "issue_date", "rate_date", set[str]()),
    ({"rates"}, "posting_date", "rate_date", set[str]()),
    ({"rates"}, "local_currency", "quote_currency", set[str]()),
    ({"rates"}, "currency", "quote_currency", set[str]()),
    ({"rates"}, "currency", "base_currency", set[str]()),
    ({"payments"}, "issue_date", "settle_date", set[str]()),
    ({"payments"}, "posting_date", "settle_date", set[str]()),
    ({"rates"}, "valid_from", "rate_date", set[str]()),
    ({"limits"}, "amount", "limit_amount", set[str]()),
    ({"limits"}, "document_type", "limit_kind", set[str]()),
    ({"limits"}, "document_id", "limit_id", set[str]()),
    ({"limits"}, "rate_date", "valid_from", set[str]()),
    ({"limits"}, "due_date", "valid_to", set[str]()),
)
_ONLY_OF_LIMITS: Final = frozenset({"limit_id", "limit_kind", "limit_amount", "valid_from", "valid_to", "review_on"})
_NOT_OF_LIMITS: Final = frozenset({"amount", "document_type", "document_id", "rate_date", "due_date"})
"""Of a list of limits these columns serve as what they were lent to, and nothing else."""


def _completed(found: list[Recognised], shape: str) -> list[Recognised]:
    """One column may serve two roles where a list has only one of the kind."""
    have = {one.role: one for one in found}
    given = frozenset(have)
    for shapes, giver, taker, unless in _LOANS:
        if shape in shapes and giver in have and taker not in have and not unless & given:
            have[taker] = replace(have[giver], role=taker)
    if shape == "transactions" and "amount" not in given and "settle_date" in have:
        have.pop("open_amount", None)  # the amount of an item that may be settled by now: not what is open
    if {"local_amount", "local_currency", "amount"} <= set(have) and have["amount"].index == have["local_amount"].index:
        have["currency"] = replace(have["local_currency"], role="currency")
    if (
        shape == "rates"
        and have.get("base_currency")
        and have["base_currency"].index == have.get("quote_currency", have["base_currency"]).index
    ):
        del have["base_currency"]  # one column of currencies against the firm's own
    return [one for role, one in have.items() if role not in (_NOT_OF_LIMITS if shape == "limits" else _ONLY_OF_LIMITS)]


def _limits_aside(opened: Opened, found: list[Recognised], shape: str) -> list[Finding]:
    """A column of credit limits in another kind of list is told of, not taken in on the side."""
    columns = [one.column for one in found if one.role == "limit_amount" and shape != "limits"]
    return [Finding("limits_left_out", Severity.NOTE, opened.name, column=column) for column in columns]


def _grouping(opened: Opened, found: list[Recognised]) -> str:
    """Does the report put the buyer's name on a line of its own above the buyer's rows?"""
    have = {one.role for one in found}
    if {"buyer_id", "buyer_name", "payer_id"} & have or not {"amount", "open_amount", "debit"} & have:
        return ""
    alone = sum(1 for _, cells in opened.sample if cells[0].strip() and not any(cell.strip() for cell in cells[1:]))
    return "buyer_name" if alone else ""


def _decimal(found: list[Recognised], rows: list[list[str]]) -> str:
    """The decimal sign of the file's amounts: they agree, or the surest column wins; empty when none decides."""
    best = ("", 0.5)
    for one in found:
        if _kind(one.role) == "amount" and one.role != "rate":
            cells = [row[one.index] for row in rows if one.index < len(row)]
            habit, sure = amount_habit(cells, "")
            if sure > best[1] and any(sign in cell for cell in cells for sign in ".,"):
                best = (habit.decimal, sure)
    return best[0]


def _with_habits(
    opened: Opened, found: list[Recognised], contents: list[ColumnContent], rows: list[list[str]], said: Overrides, order: str, decimal: str
) -> tuple[dict[str, ColumnReading], list[Finding]]:
    mapping: dict[str, ColumnReading] = {}
    findings: list[Finding] = []
    for one in sorted(found, key=lambda item: (item.index, item.role)):
        kind = _kind(one.role)
        habit: AmountHabit | DateHabit | None = None
        if kind == "date":
            evidence = contents[one.index].dates
            habit = date_habit(evidence, (said.date_order if said.date_order in {"dmy", "mdy"} else "") or evidence.order or order)
        elif kind == "amount":
            habit, sure = amount_habit((row[one.index] for row in rows if one.index < len(row)), decimal)
            if said.decimal and habit.decimal != said.decimal:
                habit = AmountHabit(said.decimal, habit.grouping.replace(said.decimal, ""), said.decimal == "." and habit.plain)
            if sure < SURE and not said.decimal and not decimal:
                findings.append(
                    Finding(
                        "decimal_assumed",
                        Severity.WARNING,
                        opened.name,
                        column=one.column,
                        value=_example(rows, one.index),
                        args={"decimal": habit.decimal},
                    )
                )
        mapping[one.role] = ColumnReading(one.column, one.index, one.confidence, habit)
    return mapping, findings


def _small(mapping: Mapping[str, ColumnReading], rows: list[list[str]]) -> bool:
    """Has no amount seen more than nine digits before its decimals?"""
    places = {one.index for role, one in mapping.items() if _kind(role) == "amount"}
    return not any(sum(map(str.isdigit, row[place])) > 11 for row in rows for place in places if place < len(row))


def _example(rows: list[list[str]], index: int) -> str:
    return next((row[index].strip() for row in rows if index < len(row) and re.search(r"\d", row[index])), "")


def _unit(opened: Opened, mapping: Mapping[str, ColumnReading]) -> int:
    """Are the amounts in thousands or ten thousands, by the headings or the titles?"""
    places = [one.column for role, one in mapping.items() if _kind(role) == "amount" and role != "rate"]
    for text in (*places, *opened.title_lines):
        match = re.search(r"(百万元|亿元|万元|千元)", text)
        if match and (text in places or re.search(r"单位|unit", text, re.IGNORECASE) or text.strip("()（）[]【】 ") == match[1]):
            return UNITS[match[1]]
    return 1


_CURRENCY_IN_TEXT: Final = re.compile(r"(人民币|RMB|CNY|USD|EUR|GBP|JPY|HKD|CHF|SGD|AUD|CAD|美元|欧元|港币)")


def _currency_in(opened: Opened, mapping: Mapping[str, ColumnReading]) -> str:
    """A currency named in a heading or a title, for files without a currency column."""
    if "currency" in mapping:
        return ""
    amounts = [one.column for role, one in mapping.items() if _kind(role) == "amount" and role not in {"rate", "local_amount"}]
    titles = [line for line in opened.title_lines if re.search(r"币种|币别|单位|currency|unit|amounts? in", line, re.IGNORECASE)]
    found = {match for text in (*amounts, *titles) for match in _CURRENCY_IN_TEXT.findall(text.upper())}
    codes = {CURRENCY_NAMES.get(name, name) for name in found}
    if not codes and any(
        re.search(r"[(（]\s*(元|万元|千元|亿元)\s*[)）]|单位[:：]\s*(元|万元|千元)", text) for text in (*amounts, *opened.title_lines)
    ):
        codes = {"CNY"}  # 元 without a further word is the yuan
    return codes.pop() if len(codes) == 1 else ""
