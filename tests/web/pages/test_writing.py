"""What is written in one go instead of by a template: everything from outside is escaped, amounts read as decimals do."""

from __future__ import annotations

from datetime import date
from html.parser import HTMLParser

import pytest
from django.utils.safestring import SafeString
from hypothesis import given
from hypothesis import strategies as st

from duecourse.desk.standing import BUCKETS
from duecourse.messages import use_language
from duecourse.money import exponent, grouped, to_decimal
from duecourse.tables import Column
from duecourse.web.pages import writing
from duecourse.web.pages.columns import AGEING, Cells, Head, list_column
from duecourse.web.pages.pager import Pager
from duecourse.web.pages.rows import Rows, segment
from support.examples import examples

EVIL = """<script>alert("1")</script>'&"><img src=x onerror='y'>"""


class _Read(HTMLParser):
    """Every element and every text and attribute, as a browser would take them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.names: set[str] = set()
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.names |= {name for name, _ in attrs}
        self.texts += [value for _, value in attrs if value]

    def handle_data(self, data):
        self.texts.append(data)


def safe(text: str, *told: str) -> None:
    read = _Read(text)
    assert not {"script", "img"} & set(read.tags)
    assert not any(name.startswith("on") for name in read.names)
    for one in told:
        assert any(one in found for found in read.texts)


@given(st.integers(-(2**63), 2**63 - 1), st.sampled_from(["EUR", "JPY", "KWD", "CLF", "XXX"]))
@examples(50, 500)
def test_an_amount_reads_as_its_decimal(minor, currency):
    assert grouped(minor, currency) == f"{to_decimal(minor, currency):,f}"
    assert len(grouped(minor, currency).partition(".")[2]) == exponent(currency)


def test_sums_that_come_as_decimals_read_the_same():
    assert grouped(to_decimal(1_234_567, "JPY"), "EUR") == "12,345.67"


@given(st.text(max_size=40))
@examples(30, 300)
def test_any_text_is_text(text):
    assert _Read(f"<p>{writing.esc(text)}</p>").tags == ["p"]
    assert writing.esc(SafeString("<b>")) == "<b>"


def row(**more: object) -> dict[str, object]:
    known = {
        "buyer_id": EVIL, "name": EVIL, "name_local": None, "currency": "EUR", "city": EVIL, "outstanding": -1, "overdue": 0, "outstanding_base": 5,
        "overdue_share": 0.5, "oldest_days_past_due": None, "customer_since": date(2020, 1, 2), **dict.fromkeys(BUCKETS, 3),
    }  # fmt: skip
    return {**known, **more}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_lists_hold_nothing_unescaped(language):
    use_language(language)
    columns = [
        list_column(name) for name in ("city", "outstanding", "outstanding_base", "overdue_share", "oldest_days_past_due", "customer_since")
    ]
    cells = Cells([*columns, Column(AGEING, "text", EVIL)], "USD")
    rows = Rows({"as_of": EVIL})
    text = rows.buyers([row(), row(name_local=EVIL + "2")], cells)
    safe(text, EVIL, segment(EVIL), "-0.01", "0.05", "50.0%", "2020-01-02", "–")
    invoice = {
        **row(), "invoice_id": EVIL, "instalment": 2, "currency": None, "open_minor": 5, "disputed": True, "days_past_due": 3, "amount_minor": 7,
    }  # fmt: skip
    safe(rows.invoice_list([invoice], Cells([list_column("amount_minor")])), EVIL, "0.07")
    group = {
        "group_id": EVIL,
        "name": EVIL + "3",
        "buyers": 2,
        "currency": "EUR",
        "outstanding": 5,
        "overdue": 0,
        "unapplied_credits": 0,
        "share": None,
    }
    safe(rows.groups([group, {**group, "name": None}]), EVIL, EVIL + "3", "–")
    use_language("en")


def test_headings_pages_and_pieces_hold_nothing_unescaped():
    safe(writing.heads([Head("x", EVIL, EVIL, True, EVIL, "ascending"), Head("y", EVIL, "", False, "", "")]), EVIL)
    safe(writing.pages(Pager(2, 10, 95, lambda number: f"{EVIL}{number}"), [(50, EVIL)], EVIL), f"{EVIL}10", EVIL)
    safe(writing.panel("", EVIL, EVIL, EVIL, EVIL, EVIL), EVIL)
    safe(writing.panel(EVIL, "", "", "", "", ""), EVIL)
    safe(writing.dialog(SafeString("<p></p>"), EVIL, EVIL), EVIL)
    safe(writing.notice(EVIL, "bad"), EVIL)
    safe(writing.bucket_bar([1, None, -5, 2], (0, 1, 2, 3), EVIL, EVIL), EVIL)
    safe(writing.spark([1, None, 2, 3], EVIL), EVIL)
    safe(writing.sprite("close", EVIL), EVIL)


def test_zero_and_unknown_amounts_stand_back():
    cells = Cells([list_column("outstanding"), list_column("oldest_days_past_due"), list_column("overdue_share")])
    assert cells.of(row(outstanding=0, oldest_days_past_due=0, overdue_share=None)).count('class="num zero"') == 3
    assert cells.of(row(outstanding=-5, oldest_days_past_due=1, overdue_share=0.1)).count('class="num"') == 3
