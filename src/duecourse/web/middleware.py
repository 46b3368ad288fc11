"""What happens around every request."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from django.conf import settings
from django.shortcuts import render
from django.utils import translation

from duecourse.errors import DuecourseError
from duecourse.messages import use_language
from duecourse.web import books
from duecourse.web.books import Viewpoint
from duecourse.web.faults import status_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

    Handler = Callable[[HttpRequest], HttpResponse]


class ServerTiming:
    """Says in the answer how long it took (the Server-Timing header of W3C), for the browser's tools and the benchmarks."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = perf_counter()
        response = self.handler(request)
        response["Server-Timing"] = f"app;dur={(perf_counter() - began) * 1000:.1f}"
        return response


class Language:
    """Speaks the person's own language where they chose one, else the firm's or the browser's; the product's sentences follow Django's."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith("/api/v"):  # the API speaks as the request asks, once it knows who asks
            return self.handler(request)
        chosen = getattr(request.user, "language", "") or (books.default_language() if _chose_none(request) else "")
        if chosen:
            translation.activate(chosen)
            request.LANGUAGE_CODE = chosen
        use_language("zh" if (translation.get_language() or "en").startswith("zh") else "en")
        return self.handler(request)


def _chose_none(request: HttpRequest) -> bool:
    return settings.LANGUAGE_COOKIE_NAME not in request.COOKIES


class ViewpointMiddleware:
    """Reads from the URL as of which day, and as known when, the page is wanted; says what is wrong with a bad one."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith("/api/v"):  # the API has its own words for what is wrong
            request.viewpoint = Viewpoint()  # type: ignore[attr-defined]
            return self.handler(request)
        try:
            request.viewpoint = Viewpoint.of(request.GET.get("as_of", ""), request.GET.get("known_at", ""))  # type: ignore[attr-defined]
        except DuecourseError as error:
            request.viewpoint = Viewpoint()  # type: ignore[attr-defined]
            return render(request, "error.html", {"message": error.message()}, status=400)
        return self.handler(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """A fault the caller can mend is a page that says so."""
        if not isinstance(error, DuecourseError):
            return None
        return render(request, "error.html", {"message": error.message()}, status=status_of(error))
