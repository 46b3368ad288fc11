"""What the hazard model looks at: each buyer's payments, purchases, signals and accounts against its own past (模型特征).

Delays are compared within one reach on both sides: what fell due of late, and what fell due four to sixteen months ago, each followed for fifteen,
thirty or sixty days. A buyer with a short past of its own is held against the portfolio's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    Blocks = npt.NDArray[np.floating[Any]]
    Column = npt.NDArray[np.float64]

BASE: Final = (9, 32)
"""Blocks of fifteen days that are a buyer's own past: 135 to 480 days ago."""

USUAL_DAYS: Final = {15: 6.0, 30: 9.3, 60: 11.5}
USUAL_LATE: Final = {15: 0.32, 30: 0.147, 60: 0.04}
USUAL_VARIANCE: Final = 74.0
PRIOR_ITEMS: Final = 4.0
"""How late buyers of all kinds are (days, shares, days²): so many invoices of that kind stand beside a buyer's own past."""

LEAST_DEVIATION_DAYS: Final = 2.0
RISES: Final = ((15, 1, 3), (15, 1, 5), (30, 2, 6), (60, 4, 8))
"""Reach in days, and the blocks that are compared: old enough for the reach, as young as can be."""

LATE: Final = ((15, 1, 4), (30, 2, 6), (60, 4, 9))
PURCHASES: Final = (2, 4, 6)
NOT_NONE: Final = 0.15
"""Invoices a block that stand for none, so that the logarithm of a buyer who stops is finite."""


def of_payments(due: Mapping[str, Blocks], trade: Mapping[str, Blocks]) -> dict[str, Column]:
    """Signs of payments and purchases from blocks, each [buyer, block]: columns of `due_blocks` and `trade_blocks`, 0 where there was nothing.

    Days are days; delay_shift_* are standard errors; shares are fractions; purchases_* logarithms of a ratio. NaN = nothing to go by.
    """
    signs: dict[str, Column] = {}

    def span(blocks: Blocks, begin: int, end: int) -> Column:
        return np.asarray(blocks[:, begin:end].sum(axis=1), np.float64)

    items = due["items"]
    past, past_days, past_squares = span(items, *BASE), span(due["days_30"], *BASE), span(due["squares_30"], *BASE)
    spread = np.maximum(past_squares - past_days**2 / np.maximum(past, 1.0), 0.0)
    deviation = np.maximum(np.sqrt((spread + PRIOR_ITEMS * USUAL_VARIANCE) / (past + PRIOR_ITEMS)), LEAST_DEVIATION_DAYS)
    for reach, begin, end in RISES:
        now = span(items, begin, end)
        usual = (span(due[f"days_{reach}"], *BASE) + PRIOR_ITEMS * USUAL_DAYS[reach]) / (past + PRIOR_ITEMS)
        level = _ratio(span(due[f"days_{reach}"], begin, end), now)
        name = f"{reach}_{end}"
        signs[f"delay_{name}"] = level
        signs[f"delay_rise_{name}"] = level - usual
        signs[f"delay_shift_{name}"] = (level - usual) / deviation * np.sqrt(now * (past + PRIOR_ITEMS) / (now + past + PRIOR_ITEMS))
    for reach, begin, end in LATE:
        usual = (span(due[f"late_{reach}"], *BASE) + PRIOR_ITEMS * USUAL_LATE[reach]) / (past + PRIOR_ITEMS)
        signs[f"late_share_rise_{reach}"] = _ratio(span(due[f"late_{reach}"], begin, end), span(items, begin, end)) - usual
    signs["unpaid_over_30_days"] = span(due["unpaid"], 2, items.shape[1])
    signs["unpaid_over_60_days"] = span(due["unpaid"], 4, items.shape[1])
    signs["unpaid_share"] = _ratio(span(due["unpaid"], 1, 8), span(items, 1, 8))
    usual_delay = (past_days + PRIOR_ITEMS * USUAL_DAYS[30]) / (past + PRIOR_ITEMS)
    signs |= _evidence(items, due["days_30"], usual_delay, deviation)
    paid, usual_paid = span(trade["paid"], 0, 4), span(trade["paid"], 4, 28)
    signs["paid_delay_rise"] = _ratio(span(trade["paid_days"], 0, 4), paid) - _ratio(span(trade["paid_days"], 4, 28), usual_paid)
    signs["paid_late_share"] = _ratio(span(trade["overdue_paid"], 0, 4), paid)
    for blocks in PURCHASES:
        recent, before = span(trade["billed"], 0, blocks) / blocks, span(trade["billed"], blocks, blocks + 24) / 24
        signs[f"purchases_{blocks * 15}"] = np.where(before > 0, np.log((recent + NOT_NONE) / (before + NOT_NONE)), np.nan)
    signs["past_items"] = past
    return signs


def _evidence(items: Blocks, days: Blocks, usual: Column, deviation: Column) -> dict[str, Column]:
    """Has the delay shifted, and how surely? One-sided CUSUM (k = ½) over months from the oldest to the newest, as it stands and what the last three added.

    Source: Page, "Continuous inspection schemes", Biometrika 41 (1954).
    """
    months = items.shape[1] // 2
    count = items.reshape(len(items), months, 2).sum(axis=2)
    late = days.reshape(len(items), months, 2).sum(axis=2)
    total, before = np.zeros(len(items)), np.zeros(len(items))
    for month in range(months - 1, 0, -1):
        if month == 3:
            before = total
        score = (_filled(late[:, month], count[:, month], usual) - usual) / deviation * np.sqrt(count[:, month])
        total = np.maximum(0.0, total + np.clip(score, -4.0, 6.0) - 0.5)
    return {"shift_evidence": total, "shift_evidence_gained": total - before}


def _ratio(numerator: Column, denominator: Column) -> Column:
    return np.where(denominator > 0, numerator / np.where(denominator > 0, denominator, 1.0), np.nan)


def _filled(numerator: Column, denominator: Column, otherwise: Column) -> Column:
    return np.where(denominator > 0, numerator / np.where(denominator > 0, denominator, 1.0), otherwise)
