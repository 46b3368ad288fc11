"""What every answer says of itself, and rows turned into answers: money as decimal strings."""

# ruff: noqa: TC003 — the annotations are read when the program runs

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

from ninja import Schema
from pydantic import Field

from duecourse.money import NO_CURRENCY, decimal_string
from duecourse.web.api.amounts import BASE, OWN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


Fraction = Annotated[float | None, Field(description="A fraction: 0.123 is 12.3 %; null where it cannot be said")]
DaysFigure = Annotated[float | None, Field(description="Days; null where it cannot be said")]
Code = Annotated[str, Field(description="ISO 4217", examples=["CNY"])]


class Answer(Schema):
    """What every read says of itself."""

    as_of: Annotated[date, Field(description="The book is drawn up as of the close of this day", examples=["2026-03-31"])]
    known_at: Annotated[datetime, Field(description="It holds what was learnt by this moment")]
    ledger_version: Annotated[int, Field(description="Version of the ledger it was drawn from; rises with every change")]


class Page(Answer):
    """A page of a list."""

    total: Annotated[int | None, Field(description="Rows of the whole list; null where they are not counted")]
    next: Annotated[str | None, Field(description="Ask for the next page with `cursor` set to this; null on the last page")]


@cache
def _plan(model: type[Schema]) -> tuple[tuple[str, str], ...]:
    plan = []
    for name, field in model.model_fields.items():
        marks = [mark for mark in field.metadata if mark in (OWN, BASE)]
        plan.append((name, marks[0] if marks else ""))
    return tuple(plan)


def shaped(model: type[Schema], row: Mapping[str, Any], *, base: str = NO_CURRENCY) -> dict[str, Any]:
    """The fields of a model out of a row, minor units as decimal strings of the row's currency, or of the base currency."""
    currency = row.get("currency") or NO_CURRENCY
    out: dict[str, Any] = {}
    for name, money in _plan(model):
        value = row.get(name)
        if money and value is not None:
            value = decimal_string(value, currency if money == OWN else base)
        out[name] = value
    return out


def all_shaped(model: type[Schema], rows: Sequence[Mapping[str, Any]], *, base: str = NO_CURRENCY) -> list[dict[str, Any]]:
    """The same for many rows."""
    return [shaped(model, row, base=base) for row in rows]
