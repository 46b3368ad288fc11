"""What every test may use."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from duecourse.messages import use_language
from support.shared import folder_of_the_run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

folder_of_the_run()

settings.register_profile("duecourse", deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", deadline=None, max_examples=1_000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "duecourse"))

# Expressions are large trees that live on: looking through all of them for rubbish every 700 new objects took a sixth of the whole run.
gc.set_threshold(20_000, 20, 20)

REPOSITORY = Path(__file__).parents[1]


def pytest_collection_finish() -> None:
    """Five thousand tests and the modules they lie in stay to the end: nobody has to look through them for rubbish again and again."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish() -> None:
    """At the end they may go: libraries count what is left of theirs."""
    gc.unfreeze()


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Each test starts in English, whatever the one before it spoke."""
    use_language("en")
    yield
    use_language("en")


@pytest.fixture
def real_data() -> Callable[[str], Path]:
    """real_data("holidays_cn"): a folder of the real files, from $DUECOURSE_DATA or beside the repository; the test is skipped without it."""

    def find(name: str) -> Path:
        root = Path(os.environ.get("DUECOURSE_DATA") or REPOSITORY.parent / "shared" / "data")
        folder = root / name
        if not folder.exists():
            pytest.skip(f"REAL DATA ABSENT: no {folder}; set DUECOURSE_DATA to the folder that holds {name}")
        return folder

    return find
