"""Pieces of the screen written in one go: a template would take ten times as long, and a page has dozens of them.

Whatever is put in is escaped where it is put in, unless it is a template's own output already (`SafeString`).
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape
from typing import TYPE_CHECKING, Any, Final

from django.templatetags.static import static
from django.utils.safestring import SafeString

from duecourse.messages import language, say
from duecourse.money import grouped
from duecourse.tables import shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from duecourse.messages import Language
    from duecourse.web.pages.asof import Picker
    from duecourse.web.pages.columns import Head
    from duecourse.web.pages.pager import Pager


SPARK_WIDTH, SPARK_HEIGHT = 100, 28


_MARKUP = re.compile("[&<>\"']").search
"""What little text of a ledger holds: to look for it is quicker than to replace it five times."""


def esc(value: object) -> str:
    """A value as text of a page."""
    if isinstance(value, SafeString):
        return value
    text = value if isinstance(value, str) else str(value)
    return escape(text) if _MARKUP(text) else text


@lru_cache(512)
def sprite(name: str, label: str = "") -> SafeString:
    """A symbol: decoration beside a word; with a label it stands alone and says it."""
    spoken = f' role="img" aria-label="{escape(label)}"' if label else ' aria-hidden="true"'
    return SafeString(f'<svg class="icon"{spoken}><use href="{escape(static("duecourse/icons.svg"))}#{escape(name)}"></use></svg>')


def panel(content: str, title: str, note: str, end: str, id_: str, css: str) -> SafeString:
    """A section under a hairline and a heading."""
    head = ""
    if title or end:
        inner = f"<h2>{esc(title)}</h2>" if title else ""
        inner += f'<span class="note">{esc(note)}</span>' if note else ""
        inner += f'<div class="end">{esc(end)}</div>' if end else ""
        head = f"<header>{inner}</header>"
    named = f' id="{esc(id_)}"' if id_ else ""
    return SafeString(f'<section class="panel {esc(css)}"{named}>\n  {head}\n  {esc(content)}\n</section>\n')


def dialog(content: str, id_: str, title: str) -> SafeString:
    """Opened by a button with data-opens."""
    name, close = esc(id_), esc(say("web.frame_close"))
    return SafeString(
        f'<dialog id="{name}" aria-labelledby="{name}-title">\n'
        f'  <header><h2 id="{name}-title">{esc(title)}</h2><button type="button" class="btn quiet small square" data-closes aria-label="{close}">'
        f'{sprite("close")}</button></header>\n  <div class="body">{esc(content)}</div>\n</dialog>\n'
    )


def notice(content: str, kind: str) -> SafeString:
    """info, good, warn or bad."""
    role = "alert" if kind == "bad" else "note"
    return SafeString(f'<div class="notice {esc(kind)}" role="{role}">{sprite(kind)}<div>{esc(content)}</div></div>\n')


def figures(tiles: Sequence[Any]) -> SafeString:
    """A figure each (`name`, `value`, `unit`, `exact`, `under`), as components/figure.html writes one."""
    found = []
    for tile in tiles:
        exact = f' title="{esc(tile.exact)}"' if tile.exact else ""
        unit = f"<small>{esc(tile.unit)}</small>" if tile.unit else ""
        found.append(
            f'<div class="figure">\n  <div class="name">{esc(tile.name)}</div>\n'
            f'  <div class="value"{exact}>{esc(tile.value)}{unit}</div>\n  <div class="under">{esc(tile.under)}</div>\n</div>'
        )
    return SafeString("".join(found))


def tabs(many: Sequence[Mapping[str, Any]], label: str, target: str) -> SafeString:
    """Pages beside each other (`label`, `url`, `current`, `count`); with a target each is swapped in there."""
    found = []
    for tab in many:
        url, count = esc(tab["url"]), tab.get("count")
        current = ' aria-current="page"' if tab["current"] else ""
        swap = f' hx-get="{url}" hx-target="{esc(target)}" hx-push-url="true"' if target else ""
        tally = "" if count is None else f'<span class="tally">{shown(count, "count")}</span>'
        found.append(f'<a href="{url}"{current}{swap}>{esc(tab["label"])}{tally}</a>')
    return SafeString(f'<nav class="tabs" aria-label="{esc(label)}">{"".join(found)}</nav>')


def timeline(events: Sequence[Mapping[str, Any]]) -> SafeString:
    """What happened, a line each (`day`, `words`, `url`, `note`, `kind`)."""
    found = []
    for event in events:
        day = "–" if event["day"] is None else f"{event['day']:%Y-%m-%d}"
        words = f'<a href="{esc(event["url"])}">{esc(event["words"])}</a>' if event["url"] else esc(event["words"])
        note = f'<div class="small faint">{esc(event["note"])}</div>' if event["note"] else ""
        found.append(f'<li><time datetime="{day}">{day}</time><div class="{esc(event["kind"])}">{words}{note}</div></li>')
    return SafeString(f'<ol class="timeline">{"".join(found)}</ol>')


def facts(many: Sequence[tuple[str, str]]) -> SafeString:
    """Terms and what they are, for a list of facts."""
    return SafeString("".join([f"<dt>{esc(term)}</dt><dd>{esc(told)}</dd>" for term, told in many]))


def ages(many: Sequence[Any], steps: Sequence[int], currency: str) -> SafeString:
    """The rows of an ageing: each bucket (`label`, `amount`, `share`) beside its colour."""
    found = []
    for step, one in zip(steps, many, strict=True):
        shape = "num" if one.amount else "num zero"
        found.append(
            f'<tr><th scope="row"><i class="swatch age-{step}" aria-hidden="true"></i>{esc(one.label)}</th>'
            f'<td class="{shape}">{grouped(one.amount, currency)}</td><td class="{shape}">{shown(one.share, "fraction")}</td></tr>'
        )
    return SafeString("".join(found))


def heads(columns: Sequence[Head]) -> SafeString:
    """The headings of a list, each a link that sorts by it."""
    found = []
    for head in columns:
        shape = ' class="num"' if head.is_number else ""
        sorted_ = f' aria-sort="{head.sorted}"' if head.sorted else ""
        words = esc(head.title)
        if head.url:
            url, hint = esc(head.url), f' title="{esc(head.hint)}"' if head.hint else ""
            words = f'<a class="sort" href="{url}" hx-get="{url}" hx-target="#list" hx-push-url="true"{hint}>{words}</a>'
        found.append(f'<th scope="col"{shape}{sorted_}>{words}</th>')
    return SafeString(f"<thead><tr>{''.join(found)}</tr></thead>")


def pages(pager: Pager, per_urls: Sequence[tuple[int, str]], target: str) -> SafeString:
    """Where one is in a list, and the ways to its other pages."""
    target = esc(target or "#list")
    inner = f"<span>{esc(pager.says)}</span>"
    if not pager.is_whole:
        links = _page_link(pager.first, say("web.buyers_page_first"), target)
        links += _page_link(pager.previous, say("web.frame_previous"), target, before="previous", rel="prev")
        links += _page_link(pager.next, say("web.frame_next"), target, after="next", rel="next")
        links += "" if pager.more else _page_link(pager.last, say("web.buyers_page_last"), target)
        inner += f'<div class="btns">{links}</div>'
    if per_urls:
        current = ' aria-current="true"'
        numbers = "".join(
            f'<a href="{esc(url)}" hx-get="{esc(url)}" hx-target="#list" hx-push-url="true"{current if number == pager.per else ""}>{number}</a>'
            for number, url in per_urls
        )
        inner += f'<span class="per no-print">{esc(say("web.buyers_per_page"))} {numbers}</span>'
    return SafeString(f'<nav class="pager" aria-label="{esc(say("web.frame_pages"))}">{inner}</nav>\n')


def _page_link(url: str, words: str, target: str, *, before: str = "", after: str = "", rel: str = "") -> str:
    inner = f"{sprite(before) if before else ''}{esc(words)}{sprite(after) if after else ''}"
    if not url:
        return f'<span class="btn small" aria-disabled="true">{inner}</span>\n'
    address, relation = esc(url), f' rel="{rel}"' if rel else ""
    return f'<a class="btn small"{relation} href="{address}" hx-get="{address}" hx-target="{target}" hx-push-url="true">{inner}</a>\n'


def bucket_bar(amounts: Sequence[int | None], steps: Sequence[int], label: str, size: str) -> SafeString:
    """A balance by age, the youngest first, each bucket in the colour of its step."""
    known = [max(int(amount or 0), 0) for amount in amounts]
    whole = sum(known)
    shape = esc(size)
    if not whole:
        return SafeString(f'<svg class="buckets {shape}" aria-hidden="true"></svg>')
    parts, at = [], 0.0
    for step, amount in zip(steps, known, strict=True):
        width = 100 * amount / whole
        if width:
            parts.append(f'<rect class="age-{step}" x="{at:.2f}%" width="{width:.2f}%" y="0" height="100%"></rect>')
        at += width
    spoken = f' role="img" aria-label="{esc(label)}"' if label else ' aria-hidden="true"'
    return SafeString(f'<svg class="buckets {shape}"{spoken}>{"".join(parts)}</svg>')


def spark(values: Sequence[float | None], label: str = "") -> SafeString:
    """A line without axes, oldest first; a gap where nothing is known."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return SafeString(f'<svg class="spark" aria-hidden="true" viewBox="0 0 {SPARK_WIDTH} {SPARK_HEIGHT}"></svg>')
    low, span = min(known), (max(known) - min(known)) or 1
    step, room = SPARK_WIDTH / max(len(values) - 1, 1), SPARK_HEIGHT - 4
    words, pen = [], "M"
    for number, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        words.append(f"{pen}{round(number * step, 1):g} {round(2 + room * (1 - (value - low) / span), 1):g}")
        pen = "L"
    spoken = f' role="img" aria-label="{esc(label)}"' if label else ' aria-hidden="true"'
    return SafeString(
        f'<svg class="spark"{spoken} viewBox="0 0 {SPARK_WIDTH} {SPARK_HEIGHT}" preserveAspectRatio="none"><path d="{" ".join(words)}"></path></svg>'
    )


