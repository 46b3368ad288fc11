"""When a scheduled job is due: every so many minutes, daily, monthly. Times of day are the firm's; moments are UTC."""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo

from duecourse.messages import say
from duecourse.web import environment as env

if TYPE_CHECKING:
    from collections.abc import Iterator


class Rule(Protocol):
    """Knows the due times."""

    def after(self, moment: datetime) -> datetime:
        """The first due time later than this moment."""

    def words(self) -> str:
        """The rule in the language spoken."""


def _local(day: date, at: time) -> datetime:
    # A time the clocks skip is taken by the offset before; a time they repeat is taken once, the first time.
    return datetime.combine(day, at, ZoneInfo(env.TIME_ZONE)).astimezone(UTC)


@dataclass(frozen=True)
class Every:
    """Every so many minutes, counted from midnight UTC of 1970."""

    minutes: int

    def after(self, moment: datetime) -> datetime:
        """The first due time later than this moment."""
        step = self.minutes * 60
        return datetime.fromtimestamp((int(moment.timestamp()) // step + 1) * step, UTC)

    def words(self) -> str:
        """The rule in the language spoken."""
        return say("web.jobs_rule_minute") if self.minutes == 1 else say("web.jobs_rule_every", minutes=self.minutes)


@dataclass(frozen=True)
class Daily:
    """Once each day of the firm's calendar, at a time of its clock."""

    at: time

    def after(self, moment: datetime) -> datetime:
        """The first due time later than this moment."""
        day = moment.astimezone(ZoneInfo(env.TIME_ZONE)).date() - timedelta(days=1)
        while (due := _local(day, self.at)) <= moment:
            day += timedelta(days=1)
        return due

    def words(self) -> str:
        """The rule in the language spoken."""
        return say("web.jobs_rule_daily", at=f"{self.at:%H:%M}")


@dataclass(frozen=True)
class Weekly:
    """Once a week; weekday 0 is Monday."""

    weekday: int
    at: time

    def after(self, moment: datetime) -> datetime:
        """The first due time later than this moment."""
        day = moment.astimezone(ZoneInfo(env.TIME_ZONE)).date() - timedelta(days=1)
        while day.weekday() != self.weekday or (due := _local(day, self.at)) <= moment:
            day += timedelta(days=1)
        return due

    def words(self) -> str:
        """The rule in the language spoken."""
        return say("web.jobs_rule_weekly", weekday=say(f"web.jobs_weekday_{self.weekday}"), at=f"{self.at:%H:%M}")


@dataclass(frozen=True)
class Monthly:
    """Once a month on this day, or on the last day of a shorter month."""

    day: int
    at: time

    def after(self, moment: datetime) -> datetime:
        """The first due time later than this moment."""
        local = moment.astimezone(ZoneInfo(env.TIME_ZONE)).date()
        year, month = local.year, local.month
        while (due := _local(date(year, month, min(self.day, calendar.monthrange(year, month)[1])), self.at)) <= moment:
            year, month = (year, month + 1) if month < 12 else (year + 1, 1)
        return due

    def words(self) -> str:
        """The rule in the language spoken."""
        return say("web.jobs_rule_monthly", day=self.day, at=f"{self.at:%H:%M}")


def dues(rule: Rule, first: datetime, now: datetime) -> Iterator[datetime]:
    """Every due time from `first`, which is one, up to now."""
    due = first
    while due <= now:
        yield due
        due = rule.after(due)
