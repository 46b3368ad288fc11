"""Outside feeds: how each fares, what waits for a person, and which there are.  外部信息源"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from duecourse.desk import feeds as desk
from duecourse.desk.evidence import kind_word, severity_word, value_word
from duecourse.desk.examining import examine
from duecourse.errors import DuecourseError, FeedUnknownError, FileTooLargeError
from duecourse.intake.feeds import KINDS, LEAST, RELIABILITY, Feed
from duecourse.messages import say
from duecourse.web import books
from duecourse.web import environment as env
from duecourse.web.accounts.access import gate, may
from duecourse.web.accounts.audit import record
from duecourse.web.books import book_of
from duecourse.web.evidence.models import FeedVerdict
from duecourse.web.imports.receiving import IntoHome, handed_in
from duecourse.web.imports.whole import person_of, whole_gate
from duecourse.web.jobs.queue import enqueue
from duecourse.web.limits.pages import _names as names_of
from duecourse.web.outbox.sending import put_out_many
from duecourse.web.pages.columns import capital

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.http import HttpRequest, HttpResponse

    from duecourse.ledger.store import Ledger

SHOWN: Final = 50
VERDICTS: Final = 25
LONGEST: Final = 500
LOOKS: Final = {"red": "bad", "amber": "warn", "info": "off"}
REASONS: Final = ("other_firm", "not_credit", "old")
"""Why a report is put aside, each by one click."""
OWN: Final = "own"
"""For a reason of one's own words."""


@require_safe
@gate("read")
def feeds(request: HttpRequest) -> HttpResponse:
    """The page."""
    return render(request, "evidence/feeds.html", _words(request))


def _words(request: HttpRequest, typed: Mapping[str, str] | None = None, fault: str = "") -> dict[str, Any]:
    book, ledger = book_of(request), books.ledger()
    found = waiting(ledger)
    here = not request.viewpoint.query  # type: ignore[attr-defined]
    names = names_of(book, (row["buyer_id"] for row in found))
    seen = [row for row in found if row["buyer_id"] in names]
    verdicts = list(FeedVerdict.objects.select_related("by")[:VERDICTS])
    known = names_of(book, (one.buyer_id for one in verdicts))
    whole = not book.scope.restricts
    may_set = here and whole and may(request.user, "settings")
    every = desk.feeds(ledger)
    editing = every.get(request.GET.get("edit", "")) if may_set else None
    return {
        "book": book, "items": [_item(row, names) for row in seen[:SHOWN]], "count": len(seen), "more": max(0, len(seen) - SHOWN), "fault": fault,
        "feeds": [_feed(ledger, feed, found, whole=whole, may_set=may_set) for feed in every.values()], "may_set": may_set,
        "may_ask": here and whole and may(request.user, "import"), "may_decide": here and may(request.user, "decide"),
        "verdicts": [{"one": one, "name": known[one.buyer_id]} for one in verdicts if one.buyer_id in known], "kinds": [(kind, kind_name(kind)) for kind in KINDS],
        "typed": typed or (_typed(editing) if editing else {"kind": KINDS[0], "reliability": f"{RELIABILITY:g}", "least": f"{LEAST:g}"}), "editing": editing,
        "reasons": [(reason, capital(say(f"web.feeds_because_{reason}"))) for reason in REASONS],
    }  # fmt: skip


def waiting(ledger: Ledger) -> Sequence[Mapping[str, Any]]:
    """Reports nobody has said anything about yet; what was said and is on its way into the ledger waits no more."""
    found = desk.waiting(ledger)
    said = set(FeedVerdict.objects.filter(signal_id__in=[row["signal_id"] for row in found]).values_list("signal_id", flat=True))
    return [row for row in found if row["signal_id"] not in said]


def kind_name(kind: str) -> str:
    """What a kind of feed holds."""
    return say(f"web.feeds_kind_{kind}")


