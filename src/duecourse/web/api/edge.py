"""The outermost step of every request to the API: whatever goes wrong below, the answer is a problem and never a page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from duecourse.web.api import limits
from duecourse.web.api.problems import MEDIA_TYPE, PREFIX, Problem, answer, of_error, speak

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

PAGES: Final = re.compile(r"/api/(docs/)?")
"""Addresses below /api/ that are pages for people."""


class ApiFaults:
    """In front of everything but the log."""

    def __init__(self, handler: Callable[[HttpRequest], HttpResponse]) -> None:
        self.handler = handler

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(PREFIX) or PAGES.fullmatch(request.path):
            return self.handler(request)
        if "Transfer-Encoding" in request.headers and "Content-Length" not in request.headers:
            speak(request)
            return answer(Problem(411), request)
        speak(request)
        try:
            response = self.handler(request)
        except Exception as error:  # noqa: BLE001 — nothing may leave here but a problem
            speak(request)
            return answer(of_error(error), request)
        if response.status_code >= 400 and response.get("Content-Type", "").partition(";")[0] != MEDIA_TYPE:
            speak(request)
            kept = {name: response[name] for name in ("Allow", "Retry-After") if name in response}
            response = answer(Problem(response.status_code, headers=kept), request)
        elif response.status_code in (301, 302):  # a page's way to ask for a sign-in
            speak(request)
            response = answer(Problem(401), request)
        return limits.headers(request, response)
