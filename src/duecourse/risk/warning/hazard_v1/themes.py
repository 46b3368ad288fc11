"""What the signs are about, in the order in which they are told (预警主题). Several signs of one theme say the same in different ways; their points count together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

TOLD: Final = ("promise", "terms", "contact", "news", "claim", "seizure", "insurer", "rating", "operation")

SIGNS: Final[Mapping[str, tuple[str, int]]] = {
    **{f"delay_{name}": ("delay", 1) for name in ("15_3", "15_5", "30_6", "60_8")},
    **{f"delay_rise_{name}": ("delay", 1) for name in ("15_3", "15_5", "30_6", "60_8")},
    **{f"delay_shift_{name}": ("delay", 1) for name in ("15_3", "15_5", "30_6", "60_8")},
    **{f"late_share_rise_{reach}": ("delay", 1) for reach in (15, 30, 60)},
    "shift_evidence": ("delay", 1), "shift_evidence_gained": ("delay", 1), "paid_delay_rise": ("delay", 1), "paid_late_share": ("delay", 1),
    "failing_in_year": ("course", 1), "failing_in_half_year": ("course", 1),
    "unpaid_over_30_days": ("unpaid", 1), "unpaid_over_60_days": ("unpaid", 1), "unpaid_share": ("unpaid", 1),
    "purchases_30": ("purchases", 0), "purchases_60": ("purchases", 0), "purchases_90": ("purchases", 0),
    "past_items": ("purchases", 0),
    **{f"{topic}_{when}": (topic, 1) for topic in TOLD for when in ("lately", "before")},
    "rating_level": ("rating", 1),
    "accounts_log_odds": ("accounts", 1),
    "limit_utilisation": ("limit", 1), "insurer_lost": ("insurer", 1),
}  # fmt: skip
"""{sign: (theme, direction)}: 1 = the more of it, the riskier; 0 = either way."""

LEADING: Final[Mapping[str, str]] = {
    "course": "failing_in_half_year", "delay": "delay_rise_15_5", "unpaid": "unpaid_over_30_days", "purchases": "purchases_60", "accounts": "accounts_log_odds", "limit": "limit_utilisation",
    **{topic: f"{topic}_lately" for topic in TOLD},
}  # fmt: skip
"""The sign by whose value a theme is told."""
