"""Exchange rates come in as the central bank publishes them, and as a firm keeps them."""

from __future__ import annotations

import datetime as dt
import zipfile

import pytest

from duecourse.intake.importer import import_file
from duecourse.ledger.store import Ledger
from support.ledgers import ENGINE

WIDE = "Date,USD,JPY,GBP,CNY,\n2026-10-30,1.1571,178.12,0.8765,8.2345,\n2026-10-29,1.1601,177.9,0.8755,N/A,\n"
XML = """<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
<Cube><Cube time="2026-10-30"><Cube currency="USD" rate="1.1571"/><Cube currency="CNY" rate="8.2345"/></Cube></Cube></gesmes:Envelope>"""


@pytest.fixture
def ledger(tmp_path):
    return Ledger.open(tmp_path / "ledger", engine=ENGINE, create=True)


def rates(ledger):
    book = ledger.as_of(dt.date(2026, 10, 31))
    table = book.exchange_rate.select("provider", "base_currency", "quote_currency", "rate_date", "rate").order_by(
        ["rate_date", "quote_currency"]
    )
    return [tuple(row.values()) for row in book.run(table).to_pylist()]


def test_the_central_banks_wide_table_comes_in_plain_or_zipped(ledger, tmp_path):
    plain = tmp_path / "eurofxref-hist.csv"
    plain.write_text(WIDE, encoding="utf-8")
    result = import_file(ledger, plain)
    assert (result.shape, result.read, result.added["exchange_rate"]) == ("rates", 7, 7)
    assert ("ECB", "EUR", "CNY", dt.date(2026, 10, 30), 8.2345) in rates(ledger)
    assert import_file(ledger, plain).known_as
    zipped = tmp_path / "eurofxref-hist.zip"
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.write(plain, "eurofxref-hist.csv")
    assert import_file(ledger, zipped).unchanged["exchange_rate"] == 7


def test_the_central_banks_xml_comes_in(ledger, tmp_path):
    path = tmp_path / "eurofxref-daily.xml"
    path.write_text(XML, encoding="utf-8")
    assert import_file(ledger, path).added["exchange_rate"] == 2


@pytest.mark.parametrize(
    "text",
    [
        "日期,原币,本位币,汇率\n2026/10/30,USD,CNY,7.1123\n",
        "date;from;to;rate\n30.10.2026;USD;CNY;7,1123\n",
        "Rate Date\tBase Currency\tQuote Currency\tExchange Rate\n2026-10-30\tUSD\tCNY\t7.1123\n",
    ],
)
def test_a_firms_own_table_comes_in(ledger, tmp_path, text):
    path = tmp_path / "rates.csv"
    path.write_text(text, encoding="utf-8")
    result = import_file(ledger, path)
    assert not result.quarantined
    assert rates(ledger) == [("own", "USD", "CNY", dt.date(2026, 10, 30), 7.1123)]
