"""The pages of one buyer, as tabs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django import template
from django.urls import NoReverseMatch

from duecourse.messages import say
from duecourse.web.pages.templatetags.duecourse import to

if TYPE_CHECKING:
    from collections.abc import Mapping

register = template.Library()

TABS: Final = ("buyer", "buyer_statements", "buyer_evidence", "buyer_grade", "buyer_limit", "buyer_route", "buyer_documents", "buyer_file")
"""The URL names of a buyer's pages, in the order of their tabs; each is worded `web.tabs_NAME`."""


@register.simple_tag(takes_context=True)
def buyer_tabs(context: Mapping[str, Any], buyer_id: str) -> list[dict[str, Any]]:
    """{% buyer_tabs buyer_id as tabs %}: the pages of this buyer that there are, the one shown marked: also from a page below it (`buyer_limit_request`)."""
    match = getattr(context.get("request"), "resolver_match", None)
    here = (match.url_name or "") if match else ""
    current = max((name for name in TABS if here == name or here.startswith(f"{name}_")), key=len, default="")
    tabs = []
    for name in TABS:
        try:
            url = to(context, name, buyer_id)
        except NoReverseMatch:
            continue
        tabs.append({"label": say(f"web.tabs_{name}"), "url": url, "current": name == current, "count": None})
    return tabs
