"""A list of credit limits comes into the ledger by its headings in three languages; what would hold for nobody is set aside."""

from __future__ import annotations

import csv
import datetime as dt
import shutil

import openpyxl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from duecourse.desk.opening import open_ledger
from duecourse.errors import LimitsNotYoursError
from duecourse.intake import open_file, understand
from duecourse.intake.importer import Options, import_file
from duecourse.intake.mending import fix
from duecourse.intake.quarantine import export_quarantine, waiting
from duecourse.ledger.entries import LIMIT
from duecourse.measures.limits import limits_in_force
from support.examples import examples

BUYERS = """Customer ID,Customer Name,Registration number,Country,Parent ID
C1,Hohenbach GmbH,HRB 1001,DE,G1
C2,宁波欣原机械设备有限公司,91330200100000016D,CN,G1
0000000003,Nordsee AG,HRB 1003,DE,
"""
ENGLISH = """Limit No.,Customer No.,Limit Type,Credit Limit,Currency,Valid From,Valid Until,Reference,Payment terms days
L-1,C1,own,"250,000.00",EUR,2026-01-01,2026-12-31,committee 12,60
L-2,C1,insurer,"200,000.00",EUR,2026-02-01,9999-12-31,Policy 77,
L-3,C2,temporary,"50,000.00",EUR,2026-09-01,2026-11-30,,
L-4,3,block,,,2026-06-01,,unpaid claim,
"""
GERMAN = """Kundennummer;Limitart;Kreditlimit;Währung;Gültig ab;Gültig bis;Limitnummer
C1;Eigenlimit;250.000,00;EUR;01.01.2026;31.12.2026;L-1
C1;versichert;200.000,00;EUR;01.02.2026;31.12.9999;L-2
C2;befristet;50.000,00;EUR;01.09.2026;30.11.2026;L-3
0000000003;Liefersperre;;;01.06.2026;;L-4
"""
CHINESE = """额度编号,客户编号,额度类型,信用额度,币种,生效日期,失效日期
L-1,C1,自有,250000,EUR,2026/1/1,2026/12/31
L-2,C1,信保额度,200000,EUR,2026/2/1,2099/12/31
L-3,C2,临时额度,50000,EUR,2026/9/1,2026/11/30
L-4,0000000003,冻结,,,2026/6/1,
"""
ON = dt.date(2026, 10, 1)
HOLDING = [
    ("L-1", "standing", "C1", 25_000_000, "EUR", dt.date(2026, 1, 1), dt.date(2026, 12, 31)),
    ("L-2", "insurer", "C1", 20_000_000, "EUR", dt.date(2026, 2, 1), None),
    ("L-3", "temporary", "C2", 5_000_000, "EUR", dt.date(2026, 9, 1), dt.date(2026, 11, 30)),
    ("L-4", "block", "0000000003", None, None, dt.date(2026, 6, 1), None),
]
COLUMNS = ("limit_id", "kind", "buyer_id", "amount_minor", "currency", "valid_from", "valid_to")


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    folder = tmp_path_factory.mktemp("limits")
    ledger = open_ledger(folder / "ledger", create=True)
    (folder / "customers.csv").write_text(BUYERS, encoding="utf-8")
    import_file(ledger, folder / "customers.csv")
    return folder / "ledger"


@pytest.fixture
def ledger(known, tmp_path):
    shutil.copytree(known, tmp_path / "ledger")
    return open_ledger(tmp_path / "ledger")


def take(ledger, folder, text, name="limits.csv", **options):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return import_file(ledger, path, Options(**options))


def held(ledger, on=ON):
    book = ledger.as_of(on)
    rows = book.run(limits_in_force(book).order_by("limit_id")).to_pylist()
    return [tuple(row[name] for name in COLUMNS) for row in rows]


def rows_of(ledger):
    book = ledger.as_of(dt.date(2027, 1, 1))
    return {row["limit_id"]: row for row in book.run(book.limit).to_pylist()}


@pytest.mark.parametrize("text", [ENGLISH, GERMAN, CHINESE], ids=["en", "de", "zh"])
def test_limits_are_read_in_three_languages(ledger, tmp_path, text):
    result = take(ledger, tmp_path, text)
    assert (result.shape, result.added["limit"], result.quarantined) == ("limits", 4, 0)
    assert held(ledger) == HOLDING


def test_terms_reference_and_remark_are_kept(ledger, tmp_path):
    take(ledger, tmp_path, ENGLISH)
    row = rows_of(ledger)["L-1"]
    assert (row["payment_terms_days"], row["text"], row["source_row"]) == (60, "committee 12", 2)


