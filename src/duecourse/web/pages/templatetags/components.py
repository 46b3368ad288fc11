"""Pieces of the screen that need arithmetic or a slot: icons, sparklines, bars of buckets, panels, dialogs, fields, charts."""

from __future__ import annotations

import json
from base64 import b64encode
from functools import cache
from typing import TYPE_CHECKING, Any

from django import template
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from duecourse.messages import say
from duecourse.tables import Column, Money, shown
from duecourse.web.pages import writing
from duecourse.web.pages.amounts import short as short_amount
from duecourse.web.pages.templatetags.duecourse import to
from duecourse.web.pages.templatetags.keeping import once
from duecourse.web.pages.writing import esc

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from duecourse.tables import Section
    from duecourse.web.pages.asof import Picker
    from duecourse.web.pages.charts import Chart
    from duecourse.web.pages.columns import Head
    from duecourse.web.pages.pager import Pager

register = template.Library()

AGES = 7
_RIGHT = ' class="num"'


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """{% icon "search" %}: decoration beside a word; with a label it stands alone and says it."""
    return writing.sprite(name, label)


once(register, "icon", icon)


@register.simple_tag
def spark(values: Sequence[float | None], label: str = "") -> SafeString:
    """{% spark row.trend label %}: a line without axes, oldest first; a gap where nothing is known, a dot at the newest."""
    return writing.spark(values, label)


@cache
def age_steps(count: int) -> tuple[int, ...]:
    """The steps of the age scale for this many buckets, not due first: the ends stay the ends."""
    if count <= 1:
        return (0,) * count
    return tuple(round(number * (AGES - 1) / (count - 1)) for number in range(count))


@register.simple_tag
def bucket_bar(buckets: Mapping[str, int], label: str = "", size: str = "") -> SafeString:
    """{% bucket_bar row.buckets %}: a balance by age, the youngest first. Credits (below zero) have no width."""
    return writing.bucket_bar(list(buckets.values()), age_steps(len(buckets)), label, size)


@register.simple_tag
def swatch(number: int, count: int = AGES) -> SafeString:
    """{% swatch forloop.counter0 buckets|length %}: the colour of a bucket, beside its name."""
    return SafeString(f'<i class="swatch age-{age_steps(count)[number]}" aria-hidden="true"></i>')


@register.simple_block_tag
def panel(content: str, title: str = "", note: str = "", end: str = "", id: str = "", css: str = "") -> str:  # noqa: A002 — the word of HTML
    """{% panel title=… note=… end=… id=… css="c6" %} … {% endpanel %}: a section under a hairline and a heading."""
    return writing.panel(content, title, note, end, id, css)


@register.simple_block_tag
def dialog(content: str, id: str, title: str) -> str:  # noqa: A002 — the word of HTML
    """{% dialog id="…" title=… %} … {% enddialog %}: opened by a button with data-opens="id"."""
    return writing.dialog(content, id, title)


@register.simple_block_tag
def notice(content: str, kind: str = "info") -> str:
    """{% notice "warn" %} … {% endnotice %}: info, good, warn or bad."""
    return writing.notice(content, kind)


@register.simple_tag
def field(bound: Any, hint: str = "", label: str = "") -> str:
    """{% field form.name %}: label, control, hint and errors of a bound field, tied together for screen readers."""
    widget = bound.field.widget
    is_check = getattr(widget, "input_type", "") == "checkbox"
    hint = hint or bound.help_text
    described = " ".join(([f"{bound.auto_id}-hint"] if hint else []) + ([f"{bound.auto_id}-error"] if bound.errors else []))
    attributes = {**({"aria-describedby": described} if described else {}), **({"aria-invalid": "true"} if bound.errors else {})}
    return render_to_string(
        "components/field.html",
        {"bound": bound, "control": bound.as_widget(attrs=attributes), "hint": hint, "label": label or bound.label, "is_check": is_check},
    )


@register.simple_tag
def cell(row: Mapping[str, Any], column: Column) -> str:
    """The value of a row in a column, as its kind wants it."""
    value = row.get(column.name)
    if column.kind == "money" and isinstance(value, int):
        value = Money(value, row.get("currency", "XXX"))
    return shown(value, column.kind)


@register.filter
def is_number(column: Column) -> bool:
    """Is this column set to the right?"""
    return column.kind in {"money", "days", "fraction", "ratio", "count"}


@register.simple_tag
def json_block(value: Any, id: str) -> SafeString:  # noqa: A002 — the word of HTML
    """Data for a script, escaped so that it cannot end its element."""
    text = _dumped(value).replace("<", "\\u003C").replace(">", "\\u003E").replace("&", "\\u0026")
    return SafeString(f'<script type="application/json" id="{esc(id)}">{text}</script>')


_dumped = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode


@register.simple_tag
def steps_of(buckets: Mapping[str, int]) -> Iterable[tuple[int, str, int]]:
    """Each bucket with the step of its colour: for legends."""
    return [(step, name, amount) for step, (name, amount) in zip(age_steps(len(buckets)), buckets.items(), strict=True)]


@register.simple_tag
def change(now: float | None, before: float | None, better: str = "", unit: str = "share") -> SafeString:
    """{% change now before better="down" unit="share|days|points" %}: how a figure moved, in a shape and a word, and whether that is good."""
    return writing.change(now, before, better, unit)


