"""What a person's view of the ledger can be limited to: the values there are, for whoever decides it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ibis

if TYPE_CHECKING:
    from collections.abc import Sequence

    import ibis.expr.types as ir

    from duecourse.ledger.book import Book


@dataclass(frozen=True)
class Group:
    """A group of buyers as one chooses it; a buyer without a group is one of its own, named by its number."""

    group_id: str
    name: str
    buyers: int


def scope_values(book: Book) -> dict[str, list[str]]:
    """Which of our companies and which sales owners does the ledger name?  可选的公司与业务员

    {legal_entities: those of buyers, invoices and settlements; sales_owners: those of buyers}, in order, each once.
    """
    tables = (book.buyer, book.invoice, book.settlement)
    entities = ibis.union(*(table.select(value=table.legal_entity) for table in tables), distinct=True)
    owners = book.buyer.select(value=book.buyer.sales_owner).distinct()
    return {"legal_entities": _values(book, entities), "sales_owners": _values(book, owners)}


def find_groups(book: Book, text: str, *, limit: int = 20) -> list[Group]:
    """Groups whose number or name holds a text, or whose buyer's does where it stands alone, the largest first.  查找集团"""
    rows = _groups(book)
    words = text.strip().lower()
    if words:
        found: list[Any] = [column.lower().contains(words) for column in (rows.group_id, rows.group_name)]
        rows = rows.filter(found[0] | found[1].coalesce(ibis.literal(value=False)))
    return _taken(book, rows.order_by(rows.buyers.desc(), rows.group_id).limit(limit))


def groups_named(book: Book, group_ids: Sequence[str]) -> list[Group]:
    """These groups with their names, as far as the ledger knows them."""
    rows = _groups(book)
    return _taken(book, rows.filter(rows.group_id.isin(sorted(group_ids))).order_by(rows.group_id)) if group_ids else []


def _groups(book: Book) -> ir.Table:
    buyer = book.buyer
    each = buyer.select(
        group_id=buyer.group_id.coalesce(buyer.buyer_id), group_name=buyer.group_name.coalesce(buyer.name, buyer.name_local)
    )
    return each.group_by("group_id").aggregate(group_name=each.group_name.min(), buyers=each.count())


def _taken(book: Book, rows: ir.Table) -> list[Group]:
    return [Group(row["group_id"], row["group_name"] or row["group_id"], row["buyers"]) for row in book.run(rows).to_pylist()]


def _values(book: Book, rows: ir.Table) -> list[str]:
    found = book.run(rows.filter(rows.value.notnull() & (rows.value != ""))).column("value").to_pylist()
    return sorted(map(str, found), key=str.casefold)
