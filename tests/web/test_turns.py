"""One after the other in the order in which they came, and nobody waits long behind one that takes its time."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest

from duecourse.web import turns
from duecourse.web.turns import Turns


def asked(method="GET"):
    return SimpleNamespace(method=method)


def until(holds):
    """Wait for what another thread is about to do."""
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.fixture
def busy(monkeypatch):
    """A handler that works until it is told to stop, and what it has begun."""
    begun, go = [], threading.Event()

    def handler(request):
        begun.append(request.method)
        assert go.wait(20)
        return "answer"

    yield Turns(handler), begun, go
    go.set()


def test_those_that_read_are_answered_one_after_the_other(monkeypatch):
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 20)
    at_once, most, guard = 0, 0, threading.Lock()

    def handler(_request):
        nonlocal at_once, most
        with guard:
            at_once += 1
            most = max(most, at_once)
        time.sleep(0.002)
        with guard:
            at_once -= 1

    gate = Turns(handler)
    threads = [threading.Thread(target=gate, args=(asked(),)) for _ in range(12)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(20)
    assert most == 1


def test_whoever_has_waited_goes_on_without_a_turn(busy, monkeypatch):
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 0.01)
    gate, begun, _go = busy
    for number in range(1, 4):
        threading.Thread(target=gate, args=(asked(),)).start()
        until(lambda number=number: len(begun) == number)


def test_those_that_write_wait_for_nobody(busy, monkeypatch):
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 20)
    gate, begun, _go = busy
    threading.Thread(target=gate, args=(asked(),)).start()
    until(lambda: begun == ["GET"])
    threading.Thread(target=gate, args=(asked("POST"),)).start()
    until(lambda: begun == ["GET", "POST"])


def test_a_turn_ends_with_an_error_too(monkeypatch):
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 0.01)

    def handler(_request):
        raise ZeroDivisionError

    gate = Turns(handler)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            gate(asked())
    assert gate._turns.acquire(blocking=False)
