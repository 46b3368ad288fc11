"""The evidence file as PDF: cover, index of evidence, then the documents with running page numbers.  证据目录与证据册

The documents' pages are counted from 1; cover and index have Roman numbers. A large file is split into volumes of a bounded size, each with
the whole cover and index, numbered through: courts do not take endless files, and no more than one volume is ever in memory.
"""

from __future__ import annotations

import gc
import io
import logging
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from duecourse.actions.evidence_file.showing import PDF_BYTES, Setter, words
from duecourse.errors import DocumentAlteredError, EvidenceEmptyError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pypdf import PageObject, PdfReader, PdfWriter
    from pypdf.generic import DictionaryObject

    from duecourse.actions.evidence_file.facts import Document, EvidenceFile
    from duecourse.messages import Language

    Place = Callable[[Document], Path]

VOLUME_BYTES: Final = 48 << 20
"""A volume is closed once its documents have so many bytes."""
VOLUME_PAGES: Final = 1500
MARGIN: Final = 14.0
MM: Final = 72 / 25.4
STAMP: Final = (90 * MM, 7 * MM)


@dataclass(frozen=True)
class Entry:
    """One line of the index: a document, its number, the volume it is in, its first and last page."""

    document: Document
    number: int
    volume: int
    first: int
    last: int

    @property
    def pages(self) -> str:
        """The pages as the index writes them."""
        return f"{self.first}" if self.first == self.last else f"{self.first}–{self.last}"


def bundle(
    file: EvidenceFile, place: Place, into: Path, *, languages: Sequence[Language], named: Callable[[int, int], str] | None = None
) -> tuple[tuple[Entry, ...], tuple[Path, ...]]:
    """Write the bundle into a folder; its index, and the PDFs, one a volume. The same file gives the same bytes.

    place  where a document's bytes lie, verified: raises if they are not what they were
    named  the name of volume n of m; None: bundle.pdf, or bundle-1.pdf …
    Raises EvidenceEmptyError, and whatever `place` raises.
    """
    if not file.documents:
        raise EvidenceEmptyError(about=file.case_id or file.buyer_id)
    with tempfile.TemporaryDirectory(prefix="duecourse-evidence-") as work:
        setter = Setter(Path(work), languages, file.firm, file.made_on)
        counts = _counts(setter, file.documents, place, Path(work))
        entries = _index(file.documents, counts)
        volumes = entries[-1].volume
        front = setter.pages("front", _front(file, entries, languages), title=_title(languages))
        made = []
        for volume in range(1, volumes + 1):
            name = named(volume, volumes) if named else "bundle.pdf" if volumes == 1 else f"bundle-{volume}.pdf"
            _write(setter, [one for one in entries if one.volume == volume], place, Path(work), front, into / name, languages)
            made.append(into / name)
            gc.collect()  # what the library read is bound in circles; without this volumes pile up in memory
    return entries, tuple(made)


def _title(languages: Sequence[Language]) -> str:
    return " / ".join(words("documents.bundle_title", languages))


def _index(documents: Sequence[Document], counts: Sequence[int]) -> tuple[Entry, ...]:
    entries: list[Entry] = []
    volume, held, paged, page = 1, 0, 0, 0
    for number, (document, count) in enumerate(zip(documents, counts, strict=True), 1):
        if held and (held + document.size_bytes > VOLUME_BYTES or paged + count > VOLUME_PAGES):
            volume, held, paged = volume + 1, 0, 0
        entries.append(Entry(document, number, volume, page + 1, page + count))
        held, paged, page = held + document.size_bytes, paged + count, page + count
    return tuple(entries)


def _front(file: EvidenceFile, entries: Sequence[Entry], languages: Sequence[Language]) -> list[dict[str, Any]]:
    volumes = entries[-1].volume
    told: list[tuple[str, str]] = [
        ("claimant", file.firm), ("debtor", file.buyer_name), ("case", file.case_id), ("invoices", _some(file.invoices)),
        ("made_on", file.made_on.isoformat()), ("count", f"{len(entries)}"), ("pages", f"{entries[-1].last}"), ("volumes", f"{volumes}" if volumes > 1 else ""),
    ]  # fmt: skip
    cover = {
        "kind": "cover", "title": words("documents.bundle_title", languages), "rows": [(words(f"documents.cover_{name}", languages), [value]) for name, value in told if value],
        "sign": [words("documents.cover_sign", languages), words("documents.cover_date", languages)],
    }  # fmt: skip
    names = ("number", "name", "purpose", "pages", "original", "source")
    index = {
        "kind": "index", "title": words("documents.index_title", languages), "head": [words(f"documents.index_{name}", languages) for name in names],
        "rows": [_row(one, languages, volumes) for one in entries], "note": words("documents.index_note", languages),
    }  # fmt: skip
    return [cover, index]


