"""The page of jobs: shows what is going on, and lets people cancel and try again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from duecourse.web.jobs.models import CANCELLED, FAILED, RUNNING, WAITING, JobRun, Worker
from duecourse.web.jobs.queue import claim, enqueue
from duecourse.web.jobs.schedule import tick

pytestmark = pytest.mark.django_db


@pytest.fixture
def runs(a_job):
    """One run in each state."""
    name = a_job(lambda job: None, "test.page")
    running = enqueue(name)
    claim()
    JobRun.objects.filter(pk=running.pk).update(progress=0.42, phase="web.jobs_phase_compact")
    failed = enqueue(name)
    JobRun.objects.filter(pk=failed.pk).update(
        status=FAILED, error_code="job_unforeseen", error_args={"kind": "OSError"}, finished_at=timezone.now()
    )
    return {"running": running, "failed": failed, "waiting": enqueue(name)}


def test_it_shows_what_runs_waits_failed_and_is_due(signed_in, runs):
    Worker.objects.create(owner="here")
    tick()
    page = signed_in("credit_manager").get(reverse("jobs")).content.decode()
    assert "42%" in page
    assert "reading stays possible" in page
    assert "unforeseen error (OSError)" in page
    assert "Put the ledger in order" in page
    assert "No worker" not in page


def test_it_says_that_no_worker_runs(signed_in):
    Worker.objects.create(owner="gone", seen_at=timezone.now() - timedelta(minutes=5))
    assert "No worker" in signed_in("credit_manager").get(reverse("jobs")).content.decode()


def test_the_live_part_is_the_same_piece_of_screen_and_small(signed_in, runs):
    browser = signed_in("credit_manager")
    piece = browser.get(reverse("jobs"), headers={"HX-Request": "true"})
    assert piece.content.decode().strip().startswith('<div id="jobs"')
    assert len(piece.content) < 30_000


def test_cancel_and_try_again(signed_in, runs):
    browser = signed_in("credit_manager")
    assert browser.post(reverse("job_cancel", args=[runs["waiting"].pk])).status_code == 302
    assert browser.post(reverse("job_cancel", args=[runs["running"].pk]), headers={"HX-Request": "true"}).status_code == 200
    assert browser.post(reverse("job_again", args=[runs["failed"].pk])).status_code == 302
    status = dict(JobRun.objects.values_list("pk", "status"))
    assert status == {runs["waiting"].pk: CANCELLED, runs["running"].pk: RUNNING, runs["failed"].pk: WAITING}
    assert "stopping" in browser.get(reverse("jobs")).content.decode()


def test_one_run_has_a_page(signed_in, runs):
    browser = signed_in("auditor")
    for run in runs.values():
        assert browser.get(reverse("job", args=[run.pk])).status_code == 200
    assert browser.get(reverse("job", args=[10**9])).status_code == 404


def test_who_sees_a_part_of_the_book_sees_only_runs_of_their_own(signed_in, person, runs):
    someone = person("credit_analyst", sales_owners=["Wang"])
    own = enqueue("test.page", person=someone)
    browser = signed_in(someone)
    assert browser.get(reverse("job", args=[own.pk])).status_code == 200
    for run in runs.values():
        assert browser.get(reverse("job", args=[run.pk])).status_code == 404
        assert browser.post(reverse("job_cancel", args=[run.pk])).status_code == 404


def test_who_has_no_right_to_jobs_is_refused(signed_in, runs):
    browser = signed_in("viewer")
    assert browser.get(reverse("jobs")).status_code == 403
    assert browser.post(reverse("job_cancel", args=[runs["waiting"].pk])).status_code == 403
