"""No measure uses an operation that another engine lacks or answers differently; and the guard itself refuses each of those."""

from __future__ import annotations

import datetime as dt
import importlib
import inspect
import pkgutil

import ibis
import pyarrow as pa
import pytest

from duecourse import measures, samples
from duecourse.engines.portable import NotPortableError, portable

BOOK = samples.book(dt.date(2026, 3, 31), setting=[{"name": "base_currency", "value": '"EUR"'}])
NOT_MEASURES = {"buckets", "expressions", "grain", "windows", "base", "positions", "common"}


def public_measures():
    for module in pkgutil.walk_packages(measures.__path__, "duecourse.measures."):
        if module.name.rpartition(".")[2] in NOT_MEASURES:
            continue
        loaded = importlib.import_module(module.name)
        for name, function in inspect.getmembers(loaded, inspect.isfunction):
            if (
                function.__module__ == module.name
                and not name.startswith("_")
                and next(iter(inspect.signature(function).parameters), "") == "book"
            ):
                yield pytest.param(function, id=f"{module.name.rpartition('.')[2]}.{name}")


WITHOUT_MONEY = {"statement_doubts", "due_blocks", "due_items", "trade_blocks", "told_lately"}
"""They count, or answer yes or no; a currency would say nothing."""

MORE = {"credit_sales": {"since": dt.date(2026, 1, 1)}}


@pytest.mark.parametrize("measure", [m for m in public_measures() if not m.id.endswith(".exhaust")])
def test_measures_are_portable(measure):
    expr = measure(BOOK, **MORE.get(measure.__name__, {}))
    assert portable(expr) is expr
    assert "currency" in expr.columns or measure.__name__ in WITHOUT_MONEY or ".indicators." in measure.__module__, (
        "an indicator is one figure a buyer"
    )


@pytest.mark.parametrize("measure", [m for m in public_measures() if not m.id.endswith(".exhaust")])
def test_measures_say_what_they_answer(measure):
    """The question first, with the Chinese term, then the grain."""
    first, *rest = (inspect.getdoc(measure) or "").splitlines()
    assert "?" in first
    assert any("\u4e00" <= letter <= "\u9fff" for letter in first)
    assert "row" in " ".join(rest).lower()


T = ibis.table({"i": "int64", "b": "string", "d": "date", "e": "date", "f": "float64"}, name="t")
W = ibis.window(group_by="b", order_by="d")
REFUSED = {
    "as-of join": lambda: T.asof_join(T.view(), "d"),
    "int / int": lambda: T.mutate(x=T.i / T.i),
    "x / y": lambda: T.mutate(x=T.f / T.f),
    "mean(int)": lambda: T.aggregate(x=T.i.mean()),
    "round(float)": lambda: T.mutate(x=(T.f / 7.0).round()),
    "months between": lambda: T.mutate(x=T.d.delta(T.e, unit="month")),
    "date - date": lambda: T.mutate(x=T.d - T.e),
    "quantile over": lambda: T.mutate(x=T.i.quantile(0.5).over(W)),
    "rank": lambda: T.mutate(x=T.i.rank().over(W)),
    "mode": lambda: T.aggregate(x=T.i.mode()),
    "arbitrary": lambda: T.aggregate(x=T.i.arbitrary()),
    "first of a group": lambda: T.aggregate(x=T.i.first()),
    "hash": lambda: T.mutate(x=T.i.hash()),
    "memtable": lambda: ibis.memtable(pa.table({"a": [1]})),
    "try_cast": lambda: T.mutate(x=T.b.try_cast("int64")),
    "collect ordered": lambda: T.group_by("b").aggregate(x=T.i.collect(order_by=T.d)),
    "decimal * decimal": lambda: T.mutate(x=T.i.cast("decimal(18,3)") * T.i.cast("decimal(18,3)")),
    "sample": lambda: T.sample(0.5),
}


@pytest.mark.parametrize("name", REFUSED)
def test_the_guard_refuses(name):
    with pytest.raises(NotPortableError):
        portable(REFUSED[name]())


def test_the_guard_accepts_what_is_the_same_everywhere():
    portable(T.mutate(x=T.i.cast("float64") / T.f.nullif(0.0), y=T.d.delta(T.e, unit="day"), z=T.i.first().over(W), u=T.f / 2.0))
