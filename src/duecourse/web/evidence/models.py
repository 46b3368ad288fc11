"""Files of accounts that wait to be entered. What they say is in the ledger once somebody confirms it, never here."""

# mypy: disable-error-code="var-annotated, no-any-return"
# Django gives its fields their types by a plugin we do without.

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from duecourse.web import environment as env

if TYPE_CHECKING:
    from pathlib import Path


class StatementFile(models.Model):
    """A file of a buyer's accounts: its bytes lie in the home folder, `options` are what was said about how to read it."""

    buyer_id = models.CharField(max_length=200, db_index=True)
    sha256 = models.CharField(max_length=64)
    name = models.CharField(max_length=255)
    size_bytes = models.BigIntegerField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now, db_index=True)
    options = models.JSONField(default=dict)
    entered_at = models.DateTimeField(null=True, blank=True)
    batch_id = models.CharField(max_length=100, blank=True, default="")

    class Meta:
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def place(self) -> Path:
        """Where its bytes lie."""
        return place_of(self.sha256)


def place_of(sha256: str) -> Path:
    """The file with these bytes."""
    folder = env.HOME / "evidence"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / sha256


class ListHit(models.Model):
    """A buyer and an entry of a list that a person should look at: found by the last screening, gone with the next that does not find it."""

    buyer_id = models.CharField(max_length=200, db_index=True)
    list_name = models.CharField(max_length=120)
    entry_id = models.CharField(max_length=120)
    fingerprint = models.CharField(max_length=32)
    score = models.FloatField()
    outcome = models.CharField(max_length=10)
    answer = models.JSONField()
    entry = models.JSONField()
    found_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-score", "pk"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["buyer_id", "list_name", "entry_id"], name="evidence_one_hit")]

    def __str__(self) -> str:
        return f"{self.buyer_id} {self.list_name} {self.entry_id}"


class ListVerdict(models.Model):
    """What somebody decided about a buyer and an entry: holds as long as the entry says what it said (`fingerprint`). Never changed, only followed."""

    buyer_id = models.CharField(max_length=200, db_index=True)
    list_name = models.CharField(max_length=120)
    entry_id = models.CharField(max_length=120)
    fingerprint = models.CharField(max_length=32)
    is_match = models.BooleanField()
    reason = models.CharField(max_length=500)
    answer = models.JSONField()
    entry = models.JSONField()
    decision_id = models.CharField(max_length=100)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [models.Index(fields=["buyer_id", "list_name", "entry_id", "fingerprint"], name="evidence_verdict_of")]

    def __str__(self) -> str:
        return f"{self.buyer_id} {self.list_name} {self.entry_id} {self.is_match}"


class ScreeningRun(models.Model):
    """When everybody was last screened, against which version of the ledger, and how many pairs were found."""

    at = models.DateTimeField(default=timezone.now)
    ledger_version = models.BigIntegerField()
    buyers = models.IntegerField()
    entries = models.IntegerField()
    hits = models.IntegerField()

    class Meta:
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}"


class FeedVerdict(models.Model):
    """What somebody said of a report that may mean a buyer, once: the ledger has it from the outbox."""

    signal_id = models.CharField(max_length=200, unique=True)
    buyer_id = models.CharField(max_length=200, db_index=True)
    called = models.CharField(max_length=300, blank=True, default="")
    provider = models.CharField(max_length=120, blank=True, default="")
    text = models.TextField(blank=True, default="")
    is_buyer = models.BooleanField()
    reason = models.CharField(max_length=500)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"{self.signal_id} {self.is_buyer}"
