"""The few turns of phrase every measure is built from, each written so that all engines give the same value."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.operations as ops

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import ibis.expr.types as ir

ZERO = ibis.literal(0, type="int64")


def as_int64(number: ir.NumericValue) -> ir.IntegerValue:
    """A cast that is written out.

    Ibis takes the sum of int64 for int64 and leaves the cast away, yet DuckDB's is a 128-bit integer and PostgreSQL's a decimal.
    """
    return ops.Cast(number, to=dt.int64).to_expr()


def total(column: ir.IntegerColumn, where: ir.BooleanValue | None = None) -> ir.IntegerScalar:
    """The sum of whole numbers as int64, 0 where there is nothing to add."""
    return as_int64(ibis.coalesce(column.sum(where=where), ZERO))


def count(condition: ir.BooleanValue) -> ir.IntegerScalar:
    """How many rows fulfil the condition, 0 where there are none."""
    return as_int64(ibis.coalesce(condition.cast("int64").sum(), ZERO))


def or_zero(number: ir.IntegerValue) -> ir.IntegerValue:
    """The number, 0 where it is missing."""
    return ibis.coalesce(number, ZERO)


def positive(number: ir.IntegerValue) -> ir.IntegerValue:
    """The number where it is above zero, else 0."""
    return (number > 0).ifelse(number, ZERO)


def ratio(numerator: ir.NumericValue, denominator: ir.NumericValue) -> ir.FloatingValue:
    """A fraction in float64; missing where the denominator is zero."""
    return numerator.cast("float64") / denominator.cast("float64").nullif(0.0)


def day(when: date) -> ir.DateScalar:
    """A date as a literal."""
    return ibis.literal(when, type="date")


def days_between(later: ir.DateValue, earlier: ir.DateValue) -> ir.IntegerValue:
    """Whole days from `earlier` to `later`."""
    return later.delta(earlier, unit="day").cast("int64")


def gather(per: Sequence[str], *parts: ir.Table) -> ir.Table:
    """Add up parts that speak of the same grain: one row per grain that occurs in any of them, columns missing from a part count 0.

    A union instead of outer joins: a missing grain value (an invoice without sales owner) is a group like any other.
    """
    names = list(dict.fromkeys(name for part in parts for name in part.columns if name not in per))
    aligned = [part.select(*per, **{name: part[name] if name in part.columns else ZERO for name in names}) for part in parts]
    rows = reduce(lambda left, right: left.union(right), aligned)
    return rows.group_by(list(per)).aggregate(**{name: total(rows[name]) for name in names})


def assemble(per: Sequence[str], *parts: ir.Table) -> ir.Table:
    """Lay parts of the same grain side by side, one row per grain that occurs in any of them; what a part does not know is null.

    Each part has at most one row per grain. A column that several parts have takes the greatest of their values.
    """
    kinds = {name: kind for part in parts for name, kind in part.schema().items() if name not in per}
    aligned = [
        part.select(*per, **{name: part[name] if name in part.columns else ibis.null(kind) for name, kind in kinds.items()})
        for part in parts
    ]
    rows = reduce(lambda left, right: left.union(right), aligned)
    return rows.group_by(list(per)).aggregate(**{name: rows[name].max() for name in kinds})
