"""What a template writes the same way every time, written once: tags whose words all stand in the template, and whole pieces of it.

A piece is kept by everything it depends on, named in its tag; the language spoken is always part of that. What differs from one page to the
next inside a piece stands in `{% fresh %} … {% endfresh %}` and is drawn up each time.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Any, Final

from django import template
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString

from duecourse.messages import language

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from django.template.base import FilterExpression, Parser, Token
    from django.template.context import Context

register = template.Library()

PIECES_KEPT: Final = 256
"""So many wordings of one piece; then it begins anew."""

_MARK: Final = f"\x00{secrets.token_hex(16)}\x00"
"""Stands in a kept text where something is drawn up each time. Nobody outside can know it."""

_WRITTEN: Final = re.compile(r"""("[^"]*"|'[^']*')\Z""")


class Constant(template.Node):
    """A tag with one argument, a word of the template: what it gives depends on the language alone."""

    child_nodelists = ()

    def __init__(self, make: Callable[[str], str], word: str, target: str | None) -> None:
        self.make, self.word, self.target = make, word, target
        self.made: dict[str, tuple[str, SafeString]] = {}

    def render(self, context: Context) -> SafeString:
        """What the tag gives, escaped; nothing where it goes into a variable."""
        spoken = language()
        kept = self.made.get(spoken)
        if kept is None:
            plain = self.make(self.word)
            kept = self.made[spoken] = plain, conditional_escape(plain)
        if self.target is not None:
            context[self.target] = kept[0]
            return SafeString("")
        return kept[1] if context.autoescape else SafeString(kept[0])


def once(library: template.Library, name: str, make: Callable[[str], str]) -> None:
    """Have a simple tag, where its one argument is written in the template, worked out once for each language."""
    general = library.tags[name]

    def compiled(parser: Parser, token: Token) -> template.Node:
        bits = token.split_contents()
        target = bits[3] if len(bits) == 4 and bits[2] == "as" else None
        if (len(bits) == 2 or target) and _WRITTEN.match(bits[1]):
            return Constant(make, bits[1][1:-1], target)
        found: template.Node = general(parser, token)
        return found

    library.tags[name] = compiled


class Kept(template.Node):
    """{% kept a b %} … {% endkept %}: drawn up once for these values and the language."""

    def __init__(self, nodelist: template.NodeList, values: list[FilterExpression]) -> None:
        self.nodelist, self.values = nodelist, values
        self.pieces: dict[Hashable, list[str | template.NodeList]] = {}

    def render(self, context: Context) -> SafeString:
        """The kept text, what is fresh put in."""
        key = (language(), *(value.resolve(context) for value in self.values))
        pieces = self.pieces.get(key)
        if pieces is None:
            if len(self.pieces) >= PIECES_KEPT:
                self.pieces.clear()
            pieces = self.pieces[key] = self._drawn_up(context)
        return SafeString(
            "".join([one if isinstance(one, str) else one.render(context) for one in pieces])
        )  # each part a template's own output

    def _drawn_up(self, context: Any) -> list[str | template.NodeList]:
        before = getattr(context, "fresh_parts", None)
        parts: list[template.NodeList] = []
        context.fresh_parts = parts
        try:
            texts = self.nodelist.render(context).split(_MARK)
        finally:
            context.fresh_parts = before
        pieces: list[str | template.NodeList] = [texts[0]]
        for part, text in zip(parts, texts[1:], strict=True):
            pieces += [part, text]
        return pieces


class Fresh(template.Node):
    """{% fresh %} … {% endfresh %}: drawn up for each page. It reads the page's variables, not those of a loop or `with` around it."""

    def __init__(self, nodelist: template.NodeList) -> None:
        self.nodelist = nodelist

    def render(self, context: Any) -> str:
        """Its place in a piece being kept; the thing itself elsewhere."""
        parts = getattr(context, "fresh_parts", None)
        if parts is None:
            return self.nodelist.render(context)
        parts.append(self.nodelist)
        return SafeString(_MARK)


@register.tag
def kept(parser: Parser, token: Token) -> Kept:
    """{% kept theme role %} … {% endkept %}."""
    values = [parser.compile_filter(bit) for bit in token.split_contents()[1:]]
    nodelist = parser.parse(("endkept",))
    parser.delete_first_token()
    return Kept(nodelist, values)


@register.tag
def fresh(parser: Parser, token: Token) -> Fresh:  # noqa: ARG001 — Django's signature
    """{% fresh %} … {% endfresh %} inside {% kept %}."""
    nodelist = parser.parse(("endfresh",))
    parser.delete_first_token()
    return Fresh(nodelist)
