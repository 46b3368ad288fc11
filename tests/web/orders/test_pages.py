"""Held orders are seen with their reasons, and released or refused by who may, once, with a reason that is kept."""

from __future__ import annotations

import pytest

from duecourse.web.orders.models import CreditAccount, OrderCheck
from duecourse.web.orders.recording import record_waiting
from duecourse.web.outbox.models import Outgoing

from .test_taking import reserve


@pytest.fixture
def held(drawn, person):
    return OrderCheck.objects.get(pk=reserve(drawn(), amount=5_000, person=person()).check_id)


def test_a_held_order_is_shown_with_its_reasons_and_what_would_release_it(signed_in, held):
    browser = signed_in("viewer")
    assert "o1" in browser.get("/orders/").content.decode()
    page = browser.get(f"/orders/{held.public_id}/").content.decode()
    assert "CNY 50.00 of a limit of CNY 10.00" in page
    assert "a release of CNY 10.00 only" in page
    assert "action" not in page.partition("<main")[2].partition("</main>")[0] or "/release/" not in page
    assert browser.post(f"/orders/{held.public_id}/release/", {"amount": "1", "reason": "x"}).status_code == 403


def test_both_languages_and_a_check_that_is_not_there(signed_in, person, held):
    browser = signed_in(person("credit_manager", language="zh-hans"))
    assert "放行条件" in browser.get(f"/orders/{held.public_id}/").content.decode()
    assert browser.get("/orders/1-nonsense/").status_code == 404
    assert signed_in("sales", sales_owners=["nobody's"]).get(f"/orders/{held.public_id}/").status_code == 404


def test_a_part_is_released_with_a_reason_that_goes_into_the_ledger(signed_in, held):
    browser = signed_in("admin")
    address = f"/orders/{held.public_id}/release/"
    assert browser.post(address, {"amount": "12.00", "reason": ""}).status_code == 422
    for wrong in ("60.00", "0", "many", ""):
        assert browser.post(address, {"amount": wrong, "reason": "x"}).status_code == 422
    answers = [browser.post(address, {"amount": "12.00", "reason": "Letter of credit is in"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [302, 302]
    if OrderCheck.objects.get(pk=held.pk).state == "held":  # the matrix wants a second person of such a buyer
        signed_in("admin").post(address, {"amount": "12.00", "reason": "Agreed"})
    held.refresh_from_db()
    assert (held.state, held.held_amount, CreditAccount.objects.get(key="A").reserved) == ("reserved", 1_200, 1_200)
    [row] = [one.row for one in Outgoing.objects.filter(table="decision")]
    assert (row["outcome"], row["amount_minor"], row["order_id"]) == ("released_in_part", 1_200, "o1")


def test_a_refused_order_stays_refused(signed_in, held):
    browser = signed_in("credit_manager")
    assert browser.post(f"/orders/{held.public_id}/refuse/", {"reason": "Never again"}).status_code == 302
    held.refresh_from_db()
    assert held.state == "refused"
    assert "Never again" in browser.get(f"/orders/{held.public_id}/").content.decode()


def test_each_answer_goes_into_the_ledger_once_and_is_made_again_to_the_byte(held):
    from duecourse.decisions.record import digest_of
    from duecourse.desk.check_order import recompute

    assert (record_waiting(), record_waiting()) == (1, 0)
    [row] = [one.row for one in Outgoing.objects.filter(table="decision")]
    import json

    decision = {**row, "inputs": json.loads(row["inputs"]), "rules": json.loads(row["rules"])}
    assert digest_of(recompute(None, decision)) == row["digest"]
    assert row["outcome"] == "hold"


def test_rules_are_changed_by_who_may_and_kept_as_a_version(own_ledger, signed_in):
    from duecourse.desk.credit_accounts import rules_of
    from duecourse.desk.dates import FAR
    from duecourse.web import books

    assert "disabled" in signed_in("viewer").get("/orders/rules/").content.decode()
    browser = signed_in("credit_manager")
    form = {
        "version": "2026-12", "note_at_percent": "90", "overdue_days": "5", "overdue_minor": "1,000.50", "lease_hours": "24", "no_limit": "hold",
        "overdue": "note", "insurer_stop": "hold", "insurer_over": "ignore", "terms": "hold", "disputed": "note", "simulation": "on",
    }  # fmt: skip
    assert browser.post("/orders/rules/keep/", {**form, "note_at_percent": "101"}).status_code == 422
    assert browser.post("/orders/rules/keep/", {**form, "overdue": "maybe"}).status_code == 422
    assert browser.post("/orders/rules/keep/", {**form, "overdue_minor": "much"}).status_code == 422
    assert browser.post("/orders/rules/keep/", form).status_code == 302
    rules = rules_of(books.ledger().as_of(FAR))
    assert (rules.version, rules.note_at_percent, rules.overdue_minor, rules.overdue, rules.simulation) == (
        "2026-12",
        90,
        100_050,
        "note",
        True,
    )
    assert "2026-12" in browser.get("/orders/rules/").content.decode()
