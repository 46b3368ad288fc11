"""Typed lines: one SQL query from the rows of a file to canonical columns, with the cells that could not be read beside them."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import duckdb

from duecourse.intake.habits import MONEY, NARROW_MONEY, AmountHabit, DateHabit, identifier_sql, is_filled, name_sql, quoted, text_sql
from duecourse.intake.header import TOTAL, TOTAL_ALONE
from duecourse.intake.recognise import CREDIT_SIGNS, CURRENCY_NAMES, FLAGS_FALSE, FLAGS_TRUE
from duecourse.intake.sources import HELPERS, ROLES, sources

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from duecourse.intake.files import Opened
    from duecourse.intake.profile import Profile

SQL_TYPES: Final = {
    "text": "VARCHAR",
    "id": "VARCHAR",
    "currency": "VARCHAR",
    "date": "DATE",
    "amount": MONEY,
    "whole": "INTEGER",
    "flag": "BOOLEAN",
}
LINE_COLUMNS: Final = {"row_no": "BIGINT", **{role: SQL_TYPES[kind] for role, kind in ROLES.items()}, "document_kind": "VARCHAR"}
"""Columns of a line and their DuckDB types; `bad` follows, and `raw` on demand."""

_CODES: Final = {"date": "date_unreadable", "amount": "amount_unreadable", "whole": "whole_number_unreadable", "flag": "flag_unreadable"}
_WHOLE: Final = r"^\s*(-?[0-9]{1,5})(?:\.0+)?\s*(?:天|日|d|[Dd]ays?|[Tt]age|jours?)?\s*$"
_OPTIONAL_TEXTS: Final = frozenset({"text", "status", "dispute_reason", "city", "sector", "country"})


def _money(profile: Profile) -> str:
    return NARROW_MONEY if profile.narrow else MONEY


def _cell(index: int) -> str:
    return f"c{index}"


def _blank(index: int) -> str:
    return f"({_cell(index)} = '' OR trim({_cell(index)}) = '')"


def _drop_sql(opened: Opened, profile: Profile) -> str:
    """SQL over the values read: why a row is no line of the list: blank, repeated_header, subtotal, heading; NULL for a line."""
    width = opened.width
    dates = {role: one.index for role, one in profile.mapping.items() if ROLES.get(role) == "date"}
    mapped = sorted({one.index for one in profile.mapping.values()})
    checks = []
    if {"debit", "credit"} <= set(profile.mapping) and "text" in profile.mapping:  # 本月合计 stands in the text, with the month's last day
        checks.append(f"WHEN regexp_matches({_cell(profile.mapping['text'].index)}, {quoted(TOTAL)}) THEN 'subtotal'")
    if dates:  # a row with a date is a line: the cheap test that settles nearly all rows
        checks.append(f"WHEN {' OR '.join(f'v_{role} IS NOT NULL' for role in dates)} THEN NULL")
    checks.append(f"WHEN {' AND '.join(_blank(i) for i in range(width))} THEN 'blank'")
    named = [i for i in mapped if " (" not in opened.columns[i] and not opened.columns[i].startswith("column_")][:3]
    if len(named) >= 2 and opened.header_row:
        checks.append(f"WHEN {' AND '.join(f'trim({_cell(i)}) = {quoted(opened.columns[i])}' for i in named)} THEN 'repeated_header'")
    money = {one.index for role, one in profile.mapping.items() if ROLES.get(role) == "amount"}
    strict = not dates or profile.shape in {"buyers", "disputes"}
    texts = [i for i in range(width) if i not in money and not (strict and i in dates.values())]
    if texts:
        cells = f"concat_ws(chr(10), {', '.join(_cell(i) for i in texts)})"
        conditions = [f"regexp_matches({cells}, {quoted(TOTAL_ALONE if strict else TOTAL)})"]
        # a line whose date cannot be read is no total because its buyer is called Total
        if "document_id" in profile.mapping:
            document = _cell(profile.mapping["document_id"].index)
            conditions.append(f"(trim({document}) = '' OR regexp_matches({document}, {quoted(TOTAL)}))")
        elif dates:
            conditions.append(f"NOT regexp_matches(concat_ws('', {', '.join(_cell(i) for i in dates.values())}), '^[0-9]')")
        checks.append(f"WHEN {' AND '.join(conditions)} THEN 'subtotal'")
    if width >= 3 and len(mapped) >= 3:
        rest = " AND ".join(_blank(i) for i in range(1, width))
        checks.append(f"WHEN {rest} AND (fields = {width} OR (fields = 1 AND {_footer(opened)})) THEN 'heading'")
    return f"CASE {' '.join(checks)} END"


def _footer(opened: Opened) -> str:
    return f"row_no > {opened.last_row}" if opened.last_row else "false"


def lines_sql(opened: Opened, profile: Profile, *, raw: bool = False) -> str:
    """The query that yields the typed lines of a file; `opened.attach(connection)` first.

    One row per data row that is no subtotal, heading or blank. Columns: LINE_COLUMNS; `bad`, a list of {column, value, code} for the cells
    that hold something unreadable, NULL when all could be read; with `raw`, a JSON object of the row's text by the file's own columns.
    """
    values = _values(opened, profile)
    faults: list[str] = []
    flags: list[str] = []
    seen: set[int] = set()
    for role, one in profile.mapping.items():
        kind = ROLES.get(role) or HELPERS[role]
        if kind not in _CODES or one.index in seen:
            continue
        seen.add(one.index)
        cell = _cell(one.index)
        flags.append(f"(v_{role} IS NULL AND {cell} <> '')")  # cheap; the list below looks closer
        filled = is_filled(cell, date=kind == "date")
        faults.append(
            f"CASE WHEN v_{role} IS NULL AND {filled} THEN {{'column': {quoted(one.column)}, 'value': {cell}, 'code': {quoted(_CODES[kind])}}} END"
        )
    ragged = f"fields <> {opened.width}"
    faults.append(f"CASE WHEN {ragged} THEN {{'column': '', 'value': fields || '/' || {opened.width}, 'code': 'row_ragged'}} END")
    found = f"nullif(list_filter([{', '.join(faults)}], lambda fault: fault IS NOT NULL), [])"
    bad = f"CASE WHEN {' OR '.join([ragged, *flags])} THEN {found} END"
    columns = ["row_no"]
    for role, kind in ROLES.items():
        columns.append(f"{_final(role, profile, values)}::{_money(profile) if kind == 'amount' else SQL_TYPES[kind]} AS {role}")
    columns.append(f"{_document_kind(profile)} AS document_kind")
    columns.append(f"{bad} AS bad")
    if raw:
        pairs = ", ".join(f"{quoted(name)}, {_cell(i)}" for i, name in enumerate(opened.columns))
        columns.append(f"json_object({pairs})::VARCHAR AS raw")
    return f"SELECT {', '.join(columns)} FROM ({_read_sql(opened, profile, values)}) WHERE ({_drop_sql(opened, profile)}) IS NULL"


def _values(opened: Opened, profile: Profile) -> dict[str, str]:
    """SQL per role: the value of its cell, NULL when empty or unreadable."""
    values: dict[str, str] = {}
    for role, one in profile.mapping.items():
        kind = ROLES.get(role) or HELPERS[role]
        cell = _cell(one.index)
        if kind == "date":
            values[role] = (one.habit if isinstance(one.habit, DateHabit) else DateHabit()).sql(cell)
        elif kind == "amount":
            values[role] = (one.habit if isinstance(one.habit, AmountHabit) else AmountHabit()).sql(cell, _money(profile))
        elif kind == "whole":
            values[role] = f"TRY_CAST(regexp_extract({cell}, {quoted(_WHOLE)}, 1) AS INTEGER)"
        elif kind == "flag":
            values[role] = f"CASE WHEN {_one_of(cell, FLAGS_TRUE)} THEN true WHEN {_one_of(cell, FLAGS_FALSE)} THEN false END"
        elif kind == "currency":
            values[role] = _currency_sql(cell)
        elif kind == "id":
            values[role] = identifier_sql(cell)
        else:
            values[role] = name_sql(cell) if role in _OPTIONAL_TEXTS else text_sql(cell)
    if profile.grouped_by:
        values[profile.grouped_by] = "group_heading"
    del opened
    return values


def _read_sql(opened: Opened, profile: Profile, values: dict[str, str]) -> str:
    """SQL: the rows with a column v_ROLE for every value."""
    relation = opened.relation
    if profile.grouped_by:
        alone = " AND ".join(_blank(i) for i in range(1, opened.width))
        heading = f"CASE WHEN {alone} AND NOT {_blank(0)} AND NOT regexp_matches(c0, {quoted(TOTAL)}) THEN trim(c0) END"
        relation = f"(SELECT *, last_value({heading} IGNORE NULLS) OVER (ORDER BY row_no) AS group_heading FROM {relation})"
    return f"SELECT {', '.join(['*', *(f'{sql} AS v_{role}' for role, sql in values.items())])} FROM {relation}"


def _one_of(text: str, words: Sequence[str]) -> str:
    """SQL: is it one of these words, whatever the case? A pattern, because a long IN list becomes a join that copies every column."""
    choices = "|".join(re.escape(word) for word in words)
    pattern = rf"(?i)\s*(?:{choices})\s*"
    return f"regexp_full_match({text}, {quoted(pattern)})"


def _currency_sql(cell: str) -> str:
    names = ", ".join(f"{quoted(name)}: {quoted(code)}" for name, code in CURRENCY_NAMES.items())
    code = f"strlen({cell}) = 3 AND {cell} BETWEEN 'AAA' AND 'ZZZ' AND {cell} <> 'RMB' AND {cell} <> 'CNH'"
    return f"CASE WHEN {code} THEN {cell} WHEN {is_filled(cell)} THEN coalesce((MAP {{{names}}})[upper(trim({cell}))], upper(trim({cell}))) END"


def _final(role: str, profile: Profile, values: dict[str, str]) -> str:
    """SQL: the canonical value of a role from the values read."""
    kind = ROLES[role]
    if role == "term_days":
        return _term_days(profile, values)
    if role == "currency" and profile.currency:
        return f"coalesce(v_currency, {quoted(profile.currency)})" if role in values else quoted(profile.currency)
    if role == "disputed" and role not in values and "disputed_amount" in values:
        return "v_disputed_amount <> 0"
    if role == "snapshot_date" and role not in values:
        return "NULL"
    if role == "amount" and role not in values and {"debit", "credit"} & set(values):
        debit, credit = (f"v_{side}" if side in values else f"NULL::{_money(profile)}" for side in ("debit", "credit"))
        return _scaled(f"CASE WHEN coalesce({debit}, {credit}) IS NOT NULL THEN coalesce({debit}, 0) - coalesce({credit}, 0) END", profile)
    if role not in values:
        return "NULL"
    value = f"v_{role}"
    if role in {"amount", "open_amount", "local_amount"} and profile.shape in {"transactions", "open_items"}:
        if profile.sign == "indicator" and "debit_credit" in values:
            value = f"CASE WHEN {_one_of('v_debit_credit', CREDIT_SIGNS)} THEN -{value} ELSE {value} END"
        elif profile.sign == "by_type" and profile.negated:
            value = f"CASE WHEN {_one_of(_document_kind(profile), profile.negated)} AND {value} > 0 THEN -{value} ELSE {value} END"
    return _scaled(value, profile) if kind == "amount" and role != "rate" else value


def _scaled(value: str, profile: Profile) -> str:
    if profile.unit_factor == 1:
        return value
    return f"(({value})::DECIMAL(29,6) * {profile.unit_factor}::DECIMAL(9,0))"


def _term_days(profile: Profile, values: dict[str, str]) -> str:
    choices = ["v_term_days"] if "term_days" in values else []
    if "term_code" in values:
        terms = {**sources()["generic"].terms, **profile.source_of.terms}
        if terms:
            choices.append(f"(MAP {{{', '.join(f'{quoted(code)}: {days}' for code, days in terms.items())}}})[upper(v_term_code)]")
        pattern = r"(?i)(?:^|net|n/|within|月结|账期|[\s,])\s*([0-9]{1,3})\s*(?:days?|d|天|日|tage|jours?|días)?(?:\s*(?:net|netto|nets?|eom|月结|内|after.*))?\s*$"
        choices.append(f"TRY_CAST(regexp_extract(v_term_code, {quoted(pattern)}, 1) AS INTEGER)")
    return f"coalesce({', '.join(choices)})" if choices else "NULL"


def _document_kind(profile: Profile) -> str:
    """SQL: what a document is, by the system's own codes and then by the words that are common."""
    if "document_type" not in profile.mapping:
        return "NULL::VARCHAR"
    table = {**sources()["generic"].document_types, **profile.source_of.document_types}
    exact = ", ".join(f"{quoted(code)}: {quoted(kind)}" for code, kind in table.items())
    plain = "strip_accents(lower(regexp_replace(v_document_type, '[^\\p{L}\\p{N}]', '', 'g')))"
    within = " ".join(
        f"WHEN contains(v_document_type, {quoted(code)}) THEN {quoted(kind)}"
        for code, kind in sorted(table.items(), key=lambda item: -len(item[0]))
        if not code.isascii() and len(code) >= 2
    )
    return f"coalesce((MAP {{{exact}}})[{plain}], CASE {within} END)"


