"""XML from strangers: no entities, no network, no endless depth. Names come with their namespaces, and so do names inside values.

Source: XML 1.0 §4.2 (entities), Namespaces in XML 1.0 §2-6.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from xml.parsers import expat

from duecourse.errors import FileUnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DEPTH: Final = 300
NODES: Final = 5_000_000
CHINESE: Final = re.compile(rb"""^<\?xml[^>]*encoding=["'](gb2312|gbk|gb18030)["']""", re.IGNORECASE)

Name = tuple[str, str]


@dataclass
class Node:
    """An element: its name as (namespace, local name), attributes (those without a prefix have no namespace), children, own text.

    spaces  the prefixes in force here: names inside attribute values are read with them
    """

    name: Name
    attributes: dict[str, str]
    spaces: Mapping[str, str]
    children: list[Node] = field(default_factory=list)
    texts: list[str | Node] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text inside, that of children too, in order."""
        return "".join(part if isinstance(part, str) else part.text for part in self.texts)

    def all(self) -> Iterator[Node]:
        """The element and everything below it, in order."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += reversed(node.children)

    def first(self, local: str) -> Node | None:
        """The first element below with this local name."""
        return next((node for node in self.all() if node.name[1] == local and node is not self), None)

    def named(self, text: str) -> Name:
        """A name written as prefix:local, with the namespace its prefix stands for here."""
        prefix, colon, local = text.strip().partition(":")
        return (self.spaces.get(prefix, ""), local) if colon else (self.spaces.get("", ""), prefix)


def looks_like_xml(head: bytes) -> bool:
    """Does a file that begins like this hold XML?"""
    return head.lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n").startswith(b"<")


def parse(content: bytes, source: str) -> Node:
    """The document as a tree. Raises FileUnreadableError for what is no XML, and for entities, which no report needs."""
    builder = _Builder(source)
    chinese = CHINESE.match(content[:200])
    encoding = None
    if chinese:
        content, encoding = content.decode("gb18030", "replace").encode(), "utf-8"
    parser = expat.ParserCreate(encoding)
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.characters
    parser.EntityDeclHandler = builder.entity
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise FileUnreadableError(path=source, detail=f"XML: {error}") from None
    if builder.root is None:
        raise FileUnreadableError(path=source, detail="XML")
    return builder.root


class _Builder:
    def __init__(self, source: str) -> None:
        self.source = source
        self.root: Node | None = None
        self.open: list[Node] = []
        self.count = 0

    def entity(self, *_: Any) -> None:
        raise FileUnreadableError(path=self.source, detail="XML: <!ENTITY>")

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.count += 1
        if len(self.open) >= DEPTH or self.count > NODES:
            raise FileUnreadableError(path=self.source, detail="XML: too deep or too large")
        spaces: Mapping[str, str] = self.open[-1].spaces if self.open else {"xml": "http://www.w3.org/XML/1998/namespace"}
        declared = {
            key[6:] if key != "xmlns" else "": value for key, value in attributes.items() if key == "xmlns" or key.startswith("xmlns:")
        }
        if declared:
            spaces = {**spaces, **declared}
        prefix, colon, local = name.partition(":")
        full = (spaces.get(prefix, ""), local) if colon else (spaces.get("", ""), prefix)
        plain = {key: value for key, value in attributes.items() if key != "xmlns" and not key.startswith("xmlns:")}
        node = Node(full, plain, spaces)
        if self.open:
            self.open[-1].children.append(node)
            self.open[-1].texts.append(node)
        else:
            self.root = node
        self.open.append(node)

    def end(self, _name: str) -> None:
        self.open.pop()

    def characters(self, text: str) -> None:
        if self.open:
            self.open[-1].texts.append(text)
