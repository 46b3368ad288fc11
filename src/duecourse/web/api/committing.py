"""Posts of this process that wait for the ledger at the same moment are written together, in the order they came.

Whoever comes to its turn first writes for all that wait; the others find themselves served. So sixty-four clients cost a few commits,
and none waits for more than the commit under way and its own.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from duecourse.desk.opening import opened_again
from duecourse.desk.posting import commit
from duecourse.web import books

if TYPE_CHECKING:
    from duecourse.desk.posting import Post
    from duecourse.ledger.store import BatchResult, Ledger

WAIT_SECONDS: Final = 25.0
"""How long a post waits for an import that is being written, before its sender is asked to come again."""

ROWS: Final = 100_000
POSTS: Final = 256
"""One commit takes at most so much; the rest goes into the next."""

YIELD_SECONDS: Final = 0.008
"""Between two commits, so that a writer of another process that looks for its turn every few milliseconds finds it."""


@dataclass
class _Waiting:
    post: Post
    result: BatchResult | None = None
    error: BaseException | None = None
    served: threading.Event = field(default_factory=threading.Event)


class Committer:
    """The writer of one process."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._guard = threading.Lock()
        self._queue: list[_Waiting] = []
        self._of: Ledger | None = None
        self._ledger: Ledger | None = None
        self._wrote_at = 0.0

    def write(self, post: Post) -> BatchResult:
        """Write a post; returns when it is in the ledger. Raises what the ledger raises; then it is not."""
        waiting = _Waiting(post)
        with self._guard:
            self._queue.append(waiting)
        while not waiting.served.is_set():
            with self._turn:
                if not waiting.served.is_set():
                    self._serve()
        if waiting.error is not None:
            raise waiting.error
        assert waiting.result is not None
        return waiting.result

    def _serve(self) -> None:
        group = self._next_group()
        pause = self._wrote_at + YIELD_SECONDS - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        try:
            results = commit(self._writing(), [one.post for one in group], wait_seconds=WAIT_SECONDS)
        except BaseException as error:  # noqa: BLE001 — every waiting request gets it
            self._fail(group, error)
            return
        finally:
            self._wrote_at = time.monotonic()
        for one, result in zip(group, results, strict=True):
            one.result = result
            one.served.set()

    def _fail(self, group: list[_Waiting], error: BaseException) -> None:
        """One bad post must not spoil the others': each is tried alone, unless the ledger itself cannot be written."""
        self._ledger = None
        alone = len(group) > 1 and not hasattr(error, "args_")
        for one in group:
            try:
                one.error = error
                if alone:
                    one.result = commit(self._writing(), [one.post], wait_seconds=WAIT_SECONDS)[0]
                    one.error = None
            except BaseException as own:  # noqa: BLE001
                one.error = own
            one.served.set()

    def _next_group(self) -> list[_Waiting]:
        with self._guard:
            group: list[_Waiting] = []
            rows = 0
            while self._queue and len(group) < POSTS and (not group or rows + self._queue[0].post.count <= ROWS):
                rows += self._queue[0].post.count
                group.append(self._queue.pop(0))
            return group

    def _writing(self) -> Ledger:
        """A ledger of the writer's own, so that what readers have opened stays as it is."""
        reading = books.ledger()
        if self._ledger is None or self._of is not reading:
            self._of, self._ledger = reading, opened_again(reading)
        return self._ledger


committer: Final = Committer()
