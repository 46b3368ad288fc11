"""What is loaded late is whole for everybody who uses it first."""

from __future__ import annotations

import subprocess
import sys

import pytest

from duecourse.web.lazily import lazily

MANY = """
import sys, threading
from duecourse.web.lazily import lazily
alt = lazily("altair")
assert "altair" not in sys.modules
barrier, made = threading.Barrier(8), []
def use():
    barrier.wait()
    made.append(alt.Chart)
threads = [threading.Thread(target=use) for _ in range(8)]
for one in threads: one.start()
for one in threads: one.join()
assert len(made) == 8 and len(set(map(id, made))) == 1, made
"""


def test_threads_that_meet_at_the_first_use_all_get_the_whole_library():
    done = subprocess.run([sys.executable, "-c", MANY], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_library_that_is_not_there_is_missed_at_once():
    with pytest.raises(ModuleNotFoundError):
        lazily("no_such_library")