@contextmanager
def _connected(opened: Opened, connection: duckdb.DuckDBPyConnection | None) -> Iterator[duckdb.DuckDBPyConnection]:
    if connection is not None:
        yield connection
        return
    with duckdb.connect(config={"threads": 2}) as own:
        opened.attach(own)
        yield own


def preview_rows(opened: Opened, profile: Profile, connection: duckdb.DuckDBPyConnection | None = None, *, count: int = 10) -> pa.Table:
    """The first lines as they will be read: the columns the file has, and what could not be read. `connection` has the file attached."""
    present = [role for role in ROLES if profile.has(role) or role == profile.grouped_by]
    extra = ["document_kind"] if profile.has("document_type") else []
    names = ", ".join(dict.fromkeys(["row_no", *present, *(["amount"] if profile.has("debit") else []), *extra, "bad"]))
    with _connected(opened, connection) as con:
        rows: pa.Table = con.sql(f"SELECT {names} FROM ({lines_sql(opened, profile)}) LIMIT {int(count)}").to_arrow_table()
        return rows


def totals(opened: Opened, profile: Profile, connection: duckdb.DuckDBPyConnection | None = None) -> pa.Table:
    """What the file adds up to, to be compared with the totals the system shows.

    One row per currency and kind of document: currency, document_kind, rows, amount, open_amount, bad_rows.
    """
    with _connected(opened, connection) as con:
        sums: pa.Table = con.sql(
            "SELECT currency, document_kind, count(*) AS rows, sum(amount) AS amount, sum(open_amount) AS open_amount, count(bad) AS bad_rows"
            f" FROM ({lines_sql(opened, profile)}) GROUP BY ALL ORDER BY rows DESC, currency, document_kind"
        ).to_arrow_table()
        return sums


def dropped(opened: Opened, profile: Profile, connection: duckdb.DuckDBPyConnection | None = None) -> dict[str, int]:
    """How many rows were no lines, by reason: repeated_header, subtotal, heading; blank rows are not counted."""
    dates = {role: sql for role, sql in _values(opened, profile).items() if ROLES.get(role) == "date"}
    read = _read_sql(opened, profile, dates)
    with _connected(opened, connection) as con:
        found = con.sql(
            f"SELECT why, count(*) FROM (SELECT {_drop_sql(opened, profile)} AS why FROM ({read})) WHERE why <> 'blank' GROUP BY why"
        )
        return dict(found.fetchall())
