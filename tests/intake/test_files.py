"""Any format and encoding gives the same lines with true line numbers; what was cut off is refused."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import json
import zipfile
from decimal import Decimal

import duckdb
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from duecourse.errors import FileCutOffError, FileNotFoundHereError, FileUnreadableError, OptionInvalidError
from duecourse.intake import Overrides, dropped, lines_sql, open_file, understand

HEADER = ["客户编码", "客户名称", "发票号", "开票日期", "到期日", "金额", "币种"]
ROWS = [
    ["00017", "München Großhandel, 上海", "A-1", dt.date(2025, 1, 31), dt.date(2025, 3, 2), Decimal("1234.56"), "CNY"],
    ["00018", "北京“远景”公司", "A-2", dt.date(2025, 2, 14), dt.date(2025, 3, 16), Decimal("-99.90"), "CNY"],
    ["00017", '引号"与,逗号', "A-3", dt.date(2025, 2, 28), dt.date(2025, 3, 30), Decimal("1000000.00"), "CNY"],
]


def text(rows=ROWS, header=HEADER, delimiter=",", newline="\n") -> str:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=newline)
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()


def read(path, overrides=None, raw=False, **options):
    with open_file(path, **options) as opened, duckdb.connect(config={"threads": 2}) as con:
        profile = understand(opened, overrides).require(str(path))
        opened.attach(con)
        found = con.sql(f"SELECT * FROM ({lines_sql(opened, profile, raw=raw)}) ORDER BY row_no").to_arrow_table().to_pylist()
        return opened, profile, found, dropped(opened, profile, con)


def values(found):
    return [
        [line[role] for role in ("buyer_id", "buyer_name", "document_id", "issue_date", "due_date", "amount", "currency")] for line in found
    ]


ENCODINGS = ["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(("delimiter", "packing"), [(",", ""), (";", "gz"), ("\t", "zip"), ("|", "")])
def test_every_encoding_delimiter_and_packing(tmp_path, encoding, delimiter, packing):
    rows = [[cell.replace("ß", "ss").replace("ü", "ue") if isinstance(cell, str) else cell for cell in row] for row in ROWS]
    content = text(rows, delimiter=delimiter, newline="\r\n").encode(encoding)
    path = tmp_path / "export.dat"
    if packing == "gz":
        path.write_bytes(gzip.compress(content))
    elif packing == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("export.csv", content)
    else:
        path.write_bytes(content)
    opened, _, found, _ = read(path)
    assert values(found) == rows
    assert [line["row_no"] for line in found] == [2, 3, 4]
    assert (opened.delimiter, opened.compression) == (delimiter, packing)


def test_windows_text_in_german(tmp_path):
    path = tmp_path / "export.csv"
    path.write_bytes(
        "Kundennummer;Kunde;Rechnungsnummer;Rechnungsdatum;Fälligkeit;Betrag;Währung\n007;Müller & Söhne;R1;31.01.2025;02.03.2025;1.234,56-;EUR\n".encode(
            "cp1252"
        )
    )
    opened, _, found, _ = read(path)
    assert opened.encoding == "cp1252"
    assert values(found) == [["007", "Müller & Söhne", "R1", dt.date(2025, 1, 31), dt.date(2025, 3, 2), Decimal("-1234.56"), "EUR"]]


def workbook(path, rows, before=0):
    book = xlsxwriter.Workbook(path)
    sheet, day = book.add_worksheet("Liste"), book.add_format({"num_format": "dd.mm.yyyy"})
    for r, row in enumerate(rows, start=before):
        for c, cell in enumerate(row):
            if isinstance(cell, dt.date):
                sheet.write_datetime(r, c, dt.datetime.combine(cell, dt.time()), day)
            elif isinstance(cell, Decimal):
                sheet.write_number(r, c, float(cell))
            else:
                sheet.write(r, c, cell)
    book.close()


def test_a_workbook_with_titles_blank_rows_and_repeated_headers(tmp_path):
    path = tmp_path / "without-a-name-ending"
    rows = [*ROWS[:2], ["", "", "", "", "", "", ""], HEADER, ROWS[2], ["合计", "", "", "", "", Decimal("1001134.66"), ""]]
    workbook(path, [["应收账款清单"], [], HEADER, *rows])
    opened, _, found, gone = read(path)
    assert opened.format == "xlsx"
    assert values(found) == ROWS
    assert [line["row_no"] for line in found] == [4, 5, 8]
    assert gone == {"repeated_header": 1, "subtotal": 1}
    assert opened.title_lines == ("应收账款清单",)


def test_numeric_identifiers_of_a_workbook_lose_the_decimal_point(tmp_path):
    path = tmp_path / "a.xlsx"
    workbook(path, [HEADER, [17, "x", 4711, *ROWS[0][3:]]])
    assert values(read(path)[2])[0][:3] == ["17", "x", "4711"]


def test_numbers_and_amounts_typed_as_text_stand_in_one_column(tmp_path):
    path = tmp_path / "a.xlsx"
    amounts = ["1.234,56", 123.456, "7,50-", 12.0]
    workbook(path, [HEADER, *([*ROWS[0][:2], f"A{i}", *ROWS[0][3:5], amount, "EUR"] for i, amount in enumerate(amounts))])
    assert [line["amount"] for line in read(path)[2]] == [Decimal("1234.56"), Decimal("123.456"), Decimal("-7.50"), Decimal(12)]


def test_the_sheet_can_be_named_and_a_wrong_name_says_which_there_are(tmp_path):
    path = tmp_path / "a.xlsx"
    book = openpyxl.Workbook()
    book.active.title = "first"
    other = book.create_sheet("second")
    for sheet, rows in ((book.active, ROWS), (other, ROWS[:1])):
        sheet.append(HEADER)
        for row in rows:
            sheet.append([float(cell) if isinstance(cell, Decimal) else cell for cell in row])
    book.save(path)
    assert len(read(path)[2]) == 3
    assert len(read(path, sheet="second")[2]) == 1
    assert len(read(path, sheet="2")[2]) == 1
    with pytest.raises(OptionInvalidError, match="first, second"):
        open_file(path, sheet="third")


def test_parquet_and_json_give_the_same_lines(tmp_path):
    table = pa.table({name: [row[i] for row in ROWS] for i, name in enumerate(HEADER)})
    pq.write_table(table, tmp_path / "a.bin")
    records = [
        dict(
            zip(
                HEADER,
                (str(cell) if isinstance(cell, dt.date) else float(cell) if isinstance(cell, Decimal) else cell for cell in row),
                strict=True,
            )
        )
        for row in ROWS
    ]
    (tmp_path / "b.bin").write_text("\n".join(json.dumps(record, ensure_ascii=False) for record in records), encoding="utf-8")
    (tmp_path / "c.bin").write_text(json.dumps(records, ensure_ascii=False, indent=1), encoding="utf-8")
    for name, kind in (("a", "parquet"), ("b", "jsonl"), ("c", "json")):
        opened, _, found, _ = read(tmp_path / f"{name}.bin")
        assert opened.format == kind
        assert values(found) == ROWS


# --- line numbers -------------------------------------------------------------------------------------------------------------------------

PLAIN = ["invoice_id", "buyer_id", "invoice date", "due date", "amount", "currency"]


def plain(count: int) -> list[str]:
    return [f"I{i:05d},B{i % 7},2025-01-{i % 28 + 1:02d},2025-03-{i % 28 + 1:02d},{i}.50,EUR" for i in range(count)]


@pytest.mark.parametrize("in_place_bytes", [0, 1 << 30], ids=["in place", "copied"])
def test_ragged_blank_and_unreadable_rows_keep_their_numbers(tmp_path, in_place_bytes):
    lines = [",".join(PLAIN), *plain(3000)]
    lines[10] = "I00009,B2,2025-01-10"  # line 11
    lines[20] = ""  # line 21
    lines[30] += ",extra"  # line 31
    lines[40] = "I00039,B4,31.02.2025,2025-03-12,12x,EUR"  # line 41
    lines[2999] = "short"
    path = tmp_path / "a.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    opened, _, found, _ = read(path, in_place_bytes=in_place_bytes)
    assert opened.in_place is (in_place_bytes == 0)
    bad = {line["row_no"]: [(fault["column"], fault["code"]) for fault in line["bad"]] for line in found if line["bad"]}
    assert bad == {
        11: [("", "row_ragged")],
        31: [("", "row_ragged")],
        41: [("invoice date", "date_unreadable"), ("amount", "amount_unreadable")],
        3000: [("", "row_ragged")],
    }
    good = {line["row_no"]: line["document_id"] for line in found if not line["bad"]}
    assert all(document == f"I{row - 2:05d}" for row, document in good.items())
    assert len(good) == 3000 - 5
    assert 21 not in {line["row_no"] for line in found}


def test_line_breaks_inside_quotation_marks(tmp_path):
    lines = [",".join([*PLAIN, "text"])] + [
        f'{line},"note {i}\nsecond line"' if i % 10 == 0 else f"{line},x" for i, line in enumerate(plain(500))
    ]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    content = path.read_text(encoding="utf-8").split("\n")
    _, _, found, _ = read(path, in_place_bytes=0)
    assert len(found) == 500
    assert all(content[line["row_no"] - 1].startswith(line["document_id"]) for line in found)
    assert found[0]["text"] == "note 0\nsecond line"


def test_quotation_marks_within_a_field_are_text(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(",".join([*PLAIN, "text"]) + "\n" + "\n".join(f'{line},pipe 5" steel' for line in plain(20)) + "\n", encoding="utf-8")
    _, _, found, _ = read(path)
    assert [line["text"] for line in found] == ['pipe 5" steel'] * 20


def test_titles_above_the_header_and_a_printing_note_below(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(
        "\n".join(
            ["Acme Ltd", "Open invoices as of 30 Sep 2025", "", ",".join(PLAIN), *plain(5), "Total,,,,12.50,", "", "Printed by the system"]
        )
        + "\n",
        encoding="utf-8",
    )
    opened, profile, found, gone = read(path)
    assert (opened.header_row, opened.title_lines) == (4, ("Acme Ltd", "Open invoices as of 30 Sep 2025"))
    assert [line["row_no"] for line in found] == [5, 6, 7, 8, 9]
    assert gone == {"subtotal": 1, "heading": 1}
    assert (profile.extract_date, profile.shape) == (dt.date(2025, 9, 30), "open_items")


def test_nul_characters_and_old_line_ends(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(("\n".join([",".join(PLAIN), *plain(5)]).replace("B3", "B\0003") + "\n").encode())
    assert [line["buyer_id"] for line in read(path)[2]] == ["B0", "B1", "B2", "B3", "B4"]
    path.write_bytes(("\r".join([",".join(PLAIN), *plain(5)]) + "\r").encode())
    assert [line["row_no"] for line in read(path)[2]] == [2, 3, 4, 5, 6]


def test_rows_that_leave_out_empty_fields_at_the_end(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(",".join([*PLAIN, "text"]) + "\n" + "\n".join(plain(30)) + "\n", encoding="utf-8")
    _, _, found, _ = read(path)
    assert len(found) == 30
    assert not any(line["bad"] for line in found)


def test_only_a_header_gives_no_lines(tmp_path):
    path = tmp_path / "a.csv"
    for end in ("\n", ""):
        path.write_text(",".join(PLAIN) + end, encoding="utf-8")
        _, _, found, _ = read(path, Overrides(map={"amount": "amount"}))
        assert found == []


def test_raw_rows_are_given_by_the_files_own_columns(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(text(), encoding="utf-8")
    _, _, found, _ = read(path, raw=True)
    assert json.loads(found[1]["raw"])["客户名称"] == "北京“远景”公司"


# --- refusals -----------------------------------------------------------------------------------------------------------------------------


def complete(tmp_path, kind: str) -> bytes:
    path = tmp_path / "whole"
    content = ("\n".join([",".join([*PLAIN, "text"]), *(f'{line},"say ""{i}"""' for i, line in enumerate(plain(400)))]) + "\n").encode()
    if kind == "gz":
        return gzip.compress(content)
    if kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.csv", content)
    elif kind == "xlsx":
        workbook(path, [HEADER, *ROWS * 50])
    elif kind == "parquet":
        pq.write_table(pa.table({name: [row[i] for row in ROWS] for i, name in enumerate(HEADER)}), path)
    return path.read_bytes()


