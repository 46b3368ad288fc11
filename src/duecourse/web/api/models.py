"""What the API keeps of its own: answers to writes, rate buckets, webhooks and what was delivered."""

# mypy: disable-error-code="var-annotated, no-any-return"
# Django gives its fields their types by a plugin we do without.

from __future__ import annotations

from typing import ClassVar, Final

from django.conf import settings
from django.db import models
from django.utils import timezone

WAITING: Final = "waiting"
DELIVERED: Final = "delivered"
GIVEN_UP: Final = "given_up"
STATUSES: Final = (WAITING, DELIVERED, GIVEN_UP)


class IdempotencyKey(models.Model):
    """One write under the key its sender gave it: what was asked, which batch of the ledger it became, and what was answered.

    The row is there before the ledger is written, with the batch's name in it: whoever takes the write up again after a crash finds
    in the journal whether that batch had come through.
    """

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    digest = models.CharField(max_length=64)
    batch_id = models.CharField(max_length=60)
    lease_owner = models.CharField(max_length=120)
    lease_until = models.DateTimeField()
    answer_status = models.IntegerField(null=True)
    answer_type = models.CharField(max_length=80, blank=True, default="")
    answer_body = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["person", "key"], name="api_once_a_key")]
        indexes: ClassVar = [models.Index(fields=["created_at"], name="api_key_age")]

    def __str__(self) -> str:
        return f"{self.key} ({self.batch_id})"


class RateBucket(models.Model):
    """What one key may still ask: tokens at a moment, refilled evenly. Moved on by compare-and-set, so that all processes share it."""

    name = models.CharField(max_length=80, unique=True)
    tokens = models.FloatField()
    counted_at = models.FloatField()  # seconds since 1970
    turn = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.name}: {self.tokens:.1f}"


class WebhookEndpoint(models.Model):
    """An address that is told what happened.

    `sealed` is the signing secret, enciphered with the app's own key; `sealed_before` the one it replaced, which signs too until `until`.
    """

    url = models.URLField(max_length=500)
    note = models.CharField(max_length=200, blank=True, default="")
    events = models.JSONField(default=list)
    sealed = models.TextField()
    sealed_before = models.TextField(blank=True, default="")
    before_until = models.DateTimeField(null=True, blank=True)
    active = models.BooleanField(default=True)
    failing_since = models.DateTimeField(null=True, blank=True)
    disabled_at = models.DateTimeField(null=True, blank=True)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return self.url


class WebhookEvent(models.Model):
    """Something that happened, once: `once` names it, so that however often it is looked for it is told one time."""

    name = models.CharField(max_length=60)
    message_id = models.CharField(max_length=60, unique=True)
    once = models.CharField(max_length=200, unique=True)
    data = models.JSONField(default=dict)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"{self.name} {self.message_id}"


class WebhookDelivery(models.Model):
    """An event on its way to an endpoint."""

    event = models.ForeignKey(WebhookEvent, on_delete=models.CASCADE, related_name="deliveries")
    endpoint = models.ForeignKey(WebhookEndpoint, on_delete=models.CASCADE, related_name="deliveries")
    status = models.CharField(max_length=10, choices=[(status, status) for status in STATUSES], default=WAITING)
    attempts = models.IntegerField(default=0)
    next_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [models.Index(fields=["endpoint", "-id"], name="api_deliveries")]

    def __str__(self) -> str:
        return f"{self.event} -> {self.endpoint}"


class WebhookAttempt(models.Model):
    """One try: what the endpoint answered, or why there was no answer."""

    delivery = models.ForeignKey(WebhookDelivery, on_delete=models.CASCADE, related_name="tries")
    at = models.DateTimeField(default=timezone.now)
    status = models.IntegerField(null=True, blank=True)
    milliseconds = models.IntegerField(default=0)
    fault = models.CharField(max_length=60, blank=True, default="")
    answer = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.delivery}: {self.status or self.fault}"


class LedgerMark(models.Model):
    """Up to which version of the ledger its changes were told, and what the checks had found then."""

    name = models.CharField(max_length=40, unique=True)
    version = models.BigIntegerField(default=-1)
    findings = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"{self.name} {self.version}"
