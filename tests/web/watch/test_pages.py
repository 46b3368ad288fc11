"""The inbox and one alert, as people work them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from django.urls import reverse

from duecourse.desk.alerting import Looked
from duecourse.desk.indicator_view import Evidence
from duecourse.desk.warning import warning
from duecourse.messages import say, use_language
from duecourse.web import books
from duecourse.web.accounts.models import AuditEvent
from duecourse.web.notices.models import Notice, Preference
from duecourse.web.outbox.models import Outgoing
from duecourse.web.outbox.sending import append_waiting
from duecourse.web.watch import keeping, pages
from duecourse.web.watch.models import CLOSED, OPEN, Alert, DayRun, DayStep
from support.watching import DAY, seen


def post(browser, name, one, **form):
    return browser.post(reverse(f"alert_{name}", args=[one.pk]), form)


def test_the_inbox_shows_what_is_open_the_gravest_saving_first_and_filters_it(signed_in, book):
    rows = book.run(book.buyer.select("buyer_id", "name").order_by("buyer_id").limit(3)).to_pylist()
    first, second, third = (row["buyer_id"] for row in rows)
    looked = Looked([seen(first, 70.0, exposure=100), seen(second, 40.0, "NEG01", exposure=10**9), seen(third, 40.0, exposure=500)], 1_000)
    keeping.draw_up(book, looked, "day", whole=True)
    browser = signed_in("credit_manager")
    page = browser.get(reverse("alerts")).content.decode()
    assert page.index(rows[1]["name"]) < page.index(rows[2]["name"])
    assert "Oldest item overdue" in page
    page = browser.get(reverse("alerts"), {"severity": "red"}).content.decode()
    assert rows[0]["name"] in page and rows[1]["name"] not in page
    page = browser.get(reverse("alerts"), {"q": second.lower()}).content.decode()
    assert rows[1]["name"] in page and rows[0]["name"] not in page
    for tab in ("mine", "free", "resting", "ended"):
        assert browser.get(reverse("alerts"), {"tab": tab, "sort": "probability"}).status_code == 200
    assert "No alert fits" in browser.get(reverse("alerts"), {"q": "nobody of this name"}).content.decode()


@pytest.mark.alike
def test_an_alert_shows_why_what_changed_and_what_could_be_done(signed_in, alert):
    one = alert()
    page = signed_in("credit_analyst").get(reverse("alert", args=[one.pk])).content.decode()
    for words in (
        "Call, and note what was said",
        "Cut the limit",
        reverse("buyer_limit", args=[one.buyer_id]),
        "chart-changed",
        "I look at it",
    ):
        assert words in page
    viewer = signed_in("viewer").get(reverse("alert", args=[one.pk])).content.decode()
    assert "I look at it" not in viewer


@pytest.mark.alike
def test_the_facts_behind_a_reason_are_named_in_the_readers_language():
    for language, words in (
        ("en", ("Insolvency", "Unqualified opinion", say("web.limits_kind_insurer", "en"))),
        ("zh", ("破产", "标准无保留意见", "保险")),
    ):
        use_language(language)
        try:
            signal, accounts = Evidence("signal", "insolvency", DAY), Evidence("statement", "2024-12-31", DAY, text="unqualified")
            assert words[0].lower() in pages._evidence(signal).lower() and words[1] in pages._evidence(accounts)
            assert words[2] in pages._evidence(Evidence("limit", "insurer", DAY)) and "other" in pages._evidence(
                Evidence("limit", "other", DAY)
            )
        finally:
            use_language("en")


@pytest.mark.alike
@pytest.mark.parametrize("since", [None, DAY])
def test_of_a_buyer_in_default_no_chance_of_a_default_to_come_is_told(signed_in, alert, monkeypatch, since):
    one = alert()
    Alert.objects.update(in_default_since=since, probability=0.0546)
    monkeypatch.setattr(pages, "warning", lambda book, buyer: replace(warning(book, buyer), in_default_since=since))
    browser = signed_in("viewer")
    for page in (browser.get(reverse("alerts")), browser.get(reverse("alert", args=[one.pk]))):
        text = page.content.decode()
        assert ("in default" in text, "5.5%" in text) == (since is not None, since is None)


@pytest.mark.alike
def test_a_buyers_pages_show_its_live_alert(signed_in, alert):
    one = alert()
    browser = signed_in("viewer")
    for name in ("buyer", "buyer_grade", "buyer_limit"):
        assert reverse("alert", args=[one.pk]) in browser.get(reverse(name, args=[one.buyer_id])).content.decode(), name
    Alert.objects.update(state=CLOSED)
    assert reverse("alert", args=[one.pk]) not in browser.get(reverse("buyer", args=[one.buyer_id])).content.decode()


def test_an_alert_is_taken_given_rested_noted_and_closed_and_the_trail_and_the_ledger_say_so(signed_in, person, alert, own_ledger, book):
    anna, bo = person("credit_manager", username="anna"), person("collector", username="bo")
    one, browser = alert(), signed_in(anna)
    assert post(browser, "acknowledge", one).status_code == 302
    assert post(browser, "acknowledge", one).status_code == 302
    assert post(browser, "assign", one, to=str(bo.pk)).status_code == 302
    assert list(Notice.objects.filter(kind="alert_assigned").values_list("person__username", flat=True)) == ["bo"]
    assert post(browser, "snooze", one, until=f"{book.on + timedelta(days=100)}").status_code == 409
    assert post(browser, "snooze", one, until=f"{book.on + timedelta(days=10)}", note="waits for the accounts").status_code == 302
    assert post(browser, "wake", one).status_code == 302
    assert post(browser, "note", one, note="called Mr Li").status_code == 302
    assert post(browser, "close", one, verdict="false").status_code == 409  # wrong without a word why
    assert post(browser, "close", one, verdict="perhaps").status_code == 409
    assert not Outgoing.objects.exists()
    assert post(browser, "close", one, verdict="false", note="paid by another account").status_code == 302
    assert post(browser, "close", one, verdict="true").status_code == 409
    one.refresh_from_db()
    assert (one.state, one.verdict, one.assignee) == (CLOSED, "false", bo)
    assert [each.kind for each in one.events.all()] == ["opened", "acknowledged", "assigned", "snoozed", "woken", "noted", "closed"]
    trail = set(AuditEvent.objects.filter(act__startswith="alert.").values_list("act", flat=True))
    assert trail == {"alert.acknowledge", "alert.assign", "alert.snooze", "alert.wake", "alert.note", "alert.close"}
    append_waiting(own_ledger)
    own_ledger.refresh()
    kept = own_ledger.as_of(books.day_of(own_ledger))
    row = kept.run(kept.decision.filter(kept.decision.decision_id == one.decision_id)).to_pylist()[0]
    assert (row["kind"], row["outcome"], row["made_by"], row["buyer_id"]) == ("alert", "false", "anna", one.buyer_id)
    assert json.loads(row["inputs"])["note"] == "paid by another account"
    assert browser.get(reverse("decision", args=[one.decision_id])).status_code == 200
    assert browser.get(reverse("alert", args=[one.pk])).status_code == 200


def test_who_gets_an_alert_is_told_as_they_chose(signed_in, person, alert):
    bo = person("collector")
    Preference.objects.create(person=bo, kinds={"alert_assigned": "never"})
    post(signed_in("credit_manager"), "assign", alert(), to=str(bo.pk))
    assert Alert.objects.get().assignee == bo
    assert not Notice.objects.filter(kind="alert_assigned").exists()


def test_an_alert_is_given_only_to_who_may_act_and_sees_the_buyer(signed_in, person, alert):
    one, browser = alert(), signed_in("credit_manager")
    for wrong in (person("viewer"), person("collector", sales_owners=["nobody"]), person("collector", is_active=False)):
        assert post(browser, "assign", one, to=str(wrong.pk)).status_code == 409
    assert Alert.objects.get().assignee is None


@pytest.mark.alike
def test_whoever_does_not_see_the_buyer_sees_no_alert(signed_in, alert):
    one = alert()
    limited = signed_in("credit_manager", sales_owners=["nobody"])
    assert limited.get(reverse("alert", args=[one.pk])).status_code == 404
    assert post(limited, "close", one, verdict="true").status_code == 404
    page = limited.get(reverse("alerts")).content.decode()
    assert one.buyer_id not in page
    assert Alert.objects.get().state == OPEN


@pytest.mark.alike
@pytest.mark.parametrize("role", ["viewer", "auditor"])
def test_who_only_reads_does_nothing_to_an_alert(signed_in, alert, role):
    one, browser = alert(), signed_in(role)
    for name in ("acknowledge", "assign", "snooze", "wake", "note", "close"):
        assert post(browser, name, one).status_code == 403


def test_the_policy_is_shown_and_changed_by_who_sets_rules(signed_in, own_ledger):
    browser = signed_in("credit_manager")
    page = browser.get(reverse("alerts_rules")).content.decode()
    assert 'value="15"' in page
    signals, indicators = (re.search(rf"<dt>{name}</dt><dd>(.*?)</dd>", page)[1].split(" · ") for name in ("Signals", "Indicators"))
    assert "Insolvency" in signals and "Insolvency announced" in indicators
    form = {
        "severity.red.probability_6m": "20", "severity.red.rule_score": "60", "severity.amber.probability_6m": "8", "severity.amber.rule_score": "35",
        "closing.probability_6m": "2.5", "closing.rule_score": "25", "closing.days": "30", "hold_days": "182", "in_default_days": "14", "budget.analysts": "3",
        "budget.alerts_per_analyst_day": "", "budget.share_of_watched_a_month": "2", "ranking": "probability", "escalate_after_days": "5", "version": "ours 1",
    }  # fmt: skip
    assert browser.post(reverse("alerts_rules_keep"), form | {"severity.red.probability_6m": "1"}).status_code == 422
    assert browser.post(reverse("alerts_rules_keep"), form | {"escalate_after_days": "0"}).status_code == 422
    for typed in ("abc", "", "-1", "1.5"):
        refused = browser.post(reverse("alerts_rules_keep"), form | {"in_default_days": typed})
        assert refused.status_code == 422 and f"“In default: only news after, days” cannot be “{typed}”" in refused.content.decode()
    assert browser.post(reverse("alerts_rules_keep"), form).status_code == 302
    from duecourse.desk.alerting import handling, policy

    books.ledger()
    changed = books.ledger().as_of(books.day_of(books.ledger()))
    assert policy(changed)["severity"]["red"]["probability_6m"] == 0.2
    assert policy(changed)["budget"] == {"analysts": 3, "alerts_per_analyst_day": None, "share_of_watched_a_month": 0.02}
    assert policy(changed)["in_default_days"] == 14
    assert handling(changed) == {"escalate_after_days": 5}
    assert signed_in("sales").post(reverse("alerts_rules_keep"), form).status_code == 403


def test_runs_are_shown_with_what_changed_as_far_as_one_sees_it(signed_in, alert, book):
    one = alert()
    run = DayRun.objects.create(on=book.on, state="done")
    found = {
        "refresh": {"version": 1, "buyers": 3, "currency": "CNY", "outstanding": 100, "overdue": 5},
        "grades": {"buyers": 3, "by_grade": {}, "worse": 1, "better": 0, "fallen": [], "fallen_count": 0},
        "warnings": {"watched": 3, "levels": {"red": 1}, "above": 1}, "alerts": {"opened": [one.pk], "raised": [], "cleared": [], "waiting": 0},
        "clocks": {"woken": [], "escalated": []}, "digests": {"recipients": 0},
    }  # fmt: skip
    for name, what in found.items():
        DayStep.objects.create(run=run, name=name, seconds=1.5, found=what)
    browser = signed_in("credit_manager")
    assert "9.0 s" in browser.get(reverse("runs")).content.decode()
    page = browser.get(reverse("runs_day", args=[run.pk])).content.decode()
    assert reverse("alert", args=[one.pk]) in page
    limited = signed_in("credit_manager", username="l", sales_owners=["nobody"])
    page = limited.get(reverse("runs_day", args=[run.pk])).content.decode()
    assert reverse("alert", args=[one.pk]) not in page and "3 buyers" not in page
    assert signed_in("sales").get(reverse("runs")).status_code == 403
    assert limited.get(reverse("runs")).status_code == 200
