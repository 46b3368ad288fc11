"""A debtor's assets as the ledger keeps them: found, looked for in vain, gone.  财产线索"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from duecourse.errors import FactUnknownError, OptionMisusedError
from duecourse.ledger.entries import ASSET
from duecourse.money import exponent
from duecourse.reference.countries import country
from duecourse.risk.severity.assets import LOOK_UPS, REALISED, Asset

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from duecourse.ledger.book import Book
    from duecourse.ledger.store import Ledger


@dataclass(frozen=True, slots=True)
class Kept:
    """One asset with its number, or with kind "" a look-up that found nothing."""

    asset_id: str
    asset: Asset | None
    look_up: str
    seen_on: date
    source: str
    text: str


def assets_of(book: Book, buyer_id: str) -> list[Kept]:
    """What was found and looked for, the newest first; what is gone is left out. Nothing of a buyer that may not be seen."""
    rows = [row for row in book.also_about(buyer_id, ASSET)[ASSET.name].to_pylist() if row["gone_on"] is None]
    rows.sort(key=lambda row: (row["seen_on"], row["asset_id"]), reverse=True)
    return [
        Kept(row["asset_id"], _asset(row), row["look_up"] or "", row["seen_on"], row["provider"] or "", row["text"] or "") for row in rows
    ]


def _asset(row: Mapping[str, Any]) -> Asset | None:
    if row["kind"] not in REALISED or row["amount_minor"] is None:
        return None
    return Asset(
        row["kind"], row["amount_minor"], row["currency"], row["provider"] or "", row["seen_on"], row["realised_share"], row["prior_rights_minor"] or 0,
        row["country"] or "", row["text"] or "",
    )  # fmt: skip


def looked_of(kept: list[Kept]) -> dict[str, tuple[date, str]]:
    """The look-ups that were done, each with its newest day and source."""
    found: dict[str, tuple[date, str]] = {}
    for one in kept:
        if one.look_up and (one.look_up not in found or one.seen_on > found[one.look_up][0]):
            found[one.look_up] = (one.seen_on, one.source)
    return found


def asset_row(
    buyer_id: str, asset: Asset | None, *, seen_on: date, look_up: str = "", source: str = "", text: str = "", by: str = ""
) -> dict[str, Any]:
    """The row of an asset, or with None of a look-up that found nothing.

    Raises OptionMisusedError, CurrencyUnknownError, CountryUnknownError.
    """
    if look_up and look_up not in LOOK_UPS:
        raise OptionMisusedError(option="look_up", value=look_up, hint=", ".join(LOOK_UPS))
    if asset is None and not look_up:
        raise OptionMisusedError(option="look_up", value="", hint=", ".join(LOOK_UPS))
    row: dict[str, Any] = {
        "asset_id": f"asset-{secrets.token_hex(8)}", "buyer_id": buyer_id, "look_up": look_up or None, "seen_on": seen_on, "provider": source[:200] or None,
        "text": text[:500] or None, "made_by": by or None,
    }  # fmt: skip
    if asset is None:
        return row
    if asset.kind not in REALISED:
        raise OptionMisusedError(option="kind", value=asset.kind, hint=", ".join(REALISED))
    exponent(asset.currency)
    if asset.value_minor < 0 or asset.prior_minor < 0 or not 0 <= asset.share <= 1:
        raise OptionMisusedError(option=asset.kind, value=str(asset.value_minor), hint="≥ 0; 0–100%")
    return row | {
        "kind": asset.kind, "amount_minor": asset.value_minor, "currency": asset.currency, "realised_share": asset.realised,
        "prior_rights_minor": asset.prior_minor, "country": country(asset.country).alpha2 if asset.country else None,
    }  # fmt: skip


def add(ledger: Ledger, row: Mapping[str, Any], *, by: str = "") -> str:
    """Keep an asset or look-up, of `asset_row`; its number."""
    _put(ledger, dict(row), by)
    return str(row["asset_id"])


def gone(ledger: Ledger, book: Book, buyer_id: str, asset_id: str, on: date, *, by: str = "") -> None:
    """From this day on an asset no longer counts. Raises FactUnknownError for one that this buyer has not."""
    rows = [row for row in book.also_about(buyer_id, ASSET)[ASSET.name].to_pylist() if row["asset_id"] == asset_id]
    if not rows:
        raise FactUnknownError(kind=ASSET.name, key=asset_id)
    _put(ledger, {**{name: rows[0][name] for name in ASSET.facts.names}, "gone_on": on}, by)


def _put(ledger: Ledger, row: dict[str, Any], by: str) -> None:
    with ledger.draft("post", note="asset") as draft:
        draft.put(ASSET.name, pa.Table.from_pylist([row], schema=ASSET.facts))
        draft.facts = {"by": by} if by else {}
        draft.commit()
