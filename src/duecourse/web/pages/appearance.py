"""Language and theme, chosen from any page: kept with the person, or in the browser of somebody who has not signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.http import HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

THEMES: Final = ("", "light", "dark")
COOKIE: Final = "theme"
A_YEAR: Final = 365 * 24 * 3600


@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Keep what was chosen (`language`, `theme`; an empty theme follows the system) and go back to where it was chosen."""
    after = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(after, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        after = "/"
    response = HttpResponseRedirect(after)
    chosen = {}
    language, theme = request.POST.get("language", ""), request.POST.get("theme")
    if language in dict(settings.LANGUAGES):
        chosen["language"] = language
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME, language, max_age=A_YEAR, samesite="Lax", secure=settings.LANGUAGE_COOKIE_SECURE, httponly=True
        )
    if theme is not None and theme in THEMES:
        chosen["theme"] = theme
        response.set_cookie(COOKIE, theme, max_age=A_YEAR, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE, httponly=True)
    if chosen and request.user.is_authenticated:
        for name, value in chosen.items():
            setattr(request.user, name, value)
        request.user.save(update_fields=list(chosen))
    return response


def theme_of(request: HttpRequest) -> str:
    """`light`, `dark` or, where nothing was chosen, empty: as the system is set."""
    person = getattr(request, "user", None)
    chosen = person.theme if person is not None and person.is_authenticated else request.COOKIES.get(COOKIE, "")
    return chosen if chosen in THEMES else ""
