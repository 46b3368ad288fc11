"""Columns are recognised by heading and content, never by position; what is doubtful is said; what the user says rules."""

from __future__ import annotations

import datetime as dt
import itertools
import random
from decimal import Decimal

import duckdb
import pytest

from duecourse.errors import ColumnsUnrecognisedError, OptionInvalidError
from duecourse.intake import Overrides, Profile, lines_sql, open_file, understand
from duecourse.intake.header import dates_in, extract_date, find_header, normalise
from duecourse.intake.recognise import assign
from duecourse.intake.sources import known_headings
from duecourse.messages import arguments, catalogue


def write(folder, content, name="a.csv"):
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def look(path, overrides=None, known=None):
    with open_file(path) as opened:
        return understand(opened, overrides, known)


def lines(path, profile):
    with open_file(path) as opened, duckdb.connect(config={"threads": 1}) as con:
        opened.attach(con)
        return con.sql(lines_sql(opened, profile)).to_arrow_table().to_pylist()


def table(header, rows):
    return "\n".join(",".join(str(cell) for cell in row) for row in [header, *rows]) + "\n"


ROWS = [
    [
        f"INV{i:04d}",
        f"C{i % 5:03d}",
        f"2025-01-{i % 28 + 1:02d}",
        f"2025-02-{i % 28 + 1:02d}",
        f"{i * 37 % 1000}.{i % 100:02d}",
        ["EUR", "USD"][i % 2],
    ]
    for i in range(40)
]
ROLES = ["document_id", "buyer_id", "issue_date", "due_date", "amount", "currency"]
HEADINGS = {
    "English": ["Invoice No.", "Customer No.", "Invoice Date", "Due Date", "Amount", "Currency"],
    "Chinese": ["发票号码", "客户编号", "开票日期", "到期日", "价税合计", "币种"],
    "German": ["Rechnungsnummer", "Kundennummer", "Rechnungsdatum", "Fälligkeit", "Rechnungsbetrag", "Währung"],
    "French": ["N° facture", "Code client", "Date de facture", "Échéance", "Montant TTC", "Devise"],
    "Spanish": ["Número de factura", "Código cliente", "Fecha factura", "Vencimiento", "Importe total", "Moneda"],
    "snake": ["invoice_id", "customer_id", "invoice_date", "due_date", "amount", "currency"],
    "near": ["Invoice Numbr", "Customer Number (SAP)", "Invoice Date (UTC)", "Payment due date", "Total Invoice Amount", "Currency Code"],
}


@pytest.mark.parametrize("language", HEADINGS)
def test_headings_in_any_language_and_order(tmp_path, language):
    order = list(range(6))
    random.Random(language).shuffle(order)
    path = write(tmp_path, table([HEADINGS[language][i] for i in order], [[row[i] for i in order] for row in ROWS]))
    understanding = look(path)
    assert {role: understanding.profile.column(role) for role in ROLES} == dict(zip(ROLES, HEADINGS[language], strict=True))
    assert all(understanding.profile.mapping[role].confidence >= 0.5 for role in ROLES)


def test_content_alone_suggests_columns_with_low_confidence(tmp_path):
    understanding = look(write(tmp_path, table(["a1", "b2", "c3", "d4", "e5", "f6"], ROWS)))
    assert {role: one.column for role, one in understanding.profile.mapping.items()} == dict(
        zip(ROLES, ["a1", "b2", "c3", "d4", "e5", "f6"], strict=True)
    )
    assert understanding.profile.confidence <= 0.3
    assert {finding.code for finding in understanding.findings} >= {"column_guessed"}


def test_a_file_without_a_header_is_read_from_its_first_line(tmp_path):
    path = write(tmp_path, table(ROWS[0], ROWS[1:]))
    understanding = look(path)
    found = lines(path, understanding.profile)
    assert (len(found), found[0]["row_no"], found[0]["document_id"]) == (40, 1, "INV0000")


def test_a_heading_against_its_content_is_not_believed(tmp_path):
    path = write(
        tmp_path,
        table(["Invoice No.", "Customer No.", "Due Date", "Amount"], [[f"I{i}", f"C{i}", "soon", "2025-01-01"] for i in range(10)]),
    )
    understanding = look(path)
    assert not understanding.profile.has("due_date")
    with pytest.raises(ColumnsUnrecognisedError, match="amount"):
        understanding.require(str(path))


def test_an_ambiguous_column_follows_the_others_of_the_file(tmp_path):
    path = write(
        tmp_path,
        table(
            ["Invoice No.", "Customer", "Invoice Date", "Due Date", "Amount"],
            [[f"I{i}", "C", f"0{i + 1}/02/2025", f"{i + 14}/03/2025", "5.00"] for i in range(5)],
        ),
    )
    understanding = look(path)
    assert not [finding for finding in understanding.findings if finding.code == "date_order_assumed"]
    assert [line["issue_date"] for line in lines(path, understanding.profile)] == [dt.date(2025, 2, i + 1) for i in range(5)]