def test_a_workbook_says_the_same(ledger, tmp_path):
    header, *rows = csv.reader(ENGLISH.splitlines())
    path = tmp_path / "limits.xlsx"
    book = openpyxl.Workbook()
    for line in (["Credit limits as of 1 October 2026"], [], header, *rows):
        book.active.append([float(cell.replace(",", "")) if cell.endswith(".00") else cell for cell in line])
    book.save(path)
    assert import_file(ledger, path).added["limit"] == 4
    assert held(ledger) == HOLDING


def test_the_same_list_again_adds_nothing_and_a_changed_line_corrects(ledger, tmp_path):
    take(ledger, tmp_path, ENGLISH)
    again = take(ledger, tmp_path, ENGLISH + "\n", "again.csv")
    assert (again.added["limit"], again.corrected["limit"], again.unchanged["limit"]) == (0, 0, 4)
    changed = take(ledger, tmp_path, ENGLISH.replace('"200,000.00"', '"0.00"'), "changed.csv")
    assert changed.corrected["limit"] == 1
    assert {row[0]: row[3] for row in held(ledger)}["L-2"] == 0, "a cover that was withdrawn"


def test_without_numbers_a_limit_is_known_by_whose_kind_and_first_day(ledger, tmp_path):
    text = "客户编号,信用额度(万元),币种,生效日期\nC1,25,CNY,2026-01-01\nC2,40,CNY,2026-01-01\n"
    take(ledger, tmp_path, text)
    take(ledger, tmp_path, text.replace("40,", "45,"), "later.csv")
    take(ledger, tmp_path, text.replace("2026-01-01", "2026-07-01").replace("25,", "30,"), "july.csv")
    assert [(row[1], row[2], row[3]) for row in held(ledger)] == [("standing", "C1", 30_000_000), ("standing", "C2", 40_000_000)]
    assert {row[2]: row[3] for row in held(ledger, dt.date(2026, 3, 1))}["C2"] == 45_000_000


def test_buyers_are_found_by_registration_number_and_by_name(ledger, tmp_path):
    take(ledger, tmp_path, "Registration number,Insured limit,Currency,Valid from\n91330200100000016D,100,EUR,2026-01-01\n", "a.csv")
    take(ledger, tmp_path, "Company,Limit,Currency,Valid from\nhohenbach gmbh,200,EUR,2026-01-01\nAnother GmbH,1,EUR,2026-01-01\n", "b.csv")
    assert [(row[1], row[2], row[3]) for row in held(ledger)] == [("insurer", "C2", 10_000), ("standing", "C1", 20_000)]
    assert [row.finding.code for row in waiting(ledger)] == ["buyer_unknown"]


def test_a_group_has_a_limit_of_its_own(ledger, tmp_path):
    take(ledger, tmp_path, "Group ID,Limit type,Limit,Currency,Valid from\nG1,own,900,EUR,2026-01-01\nG9,own,1,EUR,2026-01-01\n")
    assert {(row["group_id"], row["amount_minor"]) for row in rows_of(ledger).values()} == {("G1", 90_000)}
    assert [row.finding.code for row in waiting(ledger)] == ["buyer_unknown"]


BAD = """Limit No.,Customer No.,Limit Type,Credit Limit,Currency,Valid From,Valid Until
B1,C1,own,100,EUR,2026-01-01,
B2,,own,100,EUR,2026-01-01,
B3,C1,golden,100,EUR,2026-01-01,
B4,C1,own,,EUR,2026-01-01,
B5,C1,own,-5,EUR,2026-01-01,
B6,C1,own,100,QQQ,2026-01-01,
B7,C1,own,100.001,EUR,2026-01-01,
B8,C1,own,100,EUR,2026-01-01,2025-01-01
B9,C7,own,100,EUR,2026-01-01,
B1,C2,own,100,EUR,2026-01-01,
B10,C2,own,many,EUR,2026-01-01,
B1,C1,own,100,EUR,2026-01-01,
"""


