from __future__ import annotations

import zipfile
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duecourse.errors import ColumnsUnrecognisedError, FileCutOffError, FileNotFoundHereError, FileUnreadableError, RateMissingError
from duecourse.ledger.entries import EXCHANGE_RATE
from duecourse.ledger.store import Ledger
from duecourse.reference.exchange_rates import MONTHLY_MAX_AGE_DAYS, ExchangeRate, RateTable, as_entries, rate, read_rates
from support.ledgers import ENGINE

# The layout of eurofxref-hist.csv: days, newest first, and a selection of its columns.
WIDE = """Date,USD,JPY,CYP,GBP,CHF,CNY,
2025-04-25,1.1357,162.8,N/A,0.8531,N/A,N/A,
2002-04-10,0.8798,114.74,0.57574,0.6123,1.4666,N/A,
2002-04-09,0.8763,115.29,0.57561,0.6123,1.4665,N/A,
"""

CUBES = """<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
<gesmes:subject>Reference rates</gesmes:subject><gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender>
<Cube><Cube time="2002-04-10"><Cube currency="USD" rate="0.8798"/><Cube currency="JPY" rate="114.74"/></Cube>
<Cube time="2002-04-09"><Cube currency="USD" rate="0.8763"/></Cube></Cube></gesmes:Envelope>
"""


