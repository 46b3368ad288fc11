"""A figure is missing exactly where the guards give a reason."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from duecourse.ledger.entries import STATEMENT_ITEMS
from duecourse.measures.statement_guards import NEEDS, RATIOS, SCORES, why_not, zone
from duecourse.measures.statements import annual_statements, statement_ratios, statement_scores
from duecourse.samples.book import book
from support.examples import examples

AMOUNT = st.one_of(st.none(), st.sampled_from([0, 1, -1, 100]), st.integers(-(10**12), 10**12))
YEAR = st.fixed_dictionaries(dict.fromkeys(STATEMENT_ITEMS, AMOUNT))


def test_every_figure_shown_says_what_it_needs():
    assert {name for names in RATIOS.values() for name in names} | set(SCORES) == set(NEEDS)


@examples(6, 100)
@given(st.lists(YEAR, min_size=1, max_size=120))
def test_a_figure_is_missing_exactly_where_there_is_a_reason(years):
    rows = []
    for number, lines in enumerate(years):
        year = 2000 + number % 3
        rows.append(
            {
                "buyer_id": f"b{number // 3}", "period_end": dt.date(year, 12, 31), "period_months": 12, "consolidated": False,
                "published_on": dt.date(year + 1, 4, 1), "currency": "EUR", **lines,
            }
        )  # fmt: skip
    drawn = book(dt.date(2010, 1, 1), statement=rows)

    def keyed(table):
        return {(row["buyer_id"], row["period_end"]): row for row in drawn.run(table).to_pylist()}

    lines, ratios, scores = keyed(annual_statements(drawn)), keyed(statement_ratios(drawn)), keyed(statement_scores(drawn))
    for key, row in lines.items():
        for name in NEEDS:
            value = scores[key][name] if name in SCORES else ratios[key][name]
            assert (value is None) == (why_not(name, row) is not None), (name, value, why_not(name, row))


def test_a_score_has_the_zone_of_its_paper():
    assert [zone("altman_z", value) for value in (1.80, 1.81, 2.99, 3.0, None)] == ["distress", "grey", "grey", "safe", ""]
    assert [zone("zmijewski_x", value) for value in (-0.1, 0.1)] == ["safe", "distress"]
    assert [zone("piotroski_f", value) for value in (2, 3, 7, 8)] == ["distress", "grey", "grey", "safe"]
