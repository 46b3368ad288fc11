"""Write docs/reference/warning-rules-v1.md from the shipped thresholds and the glossary: `.venv/bin/python scripts/warning_rules_page.py`."""

from __future__ import annotations

from pathlib import Path

from duecourse.glossary import term
from duecourse.risk.warning.rules_v1 import Condition, shipped

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "warning-rules-v1.md"
INTRODUCTION = """# Warning rules, version {version}

**Question.** Which early signs are there that a buyer may stop paying, and how many of them speak at once?

**Form.** Forty indicators, each a figure as of a day (`src/duecourse/measures/indicators/`), held against two thresholds: green 0, amber 0.5, red 1. Composite = 100 · Σ weight · level ÷ Σ weight of
the indicators that are known. A buyer is amber from {amber:g} and red from {red:g}; one red indicator of weight {floor:g} puts it into the red whatever else is known: its score is then
{red:g} + composite · {rest:g} %, so that buyers in the red still stand in order. `duecourse indicators` tells all active buyers, `duecourse indicators BUYER` one with the facts behind each sign.

**What is not known.** An indicator without its facts is missing, never green: it counts neither way and is named. No sign of a kind (no lawsuit, no broken promise) is a zero only where the book records that kind at all: courts
and registers for the buyer's country, everything else anywhere. So a firm that keeps no promises to pay does not look as if all had been kept.

**As of a day.** No figure changes when later facts arrive; a test removes them and compares.

**The firm's own thresholds.** The setting `warning_rules` states others, for all that it names:
`{{"red_from": 25, "indicators": {{"LIM01": {{"weight": 6, "amber": [[["LIM01", ">", 0.9]]]}}}}}}`. An indicator's level is a list of alternatives, each a list of conditions: the first must hold, the others must not be known to fail.
The version in an answer then ends in a mark of what was stated.

**Sources.** The list, its thresholds and weights are the practice of credit insurers and credit managers; they are judgement, not fitted. How early and how often they are right on your own ledger: `duecourse backtest`.
Where we read more closely than the list: a rise of delay counts only beyond the buyer's own season; a CUSUM of its monthly delay (Page 1954) says since when; an item of which no more than a tenth is open was paid short, not late; ratios of few events (one piece of news
after a silent year, a dispute in a small quarter) need more than their ratio; country and sector are those of the firm's own books, beyond chance, and say so.

| | indicator | 指标 | what | amber | red | weight | source |
|---|---|---|---|---|---|---|---|
"""
AFTER = """
Further figures: `PAY01_rise` days later than the last year and than the same season; `PAY01_relative` growth of the time from invoice to payment; `PAY01_shift` the CUSUM in standard deviations of the buyer's own; `PAY03_share` overdue by balance or a
month's sales; `PAY08_share` disputed and deducted by sales; `LIM03_season` against the same days a year ago; `NEG01_ratio` against a usual month; `NEG02_equity` claims by equity; `FIN01_fall` in a year; `FIN03_debt` cash flow of two years by debt;
`MAC01_change`, `MAC01_surprise`, `MAC02_surprise` of our buyers more than 60 days late, against a year ago, and standard errors beyond chance; `…_severe`, `…_withdrawn`, `…_dishonest`, `…_filed`, `…_weak`, `…_capital`, `…_doubt`, `…_qualified`, `…_group_failed` counts of the worse kind.
"""
SIGNS = {">=": "≥", "<=": "≤"}


def _words(level: list[list[Condition]]) -> str:
    rules = shipped()

    def one(condition: Condition) -> str:
        unit = rules.unit_of(condition.column)
        value = f"{condition.threshold * 100:g} %" if unit == "fraction" else f"{condition.threshold:g}{' d' if unit == 'days' else ''}"
        return f"`{condition.column}` {SIGNS.get(condition.sign, condition.sign)} {value}"

    return "<br>or ".join(" and ".join(one(each) for each in every) for every in level) or "–"


def page() -> str:
    """The whole page."""
    rules = shipped()
    head = INTRODUCTION.format(
        version=rules.version, amber=rules.amber_from, red=rules.red_from, floor=rules.floor_weight, rest=100 - rules.red_from
    )
    rows = []
    for name, one in rules.indicators.items():
        known = term(name.lower())
        cells = (
            name, known.label("en"), known.label("zh"), known.definition("en"), _words(one.amber), _words(one.red), f"{one.weight:g}", one.source,
        )  # fmt: skip
        rows.append("| " + " | ".join(cells) + " |")
    return head + "\n".join(rows) + "\n" + AFTER


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
