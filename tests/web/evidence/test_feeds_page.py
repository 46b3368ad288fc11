"""The page of outside feeds: how each fares, what waits is decided by one click and once, and who sets the rules sets the feeds."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse

from duecourse.desk import feeds as desk
from duecourse.desk.opening import opened_again
from duecourse.intake.feeds import Feed
from duecourse.ledger.entries import MENTION
from duecourse.messages import use_language
from duecourse.web import books
from duecourse.web import environment as env
from duecourse.web.accounts.models import AuditEvent
from duecourse.web.evidence.models import FeedVerdict
from duecourse.web.jobs.models import JobRun
from duecourse.web.jobs.queue import claim
from duecourse.web.jobs.running import Job, carry_out
from duecourse.web.outbox.models import Outgoing
from duecourse.web.outbox.sending import append_waiting
from support.feeding import BUYERS, FIXTURES, Press
from support.ledgers import add

TODAY = dt.date(2026, 3, 31)
NEWS = (FIXTURES / "news.rss").read_bytes()


@pytest.fixture(autouse=True)
def _english():
    yield
    use_language("en")


@pytest.fixture
def report(db, own_ledger):
    """A report that waits: it may mean the buyer S1."""
    add(own_ledger, BUYERS, "buyer")
    feed = Feed("press", "news", "https://press.example/rss?key=secret", reliability=0.9)
    desk.add(own_ledger, feed)
    desk.take(own_ledger, feed, NEWS, today=TODAY)
    (one,) = desk.waiting(own_ledger)
    return one


def decide(browser, one, **form):
    return browser.post(reverse("feeds_verdict"), {"signal_id": one["signal_id"], **form}, follow=True).content.decode()


def known(ledger, one):
    """The report and its signal as the ledger has them now."""
    book = opened_again(ledger).as_of(dt.date.max)
    mentions = [row for row in book.run(book.table(MENTION)).to_pylist() if row["signal_id"] == one["signal_id"]]
    return mentions[0], [row for row in book.run(book.signal).to_pylist() if row["signal_id"] == one["signal_id"]]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "en",
            ("Outside feeds", "Waiting for a person", "It is the buyer: make it a signal", "Another firm", "Add a feed", "not asked yet"),
        ),
        ("zh-hans", ("外部信息源", "待人工核实", "确为该买方，成为信号", "另有其人", "添加信息源", "尚未获取")),
    ],
)
def test_the_page_shows_feeds_and_what_waits_in_both_languages(signed_in, report, language, words):
    page = signed_in("credit_manager", language=language).get(reverse("feeds")).content.decode()
    for said in (*words, "Summit Ltd", report["text"][:40], "press", "90.0%"):
        assert said in page, said


def test_one_click_makes_it_a_signal_and_it_is_in_the_ledger_once(signed_in, own_ledger, report):
    browser = signed_in("credit_analyst", username="anna")
    page = decide(browser, report, confirm="yes", reason="their own site says so")
    assert "it becomes a signal" in page and "Nothing waits" in page, "at once, before the ledger has it"
    assert "Somebody has decided" in decide(browser, report, dismiss="old")
    verdict = FeedVerdict.objects.get()
    assert (verdict.is_buyer, verdict.reason) == (True, "it is the buyer: their own site says so")
    assert sorted(Outgoing.objects.values_list("table", flat=True)) == ["mention", "signal"]
    append_waiting(own_ledger)
    append_waiting(own_ledger)
    mention, signals = known(own_ledger, report)
    assert (mention["status"], mention["made_by"], mention["reason"]) == ("entered", "anna", verdict.reason)
    (signal,) = signals
    assert (signal["buyer_id"], signal["confidence"], signal["published_on"]) == ("S1", None, report["published_on"])
    assert not desk.waiting(opened_again(own_ledger))
    assert AuditEvent.objects.filter(act="feeds.confirm").count() == 1


@pytest.mark.parametrize(
    ("why", "kept"), [("other_firm", "another firm"), ("not_credit", "says nothing about credit"), ("old", "old or known")]
)
def test_one_click_puts_it_aside_with_the_reason(signed_in, own_ledger, report, why, kept):
    assert "Put aside" in decide(signed_in("credit_analyst"), report, dismiss=why)
    append_waiting(own_ledger)
    mention, signals = known(own_ledger, report)
    assert (mention["status"], mention["reason"], signals) == ("dismissed", kept, [])


def test_a_reason_of_ones_own_has_to_be_given(signed_in, report):
    browser = signed_in("credit_analyst")
    assert "Say why it is put aside" in decide(browser, report, dismiss="own", reason="  ")
    assert not FeedVerdict.objects.exists()
    decide(browser, report, dismiss="own", reason=" their  namesake in Leeds ")
    assert FeedVerdict.objects.get().reason == "their namesake in Leeds"
    assert browser.post(reverse("feeds_verdict"), {"signal_id": "x", "dismiss": "whim"}).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_is_told_that_it_is_decided(person, own_ledger, report):
    people = [person("credit_analyst") for _ in range(2)]
    start, pages = threading.Barrier(2), []

    def click(who, form):
        browser = Client()
        browser.force_login(who)
        start.wait()
        try:
            pages.append(decide(browser, report, **form))
        finally:
            connection.close()

    threads = [
        threading.Thread(target=click, args=(who, form)) for who, form in zip(people, ({"confirm": "yes"}, {"dismiss": "old"}), strict=True)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted("Somebody has decided" in page for page in pages) == [False, True]
    verdict = FeedVerdict.objects.get()
    append_waiting(own_ledger)
    mention, signals = known(own_ledger, report)
    assert (mention["status"], len(signals)) == (("entered", 1) if verdict.is_buyer else ("dismissed", 0))


def test_feeds_are_added_changed_paused_asked_and_removed_by_who_sets_the_rules(signed_in, own_ledger, db):
    browser = signed_in("credit_manager", username="boss")
    form = {"name": "press", "kind": "news", "address": "https://press.example/rss?key=secret", "reliability": "0,9", "least": "0.8"}
    for wrong, said in (
        ({"name": " "}, "Give the feed a name"), ({"kind": "gossip"}, "Choose what the feed holds"), ({"address": "/etc/passwd"}, "begins with https://"),
        ({"address": "http://press.example"}, "begins with https://"), ({"least": "2"}, "Signal from confidence is a number"), ({"reliability": ""}, "is a number"),
    ):  # fmt: skip
        answer = browser.post(reverse("feeds_keep"), {**form, **wrong})
        assert answer.status_code == 422 and said in answer.content.decode(), wrong
    assert desk.feeds(opened_again(own_ledger)) == {}
    browser.post(reverse("feeds_keep"), form)
    assert desk.feeds(opened_again(own_ledger)) == {"press": Feed("press", "news", form["address"], 0.9, 0.8)}
    browser.post(reverse("feeds_pause"), {"name": "press", "paused": "yes"})
    browser.post(reverse("feeds_keep"), {**form, "least": "0.7"})
    assert desk.feeds(opened_again(own_ledger))["press"] == Feed("press", "news", form["address"], 0.9, 0.7, paused=True), "it still rests"
    assert "paused" in browser.get(reverse("feeds")).content.decode()
    browser.post(reverse("feeds_pause"), {"name": "press", "paused": "no"})
    assert f'value="{form["address"].replace("&", "&amp;")}"' in browser.get(reverse("feeds"), {"edit": "press"}).content.decode()
    assert "secret" not in signed_in("viewer").get(reverse("feeds")).content.decode(), "an address may hold a key"
    browser.post(reverse("feeds_ask"), {"name": "press"})
    browser.post(reverse("feeds_ask"))
    assert sorted(JobRun.objects.values_list("name", flat=True)) == ["evidence.feed", "evidence.feeds"]
    assert browser.post(reverse("feeds_ask"), {"name": "nobody"}).status_code == 404
    browser.post(reverse("feeds_remove"), {"name": "press"})
    assert desk.feeds(opened_again(own_ledger)) == {}
    assert "press" in browser.post(reverse("feeds_remove"), {"name": "press"}, follow=True).content.decode(), "said, not failed"
    acts = list(AuditEvent.objects.filter(act__startswith="feeds.").order_by("pk").values_list("act", flat=True))
    assert acts == ["feeds.keep", "feeds.pause", "feeds.keep", "feeds.resume", "feeds.remove"]


def test_one_that_does_not_answer_says_why_and_one_that_rests_is_not_asked(signed_in, own_ledger, db, monkeypatch):
    monkeypatch.setattr(env, "WEBHOOK_NETWORKS", ["127.0.0.0/8"])
    press = Press(NEWS, mode="gone")
    try:
        desk.add(own_ledger, Feed("press", "news", press.url))
        browser = signed_in("credit_manager")
        browser.post(reverse("feeds_ask"))
        while run := claim():
            carry_out(Job(run))
        page = browser.get(reverse("feeds")).content.decode()
        assert "does not answer" in page and "404" in page
        asked = len(press.asked)
        press.mode = "ok"
        desk.pause(books.ledger(), "press", paused=True)
        JobRun.objects.all().delete()
        browser.post(reverse("feeds_ask"))
        while run := claim():
            carry_out(Job(run))
        assert len(press.asked) == asked
        browser.post(reverse("feeds_ask"), {"name": "press"})
        while run := claim():
            carry_out(Job(run))
        assert len(press.asked) > asked, "by hand it is"
    finally:
        press.end()


def test_a_file_is_handed_in(signed_in, own_ledger, db):
    add(own_ledger, BUYERS, "buyer")
    desk.add(own_ledger, Feed("press", "news"))
    browser = signed_in("credit_analyst")
    for _ in range(2):
        page = browser.post(
            reverse("feeds_upload"), {"name": "press", "files": SimpleUploadedFile("news.rss", NEWS)}, follow=True
        ).content.decode()
    assert "press: " in page and "0 signals, 0 reports" in page, "the second time nothing is new"
    assert len(desk.waiting(opened_again(own_ledger))) == 1
    page = browser.post(reverse("feeds_upload"), {"name": "press", "files": SimpleUploadedFile("x.rss", b"<html/>")}, follow=True)
    assert "press" in page.content.decode() and page.status_code == 200
    assert "Choose a feed and a file" in browser.post(reverse("feeds_upload"), {"name": "press"}, follow=True).content.decode()


def test_who_may_do_what(signed_in, report):
    acts = {
        "feeds_verdict": "decide",
        "feeds_keep": "settings",
        "feeds_pause": "settings",
        "feeds_remove": "settings",
        "feeds_ask": "import",
        "feeds_upload": "import",
    }
    for name in acts:
        assert signed_in("viewer").post(reverse(name)).status_code == 403
        assert signed_in("auditor").post(reverse(name)).status_code == 403
    page = signed_in("viewer").get(reverse("feeds")).content.decode()
    assert report["text"][:40] in page and "It is the buyer: make" not in page and "Add a feed" not in page
    limited = signed_in("credit_manager", username="limited", sales_owners=["nobody"])
    page = limited.get(reverse("feeds")).content.decode()
    assert report["text"][:40] not in page and "Nothing waits" in page and "Add a feed" not in page
    assert limited.post(reverse("feeds_verdict"), {"signal_id": report["signal_id"], "confirm": "yes"}).status_code == 404
    for name in ("feeds_keep", "feeds_pause", "feeds_remove", "feeds_ask", "feeds_upload"):
        assert limited.post(reverse(name), {"name": "press"}).status_code == 403
    assert not FeedVerdict.objects.exists()
