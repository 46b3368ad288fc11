"""A question of another day is written by the text of the first one: the same SQL as if it had been written out, and never another question's."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys

import ibis
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from duecourse import samples
from duecourse.engines import compiling, texts
from duecourse.engines.shape import shape_of, with_times, without_times
from duecourse.measures.indicators.payment import payment_cycle
from duecourse.measures.limits import limit_use
from duecourse.measures.paying import due_items
from duecourse.measures.receivables import ageing

MEASURES = (ageing, limit_use, due_items, payment_cycle)
"""Some whose only times are dates. (Others count the days or name the month, and differ in that as well.)"""
T = ibis.table({"a": "int64", "b": "string", "c": "float64", "d": "date", "e": "date", "k": "timestamp('UTC', 6)"}, name="t")
VIEW = T.view()
DAYS = st.dates(dt.date(1990, 1, 1), dt.date(2090, 12, 31))
KNOWN = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)


def book(day):
    return samples.book(day, setting=[{"name": "base_currency", "value": '"EUR"'}])


def moment(when):
    return ibis.literal(when, type="timestamp('UTC', 6)")


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv("DUECOURSE_CACHE", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("measure", MEASURES, ids=lambda one: one.__name__)
@settings(max_examples=4)
@given(first=DAYS, second=DAYS)
def test_the_text_of_one_day_filled_with_another_is_what_would_be_written(measure, first, second):
    one, other = measure(book(first)).op(), measure(book(second)).op()
    (name, days), (other_name, other_days) = shape_of(one), shape_of(other)
    assume(name == other_name)  # where two of the days an expression names fall together on one of the dates, it is another shape
    assert with_times(without_times(compiling._compiled(one), days), other_days) == compiling._compiled(other)


@given(
    st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2090, 12, 31), timezones=st.just(dt.UTC)),
    st.sampled_from([0, 1, 100_000, 999_999, None]),
)
def test_so_is_the_text_of_one_moment(second, microsecond):
    second = second if microsecond is None else second.replace(microsecond=microsecond)
    one, other = (T.filter(T.k <= moment(when)).op() for when in (KNOWN, second))
    (name, times), (other_name, other_times) = shape_of(one), shape_of(other)
    assert name == other_name
    assert with_times(without_times(compiling._compiled(one), times), other_times) == compiling._compiled(other)


@pytest.mark.parametrize("measure", MEASURES, ids=lambda one: one.__name__)
def test_ordinary_days_share_a_shape(measure):
    first, second = (shape_of(measure(book(day)).op()) for day in (dt.date(2026, 8, 17), dt.date(2026, 8, 22)))
    assert first[0] == second[0]
    assert first[1] != second[1]


DIFFERENT = {
    "a number": (T.filter(T.a > 1), T.filter(T.a > 2)),
    "a number's type": (T.filter(T.c > 1), T.filter(T.c > 1.0)),
    "true and one": (T.mutate(x=ibis.literal(1, type="int8")), T.mutate(x=ibis.literal(value=True))),
    "a text": (T.filter(T.b == "x"), T.filter(T.b == "y")),
    "a text and a column": (T.filter(T.b == "b"), T.filter(T.b == T.b)),
    "a text with the look of two": (T.filter(T.b.isin(["x', 'y"])), T.filter(T.b.isin(["x", "y"]))),
    "the column": (T.filter(T.d > dt.date(2026, 1, 1)), T.filter(T.e > dt.date(2026, 1, 1))),
    "the operation": (T.filter(T.a > 1), T.filter(T.a >= 1)),
    "the order of things": (T.mutate(x=T.a - T.c), T.mutate(x=T.c - T.a)),
    "the name": (T.select(x="a"), T.select(y="a")),
    "the table": (T.select("a"), ibis.table(T.schema(), name="u").select("a")),
    "the table's columns": (T.select("a"), ibis.table({"a": "int32"}, name="t").select("a")),
    "a date twice and two dates": (
        T.filter(T.d >= dt.date(2026, 1, 1), T.e <= dt.date(2026, 1, 1)),
        T.filter(T.d >= dt.date(2026, 1, 1), T.e <= dt.date(2026, 2, 1)),
    ),
    "the window": (
        T.mutate(x=T.a.sum().over(ibis.window(group_by="b", order_by="d"))),
        T.mutate(x=T.a.sum().over(ibis.window(group_by="b", order_by=T.d.desc()))),
    ),
    "which view": (
        T.join(VIEW, T.a == VIEW.a).select(T.a, x=VIEW.c),
        T.join(VIEW, T.a == VIEW.a).select(T.a, x=T.c),
    ),
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_whatever_else_differs_is_another_shape(what):
    one, other = DIFFERENT[what]
    assert shape_of(one.op())[0] != shape_of(other.op())[0]


def test_views_are_told_apart_without_their_running_numbers():
    def pairs():
        v = T.view()
        return T.join(v, T.a == v.a).select(T.a, x=v.c)

    first, second = pairs().op(), pairs().op()
    assert first != second
    assert shape_of(first) == shape_of(second)


@pytest.mark.parametrize("text", ["MAKE_DATE(2026, 1, 1)", "MAKE_TIMESTAMPTZ(", "a\0b"])
def test_a_text_that_could_be_taken_for_a_date_or_a_gap_has_no_shape(text):
    op = T.filter(T.b == text, T.d > dt.date(2026, 1, 1)).op()
    assert shape_of(op) is None
    if "\0" not in text:  # which SQL itself cannot hold
        assert compiling._sql_of(op) == compiling._compiled(op)


def test_a_time_of_which_nothing_is_known_makes_no_text():
    day = dt.date(2026, 1, 1)
    assert without_times("SELECT MAKE_DATE(2026, 1, 1)", [day]) == "SELECT \0" + "0\0"
    assert without_times("SELECT MAKE_DATE(2026, 1, 2)", [day]) is None
    assert without_times("SELECT 1", [day]) is None


def test_a_new_process_finds_what_another_wrote(place):
    program = (
        "import datetime as dt, sys\n"
        "from duecourse import samples\n"
        "from duecourse.engines.compiling import duckdb_sql\n"
        "from duecourse.measures.receivables import ageing\n"
        "print(duckdb_sql(ageing(samples.book(dt.date.fromisoformat(sys.argv[1])))))\n"
        "print('ibis.backends.sql.compilers' in sys.modules)\n"
    )

    def told(day):
        return subprocess.run(
            [sys.executable, "-c", program, day], capture_output=True, text=True, check=True, timeout=120
        ).stdout.splitlines()

    first, wrote = told("2026-03-31")
    second, wrote_again = told("2026-04-29")
    assert (wrote, wrote_again) == ("True", "False")
    assert first.replace("MAKE_DATE(2026, 3, 31)", "MAKE_DATE(2026, 4, 29)") == second
    assert not [one for one in place.rglob("*") if one.name.startswith(".")]


def test_a_damaged_text_is_none(place):
    texts.Texts().put("shape", "SELECT 1 " * 50)
    (file,) = [one for one in place.rglob("*") if one.is_file()]
    whole = file.read_bytes()
    assert texts.Texts().get("shape") == "SELECT 1 " * 50
    for damaged in (b"", whole[:-1], whole[:30], whole.replace(b"1", b"2", 1), whole + b" "):
        file.write_bytes(damaged)
        assert texts.Texts().get("shape") is None


def test_a_folder_that_cannot_be_used_costs_nothing_but_time(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DUECOURSE_CACHE", str(tmp_path / "file"))
    kept = texts.Texts()
    kept.put("shape", "SELECT 1")
    assert kept.get("shape") == "SELECT 1"
    assert texts.Texts().get("shape") is None


def test_the_folder_does_not_grow_for_ever(place, monkeypatch):
    monkeypatch.setattr(texts, "ON_DISK", 10)
    kept = texts.Texts()
    for number in range(12):
        kept.put(f"shape {number}", f"SELECT {number}")
    texts.Texts().put("the last", "SELECT 99")
    assert len([one for one in place.rglob("*") if one.is_file()]) == 7  # the newer half of twelve, and the last
    assert texts.Texts().get("the last") == "SELECT 99"


def test_in_memory_the_least_used_goes(place, monkeypatch):
    monkeypatch.setattr(texts, "IN_MEMORY", 2)
    kept = texts.Texts()
    for name in ("a", "b"):
        kept.put(name, name)
    assert kept.get("a") == "a"
    kept.put("c", "c")
    for file in place.rglob("*"):
        if file.is_file():
            file.unlink()
    assert [kept.get(name) for name in ("a", "b", "c")] == ["a", None, "c"]