def change(now: float | None, before: float | None, better: str = "", unit: str = "share") -> SafeString:
    """How a figure moved, in a shape and a word, and whether that is good."""
    if now is None or before is None or (unit == "share" and not before):
        return _unknown(language())
    moved_ = (now - before) / abs(before) if unit == "share" else now - before
    direction = "same" if abs(moved_) < (0.0005 if unit in {"share", "points"} else 0.05) else "up" if moved_ > 0 else "down"
    if unit == "share":
        size = f"{abs(moved_) * 100:,.1f}%"
    elif unit == "points":
        size = say("web.frame_points", count=f"{abs(moved_) * 100:,.1f}")
    else:
        size = say("web.frame_days", count=f"{abs(moved_):,.1f}")
    return _moved(direction, better, say(f"web.frame_change_{direction}", size=size))


def moved(minor: int | None, currency: str, better: str = "") -> SafeString:
    """By which amount something moved, in a shape, a sign and a word."""
    if minor is None:
        return _unknown(language())
    direction = "same" if not minor else "up" if minor > 0 else "down"
    sign = {"up": "+", "down": "−", "same": ""}[direction]
    return _moved(direction, better, f"{sign}{grouped(abs(minor), currency)}")


def _moved(direction: str, better: str, words: str) -> SafeString:
    judged = "" if direction == "same" or not better else "good" if direction == better else "bad"
    return SafeString(f'<span class="delta {direction} {judged}">{escape(words)}{_meaning(language(), judged)}</span>')


