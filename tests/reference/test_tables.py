from __future__ import annotations

import dataclasses
from datetime import date

import pytest

from duecourse.errors import CountryUnknownError, CurrencyUnknownError
from duecourse.messages import use_language
from duecourse.reference.countries import COUNTRIES, Membership, country
from duecourse.reference.currencies import CURRENCIES, currency


@pytest.mark.parametrize("table", [COUNTRIES, CURRENCIES], ids=lambda table: table.name)
def test_a_table_says_where_it_comes_from_and_of_which_day_it_speaks(table):
    assert len(table.source) > 40
    assert date(2025, 1, 1) < table.as_of < date(2027, 1, 1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        table.source = ""


def test_every_country_is_there_once():
    assert len(COUNTRIES) == 219
    assert len({row.alpha3 for row in COUNTRIES.values()}) == 219
    assert all(len(key) == 2 and key == row.alpha2 for key, row in COUNTRIES.items())
    assert all(row.name_en and row.name_zh for row in COUNTRIES.values())


def test_every_country_pays_in_a_currency_that_is_in_use():
    assert [row.alpha2 for row in COUNTRIES.values() if CURRENCIES[row.currency].withdrawn] == []


def test_a_blank_is_unknown_and_never_no():
    assert country("AD").limitation_years is None
    assert country("AD").demand_interrupts is None
    assert country("AD").cisg_reservations is None
    assert country("AD").new_york_convention is Membership.PARTY
    assert country("TW").apostille is Membership.NO
    assert any(row.new_york_convention is None for row in COUNTRIES.values())


def test_china_is_described():
    china = country("chn")
    assert china is COUNTRIES["CN"]
    assert (china.currency, china.limitation_years, china.new_york_convention_year) == ("CNY", 3, 1987)
    assert china.apostille_from == date(2023, 11, 7)
    assert china.apostille_objection is True
    assert china.cisg_reservations == ("art95",)
    assert china.judgments_convention is Membership.NO
    assert china.confidence == "H"
    assert china.name("zh") == "中国"
    use_language("zh")
    assert country("DE").name() == "德国"
    assert currency("usd").name() == "美元"


def test_the_judgments_convention_is_bound_signed_or_not():
    germany, america = country("DE"), country("US")
    assert (germany.judgments_convention, germany.judgments_convention_from) == (Membership.PARTY, date(2023, 9, 1))
    assert (america.judgments_convention, america.judgments_convention_from) == (Membership.SIGNED, None)


def test_conventions_have_the_number_of_parties_of_their_status_lists():
    assert sum(row.new_york_convention is Membership.PARTY for row in COUNTRIES.values()) == 172
    assert sum(row.apostille is Membership.PARTY for row in COUNTRIES.values()) == 130
    assert sum(row.cisg is Membership.PARTY for row in COUNTRIES.values()) == 97
    assert sum(row.eu_member is True for row in COUNTRIES.values()) == 27


def test_currencies_are_well_formed():
    assert all(len(code) == 3 and code.isalpha() and code.isupper() and code == row.code for code, row in CURRENCIES.items())
    assert all(len(row.number) == 3 and row.number.isdigit() for row in CURRENCIES.values())
    in_use = [row for row in CURRENCIES.values() if not row.withdrawn]
    assert len({row.number for row in in_use}) == len(in_use)
    assert {row.code for row in in_use if row.exponent == 3} == {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"}
    assert {row.code for row in in_use if row.exponent == 4} == {"CLF", "UYW"}
    assert {row.code for row in in_use if row.exponent == 0} == {
        "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF",
    }  # fmt: skip
    assert all(row.name_en and row.name_zh for row in CURRENCIES.values())


def test_withdrawn_currencies_are_known_with_their_month():
    assert currency("HRK").withdrawn == "2023-01"
    assert currency("BGN").withdrawn == "2026-01"
    assert currency("CNY").withdrawn is None


def test_unknown_codes_are_refused_in_both_languages():
    with pytest.raises(CurrencyUnknownError) as refused:
        currency("RMB")
    assert "RMB" in refused.value.message("zh")
    with pytest.raises(CountryUnknownError) as refused_country:
        country("XX")
    assert "XX" in refused_country.value.message("en")
