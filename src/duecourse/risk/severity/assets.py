"""A debtor's assets, 财产线索: what was looked for, where and when, what it would fetch, and what is left after those who come first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

AssetKind = Literal[
    "bank_account", "receivables", "real_estate", "machinery", "vehicles", "inventory", "goods_with_title", "equity_stake", "intellectual_property",
    "unpaid_capital", "tax_refund", "other",
]  # fmt: skip

REALISED: Final[Mapping[AssetKind, float]] = {
    "bank_account": 0.95,
    "receivables": 0.60,
    "real_estate": 0.65,
    "machinery": 0.35,
    "vehicles": 0.60,
    "inventory": 0.35,
    "goods_with_title": 0.60,
    "equity_stake": 0.30,
    "intellectual_property": 0.15,
    "unpaid_capital": 0.25,
    "tax_refund": 0.85,
    "other": 0.25,
}
"""Which share of its value each kind fetches in enforcement, after its own costs. Assumptions of ours for want of a settled source: a firm's own
experience, or an appraisal, goes before them (`Asset.realised`)."""

LOOK_UPS: Final = (
    "registry_status",
    "paid_in_capital",
    "shareholders",
    "related_companies",
    "bank_accounts",
    "real_estate",
    "vehicles",
    "equity_stakes",
    "intellectual_property",
    "receivables",
    "tax_refund",
    "inventory",
    "liens",
    "litigation",
    "dishonest_list",
    "insolvency_gazette",
    "headcount",
    "site_visit",
)
"""What an assessment goes through, in order."""

COVERS: Final[Mapping[AssetKind, str]] = {
    "bank_account": "bank_accounts",
    "receivables": "receivables",
    "real_estate": "real_estate",
    "vehicles": "vehicles",
    "inventory": "inventory",
    "goods_with_title": "inventory",
    "equity_stake": "equity_stakes",
    "intellectual_property": "intellectual_property",
    "unpaid_capital": "paid_in_capital",
    "tax_refund": "tax_refund",
}
"""An asset that was found answers its look-up."""

STALE_DAYS: Final = 180
"""A look-up older than this says little of today."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One asset of the debtor.

    value_minor     what it is worth by `source`, minor units of `currency`
    realised        the share it fetches; None: that of its kind
    prior_minor     what others with better rights take from it first: mortgages, pledges, earlier attachments
    country         where it is; empty: the debtor's own
    seen_on         the day the source speaks of
    """

    kind: AssetKind
    value_minor: int
    currency: str
    source: str = ""
    seen_on: date | None = None
    realised: float | None = None
    prior_minor: int = 0
    country: str = ""
    text: str = ""

    @property
    def share(self) -> float:
        """The share it fetches."""
        return REALISED[self.kind] if self.realised is None else self.realised

    @property
    def net_minor(self) -> int:
        """What is left for an unsecured creditor. One asset's liens never eat another's value."""
        return max(0, round(self.value_minor * self.share) - self.prior_minor)


@dataclass(frozen=True, slots=True)
class LookUp:
    """One line of the checklist. `looked_on` None: nobody has looked; `stale`: too long ago; `net_minor` of what was found, by currency."""

    name: str
    looked_on: date | None
    source: str
    stale: bool
    found: tuple[Asset, ...]


@dataclass(frozen=True, slots=True)
class Assessment:
    """All lines of the checklist, and the net realisable value by currency."""

    lines: tuple[LookUp, ...]
    net: Mapping[str, int]

    @property
    def missing(self) -> tuple[str, ...]:
        """What nobody has looked up, or too long ago."""
        return tuple(one.name for one in self.lines if one.looked_on is None or one.stale)


def net_realisable(assets: Iterable[Asset]) -> dict[str, int]:
    """What would all assets together fetch, after prior rights, by currency in minor units?  净可变现价值

    >>> net_realisable([Asset("real_estate", 1_000_000, "CNY", prior_minor=400_000), Asset("vehicles", 100_000, "CNY", prior_minor=90_000)])
    {'CNY': 250000}
    """
    sums: dict[str, int] = {}
    for one in assets:
        sums[one.currency] = sums.get(one.currency, 0) + one.net_minor
    return sums


def assess(assets: Iterable[Asset], looked: Mapping[str, tuple[date, str]] | None = None, *, on: date) -> Assessment:
    """How complete is the picture, and what does it come to?  财产核查

    looked  look-ups done without finding an asset, or besides one: {name: (day, source)}
    on      the day it is asked; older than `STALE_DAYS` is stale
    """
    known, done = list(assets), looked or {}
    lines = []
    for name in LOOK_UPS:
        found = tuple(one for one in known if COVERS.get(one.kind) == name)
        days = [one.seen_on for one in found if one.seen_on] + ([done[name][0]] if name in done else [])
        source = done[name][1] if name in done else "; ".join(dict.fromkeys(one.source for one in found if one.source))
        last = max(days, default=None)
        lines.append(LookUp(name, last, source, last is not None and (on - last).days > STALE_DAYS, found))
    return Assessment(tuple(lines), net_realisable(known))
