"""Which jobs there are. A room puts its jobs into a module `background.py`; they are found by themselves.

    @job("imports.take_in", title="web.jobs_take_in", retries=5, long=True)
    def take_in(job: Job, *, upload_id: int) -> dict[str, int]:
        for share, phase in ...:
            job.progress(share, phase)      # raises when a person cancelled, or the lease was lost
        return {"rows": 3}                  # kept as JSON in JobRun.result

A job may run more than once — its worker can die after the work and before the row says so — so its effect must be idempotent: a key of
its own, "already there?", a file's checksum.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from django.utils.module_loading import autodiscover_modules

if TYPE_CHECKING:
    from collections.abc import Callable

    from duecourse.web.jobs.rules import Rule

    Work = Callable[..., Any]


@dataclass(frozen=True)
class Kind:
    """A job that can be asked for."""

    name: str
    work: Callable[..., Any]
    title: str
    retries: int
    lease_seconds: int
    backoff_seconds: float
    long: bool


@dataclass(frozen=True)
class Timetable:
    """When a job is due by itself, and what becomes of times that were missed: `each` is made up for in order, or only the `latest`."""

    name: str
    rule: Rule
    missed: Literal["each", "latest"]


_kinds: dict[str, Kind] = {}
_timetables: dict[str, Timetable] = {}


def job(
    name: str, *, title: str, retries: int = 5, lease_seconds: int = 60, backoff_seconds: float = 2.0, long: bool = False
) -> Callable[[Work], Work]:
    """Register a function as a job. It is called with the `Job` and its arguments, in a worker.

    title            message identifier of what people read
    retries          how often it is tried again after an error that may pass; a DuecourseError of the caller's making is final
    lease_seconds    how long a silent worker keeps it
    backoff_seconds  the first wait before trying again; doubles each time, up to 15 minutes
    long             takes minutes: a worker always keeps room for short ones beside it
    """

    def register(work: Callable[..., Any]) -> Callable[..., Any]:
        if name in _kinds and _kinds[name].work.__qualname__ != work.__qualname__:
            raise ValueError(f"two jobs are called {name}")
        _kinds[name] = Kind(name, work, title, retries, lease_seconds, backoff_seconds, long)
        return work

    return register


def scheduled(rule: Rule, *, missed: Literal["each", "latest"] = "latest") -> Callable[[Work], Work]:
    """Put a job on the timetable; stands above `@job`. The job is called with `due_at` (ISO, UTC) as its argument."""

    def register(work: Callable[..., Any]) -> Callable[..., Any]:
        name = next(kind.name for kind in _kinds.values() if kind.work is work)
        _timetables[name] = Timetable(name, rule, missed)
        return work

    return register


@cache
def _discover() -> None:
    autodiscover_modules("background")


def kind_of(name: str, *, missing_ok: bool = False) -> Kind | None:
    """The job of this name. Raises KeyError unless `missing_ok`: a job of a later release is left to workers that know it."""
    _discover()
    return _kinds.get(name) if missing_ok else _kinds[name]


def kinds() -> dict[str, Kind]:
    """Every job, by name."""
    _discover()
    return dict(_kinds)


def timetables() -> dict[str, Timetable]:
    """Every timetable, by name."""
    _discover()
    return dict(_timetables)