def test_bad_lines_wait_with_their_reason_and_come_back_mended(ledger, tmp_path):
    result = take(ledger, tmp_path, BAD)
    reasons = {row.file_row: row.finding.code for row in waiting(ledger)}
    assert reasons == {
        3: "buyer_missing", 4: "limit_kind_unknown", 5: "amount_missing", 6: "limit_negative", 7: "currency_invalid", 8: "amount_inexact",
        9: "limit_ends_early", 10: "buyer_unknown", 11: "duplicate_key", 12: "amount_unreadable",
    }  # fmt: skip
    assert (result.added["limit"], result.repeated) == (1, 1)
    assert all(row.finding.message() and row.finding.column for row in waiting(ledger))
    export_quarantine(ledger, None, tmp_path / "bad.csv")
    text = (tmp_path / "bad.csv").read_text(encoding="utf-8-sig").replace("golden", "insurer").replace("C7", "C2")
    (tmp_path / "bad.csv").write_text(text, encoding="utf-8")
    fix(ledger, tmp_path / "bad.csv")
    assert {row[0] for row in held(ledger)} == {"B3", "B9", "B1"}
    assert len(waiting(ledger)) == 8


def test_a_number_that_is_another_buyers_limit_takes_nothing_from_him(ledger, tmp_path):
    take(ledger, tmp_path, ENGLISH)
    take(ledger, tmp_path, ENGLISH.splitlines()[0] + "\nL-1,C2,own,1,EUR,2026-03-01,,,\n", "other.csv")
    assert held(ledger) == HOLDING
    assert [row.finding.code for row in waiting(ledger)] == ["duplicate_key"]


def test_what_somebody_ended_here_stays_ended(ledger, tmp_path):
    take(ledger, tmp_path, ENGLISH)
    ended = {**rows_of(ledger)["L-1"], "ended_on": dt.date(2026, 5, 1), "decision_id": "D1"}
    with ledger.draft("post") as draft:
        draft.put("limit", pa.Table.from_pylist([{name: ended[name] for name in LIMIT.facts.names}], schema=LIMIT.facts))
        draft.commit()
    take(ledger, tmp_path, ENGLISH + " \n", "again.csv")
    row = rows_of(ledger)["L-1"]
    assert (row["ended_on"], row["decision_id"]) == (dt.date(2026, 5, 1), "D1")


def test_limits_without_a_currency_are_in_the_one_the_firm_adds_up_in(ledger, tmp_path):
    text = "Customer No.,Credit Limit,Valid From\nC1,100,2026-01-01\n"
    take(ledger, tmp_path, text)
    assert [row.finding.code for row in waiting(ledger)] == ["currency_invalid"], "nobody has said what the firm adds up in"
    result = take(ledger, tmp_path, text + "C2,100,2026-01-01\n", "b.csv", currency="JPY")
    assert (held(ledger)[0][3:5], result.quarantined) == ((100, "JPY"), 0)


def test_a_customer_list_with_a_column_of_limits_stays_a_customer_list(tmp_path):
    path = tmp_path / "customers.csv"
    path.write_text(
        "Customer ID,Customer Name,City,Industry,Credit limit\nC1,Hohenbach,Ulm,Steel,1000\nC2,Nord,Kiel,Fish,none\n", encoding="utf-8"
    )
    with open_file(path) as opened:
        found = understand(opened)
    assert (found.profile.shape, found.profile.unused) == ("buyers", ("Credit limit",))
    assert [one.code for one in found.findings] == ["limits_left_out"]


def test_whoever_may_not_set_limits_brings_none_in(ledger, tmp_path):
    with pytest.raises(LimitsNotYoursError):
        take(ledger, tmp_path, ENGLISH, grants=False)
    assert ledger.journal()[-1].kind == "import" and not rows_of(ledger)


@examples(5, 60)
@given(
    st.lists(
        st.tuples(st.sampled_from(["C1", "C2", "C9", ""]), st.sampled_from(["own", "insurer", "odd"]), st.integers(-5, 10**7)), max_size=12
    )
)
def test_every_line_is_either_a_limit_or_waits_with_a_reason(known, tmp_path_factory, lines):
    folder = tmp_path_factory.mktemp("lines")
    shutil.copytree(known, folder / "ledger")
    ledger = open_ledger(folder / "ledger")
    body = "".join(f"N{n},{buyer},{kind},{amount / 100:.2f},EUR,2026-01-01\n" for n, (buyer, kind, amount) in enumerate(lines))
    result = take(
        ledger, folder, "Limit No.,Customer No.,Limit Type,Credit Limit,Currency,Valid From\nN,C1,own,1.00,EUR,2026-01-01\n" + body
    )
    good = {f"N{n}": amount for n, (buyer, kind, amount) in enumerate(lines) if buyer in ("C1", "C2") and kind != "odd" and amount >= 0}
    assert {number: row["amount_minor"] for number, row in rows_of(ledger).items() if number != "N"} == good
    assert result.quarantined == len(lines) - len(good) == len(waiting(ledger))
