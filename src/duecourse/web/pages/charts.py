"""Charts: data in, Vega-Lite specification out. Each carries its description and the table of its figures.

A specification's shape is made by Altair once for each language and kept; a page only puts its rows in. Colours are the custom properties of
tokens.css (`var(--accent)`), so that one drawing serves light, dark and paper; `svg()` puts the light values in their place.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

from duecourse.glossary import label
from duecourse.messages import language, say
from duecourse.money import exponent
from duecourse.tables import Column, Money, Section
from duecourse.web.lazily import lazily
from duecourse.web.pages.amounts import major, unit_for
from duecourse.web.pages.palette import colours

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import altair as alt

    from duecourse.measures.buckets import Buckets
    from duecourse.web.pages.amounts import Unit

    Rows = Sequence[Mapping[str, Any]]
    Shape = dict[str, Any]
else:
    alt = lazily("altair")

FONT: Final = (
    "Inter, 'Segoe UI', 'Helvetica Neue', 'Liberation Sans', Arial, 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif"
)
INK: Final = "var(--ink-3)"
AGES: Final = 7
HEIGHT: Final = 220
ROW_HEIGHT: Final = 26
CONFIG: Final[dict[str, Any]] = {
    "background": "transparent",
    "font": FONT,
    "padding": {"left": 0, "right": 4, "top": 8, "bottom": 4},
    "view": {"stroke": None},
    "axis": {
        "labelColor": INK, "titleColor": INK, "labelFontSize": 11, "titleFontSize": 11, "titleFontWeight": "normal", "labelFontWeight": "normal",
        "domain": False, "ticks": False, "gridColor": "var(--line)", "labelPadding": 6, "labelAngle": 0, "labelLimit": 220, "labelFont": FONT, "titleFont": FONT,
    },
    "axisX": {"grid": False, "domain": True, "domainColor": "var(--line-2)", "labelOverlap": "greedy", "labelSeparation": 8},
    "axisY": {"titleAngle": 0, "titleAlign": "left", "titleAnchor": "end", "titleY": -12, "titleX": -8, "tickCount": 4, "minExtent": 34},
    "legend": {
        "disable": True,
        "orient": "top", "direction": "horizontal", "title": None, "labelColor": "var(--ink-2)", "labelFontSize": 11, "symbolType": "square", "symbolSize": 90,
        "symbolStrokeWidth": 0, "columnPadding": 14, "padding": 0, "offset": 22, "labelFont": FONT,
    },
    "rule": {"color": "var(--line-2)"},
}  # fmt: skip


def _month_column() -> Column:
    return Column("month_end", "date")


@dataclass(frozen=True)
class Chart:
    """What a page needs of one chart.

    spec         Vega-Lite, with the data in it
    description  what it shows, for who cannot see it
    table        the figures it is drawn from, exact
    size         short, tall or empty: the room kept for it
    legend       (colour token, words): the page writes it, so that it wraps as text does
    needs        the figure without which nothing can be drawn; "" = any
    """

    spec: Mapping[str, Any]
    description: str
    table: Section
    size: str = ""
    legend: Sequence[tuple[str, str]] = ()
    needs: str = ""

    @property
    def is_empty(self) -> bool:
        """Is there nothing to draw? Rows without a figure are nothing."""
        names = [self.needs] if self.needs else [column.name for column in self.table.columns[1:]]
        return not any(row.get(name) is not None for row in self.table.rows for name in names)


def ageing_over_time(rows: Rows, buckets: Buckets, currency: str) -> Chart:
    """How old was what is owed, month by month?  账龄变化

    rows: of measures.history: month_end and the buckets' amounts in minor units, oldest month first.
    """
    ids = list(buckets.ids)
    unit = unit_for(max((sum(max(row[name] or 0, 0) for name in ids) for row in rows), default=0), currency)
    names = tuple((name, buckets.label(name)) for name in ids)
    points = [{"month": _month(row), **{name: major(row[name] or 0, currency) for name in ids}} for row in rows]
    columns = [_month_column(), *(Column(name, "money", words) for name, words in names)]
    words = say("web.frame_chart_ageing")
    spec = _with(_stacked(names, unit, _amount_format(currency)), points)
    return Chart(spec, words, _table("ageing", words, rows, columns, currency), legend=_ages_legend(names))


def balance_trend(rows: Rows, currency: str) -> Chart:
    """How much is owed and how much of it is late, month by month?  应收与逾期趋势

    rows: month_end, outstanding, overdue in minor units, oldest first.
    """
    unit = unit_for(max((row["outstanding"] or 0 for row in rows), default=0), currency)
    columns = [Column("outstanding", "money"), Column("overdue", "money")]
    points = [{"month": _month(row), **{column.name: _major(row[column.name], currency) for column in columns}} for row in rows]
    return _trend(
        "balance", "web.frame_chart_balance", rows, columns, points, (unit.name, unit.size, _amount_format(currency), True), currency
    )


def dso_trend(rows: Rows) -> Chart:
    """How long does it take until we are paid, and how long would it at best?  DSO 趋势

    rows: month_end and of dso_countback, dso_simple, best_possible_dso what there is, in days, oldest first.
    """
    names = [name for name in ("dso_countback", "dso_simple", "best_possible_dso") if any(row.get(name) is not None for row in rows)]
    points = [{"month": _month(row), **{name: row.get(name) for name in names}} for row in rows]
    columns = [Column(name, "days") for name in names]
    return _trend("dso", "web.frame_chart_dso", rows, columns, points, (say("web.frame_axis_days"), 1, ",.1f", False))


def dso_by_currency(rows: Rows, currencies: Sequence[str]) -> Chart:
    """How long does it take until we are paid, currency by currency?  各币种 DSO

    rows: currency, month_end, dso_countback (days) of every currency, oldest first; currencies: those to draw, at most six.
    """
    by_month: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row["currency"] in currencies:
            by_month.setdefault(_month(row), {"month_end": row["month_end"]})[row["currency"]] = row.get("dso_countback")
    found = list(by_month.values())
    points = [{"month": _month(row), **{name: row.get(name) for name in currencies}} for row in found]
    columns = [Column(name, "days", name) for name in currencies]
    return _trend("dso", "web.frame_chart_dso", found, columns, points, (say("web.frame_axis_days"), 1, ",.1f", False))


def cei_trend(rows: Rows) -> Chart:
    """How much of what could be collected was collected, month by month?  CEI 趋势

    rows: month_end and cei (0.9 = 90 %), oldest first.
    """
    points = [{"month": _month(row), "cei": row.get("cei")} for row in rows]
    return _trend("cei", "web.frame_chart_cei", rows, [Column("cei", "fraction")], points, ("%", 0.01, ".1%", False))


def payment_behaviour(rows: Rows, currency: str) -> Chart:
    """How late does the buyer pay, and how much, month by month?  付款行为

    rows: month_end, days_beyond_terms (days, weighted by amount; null without a payment), cash_received (minor units), oldest first.
    """
    points = [{"month": _month(row), "days": row["days_beyond_terms"], "paid": _major(row["cash_received"], currency)} for row in rows]
    columns = [_month_column(), Column("days_beyond_terms", "days"), Column("cash_received", "money")]
    words = say("web.frame_chart_payment")
    table = _table("payment", words, rows, columns, currency)
    return Chart(_with(_payments(_amount_format(currency)), points), words, table, needs="days_beyond_terms")


def concentration_bars(rows: Rows, currency: str) -> Chart:
    """Who makes up how much of what is owed?  集中度

    rows: name, outstanding (minor units), share (0.1 = 10 %), largest first; a dozen at most.
    """
    return _ranking("concentration", "web.frame_chart_concentration", rows, Column("name"), "outstanding", currency)


def term_mix(rows: Rows, currency: str) -> Chart:
    """On which terms do we sell?  账期结构

    rows: payment_terms_days, credit_sales (minor units), share; shortest terms first.
    """
    named = [{**row, "name": say("web.frame_days", count=row["payment_terms_days"])} for row in rows]
    return _ranking("terms", "web.frame_chart_terms", named, Column("name", heading=label("payment_terms_days")), "credit_sales", currency)


def lorenz(rows: Rows) -> Chart:
    """What share of what is owed lies with what share of the buyers?  洛伦兹曲线

    rows: buyers_share, amount_share, both cumulative from the largest buyer, 0 to 1, at most a hundred.
    """
    points = [{"buyers": row["buyers_share"], "amount": row["amount_share"]} for row in rows]
    columns = [Column(f"{of}_share", "fraction", say(f"web.frame_axis_{of}_share")) for of in ("buyers", "amount")]
    words = say("web.frame_chart_lorenz")
    return Chart(_with(_curve(), points), words, _table("lorenz", words, rows, columns))


def bucket_multiples(rows: Rows, buckets: Buckets) -> Chart:
    """How old is what each part owes, as shares?  各部分账龄结构

    rows: name, currency, and the buckets' amounts in minor units of it; each bar is one row's whole.
    """
    names = tuple((name, buckets.label(name)) for name in buckets.ids)
    points = []
    for row in rows:
        amounts = {name: max(row[name] or 0, 0) for name, _ in names}
        whole = sum(amounts.values()) or 1
        points.append({"name": row["name"], **{name: amount / whole for name, amount in amounts.items()}})
    words = say("web.frame_chart_multiples")
    columns = [Column("name"), Column("currency"), *(Column(name, "money", shown) for name, shown in names)]
    spec = {**_with(_shares(names), points), "height": ROW_HEIGHT * len(points)}
    return Chart(spec, words, _table("multiples", words, rows, columns), "short", _ages_legend(names))


def _trend(
    name: str,
    says: str,
    rows: Rows,
    columns: Sequence[Column],
    points: list[dict[str, Any]],
    axis: tuple[str, float, str, bool],
    currency: str = "",
) -> Chart:
    words = say(says)
    shape = _lines(tuple((column.name, column.title) for column in columns), *axis)
    legend = (
        [(colour, column.title) for colour, column in zip(_own_colours(column.name for column in columns), columns, strict=True)]
        if len(columns) > 1
        else []
    )
    return Chart(_with(shape, points), words, _table(name, words, rows, [_month_column(), *columns], currency), legend=legend)


def _ranking(name: str, says: str, rows: Rows, first: Column, amount: str, currency: str) -> Chart:
    words = say(says)
    columns = [first, Column(amount, "money"), Column("share", "fraction")]
    points = [{"name": row["name"], "share": row["share"], "amount": _major(row[amount], currency)} for row in rows]
    spec = {**_with(_bars(label(amount), _amount_format(currency)), points), "height": ROW_HEIGHT * len(points)}
    return Chart(spec, words, _table(name, words, rows, columns, currency), "short")


def svg(chart: Chart, *, width: int = 720) -> str:
    """The same chart as a picture on white, for paper and letters. Draws on the server: a tenth of a second, the first one a second."""
    import vl_convert  # noqa: PLC0415 — starts a JavaScript engine

    config = {**chart.spec["config"], "legend": {**chart.spec["config"]["legend"], "disable": False}}
    text = json.dumps({**chart.spec, "config": config, "width": width})
    for name, value in colours("light").items():
        text = text.replace(f"var(--{name})", value)
    drawn: str = vl_convert.vegalite_to_svg(text)
    return drawn


# --- Shapes: made once, then filled ---


def _spoken(make: Callable[..., Shape]) -> Callable[..., Shape]:
    """Keeps each shape by its arguments and the language whose words are in it."""
    kept: dict[tuple[object, ...], Shape] = {}

    @wraps(make)
    def made(*args: Any, **kwargs: Any) -> Shape:
        key = (language(), args, tuple(kwargs.items()))
        if key not in kept:
            kept[key] = make(*args, **kwargs)
        return kept[key]

    return made


def _rows() -> Any:
    return alt.Chart(alt.Data(name="rows"))  # type: ignore[no-untyped-call]


def _with(shape: Shape, points: list[dict[str, Any]]) -> Shape:
    return {**shape, "data": {"values": points}}


def _shape(chart: Any, height: int = HEIGHT) -> Shape:
    made: Shape = chart.properties(width="container", height=height).to_dict(validate=True)
    made.pop("data", None)
    made.pop("datasets", None)
    made["config"] = CONFIG
    made["autosize"] = {"type": "fit-x", "contains": "padding"}
    return made


def _axis(title: str, size: float, pattern: str) -> alt.Axis:
    return alt.Axis(title=title, labelExpr=f"format(datum.value / {size}, '{pattern}')" if size != 1 else alt.Undefined)


def _months(**scale: Any) -> alt.X:
    return alt.X("month:O", title=None, scale=alt.Scale(**scale) if scale else alt.Undefined, axis=alt.Axis(labelExpr="datum.value"))


def _hover(series: Sequence[tuple[str, str]], pattern: str) -> list[alt.Tooltip]:
    return [
        alt.Tooltip("month:O", title=label("month_end")),
        *(alt.Tooltip(f"{name}:Q", title=words, format=pattern) for name, words in series),
    ]


@_spoken
def _stacked(names: tuple[tuple[str, str], ...], unit: Unit, pattern: str) -> Shape:
    shown = dict(names)
    base = _rows()
    folded = base.transform_fold([name for name, _ in names], as_=["bucket", "amount"]).transform_calculate(
        order=f"indexof({json.dumps([name for name, _ in names])}, datum.bucket)",
        word=f"({json.dumps(shown, ensure_ascii=False)})[datum.bucket]",
    )
    bars = folded.mark_bar(binSpacing=0).encode(
        _months(paddingInner=0.28),
        alt.Y("amount:Q", axis=_axis(unit.name, unit.size, "~g")),
        alt.Color("word:N", scale=alt.Scale(domain=[words for _, words in names], range=_ages(len(names))), sort=None),
        alt.Order("order:Q"),
        tooltip=[
            alt.Tooltip("month:O", title=label("month_end")),
            *(alt.Tooltip(f"{name}:Q", title=words, format=pattern) for name, words in reversed(names)),
        ],
    )
    return _shape(bars)


@_spoken
def _lines(series: tuple[tuple[str, str], ...], title: str, size: float, pattern: str, filled: bool) -> Shape:
    base = _rows()
    folded = base.transform_fold([name for name, _ in series], as_=["which", "value"]).transform_calculate(
        word=f"({json.dumps(dict(series), ensure_ascii=False)})[datum.which]"
    )
    own = [f"var(--{colour})" for colour in _own_colours(name for name, _ in series)]
    colour = alt.Color("word:N", scale=alt.Scale(domain=[word for _, word in series], range=own), sort=None)
    y = alt.Y("value:Q", axis=_axis(title, size, "~g"), scale=alt.Scale(zero=filled, nice=True), stack=None)
    # A column to hover over, as high as the chart, so that one need not meet the line.
    layers = [base.mark_bar(opacity=0, width={"band": 1}).encode(_months(), tooltip=_hover(series, pattern))]
    if filled:
        layers.append(folded.mark_area(opacity=0.12, tooltip=None).encode(_months(), y, colour))
    layers.append(folded.mark_line(strokeWidth=2, tooltip=None).encode(_months(), y, colour))
    return _shape(alt.layer(*reversed(layers)))


@_spoken
def _payments(pattern: str) -> Shape:
    base = _rows()
    hover = [
        alt.Tooltip("month:O", title=label("month_end")),
        alt.Tooltip("days:Q", title=label("days_beyond_terms"), format=",.1f"),
        alt.Tooltip("paid:Q", title=label("cash_received"), format=pattern),
    ]
    due = base.mark_rule(strokeWidth=1, color="var(--ink-3)").encode(y=alt.datum(0))
    y = alt.Y("days:Q", axis=_axis(say("web.frame_axis_days_late"), 1, ""))
    line = base.mark_line(strokeWidth=1.5, color="var(--line-2)").encode(_months(), y)
    dots = base.mark_circle(opacity=0.85).encode(
        _months(),
        y,
        alt.Size("paid:Q", scale=alt.Scale(range=[12, 420]), legend=None),
        alt.Color(
            "late:N", scale=alt.Scale(domain=[True, False], range=["var(--age-4)", "var(--series-3)"]), legend=None
        ),
        tooltip=hover,
    ).transform_filter("isValid(datum.days)").transform_calculate(late="datum.days > 0")  # fmt: skip
    return _shape(alt.layer(due, line, dots))


@_spoken
def _bars(amount_title: str, amount_pattern: str) -> Shape:
    base = _rows()
    y = alt.Y("name:N", sort=None, title=None, axis=alt.Axis(labelColor="var(--ink)", labelFontSize=12, labelLimit=190, minExtent=0))
    x = alt.X("share:Q", axis=None, scale=alt.Scale(rangeMax={"expr": "width - 48"}))
    hover = [alt.Tooltip("name:N", title=label("name")), alt.Tooltip("share:Q", title=label("share"), format=".1%"),
             alt.Tooltip("amount:Q", title=amount_title, format=amount_pattern)]  # fmt: skip
    bars = base.mark_bar(color="var(--accent)", height=9, cornerRadiusEnd=1).encode(x, y, tooltip=hover)
    words = base.mark_text(align="left", dx=6, color="var(--ink-2)", fontSize=11).encode(x, y, text=alt.Text("share:Q", format=".1%"))
    return _shape(alt.layer(bars, words), ROW_HEIGHT)


@_spoken
def _curve() -> Shape:
    base = _rows()
    hover = [alt.Tooltip("buyers:Q", title=say("web.frame_axis_buyers_share"), format=".1%"),
             alt.Tooltip("amount:Q", title=say("web.frame_axis_amount_share"), format=".1%")]  # fmt: skip
    x = alt.X(
        "buyers:Q", axis=alt.Axis(title=say("web.frame_axis_buyers_share"), format=".0%", tickCount=5), scale=alt.Scale(domain=[0, 1])
    )
    y = alt.Y("amount:Q", axis=alt.Axis(title=say("web.frame_axis_amount_share"), format=".0%"), scale=alt.Scale(domain=[0, 1]))
    area = base.mark_area(color="var(--series-soft)", line={"color": "var(--accent)", "strokeWidth": 2}).encode(x, y, tooltip=hover)
    return _shape(area)


@_spoken
def _shares(names: tuple[tuple[str, str], ...]) -> Shape:
    shown = dict(names)
    folded = (
        _rows()
        .transform_fold([name for name, _ in names], as_=["bucket", "share"])
        .transform_calculate(
            order=f"indexof({json.dumps([name for name, _ in names])}, datum.bucket)",
            word=f"({json.dumps(shown, ensure_ascii=False)})[datum.bucket]",
        )
    )
    bars = folded.mark_bar(height=12).encode(
        alt.X("share:Q", axis=None, scale=alt.Scale(domain=[0, 1])),
        alt.Y("name:N", sort=None, title=None, axis=alt.Axis(labelColor="var(--ink)", labelFontSize=12, minExtent=0)),
        alt.Color("word:N", scale=alt.Scale(domain=[words for _, words in names], range=_ages(len(names))), sort=None),
        alt.Order("order:Q"),
        tooltip=[
            alt.Tooltip("name:N", title=label("name")),
            *(alt.Tooltip(f"{name}:Q", title=words, format=".1%") for name, words in names),
        ],
    )
    return _shape(bars, ROW_HEIGHT)


def _ages(count: int) -> list[str]:
    return [f"var(--age-{round(number * (AGES - 1) / max(count - 1, 1))})" for number in range(count)]


def _ages_legend(names: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(colour[6:-1], words) for colour, (_, words) in zip(_ages(len(names)), names, strict=True)]


def _own_colours(names: Iterable[str]) -> list[str]:
    """What is late is drawn in the colour of age, what is only a yardstick in grey; the others in their order."""
    own = {"overdue": "age-4", "best_possible_dso": "series-5", "dso_simple": "series-3"}
    rest = iter(("series-1", "series-2", "series-3", "series-4", "series-6", "series-5"))
    return [own.get(name) or next(rest) for name in names]


def _month(row: Mapping[str, Any]) -> str:
    return f"{row['month_end']:%Y-%m}" if hasattr(row["month_end"], "strftime") else str(row["month_end"])[:7]


def _major(minor: int | None, currency: str) -> float | None:
    return None if minor is None else major(minor, currency)


def _amount_format(currency: str) -> str:
    return f",.{exponent(currency)}f"


def _table(name: str, title: str, rows: Rows, columns: Sequence[Column], currency: str = "") -> Section:
    def told(row: Mapping[str, Any], column: Column) -> Any:
        value = row.get(column.name)
        return Money(value, currency or row["currency"]) if column.kind == "money" and value is not None else value

    return Section(name, title, columns, [{column.name: told(row, column) for column in columns} for row in rows])
