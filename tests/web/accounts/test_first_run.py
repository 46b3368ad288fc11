"""The first minute of an installation: the way to the first administrator, once."""

from __future__ import annotations

import stat
import threading

import pytest
from django.db import connection
from django.test import Client

from duecourse.desk import settings as firm
from duecourse.web.accounts import audit, first_run
from duecourse.web.accounts.models import AuditEvent, Person

ANSWERS = {
    "company": "如期贸易有限公司",
    "base_currency": "EUR",
    "language": "zh-hans",
    "name": "林安",
    "email": "Lin.An@Example.com",
    "password": "四个互不相关的词语 42 ok",
}


def token() -> str:
    link = first_run.setup_link()
    assert link is not None
    return link.partition("token=")[2]


def test_every_page_leads_to_the_set_up_until_somebody_is_there(nobody):
    for page in ("/", "/people/", "/account/login/", "/audit/", "/help/"):
        answer = Client().get(page)
        assert (answer.status_code, answer.url) == (302, "/setup/"), page


def test_the_token_is_for_its_owners_eyes_only(nobody):
    link = first_run.setup_link()
    assert link == first_run.setup_link()
    assert "/setup/?token=" in link
    place = nobody / "setup-token"
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert place.read_text().strip() == token()


def test_the_set_up_asks_for_the_token(nobody):
    assert "setup-token" in Client().get("/setup/").content.decode()
    assert Client().get("/setup/?token=guess").status_code == 403
    assert Client().post("/setup/", {**ANSWERS, "token": "guess"}).status_code == 403
    assert not Person.objects.exists()


def test_the_set_up_makes_the_first_administrator_and_is_gone(nobody, own_ledger):
    browser = Client()
    held = token()
    assert browser.get(f"/setup/?token={held}").status_code == 200
    answer = browser.post("/setup/", {**ANSWERS, "token": held})
    assert (answer.status_code, answer.url) == (302, "/")
    person = Person.objects.get()
    assert (person.role, person.email, person.name, person.username, person.language) == (
        "admin",
        "lin.an@example.com",
        "林安",
        "lin.an",
        "zh-hans",
    )
    assert firm.current(own_ledger)["company"] == "如期贸易有限公司"
    assert browser.get("/people/").status_code == 200
    assert Client().get(f"/setup/?token={held}").status_code == 404
    assert not (nobody / "setup-token").exists()
    assert first_run.setup_link() is None
    assert [row.act for row in AuditEvent.objects.order_by("number")][:2] == ["set_up", "signed_in"]
    assert audit.verify().whole


def test_a_weak_password_and_a_bad_address_are_refused_in_words(nobody):
    answer = Client().post("/setup/", {**ANSWERS, "token": token(), "password": "short", "email": "no"})
    assert answer.status_code == 422
    assert not Person.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_becomes_the_administrator(nobody, own_ledger):
    held = token()
    answers = []

    def try_it(number: int) -> None:
        try:
            answers.append(Client().post("/setup/", {**ANSWERS, "token": held, "email": f"p{number}@example.com"}).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=try_it, args=[number]) for number in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert Person.objects.count() == 1
    assert set(answers) <= {302, 404, 403}


def test_the_demo_login_stays_the_same_and_is_private(nobody):
    first = first_run.make_demo_login(nobody)
    assert first is not None
    assert first_run.make_demo_login(nobody) == first
    name, password = first
    assert stat.S_IMODE((nobody / "first-login.txt").stat().st_mode) == 0o600
    assert Client().login(username=name, password=password)
    assert Person.objects.get().role == "admin"


def test_there_is_no_demo_login_where_somebody_is_or_the_password_was_changed(nobody, person):
    first_run.make_demo_login(nobody)
    demo = Person.objects.get()
    demo.set_password("something else entirely")
    demo.save()
    assert first_run.make_demo_login(nobody) is None


def test_a_ledger_with_people_gets_no_demo_login(nobody, person):
    person("viewer")
    assert first_run.make_demo_login(nobody) is None
    assert not Person.objects.filter(username="demo").exists()
