"""People, and what each may do and see."""

from __future__ import annotations

from typing import ClassVar, Final

from django.contrib.auth.models import AbstractUser
from django.db import models

from duecourse.ledger.scope import Scope

ROLES: Final = ("viewer", "sales", "credit_analyst", "credit_manager", "collector", "legal", "auditor", "admin")


class Person(AbstractUser):
    """Somebody who signs in. The role says what they may do; the three lists which rows they see, an empty list every row."""

    email = models.EmailField(unique=True)
    role = models.CharField(max_length=20, choices=[(role, role) for role in ROLES], default="viewer")
    language = models.CharField(max_length=10, default="", blank=True)
    theme = models.CharField(max_length=10, default="", blank=True)
    legal_entities = models.JSONField(default=list, blank=True)
    sales_owners = models.JSONField(default=list, blank=True)
    groups_seen = models.JSONField(default=list, blank=True)

    REQUIRED_FIELDS: ClassVar[list[str]] = ["email"]

    @property
    def scope(self) -> Scope:
        """Which rows this person sees."""
        return Scope(frozenset(self.legal_entities), frozenset(self.sales_owners), frozenset(self.groups_seen))
