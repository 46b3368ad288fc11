"""What one person may see of a ledger (数据权限): of which of our companies, of whose buyers, of which groups."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    import ibis.expr.types as ir

NOTHING: Final = frozenset({"\ufffd"})
"""A restriction no value fulfils: what is left of two that have nothing in common."""


@dataclass(frozen=True)
class Scope:
    """Which part of a ledger may be seen; each empty set restricts nothing.  可见范围

    legal_entities  of our companies: their documents, and the buyers who have any
    sales_owners    of the buyers' sales owners, by the buyer's profile
    groups          of the buyers' groups; a buyer without a group is a group of its own, named by its number

    A buyer is seen if its group and its sales owner are, and it belongs to an allowed company or has an invoice or a settlement of one. An
    invoice is seen if its buyer is and its company is allowed: its own, the buyer's where it names none. A settlement applied to an
    invoice, and a dispute about one, go with the invoice, whoever paid, so that a balance is the same to all who see it; without one
    they go by their own company, else their buyer's.
    """

    legal_entities: frozenset[str] = field(default_factory=frozenset)
    sales_owners: frozenset[str] = field(default_factory=frozenset)
    groups: frozenset[str] = field(default_factory=frozenset)

    @property
    def restricts(self) -> bool:
        """Is anything hidden?"""
        return bool(self.legal_entities or self.sales_owners or self.groups)

    def within(self, other: Scope) -> Scope:
        """What both allow."""
        return Scope(
            _both(self.legal_entities, other.legal_entities), _both(self.sales_owners, other.sales_owners), _both(self.groups, other.groups)
        )

    def __str__(self) -> str:
        """The same text for the same scope; empty where nothing is hidden."""
        parts = {"legal_entities": self.legal_entities, "sales_owners": self.sales_owners, "groups": self.groups}
        return json.dumps({name: sorted(values) for name, values in parts.items() if values}, ensure_ascii=False) if self.restricts else ""

    # Over expressions

    def of_buyers(self, buyer: ir.Table, invoice: ir.Table, settlement: ir.Table) -> ir.Table:
        """The profiles that are seen, out of the whole book's buyers, invoices and settlements."""
        rows = self._persons(buyer, buyer)
        if self.legal_entities:
            allowed = sorted(self.legal_entities)
            documents = [table.filter(table.legal_entity.isin(allowed)).select("buyer_id") for table in (invoice, settlement)]
            served = documents[0].union(documents[1], distinct=True)
            own = rows.filter(rows.legal_entity.isin(allowed)).select("buyer_id")
            rows = rows.semi_join(own.union(served, distinct=True), "buyer_id").select(buyer.columns)
        return rows

    def of_documents(self, rows: ir.Table, buyer: ir.Table, *, entity: str | None) -> ir.Table:
        """The documents that are seen by themselves, out of rows with `buyer_id`.

        entity  the column that names the company; None = they have none, and go by their buyer's
        """
        profile = buyer.select("buyer_id", "group_id", "sales_owner", "legal_entity").view()
        joined = rows.left_join(profile, "buyer_id")
        kept = joined.select(
            *(rows[name] for name in rows.columns),
            scope_group=profile.group_id,
            scope_owner=profile.sales_owner,
            scope_entity=profile.legal_entity if entity is None else rows[entity].nullif("").coalesce(profile.legal_entity),
        )
        if self.groups:
            kept = kept.filter(kept.scope_group.coalesce(kept.buyer_id).isin(sorted(self.groups)))
        if self.sales_owners:
            kept = kept.filter(kept.scope_owner.isin(sorted(self.sales_owners)))
        if self.legal_entities:
            kept = kept.filter(kept.scope_entity.isin(sorted(self.legal_entities)))
        return kept.select(rows.columns)

    def _persons(self, rows: ir.Table, buyer: ir.Table) -> ir.Table:
        if self.groups:
            rows = rows.filter(buyer.group_id.coalesce(buyer.buyer_id).isin(sorted(self.groups)))
        if self.sales_owners:
            rows = rows.filter(buyer.sales_owner.isin(sorted(self.sales_owners)))
        return rows

    # One by one, and over Arrow

    def sees_person(self, buyer_id: str, group_id: str | None, sales_owner: str | None) -> bool:
        """Are a buyer's group and sales owner seen? The companies are not looked at."""
        group_seen = not self.groups or (buyer_id if group_id is None else group_id) in self.groups
        return group_seen and (not self.sales_owners or sales_owner in self.sales_owners)

    def buyers_among(self, profile: pa.Table) -> pa.Array[Any]:
        """The numbers of the buyers whose group and sales owner are seen, from `buyer_id`, `group_id`, `sales_owner` of all profiles.

        The companies are not looked at. A buyer without a profile is seen where its number is an allowed group's.
        """
        keep: Any = pa.repeat(pa.scalar(value=True), profile.num_rows)
        if self.groups:
            keep = pc.and_(keep, pc.is_in(pc.coalesce(profile["group_id"], profile["buyer_id"]), _values(self.groups)))
        if self.sales_owners:
            keep = pc.and_(keep, pc.is_in(profile["sales_owner"], _values(self.sales_owners)))
        seen = [*profile.filter(keep)["buyer_id"].chunks]
        if self.groups and not self.sales_owners:
            strangers = self.groups - set(profile["buyer_id"].to_pylist())
            seen.append(_values(strangers))
        return pa.concat_arrays(seen) if seen else pa.array([], pa.string())


def _both(one: frozenset[str], other: frozenset[str]) -> frozenset[str]:
    if not one or not other:
        return one or other
    return one & other or NOTHING


def _values(texts: frozenset[str]) -> pa.Array[Any]:
    return pa.array(sorted(texts), pa.string())


EVERYTHING: Final = Scope()
