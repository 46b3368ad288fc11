"""Rows that are read and added, nothing else: what happened is never written over."""

# mypy: disable-error-code="no-any-return"
# Django gives its fields their types by a plugin we do without.

from __future__ import annotations

from typing import Any, Never

from django.db import models


class Added(models.QuerySet[Any]):
    """Rows that are read and added, nothing else."""

    def update(self, **_values: Any) -> Never:
        """Never."""
        raise TypeError("what happened is only ever added to")

    def delete(self) -> Never:
        """Never."""
        raise TypeError("what happened is only ever added to")


class AddedOnly(models.Model):
    """A row that can be added and read."""

    objects = Added.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Only a new row."""
        if not self._state.adding:
            raise TypeError("what happened is only ever added to")
        super().save(*args, **kwargs)

    def delete(self, *_args: Any, **_kwargs: Any) -> Never:
        """Never."""
        raise TypeError("what happened is only ever added to")
