"""Second factors: codes of an app, recovery codes; what is kept of them."""

from __future__ import annotations

import time

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.test import Client

from duecourse.messages import say
from duecourse.web import environment as env
from duecourse.web.accounts.models import AuditEvent

PASSWORD = "correct horse battery staple"


def code(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def with_app(person) -> tuple[Client, str]:
    """Somebody who set up the app, and its secret."""
    person("viewer", username="bo")
    browser = Client()
    browser.post("/account/login/", {"login": "bo", "password": PASSWORD})
    secret = browser.get("/account/2fa/totp/activate/").context["form"].secret
    assert browser.post("/account/2fa/totp/activate/", {"code": code(secret)}).status_code == 302
    return browser, secret


def test_somebody_with_the_app_needs_its_code(person):
    _, secret = with_app(person)
    kept = Authenticator.objects.get(type="totp").data["secret"]
    assert secret not in kept, "not in the database as it is"
    other = Client()
    answer = other.post("/account/login/", {"login": "bo", "password": PASSWORD})
    assert answer.url.startswith("/account/2fa/authenticate/")
    assert other.get("/profile/").status_code == 302, "the password alone opens nothing"
    assert other.post("/account/2fa/authenticate/", {"code": "000000"}).status_code == 200
    Authenticator.objects.filter(type="totp")  # the code of activation cannot be used again: wait for none, use a recovery code below
    assert {row.act for row in AuditEvent.objects.all()} >= {"factor_added", "signed_in"}


def test_a_recovery_code_lets_in_once(person):
    browser, _ = with_app(person)
    codes = browser.get("/account/2fa/recovery-codes/").context["unused_codes"]
    assert len(codes) == 10
    for expected in (302, 200):
        other = Client()
        other.post("/account/login/", {"login": "bo", "password": PASSWORD})
        assert other.post("/account/2fa/authenticate/", {"code": codes[0]}).status_code == expected
    assert codes[1] in browser.get("/account/2fa/recovery-codes/download/").content.decode()


def test_turning_the_app_off_needs_ones_own_session_and_is_in_the_trail(person):
    browser, _ = with_app(person)
    assert browser.post("/account/2fa/totp/deactivate/").status_code == 302
    assert not Authenticator.objects.filter(type="totp").exists()
    assert AuditEvent.objects.filter(act="factor_removed").exists()


def test_something_sensitive_asks_again_after_a_while(person, settings):
    person("credit_manager", username="bo")
    browser = Client()
    browser.post("/account/login/", {"login": "bo", "password": PASSWORD})
    assert browser.get("/profile/keys/new/").status_code == 200
    session = browser.session
    records = session["account_authentication_methods"]
    for one in records:
        one["at"] -= settings.ACCOUNT_REAUTHENTICATION_TIMEOUT + 1
    session["account_authentication_methods"] = records
    session.save()
    answer = browser.get("/profile/keys/new/")
    assert answer.status_code == 302 and "reauthenticate" in answer.url
    assert browser.post(answer.url, {"password": PASSWORD}).url == "/profile/keys/new/"
    assert browser.get("/profile/keys/new/").status_code == 200


def test_a_role_that_needs_a_second_factor_opens_nothing_before_it_has_one(person, monkeypatch):
    monkeypatch.setattr(env, "SECOND_FACTOR", frozenset({"viewer"}))
    person("viewer", username="bo")
    browser = Client()
    browser.post("/account/login/", {"login": "bo", "password": PASSWORD})
    answer = browser.get("/buyers/")
    assert (answer.status_code, answer.url) == (302, "/account/2fa/")
    assert say("web.people_factor_needed") in browser.get(answer.url).content.decode()
    assert browser.get("/buyers/", headers={"HX-Request": "true"})["HX-Redirect"] == "/account/2fa/"
    assert browser.get("/api/v1/buyers").status_code == 403
    secret = browser.get("/account/2fa/totp/activate/").context["form"].secret
    browser.post("/account/2fa/totp/activate/", {"code": code(secret)})
    assert browser.get("/buyers/").status_code == 200


def test_roles_that_need_none_and_those_whose_company_signs_them_in_go_on(person, signed_in, monkeypatch):
    monkeypatch.setattr(env, "SECOND_FACTOR", frozenset({"admin"}))
    assert signed_in("viewer").get("/profile/").status_code == 200
    admin = signed_in("admin")
    assert admin.get("/profile/").status_code == 302
    session = admin.session
    session["account_authentication_methods"] = [{"method": "socialaccount", "at": time.time()}]
    session.save()
    assert admin.get("/profile/").status_code == 200
