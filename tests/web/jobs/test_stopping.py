"""Ctrl-C ends everything within three seconds, whatever is being done; what was being done is done by the next worker."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time

import pytest

from duecourse.web.jobs.models import RUNNING, WAITING, JobRun
from duecourse.web.jobs.queue import enqueue
from duecourse.web.jobs.worker import WorkerProcess
from support.serving import alive, children_of

STUBBORN = """
import signal, subprocess, sys, time
from duecourse.web.supervising import Child, Supervisor
def deaf():
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    print("deaf", flush=True)
    time.sleep(60)
Supervisor([Child("deaf", deaf)]).run()
"""


def test_ctrl_c_ends_children_that_do_not_listen_and_their_children():
    process = subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "deaf\n"
    below = [one for child in children_of(process.pid) for one in (child, *children_of(child))]
    assert len(below) == 2
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.wait(10)
    process.stdout.close()
    assert time.monotonic() - began < 3
    assert not [pid for pid in below if alive(pid)]


@pytest.mark.django_db(transaction=True)
def test_a_run_that_does_not_look_up_is_given_back_when_ctrl_c_stops_its_worker(a_job):
    free = threading.Event()

    def deaf(_job):
        free.wait(30)

    run = enqueue(a_job(deaf))
    worker = WorkerProcess(threads=1, poll_seconds=0.02, keep_seconds=30)
    worker._keep = lambda: None
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        while JobRun.objects.get(pk=run.pk).status != RUNNING:
            time.sleep(0.02)
        began = time.monotonic()
        worker.stop(signal.SIGINT)
        thread.join(10)
        assert not thread.is_alive()
        assert time.monotonic() - began < 3
        run.refresh_from_db()
        assert (run.status, run.lease_owner, run.losses) == (WAITING, "", 0)
    finally:
        free.set()
        thread.join(10)
    time.sleep(0.3)
    run.refresh_from_db()
    assert run.status == WAITING, "the first worker can no longer end it"


def test_a_signal_that_comes_while_another_is_being_heard_locks_nothing():
    """The kernel's word that the parent is gone and the parent's own can come together, in the middle of an Event's work."""
    worker = WorkerProcess(threads=1)
    with worker.ending._cond:
        told = threading.Thread(target=worker.stop, args=(signal.SIGTERM, None), daemon=True)
        told.start()
        told.join(5)
        assert not told.is_alive()
    assert worker.told_to_stop
