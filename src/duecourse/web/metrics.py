"""Figures about the server in Prometheus's form: requests and jobs counted in every process, the rest looked up when asked."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db.models import Count, Min
from django.http import HttpResponse
from django.utils import timezone
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS: Final = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
LONG_SECONDS: Final = (0.1, 0.5, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)

requests: Final = Histogram(
    "duecourse_request_seconds", "Time to answer a request.", ["route", "method", "status"], buckets=SECONDS
)  # its _count is the number of requests
jobs: Final = Histogram("duecourse_job_seconds", "Time a run of a job took.", ["job", "status"], buckets=LONG_SECONDS)


def count_request(route: str, method: str, status: int, seconds: float) -> None:
    """Note one request."""
    requests.labels(route, method if method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD") else "other", str(status)).observe(seconds)


def count_job(name: str, status: str, seconds: float) -> None:
    """Note one run of a job."""
    jobs.labels(name, status).observe(seconds)


class Looked:
    """What is looked up when the figures are asked for: the queue, the workers, the ledger."""

    def collect(self) -> Iterator[Any]:
        """The gauges. A part that does not answer is left out, so that the rest can still be seen."""
        from duecourse.web.health import database_answers  # noqa: PLC0415

        if database_answers():
            yield from self._queue()
        yield from self._ledger()

    def _queue(self) -> Iterator[Any]:
        from duecourse.web.jobs.models import STATUSES, UNFINISHED, WAITING, JobRun, Worker  # noqa: PLC0415 — models need the apps loaded

        now = timezone.now()
        counts = dict(JobRun.objects.values_list("status").annotate(Count("id")).order_by())
        runs = GaugeMetricFamily("duecourse_job_runs", "Runs of jobs by status.", labels=["status"])
        for status in STATUSES:
            runs.add_metric([status], counts.get(status, 0))
        yield runs
        by_name = GaugeMetricFamily("duecourse_job_unfinished", "Runs waiting or running, by job.", labels=["job"])
        for name, count in JobRun.objects.filter(status__in=UNFINISHED).values_list("name").annotate(Count("id")).order_by():
            by_name.add_metric([name], count)
        yield by_name
        oldest = JobRun.objects.filter(status=WAITING, run_after__lte=now).aggregate(oldest=Min("run_after"))["oldest"]
        yield GaugeMetricFamily(
            "duecourse_job_queue_age_seconds",
            "How long the run that is due longest has waited.",
            (now - oldest).total_seconds() if oldest else 0,
        )
        alive = Worker.objects.filter(seen_at__gte=now - timedelta(seconds=60)).count()
        yield GaugeMetricFamily("duecourse_workers", "Workers that said within a minute that they are alive.", alive)

    def _ledger(self) -> Iterator[Any]:
        from duecourse.web import books  # noqa: PLC0415

        try:
            rows = books.ledger().journal()
        except Exception:  # noqa: BLE001 — readiness says what is wrong with it
            return
        last = rows[-1]
        taken = CounterMetricFamily(
            "duecourse_import_rows", "Rows the ledger took in, by way: import (files) or post (API).", labels=["way"]
        )
        for way in ("import", "post"):
            taken.add_metric([way], sum(count.get("added", 0) for row in rows if row.kind == way for count in row.counts.values()))
        yield taken
        yield GaugeMetricFamily("duecourse_ledger_version", "Version of the ledger.", last.version)
        yield GaugeMetricFamily(
            "duecourse_ledger_age_seconds", "Since the last change of the ledger.", (timezone.now() - last.recorded_at).total_seconds()
        )


def figures() -> HttpResponse:
    """All figures, over all processes of this server."""
    registry = CollectorRegistry()
    parts = [generate_latest(REGISTRY)]
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        parts = [generate_latest(registry)]
    looked = CollectorRegistry(auto_describe=False)
    looked.register(Looked())
    return HttpResponse(b"".join([*parts, generate_latest(looked)]), content_type=CONTENT_TYPE_LATEST)
