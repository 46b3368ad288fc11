"""An ERP asks, reserves, confirms and cancels over the API, and is never answered wrongly."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from duecourse.web.accounts.models import ApiKey
from duecourse.web.api import limits
from duecourse.web.orders import picture, taking
from duecourse.web.orders.models import CreditAccount, OrderCheck, RuleSet


class Erp:
    def __init__(self, person, acts=("read", "check")):
        _key, self.token = ApiKey.make(person, "erp", list(acts), timezone.now() + timedelta(days=1))
        self.client = Client(raise_request_exception=False)

    def post(self, path, body=None, key="", **headers):
        more = {"Idempotency-Key": key} if key else {}
        return self.client.post(
            f"/api/v1/order-checks{path}",
            body or {},
            content_type="application/json",
            headers={"Authorization": f"Bearer {self.token}", **more, **headers},
        )

    def get(self, path="", **words):
        return self.client.get(f"/api/v1/order-checks{path}", words, headers={"Authorization": f"Bearer {self.token}"})


def asked(number="o1", buyer="A", amount="1.00", **more):
    return {"order_id": number, "buyer_id": buyer, "amount": amount, "currency": "CNY", **more}


@pytest.fixture
def erp(drawn, person):
    limits.forget()
    drawn()
    return Erp(person("credit_manager"))


def test_an_order_is_reserved_confirmed_and_seen(erp):
    answer = erp.post("", asked(), key="k1")
    assert answer.status_code == 201, answer.content
    told = answer.json()
    assert (told["outcome"], told["state"], told["amount"], told["reasons"]) == ("release", "reserved", "1.00", [])
    assert {one["account"]: (one["limit"], one["this_order"]) for one in told["accounts"]} == {
        "buyer:A": ("10.00", "1.00"),
        "group:G": ("15.00", "1.00"),
    }
    assert told["data"]["age_seconds"] >= 0
    done = erp.post(f"/{told['check_id']}/confirm", key="k2")
    assert (done.status_code, done.json()["state"], done.json()["held_amount"]) == (200, "confirmed", "1.00")
    now = erp.get(f"/{told['check_id']}").json()
    assert now["now"]["state"] == "confirmed"
    assert now["answer"] == told
    assert [row["answer"]["order_id"] for row in erp.get("", state="confirmed").json()["rows"]] == ["o1"]


def test_the_same_request_gets_the_same_answer_whatever_happened_since(erp):
    first = erp.post("", asked(), key="k1")
    erp.post("", asked("o2", amount="9.00"), key="k2")
    erp.post(f"/{first.json()['check_id']}/cancel", key="k3")
    again = erp.post("", asked(), key="k1")
    assert (again.status_code, again.json(), again["Idempotency-Replayed"]) == (201, first.json(), "true")
    assert erp.post("", asked(amount="2.00"), key="k1").json()["code"] == "idempotency_key_reused"
    assert erp.post("", asked("o9"), key="k3").json()["code"] == "idempotency_key_reused"
    assert erp.post(f"/{first.json()['check_id']}/cancel", key="k3")["Idempotency-Replayed"] == "true"


def test_a_held_order_is_an_answer_that_says_what_would_release_it(erp):
    told = erp.post("", asked(amount="10.01"), key="k1").json()
    assert (told["outcome"], told["state"], told["reserved_until"]) == ("hold", "held", None)
    [reason] = told["reasons"]
    assert (reason["code"], reason["account"], reason["args"]["over"]) == ("over_limit", "buyer:A", "0.01")
    assert "0.01" in reason["cure_text"]
    chinese = erp.post("", asked(amount="10.01"), key="k1", **{"Accept-Language": "zh"}).json()
    assert "超出额度" in chinese["reasons"][0]["text"]
    assert erp.post(f"/{told['check_id']}/confirm", key="k2").status_code == 409


def test_asking_without_reserving_keeps_nothing(erp):
    answer = erp.post("", asked(reserve=False))
    assert (answer.status_code, answer.json()["check_id"]) == (200, None)
    assert not OrderCheck.objects.exists()


def test_an_order_sent_under_a_new_key_has_what_it_has_and_a_changed_one_is_refused(erp):
    first = erp.post("", asked(), key="k1").json()
    assert erp.post("", asked(), key="k2").json() == first
    changed = erp.post("", asked(amount="2.00"), key="k3")
    assert (changed.status_code, changed.json()["code"], changed.json()["check_id"]) == (409, "order_reserved", first["check_id"])


@pytest.mark.alike
@pytest.mark.parametrize(
    ("body", "status"),
    [
        (asked(amount="0"), 422),
        (asked(amount="-1"), 422),
        (asked(amount="1.001"), 422),
        (asked(amount="1e5"), 422),
        ({**asked(), "currency": "XYZ"}, 422),
        ({**asked(), "amonut": "1"}, 422),
        ({**asked(), "order_id": ""}, 422),
        ({**asked(), "payment_terms_days": -1}, 422),
    ],
)
def test_an_order_that_makes_no_sense_is_refused_with_a_problem(erp, body, status):
    answer = erp.post("", body, key="k1")
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert not OrderCheck.objects.exists()


def test_a_write_without_a_key_is_refused(erp):
    assert erp.post("", asked()).json()["code"] == "idempotency_key_missing"


def test_who_may_not_check_is_refused_and_others_buyers_are_not_there(drawn, person):
    drawn()
    assert Erp(person("viewer")).post("", asked(), key="k").status_code == 403
    assert Erp(person("credit_manager"), acts=["read"]).post("", asked(), key="k").status_code == 403
    restricted = Erp(person("sales", sales_owners=["nobody's"]))
    assert restricted.post("", asked(), key="k").status_code == 404
    assert restricted.get().json()["rows"] == []


def test_before_the_accounts_are_drawn_nothing_is_answered(person, db):
    limits.forget()
    answer = Erp(person("credit_manager")).post("", asked(), key="k")
    assert (answer.status_code, answer.json()["code"]) == (503, "accounts_not_drawn")
    assert answer["Retry-After"]


def test_in_simulation_everything_is_answered_and_recorded_and_nothing_kept(erp):
    RuleSet.objects.update(body={**RuleSet.objects.get().body, "simulation": True})
    picture.forget()
    told = erp.post("", asked(), key="k1").json()
    assert (told["state"], told["simulation"], told["reserved_until"]) == ("simulated", True, None)
    assert erp.post("", asked(), key="k1").json() == told
    assert CreditAccount.objects.get(key="A").reserved == 0


@pytest.mark.django_db(transaction=True)
def test_a_busy_database_is_said_and_nothing_is_taken(drawn, person, monkeypatch):
    if connection.vendor != "sqlite":
        pytest.skip("SQLite has one writer")
    limits.forget()
    drawn()
    who = person("credit_manager")
    erp = Erp(who)
    assert erp.post("", asked("o0"), key="k0").status_code == 201  # the key's own rows are written
    monkeypatch.setattr(taking, "BUSY_MILLISECONDS", 50)
    with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = erp.post("", asked(), key="k1")
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert answer["Retry-After"]
        other.execute("ROLLBACK")
    assert erp.post("", asked(), key="k1").status_code == 201
