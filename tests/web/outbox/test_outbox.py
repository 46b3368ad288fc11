"""What is put out comes into the ledger once, in order, or not at all."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from duecourse.desk.dates import FAR
from duecourse.desk.opening import opened_again
from duecourse.web.jobs.models import JobRun
from duecourse.web.outbox import sending
from duecourse.web.outbox.models import Outgoing

if TYPE_CHECKING:
    from duecourse.ledger.store import Ledger

DAY = date(2026, 3, 2)


def limit(number: int, amount: int = 100, **more: Any) -> dict[str, Any]:
    return {
        "limit_id": f"L{number}", "kind": "standing", "buyer_id": "B1", "amount_minor": amount, "currency": "CNY", "valid_from": DAY, **more,
    }  # fmt: skip


def limits(ledger: Ledger) -> dict[str, int]:
    book = opened_again(ledger).as_of(FAR)
    own = book.limit.filter(book.limit.limit_id.startswith("L"))  # the demo has limits of its own
    return {row["limit_id"]: row["amount_minor"] for row in book.run(own).to_pylist()}


def test_what_was_put_out_is_in_the_ledger_and_goes_once(own_ledger: Ledger, db: None) -> None:
    sending.put_out("limit", limit(1))
    moment = datetime(2026, 3, 2, 8, tzinfo=UTC)
    sending.put_out("decision", {"decision_id": "D1", "kind": "limit", "buyer_id": "B1", "decided_on": DAY, "decided_at": moment})
    assert sending.append_waiting(own_ledger) == 2
    assert sending.append_waiting(own_ledger) == 0
    book = opened_again(own_ledger).as_of(FAR)
    assert [row["decided_at"] for row in book.run(book.decision).to_pylist()] == [moment]
    assert limits(own_ledger) == {"L1": 100}


def test_a_rolled_back_decision_puts_nothing_out(own_ledger: Ledger, db: None) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        sending.put_out("limit", limit(1))
        _ = 1 / 0
    assert sending.append_waiting(own_ledger) == 0
    assert limits(own_ledger) == {}


def test_the_later_word_about_a_fact_holds(own_ledger: Ledger, db: None) -> None:
    sending.put_out_many(
        [("limit", limit(1, 100)), ("limit", limit(2, 5)), ("limit", limit(1, 70)), ("limit", {**limit(2), "voided": True})]
    )
    assert sending.append_waiting(own_ledger) == 4
    assert limits(own_ledger) == {"L1": 70}
    assert Outgoing.objects.values("batch_id").distinct().count() == 2


@pytest.mark.parametrize(
    ("table", "row"), [("nothing", {}), ("limit", {"limit_id": "L", "colour": "red"}), ("limit", {"kind": "block"})], ids=str
)
def test_a_row_the_ledger_could_not_take_is_refused_at_once(db: None, table: str, row: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"ledger has no|no column|wants its key"):
        sending.put_out(table, row)


def test_a_job_whose_workers_died_too_often_is_done_after_all(own_ledger: Ledger, db: None) -> None:
    """Else one row would keep every later one from the ledger for good."""
    sending.put_out("limit", limit(1))
    sending.ask()
    now = timezone.now()
    JobRun.objects.filter(name="outbox.append").update(status="failed", losses=11, finished_at=now)
    sending.ask(now)
    assert JobRun.objects.get(name="outbox.append").status == "failed"  # not at once
    sending.ask(now + timedelta(minutes=1))
    again = JobRun.objects.get(name="outbox.append")
    assert (again.status, again.losses) == ("waiting", 0)


def test_the_job_is_asked_for_once_while_something_waits(db: None) -> None:
    sending.ask()
    assert not JobRun.objects.filter(name="outbox.append").exists()
    sending.put_out("limit", limit(1))
    sending.ask()
    sending.ask()
    assert JobRun.objects.filter(name="outbox.append").count() == 1


class Killed(BaseException):
    """The process ends here."""


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    words=st.lists(st.tuples(st.integers(1, 4), st.integers(1, 9)), min_size=1, max_size=10),
    deaths=st.lists(st.sampled_from(["before", "after", "none"]), max_size=4),
)
def test_whenever_the_worker_dies_nothing_is_lost_doubled_or_out_of_order(
    own_ledger: Ledger, db: None, words: list[tuple[int, int]], deaths: list[str]
) -> None:
    from duecourse.desk import posting

    Outgoing.objects.all().delete()
    before = {row.version for row in opened_again(own_ledger).state.rows}
    base = max(before) * 10  # names of this example's limits
    for number, amount in words:
        sending.put_out("limit", limit(base + number, amount))
    told = {f"L{base + number}": amount for number, amount in words}
    whole = posting.commit
    with pytest.MonkeyPatch.context() as patch:
        for death in deaths:

            def dying(ledger: Any, posts: Any, *, wait_seconds: float, death: str = death) -> Any:
                if death == "before":
                    raise Killed
                done = whole(ledger, posts, wait_seconds=wait_seconds)
                if death == "after":
                    raise Killed
                return done

            patch.setattr(posting, "commit", dying)
            try:
                sending.append_waiting(opened_again(own_ledger))
            except Killed:
                continue
    sending.append_waiting(opened_again(own_ledger))
    found = limits(own_ledger)
    assert {name: found[name] for name in told} == told
    rows = [row for row in opened_again(own_ledger).state.rows if row.version not in before]
    assert len({row.batch_id for row in rows}) == len(rows)
    changes = sum(counts["added"] + counts["corrected"] for row in rows for counts in row.counts.values())
    latest: dict[int, int] = {}
    expected = 0
    for number, amount in words:
        expected += latest.get(number) != amount
        latest[number] = amount
    assert changes == expected


@pytest.mark.django_db(transaction=True)
def test_two_workers_append_each_row_once_and_in_order(own_ledger: Ledger) -> None:
    for turn in range(6):
        sending.put_out_many([("limit", limit(number, 10 * turn + number)) for number in range(1, 6)])
    errors: list[BaseException] = []

    def work() -> None:
        try:
            sending.append_waiting(opened_again(own_ledger))
        except BaseException as error:  # noqa: BLE001 — told to the test
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert limits(own_ledger) == {f"L{number}": 50 + number for number in range(1, 6)}
    assert not Outgoing.objects.filter(written_at__isnull=True).exists()
