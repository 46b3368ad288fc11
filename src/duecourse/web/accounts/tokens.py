"""Secrets that are handed over once and kept as hashes: API keys, invitations, the set-up token."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
from typing import Final

KEY: Final = re.compile(r"dck_([A-Za-z0-9]{8})_[A-Za-z0-9_-]{43}")
"""An API key: a mark that secret scanners can look for, a public prefix it is found by, 256 random bits."""

_LETTERS: Final = string.ascii_letters + string.digits


def new_key() -> tuple[str, str]:
    """Prefix and token of a new API key."""
    prefix = "".join(secrets.choice(_LETTERS) for _ in range(8))
    return prefix, f"dck_{prefix}_{secrets.token_urlsafe(32)}"


def prefix_of(token: str) -> str:
    """The public part of a key; empty if it has not the form of one."""
    found = KEY.fullmatch(token)
    return found[1] if found else ""


def new_token() -> str:
    """256 random bits for a link."""
    return secrets.token_urlsafe(32)


def digest(token: str) -> str:
    """What is kept of it. The token is random and long, so a plain hash cannot be guessed back."""
    return hashlib.sha256(token.encode()).hexdigest()


def same(one: str, other: str) -> bool:
    """Equal? Takes the same time whatever the answer."""
    return hmac.compare_digest(one.encode(), other.encode())
