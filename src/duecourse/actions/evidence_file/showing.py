"""A document as pages: a PDF as it is, a picture on a page, text and e-mail set; what cannot be shown gets a slip that names it and its hash.

Nothing of the original is changed by it: the files themselves go beside the bundle.
"""

from __future__ import annotations

import json
import os
import shutil
import struct
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from duecourse.actions.evidence_file.reading import SHOWN_AS_PICTURE, decoded, mail
from duecourse.errors import DocumentUnprintableError
from duecourse.messages import say

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    import typst

    from duecourse.actions.evidence_file.facts import Document
    from duecourse.messages import Language

HERE: Final = Path(__file__).parent
TEXT_BYTES: Final = 2 << 20
"""So much of a text is set; the rest is in the file beside the bundle, and the page says so."""
LINES: Final = 6000
PIXELS: Final = 80_000_000
"""A picture with more is not decoded: it gets a slip."""
PDF_BYTES: Final = 200 << 20
WIDTH_MM: Final = 170
STRIP_MM: Final = 250
MOST_STRIPS: Final = 60
WRITTEN: Final = ("text/plain", "text/csv", "application/xml", "text/html")


def words(code: str, languages: Sequence[Language], **args: object) -> list[str]:
    """A sentence, a wording a language, each wording once."""
    return list(dict.fromkeys(say(code, language, **args) for language in languages))


class Setter:
    """Sets pages in a work folder of its own, the pictures beside the template."""

    def __init__(self, folder: Path, languages: Sequence[Language], firm: str, dated: date) -> None:
        self.folder, self.languages, self.firm = folder, tuple(languages), firm
        self.moment = int(datetime(dated.year, dated.month, dated.day, tzinfo=UTC).timestamp())
        shutil.copyfile(HERE / "evidence.typ", folder / "evidence.typ")
        self._made: typst.Compiler | None = None

    def _compiler(self) -> typst.Compiler:
        if self._made is None:
            import pylopdf_fonts_jp as japanese  # noqa: PLC0415 — only where something is printed
            import pylopdf_fonts_zh_cn as chinese  # noqa: PLC0415
            import typst  # noqa: PLC0415

            places = [str(Path(str(one.__file__)).parent) for one in (chinese, japanese)]
            self._made = typst.Compiler(
                input=str(self.folder / "evidence.typ"), root=str(self.folder), font_paths=places, ignore_system_fonts=True
            )
        return self._made

    def pages(
        self, kind: str, pieces: Sequence[dict[str, Any]] = (), *, title: str = "", head: str = "", stamps: Sequence[str] = ()
    ) -> bytes:
        """Pages as PDF. `kind`: front, sheet, stamps. Raises DocumentUnprintableError."""
        told = {
            "kind": kind, "pieces": list(pieces), "stamps": list(stamps), "title": title, "head": head, "firm": self.firm, "languages": list(self.languages),
        }  # fmt: skip
        try:
            found = self._compiler().compile(
                format="pdf",
                sys_inputs={"pages": json.dumps(told, ensure_ascii=False, sort_keys=True)},
                timestamp=self.moment,
                pdf_tags=False,
            )
        except Exception as error:
            if type(error).__module__.partition(".")[0] != "typst":
                raise
            raise DocumentUnprintableError(title=title, detail=str(error)) from error
        assert isinstance(found, bytes)
        return found

    def slip(self, document: Document, why: str) -> bytes:
        """A page in place of what cannot be shown."""
        rows = [
            (words("documents.slip_file", self.languages), document.file_name),
            (words("documents.slip_type", self.languages), document.media_type),
            (words("documents.slip_size", self.languages), f"{document.size_bytes:,}"),
            (["SHA-256"], document.document_id),
        ]
        piece = {
            "kind": "slip",
            "title": words(f"documents.kind_{document.kind}", self.languages),
            "why": words(why, self.languages),
            "rows": rows,
        }
        return self.pages("sheet", [piece], title=document.file_name)

    def shown(self, document: Document, place: Path) -> bytes:
        """The pages of a document that is no PDF."""
        if document.media_type in SHOWN_AS_PICTURE:
            return self._picture(document, place)
        if document.media_type == "message/rfc822":
            return self._mail(document, place)
        if document.media_type in WRITTEN:
            return self._text(document, place)
        return self.slip(document, "documents.slip_not_shown")

    def _picture(self, document: Document, place: Path) -> bytes:
        with place.open("rb") as file:
            width, height = picture_size(file.read(1 << 18))
        if width * height > PIXELS:
            return self.slip(document, "documents.slip_large")
        name = f"{document.document_id}.{document.media_type.partition('/')[2]}"
        beside = self.folder / name
        _put_beside(place, beside)
        try:
            piece = {
                "kind": "picture",
                "file": name,
                "strips": _strips(width, height),
                "strip": STRIP_MM,
                "width": WIDTH_MM,
                "height": WIDTH_MM * height / max(width, 1),
            }
            return self.pages("sheet", [piece], title=document.file_name)
        except DocumentUnprintableError:
            return self.slip(document, "documents.slip_broken")
        finally:
            beside.unlink(missing_ok=True)

    def _text(self, document: Document, place: Path) -> bytes:
        with place.open("rb") as file:
            text = decoded(file.read(TEXT_BYTES))
        if text is None:
            return self.slip(document, "documents.slip_broken")
        return self._letter(document, [], text, cut=document.size_bytes > TEXT_BYTES)

    def _mail(self, document: Document, place: Path) -> bytes:
        found = mail(place.read_bytes())
        told = [
            ("from", found.sender), ("to", found.to), ("cc", found.cc), ("date", found.sent_at.isoformat(sep=" ") if found.sent_at else ""),
            ("subject", found.subject), ("message_id", found.message_id), *(("received", one) for one in found.received),
            *(("attachment", f"{one.name} · {one.size_bytes:,} · SHA-256 {one.sha256}") for one in found.attachments),
        ]  # fmt: skip
        rows = [(words(f"documents.mail_{name}", self.languages), value) for name, value in told if value]
        return self._letter(document, rows, found.body[:TEXT_BYTES], cut=len(found.body) > TEXT_BYTES)

    def _letter(self, document: Document, rows: list[tuple[list[str], str]], text: str, *, cut: bool) -> bytes:
        lines = ["".join(sign for sign in line.expandtabs(4) if sign.isprintable()) for line in text.splitlines()]
        cut = cut or len(lines) > LINES
        piece = {
            "kind": "letter", "rows": rows, "lines": lines[:LINES], "cut": words("documents.text_cut", self.languages, hash=document.document_id) if cut else [],
        }  # fmt: skip
        return self.pages("sheet", [piece], title=document.file_name, head=document.file_name)


