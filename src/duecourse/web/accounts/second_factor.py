"""Who decides about money or lets people in signs in with more than a password: such roles are led to set a second factor up first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from allauth.mfa.models import Authenticator  # type: ignore[import-untyped]
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from duecourse.messages import say
from duecourse.web import environment as env

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

    Handler = Callable[[HttpRequest], HttpResponse]

OPEN: Final = ("/account/", "/static/", "/help/", "/choose/", "/csp-report/")
"""Where somebody may go before: to set it up, to sign out, to read about it."""


def is_missing(request: HttpRequest) -> bool:
    """Is this somebody signed in here whose role needs a second factor and who has none? A company's own sign-in sees to its own factors."""
    person: Any = request.user
    if not person.is_authenticated or person.role not in env.SECOND_FACTOR:
        return False
    ways = request.session.get("account_authentication_methods", [])
    if any(one.get("method") == "socialaccount" for one in ways):
        return False
    return not Authenticator.objects.filter(user=person).exclude(type="recovery_codes").exists()


class SecondFactor:
    """Opens no page to such a person but those on the way to a second factor."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not env.SECOND_FACTOR or request.path.startswith(OPEN) or not is_missing(request):
            return self.handler(request)
        if request.path.startswith("/api/"):
            return JsonResponse(
                {"type": "about:blank", "title": say("web.people_factor_needed"), "status": 403},
                status=403, content_type="application/problem+json",
            )  # fmt: skip
        messages.warning(request, say("web.people_factor_needed"))
        there = reverse("mfa_index")
        return HttpResponseClientRedirect(there) if request.htmx else HttpResponseRedirect(there)  # type: ignore[attr-defined]
