"""How templates word things: sentences and terms from the catalogue and glossary, values as people read them, links that keep the viewpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django import template

from duecourse.glossary import label as glossary_label
from duecourse.messages import say as said
from duecourse.tables import KINDS, Money, is_money, shown
from duecourse.web.addresses import path_of
from duecourse.web.pages.templatetags.keeping import once

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

register = template.Library()


@register.simple_tag
def say(identifier: str, **args: Any) -> str:
    """A sentence of the catalogue: {% say "web.dashboard_title" %}."""
    return said(identifier, **args)


@register.simple_tag
def label(identifier: str) -> str:
    """A term of the glossary: {% label "outstanding" %}."""
    return glossary_label(identifier)


def _capital(identifier: str) -> str:
    name = glossary_label(identifier)
    return name[:1].upper() + name[1:]


@register.simple_tag
def head(identifier: str) -> str:
    """A term of the glossary that stands alone before its value, as on a phone: {% head "due_date" %}."""
    return _capital(identifier)


once(register, "say", said)
once(register, "label", glossary_label)
once(register, "head", _capital)


@register.simple_tag(takes_context=True)
def to(context: Mapping[str, Any], name: str, *args: Any, **query: Any) -> str:
    """The address of a page, keeping as-of and known-at: {% to "buyer" row.buyer_id %}; further words go into the query."""
    viewpoint = context.get("viewpoint")
    words = {**(viewpoint.query if viewpoint else {}), **{key: value for key, value in query.items() if value not in (None, "")}}
    return path_of(name, *args) + (f"?{urlencode(words, doseq=True)}" if words else "")


@register.filter
def money(minor: int | None, currency: str) -> str:
    """Minor units as a person reads them, without the currency: {{ row.overdue|money:row.currency }}."""
    return shown(None if minor is None else Money(minor, currency), "money")


@register.simple_tag
def figure(name: str, value: Any, currency: str = "XXX") -> str:
    """A value as its column's kind wants it: {% figure "dso_simple" row.dso_simple row.currency %}."""
    if is_money(name):
        return money(value, currency)
    return shown(value, KINDS.get(name, "text"))


@register.filter
def percent(value: float | None) -> str:
    """0.123 as 12.3%."""
    return shown(value, "fraction")


@register.filter
def days(value: float | None) -> str:
    """Days with one decimal."""
    return shown(value, "days")


@register.filter
def count(value: int | None) -> str:
    """A number with separators."""
    return shown(value, "count")


@register.filter
def day(value: date | None) -> str:
    """An ISO day, the same in both languages."""
    return "–" if value is None else f"{value:%Y-%m-%d}"
