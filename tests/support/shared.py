"""What one run of the tests makes once and all its workers use: a temporary folder of the run, and things in it made by whoever comes first.

The process that starts the run makes the folder, tells everybody through the environment, and removes it at the end with whatever killed
processes left in it. pytest keeps its own `tmp_path` folders where it always does, to be looked at after a failure.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

if TYPE_CHECKING:
    from collections.abc import Callable

PLACE = "DUECOURSE_TESTS_TEMPORARY"
A_DAY = 86_400


def folder_of_the_run() -> Path:
    """The temporary folder of this run, which is also where everybody's temporary files go from now on."""
    if PLACE not in os.environ:
        for left in Path(tempfile.gettempdir()).glob("duecourse-tests-*"):
            if time.time() - left.stat().st_mtime > A_DAY:  # of a run that was killed itself
                shutil.rmtree(left, ignore_errors=True)
        place = Path(tempfile.mkdtemp(prefix="duecourse-tests-"))
        place.chmod(0o755)  # where the tests are root, PostgreSQL is somebody else
        (place / "made").mkdir()
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
        os.environ[PLACE] = os.environ["TMPDIR"] = str(place)
        os.environ["DUECOURSE_CACHE"] = str(place / "cache")  # what the product keeps for a user is this run's, not the developer's
        tempfile.tempdir = None
        atexit.register(shutil.rmtree, place, ignore_errors=True)
    return Path(os.environ[PLACE])


def once(name: str, make: Callable[[Path], None]) -> Path:
    """The file or folder of this name, which `make(place)` makes where nobody has yet. Nobody may change it: take a copy."""
    made = folder_of_the_run() / "made"
    place = made / name
    with FileLock(made / f"{name}.lock"):
        if not place.exists():
            unfinished = made / f"{name}.unfinished"
            make(unfinished)
            unfinished.rename(place)
    return place
