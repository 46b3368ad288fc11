"""From where a request comes."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from duecourse.web import environment as env

if TYPE_CHECKING:
    from django.http import HttpRequest


def address(request: HttpRequest) -> str:
    """The IP address of whoever asks. A header is believed only as far as the proxies of our own reach (DUECOURSE_PROXIES)."""
    if env.PROXIES:
        hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
        if len(hops) >= env.PROXIES and _is_address(hops[-env.PROXIES]):
            return hops[-env.PROXIES]
    given = str(request.META.get("REMOTE_ADDR", ""))
    return given if _is_address(given) else "0.0.0.0"  # noqa: S104 — nothing is bound to it: a socket without a peer address


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