@pytest.mark.parametrize("kind", ["gz", "zip", "xlsx", "parquet"])
@pytest.mark.parametrize("share", [0.2, 0.6, 0.97])
def test_a_container_that_was_cut_off_is_refused(tmp_path, kind, share):
    content = complete(tmp_path, kind)
    path = tmp_path / "cut"
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(FileCutOffError) as refused:
        open_file(path)
    assert str(path) in refused.value.message("zh")


@pytest.mark.parametrize("in_place_bytes", [0, 1 << 30])
@pytest.mark.parametrize(
    "end",
    [
        "I9,B1,2025-01-01",
        'I9,B1,2025-01-01,2025-02-01,5.00,EUR,"begun but never',
        'I9,B1,2025-01-01,2025-02-01,5.00,EUR,"a\nI10,B1,2025-01-01',
    ],
)
def test_a_text_that_was_cut_off_is_refused(tmp_path, end, in_place_bytes):
    path = tmp_path / "a.csv"
    path.write_text("\n".join([",".join([*PLAIN, "text"]), *(f"{line},x" for line in plain(50)), end]), encoding="utf-8")
    with pytest.raises(FileCutOffError):
        open_file(path, in_place_bytes=in_place_bytes)


def test_a_cut_in_the_middle_of_a_character_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    for encoding, cut in (("utf-8", 1), ("gb18030", 1), ("utf-16-le", 1)):
        path.write_bytes((text() + text(ROWS[:1]).split("\n")[1].split("海")[0] + "海").encode(encoding)[:-cut])
        with pytest.raises(FileCutOffError):
            open_file(path)


