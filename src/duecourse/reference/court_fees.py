"""What courts and arbitral institutions charge, 诉讼费与仲裁费: China's tables with their brackets, CIETAC's, and a few abroad."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CENT: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Bracket:
    """Up to an amount (None: above all others): a flat fee, or a rate on the part inside the bracket, not below `least`."""

    upto: Decimal | None
    flat: Decimal | None = None
    rate: Decimal | None = None
    least: Decimal = Decimal(0)


def _brackets(rows: Sequence[Mapping[str, Any]], flat: str = "flat", rate: str = "rate", place: int | None = None) -> tuple[Bracket, ...]:
    def number(value: Any) -> Decimal | None:
        if value is None:
            return None
        return Decimal(str(value[place] if place is not None else value))

    return tuple(
        Bracket(
            None if row["upto"] is None else Decimal(str(row["upto"])),
            number(row.get(flat)),
            number(row.get(rate)),
            Decimal(str(row.get("min", 0))),
        )
        for row in rows
    )


def cumulative(amount: Decimal, brackets: Sequence[Bracket]) -> Decimal:
    """The sum over the brackets: the flat fee of the first, and of each further one its rate on what lies inside it."""
    total, below = Decimal(0), Decimal(0)
    for bracket in brackets:
        if amount <= below and bracket.flat is None:
            break
        top = amount if bracket.upto is None else min(amount, bracket.upto)
        part = bracket.flat if bracket.flat is not None else (bracket.rate or Decimal(0)) * max(top - below, Decimal(0))
        total += max(part, bracket.least)
        below = bracket.upto if bracket.upto is not None else amount
    return total


_FILE: Final[dict[str, Any]] = json.loads(resources.files(__package__).joinpath("data", "cn_court_fees.json").read_text(encoding="utf-8"))
SOURCE: Final[str] = _FILE["_doc"]["source"]
AS_OF: Final = date.fromisoformat(_FILE["_doc"]["as_of"])

PROPERTY: Final = _brackets(_FILE["property_case"]["brackets"])
PRESERVATION: Final = _brackets(_FILE["preservation"]["brackets"])
PRESERVATION_CAP: Final = Decimal(_FILE["preservation"]["cap"])
ENFORCEMENT: Final = _brackets(_FILE["enforcement"]["brackets"])
ARBITRATION_LOW: Final = _brackets(_FILE["arbitration_1995_range"]["brackets"], "flat_range", "rate_range", 0)
ARBITRATION_HIGH: Final = _brackets(_FILE["arbitration_1995_range"]["brackets"], "flat_range", "rate_range", 1)
CIETAC: Final = _brackets(_FILE["cietac_international_schedule"]["brackets"])
CIETAC_REGISTRATION: Final = Decimal(_FILE["cietac_international_schedule"]["registration_fee"])
CIETAC_CAP: Final = Decimal(_FILE["cietac_international_schedule"]["cap"])
BANKRUPTCY_CAP: Final = Decimal(300_000)

GB_FIXED: Final = ((300, 35), (500, 50), (1_000, 70), (1_500, 80), (3_000, 115), (5_000, 205), (10_000, 455))
GB_SHARE: Final = Decimal("0.05")
GB_HIGHEST: Final = Decimal(10_000)
"""Issue fee of a money claim in England and Wales; 5 % from 10,000 to 200,000 pounds, 10,000 above. Confidence M."""


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


def cn_property_case(amount: Decimal, *, halved: bool = False) -> Decimal:
    """Court fee of a claim for money in China, yuan; halved for the summary procedure, a settlement or a withdrawal.  案件受理费

    Source: 诉讼费用交纳办法 art. 13(1), 15, 16.

    >>> cn_property_case(Decimal(100_000)), cn_property_case(Decimal(200_000), halved=True)
    (Decimal('2300.00'), Decimal('2150.00'))
    """
    return _cents(cumulative(amount, PROPERTY) / (2 if halved else 1))


def cn_payment_order(amount: Decimal) -> Decimal:
    """Fee of a payment order: a third of the court fee.  支付令申请费 (art. 14(3))"""
    return _cents(cumulative(amount, PROPERTY) / 3)


def cn_preservation(amount: Decimal) -> Decimal:
    """Fee of preserving property of this value, at most 5,000.  保全申请费 (art. 14(2))"""
    return _cents(min(cumulative(amount, PRESERVATION), PRESERVATION_CAP))


def cn_enforcement(amount: Decimal) -> Decimal:
    """Fee of enforcing a sum, borne by the debtor afterwards.  执行申请费 (art. 14(1))"""
    return _cents(cumulative(amount, ENFORCEMENT))


def cn_bankruptcy_application(estate: Decimal) -> Decimal:
    """Fee of a bankruptcy on the whole estate, at most 300,000, paid from it.  破产申请费 (art. 14(6))"""
    return _cents(min(cumulative(estate, PROPERTY) / 2, BANKRUPTCY_CAP))


def cn_arbitration(amount: Decimal) -> tuple[Decimal, Decimal]:
    """Between which sums does a local commission's acceptance fee lie? Handling fees come on top.  仲裁案件受理费 (1995)"""
    return _cents(cumulative(amount, ARBITRATION_LOW)), _cents(cumulative(amount, ARBITRATION_HIGH))


def cietac(amount: Decimal) -> Decimal:
    """Registration and arbitration fee of CIETAC for a foreign-related case, yuan. Confidence M: confirm with its calculator.  贸仲涉外案件费用"""
    return _cents(CIETAC_REGISTRATION + min(cumulative(amount, CIETAC), CIETAC_CAP))


def gb_issue(amount: Decimal) -> Decimal:
    """Issue fee of a money claim in England and Wales, pounds. Confidence M."""
    for upto, fee in GB_FIXED:
        if amount <= upto:
            return Decimal(fee)
    return _cents(min(amount * GB_SHARE, GB_HIGHEST))
