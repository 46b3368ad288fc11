"""The systems whose exports we know, a folder each: what its columns are called, how it signs amounts, what its document types mean.

A new system is a new folder: copy the nearest `aliases.toml`, change every part, and add an export of it to the tests.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final, Literal

from duecourse.intake.header import normalise

Kind = Literal["text", "id", "date", "amount", "whole", "flag", "currency"]

ROLES: Final[dict[str, Kind]] = {
    "document_id": "id",
    "line_item": "id",
    "document_type": "text",
    "status": "text",
    "buyer_id": "id",
    "buyer_name": "text",
    "buyer_name_local": "text",
    "payer_id": "id",
    "orderer_id": "id",
    "legal_entity": "id",
    "issue_date": "date",
    "posting_date": "date",
    "baseline_date": "date",
    "due_date": "date",
    "term_days": "whole",
    "term_code": "text",
    "amount": "amount",
    "open_amount": "amount",
    "paid_amount": "amount",
    "credit_amount": "amount",
    "debit": "amount",
    "credit": "amount",
    "currency": "currency",
    "local_amount": "amount",
    "local_currency": "currency",
    "settle_date": "date",
    "clearing_document": "id",
    "applied_to": "id",
    "payment_method": "text",
    "disputed": "flag",
    "dispute_reason": "text",
    "order_number": "id",
    "sales_owner": "text",
    "text": "text",
    "reference": "id",
    "snapshot_date": "date",
    "country": "text",
    "city": "text",
    "sector": "text",
    "registration_number": "id",
    "group_id": "id",
    "group_name": "text",
    "customer_since": "date",
    "vat_number": "id",
    "lei": "id",
    "legal_form": "text",
    "founded_on": "date",
    "registered_capital": "text",
    "registry_status": "text",
    "legal_representative": "text",
    "owner_name": "text",
    "enterprise_size": "text",
    "rate": "amount",
    "rate_date": "date",
    "base_currency": "currency",
    "quote_currency": "currency",
    "limit_id": "id",
    "limit_kind": "text",
    "limit_amount": "amount",
    "valid_from": "date",
    "valid_to": "date",
    "review_on": "date",
}
"""What a column can stand for, and what is written in it. These are the columns of a line."""

HELPERS: Final[dict[str, Kind]] = {
    "debit_credit": "text",  # the sign of an unsigned amount: S/H, D/C, 借/贷
    "disputed_amount": "amount",
    "ignore": "text",  # columns a source has under names that resemble a role
}
"""Columns that are read to make up a line but are not part of it."""


@dataclass(frozen=True)
class Source:
    """One system: its folder name, its label in both languages, and what `aliases.toml` says.

    signature   headings (normalised) that betray the system
    """

    name: str
    label_en: str
    label_zh: str
    signature: frozenset[str]
    date_order: str
    decimal: str
    shape: str
    roles: dict[str, tuple[str, ...]]
    document_types: dict[str, str]
    terms: dict[str, int]
    signature_least: int


@cache
def sources() -> dict[str, Source]:
    """All known systems by name."""
    found: dict[str, Source] = {}
    for folder in sorted(resources.files(__package__).iterdir(), key=lambda entry: entry.name):
        data = folder / "aliases.toml"
        if not folder.is_dir() or not data.is_file():
            continue
        content = tomllib.loads(data.read_text(encoding="utf-8"))
        unknown = set(content.get("roles", {})) - set(ROLES) - set(HELPERS)
        if unknown:
            raise ValueError(f"{folder.name}/aliases.toml: unknown roles {sorted(unknown)}")
        signature = content.get("signature", {})
        found[folder.name] = Source(
            folder.name,
            content["label"]["en"],
            content["label"]["zh"],
            frozenset(normalise(name) for name in signature.get("headings", ())),
            content.get("locale", {}).get("date_order", ""),
            content.get("locale", {}).get("decimal", ""),
            content.get("shape", ""),
            {role: tuple(normalise(name) for name in names) for role, names in content.get("roles", {}).items()},
            {normalise(code): kind for code, kind in content.get("document_types", {}).items()},
            {code.upper(): days for code, days in content.get("terms", {}).items()},
            signature.get("at_least", 3),
        )
    return found


@cache
def known_headings() -> frozenset[str]:
    """Every heading any system uses, normalised."""
    return frozenset(alias for source in sources().values() for names in source.roles.values() for alias in names)
