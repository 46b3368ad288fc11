"""The evidence of a case or buyer: its documents out of the ledger, how complete they are for each route, and the file made of them.  证据材料"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from duecourse.actions import paper
from duecourse.actions.evidence_file.completeness import NEEDS, Completeness, Situation, all_routes
from duecourse.actions.evidence_file.facts import Document, EvidenceFile, document_of, in_order
from duecourse.actions.evidence_file.package import package
from duecourse.desk.clocks import OWN_COUNTRY
from duecourse.desk.letterhead import letterhead
from duecourse.errors import BuyerUnknownError, EvidenceEmptyError
from duecourse.ledger.entries import BUYER, CONTRACT, DOCUMENT, DOCUMENT_LINK, INVOICE, LIMIT, SECURITY
from duecourse.messages import Language, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from duecourse.actions.evidence_file.bundle import Place
    from duecourse.actions.evidence_file.facts import Custody
    from duecourse.ledger.book import Book

LANGUAGES: Final[dict[str, tuple[Language, ...]]] = {"zh": ("zh",), "en": ("en",), "zh-en": ("zh", "en")}
LISTED: Final = 12


@dataclass(frozen=True)
class Wanted:
    """Whose evidence: a buyer's, and of a case what was filed for it or for all of the buyer's; `invoices` are those of the case."""

    buyer_id: str
    case_id: str = ""
    invoices: tuple[str, ...] = ()


def documents_of(book: Book, buyer_id: str) -> tuple[Document, ...]:
    """A buyer's documents as the ledger has them; none of a buyer that may not be seen."""
    rows = book.also_about(buyer_id, DOCUMENT, DOCUMENT_LINK)
    return documents_from(rows[DOCUMENT.name].to_pylist(), rows[DOCUMENT_LINK.name].to_pylist())


def documents_from(rows: Iterable[Mapping[str, Any]], links: Iterable[Mapping[str, Any]]) -> tuple[Document, ...]:
    """Documents from rows of the two tables, in the order of an index."""
    by_document: dict[str, list[Mapping[str, Any]]] = {}
    for link in links:
        by_document.setdefault(link["document_id"], []).append(link)
    return in_order(document_of(row, by_document.get(row["document_id"], ())) for row in rows)


def of_case(documents: Iterable[Document], case_id: str) -> tuple[Document, ...]:
    """Those that go into a case's file: filed for it, connected to it, or filed for all of the buyer's."""
    return tuple(one for one in documents if not case_id or one.case_id in ("", case_id) or case_id in one.about("case"))


def situation_of(book: Book, wanted: Wanted) -> Situation:
    """What of the case decides which documents are needed."""
    about = book.about(wanted.buyer_id)
    also = book.also_about(wanted.buyer_id, CONTRACT, SECURITY, LIMIT)
    rows = {name: table.to_pylist() for name, table in {**about, **also}.items()}
    profile = rows[BUYER.name][0] if rows[BUYER.name] else {}
    country, own = profile.get("country") or "", str(book.settings.get("calendar") or OWN_COUNTRY)
    clauses = {one["dispute_resolution"] for one in rows[CONTRACT.name] if one["dispute_resolution"]}
    known = {row["invoice_id"] for row in rows[INVOICE.name]}
    return Situation(
        tuple(one for one in dict.fromkeys(wanted.invoices) if one in known), bool(country) and country != own,
        any(one["kind"] in ("guarantee", "bank_guarantee", "standby_letter_of_credit") and one["released_on"] is None for one in rows[SECURITY.name]),
        any(one["kind"] == "insurer" and one["ended_on"] is None for one in rows[LIMIT.name]), ("arbitration" in clauses) if clauses else None, country,
    )  # fmt: skip


def completeness_of(book: Book, wanted: Wanted, documents: Sequence[Document] | None = None) -> tuple[Completeness, ...]:
    """How complete the evidence is for each route, and what is missing how badly.  证据完整度"""
    held = documents_of(book, wanted.buyer_id) if documents is None else documents
    return all_routes(of_case(held, wanted.case_id), situation_of(book, wanted))


def evidence_file(book: Book, wanted: Wanted, documents: Sequence[Document] | None = None) -> EvidenceFile:
    """The facts of an evidence file, without custody log and time-stamps. Raises BuyerUnknownError, EvidenceEmptyError."""
    profile = book.about(wanted.buyer_id)[BUYER.name].to_pylist()
    held = of_case(documents_of(book, wanted.buyer_id) if documents is None else documents, wanted.case_id)
    if not profile and not held:
        raise BuyerUnknownError(buyer=wanted.buyer_id)
    if not held:
        raise EvidenceEmptyError(about=wanted.case_id or wanted.buyer_id)
    known = profile[0] if profile else {}
    own = letterhead(book)
    name = known.get("name_local") or known.get("name") or wanted.buyer_id
    return EvidenceFile(
        wanted.case_id, wanted.buyer_id, name, own.local_name or own.name or str(book.settings.get("company") or ""), book.on, wanted.invoices, in_order(held)
    )  # fmt: skip


