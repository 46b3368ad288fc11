"""What other rooms' pages show of orders."""

from __future__ import annotations

from typing import Any

from django import template

from duecourse.web.orders.models import CONFIRMED, HELD, RESERVED, OrderCheck

register = template.Library()
SHOWN = 50


@register.simple_tag
def reservations_of(buyer_id: str) -> list[dict[str, Any]]:
    """A buyer's orders that have headroom or are held, newest first. The page has looked whether the buyer may be seen."""
    from duecourse.web.orders.views import line  # noqa: PLC0415 — views load the desk

    rows = OrderCheck.objects.filter(buyer_id=buyer_id, state__in=(HELD, RESERVED, CONFIRMED)).select_related("rules").order_by("-id")
    return [line(row) for row in rows[:SHOWN]]
