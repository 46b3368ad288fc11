"""Cases, their invoices, tasks, promises and plans, and what happened to each. What others may rest on is a fact and goes to the ledger."""

# mypy: disable-error-code="var-annotated, no-any-return"
# Django gives its fields their types by a plugin we do without.

from __future__ import annotations

from typing import Any, ClassVar, Final

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from duecourse.decisions.playbook import PHASES
from duecourse.web.added import AddedOnly
from duecourse.web.questions import Question

OPEN: Final = "open"
PAUSED: Final = "paused"
CLOSED: Final = "closed"
STATES: Final = (OPEN, PAUSED, CLOSED)
LIVE: Final = (OPEN, PAUSED)

RESULTS: Final = ("paid", "settled", "indemnified", "sold", "written_off", "uncollectable", "mistaken")
"""Paid in full · a part, by agreement · by the insurer · the claim was sold · written off · nothing left to be had · there was no debt."""

CLOCK: Final = "clock."
"""How the code of a task begins that is a right that ends (`desk/case_clocks`)."""

TASK_STATES: Final = ("open", "done", "skipped", "dropped")
"""To be done · done · left out by somebody, with a reason · not called for any more."""

PROMISE_STATES: Final = ("open", "kept", "partly", "broken", "withdrawn")
PLAN_STATES: Final = ("running", "kept", "broken", "ended")


class Case(models.Model):
    """One debtor who has not paid. While it is open there is no other of the same buyer.

    cause           what opened it: the rule, or the mark of a person's form
    overdue_minor   in `currency`, the base currency of the book; as of `seen_on`
    waiting_minor   what one more day of waiting costs, the same currency
    phase           of its next open task
    planned         what its tasks were made from, so that they are made anew only when that changes
    """

    owner_id: int | None
    invoices: Any
    tasks: Any
    events: Any
    promises: Any
    plans: Any

    buyer_id = models.CharField(max_length=255)
    state = models.CharField(max_length=10, choices=[(state, state) for state in STATES], default=OPEN)
    cause = models.CharField(max_length=80)
    country = models.CharField(max_length=2, blank=True, default="")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    phase = models.CharField(max_length=10, choices=[(phase, phase) for phase in PHASES], default=PHASES[0])
    next_on = models.DateField(null=True, blank=True)

    currency = models.CharField(max_length=3)
    overdue_minor = models.BigIntegerField(default=0)
    opened_minor = models.BigIntegerField(default=0)
    oldest_due_on = models.DateField()
    waiting_minor = models.BigIntegerField(default=0)
    planned = models.CharField(max_length=64, blank=True, default="")
    playbook = models.CharField(max_length=60, blank=True, default="")

    opened_on = models.DateField()
    opened_at = models.DateTimeField(default=timezone.now)
    seen_on = models.DateField()
    paused_until = models.DateField(null=True, blank=True)
    pause_reason = models.CharField(max_length=300, blank=True, default="")
    escalated_on = models.DateField(null=True, blank=True)

    closed_on = models.DateField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    result = models.CharField(max_length=14, blank=True, default="")
    recovered_minor = models.BigIntegerField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["buyer_id"], condition=~Q(state=CLOSED), name="cases_one_open_a_buyer"),
            models.UniqueConstraint(fields=["buyer_id", "cause"], name="cases_once_a_cause"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["-waiting_minor"], condition=~Q(state=CLOSED), name="cases_live"),
            models.Index(fields=["buyer_id", "-id"], name="cases_of_buyer"),
            models.Index(fields=["closed_on"], name="cases_closed"),
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.buyer_id} ({self.state})"

    @property
    def case_id(self) -> str:
        """Its number as letters and the ledger write it."""
        return f"C{self.pk:06d}"


