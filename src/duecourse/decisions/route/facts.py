"""What a choice of route rests on, as plain values: it is kept with the decision and read back for a replay."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class AssetAt:
    """Net realisable assets in one country, minor units of the claim's currency."""

    country: str
    net_minor: int


@dataclass(frozen=True, slots=True)
class RouteFacts:
    """What is known of a debt that is not paid.

    currency            of all amounts; one claim, converted where its invoices are in several
    principal_minor, interest_minor, compensation_minor   what is owed
    days_past_due       of the oldest invoice
    clause              court, arbitration, or "" where the contract says nothing; forum_country: where that court or tribunal sits, "" = not known
    governing_law       ISO country, "" = not said
    limitation          open, ended or unknown; limitation_ends: the first end of those that run
    disputed            an open dispute stands against one of the invoices
    acknowledged        the debtor has confirmed the debt in writing
    insolvent           an insolvency has been opened or announced
    insured_minor, insured_share   what an insurer's limit covers of it, and its share; None: not insured; insurance_late: a day the policy set for
                        a notice or claim has passed
    secured_minor       net value of what secures it
    recovery_costs      the contract makes the buyer bear the costs of recovery
    assets              None: nobody has looked
    cny, gbp, eur       one unit of the claim's currency in yuan, pounds and euro; None: no rate is known
    """

    on: date
    currency: str
    principal_minor: int
    interest_minor: int
    compensation_minor: int
    days_past_due: int
    own_country: str
    debtor_country: str
    clause: str = ""
    forum_country: str = ""
    governing_law: str = ""
    limitation: str = "unknown"
    limitation_ends: date | None = None
    disputed: bool = False
    acknowledged: bool = False
    insolvent: bool = False
    insured_minor: int | None = None
    insured_share: float = 0.9
    insurance_late: bool = False
    secured_minor: int = 0
    recovery_costs: bool = False
    assets: tuple[AssetAt, ...] | None = None
    cny: Decimal | None = None
    gbp: Decimal | None = None
    eur: Decimal | None = None

    @property
    def claim_minor(self) -> int:
        """All that is claimed."""
        return self.principal_minor + self.interest_minor + self.compensation_minor

    @property
    def domestic(self) -> bool:
        """Are both parties of one country?"""
        return bool(self.own_country) and self.own_country == self.debtor_country

    @property
    def places(self) -> tuple[str, ...]:
        """Where there is something to enforce against: the assets' countries, else the debtor's own."""
        found = sorted({one.country for one in self.assets or () if one.net_minor > 0 and one.country})
        return tuple(found) or ((self.debtor_country,) if self.debtor_country else ())

    @property
    def net_assets_minor(self) -> int | None:
        """What all assets would fetch; None where nobody has looked."""
        return None if self.assets is None else sum(one.net_minor for one in self.assets)

    def plain(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return {name: _plain(value) for name, value in asdict(self).items()}

    @classmethod
    def from_plain(cls, kept: Mapping[str, Any]) -> RouteFacts:
        """Read back what `plain` gave."""
        known = {one.name for one in fields(cls)}
        values = {name: value for name, value in kept.items() if name in known}
        for name in ("on", "limitation_ends"):
            values[name] = date.fromisoformat(values[name]) if values.get(name) else None
        for name in ("cny", "gbp", "eur"):
            values[name] = Decimal(values[name]) if values.get(name) else None
        if values.get("assets") is not None:
            values["assets"] = tuple(AssetAt(one["country"], one["net_minor"]) for one in values["assets"])
        return cls(**values)


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
