"""The pieces of the dashboard, for its templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import template

from duecourse.web.pages import board

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.utils.safestring import SafeString

    from duecourse.web.pages.dashboard import Tile
    from duecourse.web.pages.reading import Reading

register = template.Library()


@register.simple_tag(takes_context=True)
def tiles(context: Mapping[str, Any], many: Sequence[Tile]) -> SafeString:
    """{% tiles view.first %}: a figure each."""
    return board.tiles(context, many)


@register.simple_tag(takes_context=True)
def bucket_rows(context: Mapping[str, Any]) -> SafeString:
    """{% bucket_rows %}: today's ageing."""
    view = context["view"]
    return board.buckets(context, view.buckets, view.currency, is_base=context["reading"].is_base)


@register.simple_tag(takes_context=True)
def movement_rows(context: Mapping[str, Any], reading: Reading) -> SafeString:
    """{% movement_rows reading %}: whose overdue amount moved most."""
    return board.movements(context, reading.moved, with_currency=reading.is_base)


@register.simple_tag(takes_context=True)
def position_rows(context: Mapping[str, Any], reading: Reading) -> SafeString:
    """{% position_rows reading %}: the position, currency by currency."""
    return board.positions(context, reading)


@register.simple_tag(takes_context=True)
def attention_lines(context: Mapping[str, Any], reading: Reading) -> SafeString:
    """{% attention_lines reading %}: what needs attention."""
    return board.attention(context, reading)