@register.simple_tag(takes_context=True)
def leads(context: Mapping[str, Any], kind: str, about: str) -> str:
    """{% leads line.kind line.about as url %}: the page where one acts on a buyer, an invoice, a check, the quarantine, the rates."""
    ways: dict[str, tuple[str, ...]] = {
        "buyer": ("buyer", about),
        "invoice": ("invoice", about),
        "check": ("finding", about),
        "quarantine": ("quarantine",),
        "rates": ("settings_rates",) if context.get("may", {}).get("settings") else (),
    }
    name, *args = ways[kind] or ("",)
    return to(context, name, *args) if name else ""


@register.simple_tag
def moved(minor: int | None, currency: str, better: str = "") -> SafeString:
    """{% moved row.overdue_change_30d currency better="down" %}: by which amount something moved, in a shape, a sign and a word."""
    return writing.moved(minor, currency, better)


@register.simple_tag
def figures_table(section: Section) -> SafeString:
    """{% figures_table chart.table %}: rows of figures, many and plain; written here because a template would take ten times as long."""
    columns = [(column.name, column.kind, "num" if is_number(column) else "") for column in section.columns]
    opened = {right: f'<td class="{right}">' if right else "<td>" for right in ("num", "")}
    heads_ = "".join(
        f'<th scope="col"{_RIGHT if right else ""}>{esc(column.title)}</th>'
        for column, (_name, _kind, right) in zip(section.columns, columns, strict=True)
    )
    lines = []
    for row in section.rows:
        cells = []
        for name, kind, right in columns:
            value = row.get(name)
            if kind == "money" and type(value) is int:
                value = Money(value, row.get("currency", "XXX"))
            cells.append(f"{opened[right]}{esc(shown(value, kind))}</td>")
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return SafeString(f'<table class="grid sticky"><thead><tr>{heads_}</tr></thead><tbody>{"".join(lines)}</tbody></table>')


@register.simple_tag(takes_context=True)
def chart(context: Mapping[str, Any], one: Chart, id: str) -> SafeString:  # noqa: A002 — the word of HTML
    """{% chart balance "balance-chart" %}: drawn in the page when it comes into view; with ?print=1 a picture drawn on the server."""
    size = esc(one.size)
    if one.is_empty:
        words, hint = (esc(say(f"web.frame_chart_empty{part}")) for part in ("", "_hint"))
        empty = f'<div class="empty">{writing.sprite("info")}<strong>{words}</strong><p>{hint}</p></div>'
        return SafeString(f'<figure class="chart {size}"><div class="canvas">{empty}</div></figure>')
    described = esc(one.description)
    request = context.get("request")
    if request is not None and request.GET.get("print"):
        from duecourse.web.pages.charts import svg  # noqa: PLC0415 — Altair is not needed by pages without charts

        picture = b64encode(svg(one).encode()).decode()
        drawn = f'<div class="canvas"><img src="data:image/svg+xml;base64,{picture}" alt="{described}"></div>'
    else:
        legend = "".join(
            f'<span><i class="swatch {esc(colour)}" aria-hidden="true"></i>{esc(words)}</span>' for colour, words in one.legend
        )
        drawn = f'<div class="legend">{legend}</div>\n  ' if legend else ""
        drawn += f'<div class="canvas" role="img" aria-label="{described}"></div>\n  {json_block(one.spec, id)}'
    table = f'<div class="table-wrap" tabindex="0" role="region" aria-label="{described}">{figures_table(one.table)}</div>'
    return SafeString(
        f'<figure class="chart {size}" data-chart data-failed="{esc(say("web.frame_chart_failed"))}">\n  {drawn}\n'
        f"  <details><summary>{esc(say('web.frame_chart_data'))}</summary>{table}</details>\n</figure>"
    )


@register.simple_tag
def short(minor: int | None, currency: str) -> dict[str, str]:
    """{% short row.overdue currency as amount %}: {{ amount.value }} {{ amount.unit }} in few digits; {{ amount.exact }} for the title."""
    value, unit = short_amount(minor, currency)
    return {"value": value, "unit": unit, "exact": f"{shown(None if minor is None else Money(minor, currency), 'money')} {currency}"}


@register.simple_tag
def figures(tiles: Sequence[Any]) -> SafeString:
    """{% figures view.first %}: many of components/figure.html."""
    return writing.figures(tiles)


@register.simple_tag
def heads(columns: Sequence[Head]) -> SafeString:
    """{% heads heads %}: the headings of a list."""
    return writing.heads(columns)


@register.simple_tag
def page_links(pager: Pager, per_urls: Sequence[tuple[int, str]] = (), target: str = "") -> SafeString:
    """{% page_links pager per_urls "#list" %}: where one is in a list, and the ways to its other pages."""
    return writing.pages(pager, per_urls or (), target)


@register.simple_tag
def as_of_menu(picker: Picker | None) -> SafeString:
    """{% as_of_menu asof %}: which day the page is drawn up for, and every other."""
    return writing.as_of(picker) if picker else SafeString("")


@register.simple_tag
def tab_links(tabs: Sequence[Mapping[str, Any]], label: str = "", target: str = "") -> SafeString:
    """{% tab_links tabs label "#list" %}: pages beside each other."""
    return writing.tabs(tabs, label, target)


@register.simple_tag
def timeline(events: Sequence[Mapping[str, Any]]) -> SafeString:
    """{% timeline events %}: what happened, a line each."""
    return writing.timeline(events)


@register.simple_tag
def fact_list(facts: Sequence[tuple[str, str]]) -> SafeString:
    """{% fact_list facts %}, in <dl class="facts">: terms and what they are."""
    return writing.facts(facts)


@register.simple_tag
def age_rows(buckets: Sequence[Any], currency: str) -> SafeString:
    """{% age_rows view.buckets view.currency %}: the rows of an ageing."""
    return writing.ages(buckets, age_steps(len(buckets)), currency)
