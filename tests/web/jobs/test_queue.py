"""A run is asked for once, done by one, and comes to an end whatever happens."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from duecourse.errors import BuyerUnknownError, LedgerBusyError
from duecourse.web.jobs import owner
from duecourse.web.jobs.models import CANCELLED, DONE, FAILED, RUNNING, WAITING, JobRun
from duecourse.web.jobs.queue import LONGEST_WAIT, LOSSES_ALLOWED, cancel, claim, enqueue, reap, try_again, wait_before
from duecourse.web.jobs.running import Cancelled, Interrupted, Job, LeaseLost, beat, carry_out
from duecourse.web.jobs.worker import drain

pytestmark = pytest.mark.django_db


def ready_now(run):
    JobRun.objects.filter(pk=run.pk).update(run_after=timezone.now())


def test_a_job_is_done_with_its_arguments_and_its_result_is_kept(a_job):
    run = enqueue(a_job(lambda job, *, number: {"twice": number * 2}, "test.twice"), number=21)
    assert drain() == 1
    run.refresh_from_db()
    assert (run.status, run.result, run.attempts, run.percent) == (DONE, {"twice": 42}, 1, 100)
    assert run.finished_at >= run.started_at


def test_the_same_key_asks_once_even_after_it_was_done(a_job):
    seen = []
    name = a_job(lambda job: seen.append(1), "test.once")
    first, second = enqueue(name, key="letter 7"), enqueue(name, key="letter 7")
    drain()
    third = enqueue(name, key="letter 7")
    assert drain() == 0
    assert first.pk == second.pk == third.pk
    assert seen == [1]


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_was_never_asked(a_job):
    name = a_job(lambda job: None, "test.nothing")
    with pytest.raises(RuntimeError), transaction.atomic():
        enqueue(name)
        enqueue(name, key="k")
        raise RuntimeError
    assert not JobRun.objects.exists()


def test_an_unforeseen_error_is_tried_again_after_a_growing_wait_until_retries_are_used_up(a_job):
    def stumble(job):
        raise OSError("the cable")

    run = enqueue(a_job(stumble, retries=2, backoff_seconds=60))
    for attempt in (1, 2):
        assert drain() == 1
        run.refresh_from_db()
        assert (run.status, run.failures) == (WAITING, attempt)
        assert run.run_after > timezone.now()
        assert drain() == 0
        ready_now(run)
    drain()
    run.refresh_from_db()
    assert (run.status, run.failures, run.attempts) == (FAILED, 3, 3)
    assert "OSError" in run.error
    assert run.error_detail == "the cable"
    assert try_again(run)
    run.refresh_from_db()
    assert (run.status, run.failures, run.error) == (WAITING, 0, "")


def test_an_error_of_the_caller_is_final_and_reads_in_both_languages(a_job):
    from duecourse.messages import use_language

    def unknown(job):
        raise BuyerUnknownError(buyer="X", nearest="")

    run = enqueue(a_job(unknown))
    drain()
    run.refresh_from_db()
    assert (run.status, run.attempts) == (FAILED, 1)
    english = run.error
    use_language("zh")
    assert run.error != english


def test_a_busy_ledger_is_tried_again(a_job):
    def busy(job):
        if job.attempt == 1:
            raise LedgerBusyError(path="x", seconds=1.0)

    run = enqueue(a_job(busy))
    drain()
    ready_now(run)
    drain()
    run.refresh_from_db()
    assert (run.status, run.error) == (DONE, "")


def test_back_off_doubles_is_spread_and_has_a_ceiling():
    random.seed(1)
    for failures in range(1, 40):
        waits = {wait_before(failures, 2.0) for _ in range(20)}
        full = min(LONGEST_WAIT, 2.0 * 2 ** (failures - 1))
        assert len(waits) > 1
        assert all(full / 2 <= wait <= full for wait in waits)


def test_a_waiting_run_is_cancelled_at_once_and_a_running_one_at_its_next_word(a_job):
    name = a_job(lambda job: None, "test.slow")
    waiting = enqueue(name)
    assert cancel(waiting)
    waiting.refresh_from_db()
    assert waiting.status == CANCELLED
    assert not cancel(waiting)

    def long_work(job):
        assert cancel(job.run)
        beat([job])
        assert job.cancelled
        job.progress(0.5)
        raise AssertionError("it should have stopped")

    running = enqueue(a_job(long_work))
    drain()
    running.refresh_from_db()
    assert running.status == CANCELLED


def test_a_cancel_that_came_too_late_leaves_what_was_done(a_job):
    run = enqueue(a_job(lambda job: cancel(job.run), "test.late"))
    drain()
    run.refresh_from_db()
    assert run.status == DONE


def test_a_lost_lease_is_taken_up_by_another_and_the_first_can_no_longer_end_it(a_job):
    name = a_job(lambda job: {"by": job.attempt}, "test.fenced", lease_seconds=60)
    run = enqueue(name)
    slow = Job(claim())
    assert claim() is None
    assert reap() == 0
    JobRun.objects.filter(pk=run.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert reap() == 1
    quick = Job(claim())
    beat([slow, quick])
    with pytest.raises(LeaseLost):
        slow.progress(0.9)
    assert carry_out(slow) == ""
    run.refresh_from_db()
    assert (run.status, run.attempts, run.losses) == (RUNNING, 2, 1)
    assert carry_out(quick) == DONE
    run.refresh_from_db()
    assert run.result == {"by": 2}


def test_a_heartbeat_keeps_a_lease(a_job):
    run = enqueue(a_job(lambda job: None, "test.kept", lease_seconds=60))
    job = Job(claim())
    until = job.run.lease_until
    beat([job], until - timedelta(seconds=10))
    run.refresh_from_db()
    assert run.lease_until > until
    assert not job.cancelled


def test_a_run_of_a_dead_process_is_taken_back_before_its_lease_runs_out(a_job):
    run = enqueue(a_job(lambda job: None, "test.dead", lease_seconds=3600))
    claim()
    place = owner.this_process().rpartition("/")[0].rpartition("/")[0]
    JobRun.objects.filter(pk=run.pk).update(lease_owner=f"{place}/4194303/1")
    assert reap() == 1
    JobRun.objects.filter(pk=run.pk).update(
        status=RUNNING, lease_owner="another machine/1/1", lease_until=timezone.now() + timedelta(hours=1)
    )
    assert reap() == 0, "of a process elsewhere we know nothing"


def test_a_job_that_kills_its_workers_is_given_up(a_job):
    run = enqueue(a_job(lambda job: None, "test.poison"))
    for _ in range(LOSSES_ALLOWED + 1):
        assert claim()
        JobRun.objects.filter(pk=run.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
        assert reap() == 1
    run.refresh_from_db()
    assert run.status == FAILED
    assert "memory" in run.error


def test_a_worker_that_is_stopped_gives_its_run_back_without_a_mark(a_job):
    def stopped(job):
        job.stop(Interrupted)
        job.check()

    run = enqueue(a_job(stopped))
    assert drain(limit=1) == 1
    run.refresh_from_db()
    assert (run.status, run.failures, run.losses) == (WAITING, 0, 0)


def test_progress_is_written_sparingly(a_job, django_assert_max_num_queries):
    def chatty(job):
        for step in range(1000):
            job._told = job._told or 0.0
            job.progress(step / 1000)

    run = enqueue(a_job(chatty))
    job = Job(claim())
    if connection.in_atomic_block:  # as every test without transaction=True: progress is then not written at all
        with django_assert_max_num_queries(2):
            carry_out(job)
    run.refresh_from_db()
    assert run.percent == 100


def test_a_long_job_leaves_room_for_short_ones(a_job):
    enqueue(a_job(lambda job: None, "test.long", long=True))
    short = enqueue(a_job(lambda job: None, "test.short"))
    assert claim(long=False).pk == short.pk
    assert claim(long=False) is None


def test_cancelled_is_not_swallowed_as_an_error():
    assert issubclass(Cancelled, Exception)
