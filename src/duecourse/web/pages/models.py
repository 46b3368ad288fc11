"""What people keep beside the facts: how they like a list, and what they know about a buyer that no file says."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone


class SavedView(models.Model):
    """A list as somebody wants to find it again: the words of its address, under a name. 已存视图

    It holds no day and no rows: whoever opens it sees, as of their own day, the rows they may see.
    """

    room = models.CharField(max_length=20)
    name = models.CharField(max_length=80)
    query = models.TextField(blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="saved_views")
    shared = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)
    updated_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["owner", "room", "name"], name="saved_view_name")]
        indexes: ClassVar = [models.Index(fields=["room", "shared"], name="saved_view_shared")]

    def __str__(self) -> str:
        return self.name


class ListChoice(models.Model):
    """How one person likes one list: its columns, and the view it opens with."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="list_choices")
    room = models.CharField(max_length=20)
    columns = models.JSONField(default=list, blank=True)
    opens_with = models.ForeignKey(SavedView, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["person", "room"], name="list_choice_person_room")]

    def __str__(self) -> str:
        return f"{self.room} {self.person_id}"


class Note(models.Model):
    """What somebody knows about a buyer. Its wordings are kept, every one; it is never deleted, only struck out, with a reason."""

    buyer_id = models.CharField(max_length=255, db_index=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="notes")
    written_at = models.DateTimeField(default=timezone.now)
    voided_at = models.DateTimeField(null=True, blank=True)
    voided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    void_reason = models.CharField(max_length=300, blank=True, default="")

    def __str__(self) -> str:
        return f"{self.buyer_id} {self.pk}"


class Wording(models.Model):
    """One wording of a note; the one with the highest number holds."""

    note = models.ForeignKey(Note, models.PROTECT, related_name="wordings")
    number = models.IntegerField()
    text = models.TextField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering: ClassVar = ["number"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["note", "number"], name="wording_number")]

    def __str__(self) -> str:
        return f"{self.note_id}.{self.number}"
