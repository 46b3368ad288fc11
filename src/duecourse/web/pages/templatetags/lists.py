"""How the lists word what has a word of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django import template
from django.utils.html import format_html

from duecourse.glossary import label
from duecourse.messages import say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def settlement_kind(kind: str | None) -> str:
    """A kind of settlement as people say it: {{ row.kind|settlement_kind }}."""
    if not kind or kind == "unknown":
        return say("web.buyer_kind_unknown")
    words = label(kind)
    return words[:1].upper() + words[1:]


STATES: Final = {"paid": "good", "overdue": "bad", "open": ""}


@register.simple_tag
def invoice_state(row: Mapping[str, Any]) -> SafeString:
    """{% invoice_state row %}: paid, open or overdue in a shape and a word, and whether it is disputed."""
    late = (row.get("days_past_due") or 0) > 0
    state = "paid" if row["open_minor"] <= 0 else "overdue" if late else "open"
    told = format_html('<span class="state {}">{}</span>', STATES[state], say(f"web.invoices_state_{state}"))
    if row["disputed"]:
        told += format_html(' <span class="state warn">{}</span>', say("web.invoices_state_disputed"))
    return told
