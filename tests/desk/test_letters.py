"""What a letter rests on: taken from the book, with what is missing said."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import date

import pytest

from duecourse.actions.letters import LANGUAGES_OF, compose
from duecourse.actions.letters.facts import Document, PlanInstalment
from duecourse.desk.late_interest import owed
from duecourse.desk.letterhead import Letterhead, checked, checked_logo, keep_letterhead, keep_logo, letterhead
from duecourse.desk.letters import Wanted, letter_facts, mark_of
from duecourse.desk.letters_due import letters_due
from duecourse.desk.opening import open_ledger
from duecourse.errors import BuyerUnknownError, CountryUnknownError, FactUnknownError, LetterheadInvalidError, LetterUnworkableError
from duecourse.ledger.scope import Scope
from duecourse.samples.book import book

ON = date(2026, 6, 30)
OWN = {
    "name": "Rensheng Tools Co., Ltd.", "local_name": "仁盛工具有限公司", "registration_number": "91310115MA1K3RXX7Q", "address": "1 Road\nShanghai", "country": "CN", "signatory": "Zhou",
    "call_back": "021", "accounts": [{"holder": "Rensheng", "bank": "Bank", "number": "1", "currency": "CNY"}, {"holder": "Rensheng", "bank": "Bank", "number": "2", "currency": "EUR"}],
}  # fmt: skip
SEEN = Wanted(address="2 Street\nTown", email="a@example.com")


def at(text):
    return date.fromisoformat(text)


def invoice(number="F1", due="2026-04-01", amount=1_000_00, **more):
    return {"invoice_id": number, "buyer_id": "B1", "issue_date": at("2026-01-31"), "due_date": at(due), "amount_minor": amount, **more}


def drawn(on=ON, own=OWN, country="CN", **tables):
    settings = {"letterhead": {"": own}, "own_country": "CN", **tables.pop("settings", {})}
    buyer = tables.pop(
        "buyer", [{"buyer_id": "B1", "name": "Slow Ltd", "name_local": "慢有限公司", "country": country, "registration_number": "R-1"}]
    )
    tables.setdefault("invoice", [invoice()])
    return book(on, buyer=buyer, setting=[{"name": name, "value": json.dumps(value)} for name, value in settings.items()], **tables)


def contract(**more):
    return {"contract_id": "K1", "buyer_id": "B1", "number": "HT-1", "valid_from": at("2026-01-01"), **more}


def codes(said):
    return {one.code.removeprefix("letters.") for one in said}


def test_the_figures_are_those_of_late_interest_to_the_cent():
    paid = [{"buyer_id": "B1", "invoice_id": "F1", "settle_date": at("2026-05-10"), "amount_minor": 300_00}]
    found = drawn(invoice=[invoice(), invoice("F2", "2026-05-15", 777_77), invoice("F3", "2026-07-15")], settlement=paid)
    facts = letter_facts(found, "B1", wanted=SEEN).facts
    reckoned = owed(found, "B1")
    assert [one.invoice_id for one in facts.invoices] == ["F1", "F2"]  # F3 is not late
    for said, one in zip(facts.invoices, reckoned.invoices, strict=True):
        assert (said.amount_minor, said.paid_minor, said.outstanding_minor) == (one.amount_minor, one.settled_minor, one.principal_minor)
        assert (said.interest_minor, said.daily_minor, said.days_late) == (one.interest_minor, one.daily_minor, (ON - one.due_date).days)
        assert sum(part.interest_minor for part in said.segments) == said.interest_minor > 0
        assert sum(part.days for part in said.segments) == said.days_late
    assert facts.totals[0].total_minor == sum(one.principal_minor + (one.interest_minor or 0) for one in reckoned.invoices)
    (basis,) = facts.bases
    assert basis.name == "CN_SALES_LPR" and not basis.contract and "第十八条" in dict(basis.cite)["zh"]
    assert facts.deadline == date(2026, 7, 10) and facts.until == facts.dated == ON


def test_the_agreed_rate_is_said_to_be_agreed():
    facts = letter_facts(
        drawn(contract=[contract(late_interest="18%/y", governing_law="CN", signed_on=at("2026-01-02"), cure_days=30)]), "B1", wanted=SEEN
    ).facts
    (basis,) = facts.bases
    assert basis.contract and basis.rates == ("0.18",)
    assert facts.contract.number == "HT-1" and facts.contract.signed_on == at("2026-01-02")
    assert facts.deadline_days >= 30 and facts.interrupts == "restarts"


@pytest.mark.parametrize(
    ("country", "law", "says", "interrupts", "days"),
    [
        ("CN", "CN", None, "restarts", 10), ("CN", "", None, "restarts", 10), ("DE", "DE", "no_interruption", "", 10), ("GB", "GB", "no_interruption", "", 14), ("JP", "JP", "postpones_only", "postpones", 10),
        ("IT", "IT", None, "restarts", 10), ("IT", "", "law_not_agreed", "", 10), ("DE", "CN", None, "restarts", 10),
    ],
)  # fmt: skip
def test_what_a_demand_does_to_limitation(country, law, says, interrupts, days):
    tables = {"contract": [contract(governing_law=law)]} if law else {}
    found = letter_facts(drawn(country=country, **tables), "B1", wanted=SEEN)
    assert (found.warning.code if found.warning else None) == (f"letters.{says}" if says else None)
    assert found.facts.interrupts == interrupts
    assert days <= found.facts.deadline_days <= days + 4  # no deadline on a day nobody works there
    assert letter_facts(drawn(country=country, **tables), "B1", wanted=replace(SEEN, kind="reminder")).warning is None


def test_the_language_is_the_reader_s():
    def language(country, own="CN", kind="demand_letter"):
        return letter_facts(drawn(country=country, own={**OWN, "country": own}), "B1", wanted=replace(SEEN, kind=kind)).facts.language

    assert [language(one) for one in ("CN", "GB", "DE", "FR", "ES", "IT", "JP", "NL", "")] == [
        "zh",
        "en",
        "de",
        "fr",
        "es",
        "it",
        "ja",
        "en",
        "en",
    ]
    assert language("DE", kind="reminder") == "en" and language("CN", "DE") == "zh+en"


def test_what_is_missing_is_said_and_keeps_it_from_going_not_from_being_drafted():
    bare = letter_facts(drawn(own={}, settings={"own_country": ""}, buyer=[{"buyer_id": "B1"}]), "B1")
    assert codes(bare.blocking) == {"missing_own_name", "missing_own_address", "missing_recipient_address", "missing_account"}
    assert codes(bare.advice) >= {
        "advice_own_number",
        "advice_their_number",
        "advice_contract",
        "advice_signatory",
        "advice_call_back",
        "advice_delivery",
    }
    assert bare.warning is not None
    compose(bare.facts)
    whole = letter_facts(
        drawn(contract=[contract()]), "B1", wanted=replace(SEEN, documents=(Document("B1", "Note 1", "F1", delivery=True, enclosed=False),))
    )
    assert not whole.blocking and not whole.advice
    by_mail = letter_facts(drawn(), "B1", wanted=Wanted(channel="email"))
    assert codes(by_mail.blocking) == {"missing_recipient_email"}
    dollars = letter_facts(drawn(invoice=[invoice(currency="USD")]), "B1", wanted=SEEN)
    assert codes(dollars.blocking) == {"missing_account"}
    late = letter_facts(drawn(), "B1", wanted=replace(SEEN, deadline=ON))
    assert codes(late.blocking) == {"missing_deadline_past"}
    for one in (*bare.blocking, *bare.advice, bare.warning):
        assert one.words("en") and one.words("zh")


def test_only_accounts_that_take_the_currency_are_named():
    found = letter_facts(drawn(), "B1", wanted=SEEN).facts
    assert [one.number for one in found.accounts] == ["1"]
    both = letter_facts(drawn(invoice=[invoice(), invoice("F2", currency="EUR")]), "B1", wanted=SEEN).facts
    assert [one.number for one in both.accounts] == ["1", "2"] and len(both.totals) == 2


def test_nothing_is_threatened_that_cannot_be_done():
    plain = letter_facts(drawn(), "B1", wanted=SEEN).facts.consequences
    assert plain == ("suspend", "preserve", "proceed", "costs")
    rich = drawn(
        contract=[contract(instalments=True, governing_law="CN")], security=[{"security_id": "S1", "buyer_id": "B1", "kind": "retention_of_title", "valid_from": at("2026-01-01")}, {"security_id": "S2", "buyer_id": "B1", "kind": "guarantee", "valid_from": at("2026-01-01")}],
        limit=[{"limit_id": "L1", "buyer_id": "B1", "kind": "insurer", "amount_minor": 1, "currency": "CNY", "valid_from": at("2026-01-01")}],
    )  # fmt: skip
    assert letter_facts(rich, "B1", wanted=SEEN).facts.consequences == (
        "suspend",
        "accelerate",
        "retake",
        "guarantor",
        "insurer",
        "preserve",
        "proceed",
        "costs",
    )


def test_the_fifth_of_an_instalment_sale_counts_what_is_due_against_the_whole_price():
    rows = [
        invoice("F1", due, 100_00, instalment=number)
        for number, due in enumerate(("2026-04-01", "2026-07-31", "2026-08-31", "2026-09-30", "2026-10-31", "2026-11-30"), 1)
    ]
    found = letter_facts(drawn(invoice=rows, contract=[contract(instalments=True, governing_law="CN")]), "B1", wanted=SEEN).facts.threshold
    assert (found.due_minor, found.price_minor, found.reached) == (100_00, 600_00, False)
    found = letter_facts(
        drawn(invoice=rows[:5], contract=[contract(instalments=True, governing_law="CN")]), "B1", wanted=SEEN
    ).facts.threshold
    assert (found.due_minor, found.price_minor, found.reached) == (100_00, 500_00, True)
    assert (
        letter_facts(drawn(invoice=rows, contract=[contract(instalments=True, governing_law="DE")]), "B1", wanted=SEEN).facts.threshold
        is None
    )
    assert letter_facts(drawn(invoice=rows, contract=[contract(governing_law="CN")]), "B1", wanted=SEEN).facts.threshold is None


def test_a_guarantor_is_written_to_by_its_own_name():
    tables = {
        "buyer": [{"buyer_id": "B1", "name": "Slow Ltd", "country": "CN"}, {"buyer_id": "B2", "name": "Parent Ltd", "name_local": "母公司", "country": "CN", "registration_number": "R-2"}],
        "security": [{"security_id": "S1", "buyer_id": "B1", "kind": "guarantee", "valid_from": at("2026-01-01"), "guarantor_id": "B2", "amount_minor": 5_00, "currency": "CNY", "reference": "BZ-1"}],
    }  # fmt: skip
    facts = letter_facts(drawn(**tables), "B1", wanted=replace(SEEN, kind="guarantor_demand")).facts
    assert (facts.recipient.name, facts.debtor.name, facts.guarantee.reference, facts.buyer_id) == ("Parent Ltd", "Slow Ltd", "BZ-1", "B1")
    assert "母公司" in "\n".join(compose(facts).lines())
    with pytest.raises(FactUnknownError):
        letter_facts(drawn(), "B1", wanted=replace(SEEN, kind="guarantor_demand"))


def test_earlier_letters_about_the_same_invoices_are_named_and_their_address_used():
    notices = [
        {"notice_id": "N1", "kind": "demand_letter", "buyer_id": "B1", "dated": at("2026-05-01"), "sent_on": at("2026-05-01"), "channel": "post", "address": "9 Lane", "invoices": '[["F1", 1]]'},
        {"notice_id": "N2", "kind": "demand_letter", "buyer_id": "B1", "dated": at("2026-05-02"), "sent_on": at("2026-05-02"), "channel": "email", "address": "x@y.z", "invoices": '[["F9", 1]]'},
    ]  # fmt: skip
    facts = letter_facts(drawn(notice=notices), "B1").facts
    assert facts.previous == (at("2026-05-01"),) and facts.recipient.address == "9 Lane" and facts.recipient.email == "x@y.z"


def test_what_the_evidence_file_holds_to_prove_delivery_is_named():
    document = {"buyer_id": "B1", "received_on": at("2026-02-10"), "dated": at("2026-02-09"), "made_by": "a"}
    documents = [
        {**document, "document_id": "a" * 64, "kind": "proof_of_delivery", "file_name": "CMR 40388.pdf", "media_type": "application/pdf"}, {**document, "document_id": "b" * 64, "kind": "correspondence", "file_name": "mail.eml"},
        {**document, "document_id": "c" * 64, "kind": "delivery_note", "file_name": "note-9.pdf"},
    ]  # fmt: skip
    links = [
        {"document_id": one * 64, "buyer_id": "B1", "target": "invoice", "target_id": number, "linked_on": at("2026-02-10")}
        for one, number in (("a", "F1"), ("b", "F1"), ("c", "F9"))
    ]
    book = drawn(document=documents, document_link=links)
    facts = letter_facts(book, "B1", wanted=SEEN).facts
    assert facts.documents == (Document("B1", "CMR 40388.pdf", "F1", at("2026-02-09"), delivery=True, document_id="a" * 64),)
    assert (
        letter_facts(book, "B1", wanted=replace(SEEN, documents=facts.documents)).facts.documents == facts.documents
    )  # drawn up anew it is named once
    assert "advice_delivery" not in codes(letter_facts(book, "B1", wanted=SEEN).advice)


def test_disputes_are_pointed_out_and_refused_interest_is_said():
    found = letter_facts(
        drawn(dispute=[{"dispute_id": "D1", "buyer_id": "B1", "invoice_id": "F1", "raised_on": at("2026-05-01")}]), "B1", wanted=SEEN
    )
    assert "advice_disputed" in codes(found.advice)
    unknown = letter_facts(drawn(country="NP", contract=[contract(governing_law="NP")]), "B1", wanted=SEEN)
    assert "advice_interest" in codes(unknown.advice) and not unknown.facts.bases
    assert "We reserve the right to claim interest" in "\n".join(compose(replace(unknown.facts, language="en")).lines())


def test_what_cannot_be_a_letter():
    with pytest.raises(BuyerUnknownError):
        letter_facts(drawn(), "B9")
    with pytest.raises(FactUnknownError):
        letter_facts(drawn(), "B1", [("F9", 1)])
    with pytest.raises(LetterUnworkableError):
        letter_facts(drawn(on=at("2026-03-01")), "B1")
    with pytest.raises(LetterUnworkableError):
        letter_facts(drawn(), "B1", wanted=Wanted(kind="sermon"))
    with pytest.raises(LetterUnworkableError):
        letter_facts(drawn(), "B1", wanted=Wanted(kind="reminder", language="ja"))
    two = [invoice(legal_entity="1000"), invoice("F2", legal_entity="2000")]
    with pytest.raises(LetterUnworkableError, match="1000, 2000"):
        letter_facts(drawn(invoice=two), "B1")
    hidden = drawn(invoice=two).limited(Scope(legal_entities=frozenset({"2000"})))
    assert [one.invoice_id for one in letter_facts(hidden, "B1").facts.invoices] == ["F2"]


@pytest.mark.parametrize(
    ("language", "says", "never"), [("en", "fall due shortly", "passed their due date"), ("zh", "即将到期", "已过付款期限")]
)
def test_a_reminder_goes_before_the_due_date_and_calls_nothing_late(language, says, never):
    soon = [invoice("F1", "2026-04-01"), invoice("F2", "2026-04-06"), invoice("F3", "2026-04-08"), invoice("F4", "2026-03-31", amount=5_00)]
    paid = [
        {
            "settlement_id": "S",
            "kind": "cash",
            "buyer_id": "B1",
            "invoice_id": "F4",
            "instalment": 1,
            "settle_date": at("2026-03-30"),
            "amount_minor": 5_00,
        }
    ]
    here = drawn(on=at("2026-03-31"), invoice=soon, settlement=paid)
    facts = letter_facts(here, "B1", wanted=Wanted(kind="reminder", language=language)).facts
    assert [(one.invoice_id, one.days_late, one.interest_minor) for one in facts.invoices] == [("F1", 0, 0), ("F2", 0, 0)]
    assert (facts.until, facts.deadline) == (at("2026-03-31"), at("2026-04-06"))
    text = str(compose(facts))
    assert says in text
    assert never not in text
    assert [(one.kind, one.step, one.due_on, one.invoices) for one in letters_due(here)] == [("reminder", "P00", at("2026-04-01"), 2)]
    sent = [{"notice_id": "N", "kind": "reminder", "buyer_id": "B1", "sent_on": at("2026-03-27")}]
    assert letters_due(drawn(on=at("2026-03-31"), invoice=soon, settlement=paid, notice=sent)) == []


def test_the_same_letter_has_the_same_mark_and_number():
    first, again = (
        letter_facts(drawn(), "B1", wanted=SEEN).facts,
        letter_facts(drawn(), "B1", wanted=replace(SEEN, channel="email", language="en")).facts,
    )
    assert mark_of(first) == mark_of(again) and first.number == again.number
    for other in ({"step": "P06"}, {"case_id": "C000001"}, {"kind": "reminder"}, {"name": "Else"}):
        assert mark_of(letter_facts(drawn(), "B1", wanted=replace(SEEN, **other)).facts) != mark_of(first)


def test_every_kind_and_language_comes_out_of_a_book():
    tables = {
        "security": [
            {
                "security_id": "S1",
                "buyer_id": "B1",
                "kind": "guarantee",
                "valid_from": at("2026-01-01"),
                "guarantor_id": "顾某",
                "reference": "BZ-1",
            }
        ]
    }
    plan = (PlanInstalment(date(2026, 8, 1), "CNY", 1_000_00),)
    for kind, languages in LANGUAGES_OF.items():
        for language in languages:
            facts = letter_facts(drawn(**tables), "B1", wanted=replace(SEEN, kind=kind, language=language, plan=plan)).facts
            assert compose(facts).number == facts.number


# --- letterhead -------------------------------------------------------------------------------------------------------------------------------


def test_a_letterhead_is_the_company_s_own():
    found = drawn(
        settings={
            "letterhead": {"": OWN, "2000": {**OWN, "name": "Second Ltd"}},
            "legal_entity_names": {"1000": "First Ltd", "2000": "Second"},
        }
    )
    assert letterhead(found, "2000").name == "Second Ltd"
    assert letterhead(found, "1000") == Letterhead(name="First Ltd")  # never in another company's name
    assert letterhead(found).name == OWN["name"]
    assert letterhead(drawn(own={}, settings={"company": "The Firm"}), "1000").name == "The Firm"


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"motto": "x"}, LetterheadInvalidError), ({"name": "a\nb"}, LetterheadInvalidError), ({"name": "x" * 501}, LetterheadInvalidError), ({"country": "QQ"}, CountryUnknownError),
        ({"accounts": "x"}, LetterheadInvalidError), ({"accounts": [{"iban": "x"}]}, LetterheadInvalidError), ({"accounts": [{"holder": "x"}]}, LetterheadInvalidError), ({"name": 3}, LetterheadInvalidError),
    ],
)  # fmt: skip
def test_what_a_letterhead_cannot_be(wrong, error):
    with pytest.raises(error):
        checked(wrong)


def test_a_letterhead_and_logo_are_kept_in_the_ledger(tmp_path):
    ledger = open_ledger(tmp_path / "ledger", create=True, threads=1)
    made = checked(OWN)
    assert checked(made.plain) == made
    keep_letterhead(ledger, "", made, by="anna")
    keep_letterhead(ledger, "2000", replace(made, name="Second"), by="anna")
    logo = checked_logo(
        base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="), "image/png"
    )
    keep_logo(ledger, "", logo, by="anna")
    kept = ledger.as_of(date.max)
    assert letterhead(kept) == replace(made, logo=logo) and letterhead(kept, "2000").name == "Second"
    keep_logo(ledger, "", "")
    assert letterhead(ledger.as_of(date.max)).logo == ""
    for data, kind in (
        (b"GIF", "image/gif"),
        (b"no picture", "image/png"),
        (b"\x89PNG" + b"x" * 300_001, "image/png"),
        (b"<html>", "image/svg+xml"),
    ):
        with pytest.raises(LetterheadInvalidError):
            checked_logo(data, kind)
