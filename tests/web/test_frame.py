"""The frame: sign-in first, errors as pages, the viewpoint in the URL."""

from __future__ import annotations

from django.test import Client


def test_nobody_sees_a_page_without_signing_in(person):
    person()
    answer = Client().get("/")
    assert answer.status_code == 302
    assert answer.url.startswith("/account/login/")


def test_the_dashboard_opens(signed_in):
    answer = signed_in("viewer").get("/")
    assert answer.status_code == 200
    assert answer["Server-Timing"].startswith("app;dur=")
    assert "script-src 'self'" in answer["Content-Security-Policy"]


def test_a_bad_day_in_the_url_is_said(signed_in):
    answer = signed_in("viewer").get("/?as_of=yesterday")
    assert answer.status_code == 400
    assert "yesterday" in answer.content.decode()
