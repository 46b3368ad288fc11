"""The thresholds of the forty indicators, at their edges as the indicators' list has them; the composite; what a firm states instead."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from duecourse.glossary import TERMS
from duecourse.messages import catalogue
from duecourse.risk.warning.rules_v1 import WarningRulesInvalidError, judge, shipped

ROOT = Path(__file__).resolve().parents[2]
RULES = shipped()
COLUMNS = {c.column for one in RULES.indicators.values() for part in (one.amber, one.red) for every in part for c in every}

# green, amber and red next to the edge, each {column: value}; None where an indicator has no such level
EDGES = {
    "PAY01": ({"PAY01_rise": 6.9}, {"PAY01_rise": 7}, {"PAY01_rise": 15}),
    "PAY02": ({"PAY02": 0.099}, {"PAY02": 0.10}, {"PAY02": 0.25}),
    "PAY03": ({"PAY03": 15}, {"PAY03": 16}, {"PAY03": 31}),
    "PAY04": ({"PAY04": 0}, {"PAY04": 1}, {"PAY04": 2}),
    "PAY05": ({"PAY05": 1}, {"PAY05": 2}, {"PAY05": 4}),
    "PAY06": ({"PAY06": 0}, {"PAY06": 1}, {"PAY06": 2}),
    "PAY07": ({"PAY07": 0}, None, {"PAY07": 1}),
    "PAY08": ({"PAY08": 1.9}, {"PAY08": 2}, {"PAY08": 3}),
    "PAY09": ({"PAY09": 0}, {"PAY09": 1}, {"PAY09": 2}),
    "LIM01": ({"LIM01": 0.80}, {"LIM01": 0.81}, {"LIM01": 0.96}),
    "LIM02": ({"LIM02": 0, "LIM02_withdrawn": 0}, {"LIM02": 1, "LIM02_withdrawn": 0}, {"LIM02": 1, "LIM02_withdrawn": 1}),
    "LIM03": ({"LIM03": 1.9}, {"LIM03": 2}, {"LIM03": 3}),
    "LIM04": ({"LIM04": 0.10}, {"LIM04": 0.11}, {"LIM04": 0.21}),
    "LIM05": ({"LIM05": -0.29}, {"LIM05": -0.30}, {"LIM05": -0.60}),
    "CON01": ({"CON01": 1}, {"CON01": 2}, {"CON01": 3}),
    "CON02": ({"CON02": 1, "CON02_2w": 1}, {"CON02": 2, "CON02_2w": 2}, {"CON02": 3, "CON02_2w": 3}),
    "CON03": ({"CON03": 0}, {"CON03": 1}, {"CON03": 1, "CON03_severe": 1}),
    "NEG01": ({"NEG01": 2}, {"NEG01": 3}, {"NEG01": 6}),
    "NEG02": ({"NEG02": 1}, {"NEG02": 2}, {"NEG02": 5}),
    "NEG03": ({"NEG03": 0}, {"NEG03": 1}, {"NEG03": 1, "NEG03_dishonest": 1}),
    "NEG04": ({"NEG04": 0}, {"NEG04": 1}, {"NEG04": 3}),
    "NEG05": ({"NEG05": 0}, {"NEG05": 1}, {"NEG05": 1, "NEG05_severe": 1}),
    "NEG06": ({"NEG06": 0}, {"NEG06": 1}, {"NEG06": 1, "NEG06_filed": 1}),
    "NEG07": ({"NEG07": 0}, {"NEG07": 1}, {"NEG07": 2}),
    "FIN01": ({"FIN01": 2.6, "FIN01_fall": 0.8}, {"FIN01": 2.59}, {"FIN01": 1.09}),
    "FIN02": ({"FIN02": 1.2}, {"FIN02": 1.19}, {"FIN02": 0.99}),
    "FIN03": ({"FIN03": 0}, {"FIN03": 1, "FIN03_debt": 0.1}, {"FIN03": 2}),
    "FIN04": ({"FIN04": 2.0}, {"FIN04": 1.99}, {"FIN04": 0.99}),
    "FIN05": ({"FIN05": 0.70}, {"FIN05": 0.71}, {"FIN05": 1.2}),
    "FIN06": ({"FIN06": -0.09}, {"FIN06": -0.10}, {"FIN06": -0.25}),
    "FIN07": ({"FIN07": 14.9}, {"FIN07": 15}, {"FIN07": 30}),
    "FIN08": ({"FIN08": 0, "FIN08_doubt": 0}, {"FIN08": 1, "FIN08_doubt": 0}, {"FIN08": 0, "FIN08_doubt": 1}),
    "FIN09": ({"FIN09": 1.0}, {"FIN09": 1.01}, {"FIN09": 1.51}),
    "FIN10": ({"FIN10": 0}, {"FIN10": 1}, {"FIN10": 2}),
    "MAC01": ({"MAC01": 0}, {"MAC01": 1}, {"MAC01": 2}),
    "MAC02": ({"MAC02": 0.09}, {"MAC02": 0.10}, {"MAC02": 0.25}),
    "MAC03": ({"MAC03": 0}, {"MAC03": 1}, {"MAC03": 1, "MAC03_severe": 1}),
    "OPS01": ({"OPS01": 0}, {"OPS01": 1}, {"OPS01": 1, "OPS01_severe": 1}),
    "OPS02": ({"OPS02": 0}, {"OPS02": 1}, {"OPS02": 2}),
    "OPS03": ({"OPS03": 0}, {"OPS03": 1}, {"OPS03": 1, "OPS03_severe": 1}),
}  # fmt: skip

# what a second condition takes back, and what else makes an indicator amber or red
MORE = [
    ("PAY01", {"PAY01_rise": 3, "PAY01_relative": 0.3}, 0.0),
    ("PAY01", {"PAY01_rise": 4, "PAY01_relative": 0.25}, 0.5),
    ("PAY01", {"PAY01_rise": 7, "PAY01_relative": 0.5}, 1.0),
    ("PAY01", {"PAY01_rise": 3, "PAY01_shift": 9}, 0.0),
    ("PAY01", {"PAY01_rise": 4, "PAY01_shift": 5}, 0.5),
    ("PAY01", {"PAY01_shift": 8}, 1.0),
    ("PAY02", {"PAY02": 1.0, "PAY03_share": 0.009}, 0.0),
    ("PAY03", {"PAY03": 400, "PAY03_share": 0.009}, 0.0),
    ("PAY06", {"PAY06": 1, "PAY06_weak": 1}, 1.0),
    ("PAY08", {"PAY08": 4, "PAY08_share": 0.009}, 0.0),
    ("PAY08", {"PAY08": 1.1, "PAY08_share": 0.051}, 1.0),
    ("PAY08", {"PAY08": 0.9, "PAY08_share": 0.051}, 0.0),
    ("LIM03", {"LIM03": 3, "LIM03_season": 1.4}, 0.0),
    ("LIM03", {"LIM03": 3, "LIM03_season": 1.5}, 0.5),
    ("CON01", {"CON01": 1, "CON01_severe": 1}, 1.0),
    ("NEG01", {"NEG01": 1, "NEG01_ratio": 12}, 0.0),
    ("NEG01", {"NEG01": 2, "NEG01_ratio": 2}, 0.5),
    ("NEG01", {"NEG01": 3, "NEG01_ratio": 4}, 1.0),
    ("NEG01", {"NEG01": 0, "NEG01_severe": 1}, 1.0),
    ("NEG02", {"NEG02": 0, "NEG02_equity": 0.051}, 0.5),
    ("NEG02", {"NEG02": 0, "NEG02_equity": 0.21}, 1.0),
    ("FIN01", {"FIN01": 3, "FIN01_fall": 0.81}, 0.5),
    ("FIN03", {"FIN03": 1, "FIN03_debt": -0.01}, 1.0),
    ("FIN03", {"FIN03": 0, "FIN03_debt": -0.01}, 0.0),
    ("FIN08", {"FIN08": 0, "FIN08_qualified": 1}, 0.5),
    ("FIN08", {"FIN08_auditor": 1}, 0.5),
    ("MAC01", {"MAC01_change": 0.25, "MAC01_surprise": 1.63}, 0.0),
    ("MAC01", {"MAC01_change": 0.25, "MAC01_surprise": 1.64}, 0.5),
    ("MAC01", {"MAC01_change": 0.5, "MAC01_surprise": 2.33}, 1.0),
    ("MAC02", {"MAC02": 0.5, "MAC02_surprise": 1.0}, 0.0),
    ("MAC03", {"MAC03": 1, "MAC03_group_failed": 1}, 1.0),
    ("OPS02", {"OPS02": 1, "OPS02_capital": 1}, 1.0),
]  # fmt: skip


def table(*rows):
    names = sorted(COLUMNS)
    return pa.table(
        {
            "buyer_id": [str(at) for at in range(len(rows))],
            **{name: pa.array([row.get(name) for row in rows], pa.float64()) for name in names},
        }
    )


def level_of(indicator, row):
    return judge(table(row)).levels[0, list(RULES.indicators).index(indicator)]


@pytest.mark.parametrize("indicator", RULES.indicators)
def test_each_indicator_turns_amber_and_red_at_its_thresholds(indicator):
    for row, expected in zip(EDGES[indicator], (0.0, 0.5, 1.0), strict=True):
        if row is not None:
            assert level_of(indicator, row) == expected, row
    assert np.isnan(level_of(indicator, {}))


@pytest.mark.parametrize(("indicator", "row", "expected"), MORE)
def test_what_else_counts_and_what_takes_it_back(indicator, row, expected):
    assert level_of(indicator, row) == expected


def test_what_is_not_known_is_named_and_counts_neither_way():
    done = judge(table({"PAY04": 2, "LIM04": 0.0}, {}))
    assert done.composite[0] == pytest.approx(100 * 8 / 14)
    assert done.known[0] == pytest.approx(14 / sum(one.weight for one in RULES.indicators.values()))
    assert set(done.missing(0)) == set(RULES.indicators) - {"PAY04", "LIM04"}
    assert np.isnan(done.composite[1])
    assert done.level.tolist() == [2, 0]
    assert done.missing(1) == list(RULES.indicators)


def test_one_red_of_the_highest_weight_is_enough():
    quiet = dict.fromkeys(("PAY04", "PAY05", "LIM04", "NEG02", "NEG04", "CON01", "OPS02", "OPS03"), 0.0)
    done = judge(table({**quiet, "NEG06": 1, "NEG06_filed": 1}, {**quiet, "NEG06": 1, "NEG06_filed": 0}, {**quiet, "PAY02": 0.5}))
    assert done.floored.tolist() == [True, False, False]
    assert done.level[0] == 2
    assert done.composite[0] < RULES.red_from <= done.score[0]
    assert done.score[1] == done.composite[1]


def test_the_reason_names_value_and_threshold():
    first, second = judge(table({"PAY03": 47, "PAY02": 0.125, "LIM04": 0.02})).reasons(0)
    assert (first.indicator, first.level, first.args) == ("PAY03", "red", {"value": 47, "threshold": 30})
    assert (second.indicator, second.level, second.args) == ("PAY02", "amber", {"value_share": 0.125, "threshold_share": 0.1})
    assert first.plain() == {"code": "warning.why_PAY03", "args": first.args, "indicator": "PAY03", "level": "red", "weight": 10}


def test_every_reason_has_its_sentence_and_every_indicator_its_name():
    for name in COLUMNS:
        end = "_share" if RULES.unit_of(name) == "fraction" else ""
        assert all(f"{{{part}{end}}}" in catalogue()[f"warning.why_{name}"]["en"] for part in ("value", "threshold")), name
    for name, one in RULES.indicators.items():
        term = TERMS[name.lower()]
        assert (term.abbreviation, term.unit) == (name, one.unit)
        assert f"warning.family_{one.family}" in catalogue()
    assert len(RULES.indicators) == 40
    assert sum(one.weight for one in RULES.indicators.values()) == 293


rows = st.dictionaries(st.sampled_from(sorted(COLUMNS)), st.floats(-5, 40), max_size=20)


@given(row=rows, name=st.sampled_from(sorted(COLUMNS)))
def test_score_and_level_hold_together(row, name):
    done = judge(table(row, {key: value for key, value in row.items() if key != name}))
    for at in (0, 1):
        levels = done.levels[at][~np.isnan(done.levels[at])]
        assert set(levels) <= {0.0, 0.5, 1.0}
        assert len(done.reasons(at)) == (levels > 0).sum()
        assert len(done.missing(at)) == 40 - len(levels)
        if len(levels):
            assert 0 <= done.composite[at] <= done.score[at] <= 100
            assert (done.score[at] >= RULES.red_from) == (done.level[at] == 2)


def test_a_firm_states_other_thresholds_and_the_version_says_so():
    stated = {"red_from": 50, "indicators": {"LIM01": {"weight": 5, "amber": [[["LIM01", ">", 0.9]]]}}}
    rules = RULES.changed(stated)
    row = table({"LIM01": 0.85})
    assert judge(row).composite[0] == 50
    assert judge(row, rules).composite[0] == 0
    assert rules.version.startswith("1+")
    assert rules.version == RULES.changed(json.loads(json.dumps(stated))).version
    assert RULES.changed({}) is RULES
    assert rules.indicators["LIM01"].red == RULES.indicators["LIM01"].red


@pytest.mark.parametrize(
    "stated",
    [
        {"indicators": {"PAY99": {"weight": 1}}}, {"indicators": {"PAY01": {"weight": -1}}}, {"indicators": {"PAY01": {"weight": True}}},
        {"indicators": {"PAY01": {"amber": [[["PAY01_rise", "=", 1]]]}}}, {"indicators": {"PAY01": {"amber": [[["no_such", ">", 1]]]}}},
        {"indicators": {"PAY01": {"amber": [[]]}}}, {"indicators": {"PAY01": {"amber": 7}}}, {"indicators": {"PAY01": {"red": [[["PAY01_rise", ">"]]]}}},
        {"indicators": {"PAY01": 3}}, {"indicators": 3}, {"amber_from": 60}, {"red_from": "x"}, {"colour": "blue"}, [1],
        {"indicators": {name: {"weight": 0} for name in RULES.indicators}},
    ],
)  # fmt: skip
def test_thresholds_that_cannot_be_read_are_refused(stated):
    with pytest.raises(WarningRulesInvalidError):
        RULES.changed(stated)


def test_the_page_of_the_rules_is_up_to_date():
    written = runpy.run_path(str(ROOT / "scripts" / "warning_rules_page.py"))
    page = ROOT / "docs" / "reference" / "warning-rules-v1.md"
    assert page.read_text(encoding="utf-8") == written["page"](), "run: .venv/bin/python scripts/warning_rules_page.py"