def with_records(file: EvidenceFile, custody: Iterable[Custody], head: tuple[int, str] | None, stamps: Mapping[str, bytes]) -> EvidenceFile:
    """The same with what the app recorded of its documents."""
    mine = {one.document_id for one in file.documents}
    rows = tuple(row for row in custody if row.document_id in mine)
    return replace(file, custody=rows, head=head, stamps={key: token for key, token in stamps.items() if key in mine})


def write_package(
    file: EvidenceFile,
    place: Place,
    into: Path,
    *,
    languages: Sequence[Language],
    stamp: Callable[[str], bytes] | None = None,
    step: Callable[[float], None] | None = None,
) -> str:
    """Write the ZIP whole or not at all; the SHA-256 of its manifest. Raises what `package` raises."""
    half = into.with_name(f".{into.name}.part-{os.getpid()}")
    try:
        with half.open("wb") as out:
            seal = package(file, place, out, languages=languages, stamp=stamp, step=step)
            out.flush()
            os.fsync(out.fileno())
        half.replace(into)
    finally:
        with contextlib.suppress(FileNotFoundError):
            half.unlink()
    return seal


def report(file: EvidenceFile, found: Sequence[Completeness], *, language: Language, made_at: datetime, seal: str = "") -> bytes:
    """The completeness report as PDF, for internal use: what is there, what is missing, and the cover note of the package.  证据完整度报告"""
    pieces: list[dict[str, Any]] = [
        {"kind": "notice", "text": say("legal.not_advice", language), "tone": "plain"},
        {
            "kind": "table", "head": [say(f"documents.report_{name}", language) for name in ("route", "score", "gravest")], "align": ["left", "right", "left"],
            "rows": [_route(one, language) for one in found],
        },
    ]  # fmt: skip
    gravest: dict[str, Any] = {}
    for one in found:
        for gap in one.gaps:
            if one.applies and (gap.need not in gravest or _graver(gap, gravest[gap.need])):
                gravest[gap.need] = gap
    if gravest:
        order = sorted(gravest.values(), key=lambda gap: (["high", "medium", "low"].index(gap.gravity), list(NEEDS).index(gap.need)))
        pieces += [
            {"kind": "heading", "text": say("documents.report_gaps", language)},
            {
                "kind": "table", "head": [say(f"documents.report_{name}", language) for name in ("need", "gravity", "state", "what")], "align": ["tight", "tight", "tight", "left"],
                "rows": [[say(f"documents.need_{gap.need}", language), say(f"documents.gravity_{gap.gravity}", language), gap_state(gap, language), say(f"documents.hint_{gap.need}", language)] for gap in order],
            },
        ]  # fmt: skip
    pieces += [
        {"kind": "text", "text": say(f"documents.note_{note}", language)}
        for note in dict.fromkeys(note for one in found for note in one.notes)
    ]
    pieces += [
        {"kind": "heading", "text": say("documents.report_documents", language)},
        {
            "kind": "table", "head": [say(f"documents.index_{name}", language) for name in ("number", "name", "original")] + ["SHA-256"], "align": ["right", "left", "tight", "tight"],
            "rows": [
                [f"{number}", f"{say(f'documents.kind_{one.kind}', language)} · {one.file_name}", original_words(one, language), f"{one.document_id[:16]}…"]
                for number, one in enumerate(file.documents, 1)
            ],
        },
    ]  # fmt: skip
    if seal:
        pieces.append({"kind": "text", "text": say("documents.report_hash", language, hash=seal)})
    if file.head is not None:
        pieces.append({"kind": "text", "text": say("documents.report_custody", language, number=file.head[0], hash=file.head[1])})
    return paper.pdf(
        pieces, title=say("documents.report_title", language), language=language, made_at=made_at, firm=file.firm,
        subtitle=say("documents.report_subtitle", language, case=file.case_id or "–", buyer=file.buyer_name), page_of=say("documents.report_page", language, page="{page}", pages="{pages}"),
    )  # fmt: skip


def _graver(one: Any, other: Any) -> bool:
    order = ["high", "medium", "low"]
    return order.index(one.gravity) < order.index(other.gravity)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _route(one: Completeness, language: Language) -> list[str]:
    if not one.applies:
        return [_capital(say(f"documents.route_{one.route}", language)), "–", say(f"documents.applies_not_{one.route}", language)]
    gravest = (
        say("documents.complete", language)
        if one.risk is None
        else f"{say(f'documents.need_{one.gaps[0].need}', language)} · {say(f'documents.gravity_{one.risk}', language)}"
    )
    return [_capital(say(f"documents.route_{one.route}", language)), f"{one.score:.0%}", gravest]


def gap_state(gap: Any, language: Language | None = None) -> str:
    """How far a need is met, and for which invoices it is not."""
    state = say("documents.partly", language, share=f"{gap.share * 100:.0f}") if gap.share else say("documents.missing", language)
    if gap.invoices and gap.share:
        named = ", ".join(gap.invoices[:LISTED]) + (" …" if len(gap.invoices) > LISTED else "")
        state += f" · {say('documents.missing_for', language, invoices=named)}"
    return state


def original_words(one: Document, language: Language | None = None) -> str:
    """Original, copy, or not stated."""
    return say(f"documents.original_{'unknown' if one.original is None else 'yes' if one.original else 'no'}", language)
