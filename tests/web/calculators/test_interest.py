"""The interest calculator and its rates: the same figures as the engine, in both languages, by whoever may read."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

PAGE = "/calculators/interest/"
CHINA = {"amount": "100,000", "currency": "CNY", "due": "2025-03-31", "until": "2025-06-30", "creditor": "CN", "debtor": "CN"}


def page(client, **asked):
    return client.get(f"{PAGE}?{urlencode({**CHINA, **asked})}")


def test_the_empty_form_opens(signed_in):
    answer = signed_in("viewer").get(PAGE)
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "This is not legal advice" in text
    assert "Nothing worked out yet" in text


@pytest.mark.parametrize(
    ("asked", "interest"),
    [
        ({}, "CNY 1,159.32"), ({"regime": "CN_SALES_LPR/floating"}, "CNY 1,142.05"), ({"creditor_size": "small", "debtor_size": "large"}, "CNY 4,550.00"),
        ({"agreed": "日万分之五"}, "CNY 4,550.00"), ({"payments": "2025-06-30=100000"}, "CNY 1,159.32"),
        ({"amount": "10000", "currency": "EUR", "regime": "EU_DE", "due": "2026-05-31", "until": "2026-08-31"}, "EUR 263.11"),
    ],
)  # fmt: skip
def test_it_says_what_the_engine_says(signed_in, asked, interest):
    text = page(signed_in("viewer"), **asked).content.decode()
    assert interest in text
    assert "CN_SALES_LPR" in text


def test_it_speaks_chinese_and_names_the_law(signed_in):
    client = signed_in("viewer")
    client.cookies["django_language"] = "zh-hans"
    client.post("/choose/", {"language": "zh-hans"})
    text = page(client).content.decode()
    assert "本内容不构成法律意见" in text
    assert "第18条" in text


def test_a_rate_that_is_not_known_is_refused_with_what_to_enter(signed_in):
    text = page(signed_in("viewer"), regime="EU_PL", currency="PLN").content.decode()
    assert "PL_NBP_REFERENCE" in text
    assert "duecourse rates --set" in text


@pytest.mark.parametrize(
    ("asked", "fault"),
    [
        ({"amount": "-5"}, "not an amount"), ({"amount": "1.2345"}, "1.2345"), ({"due": "soon"}, "is not a day"), ({"until": "2025-01-01"}, "cannot be paid"),
        ({"currency": "ZZZ"}, "not a currency"), ({"agreed": "5% of the price"}, "not a rate"), ({"payments": "yesterday"}, "yesterday"), ({"regime": "EU_XX"}, "EU_XX"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_and_nothing_is_lost(signed_in, asked, fault):
    answer = page(signed_in("viewer"), **asked)
    assert answer.status_code == 422
    text = answer.content.decode()
    assert fault in text
    assert 'value="100,000"' in text or "amount" in asked


def test_the_statement_of_claim_is_a_file(signed_in):
    answer = page(signed_in("viewer"), export="csv", regime="CN_SALES_LPR/floating")
    lines = answer.content.decode("utf-8-sig").splitlines()
    assert answer["Content-Type"].startswith("text/csv")
    assert len(lines) == 3
    assert "2025-05-20,2025-06-30,42,100000.00" in lines[2]


def test_only_the_answer_is_swapped_in(signed_in):
    answer = signed_in("viewer").get(f"{PAGE}?{urlencode(CHINA)}", headers={"HX-Request": "true", "HX-Target": "answer"})
    text = answer.content.decode()
    assert "<html" not in text
    assert "1,159.32" in text


def test_a_rate_is_entered_used_and_taken_back(own_ledger, signed_in):
    manager = signed_in("credit_manager")
    asked = {"regime": "EU_PL", "currency": "PLN", "due": "2026-03-31", "until": "2026-04-30"}
    kept = manager.post(
        "/calculators/rates/set/",
        {"series": "PL_NBP_REFERENCE", "since": "2026-01-01", "rate": "4.00", "kind": "effective", "source": "NBP"},
    )
    assert kept.status_code == 302
    assert "PLN 1,150.68" in page(manager, **asked).content.decode()
    rates = manager.get("/calculators/rates/").content.decode()
    assert "NBP" in rates
    manager.post("/calculators/rates/set/", {"series": "PL_NBP_REFERENCE", "since": "2026-01-01", "drop": "yes"})
    assert "duecourse rates --set" in page(manager, **asked).content.decode()
    assert manager.post("/calculators/rates/set/", {"series": "NO_SUCH", "since": "2026-01-01", "rate": "4"}).status_code == 422
    assert (
        signed_in("viewer").post("/calculators/rates/set/", {"series": "PL_NBP_REFERENCE", "since": "2026-01-01", "rate": "4"}).status_code
        == 403
    )


def test_the_firms_country_and_size_stand_in_the_form(own_ledger, signed_in):
    manager = signed_in("credit_manager")
    kept = manager.post("/settings/change/", {"own_country": "DE", "own_size": "small"})
    assert kept.status_code == 302
    text = manager.get(PAGE).content.decode()
    assert '<option value="DE" selected>' in text
    assert '<option value="small" selected>' in text
    assert manager.post("/settings/change/", {"own_size": "huge"}).status_code == 422
    assert manager.post("/settings/change/", {"own_country": "XX"}).status_code == 422
