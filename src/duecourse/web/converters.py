"""Business keys in URLs: an account or invoice number may hold a slash."""

from __future__ import annotations


class KeyConverter:
    """Any text as one path segment; `~` and `/` are written `~0` and `~1` (RFC 6901)."""

    regex = r"[^/]+"

    def to_python(self, value: str) -> str:
        """The key itself."""
        return value.replace("~1", "/").replace("~0", "~")

    def to_url(self, value: str) -> str:
        """The key as a segment."""
        return str(value).replace("~", "~0").replace("/", "~1")
