"""Keep child processes alive: start them, start them again when they end, stop them all when told to or when the parent is gone.

The parent loads the program once and forks; a child starts within milliseconds and shares the parent's memory. So the parent must have
no thread and no open engine or database when it forks: `Supervisor.run` checks the threads, the caller closes the rest.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import logging
import math
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

log = logging.getLogger("duecourse.serve")

FIRST_WAIT: Final = 0.5
LONGEST_WAIT: Final = 30.0
STEADY_SECONDS: Final = 60.0
"""A child that lived so long starts again at once when it ends."""

GRACE_SECONDS: Final = 30.0
"""How long children may take to finish what they do."""

HASTE_SECONDS: Final = 1.5
"""The same when somebody at the keyboard waits (Ctrl-C)."""


@dataclass
class Child:
    """A part of the server: a function that runs in a process of its own until SIGTERM; `once`: to its end, and not again."""

    name: str
    work: Callable[[], None]
    pid: int = 0
    began: float = 0.0
    wait: float = FIRST_WAIT
    not_before: float = 0.0
    once: bool = False


def end_with_parent(parent: int) -> None:
    """Have the kernel send this process SIGTERM when its parent ends, however it ends (Linux; elsewhere a child looks by itself)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:  # it ended before we asked
        os._exit(0)


class Supervisor:
    """Runs children until SIGTERM or SIGINT."""

    def __init__(self, children: Sequence[Child]) -> None:
        self.children = list(children)
        self._ending = False
        self._told = signal.SIGTERM

    def run(self) -> None:
        """Start all, keep all, stop all."""
        assert threading.active_count() == 1, "a process with threads must not be forked"
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._end)
        gc.freeze()  # what is loaded stays shared: the children's collectors leave it alone
        try:
            while not self._ending:
                self._start_due()
                self._bury(wait=0.2)
        finally:
            self._stop_all()

    def _end(self, number: int, _frame: object) -> None:
        self._ending = True
        if number == signal.SIGINT:
            self._told = signal.SIGINT

    def _start_due(self) -> None:
        now = time.monotonic()
        for child in self.children:
            if not child.pid and now >= child.not_before:
                child.began = now
                child.pid = _forked(child)

    def _bury(self, *, wait: float) -> None:
        """Note which children have ended, and when each may start again."""
        time.sleep(wait)
        for child in self.children:
            if not child.pid:
                continue
            pid, status = os.waitpid(child.pid, os.WNOHANG)
            if not pid:
                continue
            now = time.monotonic()
            child.pid = 0
            if child.once:
                child.not_before = math.inf
                continue
            child.wait = FIRST_WAIT if now - child.began > STEADY_SECONDS else min(child.wait * 2, LONGEST_WAIT)
            child.not_before = now + (0.0 if now - child.began > STEADY_SECONDS else child.wait)
            if not self._ending:
                log.warning(
                    "a part of the server ended and starts again", extra={"part": child.name, "status": os.waitstatus_to_exitcode(status)}
                )

    def _stop_all(self) -> None:
        self._ending = True
        began, told = time.monotonic(), self._told
        for child in self.children:
            _signal(child, told)
        while any(child.pid for child in self.children):
            self._bury(wait=0.05)
            hasty = self._told == signal.SIGINT  # or has become so: who has asked politely may press Ctrl-C as well
            if time.monotonic() - began > (HASTE_SECONDS if hasty else GRACE_SECONDS):
                break
        for child in self.children:
            _signal(child, signal.SIGKILL)
            if child.pid:
                os.waitpid(child.pid, 0)


def apart(work: Callable[[], int]) -> int:
    """Do something in a process of its own and wait for it; its exit code."""
    return begun(work)()


def begun(work: Callable[[], int]) -> Callable[[], int]:
    """Begin something in a process of its own; what is returned waits for it and gives its exit code."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if not pid:
        code = 1
        try:
            code = work()
        finally:
            with contextlib.suppress(OSError, ValueError):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)

    def wait() -> int:
        while True:
            try:
                code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                return code if code >= 0 else 128 - code  # as a shell says that a signal ended it
            except KeyboardInterrupt:  # Ctrl-C has reached the child too: let it clear up
                continue

    return wait


def _signal(child: Child, number: int) -> None:
    """Tell a child; killed are its own children as well."""
    if child.pid:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, number) if number == signal.SIGKILL else os.kill(child.pid, number)


def _forked(child: Child) -> int:
    parent = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.setpgid(0, 0)  # Ctrl-C is for the parent, which stops us in order
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        end_with_parent(parent)
        child.work()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        log.exception("a part of the server failed", extra={"part": child.name})
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)  # never run the parent's exit handlers twice
