"""How many people besides its writer must say yes to a letter before it goes.  函件审批规则

The ledger setting `letter_rules`: {"approvals": {kind: 0 to 2}}. A demand wants one; a reminder and a statement of account none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from duecourse.actions.letters import KINDS
from duecourse.errors import RuleInvalidError

if TYPE_CHECKING:
    from collections.abc import Mapping

SETTING: Final = "letter_rules"
SHIPPED: Final[Mapping[str, int]] = {
    "reminder": 0, "demand_letter": 1, "letter_before_action": 1, "acknowledgement_of_debt": 0, "guarantor_demand": 1, "payment_plan": 1,
}  # fmt: skip
MOST: Final = 2


def approvals(settings: Mapping[str, Any]) -> dict[str, int]:
    """People needed by kind."""
    own = (settings.get(SETTING) or {}).get("approvals") or {}
    return {kind: int(own.get(kind, SHIPPED[kind])) for kind in KINDS}


def checked(own: Mapping[str, Any]) -> dict[str, Any]:
    """A rule set as it may be kept. Raises RuleInvalidError."""
    for kind, count in own.items():
        if kind not in KINDS or isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= MOST:
            raise RuleInvalidError(rule=f"{SETTING}.approvals.{kind}", value=str(count))
    return {"approvals": dict(own)}
