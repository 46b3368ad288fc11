"""The days that were run: how long each step took, and what changed.  每日运行"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.db.models import Sum
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from duecourse.desk.daily_run import STEPS
from duecourse.messages import say
from duecourse.web.accounts import audit
from duecourse.web.accounts.access import gate, may
from duecourse.web.books import book_of
from duecourse.web.jobs.models import UNFINISHED, JobRun
from duecourse.web.jobs.queue import enqueue
from duecourse.web.limits.pages import _names as names_of
from duecourse.web.watch.background import DAY
from duecourse.web.watch.models import Alert, DayRun
from duecourse.web.watch.pages import alert_line
from duecourse.web.watch.wording import money

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

SHOWN: Final = 60
STATES: Final = {"waiting": "off", "running": "busy", "stopped": "warn", "done": "good"}
LISTED: Final = 200


def _line(run: DayRun, *, whole: bool) -> dict[str, Any]:
    steps = {one.name: one for one in run.steps.all()}
    drawn = steps["alerts"].found if "alerts" in steps else {}
    seconds = sum(one.seconds for one in steps.values())
    return {
        "run": run, "look": STATES.get(run.state, "off"), "state": say(f"web.watch_run_{run.state}"), "took": took(seconds) if steps else "–",
        "opened": len(drawn.get("opened", ())), "raised": len(drawn.get("raised", ())), "cleared": len(drawn.get("cleared", ())),
        "waiting": drawn.get("waiting", 0), "drawn": bool(drawn) and whole, "grades": steps["grades"].found if "grades" in steps and whole else None,
        "done": len(steps), "of": len(STEPS),
    }  # fmt: skip


def took(seconds: float) -> str:
    """A duration as people read it."""
    if seconds < 60:
        return say("web.jobs_seconds", seconds=f"{seconds:.1f}")
    return say("web.jobs_minutes", minutes=int(seconds // 60), seconds=int(seconds % 60))


@require_safe
@gate("jobs")
def runs(request: HttpRequest) -> HttpResponse:
    """The days, newest first; while one runs the page keeps itself up to date."""
    whole = not request.user.scope.restricts  # type: ignore[union-attr]
    found = list(DayRun.objects.prefetch_related("steps")[:SHOWN])
    waiting = JobRun.objects.filter(name=DAY, status__in=UNFINISHED).order_by("run_after").first()
    words = {
        "rows": [_line(one, whole=whole) for one in found], "busy": any(one.state == "running" for one in found) or waiting is not None, "job": waiting,
        "may_run": may(request.user, "settings") and whole, "spent": DayRun.objects.aggregate(total=Sum("steps__seconds"))["total"], "whole": whole,
    }  # fmt: skip
    return render(request, "watch/_runs.html" if request.headers.get("HX-Request") else "watch/runs.html", words)


@require_safe
@gate("jobs")
def run(request: HttpRequest, pk: int) -> HttpResponse:
    """One day: each step with what it found, and the alerts it opened, raised and cleared, as far as one may see them."""
    book = book_of(request)
    one = get_object_or_404(DayRun.objects.prefetch_related("steps"), pk=pk)
    whole = not request.user.scope.restricts  # type: ignore[union-attr]
    steps = {each.name: each for each in one.steps.all()}
    total = sum(each.seconds for each in steps.values()) or 1.0
    drawn = {**(steps["alerts"].found if "alerts" in steps else {}), **(steps["clocks"].found if "clocks" in steps else {})}
    numbers = {
        name: [int(number) for number in drawn.get(name, ())[:LISTED]] for name in ("opened", "raised", "cleared", "woken", "escalated")
    }
    rows = {
        each.pk: each
        for each in Alert.objects.filter(pk__in={number for each in numbers.values() for number in each}).select_related("assignee")
    }
    names = names_of(book, (each.buyer_id for each in rows.values()))
    lists = [
        (say(f"web.watch_run_{name}"), [alert_line(rows[number], names) for number in found if number in rows and rows[number].buyer_id in names])
        for name, found in numbers.items()
    ]  # fmt: skip
    words = {
        "one": one, "look": STATES.get(one.state, "off"), "state": say(f"web.watch_run_{one.state}"), "whole": whole, "book": book,
        "steps": [
            {
                "name": say(f"web.watch_steps_{name}"), "done": name in steps, "took": took(steps[name].seconds) if name in steps else "–",
                "share": max(1, round(100 * steps[name].seconds / total)) if name in steps else 0, "told": _told(name, steps[name].found) if name in steps and whole else "",
            }
            for name in STEPS
        ],
        "lists": [(title, found) for title, found in lists if found], "took": took(total) if steps else "–",
    }  # fmt: skip
    return render(request, "watch/run.html", words)


def _told(step: str, found: dict[str, Any]) -> str:
    """What a step found, as a sentence."""
    if step == "refresh":
        amounts: dict[str, Any] = {
            name: money(found[name], found["currency"]) if found["currency"] else "–" for name in ("outstanding", "overdue")
        }
        return say("web.watch_found_refresh", count=f"{found['buyers']:,}", version=found["version"], **amounts)
    if step == "grades":
        return say(
            "web.watch_found_grades",
            count=f"{found['buyers']:,}",
            worse=found["worse"],
            better=found["better"],
            fallen=found["fallen_count"],
        )
    if step == "warnings":
        levels: dict[str, Any] = {name: f"{found['levels'].get(name, 0):,}" for name in ("red", "amber", "green")}
        return say("web.watch_found_warnings", count=f"{found['watched']:,}", **levels)
    if step == "alerts":
        counts: dict[str, Any] = {name: len(found[name]) for name in ("opened", "raised", "cleared")}
        return say("web.watch_found_alerts", waiting=found["waiting"], **counts)
    if step == "clocks":
        said = say("web.watch_found_clocks", woken=len(found["woken"]), escalated=len(found["escalated"]))
        return f"{said} {say('web.cases_found', **found['cases'])}" if "cases" in found else said
    return say("web.watch_found_digests", count=found["recipients"])


@require_POST
@gate("settings")
def run_now(request: HttpRequest) -> HttpResponse:
    """Ask for a run of what is over and has not been run."""
    person: Any = request.user
    with_key = f"by hand {timezone.now():%Y-%m-%d %H:%M}"
    enqueue(DAY, key=with_key, person=person, by=person.username)
    audit.record(request, "days.run", "job", DAY)
    messages.success(request, say("web.watch_run_asked"))
    return HttpResponseRedirect(reverse("runs"))
