"""What runs, what waits, what failed and why, what is due next.  后台任务"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Q
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from duecourse.web.accounts.access import gate
from duecourse.web.health import WORKER_SECONDS
from duecourse.web.jobs import queue
from duecourse.web.jobs.models import CANCELLED, DONE, FAILED, UNFINISHED, JobRun, Schedule, Worker
from duecourse.web.jobs.registry import timetables

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

PAGE: Final = 25
FAILED_DAYS: Final = 30


def visible_to(person: Any) -> QuerySet[JobRun]:
    """The runs a person may see: whoever sees only a part of the book sees only what they asked for themselves."""
    runs = JobRun.objects.select_related("person")
    return runs.filter(person=person) if person.scope.restricts else runs


@require_safe
@gate("jobs")
def jobs(request: HttpRequest) -> HttpResponse:
    """The page; asked for by HTMX only what changes on it."""
    return render(request, "jobs/_jobs.html" if request.headers.get("HX-Request") else "jobs/jobs.html", _screen(request))


@require_safe
@gate("jobs")
def job(request: HttpRequest, number: int) -> HttpResponse:
    """One run: what was asked, how it went, what came of it."""
    run = get_object_or_404(visible_to(request.user), pk=number)
    return render(request, "jobs/_job.html" if request.headers.get("HX-Request") else "jobs/job.html", {"run": run})


@require_POST
@gate("jobs")
def cancel(request: HttpRequest, number: int) -> HttpResponse:
    """Call a run off."""
    queue.cancel(get_object_or_404(visible_to(request.user), pk=number))
    return _after(request)


@require_POST
@gate("jobs")
def again(request: HttpRequest, number: int) -> HttpResponse:
    """Have a run done after all."""
    queue.try_again(get_object_or_404(visible_to(request.user), pk=number))
    return _after(request)


def _after(request: HttpRequest) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return render(request, "jobs/_jobs.html", _screen(request))
    return HttpResponseRedirect(reverse("jobs"))


def _screen(request: HttpRequest) -> dict[str, Any]:
    runs = visible_to(request.user)
    now = timezone.now()
    before = request.GET.get("before", "")
    ended = runs.filter(Q(status__in=(DONE, CANCELLED)) | Q(status=FAILED, finished_at__lt=now - timedelta(days=FAILED_DAYS)))
    if before.isdecimal():
        ended = ended.filter(pk__lt=int(before))
    page = list(ended.order_by("-id")[: PAGE + 1])
    rules = timetables()
    return {
        "unfinished": list(runs.filter(status__in=UNFINISHED).order_by("status", "run_after", "id")[:PAGE]),
        "more_waiting": max(0, runs.filter(status__in=UNFINISHED).count() - PAGE),
        "failed": list(runs.filter(status=FAILED, finished_at__gte=now - timedelta(days=FAILED_DAYS)).order_by("-finished_at")[:PAGE]),
        "ended": page[:PAGE],
        "older": page[PAGE - 1].pk if len(page) > PAGE else None,
        "before": before if before.isdecimal() else "",
        "schedules": [{"row": row, "rule": rules[row.name].rule.words()} for row in Schedule.objects.all() if row.name in rules],
        "workers": Worker.objects.filter(seen_at__gte=now - timedelta(seconds=WORKER_SECONDS)).count(),
        "now": now,
    }
