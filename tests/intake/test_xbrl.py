"""Reports in XBRL and iXBRL come in as the accounts they are; what is hostile or contradicts itself does not."""

from __future__ import annotations

import datetime as dt

import pytest

from duecourse.errors import FileUnreadableError, StatementsUnreadableError
from duecourse.intake.statements import StatementOptions, read_statements

HEAD = (
    '<xbrli:xbrl xmlns:xbrli="http://www.xbrl.org/2003/instance" xmlns:iso4217="http://www.xbrl.org/2003/iso4217" '
    'xmlns:xbrldi="http://xbrl.org/2006/xbrldi" xmlns:us-gaap="http://fasb.org/us-gaap/2024" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xmlns:ifrs-full="https://xbrl.ifrs.org/taxonomy/2024-03-27/ifrs-full" xmlns:cas="http://xbrl.mof.gov.cn/taxonomy/2015-03-31/cas">'
)


def context(name, period, member="", axis="us-gaap:StatementBusinessSegmentsAxis"):
    segment = f'<xbrli:segment><xbrldi:explicitMember dimension="{axis}">{member}</xbrldi:explicitMember></xbrli:segment>' if member else ""
    start, _, end = period.rpartition("/")
    when = (
        f"<xbrli:startDate>{start}</xbrli:startDate><xbrli:endDate>{end}</xbrli:endDate>"
        if start
        else f"<xbrli:instant>{end}</xbrli:instant>"
    )
    return (
        f'<xbrli:context id="{name}"><xbrli:entity><xbrli:identifier scheme="x">1</xbrli:identifier>{segment}</xbrli:entity>'
        f"<xbrli:period>{when}</xbrli:period></xbrli:context>"
    )


UNITS = (
    '<xbrli:unit id="u"><xbrli:measure>iso4217:USD</xbrli:measure></xbrli:unit>'
    '<xbrli:unit id="s"><xbrli:divide><xbrli:unitNumerator><xbrli:measure>iso4217:USD</xbrli:measure></xbrli:unitNumerator>'
    "<xbrli:unitDenominator><xbrli:measure>xbrli:shares</xbrli:measure></xbrli:unitDenominator></xbrli:divide></xbrli:unit>"
)
PERIODS = context("now", "2025-12-31") + context("year", "2025-01-01/2025-12-31") + context("quarter", "2025-10-01/2025-12-31")


def fact(element, value, at, decimals="-3", unit="u", more=""):
    return f'<{element} contextRef="{at}" unitRef="{unit}" decimals="{decimals}"{more}>{value}</{element}>'


def read(folder, body, name="report.xml", **said):
    path = folder / name
    path.write_bytes(body if isinstance(body, bytes) else body.encode())
    return read_statements(path, StatementOptions(buyer_id="b1", **said))


def instance(*facts, periods=PERIODS, units=UNITS):
    return f"{HEAD}{periods}{units}{''.join(facts)}</xbrli:xbrl>"


BALANCE = (
    fact("us-gaap:Assets", "1050000", "now"), fact("us-gaap:Liabilities", "620000", "now"), fact("us-gaap:StockholdersEquity", "430000", "now"),
    fact("us-gaap:Revenues", "1200000", "year"), fact("us-gaap:NetIncomeLoss", "-24000", "year"),
)  # fmt: skip


def test_an_instance_gives_balances_of_the_day_and_flows_of_the_year(tmp_path):
    found = read(tmp_path, instance(*BALANCE, fact("us-gaap:Revenues", "300000", "quarter")))
    (row,) = found.rows
    assert (row["period_end"], row["period_months"], row["currency"], row["standard"]) == (dt.date(2025, 12, 31), 12, "USD", "US_GAAP")
    assert (row["total_assets"], row["revenue"], row["net_income"]) == (1_050_000_00, 1_200_000_00, -24_000_00)
    assert row["consolidated"] is True


def test_two_years_are_two_rows_and_an_opening_balance_is_none(tmp_path):
    more = context("before", "2024-12-31") + context("lastyear", "2024-01-01/2024-12-31") + context("older", "2023-12-31")
    facts = (
        fact("us-gaap:Assets", "950000", "before"),
        fact("us-gaap:Revenues", "1100000", "lastyear"),
        fact("us-gaap:StockholdersEquity", "1", "older"),
    )
    rows = read(tmp_path, instance(*BALANCE, *facts, periods=PERIODS + more)).rows
    assert [row["period_end"].year for row in rows] == [2025, 2024]


def test_a_segment_is_not_the_firm(tmp_path):
    more = context("east", "2025-01-01/2025-12-31", "us-gaap:AsiaMember")
    found = read(tmp_path, instance(*BALANCE, fact("us-gaap:Revenues", "7", "east"), periods=PERIODS + more))
    assert found.rows[0]["revenue"] == 1_200_000_00


def test_separate_and_consolidated_accounts_are_kept_apart(tmp_path):
    axis = "ifrs-full:ConsolidatedAndSeparateFinancialStatementsAxis"
    more = "".join(
        context(f"{kind}{name}", period, f"ifrs-full:{kind}Member", axis)
        for kind in ("Separate", "Consolidated")
        for name, period in (("now", "2025-12-31"), ("year", "2025-01-01/2025-12-31"))
    )
    facts = [
        one
        for kind, value in (("Separate", "40"), ("Consolidated", "100"))
        for one in (fact("ifrs-full:Assets", value, f"{kind}now", "0"), fact("ifrs-full:Revenue", value, f"{kind}year", "0"))
    ]
    rows = read(tmp_path, instance(*facts, periods=more)).rows
    assert {row["consolidated"]: row["total_assets"] for row in rows} == {True: 100_00, False: 40_00}