class CaseInvoice(models.Model):
    """One invoice (instalment) of a case, from the day it joined to the day it was settled.

    joined_minor, open_minor  in the invoice's own currency: open when it joined, and now
    """

    case_id: int

    case = models.ForeignKey(Case, models.PROTECT, related_name="invoices")
    invoice_id = models.CharField(max_length=255)
    instalment = models.IntegerField(default=1)
    due_on = models.DateField()
    currency = models.CharField(max_length=3)
    joined_on = models.DateField()
    joined_minor = models.BigIntegerField()
    open_minor = models.BigIntegerField()
    left_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["due_on", "id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["case", "invoice_id", "instalment"], name="cases_once_an_invoice")]

    def __str__(self) -> str:
        return f"{self.case_id} {self.invoice_id}"


class Task(models.Model):
    """One thing to be done in a case: a step of the playbook (`code`, `number`), a right that ends (CLOCK), or one somebody wrote down (`said`).

    due_on   the last day on which it is in time
    about    of a right that ends: {ends_on, party, reference}
    proof    SHA-256 of the document that proves it
    """

    case_id: int

    case = models.ForeignKey(Case, models.PROTECT, related_name="tasks")
    code = models.CharField(max_length=40)
    number = models.IntegerField(default=1)
    said = models.CharField(max_length=300, blank=True, default="")
    about = models.JSONField(default=dict)
    phase = models.CharField(max_length=10, default=PHASES[0])
    due_on = models.DateField()
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=10, choices=[(state, state) for state in TASK_STATES], default="open")
    done_on = models.DateField(null=True, blank=True)
    done_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    proof = models.CharField(max_length=64, blank=True, default="")
    note = models.CharField(max_length=1000, blank=True, default="")

    class Meta:
        ordering: ClassVar = ["due_on", "id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["case", "code", "number"], name="cases_once_a_step")]
        indexes: ClassVar = [models.Index(fields=["due_on"], condition=Q(state="open"), name="cases_to_do")]

    def __str__(self) -> str:
        return f"{self.case_id} {self.code} {self.due_on}"


class Promise(models.Model):
    """Money promised for a day. Kept when at least so much came in from the day of the promise up to that day.  承诺付款"""

    case_id: int

    case = models.ForeignKey(Case, models.PROTECT, related_name="promises")
    mark = models.CharField(max_length=40)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    made_on = models.DateField()
    promised_on = models.DateField()
    by = models.CharField(max_length=200, blank=True, default="")
    state = models.CharField(max_length=10, choices=[(state, state) for state in PROMISE_STATES], default="open")
    received_minor = models.BigIntegerField(default=0)
    judged_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["promised_on", "id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["case", "mark"], name="cases_promise_once")]
        indexes: ClassVar = [models.Index(fields=["promised_on"], condition=Q(state="open"), name="cases_promised")]

    def __str__(self) -> str:
        return f"{self.case_id} {self.amount_minor} {self.currency} {self.promised_on} ({self.state})"


class Plan(models.Model):
    """A payment plan: dated instalments, what happens when one is missed, and the security that was given.  分期还款安排

    rows     [{on, amount_minor}], rising days
    default_days  so many days late ends the plan, and everything falls due
    """

    case_id: int

    case = models.ForeignKey(Case, models.PROTECT, related_name="plans")
    mark = models.CharField(max_length=40)
    currency = models.CharField(max_length=3)
    rows = models.JSONField()
    agreed_on = models.DateField()
    default_days = models.IntegerField(default=7)
    security = models.CharField(max_length=500, blank=True, default="")
    state = models.CharField(max_length=10, choices=[(state, state) for state in PLAN_STATES], default="running")
    received_minor = models.BigIntegerField(default=0)
    judged_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["case", "mark"], name="cases_plan_once"),
            models.UniqueConstraint(fields=["case"], condition=Q(state="running"), name="cases_one_plan"),
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.agreed_on} ({self.state})"


class CaseEvent(AddedOnly):
    """One thing that happened to a case, once: `key` names it.

    kind    what it was; those of the ledger's CASE_EVENT_KINDS went there, too
    detail  amounts, days, invoice, reference, proof … by kind
    """

    person_id: int | None
    case_id: int

    case = models.ForeignKey(Case, models.PROTECT, related_name="events")
    kind = models.CharField(max_length=24)
    key = models.CharField(max_length=80)
    on = models.DateField()
    at = models.DateTimeField(default=timezone.now)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    note = models.CharField(max_length=1000, blank=True, default="")
    detail = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["case", "key"], name="cases_event_once")]

    def __str__(self) -> str:
        return f"{self.case_id} {self.kind} {self.on}"


_OPEN_OF: Final = Question(lambda: Case.objects.filter(buyer_id="").exclude(state=CLOSED).order_by("pk").values_list("pk")[:1], 0)


def live_case_of(buyer_id: str) -> Case | None:
    """The buyer's open case."""
    keys = _OPEN_OF.rows(buyer_id)  # most buyers have none: the short question first
    found: Case | None = Case.objects.filter(pk=keys[0][0]).exclude(state=CLOSED).select_related("owner").first() if keys else None
    return found
