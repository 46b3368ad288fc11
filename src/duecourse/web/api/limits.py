"""How much one key may ask: a token bucket in the database, of which each process takes a handful at a time."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.db import IntegrityError, transaction

from duecourse.web import environment as env
from duecourse.web.api.models import RateBucket
from duecourse.web.api.problems import Problem

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

WINDOW_SECONDS: Final = 60
HANDFUL: Final = 20
"""A process takes so many tokens of a full bucket's twentieth part at once, so that most requests ask the database nothing."""


@dataclass
class _Purse:
    """Tokens this process has taken and not yet spent; they are worth nothing after a while, and go back by time alone."""

    tokens: int = 0
    left: float = 0.0
    until: float = 0.0


_guard = threading.Lock()
_purses: dict[str, _Purse] = {}


def _rate() -> tuple[float, float]:
    """Tokens a second, and how many a bucket holds."""
    quota = max(1, env.API_RATE)
    return quota / WINDOW_SECONDS, float(quota)


def take(request: HttpRequest, name: str) -> None:
    """Spend one token. Raises Problem 429 with what the caller needs to know to wait."""
    _speed, size = _rate()
    with _guard:
        purse = _purses.setdefault(name, _Purse())
        now = time.time()
        if purse.tokens < 1 or now > purse.until:
            wanted = max(1, int(size / HANDFUL))
            purse.tokens, purse.left = _drawn(name, wanted)
            purse.until = now + WINDOW_SECONDS / HANDFUL
        got = purse.tokens >= 1
        purse.tokens -= got
        left = int(purse.left + purse.tokens)
    request.rate_left = max(0, left)  # type: ignore[attr-defined]
    if not got:
        wait = max(1, round((1 - purse.left) / _rate()[0] + 0.5))
        raise Problem(429, headers={"Retry-After": str(wait)}, seconds=wait, quota=int(size))


def _drawn(name: str, wanted: int) -> tuple[int, float]:
    """So many tokens of the bucket as there are, at most `wanted`, and what is left in it."""
    speed, size = _rate()
    while True:
        bucket = RateBucket.objects.filter(name=name).first()
        now = time.time()
        if bucket is None:
            try:
                with transaction.atomic():
                    RateBucket.objects.create(name=name, tokens=size, counted_at=now)
            except IntegrityError:
                pass
            continue
        there = min(size, bucket.tokens + max(0.0, now - bucket.counted_at) * speed)
        given = min(wanted, int(there))
        if not given:
            return 0, there
        moved = RateBucket.objects.filter(pk=bucket.pk, turn=bucket.turn).update(tokens=there - given, counted_at=now, turn=bucket.turn + 1)
        if moved:
            return given, there - given


def headers(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """The RateLimit headers of the IETF draft."""
    left = getattr(request, "rate_left", None)
    if left is not None:
        quota = int(_rate()[1])
        response["RateLimit-Policy"] = f'"requests";q={quota};w={WINDOW_SECONDS}'
        response["RateLimit"] = f'"requests";r={left};t={WINDOW_SECONDS}'
    return response


def forget() -> None:
    """Spend nothing that was taken: for tests."""
    with _guard:
        _purses.clear()
