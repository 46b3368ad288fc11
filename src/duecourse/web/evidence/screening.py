"""The queue of names found on lists, and the lists themselves.  名单筛查"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

import ibis
from django.contrib import messages
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from duecourse.desk.examining import examine
from duecourse.desk.importing import named as under_its_name
from duecourse.errors import DuecourseError, FileTooLargeError
from duecourse.intake.lists import import_list, read_list
from duecourse.messages import say
from duecourse.tables import named
from duecourse.web import books
from duecourse.web import environment as env
from duecourse.web.accounts.access import gate, may
from duecourse.web.accounts.audit import record
from duecourse.web.books import book_of
from duecourse.web.evidence.models import ListHit, ListVerdict, ScreeningRun
from duecourse.web.evidence.verdicts import decide, names_told
from duecourse.web.imports.receiving import IntoHome, handed_in
from duecourse.web.imports.whole import person_of, whole_gate
from duecourse.web.jobs.queue import enqueue

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from django.http import HttpRequest, HttpResponse

    from duecourse.ledger.book import Book

SHOWN: Final = 50
LONGEST: Final = 500


@require_safe
@gate("read")
def screening(request: HttpRequest) -> HttpResponse:
    """Which buyers may stand on a list, the likeliest first; of those this person may see."""
    book = book_of(request)
    waiting = list(ListHit.objects.all()) if book.scope.restricts else list(ListHit.objects.all()[: SHOWN + 1])
    profiles = _profiles(book, {hit.buyer_id for hit in waiting})
    seen = [hit for hit in waiting if hit.buyer_id in profiles]
    verdicts = list(ListVerdict.objects.select_related("by")[:SHOWN])
    known = _profiles(book, {one.buyer_id for one in verdicts})
    words = {
        "book": book,
        "hits": [hit_words(hit, profiles[hit.buyer_id]) for hit in seen[:SHOWN]],
        "more": ListHit.objects.count() - SHOWN if len(seen) > SHOWN and not book.scope.restricts else max(0, len(seen) - SHOWN),
        "lists": _lists(book if request.viewpoint.query else of_today()),  # type: ignore[attr-defined]
        "last": ScreeningRun.objects.first(),
        "verdicts": [verdict_words(one, known[one.buyer_id]) for one in verdicts if one.buyer_id in known],
        "may_decide": may_decide(request),
        "may_import": may(request.user, "import") and not book.scope.restricts and not request.viewpoint.query,  # type: ignore[attr-defined]
        "today": datetime.now(UTC).date(),
    }
    return render(request, "evidence/screening.html", words)


def may_decide(request: HttpRequest) -> bool:
    """May this person say whether a name is the buyer? Not while looking at the past."""
    return may(request.user, "decide") and not request.viewpoint.query  # type: ignore[attr-defined]


def _profiles(book: Book, buyers: Iterable[str]) -> Mapping[str, Mapping[str, Any]]:
    wanted = sorted(buyers)
    if not wanted:
        return {}
    table = book.buyer
    rows = book.run(
        table.filter(table.buyer_id.isin(wanted)).select("buyer_id", "name", "name_local", "country", "city", "registration_number")
    ).to_pylist()
    return {row["buyer_id"]: row for row in rows}


def of_today() -> Book:
    """All that is known today: lists are kept by the day on which they came out, not by the last day of the receivables."""
    return books.ledger().as_of(datetime.now(UTC).date())


def _lists(book: Book) -> Sequence[Mapping[str, Any]]:
    table = book.list_entry
    found = table.group_by("list_name").aggregate(entries=table.count(), newest=table.list_date.max(), learnt=table.recorded_at.max())
    rows: Sequence[Mapping[str, Any]] = book.run(found.order_by(ibis.asc("list_name"))).to_pylist()
    return rows


AGREEMENTS: Final = {"yes": "good", "near": "warn", "no": "bad"}


def _evidence(answer: Mapping[str, Any]) -> list[dict[str, str]]:
    return [
        {
            "kind": AGREEMENTS[one["agrees"]],
            "word": say(f"web.screening_part_{one['part']}"),
            "told": one["of"]
            if one["of"] == one["with"]
            else say("web.screening_against", ours=one["of"] or "–", theirs=one["with"] or "–"),
        }
        for one in answer["evidence"]
    ]


def hit_words(hit: ListHit, profile: Mapping[str, Any]) -> dict[str, Any]:
    """A pair as a page shows it."""
    return {
        "pk": hit.pk, "buyer_id": hit.buyer_id, "name": named(profile).get("name") or hit.buyer_id, "profile": profile, "list": hit.list_name,
        "entry_id": hit.entry_id, "entry": hit.entry, "others": names_told(hit.entry["other_names"]), "numbers": names_told(hit.entry["numbers"]),
        "score": hit.score, "kind": "bad" if hit.outcome == "likely" else "warn", "word": say(f"web.screening_{hit.outcome}"),
        "evidence": _evidence(hit.answer), "matched": hit.answer["name"], "matched_with": hit.answer["with"],
    }  # fmt: skip


def verdict_words(one: ListVerdict, profile: Mapping[str, Any]) -> dict[str, Any]:
    """A verdict as a page shows it."""
    return {
        "buyer_id": one.buyer_id, "name": named(profile).get("name") or one.buyer_id, "list": one.list_name, "entry": one.entry["name"], "reason": one.reason,
        "by": one.by.name, "at": one.at, "kind": "bad" if one.is_match else "good", "word": say("web.screening_match" if one.is_match else "web.screening_no_match"),
        "decision_id": one.decision_id,
    }  # fmt: skip


def of_buyer(request: HttpRequest, buyer_id: str, profile: Mapping[str, Any]) -> dict[str, Any]:
    """What of it belongs on the buyer's own page; whether the buyer may be seen is for the caller to ask."""
    return {
        "hits": [hit_words(hit, profile) for hit in ListHit.objects.filter(buyer_id=buyer_id)],
        "verdicts": [verdict_words(one, profile) for one in ListVerdict.objects.filter(buyer_id=buyer_id).select_related("by")],
        "may_decide": may_decide(request),
    }


