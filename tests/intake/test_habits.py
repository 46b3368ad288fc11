"""Each habit of writing dates and amounts is told from the column and read back exactly."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from duecourse.intake.habits import (
    AmountHabit,
    amount_habit,
    date_evidence,
    date_habit,
    excel_serial,
    habit_from_json,
    habit_json,
    identifier_sql,
    is_filled,
    settle_order,
    text_sql,
)


def read(sql: str, cells: list[str]) -> list[object]:
    with duckdb.connect(config={"threads": 1}) as con:
        con.execute("CREATE TABLE t AS SELECT unnest(?::VARCHAR[]) AS x, generate_subscripts(?::VARCHAR[], 1) AS i", [cells, cells])
        return [row[0] for row in con.execute(f"SELECT {sql} FROM t ORDER BY i").fetchall()]


AMOUNTS = [
    ("plain", ["1234.56", "-7.5", "0", "12", "+3.25"], ["1234.56", "-7.5", "0", "12", "3.25"]),
    ("thousands comma", ["1,234.56", "12", "-1,234,567.00", "999.9"], ["1234.56", "12", "-1234567", "999.9"]),
    ("Indian groups", ["12,34,567.50", "1,000.00"], ["1234567.5", "1000"]),
    ("thousands point", ["1.234,56", "12,5", "-1.234.567,00", "100"], ["1234.56", "12.5", "-1234567", "100"]),
    ("thousands space", ["1 234,56", "12,50", "1\u00a0234\u202f567,00"], ["1234.56", "12.5", "1234567"]),
    ("Swiss apostrophe", ["1'234.56", "1’000’000.05", "12.10"], ["1234.56", "1000000.05", "12.1"]),
    ("SAP trailing minus", ["1.234,56-", "12,50", "7,00- "], ["-1234.56", "12.5", "-7"]),
    ("parentheses", ["(1,234.56)", "12.00", "$(7.50)", "($ 7.50)"], ["-1234.56", "12", "-7.5", "-7.5"]),
    ("currency signs", ["¥1,234.56", "$ 12", "€7.50", "USD 3.10", "3.10 EUR", "￥5.00"], ["1234.56", "12", "7.5", "3.1", "3.1", "5"]),
    ("full width", ["１，２３４．５６", "－１２．００"], ["1234.56", "-12"]),
    ("unit in the cell", ["1.5万元", "2万", "0.3亿元", "120元"], ["15000", "20000", "30000000", "120"]),
    ("CR and DR", ["1,234.56 CR", "12.00 DR", "5.00Cr"], ["-1234.56", "12", "-5"]),
    ("借 and 贷", ["100.00 贷", "100.00 借"], ["-100", "100"]),
    ("floats", ["1.5E+06", "1234.5600000001", "0.30000000000000004"], ["1500000", "1234.56", "0.3"]),
    ("yen", ["1,234", "12,345,678"], ["1234", "12345678"]),
]


@pytest.mark.parametrize(("cells", "expected"), [(cells, expected) for _, cells, expected in AMOUNTS], ids=[name for name, _, _ in AMOUNTS])
def test_amounts_of_every_habit(cells, expected):
    habit, _ = amount_habit(cells)
    assert read(habit.sql("x"), cells) == [Decimal(value) for value in expected]
    assert habit_from_json(habit_json(habit)) == habit


def test_what_is_no_amount_is_null_and_told_from_empty():
    cells = ["abc", "12..5", "1,2,3", "(5", "5)", "12 34", "", "-", "n/a", "NULL", "#N/A", "无"]
    habit, _ = amount_habit(["1,234.56"])
    assert read(habit.sql("x"), cells) == [None] * len(cells)
    assert read(is_filled("x"), cells) == [True] * 6 + [False] * 6


def test_a_point_is_not_taken_for_a_group_where_commas_are_decimals():
    habit = AmountHabit(",", ".", plain=False)
    assert read(habit.sql("x"), ["1.23", "1.234", "12.34,5"]) == [None, Decimal(1234), None]


def test_three_figures_behind_a_lone_sign_are_pointed_out_as_unsure():
    assert amount_habit(["1.234", "5.678"])[1] < 0.75
    assert amount_habit(["1.234", "5.678"], ",")[0].decimal == ","
    assert amount_habit(["1.234", "5.67"])[0].decimal == "."


DATES = [
    ("iso", ["2025-09-28", "2025-9-8", "2025/9/28", "2025-09-28 10:11:12", "2025-09-28T00:00:00Z"], ""),
    ("points", ["28.09.2025", "8.9.2025", "28.09.25"], "dmy"),
    ("day first", ["28/09/2025", "8/9/2025", "28-09-2025"], "dmy"),
    ("month first", ["09/28/2025", "9/8/2025", "09/28/25", "9/28/2025 12:00 AM"], "mdy"),
    ("compact", ["20250928", "20250928.0"], ""),
    ("serial", ["45928", "45928.0", "45908"], ""),
    ("Chinese", ["2025年9月28日", "2025年09月08日", "2025.9.28"], ""),
    ("names", ["28-Sep-2025", "28 Sep 25", "28-SEP-2025", "28. September 2025", "28 sept 2025"], ""),
    ("American names", ["Sep 28, 2025", "September 28, 2025"], ""),
    ("full width", ["２０２５－０９－２８"], ""),
]


@pytest.mark.parametrize(("cells", "order"), [(cells, order) for _, cells, order in DATES], ids=[name for name, _, _ in DATES])
def test_dates_of_every_habit(cells, order):
    evidence = date_evidence(cells)
    assert evidence.dates == len(cells)
    assert evidence.order == order
    habit = date_habit(evidence, order)
    days = read(habit.sql("x"), cells)
    assert all(day in {dt.date(2025, 9, 28), dt.date(2025, 9, 8)} for day in days), days
    assert days[0] == dt.date(2025, 9, 28)
    assert habit_from_json(habit_json(habit)) == habit


def test_impossible_dates_are_null_and_sap_zeros_are_empty():
    habit = date_habit(date_evidence(["28.09.2025"]), "dmy")
    cells = ["31.02.2025", "foo", "2025-13-01", "99999999", "00.00.0000", "00000000", "0000-00-00", "", "-"]
    assert read(habit.sql("x"), cells) == [None] * len(cells)
    assert read(is_filled("x", date=True), cells) == [True] * 4 + [False] * 5


def test_the_column_decides_then_the_file_then_the_system_then_day_first():
    decided, doubtful = date_evidence(["13/02/2025"]), date_evidence(["01/02/2025"])
    american = date_evidence(["02/13/2025"])
    assert settle_order([doubtful, american], "", "dmy") == ("mdy", 1.0, False)
    assert settle_order([doubtful, decided], "", "mdy") == ("dmy", 1.0, False)
    assert settle_order([doubtful], "", "mdy") == ("mdy", 0.7, True)
    assert settle_order([doubtful], "", "") == ("dmy", 0.5, True)
    assert settle_order([doubtful], "mdy", "dmy") == ("mdy", 1.0, False)
    assert settle_order([date_evidence(["2025-01-02"])], "", "")[2] is False


def test_identifiers_keep_zeros_and_lose_the_float():
    assert read(identifier_sql("x"), ["00123", "1930438491.0", " A-7 ", "", "1.0.0", "v1.0"]) == [
        "00123",
        "1930438491",
        "A-7",
        None,
        "1.0.0",
        "v1.0",
    ]
    assert read(text_sql("x"), [" a b ", "", "  ", "x"]) == ["a b", None, None, "x"]


WRITERS = {
    "plain": lambda value: f"{value:.2f}",
    "comma": lambda value: f"{value:,.2f}",
    "point": lambda value: f"{value:,.2f}".translate(str.maketrans(",.", ".,")),
    "space": lambda value: f"{value:,.2f}".translate(str.maketrans(",.", " ,")),
    "swiss": lambda value: f"{value:,.2f}".replace(",", "'"),
    "sap": lambda value: f"{abs(value):,.2f}".translate(str.maketrans(",.", ".,")) + ("-" if value < 0 else ""),
    "parentheses": lambda value: f"({-value:,.2f})" if value < 0 else f"{value:,.2f}",
    "dollar": lambda value: f"{'-' if value < 0 else ''}${abs(value):,.2f}",
    "full width": lambda value: f"{value:,.2f}".translate(str.maketrans("0123456789.,-", "０１２３４５６７８９．，－")),
}


@given(st.lists(st.decimals(-(10**9), 10**9, places=2), min_size=1, max_size=20), st.sampled_from(sorted(WRITERS)))
def test_any_amount_written_in_any_habit_is_read_back(values, writer):
    cells = [WRITERS[writer](value) for value in values]
    habit, _ = amount_habit(cells)
    assert read(habit.sql("x"), cells) == values


FORMS = {
    "iso": ("%Y-%m-%d", ""), "slashes": ("%Y/%m/%d", ""), "points": ("%d.%m.%Y", "dmy"), "british": ("%d/%m/%Y", "dmy"), "american": ("%m/%d/%Y", "mdy"),
    "compact": ("%Y%m%d", ""), "chinese": ("%Y年%m月%d日", ""), "names": ("%d-%b-%Y", ""), "short": ("%d.%m.%y", "dmy"), "stamps": ("%Y-%m-%d 00:00:00", ""),
}  # fmt: skip


@given(st.lists(st.dates(dt.date(1990, 1, 1), dt.date(2059, 12, 31)), min_size=1, max_size=20), st.sampled_from([*sorted(FORMS), "serial"]))
def test_any_date_written_in_any_habit_is_read_back(days, form):
    pattern, order = FORMS.get(form, ("", ""))
    cells = [day.strftime(pattern) if pattern else str(excel_serial(day)) for day in days]
    habit = date_habit(date_evidence(cells), order)
    assert read(habit.sql("x"), cells) == days
