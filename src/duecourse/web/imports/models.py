"""Files that were handed in: what was said about each, and what became of it. The facts in them are in the ledger, never here."""

# mypy: disable-error-code="var-annotated, no-any-return"
# Django gives its fields their types by a plugin we do without.

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from duecourse.web.jobs.models import CANCELLED, FAILED, JobRun

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duecourse.desk.importing import ImportResult


def _token() -> str:
    return secrets.token_hex(8)


class Upload(models.Model):
    """One file somebody handed in. Its bytes lie in the home folder under their SHA-256; several uploads may share them.

    options   what was said about how to read it, as `desk.importing.options_from` takes it
    expected  what the export itself says it adds up to: currency -> decimal text
    turn      rises each time it is confirmed: with the token it names one import in the ledger's journal
    run       the work that takes it in, or took it in last
    results   what came of it, one for each file (several when corrected lines came back)
    """

    token = models.CharField(max_length=16, unique=True, default=_token)
    sha256 = models.CharField(max_length=64, db_index=True)
    name = models.CharField(max_length=255)
    size_bytes = models.BigIntegerField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now, db_index=True)
    options = models.JSONField(default=dict)
    expected = models.JSONField(default=dict)
    turn = models.IntegerField(default=0)
    run = models.ForeignKey(JobRun, models.SET_NULL, null=True, blank=True, related_name="+")
    results = models.JSONField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.pk})"

    @property
    def state(self) -> str:
        """new: it waits to be looked at and confirmed; under_way; failed; done."""
        if self.run is not None and not self.run.finished:
            return "under_way"
        if self.results is not None:
            return "done"
        return "failed" if self.run is not None and self.run.status == FAILED else "new"

    @property
    def was_cancelled(self) -> bool:
        """Was its import called off?"""
        return self.results is None and self.run is not None and self.run.status == CANCELLED

    @property
    def mark(self) -> str:
        """The name of its present import in the ledger's journal."""
        return f"{self.token}-{self.turn}"

    @property
    def outcomes(self) -> Sequence[ImportResult]:
        """What came of it."""
        from duecourse.desk.importing import result_from  # noqa: PLC0415 — DuckDB is not needed to list uploads

        return [result_from(one) for one in self.results or ()]

    def note_results(self, turn: int, results: list[dict[str, Any]]) -> None:
        """Keep what came of this turn."""
        type(self).objects.filter(pk=self.pk, turn=turn).update(results=results)
