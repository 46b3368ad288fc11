"""One alert a buyer, opened once, told once, however often and by whomever it is drawn up."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from duecourse.desk.alerting import Fallen, Looked
from duecourse.web.notices.models import Notice
from duecourse.web.watch import keeping
from duecourse.web.watch.models import CLEARED, CLOSED, OPEN, Alert, AlertEvent, WatchHead
from support.examples import examples
from support.watching import DAY, book_of, look, seen

pytestmark = pytest.mark.django_db
BUDGET = {"analysts": 1, "alerts_per_analyst_day": 2, "share_of_watched_a_month": None}


def test_a_buyer_above_the_threshold_gets_an_alert_once_and_whoever_wants_is_told(person):
    person("credit_manager")
    assert look(DAY, seen("a"), seen("b", 40.0), seen("c", 10.0)).opened
    for _ in range(2):
        again = look(DAY, seen("a"), seen("b", 40.0))
        assert (again.opened, again.raised) == ([], [])
    assert list(Alert.objects.order_by("buyer_id").values_list("buyer_id", "severity", "state")) == [
        ("a", "red", OPEN),
        ("b", "amber", OPEN),
    ]
    assert sorted(Notice.objects.values_list("kind", flat=True)) == ["alert_opened", "alert_opened"]
    assert AlertEvent.objects.count() == 2


def test_the_database_itself_takes_no_second_open_alert(db):
    look(DAY, seen("a"))
    row = Alert.objects.get()
    row.pk = None
    row.cause = "other"
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save()


def test_what_is_new_is_added_to_the_alert_there_is(person):
    person("credit_manager")
    look(DAY, seen("a", 40.0))
    done = look(DAY + timedelta(days=1), seen("a", 65.0, "PAY03", "NEG06"))
    row = Alert.objects.get()
    assert done.raised == [row.pk]
    assert (row.severity, [one["code"] for one in row.reasons], row.raised_on) == ("red", ["PAY03", "NEG06"], DAY + timedelta(days=1))
    assert [one.kind for one in row.events.all()] == ["opened", "raised"]
    assert row.events.get(kind="raised").detail == {"severity": "red", "graver": True, "reasons": ["NEG06"]}
    assert Notice.objects.filter(kind="alert_changed").count() == 1


def test_an_alert_clears_by_itself_only_after_long_enough_below(db):
    look(DAY, seen("a", 40.0))
    for days in range(1, 31):
        look(DAY + timedelta(days=days), seen("a", 5.0))
    assert Alert.objects.get().state == OPEN
    done = look(DAY + timedelta(days=31), seen("a", 5.0))
    row = Alert.objects.get()
    assert (row.state, done.cleared) == (CLEARED, [row.pk])
    assert row.events.last().kind == "cleared"


def test_the_budget_holds_over_looks_and_what_cannot_wait_goes_beside_it(db):
    policy = {"alert_policy": {"budget": BUDGET}}
    first = look(DAY, *(seen(f"b{number}", exposure=number * 100) for number in range(1, 6)), **policy)
    assert len(first.opened) == 2
    assert first.waiting == 3
    assert set(Alert.objects.values_list("buyer_id", flat=True)) == {"b4", "b5"}  # most can be saved of them
    urgent = look(DAY, seen("b1", 5.0, "insolvency"), whole=False, cause="news 7", **policy)
    assert len(urgent.opened) == 1
    assert Alert.objects.get(buyer_id="b1").severity == "red"


def test_a_closed_alert_is_not_opened_again_by_the_same_day_nor_within_half_a_year_unless_worse(db):
    look(DAY, seen("a", 40.0))
    Alert.objects.update(state=CLOSED, verdict="false", closed_on=DAY)
    look(DAY, seen("a", 40.0))
    look(DAY + timedelta(days=20), seen("a", 45.0))
    assert Alert.objects.count() == 1
    look(DAY + timedelta(days=21), seen("a", 70.0))
    look(DAY + timedelta(days=21), seen("a", 70.0))
    assert list(Alert.objects.order_by("pk").values_list("state", "severity")) == [(CLOSED, "amber"), (OPEN, "red")]


def test_a_day_that_is_over_is_left_alone_and_an_earlier_one_does_not_touch_a_later_alert(db):
    look(DAY, seen("a"), whole=False, cause="news 3")
    look(DAY - timedelta(days=1), seen("a", 5.0))
    assert Alert.objects.get().below_since is None
    WatchHead.objects.update_or_create(pk=1, defaults={"last_day": DAY})
    assert not look(DAY, seen("b")).opened
    assert Alert.objects.count() == 1


def test_a_fallen_grade_is_a_reason_with_its_sentence(db):
    book = book_of()
    keeping.draw_up(book, Looked([seen("a", 5.0, "grade_fall")], 1), "news 1", whole=False, fallen=[Fallen("a", 3, 6)])
    row = Alert.objects.get()
    assert row.severity == "red"
    assert row.reasons[0]["why"] == {"code": "web.watch_why_grade_fall", "args": {"before": 3, "now": 6}}


def test_a_snooze_ends_on_its_day_or_when_things_grow_worse(person):
    person("credit_manager")
    look(DAY, seen("a", 40.0), seen("b", 40.0))
    Alert.objects.update(snoozed_until=DAY + timedelta(days=5))
    look(DAY + timedelta(days=1), seen("a", 70.0), seen("b", 40.0))
    assert Alert.objects.get(buyer_id="a").snoozed_until is None
    assert not keeping.wake(book_of(DAY + timedelta(days=4)))
    for _ in range(2):
        keeping.wake(book_of(DAY + timedelta(days=5)))
    assert Alert.objects.get(buyer_id="b").snoozed_until is None
    assert AlertEvent.objects.filter(kind="woken").count() == 2
    assert Notice.objects.filter(kind="alert_woken").count() == 1


def test_an_alert_nobody_looks_at_is_escalated_once(person):
    person("credit_manager")
    look(DAY, seen("a"), seen("b"), seen("c"))
    Alert.objects.filter(buyer_id="b").update(acknowledged_at=Alert.objects.first().opened_at)
    Alert.objects.filter(buyer_id="c").update(snoozed_until=DAY + timedelta(days=30))
    assert not keeping.escalate(book_of(DAY + timedelta(days=2)), 3)
    assert keeping.escalate(book_of(DAY + timedelta(days=3)), 3) == [Alert.objects.get(buyer_id="a").pk]
    assert not keeping.escalate(book_of(DAY + timedelta(days=4)), 3)
    assert Notice.objects.filter(kind="alert_escalated").count() == 1


def test_what_happened_is_only_ever_added_to(db):
    look(DAY, seen("a"))
    event = AlertEvent.objects.get()
    for deed in (event.delete, event.save, AlertEvent.objects.all().delete, lambda: AlertEvent.objects.update(kind="noted")):
        with pytest.raises(TypeError, match="only ever added"):
            deed()


class Killed(BaseException):
    """The process ends here."""


LOOKS = st.lists(
    st.tuples(
        st.sampled_from(["day", "news"]),
        st.lists(st.tuples(st.integers(0, 3), st.sampled_from([5.0, 30.0, 40.0, 70.0]), st.sampled_from(["PAY03", "insolvency", "LIM01"])), max_size=4),
        st.integers(0, 2),
    ),
    min_size=1, max_size=8,
)  # fmt: skip


def state():
    alerts = Alert.objects.order_by("pk")
    return {
        "alerts": [(one.buyer_id, one.opened_on, one.severity, one.state, [each["code"] for each in one.reasons], one.below_since, one.rank) for one in alerts],
        "events": sorted((one.alert.buyer_id, str(one.alert.opened_on), one.kind, one.key) for one in AlertEvent.objects.select_related("alert")),
        "notices": Notice.objects.count(),
    }  # fmt: skip


def clear():
    for model in (Notice, AlertEvent, Alert, WatchHead):
        rows = model._base_manager.all()
        rows._raw_delete(rows.db)


@examples(25, 400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(looks=LOOKS, deaths=st.lists(st.sampled_from(["", "", "within", "after"]), max_size=12))
def test_whenever_a_worker_dies_the_alerts_are_as_if_it_had_not(person, looks, deaths):
    if not Notice.objects.exists() and not Alert.objects.exists():
        person("credit_manager")

    def go(dying):
        clear()
        pending = list(deaths) if dying else []
        for number, (kind, rows, _step) in enumerate(looks):
            day = DAY + timedelta(days=sum(one[2] for one in looks[: number + 1]))
            warned = [seen(f"b{buyer}", score, code) for buyer, score, code in rows]
            while True:
                death = pending.pop(0) if pending else ""
                try:
                    with pytest.MonkeyPatch.context() as patch:
                        if death == "within":
                            patch.setattr(keeping, "_follow", lambda *_args, **_more: (_ for _ in ()).throw(Killed()))
                        look(day, *warned, whole=kind == "day", cause=f"{kind} {number}")
                except Killed:
                    continue
                if death != "after":  # else it died before it could say that it was done
                    break

    go(dying=False)
    ideal = state()
    go(dying=True)
    assert state() == ideal
    open_ = list(Alert.objects.filter(state=OPEN).values_list("buyer_id", flat=True))
    assert len(open_) == len(set(open_))


@pytest.mark.django_db(transaction=True)
def test_two_workers_open_each_alert_once(person):
    person("credit_manager")
    errors = []

    def work(whole):
        try:
            for number in range(6):
                day = DAY + timedelta(days=number)
                look(
                    day,
                    *(seen(f"b{one}", 40.0 + 5 * number) for one in range(number + 3)),
                    whole=whole,
                    cause=f"{'day' if whole else 'news'} {day}",
                    watched=100_000,
                )
        except BaseException as error:  # noqa: BLE001 — told to the test
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(whole,)) for whole in (True, False, True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    buyers = list(Alert.objects.values_list("buyer_id", flat=True))
    assert len(buyers) == len(set(buyers))
    assert set(buyers) <= {f"b{one}" for one in range(8)}
    assert AlertEvent.objects.filter(kind="opened").count() == Alert.objects.count() == Notice.objects.filter(kind="alert_opened").count()
