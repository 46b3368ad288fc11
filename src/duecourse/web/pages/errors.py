"""Pages that say what went wrong and what to do, in the frame where it stands, without it where even the frame fails."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from duecourse.messages import language, say
from duecourse.web.faults import of_the_machine

if TYPE_CHECKING:
    from django.http import HttpRequest


def _page(request: HttpRequest, name: str, status: int, hint: str = "") -> HttpResponse:
    words = {"message": say(f"web.frame_error_{name}"), "hint": say(hint or f"web.frame_error_{name}_hint"), "status": status}
    return render(request, "error.html", words, status=status)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 — Django's signature
    """400: the request cannot be read."""
    return _page(request, "400", 400)


def refused(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 — Django's signature
    """403: not allowed."""
    return _page(request, "403", 403)


def form_refused(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 — Django's signature
    """403: the form's token is missing or old."""
    return _page(request, "403", 403, "web.frame_error_csrf_hint")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 — Django's signature
    """404: nothing at this address."""
    return _page(request, "404", 404)


def fault(request: HttpRequest) -> HttpResponse:
    """500: our own fault, or 503 and 507 of the machine's. The frame may be what failed: then the same words stand on a page without it."""
    cannot = of_the_machine(sys.exc_info()[1])
    if cannot is not None:
        return _machine(request, *cannot)
    try:
        return _page(request, "500", 500)
    except Exception:  # noqa: BLE001 — whatever it was, it is being logged already; the person needs an answer
        words: dict[str, Any] = {
            "message": say("web.frame_error_500"),
            "hint": say("web.frame_error_500_hint"),
            "lang": "zh-Hans" if language() == "zh" else "en",
        }
        return HttpResponse(render_to_string("error.html", words), status=500)


def _machine(request: HttpRequest, status: int, name: str) -> HttpResponse:
    """What the machine cannot do now: without the frame, which needs the database, and for the API as a problem."""
    message, hint = say(f"web.fault_{name}"), say(f"web.fault_{name}_hint")
    if request.path.startswith("/api/"):
        answer: HttpResponse = JsonResponse(
            {"type": f"urn:duecourse:{name}", "title": message, "status": status, "detail": hint},
            status=status,
            content_type="application/problem+json",
        )
    else:
        words = {"message": message, "hint": hint, "lang": "zh-Hans" if language() == "zh" else "en"}
        answer = HttpResponse(render_to_string("error.html", words), status=status)
    answer["Retry-After"] = "10"
    return answer
