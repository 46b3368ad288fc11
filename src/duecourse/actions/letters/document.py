"""A letter as a document, before anybody says how it looks: heads, paragraphs, tables, places to sign.  函件结构

Every text is a tuple: one wording a language. A letter in one language has tuples of one; a bilingual one of two, Chinese first.
"""

from __future__ import annotations

from dataclasses import dataclass, field

Texts = tuple[str, ...]


@dataclass(frozen=True)
class Block:
    """One piece.

    kind     heading | text | items (numbered) | pairs (label, value) | table | notice | lines (to be filled in by hand) | sign | break
    texts    heading, text, notice: what it says
    rows     items: one text a row · pairs: label and value · table: its cells · lines: label and what stands already · sign: who, and lines beneath
    head     of a table; right: columns that hold figures; foot: its last rows, set off
    """

    kind: str
    texts: Texts = ()
    rows: tuple[tuple[Texts, ...], ...] = ()
    head: tuple[Texts, ...] = ()
    right: tuple[int, ...] = ()
    foot: int = 0


@dataclass(frozen=True)
class Letter:
    """A whole letter.

    firm, firm_lines  the letterhead
    to                the recipient's lines, as on an envelope
    about             label and value: date, our number, how it is served
    foot              at the bottom of every page, in small print
    page_of           "{page}" and "{pages}" stand for the numbers
    """

    kind: str
    languages: tuple[str, ...]
    number: str
    title: Texts
    firm: str
    firm_lines: tuple[str, ...]
    to: tuple[str, ...]
    about: tuple[tuple[Texts, Texts], ...]
    blocks: tuple[Block, ...]
    foot: Texts
    page_of: Texts
    logo: str = field(default="", repr=False)

    def lines(self) -> list[str]:
        """Everything it says, in order, a piece a line: for a look without a printer, and for tests."""
        found = [self.firm, *self.firm_lines, *self.to]
        found += [" / ".join(label) + ": " + " / ".join(value) for label, value in self.about]
        found += self.title
        for block in self.blocks:
            found += block.texts
            found += [" | ".join(" / ".join(cell) for cell in row) for row in ((block.head,) if block.head else ())]
            found += [" | ".join(" / ".join(cell) for cell in row) for row in block.rows]
        return [*found, *self.foot]


def both(letters: tuple[Letter, ...]) -> Letter:
    """Several wordings of one letter as one. They have the same pieces, for they come from the same facts."""
    first = letters[0]
    if len(letters) == 1:
        return first
    blocks = tuple(_merged(pieces) for pieces in zip(*(one.blocks for one in letters), strict=True))
    about = tuple(
        (_texts([pair[0] for pair in pairs]), _texts([pair[1] for pair in pairs]))
        for pairs in zip(*(one.about for one in letters), strict=True)
    )
    return Letter(
        first.kind, tuple(one.languages[0] for one in letters), first.number, _texts([one.title for one in letters]), first.firm, first.firm_lines, first.to, about,
        blocks, _texts([one.foot for one in letters]), _texts([one.page_of for one in letters]), first.logo,
    )  # fmt: skip


def _merged(pieces: tuple[Block, ...]) -> Block:
    first = pieces[0]
    rows = tuple(
        tuple(_texts(list(cells)) for cells in zip(*row, strict=True)) for row in zip(*(one.rows for one in pieces), strict=True)
    )  # fmt: skip
    head = tuple(_texts(list(cells)) for cells in zip(*(one.head for one in pieces), strict=True))
    return Block(first.kind, _texts([one.texts for one in pieces]), rows, head, first.right, first.foot)


def _texts(wordings: list[Texts]) -> Texts:
    """What is the same in both languages is said once."""
    return tuple(dict.fromkeys(text for texts in wordings for text in texts))
