"""Letters on their way to a debtor. What went is a fact and stands in the ledger.  函件

    draft ──> waiting ──> approved ──> queued ──> sending ──> sent
      ^          │           │ │                     ├──────> uncertain   it may have gone: a person looks, and sends it again or says it went
      └──────────┴───────────┘ └──> sending (a batch is printed) ──> sent │
        changed again                                         failed <────┘ it has certainly not gone
    cancelled: from anywhere before it goes

Each step is one guarded UPDATE. `attempts` rises with every take-up and is the fence: whoever writes as an earlier attempt changes no row.
"""

# mypy: disable-error-code="var-annotated, no-any-return"
# Django gives its fields their types by a plugin we do without.

from __future__ import annotations

from typing import Any, ClassVar, Final

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from duecourse.actions.letters import KINDS, LetterFacts
from duecourse.actions.letters.facts import CHANNELS

DRAFT: Final = "draft"
WAITING: Final = "waiting"
APPROVED: Final = "approved"
QUEUED: Final = "queued"
SENDING: Final = "sending"
SENT: Final = "sent"
UNCERTAIN: Final = "uncertain"
FAILED: Final = "failed"
CANCELLED: Final = "cancelled"
STATES: Final = (DRAFT, WAITING, APPROVED, QUEUED, SENDING, SENT, UNCERTAIN, FAILED, CANCELLED)
FOR_A_PERSON: Final = (UNCERTAIN, FAILED)
"""Only a person can go on."""
BEFORE_IT_GOES: Final = (DRAFT, WAITING, APPROVED, QUEUED, FAILED)
OPEN: Final = (DRAFT, WAITING, APPROVED, QUEUED, SENDING, UNCERTAIN, FAILED)

EMAIL: Final = "email"
POST: Final = "post"
HANDED_OVER: Final = "handed_over"


class PrintBatch(models.Model):
    """Letters printed together, to be posted."""

    letters: Any
    made_by_id: int

    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    made_on = models.DateField()

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"batch {self.pk}"


class Letter(models.Model):
    """One letter. While it is not cancelled there is no other of the same case, kind, step, recipient and invoices (`mark`).

    facts         what it says, as JSON (`LetterFacts`); frozen with its PDF once it is submitted
    pdf           the very bytes that go; edited: a person's own version of them
    send_on       the day of the book on which it was given out; queued_at: the moment
    token         names it for the receiver: the Message-ID, the same at every try
    handed        it has been handed over to the mail server: from here on it may have arrived
    """

    approvals: Any
    files: Any
    batch_id: int | None
    made_by_id: int

    mark = models.CharField(max_length=64)
    number = models.CharField(max_length=40, unique=True)
    buyer_id = models.CharField(max_length=255)
    legal_entity = models.CharField(max_length=100, blank=True, default="")
    case_id = models.CharField(max_length=100, blank=True, default="")
    step = models.CharField(max_length=40, blank=True, default="")
    kind = models.CharField(max_length=24, choices=[(kind, kind) for kind in KINDS])
    language = models.CharField(max_length=8)
    channel = models.CharField(max_length=12, choices=[(one, one) for one in CHANNELS])
    recipient = models.CharField(max_length=300)
    address = models.CharField(max_length=500)
    facts = models.TextField()
    amounts = models.JSONField(default=list)
    warning = models.JSONField(null=True, blank=True)
    blocking = models.JSONField(default=list)
    advice = models.JSONField(default=list)
    book_on = models.DateField()
    deadline = models.DateField()
    edited = models.BooleanField(default=False)
    pdf = models.BinaryField(null=True, blank=True)
    pdf_sha256 = models.CharField(max_length=64, blank=True, default="")

    state = models.CharField(max_length=10, choices=[(state, state) for state in STATES], default=DRAFT)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    note = models.CharField(max_length=1000, blank=True, default="")

    send_on = models.DateField(null=True, blank=True)
    queued_at = models.DateTimeField(null=True, blank=True)
    queued_by = models.CharField(max_length=150, blank=True, default="")
    next_at = models.DateTimeField(null=True, blank=True)
    token = models.CharField(max_length=60, blank=True, default="")
    handed = models.BooleanField(default=False)
    attempts = models.IntegerField(default=0)
    failures = models.IntegerField(default=0)
    turn = models.IntegerField(default=0)
    resent = models.IntegerField(default=0)
    lease_owner = models.CharField(max_length=120, blank=True, default="")
    lease_until = models.DateTimeField(null=True, blank=True)
    fault = models.CharField(max_length=40, blank=True, default="")
    answer = models.CharField(max_length=300, blank=True, default="")
    batch = models.ForeignKey(PrintBatch, models.PROTECT, null=True, blank=True, related_name="letters")

    sent_on = models.DateField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    tracking = models.CharField(max_length=100, blank=True, default="")
    received_on = models.DateField(null=True, blank=True)
    proof = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["mark"], condition=~Q(state=CANCELLED), name="letters_one_a_mark")]
        indexes: ClassVar = [
            models.Index(fields=["state", "-id"], name="letters_by_state"),
            models.Index(fields=["case_id", "-id"], name="letters_of_case"),
            models.Index(fields=["buyer_id", "-id"], name="letters_of_buyer"),
            models.Index(fields=["next_at"], condition=Q(state=QUEUED), name="letters_to_send"),
            models.Index(fields=["lease_until"], condition=Q(state=SENDING), name="letters_under_way"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.kind} {self.buyer_id} ({self.state})"

    @property
    def told(self) -> LetterFacts:
        """What it says."""
        return LetterFacts.from_json(self.facts)


class Approval(models.Model):
    """What one person said to a letter as it was submitted: never twice the same person, never of a version that was changed since."""

    person_id: int
    letter_id: int

    letter = models.ForeignKey(Letter, models.CASCADE, related_name="approvals")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    pdf_sha256 = models.CharField(max_length=64)
    note = models.CharField(max_length=1000, blank=True, default="")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["letter", "person", "pdf_sha256"], name="letters_one_approval_each")]

    def __str__(self) -> str:
        return f"{self.person_id} {self.letter_id}"


class LetterFile(models.Model):
    """A document that proves what became of a letter: the signed receipt, the tracking print.  送达证明"""

    letter_id: int

    letter = models.ForeignKey(Letter, models.CASCADE, related_name="files")
    name = models.CharField(max_length=200)
    media_type = models.CharField(max_length=60)
    sha256 = models.CharField(max_length=64)
    data = models.BinaryField()
    added_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    added_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["letter", "sha256"], name="letters_one_file_each")]

    def __str__(self) -> str:
        return f"{self.letter_id} {self.name}"
