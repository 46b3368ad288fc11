"""A letter as DOCX, to be edited in a word processor.  可编辑稿

Made from nothing but the letter: no template of Word's, no macro, no field that changes when it is opened.
"""

from __future__ import annotations

import base64
import io
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from duecourse.actions.letters.setting import FORMATS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duecourse.actions.letters.document import Block, Letter, Texts

FONTS: Final = {"ja": ("Times New Roman", "MS Mincho"), "": ("Times New Roman", "SimSun")}
SIZE: Final = 10.5


def docx(letter: Letter, dated: date) -> bytes:
    """The letter as a Word document: headings, numbered lists and tables a person can go on with."""
    from docx import Document  # noqa: PLC0415 — heavy: only where a letter is edited
    from docx.shared import Mm, Pt  # noqa: PLC0415

    paper: Any = Document()
    latin, eastern = FONTS.get(letter.languages[0], FONTS[""])
    _font(paper.styles["Normal"], latin, eastern, Pt(SIZE))
    paper.styles["Normal"].paragraph_format.space_after = Pt(6)
    section = paper.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Mm(22)
    about = paper.core_properties
    about.title, about.author, about.comments = " / ".join(letter.title), letter.firm, ""
    about.created = about.modified = datetime(dated.year, dated.month, dated.day, tzinfo=UTC)
    _top(paper, letter)
    for block in letter.blocks:
        _block(paper, block)
    foot = section.footer.paragraphs[0]
    foot.text = " ".join((*letter.foot, letter.number))
    foot.runs[0].font.size = Pt(7.5)
    kept = io.BytesIO()
    paper.save(kept)
    return kept.getvalue()


def _font(style: Any, latin: str, eastern: str, size: Any) -> None:
    from docx.oxml.ns import qn  # noqa: PLC0415

    style.font.name, style.font.size = latin, size
    style.element.rPr.rFonts.set(qn("w:eastAsia"), eastern)


def _top(paper: Any, letter: Letter) -> None:
    from docx.shared import Mm, Pt  # noqa: PLC0415

    kind, comma, encoded = letter.logo.partition(",")
    if comma and FORMATS.get(kind.removeprefix("data:").removesuffix(";base64")) in ("png", "jpg"):
        paper.add_picture(io.BytesIO(base64.b64decode(encoded)), height=Mm(16))
    _lines(paper, (letter.firm,), size=13)
    _lines(paper, letter.firm_lines, size=8.5)
    _lines(paper, letter.to)
    for label, value in letter.about:
        _lines(paper, (f"{' / '.join(label)}: {' / '.join(value)}",), size=9)
    for number, said in enumerate(letter.title):
        paper.add_paragraph().add_run(said).font.size = Pt(15 if number == 0 else 12)


def _lines(paper: Any, said: Sequence[str], *, size: float = SIZE) -> None:
    from docx.shared import Pt  # noqa: PLC0415

    paper.add_paragraph().add_run("\n".join(said)).font.size = Pt(size)


def _block(paper: Any, block: Block) -> None:
    if block.kind in ("pairs", "table"):
        _table(paper, block.rows, block.head, block.right)
    elif block.kind == "break":
        paper.add_page_break()
    elif block.kind in ("heading", "text", "notice"):
        _said(paper, block)
    for number, row in enumerate(block.rows, 1):
        if block.kind == "items":
            paper.add_paragraph(f"{number}. " + "\n".join(row[0]))
        elif block.kind == "lines":
            paper.add_paragraph(f"{' / '.join(row[0])}: {'_' * 40}")
        elif block.kind == "sign":
            paper.add_paragraph("\n".join([*row[0], "", "", f"{' '.join(row[1])} {'_' * 30}", *row[2], *row[3]]))


def _said(paper: Any, block: Block) -> None:
    from docx.shared import Pt  # noqa: PLC0415

    if block.kind == "heading":
        run = paper.add_paragraph().add_run("  ".join(block.texts))
        run.font.size, run.font.bold = Pt(12), True
        return
    for said in block.texts:
        paper.add_paragraph().add_run(said).font.bold = block.kind == "notice"


def _table(paper: Any, rows: Sequence[Sequence[Texts]], head: Sequence[Texts], right: Sequence[int]) -> None:
    from docx.enum.text import WD_ALIGN_PARAGRAPH  # noqa: PLC0415
    from docx.shared import Pt  # noqa: PLC0415

    if not rows:
        return
    lines = [*([head] if head else []), *rows]
    made = paper.add_table(rows=len(lines), cols=len(lines[0]))
    made.style = "Table Grid"
    for line, texts in zip(made.rows, lines, strict=True):
        for place, (cell, said) in enumerate(zip(line.cells, texts, strict=True)):
            paragraph = cell.paragraphs[0]
            paragraph.add_run("\n".join(said)).font.size = Pt(8.5)
            paragraph.paragraph_format.space_after = Pt(0)
            if place in right:
                paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
    paper.add_paragraph().paragraph_format.space_after = Pt(0)
