"""A limit is asked for, judged by whom authority says, and once it is granted it is in the ledger, once."""

from __future__ import annotations

import datetime as dt
import json
import threading

import pytest
from django.urls import reverse

from duecourse.desk.replay import replay
from duecourse.web import books
from duecourse.web.limits.models import Consent, LimitRequest
from duecourse.web.outbox.models import Outgoing
from duecourse.web.outbox.sending import append_waiting


@pytest.fixture
def buyer(own_ledger):
    """The buyer with most sales."""
    book = own_ledger.as_of(books.day_of(own_ledger))
    rows = book.run(book.invoice.group_by("buyer_id").aggregate(n=book.invoice.count()).order_by(["n", "buyer_id"])).to_pylist()
    return rows[-1]["buyer_id"]


def ask(browser, buyer, amount="1000", **more):
    form = {"mark": "m1", "kind": "standing", "amount": amount, "reason": "more orders", **more}
    return browser.post(reverse("buyer_limit_request", args=[buyer]), form)


def granted_rows(ledger, buyer):
    ledger.refresh()
    book = ledger.as_of(books.day_of(ledger))
    limits = [row for row in book.run(book.limit.filter(book.limit.buyer_id == buyer)).to_pylist() if row["decision_id"]]
    decisions = book.run(book.decision.filter(book.decision.buyer_id == buyer)).to_pylist()
    return limits, decisions


def test_a_limit_goes_from_request_to_ledger_and_replays_to_the_byte(signed_in, own_ledger, buyer):
    sales, manager = signed_in("sales"), signed_in("credit_manager")
    page = sales.get(reverse("buyer_limit", args=[buyer]))
    assert page.status_code == 200
    answer = ask(sales, buyer)
    asked = LimitRequest.objects.get()
    assert answer.url == reverse("limit", args=[asked.pk])
    assert manager.get(reverse("limits")).status_code == 200
    assert manager.get(reverse("limit", args=[asked.pk])).status_code == 200
    assert not Outgoing.objects.exists()
    manager.post(reverse("limits_consent", args=[asked.pk]), {"amount": "900", "terms": "30"})
    asked.refresh_from_db()
    assert (asked.status, asked.granted_minor) == ("granted", 900_00)
    assert sorted(Outgoing.objects.values_list("table", flat=True)) == ["decision", "limit"]
    append_waiting(own_ledger)
    limits, decisions = granted_rows(own_ledger, buyer)
    assert [row["amount_minor"] for row in limits] == [900_00]
    assert limits[0]["review_on"] < limits[0]["valid_to"]
    assert decisions[0]["outcome"] == "standing.granted"
    assert replay(own_ledger, asked.decision_id).equal
    for name, number in (("limits_letter", asked.pk), ("decision", asked.decision_id), ("buyer_limit", buyer), ("limit", asked.pk)):
        assert sales.get(reverse(name, args=[number])).status_code == 200, name
    made = sales.get(reverse("limits_letter_pdf", args=[asked.pk]))
    assert made.content[:5] == b"%PDF-"


def test_nobody_decides_on_their_own_request_nor_beyond_their_authority_nor_twice(signed_in, person, buyer):
    manager = signed_in(person("credit_manager", username="anna"))
    ask(manager, buyer, "99999999")
    asked = LimitRequest.objects.get()
    consent = reverse("limits_consent", args=[asked.pk])
    assert manager.post(consent).status_code == 409
    assert signed_in("credit_analyst").post(consent).status_code == 409
    assert signed_in("sales").post(consent).status_code == 403
    second = signed_in(person("credit_manager", username="bo"))
    assert second.post(consent).status_code == 302
    asked.refresh_from_db()
    assert asked.status == "open"  # two are needed
    assert second.post(consent).status_code == 409
    third = signed_in(person("credit_manager", username="cai"))
    assert third.post(consent, {"seen": "1"}).status_code == 409  # another amount than was shown
    assert third.post(consent, {"seen": str(asked.granted_minor), "amount": "5"}).status_code == 302
    asked.refresh_from_db()
    assert (asked.status, asked.granted_minor) == ("granted", 99999999_00)
    assert Consent.objects.filter(request=asked).count() == 2


def test_a_form_sent_twice_is_one_request(signed_in, buyer):
    sales = signed_in("sales")
    assert ask(sales, buyer).url == ask(sales, buyer).url
    assert LimitRequest.objects.count() == 1


