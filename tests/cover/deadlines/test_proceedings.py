"""Bills, preservation, freezes, enforcement, insolvency claims, the demand letter and what an insurer asks for."""

from __future__ import annotations

from datetime import date

import pytest

from duecourse.cover.deadlines.clock import Event
from duecourse.cover.deadlines.duties import PolicyTerms, demand_letter, insurer_duties, policy_terms
from duecourse.cover.deadlines.proceedings import bills, enforcement, frozen_kind, insolvency_claim, preservation
from duecourse.errors import OptionMisusedError
from duecourse.reference.procedures import insolvency_window


def at(text: str) -> date:
    return date.fromisoformat(text)


def event(kind: str, day: str, **more) -> Event:
    return Event(kind, at(day), at(more.pop("received", day)), more.pop("proof", "sha"), **more)


def test_a_bill_has_six_months_against_endorsers_and_two_years_against_its_acceptor():
    found = {one.code: one for one in bills([event("bill_dishonoured", "2025-01-10", due_on=at("2025-01-08"))], on=at("2025-02-01"))}
    assert found["bill_recourse"].ends_on == at("2025-07-10")
    assert found["bill_acceptor"].ends_on == at("2027-01-08")
    sued = bills([event("bill_dishonoured", "2025-01-10"), event("suit", "2025-07-10")], on=at("2025-09-01"))
    assert {one.state for one in sued} == {"met"}
    late = bills([event("bill_dishonoured", "2025-01-10"), event("suit", "2025-07-11")], on=at("2025-09-01"))
    assert [one.state for one in late] == ["ended", "met"]


def test_a_bill_is_to_be_presented_within_ten_days_of_its_maturity():
    held = event("bill_received", "2025-06-01", due_on=at("2025-09-26"), reference="B1")
    present, acceptor = bills([held], on=at("2025-06-02"))
    # Ten days end on 6 October, in the golden week: the last day moves behind it, but one acts before it.
    assert (present.code, present.ends_on, present.act_by, present.state) == (
        "bill_presentment",
        at("2025-10-09"),
        at("2025-09-30"),
        "running",
    )
    assert (acceptor.code, acceptor.ends_on, acceptor.state) == ("bill_acceptor", at("2027-09-26"), "running")
    late = bills([held, event("bill_presented", "2025-10-10", reference="B1")], on=at("2025-10-11"))
    assert [one.state for one in late] == ["ended", "running"]
    other = bills([held, event("bill_presented", "2025-09-29", reference="B2")], on=at("2025-10-11"))
    assert other[0].state == "ended"
    paid = bills([held, event("part_payment", "2025-09-29", reference="B1")], on=at("2025-10-11"))
    assert {one.state for one in paid} == {"met"}
    elsewhere = bills([held, event("part_payment", "2025-09-29")], on=at("2025-09-30"))
    assert {one.state for one in elsewhere} == {"running"}


def test_a_refused_bill_knows_its_maturity_from_its_number():
    held = event("bill_received", "2025-06-01", due_on=at("2025-09-26"), reference="B1")
    found = {one.code: one for one in bills([held, event("bill_dishonoured", "2025-09-28", reference="B1")], on=at("2025-10-11"))}
    assert found["bill_presentment"].state == "met"
    assert (found["bill_acceptor"].ends_on, found["bill_recourse"].ends_on) == (at("2027-09-26"), at("2026-03-28"))
    assert len(found) == 3


def test_after_preservation_before_suit_thirty_days_run_and_an_end_in_a_holiday_moves():
    frozen = event("preservation", "2025-09-02", text="冻结银行存款")
    sue, freeze = preservation([frozen], on=at("2025-09-10"))
    assert (sue.code, sue.ends_on, sue.act_by) == ("presuit_preservation", at("2025-10-09"), at("2025-09-30"))
    assert (freeze.code, freeze.ends_on, freeze.act_by) == ("freeze", at("2026-09-02"), at("2026-08-26"))
    assert preservation([frozen, event("arbitration", "2025-10-09")], on=at("2025-10-20"))[0].state == "met"
    assert preservation([frozen, event("suit", "2025-10-10")], on=at("2025-10-20"))[0].state == "ended"
    assert [one.code for one in preservation([event("suit", "2025-08-01"), frozen], on=at("2025-10-20"))] == ["freeze"]


@pytest.mark.parametrize(
    ("text", "kind", "end"),
    [
        ("银行账户", "deposit", "2026-09-02"),
        ("车辆 沪A12345", "movable", "2027-09-02"),
        ("不动产：厂房", "real_estate", "2028-09-02"),
        ("", None, "2026-09-02"),
    ],
)
def test_a_freeze_holds_as_long_as_its_kind(text, kind, end):
    assert frozen_kind(text) == kind
    freeze = preservation([event("preservation", "2025-09-02", text=text)], on=at("2025-09-10"))[-1]
    assert freeze.ends_on == at(end)
    assert bool(freeze.warnings) == (kind is None)


def test_a_freeze_is_renewed_by_another_of_the_same_reference():
    first = event("preservation", "2025-09-02", text="存款", reference="(2025)1")
    again, other = (event("preservation", "2026-08-20", text="存款", reference=text) for text in ("(2025)1", "(2026)7"))
    assert [one.state for one in preservation([first, again], on=at("2026-10-01")) if one.code == "freeze"] == ["met", "running"]
    assert [one.state for one in preservation([first, other], on=at("2026-10-01")) if one.code == "freeze"] == ["ended", "running"]


