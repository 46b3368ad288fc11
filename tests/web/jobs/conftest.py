"""Jobs made for a test, registered like any other and forgotten after it."""

from __future__ import annotations

import pytest

from duecourse.web.jobs import registry
from duecourse.web.jobs.registry import job, kinds


@pytest.fixture
def a_job():
    """a_job(function, retries=…): the function as a job; returns its name."""
    kinds()
    made = []

    def make(work, name="", **options):
        name = name or f"test.{work.__name__}"
        job(name, title="web.jobs_title", **options)(work)
        made.append(name)
        return name

    yield make
    for name in made:
        registry._kinds.pop(name, None)
        registry._timetables.pop(name, None)