def _some(invoices: Sequence[str], most: int = 12) -> str:
    return ", ".join(invoices[:most]) + (f" … ({len(invoices)})" if len(invoices) > most else "")


def _row(entry: Entry, languages: Sequence[Language], volumes: int) -> list[list[str]]:
    one = entry.document
    name = [*words(f"documents.kind_{one.kind}", languages), one.file_name + (f" · {one.dated.isoformat()}" if one.dated else "")]
    purpose = one.purposes or words(f"documents.purpose_{one.kind}", languages)
    about = one.about("invoice")
    source = [one.holder] if one.holder else words("documents.source_firm", languages)
    return [
        [f"{entry.number}"], name, [*purpose, _some(about, 6)] if about else purpose, [f"{entry.pages}"] + ([f"[{entry.volume}]"] if volumes > 1 else []),
        words(f"documents.original_{'unknown' if one.original is None else 'yes' if one.original else 'no'}", languages), source,
    ]  # fmt: skip


# --- pages ------------------------------------------------------------------------------------------------------------------------------


def _made(setter: Setter, document: Document, place: Place, work: Path) -> Path:
    """A PDF that shows the document: its own file, or pages set once and kept in the work folder."""
    kept = work / f"{document.document_id}.shown.pdf"
    if kept.exists():
        return kept
    own = place(document)
    if document.media_type == "application/pdf" and _readable(own):
        return own
    kept.write_bytes(
        setter.slip(document, "documents.slip_broken") if document.media_type == "application/pdf" else setter.shown(document, own)
    )
    return kept


def _readable(own: Path) -> bool:
    from pypdf.errors import PyPdfError  # noqa: PLC0415 — only where something is printed

    if own.stat().st_size > PDF_BYTES:
        return False
    try:
        reader = _open(own)
        if not len(reader.pages):
            return False
        for page in reader.pages:
            _upright(page)
            page.get_contents()
    except (
        PyPdfError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        IndexError,
        RecursionError,
        NotImplementedError,
        OSError,
        AssertionError,
    ):
        return False
    return True


def _open(own: Path) -> PdfReader:
    from pypdf import PdfReader  # noqa: PLC0415 — only where something is printed

    logging.getLogger("pypdf").setLevel(logging.ERROR)  # how well a document is made is not ours to complain of
    reader = PdfReader(own)
    if reader.is_encrypted:
        reader.decrypt("")
    return reader


def _counts(setter: Setter, documents: Sequence[Document], place: Place, work: Path) -> list[int]:
    counts, held = [], 0
    for document in documents:
        counts.append(len(_open(_made(setter, document, place, work)).pages))
        held += document.size_bytes
        if held > VOLUME_BYTES:
            gc.collect()
            held = 0
    return counts


def _write(
    setter: Setter, entries: Sequence[Entry], place: Place, work: Path, front: bytes, into: Path, languages: Sequence[Language]
) -> None:
    from pypdf import PdfReader, PdfWriter  # noqa: PLC0415 — only where something is printed
    from pypdf.constants import PageLabelStyle  # noqa: PLC0415

    writer = PdfWriter()
    for page in PdfReader(io.BytesIO(front)).pages:
        writer.add_page(page)
    before = len(writer.pages)
    labels = [(entry, number) for entry in entries for number in range(entry.first, entry.last + 1)]
    texts = ["   ".join(words("documents.stamp", languages, exhibit=entry.number, page=number)) for entry, number in labels]
    overlay = PdfReader(io.BytesIO(setter.pages("stamps", stamps=texts)))
    turn = 0
    for entry in entries:
        marked = False
        reader = _open(_made(setter, entry.document, place, work))
        if len(reader.pages) != entry.last - entry.first + 1:  # it was another file a moment ago
            raise DocumentAlteredError(file=entry.document.file_name, document=entry.document.document_id)
        for page in reader.pages:
            _clean(page)
            added = writer.add_page(page)
            _stamp(writer, added, overlay.pages[turn])
            if not marked:
                title = f"{entry.number} {words(f'documents.kind_{entry.document.kind}', languages)[0]} · {entry.document.file_name}"
                writer.add_outline_item(title=title, page_number=len(writer.pages) - 1)
                marked = True
            turn += 1
    writer.set_page_label(0, before - 1, style=PageLabelStyle.LOWERCASE_ROMAN)
    writer.set_page_label(before, len(writer.pages) - 1, style=PageLabelStyle.DECIMAL, start=entries[0].first)
    writer.add_metadata({"/Title": _title(languages), "/Author": setter.firm, "/Producer": "Duecourse"})
    with into.open("wb") as file:
        writer.write(file)


