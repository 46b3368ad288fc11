"""What people note about a buyer: seen by whoever sees the buyer, each wording kept, struck out with a reason and never deleted.  备注"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from duecourse.desk.facts import known_buyer
from duecourse.messages import say
from duecourse.web.accounts.access import gate, may
from duecourse.web.accounts.audit import record
from duecourse.web.books import book_of
from duecourse.web.pages.models import Note, Wording
from duecourse.web.questions import Question

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest, HttpResponse

LONGEST: Final = 5000
MOST: Final = 200


@dataclass(frozen=True)
class Told:
    """A note as a page shows it, as of the page's day: the wording that held, those before it, whether it is struck out."""

    note: Note
    text: str
    edited: Wording | None
    earlier: Sequence[Wording]
    voided: bool
    may_edit: bool
    may_void: bool


def moment_of(request: HttpRequest) -> datetime | None:
    """Up to when notes count on a page of the past; None = all."""
    viewpoint = request.viewpoint  # type: ignore[attr-defined]
    ends = [datetime.combine(viewpoint.on + timedelta(days=1), time.min, UTC)] if viewpoint.on else []
    return min([*ends, *([viewpoint.known_at] if viewpoint.known_at else [])], default=None)


ANY: Final = Question(lambda: Note.objects.filter(buyer_id="-").values_list("pk")[:1], 0)


def notes_of(request: HttpRequest, buyer_id: str) -> list[Told]:
    """The notes on a buyer, newest first. Whether the person may see the buyer is for the caller to ask."""
    if not ANY.rows(buyer_id):  # as on most pages
        return []
    until = moment_of(request)
    found = Note.objects.filter(buyer_id=buyer_id).select_related("author", "voided_by").prefetch_related("wordings__author")
    if until:
        found = found.filter(written_at__lt=until)
    told = []
    person: Any = request.user
    writes = may(person, "note") and until is None
    note: Any
    for note in found.order_by("-written_at", "-pk")[:MOST]:
        wordings = [one for one in note.wordings.all() if until is None or one.at < until]
        if not wordings:
            continue
        voided = note.voided_at is not None and (until is None or note.voided_at < until)
        own = note.author_id == person.pk
        told.append(
            Told(
                note, wordings[-1].text, wordings[-1] if len(wordings) > 1 else None, wordings[:-1][::-1], voided,
                writes and own and not voided, writes and not voided and (own or may(person, "settings")),
            )
        )  # fmt: skip
    return told


def _back(buyer_id: str) -> HttpResponse:
    return HttpResponseRedirect(f"{reverse('buyer', args=[buyer_id])}#notes")


def _seen(request: HttpRequest, buyer_id: str) -> None:
    if not known_buyer(book_of(request), buyer_id):
        raise Http404


def _text(request: HttpRequest) -> str:
    return request.POST.get("text", "").replace("\r\n", "\n").strip()[:LONGEST]


@require_POST
@gate("note")
def write(request: HttpRequest, buyer_id: str) -> HttpResponse:
    """A new note."""
    _seen(request, buyer_id)
    text = _text(request)
    if not text:
        messages.error(request, say("web.buyer_note_empty"))
        return _back(buyer_id)
    person: Any = request.user
    with transaction.atomic():
        note = Note.objects.create(buyer_id=buyer_id, author=person)
        Wording.objects.create(note=note, number=1, text=text, author=person, at=note.written_at)
        record(request, "note.write", "buyer", buyer_id, note=note.pk)
    return _back(buyer_id)


def _own(request: HttpRequest, pk: int) -> Any:
    """The note, locked until the end of the transaction; not found for whoever may not see its buyer."""
    note = get_object_or_404(Note.objects.select_for_update(), pk=pk)
    _seen(request, note.buyer_id)
    return note


@require_POST
@gate("note")
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Another wording, by whoever wrote the note; the earlier ones stay."""
    text = _text(request)
    person: Any = request.user
    with transaction.atomic():
        note = _own(request, pk)
        last = note.wordings.order_by("number").last()
        if note.author_id != person.pk or note.voided_at:
            messages.error(request, say("web.buyer_note_not_yours"))
        elif not text:
            messages.error(request, say("web.buyer_note_empty"))
        elif text != last.text:
            Wording.objects.create(note=note, number=last.number + 1, text=text, author=person)
            record(request, "note.edit", "buyer", note.buyer_id, note=note.pk, wording=last.number + 1)
    return _back(note.buyer_id)


@require_POST
@gate("note")
def void(request: HttpRequest, pk: int) -> HttpResponse:
    """Strike a note out: by whoever wrote it, or by somebody who sets the firm's rules. It stays to be read."""
    reason = " ".join(request.POST.get("reason", "").split())[:300]
    person: Any = request.user
    with transaction.atomic():
        note = _own(request, pk)
        if note.author_id != person.pk and not may(person, "settings"):
            messages.error(request, say("web.buyer_note_not_yours"))
        elif not reason:
            messages.error(request, say("web.buyer_note_reason"))
        elif note.voided_at is None:
            note.voided_at, note.voided_by, note.void_reason = timezone.now(), person, reason
            note.save(update_fields=["voided_at", "voided_by", "void_reason"])
            record(request, "note.void", "buyer", note.buyer_id, note=note.pk, reason=reason)
    return _back(note.buyer_id)
