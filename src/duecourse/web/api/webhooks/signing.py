"""Signatures by the Standard Webhooks specification, and the secrets they are made with, enciphered where they are kept."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.utils import timezone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duecourse.web.api.models import WebhookEndpoint

PREFIX: Final = "whsec_"
OVERLAP: Final = timedelta(hours=24)
"""After a secret was replaced the old one signs too for so long, so that the receiver can change over in peace."""


def new_secret() -> str:
    """A secret of 256 bits as it is shown, once."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def sign(secret: str, message_id: str, at: int, body: bytes) -> str:
    """`v1,` and the HMAC-SHA256 of id, moment and body."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{message_id}.{at}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def signatures(endpoint: WebhookEndpoint, message_id: str, at: int, body: bytes) -> str:
    """The header `webhook-signature`: one signature for each secret that holds now."""
    return " ".join(sign(secret, message_id, at, body) for secret in secrets_of(endpoint))


def secrets_of(endpoint: WebhookEndpoint) -> Sequence[str]:
    """The secret, and the one before it while it still holds. Raises SealBrokenError."""
    found = [opened(endpoint.sealed)]
    if endpoint.sealed_before and endpoint.before_until and endpoint.before_until > timezone.now():
        found.append(opened(endpoint.sealed_before))
    return found


def rotate(endpoint: WebhookEndpoint) -> str:
    """Give an endpoint a new secret; shown once."""
    secret = new_secret()
    endpoint.sealed_before, endpoint.before_until = endpoint.sealed, timezone.now() + OVERLAP
    endpoint.sealed = sealed(secret)
    endpoint.save(update_fields=["sealed", "sealed_before", "before_until"])
    return secret


class SealBrokenError(Exception):
    """The app's secret key has changed since: the endpoint needs a new secret."""


def _cipher() -> Fernet:
    key = hashlib.sha256(b"duecourse webhooks\0" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))


def sealed(secret: str) -> str:
    """Enciphered, to be kept."""
    return _cipher().encrypt(secret.encode()).decode()


def opened(text: str) -> str:
    """Deciphered. Raises SealBrokenError."""
    try:
        return _cipher().decrypt(text.encode()).decode()
    except InvalidToken:
        raise SealBrokenError from None
