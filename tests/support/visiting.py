"""Looking at one page as its readers meet it: both themes, on a desk and on a phone; whole, quiet, readable, accessible."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from duecourse.messages import catalogue

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.browser_support import Watched

THEMES = ("light", "dark")
SETTLED = "Promise.all(document.getAnimations().filter(one => one instanceof CSSTransition).map(one => one.finished.catch(() => null)))"
WIDTHS = (1440, 390)
SERIOUS = ("serious", "critical")
LETTERS = 14
"""Shorter sentences (OK, CSV) read alike in both languages or stand inside others."""
FILES = re.compile(
    r"/(?:export|download|logout|api/|jobs/\d|account/(?:logout|password)|join/|static/)|\.(?:csv|xlsx|svg|json|pdf|docx|zip)"
)
"""Addresses that are no pages, or lead out."""


def kind_of(url: str) -> tuple[str, ...]:
    """Pages that are one page with another key count once."""
    parts = [part for part in urlsplit(url).path.split("/") if part]
    return tuple(
        part if re.fullmatch(r"[a-z_-]+", part) and not (number and parts[0] == "help") else "*" for number, part in enumerate(parts)
    )


@cache
def other_language(language: str) -> list[str]:
    """Whole sentences of the pages in the language not chosen, which therefore should not be seen."""
    mine, other = ("zh", "en") if language.startswith("zh") else ("en", "zh")
    said = [wording for name, wording in catalogue().items() if name.startswith("web.") and "{" not in wording[other]]
    shown = {wording[mine] for wording in said} | {"简体中文"}  # a language is named in itself
    least = LETTERS if other == "en" else 4
    return [wording[other] for wording in said if len(wording[other]) >= least and wording[other] not in shown]


def links(watched: Watched) -> list[str]:
    """Where the page leads within the app."""
    page = watched.page
    home = "{0.scheme}://{0.netloc}".format(urlsplit(page.url))
    hrefs = page.evaluate("[...document.querySelectorAll('a[href]')].map(a => a.href)")
    return [href.split("#")[0] for href in hrefs if href.startswith(home) and not FILES.search(href)]


def faults_of(watched: Watched, url: str, language: str, *, themes: Sequence[str] = THEMES, widths: Sequence[int] = WIDTHS) -> list[str]:
    """Open a page and say everything that is wrong with it."""
    from axe_playwright_python.sync_playwright import Axe

    page = watched.page
    watched.faults.clear()
    answer = page.goto(url, wait_until="load")
    assert answer is not None
    if answer.status >= 400:
        return [f"{url}: {answer.status}"]
    page.wait_for_load_state("networkidle")
    text = page.inner_text("body")
    faults = [f"says in the other language: {sentence}" for sentence in other_language(language) if sentence in text][:3]
    for theme in themes:
        page.emulate_media(color_scheme=theme)
        for width in widths:
            page.set_viewport_size({"width": width, "height": 900})
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            if wide > 0:
                faults.append(f"{wide} px too wide at {width} px")
        page.evaluate(SETTLED)  # half way from one theme to the other no colour is right
        found = Axe().run(page).response["violations"]
        faults += [f"({theme}) {one['id']}: {one['nodes'][0]['html'][:160]}" for one in found if one["impact"] in SERIOUS]
    faults += watched.faults + page.evaluate("window.__csp || []")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.emulate_media(color_scheme="light")
    return [f"{url}: {fault}" for fault in faults]
