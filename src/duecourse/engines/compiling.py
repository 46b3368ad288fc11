"""Ibis expressions to SQL text, and a driver's Arrow answer back to the schema the expression promised."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import pyarrow as pa

from duecourse.engines.shape import shape_of, with_times, without_times
from duecourse.engines.texts import Texts

if TYPE_CHECKING:
    import ibis.expr.operations as ops
    import ibis.expr.types as ir

_texts = Texts()


def duckdb_sql(expr: ir.Table) -> str:
    """The expression as one SELECT in DuckDB's dialect.

    The syntax tree is copied when it is written out: Ibis's own compile step shares nodes between expressions, and on some dialects
    that moves a cast to the wrong place.
    """
    return _sql_of(expr.op())


@lru_cache(maxsize=256)
def _sql_of(op: ops.Node) -> str:
    """Written once: an expression is immutable, and equal ones say the same. One that differs in its times alone is written by the text of the other."""
    shape = shape_of(op)
    if shape is None:
        return _compiled(op)
    name, times = shape
    text = _texts.get(name)
    if text is not None:
        return with_times(text, times)
    sql = _compiled(op)
    text = without_times(sql, times)
    if text is not None:
        _texts.put(name, text)
    return sql


def _compiled(op: ops.Node) -> str:
    import ibis  # noqa: PLC0415 — as below
    from ibis.backends.sql import compilers  # noqa: PLC0415 — brings every dialect with it; what needs no SQL starts without

    # Merging one SELECT into the next takes a third of the compilation, makes the text no shorter, and the engine plans both alike.
    ibis.options.sql.fuse_selects = False
    compiler = compilers.DuckDBCompiler()
    return str(compiler.to_sqlglot(op.to_expr()).sql(dialect=compiler.dialect))


def to_schema(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Cast a driver's answer to the promised types: a DuckDB SUM of bigint arrives as a 38-digit decimal, DATE_TRUNC as a timestamp."""
    columns = [have if have.type == want.type else have.cast(want.type) for want, have in zip(schema, table.columns, strict=True)]
    return pa.table(columns, names=schema.names)
