"""What this app decides where allauth asks: nobody signs up, mail addresses are the administrator's, secrets are kept encrypted."""

from __future__ import annotations

import base64
import hashlib
import time
from typing import TYPE_CHECKING, Any

from allauth.account.adapter import DefaultAccountAdapter  # type: ignore[import-untyped]
from allauth.account.internal.flows.login import get_authentication_records  # type: ignore[import-untyped]
from allauth.core import context  # type: ignore[import-untyped]
from allauth.mfa.adapter import DefaultMFAAdapter  # type: ignore[import-untyped]
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter  # type: ignore[import-untyped]
from cryptography.fernet import Fernet
from django.conf import settings
from django.core.exceptions import PermissionDenied

from duecourse.web.accounts import audit, client, inviting
from duecourse.web.accounts.models import Person

if TYPE_CHECKING:
    from django.http import HttpRequest


class Accounts(DefaultAccountAdapter):  # type: ignore[misc]
    """Sign-in and passwords."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002 — allauth's signature
        """Never: people are invited."""
        return False

    def is_reauthentication_required(self, *, app: str) -> bool:
        """Before something sensitive, unless somebody signed in a moment ago, or has nothing to prove themselves with but their provider."""
        request = context.request
        if not super().is_reauthentication_required(app=app) or not self.get_reauthentication_methods(request.user):
            return False
        newest = max((one["at"] for one in get_authentication_records(request, request.user)), default=0)
        return bool(time.time() - newest > settings.ACCOUNT_REAUTHENTICATION_TIMEOUT)

    def set_password(self, user: Person, password: str) -> None:
        """Changed, set for the first time, or set anew by a link; the trail says so in the same transaction."""
        request = context.request
        with audit.alone():
            super().set_password(user, password)
            act = "password_changed" if request.user.is_authenticated else "password_reset"
            audit.record_as(request, user, act, "person", user.username)

    def get_client_ip(self, request: HttpRequest) -> str:
        """The same address everywhere."""
        return client.address(request)


class SecondFactors(DefaultMFAAdapter):  # type: ignore[misc]
    """Second factors, whose secrets do not stand in the database as they are."""

    def encrypt(self, text: str) -> str:
        """For the database."""
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """From the database."""
        return _cipher().decrypt(encrypted_text.encode()).decode()


class Providers(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Identity providers: they say who somebody is, we say whether they are one of us."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:  # noqa: ARG002 — allauth's signature
        """Never: see `authenticate_by_email`."""
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:  # noqa: ARG002 — allauth's signature
        """Only to sign in: an account is never connected to somebody who is signed in already."""
        if sociallogin.state.get("process") not in (None, "login"):
            raise PermissionDenied

    def authenticate_by_email(self, sociallogin: Any) -> tuple[Person, str] | None:
        """The person with a verified address of this sign-in, or the one invited at it, or, where configured, a new one."""
        options = sociallogin.provider.app.settings or {}
        trusted = bool(options.get("emails_are_verified"))
        for address in sociallogin.email_addresses:
            if not (address.verified or trusted):
                continue
            email = address.email.lower()
            person = Person.objects.filter(email=email).first()
            if person is None:
                name = " ".join(filter(None, (sociallogin.user.first_name, sociallogin.user.last_name)))
                person = inviting.accept_by_email(self.request, email, name, sociallogin.account.provider)
            if (
                person is None
                and options.get("create")
                and email.rpartition("@")[2] in (options.get("domains") or [email.rpartition("@")[2]])
            ):
                person = inviting.let_in(self.request, email, name, options["create"], sociallogin.account.provider)
            if person is not None:
                return person, email
        return None


def _cipher() -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(b"second factors:" + settings.SECRET_KEY.encode()).digest()))
