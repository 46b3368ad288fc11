"""Who may do what: the roles, and the one gate in front of every page and endpoint.

Which rows a person sees is not decided here but in the book: `books.book_of` limits it to the person's scope.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django.http import HttpRequest, HttpResponse

Act = Literal["read", "export", "note", "import", "settings", "people", "audit", "jobs", "keys", "propose", "decide", "check", "letters"]
"""What somebody may do with the rows they see: look, take out, write notes and work alerts, bring in, set the firm's rules, let people in, read the
audit trail, watch the background jobs, make API keys, ask for a limit or enter evidence, decide on limits and held orders within one's
authority, check and reserve orders, approve letters to debtors and send them."""

ACTS: Final[tuple[Act, ...]] = get_args(Act)

MAY: Final[Mapping[str, frozenset[Act]]] = {
    "viewer": frozenset({"read"}),
    "sales": frozenset({"read", "export", "note", "propose", "check"}),
    "collector": frozenset({"read", "export", "note", "propose", "letters"}),
    "legal": frozenset({"read", "export", "note", "propose", "letters"}),
    "credit_analyst": frozenset({"read", "export", "note", "import", "jobs", "keys", "propose", "decide", "check", "letters"}),
    "credit_manager": frozenset({"read", "export", "note", "import", "jobs", "keys", "settings", "propose", "decide", "check", "letters"}),
    "auditor": frozenset({"read", "export", "audit", "jobs"}),
    "admin": frozenset(ACTS),
}
"""An auditor sees everything and changes nothing; only an administrator lets people in."""

ROLES: Final[tuple[str, ...]] = tuple(MAY)


def may(person: Any, act: Act) -> bool:
    """May this person do this? Nobody who is not signed in may do anything."""
    return act in acts_of(person)


def acts_of(person: Any) -> frozenset[Act]:
    """All that this person may do."""
    return MAY.get(person.role, frozenset()) if person.is_authenticated and person.is_active else frozenset()


def gate(act: Act = "read") -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """In front of a view: only signed-in people who may do this come through; others are asked to sign in, or refused with 403."""

    def around(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not may(request.user, act):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        guarded.act = act  # type: ignore[attr-defined]
        return login_required(guarded)

    return around
