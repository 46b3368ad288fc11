"""Backtests and monthly reviews drawn: how long before, what more looking buys, whether probabilities were right, what has moved."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from duecourse.desk.backtest_words import rival_name, threshold_words
from duecourse.messages import say
from duecourse.review.drift import MUCH, SOME, VERDICTS
from duecourse.tables import Column
from duecourse.web.lazily import lazily
from duecourse.web.pages.charts import ROW_HEIGHT, Chart, _rows, _shape, _spoken, _table, _with

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import altair as alt
else:
    alt = lazily("altair")

THREE: Final = 3
SIX: Final = 6
LEADS: Final = ("age-3", "series-3", "series-1")
"""Under three months, three to six, six and more."""
RIVALS: Final = ("series-1", "series-2", "series-4", "series-3", "series-6")
VERDICT_COLOURS: Final[Mapping[str, str]] = {"true": "series-1", "known": "series-3", "false": "age-4"}


def leads(counts: Sequence[int]) -> Chart:
    """How long before were we warned?  提前期分布

    counts: defaults by whole months from the first alert, of those warned of.
    """
    rows: list[dict[str, Any]] = [{"months": f"{month}–{month + 1}", "count": count, "from": month} for month, count in enumerate(counts)]
    drawn = [{**row, "part": 0 if row["from"] < THREE else 1 if row["from"] < SIX else 2} for row in rows]
    words = say("web.review_chart_leads")
    columns = [Column("months", heading=say("web.review_col_months")), Column("count", "count", say("backtest.col_defaults"))]
    legend = [(colour, say(f"web.review_lead_{name}")) for colour, name in zip(LEADS, ("short", "three", "six"), strict=True)]
    shown = rows if any(counts) else []
    return Chart(_with(_months(), drawn), words, _table("leads", words, shown, columns), legend=legend)


def trade_off(found: Mapping[str, Any]) -> Chart:
    """What does more looking buy?  名额与效果的取舍

    found: the report; its trade_off is {rival: points with share, recall_90, precision, threshold, alerts_per_analyst_day}.
    """
    curves: Mapping[str, Sequence[Mapping[str, Any]]] = found["trade_off"]
    names = list(curves)[: len(RIVALS)]
    rows = [
        {**row, "rival": rival_name(name), "threshold": threshold_words(found, name, row["threshold"])}
        for name in names
        for row in curves[name]
    ]
    words = say("web.review_chart_trade_off")
    columns = [
        Column("rival", heading=say("backtest.col_rival")), Column("share", "fraction", say("backtest.col_share")), Column("recall_90", "fraction", say("web.review_figure_recall_90")),
        Column("precision", "fraction", say("web.review_figure_precision")), Column("threshold", heading=say("backtest.col_threshold")),
    ]  # fmt: skip
    shape = _curves(tuple(rival_name(name) for name in names))
    legend = [(colour, rival_name(name)) for colour, name in zip(RIVALS, names, strict=False)]
    return Chart(_with(shape, rows), words, _table("trade_off", words, rows, columns), legend=legend, needs="recall_90")


def calibration(periods: Mapping[str, Mapping[str, Any]], first: str) -> Chart:
    """Were the probabilities right, period by period?  校准

    periods: {name: rows, expected, observed, low, high, is_right}; first: what the periods are called.
    """
    rows = [{"period": name, **one} for name, one in periods.items() if one["rows"]]
    words = say("web.review_chart_calibration")
    columns = [Column("period", heading=first), Column("rows", "count", say("backtest.col_rows"))]
    columns += [Column("expected", "ratio", say("backtest.col_expected")), Column("observed", "count", say("backtest.col_observed"))]
    columns += [Column("low", "ratio", say("web.review_col_low")), Column("high", "ratio", say("web.review_col_high"))]
    legend = [("series-1", say("backtest.col_expected")), ("age-4", say("backtest.col_observed")), ("series-5", say("backtest.col_range"))]
    return Chart(_with(_ranges(), rows), words, _table("calibration", words, rows, columns), legend=legend, needs="expected")


def moved(rows: Sequence[Mapping[str, Any]]) -> Chart:
    """Which inputs have moved farthest?  指标漂移

    rows: name and index (PSI), the farthest first; a dozen at most.
    """
    words = say("web.review_chart_moved")
    drawn = [{"name": row["name"], "index": row["index"]} for row in rows]
    columns = [Column("name", heading=say("drift.col_indicator")), Column("index", "ratio", say("drift.col_index"))]
    spec = {**_with(_indices(), drawn), "height": ROW_HEIGHT * max(len(drawn), 1)}
    legend = [("series-5", f"< {SOME:.2f}"), ("series-2", f"{SOME:.2f}–{MUCH:.2f}"), ("age-5", f"≥ {MUCH:.2f}")]
    return Chart(spec, words, _table("moved", words, drawn, columns), "short", legend, needs="index")


def index_over_time(rows: Sequence[Mapping[str, Any]]) -> Chart:
    """How far have the inputs moved, month end by month end?  漂移走势

    rows: month_end (ISO day), composite (PSI of the rule score), much (how many inputs have moved much), oldest first.
    """
    words = say("web.review_chart_over_time")
    drawn = [{"month": str(row["month_end"])[:7], "composite": row["composite"], "much": row["much"]} for row in rows]
    columns = [
        Column("month_end", heading=say("web.review_month_end")), Column("composite", "ratio", say("web.review_composite_index")),
        Column("much", "count", say("web.review_much_moved")),
    ]  # fmt: skip
    return Chart(_with(_index_line(), drawn), words, _table("over_time", words, rows, columns), needs="composite")


def verdicts(rows: Sequence[Mapping[str, Any]]) -> Chart:
    """What did people find of the alerts they closed, month by month?  核实结果

    rows: month, true, known, false, oldest first.
    """
    words = say("web.review_chart_verdicts")
    names = tuple((name, say(f"drift.verdict_{name}")) for name in VERDICT_COLOURS)
    columns = [Column("month", heading=say("web.review_month")), *(Column(name, "count", said) for name, said in names)]
    legend = [(colour, say(f"drift.verdict_{name}")) for name, colour in VERDICT_COLOURS.items()]
    shown = [dict(row) for row in rows] if any(row[name] for row in rows for name in VERDICTS) else []
    return Chart(_with(_verdict_bars(names), [dict(row) for row in rows]), words, _table("verdicts", words, shown, columns), legend=legend)


# --- Shapes ---


@_spoken
def _months() -> dict[str, Any]:
    hover = [
        alt.Tooltip("months:N", title=say("web.review_col_months")),
        alt.Tooltip("count:Q", title=say("backtest.col_defaults"), format=",.0f"),
    ]
    colour = alt.Color("part:N", scale=alt.Scale(domain=[0, 1, 2], range=[f"var(--{name})" for name in LEADS]), legend=None)
    bars = _rows().mark_bar(cornerRadiusEnd=1).encode(
        alt.X("months:N", sort=None, title=say("web.review_col_months"), scale=alt.Scale(paddingInner=0.2)),
        alt.Y("count:Q", axis=alt.Axis(title=say("backtest.col_defaults"), format="d", tickMinStep=1)), colour, tooltip=hover,
    )  # fmt: skip
    return _shape(bars)


@_spoken
def _curves(names: tuple[str, ...]) -> dict[str, Any]:
    base = _rows()
    hover = [
        alt.Tooltip("rival:N", title=say("backtest.col_rival")), alt.Tooltip("share:Q", title=say("backtest.col_share"), format=".2%"),
        alt.Tooltip("recall_90:Q", title=say("web.review_figure_recall_90"), format=".0%"),
        alt.Tooltip("precision:Q", title=say("web.review_figure_precision"), format=".0%"),
        alt.Tooltip("threshold:N", title=say("backtest.col_threshold")),
        alt.Tooltip("alerts_per_analyst_day:Q", title=say("web.review_figure_alerts_per_analyst_day"), format=",.2f"),
    ]  # fmt: skip
    x = alt.X("share:Q", axis=alt.Axis(title=say("backtest.col_share"), format=".1%", tickCount=6))
    y = alt.Y("recall_90:Q", axis=alt.Axis(title=say("web.review_figure_recall_90"), format=".0%"), scale=alt.Scale(zero=True, nice=True))
    colour = alt.Color("rival:N", scale=alt.Scale(domain=list(names), range=[f"var(--{name})" for name in RIVALS[: len(names)]]), sort=None)
    line = base.mark_line(strokeWidth=2).encode(x, y, colour)
    dots = base.mark_circle(size=54, opacity=1).encode(x, y, colour, tooltip=hover)
    return _shape(alt.layer(line, dots))


@_spoken
def _ranges() -> dict[str, Any]:
    base = _rows()
    hover = [
        alt.Tooltip("period:N", title=say("backtest.col_period")), alt.Tooltip("rows:Q", title=say("backtest.col_rows"), format=","),
        alt.Tooltip("expected:Q", title=say("backtest.col_expected"), format=",.1f"),
        alt.Tooltip("observed:Q", title=say("backtest.col_observed"), format=",.0f"),
        alt.Tooltip("low:Q", title=say("web.review_col_low"), format=",.1f"), alt.Tooltip("high:Q", title=say("web.review_col_high"), format=",.1f"),
    ]  # fmt: skip
    x = alt.X("period:N", sort=None, title=None)
    axis = alt.Axis(title=say("backtest.col_defaults"), tickCount=4)
    span = base.mark_rule(strokeWidth=6, color="var(--series-5)", opacity=0.45).encode(x, alt.Y("low:Q", axis=axis), alt.Y2("high:Q"))
    came = base.mark_tick(color="var(--age-4)", thickness=2.5, size=22).encode(x, alt.Y("observed:Q"), tooltip=hover)
    expected = base.mark_circle(color="var(--series-1)", size=80, opacity=1).encode(x, alt.Y("expected:Q"), tooltip=hover)
    return _shape(alt.layer(span, came, expected))


@_spoken
def _indices() -> dict[str, Any]:
    base = _rows()
    y = alt.Y("name:N", sort=None, title=None, axis=alt.Axis(labelColor="var(--ink)", labelFontSize=12, labelLimit=230, minExtent=0))
    # Beyond one the distance says nothing more: a bar is cut there, its number is not.
    x = alt.X("shown:Q", axis=None, scale=alt.Scale(domain=[0, 1], rangeMax={"expr": "width - 48"}))
    hover = [
        alt.Tooltip("name:N", title=say("drift.col_indicator")),
        alt.Tooltip("index:Q", title=say("drift.col_index"), format=".3f"),
    ]
    colour = alt.Color(
        "level:N", scale=alt.Scale(domain=[0, 1, 2], range=["var(--series-5)", "var(--series-2)", "var(--age-5)"]), legend=None
    )
    worked = base.transform_calculate(shown="min(datum.index, 1)", level=f"datum.index < {SOME} ? 0 : datum.index < {MUCH} ? 1 : 2")
    bars = worked.mark_bar(height=9, cornerRadiusEnd=1).encode(x, y, colour, tooltip=hover)
    words = worked.mark_text(align="left", dx=6, color="var(--ink-2)", fontSize=11).encode(x, y, text=alt.Text("index:Q", format=".2f"))
    # On paper the names are set in another face, a little wider than they were measured.
    return {**_shape(alt.layer(bars, words), ROW_HEIGHT), "padding": {"left": 10, "right": 4, "top": 8, "bottom": 4}}


@_spoken
def _index_line() -> dict[str, Any]:
    base = _rows()
    hover = [
        alt.Tooltip("month:O", title=say("web.review_month_end")),
        alt.Tooltip("composite:Q", title=say("web.review_composite_index"), format=".3f"),
        alt.Tooltip("much:Q", title=say("web.review_much_moved"), format="d"),
    ]
    x = alt.X("month:O", title=None)
    y = alt.Y("composite:Q", axis=alt.Axis(title=say("web.review_composite_index")), scale=alt.Scale(zero=True, nice=True))
    line = base.mark_line(strokeWidth=2, color="var(--accent)").encode(x, y)
    dots = base.mark_circle(size=60, color="var(--accent)", opacity=1).encode(x, y, tooltip=hover)
    bounds = [base.mark_rule(strokeDash=[4, 3], color="var(--ink-3)").encode(y=alt.datum(bound)) for bound in (SOME, MUCH)]
    return _shape(alt.layer(*bounds, line, dots))


@_spoken
def _verdict_bars(names: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    base = _rows()
    folded = base.transform_fold([name for name, _ in names], as_=["which", "count"]).transform_calculate(
        word=f"({json.dumps(dict(names), ensure_ascii=False)})[datum.which]"
    )
    colours = [f"var(--{VERDICT_COLOURS[name]})" for name, _ in names]
    bars = folded.mark_bar().encode(
        alt.X("month:O", title=None, scale=alt.Scale(paddingInner=0.25)),
        alt.Y("count:Q", axis=alt.Axis(title=None, format="d", tickMinStep=1)),
        alt.Color("word:N", scale=alt.Scale(domain=[said for _, said in names], range=colours), sort=None),
        tooltip=[alt.Tooltip("month:O", title=say("web.review_month")), *(alt.Tooltip(f"{name}:Q", title=said) for name, said in names)],
    )
    return _shape(bars)
