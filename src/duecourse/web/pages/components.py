"""The living page of components, /components/: every piece of the screen, as it is, in both themes.

How to build a page on them
---------------------------
A page extends `base.html` and fills its blocks:

    title (browser's title bar) · crumbs ({% include "components/crumb.html" with label=… url=… %}, the last one without url) · heading (h1) ·
    subheading · actions (buttons right of the heading) · content · scripts (further `<script type="module">`)
    `page` replaces heading and content together; somebody not signed in sees `entry_heading` and `entry_content` (or `entry`) instead.

`{% load components %}` at the top of a template that uses the tags below. No style attributes, no inline scripts.

Tags (templatetags/components.py)
    {% icon "search" %} {% icon "close" label %}           the symbols of static/duecourse/icons.svg
    {% panel title=… note=… end=… id=… css="c6" %} … {% endpanel %}   a section under a hairline; in <div class="cols"> with c3 … c9 of 12 columns
    {% dialog id="x" title=… %} … {% enddialog %}          opened by <button data-opens="x">, closed by any data-closes in it
    {% notice "warn" %} … {% endnotice %}                  info, good, warn, bad
    {% field form.name %}                                  label, control, hint, errors of a bound field, in <form class="form">
    {% spark values label %}                               a line of a trend, oldest first, None = unknown
    {% bucket_bar buckets label "slim" %} {% swatch n count %} {% steps_of buckets as steps %}   balance by age; its colours for a legend
    {% change now before better="down" unit="share|days|points" %}   up or down, by how much, good or bad
    {% chart one %}                                        a chart of charts.py with its table
    {% cell row column %} {{ column|is_number }} {% json_block data "id" %}

Partials (templates/components/*.html), by include with …
    figure.html (name, value, unit, exact, under, trend, url), in <div class="figures">        table.html (section: tables.Section, css)
    pager.html (says, previous, next, target)     state.html (kind, word)     empty.html (title, hint, symbol, url, does, primary)
    failed.html (title, hint, url, does)          loading.html                tabs.html (tabs: label, url, current, count; target)
    timeline.html (events: day, words, url, note, kind)      progress.html (says, end, value, max, id)      crumb.html (label, url)

Classes (static/duecourse/components.css)
    .btn (.primary .danger .quiet .small .square) in .btns     .segments (one of a few)     .field > label + control + .hint + .error (.check)
    form.filters with .field and .search > icon + input[type=search] above a table, .chips > a.chip for what is on
    .table-wrap[tabindex=0][role=region][aria-label] > table.grid (.sticky heads, .sticky-col first column, .restack on phones with td[data-label]
    and .lead for the cell that names the row); cells .num (right), .fit, .clip, .zero; tr.total (double rule), tr.group
    table[data-rows] with tr[data-href]: j/k/arrows/Enter/click open the row; put a real link in the row too
    .state (.good .warn .bad .busy .off .past; plain = ring)    dl.facts    ul.lines > li > a (.grow .end)    .drop    .prose    .muted .faint .small .strong
    .figure .delta (.up .down .same, .good .bad)    .only-print .no-print

Swaps: htmx attributes only (hx-get, hx-target, hx-push-url); the line at the top edge shows that one is under way; failures, lost sessions and
422 (a form with its errors) are handled in app.js. Keep the height of what is swapped (.loading while it comes first).
A toast from the server: response["HX-Trigger"] = json.dumps({"toast": {"words": say(…), "kind": "good"}}).
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.contrib.staticfiles import finders
from django.shortcuts import render

from duecourse.measures.buckets import Buckets
from duecourse.messages import say
from duecourse.tables import Money, Section, columns_of
from duecourse.web.accounts.access import gate
from duecourse.web.pages import charts

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

BUCKETS: Final = {"not_due": 41_200_00, "days_1_30": 12_300_00, "days_31_60": 6_100_00, "days_61_90": 2_000_00, "days_91_180": 1_400_00,
                  "days_181_365": 900_00, "days_over_365": 300_00}  # fmt: skip
TREND: Final = [52.1, 51.8, 53.0, 54.4, 53.9, None, 55.2, 54.1, 52.7, 51.9, 51.2, 50.8]


def _charts() -> list[charts.Chart]:
    """One of each chart, of two made-up years."""
    ends = [date(2024 + (6 + number) // 12, (6 + number) % 12 + 1, 28) for number in range(24)]
    history = [
        {
            "month_end": end,
            "outstanding": (wave := 520_000_00 + 9_000_00 * number + 60_000_00 * (number % 5)),
            "overdue": wave // 4 + 2_000_00 * (number % 7),
            **{bucket: wave * part // 100 for bucket, part in zip(BUCKETS, (62, 16, 9, 5, 4, 3, 1), strict=True)},
            "dso_countback": 48 + 5 * ((number % 6) / 6),
            "best_possible_dso": 36 + (number % 4) / 2,
            "cei": 0.78 + 0.02 * (number % 5),
            "days_beyond_terms": None if number == 9 else 12.0 - number + 5 * (number % 3),
            "cash_received": 40_000_00 * (1 + number % 6),
        }
        for number, end in enumerate(ends)
    ]
    parts = [
        {
            **history[number],
            "name": say("web.frame_show_buyer", number=number),
            "outstanding": 90_000_00 // number,
            "share": 0.17 / number,
            "currency": "EUR",
        }
        for number in range(1, 7)
    ]
    terms = [
        {"payment_terms_days": days, "credit_sales": amount, "share": amount / 100_000_00}
        for days, amount in ((30, 52_000_00), (60, 31_000_00), (90, 17_000_00))
    ]
    curve = [{"buyers_share": number / 50, "amount_share": 1 - (1 - number / 50) ** 4} for number in range(51)]
    buckets = Buckets()
    return [
        charts.balance_trend(history, "EUR"),
        charts.ageing_over_time(history, buckets, "EUR"),
        charts.dso_trend(history),
        charts.cei_trend(history),
        charts.payment_behaviour(history, "EUR"),
        charts.concentration_bars(parts, "EUR"),
        charts.lorenz(curve),
        charts.term_mix(terms, "EUR"),
        charts.bucket_multiples(parts, buckets),
    ]


def _icons() -> list[str]:
    sprite = finders.find("duecourse/icons.svg")
    return re.findall(r'<symbol id="(\w+)"', Path(str(sprite)).read_text(encoding="utf-8"))


class _Form(forms.Form):
    """What a form may hold."""

    name = forms.CharField()
    day = forms.DateField(widget=forms.DateInput(attrs={"type": "date"}))
    kind = forms.ChoiceField(choices=[("a", "A"), ("b", "B")])
    note = forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), required=False)
    agreed = forms.BooleanField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, one in self.fields.items():
            one.label = say(f"web.frame_show_field_{name}")


@gate("read")
def components(request: HttpRequest) -> HttpResponse:
    """Every component with made-up content."""
    rows = [
        {"buyer_id": f"10-{number:04}", "name": say("web.frame_show_buyer", number=number), "currency": "EUR", "outstanding": Money(amount, "EUR"),
         "overdue": Money(amount // 3, "EUR"), "average_days_delinquent": 3.4 * number, "overdue_share": 1 / 3}
        for number, amount in enumerate([1_284_500_00, 420_110_40, 98_000_00, 1_250_00], start=1)
    ]  # fmt: skip
    names = ("buyer_id", "name", "outstanding", "overdue", "overdue_share", "average_days_delinquent")
    events = [
        {"day": date(2026, 6, 30), "words": say("web.frame_show_event_paid"), "kind": "good", "url": "#timeline", "note": ""},
        {
            "day": date(2026, 6, 12),
            "words": say("web.frame_show_event_late"),
            "kind": "bad",
            "url": "",
            "note": say("web.frame_show_event_note"),
        },
        {"day": date(2026, 5, 2), "words": say("web.frame_show_event_issued"), "kind": "", "url": "", "note": ""},
    ]
    samples = [
        {
            "theme": theme,
            "form": _Form({f"{theme}-name": "", f"{theme}-day": "2026-06-30", f"{theme}-kind": "a"}, prefix=theme),
            "section": Section("buyers", say("web.frame_show_table") + mark, columns_of(names), rows),
        }
        for theme, mark in (("one", ""), ("other", " 2"))
    ]
    return render(request, "pages/components.html", {
        "icons": _icons(), "charts": _charts(), "buckets": BUCKETS, "trend": TREND, "events": events, "samples": samples,
        "tabs": [{"label": say(f"web.frame_show_tab_{name}"), "url": "#tabs", "current": name == "a", "count": count} for name, count in (("a", 128), ("b", None))],
        "states": [("good", say("web.frame_show_good")), ("warn", say("web.frame_show_warn")), ("bad", say("web.frame_show_bad")), ("busy", say("web.frame_show_busy")),
                   ("", say("web.frame_show_plain")), ("off", say("web.frame_show_off")), ("past", say("web.frame_show_past"))],
    })  # fmt: skip