def _clean(page: PageObject) -> None:
    """Nothing that acts, and nothing that leads to another page: only what is seen."""
    from pypdf.generic import ArrayObject, NameObject  # noqa: PLC0415

    for name in ("/AA", "/StructParents", "/B", "/Metadata", "/PieceInfo", "/Thumb"):
        page.pop(name, None)
    kept = ArrayObject()
    held = page.get("/Annots")
    for reference in (held.get_object() if held is not None else None) or ():
        note = reference.get_object()
        if not isinstance(note, dict) or note.get("/Subtype") in ("/Link", "/Popup") or "/AP" not in note:
            continue
        shown = type(note)(
            {key: value for key, value in note.items() if key in ("/Type", "/Subtype", "/Rect", "/AP", "/AS", "/F", "/Contents")}
        )
        if shown.get("/Subtype") == "/Widget":  # a field of a form: as a stamp it is seen, and nobody fills it in
            shown[NameObject("/Subtype")] = NameObject("/Stamp")
        kept.append(shown)
    page.pop("/Annots", None)
    if kept:
        page[NameObject("/Annots")] = kept


def _upright(page: PageObject) -> tuple[float, float, tuple[float, float, float, float, float, float]]:
    """Width and height as the page is seen, and the matrix from there to the page's own space."""
    box, turned = page.cropbox, (page.rotation or 0) % 360
    left, bottom, width, height = float(box.left), float(box.bottom), float(box.width), float(box.height)
    if turned == 90:
        return height, width, (0, 1, -1, 0, left + width, bottom)
    if turned == 180:
        return width, height, (-1, 0, 0, -1, left + width, bottom + height)
    if turned == 270:
        return height, width, (0, -1, 1, 0, left, bottom + height)
    return width, height, (1, 0, 0, 1, left, bottom)


def _stamp(writer: PdfWriter, page: PageObject, stamp: PageObject) -> None:
    """Put the stamp into the lower right corner as it is seen, without touching what the page draws."""
    from pypdf.generic import ArrayObject, DecodedStreamObject, DictionaryObject, FloatObject, NameObject, NumberObject  # noqa: PLC0415

    form = DecodedStreamObject()
    drawn = stamp.get_contents()
    form.set_data(drawn.get_data() if drawn is not None else b"")
    resources = cast("DictionaryObject", stamp["/Resources"]).clone(writer)
    form.update(
        {
            NameObject("/Type"): NameObject("/XObject"), NameObject("/Subtype"): NameObject("/Form"),
            NameObject("/BBox"): ArrayObject([NumberObject(0), NumberObject(0), FloatObject(STAMP[0]), FloatObject(STAMP[1])]), NameObject("/Resources"): resources,
        }
    )  # fmt: skip
    width, _height, (a, b, c, d, e, f) = _upright(page)
    scale = min(1.0, width / (STAMP[0] + 2 * MARGIN))  # a narrow page gets a small stamp
    across, up = width - MARGIN - STAMP[0] * scale, MARGIN / 2
    e, f = e + a * across + c * up, f + b * across + d * up
    matrix = " ".join(f"{value:.4f}" for value in (a * scale, b * scale, c * scale, d * scale, e, f))
    name = "/DuecourseStamp"
    inherited = page.get("/Resources")
    own = DictionaryObject(cast("DictionaryObject", inherited.get_object()) if inherited is not None else {})
    objects = DictionaryObject(cast("DictionaryObject", own["/XObject"].get_object()) if "/XObject" in own else {})
    objects[NameObject(name)] = writer._add_object(form)  # noqa: SLF001 — the only way pypdf has
    own[NameObject("/XObject")] = objects
    page[NameObject("/Resources")] = own
    opening, closing = DecodedStreamObject(), DecodedStreamObject()
    opening.set_data(b"q\n")
    closing.set_data(f"\nQ\nq {matrix} cm {name} Do Q\n".encode("ascii"))
    drawn_by = page.get("/Contents")
    held = drawn_by.get_object() if drawn_by is not None else None
    middle = list(held) if isinstance(held, list) else [page.raw_get("/Contents")] if held is not None else []
    page[NameObject("/Contents")] = ArrayObject(
        [writer._add_object(opening), *middle, writer._add_object(closing)]  # noqa: SLF001
    )
