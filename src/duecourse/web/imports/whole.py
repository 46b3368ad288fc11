"""The gate of this room: files, quarantine and history speak of the whole ledger, so they are only for those who see all of it."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from django.shortcuts import render

from duecourse.web.accounts.access import gate

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

    from duecourse.web.accounts.access import Act

    View = Callable[..., HttpResponse]


def whole_gate(act: Act = "import") -> Callable[[View], View]:
    """In front of a view: people who may do this and whose view is not restricted; the others are told why not, with 403."""

    def around(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.user.scope.restricts:  # type: ignore[union-attr] — the outer gate lets only people in
                return render(request, "imports/restricted.html", status=403)
            return view(request, *args, **kwargs)

        return gate(act)(guarded)

    return around
