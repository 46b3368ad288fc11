"""Screening: a person decides once, the verdict is a decision in the ledger that can be made again, and nobody sees a buyer of somebody else."""

from __future__ import annotations

import datetime as dt
from html import unescape

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from duecourse.desk.replay import replay
from duecourse.web import books
from duecourse.web.evidence.models import ListHit, ListVerdict
from duecourse.web.evidence.verdicts import screen_everybody
from duecourse.web.outbox.models import Outgoing
from duecourse.web.outbox.sending import append_waiting
from support.ledgers import add

LIST = "编号,名称,国家,备注\n7,拓凯建材有限公司,中国,first\n8,Zarkovia Shipping Ltd,RU,\n"
TODAY = dt.datetime.now(dt.UTC).date()


@pytest.fixture
def listed(own_ledger, signed_in):
    """Two buyers, a list that may name both, everybody screened."""
    add(own_ledger, [
        {"buyer_id": "K/1", "name": "Foshan Tuokai Building Materials", "name_local": "佛山拓凯建材有限公司", "country": "CN", "sales_owner": "Eve"},
        {"buyer_id": "Z2", "name": "Zarkoviya Shipping Co., Ltd.", "country": "RU", "sales_owner": "Ada"},
    ], "buyer")  # fmt: skip
    browser = signed_in("admin")
    take_in(browser, LIST)
    again()
    return browser


def take_in(browser, text):
    answer = browser.post(
        "/screening/lists", {"list_name": "失信", "list_date": str(TODAY), "files": SimpleUploadedFile("list.csv", text.encode())}
    )
    assert answer.status_code == 302


def again():
    return screen_everybody(books.ledger().as_of(TODAY))


def hit(buyer):
    return ListHit.objects.get(buyer_id=buyer)


def say(browser, buyer, verdict="no_match", reason="another firm"):
    return browser.post(f"/screening/{hit(buyer).pk}/verdict", {"verdict": verdict, "reason": reason})


def test_names_on_a_list_wait_with_what_agrees(listed):
    assert {one.buyer_id for one in ListHit.objects.all()} == {"K/1", "Z2"}
    text = unescape(listed.get("/screening/").content.decode())
    assert "佛山拓凯建材有限公司" in text
    assert "拓凯建材有限公司" in text
    assert "core name 字号" in text
    assert "Zarkovia Shipping Ltd" in unescape(listed.get("/buyers/Z2/evidence").content.decode())


def test_no_match_is_never_asked_again_until_the_entry_changes(listed):
    assert say(listed, "K/1").status_code == 302
    again()
    assert not ListHit.objects.filter(buyer_id="K/1").exists()
    take_in(listed, LIST.replace("7,拓凯建材有限公司,中国,first", "7,拓凯建材有限公司,中国,other remark"))
    again()
    assert not ListHit.objects.filter(buyer_id="K/1").exists(), "a remark is not what was compared"
    take_in(listed, LIST.replace("7,拓凯建材有限公司", "7,佛山市拓凯建材有限公司"))
    again()
    assert ListHit.objects.filter(buyer_id="K/1").exists()


def test_a_match_is_a_decision_that_replays_and_a_serious_signal(listed):
    say(listed, "Z2", "match", "same address")
    kinds = list(Outgoing.objects.values_list("table", flat=True))
    assert kinds == ["decision", "signal"]
    append_waiting(books.ledger())
    ledger = books.ledger()
    verdict = ListVerdict.objects.get()
    again_made = replay(ledger, verdict.decision_id)
    assert again_made.equal, again_made.differences
    book = ledger.as_of(TODAY)
    (signal,) = [row for row in book.run(book.signal).to_pylist() if row["buyer_id"] == "Z2"]
    assert (signal["kind"], signal["severity"], signal["provider"]) == ("list_match", "red", "失信")


def test_a_verdict_wants_a_reason_and_one_who_may_decide(listed, signed_in):
    say(listed, "Z2", reason=" ")
    assert not ListVerdict.objects.exists()
    assert say(signed_in("viewer"), "Z2").status_code == 403
    assert say(signed_in("credit_analyst", sales_owners=["Eve"]), "Z2").status_code == 404
    assert not ListVerdict.objects.exists()
    assert not Outgoing.objects.exists()


def test_one_sees_only_ones_own_buyers(listed, signed_in):
    text = unescape(signed_in("credit_analyst", sales_owners=["Eve"]).get("/screening/").content.decode())
    assert "拓凯" in text
    assert "Zarkov" not in text


def test_deciding_twice_keeps_one_verdict(listed):
    pk = hit("Z2").pk
    for _ in range(2):
        assert listed.post(f"/screening/{pk}/verdict", {"verdict": "no_match", "reason": "other"}).status_code == 302
    assert ListVerdict.objects.count() == 1


def test_what_is_no_list_is_told(listed):
    answer = listed.post(
        "/screening/lists", {"list_name": "x", "list_date": str(TODAY), "files": SimpleUploadedFile("a.csv", b"1,2\n3,4\n")}, follow=True
    )
    assert "holds no list that can be recognised" in unescape(answer.content.decode())
