"""People, and what each may do and see; the keys their programs use; the trail of what was done."""

# mypy: disable-error-code="var-annotated, no-any-return"
# Django gives its fields their types by a plugin we do without.

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final, Never

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone
from django.utils.crypto import salted_hmac

from duecourse.ledger.scope import Scope
from duecourse.web.accounts import tokens
from duecourse.web.accounts.access import ROLES, may

if TYPE_CHECKING:
    from duecourse.web.accounts.access import Act

SCOPES: Final = ("legal_entities", "sales_owners", "groups_seen")


class Scoped(models.Model):
    """A role, and which rows go with it: three lists, an empty one hides nothing."""

    role = models.CharField(max_length=20, choices=[(role, role) for role in ROLES], default="viewer")
    legal_entities = models.JSONField(default=list, blank=True)
    sales_owners = models.JSONField(default=list, blank=True)
    groups_seen = models.JSONField(default=list, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{type(self).__name__} {self.pk}"

    @property
    def scope(self) -> Scope:
        """Which rows may be seen."""
        return Scope(frozenset(self.legal_entities), frozenset(self.sales_owners), frozenset(self.groups_seen))


class Person(Scoped, AbstractUser):  # type: ignore[misc]
    """Somebody who signs in. A person is never deleted, only deactivated: what they did keeps its name."""

    email = models.EmailField(unique=True)
    language = models.CharField(max_length=10, default="", blank=True)
    theme = models.CharField(max_length=10, default="", blank=True)
    sessions_mark = models.CharField(max_length=43, default="", blank=True)

    REQUIRED_FIELDS: ClassVar[list[str]] = ["email"]

    def save(self, *args: Any, **kwargs: Any) -> None:
        """An address is kept in small letters: it is what an identity provider's word is matched by."""
        self.email = self.email.lower()
        super().save(*args, **kwargs)

    @property
    def name(self) -> str:
        """What colleagues call them."""
        return self.get_full_name() or self.username

    def end_sessions(self) -> None:
        """Make every session of this person worthless, wherever it is."""
        self.sessions_mark = tokens.new_token()
        type(self).objects.filter(pk=self.pk).update(sessions_mark=self.sessions_mark)

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What a session must hold to count: it changes with the password and with the mark."""
        return salted_hmac("duecourse.sessions", self.password + self.sessions_mark, secret=secret, algorithm="sha256").hexdigest()


class Invitation(Scoped):
    """A link that lets one person in, once, with a role and rows decided beforehand. Only the hash of its token is kept."""

    email = models.EmailField()
    name = models.CharField(max_length=150, blank=True, default="")
    language = models.CharField(max_length=10, default="", blank=True)
    token_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(Person, models.PROTECT, related_name="invitations")
    invited_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    revoked_at = models.DateTimeField(null=True, blank=True)

    @property
    def state(self) -> str:
        """open, accepted, revoked or expired."""
        if self.accepted_at:
            return "accepted"
        if self.revoked_at:
            return "revoked"
        return "open" if self.expires_at > timezone.now() else "expired"


class ApiKey(models.Model):
    """What a program signs in with, in the name of a person: never more than the person, and only the acts it was given."""

    person = models.ForeignKey(Person, models.PROTECT, related_name="api_keys")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=12, unique=True)
    token_hash = models.CharField(max_length=64)
    acts = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.prefix

    USE_NOTED_EVERY: ClassVar[timedelta] = timedelta(minutes=1)

    @classmethod
    def make(cls, person: Person, name: str, acts: list[Act], expires_at: Any) -> tuple[ApiKey, str]:
        """A new key and its token, which is shown once and kept nowhere."""
        prefix, token = tokens.new_key()
        key = cls(person=person, name=name, prefix=prefix, token_hash=tokens.digest(token), acts=sorted(acts), expires_at=expires_at)
        key.save()
        return key, token

    @classmethod
    def authenticate(cls, token: str) -> tuple[Person, ApiKey] | None:
        """Whose key is this? None for a key that is unknown, revoked, past its day, or of somebody who was deactivated."""
        prefix = tokens.prefix_of(token)
        key = cls.objects.select_related("person").filter(prefix=prefix).first() if prefix else None
        if key is None or not tokens.same(key.token_hash, tokens.digest(token)) or not key.is_open or not key.person.is_active:
            return None
        key.note_use()
        return key.person, key

    @property
    def is_open(self) -> bool:
        """Neither revoked nor past its day?"""
        return self.revoked_at is None and self.expires_at > timezone.now()

    @property
    def state(self) -> str:
        """open, revoked or expired."""
        return "revoked" if self.revoked_at else "open" if self.is_open else "expired"

    def may(self, act: Act) -> bool:
        """May a program with this key do this? Only what both the key and its person may."""
        return act in self.acts and may(self.person, act)

    def note_use(self) -> None:
        """Remember when, to the minute."""
        now = timezone.now()
        if self.last_used_at is None or now - self.last_used_at > self.USE_NOTED_EVERY:
            self.last_used_at = now
            type(self).objects.filter(pk=self.pk).update(last_used_at=now)


class KeptError(TypeError):
    """Our own mistake: code tried to change what is append-only."""


class Kept(models.QuerySet["AuditEvent"]):
    """Rows that are read and added, nothing else."""

    def update(self, **_values: Any) -> Never:
        """Never."""
        raise KeptError

    def delete(self) -> Never:
        """Never."""
        raise KeptError

    def bulk_update(self, *_args: Any, **_kwargs: Any) -> Never:
        """Never."""
        raise KeptError


class AuditEvent(models.Model):
    """One thing somebody did or saw. Each row holds the hash of the row before it, so that none can be changed or taken out unseen.

    Rows are added by `audit` alone. The person's name stands in the row itself: the trail reads without any other table.
    """

    number = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField(db_index=True)
    person_id = models.BigIntegerField(null=True)
    person_name = models.CharField(max_length=150)
    act = models.CharField(max_length=40)
    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=255)
    detail = models.TextField()
    address = models.CharField(max_length=45)
    previous = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    objects = Kept.as_manager()

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["person_id", "number"], name="audit_person"),
            models.Index(fields=["act", "number"], name="audit_act"),
            models.Index(fields=["kind", "key", "number"], name="audit_object"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.act}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Only a new row."""
        if not self._state.adding:
            raise KeptError
        super().save(*args, **kwargs)

    def delete(self, *_args: Any, **_kwargs: Any) -> Never:
        """Never."""
        raise KeptError


class AuditHead(models.Model):
    """The end of the chain: the one row that whoever adds to it locks first."""

    number = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64, default="0" * 64)

    def __str__(self) -> str:
        return f"{self.number} {self.hash}"


class Remembered(models.Model):
    """The table of Django's database cache: counts of failed sign-ins, shared by all processes and machines."""

    cache_key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    expires = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "accounts_remembered"

    def __str__(self) -> str:
        return self.cache_key
