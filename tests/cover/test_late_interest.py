"""Late interest to the cent: the vectors of the data file and of the domain rules, every regime, and what must hold of any debt."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duecourse.cover.late_interest.accrual import Running, accrue, half_up
from duecourse.cover.late_interest.agreed import AgreedRate, read_rate
from duecourse.cover.late_interest.claim import Owing, running
from duecourse.cover.late_interest.compensation import compensation
from duecourse.cover.late_interest.payments import SURPLUS, Cost, Payment, apply_payments
from duecourse.cover.late_interest.rates import Happened, Quote
from duecourse.errors import (
    AgreedRateMissingError,
    InterestStartMissingError,
    RateUnreadableError,
    ReferenceRateMissingError,
    ReferenceRateOldError,
)
from duecourse.money import to_minor
from duecourse.reference.interest_regimes import REGIMES, regime
from duecourse.reference.payment_order import payment_order
from duecourse.reference.reference_rates import SHIPPED, RatePoint
from support.examples import examples

VECTORS = json.loads(resources.files("duecourse.reference").joinpath("data", "late_interest_regimes.json").read_text(encoding="utf-8"))[
    "_doc"
]["test_vectors"]
HAPPENED = Happened(date(2025, 3, 1), date(2025, 3, 2), None, date(2025, 3, 3))
OWN = [
    (name, RatePoint(date(2015, 1, 1), Decimal("0.0550"), "effective", "test", "H", own=True))
    for name in sorted({rule.series for rule in REGIMES.values() if rule.series} | {"RS_KEY_RATE"} - set(SHIPPED.series))
    if name not in SHIPPED.series
]
OWN += [(name, RatePoint(date(2026, 8, 1), Decimal("0.0575"), "effective", "test", "H", own=True)) for name, _ in OWN]
RATES = SHIPPED.with_own(OWN)


def accrued(code, minor, currency, due, until, *, payments=(), rates=RATES, happened=HAPPENED):
    owing = Owing(minor, currency, due, tuple(payments))
    return accrue(running(owing, until, regime(code), rates=rates, happened=happened), until, payments)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda one: one["regime"] + one.get("mode", "")[:6])
def test_a_vector_of_the_data_file_holds_to_the_cent(vector):
    currency = vector["currency"]
    minor = to_minor(Decimal(vector["principal"]), currency)
    code, happened, rates = vector["regime"], HAPPENED, RATES
    if code == "IN_MSMED":
        due, until = date(2025, 12, 31), date(2026, 6, 30)
        rates = SHIPPED.with_own(
            [("IN_RBI_BANK_RATE", RatePoint(date(2026, 1, 1), Decimal("0.055"), "effective", "assumed", "L", own=True))]
        )
    elif "due" in vector:
        due, until = date.fromisoformat(vector["due"]), date.fromisoformat(vector["paid"])
    else:
        due = date(2025, 6, 30)
        until = due + timedelta(days=vector["days"])
    if vector.get("mode", "").startswith("floating"):
        code += "/floating"
    if code == "CN_JUDGMENT":
        happened = Happened(judgment=due)
    found = accrued(code, minor, currency, due, until, rates=rates, happened=happened)
    assert found.interest_minor == to_minor(Decimal(vector["interest"]), currency)
    if "days" in vector:
        assert found.days == vector["days"]
    if "segments" in vector:
        told = [[str(one.start), str(one.end), one.days, f"{float(one.quote.yearly) * 100:.2f}"] for one in found.segments]
        assert told == vector["segments"]
    if "rate_pct" in vector:
        assert {one.quote.yearly for one in found.segments} == {Fraction(vector["rate_pct"]) / 100}
    if "flat" in vector:
        fixed = compensation(regime(code), minor, currency, due + timedelta(days=1))
        assert (fixed.amount_minor, fixed.currency) == (to_minor(Decimal(vector["flat"]), currency), currency)


def test_all_ten_vectors_are_there():
    assert len(VECTORS) == 10
    assert len(REGIMES) == 70


# --- every regime -------------------------------------------------------------------------------------------------------------------------

RECKONED = [code for code, rule in REGIMES.items() if rule.kind not in ("agreed", "none")]
RECKONED += [f"{code}/{name}" for code, rule in REGIMES.items() for name, _ in rule.variants]
NOT_ADDITIVE = {"KZ_353", "VN_COMMERCIAL"}  # one rate, that of the last day


@pytest.mark.parametrize("code", RECKONED)
def test_every_regime_can_be_reckoned_and_grows_with_time(code):
    currency = "EUR" if code.startswith("EU") else "CNY"
    due = date(2025, 3, 31)
    found = accrued(code, 1_000_000, currency, due, date(2026, 8, 31))
    assert found.interest_minor > 0
    assert sum(one.interest for one in found.segments) == found.interest
    assert found.segments[0].start > due
    assert [one.end + timedelta(days=1) for one in found.segments[:-1]] == [one.start for one in found.segments[1:]]
    assert accrued(code, 1_000_000, currency, due, date(2026, 5, 31)).interest <= found.interest


@pytest.mark.parametrize("code", [code for code, rule in REGIMES.items() if rule.kind == "agreed"])
def test_a_law_without_a_rate_says_so(code):
    with pytest.raises(AgreedRateMissingError):
        accrued(code, 100, "CNY", date(2025, 1, 1), date(2025, 2, 1))


def test_no_interest_where_the_law_gives_none():
    assert accrued("SA_NONE", 1_000_000, "SAR", date(2025, 1, 1), date(2026, 1, 1)).interest_minor == 0


def test_a_series_that_is_missing_or_too_old_is_refused_by_name():
    with pytest.raises(ReferenceRateMissingError, match="PL_NBP_REFERENCE"):
        accrued("EU_PL", 100_000, "PLN", date(2026, 1, 31), date(2026, 3, 31), rates=SHIPPED)
    with pytest.raises(ReferenceRateOldError, match=r"CN_LPR_1Y.*2026-10-19"):
        accrued("CN_SALES_LPR", 100_000, "CNY", date(2026, 10, 25), date(2026, 11, 29), rates=SHIPPED)
    with pytest.raises(ReferenceRateMissingError, match="ECB_MRO_HALF"):
        accrued("EU_FR", 100_000, "EUR", date(2008, 5, 1), date(2008, 9, 1), rates=SHIPPED)
    with pytest.raises(ReferenceRateOldError, match="DE_BASISZINS"):
        accrued("EU_DE", 100_000, "EUR", date(2026, 11, 30), date(2027, 1, 1), rates=SHIPPED)
    assert accrued("EU_DE", 100_000, "EUR", date(2026, 11, 30), date(2026, 12, 31), rates=SHIPPED).interest_minor > 0
    own = SHIPPED.with_own(
        [("DE_BASISZINS", RatePoint(date(2027, 1, 1), Decimal("0.0170"), "half_year_reference", "Bundesbank", "H", own=True))]
    )
    assert accrued("EU_DE", 100_000, "EUR", date(2026, 11, 30), date(2027, 1, 1), rates=own).segments[-1].quote.own


def test_interest_that_begins_with_an_event_waits_for_it():
    with pytest.raises(InterestStartMissingError, match="demand"):
        accrued("PH_LEGAL", 100_000, "PHP", date(2025, 1, 1), date(2025, 6, 1), happened=Happened())
    found = accrued("PH_LEGAL", 100_000, "PHP", date(2025, 1, 1), date(2025, 6, 1), happened=Happened(demand=date(2025, 2, 1)))
    assert found.segments[0].start == date(2025, 2, 2)


def test_the_rate_rises_when_the_writ_is_served_in_korea():
    found = accrued("KR_COMMERCIAL", 365_000, "KRW", date(2025, 1, 1), date(2025, 1, 31), happened=Happened(served=date(2025, 1, 11)))
    assert [(one.days, float(one.quote.rate)) for one in found.segments] == [(10, 0.06), (20, 0.12)]
    assert found.interest == 10 * 60 + 20 * 120


def test_dutch_interest_is_added_to_the_debt_each_year():
    found = accrued("EU_NL", 1_000_000, "EUR", date(2022, 12, 31), date(2024, 12, 31))
    first = Fraction(1_000_000) * (Fraction("0.1050") * 181 + Fraction("0.12") * 184) / 365
    second = (1_000_000 + first) * (Fraction("0.1250") * 182 + Fraction("0.1225") * 184) / 365
    assert found.interest == first + second


def test_indian_monthly_rests_count_a_broken_month_by_its_days():
    rates = SHIPPED.with_own([("IN_RBI_BANK_RATE", RatePoint(date(2026, 1, 1), Decimal("0.055"), "effective", "assumed", "L", own=True))])
    found = accrued("IN_MSMED", 10_000_000, "INR", date(2025, 12, 31), date(2026, 2, 14), rates=rates)
    assert found.interest == 10_000_000 * (Fraction("1.01375") * (1 + Fraction("0.01375") * 14 / 28) - 1)


def test_a_debt_from_before_lpr_is_reckoned_in_two_parts():
    found = accrued("CN_SALES_LPR", 10_000_000, "CNY", date(2019, 3, 31), date(2020, 6, 30))
    assert [(one.quote.series, one.end) for one in found.segments] == [
        ("CN_BENCHMARK_1Y", date(2019, 8, 19)),
        ("CN_LPR_1Y", date(2020, 6, 30)),
    ]
    assert [float(one.quote.reference) for one in found.segments] == [0.0435, 0.0425]


def test_austria_takes_the_rate_of_the_last_day_of_the_half_year_before():
    found = accrued("EU_AT", 1_000_000, "EUR", date(2025, 5, 31), date(2025, 12, 31))
    assert [(float(one.quote.reference), float(one.quote.rate)) for one in found.segments] == [(0.0253, 0.1173), (0.0153, 0.1073)]


def test_british_rates_are_fixed_for_the_life_of_the_debt():
    found = accrued("UK_LPCDA", 500_000, "GBP", date(2024, 6, 29), date(2026, 6, 30))
    assert {float(one.quote.rate) for one in found.segments} == {0.1325}


def test_south_african_interest_stops_at_the_debt():
    found = accrued("ZA_PRESCRIBED", 1_000, "ZAR", date(2016, 1, 1), date(2026, 8, 31))
    assert found.interest <= 1_000
    long = accrue(
        Running(1_000, date(2000, 1, 1), [Quote(date(2000, 1, 1), date(2020, 1, 1), Fraction(1, 10))], cap="outstanding"), date(2020, 1, 1)
    )
    assert long.interest == 1_000
    assert long.segments[-1].capped
    assert long.daily_minor == 0


def test_mexican_months_have_thirty_days():
    assert accrued("MX_362", 1_000_000, "MXN", date(2024, 12, 31), date(2025, 12, 31)).interest == 60_000


@pytest.mark.parametrize(
    ("code", "amount", "currency", "expected"),
    [
        ("UK_LPCDA", "999.99", "GBP", ("40", "GBP")), ("UK_LPCDA", "1000", "GBP", ("70", "GBP")), ("UK_LPCDA", "9999.99", "GBP", ("70", "GBP")),
        ("UK_LPCDA", "10000", "GBP", ("100", "GBP")), ("UK_LPCDA", "90000", "USD", ("40", "GBP")), ("EU_DE", "10", "EUR", ("40", "EUR")),
        ("EU_DE", "10", "USD", ("40", "EUR")), ("EU_IE", "1000", "EUR", ("40", "EUR")), ("EU_IE", "1000.01", "EUR", ("70", "EUR")),
        ("EU_IE", "10000.01", "EUR", ("100", "EUR")), ("EU_CZ", "5", "CZK", ("1200", "CZK")), ("EU_DK", "5", "DKK", ("310", "DKK")),
        ("EU_SE", "5", "SEK", ("450", "SEK")), ("EU_PL", "5000", "PLN", ("40", "EUR")), ("EU_PL", "49999.99", "PLN", ("70", "EUR")),
        ("EU_PL", "50000", "PLN", ("100", "EUR")), ("CL_19983", "1000000", "CLP", ("10000", "CLP")), ("TR_TTK1530", "5", "TRY", ("2020", "TRY")),
    ],
)  # fmt: skip
def test_the_fixed_sum_follows_the_size_of_the_debt(code, amount, currency, expected):
    fixed = compensation(regime(code), to_minor(Decimal(amount), currency), currency, date(2026, 5, 1))
    assert (fixed.amount_minor, fixed.currency) == (to_minor(Decimal(expected[0]), expected[1]), expected[1])


def test_a_fixed_sum_of_another_year_is_not_guessed():
    assert compensation(regime("TR_TTK1530"), 100, "TRY", date(2025, 5, 1)) is None
    assert compensation(regime("CN_SALES_LPR"), 100, "CNY", date(2025, 5, 1)) is None


# --- payments -------------------------------------------------------------------------------------------------------------------------


def test_paying_the_principal_leaves_the_interest():
    paid = accrued("CN_SALES_LPR", 10_000_000, "CNY", date(2025, 3, 31), date(2026, 8, 31), payments=[(date(2025, 6, 30), 10_000_000)])
    assert (paid.principal_minor, paid.interest_minor, paid.daily_minor) == (0, 115_932, 0)


def test_the_day_of_a_payment_counts_once_or_not_at_all():
    def of(*, counted):
        owing = Owing(36_500_000, "CNY", date(2025, 1, 1))
        debt = running(owing, date(2025, 1, 31), regime("CN_SME_REG"), rates=RATES, happened=HAPPENED)
        return accrue(debt, date(2025, 1, 31), [(date(2025, 1, 11), 36_500_000)], count_payment_day=counted)

    assert of(counted=True).days == 10
    assert of(counted=False).days == 9


def test_chinese_order_costs_interest_principal():
    owing = Owing(10_000_000, "CNY", date(2025, 7, 31))
    debt = running(owing, date(2025, 12, 31), regime("CN_SME_REG"), rates=RATES, happened=HAPPENED)
    found = apply_payments(
        {"A": debt},
        [Payment("p", date(2025, 10, 31), 5_000_000)],
        payment_order("CN").order,
        until=date(2025, 12, 31),
        costs=[Cost(date(2025, 9, 1), 50_000)],
    )
    assert [(one.part, one.amount_minor) for one in found.applied] == [("costs", 50_000), ("interest", 460_000), ("principal", 4_490_000)]
    assert debt.principal_minor == 5_510_000
    assert debt.unpaid_minor == half_up(Fraction(5_510_000 * 61, 2_000))


def test_russian_default_interest_comes_after_the_principal():
    owing = Owing(1_000_000, "RUB", date(2025, 7, 31))
    debt = running(owing, date(2025, 12, 31), regime("RU_395"), rates=RATES, happened=HAPPENED)
    found = apply_payments({"A": debt}, [Payment("p", date(2025, 10, 31), 900_000)], payment_order("RU").order, until=date(2025, 12, 31))
    assert [one.part for one in found.applied] == ["principal"]


DAYS = st.integers(1, 700).map(lambda ahead: date(2024, 1, 1) + timedelta(days=ahead))
SIMPLE = ["CN_SALES_LPR/floating", "CN_SME_REG", "EU_DE", "EU_BE", "EU_FR", "EU_AT", "UK_LPCDA", "CH_OR104", "RU_395", "MX_362", "BR_406", "CO_884", "IN_MSMED", "EU_NL", "PE_LEGAL", "ZA_PRESCRIBED"]  # fmt: skip


@given(st.sampled_from(SIMPLE), st.integers(0, 10**12), st.lists(DAYS, min_size=3, max_size=3))
@examples(40, 600)
def test_interest_is_additive_over_periods_and_never_negative(code, minor, days):
    due, middle, end = sorted(days)
    debt = running(Owing(minor, "EUR", due), end, regime(code), rates=RATES, happened=HAPPENED)
    debt.advance(middle)
    first = debt.accrued
    whole = accrued(code, minor, "EUR", due, end)
    debt.advance(end)
    assert debt.accrued == whole.interest or regime(code).compounding == "continuous"
    assert 0 <= first <= debt.accrued
    assert all(one.interest >= 0 for one in debt.segments)
    assert whole.interest_minor == half_up(whole.interest)
    assert code in NOT_ADDITIVE or accrued(code, minor, "EUR", due, middle).interest == first


@given(
    st.lists(st.tuples(st.sampled_from(SIMPLE), st.integers(0, 10**9), DAYS), min_size=1, max_size=4),
    st.lists(st.tuples(DAYS, st.integers(1, 10**9), st.sampled_from([None, "0", "1", "9"])), max_size=8),
    st.lists(st.tuples(DAYS, st.integers(0, 10**6)), max_size=2),
    st.sampled_from(["CN", "DE", "FR", "RU", "EE", "*"]),
)
@examples(40, 600)
def test_what_is_applied_is_what_was_received(debts, payments, costs, law):
    until = date(2026, 6, 30)
    running_debts = {
        str(number): running(Owing(minor, "EUR", due), until, regime(code), rates=RATES, happened=HAPPENED)
        for number, (code, minor, due) in enumerate(debts)
    }
    received = [Payment(str(number), on, minor, named) for number, (on, minor, named) in enumerate(payments)]
    found = apply_payments(running_debts, received, payment_order(law).order, until=until, costs=[Cost(on, minor) for on, minor in costs])
    for one in received:
        assert sum(part.amount_minor for part in found.applied if part.payment_id == one.payment_id) == one.amount_minor
    assert all(part.amount_minor > 0 for part in found.applied)
    for number, debt in running_debts.items():
        paid = found.sum_of("principal", number)
        assert debt.principal_minor == debts[int(number)][1] - paid >= 0
        assert found.sum_of("interest", number) + debt.unpaid_minor >= half_up(debt.accrued)
        assert abs(found.sum_of("interest", number) + debt.unpaid - debt.accrued) == 0
    assert found.costs_left_minor == sum(minor for _on, minor in costs) - found.sum_of("costs")
    if found.sum_of(SURPLUS):
        last = max(part.on for part in found.applied if part.part == SURPLUS)
        assert (
            all(debt.principal_minor == 0 for debt in running_debts.values() if debt.begins <= last and debt.next_day > last) or law == "RU"
        )


# --- agreed rates ---------------------------------------------------------------------------------------------------------------------

WORDS = {
    "每日万分之五": "0.05%/d", "日万分之五": "0.05%/d", "按逾期金额每日0.05%": "0.05%/d", "千分之一/日": "0.1%/d", "每逾期一日按万分之三": "0.03%/d", "按日0.5‰": "0.05%/d",
    "每日萬分之伍": "0.05%/d", "万分之二点五": "0.025%/d", "月2%": "2%/m", "每月2%": "2%/m", "月息2分": "2%/m", "年息一分二厘": "12%/y", "年利率18%": "18%/y",
    "年化百分之十八": "18%/y", "LPR的1.5倍": "LPR_1Y*1.5", "LPR加计50%": "LPR_1Y*1.5", "贷款市场报价利率上浮50%": "LPR_1Y*1.5", "四倍LPR": "LPR_1Y*4",
    "一年期LPR的150%": "LPR_1Y*1.5", "五年期以上LPR": "LPR_5Y", "LPR加50个基点": "LPR_1Y+0.5%", "LPR+50BP": "LPR_1Y+0.5%", "同期贷款基准利率的1.5倍": "LPR_1Y*1.5",
    "按付款到期日适用的一年期LPR的【150】%且不低于每日万分之【三】计付逾期违约金": "max(LPR_1Y*1.5, 0.03%/d)", "每日千分之一，但不超过LPR的4倍": "min(0.1%/d, LPR_1Y*4)",
    "18% per annum": "18%/y", "1.5% per month": "1.5%/m", "0.05% per day": "0.05%/d", "1.5 times the one-year LPR": "LPR_1Y*1.5",
    "150% of the one-year LPR": "LPR_1Y*1.5", "the higher of 150% of the one-year LPR in force on the due date and [0.03]% per day": "max(LPR_1Y*1.5, 0.03%/d)",
    "8% above the base rate of the Bank of England": "UK_BANK_RATE+8%", "8 percentage points above the ECB rate": "ECB_MRO+8%",
    "9 percentage points above the German base rate (Basiszinssatz)": "DE_BASISZINS+9%", "12% p.a.": "12%/y", "LPR plus 50%": "LPR_1Y*1.5",
    "0.1 % per day up to a maximum of 12% per annum": "min(0.1%/d, 12%/y)", "bank lending rate x 1.5": "LPR_1Y*1.5",
}  # fmt: skip


@pytest.mark.parametrize(("words", "short"), WORDS.items(), ids=list(WORDS))
def test_the_words_of_a_clause_are_read(words, short):
    assert str(read_rate(words)) == short


@pytest.mark.parametrize(
    ("words", "yearly"),
    [("每日万分之五", "0.1825"), ("千分之一/日", "0.365"), ("月2%", "0.24"), ("LPR的1.5倍", "0.045"), ("四倍LPR", "0.12")],
)
def test_the_rate_a_year_is_the_domain_rules(words, yearly):
    assert read_rate(words).yearly({"CN_LPR_1Y": Fraction("0.03")}) == Fraction(yearly)


def test_the_benchmark_rate_is_read_as_lpr_and_marked():
    assert read_rate("同期贷款基准利率").obsolete
    assert not read_rate("LPR的1.5倍").obsolete


@pytest.mark.parametrize("words", ["违约金为合同总价的5%", "无利息", "net 30 days", "", "18%", "max(18%/y)"])
def test_what_is_no_rate_is_refused(words):
    with pytest.raises(RateUnreadableError):
        read_rate(words)


FRACTIONS = st.integers(1, 9_999).map(lambda basis: Fraction(basis, 10_000))
SIMPLE_RATES = st.one_of(
    st.builds(AgreedRate, FRACTIONS, st.sampled_from(["y", "m", "d"])),
    st.builds(lambda series, times, margin: AgreedRate(None, "y", series, times, margin), st.sampled_from(["CN_LPR_1Y", "ECB_MRO_HALF"]), st.sampled_from([Fraction(1), Fraction(3, 2), Fraction(4)]), st.sampled_from([Fraction(0), Fraction(1, 200), Fraction(-1, 100)])),
)  # fmt: skip


@given(SIMPLE_RATES, SIMPLE_RATES, st.sampled_from(["", "floor", "ceiling"]))
@examples(50, 500)
def test_the_short_form_reads_back_as_the_same_rate(rate, other, bound):
    from dataclasses import replace

    whole = replace(rate, **{bound: other}) if bound else rate
    assert read_rate(str(whole)) == whole


def test_a_payment_of_one_debt_does_not_cut_the_segments_of_another():
    until = date(2025, 12, 31)
    debts = {
        name: running(Owing(1_000_000, "CNY", date(2025, 7, 31)), until, regime("CN_SME_REG"), rates=RATES, happened=HAPPENED)
        for name in "ab"
    }
    apply_payments(debts, [Payment("p", date(2025, 9, 30), 10_000, "a")], payment_order("CN").order, until=until)
    assert [len(debts[name].segments) for name in "ab"] == [2, 1]


def test_doubled_interest_is_paid_last_in_china():
    until = date(2025, 12, 31)
    due = date(2025, 7, 31)
    debts = {"a": running(Owing(1_000_000, "CNY", due), until, regime("CN_SALES_LPR"), rates=RATES, happened=HAPPENED)}
    twice = {"a": running(Owing(1_000_000, "CNY", due), until, regime("CN_JUDGMENT"), rates=RATES, happened=Happened(judgment=due))}
    found = apply_payments(debts, [Payment("p", date(2025, 11, 8), 1_040_000)], payment_order("CN").order, until=until, doubled=twice)
    assert [(one.part, one.amount_minor) for one in found.applied] == [
        ("interest", 12_329),
        ("principal", 1_000_000),
        ("doubled", 17_500),
        ("surplus", 10_171),
    ]


def test_a_year_of_360_days_is_a_switch():
    found = accrued("CN_SALES_LPR/act360", 10_000_000, "CNY", date(2025, 3, 31), date(2025, 6, 30))
    assert found.interest == Fraction(10_000_000) * Fraction("0.0465") * 91 / 360
    assert found.daily_minor == half_up(Fraction(10_000_000) * Fraction("0.0465") / 360)
