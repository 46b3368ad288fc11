"""Who wants to hear of what and where; what is to be told to whom; each message on its way.  通知

Notice → Sending: a notice is written by what caused it; those of one recipient that are ready are gathered into one message; the message is
taken up, handed over, and marked. Each step is one guarded UPDATE.

    waiting ──> claimed ──> sending ──> sent
       ^           │           ├──────> uncertain    it may have arrived: a person looks, and sends it again or lets it be
       └───────────┴───────────┘        given_up     it has certainly not arrived, and trying on is of no use
      tried again, later and later      dropped      nobody was left to tell it to
"""

# mypy: disable-error-code="var-annotated, no-any-return"
# Django gives its fields their types by a plugin we do without.

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from duecourse.ledger.scope import Scope

if TYPE_CHECKING:
    from duecourse.web.accounts.models import Person

WAITING: Final = "waiting"
CLAIMED: Final = "claimed"
SENDING: Final = "sending"
SENT: Final = "sent"
UNCERTAIN: Final = "uncertain"
GIVEN_UP: Final = "given_up"
DROPPED: Final = "dropped"
STATES: Final = (WAITING, CLAIMED, SENDING, SENT, UNCERTAIN, GIVEN_UP, DROPPED)
UNDER_WAY: Final = (CLAIMED, SENDING)
FOR_A_PERSON: Final = (UNCERTAIN, GIVEN_UP)
"""States in which only a person can go on."""

GATHERED: Final = "gathered"
KEPT: Final = "kept"
"""Of a notice: it is in a message · there is no way to send it, it stands in the app alone."""

MAIL: Final = "mail"
SERVICES: Final = ("webhook", "slack", "teams", "wecom", "dingtalk", "feishu")


class Channel(models.Model):
    """A place messages go to: a group's chat, an address of a program; or, with a person, that person's own chat.

    sealed_url, sealed_secret   hold what would let anybody write there, so they are enciphered
    details                     names and figures of buyers may be told; else a group hears only how many and where to look
    kinds                       {kind of notice: rhythm}; what is not named is not told
    legal_entities, sales_owners, groups_seen   the rows a group hears of; an empty list hides nothing
    """

    person_id: int | None

    service = models.CharField(max_length=10, choices=[(one, one) for one in SERVICES])
    name = models.CharField(max_length=100)
    sealed_url = models.TextField()
    sealed_secret = models.TextField(blank=True, default="")
    host = models.CharField(max_length=255)
    language = models.CharField(max_length=10, default="en")
    details = models.BooleanField(default=False)
    kinds = models.JSONField(default=dict)
    legal_entities = models.JSONField(default=list, blank=True)
    sales_owners = models.JSONField(default=list, blank=True)
    groups_seen = models.JSONField(default=list, blank=True)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="channels")
    active = models.BooleanField(default=True)
    failing_since = models.DateTimeField(null=True, blank=True)
    disabled_at = models.DateTimeField(null=True, blank=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["id"]

    def __str__(self) -> str:
        return f"{self.service} {self.name}"

    @property
    def scope(self) -> Scope:
        """Which rows may be told here."""
        return Scope(frozenset(self.legal_entities), frozenset(self.sales_owners), frozenset(self.groups_seen))

    @property
    def to(self) -> str:
        """Its name as a recipient."""
        return f"c{self.pk}"


class Preference(models.Model):
    """What somebody wants to hear, how and when. Who has none hears what is usual for their role, by mail.

    kinds    {kind of notice: rhythm}; what is not named is as usual
    channel  their own chat instead of mail
    quiet_*  no message between these times of their clock; what comes meanwhile is told when they end
    """

    person_id: int
    channel_id: int | None

    person = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="preference")
    kinds = models.JSONField(default=dict)
    channel = models.ForeignKey(Channel, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    time_zone = models.CharField(max_length=60, blank=True, default="")  # empty = the firm's
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_to = models.TimeField(null=True, blank=True)
    digest_at = models.TimeField(default=time(8, 0))
    digest_weekday = models.IntegerField(default=0)

    def __str__(self) -> str:
        return f"preference of {self.person_id}"


class Sending(models.Model):
    """One message to one recipient, from the moment its notices were gathered.

    token      names it for the receiver: `webhook-id`, the Message-ID of a mail; the same at every try
    message    title, lines, link as they are sent; empty until it was drawn up, and then the same at every try
    attempts   rises with every take-up and is the fence: whoever writes as an earlier attempt changes no row
    turn       rises whenever it is put off or taken up: each turn has a job of its own
    """

    person_id: int | None
    channel_id: int | None

    to = models.CharField(max_length=24)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    channel = models.ForeignKey(Channel, null=True, blank=True, on_delete=models.CASCADE, related_name="sendings")
    rhythm = models.CharField(max_length=10, default="at_once")
    token = models.CharField(max_length=60, unique=True)
    message = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=[(one, one) for one in STATES], default=WAITING)
    attempts = models.IntegerField(default=0)
    failures = models.IntegerField(default=0)
    turn = models.IntegerField(default=0)
    next_at = models.DateTimeField(default=timezone.now)
    lease_owner = models.CharField(max_length=120, blank=True, default="")
    lease_until = models.DateTimeField(null=True, blank=True)
    made_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    fault = models.CharField(max_length=40, blank=True, default="")
    status = models.IntegerField(null=True, blank=True)
    answer = models.CharField(max_length=300, blank=True, default="")
    resent = models.IntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["next_at"], condition=Q(state=WAITING), name="notices_to_send"),
            models.Index(fields=["lease_until"], condition=Q(state__in=UNDER_WAY), name="notices_under_way"),
            models.Index(fields=["state", "-id"], name="notices_by_state"),
            models.Index(fields=["to", "-id"], name="notices_sent_to"),
        ]

    def __str__(self) -> str:
        return f"{self.token} to {self.to} ({self.state})"

    @property
    def service(self) -> str:
        """How it goes."""
        return MAIL if self.channel is None else self.channel.service