def _put_beside(place: Path, beside: Path) -> None:
    try:
        os.link(place, beside)
    except OSError:
        shutil.copyfile(place, beside)


def _strips(width: int, height: int) -> int:
    """On how many pages a picture stands: a long one, such as a chat, is cut rather than made unreadably small."""
    if not width or height / width <= STRIP_MM / WIDTH_MM * 1.35:
        return 1
    return min(-(-height * WIDTH_MM // (width * STRIP_MM)), MOST_STRIPS)


def picture_size(head: bytes) -> tuple[int, int]:
    """Width and height in pixels of a PNG, GIF, JPEG or WebP by its first bytes; (0, 0) where they do not say."""
    try:
        if head.startswith(b"\x89PNG"):
            return struct.unpack(">II", head[16:24])
        if head.startswith(b"GIF8"):
            return struct.unpack("<HH", head[6:10])
        if head.startswith(b"RIFF") and head[12:16] == b"VP8X":
            return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
        at = 2
        while head.startswith(b"\xff\xd8") and at + 9 < len(head):
            marker, length = head[at + 1], int.from_bytes(head[at + 2 : at + 4], "big")
            if marker in (0xC0, 0xC1, 0xC2, 0xC3):
                return int.from_bytes(head[at + 7 : at + 9], "big"), int.from_bytes(head[at + 5 : at + 7], "big")
            at += 2 + max(2, length)
    except struct.error:
        pass
    return 0, 0
