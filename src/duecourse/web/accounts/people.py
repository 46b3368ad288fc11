"""People: who is in, what they may do, which rows they see; letting somebody in, and showing them out.  用户"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.forms import default_token_generator  # type: ignore[import-untyped]
from allauth.account.utils import user_pk_to_url_str  # type: ignore[import-untyped]
from allauth.mfa.models import Authenticator  # type: ignore[import-untyped]
from allauth.usersessions.models import UserSession  # type: ignore[import-untyped]
from django.contrib import messages
from django.db.models import Q
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from duecourse.desk.scopes import find_groups
from duecourse.messages import say
from duecourse.web import environment as env
from duecourse.web.accounts import audit, inviting
from duecourse.web.accounts.access import ACTS, MAY, ROLES, gate
from duecourse.web.accounts.forms import Edit, Invite, whole_book
from duecourse.web.accounts.models import SCOPES, ApiKey, Invitation, Person

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse


def _people() -> Any:
    return Person.objects.order_by("-is_active", "first_name", "username")


def _of(request: HttpRequest) -> Person:
    return request.user  # type: ignore[return-value]


@gate("people")
def people(request: HttpRequest) -> HttpResponse:
    """Everybody, and the invitations not yet used."""
    text, role = request.GET.get("q", "").strip(), request.GET.get("role", "")
    found = _people()
    if text:
        found = found.filter(
            Q(username__icontains=text) | Q(first_name__icontains=text) | Q(last_name__icontains=text) | Q(email__icontains=text)
        )
    if role in ROLES:
        found = found.filter(role=role)
    factors = set(Authenticator.objects.exclude(type="recovery_codes").values_list("user_id", flat=True))
    rows = [{"person": person, "has_factor": person.pk in factors} for person in found[:1000]]
    invitations = Invitation.objects.select_related("invited_by").filter(accepted_at=None, revoked_at=None).order_by("-invited_at")
    return render(request, "accounts/people.html", {"rows": rows, "invitations": invitations, "roles": ROLES, "text": text, "role": role})


@gate("people")
def person(request: HttpRequest, pk: int) -> HttpResponse:
    """One person: who they are, their role, their rows, and what can be done about a lost password, telephone or laptop."""
    held = get_object_or_404(Person, pk=pk)
    initial = {
        "name": held.name if held.get_full_name() else "",
        "email": held.email,
        "role": held.role,
        **{name: getattr(held, name) for name in SCOPES},
    }
    form = Edit(request.POST or None, person=held, initial=initial)
    if request.method == "POST" and form.is_valid() and _save(request, held, form):
        messages.success(request, say("web.people_saved", name=held.name))
        return redirect("person", pk)
    sessions = UserSession.objects.filter(user=held).order_by("-last_seen_at")[:20]
    factors = Authenticator.objects.filter(user=held)
    return render(
        request, "accounts/person.html", {"held": held, "form": form, "sessions": sessions, "factors": factors, "table": _table(), "keys": _keys(held)},
        status=422 if form.errors else 200,
    )  # fmt: skip


def _save(request: HttpRequest, held: Person, form: Edit) -> bool:
    with audit.alone():
        before = Person.objects.get(pk=held.pk)
        if before.role == "admin" and form.cleaned_data["role"] != "admin" and _is_last(before):
            form.add_error("role", say("web.people_last_admin"))
            return False
        wanted = {"role": form.cleaned_data["role"], "email": form.cleaned_data["email"], **form.scope}
        changed = {name: [getattr(before, name), value] for name, value in wanted.items() if getattr(before, name) != value}
        if form.cleaned_data["name"] != before.get_full_name():
            before.first_name, before.last_name = form.cleaned_data["name"], ""
            changed["name"] = form.cleaned_data["name"]
        for name, value in wanted.items():
            setattr(before, name, value)
        before.save()
        if changed:
            audit.record(request, "person_changed", "person", before.username, **changed)
    return True


def _is_last(admin: Person) -> bool:
    return not Person.objects.filter(role="admin", is_active=True).exclude(pk=admin.pk).exists()


@gate("people")
@require_POST
def do(request: HttpRequest, pk: int, deed: str) -> HttpResponse:
    """Do one of DEEDS to a person."""
    held = get_object_or_404(Person, pk=pk)
    if deed not in DEEDS:
        raise Http404
    return DEEDS[deed](request, held) or redirect("person", pk)


def _deactivate(request: HttpRequest, held: Person) -> None:
    with audit.alone():
        if held.role == "admin" and held.is_active and _is_last(held):
            messages.error(request, say("web.people_last_admin"))
            return
        Person.objects.filter(pk=held.pk).update(is_active=False)
        _end_sessions(held)
        audit.record(request, "person_deactivated", "person", held.username)
    messages.success(request, say("web.people_deactivated", name=held.name))


def _activate(request: HttpRequest, held: Person) -> None:
    with audit.alone():
        Person.objects.filter(pk=held.pk).update(is_active=True)
        audit.record(request, "person_activated", "person", held.username)
    messages.success(request, say("web.people_activated", name=held.name))


def _sign_out(request: HttpRequest, held: Person) -> None:
    with audit.alone():
        count = _end_sessions(held)
        audit.record(request, "sessions_ended", "person", held.username, count=count)
    messages.success(request, say("web.people_sessions_ended", name=held.name))


def _end_sessions(held: Person) -> int:
    held.end_sessions()
    sessions = list(UserSession.objects.filter(user=held))
    for session in sessions:
        session.end()
    return len(sessions)


def _forget_factors(request: HttpRequest, held: Person) -> None:
    with audit.alone():
        kinds = list(Authenticator.objects.filter(user=held).values_list("type", flat=True))
        Authenticator.objects.filter(user=held).delete()
        audit.record(request, "factors_removed", "person", held.username, factors=kinds)
    messages.success(request, say("web.people_factors_removed", name=held.name))


def _password_link(request: HttpRequest, held: Person) -> HttpResponse:
    words = {"uidb36": user_pk_to_url_str(held), "key": default_token_generator.make_token(held)}
    link = env.BASE_URL + reverse("account_reset_password_from_key", kwargs=words)
    audit.record(request, "password_link", "person", held.username)
    return _handed_over(request, {"link": link, "title": say("web.people_password_link_for", name=held.name), "hint": say("web.people_password_link_hint"), "sent": False})  # fmt: skip


DEEDS: dict[str, Callable[[HttpRequest, Person], HttpResponse | None]] = {
    "deactivate": _deactivate,
    "activate": _activate,
    "sign-out": _sign_out,
    "forget-factors": _forget_factors,
    "password-link": _password_link,
}
"""What can be done to a person besides changing what they may."""


@gate("people")
def invite(request: HttpRequest) -> HttpResponse:
    """Let somebody in: the link goes by mail, or is shown to be handed over."""
    form = Invite(request.POST or None, initial={"role": "viewer", "language": _of(request).language or request.LANGUAGE_CODE})
    if request.method == "POST" and form.is_valid():
        values = {**form.cleaned_data, **form.scope}
        made, link = inviting.invite(request, values)
        return _invited(request, made, link)
    return render(request, "accounts/invite.html", {"form": form, "table": _table()}, status=422 if form.errors else 200)


def _invited(request: HttpRequest, made: Invitation, link: str) -> HttpResponse:
    sent = inviting.send(made, link, _of(request))
    hint = "web.people_link_sent" if sent else "web.people_link_hint"
    words = {
        "link": link,
        "title": say("web.people_invited", email=made.email),
        "hint": say(hint, email=made.email, days=inviting.VALID.days),
    }
    return _handed_over(request, {**words, "sent": sent})


def _handed_over(request: HttpRequest, words: dict[str, Any]) -> HttpResponse:
    response = render(request, "accounts/link.html", words)
    response["Cache-Control"] = "no-store"
    return response


@gate("people")
@require_POST
def invitation(request: HttpRequest, pk: int, deed: str) -> HttpResponse:
    """Take an invitation back, or make a new link for it (the old one ends)."""
    held = get_object_or_404(Invitation, pk=pk, accepted_at=None)
    if deed == "revoke":
        with audit.alone():
            Invitation.objects.filter(pk=pk, accepted_at=None).update(revoked_at=timezone.now())
            audit.record(request, "invitation_revoked", "invitation", pk, email=held.email)
        messages.success(request, say("web.people_revoked", email=held.email))
        return HttpResponseRedirect(reverse("people"))
    if deed != "renew" or Person.objects.filter(email=held.email).exists():
        raise Http404
    values = {name: getattr(held, name) for name in ("email", "name", "language", "role", *SCOPES)}
    return _invited(request, *inviting.invite(request, values))


@gate("people")
def groups(request: HttpRequest) -> HttpResponse:
    """Groups whose name or number holds the words, to choose from: a piece of the form."""
    text = request.GET.get("q", "")
    return render(request, "accounts/_groups.html", {"groups": find_groups(whole_book(), text) if text.strip() else [], "text": text})


def _table() -> list[dict[str, Any]]:
    """What each role may: the table beside the choice."""
    return [{"role": role, "may": [(act, act in MAY[role]) for act in ACTS]} for role in ROLES]


def _keys(held: Person) -> Any:
    return ApiKey.objects.filter(person=held, revoked_at=None, expires_at__gt=timezone.now())
