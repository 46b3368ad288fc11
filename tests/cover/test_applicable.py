"""Which rule applies to whom: every candidate with its reason, the highest one that can be defended taken."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from duecourse.cover.late_interest.agreed import read_rate
from duecourse.cover.late_interest.applicable import Deal, Party, candidates, law_of, size_of
from duecourse.cover.late_interest.claim import Owing, claim
from duecourse.cover.late_interest.rates import Happened
from duecourse.messages import catalogue
from duecourse.reference.countries import COUNTRIES
from duecourse.reference.interest_regimes import REGIMES_OF
from duecourse.reference.reference_rates import SHIPPED, RatePoint

DUE = date(2025, 3, 31)
NOTHING = Happened()


def standing(creditor, debtor, deal=None, happened=NOTHING):
    found = candidates(creditor, debtor, deal or Deal(), rates=SHIPPED, happened=happened, due=DUE)
    return {one.code: one.standing for one in found}


def reasons(creditor, debtor, code, deal=None):
    found = candidates(creditor, debtor, deal or Deal(), rates=SHIPPED, happened=NOTHING, due=DUE)
    return next(one.reasons[0].code for one in found if one.code == code)


def chosen(creditor, debtor, deal=None, happened=NOTHING, rates=SHIPPED, currency="CNY"):
    return claim(Owing(10_000_000, currency, DUE), date(2025, 6, 30), creditor, debtor, deal or Deal(), rates=rates, happened=happened)


CN = Party("CN")
SMALL, LARGE, PUBLIC = Party("CN", "small"), Party("CN", "large"), Party("CN", "public")


def test_china_with_an_agreed_rate():
    found = standing(SMALL, LARGE, Deal(agreed=read_rate("日万分之五")))
    assert found == {
        "CN_AGREED": "applies",
        "CN_SALES_LPR": "alternative",
        "CN_SME_REG": "no",
        "CN_PAYWHENPAID_VOID": "no",
        "CN_JUDGMENT": "no",
    }


@pytest.mark.parametrize(
    ("creditor", "debtor", "expected", "why"),
    [
        (SMALL, LARGE, "applies", "sme"), (Party("CN", "micro"), PUBLIC, "applies", "sme"), (SMALL, CN, "doubtful", "debtor_size_unknown"),
        (CN, LARGE, "doubtful", "own_size_unknown"), (LARGE, PUBLIC, "no", "sme_not_small"), (SMALL, SMALL, "no", "sme_not_large"),
        (SMALL, Party("DE", "large"), "no", "sme_abroad"),
    ],
)  # fmt: skip
def test_the_regulation_protects_small_firms_from_large_ones(creditor, debtor, expected, why):
    assert standing(creditor, debtor)["CN_SME_REG"] == expected
    assert reasons(creditor, debtor, "CN_SME_REG") == f"interest.why_{why}"


def test_the_highest_that_can_be_defended_is_taken():
    assert chosen(SMALL, LARGE).chosen.candidate.code == "CN_SME_REG"
    assert chosen(SMALL, CN).chosen.candidate.code == "CN_SALES_LPR"
    assert chosen(SMALL, LARGE).interest_minor == 455_000


def test_an_agreed_rate_below_lpr_does_not_hold_against_a_small_firm():
    low = Deal(agreed=read_rate("年利率2%"), signed_on=date(2025, 1, 1))
    assert standing(SMALL, LARGE, low)["CN_AGREED"] == "no"
    assert chosen(SMALL, LARGE, low).chosen.candidate.code == "CN_SME_REG"
    assert chosen(LARGE, SMALL, low).chosen.candidate.code == "CN_AGREED"


def test_doubled_interest_comes_on_top_after_a_judgment():
    found = chosen(CN, CN, happened=Happened(judgment=date(2025, 5, 31)))
    assert [one.candidate.code for one in found.additional] == ["CN_JUDGMENT"]
    assert found.interest_minor == 115_932 + 10_000_000 * 175 * 30 // 1_000_000


def test_pay_when_paid_is_void():
    assert standing(SMALL, LARGE, Deal(pay_when_paid=True))["CN_PAYWHENPAID_VOID"] == "applies"


def test_an_excessive_rate_is_cautioned_and_a_low_one():
    def cautions(text):
        found = candidates(CN, CN, Deal(agreed=read_rate(text)), rates=SHIPPED, happened=NOTHING, due=DUE)
        return [one.code for one in found[0].cautions]

    assert cautions("日万分之五") == ["interest.caution_high"]
    assert cautions("年4%") == ["interest.caution_low"]
    assert cautions("LPR的1.5倍") == []
    assert cautions("同期贷款基准利率的1.5倍") == ["interest.caution_obsolete"]


def test_across_the_border_the_sellers_law_the_convention_and_the_buyers_court():
    found = standing(CN, Party("DE"))
    assert found["CN_SALES_LPR"] == "applies"
    assert found["CISG_78"] == "supports"
    assert found["EU_DE"] == "alternative"
    assert standing(CN, Party("DE"), Deal(law="DE"))["EU_DE"] == "applies"
    assert "CISG_78" not in standing(CN, Party("GB"))
    assert "CISG_78" not in standing(CN, Party("DE"), Deal(subject="services"))


def test_english_law_by_choice_alone_is_not_enough():
    assert standing(CN, Party("AE"), Deal(law="GB"))["UK_LPCDA"] == "no"
    assert standing(CN, Party("GB"), Deal(law="GB"))["UK_LPCDA"] == "applies"


def test_an_agreed_rate_goes_before_the_statute_unless_the_statute_overrides():
    agreed = Deal(agreed=read_rate("12% p.a."))
    assert standing(Party("DE"), Party("FR"), agreed)["AGREED"] == "applies"
    assert standing(Party("DE"), Party("FR"), agreed)["EU_DE"] == "alternative"
    assert standing(Party("IN", "micro"), Party("IN"), agreed)["IN_MSMED"] == "applies"
    assert standing(Party("IN", "micro"), Party("IN"), agreed)["AGREED"] == "alternative"
    assert standing(Party("IN"), Party("IN"))["IN_MSMED"] == "doubtful"
    assert standing(Party("US"), Party("US"), agreed)["US_CONTRACT"] == "applies"
    assert standing(Party("US"), Party("US"))["US_CONTRACT"] == "no"
    assert standing(Party("SA"), Party("SA"), agreed) == {"SA_NONE": "applies", "AGREED": "no"}


def test_canada_asks_for_the_yearly_equivalent_and_taiwan_cuts_off():
    monthly = chosen(Party("CA"), Party("CA"), Deal(agreed=read_rate("2% per month")), currency="CAD")
    assert monthly.chosen.candidate.code == "CA_INTEREST_ACT"
    capped = chosen(Party("TW"), Party("TW"), Deal(agreed=read_rate("20% per annum")), currency="TWD")
    assert {float(one.quote.yearly) for one in capped.chosen.accrual.segments} == {0.16}


def test_interest_from_an_event_that_has_not_happened_is_doubtful():
    assert standing(Party("PH"), Party("PH"))["PH_LEGAL"] == "doubtful"
    assert standing(Party("PH"), Party("PH"), happened=Happened(demand=DUE))["PH_LEGAL"] == "applies"


def test_a_rule_that_cannot_be_worked_out_is_told():
    found = chosen(Party("PL"), Party("PL"), currency="PLN")
    assert found.chosen is None
    assert found.refused.code == "errors.reference_rate_missing"
    own = SHIPPED.with_own(
        [("PL_NBP_REFERENCE", RatePoint(date(2025, 1, 1), Decimal("0.0575"), "half_year_reference", "NBP", "H", own=True))]
    )
    assert chosen(Party("PL"), Party("PL"), rates=own, currency="PLN").chosen.candidate.code == "EU_PL"


def test_an_unconfirmed_rule_is_taken_only_where_there_is_no_other():
    found = chosen(Party("HR"), Party("HR"), currency="EUR")
    assert found.chosen.candidate.confidence == "L"


def test_no_law_no_rule():
    assert candidates(Party(), Party(), Deal(), rates=SHIPPED, happened=NOTHING, due=DUE) == ()
    assert law_of(Party(), Party("DE"), Deal())[0] == "DE"


def test_every_country_and_every_reason_can_be_worded():
    for code in COUNTRIES:
        for agreed in (None, read_rate("1% per month")):
            for size in ("", "small"):
                for one in candidates(
                    Party(code, size), Party("CN", "large"), Deal(agreed=agreed), rates=SHIPPED, happened=NOTHING, due=DUE
                ):
                    for said in (*one.reasons, *one.cautions):
                        assert said.code in catalogue()
                        assert said.words("zh") and said.words("en")
    assert set(REGIMES_OF) - set(COUNTRIES) == {"EU", "*"}


@pytest.mark.parametrize(("text", "size"), [("大型企业", "large"), ("小型", "small"), ("微型企业", "micro"), ("中型", "medium"), ("机关事业单位", "public"), ("SMALL", "small"), ("", ""), (None, ""), ("x", "")])  # fmt: skip
def test_sizes_are_read(text, size):
    assert size_of(text) == size
