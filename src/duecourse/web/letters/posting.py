"""Letters on paper: printed as a batch, posted, handed over; and the proof that one was received.  邮寄、送交与送达证明

A letter is in one batch at a time and goes once: each step is one guarded UPDATE. The batch's print is the very PDFs that were approved, one after the
other, and its list of addresses has a line for each.
"""

from __future__ import annotations

import csv
import hashlib
import io
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from duecourse.actions.letters import compose
from duecourse.actions.paper import pdf
from duecourse.messages import language, say
from duecourse.web.accounts.audit import record
from duecourse.web.letters.attachments import unfit
from duecourse.web.letters.making import hindrance
from duecourse.web.letters.models import APPROVED, HANDED_OVER, POST, SENDING, SENT, Letter, LetterFile, PrintBatch
from duecourse.web.letters.sending import rows_of
from duecourse.web.outbox.sending import put_out_many
from duecourse.web.refusals import NotNowError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import date

    from django.http import HttpRequest

    from duecourse.actions.letters import LetterFacts
    from duecourse.ledger.book import Book

MOST: Final = 200
"""Letters in one batch."""
LARGEST: Final = 10 * 2**20
PROOFS: Final = {"application/pdf": b"%PDF-", "image/png": b"\x89PNG", "image/jpeg": b"\xff\xd8\xff"}
"""What a proof may be, and how it begins."""


def print_batch(request: HttpRequest, book: Book, letters: Collection[int]) -> tuple[PrintBatch | None, list[tuple[Letter, str]]]:
    """Take approved letters into a new batch, and say which were left out and why. Nobody else has them from then on."""
    left: list[tuple[Letter, str]] = []
    with transaction.atomic():
        rows = list(Letter.objects.select_for_update().filter(pk__in=sorted(letters)[:MOST], state=APPROVED, channel=POST).order_by("pk"))
        fit = []
        for row in rows:
            wrong = f"web.letters_fault_{fault}" if (fault := unfit(row)) else hindrance(book, row)
            if wrong:
                left.append((row, wrong))
            else:
                fit.append(row)
        if not fit:
            return None, left
        batch = PrintBatch.objects.create(made_by=request.user, made_on=book.on)
        Letter.objects.filter(pk__in=[row.pk for row in fit], state=APPROVED).update(
            state=SENDING,
            batch=batch,
            send_on=book.on,
            queued_at=timezone.now(),
            queued_by=request.user.get_username(),
            turn=F("turn") + 1,
        )
        record(request, "letter.print", "letters.batch", batch.pk, letters=[row.number for row in fit])
    return batch, left


def merged(letters: Iterable[Letter]) -> bytes:
    """The approved PDFs of several letters as one, each beginning on a page of its own."""
    from pypdf import PdfReader, PdfWriter  # noqa: PLC0415 — heavy: only where something is printed

    writer = PdfWriter()
    for letter in letters:
        writer.append(PdfReader(io.BytesIO(bytes(letter.pdf or b""))), outline_item=letter.number)
    kept = io.BytesIO()
    writer.write(kept)
    return kept.getvalue()


def address_sheet(letters: Iterable[Letter]) -> bytes:
    """The addresses of a batch as CSV: number, recipient, address in one line, what the letter is, and a place for the tracking number."""
    kept = io.StringIO()
    sheet = csv.writer(kept)
    sheet.writerow(["number", "recipient", "address", "content", "tracking"])
    for letter in letters:
        facts = letter.told
        sheet.writerow(
            [
                letter.number,
                _plain(letter.recipient),
                _plain(", ".join(letter.address.split("\n"))),
                _plain(_content(facts)),
                letter.tracking,
            ]
        )
    return ("\ufeff" + kept.getvalue()).encode()


def address_pages(letters: Iterable[Letter], batch: PrintBatch, firm: str) -> bytes:
    """The same as PDF, to lie beside the envelopes: each address as it stands on one, with room for the tracking number."""
    rows = [[one.number, f"{one.recipient}\n{one.address}", _content(one.told), one.tracking] for one in letters]
    head = [say(f"web.letters_{name}") for name in ("number", "address", "kind", "tracking")]
    title = f"{say('web.letters_batch')} {batch.pk}"
    return pdf(
        [{"kind": "table", "head": head, "align": ["left"] * 4, "rows": rows}],
        title=title,
        language=language(),
        made_at=batch.made_at,
        firm=firm,
        foot=title,
    )


def _content(facts: LetterFacts) -> str:
    """The line on what is inside: 关于……的催告函, as a court wants to see it on the postal receipt."""
    return compose(facts).title[0]


