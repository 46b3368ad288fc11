"""Who is worked for when several ask at once: a few at a time, in the order in which they came.

Ten pages drawn up side by side on one core are all ready at the end; one after the other, the first is ready after a tenth of the time and the last
no later. What takes long — a large export, a question that nobody has asked yet — must not hold the others up: whoever has waited a moment for a turn
goes on without one.
"""

from __future__ import annotations

from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

AT_ONCE: Final = 1
"""In each process. There is one for every core."""

READING: Final = ("GET", "HEAD")

PATIENCE_SECONDS: Final = 0.1
"""Several times what a page takes."""


class Turns:
    """Gives each request of a process that only reads its turn; those that write wait for the disk and for each other, not for a core."""

    def __init__(self, handler: Callable[[HttpRequest], HttpResponse]) -> None:
        self.handler = handler
        self._turns = BoundedSemaphore(AT_ONCE)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, after those who came before."""
        if request.method not in READING:
            return self.handler(request)
        mine = self._turns.acquire(timeout=PATIENCE_SECONDS)
        try:
            return self.handler(request)
        finally:
            if mine:
                self._turns.release()
