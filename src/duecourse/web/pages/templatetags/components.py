"""Pieces of the screen that need arithmetic or a slot: icons, sparklines, bars of buckets, panels, dialogs, fields, charts."""

from __future__ import annotations

import html
import json
from base64 import b64encode
from typing import TYPE_CHECKING, Any

from django import template
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from duecourse.messages import say
from duecourse.tables import Column, Money, shown
from duecourse.web.pages.amounts import short as short_amount
from duecourse.web.pages.templatetags.duecourse import to
from duecourse.web.pages.templatetags.keeping import once

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from duecourse.tables import Section
    from duecourse.web.pages.charts import Chart

register = template.Library()

SPARK_WIDTH, SPARK_HEIGHT = 100, 28
AGES = 7
_RIGHT = ' class="num"'


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """{% icon "search" %}: decoration beside a word; with a label it stands alone and says it."""
    spoken = format_html(' role="img" aria-label="{}"', label) if label else mark_safe(' aria-hidden="true"')
    return format_html('<svg class="icon"{}><use href="{}#{}"></use></svg>', spoken, static("duecourse/icons.svg"), name)


once(register, "icon", icon)


@register.simple_tag
def spark(values: Sequence[float | None], label: str = "") -> SafeString:
    """{% spark row.trend label %}: a line without axes, oldest first; a gap where nothing is known, a dot at the newest."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return format_html('<svg class="spark" aria-hidden="true" viewBox="0 0 {} {}"></svg>', SPARK_WIDTH, SPARK_HEIGHT)
    low, high = min(known), max(known)
    step = SPARK_WIDTH / max(len(values) - 1, 1)
    places = [
        None if value is None else (round(number * step, 1), round(2 + (SPARK_HEIGHT - 4) * (1 - (value - low) / ((high - low) or 1)), 1))
        for number, value in enumerate(values)
    ]
    words, pen_down = [], False
    for place in places:
        if place is None:
            pen_down = False
            continue
        words.append(f"{'L' if pen_down else 'M'}{place[0]:g} {place[1]:g}")
        pen_down = True
    spoken = format_html(' role="img" aria-label="{}"', label) if label else mark_safe(' aria-hidden="true"')
    return format_html(
        '<svg class="spark"{} viewBox="0 0 {} {}" preserveAspectRatio="none"><path d="{}"></path></svg>',
        spoken, SPARK_WIDTH, SPARK_HEIGHT, " ".join(words),
    )  # fmt: skip


def age_steps(count: int) -> list[int]:
    """The steps of the age scale for this many buckets, not due first: the ends stay the ends."""
    if count <= 1:
        return [0] * count
    return [round(number * (AGES - 1) / (count - 1)) for number in range(count)]


@register.simple_tag
def bucket_bar(buckets: Mapping[str, int], label: str = "", size: str = "") -> SafeString:
    """{% bucket_bar row.buckets %}: a balance by age, the youngest first. Credits (below zero) have no width."""
    amounts = [max(int(amount or 0), 0) for amount in buckets.values()]
    whole = sum(amounts)
    if not whole:
        return format_html('<svg class="buckets {}" aria-hidden="true"></svg>', size)
    parts, at = [], 0.0
    for step, amount in zip(age_steps(len(amounts)), amounts, strict=True):
        width = 100 * amount / whole
        if width:
            parts.append((step, f"{at:.2f}", f"{width:.2f}"))
        at += width
    spoken = format_html(' role="img" aria-label="{}"', label) if label else mark_safe(' aria-hidden="true"')
    drawn = format_html_join("", '<rect class="age-{}" x="{}%" width="{}%" y="0" height="100%"></rect>', parts)
    return format_html('<svg class="buckets {}"{}>{}</svg>', size, spoken, drawn)


@register.simple_tag
def swatch(number: int, count: int = AGES) -> SafeString:
    """{% swatch forloop.counter0 buckets|length %}: the colour of a bucket, beside its name."""
    return format_html('<i class="swatch age-{}" aria-hidden="true"></i>', age_steps(count)[number])


@register.simple_block_tag
def panel(content: str, title: str = "", note: str = "", end: str = "", id: str = "", css: str = "") -> str:  # noqa: A002 — the word of HTML
    """{% panel title=… note=… end=… id=… css="c6" %} … {% endpanel %}: a section under a hairline and a heading."""
    return render_to_string("components/panel.html", {"content": content, "title": title, "note": note, "end": end, "id": id, "css": css})


@register.simple_block_tag
def dialog(content: str, id: str, title: str) -> str:  # noqa: A002 — the word of HTML
    """{% dialog id="…" title=… %} … {% enddialog %}: opened by a button with data-opens="id"."""
    return render_to_string("components/dialog.html", {"content": content, "id": id, "title": title})


@register.simple_block_tag
def notice(content: str, kind: str = "info") -> str:
    """{% notice "warn" %} … {% endnotice %}: info, good, warn or bad."""
    return render_to_string("components/notice.html", {"content": content, "kind": kind})


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
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    for sign, written in (("<", "\\u003C"), (">", "\\u003E"), ("&", "\\u0026")):
        text = text.replace(sign, written)
    return format_html('<script type="application/json" id="{}">{}</script>', id, mark_safe(text))  # noqa: S308 — escaped above


@register.simple_tag
def steps_of(buckets: Mapping[str, int]) -> Iterable[tuple[int, str, int]]:
    """Each bucket with the step of its colour: for legends."""
    return [(step, name, amount) for step, (name, amount) in zip(age_steps(len(buckets)), buckets.items(), strict=True)]


@register.simple_tag
def change(now: float | None, before: float | None, better: str = "", unit: str = "share") -> SafeString:
    """{% change now before better="down" unit="share|days|points" %}: how a figure moved, in a shape and a word, and whether that is good."""
    if now is None or before is None or (unit == "share" and not before):
        return format_html('<span class="faint">{}</span>', say("web.frame_change_unknown"))
    moved = (now - before) / abs(before) if unit == "share" else now - before
    least = 0.0005 if unit in {"share", "points"} else 0.05
    direction = "same" if abs(moved) < least else "up" if moved > 0 else "down"
    judged = "" if direction == "same" or not better else "good" if direction == better else "bad"
    size = {"share": f"{abs(moved) * 100:,.1f}%", "points": say("web.frame_points", count=f"{abs(moved) * 100:,.1f}")}.get(
        unit, say("web.frame_days", count=f"{abs(moved):,.1f}")
    )
    words = say(f"web.frame_change_{direction}", size=size)
    meaning = format_html('<span class="sr"> {}</span>', say(f"web.frame_is_{judged}")) if judged else ""
    return format_html('<span class="delta {} {}">{}{}</span>', direction, judged, words, meaning)


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
    if minor is None:
        return format_html('<span class="faint">{}</span>', say("web.frame_change_unknown"))
    direction = "same" if not minor else "up" if minor > 0 else "down"
    judged = "" if direction == "same" or not better else "good" if direction == better else "bad"
    amount = shown(Money(abs(minor), currency), "money")
    sign = {"up": "+", "down": "−", "same": ""}[direction]
    meaning = format_html('<span class="sr"> {}</span>', say(f"web.frame_is_{judged}")) if judged else ""
    return format_html('<span class="delta {} {}">{}{}{}</span>', direction, judged, sign, amount, meaning)


@register.simple_tag
def figures_table(section: Section) -> SafeString:
    """{% figures_table chart.table %}: rows of figures, many and plain; written here because a template would take ten times as long."""
    right = [is_number(column) for column in section.columns]
    heads = "".join(
        f'<th scope="col"{_RIGHT if number else ""}>{html.escape(column.title)}</th>'
        for column, number in zip(section.columns, right, strict=True)
    )
    lines = []
    for row in section.rows:
        cells = (
            f"<td{_RIGHT if number else ''}>{html.escape(cell(row, column))}</td>"
            for column, number in zip(section.columns, right, strict=True)
        )
        lines.append(f"<tr>{''.join(cells)}</tr>")
    text = f'<table class="grid sticky"><thead><tr>{heads}</tr></thead><tbody>{"".join(lines)}</tbody></table>'
    return mark_safe(text)  # noqa: S308 — every value is escaped above


@register.simple_tag(takes_context=True)
def chart(context: Mapping[str, Any], one: Chart, id: str) -> str:  # noqa: A002 — the word of HTML
    """{% chart balance "balance-chart" %}: drawn in the page when it comes into view; with ?print=1 a picture drawn on the server."""
    request = context.get("request")
    picture = ""
    if request is not None and request.GET.get("print"):
        from duecourse.web.pages.charts import svg  # noqa: PLC0415 — Altair is not needed by pages without charts

        picture = f"data:image/svg+xml;base64,{b64encode(svg(one).encode()).decode()}"
    return render_to_string("components/chart.html", {"chart": one, "id": id, "picture": picture})


@register.simple_tag
def short(minor: int | None, currency: str) -> dict[str, str]:
    """{% short row.overdue currency as amount %}: {{ amount.value }} {{ amount.unit }} in few digits; {{ amount.exact }} for the title."""
    value, unit = short_amount(minor, currency)
    return {"value": value, "unit": unit, "exact": f"{shown(None if minor is None else Money(minor, currency), 'money')} {currency}"}
