"""Files that were kept, how each was described and by whom, the custody log, time-stamps, packages. The facts go to the ledger, too."""

# mypy: disable-error-code="var-annotated, no-any-return"
# Django gives its fields their types by a plugin we do without.

from __future__ import annotations

from typing import Any, ClassVar, Final

from django.conf import settings
from django.db import models
from django.utils import timezone

from duecourse.web.added import AddedOnly
from duecourse.web.jobs.models import JobRun

FACTS: Final = (
    "kind",
    "dated",
    "received_on",
    "language",
    "original",
    "holder",
    "case_id",
    "file_name",
    "media_type",
    "size_bytes",
    "text",
)
"""What is said of a document: columns of the ledger's table `document`."""


class Held(AddedOnly):
    """One file, once: its bytes lie in the home folder under their SHA-256."""

    document_id = models.CharField(max_length=64, primary_key=True)
    size_bytes = models.BigIntegerField()
    media_type = models.CharField(max_length=100)
    at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.document_id


class Filed(AddedOnly):
    """A document in a buyer's file as somebody described it. The newest row counts; `withdrawn` takes it out of the file, never off the disk."""

    by_id: int

    document_id = models.CharField(max_length=64)
    buyer_id = models.CharField(max_length=255)
    kind = models.CharField(max_length=24)
    dated = models.DateField(null=True)
    received_on = models.DateField()
    language = models.CharField(max_length=10, blank=True, default="")
    original = models.BooleanField(null=True)
    holder = models.CharField(max_length=200, blank=True, default="")
    case_id = models.CharField(max_length=20, blank=True, default="")
    file_name = models.CharField(max_length=255)
    media_type = models.CharField(max_length=100)
    size_bytes = models.BigIntegerField()
    text = models.CharField(max_length=1000, blank=True, default="")
    withdrawn = models.BooleanField(default=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [
            models.Index(fields=["buyer_id", "document_id", "-id"], name="documents_of_buyer"),
            models.Index(fields=["document_id"], name="documents_files"),
        ]

    def __str__(self) -> str:
        return f"{self.buyer_id} {self.kind} {self.file_name}"

    @property
    def facts(self) -> dict[str, Any]:
        """What it says."""
        return {name: getattr(self, name) for name in FACTS}


class Linked(AddedOnly):
    """What a document is to prove of a fact, as somebody said. The newest row of a document and fact counts."""

    document_id = models.CharField(max_length=64)
    buyer_id = models.CharField(max_length=255)
    target = models.CharField(max_length=20)
    target_id = models.CharField(max_length=255)
    purpose = models.CharField(max_length=500, blank=True, default="")
    linked_on = models.DateField()
    withdrawn = models.BooleanField(default=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [models.Index(fields=["buyer_id", "document_id", "-id"], name="documents_links")]

    def __str__(self) -> str:
        return f"{self.document_id[:12]} {self.target} {self.target_id}"


class CustodyRow(AddedOnly):
    """One row of the custody log. Each holds the hash of the row before it, and of the row before it about the same document.

    Rows are added by `custody` alone. `document_id` is "" for what is said of a whole file of evidence.
    """

    number = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    person_id = models.BigIntegerField(null=True)
    person_name = models.CharField(max_length=150)
    act = models.CharField(max_length=20)
    document_id = models.CharField(max_length=64)
    buyer_id = models.CharField(max_length=255)
    detail = models.TextField()
    before = models.CharField(max_length=64)
    previous = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["document_id", "number"], name="documents_custody")]

    def __str__(self) -> str:
        return f"{self.number} {self.act} {self.document_id[:12]}"


class CustodyHead(models.Model):
    """The end of the log: the one row that whoever adds to it locks first."""

    number = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64, default="0" * 64)

    def __str__(self) -> str:
        return f"{self.number} {self.hash}"


class Stamped(AddedOnly):
    """A time-stamp of a document: the authority's answer as it came (DER)."""

    document_id = models.CharField(max_length=64, primary_key=True)
    answer = models.BinaryField()
    stamped_at = models.DateTimeField()
    authority = models.CharField(max_length=300)
    trusted = models.BooleanField()
    at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.document_id[:12]} {self.stamped_at:%Y-%m-%d %H:%M:%S}"


class Package(models.Model):
    """A file of evidence that somebody asked for; its ZIP lies in the home folder under `token` until it is cleared away."""

    token = models.CharField(max_length=32, unique=True)
    buyer_id = models.CharField(max_length=255, db_index=True)
    case_id = models.CharField(max_length=20, blank=True, default="")
    invoices = models.JSONField(default=list)
    languages = models.CharField(max_length=10, default="zh")
    name = models.CharField(max_length=120, blank=True, default="")
    seal = models.CharField(max_length=64, blank=True, default="")
    size_bytes = models.BigIntegerField(default=0)
    documents = models.IntegerField(default=0)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    run = models.ForeignKey(JobRun, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"{self.case_id or self.buyer_id} {self.at:%Y-%m-%d}"