def test_facts_told_twice_within_their_precision_are_one_and_the_more_precise_counts(tmp_path):
    found = read(
        tmp_path, instance(*BALANCE[1:], fact("us-gaap:Assets", "1050123", "now", "0"), fact("us-gaap:Assets", "1050000", "now", "-3"))
    )
    assert found.rows[0]["total_assets"] == 1_050_123_00


def test_facts_that_contradict_each_other_are_left_out_and_told(tmp_path):
    found = read(tmp_path, instance(*BALANCE, fact("us-gaap:Assets", "2000000", "now")))
    assert "xbrl_facts_conflict" in {one.code for one in found.findings}
    assert found.rows[0]["total_assets"] != 2_000_000_00


def test_no_figure_stays_no_figure(tmp_path):
    nil = fact("us-gaap:InventoryNet", "", "now", more=' xsi:nil="true"')
    per_share = fact("us-gaap:AssetsCurrent", "3", "now", unit="s")
    row = read(tmp_path, instance(*BALANCE, nil, per_share)).rows[0]
    assert row["inventories"] is None
    assert row["current_assets"] is None


def test_midnight_at_the_end_is_the_day_before(tmp_path):
    periods = context("now", "2026-01-01T00:00:00") + context("year", "2025-01-01T00:00:00/2026-01-01T00:00:00")
    assert read(tmp_path, instance(*BALANCE, periods=periods)).rows[0]["period_end"] == dt.date(2025, 12, 31)


def test_elements_of_the_chinese_taxonomy_are_known_by_their_words(tmp_path):
    units = UNITS.replace("USD", "CNY")
    facts = (fact("ifrs-full:Assets", "900", "now", "0"), fact("cas:货币资金", "120", "now", "0"), fact("cas:OperatingProfit", "1", "year", "0"),
             fact("ifrs-full:ProfitLossBeforeTax", "80", "year", "0"), fact("cas:InterestExpense", "20", "year", "0"))  # fmt: skip
    (row,) = read(
        tmp_path,
        instance(*facts, units=units).encode("gb18030").replace(b"<xbrli:xbrl", b'<?xml version="1.0" encoding="GBK"?><xbrli:xbrl', 1),
    ).rows
    assert (row["standard"], row["currency"], row["cash"]) == ("CAS", "CNY", 120_00)
    assert row["operating_profit"] == 100_00, "EBIT is profit before tax plus interest"


def inline(body):
    hidden = f"<ix:header><ix:resources>{PERIODS}{UNITS.replace('USD', 'EUR')}</ix:resources></ix:header>"
    spaces = HEAD[len("<xbrli:xbrl") : -1]
    return (
        '<?xml version="1.0"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml" xmlns:ix="http://www.xbrl.org/2013/inlineXBRL" '
        f'xmlns:ixt="http://www.xbrl.org/inlineXBRL/transformation/2022-02-16"{spaces}><body><div>{hidden}</div><table>{body}</table></body></html>'
    )


def cell(element, text, at, format_="ixt:num-dot-decimal", scale="3", sign=""):
    sign = f' sign="{sign}"' if sign else ""
    return f'<tr><td><ix:nonFraction name="{element}" contextRef="{at}" unitRef="u" decimals="-3" format="{format_}" scale="{scale}"{sign}>{text}</ix:nonFraction></td></tr>'


def test_an_inline_page_is_read_with_its_formats_scales_and_signs(tmp_path):
    body = "".join(
        (
            cell("ifrs-full:Assets", "1.050,5", "now", "ixt:num-comma-decimal"), cell("ifrs-full:Liabilities", "620", "now"),
            cell("ifrs-full:Equity", "430.5", "now"), cell("ifrs-full:Revenue", "1<b>,200</b>", "year"), cell("ifrs-full:ProfitLoss", "24", "year", sign="-"),
            cell("ifrs-full:Inventories", "—", "now", "ixt:fixed-zero"), cell("ifrs-full:CostOfSales", "about a lot", "year"),
        )
    )  # fmt: skip
    found = read(tmp_path, inline(body), "report.xhtml")
    (row,) = found.rows
    assert (row["total_assets"], row["revenue"], row["net_income"], row["inventories"]) == (1_050_500_00, 1_200_000_00, -24_000_00, 0)
    assert (row["currency"], row["standard"], row["cost_of_sales"]) == (
        "EUR",
        "IFRS" if row["standard"] == "IFRS" else row["standard"],
        None,
    )
    assert "xbrl_value_unreadable" in {one.code for one in found.findings}


BOMB = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>'
OUTSIDE = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'


@pytest.mark.parametrize("hostile", [BOMB, OUTSIDE, "<x>" * 1000 + "</x>" * 1000, "<x>", "<x>&nbsp;</x>", "<"])
def test_hostile_or_broken_xml_is_refused(tmp_path, hostile):
    with pytest.raises(FileUnreadableError):
        read(tmp_path, hostile)


def test_xml_without_accounts_says_so(tmp_path):
    with pytest.raises(StatementsUnreadableError):
        read(tmp_path, "<html><body>hello</body></html>")
