"""The grade drawn: what each factor adds to the score, and how the grade went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from duecourse.glossary import label
from duecourse.messages import say
from duecourse.tables import Column
from duecourse.web.lazily import lazily
from duecourse.web.pages.charts import ROW_HEIGHT, Chart, _rows, _shape, _spoken, _table, _with
from duecourse.web.pages.columns import capital

if TYPE_CHECKING:
    from collections.abc import Sequence

    import altair as alt

    from duecourse.desk.grading import Point, Reason
else:
    alt = lazily("altair")


def points_chart(reasons: Sequence[Reason], most: int) -> Chart:
    """What makes the buyer riskier or safer?  加减分

    reasons: those that move the score; the `most` strongest are drawn.
    """
    strongest = sorted(reasons, key=lambda one: -abs(one.points))[:most]
    rows: list[dict[str, Any]] = [
        {"factor": capital(label(one.factor)), "points": round(one.points, 1), "block": say(f"grading.block_{one.block}")}
        for one in sorted(strongest, key=lambda one: one.points)
    ]
    words = say("web.grades_chart_points")
    columns = [
        Column("factor", heading=say("cli.col_factor")), Column("block", heading=capital(label("grade_basis"))),
        Column("points", "days", heading=capital(label("score_points"))),
    ]  # fmt: skip
    spec = {**_with(_diverging(), rows), "height": ROW_HEIGHT * max(len(rows), 1)}
    legend = [("series-3", say("web.grades_safer")), ("age-4", say("web.grades_riskier"))]
    return Chart(spec, words, _table("points", words, rows, columns), "short", legend)


def history_chart(points: Sequence[Point]) -> Chart:
    """How did the grade go?  等级走势"""
    rows: list[dict[str, Any]] = [
        {"month_end": one.on, "grade": one.grade, "probability": one.probability_of_default_12m} for one in points
    ]
    drawn = [{**row, "month": f"{row['month_end']:%Y-%m-%d}", "month_end": None} for row in rows]
    words = say("web.grades_chart_history")
    columns = [
        Column("month_end", "date"), Column("grade", "count"),
        Column("probability", "fraction", heading=capital(label("probability_of_default_12m"))),
    ]  # fmt: skip
    return Chart(_with(_stairs(), drawn), words, _table("history", words, rows, columns))


@_spoken
def _diverging() -> dict[str, Any]:
    base = _rows()
    y = alt.Y("factor:N", sort=None, title=None, axis=alt.Axis(labelColor="var(--ink)", labelFontSize=12, labelLimit=190, minExtent=0))
    x = alt.X("points:Q", axis=alt.Axis(title=label("score_points"), grid=True, tickCount=5))
    colour = alt.Color("safer:N", scale=alt.Scale(domain=[True, False], range=["var(--series-3)", "var(--age-4)"]), legend=None)
    hover = [alt.Tooltip("factor:N", title=say("cli.col_factor")), alt.Tooltip("points:Q", title=label("score_points"), format="+.1f")]
    bars = base.mark_bar(height=10, cornerRadiusEnd=1).encode(x, y, colour, tooltip=hover).transform_calculate(safer="datum.points > 0")
    zero = base.mark_rule(strokeWidth=1, color="var(--ink-3)").encode(x=alt.datum(0))
    return _shape(alt.layer(bars, zero), ROW_HEIGHT)


@_spoken
def _stairs() -> dict[str, Any]:
    base = _rows()
    hover = [
        alt.Tooltip("month:T", title=label("month_end"), format="%Y-%m-%d"), alt.Tooltip("grade:Q", title=label("grade")),
        alt.Tooltip("probability:Q", title=label("probability_of_default_12m"), format=".2%"),
    ]  # fmt: skip
    y = alt.Y(
        "grade:Q", scale=alt.Scale(domain=[10, 1], nice=False), axis=alt.Axis(title=label("grade"), values=list(range(1, 11)), format="d")
    )
    x = alt.X("month:T", title=None, axis=alt.Axis(format="%Y-%m"))
    line = base.mark_line(interpolate="step-after", strokeWidth=2, color="var(--accent)").encode(x, y)
    dots = base.mark_circle(size=46, color="var(--accent)", opacity=1).encode(x, y, tooltip=hover)
    return _shape(alt.layer(line, dots))
