"""Who asks: the same session and person as Django's own questions give, and gone at once when they are ended."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.sessions.backends.db import SessionStore as Plain
from django.contrib.sessions.models import Session
from django.utils import timezone

from duecourse.web.accounts.models import Person
from duecourse.web.accounts.sessions import People, SessionStore
from duecourse.web.questions import Question

pytestmark = pytest.mark.django_db


def test_a_person_is_read_as_django_reads_them(person):
    made = person("sales", "bo", sales_owners=["王", "x"], legal_entities=["1000"], language="zh-hans", theme="dark")
    found, plain = People().get_user(made.pk), Person.objects.get(pk=made.pk)
    assert {name: value for name, value in vars(found).items() if name != "_state"} == {
        name: value for name, value in vars(plain).items() if name != "_state"
    }
    assert found.scope == plain.scope
    assert (found._state.adding, found._state.db) == (False, plain._state.db)
    found.theme = "light"
    found.save(update_fields=["theme"])
    assert Person.objects.get(pk=made.pk).theme == "light"


def test_nobody_and_who_may_no_longer_come_in_is_nobody(person):
    made = person("viewer", "cai")
    assert People().get_user(made.pk + 1) is None
    Person.objects.filter(pk=made.pk).update(is_active=False)
    assert People().get_user(made.pk) is None


def test_a_session_is_read_as_django_reads_it():
    store = SessionStore()
    store["seen"], store["words"] = 7, {"a": ["华"]}
    store.save()
    assert dict(SessionStore(store.session_key).items()) == dict(Plain(store.session_key).items()) == {"seen": 7, "words": {"a": ["华"]}}
    Session.objects.filter(session_key=store.session_key).update(expire_date=timezone.now() - timedelta(seconds=1))
    over = SessionStore(store.session_key)
    assert dict(over.items()) == {}
    assert over.session_key is None
    assert dict(SessionStore("unknown-session-key").items()) == {}


def test_a_session_that_was_ended_or_altered_is_gone_with_the_next_request(signed_in, person):
    made = person("viewer", "dora")
    browser = signed_in(made)
    assert browser.get("/help/").status_code == 200
    made.end_sessions()
    assert browser.get("/help/").status_code == 302
    browser = signed_in(made)
    Session.objects.filter(session_key=browser.cookies["sessionid"].value).update(session_data="forged")
    assert browser.get("/help/").status_code == 302
    browser = signed_in(made)
    Session.objects.all().delete()
    assert browser.get("/help/").status_code == 302


def test_a_question_is_asked_anew_with_each_value(person):
    asked = Question(lambda: Person.objects.filter(username="-").values_list("username", "sales_owners"), 0)
    people = [person("sales", f"p{number}", sales_owners=[str(number)]) for number in range(3)]
    assert [asked.rows(one.username) for one in people] == [[(one.username, one.sales_owners)] for one in people]
    assert asked.rows("'; DROP TABLE accounts_person; --") == []
    assert list(asked.names) == ["username", "sales_owners"]


def test_a_question_without_room_for_its_values_is_refused():
    with pytest.raises(ValueError, match="no room for 3"):
        Question(lambda: Person.objects.filter(username="-"), 0, 1, 2).rows(1, 2, 3)
