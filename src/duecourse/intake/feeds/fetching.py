"""A feed's file from the net: only from public addresses, only so much, only so long, and only if it changed.  抓取

The name is looked up once and the connection goes to the address that was looked at; each redirect is looked at in the same way.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

from duecourse.errors import FeedDownError, FeedRefusedError
from duecourse.reference.addresses import may_reach

if TYPE_CHECKING:
    from collections.abc import Sequence

CONNECT_SECONDS: Final = 10.0
CHUNK: Final = 1 << 16
REDIRECTS: Final = (301, 302, 303, 307, 308)
GONE: Final = (401, 403, 404, 410)
"""Answers that will not change by asking again."""
AGENT: Final = "Duecourse-Feeds/1"


@dataclass(frozen=True)
class Limits:
    """What a feed may cost: whole seconds of one fetch, bytes, redirects; and the networks of one's own that may be asked (CIDR)."""

    seconds: float = 60.0
    most_bytes: int = 50 << 20
    redirects: int = 3
    networks: Sequence[str] = ()


@dataclass(frozen=True)
class Fetched:
    """What came: the content, or `unchanged`; and what to send along next time."""

    content: bytes = b""
    etag: str = ""
    modified: str = ""
    unchanged: bool = False


@dataclass
class _Clock:
    """Ends a connection that takes too long, whatever it is doing: a server that sends a byte a minute never runs into a socket's time-out."""

    seconds: float
    began: float = field(default_factory=time.monotonic)
    sock: socket.socket | None = None
    ended: bool = False

    def __post_init__(self) -> None:
        self._timer = threading.Timer(self.seconds, self._end)
        self._timer.daemon = True
        self._timer.start()

    def _end(self) -> None:
        self.ended = True
        if self.sock is not None:
            with contextlib.suppress(OSError):
                self.sock.shutdown(socket.SHUT_RDWR)

    def stop(self) -> None:
        self._timer.cancel()


def fetch(url: str, name: str, *, etag: str = "", modified: str = "", limits: Limits | None = None) -> Fetched:
    """Get a feed's file.

    name            the feed's, for what is said when it fails
    etag, modified  as they came with the last answer: the server then says `unchanged` instead of sending everything again

    Raises FeedDownError for what may pass, FeedRefusedError for what will not.
    """
    limits = limits or Limits()
    clock = _Clock(limits.seconds)
    try:
        for _ in range(limits.redirects + 1):
            answer = _asked(url, name, {"If-None-Match": etag, "If-Modified-Since": modified}, limits, clock)
            if isinstance(answer, Fetched):
                return answer
            url = urljoin(url, answer)
        raise FeedRefusedError(feed=name, why="redirects")
    finally:
        clock.stop()


def _place(url: str, name: str, limits: Limits) -> tuple[str, str, int, str, str]:
    """Scheme, host, port, path, and the one address the connection goes to."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise FeedRefusedError(feed=name, why="url") from None
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host or parts.username is not None or parts.password is not None:
        raise FeedRefusedError(feed=name, why="url")
    port = port or (443 if parts.scheme == "https" else 80)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise FeedDownError(feed=name, why="DNS") from None
    addresses = [ipaddress.ip_address(str(one[4][0]).partition("%")[0]) for one in found]
    if not addresses or not all(may_reach(one, parts.scheme, limits.networks) for one in addresses):
        raise FeedRefusedError(feed=name, why="address")
    return parts.scheme, host, port, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), str(addresses[0])


def _asked(url: str, name: str, conditions: dict[str, str], limits: Limits, clock: _Clock) -> Fetched | str:
    """The answer of one address, or where it sends us."""
    scheme, host, port, path, address = _place(url, name, limits)
    connection = _Pinned(scheme, host, port, address, clock)
    headers = {"User-Agent": AGENT, "Accept-Encoding": "identity", **{key: value for key, value in conditions.items() if value}}
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        if response.status in REDIRECTS and response.headers.get("Location"):
            return str(response.headers["Location"])
        _good(response, name)
        told = {"etag": response.headers.get("ETag", ""), "modified": response.headers.get("Last-Modified", "")}
        if response.status == http.client.NOT_MODIFIED:
            return Fetched(
                etag=told["etag"] or conditions["If-None-Match"],
                modified=told["modified"] or conditions["If-Modified-Since"],
                unchanged=True,
            )
        return Fetched(_body(response, name, limits, clock), told["etag"], told["modified"])
    except TimeoutError:
        raise FeedDownError(feed=name, why="timeout") from None
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        tls = isinstance(error, ssl.SSLError) and not clock.ended
        raise FeedDownError(feed=name, why="timeout" if clock.ended else "TLS" if tls else "unreachable") from None
    finally:
        connection.close()


def _good(response: http.client.HTTPResponse, name: str) -> None:
    if response.status in (http.client.OK, http.client.NOT_MODIFIED):
        return
    if response.status in GONE:
        raise FeedRefusedError(feed=name, why=f"HTTP {response.status}")
    raise FeedDownError(feed=name, why=f"HTTP {response.status}")


def _body(response: http.client.HTTPResponse, name: str, limits: Limits, clock: _Clock) -> bytes:
    if response.headers.get("Content-Encoding", "identity") not in ("", "identity"):
        raise FeedRefusedError(feed=name, why="encoding")  # not asked for; a small answer could unpack into a large one
    if (response.length or 0) > limits.most_bytes:
        raise FeedRefusedError(feed=name, why="size")
    pieces, size, promised = [], 0, response.length
    while piece := response.read1(CHUNK):
        size += len(piece)
        pieces.append(piece)
        if size > limits.most_bytes:
            raise FeedRefusedError(feed=name, why="size")
    if clock.ended:
        raise FeedDownError(feed=name, why="timeout")
    if promised is not None and size < promised:
        raise FeedDownError(feed=name, why="cut off")
    return b"".join(pieces)


class _Pinned(http.client.HTTPConnection):
    """A connection to the address that was looked at, under the name that was asked for."""

    def __init__(self, scheme: str, host: str, port: int, address: str, clock: _Clock) -> None:
        super().__init__(host, port, timeout=CONNECT_SECONDS)
        self._scheme, self._address, self._clock = scheme, address, clock
        if scheme == "https":
            self.default_port = 443

    def connect(self) -> None:
        """To the address, not to whatever the name means by now."""
        left = self._clock.seconds - (time.monotonic() - self._clock.began)
        if self._clock.ended or left <= 0:
            raise TimeoutError
        self.sock = socket.create_connection((self._address, self.port), min(CONNECT_SECONDS, left))
        self._clock.sock = self.sock
        if self._scheme == "https":
            self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)
            self._clock.sock = self.sock