def run_enforcement(*events: Event, on: str, country: str = "CN", years: int | None = 2):
    return enforcement(events, on=at(on), country=country, years=years, source="", confidence="H")


def test_enforcement_runs_two_years_from_the_day_the_judgment_gives_and_a_demand_restarts_it():
    judgment = event("judgment", "2023-05-10", due_on=at("2023-05-25"))
    assert run_enforcement(on="2023-06-01") is None
    assert run_enforcement(judgment, on="2023-06-01").ends_on == at("2025-05-26")  # 25 May 2025 is a Sunday
    assert run_enforcement(judgment, event("demand", "2024-06-03"), on="2024-07-01").ends_on == at("2026-06-03")
    assert run_enforcement(judgment, event("enforcement", "2025-05-26"), on="2025-06-01").state == "met"
    assert run_enforcement(judgment, event("enforcement", "2025-05-27"), on="2025-06-01").state == "ended"
    assert run_enforcement(judgment, event("demand", "2024-06-03"), on="2024-07-01", country="GB", years=6).ends_on == at("2029-05-25")
    assert run_enforcement(judgment, on="2024-07-01", country="MY", years=None).state == "unknown"


@pytest.mark.parametrize(
    ("country", "own", "end"),
    [
        ("CN", "CN", "2025-04-01"),
        ("FR", "FR", "2025-05-02"),
        ("FR", "CN", "2025-07-02"),  # two months more for creditors abroad
        ("DE", "CN", "2025-03-16"),
        ("ES", "CN", "2025-04-02"),
        ("IN", "CN", "2025-03-16"),
        ("BR", "CN", "2025-03-17"),
        ("MX", "CN", "2025-03-22"),
        ("US", "CN", "2025-05-11"),
        ("NL", "CN", None),
        ("AD", "CN", None),
    ],
)
def test_the_window_for_claims_in_an_insolvency(country, own, end):
    notice = event("insolvency_notice", "2025-03-02")
    found = insolvency_claim([notice], insolvency_window(country), on=at("2025-03-03"), country=country, own_country=own)
    assert found.ends_on == (at(end) if end else None)
    assert found.state == ("running" if end else "unknown")
    assert found.warnings  # the announced day is not known


def test_the_announced_day_goes_before_the_table():
    notice = event("insolvency_notice", "2025-03-02", due_on=at("2025-05-30"))
    found = insolvency_claim([notice], insolvency_window("CN"), on=at("2025-06-02"), country="CN")
    assert (found.ends_on, found.state, found.warnings) == (at("2025-05-30"), "ended", ())
    kept = insolvency_claim([notice, event("bankruptcy_claim", "2025-05-30")], insolvency_window("CN"), on=at("2025-06-02"), country="CN")
    assert kept.state == "met"


def test_the_demand_letter_goes_out_in_three_working_days_counting_swapped_ones():
    assert demand_letter(at("2026-09-30"), [], on=at("2026-10-01")).ends_on == at("2026-10-10")  # 1 to 7 October off, Saturday 10 worked
    assert demand_letter(at("2025-09-26"), [], on=at("2025-09-27")).ends_on == at("2025-09-30")  # Sunday 28 September is worked
    sent = [event("demand", "2026-10-10", received="2026-10-14")]
    assert demand_letter(at("2026-09-30"), sent, on=at("2026-10-20")).state == "met"
    assert demand_letter(at("2026-09-30"), [event("demand", "2026-10-11")], on=at("2026-10-20")).state == "ended"
    assert demand_letter(at("2027-02-05"), [], on=at("2027-02-06")).provisional  # holidays of 2027 are not announced
    assert demand_letter(at("2025-04-17"), [], on=at("2025-04-18"), own_country="DE").ends_on == at("2025-04-24")


def test_the_firm_s_own_working_days_go_first():
    overrides = (("CN", at("2026-03-09"), False),)
    assert demand_letter(at("2026-03-05"), [], on=at("2026-03-06")).ends_on == at("2026-03-10")
    assert demand_letter(at("2026-03-05"), [], on=at("2026-03-06"), overrides=overrides).ends_on == at("2026-03-11")


TERMS = PolicyTerms(policy="P-1", mep_days=60, notice_days=30, notice_from="mep_end", handover_days=30, waiting_months=6, claim_days=30)


def test_an_insurer_s_duties_follow_the_policy_and_move_earlier():
    found = {one.code: one for one in insurer_duties(TERMS, at("2025-08-05"), [], on=at("2025-08-10"))}
    assert {code: one.ends_on.isoformat() for code, one in found.items()} == {
        "insurer_stop": "2025-10-04", "insurer_notice": "2025-11-03", "insurer_handover": "2025-11-03", "insurer_claim": "2026-03-07",
    }  # fmt: skip
    assert found["insurer_stop"].act_by == at("2025-09-30")  # 4 October is in the Golden Week
    told = insurer_duties(TERMS, at("2025-08-05"), [event("notice_of_overdue", "2025-11-03")], on=at("2025-12-01"))
    assert {one.code: one.state for one in told}["insurer_notice"] == "met"


@pytest.mark.parametrize(
    "wrong", [{"mep_days": -1}, {"mep_days": "60"}, {"mep_days": True}, {"notice_from": "invoice_date"}, {"unheard_of": 1}]
)
def test_terms_that_cannot_be_are_refused(wrong):
    with pytest.raises(OptionMisusedError):
        policy_terms(wrong)


def test_no_terms_no_duties():
    assert policy_terms({}) is None
    assert insurer_duties(PolicyTerms(notice_days=30, notice_from="mep_end"), at("2025-08-05"), [], on=at("2025-08-10")) == ()