@require_POST
@gate("decide")
def verdict(request: HttpRequest, pk: int) -> HttpResponse:
    """It is the buyer, or it is not; with a reason."""
    book = book_of(request)
    hit = ListHit.objects.filter(pk=pk).first()
    back = request.POST.get("back", "")
    here = reverse("buyer_evidence", args=[back]) if back else reverse("screening")
    if hit is None:  # decided a moment ago by somebody else, or no longer found
        messages.info(request, say("web.screening_gone"))
        return HttpResponseRedirect(here)
    if hit.buyer_id not in _profiles(book, {hit.buyer_id}):
        raise Http404
    reason = " ".join(request.POST.get("reason", "").split())[:LONGEST]
    said = request.POST.get("verdict", "")
    if not reason or said not in ("match", "no_match"):
        messages.error(request, say("web.screening_reason"))
        return HttpResponseRedirect(here)
    decide(request, of_today(), hit, is_match=said == "match", reason=reason)
    messages.success(request, say("web.screening_kept_match" if said == "match" else "web.screening_kept_no_match"))
    return HttpResponseRedirect(here)


@require_POST
@whole_gate("import")
def run(request: HttpRequest) -> HttpResponse:
    """Screen everybody now."""
    enqueue("evidence.screen", key=f"asked {datetime.now(UTC):%Y-%m-%d %H:%M}", person=person_of(request))
    messages.success(request, say("web.screening_asked"))
    return HttpResponseRedirect(reverse("screening"))


@require_POST
@whole_gate("import")
@handed_in
def upload(request: HttpRequest, handler: IntoHome) -> HttpResponse:
    """Take a list in, and have everybody screened against it."""
    received = [file.received for file in request.FILES.getlist("files") if hasattr(file, "received")]
    for name in handler.too_large:
        messages.error(request, FileTooLargeError(path=name, megabytes=env.UPLOAD_LIMIT >> 20).message())
    name = " ".join(request.POST.get("list_name", "").split())[:100]
    try:
        day = date.fromisoformat(request.POST.get("list_date", ""))
    except ValueError:
        day = None
    try:
        if not received or not name or day is None or day > datetime.now(UTC).date():
            messages.error(request, say("web.screening_upload_wrong"))
        else:
            _take_in(request, received[0], name, day)
    finally:
        for one in received:
            one.half.unlink(missing_ok=True)
    return HttpResponseRedirect(reverse("screening"))


def _take_in(request: HttpRequest, received: Any, name: str, day: date) -> None:
    try:
        examine(received.half, received.name)
        with under_its_name(received.half, received.name) as path:
            read = read_list(path, list_name=name, list_date=day)
        done = import_list(books.ledger(), read)
    except DuecourseError as error:
        messages.error(request, error.message())
        return
    record(request, "screening.list", "list", name, file=received.name, sha256=received.sha256, batch=done.batch_id, entries=len(read.rows))
    enqueue("evidence.screen", key=f"list {done.batch_id}", person=person_of(request))
    messages.success(request, say("web.screening_list_in", list=name, count=f"{len(read.rows):,}"))