def test_what_nothing_decides_is_assumed_and_said(tmp_path):
    path = write(tmp_path, table(["Invoice No.", "Customer", "Due Date", "Amount"], [["I1", "C", "01/02/2025", "1.234"]]))
    understanding = look(path)
    said = {finding.code: finding for finding in understanding.findings}
    assert {"date_order_assumed", "decimal_assumed"} <= set(said)
    assert "01/02/2025" in said["date_order_assumed"].message("zh")
    assert understanding.profile.confidence <= 0.5
    told = look(path, Overrides(date_order="mdy", decimal=","))
    assert not [finding for finding in told.findings if finding.code.endswith("_assumed")]
    assert [(line["due_date"], line["amount"]) for line in lines(path, told.profile)] == [(dt.date(2025, 1, 2), Decimal(1234))]


def test_the_user_says_what_a_column_is(tmp_path):
    path = write(tmp_path, table(["x", "Customer", "Due Date", "Amount", "y"], [["I1", "C", "2025-01-01", "1.00", "2.00"]]))
    profile = look(
        path,
        Overrides(map={"document_id": "x", "amount": "y", "buyer_id": "Customer", "buyer_name": ""}, currency="CHF", shape="open_items"),
    ).profile
    line = lines(path, profile)[0]
    assert (line["document_id"], line["amount"], line["open_amount"], line["buyer_id"], line["buyer_name"], line["currency"]) == (
        "I1",
        Decimal(2),
        Decimal(2),
        "C",
        None,
        "CHF",
    )
    assert profile.shape == "open_items"


@pytest.mark.parametrize(
    "overrides",
    [
        Overrides(map={"nonsense": "x"}),
        Overrides(map={"amount": "no such column"}),
        Overrides(date_order="ydm"),
        Overrides(decimal=";"),
        Overrides(shape="x"),
        Overrides(unit="斤"),
        Overrides(source="x"),
    ],
)
def test_an_option_that_cannot_be_used_says_what_can(tmp_path, overrides):
    path = write(tmp_path, table(["Invoice No.", "Customer", "Due Date", "Amount"], [["I1", "C", "2025-01-01", "1.00"]]))
    with pytest.raises(OptionInvalidError) as refused:
        look(path, overrides)
    assert "a.csv" in refused.value.message("zh")


def test_a_profile_is_text_and_the_next_file_of_the_form_is_read_by_it(tmp_path):
    first = write(
        tmp_path, table(["Nr", "Wer", "Wann", "Wieviel"], [["R1", "K1", "13.02.2025", '"1.234,56"'], ["R2", "K2", "14.02.2025", '"1,00"']])
    )
    said = {"document_id": "Nr", "buyer_id": "Wer", "due_date": "Wann", "amount": "Wieviel"}
    profile = look(first, Overrides(map=said, currency="EUR", shape="open_items")).profile
    kept = Profile.from_json(profile.to_json())
    assert kept == profile
    second = write(tmp_path, table(["Wieviel", "Nr", "Wer", "Wann"], [['"1.234"', "R3", "K1", "01.02.2025"]]), "b.csv")
    understanding = look(second, known=kept)
    assert understanding.profile.fingerprint == profile.fingerprint
    assert not [finding for finding in understanding.findings if finding.code.endswith("_assumed")]
    line = lines(second, understanding.profile)[0]
    assert (line["document_id"], line["amount"], line["due_date"], line["currency"]) == ("R3", Decimal(1234), dt.date(2025, 2, 1), "EUR")


def test_amounts_in_ten_thousands_are_scaled(tmp_path):
    path = write(tmp_path, table(["单据号", "客户", "到期日", "余额（万元）"], [["A1", "甲公司", "2025-01-31", "12.3456"]]))
    understanding = look(path)
    assert [finding.code for finding in understanding.findings if finding.code == "amounts_scaled"]
    line = lines(path, understanding.profile)[0]
    assert (line["open_amount"], line["currency"]) == (Decimal(123456), "CNY")


def test_debit_and_credit_columns_make_one_signed_amount(tmp_path):
    path = write(
        tmp_path,
        table(
            ["Date", "Customer", "Document No", "Debit", "Credit"],
            [["2025-01-31", "C", "1", "10.00", ""], ["2025-02-01", "C", "2", "", "4.00"]],
        ),
    )
    assert [line["amount"] for line in lines(path, look(path).profile)] == [Decimal(10), Decimal(-4)]


def test_payer_and_orderer_are_kept_apart(tmp_path):
    path = write(tmp_path, table(["Invoice No.", "Sold-to", "Payer", "Due Date", "Amount"], [["1", "S1", "P1", "2025-01-01", "5.00"]]))
    line = lines(path, look(path).profile)[0]
    assert (line["payer_id"], line["orderer_id"], line["buyer_id"]) == ("P1", "S1", "P1")


