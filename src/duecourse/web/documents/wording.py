"""What pages say of evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from duecourse.desk.evidence_file import gap_state
from duecourse.messages import say

if TYPE_CHECKING:
    from duecourse.actions.evidence_file.completeness import Completeness

GRAVE: Final = {"high": "bad", "medium": "warn", "low": "off", None: "good"}


def route_line(one: Completeness) -> dict[str, Any]:
    """How complete the evidence is for a route, as a page shows it."""
    return {
        "route": one.route, "name": say(f"documents.route_{one.route}"), "applies": one.applies, "why_not": "" if one.applies else say(f"documents.applies_not_{one.route}"),
        "score": f"{one.score * 100:.0f}%", "share": round(one.score, 2), "look": GRAVE[one.risk] if one.applies else "off",
        "risk": say("documents.complete") if one.risk is None else say(f"documents.gravity_{one.risk}"),
        "gaps": [
            {
                "need": say(f"documents.need_{gap.need}"), "gravity": say(f"documents.gravity_{gap.gravity}"), "look": GRAVE[gap.gravity], "state": gap_state(gap),
                "hint": say(f"documents.hint_{gap.need}"),
            }
            for gap in one.gaps
        ],
        "notes": [say(f"documents.note_{note}") for note in one.notes],
    }  # fmt: skip
