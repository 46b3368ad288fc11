"""What an evidence file is made of: documents and what they prove, who had them in hand, time-stamps.  证据事实"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from duecourse.chain import linked
from duecourse.ledger.entries import DOCUMENT_KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, datetime


@dataclass(frozen=True)
class Link:
    """What a document is to prove of one fact: `target` is one of DOCUMENT_TARGETS."""

    target: str
    target_id: str
    purpose: str = ""


@dataclass(frozen=True)
class Document:
    """One document in a buyer's file; `document_id` is the SHA-256 of its bytes."""

    document_id: str
    kind: str
    file_name: str
    media_type: str
    size_bytes: int
    dated: date | None = None
    received_on: date | None = None
    language: str = ""
    original: bool | None = None
    holder: str = ""
    case_id: str = ""
    text: str = ""
    links: tuple[Link, ...] = ()

    def about(self, target: str) -> list[str]:
        """The facts of a kind it proves something of."""
        return [one.target_id for one in self.links if one.target == target]

    @property
    def purposes(self) -> list[str]:
        """What it is to prove, each wording once."""
        return list(dict.fromkeys(one.purpose for one in self.links if one.purpose))


CUSTODY_CONTENT: Final = ("person_id", "person_name", "act", "document_id", "buyer_id", "detail", "before")
"""What a row of the custody log says besides when, in the order in which it is hashed."""


@dataclass(frozen=True)
class Custody:
    """One row of the custody log: who did what to which document, when (UTC).

    detail    JSON
    before    hash of the row before it about the same document: so that the rows of one document are a chain of their own
    previous  hash of the row before it in the whole log
    """

    number: int
    at: datetime
    person_id: int | None
    person_name: str
    act: str
    document_id: str
    buyer_id: str
    detail: str
    before: str
    previous: str
    hash: str

    @property
    def worked_out(self) -> str:
        """Its hash as it follows from what it says."""
        return linked(self.previous, self.number, self.at, *(getattr(self, name) for name in CUSTODY_CONTENT))


@dataclass(frozen=True)
class EvidenceFile:
    """All that goes into one evidence file.

    case_id     "" for all of a buyer's documents
    made_on     the day it is drawn up as of
    documents   in the order of the index
    custody     the rows of the log about them, by number; head: number and hash of the end of the whole log
    stamps      RFC 3161 responses, DER, by document
    """

    case_id: str
    buyer_id: str
    buyer_name: str
    firm: str
    made_on: date
    invoices: tuple[str, ...]
    documents: tuple[Document, ...]
    custody: tuple[Custody, ...] = ()
    head: tuple[int, str] | None = None
    stamps: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What its files are called after."""
        kept = "".join(sign if sign.isalnum() or sign in "-_" else "_" for sign in self.case_id or self.buyer_id)
        return f"evidence-{kept[:60]}-{self.made_on:%Y%m%d}"


def in_order(documents: Iterable[Document]) -> tuple[Document, ...]:
    """As an index lists them: by kind, then by date, then by name."""
    rank = {kind: number for number, kind in enumerate(DOCUMENT_KINDS)}
    return tuple(
        sorted(
            documents,
            key=lambda one: (rank.get(one.kind, len(rank)), str(one.dated or one.received_on or ""), one.file_name, one.document_id),
        )
    )


def document_of(row: Mapping[str, Any], links: Iterable[Mapping[str, Any]] = ()) -> Document:
    """From rows of the ledger's tables."""
    return Document(
        row["document_id"], row.get("kind") or "other", row.get("file_name") or row["document_id"][:12], row.get("media_type") or "application/octet-stream",
        int(row.get("size_bytes") or 0), row.get("dated"), row.get("received_on"), row.get("language") or "", row.get("original"), row.get("holder") or "",
        row.get("case_id") or "", row.get("text") or "",
        tuple(sorted((Link(one["target"], one["target_id"], one.get("purpose") or "") for one in links), key=lambda one: (one.target, one.target_id))),
    )  # fmt: skip
