"""What happens elsewhere and belongs into the audit trail: signing in and out, passwords, second factors. Connected when the app is ready."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.models import EmailAddress  # type: ignore[import-untyped]
from allauth.core import context  # type: ignore[import-untyped]
from allauth.mfa.models import Authenticator  # type: ignore[import-untyped]
from django.contrib.auth import signals as auth
from django.db.models import Q
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from duecourse.web.accounts import audit
from duecourse.web.accounts.models import Person

if TYPE_CHECKING:
    from django.http import HttpRequest


@receiver(post_save, sender=Person)
def keep_address(instance: Person, update_fields: Any = None, **_more: Any) -> None:
    """The library keeps addresses in a table of its own. Ours are the administrator's word and count as verified."""
    if update_fields is not None and "email" not in update_fields:
        return
    addresses = EmailAddress.objects.filter(user=instance)
    if [one.email for one in addresses] != [instance.email]:
        addresses.delete()
        EmailAddress.objects.create(user=instance, email=instance.email, verified=True, primary=True)


@receiver(auth.user_logged_in)
def signed_in(request: HttpRequest, user: Person, **_more: Any) -> None:
    """Somebody came in, and how."""
    ways = [one.get("method", "") for one in request.session.get("account_authentication_methods", [])]
    audit.record_as(request, user, "signed_in", "person", user.username, ways=ways)


@receiver(auth.user_logged_out)
def signed_out(request: HttpRequest, user: Person | None, **_more: Any) -> None:
    """Somebody left."""
    if user is not None:
        audit.record_as(request, user, "signed_out", "person", user.username)


@receiver(auth.user_login_failed)
def refused(credentials: dict[str, Any], request: HttpRequest | None = None, **_more: Any) -> None:
    """Somebody did not come in. What was typed is kept only where it is somebody's name: people type passwords into the wrong field."""
    typed = str(credentials.get("username") or credentials.get("email") or "")
    known = Person.objects.filter(Q(username__iexact=typed) | Q(email__iexact=typed)).first() if typed else None
    audit.record(request, "sign_in_failed", "person", known.username if known else "")


@receiver(post_save, sender=Authenticator)
def factor_added(instance: Any, created: bool = False, **_more: Any) -> None:
    """A second factor, or a set of recovery codes, came to be; in the transaction that made it."""
    _factor("factor_added" if created else "", instance)


@receiver(post_delete, sender=Authenticator)
def factor_removed(instance: Any, **_more: Any) -> None:
    """One is gone."""
    _factor("factor_removed", instance)


def _factor(act: str, one: Any) -> None:
    if act:
        audit.record(context.request, act, "person", one.user.username, factor=str(one.type))
