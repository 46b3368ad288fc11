"""What a buyer owes for being late: from the ledger's facts, with the firm's own country, size and rates."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from duecourse.desk.late_interest import by_law_order, owed, received
from duecourse.desk.reference_rates import rates_of, set_rate, withdraw_rate
from duecourse.errors import BuyerUnknownError, FactUnknownError, OptionMisusedError, ReferenceSeriesUnknownError
from duecourse.samples import book
from support.importing import new_ledger

DUE = date(2025, 3, 31)
OWN = [{"name": "own_country", "value": '"CN"'}, {"name": "own_size", "value": '"small"'}]


def of(on=date(2025, 6, 30), *, buyer=None, invoices=None, settlement=(), contract=(), case_event=(), setting=OWN, **asked):
    rows = invoices or [{"invoice_id": "1", "due_date": DUE, "amount_minor": 10_000_000}]
    made = book(
        on, buyer=[{"buyer_id": "b", "country": "CN", **(buyer or {})}], setting=setting, contract=list(contract), case_event=list(case_event),
        invoice=[{"buyer_id": "b", "issue_date": date(2025, 1, 1), **row} for row in rows],
        settlement=[{"buyer_id": "b", "invoice_id": "1", **row} for row in settlement],
    )  # fmt: skip
    return owed(made, "b", **asked), made


def test_an_invoice_that_is_late():
    found, _ = of()
    (one,) = found.invoices
    assert (one.principal_minor, one.interest_minor, one.daily_minor, one.regime, one.days_late) == (
        10_000_000,
        115_932,
        1_274,
        "CN_SALES_LPR",
        91,
    )
    assert [segment.days for _code, segment in one.segments] == [91]
    assert found.law == "CN"
    assert found.totals() == {"CNY": {"principal": 10_000_000, "interest": 115_932, "compensation": 0}}


def test_a_large_buyer_pays_more():
    found, _ = of(buyer={"enterprise_size": "大型企业"})
    assert (found.invoices[0].regime, found.invoices[0].interest_minor) == ("CN_SME_REG", 455_000)


def test_paid_late_still_owes_interest_and_loses_none_later():
    payment = {"settle_date": date(2025, 6, 30), "amount_minor": 10_000_000}
    for on in (date(2025, 6, 30), date(2026, 6, 30)):
        found, _ = of(on, settlement=[payment])
        assert (found.invoices[0].principal_minor, found.invoices[0].interest_minor, found.invoices[0].daily_minor) == (0, 115_932, 0)
    assert of(date(2028, 7, 30), settlement=[payment])[0].invoices == ()


def test_paid_in_time_owes_nothing():
    found, _ = of(settlement=[{"settle_date": date(2025, 3, 31), "amount_minor": 10_000_000}])
    assert found.invoices == ()


def test_part_payments_cut_the_segments():
    found, _ = of(buyer={"enterprise_size": "large"}, settlement=[{"settle_date": date(2025, 4, 30), "amount_minor": 4_000_000}])
    (one,) = found.invoices
    assert [(segment.days, segment.base_minor) for _code, segment in one.segments] == [(30, 10_000_000), (61, 6_000_000)]
    assert one.interest_minor == 30 * 5_000 + 61 * 3_000
    assert (one.settled_minor, one.principal_minor) == (4_000_000, 6_000_000)


def test_a_credit_note_lowers_the_price_and_a_write_off_does_not_end_the_debt():
    found, _ = of(
        buyer={"enterprise_size": "large"},
        settlement=[
            {"settle_date": date(2025, 5, 30), "amount_minor": 4_000_000, "kind": "credit_note"},
            {"settle_date": date(2025, 5, 31), "amount_minor": 6_000_000, "kind": "write_off"},
        ],
    )
    (one,) = found.invoices
    assert (one.principal_minor, one.interest_minor) == (6_000_000, 91 * 3_000)
    assert "interest.written_off" in [said.code for said in one.basis]


def test_a_payment_known_only_between_two_days_counts_from_the_first():
    found, _ = of(
        buyer={"enterprise_size": "large"},
        settlement=[
            {
                "settle_date": date(2025, 6, 20),
                "settle_date_from": date(2025, 4, 10),
                "inferred": True,
                "amount_minor": 10_000_000,
                "kind": "unknown",
            }
        ],
    )
    assert found.invoices[0].interest_minor == 10 * 5_000


def test_the_contract_in_force_on_the_day_of_the_invoice_counts():
    contract = [
        {"contract_id": "old", "buyer_id": "b", "valid_from": date(2024, 1, 1), "valid_to": date(2024, 12, 31), "late_interest": "9%/d"},
        {"contract_id": "new", "buyer_id": "b", "valid_from": date(2024, 12, 1), "late_interest": "日万分之三"},
    ]
    found, _ = of(contract=contract)
    assert (found.invoices[0].regime, found.invoices[0].interest_minor) == ("CN_AGREED", 91 * 3_000)
    bad, _ = of(contract=[{**contract[1], "late_interest": "reasonable"}])
    assert bad.invoices[0].regime == "CN_SALES_LPR"
    assert "interest.contract_unreadable" in [said.code for said in bad.invoices[0].basis]


def test_a_judgment_in_the_case_adds_doubled_interest():
    event = [{"event_id": "e", "buyer_id": "b", "kind": "judgment", "happened_on": date(2025, 5, 1), "promised_on": date(2025, 5, 31)}]
    found, _ = of(case_event=event)
    assert {code for code, _ in found.invoices[0].segments} == {"CN_SALES_LPR", "CN_JUDGMENT"}
    assert found.invoices[0].interest_minor == 115_932 + 52_500


def test_european_debts_carry_the_fixed_sum():
    row = {"invoice_id": "1", "due_date": date(2026, 5, 31), "amount_minor": 1_000_000, "currency": "EUR"}
    found, _ = of(date(2026, 8, 31), buyer={"country": "DE"}, setting=[{"name": "own_country", "value": '"DE"'}], invoices=[row])
    assert (found.invoices[0].interest_minor, found.invoices[0].compensation_minor, found.invoices[0].compensation_currency) == (
        26_311,
        4_000,
        "EUR",
    )


def test_a_rate_nobody_knows_refuses_that_invoice_alone():
    rows = [
        {"invoice_id": "1", "due_date": DUE, "amount_minor": 10_000_000},
        {"invoice_id": "2", "due_date": date(2026, 10, 25), "amount_minor": 100},
    ]
    found, _ = of(date(2026, 11, 29), invoices=rows)
    assert [one.interest_minor is None for one in found.invoices] == [False, True]
    assert found.invoices[1].refused.code == "errors.reference_rate_old"


def test_only_the_invoices_asked_for_and_nobody_elses():
    rows = [{"invoice_id": "1", "due_date": DUE, "amount_minor": 100}, {"invoice_id": "2", "due_date": DUE, "amount_minor": 100}]
    found, made = of(invoices=rows)
    assert [one.invoice_id for one in owed(made, "b", [("2", 1)]).invoices] == ["2"]
    with pytest.raises(FactUnknownError):
        owed(made, "b", [("9", 1)])
    with pytest.raises(BuyerUnknownError):
        owed(made, "nobody")
    assert len(found.invoices) == 2


def test_the_same_payments_in_the_laws_order_pay_the_interest_first():
    found, made = of(buyer={"enterprise_size": "large"}, settlement=[{"settle_date": date(2025, 4, 30), "amount_minor": 4_000_000}])
    order = by_law_order(made, found)["CNY"]
    assert [(one.part, one.amount_minor) for one in order.application.applied] == [("interest", 150_000), ("principal", 3_850_000)]
    assert order.left == (("1/1", 6_150_000, 61 * 3_075),)


def test_payments_taken_back_are_set_against_the_last_ones():
    first, second = date(2025, 4, 1), date(2025, 5, 1)
    assert received([(first, 100), (second, 50), (date(2025, 6, 1), -70)]) == [(first, 80)]
    assert received([(first, -5), (second, 50)]) == [(second, 50)]


def test_rates_of_the_firm_are_facts_of_its_ledger(tmp_path):
    ledger = new_ledger(tmp_path / "ledger")
    set_rate(ledger, "pl_nbp_reference", date(2026, 1, 1), Decimal("0.0400"), source="NBP", by="anna")
    before = ledger.state.last.recorded_at
    set_rate(ledger, "PL_NBP_REFERENCE", date(2026, 1, 1), Decimal("0.0375"))
    day = date(2026, 3, 1)
    assert rates_of(ledger.as_of(date.max))["PL_NBP_REFERENCE"].at(day).rate == Decimal("0.0375")
    assert rates_of(ledger.as_of(date.max, before))["PL_NBP_REFERENCE"].at(day).rate == Decimal("0.0400")
    withdraw_rate(ledger, "PL_NBP_REFERENCE", date(2026, 1, 1))
    assert "PL_NBP_REFERENCE" not in rates_of(ledger.as_of(date.max)).series
    with pytest.raises(ReferenceSeriesUnknownError):
        set_rate(ledger, "WISH", date(2026, 1, 1), Decimal("0.04"))
    with pytest.raises(OptionMisusedError):
        set_rate(ledger, "ZA_REPO", date(2026, 1, 1), Decimal(7))


def test_doubled_interest_comes_last_in_the_laws_order():
    event = [{"event_id": "e", "buyer_id": "b", "kind": "judgment", "happened_on": date(2025, 4, 1), "promised_on": date(2025, 4, 30)}]
    payment = {"settle_date": date(2025, 5, 30), "amount_minor": 10_090_000}
    found, made = of(case_event=event, settlement=[payment])
    parts = by_law_order(made, found)["CNY"].application.applied
    assert [one.part for one in parts] == ["interest", "principal", "doubled"]
    assert sum(one.amount_minor for one in parts) == 10_090_000
