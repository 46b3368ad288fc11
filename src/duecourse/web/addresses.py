"""Where pages are, looked up once: the same address stands in a page dozens of times, and does not change while the server runs."""

from __future__ import annotations

from functools import lru_cache

from django.urls import reverse


@lru_cache(4096)
def path_of(name: str, *args: str | int) -> str:
    """The path of a page by its URL name. Raises NoReverseMatch."""
    return reverse(name, args=args)
