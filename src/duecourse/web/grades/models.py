"""What people propose about a grade, and what a second person said to it."""

# mypy: disable-error-code="var-annotated, no-any-return"
# Django gives its fields their types by a plugin we do without.

from __future__ import annotations

from typing import ClassVar, Final

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

OPEN: Final = "open"
APPROVED: Final = "approved"
REFUSED: Final = "refused"
WITHDRAWN: Final = "withdrawn"


class GradeAdjustment(models.Model):
    """A proposal to move a buyer's grade. It counts once a second person has approved it and it has gone to the ledger as a decision. 人工调整

    notches     positive = worse; until: the last day on which it holds; ended_on: it was ended before that
    book_on, book_known_at, ledger_version, grade, probability   what the proposal was made on
    """

    buyer_id = models.CharField(max_length=255, db_index=True)
    decision_id = models.CharField(max_length=40, unique=True)
    notches = models.IntegerField()
    reason = models.TextField()
    until = models.DateField()
    state = models.CharField(max_length=10, default=OPEN)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(default=timezone.now)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_on = models.DateField(null=True, blank=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    ended_on = models.DateField(null=True, blank=True)
    book_on = models.DateField()
    ledger_version = models.BigIntegerField()
    grade = models.IntegerField()
    probability = models.FloatField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["buyer_id"], condition=Q(state=OPEN), name="grade_one_open_proposal"),
            models.CheckConstraint(condition=~Q(notches=0), name="grade_moves"),
        ]

    def __str__(self) -> str:
        return f"{self.buyer_id} {self.notches:+d}"
