r"""Documents as PDF: pieces in, pages out. The same pieces give the same bytes on every machine.

A document is a list of pieces, plain mappings with finished text (words and figures are chosen before, in the reader's language); how they
look is `house.typ`'s alone. Nothing of a piece is ever read as markup.

    {"kind": "heading", "text"}                       {"kind": "text", "text"}            a paragraph; "\n\n" begins another
    {"kind": "pairs", "rows": [[label, value], …]}    {"kind": "notice", "text", "tone"}  tone: plain | good | warn | bad
    {"kind": "tiles", "tiles": [{"label", "value", "under"}, …]}
    {"kind": "table", "head": […], "align": ["left" | "tight" | "right", …], "rows": [[…], …], "note"}
    {"kind": "bars", "rows": [{"label", "value", "share"}, …]}                            share: -1 to 1 of the widest bar
    {"kind": "picture", "svg"}                        {"kind": "break"}                   a new page
    {"kind": "signatures", "lines": [label, …]}

Set in typst (https://typst.app) with Noto Sans SC, both from wheels: nothing of the machine's own is used.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from duecourse.errors import DocumentUnprintableError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import typst

HERE: Final = Path(__file__).parent
_ONE_AT_A_TIME: Final = Lock()
"""The compiler takes one document at a time, and says no to a second."""
KINDS: Final = frozenset(("heading", "text", "pairs", "notice", "tiles", "table", "bars", "picture", "break", "signatures"))


def pdf(
    pieces: Sequence[Mapping[str, Any]],
    *,
    title: str,
    language: str,
    made_at: datetime,
    subtitle: str = "",
    firm: str = "",
    head: str = "",
    foot: str = "",
    page_of: str = "{page} / {pages}",
) -> bytes:
    """A document as PDF.  生成 PDF 文件

    language  en or zh: hyphenation and the breaking of lines
    made_at   the moment the file tells of its making: given, so that the same document is the same file
    head      at the top of each page, on the right; foot: at the bottom, on the left; `page_of` on the right
    Raises DocumentUnprintableError that names what could not be set; ValueError for a piece of no known kind.
    """
    unknown = sorted({str(piece.get("kind")) for piece in pieces} - KINDS)
    if unknown:
        raise ValueError(f"no piece is called {', '.join(unknown)}")
    document = {
        "title": title, "subtitle": subtitle, "language": language, "firm": firm, "head": head, "foot": foot,
        "page_of": split_page_words(page_of), "pieces": list(pieces),
    }  # fmt: skip
    told = json.dumps(document, ensure_ascii=False, sort_keys=True)
    try:
        with _ONE_AT_A_TIME:
            found = _compiler().compile(format="pdf", sys_inputs={"document": told}, timestamp=int(made_at.astimezone(UTC).timestamp()))
    except Exception as error:
        if type(error).__module__.partition(".")[0] != "typst":
            raise
        raise DocumentUnprintableError(title=title, detail=str(error)) from error
    assert isinstance(found, bytes)
    return found


def split_page_words(page_of: str) -> list[str]:
    """The words around the numbers: before the page, between, behind the count of pages."""
    before, _, rest = page_of.partition("{page}")
    between, _, behind = rest.partition("{pages}")
    return [before, between, behind]


@cache
def _compiler() -> typst.Compiler:
    """Reads the fonts, a third of a second; then a page takes a few hundredths."""
    import pylopdf_fonts_zh_cn as fonts  # noqa: PLC0415 — only where something is printed
    import typst  # noqa: PLC0415

    return typst.Compiler(
        input=str(HERE / "house.typ"), root=str(HERE), font_paths=[str(Path(str(fonts.__file__)).parent)], ignore_system_fonts=True
    )
