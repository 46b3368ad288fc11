"""Will an expression give the same values on every engine? Used in tests, so that a ledger can move from DuckDB to Spark as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import ibis.expr.operations as ops

if TYPE_CHECKING:
    import ibis.expr.types as ir

_FORBIDDEN: Final = {
    "ArgMax": "ties are broken differently",
    "ArgMin": "ties are broken differently",
    "Arbitrary": "any value is a different one on each engine",
    "CumeDist": "absent on ClickHouse",
    "DenseRank": "Ibis frames dense_rank() so that ClickHouse parts ties",
    "Hash": "values differ",
    "MinRank": "Ibis frames rank() so that ClickHouse parts ties: use row_number with an id that breaks ties",
    "Mode": "ties differ, absent on Spark",
    "PercentRank": "absent on ClickHouse",
    "RandomScalar": "not reproducible",
    "Sample": "not reproducible",
    "TryCast": "raises on PostgreSQL",
}
_VALUE_OF_A_GROUP: Final = {"First", "Last"}


class NotPortableError(ValueError):
    """An expression whose value depends on the engine that runs it."""


def portable(expr: ir.Table) -> ir.Table:
    """The expression itself, if every engine gives the same values for it.

    Raises NotPortableError for operations that are absent on one of DuckDB, PostgreSQL, Spark and ClickHouse, or differ there.
    """
    windowed = {window.func for window in expr.op().find(ops.WindowFunction)}
    for node in expr.op().find(ops.Node):
        name = type(node).__name__
        reason = _FORBIDDEN.get(name) or _reason(node)
        if name in _VALUE_OF_A_GROUP and node not in windowed:
            reason = "as an aggregate absent on PostgreSQL: use row_number"
        if reason:
            raise NotPortableError(f"{name}: {reason}")
    return expr


def _reason(node: ops.Node) -> str | None:  # noqa: C901 — one case a rule
    match node:
        case ops.Divide():
            return _division(node)
        case ops.JoinLink() if node.how == "asof":
            return "an as-of join is absent on Spark and a lateral join on PostgreSQL: make validity ranges with lead()"
        case ops.StandardDev() | ops.Variance() | ops.Mean() if not node.arg.dtype.is_floating():
            return f"of {node.arg.dtype} it is a decimal on PostgreSQL: cast to float64"
        case ops.Multiply() if node.dtype.is_decimal():
            return "decimal × decimal has a different scale on each engine: money is int64 minor units"
        case ops.Round() if node.arg.dtype.is_floating():
            return "round(float) is half-even on PostgreSQL and half-up elsewhere: floor(x + 0.5)"
        case ops.DateDelta() | ops.TimestampDelta() if getattr(node.part, "value", None) != "day":
            return "only whole days mean the same everywhere"
        case ops.DateDiff():
            return "date − date has no Arrow type: delta(unit='day')"
        case ops.WindowFunction() if isinstance(node.func, (ops.Quantile, ops.Median)):
            return "a quantile over a window is absent on PostgreSQL: aggregate, then join"
        case ops.ArrayCollect() if getattr(node, "order_by", ()):
            return "an ordered collection is absent on Spark"
        case ops.InMemoryTable():
            return "a table in memory is not part of the compiled text: use a table of the book"
        case _:
            return None


def _division(node: ops.Divide) -> str | None:
    divisor = node.right.arg if isinstance(node.right, ops.Cast) else node.right
    if node.left.dtype.is_integer() and node.right.dtype.is_integer():
        return "integer / integer: cast one side to float64"
    if not isinstance(divisor, (ops.Literal, ops.NullIf)):
        return "by zero it is infinite on DuckDB and an error on PostgreSQL and Spark: divide by y.nullif(0)"
    return None
