"""What of a case is with an agency or a lawyer, as a panel of the case's page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from duecourse.web.agencies.models import Placement
from duecourse.web.agencies.pages import placement_line

if TYPE_CHECKING:
    from duecourse.web.cases.models import Case


def placements_panel(case: Case) -> dict[str, Any]:
    """The placements of the case's buyer, the newest first. For a case whose buyer may be seen."""
    held = Placement.objects.filter(buyer_id=case.buyer_id).select_related("agency").order_by("-id")[:12]
    return {"template": "agencies/_panel.html", "placements": [placement_line(one, {case.buyer_id: ""}) for one in held]}
