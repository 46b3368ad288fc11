"""Alerts, what happened to each, and the days that were run. What a person found out about an alert is a fact and goes to the ledger."""

# mypy: disable-error-code="var-annotated, no-any-return"
# Django gives its fields their types by a plugin we do without.

from __future__ import annotations

from typing import Any, ClassVar, Final

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from duecourse.decisions.alert import LiveAlert
from duecourse.web.added import AddedOnly
from duecourse.web.questions import Question

OPEN: Final = "open"
CLOSED: Final = "closed"
CLEARED: Final = "cleared"
"""Closed by a person, with a verdict · by the policy, because what had opened it was gone for long enough."""
STATES: Final = (OPEN, CLOSED, CLEARED)
SEVERITIES: Final = ("red", "amber")
VERDICTS: Final = ("true", "false", "known")
"""It was right, and new to us · it was wrong · it was right, and we knew."""

EVENTS: Final = (
    "opened", "raised", "acknowledged", "assigned", "snoozed", "woken", "escalated", "noted", "closed", "cleared",
)  # fmt: skip


class Alert(models.Model):
    """One buyer to be looked at. While it is open there is no other of the same buyer.

    reasons         [{code, family, on, why}] in the order in which they came; why: {code, args} of the sentence as it was then, or null
    severity        the highest it has been; probability, rule_score, rank likewise
    exposure_minor  as of the last day it was looked at, in `currency`; in_default_since likewise, null = it was not
    cause           what opened it, unlike any other of the buyer: the day's run, or the batch that brought the news
    """

    assignee_id: int | None
    events: Any

    buyer_id = models.CharField(max_length=255)
    state = models.CharField(max_length=10, choices=[(state, state) for state in STATES], default=OPEN)
    severity = models.CharField(max_length=10, choices=[(one, one) for one in SEVERITIES])
    reasons = models.JSONField(default=list)
    probability = models.FloatField(null=True, blank=True)
    rule_score = models.FloatField(null=True, blank=True)
    rank = models.FloatField(default=0.0)
    exposure_minor = models.BigIntegerField(default=0)
    covered_minor = models.BigIntegerField(default=0)
    days_past_due = models.IntegerField(default=0)
    in_default_since = models.DateField(null=True, blank=True)
    currency = models.CharField(max_length=3)
    cause = models.CharField(max_length=80)
    policy = models.CharField(max_length=60)

    opened_on = models.DateField()
    opened_at = models.DateTimeField(default=timezone.now)
    raised_on = models.DateField()
    below_since = models.DateField(null=True, blank=True)
    seen_on = models.DateField()
    book_on = models.DateField()
    book_known_at = models.DateTimeField()
    ledger_version = models.BigIntegerField()

    assignee = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    snoozed_until = models.DateField(null=True, blank=True)
    escalated_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_on = models.DateField(null=True, blank=True)
    verdict = models.CharField(max_length=10, blank=True, default="")
    decision_id = models.CharField(max_length=60, blank=True, default="")

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["buyer_id"], condition=Q(state=OPEN), name="watch_one_open_alert_a_buyer"),
            models.UniqueConstraint(fields=["buyer_id", "cause"], name="watch_once_a_cause"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-rank"], condition=Q(state=OPEN), name="watch_open"),
            models.Index(fields=["opened_on"], name="watch_opened"),
            models.Index(fields=["buyer_id", "-id"], name="watch_of_buyer"),
            models.Index(fields=["closed_on"], name="watch_closed"),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.buyer_id} {self.severity} ({self.state})"

    @property
    def live(self) -> LiveAlert:
        """As the policy sees it."""
        return LiveAlert(
            self.buyer_id, self.opened_on, self.severity, {one["code"]: one["family"] for one in self.reasons}, self.raised_on, self.policy, self.below_since,
            self.probability, self.rule_score, self.rank,
        )  # fmt: skip


class AlertEvent(AddedOnly):
    """One thing that happened to an alert, once: `key` names it. Rows are only ever added.

    detail  severity, reasons, until, to, verdict, note … by kind
    """

    person_id: int | None
    alert_id: int

    alert = models.ForeignKey(Alert, models.PROTECT, related_name="events")
    kind = models.CharField(max_length=14, choices=[(kind, kind) for kind in EVENTS])
    key = models.CharField(max_length=80)
    on = models.DateField()
    at = models.DateTimeField(default=timezone.now)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    detail = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["alert", "key"], name="watch_once_each")]

    def __str__(self) -> str:
        return f"{self.alert_id} {self.kind} {self.on}"


class WatchHead(models.Model):
    """The one row that whoever draws up alerts locks first; and how far the changes of the ledger and the days have been looked at.

    looked_version  version of the ledger up to which changes were looked at as they came; -1 = never
    last_day        the last day that was drawn up whole
    """

    looked_version = models.BigIntegerField(default=-1)
    last_day = models.DateField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.looked_version} {self.last_day}"


class DayRun(models.Model):
    """A day's run: refresh, indicators, grades, warnings, alerts, digests. Done once; taken up where it was left.

    fault  the sentence of what stopped it the last time; empty where nothing did
    """

    steps: Any

    on = models.DateField(unique=True)
    state = models.CharField(max_length=10, default="waiting")  # waiting | running | done
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    fault = models.CharField(max_length=300, blank=True, default="")
    asked_by = models.CharField(max_length=150, blank=True, default="")

    class Meta:
        ordering: ClassVar = ["-on"]

    def __str__(self) -> str:
        return f"{self.on} ({self.state})"


class DayStep(models.Model):
    """One step of a day's run that is done: what it found, and how long it took."""

    run_id: int

    run = models.ForeignKey(DayRun, models.CASCADE, related_name="steps")
    name = models.CharField(max_length=20)
    at = models.DateTimeField(default=timezone.now)
    seconds = models.FloatField(default=0.0)
    found = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["run", "name"], name="watch_once_a_step")]

    def __str__(self) -> str:
        return f"{self.run_id} {self.name}"


class RunLease(models.Model):
    """Who runs days now: one row, taken by compare-and-set, kept alive while its holder works, free when that is gone."""

    owner = models.CharField(max_length=120, blank=True, default="")
    until = models.DateTimeField(null=True, blank=True)
    fence = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.owner} {self.fence}"


_OPEN_OF: Final = Question(lambda: Alert.objects.filter(buyer_id="", state=OPEN).order_by("-pk").values_list("pk")[:1], 0)


def open_alert_of(buyer_id: str) -> Alert | None:
    """The buyer's open alert."""
    found = _OPEN_OF.rows(buyer_id)  # most buyers have none: the short question first
    return Alert.objects.filter(pk=found[0][0], state=OPEN).select_related("assignee").first() if found else None