def _plain(text: str) -> str:
    """Never a formula in a spreadsheet."""
    return f"'{text}" if text[:1] in "=+-@\t\r" else text


def posted(request: HttpRequest, book: Book, batch: PrintBatch, on: date, tracking: Mapping[int, str]) -> int:
    """The batch was posted on a day; with tracking numbers, by letter. Says how many letters went by this. Raises NotNowError for a day to come."""
    if on > book.on:
        raise NotNowError("web.letters_day_to_come")
    count = 0
    with transaction.atomic():
        for row in Letter.objects.select_for_update().filter(batch=batch, state=SENDING):
            count += _gone(request, row, on, tracking.get(row.pk, ""))
    return count


def handed_over(request: HttpRequest, book: Book, pk: int, on: date) -> bool:
    """An approved letter was handed over, or posted one by one, on a day. Says whether it went by this. Raises NotNowError."""
    with transaction.atomic():
        row: Letter = Letter.objects.select_for_update().get(pk=pk)
        if row.state != APPROVED or row.channel not in (HANDED_OVER, POST):
            raise NotNowError("web.letters_not_now", state=row.state)
        wrong = f"web.letters_fault_{fault}" if (fault := unfit(row)) else hindrance(book, row)
        if wrong:
            raise NotNowError(wrong)
        if on > book.on or on < row.book_on:
            raise NotNowError("web.letters_day_to_come")
        return bool(_gone(request, row, on, ""))


def _gone(request: HttpRequest, row: Letter, on: date, tracking: str) -> int:
    own = Letter.objects.filter(pk=row.pk, state=row.state, turn=row.turn)
    if not own.update(state=SENT, sent_on=on, sent_at=timezone.now(), tracking=tracking.strip()[:100], turn=F("turn") + 1):
        return 0
    row.refresh_from_db()
    put_out_many(rows_of(row))
    record(request, "letter.sent", "buyer", row.buyer_id, letter=row.number, to=row.address, tracking=row.tracking, sha256=row.pdf_sha256)
    return 1


def take_out(request: HttpRequest, pk: int) -> bool:
    """A printed letter was not posted: it is out of its batch and approved as before."""
    with transaction.atomic():
        own = Letter.objects.filter(pk=pk, state=SENDING, channel=POST)
        done = bool(own.update(state=APPROVED, batch=None, send_on=None, turn=F("turn") + 1))
        if done:
            record(request, "letter.unprint", "letter", pk)
    return done


def track(request: HttpRequest, pk: int, tracking: str) -> Letter:
    """A tracking number that came later. The ledger's rows are corrected by adding. Raises NotNowError."""
    return _later(request, pk, "letter.track", tracking=tracking.strip()[:100])


def received(request: HttpRequest, book: Book, pk: int, on: date, file: tuple[str, str, bytes] | None) -> Letter:
    """The letter was received on a day, with what proves it (name, media type, bytes): the clocks that rest on it start from there.

    Raises NotNowError for a day before it went or to come, and for a file that is no PDF or picture.
    """
    values: dict[str, Any] = {"received_on": on}
    with transaction.atomic():
        row: Letter = Letter.objects.select_for_update().get(pk=pk)
        if row.state != SENT or row.sent_on is None or not row.sent_on <= on <= book.on:
            raise NotNowError("web.letters_day_to_come" if row.state == SENT else "web.letters_not_now", state=row.state)
        if file is not None:
            name, kind, data = file
            if kind not in PROOFS or not data.startswith(PROOFS[kind]) or len(data) > LARGEST:
                raise NotNowError("web.letters_no_proof")
            digest = hashlib.sha256(data).hexdigest()
            LetterFile.objects.get_or_create(
                letter=row, sha256=digest, defaults={"name": name[:200], "media_type": kind, "data": data, "added_by": request.user}
            )
            values["proof"] = digest
        return _later(request, pk, "letter.received", **values)


def _later(request: HttpRequest, pk: int, act: str, **values: Any) -> Letter:
    with transaction.atomic():
        row: Letter = Letter.objects.select_for_update().get(pk=pk)
        if row.state != SENT:
            raise NotNowError("web.letters_not_now", state=row.state)
        before = {name: getattr(row, name) for name in values}
        if before == values:
            return row
        for name, value in values.items():
            setattr(row, name, value)
        row.save(update_fields=list(values))
        put_out_many(rows_of(row))
        record(request, act, "buyer", row.buyer_id, letter=row.number, **values)
    return row


def batches(limit: int = 50) -> Sequence[PrintBatch]:
    """The newest batches."""
    return list(PrintBatch.objects.select_related("made_by").prefetch_related("letters")[:limit])
