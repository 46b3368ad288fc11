"""Work in the background as rows: one for each run asked for, one for each schedule, one for each worker alive."""

# mypy: disable-error-code="var-annotated, no-any-return"
# Django gives its fields their types by a plugin we do without.

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from duecourse.messages import say

if TYPE_CHECKING:
    from collections.abc import Mapping

WAITING: Final = "waiting"
RUNNING: Final = "running"
DONE: Final = "done"
FAILED: Final = "failed"
CANCELLED: Final = "cancelled"
STATUSES: Final = (WAITING, RUNNING, DONE, FAILED, CANCELLED)
UNFINISHED: Final = (WAITING, RUNNING)


class JobRun(models.Model):
    """One piece of work. The row is the queue, the lease and the record at once, so that they can never disagree.

    `attempts` rises with every take-up and is the fence: whoever writes as an earlier attempt changes no row.
    """

    name = models.CharField(max_length=80)
    key = models.CharField(max_length=200, blank=True, default="")
    args = models.JSONField(default=dict)
    status = models.CharField(max_length=10, choices=[(status, status) for status in STATUSES], default=WAITING)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    attempts = models.IntegerField(default=0)
    failures = models.IntegerField(default=0)
    losses = models.IntegerField(default=0)
    lease_owner = models.CharField(max_length=120, blank=True, default="")
    lease_until = models.DateTimeField(null=True, blank=True)
    cancel_asked = models.BooleanField(default=False)

    progress = models.FloatField(default=0.0)
    phase = models.CharField(max_length=80, blank=True, default="")
    phase_args = models.JSONField(default=dict)

    created_at = models.DateTimeField(default=timezone.now)
    run_after = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    error_code = models.CharField(max_length=60, blank=True, default="")
    error_args = models.JSONField(default=dict)
    error_detail = models.TextField(blank=True, default="")
    result = models.JSONField(null=True, blank=True)

    schedule = models.CharField(max_length=80, blank=True, default="")
    due_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["name", "key"], condition=~Q(key=""), name="job_once_a_key"),
            models.UniqueConstraint(fields=["schedule", "due_at"], condition=Q(due_at__isnull=False), name="job_once_a_due_time"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["status", "run_after", "id"], name="job_by_status"),
            models.Index(fields=["schedule", "due_at"], name="job_by_schedule"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.pk} ({self.status})"

    @property
    def title(self) -> str:
        """What this work is, in the language spoken."""
        from duecourse.web.jobs.registry import kind_of  # noqa: PLC0415 — the registry loads every room's jobs

        kind = kind_of(self.name, missing_ok=True)
        return say(kind.title) if kind else self.name

    @property
    def finished(self) -> bool:
        """Is nothing more going to happen?"""
        return self.status not in UNFINISHED

    @property
    def phase_text(self) -> str:
        """What it is doing now, in the language spoken; empty where it has not said."""
        return say(self.phase, **self.phase_args) if self.phase else ""

    @property
    def error(self) -> str:
        """Why it failed, as a sentence in the language spoken; empty where it did not."""
        return say(f"errors.{self.error_code}", **self.error_args) if self.error_code else ""

    @property
    def percent(self) -> int:
        """Progress as a whole number, 0 to 100."""
        return min(100, max(0, round(self.progress * 100)))

    @property
    def percent_text(self) -> str:
        """Progress as a person reads it."""
        return f"{self.percent}%"

    @property
    def run_after_text(self) -> str:
        """From when it may run, in the firm's time."""
        return f"{timezone.localtime(self.run_after):%Y-%m-%d %H:%M:%S}"

    @property
    def took(self) -> str:
        """How long the last attempt took."""
        if self.started_at is None or self.finished_at is None or self.finished_at < self.started_at:
            return "–"
        seconds = (self.finished_at - self.started_at).total_seconds()
        if seconds < 60:
            return say("web.jobs_seconds", seconds=f"{seconds:.1f}")
        return say("web.jobs_minutes", minutes=int(seconds // 60), seconds=int(seconds % 60))

    @property
    def told(self) -> list[tuple[str, Any]]:
        """Its arguments and its result, as names and plain values."""
        result = self.result if isinstance(self.result, dict) else {"": self.result} if self.result is not None else {}
        return [*self.args.items(), *((f"→ {name}".rstrip(), value) for name, value in result.items())]

    def as_data(self) -> Mapping[str, Any]:
        """The run as plain data, for the API and the page's live progress."""
        return {
            "id": self.pk, "name": self.name, "status": self.status, "progress": round(self.progress, 4), "phase": self.phase_text,
            "error": self.error, "result": self.result, "created_at": self.created_at.isoformat(),
            "finished_at": self.finished_at.isoformat() if self.finished_at else None,
        }  # fmt: skip


class Schedule(models.Model):
    """When a scheduled job is next due. Moved on by compare-and-set: however many workers look, each due time is taken once."""

    name = models.CharField(max_length=80, unique=True)
    rule = models.CharField(max_length=80)
    next_due = models.DateTimeField()
    last_due = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["next_due"]

    def __str__(self) -> str:
        return f"{self.name} ({self.rule})"

    @property
    def title(self) -> str:
        """What it does, in the language spoken."""
        from duecourse.web.jobs.registry import kind_of  # noqa: PLC0415 — the registry loads every room's jobs

        kind = kind_of(self.name, missing_ok=True)
        return say(kind.title) if kind else self.name


class Worker(models.Model):
    """A worker process that is alive, and when it last said so."""

    owner = models.CharField(max_length=120, unique=True)
    started_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["started_at"]

    def __str__(self) -> str:
        return self.owner
