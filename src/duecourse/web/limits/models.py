"""Requests for limits on their way to a decision, and who consented. What was decided is a fact and stands in the ledger."""

# mypy: disable-error-code="var-annotated, no-any-return"
# Django gives its fields their types by a plugin we do without.

from __future__ import annotations

from typing import Any, ClassVar, Final

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

KINDS: Final = ("standing", "temporary", "block", "lift", "end")
"""A limit until further notice; one on top of it until a day; a stop; the end of a stop; the end of a limit."""
STATUSES: Final = ("open", "granted", "refused", "withdrawn")
SOURCES: Final = ("request", "review")


class LimitRequest(models.Model):
    """What somebody asks for, what was recommended when they did, and what became of it.

    mark       made with the form: the same form sent twice is one request
    answer …   the recommendation as a decision keeps it (canonical JSON), and what it stood on
    granted_*  what the first approver would grant; everybody after them consents to exactly that
    """

    requested_by_id: int
    consents: Any

    mark = models.CharField(max_length=40, unique=True)
    buyer_id = models.CharField(max_length=100, db_index=True)
    kind = models.CharField(max_length=12, choices=[(kind, kind) for kind in KINDS])
    source = models.CharField(max_length=10, choices=[(source, source) for source in SOURCES], default="request")
    legal_entity = models.CharField(max_length=100, blank=True, default="")
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField(null=True, blank=True)
    payment_terms_days = models.IntegerField(null=True, blank=True)
    expected_sales_minor = models.BigIntegerField(null=True, blank=True)
    valid_to = models.DateField(null=True, blank=True)
    target_limit_id = models.CharField(max_length=100, blank=True, default="")
    reason = models.CharField(max_length=1000)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(default=timezone.now)

    grade = models.IntegerField(null=True, blank=True)
    recommended_minor = models.BigIntegerField(null=True, blank=True)
    answer = models.TextField()
    rules = models.TextField()
    ask = models.JSONField(default=dict)
    book_on = models.DateField()
    book_known_at = models.DateTimeField()
    ledger_version = models.BigIntegerField()

    status = models.CharField(max_length=10, choices=[(status, status) for status in STATUSES], default="open")
    granted_minor = models.BigIntegerField(null=True, blank=True)
    granted_terms_days = models.IntegerField(null=True, blank=True)
    granted_valid_to = models.DateField(null=True, blank=True)
    review_on = models.DateField(null=True, blank=True)
    decided_on = models.DateField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    limit_id = models.CharField(max_length=100, blank=True, default="")
    decision_id = models.CharField(max_length=100, blank=True, default="")

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [models.Index(fields=["id"], condition=Q(status="open"), name="limits_open")]

    def __str__(self) -> str:
        return f"{self.pk} {self.kind} {self.buyer_id}"


class Consent(models.Model):
    """What one person said to a request: never twice the same person."""

    person_id: int
    request_id: int

    request = models.ForeignKey(LimitRequest, models.CASCADE, related_name="consents")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    approves = models.BooleanField()
    amount_minor = models.BigIntegerField(null=True, blank=True)
    note = models.CharField(max_length=1000, blank=True, default="")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["request", "person"], name="limits_one_consent_each")]

    def __str__(self) -> str:
        return f"{self.person_id} {self.request_id} {self.approves}"
