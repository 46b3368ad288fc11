"""The grains at which a measure can be drawn up: per currency, and per buyer, group, legal entity, sales owner, country or sector."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import ibis

from duecourse.errors import GrainUnknownError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import ibis.expr.types as ir

    from duecourse.ledger.book import Book

PER_CURRENCY: Final = ("currency",)
PER_BUYER: Final = ("buyer_id", "currency")
GRAINS: Final = ("buyer_id", "group_id", "legal_entity", "sales_owner", "country", "sector", "currency")
_OF_THE_BUYER: Final = ("group_id", "country", "sector")
_OF_BOTH: Final = ("legal_entity", "sales_owner")


def grain(per: Sequence[str]) -> tuple[str, ...]:
    """The columns of a grain, `currency` always among them: amounts of different currencies are never added up.

    Raises GrainUnknownError for anything but buyer_id, group_id, legal_entity, sales_owner, country, sector, currency.
    """
    unknown = [name for name in per if name not in GRAINS]
    if unknown:
        raise GrainUnknownError(value=", ".join(unknown), known=", ".join(GRAINS))
    return tuple(dict.fromkeys((*per, "currency")))


def with_grain(book: Book, rows: ir.Table, per: Sequence[str]) -> ir.Table:
    """Add to rows with `buyer_id` and `currency` the columns of a grain that they lack.

    Group, country and sector are the buyer's; a buyer without a group is a group of its own. Legal entity and sales owner are the
    invoice's or settlement's own, and the buyer's where those say nothing.
    """
    wanted = [name for name in per if name in _OF_THE_BUYER or name in _OF_BOTH]
    if not wanted:
        return rows
    rows = rows.view()  # a join of its own, also where the rows are themselves a join
    buyer = book.buyer.select("buyer_id", *wanted)
    joined = rows.left_join(buyer, "buyer_id")
    added = {}
    for name in wanted:
        if name == "group_id":
            added[name] = ibis.coalesce(buyer[name], rows.buyer_id)
        elif name in rows.columns:
            added[name] = ibis.coalesce(rows[name], buyer[name])
        else:
            added[name] = buyer[name]
    return joined.select(*(rows[name] for name in rows.columns if name not in added), **added)
