"""Links into other rooms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import template
from django.urls import NoReverseMatch

from duecourse.web.pages.templatetags.duecourse import to

if TYPE_CHECKING:
    from collections.abc import Mapping

register = template.Library()


@register.simple_tag(takes_context=True)
def page_of(context: Mapping[str, Any], name: str, key: str) -> str:
    """The page of a buyer or an invoice; nothing where that room is not installed."""
    try:
        return to(context, name, key)
    except NoReverseMatch:
        return ""