@lru_cache(2)
def _unknown(spoken: Language) -> SafeString:
    return SafeString(f'<span class="faint">{escape(say("web.frame_change_unknown", spoken))}</span>')


@lru_cache(16)
def _meaning(spoken: Language, judged: str) -> str:
    return f'<span class="sr"> {escape(say(f"web.frame_is_{judged}", spoken))}</span>' if judged else ""


def as_of(picker: Picker) -> SafeString:
    """The picker of the day a page is drawn up for: the days people often ask for, and a form for any other."""
    spoken = language()
    title, shown, field, known, hint, show = (esc(_said(spoken, f"web.frame_{name}")) for name in AS_OF)
    on, known_on = f"{picker.on:%Y-%m-%d}", f"{picker.known_on:%Y-%m-%d}" if picker.known_on else ""
    symbol, past = ("past", " past-on") if picker.is_past else ("calendar", "")
    current = ' aria-current="true"'
    presets = "".join(
        f'<a class="item" href="{esc(one.url)}"{current if one.current else ""}>{esc(one.label)}<span class="end">{one.day:%Y-%m-%d}</span></a>\n'
        for one in picker.presets
    )
    kept = "".join(f'<input type="hidden" name="{esc(name)}" value="{esc(value)}">' for name, value in picker.kept)
    return SafeString(
        f'<details class="menu" data-menu>\n  <summary class="btn{past}" title="{title}">{sprite(symbol)}<span class="word">{shown}</span> '
        f'<time datetime="{on}">{on}</time></summary>\n  <div class="sheet">\n    <h2>{title}</h2>\n    {presets}<hr>\n    <form method="get" class="pad">\n'
        f'      {kept}\n      <div class="field"><label for="as-of">{field}</label><input type="date" id="as-of" name="as_of" value="{on}"></div>\n'
        f'      <div class="field"><label for="known-at">{known}</label><input type="date" id="known-at" name="known_at" value="{known_on}" '
        f'aria-describedby="known-at-hint"><p class="hint" id="known-at-hint">{hint}</p></div>\n'
        f'      <div class="btns"><button class="btn primary" type="submit">{show}</button></div>\n    </form>\n  </div>\n</details>\n'
    )


AS_OF: Final = ("as_of_title", "as_of", "as_of_day", "known", "known_hint", "as_of_show")


@lru_cache(64)
def _said(spoken: Language, identifier: str) -> str:
    return say(identifier, spoken)