@pytest.fixture
def file(tmp_path):
    def write(content, name="rates.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(content.encode(encoding))
        return path

    return write


def row(base, quote, day, value, provider="book"):
    return ExchangeRate(provider, base, quote, date(2025, 1, day), Decimal(value))


# --- reading ---


def test_it_reads_the_banks_wide_file(file):
    read = read_rates(file(WIDE))
    assert read.findings == []
    assert len(read.rates) == 13
    assert read.rates[0] == ExchangeRate("ECB", "EUR", "USD", date(2025, 4, 25), Decimal("1.1357"), 2)
    assert {found.quote for found in read.rates if found.rate_date == date(2025, 4, 25)} == {"USD", "JPY", "GBP"}


def test_it_reads_the_banks_file_of_the_day(file):
    read = read_rates(file("Date, USD, JPY, \n25 April 2025, 1.1357, 162.8, \n"))
    assert [(found.quote, found.rate, found.rate_date) for found in read.rates] == [
        ("USD", Decimal("1.1357"), date(2025, 4, 25)),
        ("JPY", Decimal("162.8"), date(2025, 4, 25)),
    ]


def test_it_reads_the_banks_xml(file):
    read = read_rates(file(CUBES, "eurofxref-hist.xml"))
    assert [(found.quote, found.rate_date.day, found.rate) for found in read.rates] == [
        ("USD", 10, Decimal("0.8798")),
        ("JPY", 10, Decimal("114.74")),
        ("USD", 9, Decimal("0.8763")),
    ]


def test_it_reads_inside_the_banks_zip(tmp_path):
    path = tmp_path / "eurofxref-hist.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("eurofxref-hist.csv", WIDE)
    assert len(read_rates(path).rates) == 13


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_it_reads_a_firms_own_table_in_chinese(file, encoding):
    table = "日期,原币,本位币,汇率,单位\n2025年1月31日,USD,CNY,717.05,100\n2025/1/31,jpy,cny,0.0462,\n"
    read = read_rates(file(table, encoding=encoding), provider="财务部")
    assert read.findings == []
    assert [(found.provider, found.base, found.quote, found.rate) for found in read.rates] == [
        ("财务部", "USD", "CNY", Decimal("7.1705")),
        ("财务部", "JPY", "CNY", Decimal("0.0462")),
    ]


def test_it_reads_a_firms_own_table_in_english(file):
    read = read_rates(file("Rate_Date;From Currency;To;Exchange rate\n20250131;EUR;USD;1.0393\n", "month ends.csv"))
    assert [(found.provider, found.rate_date, found.rate) for found in read.rates] == [("month ends", date(2025, 1, 31), Decimal("1.0393"))]


def test_what_cannot_be_used_is_a_finding_with_its_row(file):
    read = read_rates(
        file("date,from,to,rate\n2025-02-30,USD,CNY,7\n2025-02-28,RMB,USD,7\n2025-02-28,USD,CNY,0\n\n2025-02-28,USD,CNY,7.1\n")
    )
    assert [(finding.code, finding.row, finding.value) for finding in read.findings] == [
        ("date_unreadable", 2, "2025-02-30"),
        ("currency_invalid", 3, "RMB"),
        ("rate_missing", 4, "0"),
    ]
    assert all(finding.message("en") and finding.message("zh") for finding in read.findings)
    assert [found.row for found in read.rates] == [6]


def test_a_bad_rate_of_the_bank_is_a_finding(file):
    read = read_rates(file("Date,USD,ZZZ,\n2025-01-02,-1,2,\n2025-13-01,1,2,\n2025-01-03,1.03,2,\n"))
    assert [finding.code for finding in read.findings] == ["currency_invalid", "rate_missing", "date_unreadable"]
    assert [found.rate for found in read.rates] == [Decimal("1.03")]


def test_files_that_cannot_be_read_are_refused(file, tmp_path):
    with pytest.raises(FileNotFoundHereError):
        read_rates(tmp_path / "absent.csv")
    with pytest.raises(FileUnreadableError):
        read_rates(tmp_path)
    with pytest.raises(ColumnsUnrecognisedError, match="base, quote, rate"):
        read_rates(file("date,price\n2025-01-01,3\n"))
    with pytest.raises(ColumnsUnrecognisedError):
        read_rates(file(""))
    with pytest.raises(FileUnreadableError):
        read_rates(file("<html><body>Sign in</body></html>", "rates.xml"))
    for end in (70, 95, len(WIDE) - 3):
        with pytest.raises(FileCutOffError):
            read_rates(file(WIDE[:end]))
    with pytest.raises(FileCutOffError):
        read_rates(file(CUBES[:400], "cut.xml"))
    (tmp_path / "cut.zip").write_bytes(b"PK\x03\x04 half of it")
    with pytest.raises(FileCutOffError):
        read_rates(tmp_path / "cut.zip")


def test_rates_go_to_the_ledger_one_for_each_day(file):
    table = as_entries([row("USD", "CNY", 2, "7.1"), row("USD", "CNY", 2, "7.2"), row("USD", "CNY", 3, "7.3")])
    assert table.drop_columns("source_row").schema.equals(EXCHANGE_RATE.facts)
    assert table["rate"].to_pylist() == [7.2, 7.3]
    assert as_entries([]).num_rows == 0
    assert as_entries(read_rates(file(WIDE)).rates)["source_row"].to_pylist()[0] == 2


# --- looking up ---


def test_the_latest_rate_on_or_before_the_day_counts():
    table = RateTable([row("USD", "CNY", 10, "7.2"), row("USD", "CNY", 2, "7.1")])
    assert rate("USD", "CNY", date(2025, 1, 10), table) == (Decimal("7.2"), date(2025, 1, 10))
    assert rate("USD", "CNY", date(2025, 1, 9), table) == (Decimal("7.1"), date(2025, 1, 2))
    assert rate("USD", "CNY", date(2025, 1, 20), table) == (Decimal("7.2"), date(2025, 1, 10))
    assert table.as_of == date(2025, 1, 10)
    assert table.source == "book"


def test_a_rate_too_old_or_later_is_no_rate():
    table = RateTable([row("USD", "CNY", 10, "7.2")])
    assert rate("USD", "CNY", date(2025, 1, 24), table)[1] == date(2025, 1, 10)
    for on in (date(2025, 1, 25), date(2025, 1, 9)):
        with pytest.raises(RateMissingError) as missing:
            rate("USD", "CNY", on, table)
        assert str(on) in missing.value.message("en")
        assert "USD" in missing.value.message("zh")
    assert rate("USD", "CNY", date(2025, 2, 14), table, max_age_days=MONTHLY_MAX_AGE_DAYS)[0] == Decimal("7.2")
    with pytest.raises(RateMissingError):
        rate("USD", "CNY", date(2025, 2, 15), table, max_age_days=MONTHLY_MAX_AGE_DAYS)
    with pytest.raises(RateMissingError):
        rate("USD", "CNY", date(2025, 1, 10), RateTable([]))


def test_the_inverse_serves_when_the_pair_is_missing():
    table = RateTable([row("EUR", "USD", 10, "1.25")])
    assert rate("USD", "EUR", date(2025, 1, 10), table) == (Decimal("0.8"), date(2025, 1, 10))


def test_the_cross_rate_goes_through_the_euro_and_bears_the_older_date():
    table = RateTable([row("EUR", "USD", 10, "1.25"), row("EUR", "CNY", 9, "8"), row("GBP", "USD", 10, "1"), row("GBP", "CNY", 10, "1")])
    assert rate("USD", "CNY", date(2025, 1, 10), table) == (Decimal("6.4"), date(2025, 1, 9))


def test_the_pair_itself_comes_before_any_way_round():
    table = RateTable([row("EUR", "USD", 10, "1.25"), row("EUR", "CNY", 10, "8"), row("USD", "CNY", 5, "7"), row("CNY", "USD", 9, "0.1")])
    assert rate("USD", "CNY", date(2025, 1, 10), table) == (Decimal(7), date(2025, 1, 5))


def test_a_currency_costs_one_of_itself():
    assert rate("CNY", "CNY", date(2025, 1, 1), RateTable([])) == (Decimal(1), date(2025, 1, 1))


@given(
    st.lists(st.tuples(st.integers(0, 400), st.decimals("0.01", "1000", places=4)), max_size=30),
    st.integers(0, 450),
    st.integers(0, 60),
)
def test_the_look_up_equals_a_search_through_all_rates(quoted, on_day, max_age_days):
    start = date(2024, 1, 1)
    on = start + timedelta(on_day)
    table = RateTable(ExchangeRate("book", "USD", "CNY", start + timedelta(day), value) for day, value in quoted)
    usable = {day: value for day, value in quoted if 0 <= on_day - day <= max_age_days}
    if usable:
        assert rate("USD", "CNY", on, table, max_age_days=max_age_days) == (usable[max(usable)], start + timedelta(max(usable)))
    else:
        with pytest.raises(RateMissingError):
            rate("USD", "CNY", on, table, max_age_days=max_age_days)


def test_the_banks_file_goes_into_a_ledger_and_comes_out_as_of_a_day(file, tmp_path):
    store = Ledger.open(tmp_path / "ledger", engine=ENGINE, create=True)
    with store.draft(kind="import", file_name="eurofxref-hist.csv") as draft:
        draft.put("exchange_rate", as_entries(read_rates(file(WIDE)).rates))
        draft.commit()
    book = store.as_of(date(2002, 4, 9))
    rows = book.run(book.exchange_rate.select("quote_currency", "rate", "rate_date")).to_pylist()
    assert {line["quote_currency"]: line["rate"] for line in rows} == {
        "USD": 0.8763,
        "JPY": 115.29,
        "CYP": 0.57561,
        "GBP": 0.6123,
        "CHF": 1.4665,
    }
    assert {line["rate_date"] for line in rows} == {date(2002, 4, 9)}
