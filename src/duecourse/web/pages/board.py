"""The pieces of the dashboard, written in one go as `writing` does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.safestring import SafeString

from duecourse.glossary import label
from duecourse.messages import say
from duecourse.money import grouped
from duecourse.tables import shown
from duecourse.web.pages.rows import rows_for
from duecourse.web.pages.templatetags.components import age_steps, leads, swatch
from duecourse.web.pages.templatetags.duecourse import to
from duecourse.web.pages.writing import bucket_bar, change, esc, moved, spark, sprite

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from duecourse.web.pages.dashboard import Bucket, Tile
    from duecourse.web.pages.reading import Reading

    Context = Mapping[str, Any]


def tiles(context: Context, many: Sequence[Tile]) -> SafeString:
    """A figure each: its value, how it moved since a month and a year ago, its line over the months, and the term's meaning one click away."""
    glossary = esc(to(context, "help_page", "glossary"))
    month, year = (esc(say(f"web.dashboard_vs_{name}")) for name in ("month", "year"))
    found = []
    for tile in many:
        exact = f' title="{esc(tile.exact)}"' if tile.exact else ""
        unit = f"<small>{esc(tile.unit)}</small>" if tile.unit else ""
        under = ""
        if tile.has_past:
            moves = "".join(
                f'<span>{change(tile.now, then, tile.better, tile.moves)} <span class="faint">{words}</span></span>'
                for then, words in ((tile.month, month), (tile.year, year))
            )
            under = f'<div class="under">{moves}{spark(tile.trend)}</div>'
        found.append(
            f'<div class="figure" id="figure-{esc(tile.key)}">\n  <div class="name"><a href="{glossary}#{esc(tile.key)}">{esc(tile.name)}</a></div>\n'
            f'  <div class="value"{exact}>{esc(tile.value)}{unit}</div>\n  {under}\n</div>\n'
        )
    return SafeString("".join(found))


def buckets(context: Context, many: Sequence[Bucket], currency: str, *, is_base: bool) -> SafeString:
    """The rows of today's ageing, each leading to the buyers behind it."""
    found = []
    for place, one in enumerate(many):
        url = esc(to(context, "buyers", bucket=one.name) if is_base else to(context, "buyers", bucket=one.name, currency=currency))
        found.append(
            f'<tr data-href="{url}"><th scope="row">{swatch(place, len(many))}<a href="{url}">{esc(one.label)}</a></th>'
            f'<td class="num">{grouped(one.amount, currency)}</td><td class="num">{shown(one.share, "fraction")}</td>'
            f'<td class="num">{change(one.amount, one.before)}</td></tr>\n'
        )
    return SafeString("".join(found))


def movements(context: Context, rows: Sequence[Mapping[str, Any]], *, with_currency: bool) -> SafeString:
    """The rows of the buyers whose overdue amount moved most."""
    viewpoint = context.get("viewpoint")
    address = rows_for(viewpoint.query if viewpoint else {}).buyer_url
    overdue, moves, currency = esc(label("overdue")), esc(say("web.dashboard_change")), esc(label("currency"))
    found = []
    for row in rows:
        url = address(row["buyer_id"])
        code = f'<td data-label="{currency}">{esc(row["currency"])}</td>' if with_currency else ""
        found.append(
            f'<tr data-href="{url}"><td class="lead clip"><a href="{url}">{esc(row["name"])}</a></td>'
            f'<td class="num" data-label="{overdue}">{grouped(row["overdue"], row["currency"])}</td>'
            f'<td class="num" data-label="{moves}">{moved(row["overdue_change_30d"], row["currency"], "down")}</td>{code}</tr>\n'
        )
    return SafeString("".join(found))


def positions(context: Context, reading: Reading) -> SafeString:
    """The rows of the position, currency by currency."""
    titles = {name: esc(label(name)) for name in ("outstanding", "overdue", "overdue_share")}
    found = []
    for one in reading.position.currencies:
        url, figures = esc(to(context, "dashboard", currency=one.currency)), one.figures
        amounts = "".join(
            f'<td class="num" data-label="{titles[name]}">{"–" if figures[name] is None else grouped(figures[name], one.currency)}</td>'
            for name in ("outstanding", "overdue")
        )
        found.append(
            f'<tr data-href="{url}"><td class="lead"><a href="{url}">{esc(one.currency)}</a></td>{amounts}'
            f'<td class="num" data-label="{titles["overdue_share"]}">{shown(figures["overdue_share"], "fraction")}</td>'
            f'<td class="num" data-label="DSO">{shown(figures["dso_countback"], "days")}</td><td class="num" data-label="CEI">{shown(figures["cei"], "fraction")}</td>'
            f"<td>{bucket_bar(list(one.buckets.values()), age_steps(len(one.buckets)), '', '')}</td></tr>\n"
        )
    return SafeString("".join(found))


def attention(context: Context, reading: Reading) -> SafeString:
    """What needs somebody's attention, each line leading to where one acts on it."""
    words = {"bad": "grave", "warn": "warning", "": "note"}
    graded = {shape: esc(say(f"web.dashboard_{name}")) for shape, name in words.items()}
    found = []
    for line in reading.attention:
        url = leads(context, line.kind, line.about)
        opened, closed = (f'<a href="{esc(url)}">', f"{sprite('next')}</a>") if url else ("<div>", "</div>")
        found.append(
            f'<li>{opened}<span class="state {line.shape}"><span class="sr">{graded[line.shape]}</span></span>'
            f'<span class="grow">{esc(line.words)}</span>{closed}</li>\n'
        )
    return SafeString("".join(found))