SHAPES = [
    (["Invoice No", "Customer", "Invoice Date", "Due Date", "Amount", "Paid Date"], "transactions"),
    (["Invoice No", "Customer", "Due Date", "Outstanding Amount"], "open_items"),
    (["Receipt No", "Customer", "Payment Date", "Amount", "Applied to"], "payments"),
    (["Customer No", "Customer Name", "Country", "Sales Rep"], "buyers"),
    (["Invoice No", "Dispute Reason", "Disputed Amount"], "disputes"),
    (["Rate Date", "From Currency", "To Currency", "Exchange Rate"], "rates"),
]
SAMPLE = {"Country": "DE", "From Currency": "EUR", "To Currency": "USD", "Exchange Rate": "1.05"}


@pytest.mark.parametrize(("header", "shape"), SHAPES, ids=[shape for _, shape in SHAPES])
def test_the_kind_of_list_is_told_from_its_columns(tmp_path, header, shape):
    row = [
        SAMPLE.get(name) or ("2025-01-31" if "Date" in name else "5.00" if "Amount" in name else f"X{i}") for i, name in enumerate(header)
    ]
    profile = look(write(tmp_path, table(header, [row] * 3))).profile
    assert (profile.shape, profile.shape_confidence >= 0.7) == (shape, True)


TITLES = [
    (["应收账款余额表", "截止日期：2025年9月30日"], "a.csv", dt.date(2025, 9, 30), "title"),
    (["A/R Aging Detail", "As of September 30, 2025"], "a.csv", dt.date(2025, 9, 30), "title"),
    (["Offene Posten, Stichtag 30.09.2025"], "a.csv", dt.date(2025, 9, 30), "title"),
    (["Printed 01/10/2025 by admin"], "ar_as_of_2025-09-30.csv", dt.date(2025, 9, 30), "file_name"),
    ([], "AR20250930.xlsx", dt.date(2025, 9, 30), "file_name"),
    ([], "应收2025年9月30日.xlsx", dt.date(2025, 9, 30), "file_name"),
    ([], "invoice-1234567890.csv", None, ""),
]


@pytest.mark.parametrize(("titles", "name", "day", "place"), TITLES)
def test_the_date_of_the_extract_is_found(titles, name, day, place):
    assert extract_date(titles, name) == (day, place)


def test_dates_in_a_title():
    assert dates_in("1 Jan 2025 to 31 March 2025") == [dt.date(2025, 1, 1), dt.date(2025, 3, 31)]


def test_the_header_stands_below_titles_and_above_values():
    rows = [["Report"], [], ["", "Invoice No", "Customer", "Amount"], ["", "1", "C", "5.00"], ["", "2", "C", "6.00"]]
    assert find_header(rows, known_headings()) == 2
    assert find_header([["I1", "C1", "2025-01-01", "5.00"]] * 3, known_headings()) == -1


def test_headings_are_compared_without_case_width_accents_and_punctuation():
    assert normalise(" Ｉｎｖｏｉｃｅ_No. ") == normalise("invoice no") == "invoiceno"
    assert normalise("Échéance") == "echeance"


def test_the_assignment_is_the_best_of_all():
    rng = random.Random(7)
    for _ in range(40):
        rows = rng.randint(1, 5)
        weights = [[rng.choice([0.0, rng.random()]) for _ in range(5)] for _ in range(rows)]
        best = max(sum(weights[i][j] for i, j in enumerate(choice)) for choice in itertools.permutations(range(5), rows))
        assert sum(weights[i][j] for i, j in enumerate(assign(weights))) == pytest.approx(best)


def test_every_sentence_about_reading_has_both_languages_and_equal_arguments():
    for area in ("findings", "errors"):
        for identifier, wording in catalogue().items():
            if identifier.startswith(area):
                assert arguments(wording["en"]) == arguments(wording["zh"]), identifier


def test_a_buyer_called_total_is_no_total(tmp_path):
    rows = [
        ["I1", "Total Energies SE", "2025-01-31", "5.00"],
        ["I2", "Total Energies SE", "soon", "6.00"],
        ["I3", "Total Energies SE", "", "7.00"],
        ["", "Total Energies SE", "", "18.00"],
    ]
    path = write(tmp_path, table(["Invoice No.", "Customer", "Due Date", "Amount"], rows))
    assert [(line["document_id"], bool(line["bad"])) for line in lines(path, look(path).profile)] == [
        ("I1", False),
        ("I2", True),
        ("I3", False),
    ]


def test_one_telling_date_deep_in_the_file_decides(tmp_path):
    rows = [[f"I{i}", "C", "01/02/2025" if i != 7777 else "13/02/2025", "5.00"] for i in range(20_000)]
    path = write(tmp_path, table(["Invoice No.", "Customer", "Due Date", "Amount"], rows))
    understanding = look(path)
    assert understanding.profile.date_order == "dmy"
    assert not [finding for finding in understanding.findings if finding.code == "date_order_assumed"]
