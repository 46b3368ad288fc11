"""What guards every request: headers, throttling, sessions, sizes, and secrets that stay out of the log."""

from __future__ import annotations

import io
import json
import logging
import threading
import time
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import connection
from django.test import Client
from django.utils import timezone

from duecourse.web import environment as env
from duecourse.web import logs
from duecourse.web.accounts import client, first_run, security
from duecourse.web.accounts.models import ApiKey, AuditEvent, Remembered

PASSWORD = "correct horse battery staple"


def sign_in(login: str, password: str, **more: str) -> int:
    return Client(**more).post("/account/login/", {"login": login, "password": password}).status_code


@pytest.mark.alike
@pytest.mark.parametrize("page", ["/account/login/", "/profile/", "/people/", "/nothing-here/", "/help/"])
def test_each_page_forbids_what_it_does_not_need(signed_in, page):
    answer = signed_in("admin").get(page)
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "script-src 'self'" in policy and "style-src 'self'" in policy
    assert "unsafe" not in policy and "http:" not in policy and "*" not in policy and "nonce" not in policy
    assert "report-uri /csp-report/" in policy and "frame-ancestors 'none'" in policy
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in answer["Permissions-Policy"] and "publickey-credentials-get=(self)" in answer["Permissions-Policy"]
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.alike
def test_no_page_of_this_room_has_a_script_or_style_in_it(signed_in):
    browser = signed_in("admin")
    for page in ("/people/", "/people/invite/", "/profile/", "/audit/", "/account/2fa/", "/account/sessions/", "/account/password/change/"):
        text = browser.get(page).content.decode()
        assert " style=" not in text, page
        assert " onclick=" not in text, page
        assert "<script>" not in text, page


@pytest.mark.alike
def test_a_host_that_is_not_ours_is_refused(person):
    person()
    assert Client(headers={"host": "evil.example"}).get("/account/login/").status_code == 400


@pytest.mark.alike
def test_a_form_without_its_token_is_refused(person):
    bo = person("viewer")
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(bo)
    assert browser.post("/profile/", {"name": "x", "language": "en"}).status_code == 403
    assert browser.post("/account/login/", {"login": "x", "password": "y"}).status_code == 403


@pytest.mark.alike
def test_passwords_are_hashed_with_argon2_and_common_ones_refused():
    assert make_password("x", hasher="argon2").startswith("argon2")
    assert settings.PASSWORD_HASHERS[-2].endswith("Argon2PasswordHasher")
    assert {one["NAME"].rpartition(".")[2] for one in settings.AUTH_PASSWORD_VALIDATORS} >= {
        "MinimumLengthValidator",
        "CommonPasswordValidator",
    }


def test_somebody_who_guesses_is_stopped_even_with_the_right_password_at_last(person):
    person("viewer", username="bo")
    for _ in range(5):
        assert sign_in("bo", "wrong") == 200
    assert sign_in("bo", PASSWORD) == 200  # said no
    assert not AuditEvent.objects.filter(act="signed_in").exists()
    person("viewer", username="cai")
    assert sign_in("cai", PASSWORD, REMOTE_ADDR="10.1.2.3") == 302, "others come in"


def test_one_address_that_tries_many_names_is_stopped(person):
    person("viewer", username="bo")
    for number in range(10):
        sign_in(f"name{number}", "wrong")
    assert sign_in("bo", PASSWORD) == 200
    assert sign_in("bo", PASSWORD, REMOTE_ADDR="10.1.2.3") == 302