def _item(row: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {
        **row, "buyer": names[row["buyer_id"]], "what": capital(value_word(row["value"] or "") or kind_word(row["kind"])), "kind": kind_word(row["kind"]),
        "look": LOOKS.get(row["severity"], "off"), "severity": severity_word(row["severity"]),
        "link": row["reference"] if urlsplit(row["reference"] or "").scheme in ("http", "https") else "",
    }  # fmt: skip


def _feed(ledger: Ledger, feed: Feed, found: Sequence[Mapping[str, Any]], *, whole: bool, may_set: bool) -> dict[str, Any]:
    state = desk.state_of(ledger, feed.name)
    fault = state.get("fault", "")
    look, word = _state(feed, state)
    parts = urlsplit(feed.address)
    # An address may hold a key of the firm's: only who sets it sees all of it.
    address = feed.address if may_set else f"{parts.scheme}://{parts.hostname}" if parts.hostname else feed.address.rpartition("/")[2]
    return {
        "feed": feed, "kind": kind_name(feed.kind), "address": address, "look": look, "state": say(f"web.feeds_state_{word}"),
        "fault": say(f"errors.{fault}", **state.get("fault_args", {})) if fault and whole else "", "asked_at": _moment(state.get("asked_at")),
        "answered_at": _moment(state.get("answered_at")), "waiting": sum(row["provider"] == feed.name for row in found) if whole else None,
    }  # fmt: skip


def _state(feed: Feed, state: Mapping[str, Any]) -> tuple[str, str]:
    if feed.paused:
        return "off", "paused"
    if not feed.address:
        return "off", "handed_in"
    if state.get("fault"):
        return "bad", "fault"
    return ("good", "answers") if state.get("answered_at") else ("off", "never")


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _typed(feed: Feed) -> dict[str, str]:
    return {
        "name": feed.name,
        "kind": feed.kind,
        "address": feed.address,
        "reliability": f"{feed.reliability:g}",
        "least": f"{feed.least:g}",
    }


# --- what waits -----------------------------------------------------------------------------------------------------------------------------


@require_POST
@gate("decide")
def verdict(request: HttpRequest) -> HttpResponse:
    """It is the buyer, and the report becomes a signal; or it is put aside, with the reason. Said once: whoever comes second is told so."""
    book, form = book_of(request), request.POST
    number = form.get("signal_id", "")
    row = next((one for one in waiting(books.ledger()) if one["signal_id"] == number), None)
    if row is not None and row["buyer_id"] not in names_of(book, [row["buyer_id"]]):
        raise Http404
    is_buyer, because = form.get("confirm") == "yes", form.get("dismiss", "")
    if not is_buyer and because not in (*REASONS, OWN):
        raise Http404
    preset = say("web.feeds_because_confirmed") if is_buyer else say(f"web.feeds_because_{because}") if because in REASONS else ""
    reason = ": ".join(part for part in (preset, " ".join(form.get("reason", "").split())) if part)[:LONGEST]
    if not reason:
        messages.error(request, say("web.feeds_reason_missing"))
    elif row is None or not _kept(request, row, is_buyer=is_buyer, reason=reason):
        messages.info(request, say("web.feeds_gone"))
    else:
        messages.success(request, say("web.feeds_kept_signal" if is_buyer else "web.feeds_kept_aside"))
    return HttpResponseRedirect(reverse("feeds"))


def _kept(request: HttpRequest, row: Mapping[str, Any], *, is_buyer: bool, reason: str) -> bool:
    """Keep the verdict and put it out, in one transaction. False where somebody else was first."""
    person = person_of(request)
    try:
        with transaction.atomic():
            FeedVerdict.objects.create(
                signal_id=row["signal_id"], buyer_id=row["buyer_id"], called=(row["name"] or "")[:300], provider=(row["provider"] or "")[:120], text=row["text"] or "",
                is_buyer=is_buyer, reason=reason, by=person,
            )  # fmt: skip
            put_out_many(desk.verdict_rows(row, is_buyer=is_buyer, reason=reason, by=person.username))
            record(
                request, "feeds.confirm" if is_buyer else "feeds.dismiss", "buyer", row["buyer_id"], signal=row["signal_id"], reason=reason
            )
    except IntegrityError:
        return False
    return True


# --- which feeds there are ------------------------------------------------------------------------------------------------------------------


@require_POST
@whole_gate("settings")
def keep(request: HttpRequest) -> HttpResponse:
    """Add a feed, or change the one of this name."""
    form, ledger = request.POST, books.ledger()
    try:
        feed = _wanted(form, ledger)
    except ValueError as error:
        return render(request, "evidence/feeds.html", _words(request, form, str(error)), status=422)
    desk.add(ledger, feed, by=person_of(request).username)
    record(request, "feeds.keep", "feed", feed.name, feed=feed.kind, host=urlsplit(feed.address).hostname or "")
    messages.success(request, say("web.feeds_kept", name=feed.name))
    return HttpResponseRedirect(reverse("feeds"))


def _wanted(form: Mapping[str, str], ledger: Ledger) -> Feed:
    """Raises ValueError with the sentence that says what is wrong."""
    name, address, kind = " ".join(form.get("name", "").split()), form.get("address", "").strip(), form.get("kind", "")
    before = desk.feeds(ledger).get(name)
    if not name or len(name) > 100:
        raise ValueError(say("web.feeds_wrong_name"))
    if kind not in KINDS:
        raise ValueError(say("web.feeds_wrong_kind"))
    # A path on this machine is set where one has the machine: with the command.
    if address and urlsplit(address).scheme != "https" and address != (before.address if before else ""):
        raise ValueError(say("web.feeds_wrong_address"))
    shares = []
    for part in ("reliability", "least"):
        try:
            share = float(form.get(part, "").strip().replace(",", "."))
        except ValueError:
            share = 0.0
        if not 0 < share <= 1:
            raise ValueError(say("web.feeds_wrong_share", field=say(f"web.feeds_{part}")))
        shares.append(share)
    return Feed(name, kind, address, shares[0], shares[1], paused=before.paused if before else False)  # type: ignore[arg-type]


@require_POST
@whole_gate("settings")
def pause(request: HttpRequest) -> HttpResponse:
    """Let a feed rest, or have it asked again."""
    name, paused = request.POST.get("name", ""), request.POST.get("paused") == "yes"
    return _changed(request, name, "feeds.pause" if paused else "feeds.resume", "web.feeds_paused" if paused else "web.feeds_resumed",
                    lambda by: desk.pause(books.ledger(), name, paused=paused, by=by))  # fmt: skip


@require_POST
@whole_gate("settings")
def remove(request: HttpRequest) -> HttpResponse:
    """No longer ask a feed; what it said stays."""
    name = request.POST.get("name", "")
    return _changed(request, name, "feeds.remove", "web.feeds_removed", lambda by: desk.remove(books.ledger(), name, by=by))


def _changed(request: HttpRequest, name: str, act: str, said: str, work: Any) -> HttpResponse:
    try:
        work(person_of(request).username)
    except FeedUnknownError as error:
        messages.error(request, error.message())
        return HttpResponseRedirect(reverse("feeds"))
    record(request, act, "feed", name)
    messages.success(request, say(said, name=name))
    return HttpResponseRedirect(reverse("feeds"))


@require_POST
@whole_gate("import")
def ask(request: HttpRequest) -> HttpResponse:
    """Have one feed asked now, or all of them."""
    name = request.POST.get("name", "")
    key = f"asked {timezone.now():%Y-%m-%d %H:%M}"
    if not name:
        enqueue("evidence.feeds", key=key, person=person_of(request))
    elif name in desk.feeds(books.ledger()):
        enqueue("evidence.feed", key=f"{name} {key}"[:200], person=person_of(request), name=name)
    else:
        raise Http404
    messages.success(request, say("web.feeds_asked"))
    return HttpResponseRedirect(reverse("feeds"))


@require_POST
@whole_gate("import")
@handed_in
def upload(request: HttpRequest, handler: IntoHome) -> HttpResponse:
    """Take in a file that was handed in, as the feed's own."""
    received = [file.received for file in request.FILES.getlist("files") if hasattr(file, "received")]
    for name in handler.too_large:
        messages.error(request, FileTooLargeError(path=name, megabytes=env.UPLOAD_LIMIT >> 20).message())
    feed = desk.feeds(books.ledger()).get(request.POST.get("name", ""))
    try:
        if feed is None or not received:
            messages.error(request, say("web.feeds_upload_wrong"))
        else:
            _take_in(request, feed, received[0])
    finally:
        for one in received:
            one.half.unlink(missing_ok=True)
    return HttpResponseRedirect(reverse("feeds"))


def _take_in(request: HttpRequest, feed: Feed, received: Any) -> None:
    ledger = books.ledger()
    try:
        if feed.kind in ("list", "signals"):
            examine(received.half, received.name)
        done = desk.take(ledger, feed, desk.content_of(received.half, feed.name), today=datetime.now(UTC).date())
    except DuecourseError as error:
        messages.error(request, error.message())
        return
    if done.added.get("list_entry"):
        enqueue("evidence.screen", key=f"feed {feed.name} {ledger.version}", person=person_of(request))
    record(
        request,
        "feeds.file",
        "feed",
        feed.name,
        file=received.name,
        sha256=received.sha256,
        **done.added,
    )
    counts: dict[str, Any] = {
        "items": f"{done.counts.get('items', 0):,}", "signals": f"{done.added.get('signal', 0):,}", "mentions": f"{done.added.get('mention', 0):,}",
        "entries": f"{done.added.get('list_entry', 0):,}",
    }  # fmt: skip
    messages.success(request, say("web.feeds_taken", name=feed.name, **counts))
