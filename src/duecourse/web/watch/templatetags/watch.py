"""The live alert of a buyer, on every page about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from duecourse.messages import say
from duecourse.web.pages.templatetags.duecourse import to
from duecourse.web.watch.models import open_alert_of
from duecourse.web.watch.wording import LOOKS, reasons_short, severity_word

if TYPE_CHECKING:
    from collections.abc import Mapping

register = template.Library()


@register.simple_tag(takes_context=True)
def live_alert(context: Mapping[str, Any], buyer_id: str) -> SafeString:
    """{% live_alert buyer_id %}: a line with how grave it is, why and who has it; nothing where there is none. For pages whose buyer may be seen."""
    alert = open_alert_of(buyer_id)
    if alert is None or context.get("alert") == alert:
        return SafeString()
    short, more = reasons_short(alert.reasons)
    why = say("web.notices_and").join(short) + (f" {say('web.watch_more', count=more)}" if more else "")
    with_ = say("web.watch_with", name=alert.assignee.name) if alert.assignee else say("web.watch_with_nobody")
    rests = say("web.watch_rests", day=alert.snoozed_until) if alert.snoozed_until else ""
    return format_html(
        '<p class="live-alert {}"><a class="state {}" href="{}">{}</a> <span>{}</span> <span class="muted small">{}</span></p>',
        LOOKS[alert.severity], LOOKS[alert.severity], to(context, "alert", alert.pk), say("web.watch_live", severity=severity_word(alert.severity)), why,
        " · ".join(part for part in (say("web.watch_since", day=alert.opened_on), with_, rests) if part),
    )  # fmt: skip
