"""Turns due times into runs. Any number of workers may do this: a schedule is moved on by compare-and-set, and a due time has one run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.db import IntegrityError, transaction
from django.utils import timezone

from duecourse.web.jobs.models import JobRun, Schedule
from duecourse.web.jobs.registry import timetables
from duecourse.web.jobs.rules import dues

if TYPE_CHECKING:
    from datetime import datetime

    from duecourse.web.jobs.registry import Timetable

MADE_UP_FOR: Final = 400
"""So many missed times are made up for at a look; the rest follow at the next."""


def tick(now: datetime | None = None) -> int:
    """Ask for everything that is due by now. Returns how many runs were asked for."""
    now = now or timezone.now()
    rows = {row.name: row for row in Schedule.objects.all()}
    return sum(_tick_one(timetable, rows.get(timetable.name), now) for timetable in timetables().values())


def _tick_one(timetable: Timetable, row: Schedule | None, now: datetime) -> int:
    rule = repr(timetable.rule)
    if row is None:
        # ignore_conflicts: another worker may be making it.
        first = Schedule(name=timetable.name, rule=rule, next_due=timetable.rule.after(now))
        Schedule.objects.bulk_create([first], ignore_conflicts=True)
        return 0
    if row.rule != rule:
        Schedule.objects.filter(pk=row.pk, rule=row.rule).update(rule=rule, next_due=timetable.rule.after(row.last_due or now))
        return 0
    if row.next_due > now:
        return 0
    due = []
    for moment in dues(timetable.rule, row.next_due, now):
        due.append(moment)
        if timetable.missed == "each" and len(due) == MADE_UP_FOR:
            break
    last = due[-1]
    wanted = due if timetable.missed == "each" else due[-1:]
    try:
        with transaction.atomic():
            moved = Schedule.objects.filter(pk=row.pk, next_due=row.next_due).update(next_due=timetable.rule.after(last), last_due=last)
            if not moved:
                return 0
            JobRun.objects.bulk_create(
                [JobRun(name=timetable.name, schedule=timetable.name, due_at=moment, run_after=moment) for moment in wanted]
            )
    except IntegrityError:  # a due time that has its run already: the schedule was set back by hand
        Schedule.objects.filter(pk=row.pk, next_due=row.next_due).update(next_due=timetable.rule.after(last), last_due=last)
        return 0
    return len(wanted)
