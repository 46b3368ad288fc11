"""Money typed on the command line is read in the currency it is in: a case's own for what was recovered, the invoices' for what is promised."""

from __future__ import annotations

from datetime import date

import pytest

from duecourse.cli import cases
from duecourse.errors import OptionMisusedError

pytestmark = pytest.mark.alike


@pytest.fixture
def case(db):
    from duecourse.web.cases.models import Case

    day = date(2026, 3, 2)
    return Case.objects.create(buyer_id="b", cause="test", currency="CNY", oldest_due_on=day, opened_on=day, seen_on=day)


def owes(case, *currencies):
    from duecourse.web.cases.models import CaseInvoice

    for number, currency in enumerate(currencies):
        CaseInvoice.objects.create(
            case=case,
            invoice_id=str(number),
            due_on=case.opened_on,
            currency=currency,
            joined_on=case.opened_on,
            joined_minor=1,
            open_minor=1,
        )


def test_a_case_in_yen_is_closed_in_the_firm_s_own_currency(case):
    owes(case, "JPY")
    assert cases._minor("1000", cases._currency(case.pk)) == 1000
    assert cases._minor("1000", cases._found(case.pk).currency) == 100_000


def test_of_several_currencies_one_has_to_be_named(case):
    owes(case, "JPY", "USD")
    with pytest.raises(OptionMisusedError, match="JPY, USD"):
        cases._currency(case.pk)
