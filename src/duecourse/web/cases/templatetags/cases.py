"""The open case of a buyer, on every page about it; and the way to open one."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from django import template
from django.middleware.csrf import get_token
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from duecourse.messages import say
from duecourse.web.accounts.access import may
from duecourse.web.cases.models import live_case_of
from duecourse.web.cases.wording import LOOKS, Amounts, state_word
from duecourse.web.pages.templatetags.duecourse import to

if TYPE_CHECKING:
    from collections.abc import Mapping

    from duecourse.web.cases.models import Case

register = template.Library()


def _live(context: Mapping[str, Any], buyer_id: str) -> Case | None:
    """The buyer's open case, asked for once a page."""
    known: dict[str, Case | None] = context["request"].__dict__.setdefault("live_cases", {})
    if buyer_id not in known:
        known[buyer_id] = live_case_of(buyer_id)
    return known[buyer_id]


@register.simple_tag(takes_context=True)
def live_case(context: Mapping[str, Any], buyer_id: str) -> SafeString:
    """{% live_case buyer_id %}: a line with where the case stands and who has it; without one nothing. For pages whose buyer may be seen."""
    case = _live(context, buyer_id)
    if case is None:
        return SafeString()
    with_ = say("web.watch_with", name=case.owner.name) if case.owner else say("web.watch_with_nobody")
    due = say("web.cases_next", day=case.next_on) if case.next_on else ""
    return format_html(
        '<p class="live-alert"><a class="state {}" href="{}">{}</a> <span>{}</span> <span class="muted small">{}</span></p>',
        LOOKS[case.state], to(context, "case", case.pk), say("web.cases_live", number=case.case_id), state_word(case),
        " · ".join(part for part in (Amounts([case], case.seen_on or case.opened_on).overdue(case), due, with_) if part),
    )  # fmt: skip


@register.simple_tag(takes_context=True)
def open_case(context: Mapping[str, Any], buyer_id: str) -> SafeString:
    """{% open_case buyer_id %}: a button that opens a case by hand, for those who may and where none is open."""
    request = context["request"]
    if not may(request.user, "note") or request.viewpoint.query or _live(context, buyer_id) is not None:
        return SafeString()
    return format_html(
        '<form method="post" action="{}"><input type="hidden" name="csrfmiddlewaretoken" value="{}"><input type="hidden" name="mark" value="{}">'
        '<button class="btn" type="submit">{}</button></form>',
        reverse("case_open", args=[buyer_id]), get_token(request), secrets.token_hex(8), say("web.cases_open_by_hand"),
    )  # fmt: skip
