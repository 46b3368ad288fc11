"""News from RSS 2.0, RSS 1.0 and Atom: title, text, day, address of each item.  新闻源

Source: RSS 2.0 specification (rssboard.org); RFC 4287, The Atom Syndication Format.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import date, datetime
from email.utils import parsedate_to_datetime
from html import unescape
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Final

from duecourse.errors import FeedUnreadableError, FileUnreadableError
from duecourse.intake.statements.xml_safely import Node, looks_like_xml, parse

if TYPE_CHECKING:
    from collections.abc import Sequence

TEXT_MOST: Final = 20_000
ITEMS_MOST: Final = 5_000
"""No press feed is longer; of one that is, the first are read."""
BLOCKS: Final = frozenset({"p", "br", "div", "li", "h1", "h2", "h3", "td"})
DAYS: Final = ("pubDate", "published", "date", "updated")
"""In this order: an item that was changed later was known from its first day on."""


@dataclass(frozen=True)
class Item:
    """A piece of news. `published_on`: as its source writes it, in the source's own time zone; None where it does not say."""

    item_id: str
    title: str
    text: str
    published_on: date | None
    link: str


class _Words(HTMLParser):
    """The words of a page's piece; markup and scripts are left out."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 — the parser's own signature
        self._hidden += tag in ("script", "style")
        if tag in BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._hidden = max(0, self._hidden - (tag in ("script", "style")))

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)


def plain(text: str) -> str:
    """Text without markup, a line for each block."""
    words = _Words()
    words.feed(text[: TEXT_MOST * 4])
    words.close()
    lines = (re.sub(r"\s+", " ", line).strip() for line in unescape("".join(words.parts)).split("\n"))
    return "\n".join(line for line in lines if line)[:TEXT_MOST]


def read_news(content: bytes, name: str) -> Sequence[Item]:
    """The items of a news feed, each once. Raises FeedUnreadableError."""
    if not looks_like_xml(content[:200]):
        raise FeedUnreadableError(feed=name, why="XML")
    try:
        root = parse(content, name)
    except FileUnreadableError as error:
        raise FeedUnreadableError(feed=name, why=str(error.args_.get("detail", ""))) from None
    if root.name[1] not in ("rss", "RDF", "feed"):
        raise FeedUnreadableError(feed=name, why="RSS, Atom")
    found: dict[str, Item] = {}
    for node in root.all():
        if node.name[1] in ("item", "entry"):
            item = _item(node)
            if item.title or item.text:
                found.setdefault(item.item_id, item)
        if len(found) == ITEMS_MOST:
            break
    return list(found.values())


def _said(node: Node, *names: str) -> str:
    return next((child.text.strip() for name in names for child in node.children if child.name[1] == name and child.text.strip()), "")


def _item(node: Node) -> Item:
    title = plain(_said(node, "title")).replace("\n", " ")
    text = plain(_said(node, "encoded", "content", "description", "summary"))
    links = [child for child in node.children if child.name[1] == "link"]
    link = next(
        (one.attributes["href"] for one in links if "href" in one.attributes and one.attributes.get("rel", "alternate") == "alternate"), ""
    )
    link = link or _said(node, "link")
    day = next((found for name in DAYS if (found := day_of(_said(node, name)))), None)
    number = _said(node, "guid", "id") or link or hashlib.sha256(f"{title}\n{day}".encode()).hexdigest()
    return Item(number, title, text, day, link if link.startswith(("http://", "https://")) else "")


def day_of(text: str) -> date | None:
    """The day of a moment as mails or ISO 8601 write it.

    >>> day_of("Thu, 05 Mar 2026 07:10:00 +0800")
    datetime.date(2026, 3, 5)
    """
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).date()
    except ValueError:
        try:
            return parsedate_to_datetime(text).date()
        except (ValueError, TypeError, IndexError):
            return None
