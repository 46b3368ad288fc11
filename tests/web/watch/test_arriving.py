"""What comes in by API is looked at within the minute: those it speaks of, and nobody else."""

from __future__ import annotations

import json
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from duecourse.desk import alerting, alone
from duecourse.desk.grading import graded
from duecourse.desk.opening import open_ledger
from duecourse.web import books
from duecourse.web.accounts.models import ApiKey
from duecourse.web.jobs.models import JobRun
from duecourse.web.jobs.worker import drain
from duecourse.web.notices.models import Notice
from duecourse.web.watch import background
from duecourse.web.watch.arriving import look_at_news, rehearse
from duecourse.web.watch.models import Alert, WatchHead

MINUTE = 60


@pytest.fixture
def sound(own_ledger):
    """A buyer with a good grade."""
    book = own_ledger.as_of(books.day_of(own_ledger))
    rows = graded(book).to_pylist()
    return min((row for row in rows if row["grade"]), key=lambda row: (row["grade"], row["buyer_id"]))["buyer_id"]


@pytest.fixture
def post(own_ledger, person):
    """post("/signals", {...}): facts sent over the API."""
    _key, token = ApiKey.make(
        person("credit_manager", username="anna"), "test", ["read", "import", "note"], timezone.now() + timedelta(days=1)
    )
    background.ask()
    JobRun.objects.filter(name="watch.day").update(status="cancelled")  # not what is tested here
    drain()
    assert WatchHead.objects.get().looked_version == own_ledger.version  # what was there before is no news

    def send(path, *rows):
        headers = {"HTTP_AUTHORIZATION": f"Bearer {token}", "HTTP_IDEMPOTENCY_KEY": f"{time.monotonic()}"}
        answer = Client().post(f"/api/v1{path}", json.dumps(list(rows)), content_type="application/json", **headers)
        assert answer.status_code == 201, answer.content
        background.ask()
        began = time.monotonic()
        drain()
        return time.monotonic() - began

    return send


def signal(buyer, kind, number=1, **more):
    day = books.day_of(books.ledger())
    return {"signal_id": f"S{number}", "buyer_id": buyer, "kind": kind, "published_on": day.isoformat(), **more}


def test_an_insurers_cut_opens_an_alert_of_that_buyer_alone_and_once(post, sound):
    assert post("/signals", signal(sound, "insurer_limit_cut", severity="red", text="withdrawn")) < MINUTE
    one = Alert.objects.get()
    assert (one.buyer_id, one.severity) == (sound, "red")
    assert {"insurer_limit_cut"} <= {each["code"] for each in one.reasons}
    assert Notice.objects.filter(kind="alert_opened").count() == 1
    WatchHead.objects.update(looked_version=books.ledger().version - 1)  # a worker that died before it could say how far it was
    look_at_news(books.ledger())
    assert Alert.objects.count() == Notice.objects.filter(kind="alert_opened").count() == 1


def test_news_of_one_buyer_writes_no_other_buyers_alert(post, sound, own_ledger):
    book = own_ledger.as_of(books.day_of(own_ledger))
    others = [row["buyer_id"] for row in graded(book).to_pylist() if row["buyer_id"] != sound][:3]
    post("/signals", *(signal(buyer, "insurer_limit_cut", place, severity="red") for place, buyer in enumerate([sound, *others], 10)))
    before = {one["buyer_id"]: one for one in Alert.objects.values()}
    assert before.keys() == {sound, *others}
    with CaptureQueriesContext(connection) as asked:
        post("/signals", signal(sound, "insolvency", 2, severity="red"))
    assert sum(one["sql"].startswith('UPDATE "watch_alert"') for one in asked.captured_queries) == 1
    after = {one["buyer_id"]: one for one in Alert.objects.values()}
    assert {buyer for buyer in after if after[buyer] != before[buyer]} == {sound}


def test_a_fall_of_the_grade_is_a_reason_of_its_own(post, sound):
    post("/signals", signal(sound, "insolvency", severity="red"))
    one = Alert.objects.get()
    told = {each["code"]: each["why"] for each in one.reasons}
    assert told["grade_fall"]["args"]["now"] == 10
    assert told["grade_fall"]["args"]["before"] < 8


def test_good_news_and_a_buyer_nobody_knows_open_nothing(post, sound):
    post("/signals", signal(sound, "news", 1, severity="info"), signal("nobody-knows", "register_change", 2, severity="info"))
    assert not Alert.objects.exists()
    assert WatchHead.objects.get().looked_version == books.ledger().version


def test_of_a_large_file_only_what_cannot_wait_is_looked_at_at_once(post, sound, monkeypatch, own_ledger):
    monkeypatch.setattr(alerting, "MOST_AT_ONCE", 3)
    looked = []
    whole = alerting.indicators_of
    monkeypatch.setattr(alerting, "indicators_of", lambda book, buyer: looked.append(buyer) or whole(book, buyer))
    post(
        "/signals",
        signal(sound, "insolvency", 1),
        *(signal(f"other-{number}", "news", number + 2, severity="amber") for number in range(6)),
    )
    assert looked == [sound]


def test_a_rehearsal_writes_nothing_and_leaves_a_look_nothing_to_draw_up(post, sound, monkeypatch):
    ledger = books.ledger()
    monkeypatch.setattr(alone, "_drawn_up", alone.OrderedDict())
    before = (ledger.version, JobRun.objects.count())
    assert rehearse(ledger)
    drawn = set(alone._drawn_up)
    assert len(drawn) > 30
    assert (books.ledger().version, JobRun.objects.count()) == before and not Alert.objects.exists() and not Notice.objects.exists()
    post("/signals", signal(sound, "insurer_limit_cut", severity="red"))
    assert Alert.objects.get().buyer_id == sound and set(alone._drawn_up) == drawn


def test_a_worker_gets_ready_once_a_ledger_and_day_after_the_first_days_run(own_ledger, db, monkeypatch):
    asked = []
    monkeypatch.setattr("duecourse.web.watch.arriving.rehearse", lambda ledger: asked.append(ledger.version) or "b")
    ready = background.Readiness()
    assert not ready.see_to() and not ready.see_to(every=0)  # it has just begun; no day has been run
    WatchHead.objects.update_or_create(pk=1, defaults={"last_day": books.day_of(own_ledger)})
    assert ready.see_to(every=0) and asked == [own_ledger.version]
    assert not ready.see_to(every=0) and not ready.see_to()
    with ready._turn:
        assert not ready.see_to(every=0)
    monkeypatch.setattr("duecourse.desk.dates.default_day", lambda _ledger: books.day_of(own_ledger) + timedelta(days=1))
    assert ready.see_to(every=0) and len(asked) == 2


def test_where_there_is_nobody_there_is_nothing_to_rehearse(tmp_path, db):
    assert rehearse(open_ledger(tmp_path / "new", create=True)) == ""
