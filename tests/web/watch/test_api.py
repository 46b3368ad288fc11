"""Alerts over the API: read as far as one sees, acted on once however often the request is sent."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from duecourse.desk.alerting import Looked
from duecourse.web.notices.models import Notice
from duecourse.web.outbox.models import Outgoing
from duecourse.web.watch import keeping
from duecourse.web.watch.models import AlertEvent
from support.watching import seen

ROOT = "/api/v1"


@pytest.fixture
def call(person):
    """call("collector")(method, path, body, key=…): a request with a key of that role's."""
    from django.test import Client
    from django.utils import timezone

    from duecourse.web.accounts.forms import KEY_ACTS
    from duecourse.web.accounts.models import ApiKey

    def of(role, **more):
        _key, token = ApiKey.make(person(role, **more), "test", list(KEY_ACTS), timezone.now() + timedelta(days=1))
        browser = Client()

        def request(method, path, body=None, key="k1"):
            headers = {"HTTP_AUTHORIZATION": f"Bearer {token}", "HTTP_IDEMPOTENCY_KEY": key}
            if method == "get":
                return browser.get(ROOT + path, **headers)
            return browser.post(ROOT + path, json.dumps(body or {}), content_type="application/json", **headers)

        return request

    return of


def test_alerts_are_listed_page_by_page_and_one_is_told_whole(call, book):
    buyers = [row["buyer_id"] for row in book.run(book.buyer.select("buyer_id").order_by("buyer_id").limit(4)).to_pylist()]
    keeping.draw_up(book, Looked([seen(one, 70.0, "PAY03", "insolvency", exposure=123_456) for one in buyers], 1_000), "day", whole=True)
    read = call("viewer")
    first = read("get", "/alerts?limit=3&state=open").json()
    second = read("get", f"/alerts?limit=3&state=open&cursor={first['next']}").json()
    rows = [*first["rows"], *second["rows"]]
    assert sorted(row["buyer_id"] for row in rows) == sorted(buyers)
    assert second["next"] is None
    one = read("get", f"/alerts/{rows[0]['alert_id']}").json()
    assert (one["severity"], one["exposure"], one["suggested"][0]) == ("red", "1234.56", "prepay")
    assert {each["code"] for each in one["reasons"]} == {"PAY03", "insolvency"}
    assert read("get", "/alerts?severity=amber").json()["rows"] == []
    assert read("get", "/alerts?cursor=nonsense").status_code == 422
    assert read("get", "/alerts/999999").status_code == 404


def test_who_does_not_see_the_buyer_sees_no_alert(call, alert):
    one = alert()
    limited = call("credit_manager", sales_owners=["nobody"])
    assert limited("get", "/alerts").json()["rows"] == []
    assert limited("get", f"/alerts/{one.pk}").status_code == 404
    assert limited("post", f"/alerts/{one.pk}/acknowledge").status_code == 404


def test_a_deed_is_done_once_however_often_it_is_sent(call, alert, person, book):
    one, bo = alert(), person("collector", username="bo")
    act = call("credit_analyst")
    place = f"/alerts/{one.pk}"
    for _ in range(2):
        assert act("post", f"{place}/assign", {"assignee": "bo"}, key="a").json()["assignee"] == bo.username
        assert act("post", f"{place}/notes", {"note": "called"}, key="b").status_code == 200
        assert act("post", f"{place}/snooze", {"until": f"{book.on + timedelta(days=9)}"}, key="c").json()["snoozed_until"]
        closed = act("post", f"{place}/close", {"verdict": "known"}, key="d")
        assert (closed.status_code, closed.json()["verdict"]) == (200, "known")
    assert [each.kind for each in one.events.all()] == ["opened", "assigned", "acknowledged", "noted", "snoozed", "closed"]
    assert Notice.objects.filter(kind="alert_assigned").count() == 1
    assert Outgoing.objects.count() == 1


def test_a_deed_whose_answer_was_lost_is_not_done_again(call, alert):
    """The worker died after the deed and before the answer was kept: the key is as if it had never been used, the deed knows better."""
    from duecourse.web.api.models import IdempotencyKey

    one, act = alert(), call("credit_analyst")
    act("post", f"/alerts/{one.pk}/notes", {"note": "called"}, key="b")
    act("post", f"/alerts/{one.pk}/close", {"verdict": "true"}, key="d")
    IdempotencyKey.objects.all().delete()
    assert act("post", f"/alerts/{one.pk}/notes", {"note": "called"}, key="b").status_code == 200
    assert act("post", f"/alerts/{one.pk}/close", {"verdict": "true"}, key="d").status_code == 200
    assert AlertEvent.objects.filter(kind__in=["noted", "closed"]).count() == 2
    assert Outgoing.objects.count() == 1


def test_what_cannot_be_done_is_said_and_who_only_reads_is_refused(call, alert):
    one, act = alert(), call("collector")
    assert act("post", f"/alerts/{one.pk}/close", {"verdict": "false"}).status_code == 409
    assert act("post", f"/alerts/{one.pk}/close", {"verdict": "perhaps"}).status_code == 422
    assert act("post", f"/alerts/{one.pk}/assign", {"assignee": "nobody"}).status_code == 409
    assert act("post", f"/alerts/{one.pk}/snooze", {"until": "2020-01-01"}, key="k2").status_code == 409
    assert act("post", f"/alerts/{one.pk}/acknowledge", key="").status_code == 400
    assert call("viewer")("post", f"/alerts/{one.pk}/acknowledge").status_code == 403
