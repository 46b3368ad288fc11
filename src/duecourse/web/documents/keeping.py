"""Documents taken up, described, connected to what they prove, taken out of a file.  材料入库

Each is one transaction, in which the custody log, the trail and the rows for the ledger are written, too. A file is whole and on the disk
before anybody writes down that it is there. `who` is a request, or a person on whose behalf the app acts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, cast

from django.db import IntegrityError, transaction

from duecourse.actions.evidence_file import reading
from duecourse.ledger.entries import DOCUMENT_KINDS, DOCUMENT_TARGETS
from duecourse.web import environment as env
from duecourse.web.accounts.audit import record
from duecourse.web.accounts.models import Person
from duecourse.web.documents import custody
from duecourse.web.documents.models import FACTS, Filed, Held, Linked
from duecourse.web.imports.receiving import IntoHome
from duecourse.web.jobs.queue import enqueue
from duecourse.web.outbox.sending import put_out

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from django.http import HttpRequest

    Who = HttpRequest | Person

LANGUAGES: Final = ("zh", "en", "de", "fr", "es", "it", "ja", "ko", "pt", "nl", "pl", "ru", "ar", "tr", "vi", "th", "other")
PURPOSE: Final = 500


class NotKeptError(Exception):
    """It is not done; `code` names the sentence that says why."""

    def __init__(self, code: str, **args: object) -> None:
        self.code, self.args_ = code, args
        super().__init__(code)


class IntoDocuments(IntoHome):
    """Writes what arrives beside the documents."""

    @property
    def limit(self) -> int:
        """The most bytes a document may have."""
        return env.DOCUMENT_LIMIT

    def fresh(self) -> Path:
        """Where a file is written while it arrives."""
        return custody.files().arriving()


@dataclass(frozen=True)
class Said:
    """What is said of a document as it is filed; kind "" = as its name and content suggest."""

    kind: str = ""
    dated: date | None = None
    received_on: date | None = None
    language: str = ""
    original: bool | None = None
    holder: str = ""
    case_id: str = ""
    text: str = ""
    purpose: str = ""
    invoices: tuple[str, ...] = ()


def checked(said: Said, on: date, last: date) -> Said:
    """The same, held to what can be: `on` is the day it came where nothing else is said, `last` the last day it can have come. Raises NotKeptError."""
    if said.kind and said.kind not in DOCUMENT_KINDS:
        raise NotKeptError("web.documents_kind_missing")
    if said.language and said.language not in LANGUAGES:
        raise NotKeptError("web.documents_language_unknown")
    received = said.received_on or on
    if received > last or (said.dated is not None and said.dated > received):
        raise NotKeptError("web.documents_day_to_come", last=min(received, last))
    return replace(
        said, received_on=received, purpose=_line(said.purpose, PURPOSE), holder=_line(said.holder, 200), text=_line(said.text, 1000), case_id=_line(said.case_id, 20)
    )  # fmt: skip


def _line(text: str, longest: int) -> str:
    return " ".join(text.replace("\x00", "").split())[:longest]


def take_up(
    who: Who, buyer_id: str, half: Path, document_id: str, name: str, size: int, said: Said, on: date, last: date | None = None
) -> tuple[Filed, bool]:
    """File a document that has arrived whole; how it stands now, and whether it is new to this buyer's file.

    Handed in again it stays as it was described, and is connected to the case. Raises NotKeptError for what is not kept, DiskFullError.
    """
    kept = False
    try:
        said = checked(said, on, last or on)
        if not size:
            raise NotKeptError("web.documents_empty", file=name)
        media_type = reading.media_type(half, name)
        if media_type is None:
            raise NotKeptError("web.documents_program", file=name)
        kind = said.kind or reading.guess(name, media_type)
        dated = said.dated
        if dated is None and media_type == "message/rfc822":
            sent = reading.mail(half.read_bytes()).sent_at
            dated = sent.date() if sent and sent.date() <= (said.received_on or on) else None
        custody.files().keep(half, document_id)
        kept = True
    finally:
        if not kept:
            half.unlink(missing_ok=True)
    facts = {
        "kind": kind, "dated": dated, "received_on": said.received_on, "language": said.language, "original": said.original, "holder": said.holder,
        "case_id": said.case_id, "file_name": name, "media_type": media_type, "size_bytes": size, "text": said.text,
    }  # fmt: skip
    with custody.alone():  # one at a time: of two who hand in the same file the second finds it there
        _held(document_id, size, media_type)
        before = newest(buyer_id, document_id)
        fresh = before is None or before.withdrawn
        row = _file(who, buyer_id, document_id, facts) if before is None or before.withdrawn else before
        custody.add(
            _person(who), "received", [(document_id, buyer_id)], file=name, bytes=size, case=said.case_id, again=None if fresh else "yes"
        )
        targets = [("invoice", invoice) for invoice in said.invoices]
        if not fresh and said.case_id and row.case_id not in ("", said.case_id):
            targets.append(("case", said.case_id))
        for target, target_id in targets:
            _link(who, row, target, target_id, said.purpose, on)
        if said.purpose and not said.invoices:
            target, number = ("case", said.case_id) if said.case_id else ("buyer", buyer_id)
            _link(who, row, target, number, said.purpose, on)
        record(who, "document.received", "buyer", buyer_id, file=name, sha256=document_id, case=said.case_id)
        ask_for_stamp(document_id)
    return row, fresh


def _held(document_id: str, size: int, media_type: str) -> None:
    try:
        with transaction.atomic():
            Held.objects.get_or_create(document_id=document_id, defaults={"size_bytes": size, "media_type": media_type})
    except IntegrityError:  # another process was a moment earlier
        return


def ask_for_stamp(document_id: str) -> None:
    """Have a document stamped by the authority, where one is named; belongs in the transaction that files it."""
    if env.TSA_URL:
        enqueue("documents.stamp", key=document_id, document_id=document_id)


def _person(who: Who) -> Person:
    return who if isinstance(who, Person) else cast("Person", who.user)


def newest(buyer_id: str, document_id: str) -> Filed | None:
    """How a document in a buyer's file stands."""
    found: Filed | None = Filed.objects.filter(buyer_id=buyer_id, document_id=document_id).order_by("-id").first()
    return found


