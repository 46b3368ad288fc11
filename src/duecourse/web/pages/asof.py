"""The as-of picker: which day a page is drawn up for, as known when, and the addresses of the same page at other days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from duecourse.messages import say
from duecourse.web.books import day_of, ledger

if TYPE_CHECKING:
    from django.http import HttpRequest

    from duecourse.web.books import Viewpoint


@dataclass(frozen=True)
class Preset:
    """A day people often ask for, and this page as of it."""

    label: str
    day: date
    url: str
    current: bool


class Picker:
    """What the picker and the line above a page of the past show; worked out only when a page shows it."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.viewpoint: Viewpoint = request.viewpoint  # type: ignore[attr-defined]

    @cached_property
    def newest(self) -> date:
        """The day pages mean when nobody picks one."""
        return day_of(ledger())

    @property
    def on(self) -> date:
        """The day this page is drawn up for."""
        return self.viewpoint.on or self.newest

    @property
    def known_on(self) -> date | None:
        """The last day whose recordings count; None = everything known."""
        return self.viewpoint.known_at.date() if self.viewpoint.known_at else None

    @cached_property
    def is_past(self) -> bool:
        """Is this another view than today's with all that is known?"""
        return self.on != self.newest or self.known_on is not None

    @cached_property
    def kept(self) -> list[tuple[str, str]]:
        """The page's other words of the URL, for hidden fields of the picker's form; a page number means nothing on another day."""
        return [
            (name, value)
            for name, values in self.request.GET.lists()
            if name not in {"as_of", "known_at", "page", "after"}
            for value in values
        ]

    @property
    def newest_url(self) -> str:
        """The same page as of today, with all that is known."""
        return self._url(None)

    @property
    def presets(self) -> list[Preset]:
        """Today, and the last ends of month, quarter and year."""
        newest = self.newest
        month = newest.replace(day=1) - timedelta(days=1)
        earlier = month.replace(day=1) - timedelta(days=1)
        quarter = date(newest.year, (newest.month - 1) // 3 * 3 + 1, 1) - timedelta(days=1)
        year = date(newest.year, 1, 1) - timedelta(days=1)
        last_year = newest.replace(year=newest.year - 1, day=min(newest.day, 28) if newest.month == 2 else newest.day)
        named = {"today": newest, "month": month, "earlier": earlier, "quarter": quarter, "year": year, "year_ago": last_year}
        shown: dict[date, str] = {}
        for name, day in named.items():
            shown.setdefault(day, name)  # the end of a quarter is the end of a month too
        return [
            Preset(say(f"web.frame_as_of_{name}"), day, self._url(None if name == "today" else day), day == self.on)
            for day, name in shown.items()
        ]

    def _url(self, day: date | None) -> str:
        words = "&".join(filter(None, (self._words, f"as_of={day.isoformat()}" if day else "")))
        return f"{self.request.path}?{words}" if words else self.request.path

    @cached_property
    def _words(self) -> str:
        """The page's other words, as they stand in an address."""
        return urlencode(self.kept)
