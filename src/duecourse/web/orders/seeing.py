"""Which checks a person sees: those of buyers in their book."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from duecourse.web import books

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from duecourse.ledger.scope import Scope
    from duecourse.web.orders.models import OrderCheck

LOOKED_THROUGH: Final = 5_000
"""Of a restricted person's list at most so many newer checks are looked through for theirs."""


def sees(person: Any, buyer_id: str) -> bool:
    """May this person see this buyer?"""
    scope: Scope = person.scope
    return not scope.restricts or _among(scope, books.ledger().version, buyer_id)


@lru_cache(maxsize=4096)
def _among(scope: Scope, version: int, buyer_id: str) -> bool:  # noqa: ARG001 — another version may answer otherwise
    opened = books.ledger()
    book = opened.as_of(books.day_of(opened)).limited(scope)
    return bool(book.run(book.buyer.filter(book.buyer.buyer_id == buyer_id).select("buyer_id")).num_rows)


def page(person: Any, rows: QuerySet[OrderCheck], limit: int) -> tuple[list[OrderCheck], bool]:
    """The first rows of a list this person may see, and whether there may be more."""
    if not person.scope.restricts:
        found = list(rows[: limit + 1])
        return found[:limit], len(found) > limit
    seen = among(person)
    found = [row for row in rows[:LOOKED_THROUGH] if row.buyer_id in seen]
    return found[:limit], len(found) > limit


def among(person: Any) -> frozenset[str]:
    """The buyers a restricted person may see."""
    return _all_of(person.scope, books.ledger().version)


@lru_cache(maxsize=64)
def _all_of(scope: Scope, version: int) -> frozenset[str]:  # noqa: ARG001 — as above
    opened = books.ledger()
    book = opened.as_of(books.day_of(opened)).limited(scope)
    return frozenset(str(one) for one in book.run(book.buyer.select("buyer_id"))["buyer_id"].to_pylist())
