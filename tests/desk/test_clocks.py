"""The clocks of a buyer, drawn up from the ledger's tables."""

from __future__ import annotations

import json
from datetime import date

import pytest

from duecourse.cover.deadlines.clock import Event
from duecourse.desk.clocks import clocks_of, plain
from duecourse.ledger.scope import Scope
from duecourse.samples.book import book


def at(text: str) -> date:
    return date.fromisoformat(text)


def invoice(number: str = "F1", due: str = "2022-03-31", **more):
    return {"invoice_id": number, "buyer_id": "B1", "issue_date": at("2022-01-31"), "due_date": at(due), "amount_minor": 100_00, **more}


def ledger(on: str, *, country: str = "CN", **tables):
    tables.setdefault("invoice", [invoice()])
    setting = tables.pop("settings", {})
    buyer = [{"buyer_id": "B1", "name": "Slow Ltd", "country": country}]
    rows = [{"name": name, "value": json.dumps(value)} for name, value in setting.items()]
    return book(at(on), buyer=buyer, setting=rows, **tables)


def by_code(clocks):
    return {(one.code, one.country): one for one in clocks}


def case_event(number: str, kind: str, day: str, **more):
    return {"event_id": number, "case_id": "C1", "buyer_id": "B1", "kind": kind, "happened_on": at(day), **more}


def test_what_is_paid_or_not_yet_due_has_no_clock():
    paid = [{"buyer_id": "B1", "invoice_id": "F1", "settle_date": at("2022-04-05"), "amount_minor": 100_00}]
    assert clocks_of(ledger("2022-05-01", settlement=paid), "B1") == ()
    assert clocks_of(ledger("2022-03-31"), "B1") == ()
    assert clocks_of(ledger("2022-05-01"), "B9") == ()


def test_limitation_from_letters_payments_and_case_events_and_not_from_reminders():
    letters = [
        {"notice_id": "N1", "kind": "demand_letter", "buyer_id": "B1", "sent_on": at("2023-01-05"), "received_on": at("2023-01-09"), "document": "a1", "invoices": '[["F1", 1]]'},
        {"notice_id": "N2", "kind": "reminder", "buyer_id": "B1", "sent_on": at("2024-01-05"), "received_on": at("2024-01-09")},
    ]  # fmt: skip
    found = by_code(clocks_of(ledger("2024-06-01", notice=letters), "B1"))[("limitation", "CN")]
    assert found.ends_on == at("2026-01-09")
    paid = [{"buyer_id": "B1", "invoice_id": "F1", "settle_date": at("2024-03-05"), "amount_minor": 10_00, "settlement_id": "P1"}]
    found = by_code(clocks_of(ledger("2024-06-01", notice=letters, settlement=paid), "B1"))[("limitation", "CN")]
    assert found.ends_on == at("2027-03-05")
    assert found.events[-1].event.proof == "settlement P1"
    events = [case_event("E1", "acknowledgement", "2024-04-01", proof="b2")]
    found = by_code(clocks_of(ledger("2024-06-01", case_event=events), "B1"))[("limitation", "CN")]
    assert found.ends_on == at("2027-04-01")


def test_a_payment_taken_back_or_made_by_another_is_no_part_payment():
    rows = [
        {"buyer_id": "B1", "invoice_id": "F1", "settle_date": at("2024-02-05"), "amount_minor": 10_00},
        {"buyer_id": "B1", "invoice_id": "F1", "settle_date": at("2024-02-09"), "amount_minor": -10_00},
        {"buyer_id": "B1", "payer_id": "B7", "invoice_id": "F1", "settle_date": at("2024-03-05"), "amount_minor": 5_00},
        {"buyer_id": "B1", "invoice_id": "F1", "settle_date": at("2024-03-06"), "amount_minor": 5_00, "kind": "credit_note"},
    ]
    found = by_code(clocks_of(ledger("2024-06-01", settlement=rows), "B1"))[("limitation", "CN")]
    assert found.ends_on == at("2025-03-31")
    assert [one.effect for one in found.events] == ["none"]


def test_an_event_of_one_invoice_leaves_the_other_alone():
    two = [invoice("F1"), invoice("F2", "2022-04-30")]
    events = [case_event("E1", "promise", "2023-05-08", invoice_id="F2", proof="x")]
    found = {one.about["invoice_id"]: one.ends_on for one in clocks_of(ledger("2023-06-01", invoice=two, case_event=events), "B1") if one.code == "limitation"}  # fmt: skip
    assert found == {"F1": at("2025-03-31"), "F2": at("2026-05-08")}


def test_events_after_the_book_are_not_there_and_what_is_tried_out_is():
    events = [case_event("E1", "promise", "2024-07-01", proof="x")]
    view = ledger("2024-06-01", case_event=events)
    assert by_code(clocks_of(view, "B1"))[("limitation", "CN")].ends_on == at("2025-03-31")
    tried = clocks_of(view, "B1", events=[Event("promise", at("2024-05-06"), at("2024-05-06"), "x")])
    assert by_code(tried)[("limitation", "CN")].ends_on == at("2027-05-06")


