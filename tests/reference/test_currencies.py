"""The currencies are those of ISO 4217, list one as of 2026, written down here a second time from the list, not from our table."""

# ruff: noqa: SIM905 — codes read better in rows than each in quotes

from __future__ import annotations

from duecourse.reference.currencies import CURRENCIES

ACTIVE = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUP
CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR
KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN
PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX
USD USN UYI UYU UYW UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
""".split()
"""Without metals, bond units, funds of account and test codes: nobody is invoiced in them."""

EXPONENTS = {
    **dict.fromkeys("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys("CLF UYW".split(), 4),
}
"""All others have two decimals."""

NUMBERS = {
    "AED": "784", "ARS": "032", "AUD": "036", "BHD": "048", "BRL": "986", "CAD": "124", "CHF": "756", "CLF": "990", "CLP": "152", "CNY": "156",
    "CZK": "203", "DKK": "208", "EGP": "818", "EUR": "978", "GBP": "826", "HKD": "344", "HUF": "348", "IDR": "360", "ILS": "376", "INR": "356",
    "JPY": "392", "KRW": "410", "KWD": "414", "MOP": "446", "MXN": "484", "MYR": "458", "NOK": "578", "NZD": "554", "PHP": "608", "PLN": "985",
    "QAR": "634", "RON": "946", "RUB": "643", "SAR": "682", "SEK": "752", "SGD": "702", "THB": "764", "TRY": "949", "TWD": "901", "UAH": "980",
    "USD": "840", "VND": "704", "XAF": "950", "XCG": "532", "XOF": "952", "ZAR": "710", "ZWG": "924",
}  # fmt: skip

WITHDRAWN = {"BGN": "2026-01", "DEM": "2002-03", "FRF": "2002-03", "HRK": "2023-01"}


def test_the_codes_in_use_are_those_of_the_list():
    ours = {code for code, one in CURRENCIES.items() if one.withdrawn is None} - {"XXX"}
    assert ours == set(ACTIVE)


def test_every_currency_has_the_decimals_of_the_list():
    assert {code: CURRENCIES[code].exponent for code in ACTIVE} == {code: EXPONENTS.get(code, 2) for code in ACTIVE}


def test_numbers_are_those_of_the_list_and_no_two_currencies_in_use_share_one():
    assert {code: CURRENCIES[code].number for code in NUMBERS} == NUMBERS
    numbers = [CURRENCIES[code].number for code in ACTIVE]
    assert len(set(numbers)) == len(numbers)
    assert all(len(number) == 3 and number.isdecimal() for number in numbers)


def test_what_was_replaced_by_the_euro_is_not_offered_any_more():
    for code, month in WITHDRAWN.items():
        assert CURRENCIES[code].withdrawn == month, code