def _file(who: Who, buyer_id: str, document_id: str, facts: Mapping[str, Any], *, withdrawn: bool = False) -> Filed:
    row: Filed = Filed.objects.create(document_id=document_id, buyer_id=buyer_id, by=_person(who), withdrawn=withdrawn, **facts)
    told = {name: facts[name] for name in FACTS if facts[name] not in ("", None)}
    put_out(
        "document",
        {
            "document_id": document_id,
            "buyer_id": buyer_id,
            "made_by": _person(who).username,
            **told,
            **({"voided": True} if withdrawn else {}),
        },
    )
    return row


def describe(who: Who, buyer_id: str, document_id: str, said: Said, on: date, last: date | None = None) -> Filed:
    """Say anew what a document is; what was said before stays in the log. Raises NotKeptError."""
    with custody.alone():
        before = _there(buyer_id, document_id)
        said = checked(said, before.received_on, max(last or on, before.received_on))
        changed = {
            "kind": said.kind or before.kind, "dated": said.dated, "received_on": said.received_on, "language": said.language, "original": said.original,
            "holder": said.holder, "case_id": said.case_id, "text": said.text,
        }  # fmt: skip
        differs = {name: str(value) for name, value in changed.items() if value != getattr(before, name)}
        if not differs:
            return before
        row = _file(who, buyer_id, document_id, {**before.facts, **changed})
        custody.add(_person(who), "described", [(document_id, buyer_id)], **differs)
        record(who, "document.described", "buyer", buyer_id, sha256=document_id, changed=differs)
    return row


def link(who: Who, buyer_id: str, document_id: str, links: Sequence[tuple[str, str]], purpose: str, on: date) -> None:
    """Say what a document proves of which facts: (target, number). Raises NotKeptError."""
    if not links or any(target not in DOCUMENT_TARGETS or not number.strip() for target, number in links):
        raise NotKeptError("web.documents_target_missing")
    with custody.alone():
        row = _there(buyer_id, document_id)
        for target, number in links:
            _link(who, row, target, number.strip()[:255], _line(purpose, PURPOSE), on)
        record(who, "document.linked", "buyer", buyer_id, sha256=document_id, to=[number for _target, number in links])


def unlink(who: Who, buyer_id: str, document_id: str, target: str, target_id: str, on: date) -> None:
    """It proves nothing of this fact after all. Raises NotKeptError."""
    with custody.alone():
        row = _there(buyer_id, document_id)
        before = _linked(row, target, target_id)
        if before is None or before.withdrawn:
            return
        _connect(who, row, target, target_id, before.purpose, on, withdrawn=True)
        custody.add(_person(who), "unlinked", [(document_id, buyer_id)], target=target, number=target_id)
        record(who, "document.unlinked", "buyer", buyer_id, sha256=document_id, to=target_id)


def withdraw(who: Who, buyer_id: str, document_id: str, reason: str) -> None:
    """Take a document out of a buyer's file, with a reason. Its bytes and its history stay. Raises NotKeptError."""
    why = _line(reason, 300)
    if not why:
        raise NotKeptError("web.documents_reason_missing")
    with custody.alone():
        row = _there(buyer_id, document_id)
        _file(who, buyer_id, document_id, row.facts, withdrawn=True)
        custody.add(_person(who), "withdrawn", [(document_id, buyer_id)], reason=why)
        record(who, "document.withdrawn", "buyer", buyer_id, sha256=document_id, reason=why)


def _there(buyer_id: str, document_id: str) -> Filed:
    row = newest(buyer_id, document_id)
    if row is None or row.withdrawn:
        raise NotKeptError("web.documents_gone")
    return row


def _linked(row: Filed, target: str, target_id: str) -> Linked | None:
    found: Linked | None = (
        Linked.objects.filter(buyer_id=row.buyer_id, document_id=row.document_id, target=target, target_id=target_id)
        .order_by("-id")
        .first()
    )
    return found


def _link(who: Who, row: Filed, target: str, target_id: str, purpose: str, on: date) -> None:
    before = _linked(row, target, target_id)
    if before is not None and not before.withdrawn and before.purpose == purpose:
        return
    _connect(who, row, target, target_id, purpose, on)
    custody.add(_person(who), "linked", [(row.document_id, row.buyer_id)], target=target, number=target_id, purpose=purpose)


def _connect(who: Who, row: Filed, target: str, target_id: str, purpose: str, on: date, *, withdrawn: bool = False) -> None:
    Linked.objects.create(
        document_id=row.document_id, buyer_id=row.buyer_id, target=target, target_id=target_id, purpose=purpose, linked_on=on, withdrawn=withdrawn, by=_person(who)
    )  # fmt: skip
    put_out(
        "document_link",
        {
            "document_id": row.document_id, "buyer_id": row.buyer_id, "target": target, "target_id": target_id, "purpose": purpose or None, "linked_on": on,
            "made_by": _person(who).username, **({"voided": True} if withdrawn else {}),
        },
    )  # fmt: skip
