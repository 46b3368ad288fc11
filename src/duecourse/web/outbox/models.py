"""Rows that wait to be appended to the ledger."""

# mypy: disable-error-code="var-annotated, no-any-return"
# Django gives its fields their types by a plugin we do without.

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone


class Outgoing(models.Model):
    """One row for one table of the ledger.

    `batch_id` names the batch it goes into, before the ledger is written: whoever takes the batch up again after a crash finds in the
    journal whether it had come through.
    """

    table = models.CharField(max_length=40)
    key = models.CharField(max_length=300)
    row = models.JSONField()
    made_at = models.DateTimeField(default=timezone.now)
    batch_id = models.CharField(max_length=60, blank=True, default="")
    written_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [
            models.Index(fields=["id"], condition=Q(written_at__isnull=True), name="outbox_waiting"),
            models.Index(fields=["written_at"], name="outbox_written"),
        ]

    def __str__(self) -> str:
        return f"{self.table} {self.key}"
