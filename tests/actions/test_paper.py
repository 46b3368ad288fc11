"""Documents say what they were given, all of it, as text and never as markup; the same pieces are the same file."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import pytest
from pypdf import PdfReader

from duecourse.actions.paper import pdf

MADE = datetime(2026, 6, 30, 8, tzinfo=UTC)
HOSTILE = '#panic("x") $a^2$ *strong* _under_ <label> @ref \\ ` "] #sys.inputs'
PIECES: list[dict[str, Any]] = [
    {"kind": "notice", "text": "逾期超过 90 天", "tone": "bad"},
    {
        "kind": "tiles",
        "tiles": [{"label": "信用敞口", "value": "CNY 1,234,567.00", "under": "使用率 82.3%"}, {"label": "评级", "value": "5"}],
    },
    {"kind": "heading", "text": "买方 Buyer"},
    {"kind": "pairs", "rows": [["统一社会信用代码", "91310000MA1K4AAAAX"], ["行业", "机械"]]},
    {"kind": "text", "text": f"第一段。\n\n{HOSTILE}"},
    {"kind": "bars", "rows": [{"label": "资产负债率", "value": "−23", "share": -1.0}, {"label": "现金", "value": "+12", "share": 0.5}]},
    {
        "kind": "table",
        "head": ["发票", "金额"],
        "align": ["left", "right"],
        "rows": [[f"INV-{n:03d}", f"{n}.00"] for n in range(90)],
        "note": "完",
    },
    {"kind": "break"},
    {"kind": "picture", "svg": '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="10"><rect width="40" height="10"/></svg>'},
    {"kind": "signatures", "lines": ["信用经理", "财务总监"]},
]


def made(**more: Any) -> bytes:
    told = {
        "title": "信用档案",
        "language": "zh",
        "made_at": MADE,
        "firm": "如期",
        "head": "档案",
        "foot": "内部",
        "page_of": "第 {page} 页，共 {pages} 页",
    }
    return pdf(PIECES, **{**told, **more})


def text_of(document: bytes) -> str:
    return "".join("".join(page.extract_text() for page in PdfReader(io.BytesIO(document)).pages).split())


def test_all_that_was_given_can_be_read_out_of_it_as_plain_text() -> None:
    text = text_of(made())
    for word in (
        "信用档案",
        "逾期超过90天",
        "CNY1,234,567.00",
        "91310000MA1K4AAAAX",
        "INV-000",
        "INV-089",
        "第1页，共3页",
        "财务总监",
        "−23",
    ):
        assert word in text, word
    assert "".join(HOSTILE.split()) in text


def test_the_same_document_is_the_same_file_and_its_fonts_are_in_it() -> None:
    one = made()
    assert one == made()
    assert one != made(made_at=datetime(2026, 7, 1, tzinfo=UTC))
    fonts = str(PdfReader(io.BytesIO(one)).pages[0]["/Resources"]["/Font"].get_object())
    assert "NotoSansSC" in "".join(
        str(font.get_object()) for font in PdfReader(io.BytesIO(one)).pages[0]["/Resources"]["/Font"].values()
    ), fonts


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_empty_document_is_one_page(language: str) -> None:
    assert len(PdfReader(io.BytesIO(pdf([], title="x", language=language, made_at=MADE))).pages) == 1


def test_a_piece_of_no_known_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="no piece is called poem"):
        pdf([{"kind": "poem"}], title="x", language="en", made_at=MADE)
