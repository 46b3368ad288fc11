"""Who saw what: every page with figures that somebody opens goes into the audit trail.

A page does not wait for it: what was seen is kept in memory and added to the trail each second, several at a time. A server that is killed
in that second forgets what was seen in it, never what was done: `audit.record` writes at once.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Final

from django.db import DatabaseError, InterfaceError, connections

from duecourse.web.accounts import audit
from duecourse.web.accounts.models import Person

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

    Handler = Callable[[HttpRequest], HttpResponse]

log = logging.getLogger("duecourse.audit")

AT_ONCE = False
"""Write in the request itself: for tests, whose database is theirs alone."""

EVERY_SECONDS: Final = 1.0
AGAIN_SECONDS: Final = 60
"""The same page seen again by the same person within this time is one row: a page that refreshes itself is one look."""

UNSEEN: Final = frozenset(
    {
        "choose",
        "components",
        "invite",
        "key_new",
        "people_groups",
        "audit_export",
        "csp_report",
        "profile",
        "help",
        "help_page",
        "openapi-json",
        "openapi-view",
        "api_docs",
    }
)
"""Pages without figures."""

UNSEEN_STARTS: Final = ("account_", "mfa_", "usersessions_", "openid_", "socialaccount_", "job", "setup", "join")
MAX_WAITING: Final = 50_000


class Seen:
    """Notes each page a person was shown, each file they took out, and each deed that did not note itself."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.handler(request)
        match = request.resolver_match
        name = (match.url_name if match else "") or ""
        if match is None or not isinstance(getattr(request, "user", None), Person) or name in UNSEEN or name.startswith(UNSEEN_STARTS):
            return response
        key = next((str(value) for value in match.kwargs.values()), "")
        query = request.META.get("QUERY_STRING", "")
        if request.method not in {"GET", "HEAD"}:
            if response.status_code < 400 and not getattr(request, "in_trail", False):
                audit.record(request, "did", name or str(match.route), key)
        elif response.status_code == 200 and response.has_header("Content-Disposition"):
            audit.record(request, "exported", name, key, **({"query": query[:500]} if query else {}))
        elif response.status_code == 200 and name:
            seen(request, "api" if request.path.startswith("/api/") else "seen", name, key, query)
        return response


def seen(request: HttpRequest, act: str, kind: str, key: str, query: str) -> None:
    """Note that this person was shown this."""
    if _waiting.is_repeated((request.user.pk, act, kind, key, query)):
        return
    entry = audit.entry(request, act, kind, key, {"query": query[:500]} if query else {})
    if AT_ONCE:
        audit.append([entry])
    else:
        _waiting.add(entry)


def flush() -> None:
    """Write what is waiting, now."""
    _waiting.write()


class _Waiting:
    """What this process has yet to write, and the thread that does."""

    def __init__(self) -> None:
        self.entries: deque[audit.Entry] = deque()
        self.recent: dict[tuple[object, ...], float] = {}
        self.guard = threading.Lock()
        self.writing = threading.Lock()
        self.process = 0

    def is_repeated(self, what: tuple[object, ...]) -> bool:
        now = time.monotonic()
        with self.guard:
            before = self.recent.get(what)
            if before is not None and now - before < AGAIN_SECONDS:
                return True
            if len(self.recent) > 10_000:
                self.recent = {one: at for one, at in self.recent.items() if now - at < AGAIN_SECONDS}
            self.recent[what] = now
        return False

    def add(self, entry: audit.Entry) -> None:
        with self.guard:
            self.entries.append(entry)
            if self.process != os.getpid():  # threads do not come along in a fork
                self.process = os.getpid()
                threading.Thread(target=self._run, name="audit", daemon=True).start()
                atexit.register(self.write)

    def write(self) -> None:
        with self.writing:
            taken = [self.entries.popleft() for _ in range(min(len(self.entries), 500))]
            try:
                audit.append(taken)
            except (DatabaseError, InterfaceError):
                self.entries.extendleft(reversed(taken))
                connections["default"].close()
                raise

    def _run(self) -> None:
        while True:
            time.sleep(EVERY_SECONDS)
            try:
                while self.entries:
                    self.write()
            except (DatabaseError, InterfaceError) as error:
                log.error("what people saw waits to be written: %s", type(error).__name__)  # noqa: TRY400 — the reason may hold the address of the database
                while len(self.entries) > MAX_WAITING:
                    self.entries.popleft()
            finally:
                connections["default"].close()


_waiting = _Waiting()