def test_a_refusal_needs_a_reason_and_grants_nothing(signed_in, buyer, own_ledger):
    ask(signed_in("sales"), buyer)
    asked = LimitRequest.objects.get()
    manager = signed_in("credit_manager")
    assert manager.post(reverse("limits_refuse", args=[asked.pk])).status_code == 422
    assert manager.post(reverse("limits_refuse", args=[asked.pk]), {"note": "too much"}).status_code == 302
    assert list(Outgoing.objects.values_list("table", flat=True)) == ["decision"]
    assert manager.post(reverse("limits_consent", args=[asked.pk])).status_code == 409


def test_a_stop_takes_effect_at_once_and_lifting_it_needs_somebody_else(signed_in, person, buyer, own_ledger):
    anna = signed_in(person("credit_manager", username="anna"))
    ask(anna, buyer, "", kind="block")
    assert LimitRequest.objects.get().status == "granted"
    append_waiting(own_ledger)
    stop = LimitRequest.objects.get().limit_id
    page = anna.get(reverse("buyer_limit", args=[buyer])).content.decode()
    assert "are stopped" in page
    ask(anna, buyer, "", kind="lift", target=stop, mark="m2")
    lifting = LimitRequest.objects.get(kind="lift")
    assert lifting.status == "open"
    assert anna.post(reverse("limits_consent", args=[lifting.pk])).status_code == 409
    assert signed_in(person("admin", username="dan")).post(reverse("limits_consent", args=[lifting.pk])).status_code == 302
    append_waiting(own_ledger)
    assert "are stopped" not in anna.get(reverse("buyer_limit", args=[buyer])).content.decode()


def test_a_temporary_limit_ends(signed_in, buyer, own_ledger):
    sales = signed_in("sales")
    assert ask(sales, buyer, "10", kind="temporary").status_code == 422
    end = books.day_of(own_ledger) + dt.timedelta(days=14)
    ask(sales, buyer, "10", kind="temporary", valid_to=end.isoformat())
    asked = LimitRequest.objects.get()
    signed_in("admin").post(reverse("limits_consent", args=[asked.pk]), {"amount": "10"})
    row = Outgoing.objects.get(table="limit").row
    assert (row["kind"], row["valid_to"]) == ("temporary", end.isoformat())


@pytest.mark.alike
def test_what_is_not_an_amount_is_told_and_nothing_is_asked(signed_in, buyer):
    sales = signed_in("sales")
    for wrong in (
        {"amount": "a lot"},
        {"amount": "-5"},
        {"amount": ""},
        {"reason": " "},
        {"terms": "never"},
        {"valid_to": "soon"},
        {"kind": "whim"},
    ):
        assert ask(sales, buyer, **{"amount": "5", **wrong}).status_code == 422, wrong
    assert not LimitRequest.objects.exists()


def test_a_death_before_the_commit_leaves_nothing_behind(signed_in, buyer, monkeypatch):
    """Whatever fails in the transaction — here the last line of the trail — takes consent, limit and decision with it."""
    from duecourse.web.limits import deciding

    ask(signed_in("sales"), buyer)
    asked = LimitRequest.objects.get()
    real = deciding.record

    def dies(who, act, *args, **more):
        if act == "limit.grant":
            raise SystemExit
        real(who, act, *args, **more)

    manager = signed_in("credit_manager")
    monkeypatch.setattr(deciding, "record", dies)
    with pytest.raises(SystemExit):
        manager.post(reverse("limits_consent", args=[asked.pk]))
    asked.refresh_from_db()
    assert asked.status == "open"
    assert not Consent.objects.exists()
    assert not Outgoing.objects.exists()
    monkeypatch.setattr(deciding, "record", real)
    manager.post(reverse("limits_consent", args=[asked.pk]))
    assert sorted(Outgoing.objects.values_list("table", flat=True)) == ["decision", "limit"]


