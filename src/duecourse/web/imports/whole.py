"""The gate of this room: files, quarantine and history speak of the whole ledger, so they are only for those who see all of it."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, cast

from django.shortcuts import render

from duecourse.web.accounts.access import gate, may

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

    from duecourse.web.accounts.access import Act
    from duecourse.web.accounts.models import Person

    View = Callable[..., Any]


def person_of(request: HttpRequest) -> Person:
    """Who asks. Behind a gate there is always somebody."""
    return cast("Person", request.user)


def sees_imports(request: HttpRequest) -> bool:
    """May this person open the pages of this room?"""
    return may(request.user, "import") and not person_of(request).scope.restricts


def whole_gate(act: Act = "import", *, page: str = "imports/restricted.html") -> Callable[[View], View]:
    """In front of a view: people who may do this and whose view is not restricted; the others are told why not, with 403, by `page`."""

    def around(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if person_of(request).scope.restricts:
                return render(request, page, status=403)
            return cast("HttpResponse", view(request, *args, **kwargs))

        return gate(act)(guarded)

    return around
