"""Charts: each can be drawn, says what it shows in the reader's language, and carries its exact figures."""

from __future__ import annotations

import json
import re
from datetime import date

import pytest
import vl_convert

from duecourse.measures.buckets import Buckets
from duecourse.messages import use_language
from duecourse.tables import Money
from duecourse.web.pages import charts
from duecourse.web.pages.amounts import short, unit_for
from duecourse.web.pages.templatetags.components import bucket_bar, change, spark

BUCKETS = Buckets((30, 60))
IDS = BUCKETS.ids


def months(count: int = 14) -> list[dict]:
    return [
        {
            "month_end": date(2025 + month // 12, month % 12 + 1, 28), "outstanding": 123_456_789_01 + month, "overdue": 23_456_789_01,
            **dict.fromkeys(IDS, 1_000_000_00), "dso_countback": 51.25, "dso_simple": None, "best_possible_dso": 40.0, "cei": 0.8125,
            "days_beyond_terms": None if month == 3 else 4.5, "cash_received": 5_000_00,
        }
        for month in range(count)
    ]  # fmt: skip


PARTS = [{"name": "上海远洋贸易有限公司", "outstanding": 900_000_00, "share": 0.9, "currency": "CNY", **dict.fromkeys(IDS, 300_000_00)},
         {"name": "Müller & Söhne </script>", "outstanding": 100_000_00, "share": 0.1, "currency": "CNY", **dict.fromkeys(IDS, 0)}]  # fmt: skip
TERMS = [{"payment_terms_days": 30, "credit_sales": 70_00, "share": 0.7}, {"payment_terms_days": 60, "credit_sales": 30_00, "share": 0.3}]
CURVE = [{"buyers_share": share / 10, "amount_share": min(1.0, share / 5)} for share in range(11)]

EVERY = {
    "ageing": lambda: charts.ageing_over_time(months(), BUCKETS, "CNY"),
    "balance": lambda: charts.balance_trend(months(), "CNY"),
    "dso": lambda: charts.dso_trend(months()),
    "cei": lambda: charts.cei_trend(months()),
    "payment": lambda: charts.payment_behaviour(months(), "CNY"),
    "concentration": lambda: charts.concentration_bars(PARTS, "CNY"),
    "terms": lambda: charts.term_mix(TERMS, "CNY"),
    "lorenz": lambda: charts.lorenz(CURVE),
    "multiples": lambda: charts.bucket_multiples(PARTS, BUCKETS),
}


@pytest.fixture(autouse=True)
def _english():
    use_language("en")
    yield
    use_language("en")


@pytest.mark.parametrize("name", EVERY)
def test_a_chart_can_be_drawn(name):
    chart = EVERY[name]()
    assert vl_convert.vegalite_to_vega(json.dumps(dict(chart.spec)))["marks"]
    assert chart.description
    assert len(list(chart.table.rows)) == len(chart.spec["data"]["values"])


@pytest.mark.parametrize("name", ["ageing", "concentration"])
def test_a_picture_for_paper_holds_no_custom_properties(name):
    picture = charts.svg(EVERY[name]())
    assert picture.startswith("<svg")
    assert "var(" not in picture


@pytest.mark.parametrize("name", EVERY)
def test_a_chart_speaks_the_reader_s_language_whoever_came_first(name):
    english = json.dumps(EVERY[name]().spec["layer"] if "layer" in EVERY[name]().spec else EVERY[name]().spec["encoding"])
    use_language("zh")
    chinese = json.dumps(
        EVERY[name]().spec["layer"] if "layer" in EVERY[name]().spec else EVERY[name]().spec["encoding"], ensure_ascii=False
    )
    assert not re.search(r"[\u4e00-\u9fff]", english)
    assert re.search(r"[\u4e00-\u9fff]", chinese)
    assert re.search(r"[\u4e00-\u9fff]", EVERY[name]().description)


def test_the_table_behind_a_chart_is_exact():
    rows = list(charts.balance_trend(months(2), "CNY").table.rows)
    assert rows[1]["outstanding"] == Money(123_456_789_02, "CNY")
    assert rows[1]["month_end"] == date(2025, 2, 28)


def test_parts_in_several_currencies_keep_their_own():
    table = charts.bucket_multiples([PARTS[0], {**PARTS[1], "currency": "JPY"}], BUCKETS).table
    assert [row[IDS[0]].currency for row in table.rows] == ["CNY", "JPY"]


def test_an_unknown_figure_is_a_gap_not_a_zero():
    points = charts.payment_behaviour(months(), "CNY").spec["data"]["values"]
    assert points[3]["days"] is None


def test_a_chart_without_figures_says_so():
    assert charts.dso_trend([]).is_empty
    assert charts.dso_trend([{"month_end": date(2026, 1, 31)}]).is_empty
    assert not charts.dso_trend(months()).is_empty
    unpaid = [{"month_end": date(2026, 1, 31), "days_beyond_terms": None, "cash_received": 0}]
    assert charts.payment_behaviour(unpaid, "CNY").is_empty, "months without a payment have no lateness to draw"


def test_axes_name_unit_and_currency():
    axis = charts.balance_trend(months(), "EUR").spec["layer"][0]["encoding"]["y"]["axis"]
    assert axis["title"] == "M EUR"
    use_language("zh")
    assert charts.balance_trend(months(), "CNY").spec["layer"][0]["encoding"]["y"]["axis"]["title"] == "亿元"


@pytest.mark.parametrize(
    ("minor", "currency", "lang", "value", "unit"),
    [
        (1_284_000_000_00, "EUR", "en", "1.28", "bn EUR"),
        (12_840_000_00, "EUR", "en", "12.84", "M EUR"),
        (999_00, "EUR", "en", "999", "EUR"),
        (-45_600_00, "EUR", "en", "-45.60", "k EUR"),
        (0, "EUR", "en", "0", "EUR"),
        (1_284_000, "JPY", "en", "1.28", "M JPY"),
        (1_416_230_439_71, "CNY", "zh", "14.16", "亿元"),
        (4_364_000_00, "CNY", "zh", "436.4", "万元"),
        (4_364_000_00, "EUR", "zh", "436.4", "万 EUR"),
        (None, "EUR", "en", "–", ""),
    ],
)
def test_large_amounts_are_told_as_the_language_counts(minor, currency, lang, value, unit):
    use_language(lang)
    assert short(minor, currency) == (value, unit)


def test_the_unit_of_an_axis_fits_its_largest_amount():
    assert unit_for(99_999_999, "CNY").size == 1_000


def test_an_amount_just_below_a_unit_is_not_rounded_into_the_next():
    assert short(999_999_99, "EUR") == ("1,000.0", "k EUR")


def test_a_spark_line_has_a_gap_where_nothing_is_known():
    drawn = str(spark([1.0, 2.0, None, 3.0, 4.0]))
    assert drawn.count("M") == 2
    assert "nan" not in drawn
    assert "<path" not in str(spark([None, 1.0]))


def test_a_flat_spark_line_can_be_drawn():
    assert "<path" in str(spark([5.0, 5.0, 5.0]))


def test_the_parts_of_a_bar_add_up_and_credits_have_no_width():
    drawn = str(bucket_bar({"not_due": 75, "days_1_30": 25, "days_31_60": -10}))
    assert re.findall(r'width="([\d.]+)%"', drawn) == ["75.00", "25.00"]
    assert "<rect" not in str(bucket_bar({"not_due": 0}))


@pytest.mark.parametrize(
    ("now", "before", "better", "unit", "words", "judged"),
    [
        (110, 100, "down", "share", "up 10.0%", "bad"),
        (90, 100, "down", "share", "down 10.0%", "good"),
        (90, 100, "", "share", "down 10.0%", None),
        (100, 100, "down", "share", "unchanged", None),
        (50.0, 47.5, "down", "days", "up 2.5 days", "bad"),
        (0.812, 0.790, "up", "points", "up 2.2 pts", "good"),
        (5, None, "down", "share", "no earlier figure", None),
        (5, 0, "down", "share", "no earlier figure", None),
        (None, 5, "down", "share", "no earlier figure", None),
    ],
)  # fmt: skip
def test_a_change_is_told_in_shape_and_word_and_judged_only_where_one_way_is_better(now, before, better, unit, words, judged):
    drawn = str(change(now, before, better=better, unit=unit))
    assert words in drawn
    for verdict in ("good", "bad"):
        assert (f" {verdict}" in drawn) is (verdict == judged)
