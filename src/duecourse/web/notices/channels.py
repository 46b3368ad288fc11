"""The chats of groups: which there are, what each hears, how it does, and what needs a person's look.  通知渠道"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Final, cast

from django.contrib import messages
from django.db import transaction
from django.db.models import Count, Max, Q
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from duecourse.messages import say
from duecourse.web import environment as env
from duecourse.web.accounts import audit
from duecourse.web.accounts.access import gate
from duecourse.web.notices import sending
from duecourse.web.notices.composing import language_of, test_message
from duecourse.web.notices.forms import ChannelForm
from duecourse.web.notices.models import FOR_A_PERSON, SENT, WAITING, Channel, Notice, Sending
from duecourse.web.notices.pages import again_by_hand, settle_by_hand, told_state

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

    from duecourse.web.accounts.models import Person

    View = Callable[..., Any]

SHOWN: Final = 50


def whole_view(view: View) -> View:
    """In front of a view: whoever decides what a group hears must see all of the book, for a group could hear more than they."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if cast("Person", request.user).scope.restricts:
            return render(request, "error.html", {"message": say("web.notices_restricted")}, status=403)
        return cast("HttpResponse", view(request, *args, **kwargs))

    return gate("settings")(guarded)


def _groups() -> Any:
    return Channel.objects.filter(person=None)


def _worded(channel: Any) -> Any:
    channel.service_word = say(f"web.notices_service_{channel.service}")
    hears = [
        f"{say(f'web.notices_kind_{kind}')}: {say(f'web.notices_rhythm_{rhythm}')}"
        for kind, rhythm in channel.kinds.items()
        if rhythm != "never"
    ]
    channel.hears = hears
    if not channel.active:
        channel.look, channel.word = (
            ("bad", say("web.notices_channel_disabled")) if channel.disabled_at else ("off", say("web.notices_channel_off"))
        )
    elif channel.failing_since:
        channel.look, channel.word = "warn", say("web.notices_channel_failing")
    else:
        channel.look, channel.word = "good", say("web.notices_channel_on")
    return channel


@require_safe
@whole_view
def channels(request: HttpRequest) -> HttpResponse:
    """Every group's chat, and every message that needs a person's look, whoever it was for."""
    found = _groups().annotate(last=Max("sendings__ended_at", filter=Q(sendings__state=SENT)))
    waiting = dict(Notice.objects.filter(state=WAITING, channel__isnull=False).values_list("channel").annotate(Count("pk")))
    rows = [_worded(one) for one in found]
    for one in rows:
        one.waiting = waiting.get(one.pk, 0)
    looked_for = Sending.objects.filter(state__in=FOR_A_PERSON).select_related("person", "channel")[:SHOWN]
    words = {"channels": rows, "open": [_line(one) for one in looked_for], "mail": bool(env.EMAIL_URL)}
    return render(request, "notices/channels.html", words)


def _line(row: Sending) -> dict[str, Any]:
    to = row.person.name if row.person is not None else row.channel.name if row.channel is not None else row.to
    return {
        "row": row,
        "to": to,
        "way": say(f"web.notices_service_{row.service}"),
        "title": row.message.get("title", ""),
        "state": told_state(row),
    }


@require_safe
@whole_view
def channel(request: HttpRequest, pk: int) -> HttpResponse:
    """One chat and what it was told, newest first."""
    one = _worded(get_object_or_404(_groups(), pk=pk))
    found = Sending.objects.filter(channel=one).select_related("channel", "person")
    before = request.GET.get("before", "")
    if before.isdecimal():
        found = found.filter(pk__lt=int(before[:18]))
    rows = list(found[: SHOWN + 1])
    older = rows[SHOWN - 1].pk if len(rows) > SHOWN else None
    return render(request, "notices/channel.html", {"channel": one, "rows": [_line(row) for row in rows[:SHOWN]], "older": older})


@never_cache
@whole_view
def channel_new(request: HttpRequest) -> HttpResponse:
    """Add a group's chat."""
    form = ChannelForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        one = Channel(made_by_id=request.user.pk)
        secret = form.apply(one)
        with transaction.atomic():
            one.save()
            audit.record(request, "channel_added", "channel", one.pk, **_plain(one))
        if secret:
            return render(
                request, "notices/secret.html", {"channel": one, "secret": secret, "back": reverse("notice_channel", args=[one.pk])}
            )
        return HttpResponseRedirect(reverse("notice_channel", args=[one.pk]))
    return _form(request, form, "web.notices_channel_new", None)


@never_cache
@whole_view
def channel_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change what a chat hears, or where it is."""
    one = get_object_or_404(_groups(), pk=pk)
    form = ChannelForm(request.POST or None, channel=one)
    if request.method == "POST" and form.is_valid():
        secret = form.apply(one)
        with transaction.atomic():
            one.save()
            audit.record(request, "channel_changed", "channel", pk, **_plain(one))
        if secret:
            return render(request, "notices/secret.html", {"channel": one, "secret": secret, "back": reverse("notice_channel", args=[pk])})
        return HttpResponseRedirect(reverse("notice_channel", args=[pk]))
    return _form(request, form, "web.notices_channel_edit", one)


def _plain(one: Channel) -> dict[str, Any]:
    return {
        "service": one.service, "name": one.name, "host": one.host, "details": one.details, "kinds": one.kinds, "legal_entities": one.legal_entities,
        "sales_owners": one.sales_owners,
    }  # fmt: skip


def _form(request: HttpRequest, form: ChannelForm, heading: str, one: Channel | None) -> HttpResponse:
    return render(
        request, "notices/channel_form.html", {"form": form, "heading": say(heading), "channel": one}, status=422 if form.errors else 200
    )


@require_POST
@whole_view
def channel_test(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a message that says nothing, at once."""
    one = get_object_or_404(_groups(), pk=pk)
    now = timezone.now()
    verdict = sending.post(one, test_message(language_of(one.language), now.isoformat()), sending.new_token())
    audit.record(request, "channel_tested", "channel", pk, what=verdict.what)
    if verdict.what == "sent":
        messages.success(request, say("web.notices_test_good"))
    else:
        messages.error(
            request, say("web.notices_test_bad", why=say(f"web.notices_fault_{verdict.fault}"), answer=verdict.answer[:120] or "–")
        )
    return HttpResponseRedirect(reverse("notice_channel", args=[pk]))


@require_POST
@whole_view
def channel_switch(request: HttpRequest, pk: int) -> HttpResponse:
    """Off, or on again; what waited is then told."""
    one = get_object_or_404(_groups(), pk=pk)
    with transaction.atomic():
        _groups().filter(pk=pk).update(active=not one.active, disabled_at=None, failing_since=None)
        audit.record(request, "channel_switched", "channel", pk, active=not one.active)
    return HttpResponseRedirect(reverse("notice_channel", args=[pk]))


@require_POST
@whole_view
def channel_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a chat away, and its log with it."""
    one = get_object_or_404(_groups(), pk=pk)
    with transaction.atomic():
        audit.record(request, "channel_removed", "channel", pk, **_plain(one))
        one.delete()
    return HttpResponseRedirect(reverse("notice_channels"))


@require_POST
@whole_view
def again(request: HttpRequest, pk: int) -> HttpResponse:
    """Have any message that may not have arrived sent once more."""
    return again_by_hand(request, get_object_or_404(Sending, pk=pk), reverse("notice_channels"))


@require_POST
@whole_view
def settle(request: HttpRequest, pk: int) -> HttpResponse:
    """Say of any message that it has arrived, or need not."""
    return settle_by_hand(request, get_object_or_404(Sending, pk=pk), reverse("notice_channels"))
