"""Registers' numbers pass as their standards say, and one wrong sign is seen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duecourse.reference.identifiers import USCC_SIGNS, chinese, lei, organisation_code, registration_15, uscc, vat

VAT = (
    "ATU13585627", "BE0403019261", "CHE100155212MWST", "CZ25123891", "DE136695976", "DK13585628", "EE100931558", "EL094259216", "FI20774740",
    "FR40303265045", "GB980780684", "HR33392005961", "HU12892312", "IE6433435F", "IE6433435OA", "IT00743110157", "LU15027442", "MT11679112",
    "NL004495445B01", "PL8567346215", "PT501964843", "RO18547290", "SE123456789701", "SI50223054", "SK2022749619",
)  # fmt: skip


@pytest.mark.parametrize("number", VAT)
def test_a_vat_number_passes_and_a_slip_in_a_digit_does_not(number):
    assert vat(number) == "good"
    place = 6
    slips = [number[:place] + digit + number[place + 1 :] for digit in "0123456789" if digit != number[place]]
    assert [vat(slip) for slip in slips].count("good") <= 2  # a check of two digits or ten values lets few through


def test_a_vat_number_is_read_as_people_write_it():
    assert vat("de 136.695.976") == "good"
    assert vat("136695976", "DE") == "good"
    assert vat("094259216", "GR") == "good"
    assert vat("ESB12345678") == "unchecked"
    assert vat("12-3456789", "US") == "unchecked"
    assert vat("DE12") == "malformed"


def whole(body: str) -> str:
    values = [USCC_SIGNS.index(sign) if sign in USCC_SIGNS else 0 for sign in body]
    return body + USCC_SIGNS[(31 - sum(value * pow(3, place, 31) for place, value in enumerate(values)) % 31) % 31]


BODIES = st.builds(
    lambda first, second, region, rest: first + second + region + rest,
    st.sampled_from("159NYA"), st.sampled_from("1239"), st.from_regex(r"[1-6][0-9]{5}", fullmatch=True), st.text(USCC_SIGNS, min_size=9, max_size=9),
)  # fmt: skip


@given(BODIES, st.integers(0, 17), st.sampled_from(USCC_SIGNS))
def test_every_single_slip_in_a_social_credit_code_is_seen(body, place, sign):
    code = whole(body)
    assert uscc(code) == "good"
    slip = code[:place] + sign + code[place + 1 :]
    # The first sign of N, Y and A stands outside the alphabet of the standard's check or at its end; all others are caught.
    if sign != code[place] and place > 0:
        assert uscc(slip) != "good"


def test_a_remainder_of_nought_is_written_as_nought():
    bodies = (f"91330200{number:09d}" for number in range(200))
    ended = [code for code in map(whole, bodies) if code[-1] == "0"]
    assert ended
    assert all(uscc(code) == "good" for code in ended)


def test_older_chinese_numbers_are_known_by_their_length():
    digits = "11000000000000"
    good = next(digits + last for last in "0123456789" if registration_15(digits + last) == "good")
    assert chinese(good) == "good"
    assert [registration_15(digits + last) for last in "0123456789"].count("good") == 1
    assert organisation_code("00000000-0") == "good"
    assert chinese("12345") == "malformed"
    assert chinese("91330200100000016E") == "check_digit"


def test_an_lei_passes_by_its_last_two_digits():
    assert lei("5493001KJTIIGC8Y1R12") == "good"
    assert lei("5493001KJTIIGC8Y1R21") == "check_digit"
    assert lei("5493001KJTIIGC8Y1R1") == "malformed"
