"""When the claims of a case are barred: by which laws, by what was done about which invoice."""

from __future__ import annotations

from datetime import date

from duecourse.cover.deadlines.limitation import Debt as OneDebt
from duecourse.cover.deadlines.limitation import limitation
from duecourse.desk.open_case import Arrears, Debt, Limitation, situation
from duecourse.reference.limitation import limitation_law
from duecourse.samples import book

DAY = date(2026, 6, 1)
SETTINGS = [{"name": "own_country", "value": '"CN"'}]


def owed(*due):
    debts = tuple(Debt(str(number), 1, day, "EUR", 100, 100) for number, day in enumerate(due, 1))
    return Arrears("b", "IT", debts)


def ends(facts, *due, country="IT"):
    return Limitation(book(DAY, setting=SETTINGS, **facts)).ends(owed(*due), country)


def by_law(code, due):
    return limitation(limitation_law(code), OneDebt((due,), None, code != "CN"), (), on=DAY, own_country="CN").ends_on


def contract(law):
    return {"contract_id": f"c{law}", "buyer_id": "b", "valid_from": date(2025, 1, 1), "governing_law": law}


def test_where_no_law_is_agreed_the_earlier_of_two_calls_and_the_later_bars():
    due = date(2026, 4, 1)
    assert by_law("CN", due) < by_law("IT", due)
    assert ends({}, due) == (by_law("CN", due), by_law("IT", due))


def test_an_agreed_law_holds_alone_and_a_contract_that_names_none_brings_both_back():
    due = date(2026, 4, 1)
    assert ends({"contract": [contract("IT")]}, due)[0].year == 2036
    assert ends({"contract": [contract("IT"), contract(None)]}, due)[0] == by_law("CN", due)
    assert ends({"contract": [contract("CN")]}, due) == (by_law("CN", due), by_law("CN", due))


def test_what_was_done_about_one_invoice_keeps_no_other_alive():
    event = {"event_id": "e", "buyer_id": "b", "kind": "acknowledgement", "happened_on": date(2026, 5, 1), "received_on": date(2026, 5, 1), "proof": "s"}  # fmt: skip
    facts = {"contract": [contract("CN")]}
    before, after = date(2024, 4, 1), date(2026, 5, 1)
    assert ends({**facts, "case_event": [event]}, before)[0].year == after.year + 3
    assert ends({**facts, "case_event": [{**event, "invoice_id": "2", "instalment": 1}]}, before)[0] == by_law("CN", before)
    both = ends({**facts, "case_event": [{**event, "invoice_id": "1"}]}, before, date(2025, 1, 15))
    assert both[0] == by_law("CN", date(2025, 1, 15))


def test_of_ends_that_have_passed_the_next_is_called_and_what_is_barred_is_told():
    old, new = date(2021, 4, 1), date(2026, 4, 1)
    facts = {"contract": [contract("CN")]}
    assert ends(facts, old, new) == (by_law("CN", new), by_law("CN", old))
    assert ends(facts, old) == (by_law("CN", old), by_law("CN", old))
    anchors = situation(owed(old, new), DAY, _known(), limitation=ends(facts, old, new)).anchors
    assert (anchors["limitation_end"], anchors["limitation_over"]) == (by_law("CN", new), by_law("CN", old))
    # By Italian law the old debt can still be claimed: nothing is barred before 2031.
    assert ends({}, old, new) == (by_law("CN", new), by_law("IT", old))


def _known():
    from duecourse.desk.open_case import Circumstances

    return Circumstances({}, {})
