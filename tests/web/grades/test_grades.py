"""A buyer's grade on its page, and what two persons may do about it: once, never alone, never for ever."""

from __future__ import annotations

from datetime import timedelta
from threading import Thread

import pytest
from django.urls import reverse

from duecourse.desk.grading import grade, graded
from duecourse.web import books
from duecourse.web.grades.models import APPROVED, OPEN, GradeAdjustment
from duecourse.web.outbox.models import Outgoing
from duecourse.web.outbox.sending import append_waiting


def on():
    opened = books.ledger()
    return opened.as_of(books.day_of(opened))


def some_buyer():
    return next(row["buyer_id"] for row in graded(on()).to_pylist() if not row["overrides"] and 4 <= row["grade"] <= 7)


def asked(browser, buyer, **changed):
    words = {"notches": "1", "reason": "Its largest customer has failed.", "until": (on().on + timedelta(days=90)).isoformat(), **changed}
    return browser.post(reverse("buyer_grade_propose", args=[buyer]), words)


@pytest.mark.parametrize("lang", ["en", "zh-hans"])
def test_the_page_says_why(signed_in, lang):
    buyer = some_buyer()
    one = grade(on(), buyer)
    browser = signed_in()
    browser.cookies["django_language"] = lang
    page = browser.get(reverse("buyer_grade", args=[buyer]), headers={"accept-language": lang}).content.decode()
    assert f"{one.probability_of_default_12m:.2%}" in page
    assert f"{one.score:,.1f}" in page
    assert 'id="chart-points"' in page
    assert 'id="chart-history"' in page
    assert browser.get(reverse("buyer_grade", args=["nobody"])).status_code == 404


def test_a_move_counts_when_a_second_person_approved_and_reaches_the_ledger_once(signed_in, person, own_ledger):
    buyer = some_buyer()
    before = grade(on(), buyer).grade
    anna, bo = person("credit_manager", "anna"), person("credit_manager", "bo")
    assert asked(signed_in(anna), buyer).status_code == 302
    row = GradeAdjustment.objects.get()
    approve = reverse("buyer_grade_approve", args=[buyer, row.pk])
    signed_in(anna).post(approve)
    row.refresh_from_db()
    assert row.state == OPEN, "never one's own"
    assert not Outgoing.objects.exists()
    for _ in range(2):
        signed_in(bo).post(approve)
    assert Outgoing.objects.count() == 1
    append_waiting(books.ledger())
    after = grade(on(), buyer)
    assert after.grade == before + 1
    assert (after.adjustment.made_by, after.adjustment.approved_by) == ("anna", "bo")
    found = next(one for one in graded(on()).to_pylist() if one["buyer_id"] == buyer)
    assert (found["grade"], found["notches"]) == (before + 1, 1), "the kept answer follows the decision"
    signed_in(bo).post(reverse("buyer_grade_end", args=[buyer, row.pk]))
    append_waiting(books.ledger())
    assert grade(on(), buyer).grade == before


@pytest.mark.parametrize(
    "changed", [{"notches": "0"}, {"notches": "9"}, {"reason": "no"}, {"until": "2020-01-01"}, {"until": "2099-01-01"}, {"until": "x"}]
)
def test_what_is_not_sound_is_refused_in_words(signed_in, changed):
    answer = asked(signed_in(), some_buyer(), **changed)
    assert answer.status_code == 422
    assert not GradeAdjustment.objects.exists()


def test_one_proposal_waits_at_a_time_and_its_author_takes_it_back(signed_in, person):
    buyer, anna, bo = some_buyer(), person("sales", "anna"), person("credit_manager", "bo")
    asked(signed_in(anna), buyer)
    assert asked(signed_in(bo), buyer).status_code == 422
    row = GradeAdjustment.objects.get()
    signed_in(bo).post(reverse("buyer_grade_end", args=[buyer, row.pk]))
    row.refresh_from_db()
    assert row.state == OPEN
    signed_in(anna).post(reverse("buyer_grade_end", args=[buyer, row.pk]))
    assert asked(signed_in(bo), buyer).status_code == 302


def test_who_may_not_decide_is_refused(signed_in, person):
    buyer = some_buyer()
    asked(signed_in("credit_manager"), buyer)
    row = GradeAdjustment.objects.get()
    for role in ("sales", "viewer", "auditor"):
        assert signed_in(role).post(reverse("buyer_grade_approve", args=[buyer, row.pk])).status_code == 403
    assert signed_in("viewer").post(reverse("buyer_grade_propose", args=[buyer]), {}).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_two_who_approve_at_once_put_out_one_decision(signed_in, person):
    buyer, anna = some_buyer(), person("credit_manager", "anna")
    asked(signed_in(anna), buyer)
    row = GradeAdjustment.objects.get()
    browsers = [signed_in(person("credit_manager", f"second-{number}")) for number in range(3)]
    approve = reverse("buyer_grade_approve", args=[buyer, row.pk])

    def run(browser):
        from django.db import connection

        browser.post(approve)
        connection.close()

    threads = [Thread(target=run, args=(browser,)) for browser in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    row.refresh_from_db()
    assert row.state == APPROVED
    assert Outgoing.objects.filter(table="decision").count() == 1


def test_a_grade_there_is_not_is_refused_by_the_api(signed_in):
    for wrong in (0, 11, 10**30):
        assert signed_in().get("/api/v1/grades", {"grade": [wrong]}).status_code == 422, wrong


def test_the_api_says_the_same(signed_in):
    browser, book = signed_in(), on()
    whole = {row["buyer_id"]: row for row in graded(book).to_pylist()}
    page = browser.get("/api/v1/grades", {"limit": 7}).json()
    assert page["total"] == len(whole)
    seen = list(page["rows"])
    while page["next"]:
        page = browser.get("/api/v1/grades", {"limit": 7, "cursor": page["next"]}).json()
        seen += page["rows"]
    assert len(seen) == len({row["buyer_id"] for row in seen}) == len(whole)
    risks = [row["probability_of_default_12m"] for row in seen]
    assert risks == sorted(risks, reverse=True)
    bad = browser.get("/api/v1/grades", {"grade": [9, 10]}).json()["rows"]
    assert {row["buyer_id"] for row in bad} == {name for name, row in whole.items() if row["grade"] >= 9}
    one = browser.get(f"/api/v1/buyers/{seen[0]['buyer_id']}/grade", {"months": 3}).json()
    assert one["grade"] == seen[0]["grade"]
    assert one["base_points"] + sum(reason["points"] for reason in one["reasons"]) == pytest.approx(one["score"])
    assert len(one["history"]) == 4
    assert browser.get("/api/v1/buyers/nobody/grade").status_code == 404
