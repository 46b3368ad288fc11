"""What guards every request: headers, the size of what is sent, how long a session lasts, and a place where browsers report breaches of the CSP."""

from __future__ import annotations

import json
import logging
import re
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from django.contrib.auth import logout
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from duecourse.messages import say
from duecourse.web import environment as env

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django.http import HttpRequest

    Handler = Callable[[HttpRequest], HttpResponse]

log = logging.getLogger("duecourse.security")

PERMISSIONS: Final = ", ".join(
    [
        *(
            f"{name}=()"
            for name in (
                "accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "fullscreen", "geolocation", "gyroscope",
                "magnetometer", "microphone", "midi", "payment", "picture-in-picture", "screen-wake-lock", "usb", "xr-spatial-tracking",
            )
        ),
        "publickey-credentials-get=(self)",
        "publickey-credentials-create=(self)",
    ]
)  # fmt: skip
"""No page needs the machine's sensors; passkeys are for our own pages alone."""

LIMITS: Final[Mapping[str, int]] = {
    "/imports/": env.UPLOAD_LIMIT,
    "/quarantine/": env.UPLOAD_LIMIT,
    "/documents/upload/": env.UPLOAD_LIMIT,
    "/api/": 256 * 2**20,
}
"""What may be sent, in bytes, by where it is sent to."""

SMALL: Final = 2 * 2**20
"""What may be sent anywhere else: forms."""

REMEMBERED_SECONDS: Final = 14 * 24 * 3600
NOTED_EVERY: Final = 300


class Headers:
    """What the browser may do with our pages."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.handler(request)
        response.setdefault("Permissions-Policy", PERMISSIONS)
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.setdefault("X-Permitted-Cross-Domain-Policies", "none")
        person = getattr(request, "user", None)
        if person is not None and person.is_authenticated and "Cache-Control" not in response:
            response["Cache-Control"] = "private, no-store"  # figures do not stay on a shared machine after signing out
        return response


class UploadLimit:
    """Refuses what is too large before a byte of it is read."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler

    def __call__(self, request: HttpRequest) -> HttpResponse:
        limit = next((limit for start, limit in LIMITS.items() if request.path.startswith(start)), SMALL)
        try:
            size = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            size = 0
        if size > limit:
            message = say("web.people_too_large", limit=f"{limit // 2**20:,}")
            if request.path.startswith("/api/"):
                problem = {"type": "about:blank", "title": message, "status": 413}
                return HttpResponse(json.dumps(problem, ensure_ascii=False), status=413, content_type="application/problem+json")
            return render(request, "error.html", {"message": message, "hint": say("web.people_too_large_hint")}, status=413)
        return self.handler(request)


class SessionLimits:
    """Ends a session that was not used for some hours (settings: DUECOURSE_SESSION_HOURS), or that is two weeks old, remembered or not."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.session.session_key is not None and request.user.is_authenticated:
            now = int(time.time())
            began, seen = request.session.get("began", now), request.session.get("seen", 0)
            idle = env.SESSION_HOURS * 3600 if request.session.get_expire_at_browser_close() else REMEMBERED_SECONDS
            if now - began > REMEMBERED_SECONDS or (seen and now - seen > idle):
                logout(request)
            elif now - seen > NOTED_EVERY:
                request.session["began"], request.session["seen"] = began, now
        return self.handler(request)


_told: deque[float] = deque(maxlen=30)


@csrf_exempt
@require_POST
def csp_report(request: HttpRequest) -> HttpResponse:
    """A browser refused something because of our policy: a line in the log, thirty a minute at most. Anybody may send it, so nothing in it is believed."""
    answer = HttpResponse(status=204)
    now = time.monotonic()
    if int(request.META.get("CONTENT_LENGTH") or 0) > 16_384 or (len(_told) == _told.maxlen and now - _told[0] < 60):
        return answer
    _told.append(now)
    try:
        report = json.loads(request.body)
        report = report.get("csp-report", report) if isinstance(report, dict) else report[0].get("body", {})
        told = {
            name: _clean(report.get(name))
            for name in ("violated-directive", "effective-directive", "blocked-uri", "document-uri", "line-number")
        }
    except (ValueError, AttributeError, IndexError, KeyError, TypeError):
        return answer
    log.warning("content security policy: %s", " ".join(f"{name}={value}" for name, value in told.items() if value))
    return answer


def _clean(value: Any) -> str:
    """An address without its query, anything else in plain letters, short."""
    text = str(value or "")
    if "://" in text:
        parts = urlsplit(text)
        text = f"{parts.scheme}://{parts.hostname or ''}{parts.path}"
    return re.sub(r"[^\w:/.%-]+", " ", text)[:200].strip()
