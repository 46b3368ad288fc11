"""How long and how dear courts were, 法院效率先验: the World Bank's Doing Business 2020, a dated prior and no more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from duecourse.reference.tables import Table, load

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class CourtPrior:
    """Figures of one economy.

    contract_days     days to enforce a contract from filing to payment
    contract_cost     cost of that, a fraction of the claim
    insolvency_years  years until creditors are paid
    insolvency_cost   cost, a fraction of the estate
    recovery          what a SECURED creditor got of a claim, a fraction; an unsecured supplier gets far less
    """

    country: str
    contract_days: int | None
    contract_cost: float | None
    insolvency_years: float | None
    insolvency_cost: float | None
    recovery: float | None
    confidence: str


def _share(text: str) -> float | None:
    return round(float(text) / 100, 6) if text else None


def _prior(record: Mapping[str, str]) -> CourtPrior:
    days, years = record["contract_enforcement_days"], record["insolvency_years"]
    return CourtPrior(
        record["iso2"], int(days) if days else None, _share(record["contract_enforcement_cost_pct_of_claim"]), float(years) if years else None,
        _share(record["insolvency_cost_pct_of_estate"]), _share(record["insolvency_recovery_cents_per_usd"]), record["confidence"],
    )  # fmt: skip


COURT_PRIORS: Final[Table[CourtPrior]] = load("enforcement_db2020", "iso2", _prior)
"""The economies known, by country code."""
