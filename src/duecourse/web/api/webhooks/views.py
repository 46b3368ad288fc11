"""Webhooks as people see them: the addresses, one with its log of deliveries, and what can be done to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from django.contrib import messages
from django.db.models import Max
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from duecourse.messages import say
from duecourse.web.accounts import audit
from duecourse.web.accounts.access import gate
from duecourse.web.api.models import DELIVERED, GIVEN_UP, WebhookDelivery, WebhookEndpoint
from duecourse.web.api.webhooks import delivering, events, signing
from duecourse.web.api.webhooks.forms import EndpointForm, event_word

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

AT_A_TIME: Final = 50
KINDS: Final = {DELIVERED: "good", GIVEN_UP: "bad"}


@gate("settings")
def webhooks(request: HttpRequest) -> HttpResponse:
    """Every address, with how it does."""
    found = list(WebhookEndpoint.objects.annotate(last=Max("deliveries__tries__at")))
    for endpoint in found:
        _worded(endpoint)
    return render(request, "api/webhooks.html", {"endpoints": found})


def _worded(endpoint: Any) -> Any:
    endpoint.event_words = [event_word(name) for name in endpoint.events if name in events.EVENTS]
    endpoint.host = urlsplit(endpoint.url).hostname or endpoint.url
    return endpoint


@gate("settings")
def webhook(request: HttpRequest, pk: int) -> HttpResponse:
    """One address and its log, newest first."""
    endpoint = _worded(get_object_or_404(WebhookEndpoint, pk=pk))
    found = WebhookDelivery.objects.filter(endpoint=endpoint).select_related("event").prefetch_related("tries")
    before = request.GET.get("before", "")
    if before.isdecimal():
        found = found.filter(pk__lt=int(before[:18]))
    rows: list[Any] = list(found[: AT_A_TIME + 1])
    older = rows[AT_A_TIME - 1].pk if len(rows) > AT_A_TIME else None
    rows = rows[:AT_A_TIME]
    for one in rows:
        _told(one)
    since = timezone.localtime(endpoint.failing_since).strftime("%Y-%m-%d %H:%M") if endpoint.failing_since else ""
    return render(request, "api/webhook.html", {"endpoint": endpoint, "deliveries": rows, "older": older, "since": since})


def _told(one: Any) -> None:
    """A delivery with its last try in words."""
    one.word = event_word(one.event.name)
    one.kind = KINDS.get(one.status, "busy")
    one.state = say(f"web.api_hooks_delivery_{one.status}")
    tries = list(one.tries.all())
    last = tries[-1] if tries else None
    one.answered = "–" if last is None else str(last.status) if last.status else say(f"web.api_webhook_{last.fault}")
    one.said = last.answer[:120] if last else ""
    one.took = say("web.api_hooks_ms", count=f"{last.milliseconds:,}") if last else "–"
    one.next_words = say("web.api_hooks_next", at=timezone.localtime(one.next_at).strftime("%Y-%m-%d %H:%M")) if one.next_at else ""


@never_cache
@gate("settings")
def new(request: HttpRequest) -> HttpResponse:
    """Add an address; its secret is shown once."""
    form = EndpointForm(request.POST or None, initial={"events": [events.FACTS, events.IMPORTED, events.IMPORT_FAILED]})
    if request.method == "POST" and form.is_valid():
        secret = signing.new_secret()
        endpoint = WebhookEndpoint.objects.create(
            url=form.cleaned_data["url"], note=form.cleaned_data["note"], events=form.cleaned_data["events"], sealed=signing.sealed(secret),
            person_id=request.user.pk,
        )  # fmt: skip
        audit.record(request, "webhook_added", "webhook", endpoint.pk, url=endpoint.url, events=endpoint.events)
        return render(request, "api/webhook_secret.html", {"endpoint": endpoint, "secret": secret})
    return _form(request, form, "web.api_hooks_new", "web.api_hooks_add")


@gate("settings")
def edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change an address or its events; the secret stays."""
    endpoint = get_object_or_404(WebhookEndpoint, pk=pk)
    form = EndpointForm(request.POST or None, initial={"url": endpoint.url, "note": endpoint.note, "events": endpoint.events})
    if request.method == "POST" and form.is_valid():
        for name in ("url", "note", "events"):
            setattr(endpoint, name, form.cleaned_data[name])
        endpoint.save(update_fields=["url", "note", "events"])
        audit.record(request, "webhook_changed", "webhook", pk, url=endpoint.url, events=endpoint.events)
        return redirect("webhook", pk)
    return _form(request, form, "web.api_hooks_edit", "web.api_hooks_save")


def _form(request: HttpRequest, form: EndpointForm, heading: str, does: str) -> HttpResponse:
    status = 422 if request.method == "POST" else 200
    return render(request, "api/webhook_new.html", {"form": form, "heading": say(heading), "does": say(does)}, status=status)


@require_POST
@gate("settings")
def ping(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a message that says nothing, at once."""
    delivery = events.ping(get_object_or_404(WebhookEndpoint, pk=pk))
    delivering.deliver(delivery.pk)
    delivery.refresh_from_db()
    if delivery.status == DELIVERED:
        messages.success(request, say("web.api_hooks_ping_good"))
    else:
        messages.error(request, say("web.api_hooks_ping_bad"))
    return redirect("webhook", pk)


@never_cache
@require_POST
@gate("settings")
def rotate(request: HttpRequest, pk: int) -> HttpResponse:
    """A new secret, shown once; the old one signs too for a day."""
    endpoint = get_object_or_404(WebhookEndpoint, pk=pk)
    secret = signing.rotate(endpoint)
    audit.record(request, "webhook_secret_replaced", "webhook", pk, url=endpoint.url)
    return render(request, "api/webhook_secret.html", {"endpoint": endpoint, "secret": secret})


@require_POST
@gate("settings")
def switch(request: HttpRequest, pk: int) -> HttpResponse:
    """Off, or on again."""
    endpoint = get_object_or_404(WebhookEndpoint, pk=pk)
    active = not endpoint.active
    WebhookEndpoint.objects.filter(pk=pk).update(active=active, disabled_at=None, failing_since=None)
    audit.record(request, "webhook_switched", "webhook", pk, url=endpoint.url, active=active)
    return redirect("webhook", pk)


@require_POST
@gate("settings")
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take an address away, and its log with it."""
    endpoint = get_object_or_404(WebhookEndpoint, pk=pk)
    audit.record(request, "webhook_removed", "webhook", pk, url=endpoint.url)
    endpoint.delete()
    return redirect("webhooks")


@require_POST
@gate("settings")
def again(request: HttpRequest, pk: int) -> HttpResponse:
    """Send one message once more."""
    delivery = get_object_or_404(WebhookDelivery.objects.select_related("event", "endpoint"), pk=pk)
    fresh = delivering.again(delivery)
    audit.record(request, "webhook_resent", "webhook", delivery.endpoint.pk, message=delivery.event.message_id)
    delivering.deliver(fresh.pk)
    return redirect("webhook", delivery.endpoint.pk)
