"""A feed from the net: only what changed, only so much, only so long, and never from one's own network."""

from __future__ import annotations

import socket
import time

import pytest

from duecourse.errors import FeedDownError, FeedRefusedError
from duecourse.intake.feeds.fetching import Limits, fetch
from support.feeding import Press

HERE = Limits(seconds=2, most_bytes=100_000, networks=("127.0.0.0/8",))


@pytest.fixture
def press():
    made = Press(b"<rss/>")
    yield made
    made.end()


def test_what_did_not_change_is_not_sent_again(press):
    first = fetch(press.url, "press", limits=HERE)
    assert (first.content, first.etag, first.unchanged) == (b"<rss/>", '"one"', False)
    again = fetch(press.url, "press", etag=first.etag, modified=first.modified, limits=HERE)
    assert (again.unchanged, again.etag, again.modified) == (True, first.etag, first.modified)
    assert press.asked[1]["If-Modified-Since"] == first.modified
    press.etag, press.content = '"two"', b"<rss>new</rss>"
    assert fetch(press.url, "press", etag=first.etag, limits=HERE).content == press.content


@pytest.mark.parametrize(
    ("mode", "error", "why"),
    [
        ("down", FeedDownError, "HTTP 503"), ("gone", FeedRefusedError, "HTTP 404"), ("huge", FeedRefusedError, "size"), ("cut", FeedDownError, "cut off"),
        ("zip", FeedRefusedError, "encoding"), ("round", FeedRefusedError, "redirects"),
    ],
)  # fmt: skip
def test_what_goes_wrong_is_told(press, mode, error, why):
    press.mode = mode
    with pytest.raises(error) as caught:
        fetch(press.url, "press", limits=HERE)
    assert caught.value.args_["why"] == why
    assert len(press.asked) <= 4


def test_one_that_drips_is_cut_off_in_time(press):
    press.mode, press.content = "slow", b"x" * 1_000
    began = time.monotonic()
    with pytest.raises(FeedDownError, match="timeout"):
        fetch(press.url, "press", limits=Limits(seconds=0.4, networks=("127.0.0.0/8",)))
    assert time.monotonic() - began < 5


def test_too_large_is_told_before_it_is_read(press):
    press.content = b"x" * 200_000
    with pytest.raises(FeedRefusedError, match="size"):
        fetch(press.url, "press", limits=HERE)


def test_nobody_there():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(FeedDownError, match="unreachable"):
        fetch(f"http://127.0.0.1:{port}/", "press", limits=HERE)
    with pytest.raises(FeedDownError, match="DNS"):
        fetch("https://no-such-host.invalid/", "press", limits=HERE)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "https://127.0.0.1/", "https://localhost/", "https://10.1.2.3/", "https://169.254.169.254/latest", "https://[::1]/",
        "https://[::ffff:10.0.0.1]/", "file:///etc/passwd", "ftp://example.com/", "https://user:word@1.1.1.1/", "https://1.1.1.1:99999/", "https://", "x",
    ],
)  # fmt: skip
def test_the_own_network_is_never_asked(url, monkeypatch):
    monkeypatch.setattr(socket, "create_connection", lambda *_a, **_k: pytest.fail("connected"))
    if "example.com" in url:
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.215.14", 80))])
    with pytest.raises(FeedRefusedError):
        fetch(url, "press")


def test_a_redirect_into_the_own_network_is_refused(press):
    press.mode, press.address = "away", "http://10.0.0.1/secret"
    with pytest.raises(FeedRefusedError, match="address"):
        fetch(press.url, "press", limits=HERE)


def test_the_connection_goes_to_the_address_that_was_looked_at(monkeypatch):
    answers = [[(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))] for address in ("93.184.215.14", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: answers.pop(0))
    seen = []
    monkeypatch.setattr(socket, "create_connection", lambda place, *_a: seen.append(place) or (_ for _ in ()).throw(OSError()))
    with pytest.raises(FeedDownError):
        fetch("https://press.example/", "press")
    assert seen == [("93.184.215.14", 443)]
