"""Quiet hours and the time of a digest, by the recipient's own clock.  免打扰时段

Times of day are the recipient's, moments are UTC. A digest's time that the clocks skip is taken by the offset before; one they repeat, the first time.
Quiet hours are read off the clock as it stands: they end with the first minute that is not quiet.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from duecourse.web.notices.kinds import Rhythm

MERGED_WITHIN: Final = timedelta(seconds=3)
"""What happens within so short a time is told in one message."""


@dataclass(frozen=True)
class Clock:
    """When somebody wants to be told.

    quiet_from, quiet_to  times of day; equal or None = no quiet hours; a span over midnight is meant where the first is later
    weekday               0 is Monday
    """

    zone: str
    digest_at: time = time(8, 0)
    weekday: int = 0
    quiet_from: time | None = None
    quiet_to: time | None = None

    def ready(self, rhythm: Rhythm, now: datetime) -> datetime:
        """When is something told that happens now?"""
        if rhythm == "at_once":
            return self.after_quiet(now + MERGED_WITHIN)
        return self.after_quiet(self._digest(now, weekly=rhythm == "weekly"))

    def is_quiet(self, moment: datetime) -> bool:
        """Is it within the quiet hours?"""
        if self.quiet_from is None or self.quiet_to is None or self.quiet_from == self.quiet_to:
            return False
        at = moment.astimezone(ZoneInfo(self.zone)).time().replace(tzinfo=None)
        if self.quiet_from < self.quiet_to:
            return self.quiet_from <= at < self.quiet_to
        return at >= self.quiet_from or at < self.quiet_to

    def after_quiet(self, moment: datetime) -> datetime:
        """The moment itself, or the end of the quiet hours it falls into."""
        if not self.is_quiet(moment) or self.quiet_to is None:
            return moment
        here = moment.astimezone(ZoneInfo(self.zone))
        end = self._at(here.date() + timedelta(days=here.time() >= self.quiet_to), self.quiet_to)
        if end > moment and end.astimezone(ZoneInfo(self.zone)).utcoffset() == here.utcoffset():
            return end
        # The clocks change before, or have just done so: they may skip the end, or all that is not quiet, or repeat it. Every minute is asked.
        end = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
        while self.is_quiet(end):
            end += timedelta(minutes=1)
        return end

    def _digest(self, now: datetime, *, weekly: bool) -> datetime:
        day = now.astimezone(ZoneInfo(self.zone)).date()
        while True:
            if not weekly or day.weekday() == self.weekday:
                due = self._at(day, self.digest_at)
                if due > now:
                    return due
            day += timedelta(days=1)

    def _at(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, ZoneInfo(self.zone)).astimezone(UTC)
