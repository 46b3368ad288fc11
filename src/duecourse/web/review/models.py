"""What the past said of the warnings: backtests and monthly reviews, each kept with the state of the ledger it was drawn from."""

# mypy: disable-error-code="var-annotated, no-any-return"
# Django gives its fields their types by a plugin we do without.

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.conf import settings
from django.db import models
from django.utils import timezone

from duecourse.web.jobs.models import JobRun

if TYPE_CHECKING:
    from collections.abc import Mapping

GONE: Final = "gone"
"""The state of a run without a report, whose job has been cleared away."""


class Backtest(models.Model):
    """One backtest somebody asked for, and its report.

    mark     made with the form: the same form sent twice is one backtest
    options  since, until (ISO days or empty), share, name, analysts, segment, recorded, sets {name: thresholds}
    job_id   the run that works it out; null until it is asked for
    report   of `desk.backtest.backtest`; null until it is there. summary: what a list tells of it: since, until, figures of the headline
    book_on, book_known_at, ledger_version: what it was drawn from
    """

    asked_by_id: int

    mark = models.CharField(max_length=40, unique=True)
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now)
    options = models.JSONField(default=dict)
    job_id = models.BigIntegerField(null=True, blank=True)
    report = models.JSONField(null=True, blank=True)
    summary = models.JSONField(default=dict, blank=True)
    seconds = models.FloatField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    book_on = models.DateField(null=True, blank=True)
    book_known_at = models.DateTimeField(null=True, blank=True)
    ledger_version = models.BigIntegerField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"{self.pk} {self.options.get('name', '')}"

    @staticmethod
    def summed_up(report: Mapping[str, Any]) -> dict[str, Any]:
        """What a list tells of a report."""
        return {"since": report["since"], "until": report["until"], "figures": report["rivals"][report["headline"]]["figures"]}

    @property
    def job(self) -> Any:
        """The run that works it out, as long as it is kept; None otherwise."""
        return JobRun.objects.filter(pk=self.job_id).first() if self.job_id else None


class MonthlyReview(models.Model):
    """What the scores looked like at a month end, drawn up once for each state of the ledger: the newest counts, the older ones stay.

    report  of `desk.monthly_review.monthly_review`
    """

    made_by_id: int | None

    month_end = models.DateField(db_index=True)
    ledger_version = models.BigIntegerField()
    book_known_at = models.DateTimeField()
    made_at = models.DateTimeField(default=timezone.now)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    seconds = models.FloatField(default=0.0)
    report = models.JSONField()

    class Meta:
        ordering: ClassVar = ["-month_end", "-id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["month_end", "ledger_version"], name="review_once_a_version")]

    def __str__(self) -> str:
        return f"{self.month_end} ({self.ledger_version})"
