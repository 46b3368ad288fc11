"""Saved views and chosen columns: how somebody likes a list, kept for them and, where they wish, for their colleagues.  已存视图"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.db import transaction
from django.db.models import Q
from django.http import Http404, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_POST

from duecourse.messages import say
from duecourse.web.accounts.access import gate, may
from duecourse.web.accounts.audit import record
from duecourse.web.addresses import path_of
from duecourse.web.books import book_of
from duecourse.web.pages.asking import buyers_asked, invoices_asked
from duecourse.web.pages.columns import BUYER_ALL, BUYER_STANDARD
from duecourse.web.pages.models import ListChoice, SavedView
from duecourse.web.questions import Question

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest, HttpResponse

    from duecourse.web.accounts.models import Person
    from duecourse.web.pages.asking import Asked

ROOMS: Final = ("buyers", "invoices")
MOST: Final = 100
LONGEST: Final = 80


@dataclass(frozen=True)
class Offered:
    """A saved view as a person's menu shows it."""

    view: SavedView
    url: str
    current: bool
    is_default: bool
    is_own: bool
    by: str


@dataclass(frozen=True)
class Liking:
    """How a person likes a list: its columns, the views on offer, and the one it opens with."""

    columns: Sequence[str]
    default: SavedView | None
    offered: Sequence[Offered]

    @cached_property
    def key(self) -> tuple[Any, ...]:
        """All that is shown of it."""
        return tuple(
            (one.view.pk, one.view.name, one.view.shared, one.url, one.current, one.is_default, one.is_own, one.by) for one in self.offered
        )

    @property
    def current(self) -> Offered | None:
        """The view that is being looked at."""
        return next((one for one in self.offered if one.current), None)


def _offered() -> Any:
    own = Q(owner=0) | Q(shared=True)
    words = ("pk", "room", "name", "query", "owner_id", "shared", "owner__first_name", "owner__last_name", "owner__username")
    return SavedView.objects.filter(own, room="-").order_by("name", "pk").values_list(*words)[:MOST]


OFFERED: Final = Question(_offered, 0, 1)
CHOSEN: Final = Question(lambda: ListChoice.objects.filter(person=0, room="-").values_list("columns", "opens_with_id")[:1], 0, 1)


def liking(request: HttpRequest, room: str) -> Liking:
    """What this person chose for this list, in two questions to the database."""
    person: Any = request.user
    views = []
    for pk, _room, name, query, owner_id, shared, first, last, username in OFFERED.rows(person.pk, room):
        view = SavedView(pk=pk, room=room, name=name, query=query, owner_id=owner_id, shared=shared)
        views.append((view, owner_id, f"{first} {last}".strip() or username))
    columns, opens_with = next(iter(CHOSEN.rows(person.pk, room)), ((), None))
    default = next((view for view, _owner, _by in views if view.pk == opens_with), None)
    wanted = request.GET.get("view", "")
    offered = [
        Offered(view, address(request, room, view.query, view), str(view.pk) == wanted, view == default, owner == person.pk, by)
        for view, owner, by in views
    ]
    return Liking(columns, default, offered)


def address(request: HttpRequest, room: str, query: str, view: SavedView | None = None) -> str:
    """A list's address with these words, the day of this page, and the view it is."""
    more = {**request.viewpoint.query, **({"view": view.pk} if view else {})}  # type: ignore[attr-defined]
    words = "&".join(filter(None, (query, urlencode(more))))
    return f"{path_of(room)}?{words}" if words else path_of(room)


def _asked(request: HttpRequest, room: str, query: str) -> Asked:
    """The posted words as the list itself reads them: nothing else is kept."""
    words = QueryDict(query)
    base = lambda: book_of(request).base_currency  # noqa: E731
    return buyers_asked(words, (), base) if room == "buyers" else invoices_asked(words, base)


def _room(room: str) -> str:
    if room not in ROOMS:
        raise Http404
    return room


@require_POST
@gate("read")
def save(request: HttpRequest, room: str) -> HttpResponse:
    """Keep what is being looked at under a name; the same name again replaces what was kept."""
    asked = _asked(request, _room(room), request.POST.get("query", ""))
    name = " ".join(request.POST.get("name", "").split())[:LONGEST]
    person: Any = request.user
    if not name:
        messages.error(request, say("web.buyers_view_unnamed"))
        return HttpResponseRedirect(address(request, room, asked.kept))
    shared = request.POST.get("shared") == "1"
    with transaction.atomic():
        view, made = SavedView.objects.update_or_create(
            owner=person, room=room, name=name, defaults={"query": asked.kept, "shared": shared, "updated_at": timezone.now()}
        )
        if request.POST.get("default") == "1":
            _open_with(person, room, view)
        record(request, "view.save", "view", view.pk, room=room, name=name, shared=shared, new=made)
    messages.success(request, say("web.buyers_view_saved", name=name))
    return HttpResponseRedirect(address(request, room, asked.kept, view))


@require_POST
@gate("read")
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Share a view or keep it to oneself, open the list with it or no longer, or delete it. A view is changed by who made it."""
    person: Any = request.user
    view: Any = get_object_or_404(SavedView.objects.filter(Q(owner=person) | Q(shared=True)), pk=pk)
    act = request.POST.get("act", "")
    is_own = view.owner_id == person.pk or (may(person, "people") and act != "share")
    if act in ("share", "unshare", "delete") and not is_own:
        messages.error(request, say("web.buyers_view_not_yours"))
        return HttpResponseRedirect(address(request, view.room, view.query, view))
    with transaction.atomic():
        if act in ("share", "unshare"):
            view.shared = act == "share"
            view.updated_at = timezone.now()
            view.save(update_fields=["shared", "updated_at"])
        elif act in ("default", "no_default"):
            _open_with(person, view.room, view if act == "default" else None)
        elif act == "delete":
            record(request, "view.delete", "view", view.pk, room=view.room, name=view.name)
            name, query, room = view.name, view.query, view.room
            view.delete()
            messages.success(request, say("web.buyers_view_deleted", name=name))
            return HttpResponseRedirect(address(request, room, query))
        else:
            raise Http404
        record(request, f"view.{act}", "view", view.pk, room=view.room, name=view.name)
    messages.success(request, say(f"web.buyers_view_{act}_done", name=view.name))
    return HttpResponseRedirect(address(request, view.room, view.query, view))


def _open_with(person: Person, room: str, view: SavedView | None) -> None:
    ListChoice.objects.update_or_create(person=person, room=room, defaults={"opens_with": view})


@require_POST
@gate("read")
def choose_columns(request: HttpRequest) -> HttpResponse:
    """Keep which columns this person wants, and show the list with them."""
    wanted = request.POST.getlist("column")
    if request.POST.get("standard"):
        wanted = list(BUYER_STANDARD)
    columns = [name for name in BUYER_ALL if name in wanted]
    asked = _asked(request, "buyers", request.POST.get("query", ""))
    person: Any = request.user
    usual = set(columns) == set(BUYER_STANDARD)
    ListChoice.objects.update_or_create(person=person, room="buyers", defaults={"columns": [] if usual else columns})
    return HttpResponseRedirect(address(request, "buyers", asked.address(columns=None if usual else ",".join(columns))))
