"""The fixed sum some laws give with the interest, 固定补偿: EUR 40, GBP 40/70/100 and their like, by the size of the debt."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from duecourse.cover.said import Said
from duecourse.money import to_decimal, to_minor

if TYPE_CHECKING:
    from datetime import date

    from duecourse.reference.interest_regimes import Regime


@dataclass(frozen=True, slots=True)
class Fixed:
    """The sum, in minor units of its currency, and why it is that one; None where the law gives none, or it is not known."""

    amount_minor: int
    currency: str
    why: Said | None = None


def compensation(rule: Regime, debt_minor: int, currency: str, default: date) -> Fixed | None:
    """Which fixed sum does the law give for a debt of this size that fell into default on this day?

    Where the bands are in another currency than the debt, the lowest is taken: a claim should hold without an exchange rate.
    """
    for band in rule.compensation:
        if band.share is not None:
            exact = to_decimal(debt_minor, currency) * band.share
            return Fixed(
                to_minor(exact, currency, rounding=ROUND_HALF_UP),
                currency,
                Said("interest.compensation_share", {"percent": f"{band.share * 100:f}"}),
            )
        if band.year is not None and band.year != default.year:
            return None
    if not rule.compensation:
        return None
    amount = to_decimal(debt_minor, currency)
    bands = [one for one in rule.compensation if one.amount is not None]
    first = bands[0]
    known = first.limits_currency == currency or len(bands) == 1
    chosen = (
        next((one for one in bands if (one.at_least or Decimal(0)) <= amount and (one.below is None or amount < one.below)), first)
        if known
        else first
    )
    why = None if known else Said("interest.compensation_lowest", {"currency": chosen.limits_currency})
    return Fixed(to_minor(chosen.amount or Decimal(0), chosen.currency), chosen.currency, why)