def test_without_an_agreed_law_both_laws_are_watched_and_with_one_only_that():
    found = by_code(clocks_of(ledger("2022-06-01", country="GB"), "B1"))
    assert found[("limitation", "CN")].ends_on == at("2025-03-31")
    assert found[("limitation", "GB")].ends_on == at("2028-03-31")
    assert any(one.code == "clocks.warn_law_unknown" for one in found[("limitation", "GB")].warnings)
    contract = [{"contract_id": "K1", "buyer_id": "B1", "valid_from": at("2021-01-01"), "governing_law": "CN", "subject": "goods"}]
    found = by_code(clocks_of(ledger("2022-06-01", country="GB", contract=contract), "B1"))
    assert ("limitation", "GB") not in found
    assert found[("limitation", "CN")].ends_on == at("2026-03-31")  # an international sale of goods


def test_instalments_of_one_invoice_run_together_in_china():
    rows = [invoice(instalment=1), invoice(due="2022-09-30", instalment=2)]
    found = [one for one in clocks_of(ledger("2022-10-20", invoice=rows), "B1") if one.code == "limitation"]
    assert {one.ends_on for one in found} == {at("2025-09-30")}


def test_guarantors_insolvency_and_the_insurer():
    securities = [
        {"security_id": "S1", "buyer_id": "B1", "kind": "guarantee", "guarantor_id": "Old Oak Ltd", "text": "连带责任保证", "valid_from": at("2021-01-01")},
        {"security_id": "S2", "buyer_id": "B1", "kind": "guarantee", "guarantor_id": "Gone Ltd", "valid_from": at("2021-01-01"), "released_on": at("2022-01-01")},
        {"security_id": "S3", "buyer_id": "B1", "kind": "retention_of_title", "valid_from": at("2021-01-01")},
    ]  # fmt: skip
    letter = {"notice_id": "N1", "kind": "guarantor_demand", "buyer_id": "B1", "recipient": None, "sent_on": at("2022-05-05"), "received_on": at("2022-05-09")}  # fmt: skip
    signals = [{"signal_id": "X", "buyer_id": "B1", "kind": "insolvency", "published_on": at("2022-05-20")}]
    limits = [{"limit_id": "L", "buyer_id": "B1", "kind": "insurer", "valid_from": at("2021-01-01"), "amount_minor": 1}]
    view = ledger(
        "2022-06-01",
        security=securities,
        notice=[letter],
        signal=signals,
        limit=limits,
        settings={"insurer_terms": {"mep_days": 60, "policy": "P"}},
    )
    found = {one.code: one for one in clocks_of(view, "B1")}
    assert found["guarantee_period"].state == "met"
    assert found["guarantee_limitation"].ends_on == at("2025-05-09")
    assert found["insolvency_claim"].ends_on == at("2022-06-19")
    assert found["insurer_stop"].ends_on == at("2022-05-30")
    assert found["demand_letter"].ends_on == at("2022-04-06")  # 2 April worked, 3 to 5 April off
    assert next(one.code for one in clocks_of(view, "B1")) == "insolvency_claim"


def test_a_firm_s_own_calendar_and_days():
    view = ledger("2025-05-01", country="DE", invoice=[invoice(due="2025-04-17")], settings={"calendar": "DE"})
    assert by_code(clocks_of(view, "B1"))[("demand_letter", "DE")].ends_on == at("2025-04-24")
    own = {"calendar": "DE", "working_days": {"DE": {"2025-04-22": False}}}
    view = ledger("2025-05-01", country="DE", invoice=[invoice(due="2025-04-17")], settings=own)
    assert by_code(clocks_of(view, "B1"))[("demand_letter", "DE")].ends_on == at("2025-04-25")


def test_a_buyer_that_may_not_be_seen_has_no_clocks():
    assert clocks_of(ledger("2022-06-01").limited(Scope(groups=frozenset({"G2"}))), "B1") == ()


def test_a_clock_in_plain_values_is_json():
    view = ledger("2022-06-01")
    found = [plain(one, view.on) for one in clocks_of(view, "B1")]
    assert json.loads(json.dumps(found)) == found
    assert {"law", "events", "ends_on", "act_by", "alarms"} <= set(found[0])


@pytest.mark.parametrize("day", ["2022-04-01", "2023-01-01", "2024-12-31", "2025-04-01", "2030-01-01"])
def test_asked_on_any_day_the_period_is_the_same(day):
    found = by_code(clocks_of(ledger(day), "B1"))[("limitation", "CN")]
    assert found.ends_on == at("2025-03-31")
    assert found.state == ("running" if day < "2025-04-01" else "ended")


def test_days_and_terms_are_set_as_text_and_read_back(tmp_path):
    from duecourse.desk.opening import open_ledger
    from duecourse.desk.settings import change, current
    from duecourse.errors import OptionMisusedError

    ledger = open_ledger(str(tmp_path / "ledger"), create=True)
    days, terms = "CN 2027-02-14 worked; CN 2027-02-15 free", "policy=7; mep_days=60; notice_days=30; notice_from=mep_end"
    change(ledger, {"working_days": days, "insurer_terms": terms})
    assert current(ledger)["working_days"] == days
    assert current(ledger)["insurer_terms"] == terms
    kept = ledger.as_of(date(2030, 1, 1)).settings
    assert kept["working_days"] == {"CN": {"2027-02-14": True, "2027-02-15": False}}
    assert kept["insurer_terms"]["policy"] == "7"
    for name, wrong in (("working_days", "CN soon"), ("working_days", "ZZ 2027-02-14 worked"), ("insurer_terms", "mep_days=many"), ("insurer_terms", "luck=1")):  # fmt: skip
        with pytest.raises(OptionMisusedError):
            change(ledger, {name: wrong})
