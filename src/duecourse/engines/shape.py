"""What an expression says apart from the days and moments it names: two of the same shape differ in these alone, and so do their texts.

Most questions are asked day after day. To write one out in SQL takes longer than to answer it on a small ledger, while only its times are new.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    import ibis.expr.operations as ops

Time: TypeAlias = "date | datetime"

WRITTEN: Final = re.compile(r"MAKE_(?:DATE|TIMESTAMP|TIMESTAMPTZ|TIME)\([^()]*\)")
"""A literal of a time in DuckDB's SQL, as Ibis writes it."""

GAP: Final = re.compile("\0([0-9]+)\0")
"""Where the n-th time goes in a text without times."""


class _NoShapeError(Exception):
    """The expression holds something of which it is not known how it is written."""


def shape_of(op: ops.Node) -> tuple[str, tuple[Time, ...]] | None:
    """The shape as a text, and the different times in the order in which they appear; None where there is no telling.

    Equal texts mean equal trees: of the same nodes, names, types and values, with the times equal to one another in the same places.
    """
    try:
        return _Walk().of(op)
    except _NoShapeError:
        return None


class _Walk:
    """One way through an expression, from the leaves up: every node once, named by its number from then on."""

    def __init__(self) -> None:
        from ibis.common.graph import Node  # noqa: PLC0415 — whoever has an expression has loaded it; what asks for none starts without
        from ibis.expr.datatypes import DataType  # noqa: PLC0415
        from ibis.expr.operations.relations import Namespace, Reference  # noqa: PLC0415
        from ibis.expr.schema import Schema  # noqa: PLC0415

        self._node, self._described, self._reference = Node, (DataType, Schema, Namespace), Reference
        self._numbers: dict[Any, int] = {}
        self._times: dict[Time, int] = {}
        self._views: dict[int, int] = {}
        self._lines: list[str] = []

    def of(self, op: ops.Node) -> tuple[str, tuple[Time, ...]]:
        waiting: list[Any] = [op]
        while waiting:
            node = waiting[-1]
            if node in self._numbers:
                waiting.pop()
                continue
            inner = [one for one in node.__children__ if one not in self._numbers]
            if inner:
                waiting.extend(reversed(inner))
                continue
            waiting.pop()
            line = self._line(node)
            self._numbers[node] = len(self._numbers)
            self._lines.append(line)
        return "\n".join(self._lines), tuple(self._times)

    def _line(self, node: Any) -> str:
        named = zip(node.__argnames__, node.__args__, strict=True)
        if isinstance(node, self._reference):  # what tells one view of a table from another is some number, a new one each time
            return f"{type(node).__name__}({', '.join(self._view(value) if name == 'identifier' else self._said(value) for name, value in named)})"
        return f"{type(node).__name__}({', '.join(self._said(value) for _name, value in named)})"

    def _view(self, identifier: int) -> str:
        return f"view {self._views.setdefault(identifier, len(self._views))}"

    def _said(self, value: Any) -> str:
        if isinstance(value, self._node):
            return f"#{self._numbers[value]}"
        if isinstance(value, str):
            if "\0" in value or "MAKE_" in value:  # could be taken for a gap or a time
                raise _NoShapeError
            return repr(value)
        if value is None or isinstance(value, bool | int | float):
            return repr(value)
        if type(value) is date or (type(value) is datetime and value.utcoffset() == timedelta(0)):
            return f"{type(value).__name__} {self._times.setdefault(value, len(self._times))}"
        if isinstance(value, tuple | frozenset):
            parts = [self._said(one) for one in value]
            return f"({', '.join(sorted(parts) if isinstance(value, frozenset) else parts)})"
        if isinstance(value, self._described):
            return repr(value)
        if hasattr(value, "items"):
            return "{" + ", ".join(f"{self._said(name)}: {self._said(one)}" for name, one in value.items()) + "}"
        raise _NoShapeError


def without_times(sql: str, times: Sequence[Time]) -> str | None:
    """An expression's SQL with gaps for its times; None where the text has a time that is not one of them, or lacks one."""
    numbers = {written(time): number for number, time in enumerate(times)}
    found = set(WRITTEN.findall(sql))
    return WRITTEN.sub(lambda match: f"\0{numbers[match.group()]}\0", sql) if found == numbers.keys() else None


def with_times(text: str, times: Sequence[Time]) -> str:
    """The SQL of an expression of this shape that names these times."""
    literals = [written(time) for time in times]
    return GAP.sub(lambda match: literals[int(match.group(1))], text)


def written(time: Time) -> str:
    """A time as Ibis has it in DuckDB's SQL."""
    day = f"{time.year}, {time.month}, {time.day}"
    if not isinstance(time, datetime):
        return f"MAKE_DATE({day})"
    return f"MAKE_TIMESTAMPTZ({day}, {time.hour}, {time.minute}, {time.second + time.microsecond / 1e6}, 'UTC')"