@pytest.mark.django_db(transaction=True)
def test_throttling_counts_every_process_together(person):
    """Threads with connections of their own see only what is in the database, as processes do."""
    person("viewer", username="bo")
    tried: list[int] = []

    def guess() -> None:
        try:
            tried.extend(sign_in("bo", "wrong") for _ in range(4))
        finally:
            connection.close()

    threads = [threading.Thread(target=guess) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert AuditEvent.objects.filter(act="sign_in_failed").count() <= 5
    assert Remembered.objects.filter(cache_key__contains="login_failed").exists()
    assert sign_in("bo", PASSWORD, REMOTE_ADDR="10.9.9.9") == 200


def test_an_address_is_believed_only_from_our_own_proxies(rf, monkeypatch):
    request = rf.get("/", REMOTE_ADDR="10.0.0.5", HTTP_X_FORWARDED_FOR="1.1.1.1, 2.2.2.2, 3.3.3.3")
    assert client.address(request) == "10.0.0.5"
    monkeypatch.setattr(env, "PROXIES", 2)
    assert client.address(request) == "2.2.2.2"
    assert client.address(rf.get("/", REMOTE_ADDR="10.0.0.5", HTTP_X_FORWARDED_FOR="nonsense")) == "10.0.0.5"


def test_a_session_that_was_left_alone_ends(person):
    person("viewer", username="bo")
    browser = Client()
    browser.post("/account/login/", {"login": "bo", "password": PASSWORD})
    assert browser.get("/profile/").status_code == 200
    session = browser.session
    session["seen"] = int(time.time()) - env.SESSION_HOURS * 3600 - 60
    session.save()
    assert browser.get("/profile/").status_code == 302


def test_a_session_ends_after_two_weeks_however_it_was_used(person):
    person("viewer", username="bo")
    browser = Client()
    browser.post("/account/login/", {"login": "bo", "password": PASSWORD, "remember": "on"})
    session = browser.session
    session["seen"] = int(time.time()) - 3 * 24 * 3600
    session.save()
    assert browser.get("/profile/").status_code == 200, "remembered over a weekend"
    session = browser.session
    session["began"] = int(time.time()) - 15 * 24 * 3600
    session.save()
    assert browser.get("/profile/").status_code == 302


def test_signing_in_changes_the_session_and_a_new_password_ends_the_others(person):
    bo = person("viewer", username="bo")
    browser, other = Client(), Client()
    browser.get("/account/login/")
    browser.session["x"] = 1
    before = browser.session.session_key
    browser.post("/account/login/", {"login": "bo", "password": PASSWORD})
    assert browser.session.session_key != before
    other.force_login(bo)
    new = "a new and longer passphrase"
    answer = browser.post("/account/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert answer.status_code == 302
    assert browser.get("/profile/").status_code == 200
    assert other.get("/profile/").status_code == 302


@pytest.mark.alike
def test_cookies_are_closed_to_scripts_and_to_other_sites():
    assert settings.SESSION_COOKIE_HTTPONLY and settings.CSRF_COOKIE_HTTPONLY
    assert settings.SESSION_COOKIE_SAMESITE == "Lax"
    assert settings.SESSION_COOKIE_SECURE is env.BASE_URL.startswith("https")


def test_what_is_too_large_is_refused_before_it_is_read(signed_in):
    browser = signed_in("admin")
    assert browser.post("/profile/", {"name": "x" * (security.SMALL + 1)}).status_code == 413
    answer = browser.post("/api/v1/buyers", "{}", content_type="application/json", CONTENT_LENGTH=str(2**33))
    assert answer.status_code == 413
    assert json.loads(answer.content)["status"] == 413


def test_a_breach_of_the_policy_is_a_line_in_the_log_without_queries(db, caplog):
    security._told.clear()
    report = {
        "csp-report": {
            "violated-directive": "script-src",
            "blocked-uri": "https://evil.example/x.js?secret=1",
            "document-uri": "http://testserver/buyers/?q=secret\nforged",
        }
    }
    browser = Client(enforce_csrf_checks=True)
    with caplog.at_level(logging.WARNING, "duecourse.security"):
        assert browser.post("/csp-report/", json.dumps(report), content_type="application/csp-report").status_code == 204
        assert browser.post("/csp-report/", "not json", content_type="application/csp-report").status_code == 204
        for _ in range(100):
            browser.post("/csp-report/", json.dumps(report), content_type="application/csp-report")
    lines = [record.getMessage() for record in caplog.records if record.name == "duecourse.security"]
    assert "evil.example/x.js" in lines[0]
    assert "secret" not in "".join(lines) and "\n" not in lines[0]
    assert len(lines) < 31


@pytest.mark.alike
def test_no_secret_reaches_the_log(person, nobody):
    """Everything the app logs at any level, in both forms, while secrets pass through it."""
    held = io.StringIO()
    handlers = []
    for shape in (logs.Lines(), logs.Words()):
        handler = logging.StreamHandler(held)
        handler.setFormatter(shape)
        handlers.append(handler)
    root = logging.getLogger()
    old = root.level
    root.setLevel(logging.DEBUG)
    for handler in handlers:
        root.addHandler(handler)
    try:
        token = (first_run.setup_link() or "").partition("token=")[2]
        Client().get(f"/setup/?token={token}")
        Client().post("/setup/", {"token": token, "company": "x", "password": "setup-password-secret"})
        bo = person("credit_analyst", username="bo")
        first_run.forget()
        sign_in("bo", "wrong-password-secret")
        sign_in("bo", PASSWORD)
        _, api = ApiKey.make(bo, "erp", ["read"], timezone.now() + timedelta(days=1))
        Client(headers={"authorization": f"Bearer {api}"}).get("/api/v1/position")
        Client().get("/join/invitation-token-secret/")
        Client(headers={"authorization": "Bearer wrong-bearer-secret"}).get("/api/v1/buyers")
        Client(headers={"host": "evil.example"}).get("/?q=query-secret")
        browser = Client()
        browser.force_login(bo)
        browser.get("/profile/?q=query-secret")
        browser.get("/nothing/?q=query-secret")
        session = browser.session.session_key
    finally:
        root.setLevel(old)
        for handler in handlers:
            root.removeHandler(handler)
    said = held.getvalue()
    assert said
    for secret in (
        token,
        PASSWORD,
        api,
        session,
        "setup-password-secret",
        "wrong-password-secret",
        "invitation-token-secret",
        "wrong-bearer-secret",
        "query-secret",
    ):
        assert secret and secret not in said, secret[:12]
