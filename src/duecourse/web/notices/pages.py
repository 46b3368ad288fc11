"""What I want to hear, and what I was told.  我的通知"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from zoneinfo import available_timezones

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from duecourse.messages import language, say
from duecourse.web import environment as env
from duecourse.web.accounts import audit
from duecourse.web.accounts.access import gate
from duecourse.web.notices import sending
from duecourse.web.notices.composing import line, names_of
from duecourse.web.notices.forms import OwnChat, Wishes
from duecourse.web.notices.models import (
    DROPPED,
    GATHERED,
    GIVEN_UP,
    KEPT,
    SENT,
    UNCERTAIN,
    WAITING,
    Channel,
    Notice,
    Sending,
    preference_of,
)
from duecourse.web.notices.telling import plan_anew

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from duecourse.web.accounts.models import Person

SHOWN: Final = 50
LOOKS: Final = {SENT: "good", UNCERTAIN: "warn", GIVEN_UP: "bad", DROPPED: "off", KEPT: "off", WAITING: "busy"}


def told_state(row: Sending) -> dict[str, Any]:
    """Where a message stands, in words and a shape."""
    name = row.state if row.state in LOOKS else WAITING
    at = row.ended_at if row.state == SENT else None
    return {
        "word": say(f"web.notices_state_{name}"), "look": LOOKS[name], "at": at, "fault": fault_words(row),
        "next": timezone.localtime(row.next_at).strftime("%Y-%m-%d %H:%M") if row.state == WAITING and row.failures else "",
        "for_a_person": row.state in (UNCERTAIN, GIVEN_UP),
    }  # fmt: skip


def fault_words(row: Sending) -> str:
    """What went wrong, as a sentence; empty where nothing did."""
    if not row.fault or row.state == SENT:
        return ""
    return say(f"web.notices_fault_{row.fault}") + (f" ({row.status})" if row.status else "")


@require_http_methods(["GET", "HEAD", "POST"])
@gate("read")
def notices(request: HttpRequest) -> HttpResponse:
    """What I hear, how and when; and what I was told lately."""
    me: Person = request.user  # type: ignore[assignment]
    preference = preference_of(me)
    form = Wishes(request.POST or None, person=me, preference=preference, own=list(Channel.objects.filter(person=me)))
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            form.apply(preference)
            audit.record(request, "notices_chosen", "person", me.username, kinds=preference.kinds)
        plan_anew(me)
        messages.success(request, say("web.notices_saved"))
        return HttpResponseRedirect(reverse("notices"))
    words = {
        "form": form, "own": Channel.objects.filter(person=me), "told": _told(me), "zones": sorted(available_timezones()),
        "mail": bool(env.EMAIL_URL), "firm_zone": env.TIME_ZONE,
    }  # fmt: skip
    return render(request, "notices/notices.html", words, status=422 if form.errors else 200)


def _told(me: Person) -> list[dict[str, Any]]:
    """What I was told, newest first, as far as I may still see whom it was about."""
    rows = list(Notice.objects.filter(to=f"p{me.pk}").select_related("sending").order_by("-id")[:SHOWN])
    names = names_of(me.scope, [row.buyer_id for row in rows if row.buyer_id], language())
    seen = [row for row in rows if not row.buyer_id or row.buyer_id in names]
    return [
        {
            "row": row, "text": line(row, names.get(row.buyer_id, ""), language()),
            "state": told_state(row.sending) if row.state == GATHERED and row.sending else {"word": say(f"web.notices_state_{row.state}"), "look": LOOKS[row.state]},
        }
        for row in seen
    ]  # fmt: skip


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@gate("export")
def chat_new(request: HttpRequest) -> HttpResponse:
    """Add a chat of my own: what goes there leaves the firm's mail, so it is for people who may take figures out."""
    form = OwnChat(request.POST or None)
    if request.method == "POST" and form.is_valid():
        channel = Channel(person_id=request.user.pk, made_by_id=request.user.pk, details=True)
        secret = form.apply(channel)
        with transaction.atomic():
            channel.save()
            audit.record(request, "own_chat_added", "channel", channel.pk, service=channel.service, host=channel.host)
        if secret:
            return render(request, "notices/secret.html", {"channel": channel, "secret": secret, "back": reverse("notices")})
        messages.success(request, say("web.notices_chat_added"))
        return HttpResponseRedirect(reverse("notices"))
    return render(request, "notices/chat.html", {"form": form}, status=422 if form.errors else 200)


@require_POST
@gate("read")
def chat_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a chat of mine away; what was to go there goes by mail."""
    channel = get_object_or_404(Channel, pk=pk, person_id=request.user.pk)
    with transaction.atomic():
        Sending.objects.filter(channel=channel).update(channel=None)
        audit.record(request, "own_chat_removed", "channel", pk, service=channel.service, host=channel.host)
        channel.delete()
    return HttpResponseRedirect(reverse("notices"))


@require_POST
@gate("read")
def own_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Have a message to me that may not have arrived sent once more."""
    row = get_object_or_404(Sending, pk=pk, person_id=request.user.pk)
    return again_by_hand(request, row, reverse("notices"))


@require_POST
@gate("read")
def own_settle(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that it has arrived, or need not."""
    row = get_object_or_404(Sending, pk=pk, person_id=request.user.pk)
    return settle_by_hand(request, row, reverse("notices"))


def again_by_hand(request: HttpRequest, row: Sending, back: str) -> HttpResponse:
    """Send a message again because a person says so."""
    if sending.again(row):
        audit.record(request, "notice_resent", "notice", row.token)
        messages.success(request, say("web.notices_again_done"))
    return HttpResponseRedirect(back)


def settle_by_hand(request: HttpRequest, row: Sending, back: str) -> HttpResponse:
    """Let a message be because a person says so."""
    if sending.settle(row):
        audit.record(request, "notice_settled", "notice", row.token)
    return HttpResponseRedirect(back)
