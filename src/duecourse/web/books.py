"""The app's one door to the facts: the ledger of this process, and the book a request may see."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cache, cached_property
from typing import TYPE_CHECKING

from duecourse.desk.dates import default_day
from duecourse.desk.opening import open_ledger
from duecourse.errors import DuecourseError, OptionMisusedError
from duecourse.messages import say
from duecourse.web import environment as env

if TYPE_CHECKING:
    from django.http import HttpRequest

    from duecourse.ledger.book import Book
    from duecourse.ledger.store import Ledger

_guard = threading.Lock()
_days: dict[int, date] = {}
_languages: dict[int, str] = {}


@dataclass(frozen=True)
class Viewpoint:
    """As of which day, and as known when, a page is drawn up; None = the default day, and all that is known."""

    on: date | None = None
    known_at: datetime | None = None

    @classmethod
    def of(cls, as_of: str, known_at: str) -> Viewpoint:
        """From the words in a URL. Raises OptionMisusedError."""
        try:
            on = date.fromisoformat(as_of) if as_of else None
        except ValueError:
            raise OptionMisusedError(option="as_of", value=as_of, hint=say("cli.hint_day")) from None
        try:
            moment = None
            if len(known_at) == len("2026-01-31"):
                moment = datetime.combine(date.fromisoformat(known_at), time.max, UTC)
            elif known_at:
                moment = datetime.fromisoformat(known_at)
                moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        except ValueError:
            raise OptionMisusedError(option="known_at", value=known_at, hint=say("cli.hint_moment")) from None
        return cls(on, moment)

    @cached_property
    def query(self) -> dict[str, str]:
        """The same as words of a URL; nothing for the defaults."""
        words = {}
        if self.on:
            words["as_of"] = self.on.isoformat()
        if self.known_at:
            words["known_at"] = self.known_at.date().isoformat() if self.known_at.time() == time.max else self.known_at.isoformat()
        return words


@cache
def _opened() -> Ledger:
    limit = env.MEMORY_LIMIT or f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') // 4 // 2**20}MB"
    # Never made here: a disk that is not mounted must not look like an empty ledger.
    return open_ledger(env.LEDGER, memory_limit=limit)


def ledger() -> Ledger:
    """The ledger of this process, at its newest version."""
    opened = _opened()
    with _guard:
        opened.refresh()
    return opened


def forget() -> None:
    """Open the ledger anew next time: another one was put in its place."""
    _opened.cache_clear()
    _days.clear()
    _languages.clear()


def default_language() -> str:
    """The language of people who have chosen none, by the firm's settings; empty = their browser's. Never fails, and asks no disk for news."""
    try:
        opened = _opened()
        if opened.version not in _languages:
            found = str(opened.as_of(date.max).settings.get("language", ""))
            _languages.clear()
            _languages[opened.version] = found
        return _languages[opened.version]
    except (DuecourseError, OSError, LookupError):
        return ""


def day_of(opened: Ledger) -> date:
    """The day a page means when its URL names none; worked out once a version."""
    found = _days.get(opened.version)
    today = datetime.now(UTC).date()
    if found is None or found > today:
        found = default_day(opened)
        _days.clear()
        _days[opened.version] = found
    return found


def book_of(request: HttpRequest) -> Book:
    """The book of this request: its viewpoint, limited to the rows its person may see. Every page, export and endpoint reads through it.

    It stays at its version while others write. On a large ledger that is the newest version whose answers are ready; the page then says
    how old it is (`request.served`).
    """
    from duecourse.desk.dashboard import served  # noqa: PLC0415 — the desk is heavy, and commands load this module, too

    viewpoint: Viewpoint = request.viewpoint  # type: ignore[attr-defined]
    shown = served(ledger())
    request.served = shown  # type: ignore[attr-defined]
    opened = shown.ledger
    return opened.as_of(viewpoint.on or day_of(opened), viewpoint.known_at).limited(request.user.scope)  # type: ignore[union-attr]
