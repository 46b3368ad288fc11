"""How much of a debt is lost if nothing special happens, 违约损失率: from its age, its country, security and insurance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from duecourse.risk.severity.by_age import recovery

COST_OF_CAPITAL: Final = 0.06
RECOVERY_DAYS: Final = 180


@dataclass(frozen=True, slots=True)
class Loss:
    """Loss given default and what it is made of: fractions; `minor` in minor units of the exposure's currency."""

    share: float
    minor: int
    recovery: float
    discount: float
    insured: float
    secured: float


def discount(days: float, cost_of_capital: float = COST_OF_CAPITAL) -> float:
    """What one unit in so many days is worth today.  折现系数

    >>> round(discount(200), 6)
    0.968576
    """
    return float((1.0 + cost_of_capital) ** (-days / 365.0))


def loss_given_default(
    exposure_minor: int, days_past_due: float, country: str = "", *, secured_minor: int = 0, insured_share: float = 0.0, payable: float = 1.0,
    recovery_share: float | None = None, recovery_days: float = RECOVERY_DAYS, cost_of_capital: float = COST_OF_CAPITAL,
) -> Loss:  # fmt: skip
    """Which share of an exposure is lost in a default?  违约损失率 (LGD)

    LGD = max(0, (1 − c·q)·(1 − rec·DF) − S/EAD)

    days_past_due   age of the debt, days: recovery falls with it
    secured_minor   net value of what secures it
    insured_share   c, the insured share within the limit; payable: q, how probable it is that a claim is paid
    recovery_share  rec, where it is known better than by age and country
    """
    rec = recovery(days_past_due, country) if recovery_share is None else recovery_share
    today = discount(recovery_days, cost_of_capital)
    insured = insured_share * payable
    secured = secured_minor / exposure_minor if exposure_minor > 0 else 0.0
    share = max(0.0, (1.0 - insured) * (1.0 - rec * today) - secured)
    return Loss(share, round(exposure_minor * share), rec, today, insured, secured)
