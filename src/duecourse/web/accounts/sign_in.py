"""How people sign in, read from the environment: identity providers and the mail server. Imported by the settings: nothing of Django here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from duecourse.errors import OptionMisusedError
from duecourse.messages import say

NEEDED: Final = ("provider_id", "name", "client_id", "secret", "server_url")
ROLES: Final = ("viewer", "sales", "collector", "legal", "credit_analyst", "credit_manager", "auditor")
"""What an identity provider may make of somebody who was not invited: never an administrator."""


FORMS: Final = {
    "login": "SignIn",
    "change_password": "ChangePassword",
    "set_password": "SetPassword",
    "reset_password": "Forgotten",
    "reset_password_from_key": "NewPassword",
    "reauthenticate": "Again",
}
"""allauth's forms by its names for them, as `sign_in_forms` has them."""


def providers(text: str) -> list[dict[str, Any]]:
    """The list of OpenID Connect providers, from a JSON text or the name of a file with one. Raises OptionMisusedError."""
    if not text:
        return []
    try:
        listed = json.loads(text if text.lstrip().startswith(("[", "{")) else Path(text).read_text(encoding="utf-8"))
        return [_provider(one) for one in ([listed] if isinstance(listed, dict) else listed)]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        # The text holds secrets: what was wrong is said, not what was found.
        raise OptionMisusedError(
            option="DUECOURSE_OIDC", value="…", hint=say("web.people_oidc_hint", reason=type(error).__name__)
        ) from None


def _provider(one: dict[str, Any]) -> dict[str, Any]:
    missing = [name for name in NEEDED if not one.get(name)]
    role = one.get("create") or ""
    if missing or (role and role not in ROLES):
        raise KeyError(missing or role)
    secret = str(one["secret"])
    if secret.startswith("file:"):
        secret = Path(secret.removeprefix("file:")).read_text(encoding="utf-8").strip()
    return {
        "provider_id": str(one["provider_id"]),
        "name": str(one["name"]),
        "client_id": str(one["client_id"]),
        "secret": secret,
        "settings": {
            "server_url": str(one["server_url"]),
            "token_auth_method": one.get("token_auth_method"),
            "oauth_pkce_enabled": one.get("pkce", True),
            "emails_are_verified": bool(one.get("emails_are_verified", False)),
            "create": role,
            "domains": [str(domain).lower() for domain in one.get("domains", [])],
        },
    }


def mail(url: str) -> dict[str, Any]:
    """Django's settings for a mail server: smtp:// with STARTTLS, smtps:// with TLS from the start, smtp+plain:// without either."""
    if not url:
        return {}
    parts = urlsplit(url)
    return {
        "EMAIL_HOST": parts.hostname or "localhost",
        "EMAIL_PORT": parts.port or {"smtps": 465, "smtp+plain": 25}.get(parts.scheme, 587),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": parts.scheme == "smtp",
        "EMAIL_USE_SSL": parts.scheme == "smtps",
    }