def test_an_incomplete_json_line_or_array_is_refused(tmp_path):
    path = tmp_path / "a.json"
    for content in ('{"invoice_id": "A", "amount": 5}\n{"invoice_id": "B", "amo', '[{"invoice_id": "A", "amount": 5}, {"invoice_id": "B"'):
        path.write_text(content, encoding="utf-8")
        with pytest.raises(FileCutOffError):
            open_file(path)


def test_a_complete_last_line_needs_no_line_end(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("\n".join([",".join(PLAIN), *plain(50)]), encoding="utf-8")
    for in_place_bytes in (0, 1 << 30):
        assert len(read(path, in_place_bytes=in_place_bytes)[2]) == 50


@pytest.mark.parametrize("content", [b"", b"   \n\n", b"<!DOCTYPE html><html><table></table>", b"%PDF-1.7 ...", bytes(range(256)) * 40])
def test_what_is_no_table_is_refused(tmp_path, content):
    path = tmp_path / "a.xls"
    path.write_bytes(content)
    with pytest.raises(FileUnreadableError):
        open_file(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundHereError, match="nowhere"):
        open_file(tmp_path / "nowhere.csv")


def test_temporary_copies_are_deleted(tmp_path):
    path, work = tmp_path / "a.csv", tmp_path / "work"
    work.mkdir()
    path.write_text(text(), encoding="utf-8")
    with open_file(path, work_folder=work):
        assert list(work.rglob("*.parquet"))
    assert not list(work.iterdir())
    path.write_text(text() + "A-9,x", encoding="utf-8")
    with pytest.raises(FileCutOffError):
        open_file(path, work_folder=work)
    assert not list(work.iterdir())


# --- property -----------------------------------------------------------------------------------------------------------------------------

AMOUNT_FORMS = {
    "plain": lambda v: f"{v:.2f}",
    "english": lambda v: f"{v:,.2f}",
    "german": lambda v: f"{v:,.2f}".translate(str.maketrans(",.", ".,")),
}
DATE_FORMS = ["%Y-%m-%d", "%d.%m.%Y", "%Y%m%d", "%Y年%m月%d日"]
names = st.text(st.characters(codec="gb2312", exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=2, max_size=12).map(
    lambda s: f"客户{s}"
)
tables = st.lists(
    st.tuples(st.integers(1, 99999), names, st.dates(dt.date(2000, 1, 1), dt.date(2040, 1, 1)), st.decimals(-(10**8), 10**8, places=2)),
    min_size=1,
    max_size=12,
)


@given(
    tables,
    st.sampled_from(sorted(AMOUNT_FORMS)),
    st.sampled_from(DATE_FORMS),
    st.sampled_from(ENCODINGS),
    st.sampled_from([",", ";", "\t"]),
    st.booleans(),
)
def test_any_table_in_any_habit_encoding_and_format_is_read_back(tmp_path_factory, rows, amount, day, encoding, delimiter, in_place):
    header = ["客户编码", "客户名称", "发票号", "开票日期", "金额"]
    cells = [[f"{n:06d}", name, f"F{i}", date.strftime(day), AMOUNT_FORMS[amount](value)] for i, (n, name, date, value) in enumerate(rows)]
    path = tmp_path_factory.mktemp("any") / "a.csv"
    path.write_bytes(text(cells, header, delimiter).encode(encoding))
    said = Overrides(
        decimal="," if amount == "german" else ".",
        shape="transactions",
        map=dict(zip(["buyer_id", "buyer_name", "document_id", "issue_date", "amount"], header, strict=True)),
    )
    _, _, found, _ = read(path, said, in_place_bytes=0 if in_place else 1 << 30)
    assert [(line["buyer_id"], line["buyer_name"], line["issue_date"], line["amount"]) for line in found] == [
        (f"{n:06d}", name, date, value) for n, name, date, value in rows
    ]
