"""Questions to the database that every page asks: drawn up once, asked with other values each time.

Django draws up a query anew each time it is asked, which takes longer than the database takes to answer. A `Question` keeps the SQL of a
queryset and how each column's value is read; it gives rows as tuples. Nothing of an answer is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from django.db.models import QuerySet

    Drawn = tuple[str, list[Any], Sequence[str], Mapping[int, Any]]


class Question:
    """A queryset whose values change.

    make   draws it up, with any values of the right kind
    holes  which of its SQL's values, counted from 0 in the order in which they stand there, are given when it is asked
    """

    def __init__(self, make: Callable[[], QuerySet[Any]], *holes: int) -> None:
        self._make, self._holes = make, holes
        self._drawn: dict[str, Drawn] = {}

    @property
    def names(self) -> Sequence[str]:
        """What the columns are called."""
        return self._drawn_up()[2]

    def rows(self, *values: Any) -> list[tuple[Any, ...]]:
        """The answer for these values: what the database itself takes, a moment made ready by `connection.ops`."""
        sql, told, _names, converters = self._drawn_up()
        told = list(told)
        for hole, value in zip(self._holes, values, strict=True):
            told[hole] = value
        with connection.cursor() as cursor:
            cursor.execute(sql, told)
            found = cursor.fetchall()
        return [_read(row, converters) for row in found] if converters else found

    def _drawn_up(self) -> Drawn:
        kept = self._drawn.get(connection.vendor)
        if kept is None:
            compiler = self._make().query.get_compiler(connection=connection)
            sql, told = compiler.as_sql()
            if len(told) < len(self._holes):
                raise ValueError(f"{sql} has no room for {len(self._holes)} values")
            expressions = [expression for expression, _sql, _alias in compiler.select]
            names = [expression.target.attname for expression in expressions]
            kept = self._drawn[connection.vendor] = sql, list(told), names, compiler.get_converters(expressions)
        return kept


def _read(row: Sequence[Any], converters: Mapping[int, Any]) -> tuple[Any, ...]:
    values = list(row)
    for place, (functions, expression) in converters.items():
        for function in functions:
            values[place] = function(values[place], expression, connection)
    return tuple(values)
