"""Agencies, what was handed over to them, and what they report back. What others may rest on is a fact and goes to the ledger."""

# mypy: disable-error-code="var-annotated, no-any-return"
# Django gives its fields their types by a plugin we do without.

from __future__ import annotations

from typing import Any, ClassVar, Final

from django.conf import settings
from django.db import models
from django.utils import timezone

from duecourse.web.added import AddedOnly

KINDS: Final = ("agency", "law_firm")
REPORTS: Final = ("report", "recovery")
"""How it goes · money recovered."""


class Agency(models.Model):
    """One agency or law firm.

    countries   ISO 3166-1 codes it works in; empty: not known
    former      names it had before: events of the ledger speak of it by those
    fee_bands   [[days_from, share], …]: its share of what it recovers, by how many days a debt is late when it is handed over
    fixed_minor what it takes for opening a file, whatever comes of it, in `fixed_currency`
    """

    placements: Any

    name = models.CharField(max_length=120, unique=True)
    former = models.JSONField(default=list)
    kind = models.CharField(max_length=10, choices=[(kind, kind) for kind in KINDS], default="agency")
    countries = models.JSONField(default=list)
    languages = models.CharField(max_length=200, blank=True, default="")
    contact = models.CharField(max_length=120, blank=True, default="")
    email = models.EmailField(blank=True, default="")
    phone = models.CharField(max_length=60, blank=True, default="")
    address = models.CharField(max_length=300, blank=True, default="")
    website = models.URLField(blank=True, default="")
    fee_bands = models.JSONField(default=list)
    fixed_minor = models.BigIntegerField(null=True, blank=True)
    fixed_currency = models.CharField(max_length=3, blank=True, default="")
    note = models.CharField(max_length=2000, blank=True, default="")
    active = models.BooleanField(default=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name

    def share_at(self, days_late: int) -> float | None:
        """Its share of a debt so many days late; None: no fee was agreed for that."""
        held = [float(share) for start, share in sorted(self.fee_bands) if start <= days_late]
        return held[-1] if held else None


class Placement(models.Model):
    """What was handed over: some invoices of one buyer, in one currency, on one day.

    mark    made with the form: the same form sent twice is one placement
    claims  [{invoice_id, instalment, due_date, open_minor}] as they were then
    """

    agency_id: int
    reports: Any

    mark = models.CharField(max_length=40, unique=True)
    agency = models.ForeignKey(Agency, models.PROTECT, related_name="placements")
    buyer_id = models.CharField(max_length=255, db_index=True)
    case_id = models.CharField(max_length=20, blank=True, default="")
    placed_on = models.DateField()
    currency = models.CharField(max_length=3)
    principal_minor = models.BigIntegerField()
    claims = models.JSONField()
    fee = models.CharField(max_length=500, blank=True, default="")
    authority = models.CharField(max_length=1000, blank=True, default="")
    closed_on = models.DateField(null=True, blank=True)
    close_reason = models.CharField(max_length=500, blank=True, default="")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"{self.number} {self.buyer_id}"

    @property
    def number(self) -> str:
        """Its number as the agency and the ledger write it."""
        return f"P{self.pk:06d}"

    @property
    def items(self) -> list[tuple[str, int]]:
        """The invoices and instalments."""
        return [(one["invoice_id"], one["instalment"]) for one in self.claims]


class AgencyReport(AddedOnly):
    """One thing an agency reported, once: `key` names it, whether typed or read from a file."""

    placement = models.ForeignKey(Placement, models.PROTECT, related_name="reports")
    key = models.CharField(max_length=40)
    kind = models.CharField(max_length=10, choices=[(kind, kind) for kind in REPORTS])
    on = models.DateField()
    amount_minor = models.BigIntegerField(null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True, default="")
    fee_minor = models.BigIntegerField(null=True, blank=True)
    reference = models.CharField(max_length=120, blank=True, default="")
    text = models.CharField(max_length=1000, blank=True, default="")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["on", "id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["placement", "key"], name="agencies_report_once")]

    def __str__(self) -> str:
        return f"{self.placement} {self.kind} {self.on}"
