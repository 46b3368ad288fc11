"""Whatever goes wrong is an RFC 9457 problem in the caller's language; nothing below /api/ is ever a page."""

from __future__ import annotations

import pytest
from django.test import Client

from duecourse.messages import use_language
from duecourse.web.api import limits
from duecourse.web.api.models import RateBucket


def problem(answer, status: int, code: str = "") -> dict:
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    told = answer.json()
    assert told["status"] == status
    assert told["type"].endswith(f"#{told['code'].replace('_', '-')}")
    assert told["title"]
    assert told["detail"]
    if code:
        assert told["code"] == code
    return told


def test_without_a_key_it_asks_for_one(db):
    answer = Client().get("/api/v1/position")
    problem(answer, 401, "unauthenticated")
    assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("token", ["", "x", "Bearer", "Bearer nonsense", "Basic eDp5", "Bearer dck_aaaaaaaa_" + "x" * 43])
def test_a_key_that_does_not_hold_is_no_key(db, token):
    problem(Client().get("/api/v1/position", headers={"Authorization": token}), 401)


def test_a_session_comes_in_but_writes_only_with_its_token(signed_in):
    browser = signed_in("credit_manager")
    assert browser.get("/api/v1/settings").status_code == 200
    strict = Client(enforce_csrf_checks=True, raise_request_exception=False)
    strict.cookies = browser.cookies
    assert strict.get("/api/v1/settings").status_code == 200
    problem(strict.post("/api/v1/buyers", "{}", content_type="application/json", headers={"Idempotency-Key": "k"}), 403, "csrf")


def test_a_key_does_what_it_was_given_and_no_more_than_its_person(caller, invoices):
    problem(caller("credit_manager", acts=["read"]).post("/invoices", invoices(1)), 403, "forbidden")
    problem(caller("viewer", acts=["read", "import"]).post("/invoices", invoices(1)), 403, "forbidden")
    problem(caller("credit_manager", acts=["import"]).get("/position"), 403, "forbidden")


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v2/", "/api/v1/", "/api/nothing/else.html", "/api/v1/findings/nothing"])
def test_what_is_not_there_is_a_problem(caller, path):
    client = caller()
    problem(client.client.get(path, headers={"Authorization": f"Bearer {client.token}"}), 404)


def test_other_methods_are_refused_with_those_there_are(caller):
    answer = caller().send("PATCH", "/buyers", "")
    problem(answer, 405)
    assert "POST" in answer["Allow"]


def test_words_nobody_looks_at_are_said(caller):
    told = problem(caller().get("/buyers", {"serach": "x"}), 422, "parameters_invalid")
    assert told["errors"][0]["parameter"] == "serach"
    problem(caller().get("/buyers", {"limit": "many"}), 422, "parameters_invalid")
    problem(caller().get("/buyers", {"limit": 100_000}), 422, "parameters_invalid")
    for words in (
        {"as_of": "2026-02-30"},
        {"as_of": "0001-01-01"},
        {"known_at": "2026-01-01T99:00:00"},
        {"cursor": "AAAA"},
        {"cursor": "é"},
    ):
        problem(caller().get("/buyers", words), 422)


def test_problems_speak_the_callers_language(caller):
    client = caller()
    zh = problem(client.get("/nothing", **{"Accept-Language": "zh-CN,zh;q=0.9"}), 404)
    en = problem(client.get("/nothing", **{"Accept-Language": "en-GB"}), 404)
    assert zh["title"] == "此处没有内容"
    assert en["title"] == "There is nothing here"
    use_language("en")


def test_too_much_and_of_the_wrong_kind_is_refused(caller, settings):
    client = caller()
    problem(client.post("/buyers", "a=b", content_type="application/x-www-form-urlencoded"), 415)
    problem(client.post("/buyers", "<xml/>", content_type="application/xml"), 415)
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    problem(client.post("/buyers", "x" * 200), 413)


def test_a_key_may_ask_so_much_and_is_told_when_to_come_again(caller, monkeypatch):
    monkeypatch.setattr("duecourse.web.environment.API_RATE", 40)
    client = caller()
    answers = [client.get("/ledger") for _ in range(45)]
    good = [answer for answer in answers if answer.status_code == 200]
    assert 40 <= len(good) <= 42  # a token or two may have come in meanwhile
    refused = answers[-1]
    problem(refused, 429, "rate_limited")
    assert int(refused["Retry-After"]) >= 1
    assert refused["RateLimit"].startswith('"requests";r=0')
    limits.forget()  # another process has no tokens of its own
    assert client.get("/ledger").status_code == 429
    RateBucket.objects.update(counted_at=0)
    assert client.get("/ledger").status_code == 200


def test_a_fault_of_ours_says_nothing_of_its_inside(caller, monkeypatch):
    from duecourse.web.api import reads

    def broken(*_args: object, **_more: object) -> None:
        raise RuntimeError("secret words")

    monkeypatch.setattr(reads, "position_of", broken)
    answer = caller().get("/position")
    problem(answer, 500, "internal")
    assert b"secret" not in answer.content


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_problem_is_on_the_help_page_it_leads_to_and_in_both_languages(language, signed_in):
    from duecourse.messages import catalogue
    from duecourse.web.pages.help import help_pages

    page = help_pages(language)["api"].html
    codes = [
        name.removeprefix("web.api_problem_")
        for name in catalogue()
        if name.startswith("web.api_problem_") and not name.endswith("_detail")
    ]
    assert len(codes) > 20
    for code in codes:
        assert f'id="{code.replace("_", "-")}"' in page, code
    assert signed_in("viewer").get("/help/api/").status_code == 200
