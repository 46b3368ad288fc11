from __future__ import annotations

from decimal import ROUND_DOWN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duecourse.errors import AmountInexactError, CurrencyUnknownError
from duecourse.money import convert, decimal_string, exponent, format_money, to_decimal, to_minor
from duecourse.reference.currencies import CURRENCIES

INT64 = st.integers(-(2**63), 2**63 - 1)
CODES = st.sampled_from(sorted(CURRENCIES))
RATES = st.decimals("0.000001", "1000000", places=6)


@pytest.mark.parametrize(("code", "digits"), [("CNY", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("XXX", 2), ("DEM", 2), ("ITL", 0)])
def test_each_currency_has_its_minor_unit(code, digits):
    assert exponent(code) == digits
    assert to_minor(Decimal(12), code) == 12 * 10**digits


@pytest.mark.parametrize("code", ["", "cny", "RMB", "ZZZ", "元"])
def test_an_unknown_currency_is_refused(code):
    with pytest.raises(CurrencyUnknownError) as refused:
        exponent(code)
    assert "ISO 4217" in refused.value.message("en")
    assert "ISO 4217" in refused.value.message("zh")


@pytest.mark.parametrize(
    ("amount", "code"), [("0.5", "JPY"), ("1.005", "CNY"), ("1.0005", "KWD"), ("0.00001", "CLF"), ("NaN", "CNY"), ("Infinity", "CNY")]
)
def test_an_amount_finer_than_its_currency_is_refused(amount, code):
    with pytest.raises(AmountInexactError) as refused:
        to_minor(Decimal(amount), code)
    assert code in str(refused.value)


def test_trailing_zeros_are_not_finer():
    assert to_minor(Decimal("100.000000"), "JPY") == 100
    assert to_minor(Decimal("1E+3"), "USD") == 100_000


def test_it_rounds_only_when_asked():
    assert to_minor(Decimal("1.005"), "CNY", rounding="ROUND_HALF_EVEN") == 100
    assert to_minor(Decimal("1.005"), "CNY", rounding="ROUND_HALF_UP") == 101
    assert to_minor(Decimal("-1.009"), "CNY", rounding=ROUND_DOWN) == -100


def test_people_and_machines_read_amounts_differently():
    assert decimal_string(123_456_789, "CNY") == "1234567.89"
    assert format_money(123_456_789, "CNY") == "CNY 1,234,567.89"
    assert format_money(123_456_789, "CNY", "zh") == "1,234,567.89 人民币元"
    assert format_money(-1_234, "JPY", "zh") == "-1,234 日元"
    assert format_money(-5, "KWD") == "KWD -0.005"
    assert format_money(1_234_500, "XXX") == format_money(1_234_500, "XXX", "zh") == "12,345.00"
    assert decimal_string(0, "USD") == "0.00"


def test_conversion_rounds_half_to_even_once():
    assert convert(1, "USD", "CNY", Decimal("2.5")) == 2
    assert convert(3, "USD", "CNY", Decimal("0.5")) == 2
    assert convert(100_000, "USD", "JPY", Decimal("155.30")) == 155_300
    assert convert(1_000, "JPY", "KWD", Decimal("0.002")) == 2_000
    assert convert(-1, "USD", "CNY", Decimal("2.5")) == -2


@pytest.mark.parametrize("rate", ["0", "-1", "NaN", "Infinity"])
def test_a_rate_is_above_zero(rate):
    with pytest.raises(ValueError, match="above zero"):
        convert(1, "USD", "CNY", Decimal(rate))


@given(INT64, CODES)
def test_minor_units_survive_the_way_out_and_back(minor, code):
    assert to_minor(to_decimal(minor, code), code) == minor
    assert to_minor(Decimal(decimal_string(minor, code)), code) == minor
    number = format_money(minor, code).removeprefix(f"{code} ")
    assert number.replace(",", "") == decimal_string(minor, code)


@given(st.lists(st.integers(-(10**12), 10**12), max_size=20), CODES)
def test_the_sum_in_decimals_is_the_sum_in_minor_units(amounts, code):
    assert sum((to_decimal(amount, code) for amount in amounts), Decimal(0)) == to_decimal(sum(amounts), code)


@given(INT64, CODES, CODES, RATES)
def test_conversion_is_off_by_at_most_half_a_minor_unit(minor, source, target, rate):
    exact = minor * rate.as_integer_ratio()[0] * 10 ** exponent(target)
    scale = rate.as_integer_ratio()[1] * 10 ** exponent(source)
    assert 2 * abs(convert(minor, source, target, rate) * scale - exact) <= scale
    assert convert(-minor, source, target, rate) == -convert(minor, source, target, rate)


@given(INT64, CODES)
def test_a_rate_of_one_changes_nothing(minor, code):
    assert convert(minor, code, code, Decimal(1)) == minor