@pytest.mark.django_db(transaction=True)
def test_of_two_approvers_at_once_one_grants_and_the_limit_is_one(signed_in, person, buyer, own_ledger):
    from django.db import connection

    ask(signed_in("sales"), buyer)
    asked = LimitRequest.objects.get()
    browsers = [signed_in(person("credit_manager", username=name)) for name in ("anna", "bo", "cai", "dan")]
    answers = []
    gate = threading.Barrier(len(browsers))

    def press(browser, number):
        gate.wait()
        try:
            answers.append(browser.post(reverse("limits_consent", args=[asked.pk]), {"amount": str(100 + number)}).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=press, args=(browser, number)) for number, browser in enumerate(browsers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [302, 409, 409, 409]
    append_waiting(own_ledger)
    append_waiting(own_ledger)
    limits, decisions = granted_rows(own_ledger, buyer)
    assert (len(limits), len(decisions)) == (1, 1)
    asked.refresh_from_db()
    assert limits[0]["amount_minor"] == asked.granted_minor == Consent.objects.get().amount_minor
    assert json.loads(decisions[0]["inputs"])["request"] == asked.pk


def test_a_review_is_accepted_by_filter_within_authority_and_once(signed_in, own_ledger):
    manager = signed_in("credit_manager")
    page = manager.get(reverse("limits_review"), {"way": "new", "least": "100000"})
    assert page.status_code == 200
    form = {"way": "new", "least": "100000"}
    assert manager.post(reverse("limits_review_accept"), form).status_code == 302
    first = LimitRequest.objects.count()
    assert first > 0
    granted = LimitRequest.objects.filter(status="granted")
    assert granted.exists()
    assert Outgoing.objects.filter(table="limit").count() == granted.count()
    assert manager.post(reverse("limits_review_accept"), form).status_code == 302
    assert LimitRequest.objects.count() == first
    append_waiting(own_ledger)
    own_ledger.refresh()
    assert replay(own_ledger, granted.first().decision_id).equal
    assert signed_in("sales").post(reverse("limits_review_accept"), form).status_code == 403


@pytest.mark.alike
def test_rules_are_tried_before_they_are_switched_on(signed_in, own_ledger):
    from duecourse.web.jobs.models import JobRun
    from duecourse.web.limits.background import play

    manager = signed_in("credit_manager")
    assert manager.get(reverse("limits_rules")).status_code == 200
    form = {"version": "strict", "caps.grade": "on", "wallet_share": "0,05", "need.peak_max": "1.5", "margin": "0.12"}
    answer = manager.post(reverse("limits_rules_try"), form)
    run = JobRun.objects.get(name="limits.try")
    assert run.args["rules"]["wallet_share"] == 0.05
    assert run.args["rules"]["caps"]["net_worth"] is False
    manager.post(reverse("limits_rules_keep", args=[run.pk]))
    own_ledger.refresh()
    assert "limit_rules" not in own_ledger.as_of(dt.date(2100, 1, 1)).settings  # not tried yet
    run.result, run.status = play(None, rules=run.args["rules"]), "done"
    run.save()
    page = manager.get(answer.url).content.decode()
    assert "Sales at stake" in page
    manager.post(reverse("limits_rules_keep", args=[run.pk]))
    own_ledger.refresh()
    assert own_ledger.as_of(dt.date(2100, 1, 1)).settings["limit_rules"]["version"] == "strict"
    assert manager.post(reverse("limits_rules_try"), {"margin": "12"}).status_code == 422


def test_the_matrix_of_authority_is_kept_and_a_hole_in_it_refused(signed_in, own_ledger):
    manager = signed_in("credit_manager")
    assert manager.get(reverse("limits_authority")).status_code == 200
    form = {"upto-0-0": "2,000,000", "role-0-0": "credit_manager", "people-0-0": "1", "upto-0-1": "5000000", "people-0-1": "1", "people-0-2": "2",
            "upto-1-0": "300000", "role-1-0": "credit_manager", "people-1-0": "1", "upto-1-1": "2000000", "people-1-1": "1", "people-1-2": "2", "upto-2-0": "100000",
            "people-2-0": "1", "people-2-1": "2"}  # fmt: skip
    assert manager.post(reverse("limits_authority_keep"), form).status_code == 302
    own_ledger.refresh()
    assert own_ledger.as_of(dt.date(2100, 1, 1)).settings["limit_authority"]["bands"][0]["steps"][0]["up_to"] == 2_000_000
    assert manager.post(reverse("limits_authority_keep"), {**form, "people-0-0": "0"}).status_code == 422
    assert signed_in("credit_analyst").post(reverse("limits_authority_keep"), form).status_code == 403
