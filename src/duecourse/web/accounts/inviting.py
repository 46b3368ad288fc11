"""How somebody becomes one of us: by an invitation, used once, within a week; or by the word of an identity provider, where that is configured."""

from __future__ import annotations

import logging
from datetime import timedelta
from smtplib import SMTPException
from typing import TYPE_CHECKING, Final

from django.core.mail import send_mail
from django.urls import reverse
from django.utils import timezone

from duecourse.messages import say
from duecourse.web import environment as env
from duecourse.web.accounts import audit, tokens
from duecourse.web.accounts.models import SCOPES, Invitation, Person

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from django.http import HttpRequest

    from duecourse.messages import Language

log = logging.getLogger("duecourse.people")

VALID: Final = timedelta(days=7)


def invite(request: HttpRequest, values: Mapping[str, Any]) -> tuple[Invitation, str]:
    """A new invitation and its link, which is shown once and kept nowhere. An open one for the same address is revoked."""
    token = tokens.new_token()
    by: Person = request.user  # type: ignore[assignment]
    with audit.alone():
        Invitation.objects.filter(email=values["email"], accepted_at=None, revoked_at=None).update(revoked_at=timezone.now())
        made = Invitation.objects.create(
            email=values["email"], name=values.get("name", ""), language=values.get("language", ""), role=values["role"],
            token_hash=tokens.digest(token), invited_by=by, expires_at=timezone.now() + VALID,
            **{name: values.get(name, []) for name in SCOPES},
        )  # fmt: skip
        audit.record(request, "invited", "invitation", made.pk, email=made.email, role=made.role, **_rows(made))
    return made, env.BASE_URL + reverse("join", args=[token])


def send(invitation: Invitation, link: str, by: Person) -> bool:
    """Send the link by mail; False where there is no mail server, or it would not take it: then the link is handed over by hand."""
    if not env.EMAIL_URL:
        return False
    lang: Language = "zh" if invitation.language.startswith("zh") else "en"
    body = say("web.people_mail_invited", lang, name=invitation.name or invitation.email, by=by.name, link=link, days=VALID.days)
    try:
        send_mail(say("web.people_mail_invited_subject", lang, by=by.name), body, None, [invitation.email])
    except (OSError, SMTPException) as error:
        log.warning("an invitation could not be sent by mail: %s", type(error).__name__)
        return False
    return True


def find(token: str) -> Invitation | None:
    """The invitation of a link, whatever has become of it."""
    return Invitation.objects.select_related("invited_by").filter(token_hash=tokens.digest(token)).first()


def accept(request: HttpRequest, invitation: Invitation, name: str, password: str | None, way: str = "link") -> Person | None:
    """Make the invited person; None if the invitation is no longer open, or the address has become somebody's meanwhile."""
    with audit.alone():
        held = Invitation.objects.select_for_update().get(pk=invitation.pk)
        if held.state != "open" or Person.objects.filter(email=held.email).exists():
            return None
        person = _person(held.email, name or held.name, held.role)
        person.language = held.language
        for column in SCOPES:
            setattr(person, column, getattr(held, column))
        person.set_password(password)
        person.save()
        held.accepted_at, held.accepted_by = timezone.now(), person
        held.save(update_fields=["accepted_at", "accepted_by"])
        audit.record_as(request, person, "joined", "person", person.username, way=way, invitation=held.pk, role=person.role)
    return person


def accept_by_email(request: HttpRequest, email: str, name: str, provider: str) -> Person | None:
    """The same, of the open invitation at an address that an identity provider vouches for."""
    waiting = Invitation.objects.filter(email=email, accepted_at=None, revoked_at=None, expires_at__gt=timezone.now()).first()
    return accept(request, waiting, name, None, provider) if waiting else None


def let_in(request: HttpRequest, email: str, name: str, role: str, provider: str) -> Person:
    """A person nobody invited, because the identity provider's configuration says so."""
    with audit.alone():
        person = _person(email, name, role)
        person.set_password(None)
        person.save()
        audit.record_as(request, person, "joined", "person", person.username, way=provider, role=role)
    return person


def _person(email: str, name: str, role: str) -> Person:
    return Person(username=free_username(email.partition("@")[0]), email=email, first_name=name[:150], role=role)


def free_username(wish: str) -> str:
    """The wish, or the wish with a number: nobody else's, in capitals or not."""
    kept = "".join(sign for sign in wish if sign.isalnum() or sign in "._-+")[:100] or "person"
    number, name = 1, kept
    while Person.objects.filter(username__iexact=name).exists():
        number += 1
        name = f"{kept}{number}"
    return name


def _rows(one: Invitation | Person) -> dict[str, object]:
    return {name: getattr(one, name) for name in SCOPES if getattr(one, name)}
