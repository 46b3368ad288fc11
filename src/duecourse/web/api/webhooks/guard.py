"""A webhook must not become a way into the firm's own network: where an address really leads is looked at, and held to.

The name is looked up once, every address it has must be allowed, and the connection goes to the address that was looked at, so that a
name cannot lead elsewhere a moment later. Redirects are not followed.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from duecourse.reference.addresses import may_reach
from duecourse.web import environment as env

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Address = ipaddress.IPv4Address | ipaddress.IPv6Address

SECONDS: Final = 10.0
READ_MOST: Final = 500
LONGEST_WAIT_SECONDS: Final = 86_400.0
AGENT: Final = "Duecourse-Webhooks/1"


class RefusedError(Exception):
    """The address must not be written to. `code` names the sentence `web.api_webhook_<code>`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Target:
    """Where a message goes: the URL's parts, and the one address the connection is made to."""

    scheme: str
    host: str
    port: int
    path: str
    address: str


@dataclass(frozen=True)
class Outcome:
    """What came of it: an HTTP status and the beginning of the answer, or a fault.

    handed_over          the message had left when the fault came: it may have arrived
    retry_after_seconds  when the receiver wants to hear from us again; 0 = it does not say
    """

    status: int | None
    milliseconds: int
    answer: str = ""
    fault: str = ""
    handed_over: bool = False
    retry_after_seconds: float = 0.0


def target_of(url: str) -> Target:
    """Where does a URL lead? Raises RefusedError."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise RefusedError("url_wrong") from None
    host = parts.hostname or ""
    if parts.scheme not in ("https", "http") or not host or parts.username is not None or parts.password is not None:
        raise RefusedError("url_wrong")
    port = port or (443 if parts.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise RefusedError("host_unknown") from None
    addresses = [ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in found]
    if not addresses or not all(_allowed(one, parts.scheme) for one in addresses):
        raise RefusedError("address_refused")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, host, port, path, str(addresses[0]))


def _allowed(address: Address, scheme: str) -> bool:
    """A public address over https, or one of a network that was allowed by name."""
    return may_reach(address, scheme, env.WEBHOOK_NETWORKS)


def post(target: Target, body: bytes, headers: Mapping[str, str], *, before: Callable[[], bool] | None = None) -> Outcome:
    """Send a message; raises only what `before` raises.

    before  called when the connection stands; where it says no, nothing is handed over
    """
    began = time.monotonic()

    def spent() -> int:
        return round((time.monotonic() - began) * 1000)

    connection = _Pinned(target)
    handed_over = False
    try:
        connection.connect()
        if before is not None and not before():
            return Outcome(None, spent(), fault="stopped")
        handed_over = True
        connection.request("POST", target.path, body, {"User-Agent": AGENT, "Content-Type": "application/json", **headers})
        response = connection.getresponse()
        text = response.read(READ_MOST).decode("utf-8", "replace")
    except TimeoutError:
        return Outcome(None, spent(), fault="timeout", handed_over=handed_over)
    except ssl.SSLError:
        return Outcome(None, spent(), fault="tls", handed_over=handed_over)
    except (OSError, http.client.HTTPException, UnicodeError):
        return Outcome(None, spent(), fault="unreachable", handed_over=handed_over)
    finally:
        connection.close()
    wait = response.headers.get("Retry-After", "")
    seconds = min(float(wait), LONGEST_WAIT_SECONDS) if wait.isdecimal() else 0.0
    return Outcome(response.status, spent(), text.replace("\0", ""), handed_over=True, retry_after_seconds=seconds)


class _Pinned(http.client.HTTPConnection):
    """A connection to the address that was looked at, under the name that was asked for."""

    def __init__(self, target: Target) -> None:
        super().__init__(target.host, target.port, timeout=SECONDS)
        self._target = target
        if target.scheme == "https":
            self.default_port = 443

    def connect(self) -> None:
        """To the address, not to whatever the name means by now."""
        self.sock = socket.create_connection((self._target.address, self._target.port), SECONDS)
        if self._target.scheme == "https":
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(self.sock, server_hostname=self._target.host)