class Notice(models.Model):
    """One thing to be told to one recipient, once: `to` and `key` are unique together.

    code, args  a sentence of the catalogue; an argument that is a mapping {code, args}, or a list of them, is worded with it
    buyer_id    whom it is about; its name is looked up when the message is drawn up, as its recipient may see it
    path        the page in the app where one acts on it
    """

    person_id: int | None
    channel_id: int | None

    to = models.CharField(max_length=24)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.CASCADE, related_name="notices")
    channel = models.ForeignKey(Channel, null=True, blank=True, on_delete=models.CASCADE, related_name="notices")
    key = models.CharField(max_length=200)
    kind = models.CharField(max_length=20)
    rhythm = models.CharField(max_length=10, default="at_once")
    code = models.CharField(max_length=80)
    args = models.JSONField(default=dict)
    buyer_id = models.CharField(max_length=255, blank=True, default="")
    path = models.CharField(max_length=500, blank=True, default="")
    weight = models.IntegerField(default=0)
    made_at = models.DateTimeField(default=timezone.now)
    ready_at = models.DateTimeField(default=timezone.now)
    state = models.CharField(max_length=10, default=WAITING)
    sending = models.ForeignKey(Sending, null=True, blank=True, on_delete=models.SET_NULL, related_name="notices")

    class Meta:
        ordering: ClassVar = ["-weight", "id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["to", "key"], name="notices_once_each")]
        indexes: ClassVar = [
            models.Index(fields=["ready_at"], condition=Q(state=WAITING), name="notices_waiting"),
            models.Index(fields=["to", "-id"], name="notices_of"),
            models.Index(fields=["made_at"], name="notices_age"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} to {self.to}: {self.key}"


class Pace(models.Model):
    """When the next message may go to a destination: what keeps us below the limits of its service, over all workers and machines."""

    name = models.CharField(max_length=24, unique=True)
    next_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.name} {self.next_at:%H:%M:%S}"


def preference_of(person: Person) -> Any:
    """What somebody chose, or what is usual, as an object that may not be in the database."""
    return Preference.objects.select_related("channel").filter(person=person).first() or Preference(person=person)
