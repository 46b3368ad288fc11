"""What orders are held against, what they have reserved, and what was answered.

Facts stay in the ledger: `CreditAccount` is its picture as of one version, drawn anew by a job. `reserved` is the sum of what the parts of
living reservations still hold on it; both change together, in one transaction, under the row's lock.

References without a constraint (`db_constraint=False`) go to rows that are never deleted: PostgreSQL would otherwise lock the one row of an
API key's person for every order it checks.
"""

# mypy: disable-error-code="var-annotated, no-any-return"
# Django gives its fields their types by a plugin we do without.

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

HELD: Final = "held"
RESERVED: Final = "reserved"
CONFIRMED: Final = "confirmed"
CANCELLED: Final = "cancelled"
EXPIRED: Final = "expired"
ABSORBED: Final = "absorbed"
REFUSED: Final = "refused"
SUPERSEDED: Final = "superseded"
SIMULATED: Final = "simulated"
STATES: Final = (HELD, RESERVED, CONFIRMED, CANCELLED, EXPIRED, ABSORBED, REFUSED, SUPERSEDED, SIMULATED)
LIVING: Final = (HELD, RESERVED, CONFIRMED)
HOLDING: Final = (RESERVED, CONFIRMED, ABSORBED)
"""States whose parts may hold headroom; of an absorbed one they hold none, unless its invoice is taken back."""


class CreditAccount(models.Model):
    """A buyer, group or guarantor, for all of our companies (`entity` empty) or one; money in minor units of `currency`.

    clear, ceiling, note_above, terms_days   what `decisions.hold.standing_of` says of it
    links   the other accounts an order of this buyer adds to: [{"id", "entity", "room"}]
    facts   what was known, as `decisions.hold.Account.facts` has it; `exposure` repeats its exposure_minor
    """

    kind = models.CharField(max_length=10)
    key = models.CharField(max_length=200)
    entity = models.CharField(max_length=200, blank=True, default="")
    name = models.CharField(max_length=300, blank=True, default="")
    currency = models.CharField(max_length=3)
    scaled = models.DecimalField(max_digits=40, decimal_places=0, default=0)
    granted = models.BooleanField(default=False)
    clear = models.BooleanField(default=True)
    ceiling = models.BigIntegerField(null=True)
    note_above = models.BigIntegerField(null=True)
    terms_days = models.IntegerField(null=True)
    valid_to = models.DateField(null=True)
    exposure = models.BigIntegerField(default=0)
    reserved = models.BigIntegerField(default=0)
    links = models.JSONField(default=list)
    facts = models.JSONField(default=dict)
    ledger_version = models.BigIntegerField(default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["key", "kind", "entity"], name="orders_one_account"),
            models.CheckConstraint(condition=Q(reserved__gte=0), name="orders_reserved_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}:{self.key}" + (f"@{self.entity}" if self.entity else "")


class RuleSet(models.Model):
    """The rules orders were judged by, whole; a change is a new row."""

    digest = models.CharField(max_length=64, unique=True)
    body = models.JSONField()

    def __str__(self) -> str:
        return str(self.body.get("version", ""))


class Picture(models.Model):
    """Of which version of the ledger the accounts are a picture. One row."""

    if TYPE_CHECKING:
        rules_id: int

    rules = models.ForeignKey(RuleSet, models.PROTECT, related_name="+")
    ledger_version = models.BigIntegerField(default=-1)
    data_as_of = models.DateTimeField()
    book_on = models.DateField()
    live = models.BooleanField(default=True)  # the book's day is today; else the ledger speaks of the past
    base_currency = models.CharField(max_length=3)
    drawn_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"version {self.ledger_version}"


class Rate(models.Model):
    """What one minor unit of a currency is worth, see decisions.hold.SCALE."""

    currency = models.CharField(max_length=3, unique=True)
    scaled = models.DecimalField(max_digits=40, decimal_places=0)

    def __str__(self) -> str:
        return self.currency


class CoveredOrder(models.Model):
    """An order that the exposure of its buyer contains already, whole or in part."""

    order_id = models.CharField(max_length=200, unique=True)
    buyer_id = models.CharField(max_length=200)
    currency = models.CharField(max_length=3)
    covered = models.BigIntegerField()
    closed = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.order_id


class OrderCheck(models.Model):
    """One answer to "may this order ship?", kept as it was given, and what became of it.

    What the answer rests on (`seen`, rules, data, amounts, outcome) never changes; `state`, `expires_at`, `held_amount` and `changed_at` do.
    """

    if TYPE_CHECKING:
        parts: Any
        acts: Any

    nonce = models.CharField(max_length=16)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_constraint=False, db_index=False)
    key = models.CharField(max_length=255)
    digest = models.CharField(max_length=64)
    order_id = models.CharField(max_length=200)
    buyer_id = models.CharField(max_length=200)
    payer_id = models.CharField(max_length=200, blank=True, default="")
    legal_entity = models.CharField(max_length=200, blank=True, default="")
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()
    terms = models.IntegerField(null=True)
    outcome = models.CharField(max_length=20)
    seen = models.JSONField()
    rules = models.ForeignKey(RuleSet, models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    today = models.DateField()
    ledger_version = models.BigIntegerField()
    data_as_of = models.DateTimeField()
    book_on = models.DateField()
    made_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    state = models.CharField(max_length=12)
    held_amount = models.BigIntegerField(default=0)  # of the order, what headroom is kept for
    expires_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField()
    recorded = models.BooleanField(default=False)  # put out for the ledger

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["person", "key"], name="orders_once_a_key"),
            models.UniqueConstraint(fields=["order_id"], condition=Q(state__in=LIVING), name="orders_one_living"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["id"], condition=Q(recorded=False), name="orders_unrecorded"),
            models.Index(fields=["expires_at"], condition=Q(state=RESERVED), name="orders_leases"),
            models.Index(fields=["state", "-id"], condition=Q(state=HELD), name="orders_held"),
            models.Index(fields=["buyer_id", "-id"], name="orders_of_buyer"),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def public_id(self) -> str:
        """How others name it."""
        return f"{self.pk}-{self.nonce}"


class Part(models.Model):
    """What one order takes of one account: of `amount`, `remaining` is still held beside the exposure."""

    if TYPE_CHECKING:
        account_id: int
        check_made_id: int

    check_made = models.ForeignKey(OrderCheck, models.CASCADE, related_name="parts", db_constraint=False)
    account = models.ForeignKey(CreditAccount, models.PROTECT, related_name="parts", db_constraint=False, db_index=False)
    amount = models.BigIntegerField()
    room = models.BigIntegerField(null=True)
    remaining = models.BigIntegerField()

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=Q(remaining__gte=0), name="orders_remaining_not_negative")]
        indexes: ClassVar = [models.Index(fields=["account"], name="orders_parts_of_account")]

    def __str__(self) -> str:
        return f"{self.remaining} of {self.amount}"


class Act(models.Model):
    """What was done with a check after it was answered: confirmed, cancelled, run out, released or refused by somebody."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    key = models.CharField(max_length=255)
    digest = models.CharField(max_length=64)
    check_made = models.ForeignKey(OrderCheck, models.PROTECT, related_name="acts")
    act = models.CharField(max_length=12)
    reason = models.CharField(max_length=1000, blank=True, default="")
    amount = models.BigIntegerField(null=True)
    answer = models.JSONField(default=dict)
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["person", "key"], name="orders_act_once_a_key")]

    def __str__(self) -> str:
        return self.act
