"""Who asks: the holder of an API key, or somebody signed in whose browser shows the documentation page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from ninja.security import HttpBearer
from ninja.security.base import AuthBase
from ninja.utils import check_csrf

from duecourse.web.accounts.access import may
from duecourse.web.accounts.models import ApiKey as Key
from duecourse.web.api import limits
from duecourse.web.api.application import check_words
from duecourse.web.api.problems import Problem, speak

if TYPE_CHECKING:
    from django.http import HttpRequest

    from duecourse.web.accounts.access import Act
    from duecourse.web.accounts.models import Person


class ApiKey(HttpBearer):
    """`Authorization: Bearer <key>`. The key does what its scopes allow, and no more than its person may do."""

    openapi_description: ClassVar[str] = "An API key made under Profile → API keys. It sees the rows its person sees."

    def __init__(self, act: Act) -> None:
        self.act = act
        super().__init__()

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        """The key's person, who makes the request from here on."""
        held = Key.authenticate(token)
        if held is None:
            return None
        person, key = held
        request.api_key = key  # type: ignore[attr-defined]
        return _admitted(request, person, self.act, allowed=key.may(self.act), bucket=f"key:{key.pk}")


class Session(AuthBase):
    """The cookie of somebody signed in; what changes anything needs the CSRF token too."""

    openapi_type: ClassVar[str] = "apiKey"
    openapi_in: ClassVar[str] = "cookie"
    openapi_name: ClassVar[str] = settings.SESSION_COOKIE_NAME
    openapi_description: ClassVar[str] = "The session of the app, for the documentation page. Writes need the header X-CSRFToken."

    def __init__(self, act: Act) -> None:
        self.act = act
        super().__init__()

    def __call__(self, request: HttpRequest) -> Any:
        """The person signed in."""
        if "Authorization" in request.headers:
            return None  # a key that does not hold is not made good by a cookie
        person: Any = request.user
        if not person.is_authenticated:
            return None
        if check_csrf(request) is not None:
            raise Problem(403, "csrf")
        return _admitted(request, person, self.act, allowed=True, bucket=f"person:{person.pk}")


def _admitted(request: HttpRequest, person: Person, act: Act, *, allowed: bool, bucket: str) -> Person:
    request.user = person
    speak(request, person.language)
    limits.take(request, bucket)
    if not (allowed and may(person, act)):
        raise Problem(403, act=act)
    check_words(request)
    return person


def needs(act: Act) -> list[Any]:
    """The ways to come in to an endpoint that needs this act."""
    return [ApiKey(act), Session(act)]
