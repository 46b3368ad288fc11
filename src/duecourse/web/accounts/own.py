"""What somebody decides about themselves: name, language, theme, and the keys their programs use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from allauth.account.decorators import reauthentication_required  # type: ignore[import-untyped]
from allauth.mfa.models import Authenticator  # type: ignore[import-untyped]
from allauth.usersessions.models import UserSession  # type: ignore[import-untyped]
from django.contrib import messages
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone, translation
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from duecourse.messages import say, use_language
from duecourse.web.accounts import audit
from duecourse.web.accounts.access import gate, may
from duecourse.web.accounts.forms import NewKey, Profile
from duecourse.web.accounts.models import ApiKey, Person

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@gate("read")
def profile(request: HttpRequest) -> HttpResponse:
    """Oneself."""
    me: Person = request.user  # type: ignore[assignment]
    form = Profile(
        request.POST or None, initial={"name": me.get_full_name(), "language": me.language or request.LANGUAGE_CODE, "theme": me.theme}
    )
    if request.method == "POST" and form.is_valid():
        me.first_name, me.last_name = form.cleaned_data["name"], ""
        me.language, me.theme = form.cleaned_data["language"], form.cleaned_data["theme"]
        me.save(update_fields=["first_name", "last_name", "language", "theme"])
        translation.activate(me.language)
        use_language("zh" if me.language.startswith("zh") else "en")
        messages.success(request, say("web.people_profile_saved"))
        return redirect("profile")
    return render(
        request,
        "accounts/profile.html",
        {
            "form": form,
            "factors": Authenticator.objects.filter(user=me).exclude(type="recovery_codes").count(),
            "sessions": UserSession.objects.filter(user=me).count(),
            "keys": ApiKey.objects.filter(person=me).order_by("revoked_at", "-created_at"),
            "may_make_keys": may(me, "keys"),
        },
        status=422 if form.errors else 200,
    )


@gate("keys")
@never_cache
@reauthentication_required  # type: ignore[untyped-decorator]
def new_key(request: HttpRequest) -> HttpResponse:
    """Make an API key. Its token is in this answer and nowhere else."""
    me: Person = request.user  # type: ignore[assignment]
    form = NewKey(request.POST or None, person=me, initial={"acts": ["read"], "days": 90})
    if request.method == "POST" and form.is_valid():
        with audit.alone():
            key, token = ApiKey.make(me, form.cleaned_data["name"], form.cleaned_data["acts"], form.expires_at)
            audit.record(
                request, "key_made", "api_key", key.prefix, name=key.name, acts=key.acts, expires_at=key.expires_at.date().isoformat()
            )
        return render(request, "accounts/key_made.html", {"key": key, "token": token})
    return render(request, "accounts/key_new.html", {"form": form}, status=422 if form.errors else 200)


@gate("read")
@require_POST
def revoke_key(request: HttpRequest, pk: int) -> HttpResponse:
    """End a key: one's own, or for those who administer people anybody's."""
    me: Person = request.user  # type: ignore[assignment]
    keys = ApiKey.objects.all() if may(me, "people") else ApiKey.objects.filter(person=me)
    key = get_object_or_404(keys, pk=pk)
    with audit.alone():
        ApiKey.objects.filter(pk=pk, revoked_at=None).update(revoked_at=timezone.now())
        audit.record(request, "key_revoked", "api_key", key.prefix, name=key.name, person=key.person.username)
    messages.success(request, say("web.people_key_revoked", name=key.name))
    return redirect("profile") if key.person == me else redirect("person", key.person.pk)
